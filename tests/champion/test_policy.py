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
BEATEN = {"must_beat": ("naive",)}
NOT_FINITE = [math.nan, math.inf, -math.inf]


def decide(evidence: Evidence, **options: Any) -> Decision:
    return decide_promotion(evidence, PolicySpec(**options))


LEAST = {"min_improvement_fraction": 0.1}
# The evidence, the policy and the decision of each rule at its border.
CASES: dict[str, tuple[Evidence, dict[str, Any], bool]] = {
    "p at the significance": (replace(BETTER, p_value=0.05), {"significance": 0.05}, True),
    "p above the significance": (
        replace(BETTER, p_value=math.nextafter(0.05, 1)),
        {"significance": 0.05},
        False,
    ),
    "the least improvement": (replace(BETTER, challenger_loss=4.5), LEAST, False),
    "more than the least improvement": (
        replace(BETTER, challenger_loss=math.nextafter(4.5, 0)),
        LEAST,
        True,
    ),
    "the same loss": (replace(BETTER, challenger_loss=5.0), {}, False),
    "above a loss below zero": (
        replace(BETTER, champion_loss=-1.0, challenger_loss=-0.95),
        LEAST,
        False,
    ),
    "too little below a loss below zero": (
        replace(BETTER, champion_loss=-1.0, challenger_loss=-1.05),
        LEAST,
        False,
    ),
    "below a loss below zero": (
        replace(BETTER, champion_loss=-1.0, challenger_loss=-1.2),
        LEAST,
        True,
    ),
    "worse where both have a loss": (replace(BETTER, shared_loss=6.0), {}, False),
    "worse than an old champion": (
        replace(WORSE, champion_age_days=10_000.0),
        {"max_age_days": 1},
        False,
    ),
    "equal at the greatest age": (
        replace(EQUAL, champion_age_days=30.0),
        {"max_age_days": 30},
        True,
    ),
    "equal before it": (
        replace(EQUAL, champion_age_days=math.nextafter(30.0, 0)),
        {"max_age_days": 30},
        False,
    ),
    "worse by what is not shown": (
        replace(WORSE, p_value=0.9, champion_age_days=31.0),
        {"max_age_days": 30},
        True,
    ),
    "better by too little, and old": (
        replace(BETTER, challenger_loss=4.9, champion_age_days=31.0),
        {**LEAST, "max_age_days": 30},
        True,
    ),
    "equal and old, with a reservation": (
        replace(EQUAL, champion_age_days=31.0, reservations=("restless",)),
        {"max_age_days": 30},
        False,
    ),
    "better, with a reservation": (
        replace(BETTER, reservations=("restless",)),
        {"max_age_days": 30},
        True,
    ),
    "the first, with a reservation": (replace(FIRST, reservations=("restless",)), {}, True),
    "no greatest age": (replace(EQUAL, champion_age_days=10_000.0), {}, False),
    "unknown age": (replace(EQUAL, champion_age_days=None), {"max_age_days": 1}, False),
    "the loss of a baseline": (replace(BETTER, baseline_losses={"naive": 4.0}), BEATEN, False),
    "below a baseline": (
        replace(BETTER, baseline_losses={"naive": math.nextafter(4.0, 5)}),
        BEATEN,
        True,
    ),
    "a baseline that need not be beaten": (
        replace(BETTER, baseline_losses={"naive": 1.0}),
        {},
        True,
    ),
    "such a baseline without a loss": (
        replace(BETTER, baseline_losses={"naive": math.nan}),
        {},
        True,
    ),
    "the first, worse than a baseline": (replace(FIRST, challenger_loss=9.0), BEATEN, False),
}


@pytest.mark.parametrize("case", CASES)
def test_challenger_is_promoted_by_the_rule(case: str) -> None:
    evidence, options, is_promoted = CASES[case]
    assert decide(evidence, **options).is_promoted is is_promoted


