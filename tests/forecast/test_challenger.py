"""A challenger starts from the champion where it may, is chosen on validation, and is judged beside it."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.forecast.baselines import forecast_baselines
from rnn_pipelines.forecast.challenger import (
    TrainedNetwork,
    TrainingPlan,
    choose_challenger,
    find_seen,
    forecast_holdout,
    train_challenger,
)
from rnn_pipelines.forecast.forecaster import Forecaster, describe_forecaster
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowSpec, gather_windows
from rnn_pipelines.forecast.specs import BudgetSpec, ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

pytestmark = pytest.mark.usefixtures("no_graphs")

WINDOW = WindowSpec(lookback=4, horizon=2)
NETWORK = NetworkSpec(cell="gru", units=(3,))
TRAINING = ForecastTrainingSpec(
    epochs=3, batch_size=128, min_steps=10_000, schedule="constant", weight_average=0.0, jit_compile=False
)
NO_DASK = ParallelSpec(backend="dask", scheduler="tcp://127.0.0.1:9")


@pytest.fixture(scope="module")
def grow(prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float | None]]):
    """Two series up to a length, with the settings of a forecaster of theirs."""

    def make(size: int = 70, window: WindowSpec = WINDOW, **series: int) -> SimpleNamespace:
        seeds = series or {"a": 1, "b": 2}
        values = {name: make_values(90, seed=seed)[:size] for name, seed in seeds.items()}
        panel = prepare(values, window, SplitSpec(validation=10, test=10))
        settings = describe_forecaster(
            panel.series, panel.profile, panel.cutoffs, window, CalendarSpec(), GapPolicy("interpolate")
        )
        return SimpleNamespace(**vars(panel), settings=settings)

    return make


def train(
    prepared: SimpleNamespace, champion: Forecaster | None = None, network: NetworkSpec = NETWORK, **budget: object
) -> TrainedNetwork:
    plan = TrainingPlan(BudgetSpec(**budget), champion)
    return train_challenger(prepared.windows, prepared.settings, network, TRAINING, plan)


def choose(prepared: SimpleNamespace, *networks: TrainedNetwork):
    return choose_challenger(prepared.windows, prepared.scaler, prepared.settings, *networks)


@pytest.fixture(scope="module")
def old(grow) -> SimpleNamespace:
    """The data of the champion."""
    return grow(70)


@pytest.fixture(scope="module")
def champion(old: SimpleNamespace) -> Forecaster:
    return choose(old, train(old))[0]


@pytest.fixture(scope="module")
def new(grow) -> SimpleNamespace:
    """The same series, ten steps later."""
    return grow(80)


# The start


@pytest.fixture
def first_weights(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The weights with which each training began."""
    from rnn_pipelines.forecast import training as forecasting

    found, fit_within = [], forecasting.fit_within

    def note(model, *arguments):
        found.append(model.get_weights())
        return fit_within(model, *arguments)

    monkeypatch.setattr(forecasting, "fit_within", note)
    return found


