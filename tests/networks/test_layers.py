"""Pooling sees the steps that are no padding, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.cells.registry import CELLS

KINDS = [("max",), ("mean",), ("max", "mean"), ("mean", "max")]


@pytest.fixture(scope="module")
def pool():
    """Pools in one call; loads Keras."""
    from rnn_pipelines.networks.layers import MaskedPooling

    def pool_values(
        values: np.ndarray, mask: np.ndarray, kinds: tuple[str, ...] = ("max", "mean")
    ) -> np.ndarray:
        return MaskedPooling(kinds)(values, mask=mask).numpy()

    return pool_values


def make_batch(
    lengths: list[int], time: int, num_features: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Random values, and which steps are words: as many of the first ones as each text has."""
    values = (
        np.random.default_rng(0)
        .normal(-5, 1, (len(lengths), time, num_features))
        .astype(np.float32)
    )
    return values, np.arange(time) < np.array(lengths)[:, None]


@pytest.mark.parametrize("kinds", KINDS)
@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_pooled_values_are_those_of_numpy(pool, kinds: tuple[str, ...], mask: list[bool]) -> None:
    values, _ = make_batch([0], len(mask))
    words = values[0][mask] if any(mask) else np.zeros((1, 3))
    expected = np.concatenate([getattr(np, kind)(words, axis=0) for kind in kinds])
    np.testing.assert_allclose(
        pool(values, np.array([mask]), kinds)[0], expected, rtol=1e-5, atol=1e-6
    )


def test_a_text_without_words_is_pooled_to_0(pool) -> None:
    values, mask = make_batch([0, 2], 4)
    assert (pool(values, mask)[0].tolist(), pool(values, mask)[1].all()) == ([0.0] * 6, True)


def test_padding_does_not_matter(pool) -> None:
    values, mask = make_batch([1, 3, 4], 4)
    other = np.where(mask[:, :, None], values, 1000).astype(np.float32)
    np.testing.assert_array_equal(pool(values, mask), pool(other, mask))


def test_the_maximum_of_negative_values_is_negative(pool) -> None:
    values, mask = make_batch([2], 4)
    assert pool(values, mask, ("max",)).max() < 0


def test_pooling_hands_no_mask_on() -> None:
    import keras

    from rnn_pipelines.networks.layers import MaskedPooling

    words = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(5, 3, mask_zero=True)(words)
    pooled = MaskedPooling()(vectors, mask=keras.ops.not_equal(words, 0))
    assert (hasattr(vectors, "_keras_mask"), getattr(pooled, "_keras_mask", None)) == (True, None)


@pytest.mark.parametrize("kinds", KINDS)
def test_pooling_comes_back_from_its_file(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    import keras

    from rnn_pipelines.networks.layers import MaskedPooling

    values = keras.Input((None, 3), name="values")
    words = keras.Input((None,), dtype="bool", name="words")
    model = keras.Model([values, words], MaskedPooling(kinds, name="pooling")(values, mask=words))
    model.save(tmp_path / "pooling.keras")
    loaded = keras.saving.load_model(tmp_path / "pooling.keras", safe_mode=True)
    assert loaded.get_layer("pooling").kinds == kinds
    batch = make_batch([0, 2, 4], 4)
    np.testing.assert_array_equal(loaded(batch).numpy(), model(batch).numpy())


def test_a_cell_finds_its_layer_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn_pipelines.networks import layers

    class Coupled(layers.MinGRU):
        """The layer of a new cell."""

    monkeypatch.setattr(layers, "Coupled", Coupled, raising=False)
    monkeypatch.setitem(
        CELLS, "coupled", replace(CELLS["mingru"], name="coupled", keras_layer="Coupled")
    )
    assert layers.find_layer("coupled") is Coupled
    assert layers.find_layer("mingru") is layers.MinGRU
