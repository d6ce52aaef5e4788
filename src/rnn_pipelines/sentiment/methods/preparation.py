"""Inputs of the classifiers from reviews: vocabulary, word vectors and n-gram features."""

from rnn_pipelines.sentiment.methods.nb_ngram import (
    FEW_TEXTS,
    FitRecord,
    NgramClassifier,
    NgramSpec,
    TextFeatures,
    add_ngram_features,
)
from rnn_pipelines.sentiment.text import encoding, vectors, vocabulary
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.schema import Reviews, list_classes
from rnn_pipelines.sentiment.text.splits import assign_folds, find_texts
from rnn_pipelines.sentiment.text.vectors import WordVectors, WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

# With more characters of the training texts, their n-grams are not read: a fit would take minutes.
MAX_CHARACTERS = 1_000_000


def build_vocabulary(reviews: Reviews, vocabulary_spec: VocabularySpec) -> list[str]:
    """Build the vocabulary from the training and unlabelled texts only."""
    texts = find_texts(reviews, "train", "unlabelled")
    return vocabulary.choose_words(reviews["text"].iloc[texts], vocabulary_spec)


def encode_reviews(
    reviews: Reviews, words: list[str], vocabulary_spec: VocabularySpec
) -> EncodedTexts:
    """Encode every text as the numbers of its words."""
    return encoding.encode_texts(reviews["text"], words, vocabulary_spec.signs)


def learn_word_vectors(
    encoded: EncodedTexts, reviews: Reviews, word_vectors: WordVectorSpec
) -> WordVectors:
    """Learn a vector for each frequent word from the training and unlabelled texts only."""
    texts = find_texts(reviews, "train", "unlabelled")
    return vectors.fit_word_vectors(encoded.select(texts), word_vectors)


def fit_nb_ngram(
    encoded: EncodedTexts, reviews: Reviews, vocabulary_spec: VocabularySpec, ngrams: NgramSpec
) -> tuple[NgramClassifier, TextFeatures, FitRecord]:
    """Fit the n-gram classifier, and return its features of all texts, out-of-fold for training texts.

    With fewer training texts than `few_texts`, the validation part is a fold of its own, so that the classifier learns
    its labels too.
    """
    if len(find_texts(reviews, "train")) >= ngrams.few_texts:
        folds, characters = assign_folds(reviews, ngrams.folds), None
    else:
        ngrams = FEW_TEXTS
        folds = assign_folds(reviews, ngrams.folds)
        folds[find_texts(reviews, "validation")] = folds.max() + 1
        characters = encoding.encode_characters(reviews["text"], vocabulary_spec.signs)
        if (characters.lengths[folds >= 0]).sum() > MAX_CHARACTERS:
            characters = None
    return add_ngram_features(
        encoded,
        reviews["label"].cat.codes.to_numpy(int),
        len(list_classes(reviews)),
        folds,
        ngrams,
        characters,
    )
