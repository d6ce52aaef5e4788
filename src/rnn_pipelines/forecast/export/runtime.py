"""The program of an exported forecaster. It reads its files and predicts with NumPy and pandas alone.

`flatten` writes this module, and all that it uses of the project, into one file `forecaster.py`. Here stands only what
the project does with other libraries: reading the files and the user's table.
"""

import argparse
import io
import json
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import ParameterError, RnnPipelinesError, SeriesError, show_all
from rnn_pipelines.forecast.methods.ensemble import IS_ALONE, WEIGHT, EnsembleModel
from rnn_pipelines.forecast.methods.intervals import Intervals
from rnn_pipelines.forecast.methods.linear import LinearModel
from rnn_pipelines.forecast.methods.local import LocalMethod, LocalModel
from rnn_pipelines.forecast.methods.method import Model, PanelModel
from rnn_pipelines.forecast.methods.network import Network
from rnn_pipelines.forecast.methods.network_model import NetworkModel
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL
from rnn_pipelines.forecast.methods.predictors import Normalizer
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED, PretrainedModel
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.methods.trees import TREES, TreesModel
from rnn_pipelines.forecast.model.artefact import Forecaster as Artefact
from rnn_pipelines.forecast.model.recursion import (
    check_recursive,
    forecast_recursively,
    lay_out_recursive,
    lay_side_by_side,
    take_steps,
)
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork
from rnn_pipelines.forecast.series.coding import CodedColumn, Coding
from rnn_pipelines.forecast.series.schema import space_evenly
from rnn_pipelines.reading.zones import show_local, show_table

EXTENSIONS = {name: method.extend for name, method in METHODS.items() if isinstance(method, LocalMethod)}
LABEL = "the data"
# The end of a time with an offset from UTC.
OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"
KEY = ["unique_id", "ds"]

# The public holidays of each country that a loaded forecaster reads, as dates.
_days: dict[str, list[str]] = {}


def list_exported_holidays(country: str, years: Iterable[int]) -> pd.DatetimeIndex:
    """Return the public holidays of a country, as they were at the export; stands for `list_holidays`."""
    return pd.DatetimeIndex(_days[country])


def use_given_threads() -> nullcontext[None]:
    """Leave the threads of matrix products as they are; stands for `use_one_thread`, which needs another library."""
    return nullcontext()


class Record(SimpleNamespace):
    """Stands for the project's blocks of parameters, which were checked in the training."""

    def model_copy(self, update: Mapping[str, Any]) -> "Record":
        """Return the block with some other values."""
        return type(self)(**{**vars(self), **update})


