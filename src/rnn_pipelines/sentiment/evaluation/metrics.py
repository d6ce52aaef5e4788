"""Metrics of classifiers, computed from the logits and labels of texts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, cast

import numpy as np
import pandas as pd

from rnn_pipelines.sentiment.methods.calibration import Calibration
from rnn_pipelines.sentiment.methods.logits import (
    measure_log_loss,
    predict_classes,
    read_logits,
    to_probabilities,
)
from rnn_pipelines.sentiment.methods.registry import (
    ENSEMBLE,
    NB_NGRAM,
    list_candidate_networks,
    name_alone,
)
from rnn_pipelines.sentiment.methods.tables import (
    Confidences,
    Groups,
    GroupsTable,
    Predictions,
    PredictionsTable,
)

if TYPE_CHECKING:
    from scipy.stats._result_classes import BinomTestResult

LENGTH_LIMITS = (0, 100, 200, 400, 800)
LENGTH_NAMES = ("up to 100", "101 to 200", "201 to 400", "401 to 800", "over 800")
NUM_CONFIDENCE_BINS = 20
# Confidences below which a classifier may abstain.
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
# What a classifier reads; with n-grams, the logit of the n-gram classifier is one of its parts.
N_GRAMS, WORDS_AND_WEIGHTS, WORDS_ALONE = "n-grams", "words and n-gram weights", "words alone"
COSTS = ("training_seconds", "num_parameters")


MetricName = Literal["accuracy", "f1", "macro_f1", "roc_auc", "log_loss", "calibration_error"]


class Abstention(TypedDict):
    """The share of the texts with at least a confidence, and the accuracy on them; None without such texts."""

    abstain_below: float
    share: float
    accuracy: float | None


class ErrorComparison(TypedDict):
    """The numbers of texts on which only one of two classifiers is wrong, and McNemar's two-sided `p_value`."""

    only_reference_wrong: int
    only_this_wrong: int
    p_value: float


class ClassifierMetrics(TypedDict):
    """The metrics of one classifier.

    `accuracy` with its 95 % Wilson interval, `macro_f1` (the mean of F1 over the classes), `log_loss` (nats),
    `calibration_error` (see `tabulate_calibration`), `confusion`, the numbers of texts by true class (rows) and
    predicted class, and `abstention` for some confidences. Of two classes, also `f1` of the second class and `roc_auc`.
    If the names of all classes are numbers, `mean_absolute_error` is that of the predicted number. If known, also what
    it `reads` (see `_name_inputs`), the training costs and the comparison with the n-gram classifier.
    """

    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    log_loss: float
    calibration_error: float
    confusion: list[list[int]]
    abstention: list[Abstention]
    f1: NotRequired[float]
    roc_auc: NotRequired[float]
    mean_absolute_error: NotRequired[float]
    reads: NotRequired[str]
    training_seconds: NotRequired[float]
    num_parameters: NotRequired[int]
    against_nb_ngram: NotRequired[ErrorComparison]


def measure_classifier(
    labels: np.ndarray, logits: np.ndarray, classes: Sequence[str]
) -> ClassifierMetrics:
    """Return the metrics of a classifier.

    Args:
        labels: int[num_texts], the number of the class of each text.
        logits: float64[num_texts, num_outputs], calibrated.
        classes: their names, in the order of their numbers.
    """
    from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score

    predicted = predict_classes(logits)
    numbers = np.arange(len(classes))
    test = _test_half(int((predicted == labels).sum()), len(labels))
    interval = test.proportion_ci(method="wilson")
    calibration = tabulate_calibration(labels, logits)
    gaps = (calibration["accuracy"] - calibration["confidence"]).abs()
    measured: dict[str, Any] = {
        "accuracy": float((predicted == labels).mean()),
        "accuracy_low": float(interval.low),
        "accuracy_high": float(interval.high),
    }
    present = np.union1d(labels, predicted)
    macro_f1 = f1_score(labels, predicted, labels=present, average="macro", zero_division=0)
    measured["macro_f1"] = float(macro_f1)
    if len(classes) == 2:
        measured["f1"] = float(f1_score(labels, predicted))
        measured["roc_auc"] = float(roc_auc_score(labels, logits[:, 0]))
    measured["log_loss"] = measure_log_loss(labels, logits)
    measured["calibration_error"] = float((gaps * calibration["num_texts"]).sum() / len(labels))
    values = _read_numbers(classes)
    if values is not None:
        errors = values[predicted] - values[labels]
        measured["mean_absolute_error"] = float(np.abs(errors).mean())
    measured["confusion"] = confusion_matrix(labels, predicted, labels=numbers).tolist()
    measured["abstention"] = measure_abstention(labels, logits)
    return cast(ClassifierMetrics, measured)


def measure_abstention(labels: np.ndarray, logits: np.ndarray) -> list[Abstention]:
    """Return the share of texts that get an answer, and its accuracy, if less confident answers are withheld."""
    confidence = to_probabilities(logits).max(axis=1)
    is_right = predict_classes(logits) == labels
    rows: list[Abstention] = []
    for threshold in THRESHOLDS:
        is_answered = confidence >= threshold
        accuracy = float(is_right[is_answered].mean()) if is_answered.any() else None
        share = float(is_answered.mean())
        rows.append({"abstain_below": threshold, "share": share, "accuracy": accuracy})
    return rows


def _read_numbers(classes: Sequence[str]) -> np.ndarray | None:
    """Return the names of the classes as numbers, float64[num_classes]; None if one is no finite number."""
    numbers = pd.to_numeric(pd.Series(classes), errors="coerce").to_numpy(np.float64)
    return numbers if np.isfinite(numbers).all() else None


