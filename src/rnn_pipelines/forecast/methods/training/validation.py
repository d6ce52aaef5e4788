"""Validation of a network: the error of each member on its held-out windows, and the shrinkage of the corrections."""

from typing import NamedTuple

import numpy as np

from rnn_pipelines.forecast.methods.local.method import LocalMethod, forecast_locally
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import InputLayout, read_windows
from rnn_pipelines.forecast.methods.past import measure_seasonal_change
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.methods.weights import find_shrinkage
from rnn_pipelines.networks.trainer import measure_loss

BATCH_SIZE = 512
# Larger normalised residuals are clipped, so that nearly constant windows do not dominate.
MAX_RESIDUAL = 30.0
# A local method is far better than the baseline ensemble if the squared error of that is so many times its own, on at
# most so many windows.
MAX_RATIO, MAX_COMPARED = 1.3, 200
# The groups of series whose gains are compared if there is only one fold.
NUM_GROUPS = 5


class ValidationBatch(NamedTuple):
    """Some held-out windows of one member."""

    member: int  # its number, which is that of the fold
    rows: np.ndarray  # int64[window], of the validation windows
    # `steps` and `static_inputs`: see `read_windows`.
    steps: np.ndarray
    static_inputs: np.ndarray
    # float64[window, horizon], normalised: actual minus linear forecast, clipped
    residuals: np.ndarray


def read_validation(data: FittingData, layout: InputLayout) -> list[ValidationBatch]:
    """Return the validation windows as inputs of a network; none if there are too few windows for validation."""
    residuals = find_residuals(data)
    linear = data.linear
    batches = []
    for fold in range(len(linear)):
        own = np.flatnonzero(linear.fold == fold)
        for rows in np.array_split(own, -(-len(own) // BATCH_SIZE)):
            inputs = read_windows(
                data.panel, data.windows.select(rows), data.validation[rows], layout
            )
            batches.append(ValidationBatch(fold, rows, *inputs, residuals[rows]))
    return batches


def find_residuals(data: FittingData) -> np.ndarray:
    """Return actual minus linear forecast of the validation windows, clipped: float64[validation, horizon]."""
    return np.clip(data.normalized_targets - data.linear_forecasts, -MAX_RESIDUAL, MAX_RESIDUAL)


def find_network_shrinkage(data: FittingData, out_of_fold: np.ndarray, num_members: int) -> float:
    """Return the shrinkage of the corrections, 0 to 1: the factor with the least error, times the agreement of folds.

    With one fold, groups of series take the place of folds. The factor for the mean of m members is ours: for one it is
    1 / (1 + v), with the variance v of its error over that of the signal, and for m it is 1 / (1 + v / m).
    """
    residuals = find_residuals(data)
    linear = data.linear
    shares = np.linspace(0, 1, 21)
    losses = [
        measure_loss(residuals - share * out_of_fold, linear.is_absolute)[0].mean()
        for share in shares
    ]
    share = float(shares[int(np.argmin(losses))])
    # This factor is for one member. The mean of several has less variance between members, and needs less shrinkage.
    share = num_members * share / (num_members * share + 1 - share)
    before, after = (
        measure_loss(one, linear.is_absolute)[0] for one in (residuals, residuals - out_of_fold)
    )
    gains = (before - after).mean(axis=1)
    groups = linear.fold
    if len(linear) == 1:
        groups = data.panel.find_series(data.validation) % NUM_GROUPS
    return share * find_shrinkage(
        np.array([gains[groups == group].mean() for group in np.unique(groups)])
    )


def is_far_behind(data: FittingData) -> bool:
    """Return whether a local method is far better than the baseline ensemble, as on many sparse panels.

    Both are measured by squared errors on held-out windows, in units of MASE. See decision 51.
    """
    rows = np.linspace(0, len(data.validation) - 1, min(MAX_COMPARED, len(data.validation))).astype(
        int
    )
    origins = data.validation[rows]
    panel = data.panel
    changes = measure_seasonal_change(panel)[panel.find_series(origins)][:, None]
    windows = data.windows.select(rows)
    actual = data.actual[rows]

    def measure(forecasts: np.ndarray) -> float:
        return float(np.mean(((actual - forecasts) / changes) ** 2))

    if not len(rows):
        return False
    candidates = [
        method
        for method in METHODS.values()
        if isinstance(method, LocalMethod) and method.is_candidate
    ]
    local = [
        forecast_locally(panel, origins, method.extend)
        for method in candidates
        if method.suits(data)
    ]
    ensemble = windows.units.denormalize(data.linear_forecasts[rows])
    return measure(ensemble) > MAX_RATIO * min(map(measure, local))
