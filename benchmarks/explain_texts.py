"""Whether the words that `predict(explain=True)` names matter: they are removed, and as many others at random.

    IMDB_ARCHIVE=<the archive> .venv/bin/python benchmarks/explain_texts.py [--networks] [--texts 1000]

A classifier is fitted on 4,000 reviews of the training half, with `--networks` a GRU too, and explains reviews of the
test half. Prints the share of reviews whose probability falls more without the named words for the label than without
as many random other words, and the processor seconds of a review.
"""

import argparse
import time

import numpy as np
import pandas as pd

from rnn_pipelines import TextClassifier
from rnn_pipelines.sentiment.model.classifier import read_probabilities
from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews

NUM_TRAINING = 4_000


def fit_on_reviews(reviews: pd.DataFrame, has_network: bool) -> TextClassifier:
    """Fits the n-gram classifier and, if asked, a GRU of 32 units."""
    training = reviews[reviews["split"] == "train"].sample(NUM_TRAINING, random_state=0)
    min_texts = 0 if has_network else NUM_TRAINING
    classifier = TextClassifier(
        gru={"units": 32, "min_texts": min_texts}, lstm={"min_texts": NUM_TRAINING}
    )
    return classifier.fit(
        training["text"].tolist(), training["label"].tolist(), training["group"].tolist()
    )


def remove_words(text: str, words: set[str]) -> str:
    return " ".join(word for word in tokenize(text) if word not in words)


def measure_share(classifier: TextClassifier, texts: list[str]) -> tuple[float, float]:
    """Returns the share of texts that lose more without the named words, and the seconds of a text."""
    random_numbers = np.random.default_rng(0)
    started = time.process_time()
    explained = classifier.predict(texts, explain=True)
    seconds = (time.process_time() - started) / len(texts)
    named = [set(words) for words in explained["words_for"]]
    others = []
    for text, words in zip(texts, named, strict=True):
        rest = sorted({*tokenize(text)} - words)
        others.append(set(random_numbers.permutation(rest)[: len(words)]))
    losses = []
    for removed in (named, others):
        left = [remove_words(text, words) for text, words in zip(texts, removed, strict=True)]
        losses.append(_measure_losses(classifier, explained, left))
    return float((losses[0] > losses[1]).mean()), seconds


def _measure_losses(
    classifier: TextClassifier, explained: pd.DataFrame, left: list[str]
) -> np.ndarray:
    """Returns by how much the probability of each label falls if a text is replaced by what is left of it."""
    classes = ["negative", "positive"]
    codes = explained["label"].map(classes.index).to_numpy()
    rows = np.arange(len(codes))
    before = read_probabilities(explained, classes).to_numpy()[rows, codes]
    after = read_probabilities(classifier.predict(left), classes).to_numpy()[rows, codes]
    return before - after


def main() -> None:
    """Prints the share and the seconds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", action="store_true")
    parser.add_argument("--texts", type=int, default=1000)
    arguments = parser.parse_args()
    reviews = read_reviews(ReviewSourceSpec())
    classifier = fit_on_reviews(reviews, arguments.networks)
    test = reviews[reviews["split"] == "test"].sample(arguments.texts, random_state=0)
    share, seconds = measure_share(classifier, test["text"].tolist())
    kind = "n-grams and networks" if arguments.networks else "n-grams"
    print(f"{kind}: {share:.1%} of {len(test):,} reviews, {seconds:.3f} processor seconds each")


if __name__ == "__main__":
    main()
