"""Logits and probabilities of classes.

Two classes have one logit, that of the second class, for which the first class has 0. More classes have one logit each.
The probabilities are the softmax of the logits.
"""

import numpy as np
import pandas as pd

# Probabilities are clipped by this amount, so that 0 and 1 have a finite logit.
SMALLEST_PROBABILITY = 1e-15


def count_outputs(num_classes: int) -> int:
    """Return the number of logits of a text."""
    return 1 if num_classes == 2 else num_classes


def mark_classes(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Return whether the label of a text is the class of a logit: bool[num_texts, num_outputs].

    `labels` are the numbers of the classes, int[num_texts].
    """
    classes = np.arange(num_classes)[-count_outputs(num_classes) :]
    return labels[:, None] == classes


def compute_log_probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of the probabilities of `to_probabilities`."""
    logits = logits.astype(np.float64)
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def to_probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the probability of each class, float64[num_texts, num_classes], from logits[num_texts, num_outputs]."""
    return np.exp(compute_log_probabilities(logits))


def to_logits(probabilities: np.ndarray) -> np.ndarray:
    """Return logits, float64[num_texts, num_outputs], of such probabilities; finite also for 0 and 1."""
    logs = np.log(np.clip(probabilities, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    return logs[:, 1:] - logs[:, :1] if logs.shape[1] == 2 else logs


def predict_classes(logits: np.ndarray) -> np.ndarray:
    """Return the number of the most probable class of each text, int64[num_texts]."""
    return compute_log_probabilities(logits).argmax(axis=1)


def measure_log_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """Return the mean of −log(probability of the true class) over all texts, in nats."""
    return float(-compute_log_probabilities(logits)[np.arange(len(labels)), labels].mean())


def tabulate_logits(classifier: str, logits: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of a classifier's logits in tables: `gru`, or `gru 0`, `gru 1`, … for several outputs."""
    if logits.shape[1] == 1:
        return {classifier: logits[:, 0]}
    return {f"{classifier} {number}": values for number, values in enumerate(logits.T)}


def list_logit_columns(table: pd.DataFrame, classifier: str) -> list[str]:
    """Return the columns of `tabulate_logits` in a table."""
    return [
        column for column in table if column == classifier or column.startswith(f"{classifier} ")
    ]


def read_logits(table: pd.DataFrame, classifier: str) -> np.ndarray:
    """Return the logits of a classifier in a table, float64[num_texts, num_outputs]."""
    return table[list_logit_columns(table, classifier)].to_numpy(np.float64)
