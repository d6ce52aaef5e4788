"""What schedules were worth: errors, promotions and cost, over the forecasts that all of them have."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.metrics import list_ratios
from rnn_pipelines.forecast.evaluation.significance import compute_p_value
from rnn_pipelines.forecast.experiments.schedule import BacktestResults, summarize_backtest
from rnn_pipelines.forecast.methods.predictions import Predictions

NUM = 40
NAMES = ["last_value", "seasonal_naive", "ridge", "never", "often"]


@pytest.fixture
def forecasts() -> Predictions:
    """Two series of one step ahead; the second has errors twice as large."""
    random = np.random.default_rng(0)
    cutoff = pd.date_range("2024-01-01", periods=NUM)
    tables = []
    for factor, name in ((1, "a"), (2, "b")):
        table = pd.DataFrame(
            {"unique_id": name, "cutoff": cutoff, "ds": cutoff + pd.Timedelta(days=1)}
        )
        table["horizon_step"] = 1
        table["y"] = random.normal(size=NUM)
        for column in NAMES:
            table[column] = table["y"] + factor * random.normal(size=NUM)
        tables.append(table)
    return Predictions(pd.concat(tables, ignore_index=True), tuple(NAMES))


@pytest.fixture
def retrainings() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "schedule": ["often"] * 3 + ["never"],
            "as_of": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-29", "2024-01-01"]),
            "is_promoted": [True, False, True, True],
            "training_seconds": [1.0, 2.0, 3.0, 1.5],
        }
    )


@pytest.fixture
def results(forecasts: Predictions, retrainings: pd.DataFrame) -> dict[str, Any]:
    return summarize_backtest(forecasts, retrainings)


def find(results: dict[str, Any], name: str) -> dict[str, Any]:
    (entry,) = (entry for entry in results["forecasters"] if entry["name"] == name)
    return entry


@pytest.mark.parametrize("name", NAMES)
def test_errors_are_means_over_each_series(
    forecasts: Predictions, results: dict[str, Any], name: str
) -> None:
    errors = [
        (group["y"] - group[name]).to_numpy() for _, group in forecasts.table.groupby("unique_id")
    ]
    entry = find(results, name)
    assert entry["mse"] == pytest.approx(np.mean([np.mean(error**2) for error in errors]))
    assert entry["mae"] == pytest.approx(np.mean([np.mean(abs(error)) for error in errors]))


@pytest.mark.parametrize("name", NAMES)
def test_ratios_are_those_of_all_forecasts(
    forecasts: Predictions, results: dict[str, Any], name: str
) -> None:
    assert find(results, name).items() >= list_ratios(forecasts)[name].items()


def test_schedule_that_never_trains_is_the_reference(results: dict[str, Any]) -> None:
    assert results["reference"] == "never"
    assert find(results, "never")["p_value"] is None


def test_costs_are_those_of_the_trainings(results: dict[str, Any]) -> None:
    often = find(results, "often")
    assert (often["num_trainings"], often["training_seconds"]) == (3, 6.0)
    assert find(results, "ridge")["training_seconds"] is None


def test_first_training_is_no_promotion(results: dict[str, Any]) -> None:
    assert find(results, "often")["num_promotions"] == 1
    assert find(results, "never")["num_promotions"] == 0


@pytest.mark.parametrize("name", ["often", "ridge"])
def test_p_value_is_that_of_the_squared_errors(
    forecasts: Predictions, results: dict[str, Any], name: str
) -> None:
    table = forecasts.table
    squared = {column: (table["y"] - table[column]) ** 2 for column in (name, "never")}
    differences = (squared[name] - squared["never"]).groupby(table["cutoff"]).mean().to_numpy()
    assert find(results, name)["p_value"] == pytest.approx(compute_p_value(differences, 1))


@pytest.fixture
def with_bounds(forecasts: Predictions, retrainings: pd.DataFrame) -> dict[str, Any]:
    """The results with a schedule `weekly` that alone has intervals."""
    own = forecasts.table.rename(columns={"often": "y_hat"})[["unique_id", "cutoff", "ds", "y_hat"]]
    bounds = own.assign(lo_80=forecasts.table["y"] - 1, hi_80=forecasts.table["y"] + 1)
    return summarize_backtest(
        forecasts.add("weekly", bounds, (80,)),
        retrainings.replace({"schedule": {"often": "weekly"}}),
    )


def test_intervals_are_measured_where_they_are(with_bounds: dict[str, Any]) -> None:
    weekly = find(with_bounds, "weekly")
    assert (weekly["coverage_80"], weekly["width_80"]) == (1.0, pytest.approx(2.0))
    assert "coverage_80" not in find(with_bounds, "ridge")


def test_levels_are_those_of_any_schedule(with_bounds: dict[str, Any]) -> None:
    assert BacktestResults(**with_bounds).levels == [80]


def test_forecasts_that_a_schedule_lacks_are_left_out(
    forecasts: Predictions, retrainings: pd.DataFrame
) -> None:
    forecasts.table.loc[:2, "often"] = np.nan
    results = summarize_backtest(forecasts, retrainings)
    assert (results["num_left_out"], results["num_forecasts"]) == (3, 2 * NUM - 3)
    rest = forecasts.table.iloc[3:]
    by_series = ((rest["y"] - rest["never"]) ** 2).groupby(rest["unique_id"]).mean()
    assert find(results, "never")["mse"] == pytest.approx(by_series.mean())


def test_forecasts_without_an_actual_are_refused(
    forecasts: Predictions, retrainings: pd.DataFrame
) -> None:
    without = replace(forecasts, table=forecasts.table.assign(y=np.nan))
    with pytest.raises(SeriesError, match=r"backtest_forecast\.period"):
        summarize_backtest(without, retrainings)
