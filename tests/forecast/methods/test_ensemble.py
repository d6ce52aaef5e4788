"""The best combination weighs by errors that nobody had seen, and forecasts by its weights."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fitted import combine_model, find_all_errors, forecast_network, hold_out
from rnn_pipelines.forecast.methods.ensemble import fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.network import Network, make_network, size_members
from rnn_pipelines.forecast.methods.predictors import normalize_windows
from rnn_pipelines.forecast.methods.theta import forecast_theta
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowSpec
from rnn_pipelines.networks.members import initialize_members

Prepare = Callable[..., SimpleNamespace]
HORIZON = 3


def draw_weeks(size: int, seed: int = 0) -> list[float]:
    noise = np.random.default_rng(seed).normal(0, 1, size)
    return (20 + 3 * np.sin(2 * np.pi * np.arange(size) / 7) + noise).tolist()


@pytest.fixture(scope="module", params=["one", "many"])
def case(request: pytest.FixtureRequest, prepare: Prepare) -> SimpleNamespace:
    """A panel, its base, and the residuals of the baseline ensemble on the validation windows."""
    values = draw_weeks(160) if request.param == "one" else {"a": draw_weeks(120, 1), "b": draw_weeks(100, 2)}
    evaluation = EvaluationSpec(season_length=7)
    window, split = WindowSpec(lookback=14, horizon=HORIZON), SplitSpec(validation=25, test=20)
    panel = prepare(values, window, split, evaluation=evaluation).windows
    data = prepare_fitting(panel)
    linear = data.linear
    left = data.actual - hold_out(linear, data.windows.predictors)
    return SimpleNamespace(panel=panel, linear=linear, data=data, left=left)


def make_corrections(corrections: np.ndarray, shrinkage: float = 1.0) -> Network:
    """A network of which only the corrections matter."""
    return make_network(
        dict.fromkeys(("kernel", "recurrent_kernel", "bias", "head_kernel", "head_bias"), np.zeros((1, 1, 1))),
        "gru",
        1,
        np.zeros(0, np.int64),
        shrinkage,
        corrections.astype(np.float32),
    )


@pytest.fixture(scope="module")
def networks(case: SimpleNamespace) -> dict[str, Network]:
    """One that corrects a fifth of all errors, and one that corrects nothing."""
    return {"lstm": make_corrections(0.2 * case.left), "gru": make_corrections(0 * case.left)}


def test_weights_are_convex(case: SimpleNamespace, networks: dict[str, Network]) -> None:
    weights = list(fit_all_methods(case.data, networks)[1]["weights"].values())
    assert min(weights) >= 0
    assert sum(weights) == pytest.approx(1)


def test_weights_are_of_the_baseline_ensemble_theta_and_each_network(
    case: SimpleNamespace, networks: dict[str, Network]
) -> None:
    assert list(fit_all_methods(case.data, networks)[1]["weights"]) == [
        "baseline_ensemble",
        "theta",
        "lstm",
        "gru",
    ]


def test_errors_of_a_network_are_what_it_leaves_over_after_shrinkage(case: SimpleNamespace) -> None:
    found = find_all_errors(case.panel, case.linear, {"gru": make_corrections(case.left, shrinkage=0.25)})
    np.testing.assert_allclose(found["gru"], 0.75 * case.left, atol=1e-6)


def test_errors_of_the_mix_are_those_of_its_folds(case: SimpleNamespace) -> None:
    np.testing.assert_allclose(find_all_errors(case.panel, case.linear, {})["baseline_ensemble"], case.left)


def test_errors_of_theta_are_those_of_its_forecasts_at_each_origin(case: SimpleNamespace) -> None:
    expected = case.data.actual - case.data.windows.units.normalize(forecast_theta(case.panel, case.data.validation))
    np.testing.assert_allclose(find_all_errors(case.panel, case.linear, {})["theta"], expected)


def test_losses_are_the_mean_errors_of_each(case: SimpleNamespace, networks: dict[str, Network]) -> None:
    losses = fit_all_methods(case.data, networks)[1]["losses"]
    expected = np.abs(case.left) if case.linear.is_absolute else case.left**2
    assert losses["gru"] == pytest.approx(expected.mean())


def test_loss_of_the_best_is_that_of_the_combination(case: SimpleNamespace, networks: dict[str, Network]) -> None:
    best = fit_all_methods(case.data, networks)[1]
    errors = find_all_errors(case.panel, case.linear, networks)
    combined = sum(weight * errors[name] for name, weight in best["weights"].items())
    expected = np.abs(combined) if case.linear.is_absolute else combined**2
    assert best["losses"]["ensemble"] == pytest.approx(expected.mean())


def test_network_without_error_has_nearly_all_weight(case: SimpleNamespace) -> None:
    networks = {"lstm": make_corrections(case.left), "gru": make_corrections(0 * case.left)}
    assert fit_all_methods(case.data, networks)[1]["weights"]["lstm"] > 0.9


def test_theta_has_weight_where_season_and_level_grow_together(prepare: Prepare) -> None:
    """The mix is linear in the window; factors are not."""
    months = np.arange(120)
    shape = np.random.default_rng(0).normal(0, 0.4, 12)[months % 12]
    noise = np.random.default_rng(1).normal(0, 0.05, 120)
    values = 100 * np.exp(0.01 * months + shape + noise)
    window = WindowSpec(lookback=24, horizon=HORIZON)
    panel = prepare(values.tolist(), window, SplitSpec(validation=20, test=10), freq="MS").windows
    assert fit_all_methods(prepare_fitting(panel), {})[1]["weights"]["theta"] > 0.3


def test_mix_and_theta_have_half_the_weight_each_with_too_few_windows_for_validation(
    case: SimpleNamespace, networks: dict[str, Network]
) -> None:
    linear = replace(case.linear, is_enough=False)
    record = fit_all_methods(FittingData(case.panel, linear), networks)[1]
    assert record | {"seconds": 0.0} == {
        "weights": {"baseline_ensemble": 0.5, "theta": 0.5, "lstm": 0.0, "gru": 0.0},
        "losses": {"baseline_ensemble": None, "theta": None, "lstm": None, "gru": None, "ensemble": None},
        "seconds": 0.0,
    }


@pytest.mark.parametrize("part", ["test", "future"])
def test_combination_is_the_weighted_mean_in_the_frame(case: SimpleNamespace, part: str) -> None:
    weights, networks = {"baseline_ensemble": 0.3, "theta": 0.2, "lstm": 0.3, "gru": 0.2}, {}
    embedding = 0 if case.linear.kind == "series" else 3
    no_corrections = np.zeros((len(case.linear.validation), HORIZON), np.float32)
    for number, cell in enumerate(("lstm", "gru")):
        drawn = initialize_members(number, 2, size_members(case.panel, cell, 3, embedding, 1, ()))
        drawn["head_kernel"] += np.float32(0.1)
        networks[cell] = make_network(drawn, cell, 1, np.zeros(0, np.int64), 0.5, no_corrections)
    index = case.panel.index(part)
    origins = index.origins(np.arange(len(index)))
    units = normalize_windows(case.panel, case.linear.normalizer, origins).units
    said = {name: forecast_network(network, case.linear, case.panel) for name, network in networks.items()}
    said |= {name: forecast_simple_methods(case.data)[name] for name in ("baseline_ensemble", "theta")}
    normalized = {name: units.normalize(getattr(forecasts, part)) for name, forecasts in said.items()}
    found = combine_model(case.panel, case.linear, networks, weights).forecast(case.panel, origins)
    assert found.dtype == np.float32
    expected = units.denormalize(sum(weight * normalized[name] for name, weight in weights.items()))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
