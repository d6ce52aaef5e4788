"""Random weights of one layer, as before training."""

import numpy as np

from rnn_pipelines.cells.cell import draw_glorot_uniform, draw_orthogonal
from rnn_pipelines.cells.gru import GRUWeights
from rnn_pipelines.cells.lstm import LSTMWeights


def draw_weights(
    rng: np.random.Generator, kind: str, num_inputs: int, units: int
) -> LSTMWeights | GRUWeights:
    """Draw float64 weights of an `lstm`, a `gru` or a `gru_reset_before`; an LSTM has the forget bias 1."""
    width = (4 if kind == "lstm" else 3) * units
    kernel = draw_glorot_uniform(rng, num_inputs, width)
    recurrent_kernel = draw_orthogonal(rng, units, width)
    if kind == "lstm":
        return LSTMWeights(kernel, recurrent_kernel, np.repeat([0.0, 1.0, 0.0, 0.0], units))
    return GRUWeights(
        kernel, recurrent_kernel, np.zeros(width if kind == "gru_reset_before" else (2, width))
    )
