"""What is promoted is fitted once more, on everything; what was judged is compared, and stays if that is not well."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.policy import Decision
from rnn_pipelines.errors import TrainingError
from rnn_pipelines.forecast import prediction, refit
from rnn_pipelines.forecast.base import fit_base
from rnn_pipelines.forecast.baselines import forecast_baselines
from rnn_pipelines.forecast.challenger import (
    TrainedNetwork,
    TrainingPlan,
    choose_challenger,
    find_seen,
    forecast_holdout,
    train_challenger,
)
from rnn_pipelines.forecast.folds import list_past
from rnn_pipelines.forecast.forecaster import Forecaster, describe_forecaster, forecast_newest
from rnn_pipelines.forecast.intervals import LevelSpec
from rnn_pipelines.forecast.packing import pack, unpack
from rnn_pipelines.forecast.refit import Fitted, find_faults, refit_promoted
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.coding import Coding
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windowing import extend_parts
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.specs import BudgetSpec, ForecastTrainingSpec, NetworkSpec

SIZE, NUM_TEST = 240, 40
WINDOW = WindowSpec(lookback=8, horizon=2)
SOURCE = SourceSpec(name="catalog", freq="D")
PLAN = TrainingPlan(BudgetSpec(), refit=True)


def make_waves(size: int = SIZE, seed: int = 0) -> np.ndarray:
    """What a network learns and no simple method has: a wave whose peaks are sharp."""
    wave = np.abs(np.sin(np.pi * np.arange(size) / 9)) ** 0.5
    return 20 + 5 * wave + 0.3 * np.random.default_rng(seed).normal(size=size)


@pytest.fixture(scope="module")
def judge(prepare: Callable[..., SimpleNamespace]) -> Callable[..., SimpleNamespace]:
    """All that a retraining has when it is decided: the windows, what was trained, and the candidate."""

    def make(values: Any, level: tuple[int, ...] = (80,), is_promoted: bool = True) -> SimpleNamespace:
        found = prepare(values, WINDOW, SplitSpec(validation=NUM_TEST, test=NUM_TEST))
        settings = describe_forecaster(
            found.series, found.profile, found.cutoffs, WINDOW, CalendarSpec(), GapPolicy("interpolate")
        )
        base, training = fit_base(found.windows), ForecastTrainingSpec(max_steps=200, batch_size=32, learning_rate=0.05)
        networks = [
            train_challenger(found.windows, base, NetworkSpec(cell=cell, units=4), training, PLAN)
            for cell in ("lstm", "gru")
        ]
        artefact, record = choose_challenger(
            found.windows, base, found.scaler, Coding(), settings, LevelSpec(level), *networks
        )
        manifest = {"reasons": ["why"], "training": record, "seconds": {"training": 1.0, "total": 2.0}, "p_value": 0.1}
        candidate = Candidate(artefact, Decision(is_promoted, ("why",)), manifest)
        return SimpleNamespace(**vars(found), base=base, networks=networks, candidate=candidate, settings=settings)

    return make


def run(judged: SimpleNamespace, plan: TrainingPlan = PLAN, networks: list[TrainedNetwork] | None = None) -> Candidate:
    return refit_promoted(
        judged.candidate, judged.windows, judged.base, judged.features, judged.cutoffs, plan,
        *(networks or judged.networks),
    )  # fmt: skip


@pytest.fixture(scope="module")
def judged(judge: Callable[..., SimpleNamespace]) -> SimpleNamespace:
    return judge(make_waves())


@pytest.fixture(scope="module")
def refitted(judged: SimpleNamespace) -> Candidate:
    return run(judged)


def list_weights(forecaster: Forecaster) -> list[np.ndarray]:
    blend = forecaster.model
    return [blend.matrix, *(array for network in blend.networks.values() for array in network.weights.values())]


# What it is fitted on


@pytest.mark.parametrize("origins", ["rolling", "last"])
def test_windows_of_the_holdout_are_learnt_from(prepare: Callable[..., SimpleNamespace], origins: str) -> None:
    """Those across the borders of the parts too, up to the last one that has actuals; the scale stays."""
    evaluation = EvaluationSpec(origins=origins)
    found = prepare(make_waves(60), WINDOW, SplitSpec(validation=10, test=10), evaluation=evaluation)
    extended = extend_parts(found.windows, found.features, found.cutoffs)
    validation = extended.index("validation")
    assert len(extended.index("test")) == 0
    assert validation.origins(np.arange(len(validation))).tolist() == list(range(50, 59))
    assert set(list_past(extended)) >= {*range(8, 49), *range(50, 59)}
    assert extended.values is found.windows.values


def test_refit_learns_from_the_holdout_and_the_judged_one_does_not(
    judge: Callable[..., SimpleNamespace], judged: SimpleNamespace, refitted: Candidate
) -> None:
    """Other values in the holdout change the one and not the other."""
    values = make_waves()
    values[-NUM_TEST:] = make_waves(seed=1)[-NUM_TEST:]
    other = run(judge(values)).artefact
    for one, same in zip(list_weights(refitted.artefact), list_weights(other), strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(refitted.artefact.in_use.model.matrix, other.in_use.model.matrix)


def test_refit_has_seen_everything_and_the_judged_one_has_not(judged: SimpleNamespace, refitted: Candidate) -> None:
    last = judged.series["ds"].iloc[-1]
    assert refitted.artefact.refit.settings.trained_until == {"y": last}
    assert refitted.artefact.settings.trained_until == {"y": last - pd.Timedelta(days=NUM_TEST)}


# What stays as it was judged


def test_judged_forecaster_stays_as_it_is(judged: SimpleNamespace, refitted: Candidate) -> None:
    assert replace(refitted.artefact, refit=None) == judged.candidate.artefact


def test_design_is_the_judged_one_and_steps_are_no_more_than_were_best(
    judged: SimpleNamespace, refitted: Candidate
) -> None:
    again = refitted.manifest["refit"]["networks"]
    trained = {network.name: network.record for network in judged.networks if network.name in again}
    assert trained
    for name, record in trained.items():
        assert again[name]["num_steps"] <= record["best_step"] < record["num_steps"]
        assert again[name]["design"] == {**record["design"], "max_steps": record["best_step"]}


def test_weights_are_the_judged_ones(judged: SimpleNamespace, refitted: Candidate) -> None:
    weights, model = judged.candidate.manifest["training"]["weights"], refitted.artefact.in_use.model
    assert model.networks
    for name, network in model.networks.items():
        assert model.shares[name] == pytest.approx(weights[name] * network.gain)


def test_network_that_learnt_nothing_is_left_out(judged: SimpleNamespace) -> None:
    """What it said was the mix, which then has its weight."""
    lstm, gru = judged.networks
    idle = replace(gru, network=replace(gru.network, gain=0.0), record={**gru.record, "best_step": 0})
    assert "gru" not in run(judged, networks=[lstm, idle]).artefact.in_use.model.networks


def test_everything_else_on_record_stays(judged: SimpleNamespace, refitted: Candidate) -> None:
    before, after = judged.candidate.manifest, refitted.manifest
    assert {name: after[name] for name in ("training", "p_value")} == {n: before[n] for n in ("training", "p_value")}
    assert after["seconds"]["total"] == before["seconds"]["total"] + after["seconds"]["refit"]


# What it is used for


def test_next_values_are_forecast_by_the_refit(judged: SimpleNamespace, refitted: Candidate) -> None:
    champion = LoadedChampion("v1", refitted.artefact, "", (), {})
    log = prediction.forecast_newest(champion, judged.table, SOURCE, None)
    expected = forecast_newest(refitted.artefact.refit, judged.table, SOURCE)
    assert log["y_hat"].tolist() == expected["y_hat"].tolist()
    assert log["lo_80"].tolist() == expected["lo_80"].tolist()
    assert log["y_hat"].tolist() != forecast_newest(refitted.artefact, judged.table, SOURCE)["y_hat"].tolist()


def test_champion_is_compared_without_its_refit(judged: SimpleNamespace, refitted: Candidate) -> None:
    """Which has seen the holdout."""
    baselines = forecast_baselines(judged.windows, judged.base)
    tables = [
        forecast_holdout(
            judged.windows, judged.features, None, baselines, judged.candidate.artefact,
            LoadedChampion("v1", artefact, "", (), {}),
        ).table
        for artefact in (judged.candidate.artefact, refitted.artefact)
    ]  # fmt: skip
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_champion_with_a_refit_can_be_compared(judged: SimpleNamespace, refitted: Candidate) -> None:
    """On the very holdout on which it was judged: only the refit has seen it."""
    assert find_seen(refitted.artefact, judged.settings) == []
    assert find_seen(refitted.artefact.refit, judged.settings) == ["y"]


def test_both_come_back_from_files(judged: SimpleNamespace, refitted: Candidate) -> None:
    again = unpack(pack(refitted.artefact))
    for one, other in ((again, refitted.artefact), (again.in_use, refitted.artefact.in_use)):
        found, expected = (forecast_newest(forecaster, judged.table, SOURCE) for forecaster in (one, other))
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_files_of_the_judged_one_are_those_of_before_there_were_refits(refitted: Candidate) -> None:
    """So that an older version of the project uses it."""
    files = pack(refitted.artefact)
    assert {name for name in files if name.startswith("refit_")} == {
        f"refit_{name}" for name in pack(refitted.artefact.refit)
    }
    own = {name: content for name, content in files.items() if not name.startswith("refit_")}
    assert own == pack(replace(refitted.artefact, refit=None))
    assert unpack(own).refit is None


# Without


def test_nothing_changes_where_it_is_not_asked_for(judged: SimpleNamespace) -> None:
    assert run(judged, TrainingPlan(BudgetSpec())) is judged.candidate


def test_what_is_kept_back_is_not_refit(judged: SimpleNamespace) -> None:
    candidate = replace(judged.candidate, decision=Decision(False, ("why not",)))
    assert run(SimpleNamespace(**{**vars(judged), "candidate": candidate})) is candidate


def test_refit_that_fails_loses_nothing(judged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TrainingError("gru: the loss is not finite after 25 steps.")

    monkeypatch.setattr(refit, "train_challenger", fail)
    found = run(judged)
    assert found.artefact is judged.candidate.artefact
    assert (found.decision.is_promoted, found.manifest["refit"]["is_in_use"]) == (True, False)
    assert "gru: the loss is not finite after 25 steps" in found.manifest["reasons"][-1]


def test_refit_that_is_not_well_is_not_in_use(judged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refit, "find_faults", lambda *_: iter(["it is odd"]))
    found = run(judged)
    assert found.artefact is judged.candidate.artefact
    assert found.manifest["refit"]["faults"] == ["it is odd"]
    said = "in use as it was judged, without the newest part of the series: of a refit, it is odd"
    assert list(found.decision.reasons) == found.manifest["reasons"] == ["why", said]


def test_record_says_up_to_when_it_was_refit(judged: SimpleNamespace, refitted: Candidate) -> None:
    last = judged.series["ds"].iloc[-1].date()
    assert refitted.manifest["reasons"] == ["why", f"refit on everything up to {last}"]
    assert (refitted.manifest["refit"]["is_in_use"], refitted.manifest["refit"]["until"]) == (True, str(last))


def test_refit_that_the_budget_cut_short_is_told(judged: SimpleNamespace) -> None:
    found = run(judged, TrainingPlan(BudgetSpec(max_seconds=1e-9), refit=True))
    assert "the budget of time cut the refit of" in "; ".join(found.manifest["reasons"])


@pytest.mark.parametrize("num_series", [1, 2], ids=["squared, of one series", "absolute, of a panel"])
def test_losses_on_record_are_over_that_of_the_last_value(
    judge: Callable[..., SimpleNamespace], num_series: int
) -> None:
    one = judge({f"s{seed}": make_waves(seed=seed) for seed in range(num_series)})
    naive = one.base.losses[list(one.base.names).index("last_value")]
    losses = one.candidate.manifest["training"]["validation_losses"]
    assert one.base.is_absolute is (num_series > 1)
    assert run(one).manifest["refit"]["judged_loss"] == pytest.approx(losses["best"] / naive)


# What keeps it out of use


@pytest.fixture(scope="module")
def parts(judged: SimpleNamespace, refitted: Candidate) -> SimpleNamespace:
    """The forecaster with its refit, and what the two are made of, to be made worse."""
    weights = judged.candidate.manifest["training"]["weights"]
    networks = {network.name: network.network for network in judged.networks}
    before = Fitted(judged.windows, judged.base, weights, networks)
    extended = extend_parts(judged.windows, judged.features, judged.cutoffs)
    own, _ = refit._fit(extended, weights, PLAN, tuple(judged.networks))
    return SimpleNamespace(artefact=refitted.artefact, judged=before, fitted=own)


def change(artefact: Forecaster, add: float) -> Forecaster:
    """With a refit whose forecasts are so much higher, in deviations."""
    model = artefact.refit.model
    matrix = model.matrix.copy()
    matrix[-1] += add  # of the constant
    return replace(artefact, refit=replace(artefact.refit, model=replace(model, matrix=matrix)))


def test_refit_that_is_well_has_no_faults(parts: SimpleNamespace) -> None:
    assert list(find_faults(parts.artefact, parts.judged, parts.fitted)) == []


def test_forecasts_that_are_not_finite_are_a_fault(parts: SimpleNamespace) -> None:
    assert list(find_faults(change(parts.artefact, np.nan), parts.judged, parts.fitted)) == [
        "its forecasts are not finite"
    ]


@pytest.mark.parametrize("has_intervals", [True, False], ids=["with intervals", "without"])
@pytest.mark.parametrize("add", [-3.0, 3.0])
def test_forecasts_outside_of_the_judged_ones_interval_are_a_fault(
    parts: SimpleNamespace, add: float, has_intervals: bool
) -> None:
    artefact = change(parts.artefact, add)
    artefact = artefact if has_intervals else replace(artefact, intervals=None)
    assert list(find_faults(artefact, parts.judged, parts.fitted)) == [
        "100 % of its newest forecasts lie outside of the judged one's interval"
    ]


def test_larger_error_on_unseen_windows_is_a_fault(parts: SimpleNamespace) -> None:
    """As if its networks had said nothing sensible there."""
    spoilt = {name: replace(network, unseen=network.unseen + 1) for name, network in parts.fitted.networks.items()}
    (fault,) = find_faults(parts.artefact, parts.judged, replace(parts.fitted, networks=spoilt))
    assert fault.startswith("its error on unseen windows is")


def test_too_few_windows_to_judge_it_by_are_a_fault(parts: SimpleNamespace) -> None:
    few = replace(parts.fitted, base=replace(parts.fitted.base, is_enough=False))
    assert list(find_faults(parts.artefact, parts.judged, few)) == ["there are too few windows to judge it by"]


def test_forecast_that_nobody_has_is_no_fault(parts: SimpleNamespace) -> None:
    """As where covariates are not known ahead."""
    values = parts.fitted.panel.values.copy()
    values[-WINDOW.horizon :, 1:] = np.nan
    blind = replace(parts.fitted, panel=replace(parts.fitted.panel, values=values))
    assert list(find_faults(parts.artefact, parts.judged, blind)) == []
