"""The ensemble: weights from out-of-fold errors, and forecasts in the unit of the series."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from fitted import combine, find_all_errors, forecast_network, hold_out
from rnn_pipelines.forecast.methods.ensemble import (
    NUM_UNSURE,
    fit_all_methods,
    make_ensemble,
    weigh_by_errors,
    weigh_by_past,
    weigh_far_ahead,
)
from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models, prepare_fitting
from rnn_pipelines.forecast.methods.local.method import LocalModel, forecast_locally
from rnn_pipelines.forecast.methods.local.short_series_rule import SHORT_SERIES_RULE
from rnn_pipelines.forecast.methods.local.theta import extend_by_theta
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel
from rnn_pipelines.forecast.methods.networks.network import Network, size_members
from rnn_pipelines.forecast.methods.past import measure_seasonal_change
from rnn_pipelines.forecast.methods.predictors import normalize_targets, normalize_windows
from rnn_pipelines.forecast.methods.registry import fit_methods
from rnn_pipelines.forecast.methods.weights import find_weights
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, WindowSpec, number_series
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.networks.members import initialize_members

Prepare = Callable[..., SimpleNamespace]
HORIZON = 3


def draw_weeks(size: int, seed: int = 0) -> list[float]:
    noise = np.random.default_rng(seed).normal(0, 1, size)
    return (20 + 3 * np.sin(2 * np.pi * np.arange(size) / 7) + noise).tolist()


@pytest.fixture(scope="module", params=["one", "many"])
def case(request: pytest.FixtureRequest, prepare: Prepare) -> SimpleNamespace:
    """A panel, its linear models, and the out-of-fold errors of the baseline ensemble, normalised."""
    values = (
        draw_weeks(160)
        if request.param == "one"
        else {"a": draw_weeks(120, 1), "b": draw_weeks(100, 2)}
    )
    evaluation = EvaluationSpec(season_length=7)
    window = WindowSpec(lookback=14, horizon=HORIZON)
    split = SplitSpec(validation=25, test=20)
    panel = prepare(values, window, split, evaluation=evaluation).windows
    linear = fit_linear_models(panel)
    windows = normalize_windows(panel, linear.normalizer, linear.validation)
    forecasts = hold_out(linear, windows.predictors)
    left = normalize_targets(panel, windows, linear.validation) - forecasts
    return SimpleNamespace(
        panel=panel, linear=linear, left=left, units=windows.units, forecasts=forecasts
    )


def find_scaled(case: SimpleNamespace, part: float) -> np.ndarray:
    """Errors of a network that corrects a part of all errors, scaled."""
    actual = case.panel.values[case.linear.validation[:, None] + np.arange(HORIZON), 0]
    return actual - case.units.denormalize(case.forecasts + part * case.left)


def measure(case: SimpleNamespace, errors: np.ndarray) -> float:
    changes = measure_seasonal_change(case.panel)[
        number_series(case.panel.series_starts, case.linear.validation)
    ]
    return float(((errors / changes[:, None]) ** 2).mean())


def make_unseen(corrections: np.ndarray, shrinkage: float = 1.0) -> Network:
    """A network of which only the corrections matter."""
    return Network(
        dict.fromkeys(
            ("kernel", "recurrent_kernel", "bias", "head_kernel", "head_bias"), np.zeros((1, 1, 1))
        ),
        "gru",
        1,
        np.zeros(0, np.int64),
        shrinkage,
        corrections.astype(np.float32),
    )


@pytest.fixture(scope="module")
def networks(case: SimpleNamespace) -> dict[str, Network]:
    """One that corrects a fifth of all errors, and one that corrects nothing."""
    return {"lstm": make_unseen(0.2 * case.left), "gru": make_unseen(0 * case.left)}


@pytest.fixture(scope="module")
def record(case: SimpleNamespace, networks: dict[str, Network]) -> dict[str, Any]:
    return fit_all_methods(FittingData(case.panel, case.linear), networks)[1]


def test_weights_are_convex(record: dict[str, Any]) -> None:
    weights = list(record["weights"].values())
    assert min(weights) >= 0
    assert sum(weights) == pytest.approx(1)


def test_weights_are_of_these_methods(record: dict[str, Any]) -> None:
    assert list(record["weights"]) == [
        "baseline_ensemble",
        "theta",
        "damped_trend",
        "holt_winters",
        "lstm",
        "gru",
        "pretrained",
    ]


def test_loss_of_a_network_is_that_of_its_errors(
    record: dict[str, Any], case: SimpleNamespace
) -> None:
    expected = measure(case, find_scaled(case, 0.2))
    assert record["losses"]["lstm"] == pytest.approx(expected, rel=1e-4)


def test_loss_of_the_ensemble_is_that_of_the_weighted_errors(
    record: dict[str, Any], case: SimpleNamespace, networks: dict[str, Network]
) -> None:
    errors = find_all_errors(case.panel, case.linear, networks)
    combined = sum(weight * errors[name] for name, weight in record["weights"].items())
    assert record["losses"]["ensemble"] == pytest.approx(measure(case, combined))


def test_a_network_that_adds_nothing_has_no_weight(case: SimpleNamespace) -> None:
    networks = {
        "lstm": make_unseen(0.2 * case.left),
        "gru": make_unseen(0.2 * case.left, shrinkage=0.0),
    }
    assert fit_all_methods(FittingData(case.panel, case.linear), networks)[1]["weights"]["gru"] == 0


def test_a_network_without_error_has_nearly_all_weight(case: SimpleNamespace) -> None:
    networks = {"lstm": make_unseen(case.left), "gru": make_unseen(0 * case.left)}
    # Two short series have few independent windows.
    share = min(1.0, case.linear.num_independent / NUM_UNSURE - 1)
    weights = fit_all_methods(FittingData(case.panel, case.linear), networks)[1]["weights"]
    assert weights["lstm"] > 0.9 * share > 0


def test_errors_of_a_network_are_those_of_the_shrunk_correction(case: SimpleNamespace) -> None:
    errors = find_all_errors(
        case.panel, case.linear, {"gru": make_unseen(case.left, shrinkage=0.25)}
    )
    np.testing.assert_allclose(errors["gru"], find_scaled(case, 0.25), atol=1e-5)


def test_errors_of_the_baseline_ensemble_are_those_of_the_folds(case: SimpleNamespace) -> None:
    of_folds = find_all_errors(case.panel, case.linear, {})["baseline_ensemble"]
    np.testing.assert_allclose(of_folds, find_scaled(case, 0), atol=1e-6)


def test_errors_of_theta_are_those_of_each_origin(case: SimpleNamespace) -> None:
    linear = case.linear
    panel = case.panel
    actual = panel.values[linear.validation[:, None] + np.arange(HORIZON), 0]
    expected = actual - forecast_locally(panel, linear.validation, extend_by_theta)
    np.testing.assert_allclose(find_all_errors(panel, linear, {})["theta"], expected)


def test_both_are_the_ensembles_of_each_target(
    case: SimpleNamespace, networks: dict[str, Network]
) -> None:
    fitted = {
        target: fit_all_methods(
            FittingData(case.panel, replace(case.linear, target=target)), networks
        )
        for target in ("mean", "median", "both")
    }
    both, record = fitted["both"]
    assert record["weights"] == fitted["mean"][1]["weights"]
    for name, target in (("ensemble", "mean"), ("ensemble_median", "median")):
        np.testing.assert_array_equal(
            both[name].out_of_fold, fitted[target][0]["ensemble"].out_of_fold
        )
    assert [name for name in fitted["median"][0] if name.startswith("ensemble")] == ["ensemble"]


def test_the_median_has_the_least_absolute_error(
    case: SimpleNamespace, networks: dict[str, Network]
) -> None:
    found = {}
    for target in ("mean", "median"):
        data = FittingData(case.panel, replace(case.linear, target=target))
        weights = fit_all_methods(data, networks)[1]["weights"]
        errors = find_all_errors(case.panel, case.linear, networks)
        found[target] = sum(weight * errors[name] for name, weight in weights.items())
    changes = measure_seasonal_change(case.panel)[
        number_series(case.panel.series_starts, case.linear.validation)
    ][:, None]
    absolute, squared = (
        {name: measured(one / changes).mean() for name, one in found.items()}
        for measured in (np.abs, np.square)
    )
    assert absolute["median"] <= 1.05 * absolute["mean"]
    assert squared["mean"] <= 1.05 * squared["median"]


def test_local_methods_have_weight_if_the_season_grows_with_the_level(prepare: Prepare) -> None:
    """The linear models are sums; a season of factors is a product."""
    months = np.arange(120)
    shape = np.random.default_rng(0).normal(0, 0.4, 12)[months % 12]
    noise = np.random.default_rng(1).normal(0, 0.05, 120)
    values = 100 * np.exp(0.01 * months + shape + noise)
    window = WindowSpec(lookback=24, horizon=HORIZON)
    panel = prepare(values.tolist(), window, SplitSpec(validation=20, test=10), freq="MS").windows
    weights = fit_all_methods(prepare_fitting(panel), {})[1]["weights"]
    multiplicative = ("theta", "damped_trend", "holt_winters", "pretrained")
    assert sum(weights[name] for name in multiplicative) > 0.6


def test_with_too_few_windows_for_validation_the_rule_for_short_series_forecasts(
    case: SimpleNamespace, networks: dict[str, Network]
) -> None:
    linear = replace(case.linear, is_enough=False)
    record = fit_all_methods(FittingData(case.panel, linear), networks)[1]
    used = {name: weight for name, weight in record["weights"].items() if weight}
    if len(case.panel.series_starts) == 1:
        # The past counts; see the tests of `weigh_by_past`.
        assert used.keys() == {
            "theta",
            "damped_trend",
            "holt_winters",
            SHORT_SERIES_RULE,
            "pretrained",
        }
    else:
        assert used == {"baseline_ensemble": 0.25, SHORT_SERIES_RULE: 0.25, "pretrained": 0.5}
    assert set(record["losses"].values()) == {None}


@pytest.mark.parametrize("part", ["test", "future"])
def test_the_ensemble_is_the_weighted_mean_in_the_unit_of_the_series(
    case: SimpleNamespace, part: str
) -> None:
    weights = {"baseline_ensemble": 0.3, "theta": 0.2, "lstm": 0.3, "gru": 0.2}
    networks = {}
    embedding = 0 if case.linear.kind == "series" else 3
    no_corrections = np.zeros((len(case.linear.validation), HORIZON), np.float32)
    for number, cell in enumerate(("lstm", "gru")):
        drawn = initialize_members(number, 2, size_members(case.panel, cell, 3, embedding, 1, ()))
        drawn["head_kernel"] += np.float32(0.1)
        networks[cell] = Network(drawn, cell, 1, np.zeros(0, np.int64), 0.5, no_corrections)
    index = case.panel.index(part)
    origins = index.origins(np.arange(len(index)))
    forecasts = {
        name: forecast_network(network, case.linear, case.panel)
        for name, network in networks.items()
    }
    forecasts |= {
        name: forecast_simple_methods(FittingData(case.panel, case.linear))[name]
        for name in ("baseline_ensemble", "theta")
    }
    ensemble = combine(case.panel, case.linear, networks, weights)
    model = ensemble.model if part == "test" else ensemble.in_use
    found = PanelModel(case.linear.normalizer, model).forecast(case.panel, origins)
    assert found.dtype == np.float32
    expected = sum(weight * getattr(forecasts[name], part) for name, weight in weights.items())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def young(prepare: Prepare) -> SimpleNamespace:
    """A panel with series of 120, 15 and 4 values, of which the last two are young."""
    values = {
        "a": draw_weeks(120, 1),
        "b": draw_weeks(110, 2),
        "c": draw_weeks(15, 3),
        "d": draw_weeks(4, 4),
    }
    window = WindowSpec(lookback=14, horizon=HORIZON)
    panel = prepare(
        values,
        window,
        SplitSpec(validation=25, test=20),
        evaluation=EvaluationSpec(season_length=7),
    ).windows
    linear = fit_linear_models(panel)
    origins = panel.index("future").origins(np.arange(4))
    return SimpleNamespace(panel=panel, linear=linear, origins=origins)


@pytest.mark.parametrize(
    "weights", [{"baseline_ensemble": 0.4, "theta": 0.6}, {"theta": 1.0}], ids=["both", "local"]
)
def test_series_with_few_values_have_no_local_methods(
    young: SimpleNamespace, weights: dict[str, float]
) -> None:
    data = FittingData(young.panel, young.linear)
    fitted = fit_methods(data)
    model = make_ensemble(data, fitted, weights).model
    windows = normalize_windows(young.panel, young.linear.normalizer, young.origins)
    forecast, theta, simple = (
        one.forecast(young.panel, windows, young.origins)
        for one in (model, fitted["theta"].model, fitted["baseline_ensemble"].model)
    )
    share = weights["theta"]
    np.testing.assert_allclose(forecast[:2], share * theta[:2] + (1 - share) * simple[:2])
    np.testing.assert_allclose(forecast[2:], simple[2:])
    for number, origin in enumerate(young.origins):
        own = np.array([origin])
        parts = model.contribute(young.panel, windows.select(np.array([number])), own)
        whole = (
            parts.values.sum(axis=0)
            + parts.covariates.sum(axis=0)
            + parts.calendar
            + parts.baseline
        )
        np.testing.assert_allclose(whole + sum(parts.whole.values()), forecast[number], rtol=1e-6)


def test_methods_are_fitted_by_one_thread(
    case: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []

    def count_threads(data: FittingData) -> dict[str, FittedMethod]:
        counts.extend(
            library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
        )
        return {}

    monkeypatch.setattr("rnn_pipelines.forecast.methods.ensemble.fit_trained_before", count_threads)
    with threadpool_limits(2, user_api="blas"):
        fit_all_methods(FittingData(case.panel, case.linear), {})
    assert set(counts) == {1}


@pytest.mark.parametrize(
    ("num_independent", "share"), [(5.0, 0.0), (10.0, 0.0), (15.0, 0.5), (20.0, 1.0), (99.0, 1.0)]
)
def test_trained_networks_have_weight_by_the_number_of_independent_windows(
    num_independent: float, share: float
) -> None:
    rng = np.random.default_rng(0)
    errors = {
        name: size * rng.normal(size=500) for name, size in (("theta", 3), ("lstm", 1), ("gru", 1))
    }
    weights = weigh_by_errors(errors, num_independent, "squared")
    full = dict(
        zip(errors, find_weights(np.stack(list(errors.values())), num_independent), strict=True)
    )
    assert weights["lstm"] == pytest.approx(share * full["lstm"])
    assert weights["gru"] == pytest.approx(share * full["gru"])
    assert sum(weights.values()) == pytest.approx(1)


def make_local(name: str, error: float) -> FittedMethod:
    """A method that repeats the newest season, with an error."""
    model = LocalModel(
        name,
        lambda past, season, horizon: past[:, -season:][:, np.arange(horizon) % season] + error,
    )
    return FittedMethod(model, np.zeros((0, HORIZON)))


def weigh_past(prepare: Prepare, values: list[float]) -> dict[str, float]:
    window = WindowSpec(lookback=14, horizon=HORIZON)
    split = SplitSpec(validation=HORIZON, test=HORIZON)
    panel = prepare(values, window, split, evaluation=EvaluationSpec(season_length=7)).windows
    fitted = {
        name: make_local(name, error) for name, error in ((SHORT_SERIES_RULE, 5.0), ("theta", 0.01))
    }
    return weigh_by_past(prepare_fitting(panel), fitted, {SHORT_SERIES_RULE: 1.0}, "squared")


def test_a_far_better_local_method_wins_with_two_seasons_after_two_others(prepare: Prepare) -> None:
    assert weigh_past(prepare, draw_weeks(4 * 7 + HORIZON))["theta"] > 0.9
    assert weigh_past(prepare, draw_weeks(4 * 7 + HORIZON - 1)) == {SHORT_SERIES_RULE: 1.0}


def test_weights_of_few_values_read_no_test_part(prepare: Prepare) -> None:
    values = draw_weeks(40)
    changed = values[:-HORIZON] + [1e3] * HORIZON
    assert weigh_past(prepare, values) == pytest.approx(weigh_past(prepare, changed))


def make_shape(horizon: int, num_independent: float) -> FittingData:
    panel = SimpleNamespace(season_length=7, horizon=horizon, series_starts=np.zeros(2))
    return cast(
        FittingData,
        SimpleNamespace(panel=panel, linear=SimpleNamespace(num_independent=num_independent)),
    )


def test_weights_far_ahead_are_drawn_to_half_of_the_pretrained_network() -> None:
    weights = {"theta": 0.6, "lstm": 0.2, "pretrained": 0.2}
    assert weigh_far_ahead(make_shape(14, 20.0), weights) == weights
    drawn = weigh_far_ahead(make_shape(15, 20.0), weights)
    assert drawn == pytest.approx({"theta": 0.65 * 0.75, "lstm": 0.65 * 0.25, "pretrained": 0.35})
    assert weigh_far_ahead(make_shape(15, 2e9), weights) == pytest.approx(weights)


@pytest.mark.parametrize("weights", [{"theta": 1.0}, {"theta": 0.0, "pretrained": 1.0}])
def test_weights_far_ahead_need_the_pretrained_network_beside_another_method(
    weights: dict[str, float],
) -> None:
    assert weigh_far_ahead(make_shape(15, 20.0), weights) == weights
