"""The report of `monitor_forecast`: the verdict, and realised against expected errors."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path

from plotly.graph_objects import Figure

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.realised import Anomaly, GroupError, RealisedCoverage, RealisedError
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL
from rnn_pipelines.forecast.operations.drift_rules import CovariateDriftRow
from rnn_pipelines.forecast.operations.monitoring import DriftRow, ForecastVerdict
from rnn_pipelines.forecast.operations.verdict import MonitorForecastSpec
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.report.numbers import (
    NO_NUMBER,
    begin_sentence,
    format_number,
    format_p_cell,
    format_p_value,
    list_some,
)
from rnn_pipelines.report.page import Part, Section, Table, make_table, render_page
from rnn_pipelines.report.terminal import summarize
from rnn_pipelines.report.texts import read_texts
from rnn_pipelines.report.trainings import tabulate_parameters

MAX_ROWS = 20
# Reasons that a terminal shows.
MAX_REASONS = 4
IN_WORDS = {"ok": "Ok", "retrain": "Retrain", "alarm": "Alarm"}

NOTES = read_texts("rnn_pipelines.forecast.report")["monitoring"]


def render_report(
    verdict: ForecastVerdict,
    profile: Profile,
    monitoring: MonitorForecastSpec,
    **figures: Figure,
) -> str:
    """Return the verdict of a day with its evidence as one HTML page that needs no network.

    Args:
        verdict: of the day.
        profile: of the series.
        monitoring: the parameters.
        figures: by name, see `draw_figures`.
    """
    by_step, versions = tabulate_steps(verdict["by_step"]), tabulate_versions(verdict)
    over_time: list[Part] = [figures["error_over_time"], NOTES["how_to_read"]] if versions.rows else [NOTES["nothing"]]
    steps: list[Part] = [by_step, figures["error_by_step"]] if by_step.rows else []
    sections = [
        Section("Reasons", [*(begin_sentence(f"{reason}.") for reason in verdict["reasons"])]),
        Section("Error over time", over_time),
        Section("Error by step", [describe_error(verdict["error"]), *steps]),
        Section("Model versions", [versions if versions.rows else NOTES["nothing"]]),
        *_report_intervals(verdict),
        Section("Drift", [*_list_drift(verdict["drift"]), NOTES["drift"]]),
        *_report_covariates(verdict["covariate_drift"]),
        Section("Coverage", [tabulate_coverage(verdict, profile)]),
        Section("Parameters", [tabulate_parameters("monitor_forecast", monitoring.model_dump(mode="json"))]),
    ]
    return render_page(f"Past forecasts of {Path(profile['source']).name}", write_verdict(verdict), sections)


def summarize_run(verdict: ForecastVerdict) -> str:
    """Return the verdict, its reasons and the errors by step for a terminal."""
    reasons = [begin_sentence(f"{reason}.") for reason in verdict["reasons"][1:MAX_REASONS]]
    return summarize(
        [write_verdict(verdict), *reasons, describe_error(verdict["error"])], tabulate_steps(verdict["by_step"])
    )


def write_verdict(verdict: ForecastVerdict) -> str:
    """Return the verdict and the most serious reason in one sentence."""
    first, *others = verdict["reasons"]
    more = f" ({len(others)} more below)" if others and verdict["verdict"] != "ok" else ""
    return f"{IN_WORDS[verdict['verdict']]}: {first}{more}."


def describe_error(error: RealisedError) -> str:
    """Describe the forecasts of the verdict, and their error."""
    if not error["num_forecasts"]:
        return NOTES["no_error"]
    p_value = "no p-value" if error["p_value"] is None else format_p_value(error["p_value"])
    first, last = error["first_cutoff"], error["last_cutoff"]
    return (
        f"{count(error['num_forecasts'], 'forecast')} from {count(error['num_cutoffs'], 'cut-off')}, "
        f"{first if first == last else f'{first} to {last}'}: MSE {format_number(error['mse'])}, expected "
        f"{format_number(error['expected_mse'])}, ratio {format_number(error['ratio'], 3)} ({p_value}); MAE "
        f"{format_number(error['mae'])}."
    )


def tabulate_steps(by_step: list[GroupError]) -> Table:
    """Return realised and expected error at each step ahead."""
    return Table(
        header=["step ahead", "forecasts", "RMSE", "MAE", "expected RMSE", "MSE ratio"],
        rows=[[str(row["horizon_step"]), f"{row['num_forecasts']:,}", *_format_errors(row)] for row in by_step],
        caption="The newest cut-offs of the version in use, on which the verdict is based",
    )


def tabulate_versions(verdict: ForecastVerdict) -> Table:
    """Return realised and expected error of each model version, over all of its forecasts."""
    return Table(
        header=["model version", "mark", "first cut-off", "forecasts", "RMSE", "MAE", "expected RMSE", "ratio"],
        rows=[
            [
                row["model_version"],
                f"v{number}" + (", in use" if row["model_version"] == verdict["version"] else ""),
                row["first_cutoff"] or NO_NUMBER,
                f"{row['num_forecasts']:,}",
                *_format_errors(row),
            ]
            for number, row in enumerate(verdict["by_version"], start=1)
        ],
        num_text_columns=3,
    )


def _format_errors(row: GroupError) -> list[str]:
    mse, expected = row["mse"], row["expected_mse"]
    ratio = mse / expected if mse is not None and expected else None
    rmse, expected_rmse = (None if value is None else math.sqrt(value) for value in (mse, expected))
    return [*map(format_number, (rmse, row["mae"], expected_rmse)), format_number(ratio, 3)]


def _list_drift(drift: list[DriftRow]) -> list[Part]:
    if not drift:
        return [NOTES["no_drift"]]
    rows = sorted(drift, key=lambda row: -math.inf if row["distance"] is None else row["distance"], reverse=True)
    rest = len(rows) - MAX_ROWS
    note = [f"The distance of {rest:,} more series is smaller."] if rest > 0 else []
    return [tabulate_drift(rows[:MAX_ROWS]), *note]


def tabulate_drift(drift: list[DriftRow]) -> Table:
    """Return the distance of the newest values of each series from its past."""
    return make_table(
        drift,
        {
            "series": lambda row: row["unique_id"],
            "newest values": lambda row: f"{row['num_values']:,}",
            "past stretches": lambda row: f"{row['num_windows']:,}",
            "shift": lambda row: format_number(row["shift"], 3),
            "distance": lambda row: format_number(row["distance"], 3),
            "p": lambda row: format_p_cell(row["p_value"]),
            "newest mean": lambda row: format_number(row["level"]),
            "means in training": _format_range,
        },
    )


def _format_range(row: DriftRow) -> str:
    lowest, highest = row["lowest_level"], row["highest_level"]
    return NO_NUMBER if lowest is None else f"{format_number(lowest)} to {format_number(highest)}"


def _report_covariates(rows: list[CovariateDriftRow]) -> list[Section]:
    return [Section("Covariates", [tabulate_covariates(rows), NOTES["covariates"]])] if rows else []


def tabulate_covariates(rows: list[CovariateDriftRow]) -> Table:
    """Return the distance of the newest values of each covariate from its past."""
    return make_table(
        rows,
        {
            "covariate": lambda row: row["covariate"],
            "newest values": lambda row: f"{row['num_values']:,}",
            "series": lambda row: f"{row['num_series']:,}",
            "drifted": lambda row: f"{row['num_drifted']:,}",
            "distance": lambda row: format_number(row["distance"], 3),
            "p": lambda row: format_p_cell(row["p_value"]),
            "unusual": lambda row: f"{row['num_unknown']:,}",
        },
    )


def _report_intervals(verdict: ForecastVerdict) -> list[Section]:
    if not verdict["intervals"]:
        return []
    note = NOTES["intervals"].format(outside=100 - ANOMALY_LEVEL, level=ANOMALY_LEVEL)
    parts: list[Part] = [tabulate_intervals(verdict["intervals"]), note]
    if verdict["anomalies"]:
        rest = verdict["num_anomalies"] - len(verdict["anomalies"])
        parts += [tabulate_anomalies(verdict["anomalies"]), *([f"{rest:,} more are older."] if rest > 0 else [])]
    return [Section("Intervals", parts)]


def tabulate_intervals(intervals: list[RealisedCoverage]) -> Table:
    """Return the realised coverage of the intervals of each level."""
    columns: dict[str, Callable[[RealisedCoverage], str]] = {
        "level, %": lambda row: str(row["level"]),
        "inside, %": lambda row: f"{100 * row['coverage']:.1f}",
        "p": lambda row: format_p_cell(row["p_value"]),
        "forecasts": lambda row: f"{row['num_forecasts']:,}",
        "cut-offs": lambda row: f"{row['num_cutoffs']:,}",
    }
    return make_table(intervals, columns, num_text_columns=0)


def tabulate_anomalies(anomalies: list[Anomaly]) -> Table:
    """Return the actuals outside their widest interval."""
    return Table(
        header=["series", "time", "actual", "lower bound", "upper bound"],
        rows=[
            [row["unique_id"], row["ds"], *(format_number(number) for number in (row["y"], row["lo"], row["hi"]))]
            for row in anomalies
        ],
        num_text_columns=2,
        caption=f"actuals outside the {ANOMALY_LEVEL} % interval of their newest forecast",
    )


def tabulate_coverage(verdict: ForecastVerdict, profile: Profile) -> Table:
    """Return the forecaster in use, the data, and the steps without a forecast from them."""
    coverage = verdict["coverage"]
    missed = {name: steps for name, steps in coverage["missed_steps"].items() if steps}
    facts = [
        ["evaluated at", verdict["at"]],
        ["forecaster in use", verdict["version"] or "none"],
        ["in use since", verdict["promoted_at"] or NO_NUMBER],
        ["data", f"{profile['num_series']:,} series, {profile['first']} to {profile['last']}"],
        ["newest steps without a forecast", _join(f"{name} {steps}" for name, steps in missed.items())],
        ["series without training data", _join(coverage["unknown_series"])],
    ]
    return Table(header=["fact", "value"], rows=facts, num_text_columns=2)


def _join(texts: Iterable[str]) -> str:
    return list_some(texts, MAX_ROWS) or "none"
