"""What came after `as_of` is dropped, and nothing else."""

from collections.abc import Callable

import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.as_of import AsOfSpec, read_as_of
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec


def read(path: str, as_of: int | str | None) -> list[float]:
    return read_as_of(None, SourceSpec(path=path), AsOfSpec(as_of=as_of))[0]["y"].tolist()


@pytest.fixture
def days(write: Callable[..., str]) -> str:
    return write("ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n")


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (None, [1, 2, 3]),
        ("2024-01-02", [1, 2]),
        ("2024-01-02T23:00+02:00", [1, 2]),
        ("2030-01-01", [1, 2, 3]),
    ],
    ids=["no day", "a day counts", "another zone", "later than all"],
)
def test_rows_up_to_a_day_are_kept(days: str, as_of: str | None, expected: list[float]) -> None:
    assert read(days, as_of) == expected


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [("2024-01-02", 48), ("2024-01-02T00:00:00+00:00", 25), ("2024-01-02 06:30", 31)],
    ids=["a day, to its end", "midnight", "a time"],
)
def test_hours_up_to_a_day_or_a_moment_are_kept(
    write: Callable[..., str], as_of: str, expected: int
) -> None:
    hours = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=72, freq="h"), "y": range(72)})
    assert len(read(write(hours.to_csv(index=False)), as_of)) == expected


@pytest.mark.parametrize("as_of", [2, "2"])
def test_rows_up_to_a_step_are_kept(write: Callable[..., str], as_of: int | str) -> None:
    assert read(write("ds,y\n1,1\n2,2\n3,3\n"), as_of) == [1, 2]


def test_all_rows_are_those_of_the_source(days: str) -> None:
    source = SourceSpec(path=days)
    assert read_as_of(None, source, AsOfSpec())[0].equals(read_source(source))


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        ("2023-01-01", "first row is of 2024-01-01"),
        ("soon", "received 'soon'"),
        (7, "received 7"),
    ],
)
def test_wrong_day_is_refused(days: str, as_of: int | str, message: str) -> None:
    with pytest.raises(SeriesError, match=message):
        read(days, as_of)


def test_step_that_is_none_is_refused(write: Callable[..., str]) -> None:
    """Python reads 1_0 as 10."""
    with pytest.raises(SeriesError, match="received '1_0'"):
        read(write("ds,y\n1,1\n2,2\n"), "1_0")
