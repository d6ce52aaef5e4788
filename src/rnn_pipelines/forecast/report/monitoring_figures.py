"""The figures of `monitor_forecast`: realised and expected error, over time and by step ahead."""

from dataclasses import replace

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.realised import EvaluatedForecasts, GroupError, measure_groups
from rnn_pipelines.forecast.operations.monitoring import ForecastVerdict
from rnn_pipelines.forecast.operations.verdict import MonitorForecastSpec
from rnn_pipelines.forecast.report.choice import show_time
from rnn_pipelines.forecast.report.styles import name_axis
from rnn_pipelines.report.figures import choose_time_axis, count_up_to, draw_line, fade, set_layout
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.styles import BLUE, NEUTRAL_COLOR, VERMILION, Style

# More labels would overlap; the table of the versions lists all of them.
MAX_NAMED_MARKS = 24
REALISED, EXPECTED = Style("realised", BLUE), Style("expected", VERMILION, "dash")
ONE_CUTOFF = Style("one cut-off", fade(BLUE, 0.4))
RMSE_AXIS = {"title": name_axis("rmse"), "rangemode": "tozero"}
NOTHING = "there is no evaluated forecast yet"


def draw_figures(
    evaluated: EvaluatedForecasts, verdict: ForecastVerdict, monitoring: MonitorForecastSpec
) -> dict[str, Figure]:
    """Draw `error_over_time` and `error_by_step`.

    Args:
        evaluated: past forecasts of all versions.
        verdict: on those of the version in use.
        monitoring: with the number of cut-offs of the verdict.
    """
    return {
        "error_over_time": draw_or_note(draw_error_over_time, evaluated, monitoring.error.num_cutoffs),
        "error_by_step": draw_or_note(draw_error_by_step, verdict["by_step"]),
    }


def draw_error_over_time(evaluated: EvaluatedForecasts, num_cutoffs: int) -> Figure:
    """Draw the RMSE of the forecasts from each cut-off, its rolling mean, and the expected RMSE.

    Args:
        evaluated: see `draw_figures`.
        num_cutoffs: of the rolling mean.
    """
    figure = Figure()
    if evaluated.empty:
        return set_layout(figure, "Error over time", NOTHING)
    table = measure_groups(evaluated, "cutoff")
    x = show_time(table["cutoff"])
    mean = table["mse"].rolling(num_cutoffs, min_periods=1).mean()
    figure.add_trace(draw_line(ONE_CUTOFF, x, np.sqrt(table["mse"]), width=1))
    figure.add_trace(draw_line(replace(REALISED, name=f"mean of {num_cutoffs} cut-offs"), x, np.sqrt(mean), width=2.5))
    figure.add_trace(draw_line(EXPECTED, x, np.sqrt(table["expected_mse"])))
    _mark_versions(figure, mark_versions(evaluated))
    subtitle = "RMSE by cut-off; v1, v2, …: the first forecasts of a model version"
    return set_layout(figure, "Error over time", subtitle, choose_time_axis("cut-off", x), RMSE_AXIS)


def mark_versions(evaluated: EvaluatedForecasts) -> pd.DataFrame:
    """Return the model versions by their first evaluated cut-off: `model_version, first_cutoff, mark` (v1, v2, …)."""
    first = evaluated.groupby("model_version")["cutoff"].min().rename("first_cutoff").reset_index()
    first = first.sort_values(["first_cutoff", "model_version"], ignore_index=True)
    return first.assign(mark=[f"v{number}" for number in range(1, len(first) + 1)])


def _mark_versions(figure: Figure, marks: pd.DataFrame) -> None:
    for cutoff, names in marks.groupby("first_cutoff")["mark"]:
        place = show_time(pd.Series([cutoff])).iloc[0]
        figure.add_vline(place, line={"color": NEUTRAL_COLOR, "width": 1, "dash": "dot"})
        if len(marks) <= MAX_NAMED_MARKS:
            figure.add_annotation(
                x=place, y=1, yref="paper", yanchor="top", text=f" {', '.join(names)}", showarrow=False, xanchor="left"
            )


def draw_error_by_step(by_step: list[GroupError]) -> Figure:
    """Draw the realised and expected RMSE at each step ahead."""
    figure = Figure()
    if not by_step:
        return set_layout(figure, "Error by step ahead", NOTHING)
    table = pd.DataFrame(by_step)
    for style, column in ((REALISED, "mse"), (EXPECTED, "expected_mse")):
        rmse = np.sqrt(table[column].astype("float64"))
        figure.add_trace(draw_line(style, table["horizon_step"], rmse, marker={"size": 8}))
    steps = count_up_to("steps ahead", int(table["horizon_step"].max()))
    return set_layout(
        figure, "Error by step ahead", "RMSE of the newest cut-offs of the version in use", steps, RMSE_AXIS
    )