def tabulate_calibration(labels: np.ndarray, logits: np.ndarray) -> pd.DataFrame:
    """Return the accuracy of a classifier by confidence, in twenty bins of equal width from 0 to 1.

    Confidence is the probability of the predicted class; of two classes, from 0.5 to 1. The calibration error of
    `measure_classifier` is the mean absolute gap between accuracy and confidence, weighted by the texts of each bin.

    Returns:
        A row for each bin that is not empty: `confidence` (its mean), `accuracy`, `num_texts`.
    Source: Guo et al. (2017), On Calibration of Modern Neural Networks, equation 3.
    """
    probabilities = to_probabilities(logits)
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * NUM_CONFIDENCE_BINS).astype(int), NUM_CONFIDENCE_BINS - 1)
    is_right = probabilities.argmax(axis=1) == labels
    table = pd.DataFrame({"bin": bins, "confidence": confidence, "accuracy": is_right})
    grouped = table.groupby("bin").agg(
        confidence=("confidence", "mean"),
        accuracy=("accuracy", "mean"),
        num_texts=("accuracy", "size"),
    )
    return grouped.reset_index(drop=True)


def compare_errors(
    labels: np.ndarray, logits: np.ndarray, reference: np.ndarray
) -> ErrorComparison:
    """Compare the errors of two classifiers on the same texts, by their logits, with McNemar's exact test.

    Source: McNemar (1947), Psychometrika 12, 153-157; in its exact binomial form.
    """
    wrong = predict_classes(logits) != labels
    reference_wrong = predict_classes(reference) != labels
    better = int((reference_wrong & ~wrong).sum())
    worse = int((wrong & ~reference_wrong).sum())
    p_value = _test_half(better, better + worse).pvalue if better + worse else 1.0
    return {"only_reference_wrong": better, "only_this_wrong": worse, "p_value": float(p_value)}


def _test_half(number: int, total: int) -> "BinomTestResult":
    """Return the exact test of a number of successes against one half."""
    from scipy.stats import binomtest

    return binomtest(number, total)


def evaluate_classifiers(
    predictions: Predictions,
    calibrations: Mapping[str, Calibration],
    **records: Mapping[str, Any],
) -> tuple[dict[str, Any], Groups, Confidences]:
    """Return the metrics of every classifier on the test part: overall, by length and rating, and by confidence.

    The costs, `training_seconds` and `num_parameters`, are in the `records` of the n-gram classifier and of each
    network. Those of a network or an ensemble do not include those of the n-gram classifier.

    Returns:
        `num_texts`, `classes` and the `ClassifierMetrics` by classifier; the accuracies by group; those by confidence.
    """
    labels = predictions["label"].cat.codes.to_numpy(int)
    classes = predictions["label"].cat.categories.tolist()
    logits = {
        name: read_logits(predictions, name) for name in PredictionsTable.list_models(predictions)
    }
    costs = {name: {cost: record[cost] for cost in COSTS} for name, record in records.items()}
    candidates = {name: costs[name] for name in list_candidate_networks() if name in costs}
    together = {cost: sum(spent[cost] for spent in candidates.values()) for cost in COSTS}
    costs = (
        costs
        | {name_alone(name): spent for name, spent in candidates.items()}
        | {ENSEMBLE: together}
    )
    metrics: dict[str, Any] = {"num_texts": len(labels), "classes": classes}
    for name, values in logits.items():
        metrics[name] = measure_classifier(labels, values, classes) | costs[name]
        metrics[name]["reads"] = _name_inputs(calibrations[name], records)
        if name != NB_NGRAM:
            metrics[name]["against_nb_ngram"] = compare_errors(labels, values, logits[NB_NGRAM])
    calibration = [
        tabulate_calibration(labels, values).assign(classifier=name)
        for name, values in logits.items()
    ]
    return metrics, measure_by_group(predictions), pd.concat(calibration, ignore_index=True)


def _name_inputs(calibration: Calibration, records: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what a classifier reads: n-grams, words and n-gram weights, or words alone."""
    if NB_NGRAM in calibration["weights"]:
        return N_GRAMS
    layers = [
        layer["layer"] for name in calibration["weights"] for layer in records[name]["layers"]
    ]
    return WORDS_AND_WEIGHTS if "ngrams" in layers else WORDS_ALONE


def measure_by_group(predictions: Predictions) -> Groups:
    """Return the accuracy of each classifier by class, length and, if there are ratings, rating."""
    labels = predictions["label"]
    right = pd.DataFrame(
        {
            name: predict_classes(read_logits(predictions, name)) == labels.cat.codes
            for name in PredictionsTable.list_models(predictions)
        }
    )
    length = pd.cut(
        predictions["num_words"], [*LENGTH_LIMITS, np.inf], labels=LENGTH_NAMES, include_lowest=True
    )
    rows = []
    for by, groups in (("class", labels), ("length", length), ("rating", predictions["rating"])):
        grouped = right.groupby(groups, observed=True)
        table = (
            grouped.mean()
            .melt(ignore_index=False, var_name="classifier", value_name="accuracy")
            .reset_index()
        )
        table["num_texts"] = table.iloc[:, 0].map(grouped.size()).astype(int)
        rows.append(
            table.rename(columns={table.columns[0]: "group"}).astype({"group": "str"}).assign(by=by)
        )
    return pd.concat(rows, ignore_index=True)[list(GroupsTable.columns)]
