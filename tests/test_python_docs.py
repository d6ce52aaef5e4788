"""The Python code of the site runs, page by page, from top to bottom."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from documents import PAGES, PROJECT, TUTORIAL
from rnn_pipelines import Forecaster, TextClassifier

# A block with the language `py` is the code of another library: it is only compiled.
RUN, COMPILED = (
    re.compile(rf"^```{language}\b[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    for language in ("python", "py")
)


def list_blocks(page: Path, pattern: re.Pattern[str]) -> list[str]:
    return pattern.findall(page.read_text())


def test_examples_of_paths_answer_their_questions() -> None:
    """Of about 10 a day."""
    days = pd.date_range("2024-01-01", periods=120)
    frame = pd.DataFrame({"ds": days, "y": 10 + np.random.default_rng(0).normal(size=120)})
    small = {"members": 1, "units": 2}
    forecaster = Forecaster(h=7, lstm=small, gru=small, training={"max_steps": 5}).fit(frame)
    page = PROJECT / "docs/how-to/intervals.md"
    (block,) = (block for block in list_blocks(page, RUN) if "paths=" in block)
    names: dict[str, Any] = {"forecaster": forecaster}
    exec(compile(block, str(page), "exec"), names)
    assert len(names["total"]) == len(names["demand"]) == 1000
    assert names["total"].mean() == pytest.approx(70, rel=0.1)
    assert names["demand"].mean() == pytest.approx(30, rel=0.1)


@pytest.mark.parametrize("documented", [Forecaster, TextClassifier])
def test_each_line_of_arguments_describes_one_parameter(documented: type) -> None:
    """The strict build of the site refuses a line for several, or for one that there is not."""
    methods = {
        name: getattr(documented, name) for name in vars(documented) if not name.startswith("_")
    }
    functions = {documented.__name__: documented} | {
        name: m for name, m in methods.items() if callable(m)
    }
    for name, function in functions.items():
        section = re.search(
            r"^Args:\n((?: .*\n|\n)*)", f"{inspect.getdoc(function)}\n", re.MULTILINE
        )
        described = re.findall(r"^ {4}(\S.*?):", section[1], re.MULTILINE) if section else []
        assert (name, set(described) - {*inspect.signature(function).parameters}) == (name, set())


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        page
        for page in PAGES
        if page != TUTORIAL and page.parent.name != "course" and list_blocks(page, RUN)
    ],
    ids=lambda page: page.stem,
)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of their own, and each with what the blocks above it defined."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in list_blocks(page, RUN):
        exec(compile(block, str(page), "exec"), names)


def test_code_of_other_libraries_compiles() -> None:
    for page in PAGES:
        for block in list_blocks(page, COMPILED):
            ast.parse(block)
