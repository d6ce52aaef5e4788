"""The figure of a champion's retrainings: the losses of challenger and champion over time."""

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.report.figures import draw_line, draw_points, set_layout
from rnn_pipelines.report.styles import BLUE, NEUTRAL_COLOR, Style

CHAMPION = Style("champion before the decision", NEUTRAL_COLOR, "dot")
PROMOTED = Style("challenger, promoted", BLUE)
KEPT = Style("challenger, not promoted", BLUE)


def draw_retrainings(retrainings: pd.DataFrame, loss: str) -> Figure:
    """Draw the losses of challenger and champion at each retraining, oldest first.

    The columns are `at` (ISO 8601, UTC), `challenger`, `champion` (losses on the holdout) and `is_promoted`.
    """
    figure = Figure()
    # Without the zone, which Plotly does not read.
    times = retrainings["at"].str[:19]
    figure.add_trace(
        draw_line(CHAMPION, times, retrainings["champion"].astype(float), mode="lines+markers")
    )
    for style, is_promoted in ((PROMOTED, True), (KEPT, False)):
        rows = retrainings["is_promoted"] == is_promoted
        symbol = "circle" if is_promoted else "circle-open"
        marker = {"size": 11, "symbol": symbol, "line": {"width": 2}}
        losses = retrainings["challenger"][rows]
        figure.add_trace(draw_points(style, times[rows], losses, marker=marker))
    subtitle = (
        "each on the newest data of its day, so that points of different days are not comparable"
    )
    return set_layout(
        figure, "Loss at each retraining", subtitle, "time of the retraining, UTC", loss
    )
