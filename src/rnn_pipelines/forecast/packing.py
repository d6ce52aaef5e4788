"""A forecaster as files of `.keras` and JSON; nothing is pickled."""

import json
from collections.abc import Mapping

import pandas as pd

from rnn_pipelines.champion.formats import read_object
from rnn_pipelines.forecast.forecaster import Forecaster, ForecasterSettings
from rnn_pipelines.networks.packing import pack_networks, unpack_networks

SETTINGS, SCALER = "settings.json", "scaler.json"
# Of the files as a whole; those of before there were numbers have none.
FORMAT = 1


def pack(forecaster: Forecaster) -> dict[str, bytes]:
    """The files of a forecaster: content by name."""
    settings = {"format": FORMAT, **forecaster.settings.model_dump(mode="json")}
    # As lists, because JSON writes a float64 with all its digits, and pandas' own writer with fewer.
    scaler = forecaster.scaler.to_dict(orient="list")
    return {
        SETTINGS: json.dumps(settings, indent=2).encode(),
        SCALER: json.dumps(scaler, ensure_ascii=False).encode(),
        **pack_networks(forecaster.networks),
    }


def unpack(files: Mapping[str, bytes]) -> Forecaster:
    """The forecaster in the files of `pack`, of this version of the project or an older one.

    Raises:
        NewerFormatError: a newer version wrote them.
    """
    found = read_object(files[SETTINGS], "forecaster", FORMAT)
    # From JSON, in which times are text.
    settings = ForecasterSettings.model_validate_json(json.dumps({k: v for k, v in found.items() if k != "format"}))
    return Forecaster(unpack_networks(files), pd.DataFrame(json.loads(files[SCALER])), settings)
