"""A log that was deleted, shortened or exchanged lacks the nights of the stamp in the champion's folder."""

import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.log_stamp import find_loss, stamp_log

NIGHTS = pd.date_range("2024-03-01", periods=4, tz="UTC")


def make_log(nights: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.DataFrame({"recorded_at": nights.repeat(3)})


def test_longer_log_has_lost_nothing() -> None:
    stamp = stamp_log(make_log(NIGHTS[:3]), None)
    assert find_loss(make_log(NIGHTS)["recorded_at"], stamp) is None


def test_stamp_follows_the_log() -> None:
    stamp = stamp_log(make_log(NIGHTS), stamp_log(make_log(NIGHTS[:3]), None))
    assert (stamp["num_nights"], stamp["num_rows"], stamp["is_alarm"]) == (4, 12, False)


@pytest.mark.parametrize(
    "log",
    [
        make_log(NIGHTS[:0]),
        make_log(NIGHTS[3:]),
        make_log(NIGHTS[:2]),
        make_log(NIGHTS)[1:],
        make_log(NIGHTS[[0, 1, 3]]),
    ],
    ids=["deleted", "another one", "the last nights are gone", "a row is gone", "the last night of the stamp is gone"],
)
def test_lost_rows_ring(log: pd.DataFrame) -> None:
    stamp = stamp_log(make_log(NIGHTS[:3]), None)
    assert find_loss(log["recorded_at"], stamp) is not None


def test_stamp_stays_after_a_loss() -> None:
    stamp = stamp_log(make_log(NIGHTS[:3]), None)
    after = stamp_log(make_log(NIGHTS[3:]), stamp)
    assert (after["is_alarm"], after["num_nights"]) == (True, 3)


def test_restored_log_ends_the_alarm() -> None:
    lost = stamp_log(make_log(NIGHTS[3:]), stamp_log(make_log(NIGHTS[:3]), None))
    assert not stamp_log(make_log(NIGHTS), lost)["is_alarm"]
