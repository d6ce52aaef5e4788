"""LSTM and GRU networks at work in Kedro pipelines, always judged beside simple baselines."""

from typing import TYPE_CHECKING, Any

from rnn_pipelines.champion.tracking.telemetry import turn_telemetry_off
from rnn_pipelines.networks.keras_start import quicken_start
from rnn_pipelines.version import __version__

if TYPE_CHECKING:
    from rnn_pipelines.forecast.interface import Forecaster
    from rnn_pipelines.sentiment.interface import TextClassifier

__all__ = ["Forecaster", "TextClassifier", "__version__"]

quicken_start()
turn_telemetry_off()


def __getattr__(name: str) -> Any:
    """The Python interface, loaded where it is first asked for, so that the package itself loads at once."""
    if name == "Forecaster":
        from rnn_pipelines.forecast.interface import Forecaster

        return Forecaster
    if name == "TextClassifier":
        from rnn_pipelines.sentiment.interface import TextClassifier

        return TextClassifier
    raise AttributeError(f"module 'rnn_pipelines' has no attribute '{name}'")
