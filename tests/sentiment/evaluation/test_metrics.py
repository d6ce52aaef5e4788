"""Every metric of a classifier equals an independent computation; a logit above 0 is positive."""

import json
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, roc_auc_score

from rnn_pipelines.sentiment.evaluation.metrics import (
    compare_errors,
    evaluate_classifiers,
    measure_by_group,
    measure_classifier,
    tabulate_calibration,
)
from rnn_pipelines.sentiment.methods.logits import measure_log_loss, to_probability
from rnn_pipelines.sentiment.methods.tables import PredictionsTable

CLASSIFIERS = ["lstm", "gru", "pointwise", "ensemble", "nb_ngram", "lstm_alone"]
RECORDS = {
    name: {"training_seconds": seconds, "num_parameters": 10 * seconds, "layers": []}
    for seconds, name in enumerate(["lstm", "gru", "pointwise", "nb_ngram"], start=1)
}


def make_predictions(num_texts: int = 200) -> pd.DataFrame:
    """Random labels and logits that know something of them."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, num_texts)
    table = pd.DataFrame(
        {
            "review_id": [f"test/{number}" for number in range(num_texts)],
            "label": pd.array(labels, dtype="Int8"),
            "rating": pd.array(np.where(labels == 1, 7, 1) + random.integers(0, 4, num_texts), dtype="Int8"),
            "num_words": random.integers(1, 1500, num_texts),
        }
    )
    return table.assign(**{name: random.normal(2 * labels - 1, 1.5) for name in CLASSIFIERS})


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    return make_predictions()


@pytest.fixture(scope="module")
def labels(predictions: pd.DataFrame) -> np.ndarray:
    return predictions["label"].to_numpy(int)


@pytest.fixture(scope="module")
def logits(predictions: pd.DataFrame) -> np.ndarray:
    return predictions["gru"].to_numpy()


@pytest.fixture(scope="module")
def measured(labels: np.ndarray, logits: np.ndarray) -> dict:
    return measure_classifier(labels, logits)


# Probabilities


def test_probability_is_the_logistic_function_of_the_logit() -> None:
    logits = np.linspace(-30, 30, 61)
    np.testing.assert_allclose(to_probability(logits), 1 / (1 + np.exp(-logits)), rtol=1e-12)


def test_probability_of_extreme_logits_is_0_or_1() -> None:
    assert to_probability(np.array([-1e6, 0, 1e6], np.float32)).tolist() == [0.0, 0.5, 1.0]


# One classifier


def test_accuracy_equals_scikit_learns(measured: dict, labels: np.ndarray, logits: np.ndarray) -> None:
    assert measured["accuracy"] == accuracy_score(labels, logits > 0)


def test_interval_of_accuracy_is_wilsons(measured: dict, labels: np.ndarray) -> None:
    """Wilson (1927): (p + z² / 2n ± z · √(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
    p, n, z = measured["accuracy"], len(labels), 1.959963984540054
    centre, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    expected = [(centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)]
    assert [measured["accuracy_low"], measured["accuracy_high"]] == pytest.approx(expected, rel=1e-9)


def test_f1_is_that_of_the_positive_class(measured: dict, labels: np.ndarray, logits: np.ndarray) -> None:
    assert measured["f1"] == pytest.approx(f1_score(labels, logits > 0), rel=1e-12)


def test_roc_auc_is_the_share_of_pairs_in_the_right_order(
    measured: dict, labels: np.ndarray, logits: np.ndarray
) -> None:
    pairs = logits[labels == 1][:, None] > logits[labels == 0][None, :]
    assert measured["roc_auc"] == pytest.approx(pairs.mean(), rel=1e-12)
    assert measured["roc_auc"] == pytest.approx(roc_auc_score(labels, logits), rel=1e-12)


def test_log_loss_equals_scikit_learns(measured: dict, labels: np.ndarray, logits: np.ndarray) -> None:
    assert measured["log_loss"] == pytest.approx(log_loss(labels, 1 / (1 + np.exp(-logits))), rel=1e-12)


def test_log_loss_of_a_sure_mistake_is_its_logit() -> None:
    assert measure_log_loss(np.array([0, 1]), np.array([1000, -1000], np.float32)) == 1000


def test_confusion_matrix_equals_scikit_learns(measured: dict, labels: np.ndarray, logits: np.ndarray) -> None:
    names = ("true_negative", "false_positive", "false_negative", "true_positive")
    assert [measured[name] for name in names] == confusion_matrix(labels, logits > 0).ravel().tolist()


def test_false_positive_is_a_negative_text_taken_for_positive() -> None:
    found = measure_classifier(np.array([0, 0, 1]), np.array([1.0, -1.0, 1.0]))
    assert (found["false_positive"], found["false_negative"]) == (1, 0)


def test_logit_0_is_negative() -> None:
    assert measure_classifier(np.array([0, 1]), np.zeros(2))["true_negative"] == 1


# Calibration


def compute_bins(labels: np.ndarray, logits: np.ndarray) -> list[tuple[float, float, int]]:
    """Confidence, accuracy and size of the bins 0.5 to 0.55, 0.55 to 0.6 and so on, text by text."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for label, logit in zip(labels, logits, strict=True):
        positive = 1 / (1 + np.exp(-logit))
        confidence = max(positive, 1 - positive)
        place = next(place for place in range(10) if confidence < 0.55 + 0.05 * place or place == 9)
        bins.setdefault(place, []).append((confidence, (positive > 0.5) == (label == 1)))
    return [(*np.mean(bins[place], axis=0), len(bins[place])) for place in sorted(bins)]


def test_calibration_is_accuracy_by_confidence(labels: np.ndarray, logits: np.ndarray) -> None:
    table = tabulate_calibration(labels, logits)
    assert list(table.columns) == ["confidence", "accuracy", "num_texts"]
    np.testing.assert_allclose(table.to_numpy(float), compute_bins(labels, logits), rtol=1e-9)


def test_calibration_error_is_the_mean_gap_over_all_texts(
    measured: dict, labels: np.ndarray, logits: np.ndarray
) -> None:
    expected = sum(abs(a - c) * size for c, a, size in compute_bins(labels, logits)) / len(labels)
    assert measured["calibration_error"] == pytest.approx(expected, rel=1e-9)


def test_confidence_is_that_of_the_predicted_class() -> None:
    table = tabulate_calibration(np.array([0, 1]), np.array([-2.0, 2.0]))
    assert (len(table), table["accuracy"].tolist()) == (1, [1.0])
    assert table["confidence"].tolist() == pytest.approx([1 / (1 + np.exp(-2))])


def test_bin_without_a_text_has_no_row() -> None:
    table = tabulate_calibration(np.array([1, 1]), np.array([0.01, 10.0]))
    assert table["num_texts"].tolist() == [1, 1]


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(-40, 40)), min_size=1, max_size=40))
def test_every_text_is_in_one_bin(texts: list[tuple[int, float]]) -> None:
    labels, logits = (np.array(column) for column in zip(*texts, strict=True))
    table = tabulate_calibration(labels, logits)
    assert table["num_texts"].sum() == len(texts)
    assert table["confidence"].between(0.5, 1).all()


# One against another


def test_p_value_is_mcnemars_exact_one() -> None:
    """1 text is right with the reference alone, 6 with the other: 2 · P(at most 1 of 7) by tossing a coin."""
    labels = np.ones(12)
    logits = np.array([-1] + [1] * 6 + [1] * 3 + [-1] * 2)
    reference = np.array([1] + [-1] * 6 + [1] * 3 + [-1] * 2)
    found = compare_errors(labels, logits, reference)
    assert found == {
        "only_reference_wrong": 6,
        "only_this_wrong": 1,
        "p_value": pytest.approx(2 * (comb(7, 0) + comb(7, 1)) / 2**7, rel=1e-12),
    }


def test_texts_on_which_both_are_wrong_do_not_count(labels: np.ndarray, logits: np.ndarray) -> None:
    assert compare_errors(labels, logits, logits) == {"only_reference_wrong": 0, "only_this_wrong": 0, "p_value": 1.0}


def test_as_many_mistakes_of_either_are_no_difference() -> None:
    found = compare_errors(np.array([1, 1, 0, 0]), np.array([1, -1, 1, -1.0]), np.array([-1, 1, -1, 1.0]))
    assert (found["only_this_wrong"], found["only_reference_wrong"], found["p_value"]) == (2, 2, 1.0)


def test_comparison_says_who_was_wrong() -> None:
    found = compare_errors(np.array([0]), np.array([-1.0]), np.array([1.0]))
    assert (found["only_reference_wrong"], found["only_this_wrong"]) == (1, 0)


# All of them


@pytest.fixture(scope="module")
def evaluated(predictions: pd.DataFrame) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    return evaluate_classifiers(predictions, **RECORDS)


def test_classifiers_are_those_that_are_registered(predictions: pd.DataFrame) -> None:
    assert PredictionsTable.list_classifiers(predictions.assign(some_column=1.0)) == CLASSIFIERS


def test_metrics_are_those_of_each_classifier(evaluated: tuple, predictions: pd.DataFrame, labels: np.ndarray) -> None:
    for name in CLASSIFIERS:
        expected = measure_classifier(labels, predictions[name].to_numpy())
        assert {key: evaluated[0][name][key] for key in expected} == expected


def test_every_network_is_compared_with_the_ngram_classifier(
    evaluated: tuple, predictions: pd.DataFrame, labels: np.ndarray
) -> None:
    for name in CLASSIFIERS:
        expected = compare_errors(labels, predictions[name].to_numpy(), predictions["nb_ngram"].to_numpy())
        assert evaluated[0][name].get("against_nb_ngram") == (None if name == "nb_ngram" else expected)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("lstm", 1), ("gru", 2), ("pointwise", 3), ("nb_ngram", 4), ("ensemble", 3), ("lstm_alone", 1)],
)
def test_costs_are_those_of_the_networks_that_take_part(evaluated: tuple, name: str, seconds: int) -> None:
    costs = {cost: evaluated[0][name][cost] for cost in ("training_seconds", "num_parameters")}
    assert costs == {"training_seconds": seconds, "num_parameters": 10 * seconds}


def test_metrics_are_plain_json(evaluated: tuple) -> None:
    assert json.loads(json.dumps(evaluated[0])) == evaluated[0]


def test_calibration_is_that_of_each_classifier(
    evaluated: tuple, predictions: pd.DataFrame, labels: np.ndarray
) -> None:
    for name, table in evaluated[2].groupby("classifier", sort=False):
        expected = tabulate_calibration(labels, predictions[name].to_numpy())
        pd.testing.assert_frame_equal(table.drop(columns="classifier").reset_index(drop=True), expected)
    assert evaluated[2]["classifier"].unique().tolist() == CLASSIFIERS


def test_predictions_are_not_changed(predictions: pd.DataFrame) -> None:
    before = predictions.copy()
    evaluate_classifiers(predictions, **RECORDS)
    pd.testing.assert_frame_equal(predictions, before)


# By group


@pytest.mark.parametrize("name", ["gru", "nb_ngram"])
@pytest.mark.parametrize(
    ("group", "low", "high"),
    [("up to 100", 0, 100), ("101 to 200", 101, 200), ("201 to 400", 201, 400), ("401 to 800", 401, 800),
     ("over 800", 801, 10**9)],
)  # fmt: skip
def test_accuracy_by_length_is_that_of_the_texts_of_this_length(
    evaluated: tuple, predictions: pd.DataFrame, name: str, group: str, low: int, high: int
) -> None:
    rows = predictions[predictions["num_words"].between(low, high)]
    table = evaluated[1].set_index(["classifier", "by", "group"])
    found = table.loc[(name, "length", group)]
    assert found["accuracy"] == pytest.approx(accuracy_score(rows["label"].astype(int), rows[name] > 0), rel=1e-12)
    assert found["num_texts"] == len(rows)


@pytest.mark.parametrize("rating", [1, 10])
def test_accuracy_by_rating_is_that_of_the_texts_with_this_rating(
    evaluated: tuple, predictions: pd.DataFrame, rating: int
) -> None:
    rows = predictions[predictions["rating"] == rating]
    found = evaluated[1].set_index(["classifier", "by", "group"]).loc[("gru", "rating", str(rating))]
    assert found["accuracy"] == pytest.approx(accuracy_score(rows["label"].astype(int), rows["gru"] > 0), rel=1e-12)
    assert found["num_texts"] == len(rows)


@pytest.mark.parametrize("limit", [100, 800])
def test_length_at_a_limit_belongs_to_the_group_that_ends_there(limit: int) -> None:
    table = measure_by_group(make_predictions(2).assign(num_words=[limit, limit + 1], rating=pd.NA))
    groups = table.loc[table["classifier"] == "gru", "group"].tolist()
    assert (groups[0].endswith(f" {limit}"), len(groups)) == (True, 2)


def test_empty_text_is_in_the_group_of_the_shortest() -> None:
    table = measure_by_group(make_predictions(2).assign(num_words=0))
    assert table.loc[table["by"] == "length", "group"].unique().tolist() == ["up to 100"]


def test_groups_without_a_text_have_no_row() -> None:
    table = measure_by_group(make_predictions(3).assign(num_words=[1, 2, 900], rating=pd.array([1, 1, 9], "Int8")))
    groups = table.loc[table["classifier"] == "gru", ["by", "group", "num_texts"]].to_numpy().tolist()
    assert groups == [["length", "up to 100", 2], ["length", "over 800", 1], ["rating", "1", 2], ["rating", "9", 1]]


def test_without_ratings_there_are_none_in_the_groups() -> None:
    table = measure_by_group(make_predictions(5).assign(rating=pd.array([pd.NA] * 5, "Int8")))
    assert table["by"].unique().tolist() == ["length"]


def test_texts_without_a_rating_are_left_out_of_its_groups() -> None:
    table = measure_by_group(make_predictions(3).assign(rating=pd.array([1, pd.NA, 1], "Int8")))
    assert table.loc[table["by"] == "rating", "num_texts"].unique().tolist() == [2]


def test_classifier_that_finds_nothing_positive_is_measured() -> None:
    found = measure_classifier(np.array([0, 1]), np.array([-1.0, -1.0]))
    assert (found["accuracy"], found["f1"], found["true_positive"]) == (0.5, 0.0, 0)
