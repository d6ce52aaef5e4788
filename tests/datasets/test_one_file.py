"""What datasets of one file share: whole files, and versions."""

from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileOpener
from kedro.io import DatasetError
from kedro.io.core import Version, VersionNotFoundError

from rnn_pipelines.datasets import StrictJSONDataset

VERSIONED = Version(None, None)


@pytest.fixture
def filepath(tmp_path: Path) -> str:
    return str(tmp_path / "deep" / "my.json")


def save(filepath: str, value: int, version: Version | None = None) -> None:
    StrictJSONDataset(filepath=filepath, version=version).save(value)


def load(filepath: str, version: Version | None = None) -> int:
    return StrictJSONDataset(filepath=filepath, version=version).load()


def test_data_sets_that_save_at_once_do_not_end_each_others_writes(tmp_path: Path) -> None:
    first, second = (
        StrictJSONDataset(filepath=str(tmp_path / name)) for name in ("first.json", "second.json")
    )
    with first._open_to_write() as file:
        second.save({"mse": 1})
        assert [path.name for path in tmp_path.glob("*.json")] == ["second.json"]
        file.write(b"{}")
    assert first.load() == {}


@pytest.mark.parametrize(
    ("load_version", "expected"), [(None, 2), ("2024-01-01", 1)], ids=["newest", "older"]
)
def test_newest_version_is_loaded_unless_named(
    filepath: str, load_version: str | None, expected: int
) -> None:
    for version, value in (("2024-01-01", 1), ("2024-01-02", 2)):
        save(filepath, value, Version(None, version))
    assert sorted(
        path.parent.name for path in Path(filepath).rglob("my.json") if path.is_file()
    ) == [
        "2024-01-01",
        "2024-01-02",
    ]
    assert load(filepath, Version(load_version, None)) == expected


def test_a_version_that_is_missing_is_an_error(filepath: str) -> None:
    with pytest.raises(VersionNotFoundError):
        load(filepath, VERSIONED)


def test_a_dataset_loads_the_version_that_it_saved(filepath: str) -> None:
    dataset = StrictJSONDataset(filepath=filepath, version=VERSIONED)
    dataset.save(1)
    assert dataset.load() == 1


@pytest.mark.parametrize("version", [None, VERSIONED], ids=["plain", "versioned"])
def test_dataset_exists_once_it_is_saved(filepath: str, version: Version | None) -> None:
    before = StrictJSONDataset(filepath=filepath, version=version).exists()
    save(filepath, 1, version)
    assert (before, StrictJSONDataset(filepath=filepath, version=version).exists()) == (False, True)


@pytest.fixture
def fill_disk(monkeypatch: pytest.MonkeyPatch):
    """Make the disk take half of each write from now on."""
    whole = LocalFileOpener.write

    def write_half(self: LocalFileOpener, content: bytes) -> None:
        whole(self, content[: len(content) // 2])
        raise OSError("No space left on device")

    return lambda: monkeypatch.setattr(LocalFileOpener, "write", write_half)


@pytest.mark.parametrize(
    "versions", [(None, None), ("2024-01-01", "2024-01-02")], ids=["plain", "versioned"]
)
def test_interrupted_write_leaves_the_old_file(
    filepath: str,
    fill_disk,
    monkeypatch: pytest.MonkeyPatch,
    versions: tuple[str | None, str | None],
) -> None:
    old, new = (version and Version(None, version) for version in versions)
    save(filepath, 1, old)
    fill_disk()
    with pytest.raises(DatasetError, match="No space left"):
        save(filepath, 2, new)
    assert load(filepath, versions[0] and VERSIONED) == 1
    monkeypatch.undo()
    save(filepath, 3, new)
    assert load(filepath, versions[0] and VERSIONED) == 3


def test_interrupted_first_write_leaves_no_file(filepath: str, fill_disk) -> None:
    fill_disk()
    with pytest.raises(DatasetError, match="No space left"):
        save(filepath, 1)
    assert not Path(filepath).exists()
