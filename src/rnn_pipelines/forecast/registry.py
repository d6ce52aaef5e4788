"""The forecasting networks, said once; free of Keras, so that parameters and graphs are made before it loads.

Each has its block of parameters, `forecast.<name>`; pipelines, catalog, backtest and reports follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnn_pipelines.looks import CELLS, Look


@dataclass(frozen=True)
class Network:
    """One kind of forecasting network.

    Attributes:
        look: how it appears.
        build: what builds it, with the arguments of `build_forecaster`, and imports Keras only then; None for
            `build_forecaster` itself, with the recurrent layer that has the network's name.
    """

    look: Look
    build: Callable[..., Any] | None = None


NETWORKS: dict[str, Network] = {"lstm": Network(CELLS["lstm"]), "gru": Network(CELLS["gru"])}
