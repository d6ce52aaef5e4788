"""Each rule of the verdict on scored texts and its border; it never says how many scores are right."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rnn_pipelines.champion.verdict import Verdict
from rnn_pipelines.sentiment.evaluation.drift import compare_scores
from rnn_pipelines.sentiment.methods.tables import ReferenceTable, make_empty
from rnn_pipelines.sentiment.operations.monitoring import (
    Difference,
    MonitorSentimentSpec,
    SentimentEvidence,
    judge_scores,
    monitor_scores,
)

NONE = Difference(newest=0.5, reference=0.5, effect=0.0, p_value=1.0)
MEASURES = ("positive", "unknown_label", "confidence", "unknown_words", "num_words")
WELL = SentimentEvidence((), 500, 1000, dict.fromkeys(MEASURES, NONE))
NOT_FINITE = [math.nan, math.inf, -math.inf]


def judge(evidence: SentimentEvidence, **options: Any) -> Verdict:
    return judge_scores(evidence, MonitorSentimentSpec(**options))


def differ(measure: str, **changes: float) -> SentimentEvidence:
    return replace(WELL, differences={**WELL.differences, measure: replace(NONE, p_value=1e-9, **changes)})


def test_texts_like_the_test_reviews_are_ok_and_accuracy_is_not_known() -> None:
    assert judge(WELL) == Verdict(
        "ok",
        (
            "500 scored texts are like the 1,000 held-out reviews in all that can be measured without labels; how many "
            "scores are right is not known",
        ),
    )


def test_nothing_scored_is_ok_and_says_so() -> None:
    verdict = judge(replace(WELL, num_texts=0, differences={}))
    assert verdict == Verdict("ok", ("no text was scored yet, and there is nothing to judge",))


def test_nothing_to_compare_with_is_an_alarm() -> None:
    assert judge(replace(WELL, num_reference=0, differences={})).verdict == "alarm"


@pytest.mark.parametrize("num_texts", [0, 500])
def test_alarms_of_the_store_are_alarms(num_texts: int) -> None:
    verdict = judge(replace(WELL, alarms=("v2: damaged",), num_texts=num_texts))
    assert verdict == Verdict("alarm", ("v2: damaged",))


@pytest.mark.parametrize(("num_texts", "verdict"), [(99, "ok"), (100, "alarm")])
def test_few_texts_decide_nothing(num_texts: int, verdict: str) -> None:
    assert judge(replace(differ("confidence", effect=0.9), num_texts=num_texts)).verdict == verdict


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("effect", "verdict"), [(0.4999, "ok"), (0.5, "retrain"), (0.7999, "retrain"), (0.8, "alarm")])
def test_share_counts_from_its_limits_on(effect: float, verdict: str, sign: int) -> None:
    assert judge(differ("positive", effect=sign * effect)).verdict == verdict


@pytest.mark.parametrize(("effect", "verdict"), [(0.1999, "ok"), (0.2, "retrain"), (0.4999, "retrain"), (0.5, "alarm")])
def test_distance_counts_from_its_limits_on(effect: float, verdict: str) -> None:
    assert judge(differ("confidence", effect=effect)).verdict == verdict


@pytest.mark.parametrize(("p_value", "verdict"), [(0.002, "alarm"), (0.0021, "ok")])
def test_five_measures_share_the_significance(p_value: float, verdict: str) -> None:
    differences = {**WELL.differences, "confidence": replace(NONE, effect=0.9, p_value=p_value)}
    assert judge(replace(WELL, differences=differences)).verdict == verdict


def test_reason_says_what_differs() -> None:
    verdict = judge(differ("num_words", newest=14.2, reference=177.1, effect=0.3))
    assert verdict == Verdict(
        "retrain",
        (
            "the texts have changed, label some and retrain: the length of the texts is 14 words, in the held-out "
            "reviews 177 words (distance 0.30, p < 0.0001)",
        ),
    )


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("name", ["newest", "reference", "effect", "p_value"])
def test_number_that_is_none_is_an_alarm(name: str, value: float) -> None:
    differences = {**WELL.differences, "num_words": replace(NONE, **{name: value})}
    assert judge(replace(WELL, differences=differences)).verdict == "alarm"


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(found=st.builds(Difference, numbers, numbers, numbers, numbers), num_texts=st.integers(1, 300))
def test_no_evidence_with_a_number_that_is_none_is_ok(found: Difference, num_texts: int) -> None:
    verdict = judge(replace(WELL, num_texts=num_texts, differences={**WELL.differences, "positive": found}))
    if not all(map(math.isfinite, (found.newest, found.reference, found.effect, found.p_value))):
        assert verdict.verdict == "alarm"


@pytest.mark.parametrize(
    "options",
    [{"retrain_distance": 0.6}, {"retrain_share_effect": 0.9}, {"min_texts": 0}, {"valid_days": 0}, {"typo": 1}],
)
def test_limits_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MonitorSentimentSpec(**options)


# From the scores to the verdict

NOTHING = make_empty(ReferenceTable)


def make_scores(num: int = 300, seed: int = 0, words: int = 50) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    probability, num_words = random.random(num), random.integers(1, words, num)
    label = np.where(probability > 0.5, "positive", "negative")
    return pd.DataFrame(
        {"label": label, "probability": probability, "num_words": num_words, "num_known_words": num_words}
    )


def monitor(scores: pd.DataFrame, reference: pd.DataFrame | None = None) -> dict[str, Any]:
    reference = make_scores(seed=1) if reference is None else reference
    return monitor_scores(compare_scores(scores, reference), {"alarms": []}, MonitorSentimentSpec())


def test_scores_of_the_same_kind_are_ok() -> None:
    found = monitor(make_scores())
    assert (found["verdict"], found["num_texts"], found["num_reference"]) == ("ok", 300, 300)
    assert [row["measure"] for row in found["measures"]] == list(MEASURES)


def test_scores_of_longer_texts_are_an_alarm() -> None:
    assert monitor(make_scores(words=500))["verdict"] == "alarm"


def test_no_scores_and_no_reference_are_told_apart() -> None:
    assert monitor(NOTHING)["verdict"] == "ok"
    assert monitor(NOTHING, NOTHING)["verdict"] == "ok"
    assert monitor(make_scores(), NOTHING)["verdict"] == "alarm"


@pytest.mark.parametrize("column", list(ReferenceTable.columns))
def test_score_that_is_no_number_is_an_alarm(column: str) -> None:
    scores = make_scores().astype({column: "object"})
    scores.loc[3, column] = np.nan
    assert monitor(scores)["verdict"] == "alarm"


def test_what_it_cannot_know_stands_beside_every_verdict() -> None:
    for scores in (NOTHING, make_scores(), make_scores(words=500)):
        assert "nothing here says how many scores are right" in monitor(scores)["cannot_know"]


def test_all_of_it_is_json() -> None:
    for scores in (NOTHING, make_scores()):
        found = monitor(scores)
        assert json.loads(json.dumps(found, allow_nan=False)) == found
