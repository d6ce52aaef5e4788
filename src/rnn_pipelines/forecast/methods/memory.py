"""The memory that fitting and training need, estimated from the sizes of the windows."""

from itertools import pairwise

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.forecast.methods.folds import Folds
from rnn_pipelines.forecast.methods.linear.layout import NUM_HARMONICS
from rnn_pipelines.forecast.methods.predictors import list_covariate_inputs
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.networks.members import MemberShape
from rnn_pipelines.networks.memory import estimate_recurrent_bytes

# Largest number of linear methods. Each has one matrix per fold.
MAX_LINEAR_METHODS = 13


def estimate_linear_bytes(panel: WindowedPanel, folds: Folds) -> float:
    """Return the memory of `fit_linear_models` in bytes, float64.

    It holds the predictors of all fitted and validation windows three times during concatenation. For each fold, for
    all data and for the refit, it holds the products of predictors about four times while solving, and the matrices.
    """
    num_calendar = NUM_HARMONICS[-1] * panel.columns.num_calendar
    num_predictors = (
        panel.lookback
        + 2 * panel.horizon
        + len(list_covariate_inputs(panel).columns)
        + num_calendar
        + 1
    )
    num_windows = len(folds.fitted) + len(folds.validation)
    num_fits = len(folds) + 2
    matrices = MAX_LINEAR_METHODS * num_predictors * panel.horizon
    return 8.0 * (3 * num_windows * num_predictors + num_fits * (4 * num_predictors**2 + matrices))


def estimate_training_bytes(
    panel: WindowedPanel,
    shape: MemberShape,
    num_members: int,
    segment: int,
    batch_size: int,
    num_validation: int,
) -> float:
    """Return the memory of training a network in bytes: all members, and the inputs of validation windows."""
    time = -(-panel.lookback // segment)
    inputs = (shape.embedding or shape.num_inputs, *shape.units)
    num_gates = len(CELLS[shape.cell].gates)
    layers = sum(
        estimate_recurrent_bytes(num_gates, *sizes, time, batch_size) for sizes in pairwise(inputs)
    )
    head = 4.0 * (shape.units[-1] + shape.num_static_inputs + 1) * shape.num_outputs * 8
    head += 16.0 * batch_size * shape.num_outputs
    embedding = 32.0 * shape.num_inputs * shape.embedding
    read = (
        4.0
        * num_validation
        * (time * shape.num_inputs + shape.num_static_inputs + shape.num_outputs)
    )
    return num_members * (layers + head + embedding) + read
