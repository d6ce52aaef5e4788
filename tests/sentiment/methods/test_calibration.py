"""Calibration weighs logits by the validation part alone, and predicts the test part."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sklearn.metrics import log_loss

from rnn_pipelines.sentiment.methods.calibration import (
    apply_calibration,
    calibrate_classifiers,
    choose_classifier,
    fit_calibration,
    list_stacks,
)
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures

NUM_TEXTS = 300


def make_reviews() -> pd.DataFrame:
    """A third of the reviews in each part, mixed."""
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "review_id": [f"r{number}" for number in range(NUM_TEXTS)],
            "part": np.array(["train", "validation", "test"])[np.arange(NUM_TEXTS) % 3],
            "label": pd.array(random.integers(0, 2, NUM_TEXTS), "Int8"),
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
    logits = np.random.default_rng(1).normal(3 * (2 * reviews["label"].to_numpy(int) - 1), 3)
    return TextFeatures(
        np.ones(offsets[-1], np.int32), offsets, np.zeros((offsets[-1], 1), np.float32), logits
    )


def score(
    reviews: pd.DataFrame, features: TextFeatures, cell: str, with_path: bool = True
) -> pd.DataFrame:
    """Logits of the validation and test reviews that know something of the labels."""
    is_scored = (reviews["part"] != "train").to_numpy()
    random = np.random.default_rng(len(cell))
    logits = random.normal(2 * make_reviews()["label"].to_numpy(int) - 1, 2)
    scores = pd.DataFrame({"review_id": reviews["review_id"], cell: logits})[is_scored]
    return scores.assign(nb_ngram=features.logits[is_scored]) if with_path else scores


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
    found = fit_calibration(pd.DataFrame({"gru": logits}), labels)
    assert (found["weights"]["gru"], found["intercept"]) == (
        pytest.approx(scale, rel=0.05),
        pytest.approx(shift, abs=0.05),
    )


def test_calibrated_logit_is_of_the_minimum_of_the_penalised_loss() -> None:
    """Σ log loss + |w|² / 2C, minimised without scikit-learn."""
    random = np.random.default_rng(2)
    labels = random.integers(0, 2, 200)
    logits = random.normal((2 * labels - 1)[:, None], [2, 3], (200, 2))

    def compute_loss(parameters: np.ndarray) -> float:
        logit = logits @ parameters[:2] + parameters[2]
        return (
            np.logaddexp(0, np.where(labels == 1, -logit, logit)).sum()
            + (parameters[:2] ** 2).sum() / 20
        )

    found = fit_calibration(pd.DataFrame(logits, columns=["lstm", "gru"]), labels)
    expected = minimize(compute_loss, np.zeros(3), tol=1e-10).x
    assert [*found["weights"].values(), found["intercept"]] == pytest.approx(
        expected.tolist(), abs=1e-3
    )
    calibration = {"weights": {"a": 2.0, "b": -1.0}, "intercept": 0.5}
    by_name = {
        "b": np.array([1.0, 2.0]),
        "c": np.array([9.0, 9.0]),
        "a": np.array([3.0, 0.0], np.float32),
    }
    assert apply_calibration(calibration, by_name).tolist() == [5.5, -1.5]


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
    stacks = list_stacks(scores, pd.DataFrame({"nb_ngram": [1.0]}, index=["r1"]))
    assert {name: sorted(stack.columns) for name, stack in stacks.items()} == expected


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
    fitted = fit_calibration(validation[["gru", "nb_ngram"]], validation["label"].to_numpy(int))
    expected = apply_calibration(fitted, test)
    np.testing.assert_allclose(calibrated[1]["gru"], expected, rtol=1e-12)


def test_predictions_of_ngrams_are_their_calibrated_logits(
    calibrated: tuple, features: TextFeatures
) -> None:
    expected = apply_calibration(calibrated[0]["nb_ngram"], {"nb_ngram": features.logits[2::3]})
    np.testing.assert_allclose(calibrated[1]["nb_ngram"], expected, rtol=1e-12)


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
    flipped = reviews.assign(
        label=reviews["label"].mask(reviews["part"] == "validation", 1 - reviews["label"])
    )
    weights = calibrate_classifiers(flipped, features, **networks)[0]["nb_ngram"]["weights"]
    assert weights["nb_ngram"] == pytest.approx(
        -calibrated[0]["nb_ngram"]["weights"]["nb_ngram"], rel=1e-3
    )


@pytest.mark.parametrize("part", ["train", "test"])
def test_only_labels_of_the_validation_part_are_read(
    calibrated: tuple,
    reviews: pd.DataFrame,
    features: TextFeatures,
    networks: dict[str, pd.DataFrame],
    part: str,
) -> None:
    blind = reviews.assign(
        label=reviews["label"].mask(reviews["part"] == part, 1 - reviews["label"])
    )
    calibrations, predictions = calibrate_classifiers(blind, features, **networks)
    assert calibrations == calibrated[0]
    pd.testing.assert_frame_equal(
        predictions.drop(columns="label"), calibrated[1].drop(columns="label")
    )


@pytest.mark.parametrize("name", ["lstm", "ensemble", "nb_ngram", "gru_alone"])
def test_validation_log_loss_is_that_of_the_calibrated_logits(
    calibrated: tuple, reviews: pd.DataFrame, networks: dict[str, pd.DataFrame], name: str
) -> None:
    scores = networks["lstm"].merge(networks["gru"]).merge(reviews, on="review_id")
    validation = scores[scores["part"] == "validation"]
    logit = apply_calibration(calibrated[0][name], validation)
    expected = log_loss(validation["label"].astype(int), 1 / (1 + np.exp(-logit)))
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
        choose_classifier({name: {"validation_log_loss": loss} for name, loss in losses.items()})
        == chosen
    )
