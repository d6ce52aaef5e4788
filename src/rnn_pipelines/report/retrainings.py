"""The figure of a champion's retrainings: the losses of challenger and champion over time."""

from collections.abc import Sequence
from dataclasses import dataclass

from plotly.graph_objects import Figure

from rnn_pipelines.report.figures import draw_line, draw_points, set_layout
from rnn_pipelines.report.styles import BLUE, NEUTRAL_COLOR, Style

CHAMPION = Style("champion before the decision", NEUTRAL_COLOR, "dot")
PROMOTED = Style("challenger, promoted", BLUE)
KEPT = Style("challenger, not promoted", BLUE)


@dataclass(frozen=True)
class Contest:
    """The losses of one retraining on its holdout, None if not measured, at its time, ISO 8601, UTC."""

    at: str
    challenger: float | None
    champion: float | None
    is_promoted: bool


def draw_retrainings(contests: Sequence[Contest], loss: str) -> Figure:
    """Draw the losses of challenger and champion at each retraining, oldest first."""
    figure = Figure()
    champions = [contest.champion for contest in contests]
    # Without the zone, which Plotly does not read; all times are in UTC.
    figure.add_trace(
        draw_line(
            CHAMPION, [contest.at[:19] for contest in contests], champions, mode="lines+markers"
        )
    )
    for style, is_promoted in ((PROMOTED, True), (KEPT, False)):
        chosen = [contest for contest in contests if contest.is_promoted == is_promoted]
        times = [contest.at[:19] for contest in chosen]
        losses = [contest.challenger for contest in chosen]
        marker = {
            "size": 11,
            "symbol": "circle" if is_promoted else "circle-open",
            "line": {"width": 2},
        }
        figure.add_trace(draw_points(style, times, losses, marker=marker))
    subtitle = (
        "each on the newest data of its day, so that points of different days are not comparable"
    )
    return set_layout(
        figure, "Loss at each retraining", subtitle, "time of the retraining, UTC", loss
    )