FAULTS = ("its outputs are all alike", "its outputs are not finite")
OBJECTIONS = ("the champion has seen the holdout",)
REASONS: list[tuple[Evidence, dict[str, Any], bool, tuple[str, ...]]] = [
    (BETTER, {}, True, ("its loss is 4, the champion's 5, p = 0.01: it is better",)),
    (
        EQUAL,
        {},
        False,
        (
            "its loss is 4, the champion's 5, p = 0.9: the difference is not significant on this holdout",
        ),
    ),
    (
        replace(BETTER, challenger_loss=4.9),
        LEAST,
        False,
        (
            "its loss is 4.9, the champion's 5, p = 0.01: it is better by less than the required 10.0 %",
        ),
    ),
    # Losses of what both can forecast are compared, and baselines must be beaten on the whole.
    (
        replace(BETTER, challenger_loss=7.0, shared_loss=4.0),
        {},
        True,
        ("its loss is 4, the champion's 5, p = 0.01: it is better",),
    ),
    (
        replace(BETTER, challenger_loss=9.0, shared_loss=4.0),
        BEATEN,
        False,
        ("its loss 9 is not below naive 8",),
    ),
    (WORSE, {}, False, ("its loss is 6, the champion's 5, p = 0.01: it is worse",)),
    (
        replace(EQUAL, champion_age_days=31.0),
        {"max_age_days": 30},
        True,
        (
            "its loss is 4, the champion's 5, p = 0.9: it is not worse, and the champion is 31 days old",
        ),
    ),
    (
        replace(BETTER, baseline_losses={"naive": 3.0, "seasonal": 9.0, "linear": 4.0}),
        {"must_beat": ("naive", "seasonal", "linear")},
        False,
        ("its loss 4 is not below naive 3", "its loss 4 is not below linear 4"),
    ),
    (FIRST, {}, True, ("there is no champion yet",)),
    (
        replace(FIRST, challenger_loss=7.0),
        {},
        True,
        (
            "there is no champion yet",
            "it is worse than the best simple method: its loss is 7, that of linear 6",
        ),
    ),
    *((replace(evidence, faults=FAULTS), {}, False, FAULTS) for evidence in (BETTER, FIRST)),
    *(
        (replace(evidence, objections=OBJECTIONS), {}, False, OBJECTIONS)
        for evidence in (BETTER, FIRST)
    ),
    (
        replace(BETTER, p_value=None),
        {},
        False,
        ("its errors were not compared with the champion's",),
    ),
]


@pytest.mark.parametrize(("evidence", "options", "is_promoted", "reasons"), REASONS)
def test_decision_has_its_reasons(
    evidence: Evidence, options: dict[str, Any], is_promoted: bool, reasons: tuple[str, ...]
) -> None:
    assert decide(evidence, **options) == Decision(is_promoted, reasons)


def test_by_default_any_improvement_that_is_shown_counts() -> None:
    with pytest.raises(ParameterError, match=r"^must_beat: .*'naiv'"):
        decide(BETTER, must_beat=("naiv", "linear"))
    assert PolicySpec() == PolicySpec(
        min_improvement_fraction=0.0, significance=0.05, must_beat=(), max_age_days=None
    )


@pytest.mark.parametrize("number", NOT_FINITE)
def test_a_shared_loss_that_is_not_finite_shows_nothing(number: float) -> None:
    decision = decide(replace(BETTER, shared_loss=number), max_age_days=1)
    assert decision == Decision(
        False, (f"its loss on the shared part is {number}, not a finite number",)
    )


@pytest.mark.parametrize("number", NOT_FINITE)
def test_a_p_value_that_is_not_finite_shows_nothing(number: float) -> None:
    decision = decide(replace(WORSE, p_value=number), max_age_days=1)
    assert decision == Decision(False, (f"the p-value is {number}, not a finite number",))


@pytest.mark.parametrize("number", NOT_FINITE)
def test_a_baseline_that_is_not_finite_shows_nothing(number: float) -> None:
    decision = decide(replace(BETTER, baseline_losses={"naive": number}), must_beat=("naive",))
    assert decision == Decision(False, (f"the loss of naive is {number}, not a finite number",))


