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
    found = Forecaster(level=None, training={"max_steps": 1}).fit(table).series_methods()
    SeriesMethodsTable.validate(found)
    assert found["num_values"].tolist() == [lengths[name] for name in found["unique_id"]]
    values = table[table["y"].notna()].groupby("unique_id")["y"]
    shares = values.apply(lambda y: (y == 0).mean()).reindex(found["unique_id"])
    np.testing.assert_allclose(found["zero_share"], shares)
    return found.set_index("unique_id")


def test_young_padded_and_empty_series_of_a_panel_have_their_reasons() -> None:
    """Local methods need 28 days: two horizons. The window has 56 days."""
    old = {f"old {number}": 300 for number in range(5)}
    found = describe({**old, "empty": 0, "new": 3, "young": 20, "padded": 45}, "D")
    by = found["forecast_by"]
    assert by[list(old)].unique().tolist() == ["ensemble"]
    assert by["padded"] == "ensemble"
    assert "56" in found["reason"]["padded"]
    assert "56" not in found["reason"]["old 1"]
    assert by["new"] == by["young"]
    assert "28" in found["reason"]["young"]
    assert by["empty"] == ""
    assert pd.isna(found["first"]["empty"])
    assert found["first"]["new"] == found["last"]["old 1"] - pd.Timedelta(days=2)
    assert found["is_evaluated"].to_dict() == dict.fromkeys([*old, "padded"], True) | dict.fromkeys(
        ["empty", "new", "young"], False
    )


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
