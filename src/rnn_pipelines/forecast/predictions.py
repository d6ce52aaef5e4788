"""Forecasts of a panel's windows, and their long table in the data's own unit."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.series.scaling import unscale
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.forecast.series.windows import Part, WindowedPanel


@dataclass(frozen=True)
class Forecasts:
    """What one forecaster says about the windows that count.

    Attributes:
        test: float32[window, horizon], scaled, in the order of the panel's test windows.
        future: float32[series, horizon], scaled, the steps after each series' end.
    """

    test: np.ndarray
    future: np.ndarray


def tabulate_forecasts(
    panel: WindowedPanel, features: Features, scaler: Scaler, forecasts: Mapping[str, Forecasts], part: Part
) -> pd.DataFrame:
    """One row for each window and step ahead, one column for each forecaster.

    Args:
        panel: the windows.
        features: the rows that the panel was made of.
        scaler: what `fit_scaler` returns.
        forecasts: by forecaster.
        part: `test` or `future`.
    Returns:
        `unique_id`, `cutoff` (last time that the forecast sees), `ds`, `horizon_step` (int64, from 1), for the test
        part `y` and, where it is known, `signal` (float64, NaN where nothing was observed), then each forecaster's
        forecast (float64, in the unit of `y`).
    """
    index = panel.index(part)
    origins = index.origins(np.arange(len(index)))
    rows = (origins[:, None] + np.arange(panel.horizon)).ravel()
    target = features.table.iloc[rows].reset_index(drop=True)
    statistics = scaler.set_index("unique_id").loc[target["unique_id"]]
    mean, deviation = statistics["mean"].to_numpy(), statistics["deviation"].to_numpy()
    table = pd.DataFrame(
        {
            "unique_id": target["unique_id"],
            "cutoff": np.repeat(features.table["ds"].to_numpy()[origins - 1], panel.horizon),
            "ds": target["ds"],
            "horizon_step": np.tile(np.arange(1, panel.horizon + 1), len(origins)),
        }
    )
    for column in target.columns.intersection(["y", "signal"] if part == "test" else []):
        table[column] = target[column].where(target["observed"])
    for name, forecast in forecasts.items():
        table[name] = unscale(getattr(forecast, part).ravel(), mean, deviation)
    return table
