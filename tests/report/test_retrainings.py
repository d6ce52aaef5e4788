"""The figure of retrainings has the losses of challenger and champion at each."""

import pandas as pd

from rnn_pipelines.report.retrainings import CHAMPION, KEPT, PROMOTED, draw_retrainings

RETRAININGS = pd.DataFrame(
    [
        ("2026-01-01T02:00:00+00:00", 3.0, None, True),
        ("2026-01-02T02:00:00+00:00", 2.5, 2.0, False),
        ("2026-01-03T02:00:00+00:00", 1.0, 2.0, True),
    ],
    columns=["at", "challenger", "champion", "is_promoted"],
)


def test_challengers_are_split_by_the_decision() -> None:
    traces = {trace.name: trace for trace in draw_retrainings(RETRAININGS, "MSE").data}
    assert list(traces) == [CHAMPION.name, PROMOTED.name, KEPT.name]
    assert pd.isna(traces[CHAMPION.name].y[0])
    assert list(traces[CHAMPION.name].y[1:]) == [2.0, 2.0]
    assert list(traces[PROMOTED.name].x) == ["2026-01-01T02:00:00", "2026-01-03T02:00:00"]
    assert list(traces[PROMOTED.name].y) == [3, 1]
    assert list(traces[KEPT.name].x) == ["2026-01-02T02:00:00"]
    assert list(traces[KEPT.name].y) == [2.5]
    assert draw_retrainings(RETRAININGS, "log loss").layout.yaxis.title.text == "log loss"
