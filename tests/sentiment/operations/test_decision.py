"""A text classifier that is broken, or can't be compared, is kept back with the reason; the record is plain JSON."""

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.sentiment.methods.specs import RetrainSentimentSpec
from rnn_pipelines.sentiment.operations.decision import SEEN, decide_promotion, describe_run
from rnn_pipelines.sentiment.operations.reference import REFERENCE

TRAINING = {
    "validation_losses": {"lstm": 0.2, "gru": 0.25, "ensemble": 0.3},
    "chosen": "lstm",
    "seeds": [0],
    "training_seconds": 1.0,
    "networks": {},
}
RUN = {"at": "2024-01-01T00:00:00+00:00", "started": 0.0, "as_of": None}
CHAMPION = LoadedChampion(
    "v1",
    SimpleNamespace(class_facts={"classes": ["negative", "positive"]}),
    "2024-01-01T00:00:00+00:00",
    (),
    {"metrics": {"challenger": {"validation_loss": 0.4}}},
)


@pytest.fixture
def decide() -> Callable[..., Candidate]:
    """Decides on logits with so much noise; the champion has seen the first `num_seen` of 200 reviews."""

    def make(
        in_use: LoadedChampion | None = None,
        num_seen: int = 0,
        change: Callable[[pd.DataFrame], pd.DataFrame] = lambda holdout: holdout,
        policy: dict[str, Any] | None = None,
        **noise: float,
    ) -> Candidate:
        random = np.random.default_rng(0)
        label = np.arange(200) % 2
        holdout = pd.DataFrame(
            {
                "label": pd.Categorical.from_codes(label, ["negative", "positive"]),
                "majority": 0.0,
                "is_seen": np.arange(200) < num_seen,
                "num_words": 9,
            }
        )
        for name, deviation in {"nb_ngram": 1.5, "challenger": 1.0, **noise}.items():
            holdout[name] = 2 * label - 1 + deviation * random.normal(size=200)
        holdout["num_known_words"] = 5
        spec = RetrainSentimentSpec.model_validate(
            {"policy": policy or {"max_age_days": None}, "budget": {}}
        )
        return decide_promotion(object(), in_use, change(holdout), TRAINING, RUN, spec)

    return make


def read_reasons(candidate: Candidate) -> str:
    return "; ".join(candidate.decision.reasons)


def test_the_first_challenger_is_promoted(decide: Callable[..., Candidate]) -> None:
    assert decide().decision.is_promoted


def test_a_better_challenger_is_promoted(decide: Callable[..., Candidate]) -> None:
    candidate = decide(CHAMPION, champion=3.0)
    assert candidate.decision.is_promoted
    assert "it is better" in read_reasons(candidate)


def test_a_challenger_must_beat_the_ngrams(decide: Callable[..., Candidate]) -> None:
    candidate = decide(policy={"must_beat": ["nb_ngram"]}, nb_ngram=0.5, challenger=1.5)
    assert "is not below nb_ngram" in read_reasons(candidate)


def test_a_challenger_must_beat_the_majority(decide: Callable[..., Candidate]) -> None:
    assert "is not below majority" in read_reasons(decide(challenger=6.0))


def test_a_champion_that_has_seen_most_reviews_stays(decide: Callable[..., Candidate]) -> None:
    candidate = decide(CHAMPION, num_seen=150, champion=3.0)
    assert not candidate.decision.is_promoted
    assert SEEN in read_reasons(candidate)


def test_reviews_that_the_champion_has_seen_are_left_out(decide: Callable[..., Candidate]) -> None:
    candidate = decide(CHAMPION, num_seen=20, champion=3.0)
    assert candidate.decision.is_promoted
    assert "20 of 200" in candidate.manifest["notes"][0]


def rename_classes(holdout: pd.DataFrame) -> pd.DataFrame:
    return holdout.assign(label=holdout["label"].cat.rename_categories(["negative", "refund"]))


def test_classes_that_the_champion_lacks_are_in_the_record(
    decide: Callable[..., Candidate],
) -> None:
    candidate = decide(CHAMPION, change=rename_classes, champion=3.0)
    assert candidate.manifest["notes"] == ["new classes: refund (100 texts of the holdout)"]


def test_classes_that_the_champion_lacks_are_logged(
    decide: Callable[..., Candidate], caplog: pytest.LogCaptureFixture
) -> None:
    decide(CHAMPION, change=rename_classes, champion=3.0)
    assert "new classes: refund (100 texts of the holdout)" in caplog.messages


