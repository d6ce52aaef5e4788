"""Example reviews for the report: one sample and the largest errors of a classifier."""

from typing import Annotated

import pandas as pd

from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_best_classifier
from rnn_pipelines.sentiment.methods.logits import to_probability
from rnn_pipelines.sentiment.methods.tables import Predictions
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.storage.tables import Column, Table

NUM_MISTAKES = 10


class ExamplesTable(Table):
    """The first review of the test part (`kind` sample), then the largest errors in order (`kind` mistake)."""

    kind = Column("text")
    review_id = Column("text")
    group = Column("text")
    rating = Column("int", can_be_empty=True)
    label = Column("int")
    num_words = Column("int")
    # Probability of the positive class.
    probability = Column("float")
    text = Column("text")
    key = ("kind", "review_id")


Examples = Annotated[pd.DataFrame, ExamplesTable]


def find_examples(
    predictions: Predictions, reviews: Reviews, calibrations: dict[str, Calibration]
) -> Examples:
    """Return a sample and the largest errors of the classifier with the lowest validation loss."""
    logits = predictions[choose_best_classifier(calibrations)].to_numpy()
    table = predictions[["review_id", "rating", "label", "num_words"]].assign(
        probability=to_probability(logits)
    )
    error = (table["probability"] - table["label"].astype(float)).abs()
    worst = error[error > 0.5].nlargest(NUM_MISTAKES).index
    shown = pd.concat(
        [table.iloc[:1].assign(kind="sample"), table.loc[worst].assign(kind="mistake")]
    )
    examples = shown.merge(reviews[["review_id", "group", "text"]], on="review_id", how="left")
    return examples[list(ExamplesTable.columns)]
