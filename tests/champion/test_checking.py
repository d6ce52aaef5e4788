"""The gravest finding decides, and what can't be read is an alarm."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.verdict import check_task

AT = "2026-01-31T02:00:00+00:00"


@pytest.fixture
def store(tmp_path: Path) -> ChampionStore:
    """With a champion."""
    store = ChampionStore(tmp_path / "forecast")
    store.promote(store.add_version({"model": b"model"}), ["the first"], AT)
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "verdict.json"


def damage(store: ChampionStore) -> None:
    pointer = store.read_pointer()
    assert pointer is not None
    (store.folder / "versions" / pointer.version / "model").write_bytes(b"else")


def write(path: Path, verdict: str, *reasons: str, **more: Any) -> None:
    path.write_text(
        json.dumps(
            {"verdict": verdict, "reasons": reasons, "at": AT, "valid_until": "2999-01-01T00:00:00+00:00", **more}
        )
    )


@pytest.mark.parametrize("verdict", ["ok", "retrain", "alarm"])
def test_verdict_is_the_monitors(store: ChampionStore, path: Path, verdict: str) -> None:
    write(path, verdict, "errors as promised")
    checked = check_task(store, path)
    assert (checked.verdict, checked.reasons) == (verdict, (f"errors as promised (the monitor at {AT})",))


@pytest.mark.parametrize(
    ("days", "verdict", "reasons"),
    [
        (1, "ok", [f"errors as promised (the monitor at {AT})"]),
        (-1, "alarm", [f"the monitor has not run since {AT}"]),
    ],
)
def test_verdict_is_believed_until_its_end(
    store: ChampionStore, path: Path, days: int, verdict: str, reasons: list[str]
) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    write(path, "ok", "errors as promised", valid_until=until.isoformat(timespec="seconds"))
    checked = check_task(store, path)
    assert (checked.verdict, list(checked.reasons)) == (verdict, reasons)


def promote(store: ChampionStore, age: timedelta) -> None:
    """Another version, so long ago."""
    at = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    version = store.add_version({"model": b"another"})
    store.promote(version, ["it is better"], at)
    record(store, outcome="promoted", is_promoted=True, version=version, at=at)


@pytest.mark.parametrize("task", ["forecast", "sentiment"])
@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (timedelta(), "ok"),
        (timedelta(hours=23), "ok"),
        (timedelta(hours=25), "unmonitored"),
        (timedelta(days=400), "unmonitored"),
        # The clock was wrong, and nobody knows how long ago it was.
        (timedelta(days=-2), "unmonitored"),
    ],
)
def test_champion_that_was_never_monitored_has_a_day(
    tmp_path: Path, path: Path, age: timedelta, verdict: str, task: str
) -> None:
    store = ChampionStore(tmp_path / task)
    promote(store, age)
    checked = check_task(store, path)
    assert checked.verdict == verdict
    assert f"monitor_{task}" in checked.reasons[0]


def test_a_new_champion_is_no_new_day(tmp_path: Path, path: Path) -> None:
    """Or a task with a new champion every night would need no monitor."""
    store = ChampionStore(tmp_path / "forecast")
    for hours in (30, 5):
        promote(store, timedelta(hours=hours))
    assert check_task(store, path).verdict == "unmonitored"


@pytest.mark.parametrize("at", ["", "soon", "2026-01-31T02:00:00"])
def test_promotion_whose_time_is_not_known_does_not_count(tmp_path: Path, path: Path, at: str) -> None:
    store = ChampionStore(tmp_path / "forecast")
    record(store, outcome="promoted", is_promoted=True, at=at)
    promote(store, timedelta(hours=5))
    assert check_task(store, path).verdict == "ok"


def test_first_day_ends_with_the_monitor(tmp_path: Path, path: Path) -> None:
    store = ChampionStore(tmp_path / "forecast")
    promote(store, timedelta())
    write(path, "alarm", "errors are larger than promised")
    assert check_task(store, path).verdict == "alarm"


def test_damage_is_graver_than_no_monitor_and_a_failed_retraining_is_not(store: ChampionStore, path: Path) -> None:
    record(store, outcome="failed", error="SeriesError: no such file")
    assert check_task(store, path).verdict == "unmonitored"
    damage(store)
    assert check_task(store, path).verdict == "alarm"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"verdict": "fine", "reasons": [], "at": ""}',
        '{"verdict": "unmonitored", "reasons": [], "at": ""}',
        '{"verdict": "ok", "reasons": 1, "at": ""}',
        '{"verdict": "ok", "reasons": [], "at": "", "valid_until": "soon"}',
        '{"verdict": "ok", "reasons": [], "at": "", "valid_until": "2020-01-01T00:00:00"}',
        '{"verdict": "ok", "reasons": [], "at": "", "valid_until": 7}',
        '{"verdict": "ok", "reasons": [], "at": "2026-01-31", "valid_until": null}',
        '{"verdict": "ok", "reasons": [], "at": "2026-01-31T00:00:00+00:00"}',
        '{"verdict": "ok", "reasons": [], "at": 20260131}',
        "[" * 100_000,
    ],
    ids=lambda content: content[:70],
)
def test_verdict_that_cannot_be_read_is_an_alarm(store: ChampionStore, path: Path, content: str) -> None:
    path.write_text(content)
    checked = check_task(store, path)
    assert checked.verdict == "alarm"
    assert "can't be read" in checked.reasons[0]


def test_verdict_without_a_reason_counts(store: ChampionStore, path: Path) -> None:
    write(path, "alarm")
    assert check_task(store, path).verdict == "alarm"


def test_damaged_champion_is_an_alarm(store: ChampionStore, path: Path) -> None:
    write(path, "ok", "errors as promised")
    damage(store)
    checked = check_task(store, path)
    assert checked.verdict == "alarm"
    assert "changed after it was written" in checked.reasons[0]


def test_what_was_better_than_the_champion_is_told(store: ChampionStore, path: Path) -> None:
    reasons = ["it is better", "its loss is 3.1 % above that of ridge (p = 0.2)"]
    store.promote(store.add_version({"model": b"another"}), reasons, AT)
    write(path, "ok", "errors as promised")
    checked = check_task(store, path)
    assert checked.verdict == "ok"
    assert "of the version in use: its loss is 3.1 % above that of ridge (p = 0.2)" in checked.reasons


def test_no_champion_asks_for_a_retraining(tmp_path: Path, path: Path) -> None:
    checked = check_task(ChampionStore(tmp_path / "sentiment"), path)
    assert (checked.verdict, checked.reasons) == ("retrain", ("there is no champion yet",))


def record(store: ChampionStore, **fields: Any) -> None:
    add_record(store.folder, {"kind": "retrain", **fields})


def test_failed_retraining_asks_for_another(store: ChampionStore, path: Path) -> None:
    record(store, outcome="failed", error="SeriesError: no such file")
    write(path, "ok", "errors as promised")
    checked = check_task(store, path)
    assert checked.verdict == "retrain"
    assert checked.reasons == ("the last retraining failed: SeriesError: no such file",)


def test_failure_is_forgotten_after_the_next_retraining(store: ChampionStore, path: Path) -> None:
    record(store, outcome="failed", error="SeriesError: no such file")
    record(store, outcome="kept")
    write(path, "ok", "errors as promised")
    assert check_task(store, path).verdict == "ok"


def test_gravest_reason_comes_first(store: ChampionStore, path: Path) -> None:
    write(path, "retrain", "the series drifted")
    damage(store)
    checked = check_task(store, path)
    assert checked.verdict == "alarm"
    assert checked.reasons[-1] == f"the series drifted (the monitor at {AT})"
