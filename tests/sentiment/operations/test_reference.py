"""Scored texts are held against what the version that scored them was judged on, and against nothing else."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.methods.tables import ScoredTextsTable, TextReferenceTable
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from rnn_pipelines.sentiment.operations.reference import (
    REFERENCE,
    UNVERSIONED,
    PredictSentimentSpec,
    describe_reference,
    pack_reference,
    score_newest,
    select_newest,
)
from rnn_pipelines.sentiment.text.encoding import encode_texts

CLASSES = ["negative", "positive"]
NOTHING: dict[str, Any] = {
    "predictions": None,
    "reviews": None,
    "encoded": None,
    "calibrations": None,
}


def make_holdout(*logits: float) -> pd.DataFrame:
    labels = pd.Categorical(["negative"] * len(logits), CLASSES)
    return pd.DataFrame(
        {"label": labels, "challenger": logits, "num_words": 3, "num_known_words": 2}
    )


def make_scores(*versions: str) -> pd.DataFrame:
    facts = {"label": "positive", "confidence": 0.9, "num_words": 3, "num_known_words": 3}
    return pd.DataFrame({"model_version": list(versions)}).assign(**facts)


@pytest.fixture
def store(tmp_path: Path) -> ChampionStore:
    return ChampionStore(tmp_path / "sentiment")


@pytest.fixture
def left() -> dict[str, Any]:
    """What `sentiment` leaves: one review, of the test part."""
    predictions = pd.DataFrame(
        {
            "review_id": ["r1"],
            "label": pd.Categorical(["negative"], CLASSES),
            "num_words": [2],
            "lstm": [-2.0],
            "gru": [1.0],
        }
    )
    losses = {
        name: {"validation_log_loss": loss}
        for name, loss in (("lstm", 0.1), ("gru", 0.2), ("ensemble", 0.3))
    }
    reviews = pd.DataFrame({"review_id": ["r1"], "text": ["a b"]})
    encoded = encode_texts(reviews["text"], ["a", "b"])
    return {
        "predictions": predictions,
        "reviews": reviews,
        "encoded": encoded,
        "calibrations": losses,
    }


def test_scores_of_one_version_are_all_taken() -> None:
    scores = make_scores("v1", "v1")
    pd.testing.assert_frame_equal(select_newest(scores), scores)


@pytest.mark.parametrize(
    ("versions", "rows"),
    [
        (["v1", "v2", "v2"], [1, 2]),
        (["v2", "v1"], [1]),
        ([UNVERSIONED, "v1"], [1]),
        (["v1", UNVERSIONED], [1]),
    ],
    ids=["another champion", "rolled back", "the first champion", "no champion any more"],
)
def test_the_last_version_counts(
    versions: list[str], rows: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    assert select_newest(make_scores(*versions)).index.tolist() == rows
    num_left_out = len(versions) - len(rows)
    assert f"{num_left_out} of {len(versions)}" in caplog.text


@pytest.mark.parametrize("scores", [None, make_scores()], ids=["no table", "no row"])
def test_nothing_scored_has_no_rows(scores: pd.DataFrame | None) -> None:
    selected = select_newest(scores)
    assert selected.empty
    ScoredTextsTable.validate(selected)


def test_reference_is_the_holdout_of_the_version_or_the_test_part(
    store: ChampionStore, left: dict[str, Any]
) -> None:
    """Whichever is the champion now, and whatever `sentiment` has left."""
    version = store.add_version(pack_reference(make_holdout(2.0, -2.0, 3.0)))
    store.promote(
        store.add_version(pack_reference(make_holdout(1.0))), ["later"], "2026-01-31T02:00:00+00:00"
    )
    reference = describe_reference(make_scores(version), store.folder, **left)
    assert reference["label"].tolist() == ["positive", "negative", "positive"]
    TextReferenceTable.validate(reference)
    # Though there is a champion.
    store.promote(
        store.add_version(pack_reference(make_holdout(1.0))), ["first"], "2026-01-31T02:00:00+00:00"
    )
    reference = describe_reference(make_scores(UNVERSIONED), store.folder, **left)
    assert reference["label"].tolist() == ["negative"]
    # The test part of `sentiment` is not taken for it.
    bare = store.add_version({"settings.json": b"{}"})
    damaged = store.add_version(pack_reference(make_holdout(1.0)))
    (store.folder / "versions" / damaged / REFERENCE).write_bytes(b"damaged")
    for version in (bare, damaged, "pruned"):
        reference = describe_reference(make_scores(version), store.folder, **left)
        assert reference.empty
        TextReferenceTable.validate(reference)


def test_reference_of_an_earlier_version_gets_its_confidence(store: ChampionStore) -> None:
    columns = {
        "label": ["negative"],
        "probability": [0.2],
        "num_words": [3],
        "num_known_words": [3],
    }
    content = pd.DataFrame(columns).to_parquet()
    version = store.add_version({REFERENCE: content})
    reference = describe_reference(make_scores(version), store.folder, **NOTHING)
    assert reference["confidence"].tolist() == [0.8]


def test_without_any_score_there_is_no_reference(store: ChampionStore) -> None:
    assert describe_reference(select_newest(None), store.folder, **NOTHING).empty


@pytest.fixture(scope="module")
def texts() -> pd.DataFrame:
    texts = ["a great film", "great and bad", "xyzzy"]
    return pd.DataFrame({"row": [1, 2, 3], "text": pd.Series(texts, dtype="str")})


def answer(classifier: ClassifierArtefact, texts: pd.DataFrame, **options: object) -> pd.DataFrame:
    spec = PredictSentimentSpec.model_validate({"path": "texts.csv", **options})
    return score_newest(None, classifier, texts, spec)


def test_texts_are_scored_by_the_champion(
    two_classes: FittedClassifier, texts: pd.DataFrame
) -> None:
    champion = LoadedChampion("v7", two_classes.classifier, "", (), {})
    scores = score_newest(champion, None, texts, PredictSentimentSpec(path="texts.csv"))
    assert scores["model_version"].unique().tolist() == ["v7"]


def test_texts_without_any_classifier_are_an_error(texts: pd.DataFrame) -> None:
    with pytest.raises(ChampionError, match="no classifier yet"):
        score_newest(None, None, texts, PredictSentimentSpec(path="texts.csv"))


def test_scores_of_three_classes_are_a_valid_table(
    three_classes: FittedClassifier, texts: pd.DataFrame
) -> None:
    scores = answer(three_classes.classifier, texts, abstain_below=0.9, explain=True)
    assert ScoredTextsTable.validate(scores) is scores


def test_words_are_written_as_json(two_classes: FittedClassifier, texts: pd.DataFrame) -> None:
    scores = answer(two_classes.classifier, texts, explain=True)
    assert "great" in json.loads(scores["words_for"][0])


def test_answers_that_need_a_look_are_counted_in_the_log(
    two_classes: FittedClassifier, texts: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "rnn_pipelines"):
        scores = answer(two_classes.classifier, texts, abstain_below=0.99)
    num_unlike = int(scores["is_unlike"].sum())
    counted = f"1 abstained, 1 without a known word, {num_unlike} unlike the training texts"
    assert caplog.messages[-1] == f"classified: 3 texts, {counted}"
