"""The gravest finding decides; what is on record of a champion is read without its networks."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.champion.failed_runs import clear_failure, keep_failure
from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.outcome import promote_version
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.verdict import (
    LEVELS,
    Finding,
    Verdict,
    check_task,
    conclude,
    describe_verdict,
    read_champion,
)

findings = st.lists(st.builds(Finding, st.sampled_from(LEVELS), st.text(max_size=3)), min_size=1)


def add_version(
    folder: Path, trained_until: dict[str, Any], is_promoted: bool = True, **record: Any
) -> str:
    """A version as a retraining leaves it, without networks."""
    store = ChampionStore(folder)
    settings = {"format": 1, "horizon": 2, "season_length": 7, "trained_until": trained_until}
    version = store.add_version(
        {"settings.json": json.dumps(settings).encode(), "lstm.keras": b"no network"}
    )
    if is_promoted:
        store.promote(version, ["first"], "2024-05-01T02:00:00+00:00")
    made = {
        "kind": "retrain",
        "at": "2024-05-01T01:59:00+00:00",
        "is_promoted": is_promoted,
        "version": version,
        "data": {"last": "2024-04-30"},
        "metrics": {"challenger": {"loss": 1.5, "by_step": [1.0, 2.0]}},
    }
    add_record(folder, made | record)
    return version


def test_failed_run_rings_until_the_next_one_ends_well(
    store: ChampionStore, tmp_path: Path
) -> None:
    add_version(store.folder, {"a": "2024-04-30"})
    keep_failure(store.folder, "predict_forecast", "it was trained on steps of D")
    found = check_task(store, tmp_path / "verdict.json")
    assert (found.verdict, "it was trained on steps of D" in found.reasons[0]) == ("alarm", True)
    clear_failure(store.folder, "predict_forecast")
    assert check_task(store, tmp_path / "verdict.json").verdict != "alarm"


def test_damaged_failure_rings(store: ChampionStore, tmp_path: Path) -> None:
    add_version(store.folder, {"a": "2024-04-30"})
    (store.folder / "failed_predict_forecast.json").write_text("{")
    assert check_task(store, tmp_path / "verdict.json").verdict == "alarm"


@given(findings)
def test_gravest_finding_decides(found: list[Finding]) -> None:
    assert LEVELS.index(conclude(found).verdict) == max(
        LEVELS.index(finding.level) for finding in found
    )


@given(findings)
def test_reasons_are_listed_by_gravity_without_those_that_ask_for_nothing(
    found: list[Finding],
) -> None:
    # Each in its place, and what is well is told only where nothing asks for anything.
    verdict = conclude(found)
    kept = [finding for finding in found if verdict.verdict == "ok" or finding.level != "ok"]
    expected = [
        finding.reason for level in reversed(LEVELS) for finding in kept if finding.level == level
    ]
    assert list(verdict.reasons) == expected


def test_reasons_of_graver_findings_come_first() -> None:
    found = [Finding("retrain", "b"), Finding("ok", "a"), Finding("alarm", "c")]
    assert conclude(found) == Verdict("alarm", ("c", "b"))


def test_a_verdict_needs_a_finding() -> None:
    with pytest.raises(ValueError, match="one finding"):
        conclude([])


def test_a_described_verdict_keeps_its_reasons() -> None:
    told = describe_verdict(Verdict("retrain", ("b", "c")), 7)
    assert (told["verdict"], told["reasons"]) == ("retrain", ["b", "c"])


def test_a_verdict_is_valid_for_the_days_of_the_policy() -> None:
    told = describe_verdict(Verdict("retrain", ("b", "c")), 7)
    at, until = (datetime.fromisoformat(told[key]) for key in ("at", "valid_until"))
    assert until - at == timedelta(days=7)


def test_a_verdict_begins_now() -> None:
    told = describe_verdict(Verdict("retrain", ("b", "c")), 7)
    at, _until = (datetime.fromisoformat(told[key]) for key in ("at", "valid_until"))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)


def test_there_is_no_champion_before_the_first_retraining(tmp_path: Path) -> None:
    assert read_champion(tmp_path) == {
        "version": None,
        "promoted_at": None,
        "settings": {},
        "alarms": [],
        "first_data_end": None,
        "versions": {},
        "log": None,
    }


def test_the_champion_is_read_with_its_promotion(tmp_path: Path) -> None:
    version = add_version(tmp_path, {"a": "2024-04-01T00:00:00"})
    champion = read_champion(tmp_path)
    assert (champion["version"], champion["promoted_at"]) == (version, "2024-05-01T02:00:00+00:00")
    assert champion["alarms"] == []


def test_the_champion_is_read_with_its_settings(tmp_path: Path) -> None:
    add_version(tmp_path, {"a": "2024-04-01T00:00:00"})
    assert read_champion(tmp_path)["settings"]["season_length"] == 7


def test_the_champion_is_read_with_the_end_of_its_data(tmp_path: Path) -> None:
    add_version(tmp_path, {"a": "2024-04-01T00:00:00"})
    assert read_champion(tmp_path)["first_data_end"] == "2024-04-30"


def test_the_champion_is_read_with_its_expected_errors(tmp_path: Path) -> None:
    version = add_version(tmp_path, {"a": "2024-04-01T00:00:00"})
    assert read_champion(tmp_path)["versions"][version] == {
        "at": "2024-05-01T01:59:00+00:00",
        "by_step": [1.0, 2.0],
        "loss": 1.5,
        "trained_until": {"a": "2024-04-01T00:00:00"},
    }


def test_promise_of_a_version_that_was_kept_back_is_read_too(tmp_path: Path) -> None:
    """It may be promoted by hand."""
    champion = add_version(tmp_path, {"a": 3})
    kept = add_version(tmp_path, {"a": 4}, is_promoted=False)
    found = read_champion(tmp_path)
    assert found["version"] == champion
    assert found["versions"][kept]["by_step"] == [1.0, 2.0]


def test_data_end_is_that_of_the_first_promotion(tmp_path: Path) -> None:
    add_version(tmp_path, {}, is_promoted=False, data={"last": "2024-01-01"})
    add_version(tmp_path, {}, data={"last": "2024-02-01"})
    add_version(tmp_path, {}, data={"last": "2024-03-01"})
    assert read_champion(tmp_path)["first_data_end"] == "2024-02-01"


def test_data_end_of_a_promotion_by_hand_is_that_of_the_retraining(tmp_path: Path) -> None:
    version = add_version(tmp_path, {}, is_promoted=False, data={"last": "2024-01-01"})
    promote_version(ChampionStore(tmp_path), "forecast", version, "better than none")
    add_version(tmp_path, {}, data={"last": "2024-03-01"})
    assert read_champion(tmp_path)["first_data_end"] == "2024-01-01"


def test_promise_of_a_version_that_was_pruned_stays_on_record(tmp_path: Path) -> None:
    old = add_version(tmp_path, {"a": 3}, is_promoted=False)
    add_version(tmp_path, {"a": 4})
    ChampionStore(tmp_path).prune(0)
    assert read_champion(tmp_path)["versions"][old] | {"at": None} == {
        "at": None,
        "by_step": [1.0, 2.0],
        "loss": 1.5,
        "trained_until": None,
    }


def test_with_a_damaged_champion_the_one_before_it_is_read(tmp_path: Path) -> None:
    first = add_version(tmp_path, {"a": 3})
    second = add_version(tmp_path, {"a": 4})
    (tmp_path / "versions" / second / "lstm.keras").write_bytes(b"damaged")
    champion = read_champion(tmp_path)
    assert champion["version"] == first
    assert any(second in alarm for alarm in champion["alarms"])


def test_no_whole_champion_is_an_alarm(tmp_path: Path) -> None:
    version = add_version(tmp_path, {"a": 3})
    (tmp_path / "versions" / version / "lstm.keras").unlink()
    champion = read_champion(tmp_path)
    assert champion["version"] is None
    assert len(champion["alarms"]) == 1


def test_record_without_metrics_promises_nothing(tmp_path: Path) -> None:
    version = add_version(tmp_path, {"a": 3}, metrics=None)
    assert read_champion(tmp_path)["versions"][version]["by_step"] is None


def test_reading_a_champion_writes_nothing(tmp_path: Path) -> None:
    add_version(tmp_path, {"a": 3})
    before = sorted(tmp_path.rglob("*"))
    read_champion(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_reading_a_champion_loads_no_network(tmp_path: Path) -> None:
    add_version(tmp_path, {"a": 3})
    # The stand-in for one could not be.
    had = "keras" in sys.modules
    read_champion(tmp_path)
    assert ("keras" in sys.modules) == had


# The gravest finding decides, and what can't be read is an alarm.


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
            {
                "verdict": verdict,
                "reasons": reasons,
                "at": AT,
                "valid_until": "2999-01-01T00:00:00+00:00",
                **more,
            }
        )
    )


@pytest.mark.parametrize("verdict", ["ok", "retrain", "alarm"])
def test_verdict_is_the_monitors(store: ChampionStore, path: Path, verdict: str) -> None:
    write(path, verdict, "errors as promised")
    checked = check_task(store, path)
    assert (checked.verdict, checked.reasons) == (
        verdict,
        (f"errors as promised (the monitor at {AT})",),
    )


@pytest.mark.parametrize(
    ("days", "verdict", "reasons"),
    [
        (1, "ok", [f"errors as promised (the monitor at {AT})"]),
        (-1, "alarm", [f"the monitor has not run since {AT}"]),
    ],
)
def test_verdict_has_an_end(
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
def test_unmonitored_champion_has_a_day(
    tmp_path: Path, path: Path, age: timedelta, verdict: str, task: str
) -> None:
    store = ChampionStore(tmp_path / task)
    promote(store, age)
    checked = check_task(store, path)
    assert checked.verdict == verdict
    assert f"monitor_{task}" in checked.reasons[0]


def test_a_new_champion_does_not_replace_the_monitor(tmp_path: Path, path: Path) -> None:
    """Or a task with a new champion every night would need no monitor."""
    store = ChampionStore(tmp_path / "forecast")
    for hours in (30, 5):
        promote(store, timedelta(hours=hours))
    assert check_task(store, path).verdict == "unmonitored"


def test_the_monitor_judges_a_new_champion(tmp_path: Path, path: Path) -> None:
    store = ChampionStore(tmp_path / "forecast")
    promote(store, timedelta())
    write(path, "alarm", "errors are larger than promised")
    assert check_task(store, path).verdict == "alarm"


@pytest.mark.parametrize("at", ["", "soon", "2026-01-31T02:00:00"])
def test_promotion_whose_time_is_not_known_does_not_count(
    tmp_path: Path, path: Path, at: str
) -> None:
    store = ChampionStore(tmp_path / "forecast")
    record(store, outcome="promoted", is_promoted=True, at=at)
    promote(store, timedelta(hours=5))
    assert check_task(store, path).verdict == "ok"


def test_a_failed_retraining_is_less_grave_than_no_monitor(
    store: ChampionStore, path: Path
) -> None:
    record(store, outcome="failed", error="SeriesError: no such file")
    assert check_task(store, path).verdict == "unmonitored"


def test_damage_is_graver_than_no_monitor(store: ChampionStore, path: Path) -> None:
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
def test_verdict_that_cannot_be_read_is_an_alarm(
    store: ChampionStore, path: Path, content: str
) -> None:
    path.write_text(content)
    checked = check_task(store, path)
    assert checked.verdict == "alarm"
    assert "can't be read" in checked.reasons[0]


def test_verdict_without_a_reason_counts(store: ChampionStore, path: Path) -> None:
    write(path, "alarm")
    assert check_task(store, path).verdict == "alarm"


def test_a_damaged_champion_is_an_alarm(store: ChampionStore, path: Path) -> None:
    write(path, "ok", "errors as promised")
    damage(store)
    checked = check_task(store, path)
    assert checked.verdict == "alarm"
    assert "changed after it was written" in checked.reasons[0]


def test_reasons_of_the_monitor_come_after_damage(store: ChampionStore, path: Path) -> None:
    write(path, "retrain", "the series drifted")
    damage(store)
    checked = check_task(store, path)
    assert checked.verdict == "alarm"
    assert checked.reasons[-1] == f"the series drifted (the monitor at {AT})"


def test_what_was_better_than_the_champion_is_told(store: ChampionStore, path: Path) -> None:
    reasons = ["it is better", "its loss is 3.1 % above that of ridge (p = 0.2)"]
    store.promote(store.add_version({"model": b"another"}), reasons, AT)
    write(path, "ok", "errors as promised")
    checked = check_task(store, path)
    assert checked.verdict == "ok"
    assert (
        "of the version in use: its loss is 3.1 % above that of ridge (p = 0.2)" in checked.reasons
    )


def test_no_champion_asks_for_a_retraining(tmp_path: Path, path: Path) -> None:
    checked = check_task(ChampionStore(tmp_path / "sentiment"), path)
    assert (checked.verdict, checked.reasons) == ("retrain", ("there is no champion yet",))


def record(store: ChampionStore, **fields: Any) -> None:
    add_record(store.folder, {"kind": "retrain", **fields})


def test_failed_retraining_asks_for_another_until_the_next(
    store: ChampionStore, path: Path
) -> None:
    record(store, outcome="failed", error="SeriesError: no such file")
    write(path, "ok", "errors as promised")
    checked = check_task(store, path)
    assert checked.verdict == "retrain"
    assert checked.reasons == ("the last retraining failed: SeriesError: no such file",)
    record(store, outcome="kept")
    write(path, "ok", "errors as promised")
    assert check_task(store, path).verdict == "ok"
