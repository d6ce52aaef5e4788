"""The forecasting networks, said once; free of what trains them, so that graphs are made before it loads.

Each has its block of parameters, `forecast.<name>`; pipelines, catalog, backtest and reports follow.
"""

from dataclasses import dataclass

from rnn_pipelines.cells.conventions import CellName
from rnn_pipelines.looks import CELLS, Look


@dataclass(frozen=True)
class Network:
    """One kind of forecasting network.

    Attributes:
        look: how it appears.
        cell: of its recurrent layer.
    """

    look: Look
    cell: CellName


NETWORKS: dict[str, Network] = {"lstm": Network(CELLS["lstm"], "lstm"), "gru": Network(CELLS["gru"], "gru")}
