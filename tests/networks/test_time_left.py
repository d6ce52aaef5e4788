"""The time left of a loop is that of its steps so far."""

import logging

import pytest

from rnn_pipelines.networks import time_left
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out
from rnn_pipelines.networks.time_left import TimeLeft, format_seconds


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time_left, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "10 s"), (44, "40 s"), (100, "2 min"), (5300, "88 min"), (5400, "1.5 h")],
)
def test_duration_has_few_digits(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("num_done", "options", "text"),
    [
        (1, {}, "about 15 min left"),
        (4, {"num_before": 3}, "about 10 min left"),
        (1, {"num_parallel": 4}, "about 2 min left"),
        (7, {"num_parallel": 4}, ""),
        (9, {}, ""),
        (1, {"can_stop": True}, "at most about 15 min left"),
    ],
)
def test_estimate_is_that_of_the_steps_so_far(
    clock: Clock, num_done: int, options: dict[str, int], text: str
) -> None:
    left = TimeLeft(10, "trainings", **options)
    clock.seconds = 100
    assert left.describe(num_done) == text


def test_nothing_is_logged_before_the_first_interval(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    left = TimeLeft(10, "trials")
    with caplog.at_level(logging.INFO, time_left.__name__):
        clock.seconds = 1
        left.log(1)
    assert caplog.messages == []


def test_progress_is_logged_once_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    left = TimeLeft(10, "trials")
    with caplog.at_level(logging.INFO, time_left.__name__):
        for num_done in range(1, 10):
            clock.seconds += 25
            left.log(num_done)
    assert [message.partition(" of")[0] for message in caplog.messages] == ["1", "4", "7"]


def test_the_time_left_is_estimated_by_the_first_jobs(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    left = TimeLeft(10, "trials")
    with caplog.at_level(logging.INFO, time_left.__name__):
        for num_done in range(1, 10):
            clock.seconds += 25
            left.log(num_done)
    assert caplog.messages[0] == "1 of 10 trials; about 4 min left"


def test_parallel_trainings_announce_the_time_left(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def train(_: int) -> None:
        clock.seconds += 30

    with caplog.at_level(logging.INFO, time_left.__name__):
        found = list(fan_out(train, range(4), ParallelSpec(workers=1)))
    assert len(found) == 4
    assert [message.partition(";")[0] for message in caplog.messages] == [
        "1 of 4 trainings",
        "3 of 4 trainings",
    ]
