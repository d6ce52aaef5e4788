"""The command `predict`: a saved model and new data in, forecasts or labels out."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd

from rnn_pipelines.champion.folders import load_model
from rnn_pipelines.console.input_files import FILE
from rnn_pipelines.console.results import list_rows
from rnn_pipelines.console.settings import Command
from rnn_pipelines.errors import MissingColumnsError, ParameterError, RunError, show_all
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.source.reading import read_file
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.time_parts import TIME_SIGN, join_times, lay_out_years
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.printing import print_json, print_text
from rnn_pipelines.sentiment.interface import TextClassifier
from rnn_pipelines.sentiment.text.files import TextFileSpec, read_texts
from rnn_pipelines.storage.files import replace_file, require_new
from rnn_pipelines.storage.formats import VOCABULARY
from rnn_pipelines.storage.spreadsheets import write_csv

# Arguments and options of all commands that apply a saved model.
MODEL = click.argument("model", type=click.Path())
TIME = click.option(
    "--time", "-t", default="ds", show_default=True, help="Column of the times of a series."
)
TARGET = click.option(
    "--target", "-y", default="y", show_default=True, help="Column of the values of a series."
)
ID = click.option("--id", "-i", help="Column with the names of the series.")
TEXT = click.option("--text", default="text", show_default=True, help="Column of the texts.")


@click.command(cls=Command)
@MODEL
@FILE
@TIME
@TARGET
@ID
@click.option(
    "--tz", help="Time zone of the times, such as Europe/Berlin. By default that of the training."
)
@click.option(
    "--horizon", "-H", type=int, help="Steps ahead of a series. By default that of the training."
)
@click.option(
    "--future",
    type=click.Path(),
    multiple=True,
    help="File of future covariates, a scenario; repeat it to compare. FILE then holds the past.",
)
@TEXT
@click.option(
    "--output",
    "-o",
    type=click.Path(),
    help="New CSV file. By default, the table is printed as CSV.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def predict(
    model: str, file: str, text: str, output: str | None, as_json: bool, **series: Any
) -> None:
    """Apply the saved or promoted MODEL, a folder, to the series or texts in FILE."""
    if output is not None:
        require_new(Path(output), "Name a new file in --output.")
    with show_stages([("load the model", 0.1), ("read the file", 0.1), ("predict", 0.2)]):
        table = _predict(model, file, text, **series)
    if as_json:
        print_json(list_rows(table))
    elif output is None:
        print_text(write_csv(table).decode().rstrip("\n"))
    else:
        try:
            replace_file(Path(output), write_csv(table))
        except OSError as error:
            raise RunError(
                f"{output}: it can't be written ({error.strerror}). Name another file."
            ) from error


def _predict(model: str, file: str, text: str, tz: str | None, **series: Any) -> pd.DataFrame:
    begin_stage("load the model")
    loaded = load_model(model, lambda files: unpack_saved(files, tz))
    begin_stage("read the file")
    if isinstance(loaded, Forecaster):
        return _forecast(loaded, file, **series)
    for name in ("future", "horizon"):
        if series[name]:
            raise ParameterError(
                f"--{name}: the model classifies texts, and forecasts no series. Leave it out."
            )
    texts = list_texts(file, text)
    begin_stage("predict")
    return loaded.predict(texts)


def unpack_saved(files: Mapping[str, bytes], tz: str | None) -> Forecaster | TextClassifier:
    """Return the model in the files of a saved model or champion, which reads times in a zone."""
    if VOCABULARY in files:
        return TextClassifier.unpack(files)
    return Forecaster.unpack(files, {"tz": tz} if tz else None)


def _forecast(
    forecaster: Forecaster,
    file: str,
    future: tuple[str, ...],
    horizon: int | None,
    **columns: Any,
) -> pd.DataFrame:
    names = forecaster._names
    frame = read_series_file(file, names, **columns)
    scenarios = {
        Path(path).stem: read_series_file(path, names, **columns, has_target=False)
        for path in future
    }
    if len(scenarios) < len(future):
        raise ParameterError(
            f"--future: expected files of different names, received {show_all(future)}."
        )
    begin_stage("predict")
    return (
        forecaster.scenarios(scenarios, frame, horizon)
        if scenarios
        else forecaster.predict(frame, h=horizon)
    )


def read_series_file(
    file: str,
    names: Collection[str],
    time: str,
    target: str,
    id: str | None,
    has_target: bool = True,
) -> pd.DataFrame:
    """Return the table of a file with the columns `ds`, `unique_id` if it is named, and `y`, or those of a wide table.

    The names are those of the model's series. The column of the target helps to find the header, if the table has it.
    """
    source = SourceSpec(path=file, time=time, target=target, id=id)
    keys = [time, *([id] if id else [])]
    try:
        frame = read_file(source, None if has_target else keys)
    except MissingColumnsError as error:
        if error.missing != [target]:
            raise
        frame = read_file(source, keys)
        # A wide table has a column for each series of the model, and a table of years one for each month.
        if id or not ({*names} & {*map(str, frame)} or lay_out_years(frame, time)):
            raise
    parts = time.split(TIME_SIGN)
    if time not in frame and {*parts} <= {*map(str, frame)}:
        frame = join_times(frame, parts)
    return frame.rename(columns={time: "ds", target: "y"} | ({id: "unique_id"} if id else {}))


def list_texts(file: str, column: str) -> list[str]:
    """Return the texts in a column of a file, or the lines of a `.txt` file."""
    texts: list[str] = read_texts(TextFileSpec(path=file, text=column))["text"].tolist()
    return texts
