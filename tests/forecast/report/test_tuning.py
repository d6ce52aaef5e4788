"""The report of a search says no more than its trials."""

import json

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.report.tuning import describe_verdict, render_report

SUMMARY = {
    "metric": "mse",
    "loss": 3.0,
    "baseline_loss": 3.5,
    "first_loss": 4.0,
    "num_trials": 3,
    "num_failed": 1,
    "importances": {"gru.units": 0.75, "window.lookback": 0.25},
}


def test_gain_is_held_against_the_parameters_as_they_are() -> None:
    assert describe_verdict(SUMMARY) == (
        "Of 3 trials the best has MSE 3.000 on validation, 25.0 % below the parameters as they are (4.000). "
        "1 trials failed."
    )


def test_a_search_that_found_nothing_says_so() -> None:
    verdict = describe_verdict({**SUMMARY, "loss": 4.0, "num_failed": 0})
    assert verdict == "No trial was better on validation than the parameters as they are, MSE 4.000."


@pytest.mark.parametrize("importances", [SUMMARY["importances"], {}])
def test_page_has_trials_parameters_and_what_mattered(importances: dict[str, float]) -> None:
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
    found = {"forecast": {"gru": {"units": 32}, "window": {"lookback": 30}}}
    page = render_report({**SUMMARY, "importances": importances}, trials, found, tuning)
    order = [page.index(f"<td>{trial}</td>") for trial in (2, 0, 1)]
    assert order == sorted(order)
    assert "forecast.gru.units" in page
    assert "1,234.5" in page
    assert ("0.75" in page) is bool(importances)
    assert ("Too few trials to say" in page) is not bool(importances)
