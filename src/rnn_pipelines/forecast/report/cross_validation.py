"""Figure and report of `cross_validate_forecast`."""

from functools import partial
from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.leaderboard import COVERAGE, choose_leaderboard_columns
from rnn_pipelines.forecast.evaluation.metrics import MEANS, RATIOS
from rnn_pipelines.forecast.evaluation.windows import MetricsByCutoff, WindowResults
from rnn_pipelines.forecast.experiments.cross_validation import CrossValidationSpec
from rnn_pipelines.forecast.report.styles import STYLES, name_axis
from rnn_pipelines.report.figures import choose_time_axis, choose_visible, draw_line, set_layout
from rnn_pipelines.report.numbers import (
    Column,
    format_number,
    format_p_cell,
    format_p_value,
    format_percent,
)
from rnn_pipelines.report.page import Table, tabulate
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.texts import fill_template
from rnn_pipelines.report.trainings import tabulate_parameters

# Largest p-value at which a difference counts as significant.
SIGNIFICANCE = 0.05
# A forecaster with more than this multiple of the lowest error is hidden at first, so that the others stay readable.
MAX_SHOWN = 1.5


def draw_error_by_cutoff(by_cutoff: MetricsByCutoff) -> Figure:
    """Draw the MSE of each forecaster by window."""
    figure = Figure()
    lowest = by_cutoff.groupby("forecaster")["mse"].mean().min()
    for name, errors in by_cutoff.groupby("forecaster", sort=False):
        visible = choose_visible(errors["mse"].mean() <= MAX_SHOWN * lowest)
        line = draw_line(
            STYLES[str(name)],
            errors["cutoff"],
            errors["mse"],
            mode="lines+markers",
            visible=visible,
        )
        figure.add_trace(line)
    axis = choose_time_axis("cut-off of the window", by_cutoff["cutoff"])
    return set_layout(figure, "Error by window", "", axis, name_axis("mse"))


def report_cross_validation(
    metrics: dict[str, Any], validation: CrossValidationSpec, figure: Figure
) -> Report:
    """Return the report on the result of `summarize_windows`, with its figure."""
    results = WindowResults.model_validate(metrics)
    forecasters = _tabulate_forecasters(results)
    return fill_template(
        __package__,
        "cross_validation",
        [forecasters],
        verdict=_describe_verdict(results),
        results=results,
        forecasters=forecasters,
        baseline=STYLES[results.baseline].name,
        significance=SIGNIFICANCE,
        is_refitted=validation.refit,
        figure=figure,
        parameters=tabulate_parameters("cross_validate_forecast", validation),
    )


def _describe_verdict(results: WindowResults) -> str:
    """Name the forecaster with the lowest error, and state whether the difference is significant."""
    best = results.rank()[0]
    numbers = results.forecasters[best]
    theirs = results.forecasters[results.baseline]["mse"] or 0.0
    mse = numbers["mse"] or 0.0
    p_value = numbers["p_value"]
    name = STYLES[best].name
    baseline = STYLES[results.baseline].name
    if p_value is None:
        return (
            f"No network has a lower MSE over these windows than {baseline}, {format_number(mse)}."
        )
    shown = "" if p_value <= SIGNIFICANCE else ", which can be chance"
    difference = (
        f"{100 * (1 - mse / theirs):.1f} % below {baseline} ({format_p_value(p_value)}){shown}"
    )
    return f"{name} has the lowest MSE over these windows, {format_number(mse)}: {difference}."


def _tabulate_forecasters(results: WindowResults) -> Table:
    """Return one row for each forecaster, the best one first; the lowest errors are marked."""
    rows = [(STYLES[name].name, results.forecasters[name]) for name in results.rank()]
    coverages = sorted({key for _, block in rows for key in block if key.startswith(COVERAGE)})
    columns = choose_leaderboard_columns([*MEANS, *RATIOS]) | {
        "p_value": Column("p", format_p_cell)
    }
    return tabulate(
        "",
        rows,
        columns | choose_leaderboard_columns(coverages, partial(format_percent, num_decimals=0)),
    )