@pytest.mark.parametrize("number", NOT_FINITE)
def test_a_broken_champion_excuses_no_challenger_that_is_not_finite(number: float) -> None:
    broken = replace(BETTER, champion_loss=number, p_value=math.nan)
    assert not decide(replace(broken, challenger_loss=number)).is_promoted


@pytest.mark.parametrize("number", NOT_FINITE)
def test_a_broken_champion_excuses_no_fault(number: float) -> None:
    broken = replace(BETTER, champion_loss=number, p_value=math.nan)
    assert not decide(replace(broken, faults=("its outputs are all alike",))).is_promoted
    assert not decide(
        replace(broken, objections=("the champion has seen the holdout",))
    ).is_promoted


@pytest.mark.parametrize("number", NOT_FINITE)
def test_a_broken_champion_excuses_no_worse_loss_than_a_baseline(number: float) -> None:
    broken = replace(BETTER, champion_loss=number, p_value=math.nan)
    assert not decide(replace(broken, challenger_loss=9.0), must_beat=("naive",)).is_promoted


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
        assert decision == Decision(
            True, (f"the champion's loss is {number}, not a finite number; its own is 4",)
        )


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
def test_every_decision_has_a_reason(evidence: Evidence, policy: PolicySpec) -> None:
    reasons = decide_promotion(evidence, policy).reasons
    assert reasons
    assert all(reasons)


@given(EVIDENCE, POLICIES)
def test_a_promotion_has_no_fault(evidence: Evidence, policy: PolicySpec) -> None:
    if decide_promotion(evidence, policy).is_promoted:
        assert not evidence.faults
        assert not evidence.objections


@given(EVIDENCE, POLICIES)
def test_a_promoted_loss_is_below_those_to_beat(evidence: Evidence, policy: PolicySpec) -> None:
    if decide_promotion(evidence, policy).is_promoted:
        assert math.isfinite(evidence.challenger_loss)
        assert all(
            evidence.challenger_loss < evidence.baseline_losses[name] < math.inf
            for name in policy.must_beat
        )


@given(EVIDENCE, POLICIES)
def test_a_promoted_loss_is_not_shown_to_be_worse(evidence: Evidence, policy: PolicySpec) -> None:
    is_promoted = decide_promotion(evidence, policy).is_promoted
    if is_promoted and is_finite(evidence.champion_loss):
        assert evidence.p_value is not None
        is_lower = get_compared(evidence) <= evidence.champion_loss
        assert is_lower or evidence.p_value > policy.significance


@given(EVIDENCE, POLICIES)
def test_a_young_champion_is_replaced_only_by_a_better_one(
    evidence: Evidence, policy: PolicySpec
) -> None:
    is_promoted = decide_promotion(evidence, policy).is_promoted
    age = evidence.champion_age_days or 0
    is_young = policy.max_age_days is None or age < policy.max_age_days
    if is_promoted and is_young and is_finite(evidence.champion_loss):
        assert get_compared(evidence) < evidence.champion_loss
        assert evidence.p_value is not None
        assert evidence.p_value <= policy.significance


def is_finite(number: float | None) -> bool:
    return number is not None and math.isfinite(number)


def get_compared(evidence: Evidence) -> float:
    return evidence.challenger_loss if evidence.shared_loss is None else evidence.shared_loss


@given(EVIDENCE, POLICIES, st.sampled_from(NOT_FINITE))
def test_champion_whose_loss_is_not_finite_is_replaced_where_nothing_is_against_the_challenger(
    evidence: Evidence, policy: PolicySpec, number: float
) -> None:
    """As if there were no champion."""
    none = replace(evidence, champion_loss=None)
    broken = replace(evidence, champion_loss=number)
    assert (
        decide_promotion(broken, policy).is_promoted is decide_promotion(none, policy).is_promoted
    )


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
