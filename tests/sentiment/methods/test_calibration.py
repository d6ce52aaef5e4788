"""Calibration weighs logits by the validation part alone, and predicts the test part."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad, minimize
from sklearn.metrics import log_loss

from flipped_labels import flip_labels
from rnn_pipelines.sentiment.methods.calibration import (
    Calibration,
    apply_calibration,
    calibrate_classifiers,
    choose_best_classifier,
    fit_calibration,
    list_stacks,
)
from rnn_pipelines.sentiment.methods.logits import read_logits
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures

NUM_TEXTS = 300


def make_reviews() -> pd.DataFrame:
    """A third of the reviews in each part, mixed."""
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "review_id": [f"r{number}" for number in range(NUM_TEXTS)],
            "part": np.array(["train", "validation", "test"])[np.arange(NUM_TEXTS) % 3],
            "label": pd.Categorical.from_codes(random.integers(0, 2, NUM_TEXTS), ["bad", "good"]),
            "rating": pd.array(random.integers(1, 11, NUM_TEXTS), "Int8"),
        }
    )


@pytest.fixture(scope="module")
def reviews() -> pd.DataFrame:
    return make_reviews()


@pytest.fixture(scope="module")
def features(reviews: pd.DataFrame) -> TextFeatures:
    """Texts of 0, 1, 2, … words."""
    offsets = np.cumsum([0, *range(NUM_TEXTS)])
    logits = np.random.default_rng(1).normal(3 * (2 * reviews["label"].cat.codes - 1), 3)
    ngrams = np.zeros((offsets[-1], 1), np.float32)
    return TextFeatures(np.ones(offsets[-1], np.int32), offsets, ngrams, logits[:, None])


def score(
    reviews: pd.DataFrame, features: TextFeatures, cell: str, with_path: bool = True
) -> pd.DataFrame:
    """Logits of the validation and test reviews that know something of the labels."""
    is_scored = (reviews["part"] != "train").to_numpy()
    random = np.random.default_rng(len(cell))
    logits = random.normal(2 * make_reviews()["label"].cat.codes - 1, 2)
    scores = pd.DataFrame({"review_id": reviews["review_id"], cell: logits})[is_scored]
    return scores.assign(nb_ngram=features.logits[is_scored, 0]) if with_path else scores


@pytest.fixture(scope="module")
def networks(reviews: pd.DataFrame, features: TextFeatures) -> dict[str, pd.DataFrame]:
    return {cell: score(reviews, features, cell) for cell in ("lstm", "gru", "pointwise")}


@pytest.fixture(scope="module")
def calibrated(
    reviews: pd.DataFrame, features: TextFeatures, networks: dict[str, pd.DataFrame]
) -> tuple[dict, pd.DataFrame]:
    return calibrate_classifiers(reviews, features, **networks)


def draw(scale: float, shift: float, size: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels of which `scale · logit + shift` is the true log odds."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, size)
    return logits, (random.random(size) < 1 / (1 + np.exp(-(scale * logits + shift)))).astype(int)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.4, 0.0), (2.0, -0.5)])
def test_calibration_of_one_model_recovers_its_line(scale: float, shift: float) -> None:
    logits, labels = draw(scale, shift)
    calibration = fit_calibration({"gru": logits[:, None]}, labels, 2)
    assert calibration["weights"]["gru"] == pytest.approx(scale, rel=0.05)
    assert calibration["intercept"] == pytest.approx([shift], abs=0.05)


def test_calibrated_logit_is_of_the_minimum_of_the_penalised_loss() -> None:
    """Σ log loss + 10 · |w − 1/2|² / 2 + 0.1 · b² / 2, minimised without a gradient."""
    random = np.random.default_rng(2)
    labels = random.integers(0, 2, 200)
    logits = random.normal((2 * labels - 1)[:, None], [2, 3], (200, 2))

    def compute_loss(parameters: np.ndarray) -> float:
        logit = logits @ parameters[:2] + parameters[2]
        penalty = 10 * ((parameters[:2] - 0.5) ** 2).sum() + 0.1 * parameters[2] ** 2
        return np.logaddexp(0, np.where(labels == 1, -logit, logit)).sum() + penalty / 2

    calibration = fit_calibration({"lstm": logits[:, :1], "gru": logits[:, 1:]}, labels, 2)
    expected = minimize(compute_loss, np.zeros(3), tol=1e-10).x
    assert list_parameters(calibration) == pytest.approx(expected.tolist(), abs=1e-3)


def list_parameters(calibration: Calibration) -> list[float]:
    return [*calibration["weights"].values(), *calibration["intercept"]]


def test_two_texts_that_contradict_the_models_leave_their_weights_above_0() -> None:
    logits = np.array([[2.0], [-1.0]])
    calibration = fit_calibration({"lstm": logits, "gru": logits}, np.array([0, 1]), 2)
    assert all(0.1 < weight < 0.5 for weight in calibration["weights"].values())


def test_gradient_of_three_classes_is_that_of_finite_differences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 3, 40)
    logits = {name: random.normal(size=(40, 3)) for name in ("lstm", "gru")}
    errors = []

    def check(measure: Any, start: np.ndarray, **options: object) -> Any:
        point = start + random.normal(size=len(start))
        errors.append(
            check_grad(lambda x: measure(x)[0], lambda x: measure(x)[1], point, epsilon=1e-6)
        )
        return minimize(measure, start, **options)

    monkeypatch.setattr("scipy.optimize.minimize", check)
    fit_calibration(logits, labels, 3)
    assert errors == [pytest.approx(0, abs=2e-3)]


def test_calibrated_logits_are_the_weighted_sum_of_the_models() -> None:
    calibration: Calibration = {"weights": {"a": 2.0, "b": -1.0}, "intercept": [0.5]}
    by_name = {
        "b": np.array([[1.0], [2.0]]),
        "c": np.array([[9.0], [9.0]]),
        "a": np.array([[3.0], [0.0]], np.float32),
    }
    assert apply_calibration(calibration, by_name).tolist() == [[5.5], [-1.5]]


def test_each_class_has_an_intercept_of_its_own() -> None:
    calibration: Calibration = {"weights": {"a": 2.0}, "intercept": [0.5, 0.0, -1.0]}
    logits = {"a": np.array([[1.0, 2.0, 3.0]])}
    assert apply_calibration(calibration, logits).tolist() == [[2.5, 4.0, 5.0]]


ALONE = {"lstm": ["lstm"], "gru": ["gru"], "nb_ngram": ["nb_ngram"], "ensemble": ["gru", "lstm"]}
WITH_PATH = {name: [*ALONE[name], "nb_ngram"] for name in ("lstm", "gru", "ensemble")}


@pytest.mark.parametrize(
    ("cells", "path", "expected"),
    [
        # Networks with an n-gram path are stacked with it and without.
        (
            ("lstm", "gru"),
            {"nb_ngram": 1.0},
            ALONE | WITH_PATH | {"lstm_alone": ["lstm"], "gru_alone": ["gru"]},
        ),
        (("lstm", "gru"), {}, ALONE),
        # A network without recurrence is in no ensemble.
        (("lstm", "gru", "pointwise"), {}, ALONE | {"pointwise": ["pointwise"]}),
    ],
)
def test_stacks_are_those_of_networks_with_their_paths(
    cells: tuple[str, ...], path: dict[str, float], expected: dict[str, list[str]]
) -> None:
    scores = {cell: pd.DataFrame({"review_id": ["r1"], cell: 1.0, **path}) for cell in cells}
    read = {name: table.set_index("review_id") for name, table in scores.items()}
    stacks = list_stacks(read, np.array([[1.0]]))
    assert {name: sorted(stack) for name, stack in stacks.items()} == expected


def test_network_that_was_not_trained_has_no_stack() -> None:
    read = {cell: pd.DataFrame(index=["r1"]) for cell in ("lstm", "gru")}
    assert list(list_stacks(read, np.array([[1.0]]))) == ["nb_ngram"]


def test_every_classifier_is_calibrated(calibrated: tuple) -> None:
    names = {"lstm", "gru", "pointwise", "ensemble", "nb_ngram", "lstm_alone", "gru_alone"}
    assert set(calibrated[0]) == set(calibrated[1].columns[4:]) == names


def test_predictions_are_of_the_test_part(calibrated: tuple, reviews: pd.DataFrame) -> None:
    test = reviews[reviews["part"] == "test"]
    for column in ("review_id", "label", "rating"):
        assert calibrated[1][column].tolist() == test[column].tolist()


def test_predictions_have_the_words_of_a_text(calibrated: tuple) -> None:
    assert list(calibrated[1].columns[:4]) == ["review_id", "label", "rating", "num_words"]
    assert calibrated[1]["num_words"].tolist() == list(range(2, NUM_TEXTS, 3))


def test_calibrations_are_json(calibrated: tuple) -> None:
    assert json.loads(json.dumps(calibrated[0])) == calibrated[0]


def test_predictions_of_a_network_are_its_calibrated_logits(
    calibrated: tuple, reviews: pd.DataFrame, networks: dict[str, pd.DataFrame]
) -> None:
    scores = networks["gru"].merge(reviews, on="review_id")
    validation, test = (scores[scores["part"] == part] for part in ("validation", "test"))
    fitted = fit_calibration(stack(validation), validation["label"].cat.codes.to_numpy(int), 2)
    expected = apply_calibration(fitted, stack(test))[:, 0]
    np.testing.assert_allclose(calibrated[1]["gru"], expected, rtol=1e-12)


def stack(scores: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: read_logits(scores, name) for name in ("gru", "nb_ngram")}


def test_predictions_of_ngrams_are_their_calibrated_logits(
    calibrated: tuple, features: TextFeatures
) -> None:
    expected = apply_calibration(calibrated[0]["nb_ngram"], {"nb_ngram": features.logits[2::3]})
    np.testing.assert_allclose(calibrated[1]["nb_ngram"], expected[:, 0], rtol=1e-12)


def test_calibrating_does_not_change_the_scores(
    reviews: pd.DataFrame, networks: dict[str, pd.DataFrame], features: TextFeatures
) -> None:
    before = reviews.copy(), networks["gru"].copy()
    calibrate_classifiers(reviews, features, **networks)
    pd.testing.assert_frame_equal(reviews, before[0])
    pd.testing.assert_frame_equal(networks["gru"], before[1])


def test_labels_of_the_validation_part_are_read_in_any_order(
    calibrated: tuple,
    reviews: pd.DataFrame,
    features: TextFeatures,
    networks: dict[str, pd.DataFrame],
) -> None:
    shuffled = {name: scores.sample(frac=1, random_state=0) for name, scores in networks.items()}
    pd.testing.assert_frame_equal(
        calibrate_classifiers(reviews, features, **shuffled)[1], calibrated[1]
    )


def test_weights_of_a_network_come_from_labels_of_the_validation_part(
    calibrated: tuple,
    reviews: pd.DataFrame,
    features: TextFeatures,
    networks: dict[str, pd.DataFrame],
) -> None:
    is_validation = reviews["part"] == "validation"
    flipped = flip_labels(reviews, is_validation)
    weights = calibrate_classifiers(flipped, features, **networks)[0]["gru"]["weights"]
    validation = reviews[is_validation].merge(networks["gru"])
    logits = {model: read_logits(validation, model) for model in weights}
    labels = 1 - validation["label"].cat.codes.to_numpy()
    assert weights == pytest.approx(fit_calibration(logits, labels, 2)["weights"], rel=1e-6)
    assert weights["gru"] < -0.3 < 0.6 < calibrated[0]["gru"]["weights"]["gru"]


def test_labels_of_the_test_part_are_not_read(
    calibrated: tuple,
    reviews: pd.DataFrame,
    features: TextFeatures,
    networks: dict[str, pd.DataFrame],
) -> None:
    blind = flip_labels(reviews, reviews["part"] == "test")
    calibrations, predictions = calibrate_classifiers(blind, features, **networks)
    assert calibrations == calibrated[0]
    pd.testing.assert_frame_equal(
        predictions.drop(columns="label"), calibrated[1].drop(columns="label")
    )


def test_networks_are_not_calibrated_on_labels_of_the_training_part(
    calibrated: tuple,
    reviews: pd.DataFrame,
    features: TextFeatures,
    networks: dict[str, pd.DataFrame],
) -> None:
    blind = flip_labels(reviews, reviews["part"] == "train")
    calibrations, _ = calibrate_classifiers(blind, features, **networks)
    names = set(calibrations) - {"nb_ngram"}
    assert {name: calibrations[name] for name in names} == {
        name: calibrated[0][name] for name in names
    }


def test_ngrams_are_calibrated_on_training_and_validation_part(
    calibrated: tuple, reviews: pd.DataFrame, features: TextFeatures
) -> None:
    fitted_on = (reviews["part"] != "test").to_numpy()
    labels = reviews["label"].cat.codes.to_numpy(int)[fitted_on]
    fitted = fit_calibration({"nb_ngram": features.logits[fitted_on]}, labels, 2)
    assert calibrated[0]["nb_ngram"]["weights"] == fitted["weights"]


@pytest.mark.parametrize("name", ["lstm", "ensemble", "nb_ngram", "gru_alone"])
def test_validation_log_loss_is_that_of_the_calibrated_logits(
    calibrated: tuple, reviews: pd.DataFrame, networks: dict[str, pd.DataFrame], name: str
) -> None:
    scores = networks["lstm"].merge(networks["gru"]).merge(reviews, on="review_id")
    validation = scores[scores["part"] == "validation"]
    logits = {model: read_logits(validation, model) for model in ("lstm", "gru", "nb_ngram")}
    logit = apply_calibration(calibrated[0][name], logits)
    expected = log_loss(validation["label"].cat.codes, 1 / (1 + np.exp(-logit[:, 0])))
    assert calibrated[0][name]["validation_log_loss"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("losses", "chosen"),
    [
        *(({best: 0.2}, best) for best in ("lstm", "gru", "ensemble")),
        # None but recurrent networks and their ensemble are chosen.
        *(({other: 0.1, "lstm": 0.2}, "lstm") for other in ("nb_ngram", "pointwise", "lstm_alone")),
    ],
)
def test_candidate_with_the_lowest_validation_loss_is_chosen(
    losses: dict[str, float], chosen: str
) -> None:
    losses = dict.fromkeys(("lstm", "gru", "ensemble"), 0.3) | losses
    assert (
        choose_best_classifier(
            {name: {"validation_log_loss": loss} for name, loss in losses.items()}
        )
        == chosen
    )
