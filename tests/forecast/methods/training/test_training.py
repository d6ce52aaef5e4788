"""Training is repeatable, keeps what helps on windows that nobody had seen, and never sees the test part."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fitted import forecast_network, hold_out
from rnn_pipelines.errors import TrainingError
from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models, prepare_fitting
from rnn_pipelines.forecast.methods.memory import estimate_training_bytes
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.model import describe_network, is_copy
from rnn_pipelines.forecast.methods.networks.network import correct, read_windows
from rnn_pipelines.forecast.methods.predictors import normalize_targets, normalize_windows
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training import side_by_side
from rnn_pipelines.forecast.methods.training import training as forecasting
from rnn_pipelines.forecast.methods.training.member_steps import MemberSetup, MemberSteps
from rnn_pipelines.forecast.methods.training.specs import (
    BudgetSpec,
    ForecastTrainingSpec,
    NetworkSpec,
    TrainingPlan,
)
from rnn_pipelines.forecast.methods.training.training import (
    CHECK_STEPS,
    PART_AT_START,
    train_network,
)
from rnn_pipelines.forecast.methods.training.validation import (
    find_network_shrinkage,
    find_residuals,
)
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.windows.panel import (
    EvaluationSpec,
    WindowedPanel,
    WindowSpec,
    number_series,
)
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.networks import trainer
from rnn_pipelines.networks.gradients import find_gradients
from rnn_pipelines.networks.members import MemberShape, Weights, forward
from rnn_pipelines.networks.memory import estimate_recurrent_bytes
from rnn_pipelines.networks.trainer import Adam, compute_loss

Cases = dict[str, SimpleNamespace]

Prepare = Callable[..., SimpleNamespace]

CELLS = ("lstm", "gru")
NAMES = ("bends", "climbing", "many", "few")
TRAINED = NAMES[:3]
HORIZON = 2
TRAINING = ForecastTrainingSpec(
    max_steps=100, batch_size=32, learning_rate=0.01, weight_average=0.9
)


def draw_bends(size: int, seed: int = 0) -> np.ndarray:
    """What no linear method foresees: a logistic map, with noise."""
    rng = np.random.default_rng(seed)
    values = []
    value = 0.3
    for _ in range(size):
        value = 3.8 * value * (1 - value)
        values.append(value)
    return 5 + np.array(values) + rng.normal(0, 0.02, size)


@pytest.fixture(scope="module")
def cases(prepare: Prepare) -> Cases:
    """Panels and their bases: a series that bends, one that climbs too, two series, and one with few windows."""
    by_name = {
        "bends": draw_bends(260).tolist(),
        "climbing": (draw_bends(200) + 0.1 * np.arange(200)).tolist(),
        "many": {"a": draw_bends(160, 1).tolist(), "b": (3 * draw_bends(120, 2)).tolist()},
        "few": draw_bends(26).tolist(),
    }
    found = {}
    for name, values in by_name.items():
        split = (
            SplitSpec(validation=4, test=4) if name == "few" else SplitSpec(validation=30, test=20)
        )
        window = WindowSpec(lookback=4, horizon=HORIZON)
        panel = prepare(values, window, split, evaluation=EvaluationSpec(season_length=1)).windows
        data = prepare_fitting(panel)
        found[name] = SimpleNamespace(panel=panel, linear=data.linear, data=data)
    return found


def train(
    case: SimpleNamespace, cell: str = "gru", plan: TrainingPlan | None = None, **options: Any
) -> SimpleNamespace:
    """Trains tiny members: `network, history, record`."""
    spec = NetworkSpec(
        cell=cell, members=2, units=options.pop("units", 4), dropout=options.pop("dropout", 0.0)
    )
    return train_network(
        FittingData(case.panel, case.linear), spec, TRAINING.model_copy(update=options), plan
    )


def assert_same(one: SimpleNamespace, other: SimpleNamespace) -> None:
    """Bit for bit: the weights, what they say about windows that they have not seen, and every loss."""
    assert set(one.network.weights) == set(other.network.weights)
    for name, array in one.network.weights.items():
        np.testing.assert_array_equal(array, other.network.weights[name])
    np.testing.assert_array_equal(one.network.out_of_fold, other.network.out_of_fold)
    assert one.network.shrinkage == other.network.shrinkage
    columns = ["step", "loss", "val_loss", "is_best"]
    assert one.history[columns].equals(other.history[columns])


def find_left(case: SimpleNamespace) -> np.ndarray:
    """The residuals of the baseline ensemble on the validation windows: float64[validation, horizon], normalised."""
    normalized = normalize_windows(case.panel, case.linear.normalizer, case.linear.validation)
    return normalize_targets(case.panel, normalized, case.linear.validation) - hold_out(
        case.linear, normalized.predictors
    )


@pytest.fixture(scope="module")
def trained(cases: Cases) -> Cases:
    return {name: train(case) for name, case in cases.items()}


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_numbers(cases: Cases, trained: Cases, name: str) -> None:
    np.random.seed(11)  # the global state, which must not matter
    assert_same(train(cases[name]), trained[name])


def test_another_seed_has_other_weights(cases: Cases, trained: Cases) -> None:
    found = train(cases["bends"], seed=1).network.weights["kernel"]
    assert not np.isclose(found, trained["bends"].network.weights["kernel"]).any()


def test_start_decides_about_a_copy_of_the_ensemble(cases: Cases) -> None:
    one, other = (
        train(cases["few"], start=start).network for start in ("none", "baseline_ensemble")
    )
    assert [
        is_copy(describe_network(cases["few"].data, network).model) for network in (one, other)
    ] == [False, True]


def test_correction_is_the_mean_of_the_members(cases: Cases, trained: Cases) -> None:
    case = cases["many"]
    network = trained["many"].network
    origins = case.linear.validation[:3]
    normalized = normalize_windows(case.panel, case.linear.normalizer, origins)
    steps, known = read_windows(case.panel, normalized, origins, network.layout)
    expected = forward(network.cell, network.weights, steps, known)[0].mean(axis=0)
    np.testing.assert_allclose(
        correct(network, case.panel, normalized, origins), expected, atol=1e-6
    )


@pytest.mark.parametrize("name", NAMES)
def test_data_of_a_training_are_not_changed(cases: Cases, name: str) -> None:
    case = cases[name]
    before = [case.panel.values.copy(), case.linear.matrices.copy()]
    train(case, max_steps=25)
    np.testing.assert_array_equal(case.panel.values, before[0])
    np.testing.assert_array_equal(case.linear.matrices, before[1])


def test_dropout_is_repeatable(cases: Cases) -> None:
    case = cases["bends"]
    trained = [train(cases["bends"], dropout=share, max_steps=50) for share in (0.5, 0.5)]
    assert_same(trained[0], trained[1])
    one, other = (
        forecast_network(trained[0].network, case.linear, case.panel).test for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)


def test_dropout_changes_the_weights(cases: Cases) -> None:
    trained = [train(cases["bends"], dropout=share, max_steps=50) for share in (0.0, 0.5)]
    assert not np.isclose(
        trained[0].network.weights["kernel"], trained[1].network.weights["kernel"]
    ).all()


def test_stacks_learn_curves(cases: Cases) -> None:
    history = train(cases["bends"], units=(6, 4), max_steps=600, learning_rate=0.02).history
    assert history["val_loss"].min() < 0.5 * history["val_loss"].iloc[0]


@pytest.mark.parametrize("name", NAMES)
def test_test_part_is_not_touched(cases: Cases, trained: Cases, name: str) -> None:
    """Its values are NaN, and would be in all weights."""
    panel = cases[name].panel
    values = panel.values.copy()
    past = list_past(panel)
    series = number_series(panel.series_starts, np.arange(1, len(values) + 1))
    for number in np.unique(series):
        last = past[number_series(panel.series_starts, past) == number].max() + HORIZON
        values[(series == number) & (np.arange(len(values)) >= last), 0] = np.nan
    blind = replace(panel, values=values, refit=panel.train)
    assert_same(train(SimpleNamespace(panel=blind, linear=fit_linear_models(blind))), trained[name])


@pytest.mark.parametrize("name", ["bends", "climbing", "many"])
def test_member_never_learns_from_what_its_fold_hides(cases: Cases, name: str) -> None:
    """Other targets there change what others learn, and not the member whose fold hides them.

    The newest block of each, after which no window has it for a history. The base is that of before: its own folds have
    a test of their own.
    """
    case = cases[name]
    last = len(case.linear) - 1
    linear = case.linear
    values = case.panel.values.copy()
    for begin, stop in zip(linear.begins[last], linear.stops[last], strict=True):
        values[begin : stop + HORIZON - 1, 0] += 0.5
    changed = replace(case.panel, values=values)
    before, after = (
        run_steps(SimpleNamespace(panel=panel, linear=linear)) for panel in (case.panel, changed)
    )
    np.testing.assert_array_equal(after["kernel"][last], before["kernel"][last])
    others = [
        member
        for member in range(len(before["kernel"]))
        if member != last and (member > last or name == "bends")
    ]
    assert others
    assert all(
        not np.array_equal(after["kernel"][member], before["kernel"][member]) for member in others
    )


def run_steps(case: SimpleNamespace, *groups: slice) -> Weights:
    """The weights of all members, those included that only judge, after some steps of each group; None for all."""
    kept: list[MemberSteps] = []

    def keep(setup: MemberSetup, members: slice) -> MemberSteps:
        kept.append(MemberSteps(setup, members))
        return kept[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecasting, "MemberSteps", keep)
        train(case, max_steps=CHECK_STEPS, dropout=0.3)
    found = []
    for members in groups or (slice(None),):
        steps = MemberSteps(kept[0]._setup, members)
        for _ in range(CHECK_STEPS):
            steps.step()
        found.append(steps.trainer.list_state())
    names = [name for name in found[0] if name.startswith("weights.")]
    return {
        name.removeprefix("weights."): np.concatenate([state[name] for state in found])
        for name in names
    }


@pytest.mark.parametrize("name", TRAINED)
def test_members_learn_the_same_without_the_others(cases: Cases, name: str) -> None:
    together = run_steps(cases[name])
    apart = run_steps(cases[name], slice(2), slice(2, None))
    for array in together:
        np.testing.assert_array_equal(apart[array], together[array])


@pytest.mark.parametrize("is_uphill", [False, True], ids=["learns", "uphill"])
def test_members_in_use_take_as_many_steps_as_were_best(cases: Cases, is_uphill: bool) -> None:
    """Those of the folds alone are validated, and the others are not trained if no step was better than the start."""
    steps = []
    take_step = MemberSteps.step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            MemberSteps, "step", lambda self: steps.append(self.num_steps) or take_step(self)
        )
        if is_uphill:
            patch.setattr(trainer, "find_gradients", find_gradients_uphill)
        record = train(cases["many"], max_steps=120).record
    assert (record["best_step"] > 0) != is_uphill
    assert steps == [*range(record["num_steps"]), *range(record["best_step"])]


def test_each_held_out_block_has_a_member(cases: Cases, trained: Cases) -> None:
    assert trained["bends"].network.num_members == len(cases["bends"].linear)


def test_each_held_out_block_is_corrected_by_its_member(cases: Cases, trained: Cases) -> None:
    case = cases["bends"]
    network = trained["bends"].network
    for fold in range(len(case.linear)):
        origins = case.linear.validation[case.linear.fold == fold]
        own = replace(
            network,
            weights={name: array[fold : fold + 1] for name, array in network.weights.items()},
        )
        found = correct(
            own, case.panel, normalize_windows(case.panel, case.linear.normalizer, origins), origins
        )
        np.testing.assert_allclose(network.out_of_fold[case.linear.fold == fold], found, atol=1e-6)


def test_first_validation_loss_is_that_of_the_ensemble(cases: Cases, trained: Cases) -> None:
    # The network says nothing yet: its loss is that of the mix.
    case = cases["bends"]
    left = find_left(case)
    first = trained["bends"].history.iloc[0]
    assert (first["step"], first["val_loss"]) == (0, pytest.approx(np.mean(left**2)))


def test_best_step_has_the_least_validation_loss(trained: Cases) -> None:
    history = trained["bends"].history
    expected = history.loc[history["val_loss"].idxmin(), "step"]
    assert (
        trained["bends"].record["best_step"]
        == expected
        == history.loc[history["is_best"], "step"].item()
    )


def test_out_of_fold_corrections_have_the_least_validation_loss(
    cases: Cases, trained: Cases
) -> None:
    left = find_left(cases["bends"])
    loss = np.mean((left - trained["bends"].network.out_of_fold) ** 2)
    assert loss == pytest.approx(trained["bends"].history["val_loss"].min(), rel=1e-5)


@pytest.mark.parametrize("name", ["climbing", "many", "few"])
def test_members_that_only_judge_are_not_kept(trained: Cases, name: str) -> None:
    """Where all that is later is hidden, other members make the forecaster."""
    assert trained[name].network.num_members == 2


@pytest.mark.parametrize("cell", CELLS)
def test_network_learns_what_is_not_linear(cases: Cases, cell: str) -> None:
    history = train(cases["bends"], cell, max_steps=600, learning_rate=0.02).history
    assert history["val_loss"].min() < 0.5 * history["val_loss"].iloc[0]


@pytest.fixture(scope="module")
def worsened(cases: Cases) -> SimpleNamespace:
    """A training whose steps go uphill."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "find_gradients", find_gradients_uphill)
        return train(cases["bends"])


