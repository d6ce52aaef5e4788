"""A forecaster as files of arrays and JSON; nothing is pickled."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from rnn_pipelines.champion.formats import read_object, refuse_missing, refuse_other_kind
from rnn_pipelines.forecast.forecaster import Blend, Forecaster, ForecasterSettings, Model
from rnn_pipelines.forecast.intervals import Intervals
from rnn_pipelines.forecast.networks import Network
from rnn_pipelines.forecast.series.coding import Coding
from rnn_pipelines.networks.packing import pack_arrays, unpack_arrays, unpack_networks

SETTINGS, SCALER, CODING, MODEL = "settings.json", "scaler.json", "coding.json", "model.npz"
INTERVALS = "intervals.npz"
# What the names of the refit's files begin with; whoever doesn't know it uses the forecaster that was judged.
REFIT = "refit_"
# Of the files as a whole; those of before there were numbers have none. Up to 1, the model is a `.keras` file for each
# network; up to 2, there are neither intervals nor covariates, nor a share of Theta.
FORMAT = 3


def pack(forecaster: Forecaster) -> dict[str, bytes]:
    """The files of a forecaster: content by name."""
    settings = {"format": FORMAT, **forecaster.settings.model_dump(mode="json")}
    # As lists, because JSON writes a float64 with all its digits, and pandas' own writer with fewer.
    scaler = forecaster.scaler.to_dict(orient="list")
    assert isinstance(forecaster.model, Blend)  # older ones are read, and never written again
    files = {
        SETTINGS: json.dumps(settings, indent=2).encode(),
        SCALER: json.dumps(scaler, ensure_ascii=False).encode(),
        CODING: forecaster.coding.model_dump_json(indent=2).encode(),
        MODEL: pack_arrays(_list_arrays(forecaster.model)),
    }
    if forecaster.intervals is not None:
        files[INTERVALS] = pack_arrays(vars(forecaster.intervals))
    refit = {} if forecaster.refit is None else pack(forecaster.refit)
    return files | {f"{REFIT}{name}": content for name, content in refit.items()}


def unpack(files: Mapping[str, bytes]) -> Forecaster:
    """The forecaster in the files of `pack`, of this version of the project or an older one.

    Raises:
        ChampionError: a file is missing that the settings call for, or the model is of another kind.
        NewerFormatError: a newer version wrote them.
    """
    refuse_other_kind(files, "vocabulary.json", "forecaster")
    refuse_missing(files, [SETTINGS], "forecaster")
    found = read_object(files[SETTINGS], "forecaster", FORMAT)
    # From JSON, in which times are text.
    settings = ForecasterSettings.model_validate_json(json.dumps({k: v for k, v in found.items() if k != "format"}))
    refuse_missing(files, _list_needed(found.get("format", 0), settings), "forecaster")
    intervals = Intervals(**_read_values(files[INTERVALS])) if INTERVALS in files else None
    coding = Coding.model_validate_json(files[CODING]) if CODING in files else Coding()
    scaler = pd.DataFrame(json.loads(files[SCALER]))
    own = {name.removeprefix(REFIT): content for name, content in files.items() if name.startswith(REFIT)}
    refit = unpack(own) if own else None
    return Forecaster(_unpack_model(files), scaler, settings, intervals, coding, refit)


def _list_needed(number: int, settings: ForecasterSettings) -> list[str]:
    """The files without which a forecaster of a format can't forecast; see `FORMAT`."""
    if number < 2:
        return [SCALER, *(f"{name}.keras" for name in settings.networks)]
    return [SCALER, MODEL] if number < 3 else [SCALER, CODING, MODEL]


def _unpack_model(files: Mapping[str, bytes]) -> Model:
    if MODEL in files:
        return _read_blend(_read_values(files[MODEL]))
    from rnn_pipelines.forecast.older import KerasMean

    return KerasMean(unpack_networks(files))


def _list_arrays(blend: Blend) -> dict[str, Any]:
    """All arrays and numbers by name; those of a network after its name and a dot."""
    arrays: dict[str, Any] = {
        name: getattr(blend, name) for name in ("frame", "season", "long_season", "calendar", "matrix", "theta")
    }
    for name, network in blend.networks.items():
        arrays |= {f"{name}.{part.name}": getattr(network, part.name) for part in dataclasses.fields(network)}
        arrays[f"{name}.share"] = blend.shares[name]
    return arrays


def _read_values(packed: bytes) -> dict[str, Any]:
    return {name: array if array.ndim else array.item() for name, array in unpack_arrays(packed).items()}


def _read_blend(values: Mapping[str, Any]) -> Blend:
    names = [name.removesuffix(".share") for name in values if name.endswith(".share")]
    parts = [part.name for part in dataclasses.fields(Network)]
    return Blend(
        **{name: values[name] for name in ("frame", "season", "long_season", "calendar", "matrix")},
        networks={name: Network(**{part: values[f"{name}.{part}"] for part in parts}) for name in names},
        shares={name: values[f"{name}.share"] for name in names},
        theta=values.get("theta", 0.0),
    )
