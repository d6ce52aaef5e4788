"""Networks are not trained on an ensemble of simple methods that is far behind a local method."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.methods.training.validation import is_far_behind
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

Prepare = Callable[..., SimpleNamespace]


def prepare_sales(prepare: Prepare, share: float) -> FittingData:
    """Prepare 20 series of 160 days, of which a share has very different sales."""
    rng = np.random.default_rng(1)
    sales = np.where(
        rng.random((20, 160)) < share, np.round(np.exp(rng.normal(2, 1.5, (20, 160)))), 0
    )
    values = {f"shop {number:02}": row.tolist() for number, row in enumerate(sales)}
    window = WindowSpec(lookback=28, horizon=14)
    split = SplitSpec(validation=20, test=20)
    return prepare_fitting(
        prepare(values, window, split, evaluation=EvaluationSpec(season_length=7)).windows
    )


def test_the_ensemble_of_simple_methods_is_far_behind_on_a_sparse_panel(prepare: Prepare) -> None:
    assert is_far_behind(prepare_sales(prepare, 0.015))
    assert not is_far_behind(prepare_sales(prepare, 1.0))


def test_nothing_is_trained_on_an_ensemble_that_is_far_behind(prepare: Prepare) -> None:
    data = prepare_sales(prepare, 0.015)
    gru = NetworkSpec(cell="gru")
    few = 30
    record = train_network(data, gru, ForecastTrainingSpec(max_steps=few)).record
    assert (record["num_steps"], record["shrinkage"], record["values_needed"]) == (0, 0.0, 0)
    assert (
        train_network(data, gru, ForecastTrainingSpec(max_steps=few, start="none")).record[
            "num_steps"
        ]
        == few
    )