def find_gradients_uphill(*given: Any) -> Weights:
    return {name: -array for name, array in find_gradients(*given).items()}


def test_training_that_only_makes_it_worse_keeps_step_0(worsened: SimpleNamespace) -> None:
    assert (worsened.record["best_step"], worsened.history["is_best"].tolist()) == (
        0,
        [True, *[False] * 3],
    )


def test_training_that_only_makes_it_worse_keeps_the_linear_forecast(
    worsened: SimpleNamespace, cases: Cases
) -> None:
    case = cases["bends"]
    index = case.panel.index("test")
    normalized = normalize_windows(
        case.panel, case.linear.normalizer, index.origins(np.arange(len(index)))
    )
    expected = normalized.units.denormalize(normalized.predictors @ case.linear.combine())
    assert worsened.network.shrinkage == 0
    np.testing.assert_allclose(
        forecast_network(worsened.network, case.linear, case.panel).test, expected, rtol=1e-6
    )


def test_a_network_with_next_to_no_shrinkage_is_a_copy(cases: Cases, trained: Cases) -> None:
    data = cases["bends"].data
    network = trained["bends"].network
    assert is_copy(describe_network(data, replace(network, shrinkage=0.001)).model)
    assert not is_copy(describe_network(data, replace(network, shrinkage=0.5)).model)


