"""A day counts to its end, and what has a time is a moment."""

import pandas as pd
import pytest

from rnn_pipelines.as_of import parse_as_of


def test_day_counts_to_its_end() -> None:
    last = parse_as_of("2024-01-02")
    assert pd.Timestamp("2024-01-02 23:59:59") < last < pd.Timestamp("2024-01-03")


@pytest.mark.parametrize("time", ["00:00", "00:00:00+00:00", "02:00+02:00", "00:00Z"])
@pytest.mark.parametrize("between", ["T", " "])
def test_midnight_is_a_moment(time: str, between: str) -> None:
    """As Airflow's logical dates are, and in UTC from whatever zone."""
    assert parse_as_of(f"2024-01-02{between}{time}") == pd.Timestamp("2024-01-02")


@pytest.mark.parametrize("text", ["soon", "", "2024-01", "03/04/2024", "2024-13-01"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month"):
        parse_as_of(text)
