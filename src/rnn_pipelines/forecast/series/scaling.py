"""Each series on a scale of its own: mean 0 and deviation 1 over its training part."""

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.series.tables import Cutoffs, Scaler, Series


def fit_scaler(series: Series, cutoffs: Cutoffs) -> Scaler:
    """Finds mean and deviation of every series, from the observed values of its training part only."""
    train_stops = series["unique_id"].map(cutoffs.set_index("unique_id")["train_stop"])
    is_train = series.groupby("unique_id", sort=False).cumcount() < train_stops
    train = series[is_train & series["observed"]].groupby("unique_id", sort=False)["y"]
    return pd.DataFrame({"mean": train.mean(), "deviation": train.std(ddof=0)}).reset_index()


def scale(values: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """(values - mean) / deviation, computed in float64."""
    return (np.asarray(values, np.float64) - mean) / deviation


def unscale(values: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Back to the unit of `y`: the inverse of `scale`, in float64."""
    return np.asarray(values, np.float64) * deviation + mean
