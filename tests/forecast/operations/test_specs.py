"""What networks and their training are asked for is checked before anything runs."""

import pytest
from pydantic import BaseModel, ValidationError

from rnn_pipelines.forecast.methods.training.specs import (
    BudgetSpec,
    ForecastTrainingSpec,
    NetworkSpec,
)
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec


def test_sizes_of_a_network_are_open_by_default() -> None:
    network = NetworkSpec(cell="lstm")
    assert (network.units, network.members, network.segment) == (None, None, None)


def test_unknown_network_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected one of \['gru', 'lstm'\], received 'rnn'"):
        NetworkSpec(cell="rnn")


def test_unknown_baseline_is_refused() -> None:
    with pytest.raises(
        ValidationError, match=r"expected some of .*'baseline_ensemble'.*, received 'nobody'"
    ):
        ForecastPolicySpec(must_beat=("nobody",))


NETWORK = {"units": 0, "members": 0, "segment": 0, "dropout": 1.0, "activation": "relu"}
BUDGET = {"max_seconds": 0, "max_steps": 0, "epochs": 5, "warm_start": True}
TRAINING = {
    "max_steps": 0,
    "patience": 0,
    "batch_size": 0,
    "learning_rate": 0,
    "weight_average": 1,
    "clip_norm": 0,
    "seed": -1,
    "epochs": 1,
    "schedule": "cosine",
}


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (NetworkSpec, "units", (4, 0)),
        *((NetworkSpec, *one) for one in NETWORK.items()),
        *((ForecastTrainingSpec, *one) for one in TRAINING.items()),
        *((BudgetSpec, *one) for one in BUDGET.items()),
    ],
)
def test_wrong_value_or_unknown_parameter_is_refused(
    kind: type[BaseModel], field: str, value: object
) -> None:
    with pytest.raises(ValidationError, match=field):
        kind(**({"cell": "lstm"} if kind is NetworkSpec else {}), **{field: value})
