"""The data of the explorer's page of a forecaster: its networks, and windows with all inputs of a forecast."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.linear.models import find_season_lags
from rnn_pipelines.forecast.methods.local.method import MAX_PAST, gather_past
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.networks.model import NetworkModel
from rnn_pipelines.forecast.methods.predictors import (
    Normalizer,
    gather_covariate_inputs,
    list_covariate_inputs,
    normalize_windows,
)
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED, PretrainedModel
from rnn_pipelines.forecast.methods.registry import get_method
from rnn_pipelines.forecast.model.artefact import Forecaster, forecast_panel, lay_out_cutoffs
from rnn_pipelines.forecast.pretrained import memory, reading
from rnn_pipelines.forecast.pretrained import network as pretrained_network
from rnn_pipelines.forecast.pretrained.kinds import KINDS, find_learnt_horizon
from rnn_pipelines.forecast.pretrained.memory import MAX_VALUES, average_seasons, count_steps_of_day
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork, find_past_length
from rnn_pipelines.forecast.series.rows import look_up
from rnn_pipelines.forecast.series.tables import Features, Scaler, Series
from rnn_pipelines.forecast.times.frequency import LONG_SEASONS
from rnn_pipelines.forecast.windows.panel import (
    WindowedPanel,
    count_padded,
    find_history,
    find_negative,
)
from rnn_pipelines.report.explorer.page import render_explorer
from rnn_pipelines.report.styles import CELL_STYLES

SECTIONS = {
    "window": "The window and the cell",
    "change": "What if",
    "memory": "Memory",
    "models": "Networks compared",
}
NUM_WINDOWS = 12
# Divided by it, no covariate is clipped; a power of two, so that the product with it is exact.
NO_SPREAD = 2.0**40
LEVEL = 80
# Constants of `pretrained.js` and `memory.js`.
NAMES = {
    pretrained_network: (
        "NUM_READ",
        "LEVELS",
        "DISTANCES",
        "SOFTPLUS_OF_ONE",
        "LEAST_POSITIVE",
        "MOST",
    ),
    reading: (
        "MAX_STEPS",
        "MAX_SEASONS",
        "NUM_NEWEST",
        "LEAST_PART",
        "UNIT_OF_CONSTANTS",
        "LARGEST",
    ),
    memory: (
        "MAX_VALUES",
        "MAX_DAYS",
        "MIN_SEASONS",
        "MIN_WEEKS",
        "MIN_DAYS",
        "HALF_LIFE",
        "PENALTY",
        "YEAR_PENALTY",
        "DAYS_OF_WEEK",
        "DAYS_OF_YEAR",
        "MAX_YEARS",
        "SMOOTHED_DAYS",
        "COMPARED_DAYS",
        "NARROWING",
    ),
}


def render_networks(content: Mapping[str, Any]) -> str:
    """Render the page of `describe_networks`."""
    verdict = (
        "This page runs {names}, window by window. Move the cursor through a window, look at each gate, "
        "and change a value, a unit or a gate: the forecast follows at once."
    )
    return render_explorer("The gates of {names}", verdict, content, SECTIONS)


def find_networks(artefacts: Mapping[str, Forecaster]) -> dict[str, Forecaster]:
    """Return a forecaster of each trained network alone, by name, also of those within an ensemble.

    Raises:
        ParameterError: there is none.
    """
    networks: dict[str, Forecaster] = {}
    for name, artefact in artefacts.items():
        if isinstance(artefact.model, PanelModel):
            for part, model in _list_networks(name, artefact.model.model):
                # An ensemble's interval is not that of its network.
                intervals = artefact.intervals if part == name else None
                if intervals is not None or part not in networks:
                    alone = PanelModel(artefact.model.normalizer, model)
                    networks[part] = replace(artefact, model=alone, intervals=intervals)
    if not networks:
        raise ParameterError(
            "the forecaster holds no trained network: with few values none is trained, and a saved ensemble keeps only "
            "the networks that it weighs. Fit with more values, or with use='gru', and save again."
        )
    return networks


def _list_networks(name: str, model: Any) -> Iterator[tuple[str, NetworkModel | PretrainedModel]]:
    if isinstance(model, EnsembleModel):
        for part, of_part in model.models.items():
            yield from _list_networks(part, of_part)
    elif isinstance(model, PretrainedModel) or (
        isinstance(model, NetworkModel) and not np.isnan(model.network.seconds)
    ):
        yield name, model


def explore_series(
    artefacts: Mapping[str, Forecaster],
    series: Series,
    covariate_table: pd.DataFrame | None,
    name: str | None,
) -> dict[str, Any]:
    """Describe the networks of a forecaster over windows of one series, up to its end.

    Args:
        artefacts: see `find_networks`.
        series: repaired.
        name: of the series; None for the first one.
    Raises:
        ParameterError: there is no such series, no window of it, or no network.
    """
    networks = find_networks(artefacts)
    series_names = series["unique_id"].unique().tolist()
    name = series_names[0] if name is None else str(name)
    if name not in series_names:
        raise ParameterError(f"series: expected one of {series_names[:10]}, received {name!r}.")
    # All networks read the same windows.
    forecaster = next(iter(networks.values()))
    table = series[series["unique_id"] == name]
    first = min(len(table) - 1, max(forecaster.settings.lookback - 1, len(table) // 2))
    rows = (
        np.linspace(first, len(table) - 1, min(NUM_WINDOWS, len(table) - first)).round().astype(int)
    )
    cutoffs = table.iloc[rows][["unique_id", "ds"]].rename(columns={"ds": "cutoff"})
    panel, features = lay_out_cutoffs(forecaster, table, cutoffs, covariate_table)
    origins = panel.list_origins("future")
    if not len(origins):
        raise ParameterError(
            f"series: {name!r} has no window of {forecaster.settings.lookback} steps. Give more of its past."
        )
    assert isinstance(forecaster.model, PanelModel)
    normalizer = forecaster.model.normalizer
    models = {label: artefact.model.model for label, artefact in networks.items()}  # type: ignore[attr-defined]
    content = describe_networks(panel, features, forecaster.scaler, normalizer, models, origins)
    for label, artefact in networks.items():
        forecasts = forecast_panel(artefact, panel, features)
        if f"lo_{LEVEL}" in forecasts:
            bounds = (
                forecasts[[f"lo_{LEVEL}", f"hi_{LEVEL}"]]
                .to_numpy()
                .reshape(len(origins), panel.horizon, 2)
            )
            for window, of_window in zip(content["windows"], bounds, strict=True):
                if not np.isnan(of_window).any():
                    window["bounds"][label] = of_window.T
    return content | {"level": LEVEL}


def describe_networks(
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    normalizer: Normalizer,
    models: Mapping[str, NetworkModel | PretrainedModel],
    origins: np.ndarray,
) -> dict[str, Any]:
    """Return what the page reads: networks with their linear forecasts, and the windows at some origins.

    Args:
        origins: int64[window].
    """
    numbers = panel.find_series(origins)
    means = look_up(features.table, scaler, "mean")[numbers]
    deviations = look_up(features.table, scaler, "deviation")[numbers]
    forecasts = {
        name: PanelModel(normalizer, model).forecast(panel, origins) * deviations[:, None]
        + means[:, None]
        for name, model in models.items()
    }
    has_pretrained = any(isinstance(model, PretrainedModel) for model in models.values())
    windows = [
        {
            **_describe_window(panel, features, normalizer, int(origin)),
            **(_describe_past(panel, origins[[place]]) if has_pretrained else {}),
            "mean": means[place],
            "deviation": deviations[place],
            "bounds": {},
            "forecasts": {name: of[place].tolist() for name, of in forecasts.items()},
        }
        for place, origin in enumerate(origins)
    ]
    base = "value of the season before" if panel.season_length > 1 else "last value"
    has_seasons = panel.lookback >= 2 * panel.season_length
    return {
        "kind": normalizer.kind,
        "season": panel.season_length if has_seasons else 1,
        "nonNegative": normalizer.non_negative,
        "constants": list_constants(),
        "networks": [
            export_pretrained(model.network)
            | {"name": name, "season": panel.season_length, "base": base}
            if isinstance(model, PretrainedModel)
            else _describe_network(name, model)
            for name, model in models.items()
        ],
        "windows": windows,
    }


def list_constants() -> dict[str, Any]:
    """Return the constants of the pretrained network's forward pass, by name."""
    constants = {
        name: np.asarray(getattr(module, name)).tolist()
        for module, names_of_module in NAMES.items()
        for name in names_of_module
    }
    return {
        **constants,
        "MAX_PAST": MAX_PAST,
        "LONG_SEASONS": LONG_SEASONS,
        "LEARNT_HORIZONS": {season: find_learnt_horizon(season) for season in KINDS},
    }


