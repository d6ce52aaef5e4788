"""The Python code of the site runs, page by page, from top to bottom."""

import ast
import re
from pathlib import Path

import pytest

from documents import PAGES

# A block with the language `py` is the code of another library: it is only compiled.
RUN, COMPILED = (re.compile(rf"^```{language}\b[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE) for language in ("python", "py"))


def list_blocks(page: Path, pattern: re.Pattern[str]) -> list[str]:
    return pattern.findall(page.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if list_blocks(page, RUN)], ids=lambda page: page.stem)
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
