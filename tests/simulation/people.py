"""What people do to a project between two nights."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from place import TASK, Place, find_task_paths, run_pipeline
from rnn_pipelines.champion.outcome import promote_version, roll_back

BACKUP = "backup"


def rollback(place: Place, number: int) -> None:
    store = find_task_paths(place.open()).store
    place.attempt(lambda: roll_back(store, TASK, "simulated"))


def promote(place: Place, number: int) -> None:
    store = find_task_paths(place.open()).store
    versions = store.list_versions()
    if versions:
        place.attempt(lambda: promote_version(store, TASK, versions[number % len(versions)], "why"))


def prune(place: Place, number: int) -> None:
    store = find_task_paths(place.open()).store
    place.attempt(lambda: store.prune(number % 3))


def delete_run(place: Place, number: int) -> None:
    runs = sorted((place.data / "runs/monitor_forecast").glob("[!.]*Z-*"))
    if runs:
        shutil.rmtree(runs[number % len(runs)])
        place.forget_foreign()


def delete_log(place: Place, number: int) -> None:
    place.log.unlink(missing_ok=True)


def back_up(place: Place, number: int) -> None:
    shutil.rmtree(place.folder / BACKUP, ignore_errors=True)
    shutil.copytree(place.data, place.folder / BACKUP, symlinks=True)


def restore(place: Place, number: int) -> None:
    """Put the whole backup in the place of the data."""
    if (place.folder / BACKUP).exists():
        shutil.rmtree(place.data)
        shutil.copytree(place.folder / BACKUP, place.data, symlinks=True)
        place.forget_foreign()


def restore_log(place: Place, number: int) -> None:
    """Put an older log in the place of the log."""
    older = place.folder / BACKUP / place.log.relative_to(place.data)
    if older.exists():
        shutil.copy(older, place.log)


def plant(place: Place, number: int) -> None:
    """Put a file of one's own into one of the project's folders."""
    folders = sorted(
        path for path in place.data.rglob("*") if path.is_dir() and not path.is_symlink()
    )
    if folders:
        name = ("mine.txt", "forecasts.parquet.bak", ".mine.part", "mine.json")[number % 4]
        path = folders[number % len(folders)] / name
        path.write_text("mine")
        place.foreign[path] = b"mine"


def run_partly(place: Place, number: int) -> None:
    process = place.open()
    place.attempt(lambda: run_pipeline(process, "monitor_forecast", "monitor_forecasts"))


def change(**settings: Any) -> Callable[[Place, int], None]:
    """Change parameters of `forecast`, and change them back the second time."""

    def apply(place: Place, number: int) -> None:
        for name, value in settings.items():
            if place.settings.get(name) == value:
                del place.settings[name]
            else:
                place.settings[name] = value

    return apply


def change_file(place: Place, number: int) -> None:
    place.table = place.folder / ("other.csv" if place.table.name == "sales.csv" else "sales.csv")


DEEDS: dict[str, Callable[[Place, int], None]] = {
    "rollback": rollback,
    "promote": promote,
    "prune": prune,
    "deleted run": delete_run,
    "deleted log": delete_log,
    "restored backup": restore,
    "restored log": restore_log,
    "file of others": plant,
    "partial run": run_partly,
    "other horizon": change(window={"lookback": 12, "horizon": 3}),
    "other level": change(level=[80, 95]),
    "other covariate": change(covariates={"past": ["price"]}),
    "other file": change_file,
}


def begin_another_log(place: Place) -> None:
    """The remedy of a lost log that the alarm names."""
    stamp = place.data / "06_models/champion/forecast/log.json"
    stamp.unlink(missing_ok=True)


def list_foreign(folder: Path) -> dict[Path, bytes]:
    """Files that lie there before the first night."""
    paths = [folder / "07_model_output/predict_forecast/notes.txt", folder / "06_models/mine.npz"]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    return dict.fromkeys(paths, b"mine")
