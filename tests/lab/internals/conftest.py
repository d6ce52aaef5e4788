"""Forecasters and a classifier that were never trained, and their traces."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.networks.network import Network, size_members
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.windows.panel import WindowedPanel, WindowSpec
from rnn_pipelines.lab.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.lab.internals.forecast.pretrained import trace_pretrained
from rnn_pipelines.lab.internals.forecast.traces import trace_forecasters
from rnn_pipelines.lab.internals.records import Traces
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.networks.members import initialize_members
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact

MakeForecasters = Callable[..., ChosenForecasters]


@pytest.fixture(scope="package")
def sample() -> SampleSpec:
    """Two texts, and a few windows and reviews."""
    return SampleSpec(
        windows=6, reviews=2, max_words=4, texts=("The film was so GOOD, it was great", "bad")
    )


@pytest.fixture(scope="package")
def make_forecasters(
    prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float]]
) -> MakeForecasters:
    """Makes a network of each cell with members whose heads say something, on windows of six steps, two ahead."""
    panel = prepare(make_values(60), window=WindowSpec(lookback=6, horizon=2)).windows
    linear = fit_linear_models(panel)

    def make(
        segment: int = 1, embedding: int = 0, members: int = 2, units: tuple[int, ...] = (3,)
    ) -> ChosenForecasters:
        networks = {
            cell: _draw_network(
                panel, linear, members, cell=cell, units=units, segment=segment, embedding=embedding
            )
            for cell in CELLS
        }
        return ChosenForecasters(networks, linear, panel)

    return make


def _draw_network(
    panel: WindowedPanel, linear: LinearModels, members: int, **sizes: Any
) -> Network:
    calendar = () if sizes["embedding"] else (1,)
    shape = size_members(panel, **sizes, calendar=calendar)
    weights = initialize_members(0, members, shape)
    weights["head_kernel"] = (
        np.random.default_rng(1).normal(size=weights["head_kernel"].shape).astype(np.float32)
    )
    unseen = np.zeros((len(linear.validation), panel.horizon), np.float32)
    return Network(
        weights, sizes["cell"], sizes["segment"], np.array(calendar, np.int64), 0.5, unseen
    )


@pytest.fixture(scope="package")
def forecasters(make_forecasters: MakeForecasters) -> ChosenForecasters:
    """Two members each, which read single steps."""
    return make_forecasters()


@pytest.fixture(scope="package")
def forecast(forecasters: ChosenForecasters, sample: SampleSpec) -> Traces:
    """Traces of `forecasters`."""
    return trace_forecasters(forecasters, sample)


@pytest.fixture(scope="package")
def pretrained(forecasters: ChosenForecasters, sample: SampleSpec) -> Traces:
    """Traces of the pretrained networks over the windows of `forecasters`."""
    return trace_pretrained(forecasters, PretrainedSpec(), sample)


@pytest.fixture(scope="package")
def reviews() -> tuple[str, ...]:
    """The first short one is the second."""
    return ("a dull film " * 5, "so fine", "the film was awful")


@pytest.fixture(scope="package")
def chosen(text_classifier: ClassifierArtefact, reviews: tuple[str, ...]) -> Any:
    """A classifier of two networks; loads Keras."""
    from rnn_pipelines.lab.internals.sentiment.choice import ChosenClassifier

    return ChosenClassifier(text_classifier, reviews, (0, 1, 0), "made too")


@pytest.fixture(scope="package")
def traced(chosen: Any, sample: SampleSpec) -> tuple[Traces, pd.DataFrame]:
    """Traces of `chosen`, and its readings."""
    from rnn_pipelines.lab.internals.sentiment.traces import trace_classifier

    return trace_classifier(chosen, sample)
