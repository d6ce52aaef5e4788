"""A model as a folder of files, outside of any store, as the Python interface saves and loads it.

model/model.json                        the list of files with their sha256, replaced last, in one step
model/settings.1f3a9c0d5e7b2a44.json    the file `settings.json` of the list; its name holds part of its sha256
model/model.lock                        one writer at a time; readers need no lock

A new file never has the name of an older one, unless their contents are equal. So the list always names complete
files, and the name and content of a file prove that the project wrote it.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

from rnn_pipelines.champion.history import LOCK_SECONDS
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, RnnPipelinesError, show_all
from rnn_pipelines.storage.files import check_path, find_target, replace_file, sync_folder
from rnn_pipelines.storage.lock import hold_lock
from rnn_pipelines.storage.names import make_later_name
from rnn_pipelines.versions.checksums import (
    CHECKSUMS,
    list_checksums,
    parse_checksums,
    read_listed,
    read_version,
)
from rnn_pipelines.versions.files import measure
from rnn_pipelines.versions.folder import OwnFiles, list_foreign

LIST, LOCK = "model.json", "model.lock"
SETTINGS = "settings.json"
# Names on disk, as `_locate` makes them.
NAME = re.compile(r".+\.([0-9a-f]{16})(\.[^.]+)?", re.DOTALL | re.ASCII)

Model = TypeVar("Model")

logger = logging.getLogger(__name__)


def save_folder(path: str | Path, files: Mapping[str, bytes]) -> None:
    """Write a model's files, content by name; an existing model is replaced in one step, once the new one is complete.

    The folder is made if it is missing. If it is a link, its target is written.

    Raises:
        ParameterError: `path` is not a path.
        ChampionError: the folder can't be written, or holds a file that is not of a saved model; the message names it,
            and the folder is left as it is.
        LockedError: another save into the folder did not end in time.
    """
    folder = check_path(path)
    try:
        # Checked before anything is written, even the lock.
        _list_own(folder)
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
        with hold_lock(folder / LOCK, LOCK_SECONDS):
            _replace_model(folder, files)
    except RnnPipelinesError:
        raise
    # Python raises a ValueError for invalid paths, such as one with a null character.
    except (OSError, ValueError) as error:
        reason = f"the model can't be saved there ({type(error).__name__}: {error})"
        raise ChampionError(f"{folder}: {reason}. Name another folder.") from error


def _replace_model(folder: Path, files: Mapping[str, bytes]) -> None:
    present = _list_own(folder)
    stored = {_locate(name, measure(content)): content for name, content in files.items()}
    try:
        for name, content in stored.items():
            if name not in present:
                replace_file(folder / name, content)
        # The name of the save distinguishes two saves of the same model, see `_read_saved`.
        replace_file(folder / LIST, list_checksums(files, save=make_later_name([])))
    finally:
        # Also after an error, which may have occurred before or after the list was replaced.
        _remove_unlisted(folder, {*present, *stored})


def _remove_unlisted(folder: Path, present: Collection[str]) -> None:
    """Remove the files of the previous model, or those of a failed save; one that stays is logged, and tried again."""
    try:
        checksums = parse_checksums((folder / LIST).read_bytes(), folder / LIST)
    except FileNotFoundError:
        checksums = {}
    kept = {LIST, LOCK, *(_locate(name, checksum) for name, checksum in checksums.items())}
    for name in present:
        if name not in kept:
            try:
                (folder / name).unlink(missing_ok=True)
            except OSError as error:
                logger.warning(
                    "%s: the file is not needed any more, and can't be removed (%s)",
                    folder / name,
                    error,
                )


def _locate(name: str, checksum: str) -> str:
    """Return the name on disk of a file with this name and sha256."""
    path = Path(name)
    return f"{path.stem}.{checksum[:16]}{path.suffix}"


def _list_own(folder: Path) -> set[str]:
    """Return the names of all files in a folder of saved models; one with other files raises a ChampionError."""
    if not folder.is_dir():
        if os.path.lexists(folder):
            raise ChampionError(
                f"{folder}: expected a folder, found a file or a link to none. Name another folder."
            )
        return set()
    # Listed once, because another save may add files meanwhile.
    there = set(os.listdir(folder))
    names = {find_target(name) or name for name in there}
    hashed = {name: found[1] for name in names if (found := NAME.fullmatch(name))}
    foreign = list_foreign(folder, there, LIST, OwnFiles(hashed, planned=[LOCK], has_folders=False))
    if foreign or not _is_list(folder / LIST):
        raise ChampionError(
            f"{folder}: expected a new folder, an empty one, or one of a saved model, unchanged; found "
            f"{show_all(foreign or [LIST])}. Name another folder, or move these files away."
        )
    return there


def _is_list(path: Path) -> bool:
    """Return whether a file is the list of a saved model, or missing; other programs have files of this name."""
    try:
        content = path.read_bytes()
        parse_checksums(content, path)
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return json.loads(content).keys() == {"format", "save", "files"}


def load_model(path: str | Path, unpack: Callable[[Mapping[str, bytes]], Model]) -> Model:
    """Load a saved model, a version of a champion, or the champion of a task; `unpack` is of the task's `packing`.

    Raises:
        ParameterError: `path` is not a path.
        ChampionError: there is no model, or it is damaged.
        FormatError: another version of the project wrote it.
    """
    folder = check_path(path)
    return unpack_safely(folder, lambda: unpack(load_folder(folder)))


def unpack_safely(folder: Path, load: Callable[[], Model]) -> Model:
    """Return the model that `load` returns; any error of a damaged file becomes a `ChampionError`."""
    try:
        return load()
    except RnnPipelinesError:
        raise
    # The system, Keras, h5py, NumPy and zipfile can raise any error for a damaged file.
    except Exception as error:
        raise ChampionError(
            f"{folder}: the model can't be loaded ({type(error).__name__}: {error})."
        ) from error


def load_folder(folder: Path) -> dict[str, bytes]:
    """Return the files, content by name, of a saved model, a version or a task's champion; else a ChampionError."""
    if (folder / LIST).is_file():
        return _read_saved(folder)
    if (folder / "versions").is_dir():
        champion = ChampionStore(folder).load()
        for alarm in champion.alarms:
            logger.warning("%s", alarm)
        return dict(champion.files)
    if (folder / CHECKSUMS).is_file():
        version = folder.resolve()
        return read_version(version.parent, version.name)[0]
    if folder.is_dir() and any(
        path.name == SETTINGS or NAME.fullmatch(path.name) for path in folder.iterdir()
    ):
        remedy = "Copy it back, or save the model to another folder."
        raise ChampionError(f"{folder}: the list of its files, {LIST}, is missing. {remedy}")
    raise ChampionError(f"{folder}: there is no saved model (looked in {Path.cwd()}).")


def _read_saved(folder: Path) -> dict[str, bytes]:
    listed = (folder / LIST).read_bytes()
    while True:
        try:
            return read_listed(folder, listed, folder, _locate)
        except ChampionError:
            before = listed
            listed = (folder / LIST).read_bytes()
            # If the list has changed, another save has replaced the model and removed the previous files.
            if listed == before:
                raise
