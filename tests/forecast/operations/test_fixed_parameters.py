"""Parameters that a champion has fixed are named if they have changed since its training, with the way to change it."""

import logging
from typing import Any

import pytest

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.forecast.operations.fixed_parameters import (
    find_other_parameters,
    warn_of_other_parameters,
)

TRAINED: dict[str, Any] = {
    "window": {"lookback": 14, "horizon": 3, "stride": 1},
    "level": [80, 95],
    "use": "ensemble",
    "covariates": {"future": [], "past": [], "static": [], "holidays": None, "path": None},
    "training": {"target": "mean", "seed": 0},
    "lstm": {"cell": "lstm", "units": 4},
}


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"window": {"lookback": 14, "horizon": 5}}, "window.horizon"),
        ({"window": {"lookback": 7, "horizon": 3}}, "window.lookback"),
        ({"level": [50]}, "level"),
        ({"use": "theta"}, "use"),
        ({"training": {"target": "median"}}, "training.target"),
        ({"covariates": {"future": "price"}}, "covariates.future"),
        ({"covariates": {"holidays": "DE"}}, "covariates.holidays"),
    ],
)
def test_changed_parameter_is_found(changed: dict[str, Any], name: str) -> None:
    assert list(find_other_parameters(TRAINED, TRAINED | changed)) == [name]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"covariates": {"path": "prices.csv", "future": ["price"]}},
        {"lstm": {"cell": "lstm", "units": 8}},
        {"training": {"target": "mean", "seed": 1}},
    ],
    ids=["none", "read in each run", "of a network", "of the training"],
)
def test_other_parameters_are_left_to_the_comparison(changed: dict[str, Any]) -> None:
    trained = TRAINED | {"covariates": {**TRAINED["covariates"], "future": ["price"]}}
    assert find_other_parameters(trained, trained | changed) == {}


def test_defaults_of_a_command_that_names_no_parameters_do_not_count() -> None:
    given = {"window": {}, "level": [80, 95], "use": "ensemble"}
    assert "window.horizon" in find_other_parameters(TRAINED, given)
    assert find_other_parameters(TRAINED, given, are_defaults_named=False) == {}


def test_prediction_warns_with_the_command(caplog: pytest.LogCaptureFixture) -> None:
    champion = LoadedChampion("v1", None, "", (), {"parameters": {"forecast": TRAINED}})
    with caplog.at_level(logging.WARNING):
        warn_of_other_parameters(champion, TRAINED | {"window": {"lookback": 14, "horizon": 5}})
    assert "forecast.window.horizon is 5, of the champion 3" in caplog.text
    assert "kedro champion retrain forecast --promote" in caplog.text
