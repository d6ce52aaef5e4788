"""A challenger is the combination with the least error on what nobody had seen, and is judged beside the champion."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fitted import forecast_network, hold_out
from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.forecast.intervals.fitting import fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods import ensemble, method, refit
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel, fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.in_use import UseSpec
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.networks.network import TrainedNetwork
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.predictors import normalize_targets, normalize_windows
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, fit_trained_before
from rnn_pipelines.forecast.methods.training.specs import (
    BudgetSpec,
    ForecastTrainingSpec,
    NetworkSpec,
    TrainingPlan,
)
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.packing import pack, unpack
from rnn_pipelines.forecast.model.settings import describe_forecaster
from rnn_pipelines.forecast.operations import challenger as challengers
from rnn_pipelines.forecast.operations.challenger import (
    choose_challenger,
    find_better,
    find_seen,
    forecast_holdout,
)
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec, RetrainForecastSpec
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.reference import measure_reference
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

Networks = dict[str, TrainedNetwork]

WINDOW = WindowSpec(lookback=4, horizon=2)
NETWORK = NetworkSpec(cell="gru", units=3, members=2)
RETRAINING = RetrainForecastSpec(policy=ForecastPolicySpec(must_beat=()), budget=BudgetSpec())
TRAINING = ForecastTrainingSpec(max_steps=50, batch_size=32)
Grow = Callable[..., SimpleNamespace]


@pytest.fixture(scope="module")
def grow(prepare: Grow, make_values: Callable[..., list[float | None]]) -> Grow:
    """Two series up to a length, what is linear in them, and the settings of a forecaster of theirs."""

    def make(size: int = 70, window: WindowSpec = WINDOW, **series: int) -> SimpleNamespace:
        seeds = series or {"a": 1, "b": 2}
        values = {name: make_values(90, seed=seed)[:size] for name, seed in seeds.items()}
        panel = prepare(values, window, SplitSpec(validation=10, test=10))
        settings = describe_forecaster(
            panel.series,
            panel.profile,
            panel.cutoffs,
            panel.windows,
            CalendarSpec(),
            GapPolicy("interpolate"),
            BreakPolicy("keep"),
        )
        data = prepare_fitting(panel.windows)
        return SimpleNamespace(**vars(panel), settings=settings, data=data, linear=data.linear)

    return make


def train(
    prepared: SimpleNamespace, network: NetworkSpec = NETWORK, **budget: object
) -> TrainedNetwork:
    return train_network(prepared.data, network, TRAINING, TrainingPlan(BudgetSpec(**budget)))


def choose(prepared: SimpleNamespace, *networks: TrainedNetwork):
    return choose_challenger(
        prepared.data,
        prepared.scaler,
        Coding(),
        prepared.settings,
        LevelSpec((50,)),
        UseSpec(),
        prepared.features,
        RETRAINING,
        *networks,
    )


@pytest.fixture(scope="module")
def old(grow: Grow) -> SimpleNamespace:
    """The data of the champion."""
    return grow(70)


@pytest.fixture(scope="module")
def champion(old: SimpleNamespace) -> Forecaster:
    return choose(old, train(old))[0]


@pytest.fixture(scope="module")
def new(grow: Grow) -> SimpleNamespace:
    """The same series, ten steps later."""
    return grow(80)


def test_budget_of_steps_ends_training(old: SimpleNamespace) -> None:
    assert train(old, max_steps=7).record["num_steps"] == 7
    assert train(old).record["num_steps"] == TRAINING.max_steps


def test_budget_of_seconds_ends_training(old: SimpleNamespace) -> None:
    assert train(old, max_seconds=1e-9).record["num_steps"] < TRAINING.max_steps


def test_trained_network_knows_its_parameters(old: SimpleNamespace) -> None:
    found = train(old)
    assert (found.name, found.parameters, found.seed) == (
        "gru",
        NETWORK.model_dump(),
        TRAINING.seed,
    )


def test_training_leaves_no_checkpoint(old: SimpleNamespace, tmp_path: Path) -> None:
    plan = TrainingPlan(BudgetSpec(), tmp_path)
    train_network(old.data, NETWORK, TRAINING, plan)
    assert list(tmp_path.iterdir()) == []


def test_validation_windows_are_normalized_once(
    grow: Grow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the training, the ensemble and its intervals."""
    young = grow(60)
    numbers = []
    monkeypatch.setattr(
        method,
        "normalize_windows",
        lambda *given: numbers.append(len(given[2])) or normalize_windows(*given),
    )
    choose(young, train(young))
    assert numbers.count(len(young.linear.validation)) == 1


