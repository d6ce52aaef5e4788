"""A log that was deleted, shortened or exchanged lacks the nights of the stamp in the champion's folder."""

from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.champion.verdict import read_log_stamp
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.forecast.evaluation.log_stamp import find_loss, measure_log, stamp_log
from rnn_pipelines.storage.files import name_temporary

NIGHTS = pd.date_range("2024-03-01", periods=4, tz="UTC")


def make_log(nights: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.DataFrame({"recorded_at": nights.repeat(3)})


STAMP = measure_log(make_log(NIGHTS[:3]))


def test_longer_log_has_lost_nothing() -> None:
    assert find_loss(make_log(NIGHTS)["recorded_at"], STAMP) is None


def test_stamp_follows_the_log(tmp_path: Path) -> None:
    for num_nights in (3, 4):
        assert not stamp_log(make_log(NIGHTS[:num_nights]), tmp_path)["is_alarm"]
    stamp = read_log_stamp(tmp_path)
    assert stamp is not None
    assert (stamp["num_nights"], stamp["num_rows"]) == (4, 12)


def test_next_stamp_removes_the_rest_of_a_killed_one(tmp_path: Path) -> None:
    left = tmp_path / name_temporary("log.json")
    left.write_bytes(b"half")
    stamp_log(make_log(NIGHTS), tmp_path)
    assert not left.exists()


@pytest.mark.parametrize(
    "log",
    [
        make_log(NIGHTS[:0]),
        make_log(NIGHTS[3:]),
        make_log(NIGHTS[:2]),
        make_log(NIGHTS)[1:],
        make_log(NIGHTS[[0, 1, 3]]),
    ],
    ids=[
        "deleted",
        "another one",
        "the last nights are gone",
        "a row is gone",
        "the last night of the stamp is gone",
    ],
)
def test_lost_rows_ring(log: pd.DataFrame) -> None:
    assert find_loss(log["recorded_at"], STAMP) is not None


def test_stamp_stays_after_a_loss(tmp_path: Path) -> None:
    stamp_log(make_log(NIGHTS[:3]), tmp_path)
    assert stamp_log(make_log(NIGHTS[3:]), tmp_path)["is_alarm"]
    assert read_log_stamp(tmp_path) == STAMP


def test_restored_log_ends_the_alarm(tmp_path: Path) -> None:
    for nights in (NIGHTS[:3], NIGHTS[3:]):
        stamp_log(make_log(nights), tmp_path)
    assert not stamp_log(make_log(NIGHTS), tmp_path)["is_alarm"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 1}', '{"format": 1, "num_nights": "x", "num_rows": 1}']
)
def test_damaged_stamp_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "log.json").write_text(content)
    with pytest.raises(ChampionError):
        read_log_stamp(tmp_path)
