"""Padding never changes a logit; the network reads what its spec says, and has the size that it says."""

from itertools import product

import numpy as np
import pytest
from pydantic import ValidationError

from rnn_pipelines.sentiment.methods.specs import ClassifierSpec
from rnn_pipelines.sentiment.text.encoding import EncodedTexts, PaddingSpec, pad_texts

pytestmark = pytest.mark.usefixtures("no_graphs")

CELLS = ("lstm", "gru", "pointwise")
NUM_WORDS = 12
DIMENSIONS = 3
NUM_NGRAMS = 2
VECTORS = np.random.default_rng(0).normal(0, 0.5, (NUM_WORDS, DIMENSIONS)).astype(np.float32)
TEXTS = [[2, 3, 4, 5, 6], [7, 2], [], [1, 1, 9, 30, 5, 4, 3, 2], [11]]
# Every kind of recurrent layer, with heads that see all of its outputs or the last.
KINDS = [
    (cell, pooling, bidirectional)
    for cell, pooling, bidirectional in product(CELLS, ("max_mean", "last"), (True, False))
    if (cell, pooling) != ("pointwise", "last")
]
PLAIN = {"word_dropout": 0.0, "vector_dropout": 0.0, "dropout": 0.0}


@pytest.fixture(scope="module")
def build():
    """`build_classifier`, which loads Keras; each network is built once, with the same weights each time."""
    import keras

    from rnn_pipelines.sentiment.methods.network import build_classifier

    built: dict[tuple, keras.Model] = {}

    def build_seeded(cell: str = "gru", **options: object):
        key = (cell, *sorted(options.items()))
        if key not in built:
            keras.utils.set_random_seed(0)
            built[key] = build_classifier(
                ClassifierSpec(cell=cell, **{"units": 4, **options}), VECTORS, NUM_NGRAMS
            )
        return built[key]

    return build_seeded


def make_inputs(
    texts: list[list[int]], side: str = "post", extra: int = 0
) -> dict[str, np.ndarray]:
    """A batch padded at one side, with so many further steps of padding; n-gram weights depend on the word alone."""
    ids = np.array([word for text in texts for word in text], np.int32)
    encoded = EncodedTexts(ids, np.cumsum([0, *map(len, texts)]))
    words = pad_texts(encoded, np.arange(len(texts)), PaddingSpec(padding=side))
    words = np.pad(words, ((0, 0), (extra, 0) if side == "pre" else (0, extra)))
    weights = np.random.default_rng(1).normal(0, 0.1, (40, NUM_NGRAMS)).astype(np.float32)
    return {
        "words": words,
        "ngrams": np.where(words[:, :, None] > 0, weights[words], 0).astype(np.float32),
    }


def call(model, inputs: dict[str, np.ndarray], training: bool = False) -> np.ndarray:
    """The logits, float32[batch]."""
    return model({name: inputs[name] for name in model.input}, training=training).numpy()[:, 0]


