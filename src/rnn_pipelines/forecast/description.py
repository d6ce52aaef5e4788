"""What a forecaster shows of itself in a notebook or a console."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.fitting import Fitted, rank_forecasters
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.report.next_values import write_times
from rnn_pipelines.report.terminal import wrap_lines

NUM_DIGITS = 4
# Columns of the leaderboard in a notebook, before the coverage of each level.
COLUMNS = ("forecaster", "mae", "rmse", "mase", "skill", "bias")


def describe_state(
    spec: ForecastSpec,
    artefact: Forecaster | None,
    fitted: Fitted | None,
    replaced: Sequence[str] = (),
) -> list[str]:
    """Return lines with the parameters of a forecaster, and what it was fitted on.

    The method in use is None before a fit; the fit is None before it, and after a load.
    """
    window = spec.window
    freq = spec.source.freq
    shape: dict[str, object] = {
        "h": window.horizon,
        "level": list(spec.level.root),
        "lookback": window.lookback,
    }
    if artefact is not None:
        settings = artefact.settings
        shape = shape | {"h": settings.horizon, "lookback": settings.lookback}
        freq = settings.freq
    values = ", ".join(f"{name}={value!r}" for name, value in {**shape, "freq": freq}.items())
    lines = [f"Forecaster({values})", _describe_fit(artefact, fitted)]
    if replaced:
        lines.append(f"Replaced after the evaluation: {' and '.join(replaced)}.")
    return lines


def _describe_fit(artefact: Forecaster | None, fitted: Fitted | None) -> str:
    if artefact is None:
        return "Not fitted. Call fit, or Forecaster.load."
    num_series = len(artefact.scaler)
    use = artefact.settings.use
    if fitted is None:
        return f"Loaded, of {count(num_series, 'series', 'series')}; in use: {use}."
    profile = fitted.panel.profile
    table = fitted.panel.series
    ends = pd.Series([table["ds"].max()])
    return (
        f"Fitted on {count(profile['num_series'], 'series', 'series')} with {count(len(table), 'value')} up to "
        f"{write_times(ends)[0]}; in use: {use}."
    )


def render_text(lines: Sequence[str], answer: Sequence[str]) -> str:
    """Return the description as wide as a terminal, after the answer if there is one."""
    return "\n".join([*(wrap_lines(sentence) for sentence in answer if sentence), *lines])


def render_html(
    lines: Sequence[str], answer: Sequence[str], metrics: ForecastMetrics | None
) -> str:
    """Return the description as HTML, with the answer and the leaderboard if there are metrics."""
    name, *others = map(escape, lines)
    parts = [f"<p>{escape(sentence)}</p>" for sentence in answer if sentence]
    parts += [f"<p><b>{name}</b></p>", *(f"<p>{line}</p>" for line in others)]
    if metrics is not None:
        table = rank_forecasters(metrics)
        shown = [name for name in table if name in COLUMNS or name.startswith("coverage_")]
        parts.append(
            table[shown].to_html(
                index=False, float_format=lambda number: f"{number:.{NUM_DIGITS}g}"
            )
        )
    return "\n".join(parts)
