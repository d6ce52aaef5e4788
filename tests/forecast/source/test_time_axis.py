"""Times beside regular steps."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.source.time_axis import round_times

HOURS = pd.date_range("2024-01-01", periods=100, freq="h")
DAYS = pd.date_range("2024-01-01", periods=100)
NUMBERS = np.random.default_rng(0).integers(0, 600, 100)


def make_table(times: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": times, "y": 1.0}) for name in "ab"],
        ignore_index=True,
    )


@pytest.mark.parametrize(
    ("times", "rounded"),
    [
        (HOURS + pd.to_timedelta(NUMBERS % 59 - 29, unit="s"), HOURS),
        (HOURS + pd.to_timedelta(NUMBERS % 40 - 20, unit="min"), HOURS),
        (DAYS + pd.to_timedelta(NUMBERS + 800, unit="min"), DAYS),
        (
            HOURS[NUMBERS % 10 > 0] + pd.Timedelta(minutes=7),
            HOURS[NUMBERS % 10 > 0] + pd.Timedelta(minutes=7),
        ),
    ],
    ids=["seconds", "minutes", "evenings", "regular"],
)
def test_times_are_round(
    times: pd.DatetimeIndex, rounded: pd.DatetimeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    table = make_table(times)[::-1]
    assert (
        round_times(table, "table", None)["ds"].tolist() == make_table(rounded)["ds"].tolist()[::-1]
    )
    assert len(caplog.records) == (list(times) != list(rounded))


@pytest.mark.parametrize(
    ("times", "freq"),
    [
        (HOURS + pd.to_timedelta(NUMBERS % 59, unit="s"), "h"),
        (pd.DatetimeIndex(HOURS[0] + pd.to_timedelta(np.cumsum(NUMBERS + 1), unit="min")), None),
        (HOURS[:2], None),
    ],
    ids=["given", "irregular", "few"],
)
def test_other_times_stay(times: pd.DatetimeIndex, freq: str | None) -> None:
    table = make_table(times)
    assert round_times(table, "table", freq) is table
