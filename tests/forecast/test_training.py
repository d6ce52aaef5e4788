"""Training is repeatable, keeps the best weights, says what it took, and never sees the test part."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from rnn_pipelines.errors import TrainingError
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import WindowedPanel, WindowSpec, gather_windows
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

pytestmark = pytest.mark.usefixtures("no_graphs")

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

CELLS = ("lstm", "gru")
SCHEDULES = ("plateau", "cosine", "constant")
TRAINING = ForecastTrainingSpec(
    epochs=4,
    patience=10,
    batch_size=16,
    learning_rate=0.01,
    schedule="plateau",
    weight_average=0.0,
    min_steps=0,
    jit_compile=False,
)


@pytest.fixture(scope="module")
def panel(prepare: Prepare, make_values: MakeValues) -> WindowedPanel:
    values = {"a": make_values(60, seed=1), "b": make_values(50, seed=2)}
    return prepare(values, WindowSpec(lookback=4, horizon=2), SplitSpec(validation=10, test=10)).windows


def train(
    panel: WindowedPanel, cell: str = "gru", dropout: float = 0.0, members: int = 1, **options: object
) -> SimpleNamespace:
    """Trains a tiny network: `model, history, record, wall_seconds`."""
    from rnn_pipelines.forecast.training import train_forecaster

    network = NetworkSpec(cell=cell, units=(4,), dropout=dropout, members=members)
    started = time.perf_counter()
    model, history, record = train_forecaster(panel, network, TRAINING.model_copy(update=options))
    return SimpleNamespace(model=model, history=history, record=record, wall_seconds=time.perf_counter() - started)


def forecast(trained: SimpleNamespace, panel: WindowedPanel):
    from rnn_pipelines.forecast.training import forecast_windows

    return forecast_windows(trained.model, panel)


def compute_validation_loss(model, panel: WindowedPanel) -> float:
    """Mean squared error over the validation windows, in NumPy."""
    history, known, targets = gather_windows(
        panel, panel.index("validation").origins(np.arange(len(panel.index("validation"))))
    )
    return float(np.mean((model({"history": history, "known": known}).numpy() - targets) ** 2))


@pytest.fixture(scope="module")
def trained(panel: WindowedPanel) -> dict[str, SimpleNamespace]:
    return {cell: train(panel, cell) for cell in CELLS}


@pytest.fixture(scope="module")
def reseeded(panel: WindowedPanel) -> SimpleNamespace:
    """A GRU from the next seed."""
    return train(panel, seed=1)


@pytest.fixture(scope="module")
def doubled(panel: WindowedPanel) -> SimpleNamespace:
    """Two GRUs in one network."""
    return train(panel, members=2)


@pytest.fixture(scope="module")
def again(panel: WindowedPanel, trained: dict[str, SimpleNamespace]) -> dict[str, SimpleNamespace]:
    """The same trainings, after others have moved the global random state; and without the test part."""
    blind = panel.values.copy()
    index = panel.index("test")
    blind[index.origins(np.arange(len(index)))] = np.nan
    return {cell: train(replace(panel, values=blind), cell) for cell in CELLS}


@pytest.fixture(scope="module")
def misleading(panel: WindowedPanel) -> WindowedPanel:
    """Values around 5 to learn from and around -5 to validate on: each epoch is worse than the one before."""
    values = panel.values.copy()
    for start, (first_validated, _) in zip(panel.series_starts, panel.validation, strict=True):
        values[start:first_validated, 0] += 5
        values[first_validated:, 0] -= 5
    return replace(panel, values=values)


@pytest.fixture(scope="module")
def misled(misleading: WindowedPanel) -> SimpleNamespace:
    return train(misleading, epochs=20, patience=2, learning_rate=0.05)


@pytest.fixture(scope="module")
def late(misleading: WindowedPanel) -> SimpleNamespace:
    """The same, but the best epochs come too early to count: only the fourth and the fifth do."""
    num_batches = -(-len(misleading.index("train")) // TRAINING.batch_size)
    return train(misleading, epochs=5, patience=9, learning_rate=0.05, min_steps=3 * num_batches)


@pytest.fixture(scope="module")
def brief(panel: WindowedPanel) -> dict[str, SimpleNamespace]:
    """One epoch under each schedule."""
    return {schedule: train(panel, epochs=1, schedule=schedule) for schedule in SCHEDULES}


@pytest.fixture(scope="module")
def dropped(panel: WindowedPanel) -> SimpleNamespace:
    """One epoch with dropout."""
    return train(panel, dropout=0.5, epochs=1)


@pytest.fixture(scope="module")
def averaged(panel: WindowedPanel) -> SimpleNamespace:
    """A training that validates and keeps the running mean of its weights."""
    return train(panel, weight_average=0.9)


# Repeatable


@pytest.mark.parametrize("cell", CELLS)
def test_same_seed_gives_the_same_weights(trained: dict, again: dict, cell: str) -> None:
    for one, other in zip(trained[cell].model.get_weights(), again[cell].model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cell", CELLS)
def test_same_seed_gives_the_same_losses(trained: dict, again: dict, cell: str) -> None:
    columns = ["epoch", "loss", "val_loss"]
    assert trained[cell].history[columns].equals(again[cell].history[columns])


@pytest.mark.parametrize("cell", CELLS)
def test_same_seed_gives_the_same_forecasts(panel: WindowedPanel, trained: dict, again: dict, cell: str) -> None:
    one, other = forecast(trained[cell], panel), forecast(again[cell], panel)
    np.testing.assert_array_equal(one.test, other.test)
    np.testing.assert_array_equal(one.future, other.future)


def test_same_seed_drops_the_same_units(panel: WindowedPanel, dropped: SimpleNamespace) -> None:
    assert train(panel, dropout=0.5, epochs=1).history["loss"].equals(dropped.history["loss"])


def test_forecasting_drops_no_unit(panel: WindowedPanel, dropped: SimpleNamespace) -> None:
    np.testing.assert_array_equal(forecast(dropped, panel).test, forecast(dropped, panel).test)


def test_another_seed_gives_other_weights(trained: dict, reseeded: SimpleNamespace) -> None:
    assert not np.allclose(trained["gru"].model.get_weights()[0], reseeded.model.get_weights()[0])


def test_training_never_sees_the_test_part(again: dict) -> None:
    """Its values are NaN there, and would be in the weights."""
    assert all(np.isfinite(weights).all() for cell in CELLS for weights in again[cell].model.get_weights())


def test_panel_is_not_changed(panel: WindowedPanel) -> None:
    before = panel.values.copy()
    forecast(train(panel, epochs=1), panel)
    np.testing.assert_array_equal(panel.values, before)


# Learning and stopping


@pytest.mark.parametrize("cell", CELLS)
def test_training_lowers_the_loss(trained: dict, cell: str) -> None:
    loss = trained[cell].history["loss"]
    assert loss.iloc[-1] < loss.iloc[0]


@pytest.mark.parametrize("cell", CELLS)
def test_loss_of_the_final_weights_is_the_best_of_validation(panel: WindowedPanel, trained: dict, cell: str) -> None:
    found = compute_validation_loss(trained[cell].model, panel)
    assert found == pytest.approx(trained[cell].history["val_loss"].min(), rel=1e-4)


def test_best_weights_come_back_after_worse_epochs(misleading: WindowedPanel, misled: SimpleNamespace) -> None:
    assert misled.history["val_loss"].idxmin() < len(misled.history) - 1
    found = compute_validation_loss(misled.model, misleading)
    assert found == pytest.approx(misled.history["val_loss"].min(), rel=1e-4)


def test_averaged_weights_are_validated(trained: dict, averaged: SimpleNamespace) -> None:
    """The first epoch trains the same weights, and validates others."""
    first, plain = averaged.history.iloc[0], trained["gru"].history.iloc[0]
    assert (first["loss"] == plain["loss"], first["val_loss"] == plain["val_loss"]) == (True, False)


def test_averaged_weights_are_kept(panel: WindowedPanel, averaged: SimpleNamespace) -> None:
    found = compute_validation_loss(averaged.model, panel)
    assert found == pytest.approx(averaged.history["val_loss"].min(), rel=1e-4)


def test_training_stops_once_patience_is_over(misled: SimpleNamespace) -> None:
    assert misled.record["num_epochs"] == misled.record["best_epoch"] + 2 < 20


def test_best_epoch_is_that_of_the_lowest_validation_loss(misled: SimpleNamespace) -> None:
    history = misled.history
    assert misled.record["best_epoch"] == history.loc[history["val_loss"].idxmin(), "epoch"]


def test_no_epoch_counts_as_best_before_min_steps(late: SimpleNamespace) -> None:
    assert late.history["val_loss"].idxmin() < 3 <= late.record["best_epoch"] - 1


def test_no_weights_come_back_from_before_min_steps(misleading: WindowedPanel, late: SimpleNamespace) -> None:
    found = compute_validation_loss(late.model, misleading)
    assert found == pytest.approx(late.history["val_loss"][3:].min(), rel=1e-4)


def test_constant_rate_is_the_same_however_many_epochs_follow(brief: dict, trained: dict) -> None:
    """As in the first epoch of a plateau schedule, which has no reason yet to lower it."""
    assert brief["constant"].history["loss"].iloc[0] == pytest.approx(trained["gru"].history["loss"].iloc[0], rel=1e-6)


def test_cosine_rate_falls_within_the_epochs_there_are(brief: dict, trained: dict) -> None:
    assert brief["cosine"].history["loss"].iloc[0] > trained["gru"].history["loss"].iloc[0]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_history_states_the_rate_at_the_start_of_each_epoch(brief: dict, schedule: str) -> None:
    assert brief[schedule].history["learning_rate"].tolist() == pytest.approx([TRAINING.learning_rate])


# What the user is told


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_history_has_the_stated_columns(brief: dict, schedule: str) -> None:
    assert list(brief[schedule].history.columns) == ["epoch", "loss", "val_loss", "learning_rate", "seconds", "is_best"]


def test_history_counts_epochs_from_1(trained: dict) -> None:
    assert trained["gru"].history["epoch"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("key", ["training_seconds", "compile_seconds"])
@pytest.mark.parametrize("cell", CELLS)
def test_no_time_is_negative(trained: dict, cell: str, key: str) -> None:
    assert trained[cell].record[key] >= 0


@pytest.mark.parametrize("cell", CELLS)
def test_training_and_compilation_take_no_longer_than_the_clock_on_the_wall(trained: dict, cell: str) -> None:
    record = trained[cell].record
    assert record["training_seconds"] + record["compile_seconds"] <= trained[cell].wall_seconds


def test_record_counts_the_parameters(trained: dict) -> None:
    assert trained["lstm"].record["num_parameters"] == trained["lstm"].model.count_params()


def test_record_lists_the_layers(trained: dict) -> None:
    assert "lstm_1" in [layer["layer"] for layer in trained["lstm"].record["layers"]]


def test_log_has_one_line_for_each_epoch(panel: WindowedPanel, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        train(panel, epochs=2)
    assert [message.split(" {")[0] for message in caplog.messages] == [
        "gru_forecaster epoch 1/2",
        "gru_forecaster epoch 2/2",
    ]


@pytest.mark.parametrize("value", [np.nan, 1e30], ids=["not a number", "too large"])
def test_loss_that_is_no_number_ends_training_with_advice(panel: WindowedPanel, value: float) -> None:
    values = panel.values.copy()
    values[10, 0] = value
    with pytest.raises(TrainingError, match=r"gru_forecaster: the loss is not finite .* training.learning_rate"):
        train(replace(panel, values=values))


@pytest.mark.parametrize(
    ("field", "value"), [("epochs", 0), ("patience", 0), ("learning_rate", 0), ("schedule", "none"), ("epoch", 1)]
)
def test_wrong_training_is_refused_before_keras_loads(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        ForecastTrainingSpec(**{field: value})


# Forecasts


@pytest.mark.parametrize("cell", CELLS)
def test_forecasts_are_one_for_each_window_and_step(panel: WindowedPanel, trained: dict, cell: str) -> None:
    found = forecast(trained[cell], panel)
    assert (found.test.shape, found.future.shape) == ((len(panel.index("test")), 2), (2, 2))


@pytest.mark.parametrize("part", ["test", "future"])
def test_forecasts_are_in_the_order_of_the_windows(panel: WindowedPanel, trained: dict, part: str) -> None:
    index = panel.index(part)
    history, known, _ = gather_windows(panel, index.origins(np.arange(len(index))))
    expected = trained["gru"].model({"history": history, "known": known}).numpy()
    np.testing.assert_allclose(getattr(forecast(trained["gru"], panel), part), expected, rtol=1e-5, atol=1e-6)


def test_forecasts_are_the_same_whatever_the_batch_size(
    panel: WindowedPanel, trained: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_pipelines.forecast import training as forecasting

    whole = forecast(trained["gru"], panel).test
    monkeypatch.setattr(forecasting, "PREDICT_BATCH_SIZE", 5)
    np.testing.assert_allclose(forecast(trained["gru"], panel).test, whole, rtol=1e-5, atol=1e-6)


def test_members_are_trained_from_one_seed_after_another_and_averaged(
    panel: WindowedPanel, trained: dict, reseeded: SimpleNamespace, doubled: SimpleNamespace
) -> None:
    members = [forecast(member, panel).test for member in (trained["gru"], reseeded)]
    np.testing.assert_allclose(forecast(doubled, panel).test, np.mean(members, axis=0), rtol=1e-5, atol=1e-6)


def test_one_member_needs_no_other_process(panel: WindowedPanel, trained: dict) -> None:
    """Nor the scheduler, which isn't there."""
    from rnn_pipelines.forecast.training import train_forecaster

    network, nobody = NetworkSpec(cell="gru", units=(4,)), ParallelSpec(backend="dask", scheduler="tcp://127.0.0.1:9")
    _, history, _ = train_forecaster(panel, network, TRAINING, parallel=nobody)
    assert history["val_loss"].equals(trained["gru"].history["val_loss"])


