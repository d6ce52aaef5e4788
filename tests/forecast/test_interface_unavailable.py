"""`Forecaster(unavailable="stock")`: days without stock are unknown demand, from the fit to an export."""

import importlib.util
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError, SeriesError
from rnn_pipelines.forecast.export.files import PROGRAM

SOURCE = {"id": "shop", "unavailable": "stock"}
NUM_STEPS = 120
NUM_NEWER = 10


def make_demand(num_steps: int = NUM_STEPS + NUM_NEWER) -> pd.DataFrame:
    """Two shops, each with demand around a weekly profile."""
    tables = []
    for number, name in enumerate(("north", "south")):
        noise = np.random.default_rng(number).normal(0, 1, num_steps)
        y = 40 + 20 * number + 10 * np.sin(2 * np.pi * np.arange(num_steps) / 7) + noise
        ds = pd.date_range("2024-01-01", periods=num_steps)
        tables.append(pd.DataFrame({"shop": name, "ds": ds, "y": y.round(1)}))
    return pd.concat(tables, ignore_index=True)


def sell_out(demand: pd.DataFrame) -> pd.DataFrame:
    """Sell nothing on some days, those around the end of the fit and the newest ones among them."""
    days = demand.groupby("shop").cumcount()
    has_stock = ~days.isin([30, 31, 70, 105, NUM_STEPS - 2, NUM_STEPS - 1, NUM_STEPS + 9])
    return demand.assign(y=demand["y"].where(has_stock, 0), stock=has_stock.astype(int))


def cut(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["ds"] < frame["ds"].min() + pd.Timedelta(days=NUM_STEPS)]


def fit(frame: pd.DataFrame, **parameters: Any) -> Forecaster:
    blocks = {"source": SOURCE, "networks": "pretrained", **parameters}
    return Forecaster(h=5, lookback=21, level=80, **blocks).fit(frame)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return sell_out(make_demand())


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Forecaster:
    return fit(cut(frame))


@pytest.fixture(scope="module")
def newer(fitted: Forecaster, frame: pd.DataFrame) -> pd.DataFrame:
    return fitted.predict(frame)


def test_forecasts_are_those_of_the_demand(fitted: Forecaster, frame: pd.DataFrame) -> None:
    """Read as sales, days without stock lower them."""
    expected = make_demand(NUM_STEPS + 5).groupby("shop").tail(5)["y"].to_numpy()
    errors = np.abs(fitted.predict()["ensemble"].to_numpy() - expected)
    as_sales = fit(cut(frame), source={"id": "shop"}).predict()["ensemble"].to_numpy()
    assert errors.mean() < 2
    assert np.abs(as_sales - expected).mean() > 2 * errors.mean()


def test_forecasts_begin_after_the_last_row(fitted: Forecaster, frame: pd.DataFrame) -> None:
    last = cut(frame)["ds"].max()
    assert fitted.predict()["ds"].min() == last + pd.Timedelta(days=1)


def test_their_sales_change_nothing(fitted: Forecaster, frame: pd.DataFrame) -> None:
    """A value on a day without stock is less than the demand, whatever it is."""
    changed = cut(frame)
    changed = changed.assign(y=changed["y"].where(changed["stock"] > 0, 7.0))
    pd.testing.assert_frame_equal(fit(changed).predict(), fitted.predict())


def test_they_count_in_no_error(fitted: Forecaster, frame: pd.DataFrame) -> None:
    without_stock = cut(frame).query("stock == 0")["ds"]
    holdout = fitted.holdout()
    of_days = holdout[holdout["ds"].isin(without_stock)]
    assert len(of_days) > 0
    assert of_days["y"].isna().all()
    assert (fitted.leaderboard()["mae"] < 3).any()


def test_the_argument_is_that_of_the_block(fitted: Forecaster, frame: pd.DataFrame) -> None:
    by_argument = fit(cut(frame), source={"id": "shop"}, unavailable="stock")
    pd.testing.assert_frame_equal(by_argument.predict(), fitted.predict())


def test_policy_zero_leaves_them_unknown(fitted: Forecaster, frame: pd.DataFrame) -> None:
    """No row is absent, so that nothing else differs."""
    zero = fit(cut(frame), gaps="zero")
    pd.testing.assert_frame_equal(zero.predict(), fitted.predict())


def test_no_warning_of_an_unread_column(
    frame: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fit(cut(frame))
    assert not [record for record in caplog.records if "not read" in record.getMessage()]


def test_newer_values_are_read_alike(newer: pd.DataFrame, frame: pd.DataFrame) -> None:
    demand = make_demand(NUM_STEPS + NUM_NEWER + 5).groupby("shop").tail(5)["y"].to_numpy()
    assert newer["ds"].min() == frame["ds"].max() + pd.Timedelta(days=1)
    assert np.abs(newer["ensemble"].to_numpy() - demand).mean() < 2


def test_newer_values_without_the_column_are_refused(
    fitted: Forecaster, frame: pd.DataFrame
) -> None:
    with pytest.raises(SeriesError, match=r"no column \['stock'\]"):
        fitted.predict(frame.drop(columns="stock"))


def test_wide_frame_of_newer_values_is_refused(fitted: Forecaster, frame: pd.DataFrame) -> None:
    wide = frame.pivot(index="ds", columns="shop", values="y").reset_index()
    with pytest.raises(SeriesError, match="unavailable= is for a table with a row for each series"):
        fitted.predict(wide)


def test_errors_of_newer_values_leave_them_out(fitted: Forecaster, frame: pd.DataFrame) -> None:
    other = frame.assign(y=frame["y"].where(frame["stock"] > 0, 7.0))
    pd.testing.assert_frame_equal(fitted.evaluate(other), fitted.evaluate(frame))


def test_saved_forecaster_remembers_the_column(
    fitted: Forecaster, newer: pd.DataFrame, frame: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    pd.testing.assert_frame_equal(Forecaster.load(tmp_path / "model").predict(frame), newer)


def test_exported_forecaster_remembers_the_column(
    fitted: Forecaster,
    newer: pd.DataFrame,
    frame: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted.export(tmp_path / "exported")
    path = tmp_path / "exported" / PROGRAM
    spec = importlib.util.spec_from_file_location("exported_unavailable", path)
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, program)
    spec.loader.exec_module(program)
    exported = program.load(tmp_path / "exported")
    pd.testing.assert_frame_equal(exported.predict(frame), newer)


@pytest.mark.parametrize("covariates", ["hist_exog", "futr_exog"])
def test_stock_is_a_covariate_too(frame: pd.DataFrame, covariates: str) -> None:
    known = cut(frame)
    ahead = frame[~frame.index.isin(known.index)].assign(y=np.nan)
    forecaster = fit(pd.concat([known, ahead]), **{covariates: ["stock"]})
    assert forecaster.predict()["ds"].min() == known["ds"].max() + pd.Timedelta(days=1)


@pytest.mark.parametrize("refit", [False, True])
def test_cross_validation_counts_none_of_them(
    fitted: Forecaster, frame: pd.DataFrame, refit: bool
) -> None:
    windows = fitted.cross_validation(cut(frame), n_windows=4, refit=refit)
    of_days = windows[windows["ds"].isin(frame.query("stock == 0")["ds"])]
    assert len(of_days) > 0
    assert of_days["y"].isna().all()


def test_other_names_are_refused() -> None:
    with pytest.raises(ParameterError, match="unavailable"):
        Forecaster(unavailable=3)
