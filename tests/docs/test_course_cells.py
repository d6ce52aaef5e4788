"""The figures of stacks, cells and gates: their numbers equal those of Keras and NumPy, and those of the pages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import run_script
from documents import PROJECT
from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import unroll
from rnn_pipelines.lab.internals.gate_statistics import measure_half_lives
from rnn_pipelines.report.explorer.page import encode_content, read_scripts

pytestmark = pytest.mark.chromium

COURSE = PROJECT / "docs/course"
CONTENT = json.loads((COURSE / "figures/gates.json").read_text())
TOLERANCE = 1e-5
# Parameters as `layer.count_params()` of Keras 3 gives them, by cell, features, and units of both layers.
KERAS_COUNTS = {
    ("lstm", 1, 64, 32): [16_896, 12_416, 33],
    ("gru", 1, 64, 32): [12_864, 9_408, 33],
    ("lstm", 5, 17, 3): [1_564, 252, 4],
    ("gru", 5, 17, 3): [1_224, 198, 4],
    ("lstm", 16, 128, 128): [74_240, 131_584, 129],
    ("gru", 16, 128, 128): [56_064, 99_072, 129],
    ("lstm", 1, 1, 1): [12, 12, 2],
    ("gru", 1, 1, 1): [12, 12, 2],
}
# Errors by shift that the answers of the pages name, of gates in the order of the pages.
QUOTED: dict[str, tuple[str, str, dict[float, str]]] = {
    "04-input-gate": ("lstm", "input", {-4: "0.553", 4: "0.183", 0: "0.118"}),
    "05-forget-gate": ("lstm", "forget", {0: "0.118", 3.5: "2.312"}),
    "06-output-gate": ("lstm", "output", {-4: "0.576"}),
    "07-update-gate": ("gru", "update", {4: "0.636"}),
    "08-reset-gate": ("gru", "reset", {4: "0.183", -4: "0.428", 0: "0.117"}),
}


def use_figure(folder: Path, name: str, code: str, address: str = "", content: Any = None) -> Any:
    """Returns what code returns after the script of a figure."""
    start = f'location.hash = "{address}"; document.body.append(Object.assign(document.createElement("main"), '
    start += '{ id: "figure" }));'
    scripts = read_scripts(["cells.js", "charts.js"]) + (COURSE / f"figures/{name}.js").read_text()
    return run_script(
        folder, f"{start}{scripts}\nfunction run(given) {{ {code} }}", encode_content(content)
    )


def test_counts_of_stacks_equal_those_of_keras(tmp_path: Path) -> None:
    choices = [
        dict(zip(("cell", "features", "first", "second"), key, strict=True)) for key in KERAS_COUNTS
    ]
    counts = use_figure(
        tmp_path,
        "stacks",
        f"return {json.dumps(choices)}.map((one) => listShapes(one).map(count));",
    )
    assert counts == [*KERAS_COUNTS.values()]
    for (cell, features, first, second), expected in KERAS_COUNTS.items():
        sizes = [
            CELLS[cell].count_weights(features, first),
            CELLS[cell].count_weights(first, second),
        ]
        assert sizes == expected[:2]


@pytest.mark.slow
def test_table_of_counts_is_that_of_keras() -> None:
    from keras import Input, Sequential, layers

    for (cell, features, first, second), expected in KERAS_COUNTS.items():
        layer = {"lstm": layers.LSTM, "gru": layers.GRU}[cell]
        stack = [layer(first, return_sequences=True), layer(second), layers.Dense(1)]
        Sequential([Input((None, features)), *stack])
        assert [one.count_params() for one in stack] == expected


def test_stack_shows_the_sum_of_its_layers(tmp_path: Path) -> None:
    shown = use_figure(
        tmp_path,
        "stacks",
        """const select = document.querySelector("select");
        const before = result.textContent;
        select.value = "gru";
        select.dispatchEvent(new Event("change"));
        return [before, result.textContent, table.querySelector("tbody").rows[0].textContent];""",
    )
    assert shown == [
        "LSTM(64)–LSTM(32)–Dense(1): 16,896 + 12,416 + 33 = 29,345 parameters",
        "GRU(64)–GRU(32)–Dense(1): 12,864 + 9,408 + 33 = 22,305 parameters",
        "GRU(64)1 × 192 = 19264 × 192 = 12,2882 × 192 = 38412,864",
    ]


@pytest.mark.parametrize(("name", "page"), [("lstm", "02-lstm-cell"), ("gru", "03-gru-cell")])
def test_cell_steps_as_numpy_does(tmp_path: Path, name: str, page: str) -> None:
    cell = CELLS[name]
    given = [
        [x, h, c, b]
        for x in (-2, 0, 1)
        for h in (-0.7, 0, 0.4)
        for c in (-3, 0.5)
        for b in (-6, 1, 4)
    ]
    found = use_figure(
        tmp_path,
        "cell",
        """const first = readTerms(state);
        const all = given.map(([x, h, c, b]) => { setBias(b); return readTerms({ x, h, c }); });
        return { first, weights, all };""",
        name,
        given,
    )
    weights = {key: np.array(array, float) for key, array in found["weights"].items()}
    for (x, h, c, b), terms in zip(given, found["all"], strict=True):
        place = cell.gates.index(cell.keeping)
        weights["bias"][0, place] = b
        state_type = cell.weights.state_type
        state = state_type(*(np.array([[value]]) for value in (h, c)[: len(state_type._fields)]))
        after, gates = cell.read_arrays(weights).step(np.array([[x]]), state)
        expected = {letter: gates._asdict()[gate].item() for gate, letter in cell.letters.items()}
        expected |= {
            f"{letter}′": after._asdict()[key].item() for key, letter in cell.state_letters.items()
        }
        assert {letter: terms[letter] for letter in expected} == pytest.approx(
            expected, abs=TOLERANCE
        )
    text = (COURSE / f"{page}.md").read_text()
    assert f"h′ = {found['first']['h′']:.3f}" in text


ADVANCE = """advance(1);
update({ x: 0 });
return given.map((b) => {
  setBias(b);
  const start = { ...state };
  advance(10);
  const states = [...state.past.slice(1), state].map((one) => one[given[0] === 1 ? "c" : "h"]);
  Object.assign(state, start);
  return states;
});"""


def test_an_lstm_halves_its_state_in_four_steps_by_its_first_bias(tmp_path: Path) -> None:
    usual, _ = use_figure(tmp_path, "cell", ADVANCE, "lstm", [1, 4])
    assert [value < usual[0] / 2 for value in usual[:5]] == [False, False, False, False, True]
    assert [f"{value:.3f}" for value in usual[:5]] == ["0.453", "0.382", "0.314", "0.258", "0.212"]


def test_an_lstm_grows_its_state_by_a_large_bias(tmp_path: Path) -> None:
    _, remembering = use_figure(tmp_path, "cell", ADVANCE, "lstm", [1, 4])
    assert (np.diff(remembering) > 0).all()


def test_a_gru_keeps_or_replaces_its_state_by_its_bias(tmp_path: Path) -> None:
    kept, replaced = use_figure(tmp_path, "cell", ADVANCE, "gru", [6, -6])
    assert {f"{value:.2f}" for value in kept} == {"0.36"}
    assert [f"{value:.2f}" for value in replaced[-3:]] == ["0.44"] * 3


def evaluate(name: str, gate: str, stage: str, shift: float) -> tuple[np.ndarray, float]:
    """Returns the gate, float[window, step, unit], and the mean squared error, in NumPy."""
    cell = CELLS[name]
    arrays = {key: np.array(array) for key, array in CONTENT[name][stage].items()}
    units = arrays["recurrent_kernel"].shape[0]
    place = cell.gates.index(gate)
    arrays["bias"][0, place * units : (place + 1) * units] += shift
    windows = np.array(CONTENT["windows"])
    trace = unroll(cell.read_arrays(arrays), windows[:, :-1, None])
    forecasts = trace.states.hidden[:, -1] @ arrays["head_kernel"] + arrays["head_bias"]
    return getattr(trace.gates, gate), float(np.mean((windows[:, -1] - forecasts[:, 0]) ** 2))


@pytest.mark.parametrize("page", QUOTED)
def test_gates_equal_those_of_numpy(tmp_path: Path, page: str) -> None:
    """Values and histograms at random weights, after training and at shifts of the bias; errors and half-lives."""
    name, gate, quoted = QUOTED[page]
    shifts = sorted({-4, -1.5, 0, 1.5, 3.5, 4} | set(quoted))
    code = """const read = (one) => ({ ...one, shares: countShares(one), halfLives: one.values.map(measureHalfLife) });
    return [read(random), ...given.shifts.map((shift) => read(curve[SHIFTS.indexOf(shift)]))];"""
    found = use_figure(tmp_path, "gates", code, f"{name}-{gate}", CONTENT | {"shifts": shifts})
    text = (COURSE / f"{page}.md").read_text()
    for own, (stage, shift) in zip(
        found, [("random", 0), *(("trained", one) for one in shifts)], strict=True
    ):
        values, mse = evaluate(name, gate, stage, shift)
        by_unit = values.reshape(-1, values.shape[2])
        np.testing.assert_allclose(own["values"], by_unit.T, atol=TOLERANCE)
        shares = np.histogram(values, np.arange(26) / 25)[0] / values.size
        np.testing.assert_allclose(own["shares"], shares, atol=TOLERANCE)
        np.testing.assert_allclose(own["halfLives"], measure_half_lives(by_unit), rtol=TOLERANCE)
        assert own["mse"] == pytest.approx(mse, abs=TOLERANCE)
        if stage == "trained" and shift in quoted:
            assert f"{mse:.3f}" == quoted[shift]
            assert quoted[shift] in text


def test_answer_about_ten_steps_of_memory() -> None:
    """The shifts of the forget gate at which the shortest and the longest half-life reach ten steps."""
    half_lives = {}
    for shift in np.arange(-4, 4.5, 0.5):
        values, _ = evaluate("lstm", "forget", "trained", shift)
        half_lives[shift] = measure_half_lives(values.reshape(-1, values.shape[2]))
    assert min(shift for shift, of_units in half_lives.items() if of_units.min() >= 10) == 3.5
    assert min(shift for shift, of_units in half_lives.items() if of_units.max() >= 10) == 1.5
    assert (round(half_lives[3.0].min(), 1), round(half_lives[3.5].min(), 1)) == (9.6, 15.1)


def test_slider_shows_the_shifted_gate(tmp_path: Path) -> None:
    seen = use_figure(
        tmp_path,
        "gates",
        """const slider = document.querySelector("input");
        slider.value = 3.5;
        slider.dispatchEvent(new Event("input"));
        const rows = [...table.querySelectorAll("tbody tr")];
        return rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim()));""",
        "lstm-forget",
        CONTENT,
    )
    assert [row[0] for row in seen] == ["random", "trained", "shifted"]
    assert seen[2] == ["shifted", "0.98", "2.312", "15.1", "97.6"]
