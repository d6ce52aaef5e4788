"""A stub in the place of the model: seasonal naive with intervals, fitted once for each form of the series."""

from dataclasses import replace
from typing import Any

import numpy as np

from rnn_pipelines.forecast.fitting import make_forecaster
from rnn_pipelines.forecast.methods.in_use import wrap_in_ensemble
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.predictions import Forecasts
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec

NAME = "seasonal_naive"
_fitted: dict[Any, tuple[Forecaster, PanelModel]] = {}


def forget() -> None:
    """Fit anew, for another history."""
    _fitted.clear()


def keep_windows(windows: Any, *_: Any) -> Any:
    """In the place of `prepare_fitting`."""
    return windows


def train_nothing(*_: Any) -> str:
    """In the place of `train_network`."""
    return "no network"


def choose_stub(
    windows: Any, scaler: Any, coding: Any, settings: Any, level: Any, *_: Any
) -> tuple[Forecaster, dict[str, Any], dict[str, Forecasts]]:
    """In the place of `choose_challenger`: the model of the first training on such series, with the new scales."""
    names = tuple(scaler["unique_id"])
    key = (
        names,
        coding.model_dump_json(),
        settings.horizon,
        settings.lookback,
        settings.freq,
        level.root,
    )
    if key not in _fitted:
        data = prepare_fitting(windows, pretrained=PretrainedSpec(is_used=False))
        method = METHODS[NAME].fit(data)
        assert method is not None
        ensemble = wrap_in_ensemble({NAME: method}, NAME)
        forecaster = make_forecaster(data, ensemble, [], scaler, coding, settings, level)
        _fitted[key] = forecaster, PanelModel(data.linear.normalizer, ensemble.model)
    forecaster, evaluated = _fitted[key]
    settings = settings.model_copy(update={"use": NAME, "networks": {}})
    challenger = replace(forecaster, scaler=scaler, coding=coding, settings=settings)
    origins = windows.list_origins("test")
    none = np.zeros((0, windows.horizon), np.float32)
    baselines = {NAME: Forecasts(test=evaluated.forecast(windows, origins), future=none)}
    record: dict[str, Any] = {
        "validation_losses": {NAME: 1.0},
        "weights": {NAME: 1.0},
        "chosen": NAME,
        "instead_of": None,
        "seeds": [],
        "training_seconds": 0.0,
        "networks": {},
        "is_refitted": False,
    }
    return challenger, record, baselines
