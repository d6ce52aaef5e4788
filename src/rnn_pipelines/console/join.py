"""The command `join`: the results of all parts of a divided panel, as one run writes them."""

import click

from rnn_pipelines.console.part import RESULTS
from rnn_pipelines.console.settings import Command
from rnn_pipelines.forecast.partitions.parts import join_parts
from rnn_pipelines.printing import print_text


@click.command(cls=Command)
@RESULTS
def join(folder: str) -> None:
    """Join the forecasts of all parts of a divided panel, in FOLDER/joined; see `rnn-pipelines part`."""
    print_text(join_parts(folder))
