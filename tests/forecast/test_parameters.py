"""Parameters in Python are those of the files: the same defaults, the same checks."""

from inspect import signature
from pathlib import Path

import pytest
import yaml
from sklearn.base import clone

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.parameters import (
    EXOGENOUS,
    list_parameter_models,
    read_parameter_models,
)


@pytest.fixture(scope="module")
def parameters(project: Path) -> dict:
    """Without `paths`, which is an argument of `predict` in Python, and `partitions`, which are of files."""
    found = yaml.safe_load((project / "conf/base/parameters_forecast.yml").read_text())["forecast"]
    return {
        name: block
        for name, block in found.items()
        if name not in ("paths", "partitions", "totals", "reconcile")
    }


def test_defaults_are_those_of_the_file(parameters: dict) -> None:
    of_file = read_parameter_models(
        {name: block for name, block in parameters.items() if name != "source"}
    )
    assert Forecaster().spec == of_file


def test_blocks_are_those_of_the_file(parameters: dict) -> None:
    assert sorted(list_parameter_models()) == sorted(parameters)


def test_each_block_is_an_argument() -> None:
    assert {*list_parameter_models(), *EXOGENOUS} <= set(signature(Forecaster).parameters)


def test_a_single_level_needs_no_list() -> None:
    assert Forecaster(level=80).spec == Forecaster(level=[80]).spec


@pytest.mark.parametrize(
    "freq", ["D", "MS", "W-MON", "MS+14D", "B-DE", "D-SUN", "DEK", "7", 7, None]
)
def test_frequencies_of_every_form_are_taken(freq: int | str | None) -> None:
    assert Forecaster(freq=freq).spec.source.freq == freq


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"horizon": 3}, r"horizon: no such parameter. Did you mean h\?"),
        ({"input_size": 3}, r"input_size: no such parameter. Did you mean lookback\?"),
        ({"models": ["lstm"]}, r"models: no such parameter. Did you mean use\?"),
        ({"prediction_length": 3}, r"prediction_length: no such parameter. Did you mean h\?"),
        ({"n_epochs": 3}, r"Did you mean training=\{'max_steps': ...\}\?"),
        ({"season_length": 3}, r"Did you mean evaluation=\{'season_length': ...\}\?"),
        (
            {"num_samples": 3},
            r"num_samples: no such parameter. Did you mean predict\(paths=...\)\?",
        ),
        ({"training": {"epochs": 3}}, r"training.epochs: .* Did you mean training.max_steps\?"),
        (
            {"freq": "daily"},
            "freq: expected a pandas offset alias such as D, h or MS, .* received 'daily'",
        ),
        ({"source": {"freq": "M"}}, "freq: expected a pandas offset alias .* received 'M'"),
        ({"level": [0.8]}, "level.0: expected whole percent, such as 80 for 0.8, received 0.8"),
        ({"looback": 3}, r"looback: no such parameter. Did you mean lookback\?"),
        (
            {"training": {"max_step": 3}},
            r"training.max_step: no such parameter. Did you mean training.max_steps\?",
        ),
        ({"colour": 3}, r"colour: no such parameter. Expected one of \['breaks', 'calendar', "),
        ({"h": 0}, "window.horizon: Input should be greater than or equal to 1. Received 0"),
        ({"level": [100]}, "level.0: Input should be less than or equal to 99. Received 100"),
        ({"h": True}, "window.horizon: expected a number, received True"),
        ({"freq": True}, "source.freq: expected a number, received True"),
        ({"level": [True]}, "level.0: expected a number, received True"),
        (
            {"gaps": "ignore"},
            "gaps: Input should be 'interpolate', 'zero', 'error' or 'split'. Received 'ignore'",
        ),
        (
            {"split": {"test": 1.0}},
            "split.test: expected a fraction above 0 and below 1, .* a date, received 1.0",
        ),
        ({"freq": 1.5}, "source.freq: expected a frequency such as .* steps, received 1.5"),
        ({"split": 0.2}, "split: .* Received 0.2"),
        ({"window": 3}, "window: expected a dictionary, received 3"),
        ({"source": []}, r"source: expected a dictionary, received \[\]"),
        (
            {"lstm": {"cell": "rnn"}},
            r"lstm.cell: expected one of \['gru', 'lstm'\], received 'rnn'",
        ),
        ({"lstm": {"cell": "gru"}}, r"lstm.cell: expected 'lstm', .*received 'gru'\."),
        ({"source": {"path": "a.csv"}}, r"source.path: expected none, .* received 'a\.csv'\."),
        ({"source": {"name": "seattle"}}, "source.name: expected none, .* received 'seattle'"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_would_be_right(given: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Forecaster(**given)


def test_scikit_learn_copies_a_forecaster() -> None:
    original = Forecaster(h=3, level=None, training={"seed": 1}, futr_exog=["price"])
    copied = clone(original)
    assert copied is not original
    assert copied.spec == original.spec


def test_parameters_that_are_set_replace_those_of_the_constructor() -> None:
    changed = Forecaster(h=3, lookback=9).set_params(h=5)
    assert (changed.spec.window.horizon, changed.spec.window.lookback) == (5, 9)


def test_unknown_parameters_can_not_be_set() -> None:
    with pytest.raises(ParameterError, match=r"looback: no such parameter"):
        Forecaster().set_params(looback=3)
