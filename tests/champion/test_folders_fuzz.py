"""Saved models that are damaged in many ways, and folders with files of somebody else, are refused as they are.

`RNN_FUZZ_SAVED` says how many there are of each; a failure names its seed.
"""

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from fuzzing import list_seeds
from rnn_pipelines.champion.folders import LIST, LOCK, load_model, save_folder
from rnn_pipelines.errors import ChampionError
from trees import read_tree

pytestmark = pytest.mark.usefixtures("no_wait_for_the_disk")

SEEDS = list_seeds("RNN_FUZZ_SAVED", 200)
FILES = {
    "settings.json": b'{"format": 3, "units": 1090}',
    "scaler.json": b"[1.5]",
    "model.npz": bytes(range(256)) * 9,
}
OTHER = {
    "settings.json": b'{"format": 3, "units": 4227}',
    "scaler.json": b"[1.5]",
    "intervals.npz": b"bounds",
}
NAMES = [
    "notes.txt",
    "settings.json",
    "model.npz",
    "checksums.json",
    "thesis.0123456789abcdef.pdf",
    "ü",
    ".DS_Store",
    ".git",
    ".model.json.part",
    ".model.json.abcd1234.part",
    ".thesis.pdf.abcd_123.part",
    "model.json.bak",
    "versions",
    "champion.json",
    LIST,
]


def damage(folder: Path, source: random.Random) -> None:
    """Changes, cuts, removes or adds a file, or puts something else in its place."""
    path = source.choice(
        [path for path in sorted(folder.iterdir()) if path.is_file() and path.name != LOCK]
    )
    content = path.read_bytes()
    place, end = sorted(source.randrange(len(content) + 1) for _ in range(2))
    flipped = bytearray(content)
    if flipped:
        flipped[source.randrange(len(content))] ^= 1 << source.randrange(8)
    match source.randrange(8):
        case 0 | 1:
            path.write_bytes(flipped)
        case 2:
            path.write_bytes(content[:place])
        case 3:
            path.write_bytes(content[:place] + content[end:])
        case 4:
            path.unlink()
            source.choice([lambda: None, path.mkdir, lambda: path.symlink_to(path)])()
        case 5:
            path.write_bytes(source.choice([b"", b"{}", b"[" * 50_000, b'"\\ud800"', content * 2]))
        case 6:
            path.rename(folder / source.choice(NAMES[:7]))
        case 7:
            spoil_list(folder / LIST, source)


def spoil_list(path: Path, source: random.Random) -> None:
    if not path.is_file():
        return
    try:
        found = json.loads(path.read_bytes())
        key = source.choice(list(found["files"]))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return
    odd = source.choice(
        [None, 1, [], "0" * 64, "../x", found["files"][source.choice(list(found["files"]))]]
    )
    if source.random() < 0.5:
        found["files"][key] = odd
    else:
        found["files"][source.choice(["../planted", "/etc/passwd", "", "a/b", key + ".x"])] = found[
            "files"
        ].pop(key)
    path.write_text(json.dumps(found))


def plant(folder: Path, source: random.Random) -> bool:
    """Puts something of somebody else's into a folder, unless its name is taken; says whether it did."""
    path = folder / source.choice(NAMES)
    if os.path.lexists(path):
        return False
    match source.randrange(3):
        case 0:
            path.write_bytes(
                source.choice([b"mine", b"", b"{}", b'{"format": 1, "files": {"a": "b"}}'])
            )
        case 1:
            path.mkdir()
            (path / "notes.txt").write_text("mine")
        case 2:
            path.symlink_to(folder.parent / "elsewhere")
    return True


def test_damaged_model_is_refused_or_what_was_saved(tmp_path: Path) -> None:
    num_refused = 0
    for seed in SEEDS:
        source = random.Random(seed)
        folder = tmp_path / "model"
        save_folder(folder, FILES)
        for _ in range(source.choice([1, 1, 3])):
            damage(folder, source)
        try:
            # The save's own name in the list may change without harm.
            assert load_model(folder, dict) == FILES
        except ChampionError:
            num_refused += 1
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        shutil.rmtree(folder)
    print(f"{len(SEEDS)} damaged models, {num_refused} refused")
    assert 0.7 * len(SEEDS) < num_refused < len(SEEDS)


def test_folder_with_files_of_somebody_else_is_refused_as_it_is(tmp_path: Path) -> None:
    """Empty otherwise, or a saved model, whole or damaged."""
    num_refused = 0
    for seed in SEEDS:
        source = random.Random(seed)
        folder = tmp_path / "folder"
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "thesis.txt").write_text("mine")
        folder.mkdir()
        if source.random() < 0.6:
            save_folder(folder, FILES)
        if source.random() < 0.2 and (folder / LIST).exists():
            damage(folder, source)
        planted = [plant(folder, source) for _ in range(source.randrange(3))]
        before = read_tree(tmp_path)
        try:
            save_folder(folder, OTHER)
            assert not any(planted)
            assert load_model(folder, dict) == OTHER
        except ChampionError:
            num_refused += 1
            assert read_tree(tmp_path) == before
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        shutil.rmtree(folder)
        shutil.rmtree(tmp_path / "elsewhere")
    print(f"{len(SEEDS)} folders, {num_refused} refused")
    assert 0.3 * len(SEEDS) < num_refused < 0.95 * len(SEEDS)
