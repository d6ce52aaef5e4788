"""The models in use learn all rows; the evaluated models do not learn the test part."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fitted import combine
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear.models import LinearModel
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import FittingData, PanelModel
from rnn_pipelines.forecast.methods.networks.network import Network, size_members
from rnn_pipelines.forecast.methods.predictors import normalize_targets, normalize_windows
from rnn_pipelines.forecast.methods.refit import check_refit
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.networks.members import initialize_members

HORIZON = 3
LOOKBACK = 8
NUM_STEPS = 160


def draw(seed: int) -> list[float]:
    steps = np.arange(NUM_STEPS)
    return (
        20 + 3 * np.sin(2 * np.pi * steps / 7) + np.random.default_rng(seed).normal(size=NUM_STEPS)
    ).tolist()


@pytest.fixture(scope="module", params=["one", "many"])
def data(request: pytest.FixtureRequest, prepare: Callable[..., SimpleNamespace]) -> FittingData:
    values = draw(0) if request.param == "one" else {"a": draw(1), "b": draw(2)}
    window = WindowSpec(lookback=LOOKBACK, horizon=HORIZON)
    return prepare_fitting(prepare(values, window, SplitSpec(validation=25, test=30)).windows)


@pytest.fixture(scope="module")
def methods(data: FittingData) -> dict[str, Any]:
    return fit_all_methods(data, {})[0]


def test_refit_solves_the_chosen_ridge_on_all_windows_to_the_end_of_each_series(
    data: FittingData,
) -> None:
    ends = np.append(data.panel.series_starts[1:], len(data.panel.values)) - HORIZON
    assert (data.panel.refit[:, 1] + HORIZON - 1 == ends).all()
    assert len(data.panel.index("refit")) > sum(
        len(data.panel.index(part)) for part in ("train", "validation", "test")
    )
    # With one penalty of the list, whichever was chosen: the normal equations of the centred window hold.
    panel = data.panel
    linear = data.linear
    index = panel.index("refit")
    origins = index.origins(np.arange(len(index)))
    windows = normalize_windows(panel, linear.normalizer, origins)
    errors = (
        normalize_targets(panel, windows, origins)
        - windows.predictors @ linear.refit().select("ridge_level")[0]
    )
    products = windows.predictors[:, :LOOKBACK].T @ errors
    matrix = linear.refit().select("ridge_level")[0][:LOOKBACK]
    np.testing.assert_allclose(
        products, (products * matrix).sum() / (matrix**2).sum() * matrix, atol=1e-4
    )


def test_newest_values_change_the_models_in_use_alone(
    data: FittingData, methods: dict[str, Any]
) -> None:
    values = data.panel.values.copy()
    values[data.panel.test[-1, 1] : data.panel.test[-1, 1] + HORIZON - 1, 0] += 1.0
    changed: dict[str, Any] = fit_all_methods(
        prepare_fitting(replace(data.panel, values=values)), {}
    )[0]
    for name in ("ridge", "baseline_ensemble"):
        np.testing.assert_array_equal(changed[name].model.matrix, methods[name].model.matrix)
        assert not np.array_equal(changed[name].in_use.matrix, methods[name].in_use.matrix)


def test_newest_values_change_no_weight(data: FittingData, methods: dict[str, Any]) -> None:
    values = data.panel.values.copy()
    values[data.panel.test[-1, 1] : data.panel.test[-1, 1] + HORIZON - 1, 0] += 1.0
    changed: dict[str, Any] = fit_all_methods(
        prepare_fitting(replace(data.panel, values=values)), {}
    )[0]
    assert (
        changed[ENSEMBLE].model.weights
        == methods[ENSEMBLE].model.weights
        == changed[ENSEMBLE].in_use.weights
    )


def test_good_refit_is_kept(data: FittingData, methods: dict[str, Any]) -> None:
    assert check_refit(data, methods) == methods


def test_refit_without_a_test_part_is_kept(data: FittingData, methods: dict[str, Any]) -> None:
    without = replace(data, panel=replace(data.panel, test=data.panel.test[:0]))
    assert check_refit(without, methods) == methods


def test_spoilt_refit_without_a_test_part_is_dropped(
    data: FittingData, methods: dict[str, Any]
) -> None:
    without = replace(data, panel=replace(data.panel, test=data.panel.test[:0]))
    assert check_refit(without, spoil(methods, 200.0))[ENSEMBLE].refitted is None


def test_next_values_are_of_the_models_in_use(data: FittingData, methods: dict[str, Any]) -> None:
    """The test part is of the evaluated models."""
    found = forecast_methods(data.panel, data.linear, methods)
    for name in ("ridge", "theta", ENSEMBLE):
        for part, model in (("test", methods[name].model), ("future", methods[name].in_use)):
            index = data.panel.index(part)
            expected = PanelModel(data.linear.normalizer, model).forecast(
                data.panel, index.origins(np.arange(len(index)))
            )
            np.testing.assert_allclose(getattr(found[name], part), expected, rtol=1e-5, atol=1e-6)


def test_network_corrects_the_refitted_start(data: FittingData) -> None:
    embedding = 0 if data.linear.kind == "series" else 3
    weights = initialize_members(0, 2, size_members(data.panel, "gru", 3, embedding, 1, ()))
    none = np.zeros((len(data.linear.validation), HORIZON), np.float32)
    network = Network(weights, "gru", 1, np.zeros(0, np.int64), 0.5, none)
    found: Any = combine(data.panel, data.linear, {"gru": network}, {"gru": 1.0})
    start = found.in_use.models["gru"].start.matrix
    np.testing.assert_array_equal(start, data.linear.refit().combine())
    assert found.in_use.models["gru"].network is network
    assert not np.array_equal(start, found.model.models["gru"].start.matrix)


def spoil(methods: dict[str, Any], factor: float) -> dict[str, Any]:
    """With a refit of the ensemble whose forecasts are of another size."""
    matrix = factor * methods["baseline_ensemble"].in_use.matrix
    refitted = replace(
        methods[ENSEMBLE].in_use, weights={"ridge": 1.0}, models={"ridge": LinearModel(matrix)}
    )
    return methods | {ENSEMBLE: replace(methods[ENSEMBLE], refitted=refitted)}


@pytest.mark.parametrize("factor", [4.0, np.nan])
def test_refit_that_is_clearly_worse_is_not_used(
    data: FittingData, methods: dict[str, Any], factor: float
) -> None:
    found = check_refit(data, spoil(methods, factor))
    assert all(method.in_use is method.model for method in found.values())


@pytest.mark.parametrize("size", [120, 121, 122, 123])
def test_refit_on_as_few_windows_as_inputs_is_sane(
    prepare: Callable[..., SimpleNamespace], size: int
) -> None:
    """A weak penalty, chosen on fewer windows than inputs, made forecasts of noise reach twice its largest value."""
    values = (100 + 10 * np.random.default_rng(0).normal(size=size)).tolist()
    split = SplitSpec(validation=12, test=24)
    data = prepare_fitting(prepare(values, WindowSpec(lookback=56, horizon=7), split).windows)
    matrices = [data.linear.combine(fold) for fold in range(len(data.linear) + 1)]
    lengths = [
        float(np.linalg.norm(matrix[:56])) for matrix in (*matrices, data.linear.refit().combine())
    ]
    assert max(lengths[-2:]) < 2.5 * max(lengths[:-2])
