"""Metrics of classifiers, from the logits that they give to texts whose labels are known.

A logit above 0 is positive; its probability is 1 / (1 + exp(−logit)).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

CELLS = ("lstm", "gru")
CLASSICAL = "nb_ngram"
KEY_COLUMNS = ("review_id", "label", "rating", "num_words")
LENGTH_LIMITS = (0, 100, 200, 400, 800)
LENGTH_NAMES = ("up to 100", "101 to 200", "201 to 400", "401 to 800", "over 800")
NUM_CONFIDENCE_BINS = 10
NUM_MISTAKES = 10
# A probability that rounds to 0 or 1 still has a logit.
SMALLEST_PROBABILITY = 1e-15
COSTS = ("training_seconds", "num_parameters")


def to_probability(logits: np.ndarray) -> np.ndarray:
    """The probability of the positive class, float64 of the shape of `logits`."""
    return np.exp(-np.logaddexp(0.0, -logits.astype(np.float64)))


def to_logit(probability: np.ndarray) -> np.ndarray:
    """What `to_probability` comes from, float64 of the shape of `probability`; finite at 0 and 1 too."""
    clipped = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(clipped) - np.log1p(-clipped)


def measure_classifier(labels: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
    """How good one classifier is.

    Args:
        labels: int[num_texts], 0 or 1, both of them.
        logits: float[num_texts], calibrated.
    Returns:
        `accuracy` with its 95 % interval by Wilson (`accuracy_low`, `accuracy_high`), `f1` of the positive class,
        `roc_auc`, `log_loss` (nats), `calibration_error` (see `tabulate_calibration`), and the confusion matrix:
        `true_negative, false_positive, false_negative, true_positive`.
    """
    from scipy.stats import binomtest
    from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score

    predicted = (logits > 0).astype(int)
    matrix = confusion_matrix(labels, predicted, labels=[0, 1]).ravel().tolist()
    interval = binomtest(int((predicted == labels).sum()), len(labels)).proportion_ci(method="wilson")
    calibration = tabulate_calibration(labels, logits)
    gaps = (calibration["accuracy"] - calibration["confidence"]).abs()
    return {
        "accuracy": float((predicted == labels).mean()),
        "accuracy_low": float(interval.low),
        "accuracy_high": float(interval.high),
        "f1": float(f1_score(labels, predicted)),
        "roc_auc": float(roc_auc_score(labels, logits)),
        "log_loss": measure_log_loss(labels, logits),
        "calibration_error": float((gaps * calibration["num_texts"]).sum() / len(labels)),
        **dict(zip(("true_negative", "false_positive", "false_negative", "true_positive"), matrix, strict=True)),
    }


def measure_log_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """Mean over the texts of −log of the probability that the right class was given, in nats."""
    return float(np.logaddexp(0.0, np.where(labels == 1, -logits, logits).astype(np.float64)).mean())


def tabulate_calibration(labels: np.ndarray, logits: np.ndarray) -> pd.DataFrame:
    """How often a classifier is right when it says how sure it is.

    Confidence is the probability of the predicted class, from 0.5 to 1, in ten bins of equal width. The calibration
    error that `measure_classifier` states is the mean gap between both over all texts.

    Returns:
        A row for each bin that holds a text: `confidence` (its mean), `accuracy`, `num_texts`.
    Source: Guo et al. (2017), On Calibration of Modern Neural Networks, equation 3.
    """
    confidence = to_probability(np.abs(logits))
    bins = np.minimum(((confidence - 0.5) * 2 * NUM_CONFIDENCE_BINS).astype(int), NUM_CONFIDENCE_BINS - 1)
    table = pd.DataFrame({"bin": bins, "confidence": confidence, "accuracy": (logits > 0) == (labels == 1)})
    grouped = table.groupby("bin").agg(
        confidence=("confidence", "mean"), accuracy=("accuracy", "mean"), num_texts=("accuracy", "size")
    )
    return grouped.reset_index(drop=True)


def compare_errors(labels: np.ndarray, logits: np.ndarray, reference: np.ndarray) -> dict[str, Any]:
    """Whether one classifier is right more often than another on the same texts, by McNemar's exact test.

    Args:
        labels: int[num_texts].
        logits: of the one classifier.
        reference: logits of the other.
    Returns:
        `only_reference_wrong` and `only_this_wrong` (texts), and the two-sided `p_value` of a difference that large
        where both are equally good.
    Source: McNemar (1947), Psychometrika 12, 153-157; in its exact binomial form.
    """
    from scipy.stats import binomtest

    wrong, reference_wrong = ((values > 0) != (labels == 1) for values in (logits, reference))
    better, worse = int((reference_wrong & ~wrong).sum()), int((wrong & ~reference_wrong).sum())
    p_value = binomtest(better, better + worse).pvalue if better + worse else 1.0
    return {"only_reference_wrong": better, "only_this_wrong": worse, "p_value": float(p_value)}


def evaluate_classifiers(
    predictions: pd.DataFrame, records: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Measures every classifier on the test part: over all, by length and rating, by confidence.

    Args:
        predictions: `label` (int), `rating` (missing where there is none), `num_words`, and a column of calibrated
            logits for each classifier.
        records: `training_seconds` and `num_parameters` of the n-gram classifier and of each network.
    Returns:
        `num_texts` and, for each classifier, what `measure_classifier` returns, `training_seconds` and
        `num_parameters` of its networks (those of the n-gram classifier are stated for itself alone) and, as
        `against_nb_ngram`, what `compare_errors` returns. Then accuracy by group: `classifier, by (length or rating),
        group, accuracy, num_texts`. Then the rows of `tabulate_calibration` with their `classifier`.
    """
    labels = predictions["label"].to_numpy(int)
    logits = {name: predictions[name].to_numpy() for name in list_classifiers(predictions)}
    costs = {name: {cost: record[cost] for cost in COSTS} for name, record in records.items()}
    costs |= {f"{cell}_alone": costs[cell] for cell in CELLS if cell in costs}
    costs["ensemble"] = {cost: sum(costs[cell][cost] for cell in CELLS) for cost in COSTS}
    metrics: dict[str, Any] = {"num_texts": len(labels)}
    for name, values in logits.items():
        metrics[name] = measure_classifier(labels, values) | costs[name]
        if name != CLASSICAL:
            metrics[name]["against_nb_ngram"] = compare_errors(labels, values, logits[CLASSICAL])
    calibration = [tabulate_calibration(labels, values).assign(classifier=name) for name, values in logits.items()]
    return metrics, measure_by_group(predictions), pd.concat(calibration, ignore_index=True)


