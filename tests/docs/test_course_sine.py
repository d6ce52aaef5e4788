"""The figure of a sine, in Chromium: its simple forecasts are those of the page, and its networks learn."""

import json
from pathlib import Path

import numpy as np
import pytest

from course import use_figure
from documents import PROJECT

pytestmark = pytest.mark.chromium

NOISE = PROJECT / "docs/course/figures/sine.json"
TEST, PERIOD = 80, 63
# Trains and reads the figure as a reader does, without waiting for the frames of a screen.
USE = """
const show = () => ({ numbers: Object.fromEntries([...document.querySelectorAll("tr")].slice(1).map((row) =>
  [...row.children].map((cell) => cell.textContent.trim()))), result: result.textContent });
const learnEpochs = (count) => { do learn(); while (run.losses.length <= count); stop(); return show(); };
const choose = (name, value) => {
  const [select] = fields[name].getElementsByTagName("select");
  select.value = value;
  select.dispatchEvent(new Event("change"));
};
"""


def measure_simple(noise: float, lookback: int) -> dict[str, float]:
    """The errors that the page's code prints, for any noise and lookback."""
    drawn = noise * np.array(json.loads(NOISE.read_text())["noise"])
    values = np.sin(np.arange(len(drawn)) / 10) + drawn
    windows = np.lib.stride_tricks.sliding_window_view(values, lookback)[:-1]
    targets = values[lookback:]
    weights = np.linalg.lstsq(windows[:-TEST], targets[:-TEST], rcond=None)[0]
    errors = {
        "last value": windows[-TEST:, -1] - targets[-TEST:],
        "seasonal naive": values[-TEST - PERIOD : -PERIOD] - targets[-TEST:],
        "linear regression": windows[-TEST:] @ weights - targets[-TEST:],
        "noise alone": drawn[-TEST:],
    }
    return {name: float(np.mean(error**2)) for name, error in errors.items()}


def test_simple_forecasts_are_those_of_numpy_for_each_setting(tmp_path: Path) -> None:
    cases = [(noise, lookback) for noise in (0, 0.1, 0.3) for lookback in (2, 5, 10, 20, 40)]
    script = f"return {json.dumps(cases)}.map(([noise, lookback]) => {{"
    script += "choose('noise', noise); choose('lookback', lookback); return show().numbers; });"
    found = use_figure(tmp_path, "sine", USE + script)
    for numbers, case in zip(found, cases, strict=True):
        expected = measure_simple(*case)
        assert numbers.keys() - expected.keys() == {"LSTM(8)"}
        for name, error in expected.items():
            # The page has a small penalty and five decimals.
            assert float(numbers[name]) == pytest.approx(error, rel=0.002, abs=6e-6), (name, case)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_training_anew_learns_in_the_same_way(tmp_path: Path, cell: str) -> None:
    """The cell is that of the address; after eight epochs it is better than the last value."""
    script = "const first = show(), then = learnEpochs(8); start(); return [first, then, show(), learnEpochs(8)];"
    first, then, again, then_again = use_figure(tmp_path, "sine", USE + script, f"#{cell}")
    assert (again, then_again) == (first, then)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_network_learns_more_than_the_last_value(tmp_path: Path, cell: str) -> None:
    script = "const first = show(), then = learnEpochs(8); start(); return [first, then, show(), learnEpochs(8)];"
    first, then, _again, _then_again = use_figure(tmp_path, "sine", USE + script, f"#{cell}")
    name = f"{cell.upper()}(8)"
    assert f"After 8 epochs, {name} has" in then["result"]
    before, after = (float(shown["numbers"][name]) for shown in (first, then))
    assert after < float(then["numbers"]["last value"]) < before


def test_training_can_be_paused_until_a_setting_changes(tmp_path: Path) -> None:
    script = """
  const seen = [button.textContent];
  for (const act of [() => button.click(), () => button.click(), () => button.click(), () => choose("noise", 0.3)]) {
    act();
    seen.push(button.textContent);
  }
  learnEpochs(1);
  return [seen, run.losses.length, run.name, (start(), run.losses.length)];"""
    seen, measured, name, anew = use_figure(tmp_path, "sine", USE + script, "#gru")
    assert seen == ["Train", "Pause", "Train", "Pause", "Train"]
    assert (measured, name, anew) == (2, "GRU(8)", 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "noise", "lookback", "epochs", "error"),
    [
        ("lstm", 0, 20, 10, "0.00013"),
        ("gru", 0.1, 2, 100, "0.02008"),
        ("gru", 0.1, 40, 100, "0.00876"),
    ],
)
def test_answers_name_the_errors_that_the_figure_shows(
    tmp_path: Path, cell: str, noise: float, lookback: int, epochs: int, error: str
) -> None:
    """Nearly so, because browsers differ in the last digits of tanh."""
    script = f"choose('noise', {noise}); choose('lookback', {lookback}); return learnEpochs({epochs}).numbers;"
    numbers = use_figure(tmp_path, "sine", USE + script, f"#{cell}")
    (page,) = (PROJECT / "docs/course").glob(f"*sine-{cell}.md")
    assert error in page.read_text()
    assert float(numbers[f"{cell.upper()}(8)"]) == pytest.approx(float(error), rel=0.1, abs=1e-5)
