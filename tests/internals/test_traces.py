"""Traces are of the windows and words that they say, and the summary says what the gates of the traces do."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.cells.gradients import backpropagate
from rnn_pipelines.forecast.networks import build_forecaster
from rnn_pipelines.forecast.series.windows import WindowSpec, gather_windows
from rnn_pipelines.forecast.specs import NetworkSpec
from rnn_pipelines.internals.choice import ChosenClassifier, ChosenForecasters
from rnn_pipelines.internals.measures import measure_traces
from rnn_pipelines.internals.records import Traces
from rnn_pipelines.internals.specs import SampleSpec
from rnn_pipelines.internals.traces import NUM_UNITS_SHOWN, list_beginnings, trace_classifier, trace_forecasters
from rnn_pipelines.sentiment.classifier import TextClassifier, score_sentiment
from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.encoding import PaddingSpec

TEXTS = ("The film was so GOOD, it was great", "bad")
REVIEWS = ("a dull film " * 5, "so fine", "the film was awful")
SAMPLE = SampleSpec(windows=6, reviews=2, max_words=4, texts=TEXTS)


@pytest.fixture(scope="module")
def forecasters(prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float]]) -> ChosenForecasters:
    panel = prepare(make_values(60), window=WindowSpec(lookback=4, horizon=2)).windows
    keras.utils.set_random_seed(0)
    networks = {
        cell: build_forecaster(NetworkSpec(cell=cell, units=[3]), 4, 2, panel.num_known) for cell in ("lstm", "gru")
    }
    return ChosenForecasters(networks, panel, "made")


@pytest.fixture(scope="module")
def forecast(forecasters: ChosenForecasters) -> Traces:
    return trace_forecasters(forecasters, SAMPLE)


@pytest.fixture(scope="module")
def chosen(text_classifier: TextClassifier) -> ChosenClassifier:
    return ChosenClassifier(text_classifier, REVIEWS, "made too")


@pytest.fixture(scope="module")
def traced(chosen: ChosenClassifier) -> tuple[Traces, pd.DataFrame]:
    return trace_classifier(chosen, SAMPLE)


@pytest.fixture(scope="module")
def measured(forecast: Traces, traced: tuple[Traces, pd.DataFrame]):
    return measure_traces(forecast, traced[0])


# Windows


def test_test_windows_are_spread_from_the_first_to_the_last(forecasters: ChosenForecasters, forecast: Traces) -> None:
    index = forecasters.panel.index("test")
    history, _, _ = gather_windows(forecasters.panel, index.origins(np.array([0, len(index) - 1])))
    np.testing.assert_array_equal(forecast.layers["forecast_gru"].inputs[[0, -1]], history)
    assert len(forecast.layers["forecast_gru"].inputs) == 6


def test_all_windows_are_taken_where_there_are_fewer(forecasters: ChosenForecasters) -> None:
    traces = trace_forecasters(forecasters, SAMPLE.model_copy(update={"windows": 1000}))
    assert len(traces.layers["forecast_lstm"].mask) == len(forecasters.panel.index("test"))


def test_gradient_of_the_network_is_that_through_the_equations(
    forecasters: ChosenForecasters, forecast: Traces
) -> None:
    """The forecast one step ahead, by every value of the series, in NumPy alone: through the head to the last state."""
    for cell, network in forecasters.networks.items():
        layer = forecast.layers[f"forecast_{cell}"]
        of_states = np.zeros_like(layer.trace.states.hidden)
        of_states[:, -1] = network.get_layer("forecast").get_weights()[0][:3, 0]
        expected = backpropagate(layer.weights, layer.inputs, layer.trace, of_states, layer.mask).inputs[:, :, :1]
        np.testing.assert_allclose(forecast.gradients[f"forecast_{cell}"], expected, atol=1e-6)


# Texts


def test_every_network_is_traced_in_both_directions(traced) -> None:
    names = [f"sentiment_{cell}_{direction}" for cell in ("lstm", "gru") for direction in ("forward", "backward")]
    assert list(traced[0].layers) == names


def test_classifier_of_one_network_is_traced_too(chosen: ChosenClassifier) -> None:
    alone = replace(chosen.classifier, networks={"gru": chosen.classifier.networks["gru"]})
    alone = replace(alone, calibration={"weights": {"gru": 1.0}, "intercept": 0.0})
    traces, readings = trace_classifier(replace(chosen, classifier=alone), SAMPLE)
    assert list(traces.layers) == ["sentiment_gru_forward", "sentiment_gru_backward"]
    assert set(readings["cell"]) == {"gru"}


def test_shown_texts_are_the_given_ones_and_the_first_short_review(traced) -> None:
    words = traced[1].query("cell == 'gru' and gate == 'reset'").groupby("text")["word"].apply(list)
    assert list(words) == [tokenize(text) for text in (*TEXTS, REVIEWS[1])]


def test_texts_that_are_shown_and_drawn_are_measured_together(traced) -> None:
    assert len(traced[0].layers["sentiment_gru_forward"].mask) == len(TEXTS) + 1 + SAMPLE.reviews


def test_without_reviews_the_given_texts_are_enough(chosen: ChosenClassifier) -> None:
    traces, readings = trace_classifier(replace(chosen, texts=[]), SAMPLE)
    assert len(traces.layers["sentiment_gru_forward"].mask) == len(TEXTS)
    assert set(readings["text"]) == {1, 2}


def test_probability_is_that_of_the_text_up_to_the_word(chosen: ChosenClassifier, traced) -> None:
    rows = traced[1].query("cell == 'lstm' and gate == 'output' and text == 1").set_index("place")
    beginning = pd.DataFrame({"row": [0], "text": ["the film was so good"]})
    expected = score_sentiment(chosen.classifier, beginning)["probability"][0]
    assert rows.loc[4, "word"] == "good"
    assert rows.loc[4, "probability"] == pytest.approx(expected)


def test_last_probability_is_that_of_the_whole_text(chosen: ChosenClassifier, traced) -> None:
    whole = score_sentiment(chosen.classifier, pd.DataFrame({"row": [0], "text": [TEXTS[0]]}))["probability"][0]
    assert traced[1].query("text == 1")["probability"].iloc[-1] == pytest.approx(whole)


@pytest.mark.parametrize("text", ['It\'s <br />1 &lt; 2... "No!" & more; &amp;amp', "a<b>c</b> l'art 3.5/10 😀"])
def test_beginning_is_read_as_the_same_words(text: str) -> None:
    words = tokenize(text)
    assert [tokenize(beginning) for beginning in list_beginnings(words)] == [
        words[: place + 1] for place in range(len(words))
    ]


def test_mean_of_a_gate_is_that_of_the_trace(traced) -> None:
    rows = traced[1].query("cell == 'lstm' and gate == 'input' and unit == -1 and text == 1")
    gate = traced[0].layers["sentiment_lstm_forward"].trace.gates.input[0, : len(rows)]
    np.testing.assert_allclose(rows["value"], gate.mean(axis=1))


def test_units_that_move_most_are_shown(traced) -> None:
    shown = list(dict.fromkeys(traced[1].query("cell == 'gru' and unit >= 0 and text == 1")["unit"]))
    gate = traced[0].layers["sentiment_gru_forward"].trace.gates.update[0, : len(tokenize(TEXTS[0]))]
    assert shown == list(np.argsort(-gate.std(axis=0))[:NUM_UNITS_SHOWN])


def test_words_that_the_network_cuts_out_are_not_shown(chosen: ChosenClassifier) -> None:
    cut = replace(chosen.classifier, padding=PaddingSpec(max_length=4, truncating="middle", padding="pre"))
    _, readings = trace_classifier(replace(chosen, classifier=cut), SAMPLE)
    words = readings.query("cell == 'gru' and gate == 'reset' and text == 1")
    assert list(words["word"]) == ["the", "film", "was", "great"]
    whole = score_sentiment(cut, pd.DataFrame({"row": [0], "text": [TEXTS[0]]}))["probability"][0]
    assert words["probability"].iloc[-1] == pytest.approx(whole)


# What it comes to


def test_summary_tells_of_every_layer(measured, forecast: Traces, traced) -> None:
    assert list(measured[0]) == [*forecast.layers, *traced[0].layers]
    assert {layer["origin"] for layer in measured[0].values()} == {"made", "made too"}


def test_steps_are_counted_without_padding(measured, chosen: ChosenClassifier) -> None:
    lengths = [len(tokenize(text)) for text in (*TEXTS, REVIEWS[1])]
    drawn = measured[0]["sentiment_lstm_forward"]["num_steps"] - sum(lengths)
    possible = [len(tokenize(a)) + len(tokenize(b)) for a in REVIEWS for b in REVIEWS if a != b]
    assert drawn in possible


def test_half_lives_of_the_summary_are_those_of_the_table(measured) -> None:
    summary, _, half_lives, _ = measured
    lives = np.sort(half_lives.query("layer == 'forecast_lstm'")["half_life"])
    assert summary["forecast_lstm"]["half_life_steps"]["median"] == pytest.approx(lives[1])
    assert len(lives) == 3


def test_half_life_without_end_is_none(forecast: Traces) -> None:
    """As a JSON file has no infinity."""
    layer = forecast.layers["forecast_gru"]
    gates = layer.trace.gates._replace(update=np.ones_like(layer.trace.gates.update))
    still = replace(forecast, layers={"forecast_gru": replace(layer, trace=replace(layer.trace, gates=gates))})
    summary = measure_traces(still)[0]
    assert summary["forecast_gru"]["half_life_steps"] == {"low": None, "median": None, "high": None}


def test_greatest_gradient_is_1(measured) -> None:
    assert measured[3].groupby("layer")["gradient"].max().to_numpy() == pytest.approx(1)


def test_gradient_by_lag_is_that_of_the_traces(measured, forecast: Traces) -> None:
    by_lag = np.median(np.abs(forecast.gradients["forecast_lstm"][:, ::-1, 0]), axis=0)
    shown = measured[3].query("layer == 'forecast_lstm'")["gradient"]
    np.testing.assert_allclose(shown, by_lag / by_lag.max(), rtol=1e-4)


def test_tables_tell_their_layers(measured) -> None:
    summary, *tables = measured
    assert all(list(dict.fromkeys(table["layer"])) == list(summary) for table in tables)


def test_inputs_are_not_changed(forecast: Traces) -> None:
    before = {name: layer.inputs.copy() for name, layer in forecast.layers.items()}
    measure_traces(forecast)
    assert all(np.array_equal(before[name], layer.inputs) for name, layer in forecast.layers.items())
