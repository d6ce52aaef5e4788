"""The folder of a divided panel appears once, whoever else is dividing."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.partitions import folders as partition_files
from rnn_pipelines.forecast.partitions.folders import (
    MANIFEST,
    find_panel,
    publish_panel,
    remove_others,
    write_manifest,
)

OWN = "0123456789abcdef"


def make_draft(folder: Path, letter: str) -> Path:
    draft = folder / (letter * 16)
    (draft / "rows/training").mkdir(parents=True)
    (draft / "rows/training/00000.parquet").write_text(letter)
    write_manifest(draft / MANIFEST, {"rows": [1]})
    return draft


def read(folder: Path) -> str:
    return (folder / OWN / "rows/training/00000.parquet").read_text()


def test_two_runs_at_once_leave_the_files_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one comes between the check and the renaming of the first one."""
    drafts = [make_draft(tmp_path, letter) for letter in "ab"]
    second = threading.Thread(target=publish_panel, args=(drafts[1], tmp_path / OWN))
    find = vars(partition_files)["find_manifest"]
    renamed = []

    def find_slowly(path: Path) -> Any:
        found = find(path)
        if not second.ident:
            second.start()
            time.sleep(0.3)
        return found

    rename = Path.rename
    monkeypatch.setattr(partition_files, "find_manifest", find_slowly)
    monkeypatch.setattr(Path, "rename", lambda path, to: renamed.append(path) or rename(path, to))
    publish_panel(drafts[0], tmp_path / OWN)
    second.join()
    assert renamed == [drafts[0]]
    assert read(tmp_path) == "a"
    assert not any(draft.exists() for draft in drafts)


def test_damaged_files_are_replaced(tmp_path: Path) -> None:
    publish_panel(make_draft(tmp_path, "a"), tmp_path / OWN)
    (tmp_path / OWN / "rows/training/00000.parquet").write_text("damaged")
    assert find_panel(tmp_path / OWN) is None
    publish_panel(make_draft(tmp_path, "b"), tmp_path / OWN)
    assert read(tmp_path) == "b"
    assert find_panel(tmp_path / OWN) == {"rows": [1]}


def test_damaged_folder_with_files_of_others_is_named(tmp_path: Path) -> None:
    publish_panel(make_draft(tmp_path, "a"), tmp_path / OWN)
    (tmp_path / OWN / "rows/training/notes.txt").write_text("mine")
    (tmp_path / OWN / MANIFEST).write_text("damaged")
    with pytest.raises(SeriesError, match=r"notes\.txt"):
        publish_panel(make_draft(tmp_path, "b"), tmp_path / OWN)
    assert (tmp_path / OWN / "rows/training/notes.txt").read_text() == "mine"


def test_panel_that_a_run_has_found_outlives_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_panel(make_draft(tmp_path, "a"), tmp_path / OWN)
    other = tmp_path / ("f" * 16)
    make_draft(tmp_path, "b").rename(other)
    monkeypatch.setattr(partition_files, "KEPT_SECONDS", 0.3)
    time.sleep(0.4)
    assert find_panel(tmp_path / OWN) is not None
    remove_others(other)
    assert read(tmp_path) == "a"
    time.sleep(0.4)
    remove_others(other)
    assert not (tmp_path / OWN).exists()
