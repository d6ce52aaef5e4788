"""Times are read in the one form that fits all of them; where two do, the user says which."""

import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.times import parse_times


def read(cells: list[str]) -> tuple[list[pd.Timestamp], dict[str, str]]:
    times, found = parse_times(pd.Series(cells, name="ds"), "my.csv", None)
    return times.tolist(), found


def fail(cells: list[str]) -> str:
    with pytest.raises(SeriesError) as caught:
        read(cells)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cells", "last", "form"),
    [
        (["05.01.2024", "13.01.2024"], "2024-01-13", "%d.%m.%Y"),
        (["01/05/2024", "01/13/2024"], "2024-01-13", "%m/%d/%Y"),
        (["13/01/2024 14:00", "31/01/2024 15:30"], "2024-01-31 15:30", "%d/%m/%Y %H:%M"),
        (["1/31/2024 2:00 PM"], "2024-01-31 14:00", "%m/%d/%Y %I:%M %p"),
        (["01.2024", "02.2024"], "2024-02-01", "%m.%Y"),
    ],
)
def test_form_is_found_from_all_times(cells: list[str], last: str, form: str) -> None:
    times, found = read(cells)
    assert (times[-1], found) == (pd.Timestamp(last), {"time_format": form})


def test_days_are_never_guessed_to_be_months() -> None:
    """The first of twelve months, read month first, would be twelve days."""
    assert fail(["01.01.2024", "01.02.2024"]) == (
        "my.csv: column 'ds': all 2 times, as '01.01.2024', can be read in 2 ways. Give "
        "forecast.source.time_format='%d.%m.%Y' or forecast.source.time_format='%m.%d.%Y' (quotes included)."
    )


def test_two_digits_may_be_a_day_or_a_year() -> None:
    assert "in 2 ways. Give forecast.source.time_format='%d.%m.%y' or" in fail(["13.01.24", "31.01.24"])


def test_iso_8601_needs_no_form() -> None:
    assert read(["2024-01-05", "2024-01-06 12:00"])[1] == {}


def test_column_without_a_time_is_told_as_that() -> None:
    assert "column 'ds': none of its 2 cells is a time of the form" in fail(["spring", "summer"])


def test_a_time_of_another_form_than_all_others_is_named() -> None:
    assert "row 2: '13.01.2024' is no time" in fail(["2024-01-05", "13.01.2024"])
