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
from rnn_pipelines.models.specs import NetworkSpec
from rnn_pipelines.series.splits import SplitSpec
from rnn_pipelines.series.windows import WindowedPanel, WindowSpec, gather_windows
from rnn_pipelines.training.specs import TrainingSpec

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

CELLS = ("lstm", "gru")
SCHEDULES = ("plateau", "cosine", "constant")
TRAINING = TrainingSpec(epochs=4, batch_size=16, learning_rate=0.01, min_steps=0, jit_compile=False)


@pytest.fixture(scope="module")
def panel(prepare: Prepare, make_values: MakeValues) -> WindowedPanel:
    values = {"a": make_values(60, seed=1), "b": make_values(50, seed=2)}
    return prepare(values, WindowSpec(lookback=4, horizon=2), SplitSpec(validation=10, test=10)).panel


def train(panel: WindowedPanel, cell: str = "gru", dropout: float = 0.0, **options: object) -> SimpleNamespace:
    """Trains a tiny network: `model, history, record, wall_seconds`."""
    from rnn_pipelines.training.forecasting import train_forecaster

    network = NetworkSpec(cell=cell, units=(4,), dropout=dropout)
    started = time.perf_counter()
    model, history, record = train_forecaster(panel, network, TRAINING.model_copy(update=options))
    return SimpleNamespace(model=model, history=history, record=record, wall_seconds=time.perf_counter() - started)


def forecast(trained: SimpleNamespace, panel: WindowedPanel):
    from rnn_pipelines.training.forecasting import forecast_windows

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
def again(panel: WindowedPanel, trained: dict[str, SimpleNamespace]) -> dict[str, SimpleNamespace]:
    """The same trainings, after others have moved the global random state; and without the test part."""
    blind = panel.values.copy()
    index = panel.index("test")
    blind[index.origins(np.arange(len(index)))] = np.nan
    return {cell: train(replace(panel, values=blind), cell) for cell in CELLS}


@pytest.fixture(scope="module")
def overshot(panel: WindowedPanel) -> SimpleNamespace:
    """A training whose steps are so long that validation soon gets worse."""
    return train(panel, epochs=40, patience=2, learning_rate=0.5, schedule="constant")


@pytest.fixture(scope="module")
def brief(panel: WindowedPanel) -> dict[str, SimpleNamespace]:
    """One epoch under each schedule."""
    return {schedule: train(panel, epochs=1, schedule=schedule) for schedule in SCHEDULES}


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


def test_same_seed_drops_the_same_units(panel: WindowedPanel) -> None:
    one, other = (train(panel, dropout=0.5, epochs=1) for _ in range(2))
    assert one.history["loss"].equals(other.history["loss"])


def test_another_seed_gives_other_weights(panel: WindowedPanel, trained: dict) -> None:
    other = train(panel, seed=1, epochs=1).model.get_weights()
    assert not np.allclose(trained["gru"].model.get_weights()[0], other[0])


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


def test_best_weights_come_back_after_worse_epochs(panel: WindowedPanel, overshot: SimpleNamespace) -> None:
    assert overshot.history["val_loss"].iloc[-1] > overshot.history["val_loss"].min()
    found = compute_validation_loss(overshot.model, panel)
    assert found == pytest.approx(overshot.history["val_loss"].min(), rel=1e-4)


def test_averaged_weights_are_the_ones_that_are_validated_and_kept(panel: WindowedPanel) -> None:
    averaged = train(panel, weight_average=0.9)
    found = compute_validation_loss(averaged.model, panel)
    assert found == pytest.approx(averaged.history["val_loss"].min(), rel=1e-4)


def test_training_stops_once_patience_is_over(overshot: SimpleNamespace) -> None:
    assert overshot.record["num_epochs"] == overshot.record["best_epoch"] + 2 < 40


def test_best_epoch_is_that_of_the_lowest_validation_loss(overshot: SimpleNamespace) -> None:
    history = overshot.history
    assert overshot.record["best_epoch"] == history.loc[history["val_loss"].idxmin(), "epoch"]


def test_nothing_counts_as_best_before_min_steps(panel: WindowedPanel) -> None:
    """Long steps make the first epochs the best; only the last two of them are late enough."""
    num_batches = -(-len(panel.index("train")) // TRAINING.batch_size)
    late = train(panel, epochs=8, patience=9, learning_rate=0.5, schedule="constant", min_steps=6 * num_batches)
    assert late.record["best_epoch"] == late.history["val_loss"][6:].idxmin() + 1


def test_constant_rate_is_the_same_however_many_epochs_follow(brief: dict, trained: dict) -> None:
    """As in the first epoch of a plateau schedule, which has no reason yet to lower it."""
    assert brief["constant"].history["loss"].iloc[0] == pytest.approx(trained["gru"].history["loss"].iloc[0], rel=1e-6)


def test_cosine_rate_falls_within_the_epochs_there_are(brief: dict, trained: dict) -> None:
    assert brief["cosine"].history["loss"].iloc[0] > trained["gru"].history["loss"].iloc[0]


# What the user is told


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_history_has_the_stated_columns(brief: dict, schedule: str) -> None:
    assert list(brief[schedule].history.columns) == ["epoch", "loss", "val_loss", "learning_rate", "seconds"]


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
    with pytest.raises(TrainingError, match=r"gru_forecaster: the loss is not a number .* training.learning_rate"):
        train(replace(panel, values=values))


@pytest.mark.parametrize(
    ("field", "value"), [("epochs", 0), ("patience", 0), ("learning_rate", 0), ("schedule", "none"), ("epoch", 1)]
)
def test_wrong_training_is_refused_before_keras_loads(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        TrainingSpec(**{field: value})


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
    from rnn_pipelines.training import forecasting

    whole = forecast(trained["gru"], panel).test
    monkeypatch.setattr(forecasting, "PREDICT_BATCH_SIZE", 5)
    np.testing.assert_allclose(forecast(trained["gru"], panel).test, whole, rtol=1e-5, atol=1e-6)


def test_forecasts_are_float32(panel: WindowedPanel, trained: dict) -> None:
    found = forecast(trained["gru"], panel)
    assert found.test.dtype == found.future.dtype == np.float32


def test_forecasts_of_a_network_without_known_features(prepare: Prepare, make_values: MakeValues) -> None:
    panel = prepare(make_values(50), freq=1, start=0).panel
    assert forecast(train(panel, epochs=1), panel).test.shape == (9, 2)
