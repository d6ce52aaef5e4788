"""The generated pages of the site."""

import runpy

import pytest
from kedro.framework.project import pipelines

from documents import PROJECT

SCRIPT = "docs/generate.py"


@pytest.mark.usefixtures("context")
def test_generated_pages_are_current() -> None:
    # An earlier command in this process may have loaded one pipeline only.
    pipelines.set_requested(None)
    pages = runpy.run_path(str(PROJECT / SCRIPT))["list_pages"]()
    stale = [str(path.relative_to(PROJECT)) for path, text in pages.items() if path.read_text() != text]
    assert stale == [], f"To renew them: .venv/bin/python {SCRIPT}"
