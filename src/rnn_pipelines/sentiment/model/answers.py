"""Answers to texts: their classes, abstentions, and the words behind them."""

import json

import pandas as pd
from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact, score_sentiment
from rnn_pipelines.sentiment.model.explanation import WORDS, explain_texts
from rnn_pipelines.sentiment.text.schema import ABSTAINED_LABEL, UNKNOWN_LABEL


class AnswerSpec(ParameterModel, frozen=True):
    """The form of answers.

    Attributes:
        abstain_below: confidence below which a text gets the label abstained; None for never.
        explain: whether to name the words for and against the class of each text, see `explain_texts`. A classifier
            with networks then reads a text once for each of its words.
    """

    abstain_below: float | None = Field(None, ge=0, le=1)
    explain: bool = False


def write_words(answers: pd.DataFrame) -> pd.DataFrame:
    """Return answers for a file: the effects by word, if there are any, as JSON with three decimals."""
    written = {name: answers[name].map(_write_effects) for name in WORDS if name in answers}
    return answers.assign(**written)


def _write_effects(effects: dict[str, float]) -> str:
    rounded = {word: round(effect, 3) for word, effect in effects.items()}
    return json.dumps(rounded, ensure_ascii=False)


def answer_texts(
    classifier: ClassifierArtefact, texts: pd.DataFrame, answers: AnswerSpec
) -> pd.DataFrame:
    """Return the `ScoredTexts` of the columns `row` and `text`, without `model_version`.

    With `explain`, `words_for` and `words_against` hold the effects by word.
    """
    scored = score_sentiment(classifier, texts)
    if answers.explain:
        explained = pd.DataFrame(
            explain_texts(classifier, texts["text"].tolist()), index=scored.index, columns=WORDS
        )
        scored = scored.join(explained)
    if answers.abstain_below is None:
        return scored
    is_unsure = (scored["confidence"] < answers.abstain_below) & (scored["label"] != UNKNOWN_LABEL)
    return scored.assign(label=scored["label"].mask(is_unsure, ABSTAINED_LABEL))
