"""Errors of linear forecasts that are kept are those that are computed again."""

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.predictors import normalize_targets, normalize_windows
from rnn_pipelines.forecast.methods.training import member_steps
from rnn_pipelines.forecast.methods.training.member_steps import Residuals
from rnn_pipelines.forecast.windows.panel import WindowSpec


@pytest.mark.parametrize("most", [member_steps.MAX_KEPT, 0], ids=["kept", "too many to be kept"])
def test_errors_are_the_same_at_each_visit(
    prepare, make_values, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(member_steps, "MAX_KEPT", most)
    data = prepare_fitting(
        prepare(make_values(120), window=WindowSpec(lookback=6, horizon=3)).windows
    )
    matrices = np.stack([data.linear.combine(0), data.linear.combine(1)])
    origins = list_past(data.panel)
    found = Residuals(data, matrices, origins)
    rng = np.random.default_rng(0)
    for number in range(6):
        some = rng.permutation(origins)[:20] if number % 2 else origins
        windows = normalize_windows(data.panel, data.linear.normalizer, some)
        expected = normalize_targets(data.panel, windows, some) - windows.predictors @ matrices
        received, errors = found.find(some)
        assert errors.dtype == np.float32
        np.testing.assert_allclose(errors, expected.clip(-30, 30), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(received.history, windows.history)
    assert received.predictors.shape[1] == (0 if most else windows.predictors.shape[1])
