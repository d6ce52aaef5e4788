"""Each rule of a promotion and its border: nothing faulty, not comparable or worse ever takes the champion's place."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rnn_pipelines.champion.policy import Decision, Evidence, PolicySpec, decide_promotion
from rnn_pipelines.errors import ParameterError

BETTER = Evidence(
    challenger_loss=4.0,
    champion_loss=5.0,
    baseline_losses={"naive": 8.0, "linear": 6.0},
    p_value=0.01,
    champion_age_days=10.0,
)
WORSE = replace(BETTER, challenger_loss=6.0)
EQUAL = replace(BETTER, p_value=0.9)
FIRST = replace(BETTER, champion_loss=None, p_value=None, champion_age_days=None)
NOT_FINITE = [math.nan, math.inf, -math.inf]


def decide(evidence: Evidence, **options: Any) -> Decision:
    return decide_promotion(evidence, PolicySpec(**options))


# Better


def test_better_challenger_is_promoted() -> None:
    assert decide(BETTER) == Decision(True, ("its loss is 4, the champion's 5, p = 0.01: it is better",))


def test_difference_that_is_not_shown_keeps_the_champion() -> None:
    assert decide(EQUAL) == Decision(
        False, ("its loss is 4, the champion's 5, p = 0.9: the difference is not significant on this holdout",)
    )


@pytest.mark.parametrize(("p_value", "is_promoted"), [(0.05, True), (math.nextafter(0.05, 1), False)])
def test_difference_is_shown_up_to_the_significance(p_value: float, is_promoted: bool) -> None:
    assert decide(replace(BETTER, p_value=p_value), significance=0.05).is_promoted is is_promoted


@pytest.mark.parametrize(("loss", "is_promoted"), [(4.5, False), (math.nextafter(4.5, 0), True)])
def test_improvement_must_be_more_than_the_least(loss: float, is_promoted: bool) -> None:
    decision = decide(replace(BETTER, challenger_loss=loss), min_improvement_fraction=0.1)
    assert decision.is_promoted is is_promoted


def test_too_small_an_improvement_is_told() -> None:
    decision = decide(replace(BETTER, challenger_loss=4.9), min_improvement_fraction=0.1)
    assert decision.reasons == (
        "its loss is 4.9, the champion's 5, p = 0.01: it is better by less than the required 10.0 %",
    )


def test_same_loss_is_no_improvement() -> None:
    assert not decide(replace(BETTER, challenger_loss=5.0)).is_promoted


@pytest.mark.parametrize(("loss", "is_promoted"), [(-0.95, False), (-1.05, False), (-1.2, True)])
def test_least_improvement_of_a_loss_below_zero_is_further_below(loss: float, is_promoted: bool) -> None:
    evidence = replace(BETTER, champion_loss=-1.0, challenger_loss=loss)
    assert decide(evidence, min_improvement_fraction=0.1).is_promoted is is_promoted


# Where the champion has no loss of some of it


def test_losses_of_what_both_could_do_are_compared() -> None:
    assert decide(replace(BETTER, challenger_loss=7.0, shared_loss=4.0)) == Decision(
        True, ("its loss is 4, the champion's 5, p = 0.01: it is better",)
    )
    assert not decide(replace(BETTER, shared_loss=6.0)).is_promoted


def test_baselines_must_be_beaten_on_the_whole() -> None:
    decision = decide(replace(BETTER, challenger_loss=9.0, shared_loss=4.0), must_beat=("naive",))
    assert decision == Decision(False, ("its loss 9 is not below naive 8",))


@pytest.mark.parametrize("number", NOT_FINITE)
def test_shared_loss_that_is_not_finite_is_not_promoted(number: float) -> None:
    decision = decide(replace(BETTER, shared_loss=number), max_age_days=1)
    assert decision == Decision(False, (f"its loss on the shared part is {number}, not a finite number",))


# Worse


def test_worse_challenger_is_not_promoted() -> None:
    assert decide(WORSE) == Decision(False, ("its loss is 6, the champion's 5, p = 0.01: it is worse",))


def test_worse_challenger_is_not_promoted_however_old_the_champion() -> None:
    assert not decide(replace(WORSE, champion_age_days=10_000.0), max_age_days=1).is_promoted


# Age


@pytest.mark.parametrize(("age", "is_promoted"), [(30.0, True), (math.nextafter(30.0, 0), False), (31.0, True)])
def test_equal_challenger_wins_from_the_greatest_age_on(age: float, is_promoted: bool) -> None:
    assert decide(replace(EQUAL, champion_age_days=age), max_age_days=30).is_promoted is is_promoted


def test_age_of_the_champion_is_told() -> None:
    assert decide(replace(EQUAL, champion_age_days=31.0), max_age_days=30).reasons == (
        "its loss is 4, the champion's 5, p = 0.9: it is not worse, and the champion is 31 days old",
    )


def test_worse_by_what_the_holdout_can_not_show_counts_as_equal() -> None:
    assert decide(replace(WORSE, p_value=0.9, champion_age_days=31.0), max_age_days=30).is_promoted


def test_better_by_too_little_counts_as_equal() -> None:
    evidence = replace(BETTER, challenger_loss=4.9, champion_age_days=31.0)
    assert decide(evidence, min_improvement_fraction=0.1, max_age_days=30).is_promoted


def test_without_a_greatest_age_no_age_counts() -> None:
    assert not decide(replace(EQUAL, champion_age_days=10_000.0)).is_promoted


def test_unknown_age_is_no_age() -> None:
    assert not decide(replace(EQUAL, champion_age_days=None), max_age_days=1).is_promoted


# Baselines


@pytest.mark.parametrize(("loss", "is_promoted"), [(4.0, False), (math.nextafter(4.0, 5), True)])
def test_loss_must_be_below_a_baseline(loss: float, is_promoted: bool) -> None:
    evidence = replace(BETTER, baseline_losses={"naive": loss})
    assert decide(evidence, must_beat=("naive",)).is_promoted is is_promoted


def test_each_baseline_that_is_not_beaten_is_told() -> None:
    evidence = replace(BETTER, baseline_losses={"naive": 3.0, "seasonal": 9.0, "linear": 4.0})
    assert decide(evidence, must_beat=("naive", "seasonal", "linear")).reasons == (
        "its loss 4 is not below naive 3",
        "its loss 4 is not below linear 4",
    )


def test_baseline_that_need_not_be_beaten_does_not_count() -> None:
    assert decide(replace(BETTER, baseline_losses={"naive": 1.0})).is_promoted


def test_first_challenger_must_beat_the_baselines_too() -> None:
    assert not decide(replace(FIRST, challenger_loss=9.0), must_beat=("naive",)).is_promoted


def test_baseline_that_was_not_measured_is_a_wrong_parameter() -> None:
    with pytest.raises(
        ParameterError, match=r"^must_beat: expected some of \['naive', 'linear'\], received \['naiv'\]\.$"
    ):
        decide(BETTER, must_beat=("naiv", "linear"))


# What can't be compared


def test_first_challenger_is_promoted() -> None:
    assert decide(FIRST) == Decision(True, ("there is no champion yet",))


def test_first_champion_that_is_worse_than_the_best_simple_method_says_so() -> None:
    decision = decide(replace(FIRST, challenger_loss=7.0))
    reason = "it is worse than the best simple method: its loss is 7, that of linear 6"
    assert decision == Decision(True, ("there is no champion yet", reason))


@pytest.mark.parametrize("evidence", [BETTER, FIRST])
def test_faults_are_the_reasons_against_any_challenger(evidence: Evidence) -> None:
    faults = ("its outputs are all alike", "its outputs are not finite")
    assert decide(replace(evidence, faults=faults)) == Decision(False, faults)


@pytest.mark.parametrize("evidence", [BETTER, FIRST])
def test_objections_are_the_reasons_against_any_challenger(evidence: Evidence) -> None:
    objections = ("the champion has seen the holdout",)
    assert decide(replace(evidence, objections=objections)) == Decision(False, objections)


def test_champion_without_compared_errors_stays() -> None:
    assert decide(replace(BETTER, p_value=None)) == Decision(
        False, ("its errors were not compared with the champion's",)
    )


@pytest.mark.parametrize("number", NOT_FINITE)
@pytest.mark.parametrize("evidence", [BETTER, EQUAL, FIRST])
def test_loss_that_is_not_finite_is_not_promoted(evidence: Evidence, number: float) -> None:
    decision = decide(replace(evidence, challenger_loss=number), max_age_days=1)
    assert decision == Decision(False, (f"its loss is {number}, not a finite number",))


@pytest.mark.parametrize("number", NOT_FINITE)
@pytest.mark.parametrize("evidence", [BETTER, EQUAL])
def test_champion_whose_loss_is_not_finite_is_replaced(evidence: Evidence, number: float) -> None:
    """Nothing can be compared with it, so that it would stay for ever; what follows from its loss is none either."""
    for p_value in (evidence.p_value, math.nan, None):
        decision = decide(replace(evidence, champion_loss=number, p_value=p_value))
        assert decision == Decision(True, (f"the champion's loss is {number}, not a finite number; its own is 4",))


@pytest.mark.parametrize("number", NOT_FINITE)
def test_champion_whose_loss_is_not_finite_stays_where_anything_is_against_the_challenger(number: float) -> None:
    broken = replace(BETTER, champion_loss=number, p_value=math.nan)
    assert not decide(replace(broken, challenger_loss=number)).is_promoted
    assert not decide(replace(broken, faults=("its outputs are all alike",))).is_promoted
    assert not decide(replace(broken, objections=("the champion has seen the holdout",))).is_promoted
    assert not decide(replace(broken, challenger_loss=9.0), must_beat=("naive",)).is_promoted


@pytest.mark.parametrize("number", NOT_FINITE)
def test_p_value_that_is_not_finite_shows_nothing(number: float) -> None:
    decision = decide(replace(WORSE, p_value=number), max_age_days=1)
    assert decision == Decision(False, (f"the p-value is {number}, not a finite number",))


@pytest.mark.parametrize("number", NOT_FINITE)
def test_baseline_whose_loss_is_not_finite_is_not_beaten(number: float) -> None:
    decision = decide(replace(BETTER, baseline_losses={"naive": number}), must_beat=("naive",))
    assert decision == Decision(False, (f"the loss of naive is {number}, not a finite number",))


def test_loss_that_is_not_finite_of_a_baseline_that_need_not_be_beaten_does_not_count() -> None:
    assert decide(replace(BETTER, baseline_losses={"naive": math.nan})).is_promoted


# Whatever the evidence

LOSSES = st.one_of(st.floats(), st.sampled_from([-1.0, 0.0, 1.0, 2.0]))
EVIDENCE = st.builds(
    Evidence,
    challenger_loss=LOSSES,
    champion_loss=st.none() | LOSSES,
    shared_loss=st.none() | LOSSES,
    baseline_losses=st.fixed_dictionaries({"naive": LOSSES, "linear": LOSSES}),
    p_value=st.none() | st.floats(0, 1) | st.sampled_from([0.0, 0.05, 1.0, math.nan]),
    champion_age_days=st.none() | st.floats(0, 1e4),
    faults=st.sampled_from([(), (), ("its outputs are all alike",)]),
    objections=st.sampled_from([(), (), ("the champion has seen the holdout",)]),
)
POLICIES = st.builds(
    PolicySpec,
    min_improvement_fraction=st.sampled_from([0.0, 0.01, 0.5]),
    significance=st.sampled_from([0.05, 1.0]),
    must_beat=st.sampled_from([(), ("naive",), ("naive", "linear")]),
    max_age_days=st.sampled_from([None, 1.0, 100.0]),
)


@given(EVIDENCE, POLICIES)
def test_there_is_always_a_reason(evidence: Evidence, policy: PolicySpec) -> None:
    reasons = decide_promotion(evidence, policy).reasons
    assert reasons
    assert all(reasons)


@given(EVIDENCE, POLICIES)
def test_promoted_has_neither_faults_nor_objections(evidence: Evidence, policy: PolicySpec) -> None:
    if decide_promotion(evidence, policy).is_promoted:
        assert not evidence.faults
        assert not evidence.objections


@given(EVIDENCE, POLICIES)
def test_promoted_has_a_finite_loss_below_each_baseline(evidence: Evidence, policy: PolicySpec) -> None:
    if decide_promotion(evidence, policy).is_promoted:
        assert math.isfinite(evidence.challenger_loss)
        assert all(evidence.challenger_loss < evidence.baseline_losses[name] < math.inf for name in policy.must_beat)


def is_finite(number: float | None) -> bool:
    return number is not None and math.isfinite(number)


def get_compared(evidence: Evidence) -> float:
    return evidence.challenger_loss if evidence.shared_loss is None else evidence.shared_loss


@given(EVIDENCE, POLICIES)
def test_promoted_is_not_shown_to_be_worse(evidence: Evidence, policy: PolicySpec) -> None:
    if decide_promotion(evidence, policy).is_promoted and is_finite(evidence.champion_loss):
        assert evidence.p_value is not None
        assert get_compared(evidence) <= evidence.champion_loss or evidence.p_value > policy.significance


@given(EVIDENCE, POLICIES)
def test_younger_champion_is_replaced_only_by_one_that_is_shown_to_be_better(
    evidence: Evidence, policy: PolicySpec
) -> None:
    is_young = policy.max_age_days is None or (evidence.champion_age_days or 0) < policy.max_age_days
    if decide_promotion(evidence, policy).is_promoted and is_finite(evidence.champion_loss) and is_young:
        assert get_compared(evidence) < evidence.champion_loss
        assert evidence.p_value is not None
        assert evidence.p_value <= policy.significance


@given(EVIDENCE, POLICIES, st.sampled_from(NOT_FINITE))
def test_champion_whose_loss_is_not_finite_is_replaced_where_nothing_is_against_the_challenger(
    evidence: Evidence, policy: PolicySpec, number: float
) -> None:
    """As if there were no champion."""
    none, broken = replace(evidence, champion_loss=None), replace(evidence, champion_loss=number)
    assert decide_promotion(broken, policy).is_promoted is decide_promotion(none, policy).is_promoted


# The policy itself


@pytest.mark.parametrize(
    "options",
    [
        {"min_improvement_fraction": -0.1},
        {"min_improvement_fraction": 1.0},
        {"min_improvement_fraction": math.nan},
        {"significance": 0.0},
        {"significance": 1.1},
        {"significance": math.nan},
        {"max_age_days": 0.0},
        {"max_age_days": math.nan},
        {"max_age": 30},
    ],
    ids=str,
)
def test_policy_without_meaning_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PolicySpec(**options)


def test_by_default_any_improvement_that_is_shown_counts() -> None:
    assert PolicySpec() == PolicySpec(min_improvement_fraction=0.0, significance=0.05, must_beat=(), max_age_days=None)
