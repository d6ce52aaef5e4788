"""The parameters of runs are a block as all others."""

import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.runs.specs import RunsSpec


def test_a_truth_value_in_place_of_a_number_is_named() -> None:
    with pytest.raises(ParameterError, match=r"^runs\.keep: expected a number, received True\.$"):
        read_parameter_model("runs", RunsSpec, {"keep": True})