def test_training_ends_by_patience(cases: Cases) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "find_gradients", find_gradients_uphill)
        assert train(cases["bends"], patience=200).record["num_steps"] == 200 * PART_AT_START


def test_training_ends_by_time(cases: Cases) -> None:
    assert (
        train(cases["bends"], plan=TrainingPlan(BudgetSpec(max_seconds=1e-6))).record["num_steps"]
        == CHECK_STEPS
    )
    assert train(cases["bends"], plan=TrainingPlan(BudgetSpec(max_seconds=1e-6))).record[
        "is_cut_short"
    ]


def test_training_that_ends_at_its_last_step_is_not_cut_short(cases: Cases) -> None:
    """Though its time was over just then."""
    trained = train(
        cases["bends"], plan=TrainingPlan(BudgetSpec(max_seconds=1e-6)), max_steps=CHECK_STEPS
    )
    assert not trained.record["is_cut_short"]


def test_training_ends_between_two_validations(cases: Cases) -> None:
    assert train(cases["bends"], max_steps=CHECK_STEPS + 3).record["num_steps"] == CHECK_STEPS + 3


def test_exact_corrections_are_hardly_shrunk(cases: Cases) -> None:
    case = cases["bends"]
    assert (
        find_network_shrinkage(case.data, find_left(case).astype(np.float32), num_members=1) > 0.95
    )


