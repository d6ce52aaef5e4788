"""The command `explorer`: a saved model and its data in, a page in which its networks run out."""

from pathlib import Path
from typing import Any

import click

from rnn_pipelines.champion.folders import load_model
from rnn_pipelines.console.input_files import FILE
from rnn_pipelines.console.predict import (
    ID,
    MODEL,
    TARGET,
    TEXT,
    TIME,
    list_texts,
    unpack_saved,
)
from rnn_pipelines.console.results import open_page
from rnn_pipelines.console.settings import OPEN, Command
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.printing import print_text
from rnn_pipelines.storage.files import require_new


@click.command(cls=Command)
@MODEL
@FILE
@click.option(
    "--output",
    "-o",
    type=click.Path(),
    default="gates.html",
    show_default=True,
    help="New HTML file.",
)
@TIME
@TARGET
@ID
@click.option("--series", help="Name of the series to show. By default the first one.")
@TEXT
@OPEN
def explorer(
    model: str,
    file: str,
    output: str,
    series: str | None,
    text: str | None,
    is_opened: bool,
    **source: Any,
) -> None:
    """Show the gates of the networks in MODEL, a saved folder, on the series or texts in FILE.

    Writes one HTML page, which needs neither a server nor a network.
    """
    require_new(Path(output), "Name a new file in --output.")
    with show_stages([("load the model", 0.1), ("write the page", 0.6)]):
        begin_stage("load the model")
        loaded = load_model(model, lambda files: unpack_saved(files, **source))
        begin_stage("write the page")
        if isinstance(loaded, Forecaster):
            loaded.explorer(output, file, series)
        else:
            loaded.explorer(output, list_texts(file, text))
    print_text(output)
    if is_opened:
        open_page(Path(output))
