"""Forecasters that an older version of the project has packed: Keras networks whose forecasts are averaged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.forecast.series.windows import WindowedPanel, gather_windows

BATCH_SIZE = 512


@dataclass(frozen=True)
class KerasMean:
    """The mean of networks that read a scaled window.

    Attributes:
        networks: Keras models by name.
    """

    networks: Mapping[str, Any]

    def forecast(self, panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
        """float32[window, horizon] from int64[window] origins, scaled."""
        found = [np.zeros((0, panel.horizon), np.float32)]
        for begin in range(0, len(origins), BATCH_SIZE):
            history, known, _ = gather_windows(panel, origins[begin : begin + BATCH_SIZE])
            inputs = {"history": history} | ({"known": known} if panel.num_known else {})
            found.append(np.mean([network(inputs).numpy() for network in self.networks.values()], axis=0))
        return np.concatenate(found)
