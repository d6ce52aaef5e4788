"""The command `predict`: a saved model and new data in, forecasts or labels out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_pipelines.champion.folders import load_model
from rnn_pipelines.errors import RunError
from rnn_pipelines.printing import say, say_json
from rnn_pipelines.storage.files import replace_file

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.argument("model", type=click.Path(exists=True, file_okay=False))
@click.argument("file", type=click.Path(exists=True))
@click.option("--time", "-t", default="ds", show_default=True, help="Column of the times of a series.")
@click.option("--target", "-y", default="y", show_default=True, help="Column of the values of a series.")
@click.option("--id", "-i", help="Column with the names of the series.")
@click.option("--horizon", "-H", type=int, help="Steps ahead of a series. By default that of the training.")
@click.option("--text", default="text", show_default=True, help="Column of the texts.")
@click.option("--output", "-o", type=click.Path(), help="New CSV file. By default, the table is printed as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def predict(model: str, file: str, text: str, output: str | None, as_json: bool, **series: Any) -> None:
    """Apply the saved or promoted MODEL, a folder, to the series or texts in FILE."""
    from rnn_pipelines.storage.spreadsheets import write_csv

    if output is not None and Path(output).exists():
        raise RunError(f"{output}: it exists, and nothing is overwritten. Name a new file in --output.")
    is_text = load_model(model, lambda files: "vocabulary.json" in files)
    table = _score(model, file, text) if is_text else _forecast(model, file, **series)
    if as_json:
        say_json(table.astype({name: str for name in table if table[name].dtype.kind == "M"}).to_dict(orient="records"))
    elif output is None:
        say(write_csv(table).decode().rstrip("\n"))
    else:
        replace_file(Path(output), write_csv(table))


def _score(model: str, file: str, text: str) -> "pd.DataFrame":
    from rnn_pipelines.sentiment.interface import TextClassifier
    from rnn_pipelines.sentiment.text.files import TextFileSpec, read_texts

    texts = read_texts(TextFileSpec(path=file, text=text))
    return TextClassifier.load(model).predict(texts["text"].tolist())


def _forecast(model: str, file: str, time: str, target: str, id: str | None, horizon: int | None) -> "pd.DataFrame":
    from rnn_pipelines.forecast.interface import Forecaster
    from rnn_pipelines.forecast.series.source import SourceSpec
    from rnn_pipelines.forecast.series.source_reading import read_frame

    forecaster = Forecaster.load(model)
    frame = read_frame(SourceSpec(path=file, time=time, target=target, id=id))
    names = {time: "ds", target: "y"} | ({id: "unique_id"} if id else {})
    return forecaster.predict(frame.rename(columns=names), h=horizon)