class Forecaster:
    """A trained forecaster in a folder or zip file.

    Args:
        folder: with the files of an export; by default the one with this program.
    """

    def __init__(self, folder: str | Path = Path(__file__).parent) -> None:
        files = _read_files(Path(folder))
        found = json.loads(files["settings.json"])
        _days.update(json.loads(files["holidays.json"]))
        coding = json.loads(files["coding.json"])
        columns = tuple(CodedColumn(**column) for column in coding["columns"])
        intervals = Intervals(**_read_arrays(files["intervals.npz"])) if "intervals.npz" in files else None
        self._artefact = Artefact(
            _unpack_model(_read_arrays(files["model.npz"])),
            pd.DataFrame(json.loads(files["scaler.json"])),
            _read_settings(found),
            intervals,
            Coding(columns=columns, holidays=coding["holidays"]),
        )
        self.horizon: int = found["horizon"]
        known = [] if intervals is None else intervals.levels.tolist()
        self.levels: list[int] = [level for level in known if level != ANOMALY_LEVEL]

    def predict(self, frame: pd.DataFrame, h: int | None = None, level: Sequence[int] | None = None) -> pd.DataFrame:
        """Forecast the steps after each series' end.

        Args:
            frame: `ds, y`, `unique_id` if there are several series, and the covariates of the training. Rows after the
                last `y` hold values of future covariates.
            h: steps ahead; None for the trained horizon. Steps beyond it are forecast recursively.
            level: of the intervals, in percent; None for those of the training.
        Returns:
            `unique_id, ds`, a column named after the method in use, and bounds such as `ensemble-lo-80`;
            `is_recursive` if `h` exceeds the horizon.
        Raises:
            SeriesError: the series cannot be used, or are not those of the training; covariates are missing.
            ParameterError: there are no intervals of that level, or `h` is not a number of steps within its bounds.
        """
        artefact, levels = self._artefact, self._choose_levels(level)
        num_steps = self.horizon if h is None else take_steps(h, self.horizon)
        table, covariates = _read_table(frame, artefact)
        series = space_evenly(table, _describe_source(artefact), artefact.settings.gaps)[0]
        check_recursive(artefact, series, num_steps, covariates)
        artefact, panel, features = lay_out_recursive(artefact, series, num_steps, covariates)
        found = {artefact.settings.use: forecast_recursively(artefact, panel, features, num_steps)}
        shown = show_table(lay_side_by_side(found, levels), artefact.settings.tz)
        if pd.api.types.is_integer_dtype(frame.get("unique_id")):
            shown["unique_id"] = shown["unique_id"].astype(frame["unique_id"].dtype)
        return shown if num_steps > self.horizon else shown.drop(columns="is_recursive")

    def _choose_levels(self, level: Sequence[int] | None) -> list[int]:
        known = [] if self._artefact.intervals is None else self._artefact.intervals.levels.tolist()
        asked = self.levels if level is None else sorted(set(level))
        if not set(asked) <= set(known):
            raise ParameterError(f"level: expected some of {known}, received {show_all(asked)}.")
        return asked


def load(folder: str | Path = Path(__file__).parent) -> Forecaster:
    """Return the forecaster in a folder or zip file."""
    return Forecaster(folder)


