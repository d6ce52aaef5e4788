"""Covariates go the whole way: ridge and networks read the same of them, and nothing that is not known yet."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fitted import combine_model, forecast_network, forecast_newest
from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError, SeriesError
from rnn_pipelines.forecast.experiments.backtest import replay_retraining, replay_schedules
from rnn_pipelines.forecast.experiments.schedule import BacktestSpec
from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear.ridge import fit_effects
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import InputLayout, read_windows
from rnn_pipelines.forecast.methods.predictors import (
    MAX_LAGGED,
    list_covariate_inputs,
    normalize_windows,
)
from rnn_pipelines.forecast.methods.training.specs import (
    BudgetSpec,
    ForecastTrainingSpec,
    NetworkSpec,
)
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.model.artefact import Forecaster, forecast_cutoffs
from rnn_pipelines.forecast.model.packing import CODING, pack, unpack
from rnn_pipelines.forecast.operations.challenger import forecast_holdout
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec, RetrainForecastSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.coding import fit_coding
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

SOURCE = SourceSpec(name="catalog", id="shop", freq="D")
COVARIATES = CovariateSpec(future=("promo", "price"), past=("visitors",), static=("region",))
HORIZON, NUM_DAYS = 3, 90
RECIPE = Recipe(
    source=SOURCE,
    covariates=COVARIATES,
    window=WindowSpec(lookback=5, horizon=HORIZON),
    split=SplitSpec(validation=25, test=20),
)
DAYS = pd.date_range("2024-01-01", periods=NUM_DAYS + HORIZON)
LAST = DAYS[NUM_DAYS - 1]


def make_shops() -> pd.DataFrame:
    """Two shops: promotions and prices go on over the horizon, sales and visitors end before."""
    rng = np.random.default_rng(0)
    shops = []
    is_known = np.arange(len(DAYS)) < NUM_DAYS
    for shop, region, level in (("a", "north", 50.0), ("b", "south", 200.0)):
        promo = (rng.random(len(DAYS)) < 0.3).astype(float)
        price = 10 + rng.normal(size=len(DAYS))
        visitors = level + rng.normal(size=len(DAYS))
        y = level * (1 + 0.3 * promo - 0.1 * (price - 10)) + rng.normal(size=len(DAYS))
        columns = {
            "y": np.where(is_known, y, np.nan),
            "visitors": np.where(is_known, visitors, np.nan),
        }
        shops.append(
            pd.DataFrame(
                {"shop": shop, "ds": DAYS, "promo": promo, "price": price, "region": region}
                | columns
            )
        )
    return pd.concat(shops, ignore_index=True)


def take(external: pd.DataFrame, recipe: Recipe = RECIPE) -> SimpleNamespace:
    table, covariate_table = read_series(recipe.source, recipe.covariates, external)
    panel = prepare_panel(table, recipe, covariate_table)
    return SimpleNamespace(**vars(panel), table=table, covariate_table=covariate_table)


@pytest.fixture(scope="module")
def shops() -> SimpleNamespace:
    return take(make_shops())


@pytest.fixture(scope="module")
def forecaster(shops: SimpleNamespace, make_forecaster: Callable[..., Forecaster]) -> Forecaster:
    return replace(make_forecaster(shops, "lstm", "gru"), coding=shops.coding)


def forecast(
    forecaster: Forecaster, shops: SimpleNamespace, covariate_table: pd.DataFrame
) -> np.ndarray:
    """From a day in the test part."""
    cutoffs = pd.DataFrame({"unique_id": ["a", "b"], "cutoff": CUTOFF})
    found = forecast_cutoffs(forecaster, shops.series, cutoffs, covariate_table)
    assert len(found) == 2 * HORIZON
    return found["y_hat"].to_numpy()


CUTOFF = DAYS[80]


def change(shops: SimpleNamespace, column: str, days: pd.DatetimeIndex) -> pd.DataFrame:
    """The covariates with other values on some days."""
    table = shops.covariate_table.copy()
    is_changed = table["ds"].isin(days)
    table.loc[is_changed, column] = 1 - table.loc[is_changed, column] + 5 * (column != "promo")
    return table


@pytest.mark.parametrize("column", ["promo", "price", "visitors"])
def test_what_is_known_moves_the_forecast(
    forecaster: Forecaster, shops: SimpleNamespace, column: str
) -> None:
    day = CUTOFF if column == "visitors" else CUTOFF + pd.Timedelta(days=1)
    changed = forecast(forecaster, shops, change(shops, column, pd.DatetimeIndex([day])))
    assert (changed != forecast(forecaster, shops, shops.covariate_table)).any()


def test_covariates_after_cutoff_or_horizon_change_nothing(
    forecaster: Forecaster, shops: SimpleNamespace
) -> None:
    changed = forecast(forecaster, shops, change(shops, "visitors", DAYS[DAYS > CUTOFF]))
    np.testing.assert_array_equal(changed, forecast(forecaster, shops, shops.covariate_table))
    beyond = DAYS[CUTOFF + pd.Timedelta(days=HORIZON) < DAYS]
    changed = forecast(forecaster, shops, change(shops, "price", beyond))
    np.testing.assert_array_equal(changed, forecast(forecaster, shops, shops.covariate_table))


def test_past_covariates_of_the_horizon_reach_no_head(shops: SimpleNamespace) -> None:
    """Nor any predictor: they can be anything there, and even no number."""
    panel = shops.windows
    origins = panel.index("test").origins(np.arange(3))
    values = panel.values.copy()
    values[origins[-1] :, panel.columns.varying.stop - 1] = np.nan
    blind = replace(panel, values=values)
    linear = fit_linear_models(panel)
    normalized = normalize_windows(blind, linear.normalizer, origins[-1:])
    steps, known = read_windows(
        blind, normalized, origins[-1:], InputLayout(1, np.zeros(0, np.int64), True)
    )
    assert all(np.isfinite(array).all() for array in (normalized.predictors, steps, known))


@pytest.mark.parametrize("column", ["promo", "price", "visitors", "region"])
def test_coding_is_that_of_the_training_part(shops: SimpleNamespace, column: str) -> None:
    """Neither validation nor test is seen, as numbers or as categories."""
    train_stop = int(shops.cutoffs["train_stop"].iloc[0])
    table = shops.covariate_table.copy()
    table[column] = table[column].astype(object)
    table.loc[table["ds"] >= DAYS[train_stop], column] = "west" if column == "region" else 1e6
    assert fit_coding(shops.series, shops.cutoffs, COVARIATES, table) == shops.coding


def test_covariates_of_the_test_part_are_not_seen(shops: SimpleNamespace) -> None:
    panel = shops.windows
    values = panel.values.copy()
    for first, stop in panel.test:
        values[first : stop + HORIZON - 1, panel.columns.static.start :] = 7
    one = fit_linear_models(panel)
    other = fit_linear_models(replace(panel, values=values))
    np.testing.assert_array_equal(one.matrices, other.matrices)


def test_few_windows_are_forecast_by_methods_that_read_covariates() -> None:
    recipe = RECIPE.model_copy(update={"split": SplitSpec(validation=4, test=76)})
    linear = fit_linear_models(take(make_shops(), recipe).windows)
    assert not linear.is_enough
    assert {str(name) for name in linear.names[linear.weights > 0]} <= {
        "ridge_last",
        "ridge_season",
    }


def test_ridge_reads_the_covariates_of_the_networks(shops: SimpleNamespace) -> None:
    """Each number that a network reads of a window's covariates is a predictor too, if lags are few."""
    panel = shops.windows
    assert list_covariate_inputs(panel).steps.min() == -panel.lookback
    origins = panel.index("train").origins(np.arange(1, 4))
    normalized = normalize_windows(panel, fit_linear_models(panel).normalizer, origins)
    steps, known = read_windows(
        panel, normalized, origins, InputLayout(1, np.zeros(0, np.int64), True)
    )
    for window in range(len(origins)):
        predictors = normalized.predictors[window].astype(np.float32)
        read = np.concatenate(
            [steps[:, window, 1:-1].ravel(), known[window, panel.columns.num_calendar :]]
        )
        assert np.isin(read, predictors).all()


