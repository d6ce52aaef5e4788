"""The verdict of a monitor, with its reasons in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypedDict

from rnn_pipelines.champion.changes import load_usable
from rnn_pipelines.champion.records import Measures, Metrics, Record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import FormatError
from rnn_pipelines.storage.formats import FORMAT, read_object

# In ascending order of severity. Only the check has the verdict `unmonitored`.
Level = Literal["ok", "retrain", "unmonitored", "alarm"]
LEVELS: tuple[Level, ...] = ("ok", "retrain", "unmonitored", "alarm")
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        level: its severity.
        reason: in words.
    """

    level: Level
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The conclusion from all findings.

    Attributes:
        verdict: `ok`, `retrain`, `unmonitored` if no monitor ever ran, or `alarm` if a person has to look at it.
        reasons: of the findings other than `ok`, the most severe first; of all findings if the verdict is `ok`.
    """

    verdict: Level
    reasons: tuple[str, ...]


class VerdictRecord(TypedDict):
    """A verdict as the check reads it; a monitor adds further keys.

    Attributes:
        at, valid_until: time of the verdict, and end of its validity; ISO 8601, UTC.
    """

    verdict: Level
    reasons: list[str]
    at: str
    valid_until: str


class ExpectedError(TypedDict):
    """The expected error of a version, from its evaluation; None for unknown values.

    Attributes:
        at: time of the evaluation.
        by_step, loss: on the holdout of that day.
        trained_until: the last time or step of each part of its training data.
    """

    at: str | None
    by_step: list[float | None] | None
    loss: float | None
    trained_until: dict[str, Any] | None


class KnownChampion(TypedDict):
    """The recorded facts of a task's champion.

    Attributes:
        version: its name; None if there is none.
        promoted_at: ISO 8601, UTC; None if unknown.
        settings: as they were packed.
        alarms: current problems of the champion.
        first_data_end: end of the data of the first promoted version.
        versions: the expected errors of all evaluated versions.
    """

    version: str | None
    promoted_at: str | None
    settings: dict[str, Any]
    alarms: list[str]
    first_data_end: str | None
    versions: dict[str, ExpectedError]


def conclude(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of the most severe finding.

    Raises:
        ValueError: there is no finding.
    """
    ordered = sorted(findings, key=lambda finding: -LEVELS.index(finding.level))
    if not ordered:
        raise ValueError("expected one finding at least, received none.")
    worst = ordered[0].level
    shown = [finding for finding in ordered if worst == "ok" or finding.level != "ok"]
    return Verdict(worst, tuple(finding.reason for finding in shown))


def describe_verdict(verdict: Verdict, valid_days: float) -> VerdictRecord:
    """Return the record of a verdict, with the current time.

    Args:
        verdict: of the monitor.
        valid_days: validity in days.
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
    """Return the recorded facts of a task's champion, without loading its networks.

    Args:
        folder: of the task.
        known: the readable format of the task's settings.
    """
    store = ChampionStore(folder)
    records = store.list_records()
    champion, alarms = load_usable(store)
    version = None if champion is None else champion.version
    pointer = store.find_pointer()
    evaluated = {str(r["version"]): r for r in records if r.get("kind") == "retrain" and r.get("version")}
    # The data of a version that was promoted manually are in the record of its retraining.
    ends = {version: (record.get("data") or {}).get("last") for version, record in evaluated.items()}
    promoted = [record.get("version") for record in records if record.get("is_promoted")]
    settings = None if champion is None else champion.files.get(SETTINGS)
    since = pointer.since if pointer is not None and pointer.version == version else ""
    return {
        "version": version,
        "promoted_at": since or None,
        "settings": {} if settings is None else read_object(settings, version, known),
        "alarms": alarms,
        "first_data_end": next((ends[version] for version in promoted if version in ends), None),
        "versions": {name: _find_expected_error(name, record, folder, known) for name, record in evaluated.items()},
    }


def _find_expected_error(version: str, record: Record, folder: Path, known: int) -> ExpectedError:
    expected = (record.get("metrics") or Metrics()).get("challenger") or Measures()
    try:
        settings = read_object((folder / "versions" / version / SETTINGS).read_bytes(), version, known)
    except (OSError, ValueError, FormatError):  # removed, damaged, or of another version of the project
        settings = {}
    return {
        "at": record.get("at"),
        "by_step": expected.get("by_step"),
        "loss": expected.get("loss"),
        "trained_until": settings.get("trained_until"),
    }
