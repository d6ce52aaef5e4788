"""Forecasts of series and totals that add up after hierarchicalforecast has reconciled them."""

import logging
import sys

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.totals import reconciling
from rnn_pipelines.forecast.totals.reconciling import (
    Hierarchy,
    make_hierarchy,
    reconcile_series,
)
from rnn_pipelines.forecast.totals.specs import TotalsSpec

TOTALS = ["series", "region", "all", "week"]
AXIS = {"horizon": 7, "freq": "D", "tz": None}
NUM_DAYS = 84


class Stub:
    """Forecasts of two steps that are given, with errors of one size."""

    def __init__(self, forecasts: np.ndarray, sizes: np.ndarray) -> None:
        self.forecasts = forecasts
        self.sizes = sizes
        self.ends = range(len(forecasts))

    def forecast(self, steps_back=0):
        return self.forecasts

    def forecast_past(self, steps_back=0):
        errors = np.random.default_rng(len(self.sizes)).normal(size=(len(self.sizes), 60))
        actual = np.full_like(errors, 50.0)
        return np.stack([actual, actual - errors * self.sizes[:, None]])


@pytest.fixture(scope="module")
def shops() -> pd.DataFrame:
    """Six shops in two regions, with weekdays and common shocks."""
    rng = np.random.default_rng(1)
    days = pd.date_range("2024-01-01", periods=NUM_DAYS)
    common = rng.normal(0, 0.05, NUM_DAYS).cumsum()
    week = 0.2 * np.sin(2 * np.pi * np.arange(NUM_DAYS) / 7)
    rows = []
    for number in range(6):
        sales = np.exp(2 + number / 3 + common + week + rng.normal(0, 0.1, NUM_DAYS))
        region = "NS"[number % 2]
        shop = {ID: f"shop {number}", "region": region, "ds": days, "y": sales}
        rows.append(pd.DataFrame(shop))
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def forecaster(shops: pd.DataFrame) -> Forecaster:
    return Forecaster(h=7, networks="pretrained").fit(shops)


@pytest.fixture
def hierarchy() -> Hierarchy:
    """Three series in one total; none was below 0."""
    values = pd.DataFrame(np.full((4, 3), 50.0), columns=["a", "b", "c"])
    return Hierarchy(values, np.array(["", ID, ID, ID]), np.ones((1, 3)), AXIS)


def sum_by_time(totals: pd.DataFrame, name: str) -> np.ndarray:
    return totals[totals["total"] == name].groupby("ds")["ensemble"].sum().to_numpy()


@pytest.mark.parametrize("name", ["region", "all"])
@pytest.mark.parametrize("method", ["ols", "wls_struct", "wls_var", "mint_shrink", "mint_cov"])
def test_reconciled_totals_are_sums_of_reconciled_series(
    forecaster: Forecaster, method: str, name: str
) -> None:
    totals = forecaster.predict(totals=TOTALS, reconcile=method)
    np.testing.assert_allclose(sum_by_time(totals, name), sum_by_time(totals, "series"), rtol=1e-9)


def test_reconciliation_changes_the_forecasts(forecaster: Forecaster) -> None:
    before = forecaster.predict(totals="all")["ensemble"]
    assert not np.allclose(before, forecaster.predict(totals="all", reconcile="ols")["ensemble"])


def test_reconciled_forecasts_lie_inside_their_intervals(forecaster: Forecaster) -> None:
    totals = forecaster.predict(totals=TOTALS, reconcile="ols")
    assert totals["ensemble"].between(totals["ensemble-lo-80"], totals["ensemble-hi-80"]).all()


def test_newer_values_are_reconciled_too(forecaster: Forecaster, shops: pd.DataFrame) -> None:
    days = pd.date_range(shops["ds"].max() + pd.Timedelta("1D"), periods=2)
    last = shops.groupby(ID).tail(2)
    newer = pd.concat([shops, last.assign(ds=np.tile(days, 6))])
    totals = forecaster.predict(newer, totals=TOTALS, reconcile="wls_var")
    np.testing.assert_allclose(sum_by_time(totals, "all"), sum_by_time(totals, "series"), rtol=1e-9)


