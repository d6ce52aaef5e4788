"""Calibration: the logits of several models are combined to calibrated logits."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.sentiment.methods.logits import (
    mark_classes,
    measure_log_loss,
    read_logits,
    tabulate_logits,
    to_probabilities,
)
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.registry import (
    ENSEMBLE,
    NB_NGRAM,
    list_candidate_networks,
    name_alone,
)
from rnn_pipelines.sentiment.methods.tables import Predictions, Scores, ScoresTable
from rnn_pipelines.sentiment.text.schema import Reviews, list_classes

# Penalties of the squared distance of a weight from 1 / number of models, and of the squared intercepts, in nats. With
# few texts, weights fitted without the former can be near 0, or below.
WEIGHT_PENALTY = 10.0
INTERCEPT_PENALTY = 0.1

# The logits of several models by name, float64[num_texts, num_outputs] each.
Logits = Mapping[str, np.ndarray]


class Calibration(TypedDict):
    """The combination of the logits of models to calibrated logits.

    `weights` by model, `intercept` of each output and, if the classifier was compared with others,
    `validation_log_loss` in nats.
    """

    weights: dict[str, float]
    intercept: list[float]
    validation_log_loss: NotRequired[float]


def fit_calibration(logits: Logits, labels: np.ndarray, num_classes: int) -> Calibration:
    """Fit the weights of the logits of each model, and the intercepts, on held-out texts.

    It is a logistic regression; a weight is the same for all classes. For one model and two classes this is Platt
    scaling, for several models it is stacking. With few texts, the weights stay near those of the mean of the models.

    Args:
        labels: the number of the class of each text, int[num_texts].
    Source: Platt (1999), Probabilistic Outputs for Support Vector Machines; Wolpert (1992), Stacked Generalization.
    """
    from scipy.optimize import minimize

    stacked = np.stack(list(logits.values()), axis=-1)
    num_outputs, num_models = stacked.shape[1:]
    targets = mark_classes(labels, num_classes)
    start = np.append(np.full(num_models, 1 / num_models), np.zeros(num_outputs))
    penalties = np.append(
        np.full(num_models, WEIGHT_PENALTY), np.full(num_outputs, INTERCEPT_PENALTY)
    )

    def measure(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the penalised loss and its gradient."""
        combined = stacked @ parameters[:num_models] + parameters[num_models:]
        loss = len(labels) * measure_log_loss(labels, combined)
        slopes = to_probabilities(combined)[:, -num_outputs:] - targets
        gradient = np.concatenate([np.einsum("to,tom->m", slopes, stacked), slopes.sum(axis=0)])
        distances = parameters - start
        penalised = loss + (penalties * distances**2).sum() / 2
        return penalised, gradient + penalties * distances

    fitted = minimize(measure, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
    weights = dict(zip(logits, fitted[:num_models].tolist(), strict=True))
    return {"weights": weights, "intercept": fitted[num_models:].tolist()}


def apply_calibration(calibration: Calibration, logits: Logits) -> np.ndarray:
    """Return the calibrated logits, float64[num_texts, num_outputs], from those of each model of the calibration."""
    weighted = [
        weight * np.asarray(logits[name], np.float64)
        for name, weight in calibration["weights"].items()
    ]
    return np.sum(weighted, axis=0) + np.asarray(calibration["intercept"])


def calibrate_classifiers(
    reviews: Reviews, features: TextFeatures, **networks: Scores
) -> tuple[dict[str, Calibration], Predictions]:
    """Calibrate each classifier on held-out reviews, and predict the test part with it.

    These are the validation part, and the training part, if all of its logits are out-of-fold: those of the n-gram
    classifier are, and those of networks too, if they give any. The features are those of all reviews, in their order.
    """
    table = reviews[["review_id", "label", "rating"]].assign(num_words=features.encoded.lengths)
    labels = reviews["label"].cat.codes.to_numpy(int)
    num_classes = len(list_classes(reviews))
    is_validation = (reviews["part"] == "validation").to_numpy()
    is_train = (reviews["part"] == "train").to_numpy()
    read = {
        name: scores.set_index("review_id").reindex(reviews["review_id"])
        for name, scores in networks.items()
    }
    calibrations: dict[str, Calibration] = {}
    columns: dict[str, np.ndarray] = {}
    for name, logits in list_stacks(read, features.logits).items():
        is_missing = np.any([np.isnan(values).any(axis=1) for values in logits.values()], axis=0)
        fitted_on = is_validation | (is_train & ~is_missing)
        held_out = {model: values[fitted_on] for model, values in logits.items()}
        calibration = fit_calibration(held_out, labels[fitted_on], num_classes)
        calibrated = apply_calibration(calibration, logits)
        loss = measure_log_loss(labels[is_validation], calibrated[is_validation])
        calibrations[name] = {**calibration, "validation_log_loss": loss}
        columns |= tabulate_logits(name, calibrated)
    # At once, because each of many classes has a column.
    table = pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)
    return calibrations, table[(reviews["part"] == "test").to_numpy()].reset_index(drop=True)


def list_stacks(networks: Mapping[str, pd.DataFrame], classical: np.ndarray) -> dict[str, Logits]:
    """Return the classifiers, each with the logits of its models.

    These are every trained network with its n-gram path, if it has one; the ensemble of several candidates; each one
    without its n-gram path; and the n-gram classifier.
    """
    stacks: dict[str, Logits] = {
        name: {model: read_logits(scores, model) for model in ScoresTable.list_models(scores)}
        for name, scores in networks.items()
        if len(scores.columns)
    }
    candidates = {name: stacks[name] for name in list_candidate_networks() if name in stacks}
    together: dict[str, np.ndarray] = {}
    for stack in candidates.values():
        together.update(stack)
    alone: dict[str, Logits] = {
        name_alone(name): {name: stack[name]}
        for name, stack in candidates.items()
        if NB_NGRAM in stack
    }
    ensemble: dict[str, Logits] = {ENSEMBLE: together} if len(candidates) > 1 else {}
    return stacks | ensemble | {NB_NGRAM: {NB_NGRAM: classical}} | alone


def choose_best_classifier(calibrations: Mapping[str, Calibration]) -> str:
    """Return the candidate with the lowest validation log loss: a recurrent network or the ensemble.

    If no network was trained, it is the n-gram classifier.
    """
    candidates = [name for name in (*list_candidate_networks(), ENSEMBLE) if name in calibrations]
    return min(candidates or [NB_NGRAM], key=lambda name: calibrations[name]["validation_log_loss"])
