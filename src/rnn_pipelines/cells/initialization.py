"""Random weights, drawn as Keras draws them by default."""

import numpy as np


def draw_glorot_uniform(rng: np.random.Generator, num_rows: int, num_columns: int) -> np.ndarray:
    """float64[num_rows, num_columns], uniform within ±√(6 / (num_rows + num_columns)).

    Source: Glorot & Bengio (2010), equation 16, proceedings.mlr.press/v9/glorot10a.
    """
    limit = np.sqrt(6 / (num_rows + num_columns))
    return rng.uniform(-limit, limit, (num_rows, num_columns))


def draw_orthogonal(rng: np.random.Generator, num_rows: int, num_columns: int) -> np.ndarray:
    """float64[num_rows, num_columns], no more rows than columns: all rows have length 1 and are orthogonal.

    Source: Saxe et al. (2014), arXiv:1312.6120.
    """
    columns, triangle = np.linalg.qr(rng.normal(size=(num_columns, num_rows)))
    # The decomposition is free to choose signs; with these, every such matrix is equally likely.
    return (columns * np.sign(np.diag(triangle))).T
