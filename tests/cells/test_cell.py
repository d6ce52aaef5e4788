"""Weights before training have the distributions of Keras."""

import numpy as np
import pytest

from rnn_pipelines.cells.cell import draw_glorot_uniform, draw_orthogonal


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(("num_rows", "num_columns"), [(50, 160), (160, 50), (1, 3)])
def test_glorot_numbers_are_uniform_within_their_limit(
    rng: np.random.Generator, num_rows: int, num_columns: int
) -> None:
    limit = np.sqrt(6 / (num_rows + num_columns))
    values = np.concatenate(
        [draw_glorot_uniform(rng, num_rows, num_columns).ravel() for _ in range(1000)]
    )
    shares, _ = np.histogram(values, bins=4, range=(-limit, limit))
    assert np.abs(values).max() <= limit
    np.testing.assert_allclose(shares / len(values), 0.25, atol=0.03)


def test_limits_of_glorot_are_those_of_keras(rng: np.random.Generator) -> None:
    import keras

    theirs = np.abs(keras.initializers.GlorotUniform(seed=0)((200, 300))).max()
    assert np.abs(draw_glorot_uniform(rng, 200, 300)).max() == pytest.approx(theirs, rel=1e-3)


def test_orthogonal_numbers_prefer_no_sign(rng: np.random.Generator) -> None:
    is_positive = np.array([draw_orthogonal(rng, 2, 6) > 0 for _ in range(1000)])
    np.testing.assert_allclose(is_positive.mean(axis=0), 0.5, atol=0.06)


@pytest.mark.parametrize(("num_rows", "num_columns"), [(8, 32), (8, 8), (1, 4), (1, 1)])
def test_rows_of_an_orthogonal_matrix_are_orthonormal(
    rng: np.random.Generator, num_rows: int, num_columns: int
) -> None:
    matrix = draw_orthogonal(rng, num_rows, num_columns)
    assert matrix.shape == (num_rows, num_columns)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(num_rows), rtol=0, atol=1e-14)
