"""`kedro champion export`: the champion as a folder that needs few packages."""

from pathlib import Path

import click

from rnn_pipelines.champion.folders import unpack_safely
from rnn_pipelines.cli.options import make_task_command, print_result
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.export.files import NO_CLASSIFIER, export_forecaster, unpack_exportable
from rnn_pipelines.hooks.paths import find_paths


@make_task_command(name="export")
@click.argument("path", type=click.Path(path_type=Path))
def export_champion(task: str, env: str | None, is_json: bool, path: Path) -> None:
    """Export the champion of forecast to PATH, a new folder, or a new zip file if it ends in .zip.

    It predicts without the project: python PATH/forecaster.py data.csv
    """
    if task != "forecast":
        raise ParameterError(f"{task}: {NO_CLASSIFIER}")
    store = find_paths(task, env).store
    champion = store.load()
    export_forecaster(unpack_safely(store.folder, lambda: unpack_exportable(champion.files)), path)
    made = {"task": task, "version": champion.version, "path": str(path)}
    print_result(is_json, made, f"{task}: {champion.version} in {path}")
