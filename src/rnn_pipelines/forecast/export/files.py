"""The files of an exported forecaster: the model, and the modules of the project that predict with it."""

import ast
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path

from rnn_pipelines.errors import ParameterError, RunError, show_all
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, TRAINED_BEFORE
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.packing import pack, unpack
from rnn_pipelines.forecast.times.holidays import list_holidays
from rnn_pipelines.forecast.times.offsets import HOLIDAY_YEARS, WEEKDAYS, split_closed_days
from rnn_pipelines.storage.files import draft_folder, replace_file, require_new
from rnn_pipelines.storage.formats import VOCABULARY
from rnn_pipelines.version import __version__

PROGRAM = "forecaster.py"
HOLIDAYS = "holidays.json"
REQUIREMENTS = "requirements.txt"
NO_CLASSIFIER = (
    "a text classifier can't be exported without the project. Serve it with rnn-pipelines serve or MLflow, or use "
    "TextClassifier.load."
)
# The packages that an export needs; the others are imported by parts that it does without.
REQUIRED = ("numpy", "pandas", "pydantic", "threadpoolctl")
SOURCE = Path(__file__).parents[3]
PACKAGE = "rnn_pipelines"
HEAD = "# Exported by RNN Pipelines {version}. sha256 of the modules and of the lines below: {sha256}\n"


def unpack_exportable(files: Mapping[str, bytes]) -> Forecaster:
    """Return the forecaster in files, see `unpack`, for an export; a text classifier is a ParameterError."""
    if VOCABULARY in files:
        raise ParameterError(NO_CLASSIFIER)
    return unpack(files)


def export_forecaster(forecaster: Forecaster, path: Path) -> None:
    """Write a forecaster whose model is an ensemble into a new folder, or a new zip file if the path ends in .zip.

    It appears when it is complete.

    Raises:
        ParameterError: a method of the ensemble cannot be exported.
        RunError: the path exists, or cannot be written.
    """
    require_new(path, "Name a new folder or zip file.")
    files = list_exported(forecaster)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".zip":
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                for name, content in files.items():
                    # With the time of 1980, so that the same forecaster gives the same file.
                    archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            replace_file(path, packed.getvalue())
            return
        with draft_folder(path) as draft:
            for name, content in files.items():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).write_bytes(content)
    # Python raises a ValueError for invalid paths, such as one with a null character.
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: the forecaster can't be written ({error}). Name another folder."
        ) from error


def list_exported(forecaster: Forecaster) -> dict[str, bytes]:
    """Return the files of an export by name; or raise a ParameterError if a method cannot be exported."""
    assert isinstance(forecaster.model, PanelModel)
    assert isinstance(forecaster.model.model, EnsembleModel)
    if wrong := sorted(set(forecaster.model.model.models) - {*METHODS, *TRAINED_BEFORE, *NETWORKS}):
        raise ParameterError(
            f"the methods {show_all(wrong)} can't be exported. Expected those of the registry."
        )
    modules = list_modules()
    program = Path(__file__).with_name("program.py").read_bytes()
    sha256 = hashlib.sha256(b"".join([*modules.values(), program])).hexdigest()
    return {
        PROGRAM: HEAD.format(version=__version__, sha256=sha256).encode() + program,
        REQUIREMENTS: "".join(f"{name}=={version(name)}\n" for name in REQUIRED).encode(),
        HOLIDAYS: json.dumps(_list_days(forecaster)).encode(),
        **pack(forecaster),
        **modules,
    }


def _list_days(forecaster: Forecaster) -> dict[str, list[str]]:
    """Return the holidays of each country that the calendar of steps or the covariates name, as dates."""
    closed = split_closed_days(str(forecaster.settings.freq))[1].split("+")
    countries = {name for name in closed if name and not name.isdigit() and name not in WEEKDAYS}
    if forecaster.coding.holidays is not None:
        countries.add(forecaster.coding.holidays)
    return {
        name: sorted(list_holidays(name, HOLIDAY_YEARS).strftime("%Y-%m-%d"))
        for name in sorted(countries)
    }


@cache
def list_modules() -> dict[str, bytes]:
    """Return the modules of the project that `Forecaster.load` and `predict` import: content by path.

    Imports inside functions are not followed: those are of other libraries, and of what an export does without, such as
    figures.
    """
    found: dict[str, bytes] = {}
    waiting = [f"{PACKAGE}.forecast.interface"]
    while waiting:
        name = waiting.pop()
        stem = SOURCE / name.replace(".", "/")
        path = next(
            (one for one in (stem.with_suffix(".py"), stem / "__init__.py") if one.is_file()), None
        )
        # Names that a module has, such as those of functions, have no file.
        if path is None or (key := path.relative_to(SOURCE).as_posix()) in found:
            continue
        found[key] = path.read_bytes()
        for statement in ast.parse(found[key]).body:
            if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith(PACKAGE):
                waiting += [f"{statement.module}.{one.name}" for one in statement.names]
                waiting += accumulate(str(statement.module).split("."), "{}.{}".format)
    return dict(sorted(found.items()))
