"""The method in use beside the others at past origins."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.past_comparison import PastComparison
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.ensemble import forecast_other_folds


def make_frame(num_values: int, noise: float = 3.0) -> pd.DataFrame:
    steps = np.arange(num_values)
    noises = np.random.default_rng(0).normal(0, noise, num_values)
    values = 100 + 10 * np.sin(2 * np.pi * steps / 7) + noises
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=num_values), "y": values})


def fit(frame: pd.DataFrame, **parameters: object) -> Forecaster:
    return Forecaster(pretrained={"is_alone": True}, breaks="keep", **parameters).fit(frame)


def compare(forecaster: Forecaster) -> PastComparison:
    past = forecaster._evaluate().metrics.past
    assert past is not None
    return past


@pytest.fixture(scope="module")
def days() -> Forecaster:
    return fit(make_frame(300))


def test_origins_of_the_whole_past_are_compared(days: Forecaster) -> None:
    past = compare(days)
    assert past["has_past"]
    assert past["num_origins"] > days._evaluate().metrics.num_cutoffs


def test_each_period_has_a_horizon_of_origins(days: Forecaster) -> None:
    past = compare(days)
    assert past["num_periods"] >= past["num_origins"] / 14


def test_naive_forecast_is_behind_in_most_periods(days: Forecaster) -> None:
    past = compare(days)
    rival = past["rivals"]["seasonal_naive"]
    assert rival["relative_error"] is not None
    assert rival["relative_error"] > 1.1
    assert rival["num_lower"] > 0.8 * past["num_periods"]


def test_few_values_are_compared_at_earlier_origins() -> None:
    forecaster = fit(make_frame(40))
    past = compare(forecaster)
    assert past["has_past"]
    assert past["num_origins"] > forecaster._evaluate().metrics.num_cutoffs


def test_test_values_change_no_weight_of_the_past(days: Forecaster) -> None:
    frame = make_frame(300)
    changed = fit(frame.assign(y=frame["y"].where(frame.index < 280, 500.0)))
    forecasts = [
        forecast_other_folds(
            one._require_training().data, one._require_training().methods, "ensemble"
        )
        for one in (days, changed)
    ]
    scalers = [one._require_training().panel.scaler["deviation"].iloc[0] for one in (days, changed)]
    np.testing.assert_allclose(scalers[0], scalers[1])
    np.testing.assert_allclose(forecasts[0], forecasts[1])


def test_weights_of_a_fold_have_not_seen_it(days: Forecaster) -> None:
    """Weights of all folds fit the same windows, so that their error is lower."""
    fitted = days._require_training()
    actual = fitted.data.actual
    seen = np.mean((actual - fitted.methods["ensemble"].out_of_fold) ** 2)
    unseen = np.mean((actual - forecast_other_folds(fitted.data, fitted.methods, "ensemble")) ** 2)
    assert unseen > seen


def test_forecast_of_zero_is_not_better_for_sparse_sales() -> None:
    """It has the least absolute error, but says nothing of the mean."""
    random = np.random.default_rng(0)
    tables = [
        make_frame(150).assign(
            unique_id=f"s{number}",
            y=np.where(random.random(150) < 0.2, random.integers(1, 9, 150), 0),
        )
        for number in range(4)
    ]
    error = compare(fit(pd.concat(tables, ignore_index=True)))["rivals"]["zero"]["relative_error"]
    assert error is not None
    assert error > 1
