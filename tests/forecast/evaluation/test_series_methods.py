"""What forecasts each series, and why."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.series_methods import SeriesMethodsTable
from rnn_pipelines.forecast.interface import Forecaster


def describe(lengths: dict[str, int], freq: str) -> pd.DataFrame:
    """Fit a panel whose series end together; 0 makes three rows without a value."""
    times = pd.date_range("2022-01-01", periods=max(lengths.values()), freq=freq)
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": times[-(size or 3) :],
                "y": rng.poisson(3, size or 3) if size else None,
            }
        )
        for name, size in lengths.items()
    ]
    table = pd.concat(parts, ignore_index=True).astype({"y": "float64"})
    found = Forecaster(level=None, networks="pretrained").fit(table).series_methods()
    SeriesMethodsTable.validate(found)
    assert found["num_values"].tolist() == [lengths[name] for name in found["unique_id"]]
    values = table[table["y"].notna()].groupby("unique_id")["y"]
    shares = values.apply(lambda y: (y == 0).mean()).reindex(found["unique_id"])
    np.testing.assert_allclose(found["zero_share"], shares)
    return found.set_index("unique_id")


OLD = {f"old {number}": 300 for number in range(5)}


@pytest.fixture(scope="module")
def of_panel() -> pd.DataFrame:
    """Local methods need 28 days: two horizons. The window has 56 days."""
    return describe({**OLD, "empty": 0, "new": 3, "young": 20, "padded": 45}, "D")


def test_long_series_are_forecast_by_the_ensemble(of_panel: pd.DataFrame) -> None:
    assert of_panel["forecast_by"][list(OLD)].unique().tolist() == ["ensemble"]
    assert "56" not in of_panel["reason"]["old 1"]


def test_series_shorter_than_a_window_is_forecast_by_the_ensemble(of_panel: pd.DataFrame) -> None:
    assert of_panel["forecast_by"]["padded"] == "ensemble"
    assert "56" in of_panel["reason"]["padded"]


def test_reason_of_a_young_series_names_the_values_that_are_needed(of_panel: pd.DataFrame) -> None:
    assert of_panel["forecast_by"]["new"] == of_panel["forecast_by"]["young"]
    assert "28" in of_panel["reason"]["young"]


def test_series_without_values_is_forecast_by_nothing(of_panel: pd.DataFrame) -> None:
    assert of_panel["forecast_by"]["empty"] == ""
    assert pd.isna(of_panel["first"]["empty"])


def test_first_time_is_that_of_the_first_value(of_panel: pd.DataFrame) -> None:
    assert of_panel["first"]["new"] == of_panel["last"]["old 1"] - pd.Timedelta(days=2)


def test_series_with_enough_values_are_evaluated(of_panel: pd.DataFrame) -> None:
    is_evaluated = of_panel["is_evaluated"]
    assert set(is_evaluated.index[is_evaluated]) == {*OLD, "padded"}


@pytest.mark.parametrize(
    ("num_months", "rule"),
    [
        (5, "level"),
        (8, "level and damped trend"),
        (20, "seasonal naive with drift"),
        (26, "Theta and seasonal naive with drift"),
    ],
)
def test_rule_for_the_number_of_values_is_named(num_months: int, rule: str) -> None:
    found = describe({"only": num_months}, "MS")
    assert found["forecast_by"].tolist() == [f"{rule}, pretrained"]
    assert str(num_months) in found["reason"]["only"]


def test_short_series_of_a_panel_have_a_part_of_the_rule_for_short_series() -> None:
    found = describe({"a": 8, "b": 12}, "MS")
    assert found["forecast_by"].tolist() == [
        "level and damped trend, baseline_ensemble, pretrained",
        "seasonal naive with drift, baseline_ensemble, pretrained",
    ]
