"""The tables of sentiment beside the reviews: logits, scores of texts, and what monitoring measures of them."""

from typing import Annotated

import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.methods.registry import BASELINES, list_classifiers
from rnn_pipelines.storage.tables import Column, Table

DTYPES = {"text": "str", "int": "int64", "float": "float64"}


def make_empty(kind: type[Table]) -> pd.DataFrame:
    """A table without rows."""
    return pd.DataFrame({name: pd.Series(dtype=DTYPES[column.kind]) for name, column in kind.columns.items()})


class LogitsTable(Table):
    """Root of the tables that hold logits, float64, in a column of its own for each of those in `list_logits`.

    A logit may be missing, because a network that went wrong is found out later, with a word to the user.
    """

    error = ReviewError

    @classmethod
    def list_logits(cls) -> list[str]:
        """Those whose logits the table may hold."""
        return list_classifiers()

    @classmethod
    def validate(cls, data: pd.DataFrame) -> pd.DataFrame:
        """Returns `data` as it is; see `Table.validate`."""
        # Made now, because the registry may have grown since the class was.
        logits = {name: Column("float", is_optional=True, can_be_empty=True) for name in cls.list_logits()}
        strict = {"columns": cls.columns | logits, "key": cls.key, "error": cls.error}
        return type(cls.__name__, (Table,), strict).validate(data)  # type: ignore[attr-defined]


class ScoresTable(LogitsTable):
    """The logits of one network, and of the n-gram classifier where it has a path to it, before calibration."""

    review_id = Column("text")
    key = ("review_id",)


class PredictionsTable(LogitsTable):
    """Calibrated logits of reviews that nobody learnt from; `num_words` counts signs too."""

    review_id = Column("text")
    label = Column("int")
    rating = Column("int", can_be_empty=True)
    num_words = Column("int")
    key = ("review_id",)

    @staticmethod
    def list_classifiers(data: pd.DataFrame) -> list[str]:
        """The classifiers of a table, in its order."""
        known = list_classifiers()
        return [name for name in data.columns if name in known]


class HoldoutTable(PredictionsTable):
    """The newest holdout, scored by challenger, champion (where there is one) and baselines.

    `num_known_words` is by the challenger; `is_seen`: the champion was trained, chosen or calibrated on the text.
    """

    num_known_words = Column("int")
    is_seen = Column("bool")

    @classmethod
    def list_logits(cls) -> list[str]:
        """Whose logits it may hold."""
        return [CHALLENGER, CHAMPION, *BASELINES]


class ReferenceTable(Table):
    """How texts were scored: `label` is positive, negative or, without a known word, unknown.

    `probability` is that of the positive class; 0.5 where no word is known. It may be missing, because monitoring is
    what finds a classifier that went wrong.
    """

    label = Column("text")
    probability = Column("float", can_be_empty=True)
    num_words = Column("int")
    num_known_words = Column("int")
    error = ReviewError


class ScoredTextsTable(ReferenceTable):
    """Scored texts: `row` is the number of the row or line, from 1.

    `confidence` is the probability that the label is right, `model_version` the champion's, else
    `sentiment_classifier`.
    """

    row = Column("int")
    confidence = Column("float", can_be_empty=True)
    # An empty text comes back from a CSV file as none.
    text = Column("text", can_be_empty=True)
    model_version = Column("text")
    key = ("row",)


class MeasuresTable(Table):
    """Scored texts against the reference, a row for each measure.

    `reference` and `newest` are means, `num_reference` and `num_newest` texts. The `effect` of a share is Cohen's h,
    that of the others the distance of the distributions. Missing: one of both has no text, or not finite numbers.
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
    """Accuracy `by` length (words and signs) or rating: of each classifier on the `num_texts` of each group."""

    classifier = Column("text")
    by = Column("text")
    group = Column("text")
    accuracy = Column("float")
    num_texts = Column("int")
    key = ("classifier", "by", "group")


class ConfidencesTable(Table):
    """How often each classifier is right (`accuracy`) when it says how sure it is, in bins of equal width.

    `confidence` is the probability of the predicted class, 0.5 to 1, as the mean of a bin. Bins without a text are left
    out.
    """

    confidence = Column("float")
    accuracy = Column("float")
    num_texts = Column("int")
    classifier = Column("text")


Scores = Annotated[pd.DataFrame, ScoresTable]
Predictions = Annotated[pd.DataFrame, PredictionsTable]
Holdout = Annotated[pd.DataFrame, HoldoutTable]
Reference = Annotated[pd.DataFrame, ReferenceTable]
ScoredTexts = Annotated[pd.DataFrame, ScoredTextsTable]
Measures = Annotated[pd.DataFrame, MeasuresTable]
Groups = Annotated[pd.DataFrame, GroupsTable]
Confidences = Annotated[pd.DataFrame, ConfidencesTable]
