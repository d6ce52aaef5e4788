"""Nodes of `monitor_forecast`: each calls one function of the library with its typed parameters."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.champion import verdict as monitoring
from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.forecast import monitoring as forecast_monitoring
from rnn_pipelines.forecast.evaluation import drift, realised
from rnn_pipelines.forecast.monitoring import MonitorForecastSpec
from rnn_pipelines.forecast.series import newest, schema
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Profile

# Kedro resolves these hints when it checks parameters, and must not load Plotly for it.
if TYPE_CHECKING:
    from plotly.graph_objects import Figure
else:
    Figure = Any


def read_newest(external: pd.DataFrame | None, source: SourceSpec, monitor_spec: MonitorForecastSpec) -> pd.DataFrame:
    """Reads the series up to the day that is judged."""
    return newest.read_newest(external, source, monitor_spec)


def repair_series(table: pd.DataFrame, source: SourceSpec, gaps: GapPolicy) -> tuple[pd.DataFrame, Profile]:
    """Checks and repairs the series; a value that is filled in judges nothing."""
    return schema.repair_series(table, source, gaps)


def read_champion(folder: Path) -> KnownChampion:
    """Reads what is on record of the champion and of all that were evaluated, without their networks."""
    return monitoring.read_champion(folder)


def join_actuals(log: pd.DataFrame | None, series: pd.DataFrame, champion: dict[str, Any]) -> pd.DataFrame:
    """Puts past forecasts beside their actuals and what their models promised."""
    return realised.join_actuals(log, series, champion["versions"])


def check_coverage(
    log: pd.DataFrame | None, series: pd.DataFrame, profile: dict[str, Any], champion: dict[str, Any]
) -> dict[str, Any]:
    """Looks for series without forecasts from their ends."""
    return forecast_monitoring.check_coverage(log, series, profile, champion)


def measure_drift(
    series: pd.DataFrame, profile: dict[str, Any], champion: dict[str, Any], monitor_spec: MonitorForecastSpec
) -> pd.DataFrame:
    """Compares the newest values with those that the champion has learnt from."""
    return drift.measure_drift(
        series,
        champion["settings"].get("trained_until", {}),
        champion["settings"].get("season_length", profile["season_length"]),
        monitor_spec.drift.num_steps,
    )


def monitor_forecasts(
    judged: pd.DataFrame,
    coverage: dict[str, Any],
    champion: dict[str, Any],
    found: pd.DataFrame,
    monitor_spec: MonitorForecastSpec,
) -> dict[str, Any]:
    """Says ok, retrain or alarm, with the reasons and all that was measured."""
    return forecast_monitoring.monitor_forecasts(judged, coverage, champion, found, monitor_spec)


def draw_figures(judged: pd.DataFrame, verdict: dict[str, Any], monitor_spec: MonitorForecastSpec) -> dict[str, Figure]:
    """Draws the realised error over time, with the model versions, and by step ahead."""
    from rnn_pipelines.forecast.report import monitoring_figures as monitor_forecast_figures

    return monitor_forecast_figures.draw_figures(judged, verdict, monitor_spec)


def render_report(
    verdict: dict[str, Any], profile: dict[str, Any], monitor_spec: MonitorForecastSpec, **figures: Figure
) -> str:
    """Puts verdict, figures and tables into one HTML file that needs no network."""
    from rnn_pipelines.forecast.report import monitoring as monitor_forecast_report

    return monitor_forecast_report.render_monitor_report(verdict, profile, monitor_spec, figures)