@pytest.mark.parametrize(
    ("field", "value"), [("cell", "rnn"), ("pooling", "mean"), ("dropout", 1.0)]
)
def test_wrong_network_is_refused_before_keras_loads(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        ClassifierSpec(**{"cell": "lstm", field: value})


def test_pointwise_network_with_its_last_output_alone_is_refused() -> None:
    with pytest.raises(ValidationError, match="max or max_mean"):
        ClassifierSpec(cell="pointwise", pooling="last")


@pytest.mark.parametrize(("cell", "pooling", "bidirectional"), KINDS)
@pytest.mark.parametrize("side", ["pre", "post"])
def test_padding_never_changes_a_logit(
    build, cell: str, pooling: str, bidirectional: bool, side: str
) -> None:
    """Each text alone, without any padding, against all texts in one batch with 7 steps more than the longest has."""
    model = build(cell, pooling=pooling, bidirectional=bidirectional)
    alone = np.concatenate([call(model, make_inputs([text])) for text in TEXTS])
    together = call(model, make_inputs(TEXTS, side, extra=7))
    assert np.abs(together - alone).max() <= 1e-6
    assert len(set(together.tolist())) == len(TEXTS)


@pytest.mark.parametrize(
    ("cell", "pooling"), [("lstm", "last"), ("gru", "max_mean"), ("pointwise", "max")]
)
def test_text_without_words_has_the_heads_bias_as_logit(build, cell: str, pooling: str) -> None:
    model = build(cell, pooling=pooling)
    kernel, _ = model.get_layer("logit").get_weights()
    model.get_layer("logit").set_weights([kernel, np.array([0.7])])
    logits = call(model, make_inputs([[], [2, 3]], extra=3))
    model.get_layer("logit").set_weights([kernel, np.zeros(1)])
    assert (logits[0], logits[1] != logits[0]) == (np.float32(0.7), True)


def test_the_order_of_texts_does_not_matter(build) -> None:
    model = build("lstm")
    np.testing.assert_allclose(
        call(model, make_inputs(TEXTS[::-1])),
        call(model, make_inputs(TEXTS))[::-1],
        rtol=0,
        atol=1e-6,
    )


def test_a_network_without_recurrence_does_not_read_the_order(build) -> None:
    one, other = call(build("pointwise"), make_inputs([[2, 3, 4], [4, 3, 2]]))
    assert one == pytest.approx(other, abs=1e-6)


def test_words_beyond_the_vocabulary_are_unknown(build) -> None:
    logits = call(
        build("gru", ngram_inputs=False),
        make_inputs([[2, 1, 3], [2, NUM_WORDS, 3], [2, 39, 3], [2, 11, 3]]),
    )
    assert (logits[0] == logits[1] == logits[2], logits[0] != logits[3]) == (True, True)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("pooling", ["max_mean", "last"])
def test_every_word_of_a_text_is_read(build, cell: str, pooling: str) -> None:
    text = [2, 3, 4, 5, 6]
    changed = [[*text[:place], 11, *text[place + 1 :]] for place in range(len(text))]
    logits = call(build(cell, pooling=pooling), make_inputs([text, *changed]))
    assert (logits[1:] != logits[0]).all()


def read_outputs(model, texts: list[list[int]]) -> np.ndarray:
    """The outputs of the recurrent layer, float32[batch, time, 2 · units]."""
    import keras

    inputs = make_inputs(texts)
    layer = next(layer for layer in model.layers if "bidirectional" in layer.name)
    return keras.Model(model.inputs, layer.output)(
        [inputs[tensor.name] for tensor in model.inputs]
    ).numpy()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_both_directions_are_read(build, cell: str) -> None:
    """The first half of the outputs knows the words before each step, the second half those after it."""
    one, other = read_outputs(build(cell), [[2, 3, 4, 5], [2, 3, 4, 11]])
    forward = (one != other)[:, :4].any(axis=1)
    backward = (one != other)[:, 4:].any(axis=1)
    assert (forward.tolist(), backward.tolist()) == ([False, False, False, True], [True] * 4)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_order_of_words_matters(build, cell: str) -> None:
    one, other = call(build(cell, ngram_inputs=False), make_inputs([[2, 3, 4], [4, 3, 2]]))
    assert one != other


def test_words_have_the_vectors_that_are_given(build) -> None:
    [vectors] = build().get_layer("word_vectors").get_weights()
    np.testing.assert_array_equal(vectors, VECTORS)


def test_words_have_random_vectors_without_given_ones(build) -> None:
    [vectors] = build(word_vectors=False).get_layer("word_vectors").get_weights()
    assert (vectors.shape, np.allclose(vectors, VECTORS)) == (VECTORS.shape, False)


def test_no_dropout_has_no_layer(build) -> None:
    assert not [layer for layer in build(**PLAIN).layers if "dropout" in layer.name]


def test_dropout_of_words_drops_whole_vectors(build) -> None:
    left = drop(build, "word_dropout")
    assert (left == left[:, :, :1]).all()
    assert left.mean() == pytest.approx(0.5, abs=0.1)


def test_dropout_of_vectors_drops_a_dimension_of_all_words(build) -> None:
    left = drop(build, "vector_dropout")
    assert (left == left[:, :1]).all()
    assert 0.2 < left.mean() < 0.8


@pytest.mark.parametrize(
    ("ngram_inputs", "expected"), [(True, ["ngrams", "words"]), (False, ["words"])]
)
def test_ngram_weights_are_an_input_only_where_asked_for(
    build, ngram_inputs: bool, expected: list[str]
) -> None:
    assert sorted(build(ngram_inputs=ngram_inputs).input) == expected


@pytest.mark.parametrize("cell", CELLS)
def test_ngram_weights_give_one_logit_for_each_text(build, cell: str) -> None:
    model = build(cell)
    inputs = make_inputs([[2, 3, 4]] * (1 + NUM_NGRAMS))
    for order in range(NUM_NGRAMS):
        inputs["ngrams"][1 + order, 1, order] += 0.5
    logits = call(model, inputs)
    assert (logits[1:] != logits[0]).all()
    model = build(cell)
    assert (model.output.shape, model.name) == ((None, 1), f"{cell}_classifier")


def count_cell(cell: str, units: int, features: int) -> int:
    """Weights of one layer in one direction: kernels and biases of every gate; with `reset_after`, a GRU has two."""
    return {
        "lstm": 4 * (units * (features + units) + units),
        "gru": 3 * (units * (features + units) + 2 * units),
        "pointwise": features * units + units,
    }[cell]


@pytest.mark.parametrize(("cell", "pooling", "bidirectional"), KINDS)
def test_number_of_parameters_follows_the_formula(
    build, cell: str, pooling: str, bidirectional: bool
) -> None:
    features = DIMENSIONS + NUM_NGRAMS
    directions = 1 + bidirectional
    head = 4 * directions * (2 if pooling == "max_mean" else 1) + 1
    model = build(cell, pooling=pooling, bidirectional=bidirectional)
    assert (
        model.count_params()
        == NUM_WORDS * DIMENSIONS + directions * count_cell(cell, 4, features) + head
    )


DROPOUTS = ["word_dropout", "vector_dropout", "input_dropout", "recurrent_dropout", "dropout"]


@pytest.mark.parametrize("field", DROPOUTS)
def test_each_dropout_is_off_when_scoring(build, field: str) -> None:
    plain = build("lstm", **PLAIN)
    dropped = build("lstm", **PLAIN | {field: 0.5})
    inputs = make_inputs(TEXTS)
    dropped.set_weights(plain.get_weights())
    np.testing.assert_allclose(call(dropped, inputs), call(plain, inputs), rtol=0, atol=1e-6)


@pytest.mark.parametrize("field", DROPOUTS)
def test_each_dropout_acts_in_training(build, field: str) -> None:
    dropped = build("lstm", **PLAIN | {field: 0.5})
    inputs = make_inputs(TEXTS)
    assert not np.array_equal(
        call(dropped, inputs, training=True), call(dropped, inputs, training=True)
    )


def drop(build, field: str) -> np.ndarray:
    """What is left of the word vectors in training: bool[batch, time, dimensions]."""
    import keras

    model = build(ngram_inputs=False, **PLAIN | {field: 0.5})
    layer = model.get_layer(field)
    keras.utils.set_random_seed(3)
    return layer(np.ones((20, 30, DIMENSIONS), np.float32), training=True).numpy() > 0