def test_corrections_that_are_twice_too_large_are_halved(cases: Cases) -> None:
    case = cases["bends"]
    assert (
        find_network_shrinkage(case.data, (2 * find_left(case)).astype(np.float32), num_members=1)
        <= 0.5
    )


def test_more_members_are_shrunk_less(cases: Cases) -> None:
    case = cases["bends"]
    # They hold half of what is left over, and noise.
    left = find_left(case)
    corrections = (
        0.5 * left + np.random.default_rng(0).normal(0, 0.7 * left.std(), left.shape)
    ).astype(np.float32)
    gains = [
        find_network_shrinkage(case.data, corrections, num_members) for num_members in (1, 2, 5)
    ]
    assert 0 < gains[0] < gains[1] < gains[2] < 1


def test_shrinkage_by_members_is_that_of_the_mean_of_noise(cases: Cases) -> None:
    case = cases["bends"]
    left = find_left(case)
    # Each says what is left over, and noise of a quarter of its power: 4/5 of one is best, 8/9 of the mean of two.
    # The mean has half the power of noise. Here noise stands at a right angle to what is left over.
    noise = np.random.default_rng(0).normal(size=left.shape)
    noise -= (noise * left).sum() / (left**2).sum() * left
    corrections = (left + noise * np.sqrt((left**2).sum() / (4 * (noise**2).sum()))).astype(
        np.float32
    )
    one, two = (
        find_network_shrinkage(case.data, corrections, num_members) for num_members in (1, 2)
    )
    assert two / one == pytest.approx((8 / 9) / (4 / 5))


