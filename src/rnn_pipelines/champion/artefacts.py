"""A task's model with its record: the champion, and the candidate for its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rnn_pipelines.champion.policy import Decision
from rnn_pipelines.champion.records import Record


@dataclass(frozen=True)
class LoadedChampion:
    """A loaded champion of the task's own type, and the problems found while loading it.

    `promoted_at` is in ISO 8601, UTC; empty if unknown. The record of its retraining is empty if there is none.
    """

    version: str
    artefact: Any
    promoted_at: str
    alarms: tuple[str, ...]
    record: Record

    @property
    def age_days(self) -> float | None:
        """The days since its promotion; None if unknown."""
        if not self.promoted_at:
            return None
        try:
            since = datetime.now(UTC) - datetime.fromisoformat(self.promoted_at)
        except (ValueError, TypeError):  # the record may hold no time, or a time without its zone
            return None
        # Not negative, even if the clock was ahead at the promotion.
        return max(0.0, since.total_seconds() / 86400)


@dataclass(frozen=True)
class Candidate:
    """A challenger with the decision on it, the record of its retraining without `version`, and further files."""

    artefact: Any
    decision: Decision
    manifest: Record
    files: Mapping[str, bytes] = field(default_factory=dict)


def name_promotion(task: str) -> str:
    """Return the command that trains on today's table by today's parameters, and puts the model into use."""
    return f"kedro champion retrain {task} --promote"
