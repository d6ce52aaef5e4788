"""Sample paths: their shape and repeatability, and the coverage of sums over the horizon."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.fitting import make_champion, tabulate_part
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.model import paths as paths_module
from rnn_pipelines.forecast.model.paths import (
    PathsSpec,
    draw_used_paths,
    make_random,
    order_jointly,
)
from rnn_pipelines.forecast.partitions.champion import PredictSpec, forecast_newest, read_as_trained
from rnn_pipelines.forecast.partitions.dividing import Partitions, Sample
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec

SMALL = {
    "lstm": {"members": 1, "units": 2},
    "gru": {"members": 1, "units": 2},
    "training": {"max_steps": 5},
}
HORIZON = 6
SOURCE = SourceSpec(name="catalog", id="unique_id", time="ds", target="y")


def draw_walks(num_series: int, num_steps: int, seed: int, decay: float = 1.0) -> pd.DataFrame:
    """Autoregressive series of order 1; random walks by default."""
    noise = np.random.default_rng(seed).normal(size=(num_series, num_steps))
    values = np.zeros_like(noise)
    for step in range(1, num_steps):
        values[:, step] = decay * values[:, step - 1] + noise[:, step]
    days = pd.date_range("2024-01-01", periods=num_steps)
    tables = [
        pd.DataFrame({"unique_id": f"s{n}", "ds": days, "y": 100 + y}) for n, y in enumerate(values)
    ]
    return pd.concat(tables, ignore_index=True)


def draw_demand(num_series: int, num_steps: int) -> pd.DataFrame:
    """Demand on a third of the days, of 1 and a Poisson number, at a rate that differs between series."""
    random = np.random.default_rng(0)
    rate = random.uniform(0.5, 4, (num_series, 1))
    shape = (num_series, num_steps)
    demand = np.where(random.random(shape) < 0.3, 1.0 + random.poisson(rate, shape), 0.0)
    days = pd.date_range("2024-01-01", periods=num_steps)
    tables = [
        pd.DataFrame({"unique_id": f"s{n}", "ds": days, "y": y}) for n, y in enumerate(demand)
    ]
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(h=HORIZON, lookback=20, **SMALL).fit(draw_walks(3, 120, seed=0))


def test_paths_have_a_row_for_each_step(fitted: Forecaster) -> None:
    found = fitted.predict(paths=50)
    assert list(found) == ["unique_id", "ds", "path", "y"]
    assert len(found) == 3 * 50 * HORIZON


def test_means_of_paths_lie_inside_the_interval(fitted: Forecaster) -> None:
    found = fitted.predict(paths=50)
    next_values = fitted.predict()
    means = found.groupby(["unique_id", "ds"])["y"].mean()
    expected = next_values.set_index(["unique_id", "ds"])
    assert (means.index == expected.index).all()
    assert means.between(expected["ensemble-lo-80"], expected["ensemble-hi-80"]).all()


def test_paths_repeat_with_their_seed(fitted: Forecaster) -> None:
    one, again, other = (fitted.predict(paths=5, seed=seed)["y"].to_numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_loaded_forecaster_draws_the_same_paths(fitted: Forecaster, tmp_path: Path) -> None:
    frame = draw_walks(3, 120, seed=0)
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    pd.testing.assert_frame_equal(
        loaded.predict(frame, paths=5), fitted.predict(frame, paths=5), check_exact=True
    )


def test_long_paths_begin_with_the_short_ones(fitted: Forecaster) -> None:
    long = fitted.predict(h=2 * HORIZON + 1, paths=3)
    short = fitted.predict(paths=3)
    keys = ["unique_id", "ds", "path"]
    assert len(long) == 3 * 3 * (2 * HORIZON + 1)
    both = short.merge(long, on=keys)
    np.testing.assert_allclose(both["y_x"], both["y_y"])


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "1", None])
def test_seed_outside_its_range_is_refused(fitted: Forecaster, seed: Any) -> None:
    with pytest.raises(
        ParameterError, match=r"^seed: expected a whole number from 0 to 4,294,967,295, received"
    ):
        fitted.predict(paths=2, seed=seed)


@pytest.mark.parametrize(
    "given", [{"paths": 0}, {"paths": 2.5}, {"paths": True}, {"paths": 10_001}]
)
def test_paths_that_cannot_be_drawn_are_refused(
    fitted: Forecaster, given: dict[str, float]
) -> None:
    with pytest.raises(ParameterError, match="paths"):
        fitted.predict(**given)


@pytest.fixture
def champion(fitted: Forecaster) -> tuple[LoadedChampion, pd.DataFrame, pd.DataFrame | None]:
    """A champion, and a table with its covariates that it reads."""
    assert fitted._fitted is not None
    champion = LoadedChampion("v1", make_champion(fitted._fitted), "", (), {})
    sample = Sample(Partitions(), SOURCE, CovariateSpec(), draw_walks(3, 120, seed=0))
    return champion, *read_as_trained(champion, sample, PredictSpec())


def test_champion_draws_the_paths_of_predict(fitted: Forecaster, champion: Any) -> None:
    loaded, table, covariates = champion
    log, paths, *_ = forecast_newest(loaded, table, SOURCE, PathsSpec(4), covariates)
    assert len(log) == 3 * HORIZON
    pd.testing.assert_frame_equal(paths.table, fitted.predict(paths=4))


def test_champion_draws_no_paths_unless_asked(champion: Any) -> None:
    loaded, table, covariates = champion
    assert forecast_newest(loaded, table, SOURCE, PathsSpec(0), covariates)[1].table.empty


def test_run_draws_the_paths_of_predict(fitted: Forecaster) -> None:
    assert fitted._fitted is not None
    panel = fitted._fitted.panel
    next_values = tabulate_part(fitted._fitted, "future")
    of_fit = panel.windows, panel.scaler, fitted._fitted.intervals, next_values
    of_use = fitted._fitted.spec.pretrained, fitted._fitted.data.linear, fitted._fitted.methods
    paths = draw_used_paths(*of_fit, PathsSpec(4), *of_use)
    pd.testing.assert_frame_equal(paths.table, fitted.predict(paths=4))


@cache
def fit_walks(decay: float) -> tuple[Forecaster, pd.DataFrame]:
    """A forecaster of 120 steps of 150 series, and the table of these and 24 more."""
    table = draw_walks(150, 120 + 4 * HORIZON, seed=1, decay=decay)
    forecaster = Forecaster(h=HORIZON, lookback=20, networks="pretrained")
    return forecaster.fit(select_past(table, 120)), table


@cache
def fit_demand() -> tuple[Forecaster, pd.DataFrame]:
    """The same of 160 and 18 steps of sparse demand."""
    table = draw_demand(150, 160 + 3 * HORIZON)
    return Forecaster(h=HORIZON, networks="pretrained").fit(select_past(table, 160)), table


def select_past(table: pd.DataFrame, num_known: int) -> pd.DataFrame:
    return table[table.groupby("unique_id").cumcount() < num_known]


def measure_sums(
    forecaster: Forecaster, table: pd.DataFrame, num_known: int, num_steps: int
) -> float:
    """The share of series whose sum over all steps lies inside the 80 % of the paths."""
    found = forecaster.predict(h=num_steps, paths=200)
    sums = found.groupby(["unique_id", "path"])["y"].sum().unstack()
    low = sums.quantile(0.1, axis=1)
    high = sums.quantile(0.9, axis=1)
    actual = table[
        table.groupby("unique_id").cumcount().between(num_known, num_known + num_steps - 1)
    ]
    return float(actual.groupby("unique_id")["y"].sum().between(low, high).mean())


@pytest.mark.parametrize(
    ("decay", "num_steps"), [(1.0, HORIZON), (0.0, HORIZON), (1.0, 23), (0.7, 23)]
)
def test_sums_over_steps_are_covered(decay: float, num_steps: int) -> None:
    """Added bounds would cover more, and independent steps less: the errors of a random walk move together."""
    assert 0.7 < measure_sums(*fit_walks(decay), 120, num_steps) < 0.88


@pytest.mark.parametrize("num_steps", [HORIZON, 3 * HORIZON])
def test_sums_of_sparse_series_are_covered(num_steps: int) -> None:
    assert 0.72 < measure_sums(*fit_demand(), 160, num_steps) < 0.9


def test_sums_of_short_series_are_covered() -> None:
    """Without held-out windows, errors of the rule for short series are drawn.

    Eight values of a walk show trends that are chance, so that fewer sums are covered, see decision 42.
    """
    table = draw_walks(150, 8 + HORIZON, seed=3)
    table = table.assign(ds=table.groupby("unique_id").cumcount())
    forecaster = Forecaster(h=HORIZON, **SMALL).fit(select_past(table, 8))
    assert 0.55 < measure_sums(forecaster, table, 8, HORIZON) < 0.88


def test_paths_beyond_the_horizon_have_the_width_of_the_bounds(fitted: Forecaster) -> None:
    paths, bounds = (fitted.predict(h=3 * HORIZON, **given) for given in ({"paths": 2000}, {}))
    spread = paths.groupby(["unique_id", "ds"])["y"].quantile(0.9) - paths.groupby(
        ["unique_id", "ds"]
    )["y"].quantile(0.1)
    width = bounds.set_index(["unique_id", "ds"]).eval("`ensemble-hi-80` - `ensemble-lo-80`")
    ratio = (spread / width).groupby("unique_id")
    assert (
        spread.groupby("unique_id").last() > spread.groupby("unique_id").nth(HORIZON - 1).to_numpy()
    ).all()
    assert 0.8 < ratio.min().min() <= ratio.max().max() < 1.2


def test_paths_of_counts_are_counts_within_their_bounds() -> None:
    forecaster = Forecaster(h=HORIZON, **SMALL).fit(draw_demand(6, 160))
    paths = forecaster.predict(paths=1000)
    bounds = forecaster.predict().set_index(["unique_id", "ds"])
    np.testing.assert_array_equal(paths["y"], paths["y"].round())
    by_step = paths.groupby(["unique_id", "ds"])["y"]
    assert (by_step.min() == 0).all()
    assert (
        by_step.quantile(0.9, interpolation="higher") - bounds["ensemble-hi-80"]
    ).abs().max() <= 1


@pytest.mark.parametrize("decay", [1.0, 0.7])
def test_bounds_beyond_the_horizon_cover_the_actuals(decay: float) -> None:
    forecaster, table = fit_walks(decay)
    found = forecaster.predict(h=4 * HORIZON)
    beyond = found[found["is_recursive"]].merge(table, on=["unique_id", "ds"])
    assert len(beyond) == 150 * 3 * HORIZON
    assert (
        0.72 < beyond["y"].between(beyond["ensemble-lo-80"], beyond["ensemble-hi-80"]).mean() < 0.9
    )


def draw_shocks(num_series: int, num_steps: int, share: float) -> pd.DataFrame:
    """Return noise around 100, of which a share is common to all series."""
    random = np.random.default_rng(2)
    common = random.normal(size=num_steps)
    own = random.normal(size=(num_series, num_steps))
    days = pd.date_range("2024-01-01", periods=num_steps)
    tables = [
        pd.DataFrame(
            {
                "unique_id": f"s{number:03}",
                "ds": days,
                "y": 100 + share * common + (1 - share) * noise,
            }
        )
        for number, noise in enumerate(own)
    ]
    return pd.concat(tables, ignore_index=True)


def correlate_series(paths: np.ndarray) -> float:
    """Return the mean correlation of two series over paths, float64[series, path, step], at the same step."""
    num_series = len(paths)
    of_steps = [np.corrcoef(paths[:, :, step]).sum() for step in range(paths.shape[2])]
    return float((np.mean(of_steps) - num_series) / (num_series * (num_series - 1)))


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, -0.1, 0.1), (0.7, 0.6, 1.0)])
def test_series_share_shocks_in_paths_as_in_the_past(
    share: float, least: float, most: float
) -> None:
    forecaster = Forecaster(h=HORIZON, lookback=20, networks="pretrained")
    paths = forecaster.fit(draw_shocks(12, 200, share)).predict(paths=200)
    assert least < correlate_series(paths["y"].to_numpy().reshape(12, 200, HORIZON)) < most


def order(paths: np.ndarray, errors: np.ndarray) -> np.ndarray:
    num_blocks = paths.shape[2] // HORIZON
    weights = make_random(0).normal(size=(num_blocks, paths.shape[1], len(errors)))
    return order_jointly(paths, errors, 0.3, weights)


def test_common_errors_change_no_value_of_a_series() -> None:
    """The paths of one series have the same values in another order, so that its own intervals do not change."""
    random = np.random.default_rng(0)
    paths = random.normal(size=(3, 50, 2 * HORIZON))
    errors = random.normal(size=(20, 3, HORIZON))
    ordered = order(paths, errors)
    np.testing.assert_array_equal(np.sort(ordered, axis=1), np.sort(paths, axis=1))


def test_paths_have_the_correlation_of_the_errors() -> None:
    """Over series and steps; the paths are normal, so that their ranks change no correlation."""
    random = np.random.default_rng(0)
    paths = random.normal(size=(3, 5000, HORIZON))
    errors = random.normal(size=(20, 3, HORIZON)).cumsum(axis=2)
    ordered = order(paths, errors)
    correlation = np.corrcoef(np.moveaxis(ordered, 1, 2).reshape(-1, 5000))
    flat = errors.reshape(20, -1)
    deviation = np.sqrt((flat**2).mean(axis=0))
    expected = flat.T @ flat / 20 / np.outer(deviation, deviation)
    np.testing.assert_allclose(correlation, expected, atol=0.05)


def test_series_without_errors_keep_their_order() -> None:
    random = np.random.default_rng(0)
    paths = random.normal(size=(2, 30, HORIZON))
    errors = random.normal(size=(20, 2, HORIZON))
    errors[:, 1] = np.nan
    ordered = order(paths, errors)
    np.testing.assert_array_equal(ordered[1], paths[1])
    assert (ordered[0] != paths[0]).any()


@cache
def fit_shocks() -> tuple[Forecaster, pd.DataFrame]:
    table = draw_shocks(12, 200, 0.7)
    return Forecaster(h=HORIZON, lookback=20, networks="pretrained").fit(table), table


@pytest.mark.parametrize("h", [HORIZON, HORIZON + 1])
def test_paths_of_a_series_are_the_same_in_any_panel(h: int) -> None:
    forecaster, table = fit_shocks()
    whole = forecaster.predict(table, h=h, paths=20)
    members = ["s003", "s007"]
    part = forecaster.predict(table[table["unique_id"].isin(members)], h=h, paths=20)
    expected = whole[whole["unique_id"].isin(members)].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, expected, rtol=1e-4)


def test_paths_of_demand_are_the_same_in_any_panel() -> None:
    table = draw_demand(6, 160)
    forecaster = Forecaster(h=HORIZON, networks="pretrained").fit(table)
    whole = forecaster.predict(table, paths=20)
    alone = forecaster.predict(table[table["unique_id"] == "s4"], paths=20)
    expected = whole[whole["unique_id"] == "s4"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected)


def test_paths_are_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    forecaster, _ = fit_shocks()
    whole = forecaster.predict(paths=20)
    monkeypatch.setattr(paths_module, "MAX_VALUES", 5 * 20 * HORIZON)
    pd.testing.assert_frame_equal(forecaster.predict(paths=20), whole, rtol=1e-4)
