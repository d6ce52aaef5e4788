"""The Excel file of next values: cells of a sheet, and charts."""

from io import BytesIO
from typing import Any

import openpyxl
import pandas as pd
import pytest

from rnn_pipelines.errors import RunError
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report import workbook
from rnn_pipelines.forecast.source.table_form import TableForm


def read(history: pd.DataFrame, forecasts: pd.DataFrame, **form: Any) -> openpyxl.Workbook:
    next_values = Predictions(forecasts, ("gru",), (80,), "gru")
    series = history.assign(observed=True)
    content = workbook.write_workbook(series, next_values, TableForm(**form))
    return openpyxl.load_workbook(BytesIO(content))


@pytest.fixture
def history() -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=3)
    tables = [pd.DataFrame({"unique_id": name, "ds": days, "y": 1.0}) for name in ("=a", "b")]
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def forecasts() -> pd.DataFrame:
    day = pd.Timestamp("2024-01-04")
    rows = {"unique_id": ["=a", "b"], "ds": day, "gru": 2.0, "gru-lo-80": 1.0, "gru-hi-80": 3.0}
    cutoff = day - pd.Timedelta(days=1)
    return pd.DataFrame(rows).assign(cutoff=cutoff, horizon_step=1)


def list_cells(book: openpyxl.Workbook) -> list[tuple[Any, ...]]:
    return list(book["values"].iter_rows(values_only=True))


def test_header_has_the_columns_of_the_file(history: pd.DataFrame, forecasts: pd.DataFrame) -> None:
    book = read(history, forecasts, time="Datum", target="Umsatz", id="Filiale")
    expected = ("Filiale", "Datum", "Umsatz", "forecast", "lo-80", "hi-80")
    assert list_cells(book)[0] == expected


def test_forecasts_follow_the_history_of_their_series(
    history: pd.DataFrame, forecasts: pd.DataFrame
) -> None:
    rows = list_cells(read(history, forecasts, id="shop"))
    assert [row[0] for row in rows[1:]] == ["=a"] * 4 + ["b"] * 4
    assert rows[4][2:] == (None, 2.0, 1.0, 3.0)


def test_a_single_series_has_no_column_of_names(
    history: pd.DataFrame, forecasts: pd.DataFrame
) -> None:
    rows = list_cells(read(history[:3], forecasts[:1]))
    assert rows[0] == ("ds", "y", "forecast", "lo-80", "hi-80")


def test_a_text_that_begins_with_an_equals_sign_is_no_formula(
    history: pd.DataFrame, forecasts: pd.DataFrame
) -> None:
    assert read(history, forecasts, id="shop")["values"]["A2"].data_type == "s"


def test_dates_are_dates_in_the_form_of_the_file(
    history: pd.DataFrame, forecasts: pd.DataFrame
) -> None:
    cell = read(history, forecasts, id="shop", time_format="%d.%m.%Y")["values"]["B2"]
    assert cell.is_date
    assert cell.number_format == "dd.mm.yyyy"


def test_each_series_has_a_chart_of_its_rows(
    history: pd.DataFrame, forecasts: pd.DataFrame
) -> None:
    first, second = read(history, forecasts, id="shop")["charts"]._charts
    lines = [line.yVal.numRef.f for line in second.series]
    assert lines == [f"'values'!${column}$6:${column}$9" for column in "CDEF"]
    assert [line.tx.v for line in first.series] == ["history", "forecast", "lo-80", "hi-80"]


def test_newest_history_stays_if_a_sheet_is_full(
    history: pd.DataFrame, forecasts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 6)
    rows = list_cells(read(history, forecasts, id="shop"))
    assert [row[1].day for row in rows[1:4]] == [2, 3, 4]


def test_forecasts_beyond_a_sheet_are_refused(
    history: pd.DataFrame, forecasts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 1)
    with pytest.raises(RunError, match="a sheet holds 1 rows"):
        read(history, forecasts)