def test_useless_corrections_are_not_trusted(cases: Cases) -> None:
    case = cases["bends"]
    astray = (
        np.random.default_rng(0)
        .normal(0, 5, (len(case.linear.validation), HORIZON))
        .astype(np.float32)
    )
    assert find_network_shrinkage(case.data, astray, num_members=5) == 0


@pytest.mark.parametrize("name", NAMES)
def test_gain_is_a_share(trained: Cases, name: str) -> None:
    assert 0 <= trained[name].network.shrinkage <= 1


def test_one_fold_is_replaced_by_groups_of_series(cases: Cases) -> None:
    """Corrections that help some series and harm others are shrunk more than those that help all."""
    case = cases["many"]
    linear = replace(
        case.data.linear,
        fold=np.zeros_like(case.data.linear.fold),
        begins=case.data.linear.begins[:1],
    )
    data = FittingData(case.panel, linear)
    series = number_series(case.panel.series_starts, data.validation)
    residuals = find_residuals(data)
    helpful = 0.9 * residuals
    mixed = np.where(series == 0, 0.9, -0.2)[:, None] * residuals
    one, other = (
        find_network_shrinkage(data, found.astype(np.float32), num_members=1)
        for found in (helpful, mixed)
    )
    assert 0 < other < one


def test_few_windows_are_not_trained_on(trained: Cases) -> None:
    """No one can say whether a correction would help."""
    record = trained["few"].record
    assert (trained["few"].network.shrinkage, record["best_step"], record["num_steps"]) == (0, 0, 0)


def test_history_has_a_row_for_each_validation(trained: Cases) -> None:
    history = trained["bends"].history
    assert list(history.columns) == ["step", "loss", "val_loss", "seconds", "is_best"]
    assert history["step"].tolist() == [0, 25, 50, 75, 100]
    assert history["seconds"].is_monotonic_increasing


def test_record_has_the_number_of_parameters(trained: Cases) -> None:
    # A GRU of 4 units that reads 4 values has 3 · (4 · (4 + 4) + 2 · 4), and its head 2 · (4 + 1).
    assert trained["bends"].record["num_parameters"] == 5 * (120 + 10)


