"""Forecasts of the steps after each series' end, also of series that the training did not have.

A panel's methods read nothing of a series but its past. So a training on a panel forecasts new series too, on the
scale of their own values, with intervals from errors on their own past.
"""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.intervals.panel_errors import (
    TINY_PART,
    WINDOWS_OF_SERIES,
    measure_usual,
)
from rnn_pipelines.forecast.intervals.past_errors import NetworkSizes, measure_series_errors
from rnn_pipelines.forecast.intervals.ways import SizeModel
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.pretrained import find_network
from rnn_pipelines.forecast.model.artefact import (
    NAMES_IN_MESSAGE,
    Forecaster,
    lay_out_cutoffs,
    make_cutoff_windows,
)
from rnn_pipelines.forecast.preparation.mending import Mended, mend_breaks
from rnn_pipelines.forecast.preparation.schema import repair_series
from rnn_pipelines.forecast.series.columns import AHEAD
from rnn_pipelines.forecast.series.rows import find_rows, list_series_names
from rnn_pipelines.forecast.series.tables import Features, Scaler, Series, Source
from rnn_pipelines.forecast.source.covariates import (
    check_covariate_columns,
    check_future_covariates,
    list_all_steps,
)
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.unread import report_off_steps
from rnn_pipelines.forecast.windows.coding import add_scales
from rnn_pipelines.forecast.windows.panel import WindowedPanel, count_padded, gather_targets
from rnn_pipelines.forecast.windows.scaling import fit_scaler
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)


def lay_out_newest(
    forecaster: Forecaster,
    table: Source,
    source: SourceSpec,
    covariate_table: pd.DataFrame | None = None,
) -> tuple[Forecaster, WindowedPanel, Features]:
    """Return the forecaster with new series, the windows at each series' end, and their rows, for `forecast_panel`.

    The series have the spacing and the policy for gaps of the forecaster.

    Raises:
        SeriesError: series cannot be used, or have another spacing; a covariate is missing, or lacks values ahead.
    """
    settings = forecaster.settings
    check_covariate_columns(covariate_table, forecaster.coding.list_columns())
    forecaster, series = repair_as_trained(
        forecaster, table, source.model_copy(update={"freq": settings.freq})
    )
    check_ahead(forecaster, series, covariate_table, settings.horizon)
    forecaster = include_new_series(forecaster, series, covariate_table)
    return forecaster, *lay_out_cutoffs(forecaster, series, find_ends(series), covariate_table)


def repair_as_trained(
    forecaster: Forecaster, table: Source, source: SourceSpec
) -> tuple[Forecaster, Series]:
    """Repair newer values as the training did; return the forecaster in their unit, and the series."""
    settings = forecaster.settings
    mended = mend_breaks(*repair_series(table, source, settings.gaps), settings.breaks)
    if len(mended.moves):
        forecaster = replace(forecaster, scaler=_move_scales(forecaster.scaler, mended))
    return forecaster, mended.series


def _move_scales(scaler: Scaler, mended: Mended) -> Scaler:
    """Return the scales of a training in the newest unit of each series.

    The training may have had the first breaks of a series, none or all of them. The values, which are in the newest
    unit, are most likely by the scale that is moved over those that it did not have.
    """
    scales = scaler.set_index("unique_id")
    known = mended.moves[mended.moves["unique_id"].isin(scales.index)]
    moved = mended.series[mended.series["unique_id"].isin(known["unique_id"])]
    by_series = dict(iter(moved.groupby("unique_id")["y"]))
    for name, moves in known.groupby("unique_id"):
        values = by_series[name]
        candidates = [scales.loc[name]]
        for first in range(len(moves)):
            scale = scales.loc[name]
            for move in moves[first:].itertuples():
                scale = _move_scale(scale, move.ratio, move.shift)
            candidates.append(scale)
        scales.loc[name] = min(candidates, key=lambda scale: _measure_misfit(values, scale))
    return scales.reset_index()


def _move_scale(scale: pd.Series, ratio: float, shift: float) -> pd.Series:
    mean = scale["mean"] * ratio + shift
    # Values of another sign are as far below their mean as they were above it.
    below = (scale["mean"] - scale["lowest"]) * abs(ratio)
    return pd.Series(
        {"mean": mean, "deviation": scale["deviation"] * abs(ratio), "lowest": mean - below}
    )


def _measure_misfit(values: pd.Series, scale: pd.Series) -> float:
    """Return the mean negative logarithm of the density of values by a normal distribution, up to a constant."""
    distance = (values - scale["mean"]) / scale["deviation"]
    return float(np.log(scale["deviation"]) + (distance**2).mean() / 2)


