"""Random initial weights, drawn as Keras does by default."""

import numpy as np


def draw_glorot_uniform(rng: np.random.Generator, num_rows: int, num_columns: int) -> np.ndarray:
    """Draw float64[num_rows, num_columns], uniform within ±√(6 / (num_rows + num_columns)).

    Source: Glorot & Bengio (2010), equation 16, proceedings.mlr.press/v9/glorot10a.
    """
    limit = np.sqrt(6 / (num_rows + num_columns))
    return rng.uniform(-limit, limit, (num_rows, num_columns))


def draw_orthogonal(rng: np.random.Generator, num_rows: int, num_columns: int) -> np.ndarray:
    """Draw float64[num_rows, num_columns] with orthogonal rows of length 1, at most as many rows as columns.

    Source: Saxe et al. (2014), arXiv:1312.6120.
    """
    columns, triangle = np.linalg.qr(rng.normal(size=(num_columns, num_rows)))
    # The signs of the decomposition are arbitrary. With these signs, every such matrix is equally likely.
    return (columns * np.sign(np.diag(triangle))).T
