"""The explorer's pages of a run of `internals`."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from browser import open_page
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.networks.network import Network, size_members
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.lab.internals.explorer import explore_classifier, explore_forecasters
from rnn_pipelines.lab.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.lab.internals.sentiment.choice import ChosenClassifier
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.networks.members import initialize_members
from rnn_pipelines.sentiment.model.classifier import TextClassifier


@pytest.mark.chromium
@pytest.mark.parametrize("start", ["baseline_ensemble", "none"])
def test_page_of_forecasters_shows_their_forecasts_of_test_windows(
    prepare: Callable[..., SimpleNamespace],
    make_values: Callable[..., list[float]],
    tmp_path: Path,
    start: str,
) -> None:
    prepared = prepare(make_values(60), window=WindowSpec(lookback=6, horizon=2))
    panel = prepared.windows
    networks = {}
    for cell in ("lstm", "gru"):
        weights = initialize_members(0, 2, size_members(panel, cell, 3, 0, 1, ()))
        weights["head_kernel"] += np.float32(0.3)
        unseen = np.zeros((0, 2), np.float32)
        networks[cell] = Network(weights, cell, 1, np.zeros(0, np.int64), 0.5, unseen, start=start)
    chosen = ChosenForecasters(networks, fit_linear_models(panel), panel)
    path = tmp_path / "explorer.html"
    path.write_text(explore_forecasters(chosen, prepared.features, prepared.scaler))
    result, messages = open_page(path, "#check")
    assert messages == []
    assert result["difference"] < 1e-5


def test_page_without_networks_says_how_to_train_them(
    prepare: Callable[..., SimpleNamespace],
) -> None:
    chosen = ChosenForecasters({}, None, prepare(list(np.arange(60.0))).windows)
    assert "--pipelines=forecast" in explore_forecasters(chosen, None, None)


def test_page_without_reviews_shows_given_texts(
    text_classifier: TextClassifier, sample: SampleSpec
) -> None:
    page = explore_classifier(
        ChosenClassifier(text_classifier, [], [], "trained by sentiment"), sample
    )
    assert '"times":["the","film","was","so","good"' in page


def test_page_without_classifier_gives_the_reason(sample: SampleSpec) -> None:
    assert "there are no reviews" in explore_classifier(
        ChosenClassifier(None, [], [], "there are no reviews"), sample
    )
