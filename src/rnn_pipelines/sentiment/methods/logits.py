"""Logits and probabilities. A logit above 0 means positive; the probability is 1 / (1 + exp(−logit))."""

import numpy as np

# Probabilities are clipped by this amount, so that 0 and 1 have a finite logit.
SMALLEST_PROBABILITY = 1e-15


def to_probability(logits: np.ndarray) -> np.ndarray:
    """Return the probability of the positive class, float64 of the shape of `logits`."""
    return np.exp(-np.logaddexp(0.0, -logits.astype(np.float64)))


def to_logit(probability: np.ndarray) -> np.ndarray:
    """Return the logit of a probability, float64 of the shape of `probability`; finite also for 0 and 1."""
    clipped = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(clipped) - np.log1p(-clipped)


def measure_log_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """Return the mean of −log(probability of the true class) over all texts, in nats."""
    return float(
        np.logaddexp(0.0, np.where(labels == 1, -logits, logits).astype(np.float64)).mean()
    )


def name_labels(logits: np.ndarray, num_known_words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return label and probability of each text; a text without a known word has the label unknown and 0.5."""
    is_known = num_known_words > 0
    probability = np.where(is_known, to_probability(logits), 0.5)
    return np.where(
        is_known, np.where(probability > 0.5, "positive", "negative"), "unknown"
    ), probability
