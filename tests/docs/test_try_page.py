"""The page of a reader's own numbers, in Chromium: its forecasts equal NumPy's, and it reads and refuses texts."""

import html
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from documents import PROJECT
from rnn_pipelines.forecast.methods.local.theta import extend_by_theta
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.generator import KINDS, OTHER_SEASONS, generate
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec

pytestmark = pytest.mark.chromium

PAGE = PROJECT / "docs/try.html"
NUM_SERIES = int(os.environ.get("RNN_TRY_PAGE_SERIES", "500"))
CELLS = ("gru", "lstm")
SEASONS = [season for season in (*KINDS, *OTHER_SEASONS) if season]
LONGEST = 500

Run = Callable[[str], Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the body of an async function in the page, and returns what it returns. A message of the console fails."""

    def run_script(body: str) -> Any:
        script = f"""<pre id="answer"></pre><script>(async () => {{ {body} }})().then(
            (found) => {{ find("answer").textContent = JSON.stringify(found); }});</script></body>"""
        path = tmp_path / "page.html"
        path.write_text(PAGE.read_text().replace("</body>", script))
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1400,1000"]
        options += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000", "--dump-dom"]
        done = subprocess.run(
            ["chromium", *options, path.as_uri()], check=True, capture_output=True, text=True, timeout=240
        )
        assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
        return json.loads(html.unescape(done.stdout.partition('<pre id="answer">')[2].partition("</pre>")[0]))

    return run_script


def draw_series(count: int) -> list[tuple[list[float], int, int]]:
    """Return generated values, season length and horizon: every season in turn, from 3 to 500 values."""
    drawn = []
    for number in range(count):
        rng, season = np.random.default_rng([7, number]), SEASONS[number % len(SEASONS)]
        size = int(np.exp(rng.uniform(np.log(3), np.log(LONGEST + 1))))
        values = generate(rng, 1, season, size)[0]
        if number % 2:  # So that logarithms are read.
            values = values - values.min() + rng.uniform(0.1, 2) * (np.ptp(values) + 1e-6)
        drawn.append((values.tolist(), season, int(rng.integers(1, (KINDS.get(season) or KINDS[0])[3] + 1))))
    return drawn


def measure_differences(run: Run, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest difference of the network's quantiles and of Theta, over the scale of each series."""
    series = draw_series(count)
    found = run(
        f"""const round = (values) => values.map((value) => Number(value.toPrecision(12)));
        return {json.dumps(series)}.map(([past, season, horizon]) => [
            ...{json.dumps(CELLS)}.map((cell) => forecast(cell, past, season, horizon).quantiles.map(round)),
            round(extendTheta(past, season, horizon))]);"""
    )
    networks = [load_network(PretrainedSpec(network=cell)) for cell in CELLS]
    of_networks, of_theta = [], []
    for (values, season, horizon), own in zip(series, found, strict=True):
        past = np.array([values])
        expected = [network.forecast(past, season, horizon)[0] for network in networks]
        expected.append(extend_by_theta(past, season, horizon)[0])
        # A constant series has a deviation of rounding errors.
        deviation, largest = past.std(), np.abs(past).max()
        scale = deviation if deviation > 1e-9 * largest else largest or 1.0
        differences = [np.abs(np.array(made) - right).max() / scale for made, right in zip(own, expected, strict=True)]
        of_networks.append(max(differences[:-1]))
        of_theta.append(differences[-1])
    return np.array(of_networks), np.array(of_theta)


def test_forecasts_equal_those_of_numpy(run: Run) -> None:
    of_networks, of_theta = measure_differences(run, 2 * len(SEASONS))
    assert of_networks.max() < 1e-4
    assert of_theta.max() < 1e-6


@pytest.mark.slow
def test_forecasts_of_500_series_equal_those_of_numpy(run: Run) -> None:
    of_networks, of_theta = measure_differences(run, NUM_SERIES)
    assert of_networks.max() < 1e-4
    assert of_theta.max() < 1e-6
