"""What every forecaster took: wall seconds of its fit and of its forecasts."""

from collections.abc import Mapping
from typing import Any

from rnn_pipelines.forecast.base import Base
from rnn_pipelines.forecast.best import BEST
from rnn_pipelines.forecast.predictions import Forecasts
from rnn_pipelines.forecast.theta import THETA


def count_seconds(
    base: Base, best: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]], forecasts: Mapping[str, Forecasts]
) -> dict[str, dict[str, float]]:
    """What it takes to have each forecaster, all that it stands on included, and what its forecasts took.

    Simple methods are fitted together, and each has the seconds of all; networks start from them, and the combination
    needs everyone. The theta method is fitted when it forecasts. Intervals are fitted after that, and are in none.

    Args:
        base: what is linear.
        best: see `weigh_best`.
        records: of each network's training.
        forecasts: of everyone.
    Returns:
        `fit_seconds`, and `prediction_seconds` of test part and next values together, by forecaster.
    """
    training = {name: record["training_seconds"] for name, record in records.items()}
    fit = {name: base.seconds + training.get(name, 0.0) for name in forecasts} | {THETA: 0.0}
    fit[BEST] = base.seconds + sum(training.values()) + best["seconds"]
    return {name: {"fit_seconds": fit[name], "prediction_seconds": found.seconds} for name, found in forecasts.items()}
