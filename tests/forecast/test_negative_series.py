"""Forecasts of a series with a value below 0 are cut at 0 nowhere, whatever the other series and the training are.

`RNN_FUZZ_NEGATIVE` says how many series of each kind are drawn; a failure names the seed.
"""

import importlib.util
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fuzzing import list_seeds
from rnn_pipelines import Forecaster
from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.forecast.experiments.backtest import replay_schedules
from rnn_pipelines.forecast.experiments.schedule import BacktestSpec, ScheduleSpec
from rnn_pipelines.forecast.fitting import make_champion
from rnn_pipelines.forecast.methods import linear_fitting
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.past import find_cut
from rnn_pipelines.forecast.methods.training.specs import BudgetSpec
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec, RetrainForecastSpec
from rnn_pipelines.forecast.partitions.champion import (
    PredictSpec,
    draw_sample_as_trained,
    forecast_all_newest,
    forecast_newest,
    read_as_trained,
)
from rnn_pipelines.forecast.partitions.dividing import (
    Partitions,
    PartitionSpec,
    Sample,
    draw_sample,
)
from rnn_pipelines.forecast.partitions.fitted import describe_fit, forecast_all_partitions
from rnn_pipelines.forecast.partitions.jobs import Tables
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

HORIZON, LENGTH = 7, 100
SEEDS = list_seeds("RNN_FUZZ_NEGATIVE", 4)
ALONE = ParallelSpec(workers=1)
SMALL: dict[str, Any] = {"lstm": {"members": 1, "units": 2}, "gru": {"members": 1, "units": 2}}
TRAINING = {"max_steps": 5}


def draw_positive(rng: np.random.Generator) -> np.ndarray:
    """A series of its own level, with a week and noise, nowhere below 0."""
    week = 0.2 * np.sin(2 * np.pi * np.arange(LENGTH) / 7)
    return np.asarray(np.exp(rng.normal(3, 1) + week + rng.normal(0, 0.1, LENGTH)))


