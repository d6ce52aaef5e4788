"""Scaling of each series to mean 0 and deviation 1 over its training part."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.series.rows import find_rows, list_series_names, look_up
from rnn_pipelines.forecast.series.tables import Cutoffs, Scaler, Series

if TYPE_CHECKING:
    from pandas.core.groupby import SeriesGroupBy


def fit_scaler(series: Series, cutoffs: Cutoffs, trained: Scaler | None = None) -> Scaler:
    """Return mean, deviation and lowest value of every series, from the observed values of its training part only.

    The deviation of a constant part is 1, so that its forecasts have the unit of the series. That of a single value is
    as large beside the value as those of the other series (or of those `trained`) are, so that the intervals of a new
    series have its unit too.
    """
    train = group_training(series, look_up(series, cutoffs, "train_stop"))
    deviations = train.std(ddof=0)
    lowest = train.min()
    is_varied = (lowest < train.max()) & (deviations > 0)
    means = train.mean()
    examples = (
        pd.DataFrame({"mean": means, "deviation": deviations})[is_varied]
        if trained is None
        else trained
    )
    examples = examples[examples["mean"] != 0]
    if len(examples):
        usual = (examples["deviation"] / examples["mean"].abs()).median() * means.abs()
        is_alone = (train.count() == 1) & (usual > 0)
        deviations = deviations.mask(is_alone, usual)
        is_varied = is_varied | is_alone
    statistics = pd.DataFrame(
        {"mean": means, "deviation": deviations.where(is_varied, 1.0), "lowest": lowest}
    )
    statistics.insert(0, "unique_id", list_series_names(series))
    return statistics.reset_index(drop=True)


def group_training(series: Series, train_stops: np.ndarray) -> "SeriesGroupBy[float, int]":
    """Group the observed values of every training part, of int64[series] steps, by the number of the series, from 0."""
    rows = find_rows(series)
    is_train = (rows.places < rows.spread(train_stops)) & series["observed"].to_numpy()
    return series["y"][is_train].groupby(rows.numbers[is_train])


def scale(values: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return (values - mean) / deviation, computed in float64."""
    return (np.asarray(values, np.float64) - mean) / deviation


def unscale(values: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return values in the unit of `y`: the inverse of `scale`, in float64."""
    return np.asarray(values, np.float64) * deviation + mean
