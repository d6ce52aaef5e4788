"""The promotion policy: a pure function of the measured losses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

from pydantic import Field

from rnn_pipelines.errors import ParameterError, count, show_all
from rnn_pipelines.parameter_models import ParameterModel

# The names of the two compared models in tables and records.
CHALLENGER, CHAMPION = "challenger", "champion"


class PolicySpec(ParameterModel, frozen=True):
    """The conditions for the promotion of a challenger.

    Attributes:
        min_improvement_fraction: required improvement, as a fraction of the champion's loss.
        significance: largest p-value of the paired errors at which a difference is significant.
        must_beat: baselines whose loss the challenger must be below.
        max_age_days: age of the champion from which a challenger that is not significantly worse replaces it; None for
            never.
    """

    min_improvement_fraction: float = Field(0.0, ge=0, lt=1)
    significance: float = Field(0.05, gt=0, le=1)
    must_beat: tuple[str, ...] = ()
    max_age_days: float | None = Field(None, gt=0, le=36_500)


@dataclass(frozen=True)
class Evidence:
    """The basis of a decision; all losses are of the same newest holdout, and lower is better.

    Attributes:
        challenger_loss: of the new model.
        champion_loss: of the model in use; None if there is none, not finite if its outputs are not.
        p_value: of the paired errors of champion and challenger, two-sided; None if there is no champion.
        shared_loss: of the new model on the part that the model in use covers; None if it covers the whole holdout.
        champion_age_days: days since its promotion; None if there is no champion.
        faults: reasons why the challenger is unusable, in words, such as constant or non-finite outputs.
        objections: reasons why the comparison is invalid, in words, such as a champion trained on the holdout.
        reservations: reasons to keep back a challenger that is not shown to be better, in words.
    """

    challenger_loss: float
    champion_loss: float | None
    baseline_losses: Mapping[str, float]
    p_value: float | None = None
    shared_loss: float | None = None
    champion_age_days: float | None = None
    faults: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()
    reservations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """The decision on a challenger, with its reasons in words."""

    is_promoted: bool
    reasons: tuple[str, ...]


def apply_policy(evidence: Evidence, policy: PolicySpec) -> Decision:
    """Promote a challenger that is usable, beats the baselines, and is significantly better than the champion.

    A baseline of the policy that was not measured raises a ParameterError.
    """
    losses = evidence.baseline_losses
    unknown = [name for name in policy.must_beat if name not in losses]
    if unknown:
        raise ParameterError(
            f"must_beat: expected some of {show_all(losses)}, received {show_all(unknown)}."
        )
    shared = (
        {}
        if evidence.shared_loss is None
        else {"its loss on the shared part": evidence.shared_loss}
    )
    simple = {f"the loss of {name}": losses[name] for name in policy.must_beat}
    numbers = {"its loss": evidence.challenger_loss, **shared, **simple}
    # Comparisons with NaN or infinity are meaningless.
    infinite = [
        f"{name} is {number}, not a finite number"
        for name, number in numbers.items()
        if not isfinite(number)
    ]
    faults = (*evidence.faults, *infinite)
    loss = evidence.challenger_loss
    its_loss = f"its loss {loss:.4g}"
    must_beat = policy.must_beat
    unbeaten = tuple(
        f"{its_loss} is not below {name} {losses[name]:.4g}"
        for name in must_beat
        if not loss < losses[name]
    )
    reasons = faults or unbeaten or evidence.objections
    if reasons:
        return Decision(False, reasons)
    if evidence.champion_loss is None:
        return Decision(True, ("there is no champion yet", *_name_better(evidence)))
    if not isfinite(evidence.champion_loss):
        # The champion fails on the newest data, and the challenger does not. Without this, such a champion would stay.
        measured = f"the champion's loss is {evidence.champion_loss}, not a finite number"
        return Decision(True, (f"{measured}; its own is {loss:.4g}",))
    if evidence.p_value is None:
        return Decision(False, ("its errors were not compared with the champion's",))
    if not isfinite(evidence.p_value):
        return Decision(False, (f"the p-value is {evidence.p_value}, not a finite number",))
    return _compare(evidence, evidence.champion_loss, evidence.p_value, policy)


def _name_better(evidence: Evidence) -> Iterator[str]:
    """Yield that the best simple method has a lower loss than the first champion."""
    finite = {name: loss for name, loss in evidence.baseline_losses.items() if isfinite(loss)}
    name = min(finite, key=lambda method: finite[method], default=None)
    if name is not None and finite[name] < evidence.challenger_loss:
        losses = f"its loss is {evidence.challenger_loss:.4g}, that of {name} {finite[name]:.4g}"
        yield f"it is worse than the best simple method: {losses}"


def _compare(
    evidence: Evidence, champion_loss: float, p_value: float, policy: PolicySpec
) -> Decision:
    # The absolute value, because a fraction of a negative loss would put the bound above the loss.
    bound = champion_loss - policy.min_improvement_fraction * abs(champion_loss)
    loss = evidence.challenger_loss if evidence.shared_loss is None else evidence.shared_loss
    measured = f"its loss is {loss:.4g}, the champion's {champion_loss:.4g}, p = {p_value:.2g}"
    is_shown = p_value <= policy.significance
    if loss < bound and is_shown:
        return Decision(True, (f"{measured}: it is better",))
    age = evidence.champion_age_days or 0.0
    is_old = policy.max_age_days is not None and age >= policy.max_age_days
    is_worse = loss > champion_loss and is_shown
    if is_old and not is_worse:
        if evidence.reservations:
            return Decision(
                False, (f"{measured}: it is not shown to be better", *evidence.reservations)
            )
        return Decision(
            True,
            (f"{measured}: it is not worse, and the champion is {count(round(age), 'day')} old",),
        )
    if is_worse:
        return Decision(False, (f"{measured}: it is worse",))
    if is_shown:
        required = f"{100 * policy.min_improvement_fraction:.1f} %"
        return Decision(False, (f"{measured}: it is better by less than the required {required}",))
    return Decision(False, (f"{measured}: the difference is not significant on this holdout",))
