"""The command `explorer`: a saved model and its data in, a page in which its networks run out."""

from pathlib import Path
from typing import Any

import click

from rnn_pipelines.champion.folders import load_model
from rnn_pipelines.console.predict import read_series_file, unpack_saved
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.printing import print_text
from rnn_pipelines.storage.files import require_new


@click.command()
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@click.option(
    "--output",
    "-o",
    type=click.Path(),
    default="gates.html",
    show_default=True,
    help="New HTML file.",
)
@click.option(
    "--time", "-t", default="ds", show_default=True, help="Column of the times of a series."
)
@click.option(
    "--target", "-y", default="y", show_default=True, help="Column of the values of a series."
)
@click.option("--id", "-i", help="Column with the names of the series.")
@click.option("--series", help="Name of the series to show. By default the first one.")
@click.option("--text", default="text", show_default=True, help="Column of the texts.")
def explorer(
    model: str, file: str, output: str, series: str | None, text: str, **columns: Any
) -> None:
    """Show the gates of the networks in MODEL, a saved folder, on the series or texts in FILE.

    Writes one HTML page, which needs neither a server nor a network.
    """
    require_new(Path(output), "Name a new file in --output.")
    with show_stages(3):
        begin_stage("load the model")
        from rnn_pipelines.forecast.interface import Forecaster
        from rnn_pipelines.sentiment.text.files import TextFileSpec, read_texts

        loaded = load_model(model, lambda files: unpack_saved(files, None))
        begin_stage("read the file")
        if isinstance(loaded, Forecaster):
            frame = read_series_file(file, loaded._names, **columns)
            begin_stage("write the page")
            loaded.explorer(output, frame, series)
        else:
            texts = read_texts(TextFileSpec(path=file, text=text))["text"].tolist()
            begin_stage("write the page")
            loaded.explorer(output, texts)
    print_text(output)
