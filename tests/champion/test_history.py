"""Every record stays as it was written, and one that is damaged hides no other."""

import json
import logging
from pathlib import Path

import pytest

from rnn_pipelines.champion import files
from rnn_pipelines.champion.history import add_record, list_records, make_name


def test_record_comes_back_with_its_name(tmp_path: Path) -> None:
    name = add_record(tmp_path, {"is_promoted": False, "reasons": ["worse"]})
    assert list_records(tmp_path) == [{"format": 1, "record": name, "is_promoted": False, "reasons": ["worse"]}]


def test_records_are_listed_the_oldest_first(tmp_path: Path) -> None:
    for number in range(5):
        add_record(tmp_path, {"number": number})
    assert [record["number"] for record in list_records(tmp_path)] == [0, 1, 2, 3, 4]


def test_history_is_empty_before_the_first_record(tmp_path: Path) -> None:
    assert list_records(tmp_path / "none") == []


def test_folder_of_the_task_is_made(tmp_path: Path) -> None:
    add_record(tmp_path / "deep" / "forecast", {})
    assert len(list_records(tmp_path / "deep" / "forecast")) == 1


def test_another_record_leaves_the_first_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "history" / f"{add_record(tmp_path, {'number': 1})}.json"
    content, written = path.read_bytes(), path.stat().st_mtime_ns
    add_record(tmp_path, {"number": 2})
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, written)


def test_record_is_not_changed_in_place(tmp_path: Path) -> None:
    record = {"number": 1}
    add_record(tmp_path, record)
    assert record == {"number": 1}


@pytest.mark.parametrize("content", [b"", b'{"record": ', b"\xff", b"null", b"[]", b'"text"'])
def test_damaged_record_is_left_out(tmp_path: Path, content: bytes) -> None:
    add_record(tmp_path, {"number": 1})
    (tmp_path / "history" / "2000.json").write_bytes(content)
    assert [record["number"] for record in list_records(tmp_path)] == [1]


@pytest.mark.parametrize("content", [b"", b"[]"])
def test_damaged_record_is_an_error_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    add_record(tmp_path, {})
    path = tmp_path / "history" / "2000.json"
    path.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        list_records(tmp_path)
    assert [record.getMessage().startswith(f"{path}: left out of the history") for record in caplog.records] == [True]


def test_folder_with_the_name_of_a_record_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "history" / "2000.json").mkdir(parents=True)
    assert list_records(tmp_path) == []


def test_unfinished_record_of_a_killed_process_is_no_record(tmp_path: Path) -> None:
    add_record(tmp_path, {"number": 1})
    (tmp_path / "history" / ".2000.json.abc.part").write_text('{"number": 0}')
    assert [record["number"] for record in list_records(tmp_path)] == [1]


def test_record_that_could_not_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError):  # noqa: PT011
        add_record(tmp_path, {})
    assert list((tmp_path / "history").iterdir()) == []


def test_record_of_other_than_plain_values_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        add_record(tmp_path, {"model": object()})
    assert list((tmp_path / "history").iterdir()) == []


def test_record_can_be_read_by_a_person(tmp_path: Path) -> None:
    name = add_record(tmp_path, {"number": 1})
    written = (tmp_path / "history" / f"{name}.json").read_text()
    assert written == json.dumps({"format": 1, "record": name, "number": 1}, indent=2)


def test_names_sort_by_time() -> None:
    names = [make_name() for _ in range(100)]
    assert [name[:27] for name in sorted(names)] == [name[:27] for name in names]


def test_names_of_one_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn_pipelines.champion import history

    moment = history.datetime(2026, 1, 31, 2, 0, 0, 5, tzinfo=history.UTC)

    class Clock:
        @staticmethod
        def now(_: object) -> object:
            return moment

    monkeypatch.setattr(history, "datetime", Clock)
    names = {make_name() for _ in range(100)}
    assert {name[:28] for name in names} == {"2026-01-31T02.00.00.000005Z-"}
    assert len(names) == 100
