"""The newest versions of some files are kept, whole, and others are removed."""

from pathlib import Path

import pytest
from kedro.io.core import DatasetError

from rnn_pipelines.datasets import NewestVersionsDataset, newest_versions
from rnn_pipelines.errors import LockedError
from rnn_pipelines.versions.folder import VersionedFolder


@pytest.fixture
def dataset(tmp_path: Path) -> NewestVersionsDataset:
    return NewestVersionsDataset(path=str(tmp_path / "nights"))


def make_files(number: int) -> dict[str, bytes]:
    return {"series.parquet": b"%d" % number, "night.json": b"{}"}


def test_there_is_no_version_before_the_first(dataset: NewestVersionsDataset) -> None:
    assert dataset.load() == []
    assert not dataset.exists()


def test_the_newest_two_versions_are_kept_oldest_first(dataset: NewestVersionsDataset) -> None:
    for number in range(4):
        dataset.save(make_files(number))
    assert dataset.load() == [make_files(2), make_files(3)]
    assert dataset.exists()


def test_equal_files_are_kept_once(dataset: NewestVersionsDataset) -> None:
    """A run that is repeated on the same day must not hide the day before."""
    for number in (0, 1, 1, 1):
        dataset.save(make_files(number))
    assert dataset.load() == [make_files(0), make_files(1)]


def test_a_damaged_version_is_left_out_with_a_warning(
    dataset: NewestVersionsDataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(2):
        dataset.save(make_files(number))
    newest = sorted(tmp_path.glob("nights/*/series.parquet"))[-1]
    newest.write_bytes(b"other")
    assert dataset.load() == [make_files(0)]
    assert "series.parquet changed after it was written" in caplog.text


def test_files_of_others_stay(
    dataset: NewestVersionsDataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset.save(make_files(0))
    own = next(tmp_path.glob("nights/*/night.json")).with_name("notes.txt")
    own.write_text("mine")
    for number in (1, 2, 3):
        dataset.save(make_files(number))
    assert own.read_text() == "mine"
    assert "is kept, because" in caplog.text
    assert len(dataset.load()) == 3


def test_an_unfinished_version_is_not_loaded(
    dataset: NewestVersionsDataset, tmp_path: Path
) -> None:
    """As a killed process leaves it."""
    dataset.save(make_files(0))
    (version,) = (path for path in (tmp_path / "nights").iterdir() if path.is_dir())
    version.rename(version.with_name(f".{version.name}.part"))
    assert dataset.load() == []


def test_an_unfinished_version_is_removed_by_the_next(
    dataset: NewestVersionsDataset, tmp_path: Path
) -> None:
    dataset.save(make_files(0))
    (version,) = (path for path in (tmp_path / "nights").iterdir() if path.is_dir())
    version.rename(version.with_name(f".{version.name}.part"))
    dataset.save(make_files(1))
    assert dataset.load() == [make_files(1)]
    assert len([path for path in (tmp_path / "nights").iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize("obstacle", ["full", "locked", "file"])
def test_a_version_that_cannot_be_saved_is_a_warning(
    dataset: NewestVersionsDataset,
    tmp_path: Path,
    obstacle: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A night keeps its forecasts if only the copy of its inputs fails."""

    def fail(*_: object) -> None:
        raise (
            OSError(28, "No space left on device")
            if obstacle == "full"
            else LockedError(".lock: it is held")
        )

    if obstacle == "file":
        (tmp_path / "nights").write_text("mine")
    else:
        monkeypatch.setattr(newest_versions, "hold_lock", fail)
    dataset.save(make_files(0))
    assert "nights: no version was saved (" in caplog.text
    assert dataset.load() == []


def test_a_folder_that_cannot_be_read_has_no_versions(
    dataset: NewestVersionsDataset,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(VersionedFolder, "list_complete", fail)
    assert dataset.load() == []
    assert "Permission denied" in caplog.text


def test_no_files_are_no_version(dataset: NewestVersionsDataset) -> None:
    dataset.save({})
    assert not dataset.exists()


def test_a_folder_of_versions_on_another_machine_is_refused() -> None:
    with pytest.raises(DatasetError, match="expected a folder on this machine"):
        NewestVersionsDataset(path="s3://bucket/nights")


@pytest.mark.parametrize("keep", [0, -1, 1.5, "two"])
def test_a_number_of_versions_below_1_is_refused(keep: object, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="keep: expected a whole number of 1 or more"):
        NewestVersionsDataset(path=str(tmp_path), keep=keep)
