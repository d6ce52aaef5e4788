"""Runs of two small files, and things of a user's among them; for the tests of `runs`."""

import json
from pathlib import Path

from rnn_pipelines.runs.run_store import RunStore
from rnn_pipelines.runs.writing import OpenRun, open_run, publish_run, put_aside
from trees import read_tree

SOURCE, METRICS = "01_raw/source.parquet", "08_reporting/metrics.json"
FILES = (SOURCE, METRICS)
LAYERS = ("01_raw", "08_reporting")
KINDS = ("file", "folder", "link", "link to nothing")


def begin(store: RunStore, needed: list[str] | None = None) -> OpenRun:
    return open_run(store, FILES, needed)


def write(run: OpenRun, number: int) -> None:
    for name in FILES:
        path = run.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"number": number}))


def do_run(store: RunStore, number: int) -> str:
    """A run that ends well; its name."""
    run = begin(store)
    write(run, number)
    publish_run(run, {"run": run.name, "ended": "2026-01-01T00:00:00+00:00"})
    return run.name


def fail(store: RunStore, number: int) -> Path:
    """A run that fails in its last node; its folder."""
    run = begin(store)
    write(run, number)
    put_aside(run)
    return store.folder / f".{run.name}.failed"


def kill(store: RunStore, number: int) -> Path:
    """A run that is killed in its last node; its folder."""
    run = begin(store)
    write(run, number)
    return run.folder


def put(path: Path, kind: str) -> None:
    """Something of the user's, in place of a link or a file."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    elsewhere = path.parents[2] / "elsewhere"
    if kind == "link":
        elsewhere.mkdir()
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    else:
        path.symlink_to(elsewhere)


def read_shown(store: RunStore) -> int:
    number: int = json.loads((store.find_shown("08_reporting") / "metrics.json").read_text())[
        "number"
    ]
    return number


def list_tree(folder: Path) -> dict[str, bytes | str | None]:
    """Everything below a folder, as `read_tree` gives it; locks are left out."""
    return {
        name: content for name, content in read_tree(folder).items() if Path(name).name != ".lock"
    }
