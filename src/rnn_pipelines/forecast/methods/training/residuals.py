"""The errors of linear forecasts at the windows of a training, each computed once if there are few windows."""

import numpy as np

from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows, normalize_targets, normalize_windows
from rnn_pipelines.forecast.methods.training.validation import MAX_RESIDUAL

# Most bytes of errors that are kept.
MAX_KEPT = 2**26


class Residuals:
    """Actual minus linear forecast, normalised and clipped.

    Args:
        data: the windows and their linear models.
        matrices: of the linear forecast of each member, float64[member, predictor, horizon].
        origins: of all windows, in order: int64[window].
    """

    def __init__(self, data: FittingData, matrices: np.ndarray, origins: np.ndarray) -> None:
        self._data, self._matrices, self._origins = data, matrices, origins
        shape = len(matrices), len(origins), data.panel.horizon
        is_kept = 4 * np.prod(shape, dtype=float) <= MAX_KEPT
        self._kept = np.empty(shape, np.float32) if is_kept else None
        self._is_known = np.zeros(len(origins), bool)

    def find(self, origins: np.ndarray) -> tuple[NormalizedWindows, np.ndarray]:
        """Return windows, and their errors: float32[member, window, horizon].

        The windows are without predictors if their errors are known.
        """
        panel, normalizer = self._data.panel, self._data.linear.normalizer
        rows = np.searchsorted(self._origins, origins)
        if self._kept is not None and self._is_known[rows].all():
            return normalize_windows(panel, normalizer, origins, has_predictors=False), self._kept[:, rows]
        windows = normalize_windows(panel, normalizer, origins)
        errors = normalize_targets(panel, windows, origins) - windows.predictors @ self._matrices
        found = np.clip(errors, -MAX_RESIDUAL, MAX_RESIDUAL).astype(np.float32)
        if self._kept is not None:
            self._kept[:, rows], self._is_known[rows] = found, True
        return windows, found
