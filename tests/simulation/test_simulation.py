"""Simulated nights of some seeds: nothing is wrong after any of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulate import Event, draw, shrink

HERE = Path(__file__).parent


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this folder in a process of its own, whose clock and disk it changes."""
    places = [*sys.path, str(HERE.parent / "support")]
    return subprocess.run(
        [sys.executable, str(HERE / program), *options],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
    )


def test_nights_with_a_kill_are_right() -> None:
    """In the middle of the writing of the log."""
    finished = run("simulate.py", "--nights=3", "--event=1:kill:104")
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_seed_always_draws_the_same_history() -> None:
    assert draw(7, 100) == draw(7, 100)


def test_shortest_history_has_only_the_events_that_fail() -> None:
    events = draw(7, 100)
    needed = {events[3], events[11]}
    assert set(shrink(events, lambda some: needed <= set(some))) == needed


def test_history_of_one_event_is_kept() -> None:
    event = Event(3, "kill", 7)
    assert shrink([event], lambda some: event in some) == [event]


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--seed=22",), ("--seed=7", "--freq=D")])
def test_nights_of_a_seed_are_right(options: tuple[str, ...]) -> None:
    finished = run("simulate.py", "--nights=12", *options)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.slow
def test_simulated_nights_equal_those_of_kedro() -> None:
    finished = run("real_nights.py")
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.slow
def test_planted_fault_is_found() -> None:
    finished = run("planted.py", "--at=champion/history.py:24")
    assert "1 of 1 found" in finished.stdout, finished.stderr
