"""Boosted trees: inputs that never see the future, NumPy's prediction, and the method in the ensemble and its files."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.export.files import PROGRAM
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.methods.trees import (
    MIN_WINDOWS,
    TREES,
    TreesModel,
    gather_tree_inputs,
    lay_out_trees,
)

PARTS = {
    "h": 7,
    "split": {"validation": 30, "test": 30},
    "lstm": {"units": 2},
    "gru": {"units": 2},
    "training": {"max_steps": 1},
}


def make_sales(num_series: int = 4, num_days: int = 300) -> pd.DataFrame:
    """Daily sales that a promotion raises by half, but only at weekends; the promotion is known for 7 more days."""
    rng = np.random.default_rng(0)
    days = np.arange(num_days + 7)
    tables = []
    for number in range(num_series):
        promo = (rng.random(len(days)) < 0.3).astype(float)
        sales = 50 * (number + 1) * (1 + 0.1 * (days % 7)) * (1 + 0.5 * promo * (days % 7 >= 5))
        y = np.where(days < num_days, sales + rng.normal(0, 2, len(days)), np.nan)
        ds = pd.date_range("2024-01-01", periods=len(days))
        tables.append(pd.DataFrame({"unique_id": f"s{number}", "ds": ds, "y": y, "promo": promo}))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return Forecaster(futr_exog=["promo"], **PARTS).fit(make_sales())


@pytest.mark.parametrize("depth", [1, 4])
def test_arrays_predict_as_scikit_learn(depth: int) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(800, 5)).round(1)
    target = rows[:, 0] * rows[:, 1] + rng.normal(size=800)
    learner = HistGradientBoostingRegressor(max_iter=20, max_depth=depth, max_leaf_nodes=None).fit(
        rows, target
    )
    trees = lay_out_trees(learner, depth)
    new = rng.normal(size=(500, 5)).round(1)
    np.testing.assert_allclose(trees.predict(new), learner.predict(new), rtol=1e-12)


def test_an_interaction_of_covariates_gives_it_weight(forecaster: Forecaster) -> None:
    weights = forecaster._require_training().weights["weights"]
    board = forecaster.leaderboard().set_index("forecaster")
    assert weights[TREES] > 0.3
    assert board.loc["ensemble", "mae"] < 0.9 * board.loc["baseline_ensemble", "mae"]


def test_inputs_read_no_target_from_the_origin_on(forecaster: Forecaster) -> None:
    data = forecaster._require_training().data
    rows = np.repeat(np.arange(len(data.validation)), data.panel.horizon)
    steps = np.tile(np.arange(data.panel.horizon), len(data.validation))
    inputs, naive = gather_tree_inputs(data.panel, data.windows, data.validation, rows, steps)
    origin = data.validation.min()
    changed = data.panel.values.copy()
    changed[origin:, 0] = 1e6
    panel = replace(data.panel, values=changed)
    first = (
        data.windows.select(data.validation == origin),
        data.validation[data.validation == origin],
    )
    own = data.validation[rows] == origin
    again, naive_again = gather_tree_inputs(panel, *first, np.zeros(own.sum(), int), steps[own])
    np.testing.assert_array_equal(inputs[own], again)
    np.testing.assert_array_equal(naive[own], naive_again)
    assert np.isfinite(inputs).all()


def test_few_windows_have_no_trees() -> None:
    frame = make_sales(1).drop(columns="promo").dropna()
    assert len(frame) < MIN_WINDOWS
    assert TREES not in set(Forecaster(**PARTS).fit(frame).leaderboard()["forecaster"])


def test_fit_without_trained_networks_has_no_trees() -> None:
    """Fitting the trees takes most of the time of such a run."""
    forecaster = Forecaster(**PARTS, networks="pretrained").fit(
        make_sales().drop(columns="promo").dropna()
    )
    assert not {TREES, "lstm", "gru"} & set(forecaster.leaderboard()["forecaster"])


def test_the_same_data_give_the_same_trees(forecaster: Forecaster) -> None:
    training = forecaster._require_training()
    again = METHODS[TREES].fit(training.data)
    fitted = training.methods[TREES]
    assert again is not None
    np.testing.assert_array_equal(again.out_of_fold, fitted.out_of_fold)
    for one, other in ((again.model, fitted.model), (again.in_use, fitted.in_use)):
        arrays = other.pack()
        assert one.pack().keys() == arrays.keys()
        for name, array in one.pack().items():
            np.testing.assert_array_equal(array, arrays[name])


def test_packed_trees_forecast_the_same(forecaster: Forecaster) -> None:
    training = forecaster._require_training()
    fitted = training.methods[TREES]
    model = fitted.in_use
    assert isinstance(model, TreesModel)
    unpacked = METHODS[TREES].unpack(model.pack())
    assert isinstance(unpacked, TreesModel)
    rows = np.random.default_rng(0).normal(size=(50, int(model.inputs.max()) + 1))
    np.testing.assert_array_equal(unpacked.predict(rows), model.predict(rows))


def test_contributions_sum_to_the_forecast_of_the_trees(forecaster: Forecaster) -> None:
    parts = forecaster.explain(forecaster=TREES)
    table = forecaster.predict(methods=TREES)
    sums = parts.groupby(["unique_id", "ds"])["contribution"].sum().to_numpy()
    np.testing.assert_allclose(sums, table.sort_values(["unique_id", "ds"])[TREES], rtol=1e-4)


def test_saved_forecasts_are_equal(forecaster: Forecaster, tmp_path: Path) -> None:
    frame = make_sales()
    expected = forecaster.predict()
    forecaster.save(tmp_path / "saved")
    pd.testing.assert_frame_equal(Forecaster.load(tmp_path / "saved").predict(frame), expected)


def test_exported_forecasts_are_equal_without_scikit_learn(
    forecaster: Forecaster, tmp_path: Path
) -> None:
    frame = make_sales()
    expected = forecaster.predict()
    forecaster.export(tmp_path / "exported")
    frame.to_csv(tmp_path / "sales.csv", index=False)
    command = [str(tmp_path / "exported" / PROGRAM), str(tmp_path / "sales.csv")]
    # A module that cannot be imported.
    blocked = "import sys; sys.modules['sklearn'] = None; import runpy; "
    blocked += f"sys.argv = {command}; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", blocked], capture_output=True, text=True, check=True
    )
    found = pd.read_csv(io.StringIO(done.stdout))
    np.testing.assert_allclose(found["ensemble"], expected["ensemble"], rtol=1e-5)
