"""Panels in which nearly all values are 0 are fitted, such as the demand for spare parts."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster


def make_sparse_panel(seed: int, num_series: int, num_days: int, share: float) -> pd.DataFrame:
    """Amounts on a share of the days, and at least one."""
    random = np.random.default_rng(seed)
    has_value = random.random((num_series, num_days)) < share
    has_value[0, num_days // 2] = True
    values = np.where(has_value, random.lognormal(3, 1.5, has_value.shape), 0.0)
    days = pd.date_range("2024-01-01", periods=num_days)
    names = np.repeat([f"part {number}" for number in range(num_series)], num_days)
    return pd.DataFrame({"unique_id": names, "ds": np.tile(days, num_series), "y": values.ravel()})


@pytest.mark.parametrize(
    ("num_series", "num_days", "share"),
    [(5, 120, 0.001), (2, 60, 0.003), (2, 200, 0.002), (5, 60, 0.05)],
)
def test_sparse_panel_is_forecast(num_series: int, num_days: int, share: float) -> None:
    frame = make_sparse_panel(0, num_series, num_days, share)
    forecasts = Forecaster(h=7, networks="pretrained").fit(frame).predict()
    assert np.isfinite(forecasts["ensemble"]).all()
