"""The figure of retrainings has the losses of challenger and champion at each."""

from typing import Any

import pandas as pd
import pytest

from rnn_pipelines.report.retrainings import CHAMPION, KEPT, PROMOTED, draw_retrainings

RETRAININGS = pd.DataFrame(
    [
        ("2026-01-01T02:00:00+00:00", 3.0, None, True),
        ("2026-01-02T02:00:00+00:00", 2.5, 2.0, False),
        ("2026-01-03T02:00:00+00:00", 1.0, 2.0, True),
    ],
    columns=["at", "challenger", "champion", "is_promoted"],
)


@pytest.fixture
def drawn() -> dict[str, Any]:
    return {trace.name: trace for trace in draw_retrainings(RETRAININGS, "MSE").data}


def list_points(trace: Any) -> list[tuple[str, float]]:
    return list(zip(trace.x, trace.y, strict=True))


def test_challengers_are_split_by_the_decision(drawn: dict[str, Any]) -> None:
    assert list(drawn) == [CHAMPION.name, PROMOTED.name, KEPT.name]


def test_losses_of_the_champion_are_drawn(drawn: dict[str, Any]) -> None:
    losses = drawn[CHAMPION.name].y
    assert pd.isna(losses[0])
    assert list(losses[1:]) == [2.0, 2.0]


def test_promoted_challengers_are_drawn(drawn: dict[str, Any]) -> None:
    assert list_points(drawn[PROMOTED.name]) == [
        ("2026-01-01T02:00:00", 3),
        ("2026-01-03T02:00:00", 1),
    ]


def test_challengers_that_were_kept_back_are_drawn(drawn: dict[str, Any]) -> None:
    assert list_points(drawn[KEPT.name]) == [("2026-01-02T02:00:00", 2.5)]


def test_the_axis_is_named_after_the_loss() -> None:
    assert draw_retrainings(RETRAININGS, "log loss").layout.yaxis.title.text == "log loss"
