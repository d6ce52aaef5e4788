"""The check of a task: its champion, its last retraining, and the findings of its monitor."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rnn_pipelines.champion.changes import list_damages
from rnn_pipelines.champion.history import find_origin
from rnn_pipelines.champion.policy import CHALLENGER
from rnn_pipelines.champion.records import Record, list_measures
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.verdict import LEVELS, Finding, Verdict, conclude

# Tolerated difference between the clocks of machines that share a folder.
CLOCKS_DIFFER = timedelta(minutes=5)
# From the first promotion to the first monitoring that is expected.
FIRST_DAY = timedelta(days=1)
# The verdicts of a monitor.
MONITORED = tuple(level for level in LEVELS if level != "unmonitored")
# The keys of a monitor's file that programs read: times, errors with their cut-offs, and the measures of texts.
MONITORED_KEYS = ("at", "valid_until", "version", "error", "intervals", "num_texts", "measures")


def check_task(store: ChampionStore, path: Path) -> Verdict:
    """Return the verdict on a task, by the most severe finding.

    Args:
        store: of the task.
        path: file of the monitor: a `VerdictRecord` as JSON.
    """
    return conclude([*_look_at_champion(store), *(read_findings(path) if path.exists() else _look_for_monitor(store))])


def describe_evidence(store: ChampionStore, path: Path) -> dict[str, Any]:
    """Return the numbers and times behind a verdict, for programs.

    Args:
        store, path: see `check_task`.
    Returns:
        `champion`: `version`, `since`, and of its retraining `loss`, `p_value`, `as_of` and `data`; `monitor`: the keys
        of `MONITORED_KEYS` in its file. Either is None if it is missing or damaged.
    """
    pointer, champion = store.find_pointer(), None
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
        found = json.loads(path.read_text(encoding="utf-8"))
        monitor = {name: found[name] for name in MONITORED_KEYS if name in found}
    except (OSError, ValueError, TypeError, RecursionError):
        # The verdict has the reason.
        pass
    return {"champion": champion, "monitor": monitor}


def read_findings(path: Path) -> list[Finding]:
    """Return the findings of the monitor's last run; an outdated or damaged verdict is an alarm.

    Args:
        path: see `check_task`.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        level, reasons, at = found["verdict"], found["reasons"], found["at"]
        if level not in MONITORED or not isinstance(reasons, list):
            raise ValueError(f"expected one of {MONITORED} with reasons, received {level!r} with {reasons!r}")
        findings = [Finding(level, f"{reason} (the monitor at {at})") for reason in reasons or ["no reason was given"]]
        if datetime.fromisoformat(at) > datetime.now(UTC) + CLOCKS_DIFFER:
            findings.append(Finding("alarm", f"the monitor ran at {at}, which is in the future; check the clock"))
        if datetime.fromisoformat(found["valid_until"]) < datetime.now(UTC):
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
    promoted = [record.get("at", "") for record in store.list_records() if record.get("is_promoted")]
    is_first_day = all(-CLOCKS_DIFFER <= age < FIRST_DAY for age in _list_ages([pointer.since, *promoted]))
    reason = f"no monitor has run since the first promotion; kedro run --pipelines=monitor_{store.folder.name} runs it"
    yield Finding("ok" if is_first_day else "unmonitored", reason)


def _list_ages(times: Iterable[str]) -> Iterator[timedelta]:
    """Yield the age of each time; texts that are no times with a zone are left out."""
    for time in times:
        with suppress(ValueError):
            moment = datetime.fromisoformat(time)
            if moment.tzinfo is not None:
                yield datetime.now(UTC) - moment


def _look_at_champion(store: ChampionStore) -> Iterator[Finding]:
    pointer = store.find_pointer()
    if pointer is None:
        yield Finding("retrain", "there is no champion yet")
    else:
        # The first reason is that of the promotion; the others name models that were better on that day.
        yield from (Finding("ok", f"of the version in use: {reason}") for reason in pointer.reasons[1:])
    for damage in list_damages(store):
        yield Finding("alarm", damage)
    retrainings = [r for r in store.list_records() if r.get("kind") == "retrain"]
    if retrainings and retrainings[-1].get("outcome") == "failed":
        yield Finding("retrain", f"the last retraining failed: {retrainings[-1].get('error')}")
