"""Whatever parameters say: they are refused in the project's own words, or the run that they ask for can be made.

RNN_FUZZ_SETS=2000 pytest -m slow tests/contracts/test_parameters_fuzz.py
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from kedro.framework.context import KedroContext
from kedro.pipeline import Pipeline
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel, RootModel, ValidationError

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import MAX_MESSAGE, RnnPipelinesError
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.specs import BudgetSpec, TrainingPlan
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.parameters import list_parameter_models, read_parameter_models
from rnn_pipelines.forecast.recipe import prepare_panel
from rnn_pipelines.forecast.source.reading import read_source

pytestmark = pytest.mark.slow

NUM_SETS = int(os.environ.get("RNN_FUZZ_SETS", "400"))
MANY = settings(
    max_examples=NUM_SETS,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# fmt: off
ODD = [
    None, True, False, 0, -1, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63, 10**12, 10**30, 0.0, 1.0, 1e-300, 1e20, 1e308,
    float("inf"), float("nan"), -0.5, "", "0", "1", "2021-06-01", "5.1.2015", "March", "now", "10:00", "lstm", "D", "h",
    "3D", "-1D", "0D", "daily", "x" * 100_000, "a\nERROR", "\x1b[31m", "\0", "\ud800",
    "1e400", "۳", [], [1, 2], {}, {"a": 1},
]
# fmt: on
VALUES = st.one_of(
    st.integers(1, 12),
    st.floats(0.01, 0.9),
    st.sampled_from(ODD),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
)


BLOCKS = {
    name: kind
    for name, kind in list_parameter_models().items()
    if name not in ("source", "covariates")
}


def list_places(kind: Any) -> list[str]:
    return (
        list(kind.model_fields)
        if issubclass(kind, BaseModel) and not issubclass(kind, RootModel)
        else []
    )


@st.composite
def draw_changes(draw: st.DrawFn, types: dict[str, Any], most: int) -> dict[str, Any]:
    """Some parameters with odd values, by block and name; a block that is one value has no name."""
    places = [(block, name) for block, kind in types.items() for name in list_places(kind) or [""]]
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, max_size=most, unique=True))
    changes: dict[str, Any] = {}
    for block, name in chosen:
        value = draw(VALUES)
        if name:
            changes.setdefault(block, {})[name] = value
        else:
            changes[block] = value
    return changes


def refuse_long(error: Exception) -> None:
    event("refused")
    if isinstance(error, ValidationError):
        assert all(len(fault["msg"]) < MAX_MESSAGE for fault in error.errors())
    else:
        assert str(error).isprintable()
        assert 0 < len(str(error)) <= MAX_MESSAGE


@MANY
@given(draw_changes(BLOCKS, most=2) | draw_changes(list_parameter_models(), most=2), st.booleans())
def test_parameters_of_forecast_are_refused_or_fitted(
    changes: dict[str, Any], trains: bool
) -> None:
    """Down to a training of one step, where memory is enough."""
    given_blocks = {"window": {"lookback": 5, "horizon": 2}, "training": {"max_steps": 1}}
    for block, values in changes.items():
        is_block = isinstance(values, dict) and isinstance(given_blocks.get(block, {}), dict)
        given_blocks[block] = {**given_blocks.get(block, {}), **values} if is_block else values
    try:
        spec = read_parameter_models(given_blocks)
        source = spec.source.model_copy(
            update={"name": "sine", "time": "ds", "target": "y", "id": None, "path": None}
        )
        table = read_source(source)
        recipe = spec.model_copy(update={"source": source})
        panel = prepare_panel(table, recipe)
        if (
            np.prod([panel.windows.lookback, panel.windows.horizon]) > 400
            or panel.windows.values.shape[1] > 30
        ):
            event("too large to be fitted here")
            return
        linear = fit_linear_models(panel.windows)
        for name in NETWORKS if trains and (spec.training.max_steps or 10**9) <= 10 else ():
            train_network(
                FittingData(panel.windows, linear),
                spec.networks[name],
                spec.training,
                TrainingPlan(BudgetSpec(max_seconds=1.0)),
            )
            event("trained")
    except RnnPipelinesError as error:
        refuse_long(error)
    else:
        event("read and fitted")


@pytest.fixture(scope="module")
def kinds(registered: dict[str, Pipeline]) -> dict[str, type[BaseModel]]:
    return TypeExtractor(registered).extract_types_from_pipelines()


@pytest.fixture(scope="module")
def written(context: KedroContext) -> dict[str, Any]:
    return dict(context.config_loader["parameters"])


@MANY
@given(st.data())
def test_parameters_of_every_pipeline_are_refused_or_taken(
    kinds: dict[str, type[BaseModel]], written: dict[str, Any], data: st.DataObject
) -> None:
    for key, changes in data.draw(draw_changes(kinds, most=3)).items():
        block = written
        for name in key.split("."):
            block = block[name]
        try:
            kinds[key].model_validate(
                {**block, **changes}
                if isinstance(changes, dict) and isinstance(block, dict)
                else changes
            )
        except ValidationError as error:
            event("refused")
            refuse_long(error)
        else:
            event("taken")


@settings(MANY, max_examples=max(5, NUM_SETS // 50))
@given(
    draw_changes(
        {
            name: kind
            for name, kind in list_parameter_models().items()
            if name not in ("source", "covariates")
        },
        most=1,
    )
)
def test_forecaster_with_odd_parameters_forecasts_or_refuses(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Small whole runs."""
    days = pd.date_range("2024-01-01", periods=60)
    frame = pd.DataFrame({"unique_id": "a", "ds": days, "y": np.sin(np.arange(60.0)) + 2})
    window = {"lookback": 5, "horizon": 2, **changes.pop("window", {})}
    training = {"max_steps": 2, **changes.pop("training", {})}
    if not isinstance(training["max_steps"], int) or training["max_steps"] > 100:
        training["max_steps"] = 2
    try:
        forecaster = Forecaster(window=window, training=training, **changes).fit(frame)
        forecasts = forecaster.predict()
    except RnnPipelinesError as error:
        refuse_long(error)
    else:
        event("forecast")
        assert np.isfinite(forecasts.select_dtypes("number").iloc[:, 0]).all()