def test_history_of_members_is_their_mean(trained: dict, reseeded: SimpleNamespace, doubled: SimpleNamespace) -> None:
    mean = (trained["gru"].history["val_loss"] + reseeded.history["val_loss"]) / 2
    np.testing.assert_allclose(doubled.history["val_loss"], mean, rtol=1e-6)


def test_parameters_of_members_add_up(trained: dict, doubled: SimpleNamespace) -> None:
    assert doubled.record["num_parameters"] == 2 * trained["gru"].record["num_parameters"]


def test_forecasts_are_float32(panel: WindowedPanel, trained: dict) -> None:
    found = forecast(trained["gru"], panel)
    assert found.test.dtype == found.future.dtype == np.float32


def test_forecasts_of_a_network_without_known_features(prepare: Prepare, make_values: MakeValues) -> None:
    panel = prepare(make_values(50), freq=1, start=0).windows
    assert forecast(train(panel, epochs=1), panel).test.shape == (9, 2)


@pytest.mark.slow
def test_process_below_trains_the_same_network(panel: WindowedPanel, trained: dict[str, SimpleNamespace]) -> None:
    from rnn_pipelines.forecast.training import Start, train_forecaster

    network = NetworkSpec(cell="gru", units=(4,))
    below, _, _ = train_forecaster(panel, network, TRAINING, Start(in_subprocess=True))
    for found, expected in zip(below.get_weights(), trained["gru"].model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