def test_warm_start_begins_with_the_champions_weights(
    champion: Forecaster, new: SimpleNamespace, first_weights: list
) -> None:
    assert train(new, champion).record["is_warm"]
    for one, other in zip(first_weights[0], champion.networks["gru"].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_members_begin_with_their_own_weights(old: SimpleNamespace, new: SimpleNamespace, first_weights: list) -> None:
    network = NETWORK.model_copy(update={"members": 2})
    champion = choose(old, train(old, network=network))[0]
    first_weights.clear()
    train(new, champion, network)
    flat = [weights for member in first_weights for weights in member]
    for one, other in zip(flat, champion.networks["gru"].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_members_stay_on_the_machine_of_their_checkpoints(
    old: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever other trainings do."""
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    plan = TrainingPlan(BudgetSpec(), parallel=NO_DASK)
    network = NETWORK.model_copy(update={"members": 2})
    assert train_challenger(old.windows, old.settings, network, TRAINING, plan).record["seeds"] == [0, 1]


def test_champion_is_not_changed_by_a_warm_start(champion: Forecaster, new: SimpleNamespace) -> None:
    before = [weights.copy() for weights in champion.networks["gru"].get_weights()]
    train(new, champion)
    for one, other in zip(before, champion.networks["gru"].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (NetworkSpec(cell="lstm", units=(3,)), "has no such network"),
        (NetworkSpec(cell="gru", units=(4,)), "has no such network"),
        (NetworkSpec(cell="gru", units=(3,), members=2), "has no such network"),
    ],
    ids=["another cell", "another width", "other members"],
)
def test_other_networks_begin_from_scratch_and_say_so(
    champion: Forecaster, new: SimpleNamespace, network: NetworkSpec, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "rnn_pipelines"):
        assert not train(new, champion, network).record["is_warm"]
    assert f"{network.cell}: from scratch, for the champion {why}" in caplog.messages


def test_another_horizon_begins_from_scratch(champion: Forecaster, grow) -> None:
    assert not train(grow(80, WindowSpec(lookback=4, horizon=3)), champion).record["is_warm"]


def test_another_lookback_does_not_matter(champion: Forecaster, grow) -> None:
    assert train(grow(80, WindowSpec(lookback=6, horizon=2)), champion).record["is_warm"]


def test_champion_that_has_seen_the_holdout_gives_no_weights(champion: Forecaster, grow) -> None:
    assert not train(grow(65), champion).record["is_warm"]


@pytest.fixture(scope="module")
def broken(champion: Forecaster) -> Forecaster:
    """The champion with weights that are no numbers."""
    import keras

    network = keras.models.clone_model(champion.networks["gru"])
    network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
    return replace(champion, networks={"gru": network})


def test_weights_that_are_not_finite_are_not_started_from(broken: Forecaster, new: SimpleNamespace) -> None:
    """Else every training would fail."""
    assert not train(new, broken).record["is_warm"]


def test_warm_start_can_be_switched_off(champion: Forecaster, new: SimpleNamespace) -> None:
    assert not train(new, champion, warm_start=False).record["is_warm"]


def test_first_epochs_of_a_warm_start_count(champion: Forecaster, new: SimpleNamespace, old: SimpleNamespace) -> None:
    """From scratch, only the last one counts here."""
    from rnn_pipelines.forecast import training as forecasting

    assert train(old).record["best_epoch"] == TRAINING.epochs
    assert forecasting.Start().weights is None
    assert train(new, champion, epochs=1).record["num_epochs"] == 1


def test_epochs_of_the_budget_win(old: SimpleNamespace) -> None:
    assert train(old, epochs=1).record["num_epochs"] == 1


def test_time_of_the_budget_ends_training(old: SimpleNamespace) -> None:
    assert train(old, max_seconds=1e-9).record["num_epochs"] == 1


# What was seen


@pytest.mark.parametrize(("size", "expected"), [(65, ["a", "b"]), (70, []), (80, [])])
def test_holdout_that_begins_before_the_champions_end_was_seen(
    champion: Forecaster, grow, size: int, expected: list[str]
) -> None:
    assert find_seen(champion, grow(size).settings) == expected


def test_holdout_of_a_series_that_the_champion_does_not_know_was_not_seen(champion: Forecaster, grow) -> None:
    assert find_seen(champion, grow(65, x=1).settings) == []


def test_what_was_seen_is_known_after_loading(champion: Forecaster, grow) -> None:
    """Dates come back as another kind of dates."""
    from rnn_pipelines.forecast.packing import pack, unpack

    assert find_seen(unpack(pack(champion)), grow(65).settings) == ["a", "b"]


# The choice


@pytest.fixture(scope="module")
def trained(old: SimpleNamespace) -> dict[str, TrainedNetwork]:
    return {cell: train(old, network=NetworkSpec(cell=cell, units=(3,))) for cell in ("lstm", "gru")}


def measure_validation(prepared: SimpleNamespace, *models) -> float:
    """MSE in the series' unit, mean over series, computed window by window."""
    panel, by_series = prepared.windows, []
    for number, deviation in enumerate(prepared.scaler["deviation"]):
        first, stop = panel.validation[number]
        history, known, targets = gather_windows(panel, np.arange(first, stop))
        forecast = np.mean([model({"history": history, "known": known}).numpy() for model in models], axis=0)
        by_series.append(np.mean((deviation * (targets - forecast)) ** 2))
    return float(np.mean(by_series))


def test_best_on_validation_is_chosen(old: SimpleNamespace, trained: dict[str, TrainedNetwork]) -> None:
    challenger, record = choose(old, *trained.values())
    models = {name: network.model for name, network in trained.items()}
    expected = {name: measure_validation(old, model) for name, model in models.items()}
    expected["mean"] = measure_validation(old, *models.values())
    assert record["validation_losses"] == pytest.approx(expected, rel=1e-4)
    assert record["chosen"] == min(expected, key=expected.get)
    names = {"mean": ["lstm", "gru"]}.get(record["chosen"], [record["chosen"]])
    assert list(challenger.networks) == list(challenger.settings.networks) == names


def test_network_that_is_not_finite_is_not_chosen(old: SimpleNamespace, trained: dict[str, TrainedNetwork]) -> None:
    import keras

    broken = keras.models.clone_model(trained["lstm"].model)
    broken.set_weights([np.full_like(weights, np.nan) for weights in broken.get_weights()])
    lstm = replace(trained["lstm"], model=broken)
    assert choose(old, lstm, trained["gru"])[1]["chosen"] == "gru"


# The holdout


def forecast(prepared: SimpleNamespace, challenger: Forecaster, champion: Forecaster):
    baselines = forecast_baselines(prepared.windows, prepared.profile, EvaluationSpec())
    in_use = LoadedChampion("v1", champion, "", (), {})
    return forecast_holdout(prepared.windows, prepared.features, prepared.scaler, baselines, challenger, in_use).table


def test_champion_of_another_shape_is_judged_on_the_same_rows(champion: Forecaster, grow) -> None:
    """Its horizon is shorter, and its lookback and scale are its own."""
    other = grow(80, WindowSpec(lookback=6, horizon=3))
    challenger = choose(other, train(other))[0]
    holdout = forecast(other, challenger=challenger, champion=champion)
    assert len(holdout) == 3 * len(other.windows.index("test"))
    assert holdout["challenger"].notna().all()
    assert (holdout["champion"].notna() == (holdout["horizon_step"] <= 2)).all()


def test_series_that_the_champion_does_not_know_have_no_forecast_of_its(champion: Forecaster, grow) -> None:
    other = grow(80, a=1, x=3)
    challenger = choose(other, train(other))[0]
    holdout = forecast(other, challenger=challenger, champion=champion)
    assert (holdout["champion"].notna() == (holdout["unique_id"] == "a")).all()


def test_forecast_that_is_no_number_is_told_from_none(champion: Forecaster, broken: Forecaster, grow) -> None:
    """It is infinite, and where there is no forecast it is NaN, as of a champion that is sound."""
    other = grow(80, a=1, x=3)
    sound, infinite = (forecast(other, challenger=champion, champion=one)["champion"] for one in (champion, broken))
    assert infinite.isna().tolist() == sound.isna().tolist()
    assert set(infinite.dropna()) == {np.inf}


def test_champion_of_other_steps_is_left_out(champion: Forecaster, new: SimpleNamespace) -> None:
    hourly = champion.settings.model_copy(update={"freq": "h"})
    challenger = choose(new, train(new))[0]
    stranger = Forecaster(champion.networks, champion.scaler, hourly)
    assert "champion" not in forecast(new, challenger=challenger, champion=stranger)
