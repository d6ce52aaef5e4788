"""The decision on a challenger, from its evaluation on the newest holdout."""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.policy import (
    CHALLENGER,
    CHAMPION,
    Decision,
    Evidence,
    PolicySpec,
    apply_policy,
)
from rnn_pipelines.champion.records import (
    ChallengerTraining,
    Measures,
    Metrics,
    Record,
    RetrainingInputs,
    find_compared_loss,
    make_plain,
)

logger = logging.getLogger(__name__)

# The parts of a training's record that are kept, besides seeds and seconds.
ON_RECORD = ("chosen", "instead_of", "validation_losses", "weights", "networks", "is_refitted")


@dataclass(frozen=True)
class Case:
    """The evaluation of all models on the newest holdout.

    Attributes:
        measures: by model: challenger, baselines, and the champion if it could be measured. Each has the `loss`;
            champion and challenger may have further measures. If the champion covers only a part of the holdout, both
            have the `shared_loss` on that part, and the champion has no `loss`. Without a holdout, none has a `loss`.
        p_value, faults, objections, reservations: see `Evidence`.
        notes: omissions, in words.
        ahead: remarks that don't prevent a promotion, listed after the reasons: models that are better on the holdout,
            a training that was cut short.
        if_kept: remarks on a challenger that is kept, such as the way to put it into use.
    """

    task: str
    measures: Mapping[str, Measures]
    p_value: float | None
    faults: tuple[str, ...]
    objections: tuple[str, ...]
    notes: tuple[str, ...]
    ahead: tuple[str, ...] = ()
    reservations: tuple[str, ...] = ()
    if_kept: tuple[str, ...] = ()


def decide(
    challenger: Any,
    champion: LoadedChampion | None,
    case: Case,
    training: ChallengerTraining,
    run: RetrainingInputs,
    policy: PolicySpec,
) -> Candidate:
    """Decide on the challenger and make the record of its retraining."""
    for note in case.notes:
        logger.warning(note)
    metrics = _gather_metrics(case, champion, training)
    if "loss" in case.measures[CHALLENGER]:
        decided = apply_policy(_gather_evidence(case, champion, metrics), policy)
    else:
        reasons = (*case.faults, *case.objections)
        decided = Decision(
            not reasons, reasons or ("there is no champion yet, and no part was held back",)
        )
    if_kept = () if decided.is_promoted else case.if_kept
    decision = replace(decided, reasons=(*decided.reasons, *case.ahead, *if_kept))
    outcome: Record = {
        "outcome": "promoted" if decision.is_promoted else "kept",
        "is_promoted": decision.is_promoted,
        "reasons": list(decision.reasons),
        "p_value": case.p_value,
        "seconds": {
            "training": training["training_seconds"],
            "total": time.time() - run["started"],
        },
        "metrics": metrics,
        "seeds": training["seeds"],
        "training": {name: value for name, value in training.items() if name in ON_RECORD},
        "notes": list(case.notes),
        "champion": None if champion is None else champion.version,
    }
    made_of = {key: value for key, value in run.items() if key != "started"}
    logger.info("%s: %s", outcome["outcome"], "; ".join(decision.reasons))
    record: Record = make_plain({"kind": "retrain", "task": case.task, **made_of, **outcome})
    return Candidate(challenger, decision, record)


def _gather_metrics(
    case: Case, champion: LoadedChampion | None, training: ChallengerTraining
) -> Metrics:
    """Return all measures, with the losses of challenger and champion on their own validation parts."""
    expected = (
        None
        if champion is None
        else (champion.record.get("metrics") or Metrics()).get("challenger")
    )
    losses = {
        CHALLENGER: training["validation_losses"].get(training["chosen"]),
        CHAMPION: (expected or Measures()).get("validation_loss"),
    }
    both: dict[str, Measures | None] = {
        name: {"validation_loss": loss, **case.measures[name]} if name in case.measures else None
        for name, loss in losses.items()
    }
    baselines = {
        name: measures["loss"] for name, measures in case.measures.items() if name not in losses
    }
    return {"challenger": both[CHALLENGER], "champion": both[CHAMPION], "baselines": baselines}


def _gather_evidence(case: Case, champion: LoadedChampion | None, metrics: Metrics) -> Evidence:
    challenger = case.measures[CHALLENGER]
    return Evidence(
        challenger_loss=_give_number(challenger["loss"]),
        champion_loss=find_compared_loss(metrics, "champion"),
        shared_loss=challenger.get("shared_loss"),
        baseline_losses={name: _give_number(loss) for name, loss in metrics["baselines"].items()},
        p_value=case.p_value,
        champion_age_days=None if champion is None else champion.age_days,
        faults=case.faults,
        objections=case.objections,
        reservations=case.reservations,
    )


def _give_number(loss: float | None) -> float:
    """Return the loss; NaN if it is missing, so that it never wins a comparison."""
    return math.nan if loss is None else loss