def find_ends(series: Series) -> pd.DataFrame:
    """Return the last time of each series: `unique_id, cutoff`."""
    return series.groupby("unique_id", sort=False)["ds"].max().rename("cutoff").reset_index()


def check_ahead(
    forecaster: Forecaster, series: Series, covariate_table: pd.DataFrame | None, num_steps: int
) -> None:
    """Check that future covariates have values for all steps, or raise a SeriesError; warn of rows between steps."""
    settings = forecaster.settings
    coding = forecaster.coding
    check_covariate_columns(covariate_table, coding.list_columns())
    if covariate_table is not None and coding.list_columns(AHEAD):
        known = select_series(forecaster, series)
        check_future_covariates(
            known, covariate_table, coding.make_spec().by_role, num_steps, settings.freq
        )
        report_off_steps(
            list_all_steps(known, num_steps, settings.freq), covariate_table, settings.tz
        )


def select_series(forecaster: Forecaster, series: Series) -> Series:
    """Return the series that can be forecast: any one after a training on a panel, else that of the training."""
    is_panel = len(forecaster.scaler) > 1
    return series if is_panel else series[series["unique_id"].isin(forecaster.scaler["unique_id"])]


def report_new_series(forecaster: Forecaster, series: pd.DataFrame) -> None:
    """Warn of series that are forecast without training, because a name may be misspelt."""
    names = select_series(forecaster, series)["unique_id"]
    if len(new := names[~names.isin(forecaster.scaler["unique_id"])].unique()):
        some = list_some(new, NAMES_IN_MESSAGE)
        logger.warning(
            "forecast without training: %s (%s)", count(len(new), "new series", "new series"), some
        )


def include_new_series(
    forecaster: Forecaster, series: Series, covariate_table: pd.DataFrame | None = None
) -> Forecaster:
    """Return the forecaster with the scales and expected errors of series that its training did not have.

    They come from all values of these repaired series. A training on one series knows no others.
    """
    series = select_series(forecaster, series)
    new = series[~series["unique_id"].isin(forecaster.scaler["unique_id"])]
    if new.empty:
        return forecaster
    whole = pd.DataFrame(
        {"unique_id": list_series_names(new), "train_stop": find_rows(new).lengths}
    )
    scaler = pd.concat(
        [forecaster.scaler, fit_scaler(new, whole, forecaster.scaler)], ignore_index=True
    )
    coding = (
        forecaster.coding
        if covariate_table is None
        else add_scales(forecaster.coding, new, covariate_table)
    )
    forecaster = replace(forecaster, scaler=scaler, coding=coding)
    if forecaster.intervals is None:
        return forecaster
    sizes = forecaster.intervals.sizes
    usual = np.concatenate([sizes.usual, _measure_usual(forecaster, sizes, new, covariate_table)])
    return replace(forecaster, intervals=forecaster.intervals.replace_usual(usual))


def _measure_usual(
    forecaster: Forecaster,
    sizes: SizeModel,
    new: Series,
    covariate_table: pd.DataFrame | None,
) -> np.ndarray:
    """Return the expected errors of new series, none of which depends on another one: float64[series], scaled."""
    # The newest cut-offs of each series with a whole horizon after them.
    rows = find_rows(new)
    places = rows.lengths[:, None] - forecaster.settings.horizon * np.arange(
        1, WINDOWS_OF_SERIES + 1
    )
    chosen = new.iloc[(rows.starts[:, None] + places - 1)[places > 0]]
    cutoffs = chosen[["unique_id", "ds"]].rename(columns={"ds": "cutoff"})
    panel, _, _ = make_cutoff_windows(forecaster, new, cutoffs, covariate_table)
    median = float(np.nanmedian(sizes.usual))
    if sizes.is_of_series:
        model = forecaster.model.model if isinstance(forecaster.model, PanelModel) else None
        models = model.models if isinstance(model, EnsembleModel) else {}
        network = find_network(models) if isinstance(sizes, NetworkSizes) else None
        usual = measure_series_errors(panel, network)
        # Two equal values have no error on their own past, but may have one later.
        return np.maximum(np.where(np.isnan(usual), median, usual), TINY_PART * median)
    origins = panel.list_origins("future")
    origins = origins[count_padded(panel, origins) == 0]
    errors = gather_targets(panel, origins) - forecaster.model.forecast(panel, origins).astype(
        np.float64
    )
    is_known = ~np.isnan(errors).any(axis=1)
    series = panel.find_series(origins[is_known])
    return measure_usual(series, errors[is_known], len(panel.series_starts), median)
