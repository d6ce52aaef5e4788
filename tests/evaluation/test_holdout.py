"""Champion and challenger are measured on the same rows, and an unusable challenger is found out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.evaluation.holdout import find_faults, measure_holdout
from rnn_pipelines.evaluation.significance import compute_p_value


@pytest.fixture
def make_holdout() -> Callable[..., pd.DataFrame]:
    """Forecasts of two steps from 12 cut-offs of each series."""

    def make(series: str = "ab", **forecasters: float) -> pd.DataFrame:
        random = np.random.default_rng(0)
        index = pd.MultiIndex.from_product([list(series), range(12), [1, 2]])
        holdout = index.to_frame(index=False, name=["unique_id", "cutoff", "horizon_step"])
        holdout.insert(2, "ds", holdout["cutoff"] + holdout["horizon_step"])
        holdout["y"] = random.normal(size=len(holdout))
        for name, deviation in {"last_value": 1.0, "challenger": 0.5, **forecasters}.items():
            holdout[name] = holdout["y"] + deviation * random.normal(size=len(holdout))
        return holdout

    return make


def compute_mse(holdout: pd.DataFrame, name: str) -> float:
    return float(((holdout["y"] - holdout[name]) ** 2).groupby(holdout["unique_id"]).mean().mean())


def test_losses_are_means_over_windows_then_over_series(make_holdout: Callable[..., pd.DataFrame]) -> None:
    holdout = make_holdout()
    assert measure_holdout(holdout, 2)["losses"] == {
        name: pytest.approx(compute_mse(holdout, name)) for name in ("last_value", "challenger")
    }


def test_without_a_champion_there_is_no_p_value(make_holdout: Callable[..., pd.DataFrame]) -> None:
    assert measure_holdout(make_holdout(), 2)["p_value"] is None


def test_p_value_is_that_of_the_windows_mean_losses(make_holdout: Callable[..., pd.DataFrame]) -> None:
    holdout = make_holdout(champion=0.7)
    squared = holdout[["challenger", "champion"]].sub(holdout["y"], axis=0) ** 2
    difference = (squared["challenger"] - squared["champion"]).groupby(holdout["cutoff"]).mean()
    assert measure_holdout(holdout, 2)["p_value"] == pytest.approx(compute_p_value(difference.to_numpy(), 2))


def test_rows_without_a_champion_count_for_nobody(make_holdout: Callable[..., pd.DataFrame]) -> None:
    """A series that it doesn't know, and a step beyond its horizon."""
    holdout = make_holdout("abc", champion=0.7)
    is_missing = (holdout["unique_id"] == "c") | (holdout["horizon_step"] == 2)
    measures = measure_holdout(holdout.assign(champion=holdout["champion"].mask(is_missing)), 2)
    expected = {name: compute_mse(holdout[~is_missing], name) for name in ("last_value", "challenger", "champion")}
    assert measures["losses"] == pytest.approx(expected)
    assert measures["notes"] == [
        "left out: 1 series that the champion doesn't know",
        "left out: 24 rows of other series that the champion has no forecast of",
    ]


def test_champion_without_any_forecast_is_left_out(make_holdout: Callable[..., pd.DataFrame]) -> None:
    measures = measure_holdout(make_holdout().assign(champion=np.nan), 2)
    assert "champion" not in measures["losses"]
    assert measures["p_value"] is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("is_all", [True, False], ids=["all", "one"])
def test_forecast_of_the_champion_that_is_no_number_counts(
    make_holdout: Callable[..., pd.DataFrame], is_all: bool
) -> None:
    """It is infinite, and no row that the champion has no forecast of."""
    holdout = make_holdout(champion=0.7)
    measures = measure_holdout(
        holdout.assign(champion=holdout["champion"].mask(is_all | (holdout.index == 5), np.inf)), 2
    )
    assert measures["losses"]["champion"] == np.inf
    assert measures["losses"]["challenger"] == pytest.approx(compute_mse(holdout, "challenger"))
    assert np.isnan(measures["p_value"])
    assert measures["notes"] == []


def test_steps_that_were_not_observed_judge_nobody(make_holdout: Callable[..., pd.DataFrame]) -> None:
    holdout = make_holdout(champion=0.7)
    holdout.loc[3, "y"] = np.nan
    expected = {name: compute_mse(holdout.drop(index=3), name) for name in ("last_value", "challenger", "champion")}
    assert measure_holdout(holdout, 2)["losses"] == pytest.approx(expected)


def test_good_challenger_has_no_fault(make_holdout: Callable[..., pd.DataFrame]) -> None:
    assert find_faults(make_holdout()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_forecast_that_is_not_finite_is_a_fault(make_holdout: Callable[..., pd.DataFrame], value: float) -> None:
    holdout = make_holdout()
    holdout.loc[5, "challenger"] = value
    assert find_faults(holdout) == ["1 of its 48 forecasts are not finite"]


def test_same_forecast_for_every_window_is_a_fault(make_holdout: Callable[..., pd.DataFrame]) -> None:
    """Though its steps differ."""
    holdout = make_holdout()
    assert find_faults(holdout.assign(challenger=holdout["horizon_step"] / 3)) == [
        "its forecasts are the same for every window"
    ]


def test_one_window_of_each_series_is_no_fault(make_holdout: Callable[..., pd.DataFrame]) -> None:
    holdout = make_holdout()
    assert find_faults(holdout[holdout["cutoff"] == 11]) == []
