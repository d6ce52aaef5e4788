"""Times in several columns."""

import pandas as pd
import pytest

from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.time_parts import join_times


@pytest.mark.parametrize(
    ("columns", "times"),
    [
        ({"Year": [2023, 2024], "Month": [12, 1]}, ["2023-12-01", "2024-01-01"]),
        ({"Month": ["11", "3"], "Year": ["2023", "2024"]}, ["2023-11-01", "2024-03-01"]),
        ({"Jahr": [2023.0, 2024.0], "Monat": ["Oktober", "Mai"]}, ["2023-10-01", "2024-05-01"]),
        ({"Year": [2023, 2024], "Quarter": [4, 1]}, ["2023-10-01", "2024-01-01"]),
        ({"Year": [2023, 2024], "KW": [5, 10]}, ["2023-01-30", "2024-03-04"]),
        ({"Y": [2023, 2024], "M": [2, 11], "D": [3, 30]}, ["2023-02-03", "2024-11-30"]),
        (
            {"Date": ["31.12.2023", "01.01.2024"], "Time": ["23:00", "00:30"]},
            ["2023-12-31 23:00", "2024-01-01 00:30"],
        ),
        (
            {"Date": pd.to_datetime(["2023-12-31", "2024-01-01"]), "h": [23, 0]},
            ["2023-12-31 23:00", "2024-01-01"],
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_times_are_in_several_columns(columns: dict, times: list[str]) -> None:
    table = pd.DataFrame({**columns, "y": [1, 2]})
    before = table.copy()
    found = read_source(SourceSpec(name="catalog", time="+".join(columns)), table)
    assert found["ds"].tolist() == [pd.Timestamp(time) for time in times]
    pd.testing.assert_frame_equal(table, before)


def test_column_with_the_sign_is_one_column() -> None:
    table = pd.DataFrame({"a+b": ["2023-01-01"], "a": ["2020"], "b": ["1"], "y": [1]})
    assert read_source(SourceSpec(name="catalog", time="a+b"), table)["ds"].tolist() == [
        pd.Timestamp("2023-01-01")
    ]


def test_other_columns_stay() -> None:
    joined = join_times(pd.DataFrame({"Year": [2023], "Month": [1], "y": [5]}), ["Year", "Month"])
    assert joined.to_dict("list") == {"y": [5], "Year+Month": ["2023-01"]}
