"""Nodes of `forecast` that are not functions of the library."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.datasets import KerasModelDataset
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.methods.networks.network import Network
from rnn_pipelines.forecast.methods.training.specs import NetworkSpec
from rnn_pipelines.forecast.recipe import read_with_covariates
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import OpenWindowSpec
from rnn_pipelines.networks.members import MemberShape, initialize_members
from rnn_pipelines.pipelines.forecast.nodes import export_network

DAYS = pd.date_range("2024-01-01", periods=50)
KNOWN = 36


def read(by: str = "0 D", horizon: int | None = None, num_rows: int = len(DAYS)) -> pd.DataFrame:
    """A series whose prices go on for 14 days, at other times."""
    rows = pd.DataFrame({"ds": DAYS, "y": 1.0, "price": 2.0})
    rows.loc[KNOWN:, "y"] = None
    rows.loc[KNOWN:, "ds"] += pd.Timedelta(by)
    source = SourceSpec(name="catalog")
    window = OpenWindowSpec(horizon=horizon)
    return read_with_covariates(source, CovariateSpec(future=["price"]), window, rows[:num_rows])[1]


@pytest.mark.parametrize("horizon", [3, None])
def test_a_horizon_of_covariates_is_read(horizon: int | None) -> None:
    assert len(read(horizon=horizon)) == len(DAYS)


@pytest.mark.parametrize("horizon", [3, None])
@pytest.mark.parametrize("by", ["1 D", "12 h"])
def test_nothing_begins_where_rows_ahead_have_other_times(by: str, horizon: int | None) -> None:
    """There were rows enough, and no forecast."""
    with pytest.raises(SeriesError, match=r"'y' lacks \d+ of \d+ steps, the first at 2024-02-06"):
        read(by, horizon)


def test_a_table_without_rows_is_told_by_the_check_of_the_series() -> None:
    assert read(num_rows=0).empty


WEIGHTS = initialize_members(0, 2, MemberShape("gru", 2, 0, (3, 2), 0, 4))
NETWORK = Network(WEIGHTS, "gru", 1, np.zeros(0, np.int64), 0.5, np.zeros((0, 4), np.float32))


def export(folder: Path, save_keras: bool) -> KerasModelDataset:
    """Save what a trained network is exported as."""
    trained: Any = {"num_steps": 25}
    dataset = KerasModelDataset(filepath=str(folder / "gru.keras"))
    dataset.save(export_network(NETWORK, NetworkSpec(cell="gru", save_keras=save_keras), trained))
    return dataset


def test_network_is_not_exported_by_default(tmp_path: Path) -> None:
    assert not NetworkSpec(cell="gru").save_keras
    export(tmp_path, False)
    assert not (tmp_path / "gru.keras").exists()


def test_exported_network_has_the_weights_of_its_members(tmp_path: Path) -> None:
    dataset = export(tmp_path, True)
    for name, array in NETWORK.from_keras(dataset.load()).weights.items():
        np.testing.assert_array_equal(array, WEIGHTS[name])


def test_preview_of_an_exported_network_lists_its_members(tmp_path: Path) -> None:
    assert ["member_2", "Functional", ""] in export(tmp_path, True).preview()["data"]


def test_an_earlier_export_is_removed(tmp_path: Path) -> None:
    export(tmp_path, True)
    export(tmp_path, False)
    assert not (tmp_path / "gru.keras").exists()


def test_an_untrained_network_is_not_exported() -> None:
    untrained: Any = {"num_steps": 0}
    assert export_network(NETWORK, NetworkSpec(cell="gru", save_keras=True), untrained) == {}
