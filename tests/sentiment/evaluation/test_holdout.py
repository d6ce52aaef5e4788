"""Champion and challenger are measured on reviews that neither has seen, and an unusable challenger is found out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss

from rnn_pipelines.sentiment.evaluation.holdout import find_score_faults, measure_text_holdout
from rnn_pipelines.sentiment.evaluation.metrics import compare_errors
from rnn_pipelines.sentiment.methods.logits import (
    read_logits,
    tabulate_logits,
    to_probabilities,
)


@pytest.fixture
def make_holdout() -> Callable[..., pd.DataFrame]:
    """Logits of 200 reviews, the better the smaller the noise; of the first `num_seen` the champion knows the label."""

    def make(num_seen: int = 0, **noise: float) -> pd.DataFrame:
        random = np.random.default_rng(0)
        label = np.arange(200) % 2
        holdout = pd.DataFrame(
            {
                "label": pd.Categorical.from_codes(label, ["bad", "good"]),
                "majority": 0.0,
                "nb_ngram": 2.0 * label - 1,
            }
        )
        for name, deviation in {"challenger": 1.0, **noise}.items():
            holdout[name] = 2 * label - 1 + deviation * random.normal(size=200)
        holdout["is_seen"] = np.arange(200) < num_seen
        if num_seen:
            holdout.loc[holdout["is_seen"], "champion"] = (20.0 * label - 10)[:num_seen]
        return holdout

    return make


@pytest.mark.parametrize("name", ["challenger", "champion", "majority", "nb_ngram"])
def test_measures_are_those_of_scikit_learn(
    make_holdout: Callable[..., pd.DataFrame], name: str
) -> None:
    holdout = make_holdout(champion=2.0)
    measures = measure_text_holdout(holdout).measures[name]
    probability = to_probabilities(read_logits(holdout, name))[:, 1]
    labels = holdout["label"].cat.codes
    assert measures["log_loss"] == pytest.approx(log_loss(labels, probability))
    assert measures["accuracy"] == accuracy_score(labels, probability > 0.5)


def test_p_value_is_that_of_mcnemar(make_holdout: Callable[..., pd.DataFrame]) -> None:
    holdout = make_holdout(champion=3.0)
    labels = holdout["label"].cat.codes.to_numpy()
    challenger, champion = (read_logits(holdout, name) for name in ("challenger", "champion"))
    p_value = measure_text_holdout(holdout).p_value
    assert p_value == compare_errors(labels, challenger, champion)["p_value"]
    assert p_value < 0.01


def test_without_champion_there_is_no_p_value(make_holdout: Callable[..., pd.DataFrame]) -> None:
    assert measure_text_holdout(make_holdout()).p_value is None


def test_a_challenger_with_fewer_errors_at_a_worse_loss_shows_nothing(
    make_holdout: Callable[..., pd.DataFrame],
) -> None:
    """The policy would take a small p-value for that of the loss."""
    holdout = make_holdout(champion=3.0)
    holdout["challenger"] *= 100
    assert measure_text_holdout(holdout).p_value == 1.0


def test_seen_reviews_are_left_out_of_the_comparison(
    make_holdout: Callable[..., pd.DataFrame],
) -> None:
    seen = measure_text_holdout(make_holdout(40, champion=2.0))
    unseen = measure_text_holdout(make_holdout(champion=2.0).iloc[40:])
    assert (seen.measures, seen.p_value) == (unseen.measures, unseen.p_value)


def test_seen_reviews_are_counted_in_a_note(make_holdout: Callable[..., pd.DataFrame]) -> None:
    seen = measure_text_holdout(make_holdout(40, champion=2.0))
    assert "40 of 200" in seen.notes[0]


def test_a_few_seen_reviews_leave_a_comparison(make_holdout: Callable[..., pd.DataFrame]) -> None:
    seen = measure_text_holdout(make_holdout(40, champion=2.0))
    assert seen.is_comparable


def test_half_of_the_reviews_suffice_for_a_comparison(
    make_holdout: Callable[..., pd.DataFrame],
) -> None:
    assert measure_text_holdout(make_holdout(100, champion=2.0)).is_comparable
    assert not measure_text_holdout(make_holdout(101, champion=2.0)).is_comparable


def test_unseen_reviews_of_one_class_cannot_be_compared(
    make_holdout: Callable[..., pd.DataFrame],
) -> None:
    holdout = make_holdout(champion=2.0).assign(is_seen=lambda t: t["label"] == "good")
    assert not measure_text_holdout(holdout).is_comparable


@pytest.fixture
def faulty(make_holdout: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    holdout = make_holdout(champion=2.0)
    holdout.loc[3, "challenger"] = np.nan
    return holdout


def test_scores_that_are_not_finite_have_no_measures(faulty: pd.DataFrame) -> None:
    found = measure_text_holdout(faulty)
    assert found.measures["challenger"] is None
    assert np.isnan(found.p_value)


def test_scores_that_are_not_finite_are_a_fault(faulty: pd.DataFrame) -> None:
    (fault,) = find_score_faults(faulty)
    assert "1 of 200" in fault


def test_different_scores_are_no_fault(make_holdout: Callable[..., pd.DataFrame]) -> None:
    assert find_score_faults(make_holdout()) == []


def test_equal_scores_are_a_fault(make_holdout: Callable[..., pd.DataFrame]) -> None:
    assert find_score_faults(make_holdout().assign(challenger=1.5)) == [
        "its scores are the same for every text"
    ]


@pytest.fixture
def of_three_classes() -> pd.DataFrame:
    """Of 60 texts; all but the champion's logits know the class."""
    random = np.random.default_rng(1)
    labels = np.arange(60) % 3
    holdout = pd.DataFrame(
        {
            "label": pd.Categorical.from_codes(labels, ["a", "b", "c"]),
            "is_seen": False,
        }
    )
    for name in ("challenger", "champion", "majority", "nb_ngram"):
        known = 0.0 if name == "champion" else 2.0
        logits = random.normal(known * np.eye(3)[labels])
        holdout = holdout.assign(**tabulate_logits(name, logits))
    return holdout


def test_three_classes_are_measured(of_three_classes: pd.DataFrame) -> None:
    measures = measure_text_holdout(of_three_classes).measures["challenger"]
    probabilities = to_probabilities(read_logits(of_three_classes, "challenger"))
    assert measures["log_loss"] == pytest.approx(
        log_loss(of_three_classes["label"].cat.codes, probabilities)
    )


def test_challenger_of_three_classes_is_compared(of_three_classes: pd.DataFrame) -> None:
    assert measure_text_holdout(of_three_classes).p_value < 0.01


def test_one_logit_of_three_that_is_not_finite_is_a_fault(of_three_classes: pd.DataFrame) -> None:
    of_three_classes.loc[4, "challenger 1"] = np.inf
    assert find_score_faults(of_three_classes) == ["its scores are not finite (1 of 60)"]
