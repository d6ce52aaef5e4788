"""The command `export`: a saved forecaster in, a folder that needs few packages out."""

from pathlib import Path

import click

from rnn_pipelines.champion.folders import load_model
from rnn_pipelines.console.settings import Command
from rnn_pipelines.forecast.export.files import export_forecaster, unpack_exportable
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.printing import print_text


@click.command(cls=Command)
@click.argument("model", type=click.Path())
@click.argument("path", type=click.Path())
def export(model: str, path: str) -> None:
    """Export the saved or promoted forecaster MODEL, a folder, to PATH.

    PATH is a new folder, or a new zip file if it ends in .zip. It predicts without the project, with the packages
    of its requirements.txt:

    \b
      python PATH/forecaster.py data.csv
    """
    with show_stages([("load the model", 0.1), ("write the export", 0.1)]):
        begin_stage("load the model")
        loaded = load_model(model, unpack_exportable)
        begin_stage("write the export")
        export_forecaster(loaded, Path(path))
    print_text(path)
