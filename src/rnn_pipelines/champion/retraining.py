"""What a retraining is told, what it decides, and what stays on record of it."""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.champion.history import add_record, find_compared_loss
from rnn_pipelines.champion.manifest import (
    find_commit,
    fingerprint_code,
    fingerprint_table,
    fingerprint_values,
    list_versions,
)
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION, Decision, Evidence, PolicySpec, decide_promotion

logger = logging.getLogger(__name__)

# What of a profile stays on record.
DATA = ("source", "num_series", "num_steps", "num_reviews", "num_films", "first", "last")


@dataclass(frozen=True)
class LoadedChampion:
    """The champion as it is loaded.

    Attributes:
        version: its name.
        artefact: a `Forecaster` or a `TextClassifier`.
        promoted_at: ISO 8601, UTC; empty where that is not known any more.
        alarms: what was wrong on the way to it.
        record: that of its retraining; empty where there is none.
    """

    version: str
    artefact: Any
    promoted_at: str
    alarms: tuple[str, ...]
    record: dict[str, Any]

    @property
    def age_days(self) -> float | None:
        """Since its promotion."""
        if not self.promoted_at:
            return None
        return (datetime.now(UTC) - datetime.fromisoformat(self.promoted_at)).total_seconds() / 86400


@dataclass(frozen=True)
class Candidate:
    """A challenger whose case is decided.

    Attributes:
        artefact: the very one that was evaluated.
        decision: whether it is promoted.
        manifest: the record of its retraining, still without `version`.
        files: what else lies in its version: content by name.
    """

    artefact: Any
    decision: Decision
    manifest: dict[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What the newest holdout says of everyone.

    Attributes:
        task: `forecast` or `sentiment`.
        measures: of challenger and baselines, and of the champion where it could be measured, by name: the `loss`, and
            what else shall be on record of champion and challenger. Where the champion could be measured on a part
            alone, both have the `shared_loss` of that part, and it has no other.
        p_value, faults, objections: see `Evidence`.
        notes: what is left out, in words.
    """

    task: str
    measures: Mapping[str, Mapping[str, Any]]
    p_value: float | None
    faults: tuple[str, ...]
    objections: tuple[str, ...]
    notes: tuple[str, ...]


def describe_run(
    table: pd.DataFrame,
    profile: Mapping[str, Any],
    parameters: Mapping[str, Any],
    as_of: int | str | None,
    started: float,
) -> dict[str, Any]:
    """What a retraining is made of, for its record.

    Args:
        table: the data as it was read, up to `as_of`.
        profile: what of it is in `DATA` is kept.
        parameters: all that count, by pipeline, as the catalog holds them.
        as_of: up to when data was read.
        started: when, in seconds since 1970.
    """
    return {
        "at": make_timestamp(),
        "started": started,
        "as_of": as_of,
        "fingerprints": make_fingerprints(table, parameters),
        "commit": find_commit(),
        "versions": list_versions(),
        "parameters": make_plain(parameters),
        "data": {key: profile[key] for key in DATA if key in profile},
    }


def make_fingerprints(table: pd.DataFrame, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Of data, parameters and code: a retraining with the same three would give the same again.

    Args:
        table, parameters: see `describe_run`. Up to when data is read is no parameter here, for the data shows it.
    """
    plain = {name: _drop_as_of(block) for name, block in make_plain(parameters).items()}
    return {"data": fingerprint_table(table), "parameters": fingerprint_values(plain), "code": fingerprint_code()}


def _drop_as_of(block: Any) -> Any:
    return {key: value for key, value in block.items() if key != "as_of"} if isinstance(block, dict) else block


def make_plain(values: Any) -> Any:
    """Values as JSON holds them: models of parameters as mappings, numbers that are not finite as None."""
    if isinstance(values, BaseModel):
        return values.model_dump(mode="json")
    if isinstance(values, Mapping):
        return {str(key): make_plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [make_plain(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def make_timestamp() -> str:
    """Now: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def decide(
    challenger: Any,
    champion: LoadedChampion | None,
    case: Case,
    training: Mapping[str, Any],
    run: Mapping[str, Any],
    policy: PolicySpec,
) -> Candidate:
    """Decides on the challenger and writes the record of its retraining.

    Args:
        challenger: what was trained.
        champion: the model in use; None where there is none.
        case: what the holdout says.
        training: `validation_losses, chosen, seeds, training_seconds`, and the records of `networks`.
        run: what `describe_run` returns.
        policy: see `decide_promotion`.
    """
    for note in case.notes:
        logger.warning(note)
    both = (CHALLENGER, CHAMPION)
    baselines = {name: measures["loss"] for name, measures in case.measures.items() if name not in both}
    metrics = {**_describe_both(case, champion, training), "baselines": baselines}
    evidence = Evidence(
        challenger_loss=case.measures[CHALLENGER]["loss"],
        champion_loss=find_compared_loss(metrics, CHAMPION),
        shared_loss=case.measures[CHALLENGER].get("shared_loss"),
        baseline_losses=baselines,
        p_value=case.p_value,
        champion_age_days=None if champion is None else champion.age_days,
        faults=case.faults,
        objections=case.objections,
    )
    decision = decide_promotion(evidence, policy)
    manifest = {
        "kind": "retrain",
        "task": case.task,
        **{key: value for key, value in run.items() if key != "started"},
        "outcome": "promoted" if decision.is_promoted else "kept",
        "is_promoted": decision.is_promoted,
        "reasons": decision.reasons,
        "p_value": case.p_value,
        "seconds": {"training": training["training_seconds"], "total": time.time() - run["started"]},
        "metrics": metrics,
        "seeds": training["seeds"],
        "training": {key: training[key] for key in ("chosen", "validation_losses", "networks")},
        "notes": case.notes,
        "champion": None if champion is None else champion.version,
    }
    logger.info("%s: %s", manifest["outcome"], "; ".join(decision.reasons))
    return Candidate(challenger, decision, make_plain(manifest))


def _describe_both(case: Case, champion: LoadedChampion | None, training: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured of challenger and champion, beside their losses on the validation part of their own."""
    promised = {} if champion is None else champion.record.get("metrics", {}).get(CHALLENGER, {})
    losses = {
        CHALLENGER: training["validation_losses"][training["chosen"]],
        CHAMPION: promised.get("validation_loss"),
    }
    return {
        name: {"validation_loss": loss, **case.measures[name]} if name in case.measures else None
        for name, loss in losses.items()
    }


def record_failure(folder: Path, task: str, error: BaseException, as_of: int | str | None) -> None:
    """Leaves a record of a retraining that failed; where even that can't be written, the log says so.

    Args:
        folder: of the task.
        task: `forecast` or `sentiment`.
        error: what ended it.
        as_of: up to when data was read.
    """
    record = {
        "kind": "retrain",
        "task": task,
        "at": make_timestamp(),
        "outcome": "failed",
        "is_promoted": False,
        "version": None,
        "reasons": ["it failed"],
        "as_of": as_of,
        "error": f"{type(error).__name__}: {error}",
    }
    try:
        add_record(folder, record)
    except OSError as failure:
        logger.error("%s: the record of the failed retraining could not be written (%s)", folder, failure)