def test_many_covariates_have_few_lags(shops: SimpleNamespace) -> None:
    panel = replace(shops.windows, lookback=50, roles=np.full(MAX_LAGGED // 4, "future"))
    assert list_covariate_inputs(panel).steps.min() == -4


def test_effect_is_that_of_a_regression_over_all_steps() -> None:
    """By least squares on stacked steps, each with coefficients of its own for everything else."""
    rng = np.random.default_rng(0)
    horizon = 3
    others = rng.normal(size=(200, 4))
    ahead = rng.normal(size=(200, horizon))
    targets = others @ rng.normal(size=(4, horizon)) + 2.5 * ahead + rng.normal(size=(200, horizon))
    predictors = np.hstack([others, ahead])
    product = predictors.T @ predictors, predictors.T @ targets, len(predictors)
    every = np.eye(4 + horizon)
    found = fit_effects(product, every[:, :4], np.zeros((7, horizon)), [every[:, 4:]])
    stacked = np.hstack([np.kron(np.eye(horizon), others), ahead.T.reshape(-1, 1)])
    expected = np.linalg.lstsq(stacked, targets.T.ravel(), rcond=None)[0][-1]
    np.testing.assert_allclose(found, expected * every[:, 4:], rtol=1e-3)


def test_both_cells_recover_a_known_effect() -> None:
    """Within 5 % of the noise floor, which nobody is without the covariates."""
    rng = np.random.default_rng(0)
    days = np.arange(607)
    promo = (rng.random(607) < 0.2).astype(float)
    signal = 20 + 5 * promo
    y = np.where(days < 600, signal + rng.normal(0, 1, 607), np.nan)
    external = pd.DataFrame(
        {"ds": pd.date_range("2021-01-01", periods=607), "y": y, "promo": promo}
    )
    source = SourceSpec(name="catalog")
    errors = {}
    for future in ((), ("promo",)):
        recipe = Recipe(
            source=source, covariates=CovariateSpec(future=future), window=WindowSpec(lookback=14)
        )
        found = take(external, recipe)
        panel = found.windows
        linear = fit_linear_models(found.windows)
        rows = panel.index("test").origins(np.arange(len(panel.index("test"))))[
            :, None
        ] + np.arange(7)
        floor = np.mean((y - signal)[rows] ** 2) / found.scaler["deviation"].iloc[0] ** 2
        forecasts = {"ridge": forecast_simple_methods(FittingData(panel, linear))["ridge"].test}
        for cell in ("lstm", "gru"):
            training = ForecastTrainingSpec(max_steps=50)
            network = train_network(
                FittingData(panel, linear), NetworkSpec(cell=cell, units=4), training
            ).network
            forecasts[cell] = forecast_network(network, linear, panel).test
        errors[future] = {
            name: np.mean((panel.values[rows, 0] - f) ** 2) / floor for name, f in forecasts.items()
        }
    assert max(errors["promo",].values()) < 1.05
    assert min(errors[()].values()) > 3


@pytest.fixture(scope="module", params=[["a"], ["a", "b"]], ids=["series", "panel"])
def plain(request: pytest.FixtureRequest) -> SimpleNamespace:
    """Shops of which no covariates are read, `windows`; and the same where nobody ever spoke of any, `silent`."""
    external = make_shops().query(f"shop in {request.param}")
    found = take(external, RECIPE.model_copy(update={"covariates": CovariateSpec()}))
    recipe = Recipe(source=SOURCE, window=RECIPE.window, split=RECIPE.split)
    bare = external[["shop", "ds", "y"]]
    found.silent = prepare_panel(read_source(SOURCE, bare), recipe).windows
    return found


def test_columns_that_are_not_named_are_in_no_window_matrix_or_forecast(
    plain: SimpleNamespace,
) -> None:
    for name, value in vars(plain.silent).items():
        np.testing.assert_array_equal(getattr(plain.windows, name), value)
    # Which read the window, the season at each step, the calendar with its harmonics, and 1.
    found = fit_linear_models(plain.windows)
    expected = fit_linear_models(plain.silent)
    for name in vars(expected).keys() - {"seconds"}:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.matrices.shape[2] == 5 + HORIZON + found.normalizer.num_free
    assert "effects" not in found.names
    forecasts = []
    for panel in (plain.windows, plain.silent):
        linear = fit_linear_models(panel)
        network = train_network(
            FittingData(panel, linear),
            NetworkSpec(cell="gru", units=3),
            ForecastTrainingSpec(max_steps=20),
        ).network
        forecasts.append(forecast_network(network, linear, panel))
    for part in ("test", "future"):
        np.testing.assert_array_equal(*(getattr(found, part) for found in forecasts))


def test_newest_forecasts_are_those_of_the_panel_with_coding(
    forecaster: Forecaster, shops: SimpleNamespace
) -> None:
    index = shops.windows.index("future")
    scaled = forecaster.model.forecast(shops.windows, index.origins(np.arange(len(index))))
    mean, deviation = (shops.scaler[name].to_numpy()[:, None] for name in ("mean", "deviation"))
    found = forecast_newest(forecaster, shops.table, SOURCE, shops.covariate_table)[
        "y_hat"
    ].to_numpy()
    np.testing.assert_allclose(found.reshape(2, -1), scaled * deviation + mean, rtol=1e-5)
    assert unpack(pack(forecaster)).coding == forecaster.coding
    files = {name: content for name, content in pack(forecaster).items() if name != CODING}
    with pytest.raises(ChampionError, match=CODING):
        unpack(files)


@pytest.mark.parametrize("lacking", ["promo", "visitors", "region"])
def test_data_without_covariate_is_refused(
    forecaster: Forecaster, shops: SimpleNamespace, lacking: str
) -> None:
    with pytest.raises(SeriesError, match=rf"the data lacks \['{lacking}'\]"):
        forecast_newest(
            forecaster, shops.table, SOURCE, shops.covariate_table.drop(columns=lacking)
        )


def test_missing_horizon_is_refused_after_faults_of_the_series(
    forecaster: Forecaster, shops: SimpleNamespace
) -> None:
    known = shops.covariate_table[
        (shops.covariate_table["ds"] <= LAST) | (shops.covariate_table["unique_id"] == "a")
    ]
    with pytest.raises(
        SeriesError, match=r"in 1 of 2 series: 'b' lacks 3 of 3 steps, the first at 2024-03-31"
    ):
        forecast_newest(forecaster, shops.table, SOURCE, known)
    table = shops.table.assign(
        ds=shops.table["ds"].mask(shops.table["ds"] == LAST, LAST + pd.Timedelta("7 h"))
    )
    with pytest.raises(SeriesError, match="irregular spacing"):
        forecast_newest(forecaster, table, SOURCE, shops.covariate_table)


def shift(shops: SimpleNamespace, days: pd.DatetimeIndex, by: str) -> pd.DataFrame:
    """The covariates with other times on some days."""
    table = shops.covariate_table
    return table.assign(ds=table["ds"].mask(table["ds"].isin(days), table["ds"] + pd.Timedelta(by)))


@pytest.mark.parametrize("by", ["1 D", "12 h"])
def test_rows_ahead_at_other_times_are_no_horizon(
    forecaster: Forecaster, shops: SimpleNamespace, by: str
) -> None:
    with pytest.raises(
        SeriesError, match=r"in 2 of 2 series: 'a' lacks \d of 3 steps, the first at 2024-03-31"
    ):
        forecast_newest(forecaster, shops.table, SOURCE, shift(shops, DAYS[DAYS > LAST], by))


def test_rows_between_steps_are_told_once(
    forecaster: Forecaster, shops: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    """Those of the past, and those of the horizon."""
    noon = shift(shops, DAYS, "12 h")
    both = pd.concat([shops.covariate_table, noon[noon["unique_id"] == "b"]], ignore_index=True)
    forecast_newest(forecaster, shops.table, SOURCE, both)
    told = [message for message in caplog.messages if "between steps" in message]
    assert len(told) == 1
    first = DAYS[0] + pd.Timedelta("12 h")
    last = LAST + pd.Timedelta("2 D 12 h")
    assert re.search(rf"series 'b' at \d+ times from {first} to {last}$", told[0])


def test_cutoffs_whose_horizon_is_not_known_are_left_out(
    forecaster: Forecaster, shops: SimpleNamespace
) -> None:
    cutoffs = pd.DataFrame(
        {"unique_id": "a", "cutoff": [LAST - pd.Timedelta(days=days) for days in (3, 1)]}
    )
    known = shops.covariate_table[shops.covariate_table["ds"] <= LAST]
    found = forecast_cutoffs(forecaster, shops.series, cutoffs, known)
    assert found["cutoff"].unique().tolist() == [LAST - pd.Timedelta(days=3)]


def test_champion_that_reads_other_columns_is_not_compared(
    forecaster: Forecaster, shops: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    """It would have to guess what they hold."""
    plain = take(make_shops(), RECIPE.model_copy(update={"covariates": CovariateSpec()}))
    linear = fit_linear_models(plain.windows)
    challenger = Forecaster(
        combine_model(plain.windows, linear, {}, {"baseline_ensemble": 1.0}),
        plain.scaler,
        forecaster.settings,
    )
    champion = LoadedChampion("v1", forecaster, "", (), {})
    baselines = forecast_simple_methods(FittingData(plain.windows, linear))
    holdout = forecast_holdout(plain.windows, plain.features, None, baselines, challenger, champion)
    assert "challenger" in holdout.forecasters
    assert "champion" not in holdout.forecasters
    assert "reads the covariates ['promo', 'price', 'visitors', 'region']" in caplog.text


@pytest.fixture(scope="module")
def retraining() -> RetrainForecastSpec:
    return RetrainForecastSpec(policy=ForecastPolicySpec(must_beat=()), budget=BudgetSpec())


@pytest.fixture(scope="module")
def spec() -> ForecastSpec:
    networks = {"gru": NetworkSpec(cell="gru", units=3)}
    training = ForecastTrainingSpec(max_steps=25)
    return ForecastSpec(**dict(RECIPE), networks=networks, training=training)


def test_retraining_keeps_how_covariates_are_coded(
    shops: SimpleNamespace, spec: ForecastSpec, retraining: RetrainForecastSpec
) -> None:
    candidate = replay_retraining(shops.table, None, spec, retraining, shops.covariate_table)
    assert candidate.artefact.coding == shops.coding


def test_replay_sees_no_past_covariate_after_its_days(
    shops: SimpleNamespace, spec: ForecastSpec, retraining: RetrainForecastSpec
) -> None:
    """Visitors of the last days decide nothing before them."""
    backtest = BacktestSpec(period=12, schedules={"once": {"every": None}})
    day = LAST - pd.Timedelta(days=5)
    forecasts = []
    for covariate_table in (shops.covariate_table, change(shops, "visitors", DAYS[day < DAYS])):
        found, _ = replay_schedules(
            shops.table, covariate_table, spec, retraining, backtest, ParallelSpec(workers=1)
        )
        forecasts.append(found.table[found.table["cutoff"] <= day])
    assert len(forecasts[0])
    pd.testing.assert_frame_equal(*forecasts, check_exact=True)


def test_one_row_known_ahead_is_of_local_time_as_the_series_is(tmp_path: Path) -> None:
    """A row alone does not tell that steps are hours."""
    hours = pd.date_range("2024-07-01", periods=48, freq="h")
    series = pd.DataFrame({"ds": hours, "y": np.arange(48.0), "price": 1.0})
    series.to_csv(tmp_path / "series.csv", index=False)
    pd.DataFrame({"ds": [hours[-1] + pd.Timedelta(hours=1)], "price": [2.0]}).to_csv(
        tmp_path / "ahead.csv", index=False
    )
    source = SourceSpec(
        path=str(tmp_path / "series.csv"), time="ds", target="y", tz="Europe/Berlin"
    )
    _, found = read_series(
        source, CovariateSpec(future=("price",), path=str(tmp_path / "ahead.csv")), None
    )
    assert found["ds"].diff().dropna().eq(pd.Timedelta(hours=1)).all()
    assert found["price"].astype(float).tolist() == [1.0] * 48 + [2.0]
