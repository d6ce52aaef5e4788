"""Metrics of classifiers, computed from the logits and labels of texts."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

import numpy as np
import pandas as pd

from rnn_pipelines.sentiment.methods.logits import measure_log_loss, to_probability
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

LENGTH_LIMITS = (0, 100, 200, 400, 800)
LENGTH_NAMES = ("up to 100", "101 to 200", "201 to 400", "401 to 800", "over 800")
NUM_CONFIDENCE_BINS = 10
COSTS = ("training_seconds", "num_parameters")


MetricName = Literal["accuracy", "f1", "roc_auc", "log_loss", "calibration_error"]
CellName = Literal["true_negative", "false_positive", "false_negative", "true_positive"]
CONFUSION: tuple[CellName, ...] = (
    "true_negative",
    "false_positive",
    "false_negative",
    "true_positive",
)


class ErrorComparison(TypedDict):
    """The numbers of texts on which only one of two classifiers is wrong, and McNemar's two-sided `p_value`."""

    only_reference_wrong: int
    only_this_wrong: int
    p_value: float


class ClassifierMetrics(TypedDict):
    """The metrics of one classifier.

    `accuracy` with its 95 % Wilson interval, `f1` of the positive class, `roc_auc`, `log_loss` (nats),
    `calibration_error` (see `tabulate_calibration`) and the confusion matrix. If known, also the training costs and the
    comparison with the n-gram classifier.
    """

    accuracy: float
    accuracy_low: float
    accuracy_high: float
    f1: float
    roc_auc: float
    log_loss: float
    calibration_error: float
    true_negative: int
    false_positive: int
    false_negative: int
    true_positive: int
    training_seconds: NotRequired[float]
    num_parameters: NotRequired[int]
    against_nb_ngram: NotRequired[ErrorComparison]


def measure_classifier(labels: np.ndarray, logits: np.ndarray) -> ClassifierMetrics:
    """Return the metrics of a classifier, from labels int[num_texts] of both classes and its calibrated logits."""
    from scipy.stats import binomtest
    from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score

    predicted = (logits > 0).astype(int)
    counts = confusion_matrix(labels, predicted, labels=[0, 1]).ravel().tolist()
    interval = binomtest(int((predicted == labels).sum()), len(labels)).proportion_ci(
        method="wilson"
    )
    calibration = tabulate_calibration(labels, logits)
    gaps = (calibration["accuracy"] - calibration["confidence"]).abs()
    measured = {
        "accuracy": float((predicted == labels).mean()),
        "accuracy_low": float(interval.low),
        "accuracy_high": float(interval.high),
        "f1": float(f1_score(labels, predicted)),
        "roc_auc": float(roc_auc_score(labels, logits)),
        "log_loss": measure_log_loss(labels, logits),
        "calibration_error": float((gaps * calibration["num_texts"]).sum() / len(labels)),
    }
    return cast(ClassifierMetrics, measured | dict(zip(CONFUSION, counts, strict=True)))


def tabulate_calibration(labels: np.ndarray, logits: np.ndarray) -> pd.DataFrame:
    """Return the accuracy of a classifier by confidence, in ten bins of equal width.

    Confidence is the probability of the predicted class, from 0.5 to 1. The calibration error of `measure_classifier`
    is the mean absolute gap between accuracy and confidence, weighted by the texts of each bin.

    Returns:
        A row for each bin that is not empty: `confidence` (its mean), `accuracy`, `num_texts`.
    Source: Guo et al. (2017), On Calibration of Modern Neural Networks, equation 3.
    """
    confidence = to_probability(np.abs(logits))
    bins = np.minimum(
        ((confidence - 0.5) * 2 * NUM_CONFIDENCE_BINS).astype(int), NUM_CONFIDENCE_BINS - 1
    )
    table = pd.DataFrame(
        {"bin": bins, "confidence": confidence, "accuracy": (logits > 0) == (labels == 1)}
    )
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
    from scipy.stats import binomtest

    wrong, reference_wrong = ((values > 0) != (labels == 1) for values in (logits, reference))
    better = int((reference_wrong & ~wrong).sum())
    worse = int((wrong & ~reference_wrong).sum())
    p_value = binomtest(better, better + worse).pvalue if better + worse else 1.0
    return {"only_reference_wrong": better, "only_this_wrong": worse, "p_value": float(p_value)}


def evaluate_classifiers(
    predictions: Predictions, **records: Mapping[str, Any]
) -> tuple[dict[str, Any], Groups, Confidences]:
    """Return the metrics of every classifier on the test part: overall, by length and rating, and by confidence.

    The costs, `training_seconds` and `num_parameters`, are in the `records` of the n-gram classifier and of each
    network. Those of a network or an ensemble do not include those of the n-gram classifier.

    Returns:
        `num_texts` and the `ClassifierMetrics` by classifier; the accuracies by group; those by confidence.
    """
    labels = predictions["label"].to_numpy(int)
    logits = {
        name: predictions[name].to_numpy()
        for name in PredictionsTable.list_classifiers(predictions)
    }
    costs = {name: {cost: record[cost] for cost in COSTS} for name, record in records.items()}
    candidates = {name: costs[name] for name in list_candidate_networks()}
    together = {cost: sum(spent[cost] for spent in candidates.values()) for cost in COSTS}
    costs = (
        costs
        | {name_alone(name): spent for name, spent in candidates.items()}
        | {ENSEMBLE: together}
    )
    metrics: dict[str, Any] = {"num_texts": len(labels)}
    for name, values in logits.items():
        metrics[name] = measure_classifier(labels, values) | costs[name]
        if name != NB_NGRAM:
            metrics[name]["against_nb_ngram"] = compare_errors(labels, values, logits[NB_NGRAM])
    calibration = [
        tabulate_calibration(labels, values).assign(classifier=name)
        for name, values in logits.items()
    ]
    return metrics, measure_by_group(predictions), pd.concat(calibration, ignore_index=True)


def measure_by_group(predictions: Predictions) -> Groups:
    """Return the accuracy of each classifier by length and, if there are ratings, by rating."""
    names = PredictionsTable.list_classifiers(predictions)
    right = predictions[names].gt(0).eq(predictions["label"].astype(int) == 1, axis=0)
    length = pd.cut(
        predictions["num_words"], [*LENGTH_LIMITS, np.inf], labels=LENGTH_NAMES, include_lowest=True
    )
    rows = []
    for by, groups in (("length", length), ("rating", predictions["rating"])):
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
