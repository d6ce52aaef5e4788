"""The figures of `monitor_forecast`: realised and expected error, over time and by step ahead."""

from dataclasses import replace

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.realised import EvaluatedForecasts, GroupError, measure_groups
from rnn_pipelines.forecast.operations.monitoring import ForecastVerdict
from rnn_pipelines.forecast.operations.verdict import MonitorForecastSpec
from rnn_pipelines.forecast.report.choice import show_time
from rnn_pipelines.report.figures import NEUTRAL_COLOR, count_up_to, draw_line, set_title
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.styles import Style

# More labels would overlap; the table of the versions lists all of them.
MAX_NAMED_MARKS = 24
# Blue and vermilion of Okabe & Ito's palette.
REALISED, EXPECTED = Style("realised", "#0072b2"), Style("expected", "#d55e00", "dash")
ONE_CUTOFF = Style("one cut-off", "rgba(0,114,178,0.4)")
NOTHING = "no past forecast can be judged yet"


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
        set_title(figure, "Error over time", NOTHING)
        return figure
    table = measure_groups(evaluated, "cutoff")
    x = show_time(table["cutoff"])
    mean = table["mse"].rolling(num_cutoffs, min_periods=1).mean()
    figure.add_trace(draw_line(ONE_CUTOFF, x, np.sqrt(table["mse"]), width=1))
    figure.add_trace(draw_line(replace(REALISED, name=f"mean of {num_cutoffs} cut-offs"), x, np.sqrt(mean), width=2.5))
    figure.add_trace(draw_line(EXPECTED, x, np.sqrt(table["expected_mse"])))
    _mark_versions(figure, mark_versions(evaluated))
    set_title(figure, "Error over time", "RMSE by cut-off; v1, v2, …: the first forecasts of a model version")
    figure.update_xaxes(title="cut-off")
    figure.update_yaxes(title="RMSE", rangemode="tozero")
    return figure


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
        set_title(figure, "Error by step ahead", "no past forecast by the version in use can be judged yet")
        return figure
    table = pd.DataFrame(by_step)
    for style, column in ((REALISED, "mse"), (EXPECTED, "expected_mse")):
        rmse = np.sqrt(table[column].astype("float64"))
        figure.add_trace(draw_line(style, table["horizon_step"], rmse, marker={"size": 8}))
    set_title(figure, "Error by step ahead", "RMSE of the forecasts that the verdict is about")
    figure.update_xaxes(**count_up_to("steps ahead", int(table["horizon_step"].max())))
    figure.update_yaxes(title="RMSE", rangemode="tozero")
    return figure
