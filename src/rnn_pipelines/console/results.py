"""Results of a command: a new folder, whose files appear together, and rows as values for JSON."""

import os
import webbrowser
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from rnn_pipelines.champion.folders import save_folder
from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.errors import RunError
from rnn_pipelines.printing import print_text
from rnn_pipelines.storage.files import draft_folder, require_new

MODEL = "model"


def choose_folder(file: str, suffix: str, given: str | None) -> Path:
    """Return the path of a new folder: as given, or else named after a file, with a number if it exists.

    A given path that exists, or a folder that would lie in the one that is read, raises a RunError.
    """
    name = f"{Path(file).absolute().name.split('.')[0]}-{suffix}"
    names = (
        [name, *(f"{name}-{number}" for number in range(2, 10_000))] if given is None else [given]
    )
    path = next((path for path in map(Path, names) if not os.path.lexists(path)), Path(names[-1]))
    require_new(path, "Name a new folder in --output.")
    # The next command would read the results as data.
    if path.absolute().parent.resolve().is_relative_to(Path(file).resolve()):
        raise RunError(
            f"{path}: it would lie in the folder that is read. Name a folder outside of {file} in --output."
        )
    return path


def write_folder(folder: Path, files: Mapping[str, bytes], model: Mapping[str, bytes]) -> None:
    """Write files and a model, each in contents by name, into a new folder, which appears when all are complete.

    The model gets a folder of its own. A folder that can't be written raises a RunError.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with draft_folder(folder) as draft:
            for name, content in files.items():
                (draft / name).write_bytes(content)
            save_folder(draft / MODEL, model)
    except OSError as error:
        raise RunError(
            f"{folder}: the results can't be written ({error.strerror}). Name another folder."
        ) from error


def list_rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return a record for each row: times as text, numbers that are not finite as None."""
    times = {name: str for name in table if table[name].dtype.kind == "M"}
    rows: list[dict[str, object]] = make_plain(table.astype(times).to_dict(orient="records"))
    return rows


def open_page(path: Path) -> None:
    """Open a page in the browser; print a line if there is none."""
    if not webbrowser.open(path.resolve().as_uri()):
        print_text(f"{path}: no browser was found. Open the file yourself.", is_error=True)
