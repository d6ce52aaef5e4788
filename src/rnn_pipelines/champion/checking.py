"""Whether all is well with a task: its champion, its last retraining, and what the monitor found."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rnn_pipelines.champion.changes import list_damages
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.verdict import LEVELS, Finding, Verdict, conclude

# By how much the clocks of machines that look after one folder may be apart.
CLOCKS_DIFFER = timedelta(minutes=5)


def check_task(store: ChampionStore, path: Path) -> Verdict:
    """The gravest of all that is known.

    Args:
        store: of the task.
        path: what the monitor wrote: a `VerdictRecord` as JSON.
    """
    # Before there is a champion, there is nothing to monitor.
    is_monitored = path.exists() or store.find_pointer() is not None
    return conclude([*_look_at_champion(store), *(read_findings(path) if is_monitored else [])])


def read_findings(path: Path) -> list[Finding]:
    """What the monitor found when it last looked; that it never did, long ago, or not readably, is an alarm.

    Args:
        path: see `check_task`.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        level, reasons, at = found["verdict"], found["reasons"], found["at"]
        if level not in LEVELS or not isinstance(reasons, list):
            raise ValueError(f"expected one of {LEVELS} with reasons, received {level!r} with {reasons!r}")
        findings = [Finding(level, f"{reason} (the monitor at {at})") for reason in reasons or ["no reason was given"]]
        if datetime.fromisoformat(at) > datetime.now(UTC) + CLOCKS_DIFFER:
            findings.append(Finding("alarm", f"the monitor looked at {at}, which is yet to come: a clock was wrong"))
        # What was written before verdicts had an end is believed as it is.
        until = found.get("valid_until")
        if until is not None and datetime.fromisoformat(until) < datetime.now(UTC):
            findings.append(Finding("alarm", f"the monitor has not looked since {at}: a night was missed"))
        return findings
    except FileNotFoundError:
        return [Finding("alarm", "the monitor has never looked, so that nobody knows whether forecasts hold")]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return [Finding("alarm", f"{path}: what the monitor found can't be read ({error!r})")]


def _look_at_champion(store: ChampionStore) -> Iterator[Finding]:
    pointer = store.find_pointer()
    if pointer is None:
        yield Finding("retrain", "there is no champion yet")
    else:
        # The first is why it was promoted, the others what was better on that day.
        yield from (Finding("ok", f"of the version in use: {reason}") for reason in pointer.reasons[1:])
    for damage in list_damages(store):
        yield Finding("alarm", damage)
    retrainings = [r for r in store.list_records() if r.get("kind") == "retrain"]
    if retrainings and retrainings[-1].get("outcome") == "failed":
        yield Finding("retrain", f"the last retraining failed: {retrainings[-1].get('error')}")
