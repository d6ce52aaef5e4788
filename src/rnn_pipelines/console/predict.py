"""The command `predict`: a saved model and new data in, forecasts or labels out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd

from rnn_pipelines.champion.folders import load_model
from rnn_pipelines.console.input_files import FILE
from rnn_pipelines.console.results import list_rows
from rnn_pipelines.console.settings import COLUMNS, OF_FILE, TOTAL, Command
from rnn_pipelines.errors import ParameterError, show_all
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.preparation.preparing import find_dead
from rnn_pipelines.forecast.report.next_values import round_values
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.printing import print_json, print_text
from rnn_pipelines.sentiment.interface import TextClassifier
from rnn_pipelines.sentiment.model.answers import write_words
from rnn_pipelines.sentiment.text.column_choice import choose_text_column
from rnn_pipelines.sentiment.text.files import TextFileSpec, read_texts
from rnn_pipelines.storage.files import require_new, write_new
from rnn_pipelines.storage.formats import VOCABULARY
from rnn_pipelines.storage.spreadsheets import write_csv

# Arguments and options of all commands that apply a saved model.
MODEL = click.argument("model", type=click.Path())
TIME = click.option(
    "--time", "-t", help="Column of the times of a series. By default that of the training."
)
TARGET = click.option(
    "--target", "-y", help="Column of the values of a series. By default that of the training."
)
ID = click.option(
    "--id", "-i", help="Column with the names of the series. By default that of the training."
)
TZ = click.option(
    "--tz", help="Time zone of the times, such as Europe/Berlin. By default that of the training."
)
TEXT = click.option(
    "--text", help="Column of the texts. By default text, or else the one of the longest."
)


@click.command(cls=Command)
@MODEL
@FILE
@TIME
@TARGET
@ID
@TZ
@click.option(
    "--horizon", "-H", type=int, help="Steps ahead of a series. By default that of the training."
)
@click.option(
    "--future",
    type=click.Path(),
    multiple=True,
    help="File of future covariates, a scenario; repeat it to compare. FILE then holds the past.",
)
@TOTAL
@TEXT
@click.option(
    "--abstain-below",
    type=float,
    help="Confidence below which a text gets the label abstained.",
)
@click.option("--explain", is_flag=True, help="Name the words for and against each label.")
@COLUMNS
@click.option(
    "--output",
    "-o",
    type=click.Path(),
    help="New CSV file, or .xlsx with history and chart. By default, the table is printed as CSV.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the rows as JSON, with unique_id and ds."
)
def predict(
    model: str,
    file: str,
    text: str | None,
    columns: str,
    output: str | None,
    as_json: bool,
    **series: Any,
) -> None:
    """Apply the saved or promoted MODEL, a folder, to the series or texts in FILE."""
    if output is not None:
        require_new(Path(output), "Name a new file in --output.")
    is_excel = output is not None and output.lower().endswith(".xlsx")
    with show_stages([("load the model", 0.1), ("predict", 0.3)]):
        begin_stage("load the model")
        future = series.pop("future")
        horizon = series.pop("horizon")
        totals = series.pop("total")
        answers = {name: series.pop(name) for name in ("abstain_below", "explain")}
        loaded = load_model(model, lambda files: unpack_saved(files, **series))
        if isinstance(loaded, Forecaster) and any(answers.values()):
            raise ParameterError(
                "--abstain-below and --explain: the model forecasts series, and classifies no texts. Leave them out."
            )
        begin_stage("predict")
        is_excel_of_others = future or totals or isinstance(loaded, TextClassifier)
        if is_excel and is_excel_of_others:
            raise ParameterError(
                "--output: an Excel file holds forecasts without scenarios and totals. Name a .csv file."
            )
        if isinstance(loaded, TextClassifier):
            _check_no_series(future=future, horizon=horizon, total=totals)
            table = write_words(loaded.predict(list_texts(file, text), **answers))
        elif is_excel:
            loaded.to_excel(str(output), file, horizon)
            return
        elif totals:
            table = _total(loaded, file, future, horizon, totals)
        else:
            table = _forecast(loaded, file, future, horizon)
    if as_json:
        print_json(list_rows(table))
    if isinstance(loaded, Forecaster) and columns == OF_FILE and not totals:
        # Columns of scenarios have their names.
        use = "" if future else loaded.used
        rounded = round_values(table, use or Path(future[0]).stem)
        content = loaded.table_form.write_csv(rounded, use)
    else:
        content = write_csv(table)
    if output is not None:
        write_new(Path(output), content)
    elif not as_json:
        print_text(content.decode().rstrip("\n"))


def _check_no_series(**options: Any) -> None:
    """Check that no option of forecasts was given for a model of texts."""
    for name, value in options.items():
        if value:
            raise ParameterError(
                f"--{name}: the model classifies texts, and forecasts no series. Leave it out."
            )


def _total(
    forecaster: Forecaster,
    file: str,
    future: tuple[str, ...],
    horizon: int | None,
    totals: tuple[str, ...],
) -> pd.DataFrame:
    if future:
        raise ParameterError("--total: give it without --future.")
    return forecaster.predict(file, h=horizon, totals=totals)


def unpack_saved(files: Mapping[str, bytes], **source: Any) -> Forecaster | TextClassifier:
    """Return the model in the files of a saved model or champion; `source` has the given options of its tables."""
    if VOCABULARY in files:
        return TextClassifier.unpack(files)
    return Forecaster.unpack(files, {name: value for name, value in source.items() if value})


def _forecast(
    forecaster: Forecaster, file: str, future: tuple[str, ...], horizon: int | None
) -> pd.DataFrame:
    scenarios = {Path(path).stem: path for path in future}
    if len(scenarios) < len(future):
        raise ParameterError(
            f"--future: expected files of different names, received {show_all(future)}."
        )
    if scenarios:
        return _mark_dead(forecaster.scenarios(scenarios, file, horizon), forecaster)
    return _mark_dead(forecaster.predict(file, h=horizon), forecaster)


def _mark_dead(table: pd.DataFrame, forecaster: Forecaster) -> pd.DataFrame:
    """Return the forecasts with `is_dead` if some series end long before the others, as in those of `forecast`."""
    firsts = table.groupby("unique_id")["ds"].min()
    settings = forecaster._require_fit().settings
    times = firsts.to_numpy("datetime64[us]" if firsts.dtype.kind == "M" else None)
    is_dead = table["unique_id"].isin(
        firsts.index[find_dead(times, settings.freq, settings.horizon)]
    )
    return table.assign(is_dead=is_dead) if is_dead.any() else table


def list_texts(file: str, column: str | None) -> list[str]:
    """Return the texts in a column of a file, see `choose_text_column`, or the lines of a `.txt` file."""
    source = TextFileSpec(path=file, text=column or choose_text_column(file))
    texts: list[str] = read_texts(source)["text"].tolist()
    return texts
