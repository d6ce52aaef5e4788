"""The line of a long run on a terminal."""

import sys

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.networks.stages import Stage, StageTimes, begin_stage, show_stages

SMALL = {"lstm": {"units": 3}, "gru": {"units": 3}, "training": {"max_steps": 5}}
STAGES: list[Stage] = [("read", 1.0), ("fit", 1.0), ("train", 6.0), ("draw", 2.0)]


class Run:
    """A run whose clock is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.times = StageTimes(STAGES, lambda: self.seconds)

    def spend(self, name: str, seconds: float) -> None:
        self.times.begin(name)
        self.seconds += seconds


@pytest.fixture
def run() -> Run:
    return Run()


def test_a_machine_that_is_slower_takes_longer_for_all_stages(run: Run) -> None:
    run.spend("read", 3)
    run.spend("fit", 3)
    run.times.begin("train")
    assert 2 * (6 + 2) < run.times.estimate_left() < 3 * (6 + 2)


def test_the_time_of_a_stage_follows_from_its_share(run: Run) -> None:
    run.spend("read", 1)
    run.spend("fit", 1)
    run.spend("train", 10)
    run.times.set_share(0.25)
    assert run.times.estimate_left() == 30 + 2


def test_a_share_of_a_part_is_one_of_the_stage(run: Run) -> None:
    run.spend("read", 1)
    run.spend("train", 10)
    run.times.begin_part(1, 2)
    run.times.set_share(0.5)
    assert run.times.estimate_left() == pytest.approx(10 / 3 + 2)


def test_a_stage_that_takes_longer_than_usual_goes_on(run: Run) -> None:
    run.spend("read", 1)
    run.spend("fit", 1)
    run.spend("train", 20)
    assert run.times.estimate_left() == 10 + 2


def test_a_stage_without_work_says_nothing_about_the_others(run: Run) -> None:
    run.spend("read", 1)
    run.spend("fit", 1)
    run.spend("train", 0.1)
    run.times.begin("draw")
    assert run.times.estimate_left() == 2


def test_a_stage_that_is_left_out_takes_no_time(run: Run) -> None:
    run.spend("read", 1)
    run.times.begin("draw")
    assert run.times.estimate_left() == 2


def test_the_line_has_stage_share_time_and_time_left(run: Run) -> None:
    run.spend("read", 1)
    run.spend("train", 60)
    run.times.set_share(0.5)
    assert run.times.describe() == "train: 50 %, 01:01, 01:02 left"


def test_the_line_is_on_the_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with show_stages(STAGES, verbose=True):
        begin_stage("read")
        begin_stage("fit")
    assert "fit: 0 %, 00:00, 00:" in capsys.readouterr().err


def test_stages_are_silent_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    begin_stage("alone")
    with show_stages(STAGES):
        begin_stage("fit")
    assert capsys.readouterr().err == ""


def test_fit_shows_stages_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame(
        {
            "ds": pd.date_range("2024-01-01", periods=90),
            "y": np.random.default_rng(0).normal(size=90),
        }
    )
    Forecaster(h=3, **SMALL).fit(frame)
    assert capsys.readouterr().err == ""
    Forecaster(h=3, **SMALL).fit(frame, verbose=True)
    assert "fit the intervals: " in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    Forecaster(h=3, **SMALL).fit(frame, verbose=False)
    assert "fit the intervals: " not in capsys.readouterr().err