def draw_negative(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Series by name, each with a value below 0 near its end."""
    steps = np.arange(LENGTH)
    noise = rng.normal(size=LENGTH)
    num_few = int(rng.integers(1, 6))
    fall = int(rng.integers(1, 40))
    debt = 100 + noise
    zeros = np.zeros(LENGTH)
    debt[-fall:], zeros[-7::3] = -50, -5
    return {
        "level": -30 + noise,
        "millions": -1e6 * (1 + 0.1 * noise),
        "thousandths": -1e-3 * (1 + 0.1 * noise),
        "constant": np.full(LENGTH, -50.0),
        "mixed": np.r_[rng.normal(-2, 5, LENGTH - 1), -1],
        "debt": debt,
        "falling": np.linspace(20, -30, LENGTH) + noise,
        "week": -5 + 5 * np.sin(2 * np.pi * steps / 7) - 0.1 * np.abs(noise),
        "few": -80 + 3 * noise[-num_few:],
        "zeros": zeros,
    }


def tabulate(series: dict[str, np.ndarray]) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=LENGTH)
    tables = [
        pd.DataFrame({"unique_id": name, "ds": days[-len(y) :], "y": y})
        for name, y in series.items()
    ]
    return pd.concat(tables, ignore_index=True)


def make_panel() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return tabulate({f"shop {number}": draw_positive(rng) for number in range(10)})


@pytest.fixture(scope="module")
def new() -> pd.DataFrame:
    """Series that no training has."""
    draws = [draw_negative(np.random.default_rng(seed)) for seed in SEEDS]
    return tabulate(
        {f"{name} {seed}": y for seed, draw in enumerate(draws) for name, y in draw.items()}
    )


@pytest.fixture(scope="module", params=["window", "log"])
def positive(request: pytest.FixtureRequest) -> Forecaster:
    """Fitted on series without values below 0, whose windows are normalised with and without a logarithm."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_fitting, "MIN_LOG_GAIN", -np.inf if request.param == "log" else 1.0)
        fitted = Forecaster(h=HORIZON, **SMALL, training=TRAINING).fit(make_panel())
    assert fitted._require_training().data.linear.kind == request.param
    return fitted


def assert_not_cut(table: pd.DataFrame) -> None:
    """No forecast and no bound is 0, and the ensemble of series that stay at a level is near it."""
    # Naive forecasts repeat values, some of which are 0.
    numbers = table.select_dtypes("float").filter(regex="^(?!last_value|seasonal)")
    assert numbers.notna().all(axis=None)
    is_zero = (numbers == 0).any(axis=1)
    assert not is_zero.any(), table[is_zero]
    (point,) = {"ensemble", "y_hat", "forecast"} & set(table)
    kinds = table["unique_id"].str.partition(" ")[0]
    levels = kinds.map(
        {"level": -30, "millions": -1e6, "thousandths": -1e-3, "constant": -50, "few": -80}
    ).dropna()
    assert len(levels)
    ratios = table.loc[levels.index, point] / levels
    assert ratios.between(0.6, 1.5).all(), table.loc[ratios.index[~ratios.between(0.6, 1.5)]]


def test_new_series_are_not_cut(positive: Forecaster, new: pd.DataFrame) -> None:
    found = positive.predict(new, methods="all")
    assert found["unique_id"].nunique() == new["unique_id"].nunique()
    assert_not_cut(found)


def test_further_steps_of_new_series_are_not_cut(positive: Forecaster, new: pd.DataFrame) -> None:
    assert_not_cut(positive.predict(new, h=2 * HORIZON + 1, methods="all"))


def test_paths_of_new_series_are_not_cut(positive: Forecaster, new: pd.DataFrame) -> None:
    paths = positive.predict(new, paths=20)
    assert (paths["y"] != 0).all()
    assert (paths.loc[paths["unique_id"].str.startswith("level"), "y"] < 0).all()


@pytest.mark.slow
def test_loaded_forecaster_cuts_nothing(
    positive: Forecaster, new: pd.DataFrame, tmp_path: Path
) -> None:
    positive.save(tmp_path / "saved")
    expected = positive.predict(new).filter(regex="^(unique_id|ds|ensemble)")
    forecasts = Forecaster.load(tmp_path / "saved").predict(new)
    pd.testing.assert_frame_equal(forecasts, expected, check_dtype=False, rtol=1e-5)


@pytest.mark.slow
def test_exported_forecaster_cuts_nothing(
    positive: Forecaster, new: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    positive.export(tmp_path / "exported")
    spec = importlib.util.spec_from_file_location("exported", tmp_path / "exported/forecaster.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "exported", program)
    spec.loader.exec_module(program)
    expected = positive.predict(new).filter(regex="^(unique_id|ds|ensemble)")
    forecasts = program.load(tmp_path / "exported").predict(new)
    pd.testing.assert_frame_equal(forecasts, expected, check_dtype=False, rtol=1e-5)


@pytest.fixture(scope="module")
def fallen() -> SimpleNamespace:
    """A panel of which one series falls below 0, in the test part alone."""
    frame = make_panel()
    from_end = frame.groupby("unique_id").cumcount(ascending=False)
    has_fallen = (frame["unique_id"] == "shop 1") & (from_end < 14)
    frame["y"] = frame["y"].mask(has_fallen, -8 + np.random.default_rng(0).normal(size=len(frame)))
    return SimpleNamespace(frame=frame, fitted=fit(frame))


def select_after_fall(found: pd.DataFrame) -> pd.DataFrame:
    """The forecasts of the series that knew of its fall, all of which are near -8 for naive methods."""
    fall = pd.Timestamp("2024-01-01") + pd.Timedelta(days=LENGTH - 14)
    after = found[(found["unique_id"] == "shop 1") & (found["cutoff"] >= fall)]
    assert len(after)
    assert (after["last_value"] < 0).all()
    return after


def fit(frame: pd.DataFrame, **training: Any) -> Forecaster:
    return Forecaster(h=HORIZON, lookback=14, **SMALL, training={**TRAINING, **training}).fit(frame)


def test_series_that_falls_below_0_in_the_test_part_is_not_cut(fallen: SimpleNamespace) -> None:
    found = fallen.fitted.predict(methods="all").set_index("unique_id")
    assert (found.loc["shop 1"].select_dtypes("float") != 0).all(axis=None)
    assert (found.loc["shop 1", ["ensemble", "ensemble-lo-80"]] < 0).all(axis=None)


def test_holdout_of_a_series_that_falls_below_0_is_not_cut(fallen: SimpleNamespace) -> None:
    assert (select_after_fall(fallen.fitted.holdout()).select_dtypes("float") != 0).all(axis=None)


def test_single_series_that_falls_below_0_is_not_cut(fallen: SimpleNamespace) -> None:
    frame = fallen.frame[fallen.frame["unique_id"] == "shop 1"]
    found = fit(frame).predict(methods="all")
    assert (found.select_dtypes("float") != 0).all(axis=None)
    assert (found["last_value"] < 0).all()


def test_newer_values_of_a_series_with_values_below_0_in_training_are_not_cut() -> None:
    """A winter is long ago, and the newest rows, which alone are given, fall towards 0."""
    frame = make_panel()
    is_winter = (frame["unique_id"] == "shop 0") & (frame["ds"] < "2024-02-01")
    frame["y"] = frame["y"].mask(is_winter, -8.0)
    # The end of the winter is a break.
    forecaster = Forecaster(h=HORIZON, lookback=14, breaks="keep", **SMALL, training=TRAINING)
    fitted = forecaster.fit(frame[frame["unique_id"].isin(["shop 0", "shop 1", "shop 2"])])
    days = pd.date_range("2025-01-01", periods=20)
    newer = [
        pd.DataFrame({"unique_id": f"shop {n}", "ds": days, "y": np.linspace(20, 0.5, 20)})
        for n in (0, 2)
    ]
    drift = fitted.predict(pd.concat(newer), methods="all").set_index("unique_id")["drift"]
    assert (drift["shop 0"].iloc[-1] < 0, drift["shop 2"].iloc[-1]) == (True, 0)


@pytest.mark.slow
@pytest.mark.parametrize("refit", [False, True])
def test_cross_validation_cuts_nothing(fallen: SimpleNamespace, refit: bool) -> None:
    forecaster = Forecaster(h=HORIZON, lookback=14, **SMALL, training=TRAINING)
    some = fallen.frame[fallen.frame["unique_id"].isin([f"shop {number}" for number in range(4)])]
    found = forecaster.cross_validation(some, n_windows=2, step_size=HORIZON, refit=refit)
    assert (select_after_fall(found).select_dtypes("float") != 0).all(axis=None)


@pytest.mark.slow
def test_champions_of_a_backtest_cut_nothing(fallen: SimpleNamespace) -> None:
    """Those of each retraining, also on the days after it."""
    source = SourceSpec(name="catalog", freq="D")
    forecaster = Forecaster(h=HORIZON, lookback=14, freq="D", **SMALL, training=TRAINING)
    spec = forecaster._with(source)
    policy = RetrainForecastSpec(
        policy=ForecastPolicySpec(must_beat=(), significance=1.0), budget=BudgetSpec()
    )
    schedules = BacktestSpec(
        period=20, schedules={"never": ScheduleSpec(), "often": ScheduleSpec(every=9)}
    )
    table = fallen.frame.set_axis(pd.RangeIndex(1, len(fallen.frame) + 1, name="row"))
    found = replay_schedules(table, None, spec, policy, schedules, ALONE)[0].table
    assert (select_after_fall(found)[["never", "often"]] != 0).all(axis=None)


@pytest.mark.slow
def test_champion_forecasts_a_debt(positive: Forecaster, new: pd.DataFrame, tmp_path: Path) -> None:
    """All series, of one table and of a divided panel."""
    champion = LoadedChampion("v1", make_champion(positive._require_training()), "", (), {})
    source = write(new, tmp_path)
    table, _ = read_as_trained(
        champion, Sample(Partitions(), source, CovariateSpec()), PredictSpec()
    )
    log, paths, *_ = forecast_newest(champion, table, source, PathsSpec(10))
    assert_not_cut(log)
    assert (paths.table["y"] != 0).all()
    spec = PartitionSpec(training_rows=400, rows=2_000)
    sample = draw_sample_as_trained(champion, source, CovariateSpec(), spec, tmp_path)
    tables, summary, _ = forecast_all_newest(champion, sample, PredictSpec(), ALONE)
    assert summary["num_partitions"] > 1
    assert_not_cut(join(tables))


@pytest.mark.slow
def test_series_outside_the_sample_are_not_cut(
    positive: Forecaster, new: pd.DataFrame, tmp_path: Path
) -> None:
    fitted = positive._require_training()
    long = new[new.groupby("unique_id")["y"].transform("size") == LENGTH]
    source = write(long, tmp_path)
    described = describe_fit(
        fitted.spec,
        fitted.panel,
        fitted.data.linear,
        fitted.methods,
        fitted.intervals,
        ENSEMBLE,
    )
    panel = draw_sample(
        source, CovariateSpec(), PartitionSpec(training_rows=400, rows=2_000), tmp_path
    )
    next_values, *_ = forecast_all_partitions(described, panel, ALONE)
    found = join(next_values)
    assert found["unique_id"].nunique() == long["unique_id"].nunique()
    assert_not_cut(found)


def write(frame: pd.DataFrame, folder: Path) -> SourceSpec:
    frame.to_csv(folder / "series.csv", index=False)
    return SourceSpec(path=str(folder / "series.csv"), id="unique_id", freq="D")


def join(tables: Tables) -> pd.DataFrame:
    return pd.concat(list(tables), ignore_index=True)


@pytest.fixture(scope="module")
def cut(fallen: SimpleNamespace) -> Forecaster:
    return fit(fallen.frame, non_negative=True)


def test_given_policy_cuts(cut: Forecaster) -> None:
    forecasts = cut.predict(methods="all")
    assert (forecasts.select_dtypes("float") >= 0).all(axis=None)
    assert (forecasts.loc[forecasts["unique_id"] == "shop 1", "last_value"] == 0).all()


def test_given_policy_warns_of_each_series_once(
    caplog: pytest.LogCaptureFixture, fallen: SimpleNamespace
) -> None:
    with caplog.at_level(logging.WARNING):
        fit(fallen.frame, non_negative=True)
    warnings = [
        record.getMessage() for record in caplog.records if "non_negative" in record.getMessage()
    ]
    assert len(warnings) == 1
    assert "(shop 1)" in warnings[0]


def test_series_is_cut_until_its_first_value_below_0(
    prepare: Callable[..., SimpleNamespace],
) -> None:
    """The value at the origin is not known yet. If the training part has one, no window of the series is cut."""
    values = {
        "late": np.r_[np.ones(55), -1, np.ones(4)],
        "never": np.zeros(60),
        "early": np.r_[1, -1, np.ones(58)],
    }
    panel = prepare({name: y.tolist() for name, y in values.items()}).windows
    origins = panel.series_starts + np.arange(1, 61)[:, None]
    expected = np.stack([np.arange(1, 61) <= 55, np.ones(60, bool), np.zeros(60, bool)], axis=1)
    np.testing.assert_array_equal(
        find_cut("auto", panel, origins.ravel()).reshape(60, 3), expected[:, [2, 0, 1]]
    )
    assert find_cut(True, panel, origins.ravel()).all()
    assert not find_cut(False, panel, origins.ravel()).any()
