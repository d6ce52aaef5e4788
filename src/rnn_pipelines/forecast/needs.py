"""What fitting and training would need of memory, from the sizes of the windows alone."""

from rnn_pipelines.forecast.effects import count_predictors
from rnn_pipelines.forecast.folds import Folds
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.networks.members import NUM_GATES, MemberShape
from rnn_pipelines.networks.memory import estimate_recurrent_bytes

# Simple methods, each a matrix for each fold.
NUM_METHODS = 10


def estimate_base_bytes(panel: WindowedPanel, folds: Folds) -> float:
    """What `fit_base` takes, float64.

    The predictors of all fitted and judged windows, three times while they are put together; for each fold, and the
    whole past, the products of predictors with each other, about four times while they are solved; and the matrices.
    """
    num_predictors = panel.lookback + 2 * panel.horizon + sum(count_predictors(panel)) + panel.num_known + 1
    num_windows, num_fits = len(folds.fitted) + len(folds.judged), len(folds) + 1
    matrices = NUM_METHODS * num_predictors * panel.horizon
    return 8.0 * (3 * num_windows * num_predictors + num_fits * (4 * num_predictors**2 + matrices))


def estimate_training_bytes(
    panel: WindowedPanel, shape: MemberShape, num_members: int, segment: int, batch_size: int, num_judged: int
) -> float:
    """What the training of a network takes: its members one beside the other, and the judged windows as they are read.

    Args:
        panel: the windows.
        shape: of each member.
        num_members: that are trained.
        segment: steps of the series that are read as one.
        batch_size: windows of a gradient step.
        num_judged: windows that judge.
    """
    time = -(-panel.lookback // segment)
    inputs = shape.embedding or shape.num_inputs
    layer = estimate_recurrent_bytes(NUM_GATES[shape.cell], inputs, shape.units, time, batch_size)
    head = 4.0 * (shape.units + shape.num_known + 1) * shape.num_outputs * 8 + 16.0 * batch_size * shape.num_outputs
    embedding = 32.0 * shape.num_inputs * shape.embedding
    read = 4.0 * num_judged * (time * shape.num_inputs + shape.num_known + shape.num_outputs)
    return num_members * (layer + head + embedding) + read
