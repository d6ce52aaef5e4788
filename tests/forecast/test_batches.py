"""Batches hold the windows that NumPy gathers; shuffling changes their order alone."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import Part, WindowedPanel, WindowSpec, gather_windows

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

PARTS: tuple[Part, ...] = ("train", "validation", "test", "future")


def collect(panel: WindowedPanel, part: Part, batch_size: int = 7, seed: int | None = None, epochs: int = 1) -> list:
    """Inputs and targets of all windows of each epoch, from one data set."""
    from rnn_pipelines.forecast.batches import batch_windows

    dataset = batch_windows(panel, part, batch_size, seed)
    found = []
    for _ in range(epochs):
        batches = list(dataset.as_numpy_iterator())
        inputs = {name: np.concatenate([inputs[name] for inputs, _ in batches]) for name in batches[0][0]}
        found.append((inputs, np.concatenate([targets for _, targets in batches])))
    return found


def name_windows(epoch: tuple[dict[str, np.ndarray], np.ndarray]) -> list[float]:
    """A value that is another one in every window."""
    return epoch[0]["history"][:, 0, 0].tolist()


@pytest.fixture(scope="module", params=[1, 3], ids=["stride 1", "stride 3"])
def panel(request: pytest.FixtureRequest, prepare: Prepare, make_values: MakeValues) -> WindowedPanel:
    values = {"a": make_values(60, seed=1, missing=[20]), "b": make_values(50, seed=2)}
    window = WindowSpec(lookback=5, horizon=3, stride=request.param)
    return prepare(values, window, SplitSpec(validation=10, test=10)).windows


@pytest.mark.parametrize("part", PARTS)
def test_batches_hold_what_numpy_gathers(panel: WindowedPanel, part: Part) -> None:
    [(inputs, targets)] = collect(panel, part)
    history, known, expected = gather_windows(panel, np.concatenate(list(panel.index(part).batches(100))))
    np.testing.assert_array_equal(inputs["history"], history)
    np.testing.assert_array_equal(inputs["known"], known)
    np.testing.assert_array_equal(targets, expected)


def test_batches_hold_no_known_features_where_there_are_none(prepare: Prepare, make_values: MakeValues) -> None:
    panel = prepare(make_values(50), freq=1, start=0).windows
    [(inputs, _)] = collect(panel, "train")
    assert list(inputs) == ["history"]


def test_last_batch_is_what_is_left(panel: WindowedPanel) -> None:
    from rnn_pipelines.forecast.batches import batch_windows

    sizes = [len(targets) for _, targets in batch_windows(panel, "test", 7)]
    assert sizes == [7, 7, 2]


def test_number_of_batches_is_known(panel: WindowedPanel) -> None:
    from rnn_pipelines.forecast.batches import batch_windows

    assert int(batch_windows(panel, "train", 7, shuffle_seed=0).cardinality()) == -(-len(panel.index("train")) // 7)


def test_shuffling_covers_every_window_once_in_each_epoch(panel: WindowedPanel) -> None:
    [ordered] = collect(panel, "train")
    for epoch in collect(panel, "train", seed=0, epochs=3):
        assert sorted(name_windows(epoch)) == sorted(name_windows(ordered))


def test_shuffling_keeps_inputs_and_targets_together(panel: WindowedPanel) -> None:
    [(inputs, targets)], [shuffled] = collect(panel, "train"), collect(panel, "train", seed=0)
    order = np.argsort(inputs["history"][:, 0, 0]), np.argsort(shuffled[0]["history"][:, 0, 0])
    np.testing.assert_array_equal(targets[order[0]], shuffled[1][order[1]])


def test_every_epoch_has_another_order(panel: WindowedPanel) -> None:
    first, second = collect(panel, "train", seed=0, epochs=2)
    assert name_windows(first) != name_windows(second)


def test_same_seed_gives_the_same_orders(panel: WindowedPanel) -> None:
    one, other = ([name_windows(epoch) for epoch in collect(panel, "train", seed=0, epochs=2)] for _ in range(2))
    assert one == other


def test_another_seed_gives_another_order(panel: WindowedPanel) -> None:
    [one], [other] = (collect(panel, "train", seed=seed) for seed in (0, 1))
    assert name_windows(one) != name_windows(other)


def test_without_a_seed_windows_stay_in_order(panel: WindowedPanel) -> None:
    first, second = collect(panel, "train", epochs=2)
    assert name_windows(first) == name_windows(second)
