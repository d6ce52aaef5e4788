"""The report of `monitor_forecast`: the verdict, and realised against expected errors, over time and by step ahead."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.champion.report import describe_monitor
from rnn_pipelines.champion.verdict import Level
from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation import realised
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL
from rnn_pipelines.forecast.operations.drift_rules import CovariateDriftRow
from rnn_pipelines.forecast.operations.monitoring import DriftRow, ForecastVerdict
from rnn_pipelines.forecast.operations.verdict import MonitorForecastSpec
from rnn_pipelines.forecast.report.choice import show_time
from rnn_pipelines.forecast.report.styles import name_axis
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.forecast.totals.log import RealisedTotals
from rnn_pipelines.report.figures import choose_time_axis, count_up_to, draw_line, fade, set_layout
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.numbers import (
    NO_NUMBER,
    Column,
    begin_sentence,
    format_count,
    format_number,
    format_p_cell,
    format_p_value,
    format_share,
    list_some,
)
from rnn_pipelines.report.page import Table, tabulate
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.styles import BLUE, NEUTRAL_COLOR, VERMILION, Style
from rnn_pipelines.report.texts import fill_template, read_prose
from rnn_pipelines.report.trainings import tabulate_parameters

MAX_ROWS = 20
# Reasons that a terminal shows.
MAX_REASONS = 4
format_ratio = partial(format_number, num_digits=3)
IN_WORDS: dict[Level, str] = {"ok": "Ok", "retrain": "Retrain", "alarm": "Alarm"}

NOTES = read_prose("rnn_pipelines.forecast.report")["monitoring"]
# Columns of a test of drift.
COMPARED = {"distance": Column("distance", format_ratio), "p_value": Column("p", format_p_cell)}
ERRORS = {"rmse": Column("RMSE"), "mae": Column("MAE"), "expected_rmse": Column("expected RMSE")}
# More labels would overlap; the table of the versions lists all of them.
MAX_NAMED_MARKS = 24
REALISED = Style("realised", BLUE)
EXPECTED = Style("expected", VERMILION, "dash")
ONE_CUTOFF = Style("one cut-off", fade(BLUE, 0.4))
RMSE_AXIS = {"title": name_axis("rmse"), "rangemode": "tozero"}
NOTHING = "there is no evaluated forecast yet"


def report_forecast_monitoring(
    verdict: ForecastVerdict, profile: Profile, monitoring: MonitorForecastSpec, **figures: Figure
) -> Report:
    """Return the report on the verdict of a day and its evidence."""
    reasons = [begin_sentence(f"{reason}.") for reason in verdict["reasons"]]
    error = describe_error(verdict["error"])
    stability = describe_stability(verdict["stability"])
    steps = _tabulate_steps(verdict["by_step"])
    totals = tabulate_realised_totals(verdict.get("totals", []))
    shown = sorted(
        verdict["drift"],
        key=lambda row: -1.0 if row["distance"] is None else row["distance"],
        reverse=True,
    )
    return fill_template(
        __package__,
        "monitoring",
        [*reasons[1:MAX_REASONS], error, stability, steps, totals],
        source=Path(profile["source"]).name,
        figures=figures,
        verdict=describe_monitor(verdict, IN_WORDS),
        reasons=reasons,
        error=error,
        stability=stability,
        steps=steps,
        totals=totals,
        versions=tabulate_versions(verdict),
        intervals=_tabulate_intervals(verdict["intervals"]),
        anomaly_level=ANOMALY_LEVEL,
        anomalies=tabulate_anomalies(verdict["anomalies"]),
        num_older_anomalies=verdict["num_anomalies"] - len(verdict["anomalies"]),
        drift=tabulate_drift(shown[:MAX_ROWS]),
        num_more_drift=len(shown) - MAX_ROWS,
        covariates=_tabulate_covariates(verdict["covariate_drift"]),
        coverage=tabulate_coverage(verdict, profile),
        parameters=tabulate_parameters("monitor_forecast", monitoring),
    )


def describe_error(error: realised.RealisedError) -> str:
    """Describe the forecasts of the verdict, and their error."""
    if not error["num_forecasts"]:
        return NOTES["no_error"]
    p_value = "no p-value" if error["p_value"] is None else format_p_value(error["p_value"])
    first = error["first_cutoff"]
    last = error["last_cutoff"]
    span = f"{count(error['num_cutoffs'], 'cut-off')}, {first if first == last else f'{first} to {last}'}"
    mse = format_number(error["mse"])
    expected = format_number(error["expected_mse"])
    ratio = (
        f"ratio {format_number(error['ratio'], 3)} ({p_value}); MAE {format_number(error['mae'])}"
    )
    return f"{count(error['num_forecasts'], 'forecast')} from {span}: MSE {mse}, expected {expected}, {ratio}."


def describe_stability(stability: Mapping[Any, Mapping[str, float | None]]) -> str:
    """Describe how far forecasts of a date moved from night to night; empty if no date has two forecasts."""
    issued, version = (stability[key]["stability"] for key in ("issued", "version"))
    if issued is None:
        return ""
    alone = f"; by the version in use alone {format_ratio(version)}" if version is not None else ""
    return f"Stability, the change of the forecast of a date over the MAE: {format_ratio(issued)} as issued{alone}."


def _tabulate_steps(by_step: list[realised.GroupError]) -> Table:
    """Return realised and expected error at each step ahead."""
    columns = {
        "num_forecasts": Column("forecasts", format_count),
        **ERRORS,
        "ratio": Column("MSE ratio", format_ratio),
    }
    rows = [(str(row["horizon_step"]), _add_roots(row)) for row in by_step]
    caption = "The newest cut-offs of the version in use, on which the verdict is based"
    return tabulate("step ahead", rows, columns, caption)


def tabulate_realised_totals(totals: list[RealisedTotals]) -> Table:
    """Return the realised error and coverage of each kind of total."""
    levels = list(dict.fromkeys(level for row in totals for level in row["coverage"]))
    columns = {
        "num_totals": Column("evaluated", format_count),
        "mae": Column("MAE"),
        "error_percent": Column("error, %", format_ratio),
        **{level: Column(f"inside {level} %, %", format_share) for level in levels},
    }
    return tabulate(
        "total", ((row["total"], {**row, **row["coverage"]}) for row in totals), columns
    )


def tabulate_versions(verdict: ForecastVerdict) -> Table:
    """Return realised and expected error of each model version, over all of its forecasts."""
    columns = {
        "mark": Column("mark"),
        "first_cutoff": Column("first cut-off"),
        "num_forecasts": Column("forecasts", format_count),
        **ERRORS,
        "ratio": Column("ratio", format_ratio),
    }
    used = {verdict["version"]: ", in use"}
    rows = [
        (
            row["model_version"],
            _add_roots(row) | {"mark": f"v{number}{used.get(row['model_version'], '')}"},
        )
        for number, row in enumerate(verdict["by_version"], start=1)
    ]
    return tabulate("model version", rows, columns, num_text_columns=3)


def _add_roots(row: realised.GroupError) -> dict[str, Any]:
    """Return the numbers of a group with the roots of both MSEs, and their ratio."""
    mse = row["mse"]
    expected = row["expected_mse"]
    rmse, expected_rmse = (None if value is None else math.sqrt(value) for value in (mse, expected))
    ratio = mse / expected if mse is not None and expected else None
    return {**row, "rmse": rmse, "expected_rmse": expected_rmse, "ratio": ratio}


def tabulate_drift(drift: list[DriftRow]) -> Table:
    """Return the distance of the newest values of each series from its past."""
    columns = {
        "num_values": Column("newest values", format_count),
        "num_windows": Column("past stretches", format_count),
        "shift": Column("shift", format_ratio),
        **COMPARED,
        "level": Column("newest mean"),
        "means": Column("means in training"),
    }
    rows = []
    for row in drift:
        means = " to ".join(format_number(row[name]) for name in ("lowest_level", "highest_level"))
        rows.append(
            (row["unique_id"], row | {"means": NO_NUMBER if row["lowest_level"] is None else means})
        )
    return tabulate("series", rows, columns)


def _tabulate_covariates(rows: list[CovariateDriftRow]) -> Table:
    """Return the distance of the newest values of each covariate from its past."""
    columns = {
        "num_values": Column("newest values", format_count),
        "num_series": Column("series", format_count),
        "num_drifted": Column("drifted", format_count),
        **COMPARED,
        "num_unknown": Column("unusual", format_count),
    }
    return tabulate("covariate", ((row["covariate"], row) for row in rows), columns)


def _tabulate_intervals(intervals: list[realised.RealisedCoverage]) -> Table:
    """Return the realised coverage of the intervals of each level."""
    columns = {
        "coverage": Column("inside, %", format_share),
        "p_value": Column("p", format_p_cell),
        "num_forecasts": Column("forecasts", format_count),
        "num_cutoffs": Column("cut-offs", format_count),
    }
    rows = ((str(row["level"]), row) for row in intervals)
    return tabulate("level, %", rows, columns, num_text_columns=0)


def tabulate_anomalies(anomalies: list[realised.Anomaly]) -> Table:
    """Return the actuals outside their widest interval."""
    columns = {
        "ds": Column("time"),
        "y": Column("actual"),
        "lo": Column("lower bound"),
        "hi": Column("upper bound"),
    }
    caption = f"actuals outside the {ANOMALY_LEVEL} % interval of their newest forecast"
    rows = ((row["unique_id"], row) for row in anomalies)
    return tabulate("series", rows, columns, caption, num_text_columns=2)


def tabulate_coverage(verdict: ForecastVerdict, profile: Profile) -> Table:
    """Return the forecaster in use, the data, and the steps without a forecast from them."""
    coverage = verdict["coverage"]
    missed = [f"{name} {steps}" for name, steps in coverage["missed_steps"].items() if steps]
    facts = [
        ["evaluated at", verdict["at"]],
        ["forecaster in use", verdict["version"] or "none"],
        ["in use since", verdict["promoted_at"] or NO_NUMBER],
        ["data", f"{profile['num_series']:,} series, {profile['first']} to {profile['last']}"],
        ["newest steps without a forecast", list_some(missed, MAX_ROWS) or "none"],
        ["series without training data", list_some(coverage["unknown_series"], MAX_ROWS) or "none"],
    ]
    return Table(header=["fact", "value"], rows=facts, num_text_columns=2)


def draw_monitoring_figures(
    evaluated: realised.EvaluatedForecasts,
    verdict: ForecastVerdict,
    monitoring: MonitorForecastSpec,
) -> dict[str, Figure]:
    """Draw `error_over_time` and `error_by_step`."""
    over_time = draw_or_note(draw_error_over_time, evaluated, monitoring.error.num_cutoffs)
    return {
        "error_over_time": over_time,
        "error_by_step": draw_or_note(draw_realised_by_step, verdict["by_step"]),
    }


def draw_error_over_time(evaluated: realised.EvaluatedForecasts, num_cutoffs: int) -> Figure:
    """Draw the RMSE of the forecasts from each cut-off, its rolling mean, and the expected RMSE."""
    figure = Figure()
    if evaluated.empty:
        return set_layout(figure, "Error over time", NOTHING)
    table = realised.measure_groups(evaluated, "cutoff")
    x = show_time(table["cutoff"])
    mean = table["mse"].rolling(num_cutoffs, min_periods=1).mean()
    figure.add_trace(draw_line(ONE_CUTOFF, x, np.sqrt(table["mse"]), width=1))
    figure.add_trace(
        draw_line(
            replace(REALISED, name=f"mean of {num_cutoffs} cut-offs"), x, np.sqrt(mean), width=2.5
        )
    )
    figure.add_trace(draw_line(EXPECTED, x, np.sqrt(table["expected_mse"])))
    marks = mark_versions(evaluated)
    for cutoff, names in marks.groupby("first_cutoff")["mark"]:
        place = show_time(pd.Series([cutoff])).iloc[0]
        figure.add_vline(place, line={"color": NEUTRAL_COLOR, "width": 1, "dash": "dot"})
        if len(marks) <= MAX_NAMED_MARKS:
            options = {"yref": "paper", "yanchor": "top", "xanchor": "left", "showarrow": False}
            figure.add_annotation(x=place, y=1, text=f" {', '.join(names)}", **options)
    subtitle = "RMSE by cut-off; v1, v2, …: the first forecasts of a model version"
    return set_layout(
        figure, "Error over time", subtitle, choose_time_axis("cut-off", x), RMSE_AXIS
    )


def mark_versions(evaluated: realised.EvaluatedForecasts) -> pd.DataFrame:
    """Return the model versions by their first evaluated cut-off: `model_version, first_cutoff, mark` (v1, v2, …)."""
    first = evaluated.groupby("model_version")["cutoff"].min().rename("first_cutoff").reset_index()
    first = first.sort_values(["first_cutoff", "model_version"], ignore_index=True)
    return first.assign(mark=[f"v{number}" for number in range(1, len(first) + 1)])


def draw_realised_by_step(by_step: list[realised.GroupError]) -> Figure:
    """Draw the realised and expected RMSE at each step ahead."""
    figure = Figure()
    if not by_step:
        return set_layout(figure, "Error by step ahead", NOTHING)
    table = pd.DataFrame(by_step)
    for style, column in ((REALISED, "mse"), (EXPECTED, "expected_mse")):
        rmse = np.sqrt(table[column].astype("float64"))
        figure.add_trace(draw_line(style, table["horizon_step"], rmse, marker={"size": 8}))
    steps = count_up_to("steps ahead", int(table["horizon_step"].max()))
    subtitle = "RMSE of the newest cut-offs of the version in use"
    return set_layout(figure, "Error by step ahead", subtitle, steps, RMSE_AXIS)
