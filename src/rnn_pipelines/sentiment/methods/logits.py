"""What a classifier says of a text: a logit, above 0 for positive; its probability is 1 / (1 + exp(−logit))."""

import numpy as np

# A probability that rounds to 0 or 1 still has a logit.
SMALLEST_PROBABILITY = 1e-15


def to_probability(logits: np.ndarray) -> np.ndarray:
    """The probability of the positive class, float64 of the shape of `logits`."""
    return np.exp(-np.logaddexp(0.0, -logits.astype(np.float64)))


def to_logit(probability: np.ndarray) -> np.ndarray:
    """What `to_probability` comes from, float64 of the shape of `probability`; finite at 0 and 1 too."""
    clipped = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(clipped) - np.log1p(-clipped)


def measure_log_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """Mean over the texts of −log of the probability that the right class was given, in nats."""
    return float(np.logaddexp(0.0, np.where(labels == 1, -logits, logits).astype(np.float64)).mean())


def name_labels(logits: np.ndarray, num_known_words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The label of each text, positive, negative or, without a known word, unknown; and its probability, then 0.5."""
    is_known = num_known_words > 0
    probability = np.where(is_known, to_probability(logits), 0.5)
    return np.where(is_known, np.where(probability > 0.5, "positive", "negative"), "unknown"), probability
