"""Drift of scored texts from the held-out reviews, measured without labels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact, ks_2samp

from rnn_pipelines.sentiment.methods.tables import Measures, Reference, ScoredTexts
from rnn_pipelines.sentiment.text.schema import RESERVED_LABELS, UNKNOWN_LABEL, sort_classes

# Beginning of the name of the measure of a class, which may have the name of another measure.
SHARE_OF = "share of "


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


def _compute_unknown(scores: pd.DataFrame) -> np.ndarray:
    """Return the share of unknown words of each text that has words."""
    words, known = (
        scores[column].to_numpy("float64") for column in ("num_words", "num_known_words")
    )
    return 1 - known[words > 0] / words[words > 0]


MEASURES = {
    "unknown_label": Measure(
        "the share of texts without a known word",
        "texts without a known word",
        lambda scores: (scores["label"] == UNKNOWN_LABEL).to_numpy("float64"),
    ),
    "confidence": Measure(
        "the confidence",
        "confidence",
        lambda scores: scores["confidence"].to_numpy("float64"),
        "confidence",
    ),
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


def get_measure(name: str) -> Measure:
    """Return a measure by its name in tables; that of a class is the share of its label."""
    return MEASURES.get(name) or _measure_share(name.removeprefix(SHARE_OF))


def _measure_share(name: str) -> Measure:
    """Return the share of a label among the texts that have one of a class."""

    def compute(scores: pd.DataFrame) -> np.ndarray:
        labels = scores["label"]
        labels = labels[~labels.isin(RESERVED_LABELS)]
        return (labels == name).astype("float64").where(labels.notna()).to_numpy()

    return Measure(f"the share of {name} labels", f"{name}, of the texts with a label", compute)


def list_drift_measures(scores: ScoredTexts, reference: Reference) -> list[str]:
    """Return the measures by name: the share of the second of two classes, or of each class, and `MEASURES`."""
    labels = pd.concat([scores["label"], reference["label"]])
    classes = sort_classes(labels[~labels.isin(RESERVED_LABELS)].dropna())
    measured = classes[-1:] if len(classes) <= 2 else classes
    return [*(f"{SHARE_OF}{name}" for name in measured), *MEASURES]


def compare_scores(scores: ScoredTexts, reference: Reference) -> Measures:
    """Compare the scored texts with the reference, one row for each measure.

    For a share, the effect is Cohen's h, 2·asin √p of the scored texts minus that of the reference, and the p-value is
    that of Fisher's exact test. For other measures, the effect is the Kolmogorov–Smirnov distance, 0 to 1. A reference
    without rows gives NaN.

    Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 6.
    """
    rows = []
    for name in list_drift_measures(scores, reference):
        measure = get_measure(name)
        pair = measure.compute(scores), measure.compute(reference)
        rows.append({"measure": name, **_compare(not measure.axis, *pair)})
    return pd.DataFrame(rows)


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
