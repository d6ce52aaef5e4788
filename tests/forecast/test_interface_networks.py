"""A network that was trained further with Keras takes its place in a fitted `Forecaster`."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import NetworkError, ParameterError
from rnn_pipelines.forecast.methods.networks.network import Network

SMALL = {
    "lstm": {"units": [3, 2], "members": 2},
    "gru": {"units": 3},
    "training": {"max_steps": 50},
}
# The LSTM learns enough for a weight.
LARGE = {
    "lstm": {"units": [8, 2], "members": 2},
    "gru": {"units": 1},
    "training": {"max_steps": 400},
}


@pytest.fixture(scope="module")
def frame(make_table: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Two series of days."""
    return make_table({"a": draw_map(300, seed=1), "b": draw_map(290, seed=2)}).reset_index(
        drop=True
    )


def draw_map(size: int, seed: int) -> list[float]:
    """A logistic map with noise, which only networks learn."""
    random = np.random.default_rng(seed)
    values = [0.3]
    for _ in range(size - 1):
        after = 3.7 * values[-1] * (1 - values[-1])
        values.append(float(np.clip(after + 0.01 * random.normal(), 0.01, 0.99)))
    return [10 + 5 * value for value in values]


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Forecaster:
    """In whose ensemble the LSTM has a weight."""
    forecaster = Forecaster(h=3, level=[80], lookback=8, split={"test": 20}, **LARGE).fit(frame)
    assert forecaster._require_training().weights["weights"]["lstm"] > 0.01
    return forecaster


@pytest.fixture(scope="module")
def tuned(fitted: Forecaster) -> Forecaster:
    """After a few steps of Keras on the windows of the fit."""
    network = fitted.networks["lstm"]
    model = network.to_keras()
    model.compile("adam", "mse")
    model.optimizer.learning_rate = 0.01
    inputs, targets = fitted.network_windows("lstm")
    before = model.evaluate(inputs, targets, verbose=0)
    model.fit(inputs, targets, epochs=3, shuffle=False, verbose=0)
    assert model.evaluate(inputs, targets, verbose=0) < before
    return fitted.replace_network("lstm", network.from_keras(model))


@pytest.mark.parametrize("start", ["baseline_ensemble", "none"])
@pytest.mark.parametrize("is_panel", [False, True])
def test_windows_have_the_shapes_of_the_keras_model(
    frame: pd.DataFrame, is_panel: bool, start: str
) -> None:
    training = {"max_steps": 25, "start": start}
    own = frame if is_panel else frame[frame["unique_id"] == "a"]
    forecaster = Forecaster(h=3, lookback=8, **{**SMALL, "training": training}).fit(own)
    inputs, targets = forecaster.network_windows("lstm")
    model = forecaster.networks["lstm"].to_keras()
    assert {name: one.shape[1:] for name, one in model.input.items()}.keys() == inputs.keys()
    assert model(inputs).shape == targets.shape
    if not is_panel:
        # A window at each step up to the test part, without the two whose targets lie in training and validation.
        num_past = (own["ds"] <= forecaster.holdout()["cutoff"].min()).sum()
        assert len(targets) == num_past - 8 - 3 + 1 - 2


def test_unchanged_weights_forecast_the_same(fitted: Forecaster) -> None:
    network = fitted.networks["lstm"]
    again = fitted.replace_network("lstm", network.from_keras(network.to_keras()))
    pd.testing.assert_frame_equal(again.predict(methods="all"), fitted.predict(methods="all"))


def test_network_of_another_cell_is_refused(fitted: Forecaster) -> None:
    with pytest.raises(ParameterError, match="gru"):
        fitted.replace_network("lstm", fitted.networks["gru"])


def test_keras_model_is_refused(fitted: Forecaster) -> None:
    with pytest.raises(ParameterError, match="from_keras"):
        fitted.replace_network("lstm", fitted.networks["lstm"].to_keras())


def test_member_of_a_keras_model_is_refused(fitted: Forecaster) -> None:
    network = fitted.networks["lstm"]
    with pytest.raises(NetworkError, match="member_1"):
        network.from_keras(network.to_keras().get_layer("member_1"))


def test_the_changed_network_changes_its_forecasts_with_the_ensemble(
    fitted: Forecaster, tuned: Forecaster
) -> None:
    changed, before = (model.predict(methods="all") for model in (tuned, fitted))
    different = {
        name
        for name in before.columns[2:]
        if not np.allclose(changed[name], before[name], rtol=1e-9)
    }
    columns = ("lstm", "ensemble")
    assert different == {
        *columns,
        *(f"{name}-{end}-80" for name in columns for end in ("lo", "hi")),
    }


def test_the_changed_network_leaves_the_first_one_as_it_is(
    fitted: Forecaster, tuned: Forecaster
) -> None:
    biases = [one.networks["lstm"].weights["head_bias"] for one in (tuned, fitted)]
    assert not np.array_equal(*biases)


