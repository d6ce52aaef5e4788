"""Figure and report of `cross_validate_forecast`."""

from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.metrics import MEANS, METRICS, TOTALS
from rnn_pipelines.forecast.evaluation.windows import MetricsByCutoff, WindowResults
from rnn_pipelines.forecast.experiments.cross_validation import CrossValidationSpec
from rnn_pipelines.forecast.report.styles import STYLES, name_axis
from rnn_pipelines.forecast.report.totals import format_totals, list_errors
from rnn_pipelines.report.figures import choose_time_axis, choose_visible, draw_line, set_layout
from rnn_pipelines.report.numbers import NO_NUMBER, format_number, format_p_cell, format_p_value
from rnn_pipelines.report.page import Section, Table, mark_best, render_page
from rnn_pipelines.report.terminal import summarize
from rnn_pipelines.report.texts import read_texts
from rnn_pipelines.report.trainings import tabulate_parameters

# Largest p-value at which a difference counts as significant.
SIGNIFICANCE = 0.05
# A forecaster with more than this multiple of the lowest error is hidden at first, so that the others stay readable.
MAX_SHOWN = 1.5

NOTES = read_texts("rnn_pipelines.forecast.report")["cross_validation"]


def draw_error_by_cutoff(by_cutoff: MetricsByCutoff) -> Figure:
    """Draw the MSE of each forecaster by window."""
    figure = Figure()
    lowest = by_cutoff.groupby("forecaster")["mse"].mean().min()
    for name, own in by_cutoff.groupby("forecaster", sort=False):
        visible = choose_visible(own["mse"].mean() <= MAX_SHOWN * lowest)
        line = draw_line(STYLES[str(name)], own["cutoff"], own["mse"], mode="lines+markers", visible=visible)
        figure.add_trace(line)
    axis = choose_time_axis("cut-off of the window", by_cutoff["cutoff"])
    return set_layout(figure, "Error by window", "", axis, name_axis("mse"))


def render_report(results: dict[str, Any], validation: CrossValidationSpec, figure: Figure) -> str:
    """Return verdict, table and figure as one HTML page that needs no network.

    Args:
        results: see `summarize_windows`.
        validation: the parameters.
        figure: the error by window.
    """
    found = WindowResults.model_validate(results)
    windows = (
        f"{count(found.num_windows, 'window')} of {found.num_series:,} series, from {found.first_cutoff} to "
        f"{found.last_cutoff}."
    )
    how = NOTES["how_to_read"].format(baseline=STYLES[found.baseline].name, significance=SIGNIFICANCE)
    sections = [
        Section(
            "Forecasters",
            [tabulate_forecasters(found), how, f"{windows} {NOTES['refitted' if validation.refit else 'fitted_once']}"],
        ),
        Section("Error by window", [figure]),
        Section("Parameters", [tabulate_parameters("cross_validate_forecast", validation.model_dump())]),
    ]
    return render_page("Cross-validation of forecasts", describe_verdict(found), sections)


def summarize_run(results: dict[str, Any]) -> str:
    """Return the verdict and the forecasters for a terminal."""
    found = WindowResults.model_validate(results)
    return summarize([describe_verdict(found)], tabulate_forecasters(found))


def describe_verdict(results: WindowResults) -> str:
    """Name the forecaster with the lowest error, and state whether the difference is significant."""
    best = results.rank()[0]
    numbers, theirs = results.forecasters[best], results.forecasters[results.baseline]["mse"] or 0.0
    mse, p_value = numbers["mse"] or 0.0, numbers["p_value"]
    name, baseline = STYLES[best].name, STYLES[results.baseline].name
    if p_value is None:
        return f"No network has a lower MSE over these windows than {baseline}, {format_number(mse)}."
    shown = "" if p_value <= SIGNIFICANCE else ", which can be chance"
    return (
        f"{name} has the lowest MSE over these windows, {format_number(mse)}: {100 * (1 - mse / theirs):.1f} % below "
        f"{baseline} ({format_p_value(p_value)}){shown}."
    )


def tabulate_forecasters(results: WindowResults) -> Table:
    """Return one row for each forecaster, the best one first; the lowest errors are marked."""
    names = results.rank()
    blocks = [results.forecasters[name] for name in names]
    coverages = sorted({key for block in blocks for key in block if key.startswith("coverage_")})
    header = ["", *(METRICS[name].heading for name in MEANS), *TOTALS.values(), "p"]
    header += [f"inside {key[9:]} %" for key in coverages]
    rows = [
        [
            STYLES[name].name,
            *(format_number(block[metric] or 0.0) for metric in MEANS),
            *format_totals(block),
            format_p_cell(block["p_value"]),
            *(_format_coverage(block.get(key)) for key in coverages),
        ]
        for name, block in zip(names, blocks, strict=True)
    ]
    return Table(header, rows, best=mark_best(rows, list_errors(blocks, [*MEANS, *TOTALS])))


def _format_coverage(coverage: float | None) -> str:
    return NO_NUMBER if coverage is None else f"{100 * coverage:.0f} %"
