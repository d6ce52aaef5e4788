"""A table holds the logits of those that are registered, and of nobody else."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.report.styles import CELL_STYLES
from rnn_pipelines.sentiment.methods.registry import NETWORKS, TextNetwork
from rnn_pipelines.sentiment.methods.tables import (
    HoldoutTable,
    MeasuresTable,
    PredictionsTable,
    ScoredTextsTable,
    ScoresTable,
    TextReferenceTable,
)


@pytest.fixture
def predictions() -> pd.DataFrame:
    facts = {
        "review_id": ["a", "b"],
        "label": pd.Categorical(["bad", "good"]),
        "rating": pd.array([None, 9], "Int8"),
        "num_words": [3, 0],
    }
    return pd.DataFrame({**facts, "gru": [-1.0, 2.0], "ensemble": [-1.0, np.nan]})


def test_predictions_are_a_valid_table(predictions: pd.DataFrame) -> None:
    assert PredictionsTable.validate(predictions) is predictions


def test_predictions_name_their_classifiers(predictions: pd.DataFrame) -> None:
    assert PredictionsTable.list_models(predictions) == ["gru", "ensemble"]


def test_predictions_of_three_classes_are_a_valid_table(predictions: pd.DataFrame) -> None:
    facts = predictions.drop(columns=["gru", "ensemble"])
    of_three = facts.assign(**{f"gru {number}": 1.0 for number in range(3)})
    assert PredictionsTable.validate(of_three) is of_three


def test_logits_of_three_classes_are_of_one_classifier(predictions: pd.DataFrame) -> None:
    of_three = predictions.assign(**{f"lstm {number}": 1.0 for number in range(3)})
    assert PredictionsTable.list_models(of_three) == ["gru", "ensemble", "lstm"]


def test_predictions_of_other_columns_are_refused(predictions: pd.DataFrame) -> None:
    with pytest.raises(ReviewError, match="PredictionsTable: expected the columns review_id"):
        PredictionsTable.validate(predictions.assign(rnn=1.0))


def test_repeated_scores_are_refused() -> None:
    with pytest.raises(ReviewError, match="the same review_id a second time"):
        ScoresTable.validate(pd.DataFrame({"review_id": ["a", "a"], "gru": [1.0, 2.0]}))


@pytest.fixture
def holdout(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions.drop(columns=["gru", "ensemble"]).assign(
        challenger=1.0, majority=0.0, nb_ngram=1.0, num_known_words=2, is_seen=False
    )


def test_a_holdout_may_have_a_champion(holdout: pd.DataFrame) -> None:
    with_champion = holdout.assign(champion=1.0)
    assert HoldoutTable.validate(with_champion) is with_champion


def test_a_holdout_may_have_no_champion(holdout: pd.DataFrame) -> None:
    assert HoldoutTable.validate(holdout) is holdout


def test_a_holdout_of_other_columns_is_refused(holdout: pd.DataFrame) -> None:
    with pytest.raises(ReviewError, match="expected the columns"):
        HoldoutTable.validate(holdout.assign(lstm=1.0))


def test_column_of_a_later_network_is_taken(
    predictions: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "rnn", TextNetwork(CELL_STYLES["rnn"]))
    with_rnn = predictions.assign(rnn=1.0, rnn_alone=1.0)
    assert {"rnn", "rnn_alone"} <= set(
        PredictionsTable.list_models(PredictionsTable.validate(with_rnn))
    )


@pytest.mark.parametrize("kind", [TextReferenceTable, ScoredTextsTable, MeasuresTable])
def test_table_without_rows_is_one(kind: Any) -> None:
    assert kind.validate(kind.make_empty()).empty