def test_the_changed_network_is_explained(tuned: Forecaster) -> None:
    np.testing.assert_allclose(
        tuned.explain(forecaster="lstm").groupby(["unique_id", "ds"])["contribution"].sum(),
        tuned.predict(methods="all")["lstm"],
        rtol=5e-3,  # integrated gradients of a network that is far from linear
    )


def test_the_changed_network_keeps_the_errors_of_the_fit(
    fitted: Forecaster, tuned: Forecaster
) -> None:
    seconds = ["fit_seconds", "prediction_seconds"]
    pd.testing.assert_frame_equal(
        tuned.leaderboard().drop(columns=seconds), fitted.leaderboard().drop(columns=seconds)
    )
    pd.testing.assert_frame_equal(tuned.holdout(), fitted.holdout())


def test_the_changed_network_keeps_the_widths_of_the_fit(
    fitted: Forecaster, tuned: Forecaster
) -> None:
    changed, before = (model.predict() for model in (tuned, fitted))
    for end in ("lo", "hi"):
        column = f"ensemble-{end}-80"
        # The expected size of an error depends on the forecast, too.
        np.testing.assert_allclose(
            changed[column] - changed["ensemble"], before[column] - before["ensemble"], rtol=5e-3
        )


def test_summary_notes_the_changed_network(fitted: Forecaster, tuned: Forecaster) -> None:
    assert "lstm" in tuned.summary().splitlines()[-1]
    assert len(tuned.summary().splitlines()) == len(fitted.summary().splitlines()) + 2


def test_saved_forecasters_have_the_changed_network(
    tuned: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    tuned.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    columns = ["ensemble", "ensemble-lo-80", "ensemble-hi-80"]
    np.testing.assert_allclose(loaded.predict(frame)[columns], tuned.predict()[columns], rtol=1e-6)
    with pytest.raises(ParameterError):
        loaded.replace_network("lstm", tuned.networks["lstm"])
    tuned.export(tmp_path / "exported")
    frame.to_csv(tmp_path / "data.csv", index=False)
    command = [sys.executable, str(tmp_path / "exported/forecaster.py"), str(tmp_path / "data.csv")]
    answer = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, env={})
    (tmp_path / "out.csv").write_bytes(answer.stdout)
    found = pd.read_csv(tmp_path / "out.csv")
    np.testing.assert_allclose(found["ensemble"], tuned.predict()["ensemble"], rtol=1e-6)


@pytest.mark.parametrize("name", ["ridge", "LSTM", ["lstm"]])
def test_an_unknown_network_is_an_error(fitted: Forecaster, name: Any) -> None:
    for use in (
        lambda: fitted.network_windows(name),
        lambda: fitted.replace_network(name, fitted.networks["gru"]),
    ):
        with pytest.raises(ParameterError, match=r"\['gru', 'lstm'\]"):
            use()


def _widen(network: Network) -> dict[str, np.ndarray]:
    return network.weights | {"head_bias": np.zeros((2, 1, 4), np.float32)}


def _break(network: Network) -> dict[str, np.ndarray]:
    return network.weights | {"head_bias": np.full_like(network.weights["head_bias"], np.nan)}


@pytest.mark.parametrize("change", [_widen, _break])
def test_unusable_weights_are_refused(fitted: Forecaster, change: Any) -> None:
    network = fitted.networks["lstm"]
    with pytest.raises(ParameterError, match="head_bias"):
        fitted.replace_network("lstm", replace(network, weights=change(network)))


@pytest.mark.parametrize("shrinkage", [np.nan, 0.0, 1.5])
def test_another_shrinkage_is_an_error(fitted: Forecaster, shrinkage: float) -> None:
    with pytest.raises(ParameterError, match="shrinkage"):
        fitted.replace_network("lstm", replace(fitted.networks["lstm"], shrinkage=shrinkage))


def test_a_network_of_another_lookback_is_an_error(fitted: Forecaster, frame: pd.DataFrame) -> None:
    other = (
        Forecaster(h=3, level=[80], lookback=9, split={"test": 20}, **LARGE)
        .fit(frame)
        .networks["lstm"]
    )
    own = fitted.networks["lstm"]
    shapes = [
        {name: array.shape for name, array in network.weights.items()} for network in (own, other)
    ]
    assert shapes[0] == shapes[1]
    with pytest.raises(ParameterError):
        fitted.replace_network("lstm", replace(other, shrinkage=own.shrinkage))


def test_network_that_was_not_trained_has_no_windows(frame: pd.DataFrame) -> None:
    forecaster = Forecaster(h=3, lookback=8, **SMALL).fit(frame.iloc[:12])
    assert forecaster.networks == {}
    with pytest.raises(ParameterError, match="no network was trained"):
        forecaster.network_windows("lstm")
