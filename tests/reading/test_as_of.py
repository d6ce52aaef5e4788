"""A day counts to its end, and what has a time is a moment."""

import pandas as pd
import pytest

from rnn_pipelines.reading.as_of import parse_as_of, parse_step


def test_a_day_counts_to_its_end() -> None:
    last = parse_as_of("2024-01-02")
    assert pd.Timestamp("2024-01-02 23:59:59") < last < pd.Timestamp("2024-01-03")


def test_numbers_are_steps() -> None:
    assert [parse_step(step) for step in (3, "3", " -12 ", "+7", "0")] == [3, 3, -12, 7, 0]


@pytest.mark.parametrize("time", ["00:00", "00:00:00+00:00", "02:00+02:00", "00:00Z"])
@pytest.mark.parametrize("between", ["T", " "])
def test_midnight_is_a_moment(time: str, between: str) -> None:
    """As Airflow's logical dates are, and in UTC from whatever zone."""
    assert parse_as_of(f"2024-01-02{between}{time}") == pd.Timestamp("2024-01-02")


@pytest.mark.parametrize("text", ["soon", "", "2024-01", "03/04/2024", "2024-13-01"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month"):
        parse_as_of(text)


@pytest.mark.parametrize("text", ["2023-W20", "2023W20", "2023-W20-1T10:00"])
def test_week_is_no_day(text: str) -> None:
    """Python reads one as its Monday, and whoever names it means its end."""
    with pytest.raises(ValueError, match="a week is no day"):
        parse_as_of(text)


@pytest.mark.parametrize("text", ["1_0", "inf", "1.0", "\u0661", "", "9" * 19])
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        parse_step(text)
