"""What every forecaster took, and what of it is shared."""

from types import SimpleNamespace

import numpy as np

from rnn_pipelines.forecast.predictions import Forecasts
from rnn_pipelines.forecast.seconds import count_seconds

NOTHING = np.zeros((0, 1), np.float32)
NAMES = ("last_value", "ridge", "theta", "lstm", "gru", "best")


def count(**prediction: float) -> dict[str, dict[str, float]]:
    records = {"lstm": {"training_seconds": 20.0}, "gru": {"training_seconds": 10.0}}
    forecasts = {name: Forecasts(NOTHING, NOTHING, prediction.get(name, 0.0)) for name in NAMES}
    return count_seconds(SimpleNamespace(seconds=1.0), {"seconds": 0.5}, records, forecasts)


def test_a_fit_counts_all_that_it_stands_on() -> None:
    assert {name: numbers["fit_seconds"] for name, numbers in count().items()} == {
        "last_value": 1.0,
        "ridge": 1.0,
        "theta": 0.0,
        "lstm": 21.0,
        "gru": 11.0,
        "best": 31.5,
    }


def test_forecasts_are_told_one_by_one() -> None:
    found = count(theta=3.0, best=4.0)
    assert {
        name: numbers["prediction_seconds"] for name, numbers in found.items() if numbers["prediction_seconds"]
    } == {
        "theta": 3.0,
        "best": 4.0,
    }
