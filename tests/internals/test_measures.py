"""The summary and the tables say what the gates and gradients of the traces do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.internals.gate_statistics import list_gates, measure_half_lives, measure_traces
from rnn_pipelines.internals.records import ClassifierSummary, Traces
from rnn_pipelines.internals.specs import SampleSpec
from rnn_pipelines.sentiment.text.cleaning import tokenize

MISSING: ClassifierSummary = {"is_missing": True, "origin": "none", "accuracy": {}, "num_texts": 0}


@pytest.fixture(scope="module")
def measured(forecast: Traces, traced: tuple[Traces, pd.DataFrame]):
    return measure_traces(forecast, traced[0])


def test_summary_tells_of_every_layer(measured, forecast: Traces, traced) -> None:
    assert list(measured[0]["layers"]) == [*forecast.layers, *traced[0].layers]
    assert {layer["origin"] for layer in measured[0]["layers"].values()} == {"trained by forecast", "made too"}


def test_steps_are_counted_without_padding(measured, sample: SampleSpec, reviews: tuple[str, ...]) -> None:
    lengths = [len(tokenize(text)) for text in (*sample.texts, reviews[1])]
    drawn = measured[0]["layers"]["sentiment_lstm_forward"]["num_steps"] - sum(lengths)
    possible = [len(tokenize(a)) + len(tokenize(b)) for a in reviews for b in reviews if a != b]
    assert drawn in possible


def test_half_lives_of_the_summary_are_those_of_the_table(measured) -> None:
    summary, _, half_lives, _ = measured
    lives = np.sort(half_lives.query("layer == 'forecast_lstm'")["half_life"])
    assert summary["layers"]["forecast_lstm"]["half_life_steps"]["median"] == pytest.approx(lives[2])


def test_units_of_all_members_are_measured_together(measured, forecast: Traces) -> None:
    lives = measured[2].query("layer == 'forecast_gru'")["half_life"]
    members = [measure_half_lives(list_gates([layer])["update"]) for layer in forecast.layers["forecast_gru"]]
    np.testing.assert_allclose(lives, np.concatenate(members))


def test_difference_is_the_largest_of_all_members(forecast: Traces) -> None:
    one, other = forecast.layers["forecast_gru"]
    layers = [replace(one, max_difference=2e-7), replace(other, max_difference=1e-7)]
    summary = measure_traces(replace(forecast, layers={"forecast_gru": layers}))[0]
    assert summary["layers"]["forecast_gru"]["max_difference"] == 2e-7


def test_half_life_without_end_is_none(forecast: Traces) -> None:
    """As a JSON file has no infinity."""
    layer = forecast.layers["forecast_gru"][0]
    gates = layer.trace.gates._replace(update=np.ones_like(layer.trace.gates.update))
    still = replace(forecast, layers={"forecast_gru": [replace(layer, trace=replace(layer.trace, gates=gates))]})
    summary = measure_traces(still)[0]
    assert summary["layers"]["forecast_gru"]["half_life_steps"] == {"low": None, "median": None, "high": None}


def test_greatest_gradient_is_1(measured) -> None:
    assert measured[3].groupby("layer")["gradient"].max().to_numpy() == pytest.approx(1)


def test_gradient_by_lag_is_that_of_the_traces(measured, forecast: Traces) -> None:
    by_lag = np.median(np.linalg.norm(forecast.gradients["forecast_lstm"][:, ::-1], axis=2), axis=0)
    shown = measured[3].query("layer == 'forecast_lstm'")["gradient"]
    np.testing.assert_allclose(shown, by_lag / by_lag.max(), rtol=1e-4)


def test_tables_tell_their_layers(measured) -> None:
    summary, *tables = measured
    assert all(list(dict.fromkeys(table["layer"])) == list(summary["layers"]) for table in tables)


def test_inputs_are_not_changed(forecast: Traces) -> None:
    before = {name: gradient.copy() for name, gradient in forecast.gradients.items()}
    measure_traces(forecast)
    assert all(np.array_equal(before[name], gradient) for name, gradient in forecast.gradients.items())


def test_network_that_says_nothing_reaches_nowhere(forecast: Traces) -> None:
    """Its gradient is 0, and stays so."""
    still = replace(forecast, gradients={name: 0 * gradient for name, gradient in forecast.gradients.items()})
    summary, _, _, gradients = measure_traces(still)
    assert summary["layers"]["forecast_gru"]["reach_steps"] == 0
    assert not gradients["gradient"].any()


def test_classifier_of_the_traces_is_in_the_summary(measured, traced) -> None:
    assert measured[0]["classifier"] == traced[0].classifier


def test_forecasters_alone_are_measured(forecast: Traces) -> None:
    summary, *tables = measure_traces(forecast, Traces({}, {}, {}, "none", MISSING))
    alone = measure_traces(forecast)
    assert summary == {**alone[0], "classifier": MISSING}
    for table, expected in zip(tables, alone[1:], strict=True):
        pd.testing.assert_frame_equal(table, expected)
