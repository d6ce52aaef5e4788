"""What the equations say of a classifier's own layer is what Keras computes in it."""

import keras
import numpy as np
import pytest
from keras import layers

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import unroll
from rnn_pipelines.errors import NetworkError
from rnn_pipelines.lab.internals.checks import MAX_DIFFERENCE
from rnn_pipelines.lab.internals.sentiment import layers as tracing
from rnn_pipelines.lab.internals.sentiment.layers import summarize_classifier, trace_layer
from rnn_pipelines.sentiment.methods.network import build_classifier
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec


def make_classifier(cell: str, **options) -> keras.Model:
    keras.utils.set_random_seed(0)
    vectors = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    return build_classifier(ClassifierSpec(cell=cell, units=3, **options), vectors, 2)


def make_texts(padding: str = "post") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    words = rng.integers(1, 30, (4, 9)).astype(np.int32)
    for row, length in enumerate((9, 6, 3, 1)):
        words[row, slice(length, None) if padding == "post" else slice(0, 9 - length)] = 0
    return {"words": words, "ngrams": rng.normal(size=(4, 9, 2)).astype(np.float32)}


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("padding", ["post", "pre"])
@pytest.mark.parametrize("pooling", ["max_mean", "last"])
def test_states_in_both_directions_of_a_classifier_are_those_of_keras(
    cell: str, padding: str, pooling: str
) -> None:
    traces = trace_layer(make_classifier(cell, pooling=pooling), make_texts(padding))
    assert [trace.trace.backwards for trace in traces] == [False, True]
    assert all(trace.max_difference < 1e-6 for trace in traces)


def test_layer_reads_what_stands_before_it_where_there_are_words() -> None:
    assert len(trace_layer(make_classifier("gru", bidirectional=False), make_texts())) == 1
    # Vectors of the words, and weights of n-grams ten times as large.
    texts = make_texts()
    model = make_classifier("lstm")
    trace, _ = trace_layer(model, texts)
    vectors = model.get_layer("word_vectors").get_weights()[0]
    np.testing.assert_allclose(trace.inputs[:, :, :4], vectors[texts["words"]], atol=1e-6)
    np.testing.assert_allclose(trace.inputs[:, :, 4:], 10 * texts["ngrams"], rtol=1e-6)
    texts = make_texts()
    np.testing.assert_array_equal(
        trace_layer(make_classifier("lstm"), texts)[0].mask, texts["words"] > 0
    )
    options = {
        "word_dropout": 0.5,
        "vector_dropout": 0.5,
        "input_dropout": 0.5,
        "recurrent_dropout": 0.5,
    }
    assert trace_layer(make_classifier("gru", **options), make_texts())[0].max_difference < 1e-6
    model = make_classifier("gru")
    summary = summarize_classifier(model)
    assert sum(layer["num_parameters"] for layer in summary["layers"]) == summary["num_parameters"]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_weights_are_counted_by_gate(cell: str) -> None:
    model = make_classifier(cell)
    traces = trace_layer(model, make_texts())
    assert [trace.num_weights_by_gate for trace in traces] == [
        CELLS[cell].count_weights_by_gate(6, 3)
    ] * 2
    counted = sum(sum(trace.num_weights_by_gate.values()) for trace in traces)
    assert counted == model.get_layer(f"bidirectional_{cell}").count_params()


def make_plain(**options) -> keras.Model:
    """An LSTM over the weights of n-grams."""
    inputs = keras.Input((None, 2), name="ngrams")
    return keras.Model(
        {"ngrams": inputs}, layers.Dense(1)(layers.LSTM(5, name="plain", **options)(inputs))
    )


def test_a_layer_without_bias_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"plain: .*'input': 40.*received .*'input': 35"):
        trace_layer(make_plain(use_bias=False), make_texts())


def test_another_activation_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"plain: expected the activation tanh.*received relu"):
        trace_layer(make_plain(activation="relu"), make_texts())


def test_another_layer_is_refused() -> None:
    with pytest.raises(NetworkError, match="expected an LSTM or GRU layer"):
        trace_layer(make_classifier("pointwise"), make_texts())


def test_states_that_are_no_numbers_are_refused() -> None:
    texts = make_texts()
    texts["ngrams"][0, 3, 0] = np.nan
    with pytest.raises(NetworkError, match="difference of nan"):
        trace_layer(make_classifier("gru"), texts)


def test_states_that_are_not_those_of_keras_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the gates of a GRU stood in another order."""

    def unroll_wrongly(weights, *arguments, **options):
        kernel = np.roll(weights.kernel, weights.units, axis=1)
        return unroll(
            type(weights)(kernel, weights.recurrent_kernel, weights.bias), *arguments, **options
        )

    monkeypatch.setattr(tracing, "unroll", unroll_wrongly)
    with pytest.raises(
        NetworkError, match=f"within {MAX_DIFFERENCE:g} of those that the network computed"
    ):
        trace_layer(make_classifier("gru"), make_texts())
