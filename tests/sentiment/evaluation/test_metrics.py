"""Every metric of a classifier equals an independent computation; a logit above 0 is positive."""

import json
from math import comb
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, roc_auc_score

from rnn_pipelines.sentiment.evaluation.metrics import (
    compare_errors,
    evaluate_classifiers,
    measure_abstention,
    measure_by_group,
    measure_classifier,
    tabulate_calibration,
)
from rnn_pipelines.sentiment.methods.calibration import Calibration
from rnn_pipelines.sentiment.methods.logits import read_logits
from rnn_pipelines.sentiment.methods.tables import PredictionsTable

CLASSES = ["bad", "good"]
CLASSIFIERS = ["lstm", "gru", "pointwise", "ensemble", "nb_ngram", "lstm_alone"]
RECORDS: dict[str, dict[str, Any]] = {
    name: {"training_seconds": seconds, "num_parameters": 10 * seconds, "layers": []}
    for seconds, name in enumerate(["lstm", "gru", "pointwise", "nb_ngram"], start=1)
}
RECORDS["lstm"]["layers"] = [{"layer": "words"}, {"layer": "ngrams"}]
PARTS = {
    "lstm": ["lstm", "nb_ngram"],
    "gru": ["gru"],
    "pointwise": ["pointwise"],
    "ensemble": ["lstm", "gru", "nb_ngram"],
    "nb_ngram": ["nb_ngram"],
    "lstm_alone": ["lstm"],
}
CALIBRATIONS: dict[str, Calibration] = {
    name: {"weights": dict.fromkeys(parts, 1.0), "intercept": [0.0]}
    for name, parts in PARTS.items()
}


def make_predictions(num_texts: int = 200) -> pd.DataFrame:
    """Random labels and logits that know something of them."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, num_texts)
    table = pd.DataFrame(
        {
            "review_id": [f"test/{number}" for number in range(num_texts)],
            "label": pd.Categorical.from_codes(labels, CLASSES),
            "rating": pd.array(
                np.where(labels == 1, 7, 1) + random.integers(0, 4, num_texts), dtype="Int8"
            ),
            "num_words": random.integers(1, 1500, num_texts),
        }
    )
    return table.assign(**{name: random.normal(2 * labels - 1, 1.5) for name in CLASSIFIERS})


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    return make_predictions()


@pytest.fixture(scope="module")
def labels(predictions: pd.DataFrame) -> np.ndarray:
    return predictions["label"].cat.codes.to_numpy(int)


@pytest.fixture(scope="module")
def logits(predictions: pd.DataFrame) -> np.ndarray:
    return read_logits(predictions, "gru")


@pytest.fixture(scope="module")
def measured(labels: np.ndarray, logits: np.ndarray) -> dict:
    return measure_classifier(labels, logits, CLASSES)


def test_metrics_are_sklearns(measured: dict, labels: np.ndarray, logits: np.ndarray) -> None:
    predicted = logits[:, 0] > 0
    expected = {
        "accuracy": accuracy_score(labels, predicted),
        "f1": f1_score(labels, predicted),
        "macro_f1": f1_score(labels, predicted, average="macro"),
        "log_loss": log_loss(labels, 1 / (1 + np.exp(-logits[:, 0]))),
    }
    assert {name: measured[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_confusion_is_sklearns(measured: dict, labels: np.ndarray, logits: np.ndarray) -> None:
    assert measured["confusion"] == confusion_matrix(labels, logits[:, 0] > 0).tolist()


@pytest.fixture(scope="module")
def of_three() -> tuple[np.ndarray, np.ndarray]:
    """The numbers of three classes, and logits that know something of them."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 3, 150)
    return labels, random.normal(np.eye(3)[labels])


def test_metrics_of_three_classes_are_sklearns(of_three: tuple[np.ndarray, np.ndarray]) -> None:
    labels, logits = of_three
    predicted = logits.argmax(axis=1)
    expected = {
        "accuracy": accuracy_score(labels, predicted),
        "macro_f1": f1_score(labels, predicted, average="macro"),
        "log_loss": log_loss(labels, softmax(logits, axis=1)),
    }
    metrics = dict(measure_classifier(labels, logits, ["a", "b", "c"]))
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_confusion_of_three_classes_is_sklearns(of_three: tuple[np.ndarray, np.ndarray]) -> None:
    labels, logits = of_three
    metrics = measure_classifier(labels, logits, ["a", "b", "c"])
    assert metrics["confusion"] == confusion_matrix(labels, logits.argmax(axis=1)).tolist()


