"""Scored texts are held against what the version that scored them was judged on, and against nothing else."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.sentiment.methods.tables import ReferenceTable, ScoredTextsTable
from rnn_pipelines.sentiment.operations.reference import (
    REFERENCE,
    UNVERSIONED,
    describe_reference,
    pack_reference,
    select_newest,
)
from rnn_pipelines.sentiment.text.encoding import encode_texts

NOTHING: dict[str, Any] = {
    "predictions": None,
    "reviews": None,
    "encoded": None,
    "calibrations": None,
}


def make_holdout(*logits: float) -> pd.DataFrame:
    return pd.DataFrame({"challenger": logits, "num_words": 3, "num_known_words": 2})


def make_scores(*versions: str) -> pd.DataFrame:
    facts = {"label": "positive", "probability": 0.9, "num_words": 3, "num_known_words": 3}
    return pd.DataFrame({"model_version": list(versions)}).assign(**facts)


@pytest.fixture
def store(tmp_path: Path) -> ChampionStore:
    return ChampionStore(tmp_path / "sentiment")


@pytest.fixture
def left() -> dict[str, Any]:
    """What `sentiment` leaves: one review, of the test part."""
    predictions = pd.DataFrame(
        {"review_id": ["r1"], "num_words": [2], "lstm": [-2.0], "gru": [1.0]}
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
    ReferenceTable.validate(reference)
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
        ReferenceTable.validate(reference)


def test_without_any_score_there_is_no_reference(store: ChampionStore) -> None:
    assert describe_reference(select_newest(None), store.folder, **NOTHING).empty