def find_examples(predictions: pd.DataFrame, reviews: pd.DataFrame, classifier: str) -> pd.DataFrame:
    """Reviews to read: one as it comes, and those on which the classifier is most wrong.

    Args:
        predictions: as in `evaluate_classifiers`, with `review_id`.
        reviews: `review_id, film, text`.
        classifier: whose mistakes.
    Returns:
        `kind` (sample or mistake), `review_id, film, rating, label, num_words, probability` (of the positive class) and
        `text`: the first review of the test part, then the mistakes from the worst on.
    """
    table = predictions[["review_id", "rating", "label", "num_words"]].assign(
        probability=to_probability(predictions[classifier].to_numpy())
    )
    error = (table["probability"] - table["label"].astype(float)).abs()
    worst = error[error > 0.5].nlargest(NUM_MISTAKES).index
    chosen = pd.concat([table.iloc[:1].assign(kind="sample"), table.loc[worst].assign(kind="mistake")])
    examples = chosen.merge(reviews[["review_id", "film", "text"]], on="review_id", how="left")
    return examples[["kind", "review_id", "film", "rating", "label", "num_words", "probability", "text"]]


def list_classifiers(predictions: pd.DataFrame) -> list[str]:
    """The columns of a table of predictions that hold logits."""
    return [column for column in predictions.columns if column not in KEY_COLUMNS]


def measure_by_group(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by length, in words, and by rating where there is one; columns as in `evaluate_classifiers`."""
    names = list_classifiers(predictions)
    right = predictions[names].gt(0).eq(predictions["label"].astype(int) == 1, axis=0)
    length = pd.cut(predictions["num_words"], [*LENGTH_LIMITS, np.inf], labels=LENGTH_NAMES, include_lowest=True)
    rows = []
    for by, groups in (("length", length), ("rating", predictions["rating"])):
        grouped = right.groupby(groups, observed=True)
        table = grouped.mean().melt(ignore_index=False, var_name="classifier", value_name="accuracy").reset_index()
        table["num_texts"] = table.iloc[:, 0].map(grouped.size()).astype(int)
        rows.append(table.rename(columns={table.columns[0]: "group"}).astype({"group": "str"}).assign(by=by))
    return pd.concat(rows, ignore_index=True)[["classifier", "by", "group", "accuracy", "num_texts"]]
