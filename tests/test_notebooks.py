"""Every notebook runs, with the outputs that it is stored with. `WRITE_NOTEBOOKS=1` stores those of the run."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
MAX_BYTES = 3_000_000
FIGURE = re.compile(r"\b(?:plt\.show|show_figure)\(")
# Lines of loggers, and colours of a terminal.
LOG_LINE = re.compile(r"WARNING|\bINFO\b|Warning:|\[\d\d/\d\d/\d\d|\x1b\[")
NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
# Trainings differ slightly between processors, and the last digit is rounded.
RELATIVE, ABSOLUTE = 0.1, 0.3

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def list_code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def list_texts(cell: NotebookNode) -> list[str]:
    """Return the printed text and the last value of a cell. Several prints may come in one output or in many."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    values = [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
    return [printed, *values]


def list_kinds(cell: NotebookNode) -> list[set[str]]:
    return [set(output.data) for output in cell.outputs if "data" in output]


def list_numbers(text: str) -> list[float]:
    return [float(number.replace(",", "").replace("−", "-")) for number in NUMBER.findall(text)]


def list_words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", NUMBER.sub(" ", text))


def is_fixed(cell: NotebookNode) -> bool:
    """Return whether the text of a cell is compared. It is not if times, sizes, messages or trainings change it."""
    return "varies" not in cell.metadata.get("tags", [])


@each_notebook
@pytest.mark.slow
def test_run_has_the_stored_outputs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    notebook = read(path)
    stored = list_code(read(path))
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, record_timing=False, resources=resources).execute()
    if os.environ.get("WRITE_NOTEBOOKS"):
        notebook.metadata.language_info = {"name": "python"}
        nbformat.write(notebook, path)
    for cell, before in zip(list_code(notebook), stored, strict=True):
        assert list_kinds(cell) == list_kinds(before), cell.source
        if is_fixed(cell):
            for text, expected in zip(list_texts(cell), list_texts(before), strict=True):
                assert list_words(text) == list_words(expected), cell.source
                assert list_numbers(text) == pytest.approx(
                    list_numbers(expected), RELATIVE, ABSOLUTE
                ), cell.source


@each_notebook
def test_notebook_was_run_from_top_to_bottom(path: Path) -> None:
    cells = list_code(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@each_notebook
def test_notebook_is_stored_with_its_pictures(path: Path) -> None:
    figures = [cell for cell in list_code(read(path)) if FIGURE.search(cell.source)]
    assert figures
    assert [
        cell.source
        for cell in figures
        if not any("image/png" in kinds for kinds in list_kinds(cell))
    ] == []


@each_notebook
def test_interactive_figures_are_stored_as_pictures_too(path: Path) -> None:
    interactive = [
        kinds
        for cell in list_code(read(path))
        for kinds in list_kinds(cell)
        if "plotly" in str(kinds)
    ]
    assert [kinds for kinds in interactive if "image/png" not in kinds] == []


@each_notebook
def test_notebook_has_no_noise(path: Path) -> None:
    assert [line for cell in list_code(read(path)) for line in list_noise(cell)] == []


@each_notebook
def test_notebook_is_short(path: Path) -> None:
    cells = read(path).cells
    assert len(cells) <= 25


@each_notebook
def test_notebook_begins_with_its_aim(path: Path) -> None:
    cells = read(path).cells
    title, aim = cells[0].source.split("\n\n")[:2]
    assert title.startswith("# ")
    assert aim.startswith("You learn ")


def test_notebooks_are_small() -> None:
    assert sum(file.stat().st_size for file in NOTEBOOKS) <= MAX_BYTES


def list_noise(cell: NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        text = output.get("text", "") + output.get("data", {}).get("text/plain", "")
        if output.output_type == "error" or output.get("name") == "stderr" or LOG_LINE.search(text):
            yield text or output.output_type
