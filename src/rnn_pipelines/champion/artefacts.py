"""A task's model with what is known of it: the one in use, and one that may take its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rnn_pipelines.champion.policy import Decision
from rnn_pipelines.champion.records import Record


@dataclass(frozen=True)
class LoadedChampion:
    """The champion as it is loaded.

    Attributes:
        version: its name.
        artefact: the model, of the task's own type.
        promoted_at: ISO 8601, UTC; empty where that is not known any more.
        alarms: what was wrong on the way to it.
        record: that of its retraining; empty where there is none.
    """

    version: str
    artefact: Any
    promoted_at: str
    alarms: tuple[str, ...]
    record: Record

    @property
    def age_days(self) -> float | None:
        """Since its promotion."""
        if not self.promoted_at:
            return None
        try:
            since = datetime.now(UTC) - datetime.fromisoformat(self.promoted_at)
        except (ValueError, TypeError):  # what a record says, which may be no time, or one without its zone
            return None
        # Where the clock was ahead on that day, it is as if it were new.
        return max(0.0, since.total_seconds() / 86400)


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
    manifest: Record
    files: Mapping[str, bytes] = field(default_factory=dict)
