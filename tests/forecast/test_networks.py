"""The forecasting network has the shape, the inputs and the size that its spec says."""

import numpy as np
import pytest
from pydantic import ValidationError

from rnn_pipelines.forecast.specs import NetworkSpec

CELLS = ("lstm", "gru")
LOOKBACK, HORIZON, NUM_KNOWN = 6, 3, 2


@pytest.fixture(scope="module")
def build():
    """`build_forecaster`, which loads Keras; weights are the same each time."""
    import keras

    from rnn_pipelines.forecast.networks import build_forecaster

    def build_seeded(cell: str = "lstm", num_known: int = NUM_KNOWN, **options: object):
        keras.utils.set_random_seed(0)
        return build_forecaster(NetworkSpec(cell=cell, **{"units": (4,), **options}), LOOKBACK, HORIZON, num_known)

    return build_seeded


def make_inputs(batch: int = 5, num_known: int = NUM_KNOWN) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    inputs = {"history": random.normal(size=(batch, LOOKBACK, 1 + num_known)).astype("float32")}
    if num_known:
        inputs["known"] = random.normal(size=(batch, HORIZON, num_known)).astype("float32")
    return inputs


def call(model, inputs: dict[str, np.ndarray], training: bool = False) -> np.ndarray:
    return model(inputs, training=training).numpy()


def count_cell(cell: str, units: int, features: int) -> int:
    """Weights of one recurrent layer: the kernel, the recurrent kernel and the biases of every gate.

    With `reset_after`, a GRU has one bias for each of the two kernels.
    """
    if cell == "lstm":
        return 4 * (units * (features + units) + units)
    return 3 * (units * (features + units) + 2 * units)


# The spec


@pytest.mark.parametrize(("units", "expected"), [(8, (8,)), ([8], (8,)), ([64, 32], (64, 32)), ((5, 4, 3), (5, 4, 3))])
def test_units_are_one_number_or_one_for_each_layer(units: object, expected: tuple[int, ...]) -> None:
    assert NetworkSpec(cell="lstm", units=units).units == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("units", []),
        ("units", 0),
        ("units", [4, 0]),
        ("units", "many"),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("cell", "rnn"),
        ("width", 3),
    ],
)
def test_wrong_network_is_refused_before_keras_loads(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        NetworkSpec(**{"cell": "lstm", field: value})


# Inputs and outputs


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("num_known", [0, NUM_KNOWN])
def test_output_is_one_value_for_each_step_ahead(build, cell: str, num_known: int) -> None:
    assert call(build(cell, num_known), make_inputs(5, num_known)).shape == (5, HORIZON)


def test_inputs_are_history_and_known(build) -> None:
    shapes = {tensor.name: tensor.shape[1:] for tensor in build().inputs}
    assert shapes == {"history": (LOOKBACK, 1 + NUM_KNOWN), "known": (HORIZON, NUM_KNOWN)}


def test_no_known_features_make_no_input(build) -> None:
    assert [tensor.name for tensor in build(num_known=0).inputs] == ["history"]


@pytest.mark.parametrize("cell", CELLS)
def test_head_sees_the_known_features_of_every_step(build, cell: str) -> None:
    model, inputs = build(cell), make_inputs(1 + HORIZON)
    inputs = {name: np.repeat(array[:1], 1 + HORIZON, axis=0) for name, array in inputs.items()}
    for step in range(HORIZON):
        inputs["known"][1 + step, step] += 1
    outputs = call(model, inputs)
    assert (outputs[1:] != outputs[0]).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [(4,), (5, 4)])
def test_every_output_step_depends_on_the_whole_window(build, cell: str, units: tuple[int, ...]) -> None:
    """Each row of the batch has one step of the history changed."""
    inputs = {name: np.repeat(array[:1], 1 + LOOKBACK, axis=0) for name, array in make_inputs().items()}
    for step in range(LOOKBACK):
        inputs["history"][1 + step, step, 0] += 2
    outputs = call(build(cell, units=units), inputs)
    assert (outputs[1:] != outputs[0]).all()


@pytest.mark.parametrize("bias", [-1000.0, 1000.0])
def test_output_is_bounded_by_nothing(build, bias: float) -> None:
    model = build()
    kernel, _ = model.get_layer("forecast").get_weights()
    model.get_layer("forecast").set_weights([kernel, np.full(HORIZON, bias)])
    assert call(model, make_inputs()) == pytest.approx(bias, abs=20)


