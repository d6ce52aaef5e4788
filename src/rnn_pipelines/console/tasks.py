"""The tasks that are served: options and rows of a request in, rows of its answer out."""

import json
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pandas as pd

from rnn_pipelines.console.models import ServedModels
from rnn_pipelines.errors import MissingColumnsError, ParameterError, show
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.table_form import TIME
from rnn_pipelines.reading.csv_files import open_csv
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.table_files import Selection, TableFiles
from rnn_pipelines.sentiment.model.answers import write_words

BODIES = TableFiles(
    error=ParameterError,
    missing=MissingColumnsError,
    path="the body",
    columns="the header of the body",
)


# The options of a request by name; their values are checked by the model.
Options = dict[str, Any]

# Options of `TextClassifier.predict`.
ANSWERS = ("abstain_below", "explain")


class RequestLimits(NamedTuple):
    """The largest request that is answered.

    Attributes:
        max_bytes: of its body.
        max_steps: ahead; the trained horizon is always allowed.
        max_rows: of its answer.
        max_seconds: from its last byte to its answer.
    """

    max_bytes: int = 10_000_000
    max_steps: int = 1_000
    max_rows: int = 100_000
    max_seconds: float = 30.0


class Answer(NamedTuple):
    """The rows of an answer, and the version of the model that made them."""

    version: str
    rows: pd.DataFrame


class Task(NamedTuple):
    """A task at an address: its answer to options, and the columns of which a table must have one."""

    answer: Callable[[ServedModels, Options, RequestLimits], Answer]
    list_columns: Callable[[ServedModels], list[str]]


def read_options(
    body: bytes, kind: str, query: str, list_columns: Callable[[], list[str]]
) -> Options:
    """Return the options of a request, from its body and its address; a table of CSV is its `rows`."""
    content = _read_csv(body, list_columns()) if kind == "text/csv" else _read_json(body)
    address = _read_address(query)
    both = sorted(set(content) & set(address))
    if both:
        raise ParameterError(f"{both[0]}: received in the body and in the address. Give it once.")
    return content | address


def _read_csv(body: bytes, columns: Sequence[str]) -> Options:
    column, *others = columns
    try:
        file = open_csv("the body", lambda: BytesIO(body), [column], BODIES, Dialect())
    except MissingColumnsError:
        if not others:
            raise
        return _read_csv(body, others)
    return {"rows": file.read(Selection([column], numbers=None, has_all=True))}


def _read_json(body: bytes) -> Options:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParameterError(
            f"the body: expected JSON, or CSV with the type text/csv ({error})."
        ) from error
    if not isinstance(content, dict):
        raise ParameterError(f"the body: expected an object, received {show(content)}.")
    return content


def _read_address(query: str) -> Options:
    """Return the numbers in the query of an address, one for `h` and a list for other names."""
    given = parse_qs(query, keep_blank_values=True)
    try:
        options: Options = {
            name: [int(number) for number in ",".join(given[name]).split(",")] for name in given
        }
    except ValueError as error:
        raise ParameterError(
            f"the address: expected whole numbers such as h=7&level=80,95 ({error})."
        ) from error
    if len(options.get("h", [])) > 1:
        raise ParameterError(f"h: expected one number, received {show(options['h'])}.")
    if "h" in options:
        options["h"] = options["h"][0]
    return options


def _make_table(rows: Any) -> pd.DataFrame:
    if isinstance(rows, pd.DataFrame):
        return rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        example = "{'ds': '2024-01-31', 'y': 5}"
        raise ParameterError(
            f"rows: expected a list of objects such as {example}, received {show(rows)}."
        )
    try:
        return pd.DataFrame(rows)
    except UnicodeEncodeError as error:
        raise ParameterError(
            f"rows: expected texts that UTF-8 can hold, received {show(error.object)}."
        ) from error


def _forecast(models: ServedModels, options: Options, limits: RequestLimits) -> Answer:
    _check_names(options, {"rows", "h", "level"})
    table = _make_table(options.get("rows"))
    served = models.get("forecast")
    model: Forecaster = served.model
    form = model.table_form
    h = options.get("h")
    names = table.get(form.id, table.get(ID))
    _check_size(names, h, model.spec.window.horizon or 0, limits)
    forecasts = model.predict(table, h, options.get("level"))
    # The answer has the names of the request.
    is_of_file = form.time != TIME and form.time in table
    return Answer(
        served.version, form.name_results(forecasts, model.used) if is_of_file else forecasts
    )


def _list_times(models: ServedModels) -> list[str]:
    """Return the names that the column of times may have."""
    return [TIME, models.get("forecast").model.table_form.time]


def _check_size(names: pd.Series | None, h: Any, horizon: int, limits: RequestLimits) -> None:
    """Check the numbers of steps and of rows of an answer; other values of `h` are refused by the forecaster."""
    num_steps = h if isinstance(h, int) else horizon
    most = max(limits.max_steps, horizon)
    if num_steps > most:
        raise ParameterError(
            f"h: expected at most {most:,} steps (--max-steps), received {show(h)}."
        )
    # Cells of JSON can be lists, which have no hash.
    num_series = 1 if names is None else names.map(repr).nunique()
    if num_series * num_steps > limits.max_rows:
        facts = f"received {num_series:,} series with {num_steps:,} steps each"
        message = f"expected at most {limits.max_rows:,} rows of an answer (--max-rows), {facts}. Send fewer series."
        raise ParameterError(message)


def _classify(models: ServedModels, options: Options, limits: RequestLimits) -> Answer:
    _check_names(options, {"texts", "rows", *ANSWERS})
    rows = options.get("rows")
    # A table of CSV is the rows of the request.
    texts = rows.get("text") if isinstance(rows, pd.DataFrame) else options.get("texts")
    served = models.get("sentiment")
    answers = {name: options[name] for name in ANSWERS if name in options}
    return Answer(served.version, write_words(served.model.predict(texts, **answers)))


def _check_names(options: Options, expected: set[str]) -> None:
    unknown = sorted(set(options) - expected)
    if unknown:
        raise ParameterError(f"{unknown[0]}: no such option. Expected some of {sorted(expected)}.")


# By address.
TASKS = {
    "/forecast": Task(_forecast, _list_times),
    "/sentiment": Task(_classify, lambda _models: ["text"]),
}
