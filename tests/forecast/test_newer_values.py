"""Forecasts from Python in the form of one method, of several and of a figure, and their errors on newer rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError, SeriesError

SMALL = {
    "lstm": {"units": 3},
    "gru": {"units": 3},
    "training": {"max_steps": 20},
    "split": {"test": 20},
}
NUM_NEWER = 12


@pytest.fixture(scope="module")
def frame(
    make_table: Callable[..., pd.DataFrame], make_values: Callable[..., list]
) -> pd.DataFrame:
    """Two series of days with ids that are numbers."""
    table = make_table({"1": make_values(112, seed=1), "2": make_values(112, seed=2)}).reset_index(
        drop=True
    )
    return table.astype({"unique_id": "int64"})


@pytest.fixture(scope="module")
def past(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame.groupby("unique_id").cumcount(ascending=False) >= NUM_NEWER]


@pytest.fixture(scope="module")
def fitted(past: pd.DataFrame) -> Forecaster:
    return Forecaster(h=3, level=80, lookback=8, **SMALL).fit(past)


def test_forecast_is_that_of_the_method_in_use_or_of_named_ones(fitted: Forecaster) -> None:
    found = fitted.predict()
    assert list(found) == ["unique_id", "ds", "ensemble", "ensemble-lo-80", "ensemble-hi-80"]
    pd.testing.assert_frame_equal(fitted.predict(methods="all")[list(found)], found)
    found = fitted.predict(h=5, level=[], methods=["theta", "lstm", "theta"])
    assert list(found) == ["unique_id", "ds", "is_recursive", "theta", "lstm"]
    assert list(fitted.predict(level=[], methods="theta")) == ["unique_id", "ds", "theta"]


@pytest.mark.parametrize("methods", ["al", ["thetaa"], [], 3, np.array(3), [["theta"]]])
@pytest.mark.parametrize("call", ["predict", "plot", "evaluate"])
def test_unknown_methods_are_refused(
    fitted: Forecaster, frame: pd.DataFrame, call: str, methods: object
) -> None:
    with pytest.raises(
        ParameterError, match=r"methods: expected 'all' or names of \[.*'theta'\], received "
    ):
        getattr(fitted, call)(frame, methods=methods)


@pytest.fixture(scope="module")
def evaluated(fitted: Forecaster, frame: pd.DataFrame) -> pd.DataFrame:
    return fitted.evaluate(frame, methods=["ensemble", "last_value"])


@pytest.mark.parametrize("step", [1, 3])
def test_errors_of_newer_rows_are_those_of_forecasts_from_each_step(
    fitted: Forecaster, frame: pd.DataFrame, evaluated: pd.DataFrame, step: int
) -> None:
    rows = frame[frame["unique_id"] == 2].reset_index(drop=True)
    stops = range(len(rows) - NUM_NEWER, len(rows) - step + 1)
    errors = [
        rows["y"][stop + step - 1] - fitted.predict(rows[:stop])["ensemble"][step - 1]
        for stop in stops
    ]
    (row,) = evaluated.query(
        "unique_id == 2 and horizon_step == @step and forecaster == 'ensemble'"
    ).to_dict("records")
    assert row["num_forecasts"] == len(errors) == NUM_NEWER + 1 - step
    expected = [np.abs(errors).mean(), np.square(errors).mean()]
    np.testing.assert_allclose([row["mae"], row["mse"]], expected, 1e-4)


def test_rmse_of_newer_rows_is_the_root_of_the_mse(evaluated: pd.DataFrame) -> None:
    np.testing.assert_allclose(evaluated["rmse"], evaluated["mse"] ** 0.5)


def test_coverage_of_newer_rows_is_a_share(evaluated: pd.DataFrame) -> None:
    rows = evaluated[evaluated["forecaster"] == "ensemble"]
    assert rows["coverage_80"].between(0, 1).all()


def test_ids_of_newer_rows_stay_numbers(evaluated: pd.DataFrame) -> None:
    assert evaluated["unique_id"].dtype == "int64"


def test_rows_of_the_fit_in_the_frame_change_nothing(
    fitted: Forecaster, frame: pd.DataFrame
) -> None:
    newer = frame[frame.groupby("unique_id").cumcount(ascending=False) < NUM_NEWER]
    changed = frame.assign(y=frame["y"].where(frame.index.isin(newer.index), 1e6))
    pd.testing.assert_frame_equal(fitted.evaluate(newer), fitted.evaluate(frame))
    pd.testing.assert_frame_equal(fitted.evaluate(changed), fitted.evaluate(frame))


def test_loaded_forecaster_is_measured_after_its_training_by_the_model_before_the_refit(
    fitted: Forecaster, frame: pd.DataFrame, past: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    found = Forecaster.load(tmp_path / "model").evaluate(past)
    holdout = fitted.holdout().query("unique_id == 1 and horizon_step == 3")
    row = found.query("unique_id == 1 and horizon_step == 3").iloc[0]
    assert row["num_forecasts"] == len(holdout)
    np.testing.assert_allclose(
        row["mae"], (holdout["y"] - holdout["ensemble"]).abs().mean(), rtol=1e-4
    )


def test_frames_without_newer_rows_are_refused(fitted: Forecaster, past: pd.DataFrame) -> None:
    with pytest.raises(
        SeriesError,
        match="the frame: expected rows after the training, which ends at 2021-04-10, received none up to 2021-04-10",
    ):
        fitted.evaluate(past)
    with pytest.raises(ParameterError, match="expected a table with newer rows"):
        fitted.evaluate(None)


def test_future_covariates_of_newer_rows_are_read(frame: pd.DataFrame) -> None:
    one = frame.loc[frame["unique_id"] == 1, ["ds", "y"]].assign(
        promo=lambda rows: rows.index % 3 == 0
    )
    one["y"] += 100 * one["promo"]
    last = one["ds"].iloc[-NUM_NEWER]
    fitted = Forecaster(h=3, level=None, lookback=8, futr_exog=["promo"], **SMALL).fit(
        one.assign(y=one["y"].where(one["ds"] < last))
    )
    assert (fitted.evaluate(one[one["ds"] >= last])["mae"] < 30).all()


def test_figure_has_the_forecast(fitted: Forecaster) -> None:
    figure = fitted.plot()
    lines = {trace.name: trace for trace in figure.data if trace.visible is not False}
    expected = fitted.predict().query("unique_id == 1")
    y = np.array(lines["ensemble"].y, dtype=float)
    np.testing.assert_allclose(y[~np.isnan(y)], expected["ensemble"])


def test_figure_has_the_newest_values(fitted: Forecaster, past: pd.DataFrame) -> None:
    figure = fitted.plot()
    lines = {trace.name: trace for trace in figure.data if trace.visible is not False}
    actual = np.array(lines["actual"].y, dtype=float)
    np.testing.assert_allclose(actual[:30], past.loc[past["unique_id"] == 1, "y"].tail(30))


def test_figure_has_intervals(fitted: Forecaster) -> None:
    figure = fitted.plot()
    lines = {trace.name: trace for trace in figure.data if trace.visible is not False}
    assert any("80 %" in str(name) for name in lines)


def test_figure_has_a_menu_of_the_series(fitted: Forecaster) -> None:
    figure = fitted.plot()
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["1", "2"]


def test_figure_of_one_series_has_the_chosen_methods(
    fitted: Forecaster, frame: pd.DataFrame
) -> None:
    figure = fitted.plot(frame, h=5, level=[], methods=["theta", "lstm"], ids=[2])
    assert not figure.layout.updatemenus
    assert figure.data[0].name == "actual"
    assert len(figure.data) == 3


@pytest.mark.parametrize(
    ("ids", "received"), [(["x"], "'x'"), ([10**5000], "int without"), (3, "3"), ([], "none")]
)
def test_figure_of_unknown_series_is_refused(fitted: Forecaster, ids: Any, received: str) -> None:
    expected = f"ids: expected names of the series that are forecast, received {received}"
    with pytest.raises(ParameterError, match=expected):
        fitted.plot(ids=ids)
