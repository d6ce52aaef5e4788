"""The commands of the page sign a version of a champion, and find a changed one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_pipelines.champion.store import ChampionStore

PAGE = Path(__file__).parents[2] / "docs/how-to/champion.md"


def run_line(beginning: str, folder: Path, version: Path) -> int:
    """Run the line of the page that begins so, and return its exit code."""
    (line,) = re.findall(rf"^    ({beginning} .*)", PAGE.read_text(), re.MULTILINE)
    words = line.replace("VERSION_FOLDER", str(version)).split()
    if words[0] == "model_signing":
        words[0] = str(Path(sys.executable).with_name("model_signing"))
    return subprocess.run(words, cwd=folder, check=False, capture_output=True).returncode


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a version that was signed; keys and signature are in the folder of the champion."""
    store = ChampionStore(tmp_path_factory.mktemp("signed"))
    name = store.add_version({"settings.json": b"{}", "model.npz": bytes(1000)})
    version = store.find_folder(name)
    for beginning in ("openssl ecparam", "openssl ec", "model_signing sign"):
        assert run_line(beginning, store.folder, version) == 0
    return version


def verify(version: Path) -> int:
    return run_line("model_signing verify", version.parents[1], version)


def test_signed_version_is_verified(signed: Path) -> None:
    assert verify(signed) == 0


def test_changed_byte_is_found(signed: Path) -> None:
    path = signed / "model.npz"
    before = path.read_bytes()
    path.write_bytes(before[:500] + b"\1" + before[501:])
    assert verify(signed) != 0
    path.write_bytes(before)


def test_additional_file_is_found(signed: Path) -> None:
    (signed / "other.npz").write_bytes(b"other")
    assert verify(signed) != 0
