"""A file that another version of the project wrote is refused with its format, and stays as it is."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.champion.history import list_records
from rnn_pipelines.champion.outcome import promote_version, roll_back, save_outcome
from rnn_pipelines.champion.store import RECORD, ChampionStore
from rnn_pipelines.champion.verdict import check_task
from rnn_pipelines.errors import FormatError
from rnn_pipelines.storage.formats import FORMAT, read_object
from rnn_pipelines.versions.checksums import CHECKSUMS

pytestmark = pytest.mark.usefixtures("no_wait_for_the_disk")

SINCE = "2026-01-31T02:00:00+00:00"


def save(store: ChampionStore, loss: float) -> str:
    record: Any = {
        "kind": "retrain",
        "is_promoted": True,
        "reasons": ["why"],
        "metrics": {"challenger": {"loss": loss}},
    }
    return save_outcome(store, {"model": str(loss).encode()}, record, SINCE)


def change(path: Path, **fields: object) -> None:
    """Rewrite a file with other fields."""
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def find_checksums(store: ChampionStore, version: str) -> Path:
    return store.folder / "versions" / version / CHECKSUMS


@pytest.fixture
def versions(store: ChampionStore) -> list[str]:
    """The champion before, and the champion."""
    return [save(store, 2.0), save(store, 1.0)]


def test_all_that_is_written_has_the_format(store: ChampionStore, versions: list[str]) -> None:
    folder = store.folder / "versions" / versions[1]
    history = store.folder / "history" / f"{versions[1]}.json"
    for path in (store.folder / "champion.json", folder / CHECKSUMS, folder / RECORD, history):
        assert json.loads(path.read_text())["format"] == FORMAT


@pytest.mark.parametrize(("number", "remedy"), [(99, "Update"), (0, "Use the version")])
def test_other_format_is_refused_with_a_remedy(number: int, remedy: str) -> None:
    with pytest.raises(FormatError, match=rf"^my\.json: .* {number}\b.* {FORMAT}\. {remedy}"):
        read_object(json.dumps({"format": number}), "my.json")


@pytest.mark.parametrize("content", ["{}", '{"format": "1"}', '{"format": null}', '{"format": []}'])
def test_format_that_is_no_number_is_damage(content: str) -> None:
    with pytest.raises(ValueError, match="format"):
        read_object(content, "my.json")


def test_a_newer_version_falls_back_with_an_alarm(
    store: ChampionStore, versions: list[str]
) -> None:
    change(find_checksums(store, versions[1]), format=99)
    loaded = store.load()
    assert loaded.version == versions[0]
    assert [alarm.split()[0] for alarm in loaded.alarms] == [f"{versions[1]}:", versions[0]]
    assert "format 99" in loaded.alarms[0]


def test_a_newer_version_is_not_promoted(store: ChampionStore, versions: list[str]) -> None:
    change(find_checksums(store, versions[0]), format=99)
    with pytest.raises(FormatError, match=versions[0]):
        promote_version(store, "forecast", versions[0], "I know better")


def test_history_replaces_a_newer_pointer(store: ChampionStore, versions: list[str]) -> None:
    change(store.folder / "champion.json", format=99, more="news")
    loaded = store.load()
    assert loaded.version == versions[1]
    assert loaded.alarms[0].startswith(f"{store.folder / 'champion.json'}: it has format 99")


@pytest.mark.usefixtures("versions")
def test_a_newer_pointer_is_an_alarm(store: ChampionStore) -> None:
    change(store.folder / "champion.json", format=99, more="news")
    assert check_task(store, store.folder / "none").verdict == "alarm"


CHANGES: dict[str, Callable[[ChampionStore, str], object]] = {
    "retrain": lambda store, _: save(store, 0.5),
    "promote": lambda store, version: promote_version(store, "forecast", version, "I know better"),
    "rollback": lambda store, _: roll_back(store, "forecast", "wrong"),
    "prune": lambda store, _: store.prune(0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_newer_pointer_is_never_overwritten(
    store: ChampionStore, versions: list[str], name: str
) -> None:
    pointer = store.folder / "champion.json"
    change(pointer, format=99)
    before = pointer.read_bytes()
    with pytest.raises(FormatError):
        CHANGES[name](store, versions[0])
    assert pointer.read_bytes() == before
    assert set(store.list_versions()) >= set(versions)


def test_newer_record_is_left_out(
    store: ChampionStore, versions: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = store.folder / "history" / f"{versions[0]}.json"
    change(path, format=99)
    with caplog.at_level(logging.ERROR):
        assert [record["version"] for record in list_records(store.folder)] == [versions[1]]
    (message,) = caplog.messages
    assert str(path) in message
    assert "format 99" in message
