"""LSTM and GRU networks in Kedro pipelines, always compared with simple baselines."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnn_pipelines.telemetry import turn_telemetry_off
from rnn_pipelines.version import __version__

if TYPE_CHECKING:
    from rnn_pipelines.forecast.interface import Forecaster
    from rnn_pipelines.sentiment.interface import TextClassifier

__all__ = ["Forecaster", "TextClassifier", "__version__"]

# The module of each class of the Python interface.
INTERFACES = {
    "Forecaster": "rnn_pipelines.forecast.interface",
    "TextClassifier": "rnn_pipelines.sentiment.interface",
}

turn_telemetry_off()


def __getattr__(name: str) -> Any:
    """Import a class of the Python interface at its first use, so that the package itself loads fast."""
    if name in INTERFACES:
        return getattr(import_module(INTERFACES[name]), name)
    raise AttributeError(f"module 'rnn_pipelines' has no attribute '{name}'")
