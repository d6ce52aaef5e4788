"""What monitoring comes to, and why, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypedDict

from rnn_pipelines.champion.changes import load_usable
from rnn_pipelines.champion.records import Measures, Metrics, Record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import NewerFormatError
from rnn_pipelines.storage.formats import FORMAT, read_object

# From the least to the gravest. `unmonitored` is a verdict of the check alone: a monitor that says so has run.
Level = Literal["ok", "retrain", "unmonitored", "alarm"]
LEVELS: tuple[Level, ...] = ("ok", "retrain", "unmonitored", "alarm")
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        level: what it asks for.
        reason: in words.
    """

    level: Level
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What all findings come to.

    Attributes:
        verdict: `ok`, `retrain`, `unmonitored` if no monitor ever ran, or `alarm` for a person to look at.
        reasons: those that ask for something, the gravest first; where there is none, what was found.
    """

    verdict: Level
    reasons: tuple[str, ...]


class VerdictRecord(TypedDict):
    """A verdict as the check reads it; a monitor writes more beside it.

    Attributes:
        at, valid_until: when it was given, and how long it can be believed; ISO 8601, UTC.
    """

    verdict: Level
    reasons: list[str]
    at: str
    valid_until: str


class ExpectedError(TypedDict):
    """What one version promised when it was evaluated; None where it is not known.

    Attributes:
        at: when.
        by_step, loss: on the holdout of that day.
        trained_until: the last moment of each part of the data that it was trained on.
    """

    at: str | None
    by_step: list[float | None] | None
    loss: float | None
    trained_until: dict[str, Any] | None


class KnownChampion(TypedDict):
    """What is on record of a task's champion.

    Attributes:
        version: its name; None where there is none.
        promoted_at: ISO 8601, UTC; None where that is not known.
        settings: as they were packed.
        alarms: what is wrong with the champion now.
        first_data_end: up to when the data of the first version went that was promoted.
        versions: each version that was ever evaluated.
    """

    version: str | None
    promoted_at: str | None
    settings: dict[str, Any]
    alarms: list[str]
    first_data_end: str | None
    versions: dict[str, ExpectedError]


def conclude(findings: Iterable[Finding]) -> Verdict:
    """The gravest of the findings.

    Raises:
        ValueError: there is no finding, and to say ok would be a guess.
    """
    ordered = sorted(findings, key=lambda finding: -LEVELS.index(finding.level))
    if not ordered:
        raise ValueError("expected one finding at least, received none.")
    gravest = ordered[0].level
    told = [finding for finding in ordered if gravest == "ok" or finding.level != "ok"]
    return Verdict(gravest, tuple(finding.reason for finding in told))


def describe_verdict(verdict: Verdict, valid_days: float) -> VerdictRecord:
    """What the check reads of a verdict, given now.

    Args:
        verdict: what was concluded.
        valid_days: for how long it can be believed.
    """
    at = datetime.now(UTC)
    until = at + timedelta(days=valid_days)
    return {
        "verdict": verdict.verdict,
        "reasons": list(verdict.reasons),
        "at": at.isoformat(timespec="seconds"),
        "valid_until": until.isoformat(timespec="seconds"),
    }


def read_champion(folder: Path, known: int = FORMAT) -> KnownChampion:
    """What is on record of a task's champion; its networks are not loaded.

    Args:
        folder: of the task.
        known: the newest format of the task's settings that can be read.
    """
    store = ChampionStore(folder)
    records = store.list_records()
    champion, alarms = load_usable(store)
    version = None if champion is None else champion.version
    pointer = store.find_pointer()
    evaluated = {str(r["version"]): r for r in records if r.get("kind") == "retrain" and r.get("version")}
    # One that was promoted by hand has its data in the record of the retraining that kept it back.
    ends = {version: (record.get("data") or {}).get("last") for version, record in evaluated.items()}
    promoted = [record.get("version") for record in records if record.get("is_promoted")]
    since = pointer.since if pointer is not None and pointer.version == version else ""
    return {
        "version": version,
        "promoted_at": since or None,
        "settings": {} if champion is None else read_object(champion.files.get(SETTINGS, b"{}"), version, known),
        "alarms": alarms,
        "first_data_end": next((ends[version] for version in promoted if version in ends), None),
        "versions": {name: _find_expected_error(name, record, folder, known) for name, record in evaluated.items()},
    }


def _find_expected_error(version: str, record: Record, folder: Path, known: int) -> ExpectedError:
    expected = (record.get("metrics") or Metrics()).get("challenger") or Measures()
    try:
        settings = read_object((folder / "versions" / version / SETTINGS).read_bytes(), version, known)
    except (OSError, ValueError, NewerFormatError):  # removed since, damaged, or of another version of the project
        settings = {}
    return {
        "at": record.get("at"),
        "by_step": expected.get("by_step"),
        "loss": expected.get("loss"),
        "trained_until": settings.get("trained_until"),
    }
