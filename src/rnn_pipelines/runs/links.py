"""The links to the current results, and the treatment of anything else at their paths."""

import os
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from rnn_pipelines.errors import FormatError, RunError, show_all
from rnn_pipelines.runs.run_store import CURRENT, RECORD, RunStore
from rnn_pipelines.storage.files import is_folder, sync_folder
from rnn_pipelines.storage.names import is_name, make_later_name
from rnn_pipelines.versions.files import (
    FileFacts,
    find_unchanged,
    list_all_files,
    measure_file,
    remove_files,
)
from rnn_pipelines.versions.folder import UNFINISHED


@dataclass(frozen=True)
class Repair:
    """The new links of a repair, and the new paths of moved files by old ones; all relative to the data root."""

    linked: list[str]
    moved: dict[str, str]


def check_links(store: RunStore, layers: Iterable[str]) -> None:
    """Restore the links to results, and raise a RunError that names all that no run made in their place."""
    _check_layers(store, layers)
    if blocked := restore_links(store, layers):
        listed = show_all(_name(store, path) for path in blocked)
        raise RunError(
            f"{store.root}: expected links to the results of {store.pipeline}, found files or folders that no run "
            f"made: {listed}. Move them away, or run kedro runs repair {store.pipeline} with the same --env, which "
            "renames them, removes nothing, and makes the links."
        )


def restore_links(store: RunStore, layers: Iterable[str]) -> list[Path]:
    """Make the links to the results of the current run, also in place of exact copies of the results.

    `cp -rL`, ZIP archives and cloud folders replace links by such copies. A copy is replaced only if the run has each
    of its files with the recorded checksum, so that nothing is lost. The layers are those in which the pipeline writes;
    those of the current run are added.

    Returns:
        The paths of other files and folders in place of a link. They are left as they are.
    """
    _restore_current(store)
    blocked = [path for path in _list_parts(store.folder / CURRENT) if not _is_free(store, path)]
    current = store.find_current()
    files = _find_files(store, current)
    for layer in sorted({*layers, *list_result_layers(files)}):
        shown, aside = parts = _list_parts(store.find_shown(layer))
        copied = Copied(store.folder / (current or CURRENT), files, f"{layer}/")
        is_copy = copied.has_all_of(shown) and not os.path.lexists(aside)
        if layer in list_result_layers(files) and (is_copy or _is_free(store, shown)):
            link_layer(store, layer, aside if is_copy else None)
        elif is_copy:
            # The run has nothing in this layer, so that the folder is empty.
            remove_files(shown, [], RECORD)
        copied.remove(aside)
        blocked += [path for path in parts if not _is_free(store, path)]
    return blocked


def repair_links(store: RunStore, layers: Iterable[str]) -> Repair:
    """Restore the links to results, and rename anything else in their place, within the same folder.

    A layer that is a file raises a RunError.
    """
    _check_layers(store, layers)
    places = {store.folder / CURRENT, *map(store.find_shown, [*layers, *_list_shown_layers(store)])}
    before = {path for path in places if path.is_symlink()}
    moved = _move_aside(
        path for path in restore_links(store, layers) if path == store.folder / CURRENT
    )
    if store.find_current() is None:
        whole = [name for name in store.list_runs() if _find_files(store, name)]
        for newest in whole[-1:]:
            point(store.folder / CURRENT, newest)
    moved |= _move_aside(restore_links(store, layers))
    restore_links(store, layers)
    places |= {*map(store.find_shown, _list_shown_layers(store))}
    linked = sorted(
        path for path in places if path.is_symlink() and path not in before - moved.keys()
    )
    renamed = {_name(store, path): _name(store, to) for path, to in moved.items()}
    return Repair([_name(store, path) for path in linked], renamed)


def link_layer(store: RunStore, layer: str, aside: Path | None = None) -> None:
    """Link a pipeline's folder in a layer to the results of the current run; see `point`."""
    shown = store.find_shown(layer)
    shown.parent.mkdir(parents=True, exist_ok=True)
    # Relative to the real path of the link, because the layer may be a link to another disk.
    folder, parent = map(os.path.realpath, (store.folder, shown.parent))
    target = os.path.relpath(os.path.join(folder, CURRENT, layer), parent)
    if not (shown.is_symlink() and os.readlink(shown) == target):
        point(shown, target, aside)


def point(link: Path, target: str, aside: Path | None = None) -> None:
    """Make or replace a link atomically.

    A folder that the link replaces is renamed to `aside` after the link is made, in case the disk is full.
    """
    for left in link.parent.glob(f".{link.name}.*{UNFINISHED}"):
        # Left by a killed process.
        if left.is_symlink() and (os.readlink(left) == target or is_name(os.readlink(left))):
            left.unlink()
    unfinished = link.with_name(f".{link.name}.{uuid.uuid4().hex[:8]}{UNFINISHED}")
    os.symlink(target, unfinished)
    if aside is not None:
        os.rename(link, aside)
    os.replace(unfinished, link)
    sync_folder(link.parent)


