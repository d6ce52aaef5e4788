"""The last layer of a network, fitted to few labels as a logistic regression on the pooled states."""

import numpy as np
from sklearn.linear_model import LogisticRegression

# Weight of the training error relative to the squared weights, chosen on validation reviews (decision 64).
INVERSE_PENALTY = 0.03


def fit_head(
    states: np.ndarray, labels: np.ndarray, num_outputs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel, float64[num_states, num_outputs], and the bias, float64[num_outputs].

    All states are divided by one number, so that the effect of the penalty does not depend on their size.

    Args:
        states: float64[num_texts, num_states].
        labels: the number of the class of each text, int[num_texts]. A class may have no text.
    """
    center = states.mean(axis=0)
    scale = max(float(np.sqrt(np.square(states - center).mean())), 1e-9)
    num_classes = max(num_outputs, 2)
    weights = np.zeros((num_classes, states.shape[1]))
    # Those of classes without a text.
    intercepts = np.full(num_classes, -np.log(len(labels) + 1))
    classes = np.unique(labels)
    if len(classes) == 1:
        intercepts[classes] = 0.0
    else:
        regression = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000)
        regression.fit((states - center) / scale, labels)
        # Of two classes, scikit-learn has the weights of the second one; those of the first one are 0.
        is_binary = len(classes) == 2
        weights[classes[int(is_binary) :]] = regression.coef_ / scale
        intercepts[classes] = 0.0
        intercepts[classes[int(is_binary) :]] = regression.intercept_
    intercepts -= weights @ center
    if num_outputs == 1:
        return (weights[1:] - weights[:1]).T, intercepts[1:] - intercepts[:1]
    return weights.T, intercepts


def score_out_of_fold(
    states: np.ndarray, labels: np.ndarray, num_outputs: int, folds: np.ndarray
) -> np.ndarray:
    """Return the logits of each text by a head that did not learn its fold, float64[num_texts, num_outputs].

    `folds` are those of the texts, int[num_texts]; if all are in one, the logits are NaN. The other arguments are those
    of `fit_head`.
    """
    logits = np.full((len(states), num_outputs), np.nan)
    for fold in np.unique(folds):
        is_held_out = folds == fold
        if is_held_out.all():
            continue
        kernel, bias = fit_head(states[~is_held_out], labels[~is_held_out], num_outputs)
        logits[is_held_out] = states[is_held_out] @ kernel + bias
    return logits
