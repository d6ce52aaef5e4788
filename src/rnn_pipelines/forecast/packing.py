"""A forecaster as files of `.keras` and JSON; nothing is pickled."""

import json
from collections.abc import Mapping

import pandas as pd

from rnn_pipelines.forecast.forecaster import Forecaster, ForecasterSettings
from rnn_pipelines.networks.packing import pack_networks, unpack_networks

SETTINGS, SCALER = "settings.json", "scaler.json"


def pack(forecaster: Forecaster) -> dict[str, bytes]:
    """The files of a forecaster: content by name."""
    # As lists, for JSON writes a float64 with all its digits, and pandas' own writer with fewer.
    scaler = forecaster.scaler.to_dict(orient="list")
    return {
        SETTINGS: forecaster.settings.model_dump_json(indent=2).encode(),
        SCALER: json.dumps(scaler, ensure_ascii=False).encode(),
        **pack_networks(forecaster.networks),
    }


def unpack(files: Mapping[str, bytes]) -> Forecaster:
    """The forecaster in the files of `pack`."""
    settings = ForecasterSettings.model_validate_json(files[SETTINGS])
    return Forecaster(unpack_networks(files), pd.DataFrame(json.loads(files[SCALER])), settings)
