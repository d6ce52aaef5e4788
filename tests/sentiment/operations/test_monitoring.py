"""Each rule of the verdict on scored texts, and its border."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rnn_pipelines.sentiment.evaluation.drift import MEASURES, compare_scores
from rnn_pipelines.sentiment.methods.tables import TextReferenceTable
from rnn_pipelines.sentiment.operations.monitoring import MonitorSentimentSpec, monitor_scores

NAMES = ["share of positive", *MEASURES]
ALIKE = pd.DataFrame({"measure": NAMES, "reference": 0.5, "newest": 0.5}).assign(
    num_reference=1000, num_newest=500, effect=0.0, p_value=1.0
)

SHARES = ((0.4999, "ok"), (0.5, "retrain"), (0.7999, "retrain"), (0.8, "alarm"))
DISTANCES = ((0.1999, "ok"), (0.2, "retrain"), (0.4999, "retrain"), (0.5, "alarm"))


def conclude(measures: pd.DataFrame, alarms: tuple[str, ...] = ()) -> dict[str, Any]:
    return dict(monitor_scores(measures, {"alarms": list(alarms)}, MonitorSentimentSpec()))


def differ(measure: str, **changes: float) -> pd.DataFrame:
    """Return the measures of texts that differ in one of them, significantly."""
    table = ALIKE.copy()
    for name, value in {"p_value": 1e-9, **changes}.items():
        table.loc[table["measure"] == measure, name] = value
    return table


def test_alike_texts_are_ok() -> None:
    assert conclude(ALIKE)["verdict"] == "ok"


def test_a_reason_has_the_figures_of_its_measure() -> None:
    (reason,) = conclude(differ("num_words", newest=14.2, reference=177.1, effect=0.3))["reasons"]
    assert all(fact in reason for fact in ("14 words", "177 words", "0.30", "p < 0.0001"))


def test_the_monitor_counts_texts() -> None:
    found = monitor(make_scores())
    assert (found["verdict"], found["num_texts"], found["num_reference"]) == ("ok", 300, 300)


def test_the_monitor_has_every_measure() -> None:
    found = monitor(make_scores())
    assert [row["measure"] for row in found["measures"]] == NAMES


def test_other_texts_are_an_alarm() -> None:
    assert monitor(make_scores(words=500))["verdict"] == "alarm"


def test_the_monitor_is_strict_json() -> None:
    for scores in (NOTHING, make_scores()):
        found = monitor(scores)
        assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("num_newest", "num_reference", "verdict"), [(0, 1000, "ok"), (0, 0, "ok"), (500, 0, "alarm")]
)
def test_texts_without_a_reference_are_an_alarm(
    num_newest: int, num_reference: int, verdict: str
) -> None:
    assert (
        conclude(ALIKE.assign(num_newest=num_newest, num_reference=num_reference))["verdict"]
        == verdict
    )


@pytest.mark.parametrize("num_texts", [0, 500])
def test_alarms_of_the_store_are_alarms(num_texts: int) -> None:
    found = conclude(ALIKE.assign(num_newest=num_texts), alarms=("v2: damaged",))
    assert (found["verdict"], found["reasons"]) == ("alarm", ["v2: damaged"])


@pytest.mark.parametrize(("num_texts", "verdict"), [(99, "ok"), (100, "alarm")])
def test_few_texts_are_not_compared(num_texts: int, verdict: str) -> None:
    assert (
        conclude(differ("confidence", effect=0.9).assign(num_newest=num_texts))["verdict"]
        == verdict
    )


@pytest.mark.parametrize(
    ("measure", "effect", "verdict"),
    [
        *(
            ("share of positive", sign * effect, level)
            for sign in (1, -1)
            for effect, level in SHARES
        ),
        *(("confidence", effect, level) for effect, level in DISTANCES),
    ],
)
def test_effects_count_from_their_limits_on(measure: str, effect: float, verdict: str) -> None:
    assert conclude(differ(measure, effect=effect))["verdict"] == verdict


@pytest.mark.parametrize(("p_value", "verdict"), [(0.002, "alarm"), (0.0021, "ok")])
def test_five_measures_share_the_significance(p_value: float, verdict: str) -> None:
    assert conclude(differ("confidence", effect=0.9, p_value=p_value))["verdict"] == verdict


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(values=st.tuples(numbers, numbers, numbers, numbers), num_texts=st.integers(1, 300))
def test_number_that_is_not_finite_is_an_alarm(values: tuple[float, ...], num_texts: int) -> None:
    changes = dict(zip(("newest", "reference", "effect", "p_value"), values, strict=True))
    found = conclude(differ("share of positive", **changes).assign(num_newest=num_texts))
    if not all(map(math.isfinite, values)):
        assert found["verdict"] == "alarm"


@pytest.mark.parametrize(
    "options",
    [
        {"retrain_distance": 0.6},
        {"retrain_share_effect": 0.9},
        {"min_texts": 0},
        {"valid_days": 0},
        {"typo": 1},
    ],
)
def test_limits_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MonitorSentimentSpec(**options)


NOTHING = TextReferenceTable.make_empty()


def make_scores(num: int = 300, seed: int = 0, words: int = 50) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    probability = random.random(num)
    num_words = random.integers(1, words, num)
    label = np.where(probability > 0.5, "positive", "negative")
    return pd.DataFrame(
        {
            "label": label,
            "confidence": np.maximum(probability, 1 - probability),
            "num_words": num_words,
            "num_known_words": num_words,
        }
    )


def monitor(scores: pd.DataFrame, reference: pd.DataFrame | None = None) -> dict[str, Any]:
    reference = make_scores(seed=1) if reference is None else reference
    return monitor_scores(compare_scores(scores, reference), {"alarms": []}, MonitorSentimentSpec())


@pytest.mark.parametrize("column", ["label", "confidence", "num_words", "num_known_words"])
def test_missing_score_is_an_alarm(column: str) -> None:
    scores = make_scores().astype({column: "object"})
    scores.loc[3, column] = np.nan
    assert monitor(scores)["verdict"] == "alarm"
