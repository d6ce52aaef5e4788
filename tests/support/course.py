"""Figures of the course, used in a browser."""

import runpy
from pathlib import Path
from typing import Any

from browser import open_page
from documents import PROJECT


def use_figure(folder: Path, name: str, script: str, address: str = "") -> Any:
    """Runs the body of a function in a figure, and returns what it returns; fails if it writes on the console.

    Args:
        address: the part of the address after the path, such as `#gru`.
    """
    page = runpy.run_path(str(PROJECT / "docs/course_figures.py"))["build_figures"]()[name]
    code = f'document.body.append(make("pre", {{ id: "result" }}, JSON.stringify((() => {{ {script} }})())));'
    path = folder / f"{name}.html"
    path.write_text(page.replace("</body>", f"<script>{code}</script></body>"))
    result, messages = open_page(path, address)
    assert messages == [], messages
    return result
