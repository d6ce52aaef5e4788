"""Champion and challenger are measured on reviews that neither has seen, and an unusable challenger is found out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss

from rnn_pipelines.sentiment.evaluation.holdout import find_score_faults, measure_text_holdout
from rnn_pipelines.sentiment.evaluation.metrics import compare_errors
from rnn_pipelines.sentiment.methods.logits import to_logit, to_probability


@pytest.fixture
def make_holdout() -> Callable[..., pd.DataFrame]:
    """Logits of 200 reviews, the better the smaller the noise; of the first `num_seen` the champion knows the label."""

    def make(num_seen: int = 0, **noise: float) -> pd.DataFrame:
        random = np.random.default_rng(0)
        label = np.arange(200) % 2
        holdout = pd.DataFrame(
            {"label": pd.array(label, "Int8"), "majority": 0.0, "nb_ngram": 2.0 * label - 1}
        )
        for name, deviation in {"challenger": 1.0, **noise}.items():
            holdout[name] = 2 * label - 1 + deviation * random.normal(size=200)
        holdout["is_seen"] = np.arange(200) < num_seen
        if num_seen:
            holdout.loc[holdout["is_seen"], "champion"] = (20.0 * label - 10)[:num_seen]
        return holdout

    return make


def test_losses_and_p_value_are_those_of_scikit_learn_and_mcnemar(
    make_holdout: Callable[..., pd.DataFrame],
) -> None:
    holdout = make_holdout(champion=2.0)
    found = measure_text_holdout(holdout)
    for name in ("challenger", "champion", "majority", "nb_ngram"):
        probability = to_probability(holdout[name].to_numpy())
        assert found.measures[name]["log_loss"] == pytest.approx(
            log_loss(holdout["label"], probability)
        )
        assert found.measures[name]["accuracy"] == accuracy_score(
            holdout["label"], probability > 0.5
        )
    holdout = make_holdout(champion=3.0)
    labels, one, other = (holdout[name].to_numpy() for name in ("label", "challenger", "champion"))
    p_value = measure_text_holdout(holdout).p_value
    assert p_value == compare_errors(labels, one, other)["p_value"]
    assert p_value < 0.01
    assert measure_text_holdout(make_holdout()).p_value is None


def test_errors_and_seen_reviews_decide_what_can_be_compared(
    make_holdout: Callable[..., pd.DataFrame],
) -> None:
    """The policy would take a small p-value for that of the loss."""
    holdout = make_holdout(champion=3.0)
    holdout["challenger"] *= 100
    assert measure_text_holdout(holdout).p_value == 1.0
    seen = measure_text_holdout(make_holdout(40, champion=2.0))
    unseen = measure_text_holdout(make_holdout(champion=2.0).iloc[40:])
    assert (seen.measures, seen.p_value) == (unseen.measures, unseen.p_value)
    assert "40 of 200" in seen.notes[0]
    assert seen.is_comparable
    assert measure_text_holdout(make_holdout(100, champion=2.0)).is_comparable
    assert not measure_text_holdout(make_holdout(101, champion=2.0)).is_comparable
    holdout = make_holdout(champion=2.0).assign(is_seen=lambda t: (t["label"] == 1).astype(bool))
    assert not measure_text_holdout(holdout).is_comparable


def test_scores_that_are_not_finite_or_all_alike_are_a_fault(
    make_holdout: Callable[..., pd.DataFrame],
) -> None:
    holdout = make_holdout(champion=2.0)
    holdout.loc[3, "challenger"] = np.nan
    found = measure_text_holdout(holdout)
    assert found.measures["challenger"] is None
    assert np.isnan(found.p_value)
    (fault,) = find_score_faults(holdout)
    assert "1 of 200" in fault
    assert find_score_faults(make_holdout()) == []
    assert find_score_faults(make_holdout().assign(challenger=1.5)) == [
        "its scores are the same for every text"
    ]


@pytest.mark.parametrize("probability", [0.0, 1e-9, 0.25, 1.0])
def test_logit_and_probability_are_inverse(probability: float) -> None:
    logit = to_logit(np.array([probability]))
    assert np.isfinite(logit).all()
    assert to_probability(logit)[0] == pytest.approx(probability, abs=1e-14)
