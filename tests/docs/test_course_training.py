"""Training in the pages of the course, in Chromium: its gradients equal NumPy's and finite differences."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import run_script
from documents import PROJECT
from rnn_pipelines.cells.gradients import backpropagate
from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import unroll
from rnn_pipelines.report.explorer.page import encode_content, read_scripts

pytestmark = pytest.mark.chromium

TRAINING = PROJECT / "docs/course/figures/training.js"
TRAINED = ("lstm", "gru")
TOLERANCE = 1e-5
# Steps, units and features of a layer.
SHAPES = [(1, 8, 1), (2, 1, 1), (7, 3, 2), (20, 8, 1), (40, 8, 3), (60, 16, 1)]


def run_training(folder: Path, code: str, content: Any) -> Any:
    return run_script(
        folder,
        f"{read_scripts(['cells.js'])}\n{TRAINING.read_text()}\n{code}",
        encode_content(content),
    )


def draw_layer(
    cell: str, units: int, features: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Weights with biases, as a training leaves them."""
    drawn = CELLS[cell].initialize(rng, features, units)
    return {
        name: (array + rng.normal(size=array.shape, scale=0.3)).astype(np.float32)
        for name, array in drawn.items()
    }


@pytest.mark.parametrize("cell", TRAINED)
def test_gradients_of_a_layer_equal_those_of_numpy(tmp_path: Path, cell: str) -> None:
    """With respect to each weight, each input and the initial state, for a gradient at every step."""
    rng = np.random.default_rng(0)
    cases = []
    expected = []
    for steps, units, features in SHAPES:
        layer = draw_layer(cell, units, features, rng)
        inputs = rng.normal(size=(steps, features)).astype(np.float32)
        slopes = rng.normal(size=(steps, units), scale=1 / steps).astype(np.float32)
        cases.append({"layer": layer, "inputs": inputs, "slopes": slopes})
        weights = CELLS[cell].read_arrays(
            {name: array.astype(np.float64) for name, array in layer.items()}
        )
        batch = inputs[None].astype(np.float64)
        found = backpropagate(
            weights, batch, unroll(weights, batch), slopes[None].astype(np.float64)
        )
        expected.append(
            CELLS[cell].name_arrays(found.weights)
            | {"inputs": found.inputs[0]}
            | {name: state[0] for name, state in found.initial._asdict().items()}
        )
    code = f"""
function run({{ cases }}) {{
  return cases.map(({{ layer, inputs, slopes }}) => {{
    const total = mapWeights(() => 0, layer);
    const records = runLayer("{cell}", layer, inputs);
    const found = backpropagate("{cell}", layer, inputs, records, slopes, total);
    return {{ ...total, inputs: found.inputs, ...found.initial }};
  }});
}}"""
    for found, wanted in zip(run_training(tmp_path, code, {"cases": cases}), expected, strict=True):
        assert found.keys() == wanted.keys()
        for name, array in wanted.items():
            np.testing.assert_allclose(found[name], array, rtol=0, atol=TOLERANCE, err_msg=name)
            # No state is read at the first step.
            assert np.abs(array).max() > 10 * TOLERANCE or (len(found["inputs"]), name) == (
                1,
                "recurrent_kernel",
            )


@pytest.mark.parametrize("cell", TRAINED)
def test_gradients_of_the_loss_equal_finite_differences(tmp_path: Path, cell: str) -> None:
    """For each weight of a network with its head, over several windows."""
    rng = np.random.default_rng(1)
    head = {"head_kernel": rng.normal(size=(3, 1)), "head_bias": rng.normal(size=(1, 1))}
    weights = draw_layer(cell, 3, 2, rng) | head
    content = {
        "weights": weights,
        "windows": rng.normal(size=(4, 6, 2)),
        "targets": rng.normal(size=4),
    }
    code = f"""
function run({{ weights, windows, targets }}) {{
  const {{ gradients }} = findGradients("{cell}", weights, windows, targets), differences = [];
  const measure = (matrix, row, column, change) => {{
    const value = matrix[row][column];
    matrix[row][column] = value + change;
    const {{ loss }} = findGradients("{cell}", weights, windows, targets);
    matrix[row][column] = value;
    return loss;
  }};
  for (const [name, matrix] of Object.entries(weights)) matrix.forEach((values, row) => values.forEach((_, column) => {{
    const slope = (measure(matrix, row, column, 1e-5) - measure(matrix, row, column, -1e-5)) / 2e-5;
    differences.push(slope - gradients[name][row][column]);
  }}));
  return differences;
}}"""
    differences = run_training(tmp_path, code, content)
    assert len(differences) == sum(array.size for array in weights.values())
    assert np.abs(differences).max() < 1e-7


