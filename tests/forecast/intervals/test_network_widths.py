"""The widths of the pretrained network beside those of past errors, and quantiles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.intervals.network_widths import (
    MAX_SHARE,
    choose_network_share,
    find_network_of,
    measure_distances,
)
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED, forecast_network_quantiles
from rnn_pipelines.forecast.pretrained.network import LEVELS, MIDDLE

HORIZON = 7


def draw_days(seed: int = 0, size: int = 300) -> pd.DataFrame:
    steps = np.arange(size)
    noise = np.random.default_rng(seed).normal(size=size)
    return pd.DataFrame(
        {
            "ds": pd.date_range("2024-01-01", periods=size),
            "y": 10 + 3 * np.sin(2 * np.pi * steps / 7) + noise,
        }
    )


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(h=HORIZON, level=[80, 95], networks="pretrained").fit(draw_days())


def list_shares(forecaster: Forecaster) -> dict[str, float]:
    """The share of the network's widths in the bounds of each method."""
    methods = forecaster._require_training().intervals.methods
    return {name: errors.network_share for name, errors in methods.items()}


def test_distances_of_learnt_levels_are_those_of_the_network(fitted: Forecaster) -> None:
    panel = fitted._require_training().panel.windows
    network = find_network_of(fitted._artefacts[ENSEMBLE].model)
    assert network is not None
    origins = panel.list_origins("future")
    quantiles = forecast_network_quantiles(network, panel, origins)
    below, above = measure_distances(network, panel, origins, np.array([50, 80, 90]))
    for number, (low, high) in enumerate(((0.25, 0.75), (0.1, 0.9), (0.05, 0.95))):
        median = quantiles[:, :, MIDDLE]
        np.testing.assert_allclose(
            below[number], median - quantiles[:, :, LEVELS.index(low)], rtol=1e-5
        )
        np.testing.assert_allclose(
            above[number], quantiles[:, :, LEVELS.index(high)] - median, rtol=1e-5
        )
    inside, beyond = measure_distances(network, panel, origins, np.array([60, 99]))
    assert (inside[0] > 0).all()
    assert (beyond[1] > above[2]).all()


def test_widths_are_between_both_kinds(fitted: Forecaster) -> None:
    artefact = fitted._artefacts[ENSEMBLE]
    widths = {}
    assert artefact.intervals is not None
    for share in (0.0, 0.5, 1.0):
        methods = {
            name: replace(errors, network_share=share)
            for name, errors in artefact.intervals.methods.items()
        }
        changed = replace(artefact, intervals=replace(artefact.intervals, methods=methods))
        forecaster = Forecaster(h=HORIZON, networks="pretrained").fit(draw_days())
        forecaster._artefacts[ENSEMBLE] = changed
        table = forecaster.predict(level=[80])
        widths[share] = (table["ensemble-hi-80"] - table["ensemble-lo-80"]).to_numpy()
    np.testing.assert_allclose(widths[0.5], (widths[0.0] + widths[1.0]) / 2, rtol=1e-5)


def test_the_share_is_the_weight_of_the_network_up_to_a_half(fitted: Forecaster) -> None:
    of_fit = fitted._require_training()
    shares = list_shares(fitted)
    weight = of_fit.weights["weights"][PRETRAINED]
    assert shares[ENSEMBLE] in (0, 1, pytest.approx(min(MAX_SHARE, weight)))
    assert shares[PRETRAINED] in (0, 1, MAX_SHARE)


def test_methods_without_the_network_have_no_share_of_it(fitted: Forecaster) -> None:
    shares = list_shares(fitted)
    assert shares["theta"] == shares["ridge"] == 0
    assert shares[PRETRAINED] > 0
    without = Forecaster(h=HORIZON, networks="pretrained", pretrained=False).fit(draw_days())
    assert not any(list_shares(without).values())


@pytest.mark.parametrize(
    ("past", "own", "share"), [(1.0, 4.0, 0.0), (8.0, 1.0, 1.0), (1.0, 1.0, MAX_SHARE)]
)
def test_the_better_kind_of_widths_stands_alone_if_all_folds_agree(
    past: float, own: float, share: float
) -> None:
    """Errors have deviation 1, and sizes are wrong by a factor that changes from window to window."""
    random = np.random.default_rng(0)
    fold = np.repeat(np.arange(4), 100)
    errors = random.normal(size=(400, 3))
    size = past ** random.choice([-1.0, 1.0], (400, 1)) * np.ones(3)
    distances = np.full((2, 400, 3), 1.28 * own)
    assert choose_network_share(errors, size, distances, fold, MAX_SHARE) == share


def test_quantiles_ascend(fitted: Forecaster) -> None:
    wanted = np.arange(1, 10) / 10
    table = fitted.predict(quantiles=wanted)
    names = [f"ensemble-q-{10 * number}" for number in range(1, 10)]
    assert list(table) == ["unique_id", "ds", *names]
    assert (np.diff(table[names].to_numpy(), axis=1) >= 0).all()


def test_quantiles_are_the_bounds_of_intervals(fitted: Forecaster) -> None:
    wanted = np.arange(1, 10) / 10
    table = fitted.predict(quantiles=wanted)
    bounds = fitted.predict(level=[80])
    np.testing.assert_allclose(table["ensemble-q-50"], bounds["ensemble"])
    for name, bound in (("ensemble-q-10", "ensemble-lo-80"), ("ensemble-q-90", "ensemble-hi-80")):
        np.testing.assert_allclose(table[name], bounds[bound])


def test_quantiles_of_a_loaded_forecaster_are_those_of_the_fit(
    fitted: Forecaster, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model").predict(draw_days(), quantiles=[0.2, 0.9])
    pd.testing.assert_frame_equal(loaded, fitted.predict(quantiles=[0.2, 0.9]), rtol=1e-6)


@pytest.mark.parametrize("quantiles", [[], [0.0], [1.0], [0.1234], ["a"], [True]])
def test_quantiles_that_are_none_are_refused(fitted: Forecaster, quantiles: list[float]) -> None:
    with pytest.raises(ParameterError, match="quantiles"):
        fitted.predict(quantiles=quantiles)


def test_quantiles_beyond_the_levels_of_the_fit_are_wider(fitted: Forecaster) -> None:
    """A fit keeps the level of anomalies, 99."""
    shown = fitted.predict(quantiles=[0.975, 0.99])
    assert (shown["ensemble-q-99"] > shown["ensemble-q-97.5"]).all()


@pytest.mark.parametrize("others", [{"level": [80]}, {"paths": 3}])
def test_quantiles_stand_alone(fitted: Forecaster, others: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="quantiles: give them without"):
        fitted.predict(quantiles=[0.1], **others)


def test_paths_follow_the_widths(fitted: Forecaster) -> None:
    paths = fitted.predict(paths=4000)
    bounds = fitted.predict(level=[80])
    low, high = (paths.groupby("ds")["y"].quantile(one).to_numpy() for one in (0.1, 0.9))
    widths = (bounds["ensemble-hi-80"] - bounds["ensemble-lo-80"]).to_numpy()
    np.testing.assert_allclose(high - low, widths, rtol=0.15)
