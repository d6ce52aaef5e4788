"""Forecasts are added, equal ones once, whoever else is adding, and none that was made is ever changed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from damages import flip_bit
from rnn_pipelines.forecast.datasets import FORMAT, ForecastLogDataset
from rnn_pipelines.forecast.methods.predictions import (
    ForecastLogTable,
    keep_first_record,
    keep_last_record,
)
from rnn_pipelines.storage.chain import verify_chain
from rnn_pipelines.storage.files import name_temporary
from rnn_pipelines.storage.formats import has_checksum

NUM_PROCESSES, NUM_SAVES = 6, 5


def make_rows(day: int = 1, version: str = "v1", y_hat: float = 1.0) -> pd.DataFrame:
    cutoff = pd.Timestamp("2024-01-01") + pd.Timedelta(days=day)
    return pd.DataFrame(
        {
            "unique_id": "a",
            "cutoff": cutoff,
            "ds": pd.date_range(cutoff, periods=3)[1:],
            "horizon_step": [1, 2],
            "y_hat": y_hat,
            "model_version": version,
            "recorded_at": pd.Timestamp("2024-02-01", tz="UTC"),
        }
    )


@pytest.fixture
def filepath(tmp_path: Path) -> str:
    return str(tmp_path / "deep" / "forecasts.parquet")


def test_forecasts_come_back_with_the_number_of_their_format(filepath: str) -> None:
    ForecastLogDataset(filepath=filepath).save(make_rows())
    pd.testing.assert_frame_equal(ForecastLogDataset(filepath=filepath).load(), make_rows())
    assert read_format(filepath) == FORMAT


LATER = pd.Timestamp("2024-02-02", tz="UTC")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (make_rows().assign(recorded_at=LATER), 2),
        (make_rows(y_hat=9.0).assign(recorded_at=LATER), 4),
        (make_rows(day=2), 4),
        (make_rows(version="v2"), 4),
    ],
    ids=["the same again", "revised", "another cut-off", "another version"],
)
def test_only_changed_forecasts_are_added(filepath: str, rows: pd.DataFrame, expected: int) -> None:
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())
    dataset.save(rows)
    assert len(dataset.load()) == expected
    pd.testing.assert_frame_equal(dataset.load().head(2), make_rows())


@pytest.fixture
def revised(filepath: str) -> ForecastLogDataset:
    """A log of four nights, whose forecast becomes missing on the second, and what it was on the last."""
    dataset = ForecastLogDataset(filepath=filepath)
    for day, y_hat in enumerate([1.0, np.nan, np.nan, 1.0]):
        dataset.save(make_rows(y_hat=y_hat).assign(recorded_at=LATER + pd.Timedelta(days=day)))
    return dataset


def test_revised_forecast_is_kept_beside_the_first_one(revised: ForecastLogDataset) -> None:
    """One that becomes what it was is recorded again, because it is the last one."""
    log = ForecastLogTable.validate(revised.load())
    assert log["y_hat"].fillna(-1).tolist() == [1, 1, -1, -1, 1, 1]


def test_first_record_is_that_of_the_first_night(revised: ForecastLogDataset) -> None:
    first = keep_first_record(revised.load())
    assert (first["recorded_at"] == LATER).all()
    assert first["ds"].tolist() == make_rows()["ds"].tolist()


def test_last_record_is_that_of_the_last_night(revised: ForecastLogDataset) -> None:
    last = keep_last_record(revised.load())
    assert (last["recorded_at"] == LATER + pd.Timedelta(days=3)).all()
    assert last["ds"].tolist() == make_rows()["ds"].tolist()


def test_records_have_the_order_in_which_they_are_saved(revised: ForecastLogDataset) -> None:
    """Not that of their times."""
    revised.save(make_rows())
    revised.save(make_rows(y_hat=9.0).assign(recorded_at=pd.Timestamp("2020-01-01", tz="UTC")))
    assert keep_last_record(revised.load())["y_hat"].tolist() == [9.0, 9.0]


def test_bounds_of_a_new_level_are_empty_for_older_rows(filepath: str) -> None:
    """Whatever levels a version has, or none."""
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())
    dataset.save(make_rows(day=2).assign(lo_80=0.5, hi_80=1.5))
    dataset.save(make_rows(day=3).assign(lo_95=0.0, hi_95=2.0))
    found = ForecastLogTable.validate(dataset.load())
    assert found["hi_80"].fillna(-1).tolist() == [-1, -1, 1.5, 1.5, -1, -1]
    assert found["hi_95"].fillna(-1).tolist() == [-1, -1, -1, -1, 2.0, 2.0]


def save_many(filepath: str, number: int) -> None:
    for day in range(NUM_SAVES):
        # Its own rows, and rows that all save.
        ForecastLogDataset(filepath=filepath).save(make_rows(day, f"v{number}"))
        ForecastLogDataset(filepath=filepath).save(make_rows(day, "shared"))


@pytest.mark.slow
def test_processes_that_save_at_once_leave_each_row_once(filepath: str) -> None:
    code = f"import runpy; runpy.run_path({__file__!r})['save_many']({filepath!r}, {{}})"
    commands = [[sys.executable, "-c", code.format(number)] for number in range(NUM_PROCESSES)]
    # This file imports modules that pytest adds to the path.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    running = [subprocess.Popen(command, env=environment) for command in commands]
    assert [process.wait() for process in running] == [0] * NUM_PROCESSES
    found = ForecastLogDataset(filepath=filepath).load()
    assert len(found) == len(found.drop_duplicates(["unique_id", "cutoff", "ds", "model_version"]))
    assert len(found) == 2 * NUM_SAVES * (NUM_PROCESSES + 1)


def test_write_that_breaks_off_leaves_the_old_forecasts(
    filepath: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())

    def fail(handle: int) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(DatasetError, match="No space left"):
            dataset.save(make_rows(day=2))
    assert len(dataset.load()) == 2
    dataset.save(make_rows(day=2))
    assert len(dataset.load()) == 4


def test_next_night_removes_the_rest_of_a_killed_one(filepath: str) -> None:
    """It would stay for ever, as large as the log; simulated with a kill at the eighth call of the forecasts."""
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())
    left = Path(filepath).with_name(name_temporary(Path(filepath).name))
    left.write_bytes(b"half")
    dataset.save(make_rows(day=2))
    assert not left.exists()


def test_missing_log_is_refused(filepath: str) -> None:
    dataset = ForecastLogDataset(filepath=filepath)
    with pytest.raises(DatasetError, match="Run kedro run --pipelines=predict_forecast first"):
        dataset.load()


def test_rows_of_another_kind_are_refused(filepath: str) -> None:
    """Numbered steps among days."""
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())
    with pytest.raises(DatasetError, match="Move the file away"):
        dataset.save(make_rows(day=2).assign(cutoff=1, ds=2))


def test_damaged_log_is_refused_without_a_change(filepath: str) -> None:
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())
    flip_bit(Path(filepath))
    damaged = Path(filepath).read_bytes()
    for use in (dataset.load, lambda: dataset.save(make_rows(day=2))):
        with pytest.raises(DatasetError, match=r"changed after it was written\. Restore a copy"):
            use()
    assert Path(filepath).read_bytes() == damaged


def test_log_without_a_checksum_gets_one(filepath: str) -> None:
    """Such as one that pandas has written again."""
    rows = make_rows()
    rows.attrs = {"format": FORMAT}
    Path(filepath).parent.mkdir()
    rows.to_parquet(filepath)
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows(day=2))
    assert len(dataset.load()) == 4
    assert has_checksum(Path(filepath).read_bytes())


def test_preview_shows_the_newest(filepath: str) -> None:
    dataset = ForecastLogDataset(filepath=filepath)
    for day in range(3):
        dataset.save(make_rows(day))
    preview = dataset.preview(nrows=2)
    assert preview["columns"][:2] == ["unique_id", "cutoff"]
    assert [row[1] for row in preview["data"]] == ["2024-01-03"] * 2


def read_format(filepath: str) -> int | None:
    return pd.read_parquet(filepath).attrs.get("format")


@pytest.mark.parametrize("facts", [{"format": FORMAT + 1}, {"format": FORMAT - 1}, {}])
def test_log_of_another_format_is_refused_without_a_change(
    filepath: str, facts: dict[str, int]
) -> None:
    rows = make_rows()
    rows.attrs = facts
    Path(filepath).parent.mkdir()
    rows.to_parquet(filepath)
    before = Path(filepath).read_bytes()
    dataset = ForecastLogDataset(filepath=filepath)
    for use in (dataset.load, lambda: dataset.save(make_rows(day=2))):
        with pytest.raises(DatasetError, match="format"):
            use()
    assert Path(filepath).read_bytes() == before


def mark(rows: pd.DataFrame, is_suspect: bool = False) -> pd.DataFrame:
    return rows.assign(
        is_suspect=is_suspect, suspect_reason="9,000 at 2024-01-02" if is_suspect else ""
    )


def test_log_of_before_the_marks_is_continued(filepath: str) -> None:
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())
    dataset.save(mark(make_rows(day=2), is_suspect=True))
    log = ForecastLogTable.validate(dataset.load())
    assert log["is_suspect"].tolist() == [False, False, True, True]
    assert log["suspect_reason"].tolist() == ["", "", *["9,000 at 2024-01-02"] * 2]


def test_chain_of_a_log_with_marks_is_unchanged(filepath: str) -> None:
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())
    dataset.save(mark(make_rows(day=2), is_suspect=True))
    dataset.save(mark(make_rows(day=3)))
    links = list(verify_chain(dataset.iterate_nights(), ForecastLogTable.key))
    assert [link.is_linked for link in links] == [True] * 3


def test_equal_forecast_of_before_the_marks_is_not_added(filepath: str) -> None:
    dataset = ForecastLogDataset(filepath=filepath)
    dataset.save(make_rows())
    dataset.save(mark(make_rows()))
    assert len(dataset.load()) == 2
