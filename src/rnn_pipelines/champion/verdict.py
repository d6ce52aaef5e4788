"""The verdicts of a monitor and of the check of a task, with their reasons in words."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from rnn_pipelines.champion.changes import list_damages, load_usable
from rnn_pipelines.champion.failed_runs import list_failures
from rnn_pipelines.champion.history import find_origin, hold_store_lock
from rnn_pipelines.champion.policy import CHALLENGER
from rnn_pipelines.champion.records import Measures, Metrics, Record, list_measures
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, FormatError
from rnn_pipelines.storage.files import remove_temporary, replace_file
from rnn_pipelines.storage.formats import FORMAT, FORMATS, dump_object, naming_damage, read_object

# In ascending order of severity. Only the check has the verdict `unmonitored`.
Level = Literal["ok", "retrain", "unmonitored", "alarm"]
LEVELS: tuple[Level, ...] = ("ok", "retrain", "unmonitored", "alarm")
SETTINGS = "settings.json"
# The stamp of a task's log of predictions, in the folder of its champion.
LOG_STAMP = "log.json"
LOG_REMEDY = (
    f"Restore a copy of it, or remove {LOG_STAMP} from the champion's folder to begin another log"
)
# Tolerated difference between the clocks of machines that share a folder.
CLOCKS_DIFFER = timedelta(minutes=5)
# From the first promotion to the first monitoring that is expected.
FIRST_DAY = timedelta(days=1)
# The verdicts of a monitor.
MONITORED = tuple(level for level in LEVELS if level != "unmonitored")
# The keys of a monitor's file that programs read: times, errors with their cut-offs, drift, and the measures of texts.
MONITORED_KEYS = (
    "at",
    "valid_until",
    "version",
    "error",
    "intervals",
    "drifted_fraction",
    "num_texts",
    "measures",
)
# Those of the coverage in it: times, and no series.
COVERAGE_KEYS = ("newest_value", "newest_forecast")


@dataclass(frozen=True)
class Finding:
    """A finding with its severity and the reason in words."""

    level: Level
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The conclusion from all findings: `ok`, `retrain`, `unmonitored` if no monitor ever ran, or `alarm` for a person.

    The reasons are those of the findings other than `ok`, the most severe first; of all findings if it is `ok`.
    """

    verdict: Level
    reasons: tuple[str, ...]


class VerdictRecord(TypedDict):
    """A verdict as the check reads it, with its time and the end of its validity; a monitor adds further keys."""

    verdict: Level
    reasons: list[str]
    at: str
    valid_until: str


class ExpectedError(TypedDict):
    """The expected error of a version on the holdout of its evaluation; None for unknown values.

    `trained_until` has the last time or step of each part of its training data.
    """

    at: str | None
    by_step: list[float | None] | None
    loss: float | None
    trained_until: dict[str, Any] | None


class LogStamp(TypedDict):
    """The numbers of nights and rows of a task's log of predictions up to the last night, its time ISO 8601, UTC."""

    num_nights: int
    num_rows: int
    last_recorded_at: str | None


class KnownChampion(TypedDict):
    """The recorded facts of a task's champion: its name and promotion, ISO 8601, UTC; None if there is none.

    The settings are as they were packed; the alarms are current problems. `not_acting` are parameters of today that the
    champion does not use, in words, if a monitor has compared them. `first_data_end` is the end of the data of
    the first promoted version; `versions` has the expected errors of all evaluated versions; `log` is the stamp of the
    log of predictions.
    """

    version: str | None
    promoted_at: str | None
    settings: dict[str, Any]
    alarms: list[str]
    first_data_end: str | None
    versions: dict[str, ExpectedError]
    log: NotRequired[LogStamp | None]
    not_acting: NotRequired[list[str]]


