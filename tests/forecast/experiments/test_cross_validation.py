"""Cross-validation: windows where they were asked for, by fits that have not seen them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError, SeriesError

# Steps instead of a part of the series, so that fits of several lengths have the same validation part.
SMALL = {
    "lookback": 8,
    "level": [50],
    "lstm": {"units": 3},
    "gru": {"units": 3},
    "training": {"max_steps": 25},
    "split": {"validation": 15},
}
METHODS = [
    "lstm",
    "gru",
    "ensemble",
    "last_value",
    "drift",
    "seasonal_naive",
    "ridge",
    "baseline_ensemble",
]
Make = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def frame(make_table: Make, make_values: Callable[..., list]) -> pd.DataFrame:
    """Two series of days, the second of which ends earlier."""
    return make_table({"a": make_values(120, seed=1), "b": make_values(110, seed=2)}).reset_index(
        drop=True
    )


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return Forecaster(h=3, **SMALL)


@pytest.fixture(scope="module")
def found(forecaster: Forecaster, frame: pd.DataFrame) -> pd.DataFrame:
    return forecaster.cross_validation(frame, n_windows=3, step_size=4)


@pytest.fixture(scope="module")
def refitted(forecaster: Forecaster, frame: pd.DataFrame) -> pd.DataFrame:
    return forecaster.cross_validation(frame, n_windows=3, step_size=4, refit=True)


@pytest.mark.parametrize("name", ["found", "refitted"])
def test_windows_lie_where_they_were_asked_for(name: str, frame: pd.DataFrame, request) -> None:
    """The newest ends with its series, and each begins `step_size` steps after the one before it."""
    table = request.getfixturevalue(name)
    for series, own in table.groupby("unique_id"):
        days = frame.loc[frame["unique_id"] == series, "ds"].reset_index(drop=True)
        assert list(own["cutoff"].unique()) == [days.iloc[-1 - 3 - 4 * back] for back in (2, 1, 0)]
        assert (own.groupby("cutoff")["ds"].max().iloc[-1]) == days.iloc[-1]
        assert (own.groupby("cutoff").size() == 3).all()


def test_what_happened_stands_beside_the_forecasts(
    found: pd.DataFrame, frame: pd.DataFrame
) -> None:
    assert list(found)[:4] == ["unique_id", "ds", "cutoff", "y"]
    assert set(METHODS) < set(found)
    expected = found[["unique_id", "ds"]].merge(frame)["y"]
    np.testing.assert_allclose(found["y"], expected)
    last = found[["unique_id", "cutoff"]].merge(
        frame, left_on=["unique_id", "cutoff"], right_on=["unique_id", "ds"]
    )
    np.testing.assert_allclose(found["last_value"], last["y"], rtol=1e-5)


def test_refitting_learns_from_what_came_after_the_first_window(
    found: pd.DataFrame, refitted: pd.DataFrame
) -> None:
    columns = list(found)
    first, again = (
        table.groupby("unique_id").head(3).reset_index(drop=True) for table in (found, refitted)
    )
    pd.testing.assert_frame_equal(again[columns], first, rtol=1e-5)
    last, again = (table.groupby("unique_id").tail(3) for table in (found, refitted))
    assert not np.allclose(last["ridge"], again["ridge"], rtol=1e-3)


def test_a_window_is_a_fit_of_its_own_in_any_process(
    forecaster: Forecaster, frame: pd.DataFrame, refitted
) -> None:
    """What `fit` forecasts, after as many steps as there were on the day of the window."""
    from_end = frame.groupby("unique_id").cumcount(ascending=False)
    blocks = {**SMALL, "split": {"validation": 15, "test": 3}}
    holdout = Forecaster(h=3, **blocks).fit(frame[from_end >= 4]).holdout()
    second = refitted.groupby("unique_id", sort=False).nth([3, 4, 5]).reset_index(drop=True)
    pd.testing.assert_frame_equal(holdout[METHODS], second[METHODS], rtol=1e-6)
    found = forecaster.cross_validation(frame, n_windows=3, step_size=4, refit=True, workers=2)
    pd.testing.assert_frame_equal(found, refitted)


@pytest.mark.parametrize("refit", [True, False])
def test_nothing_of_a_window_or_after_it_is_seen(
    forecaster: Forecaster,
    frame: pd.DataFrame,
    found: pd.DataFrame,
    refitted: pd.DataFrame,
    refit: bool,
) -> None:
    """With other values, and a gap, from the second window's first step on: the first two windows stay."""
    from_end = frame.groupby("unique_id").cumcount(ascending=False)
    changed = frame.assign(
        y=frame["y"].where(from_end >= 7, 500 + 100 * np.cos(np.arange(len(frame))))
    )
    changed.loc[from_end == 1, "y"] = np.nan
    before = (
        (refitted if refit else found)
        .groupby("unique_id")
        .head(6)
        .drop(columns="y")
        .reset_index(drop=True)
    )
    again = forecaster.cross_validation(changed, n_windows=3, step_size=4, refit=refit)
    after = again.groupby("unique_id").head(6).drop(columns="y").reset_index(drop=True)
    pd.testing.assert_frame_equal(after[list(before)], before)


def test_a_gap_at_a_cutoff_is_not_filled_from_the_window(
    forecaster: Forecaster, frame: pd.DataFrame, caplog
) -> None:
    """A forecast from inside a gap would have read what comes after it: it is left out, and said to be."""
    day = frame.loc[(frame["unique_id"] == "a"), "ds"].iloc[-1 - 3]
    gap = frame[(frame["unique_id"] == "b") | (frame["ds"] != day)]
    for refit in (True, False):
        found = forecaster.cross_validation(gap, n_windows=2, step_size=4, refit=refit)
        assert day not in set(found.loc[found["unique_id"] == "a", "cutoff"])
        assert len(found) == 9
        assert "left out: 1 of 4 windows" in caplog.text
        caplog.clear()


def test_windows_follow_each_other_without_a_step_size(
    forecaster: Forecaster, frame: pd.DataFrame
) -> None:
    found = forecaster.cross_validation(frame, n_windows=2)
    assert not found.duplicated(["unique_id", "ds"]).any()
    assert (found.groupby("unique_id").size() == 6).all()


def test_too_many_windows_are_refused(forecaster: Forecaster, frame: pd.DataFrame) -> None:
    with pytest.raises(SeriesError, match=r"cross-validation, up to .* n_windows"):
        forecaster.cross_validation(frame, n_windows=60)


def test_horizon_of_days_is_two_weeks_unless_given(frame: pd.DataFrame) -> None:
    found = Forecaster(**SMALL).cross_validation(frame, n_windows=1)
    assert found.groupby("unique_id").size().tolist() == [14, 14]


def test_what_fit_has_found_stays(frame: pd.DataFrame) -> None:
    fitted = Forecaster(h=3, **SMALL).fit(frame)
    before = fitted.predict()
    fitted.cross_validation(frame, n_windows=1)
    pd.testing.assert_frame_equal(fitted.predict(), before)


@pytest.mark.parametrize("given", [{"n_windows": 0}, {"step_size": 0}, {"workers": 0}])
def test_numbers_below_one_are_refused(
    forecaster: Forecaster, frame: pd.DataFrame, given: dict[str, int]
) -> None:
    with pytest.raises(ParameterError, match=f"{next(iter(given))}: .* Received 0"):
        forecaster.cross_validation(frame, **given)
