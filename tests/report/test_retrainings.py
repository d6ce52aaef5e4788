"""The figure of retrainings has the losses of challenger and champion at each."""

from typing import Any

import pytest

from rnn_pipelines.report.retrainings import CHAMPION, KEPT, PROMOTED, Contest, draw_retrainings

CONTESTS = [
    Contest("2026-01-01T02:00:00+00:00", 3.0, None, True),
    Contest("2026-01-02T02:00:00+00:00", 2.5, 2.0, False),
    Contest("2026-01-03T02:00:00+00:00", 1.0, 2.0, True),
]


@pytest.fixture
def drawn() -> dict[str, Any]:
    return {trace.name: trace for trace in draw_retrainings(CONTESTS, "MSE").data}


def test_challengers_are_split_by_the_decision(drawn: dict[str, Any]) -> None:
    assert list(drawn) == [CHAMPION.name, PROMOTED.name, KEPT.name]


def test_losses_of_the_champion_are_drawn(drawn: dict[str, Any]) -> None:
    assert drawn[CHAMPION.name].y == (None, 2.0, 2.0)


def test_promoted_challengers_are_drawn(drawn: dict[str, Any]) -> None:
    assert (drawn[PROMOTED.name].x, drawn[PROMOTED.name].y) == (
        ("2026-01-01T02:00:00", "2026-01-03T02:00:00"),
        (3, 1),
    )


def test_challengers_that_were_kept_back_are_drawn(drawn: dict[str, Any]) -> None:
    assert (drawn[KEPT.name].x, drawn[KEPT.name].y) == (("2026-01-02T02:00:00",), (2.5,))


def test_the_axis_is_named_after_the_loss() -> None:
    assert draw_retrainings(CONTESTS, "log loss").layout.yaxis.title.text == "log loss"
