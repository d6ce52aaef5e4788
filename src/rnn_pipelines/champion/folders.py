"""A model as a folder of files, outside of any store: what Python's interface saves and loads."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from rnn_pipelines.champion.files import replace_file, sync_folder
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.versions import CHECKSUMS
from rnn_pipelines.errors import ChampionError, ParameterError, RnnPipelinesError, show

SETTINGS = "settings.json"

Model = TypeVar("Model")


def save_folder(path: str | Path, files: Mapping[str, bytes]) -> None:
    """Writes a model's files; a model that is there is replaced once the new one is whole.

    Args:
        path: of the folder, which is made if it is not there.
        files: content by name, see the task's `packing`.
    Raises:
        ParameterError: the path is none.
        ChampionError: the folder can't be written, or holds something else; it is left as it is.
    """
    folder = _take_path(path)
    try:
        _replace_folder(folder, files)
    # Of a path that no system takes, such as one with a null character, Python says ValueError.
    except (OSError, ValueError) as error:
        raise ChampionError(
            f"{folder}: the model can't be saved there ({type(error).__name__}: {error}). Name another folder."
        ) from error


def _replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if folder.exists() and (not folder.is_dir() or (there and SETTINGS not in there) or CHECKSUMS in there):
        raise ChampionError(f"{folder}: expected a new folder, an empty one, or one of a saved model. Name another.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
    try:
        os.chmod(unfinished, 0o755)
        for name, content in files.items():
            replace_file(unfinished / name, content)
        if folder.is_dir():
            shutil.rmtree(folder)
        os.rename(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def load_model(path: str | Path, unpack: Callable[[Mapping[str, bytes]], Model]) -> Model:
    """A saved model, a champion's version, or the champion of a task.

    Args:
        path: of the folder of one of the three.
        unpack: see the task's `packing`.
    Raises:
        ParameterError: the path is none.
        ChampionError: there is no model, or it is damaged.
        NewerFormatError: a newer version of the project has written it.
    """
    folder = _take_path(path)
    try:
        return unpack(load_folder(folder))
    except RnnPipelinesError:
        raise
    # What a file can make the system, Keras, h5py, NumPy and zipfile raise, nobody has listed.
    except Exception as error:
        raise ChampionError(f"{folder}: the model can't be loaded ({type(error).__name__}: {error}).") from error


def _take_path(path: object) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise ParameterError(f"path: expected the name of a folder, received {show(path)}.")
    return Path(path)


def load_folder(folder: Path) -> dict[str, bytes]:
    """The files of a saved model, of a champion's version, or of the champion of a task.

    Args:
        folder: of one of the three.
    Raises:
        ChampionError: there is no model.
    """
    if (folder / "versions").is_dir():
        return dict(ChampionStore(folder).load().files)
    if not (folder / SETTINGS).is_file():
        raise ChampionError(f"{folder}: there is no saved model (looked in {Path.cwd()}).")
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
