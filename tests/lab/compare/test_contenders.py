"""Networks of a task have equal budgets, and a cell that is registered takes part."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from pydantic import ValidationError

from golden import has_in_order
from rnn_pipelines.errors import TaskError
from rnn_pipelines.lab.compare.contenders import NETWORKS, CellKind, ContenderSpec, check_budgets
from rnn_pipelines.lab.compare.specs import TaskBook
from rnn_pipelines.report.styles import Style

NUM_INPUTS = {"series": 1, "adding": 2, "copy": 10, "music": 88}


def make_contenders(**units: int) -> dict[str, ContenderSpec]:
    return {cell: ContenderSpec(cell=cell, units=number) for cell, number in units.items()}


def test_budgets_are_the_recurrent_weights() -> None:
    """Simple RNN u(m + u + 1), LSTM four times as many, GRU three times u(m + u + 2)."""
    found = check_budgets("mine", make_contenders(rnn=17, lstm=8, gru=9), 2)
    assert found == {"rnn": 17 * 20, "lstm": 4 * 8 * 11, "gru": 3 * 9 * 13}


def test_unequal_budgets_are_refused() -> None:
    with pytest.raises(TaskError) as caught:
        check_budgets("mine", make_contenders(rnn=90, lstm=50, gru=57), 2)
    facts = (
        "'mine'",
        "6 %",
        "rnn 8,370, lstm 10,600, gru 10,431",
        "2 inputs",
        "compare.tasks.mine.contenders",
    )
    assert has_in_order(str(caught.value), *facts)


def test_a_contender_needs_units() -> None:
    with pytest.raises(ValidationError, match="units"):
        ContenderSpec.model_validate({"cell": "lstm"})


@pytest.mark.parametrize(("units", "is_refused"), [(47, False), (46, True)])
def test_budgets_may_differ_by_6_percent_of_the_largest(units: int, is_refused: bool) -> None:
    """Simple RNNs of 2,400, 2,303 and 2,208 weights: 96 % and 92 % of the largest."""
    contenders = {
        name: ContenderSpec(cell="rnn", units=number)
        for name, number in (("one", 48), ("other", units))
    }
    if is_refused:
        with pytest.raises(TaskError, match="within 6 %"):
            check_budgets("mine", contenders, 1)
    else:
        assert len(check_budgets("mine", contenders, 1)) == 2


@pytest.mark.parametrize("environment", ["base", "test"])
def test_all_tasks_have_equal_budgets(project: Path, environment: str) -> None:
    files = [
        project / f"conf/{name}/parameters_compare.yml"
        for name in dict.fromkeys(["base", environment])
    ]
    parameters: Any = OmegaConf.to_container(
        OmegaConf.merge(*(OmegaConf.load(file) for file in files))
    )
    for name, task in TaskBook.model_validate(parameters["compare"]["tasks"]).root.items():
        assert check_budgets(name, task.contenders, NUM_INPUTS[task.data.kind])


# A contender has the shape, the number of weights and the biases that its spec says.


CELLS = ("rnn", "lstm", "gru", "mingru")
NUM_FEATURES, NUM_OUTPUTS = 3, 2


@pytest.fixture(scope="module")
def build():
    """`build_contender`, which loads Keras; weights are the same each time."""
    import keras

    from rnn_pipelines.lab.compare.training import build_contender

    def build_seeded(
        cell: str = "lstm", every_step: bool = False, units: int = 4, **options: object
    ):
        keras.utils.set_random_seed(0)
        contender = ContenderSpec(cell=cell, units=units, **options)
        return build_contender(contender, NUM_FEATURES, NUM_OUTPUTS, every_step)

    return build_seeded


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5, 7, NUM_FEATURES)).astype("float32")


def count_cell(cell: str, units: int) -> int:
    """Weights of the recurrent layer, from the equations: a GRU has two biases, a minGRU no recurrent kernel."""
    gates, states, biases = {
        "rnn": (1, 1, 1),
        "lstm": (4, 1, 1),
        "gru": (3, 1, 2),
        "mingru": (2, 0, 1),
    }[cell]
    return gates * (NUM_FEATURES * units + states * units * units + biases * units)


@pytest.mark.parametrize(
    ("field", "value"),
    [("cell", "pointwise"), ("units", 0), ("units", "many"), ("activation", "sin"), ("width", 3)],
)
def test_wrong_contender_is_refused_before_keras_loads(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        ContenderSpec(**{"cell": "lstm", "units": 4, field: value})


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_forget_bias_is_refused_for_a_cell_without_a_forget_gate(cell: str) -> None:
    with pytest.raises(
        ValidationError, match=f"unit_forget_bias is for the cell lstm; {cell} has no forget gate"
    ):
        ContenderSpec(cell=cell, units=4, unit_forget_bias=False)


def test_cell_is_registered_in_one_line(build, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = CellKind(
        "GRU", Style("mine"), lambda num_inputs, units: 3 * units * (num_inputs + units + 2)
    )
    monkeypatch.setitem(NETWORKS, "mine", mine)
    assert build("mine").get_layer("recurrent").count_params() == mine.count_weights(
        NUM_FEATURES, 4
    )


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("every_step", "shape"), [(False, (5, 2)), (True, (5, 7, 2))])
def test_output_is_one_for_each_sequence_or_each_step(
    build, inputs: np.ndarray, cell: str, every_step: bool, shape: tuple[int, ...]
) -> None:
    assert build(cell, every_step)(inputs).shape == shape


@pytest.mark.parametrize("cell", CELLS)
def test_output_is_that_of_the_last_step_whatever_the_padding(
    build, inputs: np.ndarray, cell: str
) -> None:
    np.testing.assert_allclose(
        build(cell)(inputs), build(cell, every_step=True)(inputs)[:, -1], rtol=0, atol=1e-6
    )
    model = build(cell, every_step=True)
    padded = np.concatenate([inputs, np.full((5, 3, NUM_FEATURES), 9, "float32")], axis=1)
    np.testing.assert_allclose(model(padded)[:, :7], model(inputs), rtol=0, atol=1e-6)
    model = build(cell)
    assert model.get_layer("recurrent").count_params() == count_cell(cell, 4)
    assert model.count_params() == count_cell(cell, 4) + 4 * NUM_OUTPUTS + NUM_OUTPUTS


def test_head_is_linear(build, inputs: np.ndarray) -> None:
    model = build("lstm")
    before = model(inputs).numpy()
    head = model.get_layer("head")
    head.set_weights([1_000 * weights for weights in head.get_weights()])
    np.testing.assert_allclose(model(inputs), 1_000 * before, rtol=1e-4)


def test_activation_is_that_of_the_contender(build) -> None:
    assert build("gru", activation="relu").get_layer("recurrent").activation.__name__ == "relu"


def test_networks_start_alike_but_for_the_bias(build) -> None:
    one, other = (build("lstm", unit_forget_bias=is_1).get_weights() for is_1 in (True, False))
    for number in (0, 1, 3, 4):
        np.testing.assert_array_equal(one[number], other[number])


@pytest.mark.parametrize(("unit_forget_bias", "bias"), [(True, 1), (False, 0)])
def test_forget_gate_starts_with_the_bias_of_the_spec(
    build, unit_forget_bias: bool, bias: int
) -> None:
    """Keras puts the input gate first, then forget gate, candidate and output gate."""
    found = build("lstm", unit_forget_bias=unit_forget_bias).get_layer("recurrent").get_weights()[2]
    assert found.tolist() == [0] * 4 + [bias] * 4 + [0] * 8
