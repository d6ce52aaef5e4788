"""A forecaster as files of arrays and JSON; nothing is pickled."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pandas as pd

from rnn_pipelines.forecast.intervals.fitting import Intervals
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel, unpack_ensemble
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.predictors import Normalizer
from rnn_pipelines.forecast.methods.trees import TREES
from rnn_pipelines.forecast.model.artefact import Forecaster, ScaledModel
from rnn_pipelines.forecast.model.settings import ForecasterSettings
from rnn_pipelines.forecast.preparation.reference import Reference, ReferenceTable
from rnn_pipelines.forecast.series.tables import Scaler, ScalerTable
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.storage.arrays import check_finite, pack_arrays, unpack_arrays
from rnn_pipelines.storage.formats import (
    SCALER,
    VOCABULARY,
    check_kind,
    check_needed_files,
    naming_damage,
    read_sealed,
    seal_files,
)

SETTINGS = "settings.json"
CODING = "coding.json"
MODEL = "model.npz"
INTERVALS = "intervals.npz"
EVALUATED = "evaluated.npz"
REFERENCE = "reference.json"
# Format of all files together.
FORMAT = 1


def pack(forecaster: Forecaster) -> dict[str, bytes]:
    """Return the files of a forecaster whose model is an ensemble: content by name."""
    # As lists, because json writes a float64 with all digits, and pandas with fewer.
    scaler = forecaster.scaler.to_dict(orient="list")
    files = {
        SCALER: json.dumps(scaler, ensure_ascii=False).encode(),
        CODING: forecaster.coding.model_dump_json(indent=2).encode(),
        MODEL: _pack_model(forecaster.model),
    }
    if forecaster.evaluated is not None:
        files[EVALUATED] = _pack_model(forecaster.evaluated)
    if forecaster.intervals is not None:
        files[INTERVALS] = pack_arrays(forecaster.intervals.to_arrays())
    if forecaster.reference is not None:
        reference = forecaster.reference
        times = [time if isinstance(time, int) else time.isoformat() for time in reference["last"]]
        columns = reference.assign(last=times).astype(object).where(reference.notna(), None)
        files[REFERENCE] = json.dumps(columns.to_dict(orient="list"), ensure_ascii=False).encode()
    settings = {"format": FORMAT, **forecaster.settings.model_dump(mode="json")}
    return {SETTINGS: seal_files(settings, files), **files}


def unpack(files: Mapping[str, bytes]) -> Forecaster:
    """Return the forecaster in the files of `pack`; or raise a ChampionError, or a FormatError for another version.

    The error names the file that is missing, damaged or changed, or whose numbers are not finite.
    """
    check_kind(files, VOCABULARY, "forecaster")
    settings = _read_settings(files)
    check_needed_files(files, [SCALER, CODING, MODEL], "forecaster")
    model = _unpack_model(files, MODEL)
    scaler = _read_scaler(files[SCALER])
    coding = read_coding(files)
    intervals = _read_intervals(files)
    evaluated = _unpack_model(files, EVALUATED) if EVALUATED in files else None
    return Forecaster(
        model, scaler, settings, intervals, coding, evaluated, unpack_reference(files)
    )


def read_coding(files: Mapping[str, bytes]) -> Coding:
    """Return the coding of covariates; an empty one if a version has none."""
    if CODING not in files:
        return Coding()
    with naming_damage(CODING):
        return Coding.model_validate_json(files[CODING])


def unpack_reference(files: Mapping[str, bytes]) -> Reference | None:
    """Return the statistics of the learnt values; None if a version has none."""
    if REFERENCE not in files:
        return None
    with naming_damage(REFERENCE):
        table = pd.DataFrame(json.loads(files[REFERENCE]))
        last = table["last"] if table["last"].dtype.kind == "i" else pd.to_datetime(table["last"])
        types = ReferenceTable.make_empty().dtypes.to_dict()
        return ReferenceTable.validate(table.assign(last=last).astype(types | {"last": last.dtype}))


def _read_settings(files: Mapping[str, bytes]) -> ForecasterSettings:
    settings = read_sealed(files, SETTINGS, "forecaster", (FORMAT,))
    with naming_damage(SETTINGS):
        # Validated as JSON, because times are text there.
        return ForecasterSettings.model_validate_json(json.dumps(settings))


def _read_scaler(content: bytes) -> Scaler:
    with naming_damage(SCALER):
        scaler = pd.DataFrame(json.loads(content)).astype(ScalerTable.make_empty().dtypes.to_dict())
        return ScalerTable.validate(scaler)


def _read_intervals(files: Mapping[str, bytes]) -> Intervals | None:
    if INTERVALS not in files:
        return None
    with naming_damage(INTERVALS):
        return Intervals.from_arrays(unpack_values(files[INTERVALS]))


def _pack_model(model: ScaledModel) -> bytes:
    assert isinstance(model, PanelModel)
    assert isinstance(model.model, EnsembleModel)
    return pack_arrays({**list_arrays(model.normalizer), **model.model.pack()})


def list_arrays(normalizer: Normalizer) -> dict[str, Any]:
    """Return the arrays and numbers of a normalisation by the names of its fields."""
    return {field.name: getattr(normalizer, field.name) for field in fields(normalizer)}


def _unpack_model(files: Mapping[str, bytes], name: str) -> PanelModel:
    with naming_damage(name):
        values = unpack_values(files[name])
        # Leaves have no threshold.
        check_finite(values, [f"{TREES}.thresholds"])
        normalizer = Normalizer(
            **{field.name: values.pop(field.name) for field in fields(Normalizer)}
        )
        return PanelModel(normalizer, unpack_ensemble(values))


def unpack_values(packed: bytes) -> dict[str, Any]:
    """Return the arrays and numbers of `pack_arrays` by name."""
    return {
        name: array if array.ndim else array.item() for name, array in unpack_arrays(packed).items()
    }
