"""Write the figures of the course: `.venv/bin/python docs/course_figures.py [folder]`.

Each is one page that loads nothing: the forward passes and charts of the explorer, and its own script and numbers.
"""

import json
import sys
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from rnn_pipelines.forecast.report.explorer import render_networks
from rnn_pipelines.report.explorer.page import encode_content, read_scripts
from rnn_pipelines.sentiment.report.explorer import render_texts

FOLDER = Path(__file__).parent / "course/figures"
# The title of each figure, and the scripts that it needs beside its own.
FIGURES: dict[str, tuple[str, ...]] = {
    "sine": ("A network that learns a sine", "training"),
    "compare": ("LSTM against GRU",),
    "stacks": ("The parameters of two layers",),
    "cell": ("One step of a cell",),
    "gates": ("The values of a gate",),
}
# The pages of trained networks, by what renders them.
EXPLORERS = {"weather": render_networks, "reviews": render_texts}


def build_figures() -> dict[str, str]:
    """Return each figure as a page, by name."""
    pages = {name: _render_figure(name, *scripts) for name, scripts in FIGURES.items()}
    return pages | {
        name: render(_read_numbers(name))
        for name, render in EXPLORERS.items()
        if _find(name).exists()
    }


def _find(name: str) -> Path:
    return FOLDER / f"{name}.json"


def _read_numbers(name: str) -> Any:
    return json.loads(_find(name).read_text()) if _find(name).exists() else None


def _render_figure(name: str, title: str, *scripts: str) -> str:
    own = [(FOLDER / f"{script}.js").read_text() for script in (*scripts, name)]
    code = "\n".join([read_scripts(["cells.js", "charts.js"]), *own])
    template = Environment(undefined=StrictUndefined).from_string(
        (FOLDER / "figure.html.j2").read_text()
    )
    style = read_scripts(["style.css"])
    return template.render(
        title=title, style=style, code=code, content=encode_content(_read_numbers(name))
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, page in build_figures().items():
        (folder / f"{name}.html").write_text(page)
