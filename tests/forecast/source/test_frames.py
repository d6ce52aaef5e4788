"""Tables of any library and of any index are read as a DataFrame with `ds, y` is."""

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.frames import convert_frame, find_id_type, restore_ids
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

SOURCE = SourceSpec(name="catalog")
MONTHS = pd.date_range("2010-01-01", periods=60, freq="MS")
VALUES = np.sin(np.arange(60.0))
FRAME = pd.DataFrame({"ds": MONTHS, "y": VALUES})
TABLES = {
    "index": FRAME.set_index("ds"),
    "nameless index": FRAME.set_index(pd.DatetimeIndex(MONTHS.to_numpy()))[["y"]],
    "period index": FRAME[["y"]].set_index(MONTHS.to_period("M")),
    "periods": FRAME.assign(ds=MONTHS.to_period("M")),
    "series": pd.Series(VALUES, index=MONTHS),
    "series of periods": pd.Series(VALUES, index=MONTHS.to_period("M")),
    "arrow": pyarrow.Table.from_pandas(FRAME),
    "narwhals": nw.from_native(FRAME),
}


@pytest.mark.parametrize("data", TABLES.values(), ids=TABLES)
def test_table_is_read_as_a_frame_of_columns(data: object) -> None:
    found = read_source(SOURCE, convert_frame(data, SOURCE))
    assert found["ds"].tolist() == list(MONTHS)
    assert found["y"].tolist() == list(VALUES)
    assert set(found["unique_id"]) == {"y"}


def test_index_of_two_levels_is_two_columns() -> None:
    panel = pd.concat([FRAME.assign(unique_id=name) for name in "ab"])
    table = convert_frame(panel.set_index(["unique_id", "ds"]), SOURCE)
    pd.testing.assert_frame_equal(table, panel[["unique_id", "ds", "y"]].reset_index(drop=True))


def test_total_below_the_rows_is_left_out() -> None:
    total = pd.DataFrame({"ds": ["Total", None], "y": [VALUES.sum(), None]})
    table = read_source(SOURCE, pd.concat([FRAME.astype({"ds": object}), total]))
    assert table["ds"].tolist() == list(MONTHS)


def test_quarters_are_first_days() -> None:
    values = pd.Series([1.0, 2.0, 3.0], index=pd.period_range("2001Q4", periods=3, freq="Q"))
    table = read_source(SOURCE, convert_frame(values, SOURCE))
    assert table["ds"].tolist() == [
        pd.Timestamp("2001-10-01"),
        pd.Timestamp("2002-01-01"),
        pd.Timestamp("2002-04-01"),
    ]


def test_name_of_a_series_is_its_id() -> None:
    assert set(convert_frame(pd.Series(VALUES, index=MONTHS, name="air"), SOURCE)["unique_id"]) == {
        "air"
    }


def test_index_that_is_a_column_too_is_read_once() -> None:
    frame = FRAME.assign(unique_id="a").set_index(["unique_id", "ds"], drop=False)
    pd.testing.assert_frame_equal(
        convert_frame(frame, SOURCE)[["ds", "y"]].reset_index(drop=True), FRAME[["ds", "y"]]
    )


@pytest.mark.parametrize(
    "data", [[1, 2], {"ds": [1], "y": [2]}, "ds", None, pd.Series(VALUES)], ids=type
)
def test_other_data_are_refused(data: object) -> None:
    with pytest.raises(SeriesError):
        convert_frame(data, SOURCE)


@pytest.mark.parametrize("kind", ["int64", "int16", "uint64", "Int64", "str"])
def test_ids_keep_their_type(kind: str) -> None:
    small = {
        "lstm": {"units": 2},
        "gru": {"units": 2},
        "training": {"max_steps": 5},
        "split": {"test": 8},
    }
    frame = pd.concat([FRAME.assign(unique_id=name) for name in (9, 10)]).astype(
        {"unique_id": kind}
    )
    fitted = Forecaster(h=2, level=None, lookback=8, **small).fit(frame)
    for table in (fitted.predict(), fitted.predict(frame), fitted.holdout()):
        assert table["unique_id"].dtype == frame["unique_id"].dtype
        assert set(table["unique_id"]) == set(frame["unique_id"])


def test_large_numbers_stay_ids() -> None:
    ids = pd.Series([2**63, 2**64 - 1], dtype="uint64")
    restored = restore_ids(pd.DataFrame({"unique_id": ids.astype(str)}), ids.dtype)["unique_id"]
    pd.testing.assert_series_equal(restored, ids, check_names=False)


def test_texts_of_numbers_stay_ids() -> None:
    table = pd.DataFrame({"unique_id": ["007"]})
    assert restore_ids(table, None)["unique_id"].tolist() == ["007"]


def test_wide_table_has_no_type_of_ids() -> None:
    frame = pd.DataFrame({"ds": MONTHS, "unique_id": range(len(MONTHS))})
    assert find_id_type(frame, SourceSpec(name="catalog", wide=True)) is None


def test_frame_that_pandas_can_not_hold_is_refused() -> None:
    names = pyarrow.array([b"\xff", b"a"]).view(pyarrow.string()).dictionary_encode()
    with pytest.raises(
        SeriesError, match=r"^the frame: Table does not become a pandas DataFrame: "
    ):
        convert_frame(pyarrow.table({"ds": [1, 2], "y": [1.0, 2.0], "unique_id": names}), SOURCE)


def test_category_that_no_file_can_hold_is_refused_with_its_row() -> None:
    names = pd.Categorical(pd.Series(["a", "b\ud800"] * 30, dtype=object))
    with pytest.raises(
        SeriesError, match=r"column 'unique_id', row 2: expected a text that UTF-8 can hold"
    ):
        Forecaster(h=2).fit(FRAME.assign(unique_id=names))
