"""Whether the texts that are scored are like those that were held out of training; their labels are not known."""

import numpy as np
import pandas as pd

from rnn_pipelines.sentiment.tables import Measures, Reference, ScoredTexts

SHARES = ("positive", "unknown_label")
DISTRIBUTIONS = ("confidence", "unknown_words", "num_words")


def list_values(scores: Reference | ScoredTexts) -> dict[str, np.ndarray]:
    """What is compared of each text, by measure: float64, not finite where a score is not.

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


def compare_scores(scores: ScoredTexts, reference: Reference) -> Measures:
    """Holds the scored texts against the reference, measure by measure.

    The effect of a share is Cohen's h, 2·asin √p of the newest minus that of the reference, and its p-value Fisher's
    exact; the effect of the others is the distance of their distributions (Kolmogorov and Smirnov's), 0 to 1.

    Args:
        scores: of one version.
        reference: without rows where there is none.
    Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 6.
    """
    ours, theirs = list_values(reference), list_values(scores)
    rows = [{"measure": name, **_compare(name in SHARES, theirs[name], ours[name])} for name in ours]
    return pd.DataFrame(rows)


def _compare(is_share: bool, newest: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    effect = p_value = float("nan")
    means = [_compute_mean(values) for values in (newest, reference)]
    if np.isfinite(means).all():
        effect, p_value = _compare_shares(newest, reference) if is_share else _compare_values(newest, reference)
    return {
        "reference": means[1],
        "newest": means[0],
        "num_reference": len(reference),
        "num_newest": len(newest),
        "effect": effect,
        "p_value": p_value,
    }


def _compute_mean(values: np.ndarray) -> float:
    """NaN where there is no value, or one that is not finite."""
    return float(values.mean()) if len(values) and np.isfinite(values).all() else float("nan")


def _compare_shares(newest: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    from scipy.stats import fisher_exact

    counts = [[int(values.sum()), int((1 - values).sum())] for values in (newest, reference)]
    arcs = [2 * np.arcsin(np.sqrt(values.mean())) for values in (newest, reference)]
    return float(arcs[0] - arcs[1]), float(fisher_exact(counts).pvalue)


def _compare_values(newest: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    from scipy.stats import ks_2samp

    result = ks_2samp(newest, reference, method="asymp")
    return float(result.statistic), float(result.pvalue)
