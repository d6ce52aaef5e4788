"""Every record stays as it was written, and one that is damaged hides no other."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rnn_pipelines.champion.history import add_record, list_records, make_name
from rnn_pipelines.storage import names as storage_names
from rnn_pipelines.storage.files import list_folder
from rnn_pipelines.storage.names import is_name


def test_a_record_comes_back_with_its_name(tmp_path: Path) -> None:
    name = add_record(tmp_path, {"is_promoted": False, "reasons": ["worse"]})
    assert list_records(tmp_path) == [
        {"format": 1, "record": name, "is_promoted": False, "reasons": ["worse"]}
    ]


def test_a_record_is_not_changed_in_place(tmp_path: Path) -> None:
    record = {"number": 1}
    add_record(tmp_path, record)
    assert record == {"number": 1}


def test_folder_of_the_task_is_made_with_the_first_record(tmp_path: Path) -> None:
    assert list_records(tmp_path / "none") == []
    add_record(tmp_path / "deep" / "forecast", {})
    assert len(list_records(tmp_path / "deep" / "forecast")) == 1


def test_another_record_leaves_the_first_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "history" / f"{add_record(tmp_path, {'number': 1})}.json"
    content = path.read_bytes()
    written = path.stat().st_mtime_ns
    add_record(tmp_path, {"number": 2})
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, written)


@pytest.mark.parametrize("content", [b"", b'{"record": ', b"\xff", b"null", b"[]", b'"text"'])
def test_damaged_record_is_left_out(tmp_path: Path, content: bytes) -> None:
    add_record(tmp_path, {"number": 1})
    (tmp_path / "history" / "2000.json").write_bytes(content)
    assert [record["number"] for record in list_records(tmp_path)] == [1]


@pytest.mark.parametrize("content", [b"", b"[]"])
def test_damaged_record_is_a_logged_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    add_record(tmp_path, {})
    path = tmp_path / "history" / "2000.json"
    path.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        list_records(tmp_path)
    assert [
        record.getMessage().startswith(f"{path}: left out of the history")
        for record in caplog.records
    ] == [True]


def test_a_folder_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "history" / "2000.json").mkdir(parents=True)
    assert list_records(tmp_path) == []


def test_an_unfinished_record_is_none(tmp_path: Path) -> None:
    add_record(tmp_path, {"number": 1})
    (tmp_path / "history" / ".2000.json.abc.part").write_text('{"format": 1, "number": 0}')
    assert [record["number"] for record in list_records(tmp_path)] == [1]


def test_record_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TypeError):
        add_record(tmp_path, {"model": object()})
    assert list((tmp_path / "history").iterdir()) == []

    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError):  # noqa: PT011
        add_record(tmp_path, {})
    assert list((tmp_path / "history").iterdir()) == []


def test_record_can_be_read_by_a_person(tmp_path: Path) -> None:
    name = add_record(tmp_path, {"number": 1})
    written = (tmp_path / "history" / f"{name}.json").read_text()
    checksum = json.loads(written)["content_sha256"]
    assert written == json.dumps(
        {"format": 1, "record": name, "number": 1, "content_sha256": checksum}, indent=2
    )


class Clock:
    """In the place of `datetime`: it says what it is set to."""

    max = datetime.max
    fromisoformat = datetime.fromisoformat

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self, _: object) -> datetime:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(datetime(2026, 1, 31, 2, 0, 0, 5, tzinfo=UTC))
    monkeypatch.setattr(storage_names, "datetime", clock)
    return clock


def test_name_is_the_time_unless_a_version_is_later(tmp_path: Path, clock: Clock) -> None:
    assert make_name(tmp_path)[:28] == "2026-01-31T02.00.00.000005Z-"
    assert len({make_name(tmp_path / str(number)) for number in range(100)}) == 100
    ahead = "2031-01-31T02.00.00.000005Z-abcdef"
    (tmp_path / "versions" / ahead).mkdir(parents=True)
    assert make_name(tmp_path)[:28] == "2031-01-31T02.00.00.000006Z-"


def test_records_of_one_moment_stay_in_their_order(tmp_path: Path, clock: Clock) -> None:
    for number in range(20):
        add_record(tmp_path, {"number": number})
    assert [record["number"] for record in list_records(tmp_path)] == list(range(20))


def test_clock_that_was_ahead_leaves_later_records_later(tmp_path: Path, clock: Clock) -> None:
    for number, year in enumerate((2026, 2031, 2026, 1970, 2030)):
        clock.moment = clock.moment.replace(year=year)
        add_record(tmp_path, {"number": number})
    assert [record["number"] for record in list_records(tmp_path)] == [0, 1, 2, 3, 4]


def test_names_that_are_made_are_known_as_such(tmp_path: Path) -> None:
    assert is_name(make_name(tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "2031-01-31 my notes",
        "2031-01-31T02.00.00.005Z",
        "2031-01-31T02.00.00.000005Z-ffffff copy",
        "2031-01-31T02.00.00.000005Z-ffffff\n",
        "2031-01-31T02.00.00.000005Z-gggggg",
        ".2031-01-31T02.00.00.000005Z-ffffff.part",
        "２０３１-01-31T02.00.00.000005Z-ffffff",
    ],
)
def test_names_that_people_give_are_none(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "zzz",
        "2000",
        "9999-12-31T23.59.59.999999Z-ffffff",
        "2031-13-31T02.00.00.000005Z-ffffff",
        "2031-01-31T02.00.00.000005Z-ffffff copy",
        "２０３１-01-31T02.00.00.000005Z-ffffff",
    ],
)
def test_name_of_another_kind_is_never_the_newest(tmp_path: Path, clock: Clock, name: str) -> None:
    """Neither in the order of records nor for the name that comes next."""
    add_record(tmp_path, {"number": 1})
    (tmp_path / "history" / f"{name}.json").write_text('{"format": 1, "number": 0}')
    assert [record["number"] for record in list_records(tmp_path)] == [0, 1]
    assert make_name(tmp_path) < "2027"


def test_what_a_record_says_of_its_own_name_does_not_count(tmp_path: Path) -> None:
    name = add_record(tmp_path, {"number": 1, "record": "../../elsewhere"})
    assert [path.name for path in (tmp_path / "history").iterdir()] == [f"{name}.json"]
    (tmp_path / "history" / f"{name}.json").write_text('{"format": 1, "record": "../../elsewhere"}')
    assert [record["record"] for record in list_records(tmp_path)] == [name]


ODD = [
    *(
        {"version": version}
        for version in ("../elsewhere", "/elsewhere", "", "..", ".part", "a\0", 5, True, [], {})
    ),
    *({"kind": kind} for kind in ("other", 1, [], {})),
    *({"reasons": reasons} for reasons in (True, "why", 1, {}, [1], [None], [["why"]])),
    *(
        {"metrics": metrics}
        for metrics in (True, "why", 1, [], {"challenger": 1}, {"baselines": [1]})
    ),
    *({"metrics": {"challenger": {"loss": loss}}} for loss in ("1", True, [], {})),
    {"metrics": {"challenger": {"by_step": 1}}},
    *({"is_promoted": value} for value in ("yes", 1, [], {})),
    *({"unreadable": value} for value in ("yes", 1, [], {"a": 1})),
    *({"readable": value} for value in ("yes", 1, {}, [1])),
    *({"loader": value} for value in ("yes", 1, [])),
    *(
        {name: 1}
        for name in (
            "fingerprints",
            "data",
            "parameters",
            "versions",
            "seconds",
            "training",
            "notes",
            "at",
        )
    ),
    {"seconds": {"total": "long"}},
    {"error": []},
    *({name: None} for name in ("reasons", "seeds", "seconds", "data", "unreadable", "kind")),
    {"reasons": ["\ud800"]},
]


@pytest.mark.parametrize("fields", ODD, ids=str)
def test_odd_record_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fields: dict[str, object]
) -> None:
    """It is well-formed, and whoever used a value later would fail."""
    path = tmp_path / "history" / f"{add_record(tmp_path, {})}.json"
    path.write_text(json.dumps({"format": 1, **fields}))
    assert list_records(tmp_path) == []
    assert caplog.messages[0].startswith(
        f"{path}: left out of the history, because it is damaged ("
    )


@pytest.mark.parametrize(
    "fields", [{"version": None}, {"metrics": {"champion": None}}, {"more": [1]}]
)
def test_record_of_known_nulls_or_of_more_is_read(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    name = add_record(tmp_path, {})
    (tmp_path / "history" / f"{name}.json").write_text(json.dumps({"format": 1, **fields}))
    assert list_records(tmp_path) == [{"format": 1, **fields, "record": name}]


def write_nested(path: Path, depth: int) -> None:
    path.write_text('{"format": 1, "data": {"a": ' + "[" * depth + "]" * depth + "}}")


def test_record_that_is_nested_too_deeply_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history" / f"{add_record(tmp_path, {})}.json"
    write_nested(path, 100_000)
    assert list_records(tmp_path) == []


@pytest.mark.parametrize("depth", [500, 900, 950, 990])
def test_record_that_is_nested_deeply_is_read_or_left_out(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "history" / f"{add_record(tmp_path, {})}.json"
    write_nested(path, depth)
    assert len(list_records(tmp_path)) <= 1


@pytest.mark.parametrize("place", ["history", "versions"])
@pytest.mark.parametrize("wrong", ["file", "link to itself"])
def test_folder_that_cannot_be_read_is_an_error_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, place: str, wrong: str
) -> None:
    folder = tmp_path / place
    folder.symlink_to(folder) if wrong == "link to itself" else folder.touch()
    assert list_folder(folder) == []
    assert caplog.messages[0].startswith(f"{folder}: it can't be read (")
