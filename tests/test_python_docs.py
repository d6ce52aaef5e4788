"""What docs/python.md shows of the Python interface runs, from top to bottom."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs/python.md"


@pytest.mark.slow
def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert len(blocks) == 6
    assert {path.name for path in tmp_path.iterdir()} == {"model", "classifier"}
    assert {"forecaster", "classifier"} <= set(names)
