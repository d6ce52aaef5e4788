"""Numbers that stand for missing values are reported, and missing if the valid range says so."""

import logging

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

TEMPERATURES = 15 + 8 * np.sin(np.arange(400.0))


def make_table(number: float, values: np.ndarray = TEMPERATURES) -> pd.DataFrame:
    y = values.copy()
    y[100:160] = number
    return pd.DataFrame({"ds": pd.date_range("2020-01-01", periods=len(y)), "y": y})


def list_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("number", "values"),
    [
        (9999.0, TEMPERATURES),
        (99999.0, TEMPERATURES),
        (-999.0, TEMPERATURES - 10),
        (-9999.0, TEMPERATURES - 10),
    ],
    ids=str,
)
def test_numbers_far_from_all_others_stay(number: float, values: np.ndarray) -> None:
    found = read_source(SourceSpec(name="catalog"), make_table(number, values))
    assert (found["y"] == number).sum() == 60


@pytest.mark.parametrize(
    ("number", "values"),
    [
        (9999.0, TEMPERATURES),
        (99999.0, TEMPERATURES),
        (-999.0, TEMPERATURES - 10),
        (-9999.0, TEMPERATURES - 10),
    ],
    ids=str,
)
def test_numbers_far_from_all_others_are_reported(
    number: float, values: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    read_source(SourceSpec(name="catalog"), make_table(number, values))
    (message,) = list_warnings(caplog)
    assert "60 values" in message
    assert f"{number:g}" in message
    assert f"source.valid_range={values.min():g}" in message


@pytest.mark.parametrize("number", [-999.0, -9999.0, -99.9])
def test_repeated_negative_number_among_others_is_missing(
    number: float, caplog: pytest.LogCaptureFixture
) -> None:
    table = make_table(number)
    assert read_source(SourceSpec(name="catalog"), table)["y"].isna().sum() == 60
    (message,) = list_warnings(caplog)
    assert f"source.valid_range={number:g}:" in message
    kept = read_source(SourceSpec(name="catalog", valid_range=f"{number:g}:"), table)
    assert (kept["y"] == number).sum() == 60


def test_negative_number_that_occurs_once_stays() -> None:
    table = make_table(-999.0).assign(y=TEMPERATURES)
    table.loc[50, "y"] = -999
    assert (read_source(SourceSpec(name="catalog"), table)["y"] == -999).sum() == 1


@pytest.mark.parametrize(
    ("number", "values"),
    [
        (99.0, 5 * TEMPERATURES),
        (999.0, 100 * TEMPERATURES),
        (9999.0, np.linspace(0, 20000, 400)),
        (-1.0, TEMPERATURES),
    ],
    ids=["near", "usual", "inside", "other"],
)
def test_near_numbers_are_not_reported(
    number: float, values: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    read_source(SourceSpec(name="catalog"), make_table(number, values))
    assert list_warnings(caplog) == []


def test_series_of_a_panel_is_compared_with_itself(caplog: pytest.LogCaptureFixture) -> None:
    panel = pd.concat(
        [make_table(-999.0).assign(id="a"), make_table(5000.0, 5000 * TEMPERATURES).assign(id="b")]
    )
    read_source(SourceSpec(name="catalog", id="id"), panel)
    assert len(list_warnings(caplog)) == 1


@pytest.mark.parametrize(
    "bounds", [[-50, 60], "-50:60", " -50 : 60 ", [-50.0, None], "-50:"], ids=str
)
def test_values_outside_the_range_are_missing(
    bounds: object, caplog: pytest.LogCaptureFixture
) -> None:
    found = read_source(SourceSpec(name="catalog", valid_range=bounds), make_table(-999.0))
    assert found["y"].isna().to_numpy().nonzero()[0].tolist() == list(range(100, 160))
    (message,) = list_warnings(caplog)
    assert "-999 in row 101" in message


@pytest.mark.parametrize(
    "bounds", [5, "5", "a:b", [1], [1, 2, 3], [2, 1], "2:1", [float("nan"), 1], "0:40:2"], ids=str
)
def test_other_ranges_are_refused(bounds: object) -> None:
    with pytest.raises(ValidationError):
        SourceSpec(name="catalog", valid_range=bounds)