def _read_files(folder: Path) -> dict[str, bytes]:
    if folder.is_dir():
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".json", ".npz")}
    with zipfile.ZipFile(folder) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def _read_arrays(packed: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return {name: array if array.ndim else array.item() for name, array in arrays.items()}


def _read_settings(found: Mapping[str, Any]) -> Any:
    """Return the settings of the training with blocks as attributes."""
    blocks = {"calendar": Record(**found["calendar"]), "gaps": Record(root=found["gaps"])}
    return Record(**{**found, **blocks})


def _unpack_model(values: dict[str, Any]) -> PanelModel:
    names = [name for name in Normalizer.__dataclass_fields__ if name in values]
    normalizer = Normalizer(**{name: values.pop(name) for name in names})
    weights = {name.removesuffix(WEIGHT): value for name, value in values.items() if name.endswith(WEIGHT)}
    models = {}
    for name in weights:
        own = {part.removeprefix(f"{name}."): value for part, value in values.items() if part.startswith(f"{name}.")}
        models[name] = _unpack_method(name, own)
    return PanelModel(normalizer, EnsembleModel(weights, models, IS_ALONE in values))


def _unpack_method(name: str, values: dict[str, Any]) -> Model:
    """Return a local method, which has no values, a linear one, which has a matrix, or a network, which has both."""
    if not values:
        return LocalModel(name, EXTENSIONS[name])
    if name == PRETRAINED:
        return PretrainedModel(PretrainedNetwork.from_arrays(values))
    if name == TREES:
        return TreesModel(**values)
    matrix = LinearModel(values.pop("matrix"))
    return NetworkModel(matrix, Network.from_arrays(values)) if values else matrix


def _describe_source(artefact: Artefact) -> Any:
    names = {"label": LABEL, "time": "ds", "target": "y", "id": "unique_id"}
    others = {"closed_days": (), "short_series": None, "tz": None}
    return Record(freq=artefact.settings.freq, **names, **others)


def _read_table(frame: pd.DataFrame, artefact: Artefact) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `unique_id, ds, y` and the covariates of all rows; the frame is not changed."""
    columns, names = artefact.coding.list_columns(), artefact.scaler["unique_id"]
    if "unique_id" not in frame and len(names) == 1:
        frame = frame.assign(unique_id=names.iloc[0])
    missing = [name for name in (*KEY, "y", *columns) if name not in frame]
    if missing:
        raise SeriesError(f"{LABEL}: the columns {show_all(missing)} are missing, of {show_all(frame.columns)}.")
    ds = _read_times(frame["ds"], artefact.settings)
    try:
        y = pd.to_numeric(frame["y"]).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise SeriesError(f"{LABEL}: column 'y': {error}. Correct the row, or leave its cell empty.") from error
    table = pd.DataFrame({"unique_id": frame["unique_id"].astype(str), "ds": ds, "y": y.where(np.isfinite(y))})
    table = table.set_axis(pd.RangeIndex(1, len(table) + 1))
    table.attrs["tz"] = artefact.settings.tz
    covariates = frame[list(columns)].set_axis(table.index)
    found = pd.concat([table[KEY], covariates], axis=1).drop_duplicates()
    if columns and found.duplicated(KEY).any():
        raise SeriesError(
            f"{LABEL}: row {found.index[found.duplicated(KEY)][0]}: a second row of this series and time."
        )
    found.attrs["tz"] = artefact.settings.tz
    return table, found


def _read_times(raw: pd.Series, settings: Any) -> pd.Series:
    """Return steps, or times on the axis of the training: in UTC, in local time, or without a zone."""
    # Older forecasters have no zone.
    zone = settings.tz if settings.zone is None else settings.zone["name"]
    try:
        if isinstance(settings.freq, int):
            return _read_steps(raw)
        is_read = pd.api.types.is_datetime64_any_dtype(raw)
        times = raw if is_read else pd.to_datetime(raw.astype(str), format="ISO8601", utc=zone is not None)
        have_offset = raw.astype(str).str.contains(OFFSET)
        is_zoned = times.dt.tz is not None if is_read else bool(have_offset.all())
        if times.isna().any() or have_offset.any() != have_offset.all():
            raise ValueError("a time is missing, or has another form")
    except (TypeError, ValueError) as error:
        raise SeriesError(
            f"{LABEL}: column 'ds': {error}. Write all times as 2024-12-31 or 2024-12-31T23:00."
        ) from error
    if not is_zoned and settings.tz is not None:
        # Local times are ambiguous in the hour that clocks repeat.
        raise SeriesError(f"{LABEL}: column 'ds': expected times with an offset from UTC, as 2024-12-31T23:00+01:00.")
    if zone is None and times.dt.tz is not None:
        raise SeriesError(f"{LABEL}: column 'ds': expected times without a zone, as in the training.")
    plain = times.dt.tz_convert(None) if times.dt.tz is not None else times
    return show_local(plain, zone).dt.tz_localize(None) if is_zoned and settings.tz is None else plain


def _read_steps(raw: pd.Series) -> pd.Series:
    steps = pd.to_numeric(raw)
    if (steps % 1 != 0).any():
        raise ValueError("expected whole numbers")
    return steps.astype(np.int64)


def main(words: Sequence[str] | None = None) -> int:
    """Print the forecasts of a CSV file as CSV."""
    parser = argparse.ArgumentParser(description="Forecast the series of a CSV file: unique_id, ds, y and covariates.")
    parser.add_argument("file")
    parser.add_argument("--horizon", type=int, help="steps ahead; by default that of the training")
    parser.add_argument("--level", type=int, action="append", help="an interval in percent; repeat it")
    given = parser.parse_args(words)
    try:
        frame = pd.read_csv(given.file, dtype={"unique_id": str})
        sys.stdout.write(Forecaster().predict(frame, given.horizon, given.level).to_csv(index=False))
    except (RnnPipelinesError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
