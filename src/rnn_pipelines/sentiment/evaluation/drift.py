"""Drift of scored texts from the held-out reviews, measured without labels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact, ks_2samp

from rnn_pipelines.sentiment.methods.tables import Measures, Reference, ScoredTexts


@dataclass(frozen=True)
class Measure:
    """A property of texts that is compared between scored texts and the reference.

    Attributes:
        words: its name in the reasons of a verdict.
        label: its name in tables and menus.
        compute: returns its value for each text that has one, float64; not finite if the score is not.
        axis: axis title of its distribution; empty for a share, whose values are 0 and 1.
    """

    words: str
    label: str
    compute: Callable[[pd.DataFrame], np.ndarray]
    axis: str = ""


def _mark(labels: pd.Series, one: str, *others: str) -> np.ndarray:
    """Return 1 for the label `one`, 0 for the labels `others`, and NaN for any other label."""
    return np.where(labels == one, 1.0, np.where(labels.isin(others), 0.0, np.nan))


def _compute_confidence(scores: pd.DataFrame) -> np.ndarray:
    probability = scores["probability"].to_numpy("float64")
    return np.maximum(probability, 1 - probability)


def _compute_unknown(scores: pd.DataFrame) -> np.ndarray:
    """Return the share of unknown words of each text that has words."""
    words, known = (
        scores[column].to_numpy("float64") for column in ("num_words", "num_known_words")
    )
    return 1 - known[words > 0] / words[words > 0]


MEASURES = {
    "positive": Measure(
        "the share of positive labels",
        "positive, of the texts with a label",
        lambda scores: _mark(
            scores.loc[scores["label"] != "unknown", "label"], "positive", "negative"
        ),
    ),
    "unknown_label": Measure(
        "the share of texts without a known word",
        "texts without a known word",
        lambda scores: _mark(scores["label"], "unknown", "positive", "negative"),
    ),
    "confidence": Measure("the confidence", "confidence", _compute_confidence, "confidence"),
    "unknown_words": Measure(
        "the share of unknown words",
        "unknown words of a text",
        _compute_unknown,
        "share of unknown words, %",
    ),
    "num_words": Measure(
        "the length of the texts",
        "words of a text",
        lambda scores: scores["num_words"].to_numpy("float64"),
        "words",
    ),
}


def compare_scores(scores: ScoredTexts, reference: Reference) -> Measures:
    """Compare the scored texts with the reference, one row for each measure.

    For a share, the effect is Cohen's h, 2·asin √p of the scored texts minus that of the reference, and the p-value is
    that of Fisher's exact test. For other measures, the effect is the Kolmogorov–Smirnov distance, 0 to 1. A reference
    without rows gives NaN.

    Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 6.
    """
    values = {
        name: (measure.compute(scores), measure.compute(reference))
        for name, measure in MEASURES.items()
    }
    return pd.DataFrame(
        [
            {"measure": name, **_compare(not MEASURES[name].axis, *pair)}
            for name, pair in values.items()
        ]
    )


def _compare(is_share: bool, newest: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    effect = p_value = float("nan")
    # NaN if there are no values, or one is not finite.
    means = [
        float(values.mean()) if np.isfinite(values).all() and len(values) else effect
        for values in (newest, reference)
    ]
    if np.isfinite(means).all() and is_share:
        counts = [[int(values.sum()), int((1 - values).sum())] for values in (newest, reference)]
        arcs = [2 * np.arcsin(np.sqrt(values.mean())) for values in (newest, reference)]
        effect = float(arcs[0] - arcs[1])
        p_value = float(fisher_exact(counts).pvalue)
    elif np.isfinite(means).all():
        result = ks_2samp(newest, reference, method="asymp")
        effect = float(result.statistic)
        p_value = float(result.pvalue)
    sizes = {"num_reference": len(reference), "num_newest": len(newest)}
    return {
        "reference": means[1],
        "newest": means[0],
        **sizes,
        "effect": effect,
        "p_value": p_value,
    }
