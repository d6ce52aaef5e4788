"""Comparison of champion, challenger and baselines on the same reviews of the newest holdout."""

from dataclasses import dataclass

import numpy as np

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.errors import count
from rnn_pipelines.sentiment.evaluation.metrics import (
    MetricName,
    compare_errors,
    measure_classifier,
)
from rnn_pipelines.sentiment.methods.logits import read_logits
from rnn_pipelines.sentiment.methods.tables import Holdout, HoldoutTable

MEASURES: tuple[MetricName, ...] = (
    "accuracy",
    "macro_f1",
    "f1",
    "roc_auc",
    "log_loss",
    "calibration_error",
)
# Champion and challenger are comparable if the champion was not trained on at least this fraction of the holdout.
MIN_HELD_OUT = 0.5
# A challenger whose logits have a smaller standard deviation counts as constant.
MIN_SPREAD = 1e-3


@dataclass(frozen=True)
class TextHoldoutMeasures:
    """The results on the newest holdout: `MEASURES` of each classifier, None if its scores are not finite.

    `p_value` is that of McNemar's test of champion and challenger; None without a champion; 1 if the one with fewer
    errors has the larger loss, because then neither is shown to be better. `is_comparable` is whether the champion was
    not trained on the measured reviews. `notes` name the number of reviews that are left out.
    """

    measures: dict[str, dict[str, float] | None]
    p_value: float | None
    is_comparable: bool
    notes: tuple[str, ...]


def measure_text_holdout(holdout: Holdout) -> TextHoldoutMeasures:
    """Measure all classifiers on the reviews that the champion was not trained on.

    All reviews are used if it was trained on more than half of them, or if the remaining ones have only one class.
    """
    held_out = holdout[~holdout["is_seen"]]
    is_comparable = (
        len(held_out) >= MIN_HELD_OUT * len(holdout) and held_out["label"].nunique() >= 2
    )
    shared = held_out if is_comparable else holdout
    labels = shared["label"].cat.codes.to_numpy(int)
    classes = shared["label"].cat.categories.tolist()
    logits = {name: read_logits(shared, name) for name in HoldoutTable.list_models(shared)}
    measures = {name: _measure(labels, values, classes) for name, values in logits.items()}
    num_seen = len(holdout) - len(shared)
    left_out = (
        f"left out: {num_seen} of {count(len(holdout), 'review')} that the champion was trained on"
    )
    p_value = _compare(labels, logits, measures) if CHAMPION in logits else None
    return TextHoldoutMeasures(measures, p_value, is_comparable, (left_out,) if num_seen else ())


def _measure(labels: np.ndarray, logits: np.ndarray, classes: list[str]) -> dict[str, float] | None:
    if not np.isfinite(logits).all():
        return None
    measured = measure_classifier(labels, logits, classes)
    return {name: measured[name] for name in MEASURES if name in measured}


def _compare(
    labels: np.ndarray,
    logits: dict[str, np.ndarray],
    measures: dict[str, dict[str, float] | None],
) -> float:
    challenger = measures[CHALLENGER]
    champion = measures[CHAMPION]
    if challenger is None or champion is None:
        return float("nan")
    if (challenger["accuracy"] - champion["accuracy"]) * (
        challenger["log_loss"] - champion["log_loss"]
    ) > 0:
        return 1.0
    return compare_errors(labels, logits[CHALLENGER], logits[CHAMPION])["p_value"]


def find_score_faults(holdout: Holdout) -> list[str]:
    """Return the faults that make the challenger unusable: scores that are not finite or the same for every text."""
    logits = read_logits(holdout, CHALLENGER)
    num_faulty = int((~np.isfinite(logits)).any(axis=1).sum())
    if num_faulty:
        return [f"its scores are not finite ({num_faulty} of {len(logits):,})"]
    return (
        ["its scores are the same for every text"] if logits.std(axis=0).max() < MIN_SPREAD else []
    )