def test_windows_of_a_batch_know_nothing_of_each_other(build) -> None:
    model, inputs = build(), make_inputs()
    alone = call(model, {name: array[2:3] for name, array in inputs.items()})
    np.testing.assert_allclose(call(model, inputs)[2:3], alone, rtol=1e-5, atol=1e-6)


# Layers


@pytest.mark.parametrize("cell", CELLS)
def test_network_and_layers_bear_the_name_of_the_cell(build, cell: str) -> None:
    model = build(cell, units=(5, 4))
    names = [layer.name for layer in model.layers]
    assert (model.name, [name for name in names if cell in name]) == (
        f"{cell}_forecaster",
        [f"{cell}_1", f"{cell}_2"],
    )


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("num_known", [0, NUM_KNOWN])
@pytest.mark.parametrize("units", [(4,), (64, 32)])
def test_number_of_parameters_follows_the_formula(build, cell: str, num_known: int, units: tuple[int, ...]) -> None:
    recurrent = sum(
        count_cell(cell, width, features) for width, features in zip(units, (1 + num_known, *units), strict=False)
    )
    head = (units[-1] + HORIZON * num_known) * HORIZON + HORIZON
    assert build(cell, num_known, units=units).count_params() == recurrent + head


def test_activation_reaches_the_cell(build) -> None:
    inputs = make_inputs()
    assert not np.allclose(call(build(activation="relu"), inputs), call(build(activation="tanh"), inputs))


def test_dropout_is_silent_when_forecasting(build) -> None:
    model, inputs = build(dropout=0.5), make_inputs()
    np.testing.assert_array_equal(call(model, inputs), call(model, inputs))


def test_dropout_acts_in_training(build) -> None:
    model, inputs = build(dropout=0.5), make_inputs()
    assert not np.array_equal(call(model, inputs, training=True), call(model, inputs, training=True))


def test_no_dropout_makes_no_layer(build) -> None:
    assert not [layer for layer in build(dropout=0.0).layers if "dropout" in layer.name]


# Averages


def test_average_of_networks_is_the_mean_of_their_forecasts(build) -> None:
    from rnn_pipelines.forecast.networks import average_forecasters

    members, inputs = [build(units=units) for units in (3, 4, 5)], make_inputs()
    expected = np.mean([call(member, inputs) for member in members], axis=0)
    np.testing.assert_allclose(call(average_forecasters(members), inputs), expected, rtol=1e-5, atol=1e-6)


def test_average_of_one_network_is_the_network(build) -> None:
    from rnn_pipelines.forecast.networks import average_forecasters

    model = build()
    assert average_forecasters([model]) is model


def test_average_bears_the_name_of_the_cell(build) -> None:
    from rnn_pipelines.forecast.networks import average_forecasters

    assert average_forecasters([build("gru"), build("gru")]).name == "gru_forecaster"


# The summary


def test_summary_names_kind_shape_and_size_of_each_layer(build) -> None:
    from rnn_pipelines.networks.recurrent import summarize_layers

    assert {"layer": "gru_1", "kind": "GRU", "output_shape": [4], "num_parameters": 108} in summarize_layers(
        build("gru")
    )


def test_summary_adds_up_to_the_number_of_parameters(build) -> None:
    from rnn_pipelines.networks.recurrent import summarize_layers

    model = build(units=(5, 4), dropout=0.5)
    assert sum(row["num_parameters"] for row in summarize_layers(model)) == model.count_params()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_centred_network_follows_the_level_of_its_window(cell: str) -> None:
    """The same window, 100 higher: the same forecast, 100 higher. Without it the cells saturate."""
    from rnn_pipelines.forecast.networks import build_forecaster

    history = np.random.default_rng(0).normal(size=(2, 6, 1)).astype(np.float32)
    centred = build_forecaster(NetworkSpec(cell=cell, units=4, centre=True), 6, 3, 0)
    lifted = np.asarray(centred({"history": history + 100})) - np.asarray(centred({"history": history}))
    np.testing.assert_allclose(lifted, 100, atol=1e-3)
    plain = build_forecaster(NetworkSpec(cell=cell, units=4), 6, 3, 0)
    assert np.abs(np.asarray(plain({"history": history + 100}))).max() < 50
