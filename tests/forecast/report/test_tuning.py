"""The report of a search says no more than its trials."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from golden import has_in_order, is_golden
from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.report.tuning import report_tuning
from rnn_pipelines.report.report import Report

SUMMARY = {
    "metric": "mse",
    "loss": 3.0,
    "baseline_loss": 3.5,
    "first_loss": 4.0,
    "num_trials": 3,
    "num_failed": 1,
    "importances": {"gru.units": 0.75, "window.lookback": 0.25},
}


def make_report(**changes: object) -> Report:
    tried = [{"window.lookback": 30, "gru.units": units} for units in (None, 8, 32)]
    trials = pd.DataFrame(
        {
            "trial": [0, 1, 2],
            "parameters": [json.dumps(values) for values in tried],
            "loss": [4.0, np.nan, 3.0],
            "baseline_loss": [4.5, np.nan, 3.5],
            "seconds": [1.0, 0.1, 1234.5],
        }
    )
    tuning = TuningSpec(space={"gru.units": {"choices": [None, 8, 32]}})
    best = {"forecast": {"gru": {"units": 32}, "window": {"lookback": 30}}}
    return report_tuning({**SUMMARY, **changes}, trials, best, tuning)


def test_verdict_has_the_gain_over_the_current_parameters() -> None:
    assert has_in_order(
        make_report().verdict, "3 trials", "MSE 3.000", "25.0 %", "4.000", "1 trial failed"
    )
    assert has_in_order(make_report(loss=4.0, num_failed=0).verdict, "No trial", "MSE 4.000")


@pytest.mark.parametrize("importances", [SUMMARY["importances"], {}])
def test_page_is_the_golden_one(importances: dict[str, float]) -> None:
    page = make_report(importances=importances).render()
    assert is_golden(page, Path(__file__).parent / f"golden/tuning_{len(importances)}.txt")
