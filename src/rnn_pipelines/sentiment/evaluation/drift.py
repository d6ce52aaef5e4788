"""Whether the texts that are scored are like those that were held out of training; their labels are not known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.holdout import CHALLENGER
from rnn_pipelines.sentiment.calibration import choose_classifier
from rnn_pipelines.sentiment.evaluation.metrics import to_probability
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.vocabulary import UNKNOWN

FACTS = ("label", "probability", "num_words", "num_known_words")
SHARES = ("positive", "unknown_label")
DISTRIBUTIONS = ("confidence", "unknown_words", "num_words")


def describe_test_part(
    predictions: pd.DataFrame | None,
    reviews: pd.DataFrame | None,
    encoded: EncodedTexts | None,
    calibrations: Mapping[str, Any] | None,
) -> pd.DataFrame:
    """The test part of `sentiment` as the chosen classifier scored it, in the form of `score_sentiment`.

    Args:
        predictions, calibrations: what `calibrate_classifiers` returns.
        reviews: `review_id`, in the order of `encoded`.
        encoded: all reviews.
    Returns:
        `label, probability, num_words, num_known_words`; without rows where one of them is not there, or they are not
        of the same run.
    """
    if predictions is None or reviews is None or encoded is None or calibrations is None:
        return pd.DataFrame(columns=list(FACTS))
    if len(reviews) != len(encoded) or not predictions["review_id"].isin(reviews["review_id"]).all():
        return pd.DataFrame(columns=list(FACTS))
    ends = np.cumsum(np.concatenate([[0], encoded.ids != UNKNOWN]))[encoded.offsets]
    words = pd.DataFrame({"review_id": reviews["review_id"], "num_known_words": np.diff(ends)})
    table = predictions.merge(words, on="review_id", validate="one_to_one")
    return _describe(table, table[choose_classifier(calibrations)].to_numpy())


def describe_holdout(holdout: pd.DataFrame) -> pd.DataFrame:
    """The holdout of a retraining as the challenger scored it, in the form of `score_sentiment`.

    Args:
        holdout: what `score_holdout` returns.
    Returns:
        `label, probability, num_words, num_known_words`.
    """
    return _describe(holdout, holdout[CHALLENGER].to_numpy())


def _describe(table: pd.DataFrame, logits: np.ndarray) -> pd.DataFrame:
    known = table["num_known_words"].to_numpy() > 0
    probability = np.where(known, to_probability(logits), 0.5)
    label = np.where(known, np.where(probability > 0.5, "positive", "negative"), "unknown")
    return table.assign(label=label, probability=probability)[list(FACTS)]


def list_values(scores: pd.DataFrame) -> dict[str, np.ndarray]:
    """What is compared of each text, by measure: float64, not finite where a score is not.

    Args:
        scores: what `score_sentiment`, `describe_test_part` or `describe_holdout` returns.
    Returns:
        `positive` (0 or 1, of the texts that have a label), `unknown_label` (0 or 1), `confidence` (0.5 to 1),
        `unknown_words` (share of the words of a text that has any) and `num_words`.
    """
    label, probability = scores["label"].to_numpy(), scores["probability"].to_numpy("float64")
    num_words = scores["num_words"].to_numpy("float64")
    has_words = num_words > 0
    known = scores["num_known_words"].to_numpy("float64")
    return {
        "positive": _mark(label[label != "unknown"], "positive", "negative"),
        "unknown_label": _mark(label, "unknown", "positive", "negative"),
        "confidence": np.maximum(probability, 1 - probability),
        "unknown_words": 1 - known[has_words] / num_words[has_words],
        "num_words": num_words,
    }


def _mark(labels: np.ndarray, one: str, *others: str) -> np.ndarray:
    """1 where a label is the one, 0 where it is another, NaN where it is none."""
    return np.where(labels == one, 1.0, np.where(np.isin(labels, others), 0.0, np.nan))


def compare_scores(scores: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Holds the scored texts against the reference, measure by measure.

    Args:
        scores: what `score_sentiment` returns.
        reference: see `list_values`; without rows where there is none.
    Returns:
        A row for each measure of `list_values`: `measure`, `reference` and `newest` (means), `num_reference` and
        `num_newest` texts, `effect` and `p_value`, NaN where one of both is empty or not finite. The effect of a share
        is Cohen's h, 2·asin √p of the newest minus that of the reference, and its p-value Fisher's exact; the effect of
        the others is the distance of their distributions (Kolmogorov and Smirnov's), 0 to 1.
    Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 6.
    """
    ours, theirs = list_values(reference), list_values(scores)
    rows = [{"measure": name, **_compare(name in SHARES, theirs[name], ours[name])} for name in ours]
    return pd.DataFrame(rows)


def _compare(is_share: bool, newest: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    effect = p_value = float("nan")
    if len(newest) and len(reference) and np.isfinite(newest).all() and np.isfinite(reference).all():
        effect, p_value = _compare_shares(newest, reference) if is_share else _compare_values(newest, reference)
    return {
        "reference": float(reference.mean()) if len(reference) else float("nan"),
        "newest": float(newest.mean()) if len(newest) else float("nan"),
        "num_reference": len(reference),
        "num_newest": len(newest),
        "effect": effect,
        "p_value": p_value,
    }


def _compare_shares(newest: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    from scipy.stats import fisher_exact

    counts = [[int(values.sum()), int((1 - values).sum())] for values in (newest, reference)]
    arcs = [2 * np.arcsin(np.sqrt(values.mean())) for values in (newest, reference)]
    return float(arcs[0] - arcs[1]), float(fisher_exact(counts).pvalue)


def _compare_values(newest: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    from scipy.stats import ks_2samp

    result = ks_2samp(newest, reference, method="asymp")
    return float(result.statistic), float(result.pvalue)
