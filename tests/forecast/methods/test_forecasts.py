"""Forecasts by all methods at once."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittedMethod, PanelModel
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

HORIZON = 3


class ThreadCounter:
    """A model that notes the number of threads of matrix products."""

    def __init__(self) -> None:
        self.counts: set[int] = set()

    def forecast(self, panel: object, windows: object, origins: np.ndarray) -> np.ndarray:
        self.counts |= {
            found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"
        }
        return np.zeros((len(origins), HORIZON))


@pytest.mark.parametrize("has_all_methods", [True, False])
def test_matrix_products_use_one_thread(
    prepare: Callable[..., SimpleNamespace], has_all_methods: bool
) -> None:
    values = {
        name: np.random.default_rng(seed).normal(size=120).tolist()
        for seed, name in enumerate("ab")
    }
    panel = prepare(
        values, WindowSpec(lookback=8, horizon=HORIZON), SplitSpec(validation=20, test=20)
    ).windows
    linear = fit_linear_models(panel)
    model = ThreadCounter()
    counter: Any = model
    with threadpool_limits(limits=2, user_api="blas"):
        if has_all_methods:
            forecast_methods(
                panel, linear, {"counter": FittedMethod(counter, np.zeros((0, HORIZON)))}
            )
        else:
            PanelModel(linear.normalizer, counter).forecast(
                panel, panel.index("test").origins(np.arange(5))
            )
        assert {
            found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"
        } == {2}
    assert model.counts == {1}