def draw_mulberry32(seed: int, count: int) -> list[float]:
    """The random numbers of the page, computed with whole numbers of any size."""
    bits = 0xFFFFFFFF
    state = seed
    drawn = []
    for _ in range(count):
        state = (state + 0x6D2B79F5) & bits
        value = ((state ^ (state >> 15)) * (state | 1)) & bits
        value ^= (value + (value ^ (value >> 7)) * (value | 61)) & bits
        drawn.append((value ^ (value >> 14)) / 2**32)
    return drawn


DRAW = """
function run() {
  const draw = (seed) => ["lstm", "gru"].map((cell) => drawWeights(cell, 2, 8, makeRandom(seed)));
  const random = makeRandom(5), normal = makeRandom(6);
  return { first: draw(1), again: draw(1), other: draw(2), uniform: Array.from({ length: 9 }, random),
    normal: Array.from({ length: 4000 }, () => drawNormal(normal)) };
}"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Weights and random numbers of the page."""
    return run_training(tmp_path_factory.mktemp("drawn"), DRAW, {})


def test_first_weights_depend_on_the_seed_alone(drawn: dict[str, Any]) -> None:
    assert drawn["first"] == drawn["again"] != drawn["other"]


def test_random_numbers_are_those_of_mulberry32(drawn: dict[str, Any]) -> None:
    assert drawn["uniform"] == draw_mulberry32(5, 9)


def test_normal_numbers_have_mean_0_with_variance_1(drawn: dict[str, Any]) -> None:
    assert abs(np.mean(drawn["normal"])) < 0.05
    assert abs(np.std(drawn["normal"]) - 1) < 0.05


@pytest.mark.parametrize(("number", "cell"), enumerate(TRAINED))
def test_first_weights_have_the_shapes_of_the_cell(
    drawn: dict[str, Any], number: int, cell: str
) -> None:
    expected = CELLS[cell].initialize(np.random.default_rng(0), 2, 8)
    shapes = {name: np.shape(drawn["first"][number][name]) for name in expected}
    assert shapes == {name: array.shape for name, array in expected.items()}


@pytest.mark.parametrize("number", range(len(TRAINED)))
def test_first_recurrent_weights_are_orthogonal(drawn: dict[str, Any], number: int) -> None:
    recurrent = np.array(drawn["first"][number]["recurrent_kernel"])
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(8), atol=1e-12)


@pytest.mark.parametrize(("number", "cell"), enumerate(TRAINED))
def test_first_biases_are_those_of_the_cell(drawn: dict[str, Any], number: int, cell: str) -> None:
    expected = CELLS[cell].initialize(np.random.default_rng(0), 2, 8)["bias"]
    np.testing.assert_array_equal(drawn["first"][number]["bias"], expected)


@pytest.mark.parametrize("number", range(len(TRAINED)))
def test_first_weights_of_inputs_are_within_the_limit_of_glorot(
    drawn: dict[str, Any], number: int
) -> None:
    kernel = np.array(drawn["first"][number]["kernel"])
    assert 0.5 < np.abs(kernel).max() / np.sqrt(6 / sum(kernel.shape)) <= 1


def test_steps_of_adam_equal_those_of_numpy(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(2, 3))
    gradients = rng.normal(size=(5, 2, 3))
    rows = rng.normal(size=(30, 4))
    targets = rng.normal(size=30)
    content = {"weights": weights, "gradients": list(gradients), "rows": rows, "targets": targets}
    code = """
function run({ weights: w, gradients, rows, targets }) {
  const zero = mapWeights(() => 0, { w });
  let state = { weights: { w }, mean: zero, square: zero, steps: 0 };
  for (const gradient of gradients) state = stepAdam(state, { w: gradient }, 0.01);
  return { adam: state.weights.w, ridge: fitRidge(rows, targets, 0.5) };
}"""
    found = run_training(tmp_path, code, content)
    mean = np.zeros((2, 3))
    square = np.zeros((2, 3))
    for step, gradient in enumerate(gradients, start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        corrected = mean / (1 - 0.9**step), np.sqrt(square / (1 - 0.999**step))
        weights = weights - 0.01 * corrected[0] / (corrected[1] + 1e-7)
    np.testing.assert_allclose(found["adam"], weights, atol=1e-6)


def test_a_ridge_regression_equals_that_of_numpy(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(2, 3))
    gradients = rng.normal(size=(5, 2, 3))
    rows = rng.normal(size=(30, 4))
    targets = rng.normal(size=30)
    content = {"weights": weights, "gradients": list(gradients), "rows": rows, "targets": targets}
    code = """
function run({ weights: w, gradients, rows, targets }) {
  const zero = mapWeights(() => 0, { w });
  let state = { weights: { w }, mean: zero, square: zero, steps: 0 };
  for (const gradient of gradients) state = stepAdam(state, { w: gradient }, 0.01);
  return { adam: state.weights.w, ridge: fitRidge(rows, targets, 0.5) };
}"""
    found = run_training(tmp_path, code, content)
    expected = np.linalg.solve(rows.T @ rows + 0.5 * np.eye(4), rows.T @ targets)
    np.testing.assert_allclose(found["ridge"], expected, atol=1e-6)