def test_abstention_is_the_accuracy_of_answers_at_least_so_sure(
    of_three: tuple[np.ndarray, np.ndarray],
) -> None:
    labels, logits = of_three
    probabilities = softmax(logits, axis=1)
    is_answered = probabilities.max(axis=1) >= 0.6
    is_right = (probabilities.argmax(axis=1) == labels)[is_answered]
    [row] = [row for row in measure_abstention(labels, logits) if row["abstain_below"] == 0.6]
    assert row == {
        "abstain_below": 0.6,
        "share": pytest.approx(is_answered.mean()),
        "accuracy": pytest.approx(is_right.mean()),
    }


def test_confidence_without_answers_has_no_accuracy() -> None:
    *_, row = measure_abstention(np.array([0]), np.zeros((1, 3)))
    assert row == {"abstain_below": 0.99, "share": 0.0, "accuracy": None}


def test_three_classes_have_no_metrics_of_a_second_class(
    of_three: tuple[np.ndarray, np.ndarray],
) -> None:
    assert {"f1", "roc_auc"} & set(measure_classifier(*of_three, ["a", "b", "c"])) == set()


def test_class_without_texts_is_left_out_of_macro_f1() -> None:
    metrics = measure_classifier(np.array([0, 1]), np.eye(3)[:2], ["a", "b", "c"])
    assert metrics["macro_f1"] == 1.0


def test_classes_that_are_numbers_have_a_mean_absolute_error() -> None:
    """The errors are 1, 7 and 0."""
    metrics = measure_classifier(np.array([0, 2, 1]), np.eye(3)[[1, 0, 1]], ["1", "2", "8"])
    assert metrics["mean_absolute_error"] == pytest.approx(8 / 3)


def test_classes_with_other_names_have_no_mean_absolute_error(
    of_three: tuple[np.ndarray, np.ndarray],
) -> None:
    assert "mean_absolute_error" not in measure_classifier(*of_three, ["1", "2", "nan"])


def test_interval_of_accuracy_is_wilsons(measured: dict, labels: np.ndarray) -> None:
    # Wilson (1927): (p + z² / 2n ± z · √(p(1−p)/n + z²/4n²)) / (1 + z²/n).
    p = measured["accuracy"]
    n = len(labels)
    z = 1.959963984540054
    centre = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    bounds = [(centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)]
    assert [measured["accuracy_low"], measured["accuracy_high"]] == pytest.approx(bounds, rel=1e-9)


def test_roc_auc_is_the_share_of_pairs_in_order(
    measured: dict, labels: np.ndarray, logits: np.ndarray
) -> None:
    pairs = logits[labels == 1] > logits[labels == 0].T
    assert measured["roc_auc"] == pytest.approx(pairs.mean(), rel=1e-12)


def test_roc_auc_is_sklearns(measured: dict, labels: np.ndarray, logits: np.ndarray) -> None:
    assert measured["roc_auc"] == pytest.approx(roc_auc_score(labels, logits[:, 0]), rel=1e-12)


@pytest.mark.parametrize(
    ("labels", "logits", "expected"),
    [
        ([0, 0, 1], [1.0, -1.0, 1.0], {"confusion": [[1, 1], [0, 1]]}),
        # A logit of 0 is of the first class.
        ([0, 1], [0.0, 0.0], {"confusion": [[1, 0], [1, 0]]}),
        ([0, 1], [-1.0, -1.0], {"accuracy": 0.5, "f1": 0.0, "confusion": [[1, 0], [1, 0]]}),
    ],
)
def test_logit_above_0_is_of_the_second_class(
    labels: list[int], logits: list[float], expected: dict[str, Any]
) -> None:
    metrics = measure_classifier(np.array(labels), np.array(logits)[:, None], CLASSES)
    assert expected.items() <= metrics.items()