def test_ols_is_the_projection_on_sums(hierarchy: Hierarchy) -> None:
    own = Stub(np.array([[170.0, 150.0]]), np.ones(1))
    leaves = Stub(np.array([[50.0, 50], [60, 40], [40, 60]]), np.ones(3))
    nodes = np.vstack([np.ones(3), np.eye(3)])
    base = np.vstack([own.forecasts, leaves.forecasts])
    np.testing.assert_allclose(
        reconcile_series("ols", hierarchy, own, leaves), np.linalg.lstsq(nodes, base)[0]
    )


def test_a_series_with_larger_errors_changes_more(hierarchy: Hierarchy) -> None:
    own = Stub(np.array([[180.0, 180.0]]), np.ones(1))
    leaves = Stub(np.full((3, 2), 50.0), np.array([1.0, 5, 1]))
    reconciled = reconcile_series("wls_var", hierarchy, own, leaves)
    assert reconciled[1, 0] - 50 > 10 * (reconciled[0, 0] - 50)


@pytest.fixture
def below_zero() -> tuple[Stub, Stub]:
    """A total that is far below the sum of its series, one of which is small."""
    return Stub(np.array([[60.0, 151.0]]), np.ones(1)), Stub(
        np.array([[1.0, 50], [75, 50], [75, 50]]), np.ones(3)
    )


def test_forecasts_below_zero_are_repaired(hierarchy: Hierarchy, below_zero) -> None:
    assert (reconcile_series("ols", hierarchy, *below_zero) >= 0).all()


def test_repaired_forecasts_are_said(hierarchy: Hierarchy, below_zero, caplog) -> None:
    with caplog.at_level(logging.INFO):
        reconcile_series("ols", hierarchy, *below_zero)
    assert caplog.messages == ["reconcile: forecasts below 0 are repaired: 1"]


def test_series_that_were_below_zero_may_be_so_again(hierarchy: Hierarchy, below_zero) -> None:
    hierarchy.values.iloc[0, 0] = -1.0
    assert reconcile_series("ols", hierarchy, *below_zero).min() < 0


def test_without_the_library_the_error_names_the_command(
    forecaster: Forecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hierarchicalforecast.methods", None)
    with pytest.raises(ParameterError, match=r'pip install "rnn-pipelines\[hierarchy\]"'):
        forecaster.predict(totals="all", reconcile="ols")


def test_an_unknown_method_is_refused(forecaster: Forecaster) -> None:
    with pytest.raises(ParameterError, match="reconcile"):
        forecaster.predict(totals="all", reconcile="mint")


def test_reconciliation_needs_totals(forecaster: Forecaster) -> None:
    with pytest.raises(ParameterError, match="give it with totals"):
        forecaster.predict(reconcile="ols")


def test_a_longer_horizon_is_refused(forecaster: Forecaster) -> None:
    with pytest.raises(ParameterError, match="7 steps, received 8"):
        forecaster.predict(h=8, totals="all", reconcile="ols")


def test_too_many_series_are_refused(
    forecaster: Forecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "MAX_SERIES", 5)
    with pytest.raises(ParameterError, match="at most 5 series, received 6"):
        forecaster.predict(totals="all", reconcile="ols")


def test_an_error_of_the_library_names_the_method(hierarchy: Hierarchy) -> None:
    own = Stub(np.array([[170.0, 150.0]]), np.zeros(1))
    leaves = Stub(np.full((3, 2), 50.0), np.zeros(3))
    with pytest.raises(ParameterError, match="mint_shrink is not possible"):
        reconcile_series("mint_shrink", hierarchy, own, leaves)


def test_a_series_that_ends_earlier_has_no_part_in_it(shops: pd.DataFrame) -> None:
    is_late = (shops[ID] == "shop 0") & (shops["ds"] > "2024-03-01")
    hierarchy = make_hierarchy(shops[~is_late], AXIS, None, TotalsSpec(["all"]))
    assert "shop 0" not in hierarchy.values


def test_totals_begin_when_all_series_have_begun(shops: pd.DataFrame) -> None:
    is_early = (shops[ID] == "shop 0") & (shops["ds"] < "2024-01-15")
    hierarchy = make_hierarchy(shops[~is_early], AXIS, None, TotalsSpec(["all"]))
    assert hierarchy.values.index[0] == pd.Timestamp("2024-01-15")


def test_the_summing_matrix_has_a_row_for_each_group(shops: pd.DataFrame) -> None:
    hierarchy = make_hierarchy(shops, AXIS, shops, TotalsSpec(["region", "week"]))
    assert hierarchy.summing.tolist() == [[1] * 6, [1, 0] * 3, [0, 1] * 3]
