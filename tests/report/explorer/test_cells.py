"""The forward pass in JavaScript equals that in NumPy, in a real browser."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import run_script
from rnn_pipelines.cells.cell import CANDIDATE
from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.networks.members import (
    MemberShape,
    Weights,
    forward,
    initialize_members,
    name_array,
)
from rnn_pipelines.report.explorer.page import COMPUTATION, encode_content, read_scripts

pytestmark = pytest.mark.chromium

NUM_WINDOWS = 12
NUM_SLOW_WINDOWS = int(os.environ.get("RNN_EXPLORER_WINDOWS", "80"))
SHAPES = [(0, (5,)), (0, (4, 3)), (6, (5,)), (3, (4, 3, 2))]
# The largest difference of a normalised output.
TOLERANCE = 1e-5
RUN = """
function run({ cases }) {
  return cases.map(({ cell, weights, steps, head, change, layer, outputs, hidden }) => {
    const differences = steps.map((window, k) => {
      const found = runNetwork({ cell, weights }, window, head[k], change);
      const states = found.members.map((member) => member.layers[layer].at(-1).hidden);
      const pairs = [...found.outputs.map((v, o) => v - outputs[k][o])];
      states.forEach((state, m) => pairs.push(...state.map((v, u) => v - hidden[m][k][u])));
      return Math.max(...pairs.map(Math.abs));
    });
    return Math.max(...differences);
  });
}
"""


def draw_members(
    cell: str, embedding: int, units: tuple[int, ...], rng: np.random.Generator
) -> Weights:
    """Members with random heads and biases, as a training leaves them."""
    weights = initialize_members(0, 2, MemberShape(cell, 4, embedding, units, 3, 2))
    return {
        name: (
            array
            + rng.normal(
                size=array.shape, scale=0.3 if array.shape[1] == 1 or "head" in name else 0.05
            )
        ).astype(np.float32)
        for name, array in weights.items()
    }


def clamp(cell: str, weights: Weights, layer: int, gate: str, levels: np.ndarray) -> Weights:
    """The weights with which a gate of a layer has the same value at every step: no inputs, and a bias.

    Args:
        levels: float[member, units], from 0 to 1.
    """
    place = CELLS[cell].gates.index(gate)
    units = levels.shape[1]
    columns = slice(place * units, (place + 1) * units)
    changed = {name: array.copy() for name, array in weights.items()}
    for name in CELLS[cell].arrays:
        changed[name_array(name, layer)][:, :, columns] = 0
    with np.errstate(divide="ignore"):
        bias = np.clip(np.log(levels) - np.log1p(-levels), -80, 80)
    changed[name_array("bias", layer)][:, 0, columns] = bias
    return changed


def mute(weights: Weights, units: tuple[int, ...], layer: int, unit: int) -> Weights:
    """The weights with which nothing reads a unit of a layer."""
    changed = {name: array.copy() for name, array in weights.items()}
    readers = [name_array("recurrent_kernel", layer), name_array("kernel", layer + 1)]
    readers = ["head_kernel" if layer + 1 == len(units) else readers[1], *readers[:1]]
    for name in readers:
        if name in changed:
            changed[name][:, unit] = 0
    return changed


def list_cases(num_windows: int) -> Iterator[dict[str, Any]]:
    """Each cell with one layer, stacks, embedding and members: trained, with each clamp, and with a muted unit."""
    rng = np.random.default_rng(0)
    for cell in CELLS:
        for embedding, units in SHAPES:
            weights = draw_members(cell, embedding, units, rng)
            layer = len(units) - 1
            steps = rng.normal(size=(9, num_windows, 4)).astype(np.float32)
            head = rng.normal(size=(num_windows, 3)).astype(np.float32)
            changes: list[tuple[list[dict[str, Any]], Weights]] = [([{}] * 2, weights)]
            for gate in (name for name in CELLS[cell].gates if name != CANDIDATE):
                for level in (0.0, 1.0, None):
                    levels = (
                        np.full((2, units[layer]), level)
                        if level is not None
                        else rng.random((2, units[layer]))
                    )
                    values = [level] * 2 if level is not None else levels.tolist()
                    changes.append(
                        (
                            [{"clamps": {gate: one}} for one in values],
                            clamp(cell, weights, layer, gate, levels),
                        )
                    )
            changes.append(([{"muted": [1]}] * 2, mute(weights, units, layer, 1)))
            for change, changed in changes:
                outputs, cache = forward(cell, changed, steps, head)
                hidden = cache.layers[layer].states[:, -1].transpose(0, 2, 1).copy()
                for one in change:
                    for unit in one.get("muted", []):
                        hidden[:, :, unit] = 0
                yield {
                    "cell": cell,
                    "weights": [
                        {name: array[member] for name, array in weights.items()}
                        for member in range(2)
                    ],
                    "steps": steps.transpose(1, 0, 2),
                    "head": head,
                    "change": [[*[{}] * layer, one] for one in change],
                    "layer": layer,
                    "outputs": outputs.mean(axis=0),
                    "hidden": hidden,
                }


def measure(folder: Path, num_windows: int) -> list[float]:
    cases = list(list_cases(num_windows))
    differences: list[float] = run_script(
        folder, read_scripts(COMPUTATION) + RUN, encode_content({"cases": cases})
    )
    assert (
        len(differences)
        == len(cases)
        == 4 * sum(2 + 3 * (len(cell.gates) - 1) for cell in CELLS.values())
    )
    return differences


def test_forward_pass_with_any_clamp_equals_that_of_numpy(tmp_path: Path) -> None:
    assert max(measure(tmp_path, NUM_WINDOWS)) < TOLERANCE


@pytest.mark.slow
def test_forward_pass_equals_that_of_numpy_on_many_windows(tmp_path: Path) -> None:
    assert max(measure(tmp_path, NUM_SLOW_WINDOWS)) < TOLERANCE
