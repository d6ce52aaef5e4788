"""The figure of retrainings has the losses of challenger and champion at each."""

from rnn_pipelines.report.retrainings import CHAMPION, KEPT, PROMOTED, Contest, draw_retrainings

CONTESTS = [
    Contest("2026-01-01T02:00:00+00:00", 3.0, None, True),
    Contest("2026-01-02T02:00:00+00:00", 2.5, 2.0, False),
    Contest("2026-01-03T02:00:00+00:00", 1.0, 2.0, True),
]


def test_challengers_are_split_by_the_decision() -> None:
    traces = {trace.name: trace for trace in draw_retrainings(CONTESTS, "MSE").data}
    assert list(traces) == [CHAMPION.name, PROMOTED.name, KEPT.name]
    assert traces[CHAMPION.name].y == (None, 2.0, 2.0)
    assert (traces[PROMOTED.name].x, traces[PROMOTED.name].y) == (
        ("2026-01-01T02:00:00", "2026-01-03T02:00:00"),
        (3, 1),
    )
    assert (traces[KEPT.name].x, traces[KEPT.name].y) == (("2026-01-02T02:00:00",), (2.5,))
    assert draw_retrainings(CONTESTS, "log loss").layout.yaxis.title.text == "log loss"
