"""The case of a challenger: what the newest holdout says of everyone, and what is decided."""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION, Evidence, PolicySpec, decide_promotion
from rnn_pipelines.champion.records import (
    ChallengerTraining,
    Measures,
    Metrics,
    Record,
    Run,
    find_compared_loss,
    make_plain,
)

logger = logging.getLogger(__name__)

# What stays of the record of a training, beside its seeds and seconds.
ON_RECORD = ("chosen", "validation_losses", "weights", "networks")


@dataclass(frozen=True)
class Case:
    """What the newest holdout says of everyone.

    Attributes:
        task: its name.
        measures: of challenger and baselines, and of the champion where it could be measured, by name: the `loss`, and
            what else shall be on record of champion and challenger. Where the champion could be measured on a part
            alone, both have the `shared_loss` of that part, and it has no other.
        p_value, faults, objections: see `Evidence`.
        notes: what is left out, in words.
        ahead: what doesn't keep the challenger back and has to be told, in words, after the reasons: what is better on
            the holdout, a training that was cut short.
    """

    task: str
    measures: Mapping[str, Measures]
    p_value: float | None
    faults: tuple[str, ...]
    objections: tuple[str, ...]
    notes: tuple[str, ...]
    ahead: tuple[str, ...] = ()


def decide(
    challenger: Any,
    champion: LoadedChampion | None,
    case: Case,
    training: ChallengerTraining,
    run: Run,
    policy: PolicySpec,
) -> Candidate:
    """Decides on the challenger and writes the record of its retraining.

    Args:
        challenger: what was trained.
        champion: the model in use; None where there is none.
        case: what the holdout says.
        training: how the challenger was trained.
        run: what it is made of.
        policy: see `decide_promotion`.
    """
    for note in case.notes:
        logger.warning(note)
    metrics = _gather_metrics(case, champion, training)
    decided = decide_promotion(_gather_evidence(case, champion, metrics), policy)
    decision = replace(decided, reasons=(*decided.reasons, *case.ahead))
    outcome: Record = {
        "outcome": "promoted" if decision.is_promoted else "kept",
        "is_promoted": decision.is_promoted,
        "reasons": list(decision.reasons),
        "p_value": case.p_value,
        "seconds": {"training": training["training_seconds"], "total": time.time() - run["started"]},
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


def _gather_metrics(case: Case, champion: LoadedChampion | None, training: ChallengerTraining) -> Metrics:
    """What was measured, beside the losses of challenger and champion on validation parts of their own."""
    expected = None if champion is None else (champion.record.get("metrics") or Metrics()).get("challenger")
    losses = {
        CHALLENGER: training["validation_losses"][training["chosen"]],
        CHAMPION: (expected or Measures()).get("validation_loss"),
    }
    both: dict[str, Measures | None] = {
        name: {"validation_loss": loss, **case.measures[name]} if name in case.measures else None
        for name, loss in losses.items()
    }
    baselines = {name: measures["loss"] for name, measures in case.measures.items() if name not in losses}
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
    )


def _give_number(loss: float | None) -> float:
    """What was not measured is below nothing, as what is not finite."""
    return math.nan if loss is None else loss
