"""A record of odd but well-formed JSON is damage that is told with its key, and no error of whoever reads it later."""

import json
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.errors import RunError
from rnn_pipelines.runs.run_store import RECORD, RunRecord, read_record, write_record
from rnn_pipelines.versions.files import measure_files

WHOLE: RunRecord = {
    "run": "RUN",
    "pipeline": "forecast",
    "env": None,
    "began": "2026-01-01T00:00:00+00:00",
    "ended": "2026-01-01T00:01:00+00:00",
    "continues": None,
    "reads": {"sentiment": "2026"},
    "data": {"forecast_table": {"fingerprint": "a", "num_rows": 1000}},
    "parameters": {"forecast": {"window": None}},
    "code": "c",
    "commit": None,
    "versions": {"numpy": "2"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a run with one file."""
    folder = tmp_path / "RUN"
    folder.mkdir()
    (folder / "metrics.json").write_text("{}")
    write_record(folder, {**WHOLE, "files": measure_files(folder, ["metrics.json"])})
    return folder


def change(folder: Path, **fields: Any) -> None:
    path = folder / RECORD
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_record_comes_back_with_the_files(folder: Path) -> None:
    found = read_record(folder)
    assert {**found, "files": None} == {"format": 1, **WHOLE, "files": None}
    assert found["files"]["metrics.json"]["num_bytes"] == 2


def test_what_another_version_adds_is_kept(folder: Path) -> None:
    change(folder, host="a", data={"t": {"fingerprint": "a", "num_rows": 1, "num_series": 2}})
    assert read_record(folder)["data"]["t"] == {"fingerprint": "a", "num_rows": 1, "num_series": 2}


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        *(({"parameters": odd}, "parameters") for odd in ([], "x", None, 5)),
        *(({"versions": odd}, "versions") for odd in ([], "x", None, {"numpy": 2})),
        *(({"data": odd}, "data") for odd in ([], {"t": 5}, {"t": {}}, {"t": {"fingerprint": 1, "num_rows": 1}})),
        *(({"data": {"t": {"fingerprint": "a", "num_rows": odd}}}, "data") for odd in (True, "1", None)),
        *(({"files": odd}, "files") for odd in ([], None, {"a": 1}, {"a": {}})),
        *(({"files": {"a": {"sha256": "x", "num_bytes": odd}}}, "files") for odd in ("1", None)),
        *(({"writes": odd}, "writes") for odd in ("x", None, [1])),
        *(({"reads": odd}, "reads") for odd in (3, [], {"forecast": None})),
        *(({key: odd}, key) for key in ("began", "ended", "code") for odd in (5, None, {})),
        *(({key: odd}, key) for key in ("commit", "continues", "env") for odd in (5, {}, [])),
        ({"run": "another"}, "in whose folder it lies"),
    ],
    ids=str,
)  # fmt: skip
def test_odd_values_are_damage_that_is_told_with_its_key(folder: Path, fields: dict[str, Any], key: str) -> None:
    change(folder, **fields)
    with pytest.raises(RunError, match=rf"^{folder}/run\.json: it is damaged \(.*{key}.*\)\. Copy it back"):
        read_record(folder)
