"""The check of a refit: its errors on the newest windows, compared with those of the evaluated model."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel
from rnn_pipelines.forecast.methods.past import measure_seasonal_change
from rnn_pipelines.forecast.windows.panel import gather_targets

logger = logging.getLogger(__name__)

# Largest number of compared windows, and the fewest that show a difference.
MAX_COMPARED, MIN_COMPARED = 256, 3
# A refit is worse if the mean difference of the logarithms of its errors is larger than this number of standard errors.
MAX_STANDARD_ERRORS = 3.0
# Keeps the logarithm of an error finite, in units of MASE.
SMALLEST_ERROR = 1e-3


def check_refit(data: FittingData, fitted: Mapping[str, FittedMethod]) -> dict[str, FittedMethod]:
    """Return the methods, without their refits if that of the ensemble is worse than the evaluated ensemble."""
    if not _is_worse(data, fitted[ENSEMBLE]):
        return dict(fitted)
    logger.warning(
        "the refit on all rows is not used, because its errors on the newest windows are clearly larger"
    )
    return {name: replace(method, refitted=None) for name, method in fitted.items()}


def _is_worse(data: FittingData, method: FittedMethod) -> bool:
    """Return whether the refit forecasts the newest windows clearly worse than the evaluated model, or not at all.

    The refit has learnt these windows, and the evaluated model has not, so that only a fault makes the refit worse.

    The test windows are compared, or without them the validation windows.
    """
    panel = data.panel
    index = panel.index("test") if len(panel.test) else panel.index("validation")
    # Windows within a horizon overlap, and are not independent.
    numbers = np.arange(len(index) - 1, -1, -panel.horizon)[:MAX_COMPARED]
    origins = np.sort(index.origins(numbers))
    changes = measure_seasonal_change(panel)[panel.find_series(origins)][:, None]
    actual = gather_targets(panel, origins)
    losses = []
    for model in (method.in_use, method.model):
        errors = (
            actual - PanelModel(data.linear.normalizer, model).forecast(panel, origins)
        ) / changes
        # The logarithm, because a few very large errors would hide a fault in their standard error.
        losses.append(np.log(np.abs(errors).mean(axis=1) + SMALLEST_ERROR))
    differences = losses[0] - losses[1]
    if not np.isfinite(losses[0]).all():
        return True
    if len(differences) < MIN_COMPARED:
        return False
    standard_error = differences.std(ddof=1) / np.sqrt(len(differences))
    return bool(differences.mean() > MAX_STANDARD_ERRORS * standard_error)
