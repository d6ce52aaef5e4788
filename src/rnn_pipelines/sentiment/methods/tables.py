"""The tables of sentiment besides the reviews: logits, scored texts and monitoring measures."""

from typing import Annotated, ClassVar

import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.methods.logits import list_logit_columns
from rnn_pipelines.sentiment.methods.registry import BASELINES, list_classifiers
from rnn_pipelines.storage.tables import Column, Table

# Beginning of the columns with the probability of one of more than two classes.
PROBABILITY_OF = "probability "


class LogitsTable(Table):
    """The base class of tables with logits, float64, of the classifiers in `list_logits`; see `tabulate_logits`.

    A logit may be missing, because logits that are not finite are reported later.
    """

    error = ReviewError

    @classmethod
    def list_logits(cls) -> list[str]:
        return list_classifiers()

    @classmethod
    def list_models(cls, data: pd.DataFrame) -> list[str]:
        """Return the classifiers of a table, in the order of its columns."""
        models = dict.fromkeys(str(column).partition(" ")[0] for column in data)
        return [name for name in models if name in cls.list_logits()]

    @classmethod
    def validate(cls, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` unchanged; errors are those of `Table.validate`."""
        # Made here, because the registry may have grown since the class was created.
        logits = {
            column: Column("float", is_optional=True, can_be_empty=True)
            for name in cls.list_logits()
            for column in list_logit_columns(data, name)
        }
        strict = {"columns": cls.columns | logits, "key": cls.key, "error": cls.error}
        return type(cls.__name__, (Table,), strict).validate(data)  # type: ignore[attr-defined]


class ScoresTable(LogitsTable):
    """The uncalibrated logits of one network and, if it has an n-gram path, of the n-gram classifier.

    There are no logits if the network was not trained.
    """

    review_id = Column("text")
    key = ("review_id",)


class PredictionsTable(LogitsTable):
    """Calibrated logits of held-out reviews; `num_words` counts signs too."""

    review_id = Column("text")
    label = Column("category")
    rating = Column("int", can_be_empty=True)
    num_words = Column("int")
    key = ("review_id",)


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
    """The scores of texts: `label` is the most probable class or, without a known word, unknown.

    `confidence` is the probability of the label. `probability` is that of the second of two classes; of more classes,
    each has a column, such as `probability delivery`. Without a known word, all classes are equally probable.
    Probabilities may be missing, because monitoring reports those that are not finite.
    """

    label = Column("text")
    probability = Column("float", is_optional=True, can_be_empty=True)
    confidence = Column("float", can_be_empty=True)
    num_words = Column("int")
    num_known_words = Column("int")
    families: ClassVar[dict[str, Column]] = {PROBABILITY_OF: Column("float", can_be_empty=True)}
    error = ReviewError


class ScoredTextsTable(TextReferenceTable):
    """Scored texts: `row` is the number of the row or line, from 1.

    `model_version` is that of the champion, or `sentiment_classifier` without a champion.
    """

    row = Column("int")
    is_unlike = Column("bool", is_optional=True)
    # The effects by word as JSON, see `Explanation`.
    words_for = Column("text", is_optional=True)
    words_against = Column("text", is_optional=True)
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
    """The accuracy of each classifier on the `num_texts` of each group.

    `by` is class, length (words and signs) or rating.
    """

    classifier = Column("text")
    by = Column("text")
    group = Column("text")
    accuracy = Column("float")
    num_texts = Column("int")
    key = ("classifier", "by", "group")


class ConfidencesTable(Table):
    """The `accuracy` of each classifier by confidence, in bins of equal width.

    `confidence` is the mean probability of the predicted class in a bin, 0 to 1. Empty bins are left out.
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
