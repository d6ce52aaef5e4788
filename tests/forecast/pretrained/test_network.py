"""Forecasts of a pretrained network: its start, its symmetries, its quantiles, and its files."""

import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.pretrained.files import CARD, PACKAGED, load_network
from rnn_pipelines.forecast.pretrained.network import (
    LEVELS,
    MIDDLE,
    PretrainedNetwork,
    find_spread,
    has_logarithm,
)
from rnn_pipelines.forecast.pretrained.reading import read_past
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.networks.specs import Seed

CELLS = ("gru", "lstm")
HORIZON = 6


@pytest.fixture(params=CELLS)
def network(request: pytest.FixtureRequest) -> PretrainedNetwork:
    return load_network(PretrainedSpec(network=request.param))


def draw(seed: Seed = 0, num_steps: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(5, num_steps)).cumsum(axis=1)


def test_quantiles_ascend(network: PretrainedNetwork) -> None:
    quantiles = network.forecast(draw(), 4, HORIZON)
    assert quantiles.shape == (5, HORIZON, len(LEVELS))
    assert (np.diff(quantiles, axis=2) > 0).all()


def test_forecasts_follow_the_zero_of_negative_values(network: PretrainedNetwork) -> None:
    values = draw() - 50
    np.testing.assert_allclose(
        network.extend(100 * values - 3, 4, HORIZON),
        100 * network.extend(values, 4, HORIZON) - 3,
        rtol=1e-3,
    )


def test_forecasts_follow_the_unit_of_positive_values(network: PretrainedNetwork) -> None:
    values = draw() + 50
    np.testing.assert_allclose(
        network.extend(7 * values, 4, HORIZON), 7 * network.extend(values, 4, HORIZON), rtol=1e-4
    )


def test_forecasts_follow_the_sign(network: PretrainedNetwork) -> None:
    values = draw()
    assert not has_logarithm(values).any()
    assert not has_logarithm(-values).any()
    np.testing.assert_allclose(
        network.extend(-values, 4, HORIZON), -network.extend(values, 4, HORIZON), atol=1e-9
    )


def test_forecasts_do_not_depend_on_other_series(network: PretrainedNetwork) -> None:
    values = draw()
    values[2, :30] = np.nan
    together = network.extend(values, 4, HORIZON)
    for number, own in enumerate(values):
        alone = network.extend(own[~np.isnan(own)][None], 4, HORIZON)
        np.testing.assert_allclose(alone[0], together[number], atol=1e-4)


def test_forecasts_continue_a_constant(network: PretrainedNetwork) -> None:
    np.testing.assert_allclose(network.extend(np.full((1, 30), 5.0), 4, HORIZON), 5.0, atol=0.05)


def test_forecasts_of_empty_weights_are_those_of_the_baseline(network: PretrainedNetwork) -> None:
    """The training starts there."""
    start = PretrainedNetwork(network.cell, {**network.head, "output_kernel": 0 * network.head["output_kernel"],
                                             "output_bias": 0 * network.head["output_bias"]})  # fmt: skip
    values = draw() - 50
    quantiles = start.forecast(values, 4, HORIZON)
    read = read_past(values, 4, HORIZON)
    base = read.base * read.unit[:, None] + read.zero[:, None]
    np.testing.assert_allclose(quantiles[:, :, MIDDLE], base, atol=1e-4)


def test_quantiles_of_empty_weights_are_normal(network: PretrainedNetwork) -> None:
    """The training starts there."""
    start = PretrainedNetwork(network.cell, {**network.head, "output_kernel": 0 * network.head["output_kernel"],
                                             "output_bias": 0 * network.head["output_bias"]})  # fmt: skip
    values = draw() - 50
    quantiles = start.forecast(values, 4, HORIZON)
    read = read_past(values, 4, HORIZON)
    base = read.base * read.unit[:, None] + read.zero[:, None]
    widths = (quantiles[:, :, -1] - base) / read.unit[:, None] / find_spread(HORIZON, 4)
    np.testing.assert_allclose(widths, 1.6448536, atol=1e-3)


def test_arrays_make_the_network_again(network: PretrainedNetwork) -> None:
    again = PretrainedNetwork.from_arrays(network.to_arrays())
    np.testing.assert_array_equal(
        again.extend(draw(), 4, HORIZON), network.extend(draw(), 4, HORIZON)
    )


def test_packaged_files_are_small() -> None:
    """So that a wheel with both stays small."""
    assert sum(path.stat().st_size for path in PACKAGED.iterdir()) < 500_000


def test_card_describes_both_networks() -> None:
    card = json.loads((PACKAGED / CARD).read_text())
    assert set(card["networks"]) == set(CELLS)
    assert card["training"]["num_steps"] > 0
    assert all(card["metrics"]["generated"][cell]["mae_ratio"] < 1 for cell in CELLS)


@pytest.mark.parametrize("cell", CELLS)
def test_card_has_the_hash_of_the_file(cell: str) -> None:
    card = json.loads((PACKAGED / CARD).read_text())
    content = (PACKAGED / f"pretrained_{cell}.npz").read_bytes()
    assert card["networks"][cell]["sha256"] == sha256(content).hexdigest()


def test_card_names_the_origin_of_the_networks() -> None:
    """The commit has the code of the training, and both files."""
    card = json.loads((PACKAGED / CARD).read_text())
    assert re.fullmatch(r"[0-9a-f]{40}", card["commit"])
    assert card["training"]["seed"] == 0


def test_changed_file_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PACKAGED, tmp_path / "own")
    path = tmp_path / "own/pretrained_gru.npz"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ParameterError, match="is not the file that"):
        load_network(PretrainedSpec(path=str(tmp_path / "own")))


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"pretrained\.path: .*kedro run --pipelines=pretrain"):
        load_network(PretrainedSpec(path=str(tmp_path / "none")))


def test_unreadable_card_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PACKAGED, tmp_path / "own")
    (tmp_path / "own" / CARD).write_text("[]")
    with pytest.raises(ParameterError, match=CARD):
        load_network(PretrainedSpec(path=str(tmp_path / "own")))