@pytest.mark.parametrize(("size", "expected"), [(65, ["a", "b"]), (70, []), (80, [])])
def test_holdout_that_begins_before_the_champions_end_was_seen(
    champion: Forecaster, grow: Grow, size: int, expected: list[str]
) -> None:
    assert find_seen(champion, grow(size).settings) == expected


def test_what_was_seen_is_known_after_loading(champion: Forecaster, grow: Grow) -> None:
    assert find_seen(champion, grow(65, x=1).settings) == []
    # Dates come back as another kind of dates.
    assert find_seen(unpack(pack(champion)), grow(65).settings) == ["a", "b"]


@pytest.fixture(scope="module")
def trained(old: SimpleNamespace) -> Networks:
    return {cell: train(old, NetworkSpec(cell=cell, units=3)) for cell in ("lstm", "gru")}


def give_gain(prepared: SimpleNamespace, network: TrainedNetwork, share: float) -> TrainedNetwork:
    """As if its corrections had taken that share of what the base leaves over."""
    linear = prepared.linear
    normalized = normalize_windows(prepared.windows, linear.normalizer, linear.validation)
    left = normalize_targets(prepared.windows, normalized, linear.validation) - hold_out(
        linear, normalized.predictors
    )
    unseen = (share * left).astype(np.float32)
    return replace(network, network=replace(network.network, out_of_fold=unseen, shrinkage=1.0))


@pytest.fixture(scope="module")
def chosen(old: SimpleNamespace, trained: Networks) -> tuple[Forecaster, dict[str, Any]]:
    challenger, record, _ = choose(old, *trained.values())
    return challenger, record


def test_weights_of_the_challenger_are_those_of_a_fit(
    chosen: tuple[Forecaster, dict[str, Any]], old: SimpleNamespace, trained: Networks
) -> None:
    _, record = chosen
    networks = {name: network.network for name, network in trained.items()}
    best = fit_all_methods(old.data, networks)[1]
    assert (record["weights"], record["validation_losses"]) == (best["weights"], best["losses"])


def test_ensemble_is_chosen(chosen: tuple[Forecaster, dict[str, Any]]) -> None:
    assert chosen[1]["chosen"] == "ensemble"


def test_challenger_forecasts_the_weighted_mean_of_its_methods(
    old: SimpleNamespace, trained: Networks
) -> None:
    found = {name: give_gain(old, network, 0.5) for name, network in trained.items()}
    challenger, record, _ = choose(old, *found.values())
    index = old.windows.index("test")
    origins = index.origins(np.arange(len(index)))
    said = {
        name: forecast_network(network.network, old.linear, old.windows).test
        for name, network in found.items()
    }
    said |= {name: found.test for name, found in forecast_simple_methods(old.data).items()}
    said |= {name: PanelModel(old.linear.normalizer, found.model).forecast(old.windows, origins)
             for name, found in fit_trained_before(old.data).items()}  # fmt: skip
    expected = sum(weight * said[name] for name, weight in record["weights"].items())
    forecasts = challenger.as_evaluated().model.forecast(old.windows, origins)
    np.testing.assert_allclose(forecasts, expected, rtol=1e-4, atol=1e-4)


def test_record_has_seconds_with_seeds_of_all_networks(
    chosen: tuple[Forecaster, dict[str, Any]], trained: Networks
) -> None:
    _, record = chosen
    seconds = [network.record["training_seconds"] for network in trained.values()]
    assert record["training_seconds"] == pytest.approx(sum(seconds))
    assert record["seeds"] == [TRAINING.seed]


def test_intervals_have_the_level_of_anomalies_too(
    chosen: tuple[Forecaster, dict[str, Any]], old: SimpleNamespace, trained: Networks
) -> None:
    """Monitoring calls values outside 99 % odd."""
    networks = {name: network.network for name, network in trained.items()}
    fitted = fit_all_methods(old.data, networks)[0]["ensemble"]
    expected = fit_intervals(old.data, {"y_hat": fitted}, LevelSpec((50, 99)))
    assert chosen[0].intervals is not None
    saved = chosen[0].intervals.to_arrays()
    for part, value in expected.to_arrays().items():
        np.testing.assert_array_equal(saved[part], value)


