"""LSTM and GRU networks in Kedro pipelines, always compared with simple baselines."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnn_pipelines.telemetry import turn_telemetry_off
from rnn_pipelines.version import __version__

if TYPE_CHECKING:
    from rnn_pipelines.forecast.interface import Forecaster
    from rnn_pipelines.sentiment.interface import TextClassifier

__all__ = ["Forecaster", "TextClassifier", "__version__"]

turn_telemetry_off()


# The modules of the classes of the Python interface, which are imported at their first use.
MODULES = {
    "Forecaster": "rnn_pipelines.forecast.interface",
    "TextClassifier": "rnn_pipelines.sentiment.interface",
}


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module 'rnn_pipelines' has no attribute '{name}'")
    return getattr(import_module(MODULES[name]), name)
