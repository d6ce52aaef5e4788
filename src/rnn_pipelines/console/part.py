"""The command `part`: forecasts of one part of a divided panel, for schedulers of many processes."""

import click

from rnn_pipelines.console.settings import Command
from rnn_pipelines.errors import count
from rnn_pipelines.forecast.partitions.parts import forecast_part
from rnn_pipelines.networks.memory import keep_freed_memory
from rnn_pipelines.printing import print_text

RESULTS = click.argument("folder")


@click.command(cls=Command)
@RESULTS
@click.option("--index", type=int, required=True, help="Number of the part, from 0.")
def part(folder: str, index: int) -> None:
    """Forecast one part of a divided panel; FOLDER is named by a run with forecast.partitions.stop=fit.

    A part that has results is not forecast again.
    """
    keep_freed_memory()
    print_text(f"part {index}: {count(forecast_part(folder, index), 'series', 'series')}")