def compute_bins(labels: np.ndarray, logits: np.ndarray) -> list[tuple[float, float, int]]:
    """Confidence, accuracy and size of the bins 0.5 to 0.55, 0.55 to 0.6 and so on, text by text."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for label, logit in zip(labels, logits[:, 0], strict=True):
        positive = 1 / (1 + np.exp(-logit))
        confidence = max(positive, 1 - positive)
        place = next(place for place in range(10) if confidence < 0.55 + 0.05 * place or place == 9)
        bins.setdefault(place, []).append((confidence, (positive > 0.5) == (label == 1)))
    return [(*np.mean(bins[place], axis=0), len(bins[place])) for place in sorted(bins)]


def test_calibration_is_accuracy_by_confidence(labels: np.ndarray, logits: np.ndarray) -> None:
    table = tabulate_calibration(labels, logits)
    assert list(table.columns) == ["confidence", "accuracy", "num_texts"]
    np.testing.assert_allclose(table.to_numpy(float), compute_bins(labels, logits), rtol=1e-9)


def test_calibration_error_weighs_bins_by_size(
    labels: np.ndarray, logits: np.ndarray, measured: dict
) -> None:
    expected = sum(abs(a - c) * size for c, a, size in compute_bins(labels, logits)) / len(labels)
    assert measured["calibration_error"] == pytest.approx(expected, rel=1e-9)


def test_equal_confidences_share_a_bin() -> None:
    table = tabulate_calibration(np.array([0, 1]), np.array([[-2.0], [2.0]]))
    assert (len(table), table["accuracy"].tolist()) == (1, [1.0])
    assert table["confidence"].tolist() == pytest.approx([1 / (1 + np.exp(-2))])


def test_extreme_confidences_have_bins() -> None:
    table = tabulate_calibration(np.array([1, 1]), np.array([[0.01], [40.0]]))
    assert table["num_texts"].tolist() == [1, 1]


def test_confidence_of_three_classes_begins_at_a_third() -> None:
    table = tabulate_calibration(np.array([0]), np.array([[0.0, 0.0, -0.01]]))
    assert table["confidence"][0] == pytest.approx(1 / 3, abs=0.01)


def test_perfectly_calibrated_sample_has_no_calibration_error() -> None:
    """Of four texts with the confidence 3/4, three are right; of two with 1/2, one."""
    sure, unsure = np.log([[6.0, 1.0, 1.0]] * 4), np.log([[2.0, 1.0, 1.0]] * 2)
    labels = np.array([0, 0, 0, 1, 0, 2])
    metrics = measure_classifier(labels, np.concatenate([sure, unsure]), ["a", "b", "c"])
    assert metrics["calibration_error"] == pytest.approx(0, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(-40, 40)), min_size=1, max_size=40))
def test_every_text_is_in_one_bin(texts: list[tuple[int, float]]) -> None:
    labels, logits = (np.array(column) for column in zip(*texts, strict=True))
    table = tabulate_calibration(labels, logits[:, None])
    assert table["num_texts"].sum() == len(texts)
    assert table["confidence"].between(0.5, 1).all()


@pytest.mark.parametrize(
    ("labels", "logits", "reference", "only_reference_wrong", "only_this_wrong", "p_value"),
    [
        # 1 text is right with the reference alone, 6 with the other: 2 · P(at most 1 of 7) by tossing a coin.
        (
            [1] * 12,
            [-1] + [1] * 6 + [1] * 3 + [-1] * 2,
            [1] + [-1] * 6 + [1] * 3 + [-1] * 2,
            6,
            1,
            2 * (comb(7, 0) + comb(7, 1)) / 2**7,
        ),
        # Texts on which both are wrong do not count, and as many mistakes of either are no difference.
        ([1, 0, 1], [-1, 1, 1], [-1, 1, 1], 0, 0, 1.0),
        ([1, 1, 0, 0], [1, -1, 1, -1], [-1, 1, -1, 1], 2, 2, 1.0),
        ([0], [-1], [1], 1, 0, 1.0),
    ],
)
def test_p_value_is_mcnemars_exact_one(
    *,
    labels: list[int],
    logits: list[int],
    reference: list[int],
    only_reference_wrong: int,
    only_this_wrong: int,
    p_value: float,
) -> None:
    columns = (np.array(values, float)[:, None] for values in (logits, reference))
    assert compare_errors(np.array(labels), *columns) == {
        "only_reference_wrong": only_reference_wrong,
        "only_this_wrong": only_this_wrong,
        "p_value": pytest.approx(p_value, rel=1e-12),
    }


@pytest.fixture(scope="module")
def evaluated(predictions: pd.DataFrame) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    return evaluate_classifiers(predictions, CALIBRATIONS, **RECORDS)


def test_metrics_are_those_of_each_classifier(
    evaluated: tuple, predictions: pd.DataFrame, labels: np.ndarray
) -> None:
    for name in CLASSIFIERS:
        expected = dict(measure_classifier(labels, read_logits(predictions, name), CLASSES))
        if name != "nb_ngram":
            pair = read_logits(predictions, name), read_logits(predictions, "nb_ngram")
            expected["against_nb_ngram"] = compare_errors(labels, *pair)
        others = ("training_seconds", "num_parameters", "reads")
        assert {
            key: value for key, value in evaluated[0][name].items() if key not in others
        } == expected


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("nb_ngram", "n-grams"),
        ("lstm", "n-grams"),
        ("ensemble", "n-grams"),
        ("lstm_alone", "words and n-gram weights"),
        ("gru", "words alone"),
    ],
)
def test_metrics_name_what_a_classifier_reads(evaluated: tuple, name: str, reads: str) -> None:
    assert evaluated[0][name]["reads"] == reads


def test_metrics_name_the_classes(evaluated: tuple) -> None:
    assert evaluated[0]["classes"] == CLASSES


def test_metrics_are_json(evaluated: tuple) -> None:
    assert json.loads(json.dumps(evaluated[0])) == evaluated[0]


def test_calibration_is_tabulated_for_each_classifier(
    evaluated: tuple, predictions: pd.DataFrame, labels: np.ndarray
) -> None:
    for name, table in evaluated[2].groupby("classifier", sort=False):
        expected = tabulate_calibration(labels, read_logits(predictions, name))
        pd.testing.assert_frame_equal(
            table.drop(columns="classifier").reset_index(drop=True), expected
        )
    assert evaluated[2]["classifier"].unique().tolist() == CLASSIFIERS


def test_evaluating_does_not_change_the_predictions(predictions: pd.DataFrame) -> None:
    before = predictions.copy()
    evaluate_classifiers(predictions, CALIBRATIONS, **RECORDS)
    pd.testing.assert_frame_equal(predictions, before)


def test_other_columns_are_no_classifiers(predictions: pd.DataFrame) -> None:
    assert PredictionsTable.list_models(predictions.assign(some_column=1.0)) == CLASSIFIERS


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("lstm", 1),
        ("gru", 2),
        ("pointwise", 3),
        ("nb_ngram", 4),
        ("ensemble", 3),
        ("lstm_alone", 1),
    ],
)
def test_costs_are_those_of_the_networks_that_take_part(
    evaluated: tuple, name: str, seconds: int
) -> None:
    costs = {cost: evaluated[0][name][cost] for cost in ("training_seconds", "num_parameters")}
    assert costs == {"training_seconds": seconds, "num_parameters": 10 * seconds}


LENGTHS = {
    "up to 100": (0, 100),
    "101 to 200": (101, 200),
    "201 to 400": (201, 400),
    "401 to 800": (401, 800),
}
LENGTHS["over 800"] = 801, 10**9


@pytest.mark.parametrize("name", ["gru", "nb_ngram"])
@pytest.mark.parametrize(
    ("by", "group", "low", "high"),
    [
        *(("length", group, *limits) for group, limits in LENGTHS.items()),
        *(("rating", str(rating), rating, rating) for rating in (1, 10)),
    ],
)
def test_accuracy_by_group_is_that_of_its_texts(
    *,
    evaluated: tuple,
    predictions: pd.DataFrame,
    name: str,
    by: str,
    group: str,
    low: int,
    high: int,
) -> None:
    rows = predictions[predictions["num_words" if by == "length" else "rating"].between(low, high)]
    found = evaluated[1].set_index(["classifier", "by", "group"]).loc[(name, by, group)]
    assert found["accuracy"] == pytest.approx(
        accuracy_score(rows["label"] == "good", rows[name] > 0), rel=1e-12
    )
    assert found["num_texts"] == len(rows)


@pytest.mark.parametrize(
    ("num_words", "rating", "expected"),
    [
        # A length at a limit belongs to the group that ends there.
        ([100, 101], [pd.NA] * 2, [["length", "up to 100", 1], ["length", "101 to 200", 1]]),
        ([800, 801], [pd.NA] * 2, [["length", "401 to 800", 1], ["length", "over 800", 1]]),
        ([0, 0], [pd.NA] * 2, [["length", "up to 100", 2]]),
        (
            [1, 2, 900],
            [1, 1, 9],
            [
                ["length", "up to 100", 2],
                ["length", "over 800", 1],
                ["rating", "1", 2],
                ["rating", "9", 1],
            ],
        ),
        ([1, 1, 1], [1, pd.NA, 1], [["length", "up to 100", 3], ["rating", "1", 2]]),
    ],
)
def test_groups_are_those_that_have_texts(
    num_words: list[int], rating: list[object], expected: list[list[object]]
) -> None:
    predictions = make_predictions(len(num_words)).assign(
        num_words=num_words, rating=pd.array(rating, "Int8")
    )
    table = measure_by_group(predictions)
    is_shown = (table["classifier"] == "gru") & (table["by"] != "class")
    assert table.loc[is_shown, ["by", "group", "num_texts"]].to_numpy().tolist() == expected


def test_accuracy_of_a_class_is_its_recall(
    evaluated: tuple, predictions: pd.DataFrame, labels: np.ndarray, measured: dict
) -> None:
    by_class = evaluated[1].set_index(["classifier", "by"]).loc[("gru", "class")]
    confusion = np.array(measured["confusion"])
    assert by_class["accuracy"].tolist() == pytest.approx(
        (np.diag(confusion) / confusion.sum(axis=1)).tolist()
    )