def test_network_that_helps_is_in_the_challenger(
    old: SimpleNamespace, trained: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The panel has too few independent windows for trained networks.
    monkeypatch.setattr(ensemble, "NUM_UNSURE", 1)
    lstm, gru = (
        give_gain(old, trained[name], share) for name, share in (("lstm", 0.0), ("gru", 0.9))
    )
    challenger, record, _ = choose(old, lstm, gru)
    assert record["weights"]["gru"] > 0.9
    assert "gru" in challenger.model.model.models
    assert [name for name in challenger.model.model.models if name in NETWORKS] == list(
        challenger.settings.networks
    )


def test_challenger_without_levels_has_no_intervals(
    old: SimpleNamespace, trained: Networks
) -> None:
    challenger, *_ = choose_challenger(
        old.data,
        old.scaler,
        Coding(),
        old.settings,
        LevelSpec(()),
        UseSpec(),
        old.features,
        RETRAINING,
        *trained.values(),
    )
    assert challenger.intervals is None


def test_no_network_is_in_the_challenger_where_nobody_was_judged(grow: Grow) -> None:
    """Too few windows for that."""
    young = grow(28)
    assert not young.linear.is_enough
    challenger, record, _ = choose(young, train(young))
    weights = {name: weight for name, weight in record["weights"].items() if weight}
    assert (list(challenger.model.model.models), weights) == (
        ["baseline_ensemble", "short_series_rule", "pretrained"],
        {"pretrained": 0.5, "baseline_ensemble": 0.25, "short_series_rule": 0.25},
    )


def test_challenger_in_use_has_learnt_the_holdout(
    old: SimpleNamespace, champion: Forecaster
) -> None:
    """The evaluated one has not: its next values do not depend on them, besides the window."""
    in_use: list[Any] = [champion.model, champion.evaluated]
    models = [one.model.models["baseline_ensemble"].matrix for one in in_use]
    found: Any = fit_all_methods(old.data, {})[0]["baseline_ensemble"]
    np.testing.assert_array_equal(models, [found.in_use.matrix, found.model.matrix])


def test_packed_challenger_keeps_both_models(old: SimpleNamespace, champion: Forecaster) -> None:
    loaded = unpack(pack(champion))
    index = old.windows.index("test")
    origins = index.origins(np.arange(len(index)))
    for one, other in ((champion, loaded), (champion.as_evaluated(), loaded.as_evaluated())):
        np.testing.assert_array_equal(
            one.model.forecast(old.windows, origins), other.model.forecast(old.windows, origins)
        )


def test_forecaster_without_a_refit_was_evaluated_itself(champion: Forecaster) -> None:
    loaded = unpack(pack(replace(champion, evaluated=None)))
    assert loaded.as_evaluated().model is loaded.model


def test_refit_that_is_not_used_is_on_record(
    old: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refit, "MAX_STANDARD_ERRORS", -np.inf)
    challenger, record, _ = choose(old)
    assert record["is_refitted"] is False
    assert challenger.model == challenger.evaluated


def test_holdout_is_forecast_by_evaluated_models_on_the_same_steps(
    champion: Forecaster, new: SimpleNamespace
) -> None:
    challenger = choose(new)[0]
    found = forecast(new, challenger=challenger, champion=champion)
    evaluated = forecast(
        new, challenger=challenger.as_evaluated(), champion=champion.as_evaluated()
    )
    pd.testing.assert_frame_equal(found, evaluated)
    hourly = champion.settings.model_copy(update={"freq": "h"})
    challenger = choose(new, train(new))[0]
    stranger = Forecaster(champion.model, champion.scaler, hourly)
    assert "champion" not in forecast(new, challenger=challenger, champion=stranger)


def forecast(prepared: SimpleNamespace, challenger: Forecaster, champion: Forecaster):
    baselines = forecast_simple_methods(prepared.data)
    in_use = LoadedChampion("v1", champion, "", (), {})
    return forecast_holdout(
        prepared.windows, prepared.features, None, baselines, challenger, in_use
    ).table


def test_champion_of_another_shape_is_judged_on_the_same_rows(
    champion: Forecaster, grow: Grow
) -> None:
    """Its horizon is shorter, and its lookback and scale are its own."""
    other = grow(80, WindowSpec(lookback=6, horizon=3))
    challenger = choose(other, train(other))[0]
    holdout = forecast(other, challenger=challenger, champion=champion)
    assert len(holdout) == 3 * len(other.windows.index("test"))
    assert holdout["challenger"].notna().all()
    assert (holdout["champion"].notna() == (holdout["horizon_step"] <= 2)).all()


def test_series_that_the_champion_does_not_know_have_no_forecast_of_its(
    champion: Forecaster, grow: Grow
) -> None:
    # The champion with numbers that are none.
    spoilt = EnsembleModel({"theta": np.nan}, {"theta": METHODS["theta"].unpack({})})
    broken = replace(champion, model=replace(champion.model, model=spoilt), evaluated=None)
    other = grow(80, a=1, x=3)
    challenger = choose(other, train(other))[0]
    holdout = forecast(other, challenger=challenger, champion=champion)
    assert (holdout["champion"].notna() == (holdout["unique_id"] == "a")).all()
    # It is infinite, and where there is no forecast it is NaN, as of a champion that is sound.
    sound, infinite = (
        forecast(other, challenger=challenger, champion=one)["champion"]
        for one in (champion, broken)
    )
    assert infinite.isna().tolist() == sound.isna().tolist()
    assert set(infinite.dropna()) == {np.inf}


@pytest.mark.parametrize(("scale", "is_left_out"), [(1, False), (1000, True)])
def test_champion_that_has_learnt_another_history_is_left_out(
    champion: Forecaster, new: SimpleNamespace, scale: float, is_left_out: bool
) -> None:
    """A unit that changes in all rows at once is a matter for a person."""
    challenger = choose(new, train(new))[0]
    settings = champion.settings
    learnt = new.series.assign(y=new.series["y"] / scale)
    reference = measure_reference(learnt, settings.trained_until, settings.freq)
    found = forecast(new, challenger=challenger, champion=replace(champion, reference=reference))
    assert ("champion" not in found) == is_left_out


def test_champion_is_left_out_while_a_newest_value_is_gross(
    champion: Forecaster, old: SimpleNamespace, grow: Grow
) -> None:
    """A challenger that learns the value would take its correction for another history; simulated with seed 2."""
    new = grow(80)
    settings = champion.settings
    reference = measure_reference(old.series, settings.trained_until, settings.freq)
    learnt = replace(champion, reference=reference)
    challenger = choose(new, train(new))[0]
    table = new.features.table
    is_newest = table["ds"] == new.series["ds"].max()
    new.features = replace(
        new.features, table=table.assign(y=table["y"].mask(is_newest, 1e6 * table["y"]))
    )
    assert "champion" not in forecast(new, challenger=challenger, champion=learnt)


NOISE = {"last_value": 1.0, "theta": 0.3, "challenger": 0.5}


def make_holdout(**noise: float) -> Predictions:
    """Return forecasts of one series with errors so wide."""
    random = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([["a"], range(100, 200), [1, 2]])
    holdout = index.to_frame(index=False, name=["unique_id", "cutoff", "horizon_step"])
    holdout.insert(2, "ds", holdout["cutoff"] + holdout["horizon_step"])
    holdout["y"] = random.normal(size=len(holdout))
    deviations = NOISE | noise
    for name, deviation in deviations.items():
        holdout[name] = holdout["y"] + deviation * random.normal(size=len(holdout))
    return Predictions(holdout, tuple(deviations))


@pytest.mark.parametrize(
    ("must_beat", "noise", "expected"),
    [
        (("best",), {}, "theta"),
        (("best",), {"theta": 0.49}, None),
        ((), {}, None),
        (("last_value",), {"challenger": 2.0}, None),
    ],
    ids=["proven worse", "hardly worse", "no condition", "behind a named one"],
)
def test_best_simple_method_takes_the_place_of_an_ensemble_that_is_proven_worse(
    must_beat: tuple[str, ...], noise: dict[str, float], expected: str | None
) -> None:
    assert (
        find_better(make_holdout(**noise), 2, ForecastPolicySpec(must_beat=must_beat)) == expected
    )


def test_simple_method_that_is_better_is_the_challenger(
    old: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challengers, "find_better", lambda *_: "theta")
    challenger, record, _ = choose(old)
    assert (record["chosen"], record["instead_of"], challenger.settings.use) == (
        "theta",
        "ensemble",
        "theta",
    )
    model: Any = unpack(pack(challenger)).model
    assert list(model.model.models) == ["theta"]
