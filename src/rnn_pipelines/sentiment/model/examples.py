"""Example reviews for the report: one sample and the largest errors of a classifier."""

from typing import Annotated

import numpy as np
import pandas as pd

from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_best_classifier
from rnn_pipelines.sentiment.methods.logits import read_logits, to_probabilities
from rnn_pipelines.sentiment.methods.tables import Predictions
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from rnn_pipelines.sentiment.model.explanation import WORDS, explain_texts
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.storage.tables import Column, Table

NUM_MISTAKES = 10


class ExamplesTable(Table):
    """The first review of the test part (`kind` sample), then the largest errors in order (`kind` mistake)."""

    kind = Column("text")
    review_id = Column("text")
    group = Column("text")
    rating = Column("int", can_be_empty=True)
    label = Column("text")
    num_words = Column("int")
    predicted = Column("text")
    # Probability of the predicted class.
    confidence = Column("float")
    text = Column("text")
    words_for = Column("text")
    words_against = Column("text")
    key = ("kind", "review_id")


Examples = Annotated[pd.DataFrame, ExamplesTable]


def find_examples(
    predictions: Predictions,
    reviews: Reviews,
    calibrations: dict[str, Calibration],
    classifier: ClassifierArtefact,
) -> Examples:
    """Return a sample and the largest errors of the classifier with the lowest validation loss.

    The largest errors are the texts to whose own label it gives the lowest probability. The words are those for and
    against the predicted class, see `explain_texts`.
    """
    labels = predictions["label"].cat
    probabilities = to_probabilities(read_logits(predictions, choose_best_classifier(calibrations)))
    predicted = probabilities.argmax(axis=1)
    table = predictions[["review_id", "rating", "label", "num_words"]].assign(
        label=predictions["label"].astype("str"),
        predicted=labels.categories[predicted].astype("str"),
        confidence=probabilities.max(axis=1),
    )
    codes = labels.codes.to_numpy(int)
    of_label = pd.Series(probabilities[np.arange(len(table)), codes], index=table.index)
    worst = of_label[predicted != codes].nsmallest(NUM_MISTAKES).index
    shown = pd.concat(
        [table.iloc[:1].assign(kind="sample"), table.loc[worst].assign(kind="mistake")]
    )
    examples = shown.merge(reviews[["review_id", "group", "text"]], on="review_id", how="left")
    explained = pd.DataFrame(explain_texts(classifier, examples["text"].tolist()), columns=WORDS)
    words = {name: explained[name].map(", ".join).astype("str") for name in WORDS}
    return examples.assign(**words)[list(ExamplesTable.columns)]