def conclude(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of the most severe finding; without a finding, a ValueError is raised."""
    ordered = sorted(findings, key=lambda finding: -LEVELS.index(finding.level))
    if not ordered:
        raise ValueError("expected one finding at least, received none.")
    worst = ordered[0].level
    shown = [finding for finding in ordered if worst == "ok" or finding.level != "ok"]
    return Verdict(worst, tuple(finding.reason for finding in shown))


def make_verdict_record(verdict: Verdict, valid_days: float) -> VerdictRecord:
    """Return the record of a verdict, with the current time."""
    at = datetime.now(UTC)
    until = at + timedelta(days=valid_days)
    return {
        "verdict": verdict.verdict,
        "reasons": list(verdict.reasons),
        "at": at.isoformat(timespec="seconds"),
        "valid_until": until.isoformat(timespec="seconds"),
    }


def read_champion(folder: Path, readable_formats: Sequence[int] = FORMATS) -> KnownChampion:
    """Return the recorded facts of a task's champion, without loading its networks.

    `readable_formats` are those of the task's settings.
    """
    store = ChampionStore(folder)
    records = store.list_records()
    champion, alarms = load_usable(store)
    version = None if champion is None else champion.version
    pointer = store.find_pointer()
    evaluated = {
        str(r["version"]): r for r in records if r.get("kind") == "retrain" and r.get("version")
    }
    # The data of a version that was promoted manually are in the record of its retraining.
    ends = {
        version: (record.get("data") or {}).get("last") for version, record in evaluated.items()
    }
    promoted = [record.get("version") for record in records if record.get("is_promoted")]
    settings = None if champion is None else champion.files.get(SETTINGS)
    since = pointer.since if pointer is not None and pointer.version == version else ""
    with naming_damage(SETTINGS):
        read = {} if settings is None else read_object(settings, version, readable_formats)
    return {
        "version": version,
        "promoted_at": since or None,
        "settings": read,
        "alarms": alarms,
        "first_data_end": next((ends[version] for version in promoted if version in ends), None),
        "versions": {
            name: _find_expected_error(name, record, folder, readable_formats)
            for name, record in evaluated.items()
        },
        "log": read_log_stamp(folder),
    }


def read_log_stamp(folder: Path) -> LogStamp | None:
    """Return the stamp of the log of predictions in a champion's folder; None without one.

    A damaged one raises a ChampionError.
    """
    path = folder / LOG_STAMP
    if not path.exists():
        return None
    try:
        content = read_object(path.read_bytes(), path)
        stamp = LogStamp(
            num_nights=int(content["num_nights"]),
            num_rows=int(content["num_rows"]),
            last_recorded_at=content["last_recorded_at"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ChampionError(
            f"{path}: {error}. Restore a copy, or remove it to begin another log"
        ) from error
    return stamp


def write_log_stamp(folder: Path, stamp: LogStamp) -> None:
    """Write the stamp of the log of predictions into a champion's folder, atomically."""
    with hold_store_lock(folder):
        replace_file(folder / LOG_STAMP, dump_object({"format": FORMAT, **stamp}))
        remove_temporary(folder, LOG_STAMP.__eq__)


def _find_expected_error(
    version: str, record: Record, folder: Path, readable_formats: Sequence[int]
) -> ExpectedError:
    expected = (record.get("metrics") or Metrics()).get("challenger") or Measures()
    try:
        settings = read_object(
            (folder / "versions" / version / SETTINGS).read_bytes(), version, readable_formats
        )
    except (
        OSError,
        ValueError,
        FormatError,
    ):  # removed, damaged, or of another version of the project
        settings = {}
    return {
        "at": record.get("at"),
        "by_step": expected.get("by_step"),
        "loss": expected.get("loss"),
        "trained_until": settings.get("trained_until"),
    }


def check_task(store: ChampionStore, path: Path, log: Path | None = None) -> Verdict:
    """Return the verdict on a task, by the most severe finding, with that in the monitor's file, a `VerdictRecord`.

    `log` is the file of its log of predictions; None if that is no file.
    """
    monitored = read_findings(path) if path.exists() else _look_for_monitor(store)
    return conclude([*_look_at_champion(store), *_look_for_log(store, log), *monitored])


def describe_evidence(store: ChampionStore, path: Path) -> dict[str, Any]:
    """Return the numbers and times behind a verdict, for programs.

    `champion` has `version`, `since`, and of its retraining `loss`, `p_value`, `as_of` and `data`; `monitor` the keys
    of `MONITORED_KEYS` and `COVERAGE_KEYS` in its file. Either is None if it is missing or damaged.
    """
    pointer = store.find_pointer()
    champion = None
    if pointer is not None:
        record = find_origin(store.list_records(), pointer.version) or Record()
        champion = {
            "version": pointer.version,
            "since": pointer.since,
            "loss": list_measures(record).get(CHALLENGER, {}).get("loss"),
            **{name: record.get(name) for name in ("p_value", "as_of", "data")},
        }
    monitor = None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        monitor = {name: content[name] for name in MONITORED_KEYS if name in content}
        monitor |= {
            name: content["coverage"][name]
            for name in COVERAGE_KEYS
            if name in content.get("coverage", ())
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        # The verdict has the reason.
        pass
    return {"champion": champion, "monitor": monitor}


def read_findings(path: Path) -> list[Finding]:
    """Return the findings of the monitor's last run; an outdated or damaged verdict is an alarm."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        level = content["verdict"]
        reasons = content["reasons"]
        at = content["at"]
        if level not in MONITORED or not isinstance(reasons, list):
            raise ValueError(
                f"expected one of {MONITORED} with reasons, received {level!r} with {reasons!r}"
            )
        findings = [
            Finding(level, f"{reason} (the monitor at {at})")
            for reason in reasons or ["no reason was given"]
        ]
        if datetime.fromisoformat(at) > datetime.now(UTC) + CLOCKS_DIFFER:
            findings.append(
                Finding(
                    "alarm", f"the monitor ran at {at}, which is in the future; check the clock"
                )
            )
        if datetime.fromisoformat(content["valid_until"]) < datetime.now(UTC):
            findings.append(Finding("alarm", f"the monitor has not run since {at}"))
        return findings
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return [Finding("alarm", f"{path}: the verdict of the monitor can't be read ({error!r})")]


def _look_for_monitor(store: ChampionStore) -> Iterator[Finding]:
    """Yield a finding if the monitor never ran; ok on the first day, none at all if there is no champion."""
    pointer = store.find_pointer()
    if pointer is None:
        return
    # The day of the first champion: with a new champion every night, every day would be its first.
    promoted = [
        record.get("at", "") for record in store.list_records() if record.get("is_promoted")
    ]
    ages = []
    for time in (pointer.since, *promoted):
        # Texts that are no times with a zone are left out.
        with suppress(ValueError):
            moment = datetime.fromisoformat(time)
            ages += [] if moment.tzinfo is None else [datetime.now(UTC) - moment]
    is_first_day = all(-CLOCKS_DIFFER <= age < FIRST_DAY for age in ages)
    reason = f"no monitor has run since the first promotion; kedro run --pipelines=monitor_{store.folder.name} runs it"
    yield Finding("ok" if is_first_day else "unmonitored", reason)


def _look_for_log(store: ChampionStore, log: Path | None) -> Iterator[Finding]:
    if log is not None and (store.folder / LOG_STAMP).exists() and not log.exists():
        yield Finding("alarm", f"{log}: the log of forecasts is gone. {LOG_REMEDY}")


def _look_at_champion(store: ChampionStore) -> Iterator[Finding]:
    pointer = store.find_pointer()
    if pointer is None:
        yield Finding("retrain", "there is no champion yet")
    else:
        # The first reason is that of the promotion; the others name models that were better on that day.
        yield from (
            Finding("ok", f"of the version in use: {reason}") for reason in pointer.reasons[1:]
        )
    yield from (Finding("alarm", damage) for damage in list_damages(store))
    yield from (Finding("alarm", failure) for failure in list_failures(store.folder))
    retrainings = [r for r in store.list_records() if r.get("kind") == "retrain"]
    if retrainings and retrainings[-1].get("outcome") == "failed":
        yield Finding("retrain", f"the last retraining failed: {retrainings[-1].get('error')}")
