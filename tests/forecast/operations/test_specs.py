"""What networks and their training are asked for is checked before anything runs."""

import pytest
from pydantic import ValidationError

from rnn_pipelines.forecast.methods.specs import BudgetSpec, ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec


def test_network_is_chosen_from_the_data_unless_something_is_asked_for() -> None:
    network = NetworkSpec(cell="lstm")
    assert (network.units, network.members, network.segment) == (None, None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [("units", 0), ("units", (4, 4)), ("members", 0), ("segment", 0), ("dropout", 0.1), ("activation", "relu")],
)
def test_wrong_network_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        NetworkSpec(**{"cell": "lstm", field: value})


def test_unknown_cell_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValidationError, match=r"expected one of \['gru', 'lstm'\], received 'rnn'"):
        NetworkSpec(cell="rnn")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_steps", 0),
        ("patience", 0),
        ("batch_size", 0),
        ("learning_rate", 0),
        ("weight_average", 1),
        ("clip_norm", 0),
        ("seed", -1),
        ("epochs", 1),
        ("schedule", "cosine"),
    ],
)
def test_wrong_training_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        ForecastTrainingSpec(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"), [("max_seconds", 0), ("max_steps", 0), ("epochs", 5), ("warm_start", True)]
)
def test_wrong_budget_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        BudgetSpec(**{field: value})


def test_policy_names_baselines_that_there_are() -> None:
    with pytest.raises(ValidationError, match=r"expected some of .*'baseline_ensemble'.*, received 'nobody'"):
        ForecastPolicySpec(must_beat=("nobody",))
