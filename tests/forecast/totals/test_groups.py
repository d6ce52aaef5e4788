"""Groups of series by columns of their table."""

import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.totals.groups import UNKNOWN, list_newest, select_groups

TABLE = pd.DataFrame({"unique_id": ["a", "a", "b", "c"], "region": ["N", "S", "N", None]})


def test_the_newest_value_of_a_series_is_its_group(caplog):
    groups = select_groups(TABLE, ["region"], ["a", "b"])
    assert groups["region"].to_dict() == {"a": "S", "b": "N"}
    assert "1 of 2 series have several values of 'region'; the newest one counts" in caplog.text


def test_a_series_without_a_value_is_in_a_group_of_its_own_and_named(caplog):
    assert select_groups(TABLE, ["region"], ["c"])["region"].to_dict() == {"c": UNKNOWN}
    assert "1 series without a value of 'region'" in caplog.text


def test_an_empty_text_is_no_value():
    table = pd.DataFrame({"unique_id": ["a"], "region": [""]})
    assert select_groups(table, ["region"], ["a"])["region"].to_dict() == {"a": UNKNOWN}


def test_a_column_that_the_table_lacks_is_named():
    with pytest.raises(SeriesError, match=r"the table has no column \['country'\]"):
        select_groups(TABLE, ["country"], ["a"])


def test_the_newest_values_of_a_frame_leave_out_times_and_numbers_with_fractions():
    frame = pd.DataFrame(
        {
            "shop": [1, 1, 2],
            "ds": pd.date_range("2024-01-01", periods=3),
            "y": [1, 2, 3],
            "region": ["N", None, "S"],
            "price": [0.5, 0.6, 0.7],
            "opened": pd.date_range("2020-01-01", periods=3),
        }
    )
    newest = list_newest(frame, SourceSpec(path="sales.csv", id="shop"))
    assert newest.to_dict("list") == {"unique_id": ["1", "2"], "region": ["N", "S"]}


def test_a_column_unique_id_beside_that_of_the_names_is_no_group():
    frame = pd.DataFrame({"shop": ["a", "b"], "unique_id": ["x", "y"], "ds": 0, "y": [1.0, 2.0]})
    newest = list_newest(frame, SourceSpec(path="sales.csv", id="shop"))
    assert newest.to_dict("list") == {"unique_id": ["a", "b"]}
