"""A changed file is found before it is used."""

import os
from pathlib import Path

import pytest

from damages import flip_bit, truncate
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.partitions.folders import (
    BLOCK_BYTES,
    END_BYTES,
    NUM_BLOCKS,
    find_manifest,
    list_facts,
    read_manifest,
    require_removed,
    write_manifest,
)

FACTS = {"rows": [1, 2], "left_out": ["ü", "b"], "mean": 0.1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With two files, one of them in a subfolder, and their manifest."""
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows/0.bin").write_bytes(bytes(range(256)))
    (tmp_path / "facts.bin").write_bytes(b"facts")
    write_manifest(tmp_path / "manifest.json", FACTS)
    return tmp_path


def test_facts_come_back_unless_their_checksum_is_missing(folder: Path) -> None:
    assert (
        read_manifest(folder / "manifest.json") == find_manifest(folder / "manifest.json") == FACTS
    )
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("content_sha256", "content_sha257"))
    with pytest.raises(SeriesError, match="no checksum"):
        read_manifest(path)


@pytest.mark.parametrize("name", ["rows/0.bin", "facts.bin", "manifest.json"])
@pytest.mark.parametrize("damage", [flip_bit, truncate, Path.unlink])
def test_damaged_file_is_named(
    folder: Path, name: str, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(damage)
    damage(folder / name)
    with pytest.raises(SeriesError, match=name):
        read_manifest(folder / "manifest.json")
    assert find_manifest(folder / "manifest.json") is None
    # A folder that is not complete is nothing to warn of.
    assert (name in caplog.text) == (folder / "manifest.json").exists()


def test_files_of_others_are_named(folder: Path) -> None:
    """The files of a subfolder are read together; results are read by their names."""
    (folder / "mine.txt").write_text("mine")
    assert read_manifest(folder / "manifest.json") == FACTS
    (folder / "rows/mine.txt").write_text("mine")
    with pytest.raises(SeriesError, match=r"'rows/mine\.txt'"):
        read_manifest(folder / "manifest.json")
    require_removed(folder / "missing")
    with pytest.raises(SeriesError, match=r"'rows/0\.bin'.*Move them away"):
        require_removed(folder)


def test_every_byte_of_a_small_file_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    found = set()
    for number in range(300):
        path.write_bytes(b"x" * number + b"y" + b"x" * (300 - number))
        os.utime(path, (1, 1))
        found.add(str(list_facts(path)))
    assert len(found) == 300


def test_blocks_of_a_large_file_count(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    size = 4 * END_BYTES
    places = [
        0,
        BLOCK_BYTES - 1,
        *(number * size // NUM_BLOCKS for number in range(1, 40)),
        size - END_BYTES,
        size - 1,
    ]
    found = set()
    for place in places:
        content = bytearray(size)
        content[place] = 1
        path.write_bytes(content)
        os.utime(path, (1, 1))
        found.add(str(list_facts(path, None)))
    assert len(found) == len(places)


def test_all_files_of_all_tables_are_listed(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    for name in ("days/1.csv", "days/2.csv", "prices.csv"):
        (tmp_path / name).write_text(name)
    found = list_facts(tmp_path / "days", str(tmp_path / "prices.csv"))
    assert [Path(path).name for path, *_ in found] == ["1.csv", "2.csv", "prices.csv"]
