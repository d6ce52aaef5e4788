"""Contributions of past values, covariates and calendar to each step of a forecast.

The baseline is the forecast for a window whose normalised values are 0: at its own level, in mid-season. Contributions
to linear models are exact: coefficient times value. So are those to the pretrained network: gradient times difference.
A trained network's correction is attributed by integrated gradients. Other methods have one contribution, under their
name. The contributions of a step sum to its forecast. If a forecast is cut at 0, the baseline has the difference.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.contributions import Contributions
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, PanelModel
from rnn_pipelines.forecast.methods.predictors import normalize_windows
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.recursion import lay_out_recursive
from rnn_pipelines.forecast.series.rows import look_up
from rnn_pipelines.forecast.series.tables import Features, Scaler, Series
from rnn_pipelines.forecast.windows.panel import Part, WindowedPanel

BASELINE = "baseline"
CALENDAR = "calendar"
TARGET = "y"
COLUMNS = ("unique_id", "cutoff", "ds", "horizon_step", "input", "lag", "contribution")
# Numbers of series whose next values are explained in a run, and of test windows.
NUM_NEXT, NUM_TYPICAL = 3, 6
# Contributions of the test windows that are explained in a run, at most; one of each input to each step.
MAX_CONTRIBUTIONS = 600_000


def explain_ends(
    forecaster: Forecaster, series: Series, covariate_table: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Explain the forecasts of the steps after each series' end; or raise a SeriesError if there are none."""
    horizon = forecaster.settings.horizon
    forecaster, panel, features = lay_out_recursive(forecaster, series, horizon, covariate_table)
    assert isinstance(forecaster.model, PanelModel)
    return explain_windows(
        forecaster.model, panel, features, forecaster.scaler, panel.list_origins("future")
    )


def explain_ensemble(
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    linear: LinearModels,
    fitted: Mapping[str, FittedMethod],
    ensemble: Mapping[str, Any],
) -> pd.DataFrame:
    """Explain forecasts of the method in use: some of its next values, and some test windows, evenly spaced.

    Returns:
        The columns of `explain_windows`, and `part`: `test` or `future`.
    """
    model = PanelModel(linear.normalizer, fitted[ensemble["used"]].in_use)
    most = MAX_CONTRIBUTIONS // ((panel.lookback + panel.horizon) * panel.horizon)
    numbers: dict[Part, int] = {"future": NUM_NEXT, "test": min(NUM_TYPICAL, max(1, most))}
    tables = [
        explain_windows(model, panel, features, scaler, panel.list_origins(part, number)).assign(
            part=part
        )
        for part, number in numbers.items()
    ]
    return pd.concat(tables, ignore_index=True)


def explain_windows(
    model: PanelModel, panel: WindowedPanel, features: Features, scaler: Scaler, origins: np.ndarray
) -> pd.DataFrame:
    """Explain the forecasts of the windows after some origins, int64[window].

    Returns:
        `unique_id, cutoff, ds, horizon_step, input, lag, contribution`: `input` is `y` with its `lag` (1 for the last
        value), a covariate (`future:price`), `calendar`, `baseline` or the name of a method that is not broken down
        (lag 0). Contributions are in the unit of `y`. Those of a step sum to its forecast, except for the quadrature
        error of the gradients.
    """
    mean, deviation = (look_up(features.table, scaler, name) for name in ("mean", "deviation"))
    tables = [pd.DataFrame({name: [] for name in COLUMNS})]
    for origin, number in zip(origins, panel.find_series(origins), strict=True):
        window = np.array([origin])
        parts = model.model.contribute(
            panel, normalize_windows(panel, model.normalizer, window), window
        )
        cut = model.normalizer.cut(panel, window, parts.forecast[None])[0] - parts.forecast
        parts = replace(parts, baseline=parts.baseline + cut)
        target = features.table.iloc[origin : origin + panel.horizon]
        table = _tabulate(parts, target, (mean[number], deviation[number]), features.names)
        tables.append(table.assign(cutoff=features.table["ds"].iloc[origin - 1])[list(COLUMNS)])
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _tabulate(
    parts: Contributions, target: pd.DataFrame, scale: tuple[float, float], names: list[str]
) -> pd.DataFrame:
    """Return one row for each step and input, in the unit of the series."""
    mean, deviation = scale
    # A value that is both history and season gets one row.
    lags, places = np.unique(parts.lags, return_inverse=True)
    summed = np.zeros((len(lags), parts.values.shape[1]))
    np.add.at(summed, places, parts.values)
    rows = [
        (BASELINE, 0, parts.baseline * deviation + mean),
        (CALENDAR, 0, deviation * parts.calendar),
    ]
    named = [*zip(names, parts.covariates, strict=True), *parts.whole.items()]
    rows += [(name, 0, deviation * values) for name, values in named]
    rows += [
        (TARGET, int(lag), deviation * values) for lag, values in zip(lags, summed, strict=True)
    ]
    inputs, lags_of_rows, contributions = zip(*rows, strict=True)
    horizon = len(target)
    steps = np.tile(np.arange(len(target)), len(rows))
    table = target[["unique_id", "ds"]].iloc[steps].reset_index(drop=True)
    repeated = {"input": np.array(inputs, object), "lag": np.array(lags_of_rows, np.int64)}
    columns = {name: np.repeat(values, horizon) for name, values in repeated.items()}
    return table.assign(
        horizon_step=steps + 1, **columns, contribution=np.concatenate(contributions)
    )
