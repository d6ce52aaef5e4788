"""Every notebook runs from top to bottom."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
# Those that read data which this repository doesn't hold.
MARKS = {"02_sentiment.ipynb": pytest.mark.real_data}


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.name, marks=MARKS.get(path.name, ())) for path in NOTEBOOKS]
)
def test_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    archive = Path(os.environ.get("RNN_DATA", ""), "imdb/aclImdb_small.tar.gz")
    monkeypatch.setenv("IMDB_ARCHIVE", str(archive.resolve()))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert all(cell["execution_count"] for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell["outputs"] for cell in notebook.cells if cell.cell_type == "code")
