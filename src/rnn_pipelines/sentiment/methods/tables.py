"""The tables of sentiment besides the reviews: logits, scored texts and monitoring measures."""

from typing import Annotated

import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.methods.registry import BASELINES, list_classifiers
from rnn_pipelines.storage.tables import Column, Table


class LogitsTable(Table):
    """The base class of tables with logits, float64, in one column for each classifier in `list_logits`.

    A logit may be missing, because logits that are not finite are reported later.
    """

    error = ReviewError

    @classmethod
    def list_logits(cls) -> list[str]:
        return list_classifiers()

    @classmethod
    def validate(cls, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` unchanged; errors are those of `Table.validate`."""
        # Made here, because the registry may have grown since the class was created.
        logits = {
            name: Column("float", is_optional=True, can_be_empty=True) for name in cls.list_logits()
        }
        strict = {"columns": cls.columns | logits, "key": cls.key, "error": cls.error}
        return type(cls.__name__, (Table,), strict).validate(data)  # type: ignore[attr-defined]


class ScoresTable(LogitsTable):
    """The uncalibrated logits of one network and, if it has an n-gram path, of the n-gram classifier."""

    review_id = Column("text")
    key = ("review_id",)


class PredictionsTable(LogitsTable):
    """Calibrated logits of held-out reviews; `num_words` counts signs too."""

    review_id = Column("text")
    label = Column("int")
    rating = Column("int", can_be_empty=True)
    num_words = Column("int")
    key = ("review_id",)

    @staticmethod
    def list_classifiers(data: pd.DataFrame) -> list[str]:
        """Return the classifiers of a table, in the order of its columns."""
        known = list_classifiers()
        return [name for name in data.columns if name in known]


class HoldoutTable(PredictionsTable):
    """The newest holdout, scored by challenger, champion (if there is one) and baselines.

    `num_known_words` is by the challenger's vocabulary. `is_seen` is whether the champion learnt from the text.
    """

    num_known_words = Column("int")
    is_seen = Column("bool")

    @classmethod
    def list_logits(cls) -> list[str]:
        return [CHALLENGER, CHAMPION, *BASELINES]


class TextReferenceTable(Table):
    """The scores of texts: `label` is positive, negative or, without a known word, unknown.

    `probability` is that of the positive class; 0.5 without a known word. It may be missing, because monitoring
    reports probabilities that are not finite.
    """

    label = Column("text")
    probability = Column("float", can_be_empty=True)
    num_words = Column("int")
    num_known_words = Column("int")
    error = ReviewError


class ScoredTextsTable(TextReferenceTable):
    """Scored texts: `row` is the number of the row or line, from 1.

    `confidence` is the probability that the label is right. `model_version` is that of the champion, or
    `sentiment_classifier` without a champion.
    """

    row = Column("int")
    confidence = Column("float", can_be_empty=True)
    # An empty text becomes a missing value in a CSV file.
    text = Column("text", can_be_empty=True)
    model_version = Column("text")
    key = ("row",)


class MeasuresTable(Table):
    """The scored texts compared with the reference, a row for each measure.

    `reference` and `newest` are means, `num_reference` and `num_newest` numbers of texts. The `effect` is Cohen's h for
    a share, and the distance of the distributions for other measures. Values are missing without texts or with numbers
    that are not finite.
    """

    measure = Column("text")
    reference = Column("float", can_be_empty=True)
    newest = Column("float", can_be_empty=True)
    num_reference = Column("int")
    num_newest = Column("int")
    effect = Column("float", can_be_empty=True)
    p_value = Column("float", can_be_empty=True)
    key = ("measure",)


class GroupsTable(Table):
    """The accuracy of each classifier on the `num_texts` of each group, `by` length (words and signs) or rating."""

    classifier = Column("text")
    by = Column("text")
    group = Column("text")
    accuracy = Column("float")
    num_texts = Column("int")
    key = ("classifier", "by", "group")


class ConfidencesTable(Table):
    """The `accuracy` of each classifier by confidence, in bins of equal width.

    `confidence` is the mean probability of the predicted class in a bin, 0.5 to 1. Empty bins are left out.
    """

    confidence = Column("float")
    accuracy = Column("float")
    num_texts = Column("int")
    classifier = Column("text")


Scores = Annotated[pd.DataFrame, ScoresTable]
Predictions = Annotated[pd.DataFrame, PredictionsTable]
Holdout = Annotated[pd.DataFrame, HoldoutTable]
Reference = Annotated[pd.DataFrame, TextReferenceTable]
ScoredTexts = Annotated[pd.DataFrame, ScoredTextsTable]
Measures = Annotated[pd.DataFrame, MeasuresTable]
Groups = Annotated[pd.DataFrame, GroupsTable]
Confidences = Annotated[pd.DataFrame, ConfidencesTable]
