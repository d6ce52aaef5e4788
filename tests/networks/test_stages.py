"""The line of a long run on a terminal."""

import sys

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.networks.stages import begin_stage, show_stages

SMALL = {"lstm": {"units": 3}, "gru": {"units": 3}, "training": {"max_steps": 5}}


def test_the_line_has_stage_with_its_share(capsys: pytest.CaptureFixture[str]) -> None:
    with show_stages(4, verbose=True):
        begin_stage("read")
        begin_stage("fit")
        begin_stage("draw")
    found = capsys.readouterr().err
    assert "fit: 25 %, 00:00, " in found
    assert "draw: 50 %" in found


def test_the_line_has_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with show_stages(4, verbose=True):
        begin_stage("read")
        begin_stage("fit")
        begin_stage("draw")
    found = capsys.readouterr().err
    assert "left" in found


def test_stages_are_silent_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    begin_stage("alone")
    with show_stages(2):
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
