"""What docs/python.md shows of the Python interface runs, from top to bottom."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster

PAGE = Path(__file__).parents[1] / "docs/python.md"


def list_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_examples_of_paths_answer_their_questions() -> None:
    """Of about 10 a day."""
    days = pd.date_range("2024-01-01", periods=120)
    frame = pd.DataFrame({"ds": days, "y": 10 + np.random.default_rng(0).normal(size=120)})
    small = {"members": 1, "units": 2}
    forecaster = Forecaster(h=14, lstm=small, gru=small, training={"max_steps": 5}).fit(frame)
    (block,) = (block for block in list_blocks() if "paths=" in block)
    names: dict[str, Any] = {"forecaster": forecaster}
    exec(compile(block, str(PAGE), "exec"), names)
    assert len(names["total"]) == len(names["week"]) == 500
    assert names["total"].mean() == pytest.approx(140, rel=0.1)
    assert names["week"].mean() == pytest.approx(70, rel=0.1)


@pytest.mark.slow
def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = list_blocks()
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert len(blocks) == 7
    assert {path.name for path in tmp_path.iterdir()} == {"model", "classifier"}
    assert {"forecaster", "classifier"} <= set(names)