def test_without_a_champion_no_class_is_new(decide: Callable[..., Candidate]) -> None:
    assert decide(change=rename_classes).manifest["notes"] == []


@pytest.mark.parametrize("champion", [0.3, 1.0], ids=["worse", "equal"])
def test_other_challengers_are_kept_back(decide: Callable[..., Candidate], champion: float) -> None:
    assert not decide(CHAMPION, champion=champion).decision.is_promoted


def test_policy_can_only_ask_for_registered_baselines() -> None:
    with pytest.raises(
        ValidationError, match="expected one of majority, nb_ngram, received 'ridge'"
    ):
        RetrainSentimentSpec.model_validate({"policy": {"must_beat": ["ridge"]}, "budget": {}})


@pytest.mark.parametrize("is_all", [True, False], ids=["all", "one"])
def test_champion_whose_scores_are_not_finite_is_replaced(
    decide: Callable[..., Candidate], is_all: bool
) -> None:
    """Whose errors are few elsewhere."""

    def change(holdout: pd.DataFrame) -> pd.DataFrame:
        return holdout.assign(champion=holdout["champion"].mask(is_all | (holdout.index == 7)))

    candidate = decide(CHAMPION, change=change, champion=0.1)
    assert candidate.decision.is_promoted
    assert read_reasons(candidate).startswith(
        "the champion's loss is nan, not a finite number; its own is 0."
    )
    assert candidate.manifest["metrics"]["champion"]["loss"] is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda holdout: holdout.assign(challenger=np.nan), "are not finite"),
        (lambda holdout: holdout.assign(challenger=-2.0), "the same for every text"),
    ],
)
def test_broken_challenger_is_kept_back(
    decide: Callable[..., Candidate], change: Callable[[pd.DataFrame], pd.DataFrame], fault: str
) -> None:
    candidate = decide(change=change)
    assert not candidate.decision.is_promoted
    assert fault in read_reasons(candidate)


@pytest.fixture
def manifest(decide: Callable[..., Candidate]) -> dict[str, Any]:
    return decide(CHAMPION, champion=3.0).manifest


def test_the_record_is_plain_json(manifest: dict[str, Any]) -> None:
    assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest


def test_the_record_names_its_champion(manifest: dict[str, Any]) -> None:
    assert (manifest["task"], manifest["champion"]) == ("sentiment", "v1")


def test_the_record_measures_both_alike(manifest: dict[str, Any]) -> None:
    assert manifest["metrics"]["challenger"].keys() == manifest["metrics"]["champion"].keys()


def test_the_record_has_the_losses_of_validation(manifest: dict[str, Any]) -> None:
    assert manifest["metrics"]["champion"]["validation_loss"] == 0.4
    assert manifest["metrics"]["challenger"]["validation_loss"] == 0.2


def test_a_version_keeps_how_the_holdout_was_scored(decide: Callable[..., Candidate]) -> None:
    # All of it, for the challenger has seen none of it.
    candidate = decide(CHAMPION, num_seen=20, champion=3.0)
    kept = pd.read_parquet(io.BytesIO(candidate.files[REFERENCE]))
    columns = ["label", "probability", "confidence", "num_words", "num_known_words"]
    assert kept.columns.tolist() == columns
    assert len(kept) == 200


def test_labels_that_are_kept_follow_the_probability(decide: Callable[..., Candidate]) -> None:
    # All of it, for the challenger has seen none of it.
    candidate = decide(CHAMPION, num_seen=20, champion=3.0)
    kept = pd.read_parquet(io.BytesIO(candidate.files[REFERENCE]))
    assert (kept["label"] == "positive").mean() == pytest.approx((kept["probability"] > 0.5).mean())


def test_run_tells_how_many_reviews_of_which_days() -> None:
    table = pd.DataFrame(
        {
            "group": ["a", "a", "b"],
            "time": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-03"]),
        }
    )
    profile = {"num_reviews": {"train": 2, "test": 1}}
    sentiment = {"source": {"path": "my.csv"}}
    spec = RetrainSentimentSpec.model_validate({"policy": {}, "budget": {}})
    assert describe_run(table, profile, sentiment, spec, 0.0)["data"] == {
        "source": "my.csv",
        "num_reviews": 3,
        "num_groups": 2,
        "first": "2024-01-01 00:00:00",
        "last": "2024-01-03 00:00:00",
    }
