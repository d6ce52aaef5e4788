"""Calibration: the logits of several models are combined to one calibrated logit."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.sentiment.methods.logits import measure_log_loss
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.registry import (
    ENSEMBLE,
    NB_NGRAM,
    list_candidate_networks,
    name_alone,
)
from rnn_pipelines.sentiment.methods.tables import Predictions, Scores
from rnn_pipelines.sentiment.text.schema import Reviews


class Calibration(TypedDict):
    """The combination of the logits of models to one calibrated logit.

    `weights` by model, `intercept` and, if the classifier was compared with others, `validation_log_loss` in nats.
    """

    weights: dict[str, float]
    intercept: float
    validation_log_loss: NotRequired[float]


def fit_calibration(logits: pd.DataFrame, labels: np.ndarray) -> Calibration:
    """Fit the weights of the logits of each model by logistic regression on held-out texts, one row for each.

    For one model this is Platt scaling, for several it is stacking.

    Source: Platt (1999), Probabilistic Outputs for Support Vector Machines; Wolpert (1992), Stacked Generalization.
    """
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=10.0, max_iter=1000).fit(logits.to_numpy(), labels)
    weights = dict(zip(logits.columns, regression.coef_[0].tolist(), strict=True))
    return {"weights": weights, "intercept": float(regression.intercept_[0])}


def apply_calibration(calibration: Calibration, logits: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the calibrated logit of each text, float64[num_texts], from those of each model of the calibration."""
    weighted = [
        weight * np.asarray(logits[name], np.float64)
        for name, weight in calibration["weights"].items()
    ]
    return np.sum(weighted, axis=0) + calibration["intercept"]


def calibrate_classifiers(
    reviews: Reviews, features: TextFeatures, **networks: Scores
) -> tuple[dict[str, Calibration], Predictions]:
    """Calibrate each classifier on the validation part, and predict the test part with it.

    The features are those of all reviews, in their order. The networks give logits of validation and test reviews.
    """
    table = reviews[["review_id", "label", "rating"]].assign(num_words=features.encoded.lengths)
    classical = pd.DataFrame({NB_NGRAM: features.logits}, index=reviews["review_id"])
    is_validation = (reviews["part"] == "validation").to_numpy()
    labels = reviews.loc[is_validation, "label"].to_numpy(int)
    calibrations: dict[str, Calibration] = {}
    for name, logits in list_stacks(networks, classical).items():
        values = logits.reindex(reviews["review_id"]).reset_index(drop=True)
        calibration = fit_calibration(values[is_validation], labels)
        table[name] = apply_calibration(calibration, values)
        loss = measure_log_loss(labels, table.loc[is_validation, name].to_numpy())
        calibrations[name] = {**calibration, "validation_log_loss": loss}
    return calibrations, table[(reviews["part"] == "test").to_numpy()].reset_index(drop=True)


def list_stacks(networks: Mapping[str, Scores], classical: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the classifiers, each with the logits of its models.

    These are every network with its n-gram path, if it has one; the ensemble of all candidates; each candidate without
    its n-gram path; and the n-gram classifier.
    """
    stacks = {name: scores.set_index("review_id") for name, scores in networks.items()}
    candidates = {name: stacks[name] for name in list_candidate_networks()}
    together = pd.concat(candidates.values(), axis=1)
    together = together.loc[:, ~together.columns.duplicated()]
    alone = {
        name_alone(name): stack[[name]] for name, stack in candidates.items() if NB_NGRAM in stack
    }
    return stacks | {ENSEMBLE: together, NB_NGRAM: classical} | alone


def choose_best_classifier(calibrations: Mapping[str, Calibration]) -> str:
    """Return the candidate with the lowest validation log loss: a recurrent network or the ensemble."""
    return min(
        (*list_candidate_networks(), ENSEMBLE),
        key=lambda name: calibrations[name]["validation_log_loss"],
    )
