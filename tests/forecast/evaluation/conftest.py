"""Random forecasts beside what happened, and series that they could be of."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.metrics import measure_by_series
from rnn_pipelines.forecast.methods.predictions import Predictions

MakeTable = Callable[..., pd.DataFrame]

FORECASTERS = ("lstm", "gru", "last_value", "seasonal_naive", "ridge")


@pytest.fixture(scope="session")
def make_predictions() -> Callable[..., Predictions]:
    """Makes random actuals and forecasts, from the number of windows of each series."""

    def make(sizes: dict[str, int], horizon: int = 2) -> Predictions:
        random = np.random.default_rng(0)
        tables = []
        for scale, (name, size) in enumerate(sizes.items(), start=1):
            table = pd.DataFrame(
                {
                    "unique_id": name,
                    "cutoff": np.repeat(np.arange(size), horizon),
                    "ds": np.repeat(np.arange(size), horizon)
                    + np.tile(np.arange(1, horizon + 1), size),
                    "horizon_step": np.tile(np.arange(1, horizon + 1), size),
                    "y": random.normal(10, scale, size * horizon),
                    "signal": 10.0,
                }
            )
            tables.append(
                table.assign(
                    **{
                        name: table["y"] + random.normal(0, scale, len(table))
                        for name in FORECASTERS
                    }
                )
            )
        return Predictions(pd.concat(tables, ignore_index=True), FORECASTERS)

    return make


@pytest.fixture(scope="session")
def make_series() -> MakeTable:
    """Makes series of values; one that is NaN was not observed."""

    def make(values: dict[str, list[float]]) -> pd.DataFrame:
        tables = [
            pd.DataFrame({"unique_id": name, "ds": range(len(y)), "y": y})
            for name, y in values.items()
        ]
        series = pd.concat(tables, ignore_index=True)
        return series.assign(observed=series["y"].notna())

    return make


@pytest.fixture(scope="session")
def make_cutoffs() -> MakeTable:
    """Makes the ends of training parts, by series."""

    def make(**train_stops: int) -> pd.DataFrame:
        return pd.DataFrame(
            {"unique_id": list(train_stops), "train_stop": list(train_stops.values())}
        )

    return make


@pytest.fixture(scope="session")
def predictions(make_predictions: Callable[..., Predictions]) -> Predictions:
    return make_predictions({"a": 5, "b": 20})


@pytest.fixture(scope="session")
def by_series(
    predictions: Predictions, make_series: MakeTable, make_cutoffs: MakeTable
) -> pd.DataFrame:
    random = np.random.default_rng(1)
    series = make_series(
        {"a": random.normal(size=30).tolist(), "b": random.normal(size=40).tolist()}
    )
    return measure_by_series(predictions, series, make_cutoffs(a=20, b=30), season_length=3)
