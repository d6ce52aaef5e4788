"""How far forecasts of a date move from one origin to the next, relative to their errors."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.metrics import (
    STABILITY,
    average_changes,
    list_ratios,
    measure_by_series,
    sum_ratios,
)
from rnn_pipelines.forecast.methods.predictions import Predictions

NUM_ORIGINS, HORIZON = 8, 4


def make_predictions(step: int = 1, names: str = "ab") -> Predictions:
    """Return forecasts of each `step` days; `moving` changes by 1 a day of origin, `steady` by nothing."""
    origins = np.arange(0, NUM_ORIGINS * step, step)
    rows = [
        (
            name,
            pd.Timestamp("2024-01-01") + pd.Timedelta(days=origin),
            ahead,
            (10.0 + ord(name) % 3) * (origin + ahead),
        )
        for name in names
        for origin in origins
        for ahead in range(1, HORIZON + 1)
    ]
    table = pd.DataFrame(rows, columns=["unique_id", "cutoff", "horizon_step", "y"])
    table.insert(2, "ds", table["cutoff"] + pd.to_timedelta(table["horizon_step"], unit="D"))
    day = (table["cutoff"] - table["cutoff"].min()).dt.days
    table["steady"] = table["y"] + 2
    table["moving"] = table["y"] + np.where(day // step % 2 == 0, 2.0, -2.0)
    return Predictions(table, ("steady", "moving"))


def test_change_is_that_of_one_date_between_neighbouring_origins() -> None:
    """Forecasts of `moving` change from 2 too high to 2 too low, three times from the first to the last."""
    moving = list_ratios(make_predictions())["moving"]
    assert moving["stability"] == pytest.approx(4 / 2)
    assert moving["horizon_stability"] == pytest.approx(3 * 4 / 2)


def test_forecasts_that_do_not_change_have_a_stability_of_0() -> None:
    steady = list_ratios(make_predictions())["steady"]
    assert steady["stability"] == steady["horizon_stability"] == 0


def test_neighbouring_origins_may_be_two_days_apart() -> None:
    moving = list_ratios(make_predictions(2))["moving"]
    assert [moving["stability"], moving["horizon_stability"]] == pytest.approx([2, 2])


def test_stability_of_exact_forecasts_is_missing() -> None:
    predictions = make_predictions()
    exact = Predictions(
        predictions.table.assign(moving=predictions.table["y"]), predictions.forecasters
    )
    assert list_ratios(exact)["moving"]["stability"] is None


def test_independent_loop_gives_the_same_number() -> None:
    predictions = make_predictions()
    table = predictions.table.sample(frac=1, random_state=0)
    table["moving"] += np.random.default_rng(1).normal(size=len(table))
    by_key = {(row.unique_id, row.cutoff, row.ds): row.moving for row in table.itertuples()}
    day = pd.Timedelta(days=1)
    changes: dict[str, list[float]] = {"a": [], "b": []}
    for (name, cutoff, ds), forecast in by_key.items():
        if (name, cutoff - day, ds) in by_key:
            changes[name].append(abs(forecast - by_key[name, cutoff - day, ds]))
    found, num_changes = average_changes(table, ["moving"])
    assert found["moving"].to_dict() == pytest.approx(
        {name: np.mean(some) for name, some in changes.items()}
    )
    assert num_changes.tolist() == [HORIZON - 1] * 2


@pytest.mark.parametrize("step", [HORIZON, HORIZON + 3])
def test_windows_that_do_not_overlap_have_no_stability(step: int) -> None:
    predictions = make_predictions(step)
    assert {found[name] for found in list_ratios(predictions).values() for name in STABILITY} == {
        None
    }
    assert sum_ratios(predictions)["stability"]["moving"] == (0, 0)


def measure_stability(table: pd.DataFrame) -> float | None:
    return list_ratios(Predictions(table, ("steady", "moving")))["moving"]["stability"]


def test_series_of_one_origin_do_not_count() -> None:
    table = make_predictions().table
    is_left = (table["unique_id"] == "a") | (table["cutoff"] == table["cutoff"].min())
    rough = table.assign(moving=table["moving"] + 100 * (table["unique_id"] == "b"))
    assert measure_stability(rough[is_left]) == pytest.approx(2)


def test_dates_without_an_actual_do_not_count() -> None:
    table = make_predictions().table
    is_hole = table["ds"] == "2024-01-05"
    wild = table.assign(y=table["y"].mask(is_hole), moving=table["moving"].mask(is_hole, 1e9))
    assert measure_stability(wild) == pytest.approx(2)


def test_origin_without_forecasts_does_not_count() -> None:
    table = make_predictions().table
    gap = table.assign(moving=table["moving"].mask(table["cutoff"] == "2024-01-04"))
    assert measure_stability(gap) == pytest.approx(2)


def test_each_series_has_its_stability() -> None:
    predictions = make_predictions()
    series = predictions.table.drop_duplicates(["unique_id", "ds"])[["unique_id", "ds", "y"]]
    series = series.assign(observed=True).reset_index(drop=True)
    cutoffs = pd.DataFrame({"unique_id": ["a", "b"], "train_stop": 5})
    table = measure_by_series(predictions, series, cutoffs, 1)
    assert table.set_index("forecaster").loc["moving", "stability"].tolist() == pytest.approx(
        [2, 2]
    )
