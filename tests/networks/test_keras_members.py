"""Networks as Keras models have the same outputs, also from a file, and come back with their weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.networks.keras_members import build_model, read_model
from rnn_pipelines.networks.members import MemberShape, Weights, forward, initialize_members
from rnn_pipelines.networks.packing import pack_model, unpack_model

NUM_MEMBERS = 3
SHAPES = {
    "lstm": MemberShape("lstm", 2, 0, (4,), 0, 3),
    "gru": MemberShape("gru", 2, 0, (4,), 0, 3),
    "mingru": MemberShape("mingru", 2, 0, (4,), 0, 3),
    "lstm stack": MemberShape("lstm", 2, 5, (4, 3), 2, 3),
    "gru stack": MemberShape("gru", 2, 5, (3, 4, 2), 2, 3),
    "mingru stack": MemberShape("mingru", 2, 5, (3, 4, 2), 2, 3),
}


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> MemberShape:
    return SHAPES[request.param]


def draw_weights(shape: MemberShape, num_members: int = NUM_MEMBERS) -> Weights:
    rng = np.random.default_rng(0)
    weights = initialize_members(0, num_members, shape)
    return {
        name: (array + rng.normal(0, 0.3, array.shape)).astype(np.float32)
        for name, array in weights.items()
    }


def draw_inputs(shape: MemberShape) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Inputs of `forward`, and the same by the names of the model."""
    rng = np.random.default_rng(1)
    steps = rng.normal(size=(6, 5, shape.num_inputs)).astype(np.float32)
    static_inputs = rng.normal(size=(5, shape.num_static_inputs)).astype(np.float32)
    named = {"steps": steps.swapaxes(0, 1)} | (
        {"static_inputs": static_inputs} if static_inputs.size else {}
    )
    return steps, static_inputs, named


def test_outputs_are_the_mean_of_the_members(shape: MemberShape) -> None:
    weights = draw_weights(shape)
    steps, static_inputs, named = draw_inputs(shape)
    model = build_model(shape.cell, weights)
    outputs, _ = forward(shape.cell, weights, steps, static_inputs)
    np.testing.assert_allclose(model(named), outputs.mean(axis=0), rtol=0, atol=1e-5)
    for member in range(NUM_MEMBERS):
        found = model.get_layer(f"member_{member + 1}")(named)
        np.testing.assert_allclose(found, outputs[member], rtol=0, atol=1e-5)


def test_weights_come_back_from_the_packed_model(shape: MemberShape) -> None:
    weights = draw_weights(shape)
    found = read_model(shape.cell, unpack_model(pack_model(build_model(shape.cell, weights))))
    assert found.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(found[name], array)


def test_network_of_one_member_is_a_model_too() -> None:
    weights = draw_weights(SHAPES["lstm"], 1)
    steps, static_inputs, named = draw_inputs(SHAPES["lstm"])
    model = build_model("lstm", weights)
    np.testing.assert_allclose(
        model(named), forward("lstm", weights, steps, static_inputs)[0][0], rtol=0, atol=1e-5
    )
    np.testing.assert_array_equal(read_model("lstm", model)["kernel"], weights["kernel"])


@pytest.mark.slow
def test_a_saved_model_can_be_trained_further(tmp_path: Path) -> None:
    import keras

    weights = draw_weights(SHAPES["gru stack"])
    _, _, named = draw_inputs(SHAPES["gru stack"])
    model: Any = build_model("gru", weights)
    model.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    again.compile("adam", "mse")
    again.fit(named, np.ones((5, 3)), epochs=1, verbose=0)
    found = read_model("gru", again)
    assert all(not np.array_equal(found[name], array) for name, array in weights.items())


@pytest.mark.slow
def test_the_summary_of_a_model_counts_its_weights() -> None:
    weights = draw_weights(SHAPES["gru stack"])
    model: Any = build_model("gru", weights)
    lines: list[str] = []
    model.summary(expand_nested=True, print_fn=lines.append)
    assert str(sum(array.size for array in weights.values())) in "".join(lines).replace(",", "")
