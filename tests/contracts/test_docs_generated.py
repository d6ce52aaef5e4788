"""The generated pages of the site."""

import re
import runpy

import pytest
from kedro.framework.project import pipelines

from documents import NOTEBOOKS, PROJECT

SCRIPT = "docs/generate.py"


@pytest.mark.usefixtures("context")
def test_generated_pages_are_current() -> None:
    # An earlier command in this process may have loaded one pipeline only.
    pipelines.set_requested(None)
    pages = runpy.run_path(str(PROJECT / SCRIPT))["list_pages"]()
    stale = [
        str(path.relative_to(PROJECT)) for path, text in pages.items() if path.read_text() != text
    ]
    assert stale == [], f"To renew them: .venv/bin/python {SCRIPT}"


def test_page_of_own_numbers_is_current() -> None:
    """With the weights of the package; one file of at most 700 kB, from at most 500 lines of JavaScript."""
    page = runpy.run_path(str(PROJECT / "docs/try_page.py"))
    is_current = page["PAGE"].read_text() == page["build_page"]()
    assert is_current, "To renew it: .venv/bin/python docs/try_page.py"
    assert page["PAGE"].stat().st_size <= 700_000
    lengths = {
        path.stem: len(path.read_text().splitlines())
        for path in (PROJECT / "docs/try").glob("*.js")
    }
    assert sum(lengths.values()) <= 500


def test_every_notebook_can_be_rendered() -> None:
    """Each equation is written without TeX, and each figure is a picture."""
    render = runpy.run_path(str(PROJECT / "docs/render_notebooks.py"))["render_notebook"]
    for path in NOTEBOOKS:
        text, pictures = render(path)
        assert pictures, path.name
        assert "$$" not in text
        assert [name for name in pictures if f"({name})" not in text] == []


def test_parameters_have_a_meaning() -> None:
    """Apart from the kinds of tasks, and from blocks whose keys another table explains."""
    page = (PROJECT / "docs/reference/parameters.md").read_text()
    rows = re.findall(r"^- `(\S+)` \((.*?)\)(?:: (.+))?$", page, re.MULTILINE)
    unexplained = {key for key, value, meaning in rows if not meaning and "as [" not in value}
    assert {key for key in unexplained if not key.endswith(".kind")} == set()
    assert len(rows) > 100
