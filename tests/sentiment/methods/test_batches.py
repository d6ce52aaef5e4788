"""Batches hold every text once in each epoch, cut and padded as NumPy cuts and pads; shuffling changes their order."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.text.encoding import EncodedTexts, PaddingSpec, pad_texts, place_words

Epoch = list[tuple[dict[str, np.ndarray], np.ndarray]]

PADDING = PaddingSpec(max_length=30)
PADDINGS = [
    PaddingSpec(max_length=max_length, truncating=truncating, padding=side)
    for max_length, truncating, side in product((1, 7), ("pre", "post", "middle"), ("pre", "post"))
]
NUM_TEXTS = 50


def compute_features(encoded: EncodedTexts) -> TextFeatures:
    random = np.random.default_rng(1)
    ngrams = random.normal(size=(len(encoded.ids), 2)).astype(np.float32)
    logits = random.normal(size=(len(encoded), 1))
    return TextFeatures(encoded.ids, encoded.offsets, ngrams, logits)


@pytest.fixture(scope="module")
def features(make_encoded: Callable[..., EncodedTexts]) -> TextFeatures:
    """Texts of 0 to 40 words, of which each begins and ends with a word of its own, of lengths in no order."""
    lengths = [0, 1, *np.random.default_rng(0).integers(2, 41, NUM_TEXTS - 2)]
    return compute_features(
        make_encoded([([100 + text] * length) for text, length in enumerate(lengths)])
    )


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """The number of the text, so that it can be told."""
    return np.arange(NUM_TEXTS, dtype=np.float32)[:, None]


def collect(
    features: TextFeatures,
    labels: np.ndarray,
    padding: PaddingSpec = PADDING,
    batch_size: int = 8,
    seed: int | None = None,
    epochs: int = 1,
) -> list[Epoch]:
    """The batches of each epoch, from one data set."""
    from rnn_pipelines.sentiment.methods.keras_training import batch_texts

    dataset = batch_texts(features, labels, padding, batch_size, seed)
    return [list(dataset.as_numpy_iterator()) for _ in range(epochs)]


def list_texts(epoch: Epoch) -> list[int]:
    return [int(label) for _, targets in epoch for label in targets[:, 0]]


@pytest.mark.parametrize(
    "padding", PADDINGS, ids=lambda spec: f"{spec.max_length} {spec.truncating} {spec.padding}"
)
def test_batches_are_as_numpy_pads(
    features: TextFeatures, labels: np.ndarray, padding: PaddingSpec
) -> None:
    [epoch] = collect(features, labels, padding)
    for inputs, targets in epoch:
        texts = targets[:, 0].astype(int)
        np.testing.assert_array_equal(inputs["words"], pad_texts(features.encoded, texts, padding))
        expected = np.zeros((*inputs["words"].shape, 2), np.float32)
        for row, places in enumerate(place_words(features.encoded.lengths[texts], padding)):
            for step, place in enumerate(places):
                if place >= 0:
                    expected[row, step] = features.ngrams[features.offsets[texts[row]] + place]
        np.testing.assert_array_equal(inputs["ngrams"], expected)


def test_batches_have_the_stated_types(features: TextFeatures, labels: np.ndarray) -> None:
    from rnn_pipelines.sentiment.methods.keras_training import batch_texts

    inputs, targets = batch_texts(features, labels, PADDING, 8, shuffle_seed=0).element_spec
    found = {
        name: (spec.dtype.name, spec.shape.as_list())
        for name, spec in (inputs | {"targets": targets}).items()
    }
    assert found == {
        "words": ("int32", [None, None]),
        "ngrams": ("float32", [None, None, 2]),
        "targets": ("float32", [None, 1]),
    }


def test_texts_of_like_length_share_a_batch(features: TextFeatures, labels: np.ndarray) -> None:
    # Else every batch would be as long as the longest text.
    lengths = sorted(np.minimum(features.encoded.lengths, 30))
    widths = [inputs["words"].shape[1] for inputs, _ in collect(features, labels)[0]]
    assert widths == [lengths[min(last, NUM_TEXTS - 1)] for last in range(7, NUM_TEXTS + 7, 8)]


def test_batches_are_sorted_by_length(features: TextFeatures, labels: np.ndarray) -> None:
    from rnn_pipelines.sentiment.methods.keras_training import sort_by_length

    first, second = collect(features, labels, epochs=2)
    assert list_texts(first) == list_texts(second) == sort_by_length(features, PADDING).tolist()


def test_texts_beyond_the_limit_stay_in_their_order(features: TextFeatures) -> None:
    from rnn_pipelines.sentiment.methods.keras_training import sort_by_length

    # Texts beyond the limit are alike, and stay in their order.
    order = sort_by_length(features, PaddingSpec(max_length=3))
    assert order.tolist() == [
        0,
        1,
        *sorted(order[2:], key=lambda text: (min(features.encoded.lengths[text], 3), text)),
    ]


def test_no_texts_have_no_batches(make_encoded: Callable[..., EncodedTexts]) -> None:
    assert collect(compute_features(make_encoded([])), np.zeros((0, 1))) == [[]]


@pytest.mark.parametrize("seed", [None, 0])
def test_batches_have_their_size_but_for_one(
    features: TextFeatures, labels: np.ndarray, seed: int | None
) -> None:
    [epoch] = collect(features, labels, seed=seed)
    assert sorted(len(targets) for _, targets in epoch) == [2, 8, 8, 8, 8, 8, 8]


@pytest.mark.parametrize(("batch_size", "expected"), [(8, 7), (60, 1), (25, 2)])
def test_number_of_batches_is_known(
    features: TextFeatures, labels: np.ndarray, batch_size: int, expected: int
) -> None:
    from rnn_pipelines.sentiment.methods.keras_training import batch_texts

    assert (
        int(batch_texts(features, labels, PADDING, batch_size, shuffle_seed=0).cardinality())
        == expected
    )
    assert len(collect(features, labels, batch_size=batch_size)[0]) == expected


def test_shuffling_covers_every_text_once_in_each_epoch(
    features: TextFeatures, labels: np.ndarray
) -> None:
    for epoch in collect(features, labels, seed=0, epochs=3):
        assert sorted(list_texts(epoch)) == list(range(NUM_TEXTS))


def test_shuffled_texts_keep_their_labels(features: TextFeatures, labels: np.ndarray) -> None:
    for inputs, targets in collect(features, labels, seed=0)[0]:
        np.testing.assert_array_equal(
            inputs["words"], pad_texts(features.encoded, targets[:, 0].astype(int), PADDING)
        )


def test_every_epoch_has_another_order(features: TextFeatures, labels: np.ndarray) -> None:
    epochs = collect(features, labels, seed=0, epochs=3)
    orders = {tuple(list_texts(epoch)) for epoch in epochs}
    batches = {frozenset(frozenset(targets[:, 0]) for _, targets in epoch) for epoch in epochs}
    assert (len(orders), len(batches)) == (3, 3)


def test_shuffling_repeats_by_its_seed(features: TextFeatures, labels: np.ndarray) -> None:
    repeated = [
        [list_texts(e) for e in collect(features, labels, seed=1, epochs=2)] for _ in range(2)
    ]
    assert repeated[0] == repeated[1]


def test_shuffling_depends_on_its_seed(features: TextFeatures, labels: np.ndarray) -> None:
    [one], [other] = (collect(features, labels, seed=seed) for seed in (0, 1))
    assert list_texts(one) != list_texts(other)


def test_shuffled_batches_are_not_sorted(features: TextFeatures, labels: np.ndarray) -> None:
    widths = [inputs["words"].shape[1] for inputs, _ in collect(features, labels, seed=0)[0]]
    assert widths != sorted(widths)


@pytest.mark.parametrize("seed", [None, 0])
def test_empty_texts_are_a_batch_of_padding(
    make_encoded: Callable[..., EncodedTexts], seed: int | None
) -> None:
    [[(inputs, targets)]] = collect(
        compute_features(make_encoded([[], []])), np.array([[1], [0]]), seed=seed
    )
    assert (inputs["words"].tolist(), inputs["ngrams"].shape) == ([[0], [0]], (2, 1, 2))
    assert sorted(targets[:, 0]) == [0, 1]
