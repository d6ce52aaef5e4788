"""From the logits of several models to one calibrated logit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.sentiment.evaluation.metrics import CELLS, CLASSICAL, measure_log_loss
from rnn_pipelines.sentiment.nb_ngram import TextFeatures


def fit_calibration(logits: pd.DataFrame, labels: np.ndarray) -> dict[str, Any]:
    """Weighs logits so that their sum says how sure the models may be: logistic regression on held-out texts.

    Of a single model this is Platt's scaling, of several a stack of them.

    Args:
        logits: a column for each model, a row for each validation text.
        labels: int[num_texts], 0 or 1.
    Returns:
        `weights` (a number for each column) and `intercept`, as plain numbers.
    Source: Platt (1999), Probabilistic Outputs for Support Vector Machines; Wolpert (1992), Stacked Generalization.
    """
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=10.0, max_iter=1000).fit(logits.to_numpy(), labels)
    weights = dict(zip(logits.columns, regression.coef_[0].tolist(), strict=True))
    return {"weights": weights, "intercept": float(regression.intercept_[0])}


def apply_calibration(calibration: Mapping[str, Any], logits: Mapping[str, np.ndarray]) -> np.ndarray:
    """The calibrated logit of each text, float64[num_texts].

    Args:
        calibration: what `fit_calibration` returns.
        logits: float[num_texts] for each of its models.
    """
    weighted = [weight * np.asarray(logits[name], np.float64) for name, weight in calibration["weights"].items()]
    return np.sum(weighted, axis=0) + calibration["intercept"]


def calibrate_classifiers(
    reviews: pd.DataFrame, features: TextFeatures, networks: Mapping[str, pd.DataFrame]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Calibrates each classifier on the validation part, and predicts the test part with it.

    Args:
        reviews: `review_id, part, label, rating`.
        features: of all reviews, in their order.
        networks: what `score_reviews` returns for each network.
    Returns:
        For each classifier what `fit_calibration` returns, and its `validation_log_loss`. And the test part:
        `review_id, label, rating, num_words`, and calibrated logits in a column for each classifier.
    """
    table = reviews[["review_id", "label", "rating"]].assign(num_words=features.encoded.lengths)
    classical = pd.DataFrame({CLASSICAL: features.logits}, index=reviews["review_id"])
    is_validation = (reviews["part"] == "validation").to_numpy()
    labels = reviews.loc[is_validation, "label"].to_numpy(int)
    calibrations = {}
    for name, logits in list_stacks(networks, classical).items():
        values = logits.reindex(reviews["review_id"]).reset_index(drop=True)
        calibration = fit_calibration(values[is_validation], labels)
        table[name] = apply_calibration(calibration, values)
        loss = measure_log_loss(labels, table.loc[is_validation, name].to_numpy())
        calibrations[name] = calibration | {"validation_log_loss": loss}
    return calibrations, table[(reviews["part"] == "test").to_numpy()].reset_index(drop=True)


def list_stacks(networks: Mapping[str, pd.DataFrame], classical: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The classifiers, each by the logits of the models that it weighs.

    Every network with its n-gram path where it has one; the LSTM and the GRU together; each of these two without its
    path; and the n-gram classifier.
    """
    stacks = {name: scores.set_index("review_id") for name, scores in networks.items()}
    cells = [stacks[cell] for cell in CELLS]
    ensemble = pd.concat(cells, axis=1)
    ensemble = ensemble.loc[:, ~ensemble.columns.duplicated()]
    alone = {f"{cell}_alone": stack[[cell]] for cell, stack in zip(CELLS, cells, strict=True) if CLASSICAL in stack}
    return stacks | {"ensemble": ensemble, CLASSICAL: classical} | alone


def choose_classifier(calibrations: Mapping[str, Mapping[str, Any]]) -> str:
    """The network, or both together, with the lowest log loss on validation."""
    return min((*CELLS, "ensemble"), key=lambda name: calibrations[name]["validation_log_loss"])
