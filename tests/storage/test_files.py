"""A file that is replaced holds the old content or the new, whole, and nothing is left beside it."""

import os
from pathlib import Path

import pytest

from rnn_pipelines.storage.files import find_target, name_temporary, remove_temporary, replace_file

STEPS = ["fsync", "chmod", "replace"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds `old`."""
    path = tmp_path / "my.json"
    replace_file(path, b"old")
    return path


def break_off(monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException) -> None:
    """Makes writing fail at one of its steps."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)


def test_a_new_file_holds_the_content(tmp_path: Path) -> None:
    replace_file(tmp_path / "my.json", b"\x00new\xff")
    assert (tmp_path / "my.json").read_bytes() == b"\x00new\xff"


def test_a_file_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "nowhere" / "my.json", b"new")


def test_temporary_files_of_another_target_stay(tmp_path: Path) -> None:
    # A name is proof for one target only.
    other = name_temporary("my.json").replace("my", "your")
    (tmp_path / other).write_bytes(b"mine")
    remove_temporary(tmp_path, lambda _: True)
    assert (tmp_path / other).exists()


def test_old_content_is_replaced_whole(path: Path) -> None:
    replace_file(path, b"n")
    assert path.read_bytes() == b"n"
    replace_file(path, b"new")
    assert list(path.parent.iterdir()) == [path]
    # Temporary files are for their owner alone.
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("step", STEPS)
def test_old_content_stays_until_all_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    seen = []
    original = getattr(os, step)
    monkeypatch.setattr(
        os, step, lambda *arguments: (seen.append(path.read_bytes()), original(*arguments))[1]
    )
    replace_file(path, b"new")
    assert seen[0] == b"old"


def test_content_is_on_disk_before_it_takes_the_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the folder's entry after it: a power cut must not leave an empty file."""
    steps = []
    for step in ("fsync", "replace"):
        original = getattr(os, step)

        def note(*arguments, step: str = step, original=original):
            steps.append(step)
            return original(*arguments)

        monkeypatch.setattr(os, step, note)
    replace_file(path, b"new")
    assert steps == ["fsync", "replace", "fsync"]
    names = []
    replace = os.replace
    monkeypatch.setattr(
        os,
        "replace",
        lambda source, target: (names.append(Path(source).name), replace(source, target)),
    )
    replace_file(path, b"new")
    assert names[0].startswith(".")
    assert not names[0].endswith(".json")


@pytest.mark.parametrize(
    "error", [OSError("No space left on device"), KeyboardInterrupt("stop")], ids=type
)
@pytest.mark.parametrize("step", STEPS)
def test_failure_leaves_the_old(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    """And nothing beside the file."""
    break_off(monkeypatch, step, error)
    with pytest.raises(type(error)):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_own_temporary_file_is_known_by_its_name() -> None:
    names = ["my.json", "a.b", ".x", "\udce9.csv"]
    assert [find_target(name_temporary(name)) for name in names] == names
    assert name_temporary("my.json") != name_temporary("my.json")


@pytest.mark.parametrize(
    "name", [".my.json.abcd1234.part", ".my.json.0123456789abcdef.part", "my.json", ".my.json.part"]
)
def test_temporary_file_of_another_program_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    remove_temporary(tmp_path, lambda _: True)
    assert find_target(name) is None
    assert (tmp_path / name).read_bytes() == b"mine"
