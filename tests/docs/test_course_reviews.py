"""The page of the course on sentiment: what it says of its figure is what the figure shows."""

import json
from pathlib import Path

import pytest

from browser import run_script
from documents import PROJECT
from rnn_pipelines.report.explorer.page import COMPUTATION, read_scripts

FIGURE = PROJECT / "docs/course/figures/reviews.json"
PAGE = PROJECT / "docs/course/12-sentiment.md"
RUN = """
function run(page) {
  const network = page.networks.find(({ name }) => name === "lstm");
  const read = (text, change) => classify(page, network, readText(page, text), change).probability;
  const far = "the film was not what I call good";
  return [read(far), read(far, [[{ clamps: { forget: 0 } }]]),
    read("the film was not not bad"), read("the film was not bad")];
}
"""


@pytest.mark.chromium
def test_probabilities_of_the_page_are_those_of_its_figure(tmp_path: Path) -> None:
    kept, forgotten, twice, once = run_script(
        tmp_path, read_scripts(COMPUTATION) + RUN, FIGURE.read_text()
    )
    text = " ".join(PAGE.read_text().split())
    assert f"the probability rises from {kept:.3f} to {forgotten:.3f}" in text
    assert f"the probability of positive is {twice:.3f}, and with one negation {once:.3f}" in text


def test_figure_knows_all_words_of_the_page() -> None:
    content = json.loads(FIGURE.read_text())
    assert {"not", "never", "hardly", "boring", "see"} <= set(content["vocabulary"]["words"])


def test_figure_has_both_networks() -> None:
    content = json.loads(FIGURE.read_text())
    assert [network["name"] for network in content["networks"]] == ["lstm", "gru"]