def export_pretrained(network: PretrainedNetwork) -> dict[str, Any]:
    """Return the weights of a pretrained network, which are float16 in its file, and its names in the page."""
    cell = next(name for name, cell in CELLS.items() if isinstance(network.cell, cell.weights))
    weights = CELLS[cell].name_arrays(network.cell) | dict(network.head)
    return {
        "label": f"pretrained {CELL_STYLES[cell].name}",
        "color": get_method(PRETRAINED).style.color,
        "cell": cell,
        "weights": [{name: array.astype(np.float16) for name, array in weights.items()}],
    }


def _describe_network(name: str, model: NetworkModel) -> dict[str, Any]:
    network = model.network
    style = CELL_STYLES[model.network.cell]
    return {
        "name": name,
        "label": style.name if name == network.cell else name,
        "color": style.color,
        "cell": network.cell,
        "segment": network.segment,
        "calendar": np.asarray(network.calendar).tolist(),
        "embedding": network.layout.has_embedding,
        "shrinkage": network.shrinkage,
        "linear": model.start.matrix,
        "weights": [
            {array: values[member] for array, values in network.weights.items()}
            for member in range(network.num_members)
        ],
    }


def _describe_window(
    panel: WindowedPanel, features: Features, normalizer: Normalizer, origin: int
) -> dict[str, Any]:
    """Return the values of a window, scaled and not yet normalised, and the times; see `windows.js`."""
    origins = np.array([origin])
    table = features.table
    history = find_history(panel, origins)
    ahead = origin + np.arange(panel.horizon)
    rows = history[0]
    lags = find_season_lags(normalizer, panel, origin)
    inputs = list_covariate_inputs(panel)
    covariates = gather_covariate_inputs(panel, history, inputs, np.full((1, 1), NO_SPREAD))[0]
    predictors = normalize_windows(panel, normalizer, origins).predictors[0]
    actuals = panel.values[ahead, 0].astype(float)
    return {
        "series": str(table["unique_id"].iloc[origin - 1]),
        "times": [format_step(time) for time in table["ds"].iloc[np.append(rows, ahead)]],
        "values": panel.values[rows, 0],
        "actuals": [None if np.isnan(value) else value for value in actuals],
        "zero": panel.find_zeros(origins)[0],
        "isNegative": bool(find_negative(panel, origins)[0]),
        "padded": int(count_padded(panel, origins)[0]),
        "lags": np.concatenate([np.zeros(0, int), *lags]).tolist(),
        "seasonal": np.concatenate([np.zeros(0), *(panel.values[origin - lag, 0] for lag in lags)]),
        "covariates": covariates[inputs.columns >= panel.columns.varying.start] * NO_SPREAD,
        "future": covariates[inputs.are_ahead] * NO_SPREAD,
        "static": panel.values[origin - 1, panel.columns.static],
        "head": panel.values[origin, 1 : panel.columns.static.stop],
        "free": predictors[len(predictors) - normalizer.num_free :],
        "calendar": panel.values[rows, panel.columns.calendar],
        "varying": panel.values[rows, panel.columns.varying],
    }


def _describe_past(panel: WindowedPanel, origin: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the pretrained network reads beyond the window: earlier values, and the means of older whole days.

    Whole days are counted from the origin, int64[1], as in `memory`.
    """
    past = gather_past(panel, origin, find_past_length(panel.season_length, panel.horizon))
    past = past[:, ~np.isnan(past[0])]
    num_kept = max(MAX_VALUES, panel.lookback)
    steps_of_day = max(1, count_steps_of_day(panel.season_length))
    days = average_seasons(past, steps_of_day)[0, : -(num_kept // steps_of_day)]
    return {"earlier": past[0, -num_kept : -panel.lookback], "days": days}


def format_step(time: Any) -> str:
    """Return a time without a midnight, or the number of a step."""
    return str(time).removesuffix(" 00:00:00")
