"""An answer abstains below a confidence, and marks a text unlike the training texts."""

import pandas as pd
import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.model.answers import AnswerSpec, answer_texts
from rnn_pipelines.sentiment.model.classifier import score_sentiment

TEXTS = ["good great fine", "good bad", "xyzzy", ""]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.DataFrame({"row": range(1, 5), "text": pd.Series(TEXTS, dtype="str")})


def test_answers_without_options_are_the_scores(
    three_classes: FittedClassifier, rows: pd.DataFrame
) -> None:
    answers = answer_texts(three_classes.classifier, rows, AnswerSpec())
    pd.testing.assert_frame_equal(answers, score_sentiment(three_classes.classifier, rows))


@pytest.mark.parametrize("classes", ["two_classes", "three_classes"])
def test_answers_below_the_confidence_are_abstained(
    request: pytest.FixtureRequest, rows: pd.DataFrame, classes: str
) -> None:
    classifier = request.getfixturevalue(classes).classifier
    known = rows.iloc[:2]
    answers = answer_texts(classifier, known, AnswerSpec(abstain_below=0.9))
    is_unsure = answers["confidence"] < 0.9
    assert is_unsure.tolist() == [False, True]
    assert (answers["label"] == "abstained").tolist() == is_unsure.tolist()


def test_answer_at_the_confidence_is_given(
    two_classes: FittedClassifier, rows: pd.DataFrame
) -> None:
    confidence = score_sentiment(two_classes.classifier, rows)["confidence"][0]
    answers = answer_texts(two_classes.classifier, rows, AnswerSpec(abstain_below=confidence))
    assert answers["label"][0] == "positive"


def test_unknown_never_becomes_abstained(two_classes: FittedClassifier, rows: pd.DataFrame) -> None:
    answers = answer_texts(two_classes.classifier, rows, AnswerSpec(abstain_below=1.0))
    assert answers["label"].tolist()[2:] == ["unknown", "unknown"]


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_confidence_to_abstain_below_is_a_probability(value: float) -> None:
    with pytest.raises(ParameterError, match=r"predict\.abstain_below"):
        read_parameter_model("predict", AnswerSpec, {"abstain_below": value})


def test_words_are_named_if_wanted(two_classes: FittedClassifier, rows: pd.DataFrame) -> None:
    answers = answer_texts(two_classes.classifier, rows, AnswerSpec(explain=True))
    assert "great" in answers["words_for"][0]


def test_text_in_another_language_is_unlike(three_classes: FittedClassifier) -> None:
    assert is_unlike(three_classes, "le film a été très bon , bravo")


def test_text_like_the_training_texts_is_not_unlike(three_classes: FittedClassifier) -> None:
    assert not is_unlike(three_classes, three_classes.reviews["text"].iloc[0])


def is_unlike(fitted: FittedClassifier, text: str) -> bool:
    rows = pd.DataFrame({"row": [1], "text": [text]})
    return bool(score_sentiment(fitted.classifier, rows)["is_unlike"][0])
