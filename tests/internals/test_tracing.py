"""What the equations say of a network's own layer is what Keras computes in it."""

import keras
import numpy as np
import pytest
from keras import layers

from rnn_pipelines.cells.conventions import count_weights_by_gate
from rnn_pipelines.errors import NetworkError
from rnn_pipelines.forecast.networks import average_forecasters, build_forecaster
from rnn_pipelines.forecast.specs import NetworkSpec
from rnn_pipelines.internals import tracing
from rnn_pipelines.internals.tracing import MAX_DIFFERENCE, differentiate_forecast, summarize_network, trace_layer
from rnn_pipelines.sentiment.network import build_classifier
from rnn_pipelines.sentiment.specs import ClassifierSpec


def make_forecaster(cell: str, num_known: int = 2, **options) -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_forecaster(NetworkSpec(cell=cell, **{"units": [5], **options}), 8, 3, num_known)


def make_windows(num_known: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"history": (6, 8, 1 + num_known), "known": (6, 3, num_known)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


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
@pytest.mark.parametrize("options", [{}, {"units": [5, 4]}, {"centre": True}, {"num_known": 0}], ids=str)
def test_states_in_a_forecaster_are_those_of_keras(cell: str, options: dict) -> None:
    num_known = options.get("num_known", 2)
    (trace,) = trace_layer(make_forecaster(cell, **options), make_windows(num_known))
    assert trace.max_difference < 1e-6
    assert trace.cell == cell


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("padding", ["post", "pre"])
@pytest.mark.parametrize("pooling", ["max_mean", "last"])
def test_states_in_both_directions_of_a_classifier_are_those_of_keras(cell: str, padding: str, pooling: str) -> None:
    traces = trace_layer(make_classifier(cell, pooling=pooling), make_texts(padding))
    assert [trace.trace.backwards for trace in traces] == [False, True]
    assert all(trace.max_difference < 1e-6 for trace in traces)


def test_one_direction_gives_one_trace() -> None:
    assert len(trace_layer(make_classifier("gru", bidirectional=False), make_texts())) == 1


def test_layer_reads_what_stands_before_it_in_the_network() -> None:
    windows = make_windows()
    (trace,) = trace_layer(make_forecaster("lstm", centre=True), windows)
    series = windows["history"][:, :, 0]
    np.testing.assert_allclose(trace.inputs[:, :, 0], series - series.mean(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(trace.inputs[:, :, 1:], windows["history"][:, :, 1:])


def test_mask_is_where_there_are_words() -> None:
    texts = make_texts()
    np.testing.assert_array_equal(trace_layer(make_classifier("lstm"), texts)[0].mask, texts["words"] > 0)


def test_dropout_is_off() -> None:
    options = {"word_dropout": 0.5, "vector_dropout": 0.5, "input_dropout": 0.5, "recurrent_dropout": 0.5}
    assert trace_layer(make_classifier("gru", **options), make_texts())[0].max_difference < 1e-6


def test_first_member_is_looked_at() -> None:
    members = [make_forecaster("gru"), build_forecaster(NetworkSpec(cell="gru", units=[5]), 8, 3, 2)]
    kernel = members[0].get_layer("gru_1").get_weights()[0]
    (trace,) = trace_layer(average_forecasters(members), make_windows())
    np.testing.assert_array_equal(trace.weights.kernel, kernel)
    assert trace.max_difference < 1e-6


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_weights_are_counted_by_gate(cell: str) -> None:
    model = make_forecaster(cell)
    (trace,) = trace_layer(model, make_windows())
    assert trace.num_weights_by_gate == count_weights_by_gate(cell, 3, 5)
    assert sum(trace.num_weights_by_gate.values()) == model.get_layer(f"{cell}_1").count_params()


def test_layer_with_another_number_of_weights_than_the_formula_is_refused() -> None:
    inputs = keras.Input((8, 3), name="history")
    model = keras.Model({"history": inputs}, layers.Dense(1)(layers.LSTM(5, use_bias=False, name="plain")(inputs)))
    with pytest.raises(NetworkError, match=r"plain: expected as many weights .*'input': 45.*received .*'input': 40"):
        trace_layer(model, make_windows())


def test_other_activation_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"lstm_1: expected the activation tanh.*received relu.*forecast\.lstm"):
        trace_layer(make_forecaster("lstm", activation="relu"), make_windows())


def test_network_without_recurrent_layer_is_refused() -> None:
    with pytest.raises(NetworkError, match="expected an LSTM or GRU layer"):
        trace_layer(make_classifier("pointwise"), make_texts())


def test_states_that_are_not_those_of_keras_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the gates of a GRU stood in another order."""

    def unroll_wrongly(weights, *arguments, **options):
        kernel = np.roll(weights.kernel, weights.units, axis=1)
        return tracing_unroll(type(weights)(kernel, weights.recurrent_kernel, weights.bias), *arguments, **options)

    tracing_unroll = tracing.unroll
    monkeypatch.setattr(tracing, "unroll", unroll_wrongly)
    with pytest.raises(NetworkError, match=f"within {MAX_DIFFERENCE:g} of those of Keras"):
        trace_layer(make_forecaster("gru"), make_windows())


def test_states_that_are_no_numbers_are_refused() -> None:
    windows = make_windows()
    windows["history"][0, 3, 0] = np.nan
    with pytest.raises(NetworkError, match="difference of nan"):
        trace_layer(make_forecaster("gru"), windows)


# Of the whole network


@pytest.mark.parametrize("options", [{}, {"units": [5, 4]}, {"centre": True}, {"num_known": 0}], ids=str)
def test_gradient_of_the_forecast_is_that_of_finite_differences(options: dict) -> None:
    """A step of one value of the history moves the forecast one step ahead by what the gradient says."""
    check_gradient(make_forecaster("lstm", **options), make_windows(options.get("num_known", 2)))


def test_gradient_is_that_of_the_mean_of_all_members() -> None:
    members = [make_forecaster("gru"), build_forecaster(NetworkSpec(cell="gru", units=[5]), 8, 3, 2)]
    check_gradient(average_forecasters(members), make_windows())


def check_gradient(model: keras.Model, windows: dict[str, np.ndarray]) -> None:
    gradients = differentiate_forecast(model, windows)
    assert gradients.shape == windows["history"].shape
    for time, feature in ((0, 0), (5, 0), (7, windows["history"].shape[2] - 1)):
        step = np.zeros_like(windows["history"])
        step[:, time, feature] = 1e-2
        forecasts = [
            model.predict_on_batch(
                {name: windows[name] if name == "known" else windows[name] + sign * step for name in model.input}
            )[:, 0]
            for sign in (1, -1)
        ]
        expected = (forecasts[0] - forecasts[1]) / 2e-2
        np.testing.assert_allclose(gradients[:, time, feature], expected, rtol=5e-3, atol=1e-4)


def test_series_and_level_move_a_centred_forecast_together() -> None:
    """One more everywhere is one more in the forecast."""
    gradients = differentiate_forecast(make_forecaster("gru", centre=True), make_windows())
    np.testing.assert_allclose(gradients[:, :, 0].sum(axis=1), 1, rtol=1e-5)


def test_summary_has_the_layers_of_one_member_and_the_parameters_of_all() -> None:
    members = [make_forecaster("gru"), build_forecaster(NetworkSpec(cell="gru", units=[5]), 8, 3, 2)]
    num_parameters = members[0].count_params()
    summary = summarize_network(average_forecasters(members))
    assert sum(layer["num_parameters"] for layer in summary["layers"]) == num_parameters
    assert summary["num_parameters"] == 2 * num_parameters