def test_record_has_the_hyperparameters(trained: Cases) -> None:
    hyperparameters = trained["bends"].record["hyperparameters"]
    assert (
        hyperparameters["units"],
        hyperparameters["num_members"],
        hyperparameters["calendar"],
    ) == (4, 5, [0, 1])


class InterruptionError(Exception):
    """In the middle of a training."""


@contextmanager
def break_off(monkeypatch: pytest.MonkeyPatch, after: int) -> Iterator[None]:
    """Breaks a training off after so many steps; it leaves a checkpoint at each look."""

    def step(adam: Adam, gradients: Weights) -> None:
        if adam.num_steps == after:
            raise InterruptionError
        take_step(adam, gradients)

    take_step = Adam.step
    with monkeypatch.context() as patch:
        patch.setattr(Adam, "step", step)
        patch.setattr(forecasting, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        with pytest.raises(InterruptionError):
            yield


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("stack", [{}, {"units": (4, 3), "dropout": 0.3}], ids=["layer", "stack"])
def test_interrupted_training_goes_on_bit_for_bit(
    cases: Cases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    cell: str,
    stack: dict[str, Any],
) -> None:
    whole = train(cases[name], cell, **stack)
    with break_off(monkeypatch, after=60):
        train(cases[name], cell, TrainingPlan(checkpoints=tmp_path), **stack)
    num_steps = []
    with monkeypatch.context() as patch:
        take_step = Adam.step
        patch.setattr(
            Adam,
            "step",
            lambda adam, given: num_steps.append(adam.num_steps) or take_step(adam, given),
        )
        assert_same(train(cases[name], cell, TrainingPlan(checkpoints=tmp_path), **stack), whole)
    assert num_steps[0] == 50


def test_training_interrupted_after_its_validation_goes_on_bit_for_bit(
    cases: Cases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The members in use, which are trained last, continue from their own checkpoint."""
    case = cases["many"]
    steps = []
    take_step = MemberSteps.step
    whole = train(case)
    num_steps = whole.record["num_steps"]
    best_step = whole.record["best_step"]
    assert best_step > CHECK_STEPS

    def step(members: MemberSteps) -> float:
        if len(steps) == num_steps + CHECK_STEPS + 5:
            raise InterruptionError
        steps.append(members.num_steps)
        return take_step(members)

    with monkeypatch.context() as patch:
        patch.setattr(MemberSteps, "step", step)
        patch.setattr(forecasting, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        with pytest.raises(InterruptionError):
            train(case, plan=TrainingPlan(checkpoints=tmp_path))
    steps.clear()
    with monkeypatch.context() as patch:
        patch.setattr(
            MemberSteps, "step", lambda self: steps.append(self.num_steps) or take_step(self)
        )
        assert_same(train(case, plan=TrainingPlan(checkpoints=tmp_path)), whole)
    assert steps == [*range(CHECK_STEPS, best_step)]


def test_finished_training_leaves_no_checkpoint(
    cases: Cases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with break_off(monkeypatch, after=60):
        train(cases["bends"], plan=TrainingPlan(checkpoints=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["gru.npz"]
    train(cases["bends"], plan=TrainingPlan(checkpoints=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "of another kind"])
def test_damaged_checkpoint_is_left_out(
    cases: Cases,
    trained: Cases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    with break_off(monkeypatch, after=60):
        train(cases["bends"], plan=TrainingPlan(checkpoints=tmp_path))
    path = tmp_path / "gru.npz"
    content = path.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut": content[:middle],
        "changed": content[:middle]
        + bytes(byte ^ 255 for byte in content[middle : middle + 9])
        + content[middle + 9 :],
        "emptied": b"",
        "of another kind": b"no archive at all",
    }
    path.write_bytes(damaged[damage])
    with caplog.at_level(logging.WARNING):
        assert_same(
            train(cases["bends"], plan=TrainingPlan(checkpoints=tmp_path)), trained["bends"]
        )
    assert "because it is damaged" in caplog.text


def change_values(case: SimpleNamespace) -> SimpleNamespace:
    values = case.panel.values.copy()
    values[50, 0] += 0.01
    panel = replace(case.panel, values=values)
    return SimpleNamespace(panel=panel, linear=fit_linear_models(panel))


def change_base(case: SimpleNamespace) -> SimpleNamespace:
    """As another season of the same values would."""
    baseline_weights = (case.linear.names == "last_value").astype(float)
    return SimpleNamespace(panel=case.panel, linear=replace(case.linear, weights=baseline_weights))


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (change_values, {}),
        (change_base, {}),
        (lambda case: case, {"seed": 1}),
        (lambda case: case, {"learning_rate": 0.02}),
        (lambda case: case, {"clip_norm": None}),
        (lambda case: case, {"dropout": 0.5}),
    ],
    ids=["values", "linear", "seed", "learning rate", "clip norm", "dropout"],
)
def test_checkpoint_of_another_training_is_left_out(
    cases: Cases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[SimpleNamespace], SimpleNamespace],
    options: dict,
) -> None:
    case = change(cases["bends"])
    with break_off(monkeypatch, after=60):
        train(cases["bends"], plan=TrainingPlan(checkpoints=tmp_path))
    assert_same(
        train(case, plan=TrainingPlan(checkpoints=tmp_path), **options), train(case, **options)
    )


@pytest.mark.slow
def test_training_by_keras_gives_the_same_network(cases: Cases) -> None:
    """A whole training of a stack with dropout, within the rounding of float32."""
    one, other = (
        train(cases["bends"], "lstm", units=(4, 3), dropout=0.1, engine=engine)
        for engine in ("numpy", "keras")
    )
    assert [found.record["hyperparameters"]["engine"] for found in (one, other)] == [
        "numpy",
        "keras",
    ]
    np.testing.assert_allclose(other.history["val_loss"], one.history["val_loss"], rtol=1e-3)
    assert other.record["best_step"] == one.record["best_step"]
    np.testing.assert_allclose(
        other.network.out_of_fold, one.network.out_of_fold, rtol=0, atol=1e-3
    )
    assert other.network.shrinkage == pytest.approx(one.network.shrinkage, abs=1e-2)


@pytest.mark.slow
def test_training_by_keras_is_continued(
    cases: Cases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_pipelines.networks.keras_trainer import KerasTrainer

    def break_off(keras: KerasTrainer, batch: trainer.Batch) -> float:
        if keras.num_steps == CHECK_STEPS:
            raise InterruptionError
        return take_step(keras, batch)

    options = {"engine": "keras", "max_steps": CHECK_STEPS + 5}
    take_step = KerasTrainer.step
    whole = train(cases["bends"], **options)
    with monkeypatch.context() as patch:
        patch.setattr(KerasTrainer, "step", break_off)
        patch.setattr(forecasting, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        with pytest.raises(InterruptionError):
            train(cases["bends"], plan=TrainingPlan(checkpoints=tmp_path), **options)
    assert_same(train(cases["bends"], plan=TrainingPlan(checkpoints=tmp_path), **options), whole)


@pytest.mark.parametrize("name", ["bends", "many"])
def test_network_without_a_start_forecasts_from_the_window_alone(cases: Cases, name: str) -> None:
    """Its step 0 is the forecast 0, normalised, and its correction is its forecast."""
    case = cases[name]
    found = train(case, start="none", max_steps=300, learning_rate=0.02)
    assert found.history["val_loss"].iloc[0] == pytest.approx(
        measure(case, case.data.normalized_targets)
    )
    assert found.history["val_loss"].min() < 0.9 * found.history["val_loss"].iloc[0]
    assert (found.network.shrinkage, found.network.start) == (1.0, "none")
    method = describe_network(case.data, found.network)
    normalized = case.data.windows.units.normalize(method.out_of_fold)
    np.testing.assert_allclose(normalized, found.network.out_of_fold, rtol=1e-4, atol=1e-5)
    again = NETWORKS["gru"].unpack(method.model.pack())
    origins = case.linear.validation[:3]
    windows = normalize_windows(case.panel, case.linear.normalizer, origins)
    forecasts = again.forecast(case.panel, windows, origins)
    corrections = correct(found.network, case.panel, windows, origins)
    np.testing.assert_allclose(
        windows.units.normalize(forecasts), corrections, rtol=1e-4, atol=1e-5
    )


def measure(case: SimpleNamespace, residuals: np.ndarray) -> float:
    return float(compute_loss(residuals, case.linear.is_absolute)[0].mean())


def test_memory_of_a_stack_is_that_of_all_its_layers() -> None:
    panel: Any = SimpleNamespace(lookback=30)
    one, two = (
        estimate_training_bytes(panel, MemberShape("lstm", 2, 0, units, 0, 1), 1, 1, 64, 0)
        for units in ((32,), (32, 32))
    )
    assert two - one == estimate_recurrent_bytes(4, 32, 32, 30, 64)


def test_log_states_begin_with_hyperparameters_then_the_end(
    cases: Cases, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        train(cases["bends"])
    first, last = caplog.messages
    assert first.startswith("gru: units 4, ")
    assert "of 100, shrinkage " in last


def test_settings_of_a_network_that_is_not_trained_are_not_logged(
    cases: Cases, caplog: pytest.LogCaptureFixture
) -> None:
    case = cases["bends"]
    data = FittingData(case.panel, case.linear, PretrainedSpec(is_alone=True))
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        train_network(data, NetworkSpec(cell="gru", members=2, units=4), TRAINING)
    assert caplog.messages == []


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", TRAINED)
def test_loss_that_is_no_number_ends_training_with_advice(
    cases: Cases, name: str, value: float
) -> None:
    case = cases[name]
    values = case.panel.values.copy()
    values[10, 0] = value
    case = SimpleNamespace(panel=replace(case.panel, values=values), linear=case.linear)
    with pytest.raises(
        TrainingError, match=r"gru: the loss is not finite after \d+ steps.*training\.learning_rate"
    ):
        train(case)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cell", CELLS)
def test_forecasts_are_finite(cases: Cases, name: str, cell: str) -> None:
    found = forecast_network(
        train(cases[name], cell).network, cases[name].linear, cases[name].panel
    )
    assert np.isfinite(found.test).all()
    assert np.isfinite(found.future).all()


def test_forecast_of_a_network_that_learnt_is_better_than_that_of_its_start(cases: Cases) -> None:
    """On the test part, which it has not seen."""
    case = cases["bends"]
    panel: WindowedPanel = case.panel
    index = panel.index("test")
    targets = panel.values[index.origins(np.arange(len(index)))[:, None] + np.arange(HORIZON), 0]
    network = train(case, max_steps=600, learning_rate=0.02).network
    errors = [
        np.mean((forecast_network(said, case.linear, panel).test - targets) ** 2)
        for said in (network, replace(network, shrinkage=0.0))
    ]
    assert errors[0] < 0.6 * errors[1]


def test_networks_side_by_side_have_the_numbers_of_those_one_after_another(
    cases: Cases, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    specs = {
        cell: NetworkSpec(cell=cell, members=2, units=4, dropout=0.2) for cell in ("lstm", "gru")
    }
    data = cases["many"].data
    found = {}
    for seconds in (60, 0):
        monkeypatch.setattr(side_by_side, "SECONDS_ALONE", seconds)
        with caplog.at_level(logging.INFO, "rnn_pipelines.networks.beside"):
            found[seconds] = side_by_side.train_networks(data, specs, TRAINING)
        assert len([record for record in caplog.records if record.name.endswith("beside")]) == (
            seconds == 0
        )
    for cell in specs:
        assert_same(found[60][cell], found[0][cell])


def test_size_of_a_training_is_about_that_of_its_copy(cases: Cases) -> None:
    case = cases["many"]
    # Computed by the first training.
    _ = case.data.normalized_targets
    copied = len(ForkingPickler.dumps(case.data))
    assert copied / 2 < side_by_side._count_bytes(case.data) < copied * 1.2
