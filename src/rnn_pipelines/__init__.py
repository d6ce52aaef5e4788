"""LSTM and GRU networks in Kedro pipelines, always compared with simple baselines."""

from typing import TYPE_CHECKING, Any

from rnn_pipelines.telemetry import turn_telemetry_off
from rnn_pipelines.version import __version__

if TYPE_CHECKING:
    from rnn_pipelines.forecast.interface import Forecaster
    from rnn_pipelines.sentiment.interface import TextClassifier

__all__ = ["Forecaster", "TextClassifier", "__version__"]

turn_telemetry_off()


def __getattr__(name: str) -> Any:
    """Import the classes of the Python interface at their first use, so that the package itself loads fast."""
    if name == "Forecaster":
        from rnn_pipelines.forecast.interface import Forecaster

        return Forecaster
    if name == "TextClassifier":
        from rnn_pipelines.sentiment.interface import TextClassifier

        return TextClassifier
    raise AttributeError(f"module 'rnn_pipelines' has no attribute '{name}'")
