"""What moves a correction is told by the name of its input."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.networks.network import Network, size_members
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.internals.forecast.choice import ChosenForecasters, name_covariates
from rnn_pipelines.internals.forecast.traces import (
    CALENDAR,
    PADDING,
    SERIES,
    list_inputs,
    trace_forecasters,
)
from rnn_pipelines.internals.specs import SampleSpec
from rnn_pipelines.networks.members import initialize_members

NUM_DAYS, HORIZON, UNITS = 90, 2, 3
SPEC = CovariateSpec(future=("promo", "weather"), past=("visitors",), static=("region",))
SAMPLE = SampleSpec(windows=6, reviews=1, max_words=4, texts=("good",))
# A single series that is read at single steps, and a panel through an embedding, two steps at once.
DESIGNS = [{"num_series": 1}, {"num_series": 2, "segment": 2, "embedding": 5}]


def prepare(num_series: int) -> Any:
    rng, tables, days = np.random.default_rng(0), [], NUM_DAYS + HORIZON
    for number in range(num_series):
        y = np.where(np.arange(days) < NUM_DAYS, rng.normal(size=days), np.nan)
        columns = {"y": y, "promo": rng.integers(0, 2, days), "weather": rng.choice(["sun", "rain"], days)}
        columns |= {"visitors": y, "region": f"r{number}", "shop": f"s{number}"}
        tables.append(pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=days)} | columns))
    external, source = pd.concat(tables), SourceSpec(name="catalog", id="shop")
    window, split = WindowSpec(lookback=6, horizon=HORIZON), SplitSpec(validation=20, test=20)
    recipe = Recipe(source=source, covariates=SPEC, window=window, split=split)
    table, covariate_table = read_series(source, SPEC, external)
    return prepare_panel(table, recipe, covariate_table)


@pytest.fixture(params=DESIGNS, ids=str)
def case(request: pytest.FixtureRequest) -> SimpleNamespace:
    """Windows, and a network of two members on them."""
    segment, embedding = request.param.get("segment", 1), request.param.get("embedding", 0)
    found, calendar = prepare(request.param["num_series"]), () if embedding else (1,)
    panel, linear = found.windows, fit_linear_models(found.windows)
    shape = size_members(panel, "gru", UNITS, embedding, segment, calendar)
    weights = initialize_members(0, 2, shape)
    weights["head_kernel"] = np.random.default_rng(1).normal(size=weights["head_kernel"].shape).astype(np.float32)
    unseen = np.zeros((len(linear.validation), panel.horizon), np.float32)
    network = Network(weights, "gru", segment, np.array(calendar, np.int64), 0.5, unseen)
    names = name_covariates(panel, found.features)
    return SimpleNamespace(
        panel=panel, linear=linear, network=network, names=names, shape=shape, features=found.features
    )


def measure(case: SimpleNamespace, network: Network) -> dict[str, float]:
    chosen = ChosenForecasters({"gru": network}, case.linear, case.panel, covariates=case.names)
    return trace_forecasters(chosen, SAMPLE).networks["forecast_gru"]["moved_by"]


def test_every_value_that_is_read_has_the_name_of_its_input(case: SimpleNamespace) -> None:
    steps, known = list_inputs(case.panel, case.network, case.names)
    assert (len(steps), len(known)) == (case.shape.num_inputs, case.shape.num_static_inputs)


def test_inputs_are_series_calendar_and_columns_of_the_table(case: SimpleNamespace) -> None:
    steps, known = list_inputs(case.panel, case.network, case.names)
    static = {"region"} if case.panel.num_static else set()
    assert {*steps, *known} - {PADDING} == {SERIES, CALENDAR, "promo", "weather", "visitors"} | static


def test_all_inputs_move_what_reads_them(case: SimpleNamespace) -> None:
    moved = measure(case, case.network)
    assert min(moved.values()) > 0
    assert PADDING not in moved


def test_head_that_reads_promotions_alone_is_moved_by_nothing_else(case: SimpleNamespace) -> None:
    _, known = list_inputs(case.panel, case.network, case.names)
    is_promo = np.array([False] * UNITS + [name == "promo" for name in known])
    weights = case.network.weights
    head = (weights["head_kernel"] * is_promo[None, :, None]).astype(np.float32)
    moved = measure(case, replace(case.network, weights={**weights, "head_kernel": head}))
    assert {name for name, by in moved.items() if by > 0} == {"promo"}


def test_constant_that_every_window_has_moves_nothing(case: SimpleNamespace) -> None:
    values = case.panel.values.copy()
    values[:, case.panel.future_covariates.start] = 1.0
    # In whose frame covariates are not divided by the spread of the window.
    linear = replace(case.linear, kind="series")
    still = SimpleNamespace(**vars(case) | {"panel": replace(case.panel, values=values), "linear": linear})
    assert measure(still, case.network)["promo"] == pytest.approx(0, abs=1e-6)


def test_covariates_without_features_have_numbers(case: SimpleNamespace) -> None:
    assert name_covariates(case.panel, None)[:2] == ("covariate 1", "covariate 2")