def list_result_layers(names: Iterable[str]) -> set[str]:
    """Return the layers of a run's files, from their paths relative to its folder."""
    return {PurePath(name).parts[0] for name in names}


def _check_layers(store: RunStore, layers: Iterable[str]) -> None:
    folders = [store.root / layer for layer in sorted(layers)]
    wrong = [path.name for path in folders if os.path.lexists(path) and not path.is_dir()]
    if wrong:
        raise RunError(f"{store.root}: expected folders, found {show_all(wrong)}. Move them away.")


def _restore_current(store: RunStore) -> None:
    """Restore the link to the current run in place of an exact copy of the run."""
    link, aside = _list_parts(store.folder / CURRENT)
    for path in (aside, link):
        # An empty folder is a copy of nothing.
        facts = measure_file(path / RECORD)
        same = [
            name
            for name in store.list_runs()
            if facts and measure_file(store.folder / name / RECORD) == facts
        ]
        files = {RECORD: facts, **_find_files(store, same[-1])} if same and facts else {}
        copied = Copied(store.folder / (same[-1] if same else CURRENT), files)
        is_copy = copied.has_all_of(link) and not os.path.lexists(aside)
        if same and (is_copy or not os.path.lexists(link)):
            point(link, same[-1], aside if is_copy else None)
        elif is_copy:
            remove_files(link, [], RECORD)
        copied.remove(aside)


@dataclass(frozen=True)
class Copied:
    """A run, by its folder and the recorded facts of its files, of which a folder may be a copy.

    The prefix is that of the copied files, such as `08_reporting/`; empty for all files.
    """

    run: Path
    files: Mapping[str, FileFacts]
    prefix: str = ""

    def remove(self, aside: Path) -> None:
        """Remove a renamed copy, also one that a killed process left."""
        # Listed before the check, so that a file added later is not removed.
        names = list_all_files(aside) if is_folder(aside) else []
        if self.has_all_of(aside):
            remove_files(aside, names, RECORD)

    def has_all_of(self, path: Path) -> bool:
        """Return whether a path is a folder whose files are all in the run, with the recorded checksums."""
        if not is_folder(path):
            return False
        names = list_all_files(path)
        recorded = {
            name: self.files[self.prefix + name]
            for name in names
            if self.prefix + name in self.files
        }
        if len(recorded) < len(names) or len(find_unchanged(path, recorded)) < len(names):
            return False
        own = {self.prefix + name: facts for name, facts in recorded.items()}
        return not own or len(find_unchanged(self.run, own)) == len(own)


def _find_files(store: RunStore, run: str | None) -> dict[str, FileFacts]:
    """Return the recorded facts of the existing files of a run; empty if the record can't be read."""
    if run is None:
        return {}
    # A damaged record may name a path outside the folder.
    there = set(list_all_files(store.folder / run))
    try:
        return {
            name: facts for name, facts in store.read_record(run)["files"].items() if name in there
        }
    except (RunError, FormatError):
        return {}


def _list_shown_layers(store: RunStore) -> Collection[str]:
    return list_result_layers(_find_files(store, store.find_current()))


def _is_free(store: RunStore, path: Path) -> bool:
    """Return whether a link to results can be made at a path: it is missing, or is such a link already."""
    if not os.path.lexists(path):
        return True
    if not path.is_symlink():
        return False
    target = os.readlink(path)
    if path == store.folder / CURRENT:
        # The linked run may be gone.
        return store.find_current() is not None or (
            not path.exists() and is_name(PurePath(target).name)
        )
    # Absolute and relative links to the results count.
    leads_to = Path(os.path.realpath(path.parent), target)
    is_here = os.path.realpath(leads_to.parent.parent) == os.path.realpath(store.folder)
    return is_here and leads_to.parts[-2:] == (CURRENT, path.parent.name)


def _move_aside(paths: Iterable[Path]) -> dict[Path, Path]:
    moved = {
        path: path.with_name(f"{path.name.lstrip('.')}.moved-{make_later_name([])}")
        for path in paths
    }
    for path, to in moved.items():
        os.rename(path, to)
    return moved


def _list_parts(link: Path) -> tuple[Path, Path]:
    """Return the path of a link, and the hidden path for a copy that it replaces."""
    return link, link.with_name(f".{link.name}.copied{UNFINISHED}")


def _name(store: RunStore, path: Path) -> str:
    return str(path.relative_to(store.root))
