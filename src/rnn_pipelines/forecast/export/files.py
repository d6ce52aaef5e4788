"""The files of an exported forecaster: its own ones, and the program that reads them."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from rnn_pipelines.errors import ParameterError, RunError, show_all
from rnn_pipelines.forecast.export.flatten import flatten
from rnn_pipelines.forecast.export.runtime import EXTENSIONS, list_exported_holidays, use_given_threads
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.linear import LinearModel
from rnn_pipelines.forecast.methods.local import LocalModel
from rnn_pipelines.forecast.methods.method import Model, PanelModel
from rnn_pipelines.forecast.methods.network_model import NetworkModel
from rnn_pipelines.forecast.methods.pretrained import PretrainedModel
from rnn_pipelines.forecast.methods.trees import TreesModel
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.packing import EVALUATED, pack, unpack
from rnn_pipelines.forecast.series.holidays import list_holidays
from rnn_pipelines.forecast.series.offsets import HOLIDAY_YEARS, WEEKDAYS, split_closed_days
from rnn_pipelines.networks.threads import use_one_thread
from rnn_pipelines.storage.files import draft_folder, replace_file, require_new
from rnn_pipelines.storage.formats import VOCABULARY
from rnn_pipelines.version import __version__

PROGRAM, HOLIDAYS = "forecaster.py", "holidays.json"
NO_CLASSIFIER = (
    "a text classifier can't be exported without the project. Serve it with rnn-pipelines serve or MLflow, or use "
    "TextClassifier.load."
)
RUNTIME = "rnn_pipelines.forecast.export.runtime"
HEAD = '''"""A forecaster of RNN Pipelines {version} (Apache License 2.0), exported for use without the project.

It needs NumPy, pandas and the files beside it. Generated from the modules of the project; do not edit.

    from forecaster import load
    load("folder").predict(frame)        # frame: unique_id, ds, y and the covariates of the training

    python forecaster.py data.csv --horizon 14 --level 80
"""

VERSION = "{version}"
# sha256 of all lines below the next one.
SHA256 = "{sha256}"
'''


def unpack_exportable(files: Mapping[str, bytes]) -> Forecaster:
    """Return the forecaster in the files of a model, for an export.

    Raises:
        ParameterError: the model is a text classifier.
        ChampionError, FormatError: see `unpack`.
    """
    if VOCABULARY in files:
        raise ParameterError(NO_CLASSIFIER)
    return unpack(files)


def export_forecaster(forecaster: Forecaster, path: Path) -> None:
    """Write a forecaster into a new folder, or into a new zip file if the path ends in .zip.

    Args:
        forecaster: whose model is an ensemble.
        path: of the folder or file, which appears when it is complete.
    Raises:
        ParameterError: a method of the ensemble cannot be exported.
        RunError: the path exists, or cannot be written.
    """
    require_new(path, "Name a new folder or zip file.")
    files = list_exported(forecaster)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".zip":
            replace_file(path, _zip(files))
            return
        with draft_folder(path) as draft:
            for name, content in files.items():
                (draft / name).write_bytes(content)
    # Python raises a ValueError for invalid paths, such as one with a null character.
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: the forecaster can't be written ({error}). Name another folder.") from error


def list_exported(forecaster: Forecaster) -> dict[str, bytes]:
    """Return the files of an export: content by name.

    Raises:
        ParameterError: a method of the ensemble cannot be exported.
    """
    assert isinstance(forecaster.model, PanelModel)
    assert isinstance(forecaster.model.model, EnsembleModel)
    wrong = sorted(name for name, model in forecaster.model.model.models.items() if not _is_known(name, model))
    if wrong:
        raise ParameterError(
            f"the methods {show_all(wrong)} of the ensemble can't be exported. Expected networks, linear methods, "
            "trees, and local methods of the registry."
        )
    files = {name: content for name, content in pack(forecaster).items() if name != EVALUATED}
    return {PROGRAM: write_program().encode(), HOLIDAYS: json.dumps(_list_days(forecaster)).encode(), **files}


def _list_days(forecaster: Forecaster) -> dict[str, list[str]]:
    """Return the holidays of each country that the calendar of steps or the covariates name, as dates."""
    closed = split_closed_days(str(forecaster.settings.freq))[1].split("+")
    countries = {name for name in closed if name and not name.isdigit() and name not in WEEKDAYS}
    if forecaster.coding.holidays is not None:
        countries.add(forecaster.coding.holidays)
    return {name: sorted(list_holidays(name, HOLIDAY_YEARS).strftime("%Y-%m-%d")) for name in sorted(countries)}


def _is_known(name: str, model: Model) -> bool:
    return isinstance(model, LinearModel | NetworkModel | PretrainedModel | TreesModel) or (
        isinstance(model, LocalModel) and name in EXTENSIONS
    )


@cache
def write_program() -> str:
    """Return the program of an export, which is the same for all forecasters."""
    replaced = {list_holidays: list_exported_holidays, use_one_thread: use_given_threads}
    body = flatten(RUNTIME, {(name.__module__, name.__name__): own.__name__ for name, own in replaced.items()})
    lines = body.partition("\n")
    # Only a docstring may come before an import from the future.
    docstring, _, constants = HEAD.rpartition('"""\n')
    sha256 = hashlib.sha256(lines[2].encode()).hexdigest()
    head = f'{docstring}"""\n\n{lines[0]}\n{constants}'.replace("{version}", __version__)
    return head.replace("{sha256}", sha256) + lines[2]


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A fixed time, so that the same forecaster gives the same file.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
