"""Scored texts are held against held-out reviews in what can be known without labels."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from rnn_pipelines.sentiment.evaluation.drift import (
    MEASURES,
    compare_scores,
    get_measure,
    list_drift_measures,
)
from rnn_pipelines.sentiment.methods.tables import (
    MeasuresTable,
    ScoredTextsTable,
    TextReferenceTable,
)
from rnn_pipelines.sentiment.operations.reference import (
    REFERENCE,
    describe_reference,
    pack_reference,
)
from rnn_pipelines.sentiment.text.encoding import encode_texts


def make_scores(
    num: int = 400, seed: int = 0, positive: float = 0.5, unknown: float = 0.0
) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    words = random.integers(1, 50, num)
    known = np.where(random.random(num) < unknown, 0, words - random.binomial(words - 1, 0.1))
    probability = np.where(
        random.random(num) < positive, 0.5 + random.random(num) / 2, 0.5 - random.random(num) / 2
    )
    label = np.where(known == 0, "unknown", np.where(probability > 0.5, "positive", "negative"))
    return pd.DataFrame(
        {
            "label": label,
            "probability": probability,
            "confidence": np.maximum(probability, 1 - probability),
            "num_words": words,
            "num_known_words": known,
        }
    )


def compare(newest: pd.DataFrame, reference: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return compare_scores(newest, reference).set_index("measure").to_dict(orient="index")


# Scores without a version, and the folder of a champion.
NO_VERSION = ScoredTextsTable.make_empty(), Path()


@pytest.fixture
def left() -> dict[str, Any]:
    """What `sentiment` leaves: four reviews, the last three of the test part, the last without a known word."""
    texts = ["a b c", "a b c d", "a x", "x y"]
    names = ["train/1", "test/1", "test/2", "test/3"]
    return {
        "predictions": pd.DataFrame(
            {
                "review_id": names[1:],
                "label": pd.Categorical.from_codes([1, 0, 1], ["negative", "positive"]),
                "rating": [None] * 3,
                "num_words": [4, 2, 2],
                "lstm": [2.0, -1.0, 3.0],
                "gru": [9.0, 9.0, 9.0],
            }
        ),
        "reviews": pd.DataFrame({"review_id": names, "text": texts}),
        "encoded": encode_texts(texts, ["a", "b", "c"]),
        "calibrations": {
            name: {"validation_log_loss": loss}
            for name, loss in (("lstm", 0.1), ("gru", 0.2), ("ensemble", 0.3))
        },
    }


@pytest.fixture
def of_test_part(left: dict[str, Any]) -> pd.DataFrame:
    return describe_reference(*NO_VERSION, **left)


def test_the_test_part_is_described_with_labels(of_test_part: pd.DataFrame) -> None:
    assert of_test_part["label"].tolist() == ["positive", "negative", "unknown"]


def test_the_test_part_is_described_with_probabilities(of_test_part: pd.DataFrame) -> None:
    assert of_test_part["probability"].tolist() == pytest.approx(
        [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(1)), 0.5]
    )


def test_the_test_part_is_described_with_words(of_test_part: pd.DataFrame) -> None:
    assert of_test_part[["num_words", "num_known_words"]].to_numpy().tolist() == [
        [4, 3],
        [2, 1],
        [2, 0],
    ]


def test_a_test_part_without_its_reviews_is_not_described(left: dict[str, Any]) -> None:
    assert describe_reference(*NO_VERSION, **left | {"reviews": left["reviews"].iloc[:3]}).empty


def test_a_test_part_of_other_reviews_is_not_described(left: dict[str, Any]) -> None:
    assert describe_reference(
        *NO_VERSION, **left | {"reviews": left["reviews"].assign(review_id=list("wxyz"))}
    ).empty


@pytest.mark.parametrize("missing", ["predictions", "reviews", "encoded", "calibrations"])
def test_there_is_no_reference_where_a_part_of_it_is_missing(
    left: dict[str, Any], missing: str
) -> None:
    assert describe_reference(*NO_VERSION, **left | {missing: None}).empty


@pytest.fixture
def described() -> pd.DataFrame:
    holdout = pd.DataFrame(
        {
            "label": pd.Categorical.from_codes([0, 0, 1], ["negative", "positive"]),
            "num_words": [4, 2, 2],
            "num_known_words": [3, 1, 0],
            "champion": [-9.0, 9.0, 9.0],
            "challenger": [2.0, -1.0, 0.0],
        }
    )
    return TextReferenceTable.validate(
        pd.read_parquet(io.BytesIO(pack_reference(holdout)[REFERENCE]))
    )


def test_the_holdout_is_described_with_labels_of_the_challenger(described: pd.DataFrame) -> None:
    assert described["label"].tolist() == ["positive", "negative", "unknown"]


def test_the_holdout_is_described_with_probabilities_of_the_challenger(
    described: pd.DataFrame,
) -> None:
    assert described["probability"].tolist() == pytest.approx(
        [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(1)), 0.5]
    )


def test_the_holdout_is_described_with_words(described: pd.DataFrame) -> None:
    assert described[["num_words", "num_known_words"]].to_numpy().tolist() == [
        [4, 3],
        [2, 1],
        [2, 0],
    ]


def test_no_reference_has_no_effects() -> None:
    found = compare(TextReferenceTable.make_empty(), make_scores())
    assert all(math.isnan(row["effect"]) and row["num_newest"] == 0 for row in found.values())


def test_values_are_those_of_each_text() -> None:
    scores = pd.DataFrame(
        {
            "label": ["positive", "negative", "unknown", "unknown"],
            "confidence": [0.9, 0.8, 0.5, 0.5],
            "num_words": [4, 10, 3, 0],
            "num_known_words": [4, 5, 0, 0],
        }
    )
    names = list_drift_measures(scores, scores)
    values = {name: get_measure(name).compute(scores).tolist() for name in names}
    assert values == {
        "share of positive": [1, 0],
        "unknown_label": [0, 0, 1, 1],
        "confidence": [0.9, 0.8, 0.5, 0.5],
        "unknown_words": [0, 0.5, 1],
        "num_words": [4, 10, 3, 0],
    }


def make_labels(*labels: str) -> pd.DataFrame:
    return make_scores(len(labels)).assign(label=list(labels))


def test_two_classes_have_the_measure_of_the_second_one() -> None:
    scores = make_labels("praise", "complaint", "unknown", "abstained")
    assert list_drift_measures(scores, scores) == ["share of praise", *MEASURES]


def test_three_classes_have_a_measure_each() -> None:
    newest, reference = make_labels("10", "9"), make_labels("9", "2")
    assert list_drift_measures(newest, reference) == [
        "share of 2",
        "share of 9",
        "share of 10",
        *MEASURES,
    ]


def test_class_may_have_the_name_of_another_measure() -> None:
    scores = make_labels("clarity", "confidence")
    table = compare_scores(scores, scores)
    assert MeasuresTable.validate(table) is table


def test_share_of_one_of_three_classes_is_that_of_texts_with_a_label() -> None:
    newest = make_labels("a", "b", "c", "c", "unknown", "abstained")
    table = compare(newest, make_labels("a", "b", "c"))
    assert [table[f"share of {name}"]["newest"] for name in "abc"] == [0.25, 0.25, 0.5]


def test_class_without_newest_texts_has_a_share_of_0() -> None:
    table = compare(make_labels("a", "b"), make_labels("a", "b", "c"))
    assert table["share of c"]["newest"] == 0


def test_the_effect_on_a_share_is_cohens_h() -> None:
    one = make_scores(300, 1, positive=0.62)
    other = make_scores(500, 2)
    found = compare(one, other)["share of positive"]
    shares = [(table["label"] == "positive").mean() for table in (one, other)]
    assert found["effect"] == pytest.approx(
        2 * math.asin(shares[0] ** 0.5) - 2 * math.asin(shares[1] ** 0.5)
    )


def test_the_p_value_of_a_share_is_near_that_of_the_chi_squared_test() -> None:
    one = make_scores(300, 1, positive=0.62)
    other = make_scores(500, 2)
    found = compare(one, other)["share of positive"]
    counts = [
        [(table["label"] == label).sum() for label in ("positive", "negative")]
        for table in (one, other)
    ]
    assert found["p_value"] == pytest.approx(chi2_contingency(counts).pvalue, rel=0.3)


def test_shares_are_those_of_the_labels() -> None:
    one = make_scores(300, 1, positive=0.62)
    other = make_scores(500, 2)
    found = compare(one, other)["share of positive"]
    shares = [(table["label"] == "positive").mean() for table in (one, other)]
    assert (found["newest"], found["reference"]) == pytest.approx(shares)


def test_the_effect_on_words_is_that_of_kolmogorov() -> None:
    one = make_scores(300, 1)
    other = make_scores(500, 2).assign(num_words=lambda table: 2 * table["num_words"])
    expected = ks_2samp(one["num_words"], other["num_words"])
    found = compare(one, other)["num_words"]
    assert found["effect"] == pytest.approx(expected.statistic)
    assert found["p_value"] < 1e-6


def test_words_are_compared_by_their_mean() -> None:
    one = make_scores(300, 1)
    other = make_scores(500, 2).assign(num_words=lambda table: 2 * table["num_words"])
    found = compare(one, other)["num_words"]
    assert found["newest"] == one["num_words"].mean()


def test_more_unknown_texts_have_a_positive_effect() -> None:
    assert compare(make_scores(unknown=0.3), make_scores())["unknown_label"]["effect"] > 0


@pytest.mark.parametrize(
    ("column", "measures"),
    [
        ("confidence", {"confidence"}),
        ("num_words", {"num_words"}),
        ("num_known_words", {"unknown_words"}),
        ("label", {"share of positive"}),
    ],
)
def test_score_that_is_no_number_leaves_no_effect(column: str, measures: set[str]) -> None:
    scores = make_scores()
    scores[column] = scores[column].astype("object")
    scores.loc[0, column] = np.nan
    found = compare(scores, make_scores(seed=1))
    assert {name for name, row in found.items() if math.isnan(row["effect"])} == measures
