"""Every source gives the same long table; every file that can't gives an error that says what to do."""

import gzip
import importlib.util
import io
import logging
import os
import re
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rnn_pipelines.errors import ParameterError, SeriesError
from rnn_pipelines.forecast.parameters import FrameSpec
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source import readable, values
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.reading import read_covariate_rows, read_source, read_table
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.reading import dialect, user_files
from rnn_pipelines.reading.numbers import NO_VALUE
from rnn_pipelines.reading.table_files import Selection

Write = Callable[..., str]

DAYS = pd.date_range("2020-01-01", periods=30)
PLAIN = "ds,y\n2020-01-01,1.5\n2020-01-02,2.5\n2020-01-03,3.5\n"


def fail(path: str | None, external: pd.DataFrame | None = None, **options: object) -> str:
    """The message of the error that reading ends in."""
    with pytest.raises(SeriesError) as caught:
        read_source(SourceSpec(path=path, **options), external)
    return str(caught.value)


def zip_files(*names: str) -> bytes:
    content = io.BytesIO()
    with ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, PLAIN)
    return content.getvalue()


def read_catalog(table: pd.DataFrame, **options: object) -> pd.DataFrame:
    return read_source(SourceSpec(name="catalog", **options), table)


# File, options, and the columns that are read of it.
READ: dict[str, tuple[str | bytes, dict[str, Any], dict[str, Any]]] = {
    "own names": (
        "Date,Rain,Temp\n1,9,1.5\n2,9,2.5\n",
        {"time": "Date", "target": "Temp"},
        {"y": [1.5, 2.5]},
    ),
    "byte-order mark": (b"\xef\xbb\xbf" + PLAIN.encode(), {}, {"y": [1.5, 2.5, 3.5]}),
    "blanks after commas": ("ds, y\n2020-01-01, 1.5\n", {}, {"y": [1.5]}),
    "commas in quotes": ('ds,place,y\n2020-01-01,"Ulm, north",1.5\n', {}, {"y": [1.5]}),
    "path before name": (PLAIN, {"name": "seattle"}, {"row": [2, 3, 4], "y": [1.5, 2.5, 3.5]}),
    "a single series": ("ds,Temp\n2020-01-01,1\n", {"target": "Temp"}, {"unique_id": ["Temp"]}),
    "a panel": (
        "shop,ds,y\na,2020-01-01,1\nb,2020-01-01,2\n",
        {"id": "shop"},
        {"unique_id": ["a", "b"]},
    ),
    "ids with zeros": (
        "shop,ds,y\n007,1,1\n10,1,2\n",
        {"id": "shop"},
        {"unique_id": ["007", "10"]},
    ),
    # Namibia's code, which pandas takes for an empty cell.
    "the id NA": ("shop,ds,y\nNA,1,1\nUS,1,2\n", {"id": "shop"}, {"unique_id": ["NA", "US"]}),
    **{
        f"missing: {word}": (f"ds,y\n2020-01-01,{word}\n", {}, {"y": [np.nan]}) for word in NO_VALUE
    },
    **{
        f"missing: {sign}": (
            f"ds,y\n2020-01-01,{sign}\n2020-01-02,1\n2020-01-03,{sign}\n",
            {},
            {"y": [np.nan, 1, np.nan]},
        )
        for sign in (".", "..", "-", "--", "\u2013", ":", "/", "*", "?")
    },
    "order of rows": ("ds,y\n2020-01-03,3\n2020-01-01,1\n", {}, {"y": [3, 1]}),
    **{
        f"steps {steps}": (
            "ds,y\n" + "".join(f"{step},1\n" for step in steps),
            {},
            {"ds": [int(step) for step in steps]},
        )
        for steps in (
            [0, 1, 2],
            [5, 10, 15],
            [-3, -2, -1],
            [1577836800, 1577836801, 1577836802],
            [0.0, 1.0],
        )
    },
    "zones": (
        "ds,y\n2020-03-29T01:00:00+01:00,1\n2020-03-29T03:00:00+02:00,2\n",
        {},
        {"ds": [datetime(2020, 3, 29), datetime(2020, 3, 29, 1)]},
    ),
    **{
        form: (f"ds,y\n{cell},1\n", {"time_format": form}, {"ds": [datetime(2020, 12, 31)]})
        for cell, form in (
            ("31.12.2020", "%d.%m.%Y"),
            ("12/31/2020", "%m/%d/%Y"),
            ("20201231", "%Y%m%d"),
            ("31 Dec 2020", "%d %b %Y"),
        )
    },
    **{
        cell: (
            f"ds,y\n2019-12-31,0\n{cell},1\n",
            {},
            {"ds": [datetime(2019, 12, 31), datetime(2020, 1, 1)]},
        )
        for cell in (
            "2020-01-01",
            "2020-01",
            "2020/01/01",
            "2020-01-01 00:00",
            "2020-01-01T00:00:00",
        )
    },
    # Nanoseconds do not represent them.
    **{
        str(year): (f"ds,y\n{year}-12-31,1\n", {}, {"ds": [datetime(year, 12, 31)]})
        for year in (1600, 2999, 9999)
    },
    # Some programs leave the separators out after the last cell that is not empty.
    "a short row without note": ("ds,y,note\n2020-01-01,1,new\n2020-01-02,2\n", {}, {"y": [1, 2]}),
    **{
        f"an empty last cell {sep}": (
            'ds,note,y\n2020-01-01,,1\n2020-01-02,,\n2020-01-03,"a\nb",3\n'.replace(",", sep),
            {"sep": sep},
            {"y": [1, np.nan, 3]},
        )
        for sep in (",", ";", "\t")
    },
    "a separator that rows lack": ("ds,y,\n1,1\n2,\n3,3\n", {}, {"y": [1, np.nan, 3]}),
    "a long cell": (f"ds,y,note\n1,1,{'a' * 200_000}\n2,2,\n", {}, {"y": [1, 2]}),
    **{
        f"separator {sep}": (
            PLAIN.replace(",", sep),
            {},
            {"y": [1.5, 2.5, 3.5], "found": {"sep": name}},
        )
        for sep, name in ((";", "semicolon"), ("\t", "tab"), ("|", "pipe"))
    },
    "the separator of the named columns": ("ds;y;a,b,c,d,e\n1;1;1,2,3\n", {}, {"y": [1]}),
    **{
        f"separator given as {sep}": (
            PLAIN.replace(",", ";"),
            {"sep": sep},
            {"y": [1.5, 2.5, 3.5], "found": {}},
        )
        for sep in (";", "semicolon")
    },
    **{
        encoding: (
            "Datum;Größe\n2020-01-01;1,5\n".encode(encoding),
            {"time": "Datum", "target": "Größe"},
            {"found": {"sep": "semicolon", "decimal": "comma"} | found},
        )
        for encoding, found in (
            ("utf-8", {}),
            ("utf-8-sig", {}),
            ("utf-16", {"encoding": "utf-16"}),
            ("cp1252", {"encoding": "cp1252"}),
        )
    },
    "encoding at the end": (
        ("ds,y,note\n" + "2020-01-01,1,-\n" * 100_000 + "2020-01-01,1,ä\n").encode("cp1252"),
        {},
        {"found": {"encoding": "cp1252"}},
    ),
    "encoding given": (
        "shop,ds,y\nŁódź,1,1\n".encode("cp1250"),
        {"id": "shop", "encoding": "cp1250"},
        {"unique_id": ["Łódź"]},
    ),
    "a header again": (
        "ds,y\n2020-01-01,1\nds,y\n2020-01-02,2\n2020-01-03,\n",
        {},
        {"ds": [*DAYS[:3]]},
    ),
    "empty rows": (
        "ds,y\n2020-01-01,1\n,\nds,y\n2020-01-02,2\n2020-01-03,3\n",
        {},
        {"y": [1, 2, 3]},
    ),
}
TWO_DAYS = "ds,y\n2020-01-01,1\n2020-01-02,"
# File, options and other columns, and parts of the error.
REFUSED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "months or steps": ("ds,y\n202401,1\n202402,2\n", {}, ["source.time_format='%Y%m'"]),
    # Decimal commas: pandas takes the date for the index and the cut-off number for the value.
    "surplus cells": ("ds,y\n2020-01-01,1,5\n2020-01-02,2,5\n", {}, ["row 2", "['ds', 'y']"]),
    "missing cells": (
        "ds,note,y\n2020-01-01,,1\n\n2020-01-02,2\n2020-01-03\n",
        {},
        ["row 3 has 2 of the 3 cells ['ds', 'note', 'y'] (2 such rows"],
    ),
    "a file that breaks off": (PLAIN.removesuffix(",3.5\n"), {}, ["row 4 has 1 of the 2 cells"]),
    "blanks as empty cells": (
        "ds x y\n1  1\n2 1 2\n",
        {"sep": "space"},
        ["row 2 has 2 of the 3 cells"],
    ),
    "a wrong separator": (PLAIN, {"sep": "semicolon"}, ["source.sep"]),
    "a missing id": (PLAIN, {"id": "shop"}, ["no column ['shop']"]),
    "a missing covariate": (
        "ds,y,promo\n1,1,0\n",
        {"columns": ["prmo"]},
        ["no column ['prmo']", "covariates"],
    ),
    "two columns y": ("ds,y,y\n1,1,1\n", {}, ["column 'y'", "[2, 3]"]),
    "two columns ds": ("ds,ds,y\n1,1,1\n", {}, ["column 'ds'", "[1, 2]"]),
    "another case": ("Date,y\n2024-01-01,1\n", {"time": "date"}, ["'Date'"]),
    **{
        f"no time: {cell}": (
            f"Date,y\n2020-01-01,1\n{cell},2\n2020-01-03,3\n",
            {"time": "Date"},
            ["column 'Date', row 3: ", f"'{cell}'"],
        )
        for cell in (
            "yesterday",
            "",
            "2020-02-30",
            "2020-01-02 25:00",
            "01/16/2020",
            "16.01.2020",
            "20200-01-01",
            "1.5",
        )
    },
    "another form": (
        "ds,y\n31.12.2020,1\n2021-01-01,2\n",
        {"time_format": "%d.%m.%Y"},
        ["row 3", "'2021-01-01'"],
    ),
    **{
        f"step {cell}": (f"ds,y\n{cell},1\n", {}, ["row 2", f"'{cell}'"])
        for cell in ("1e20", f"1{20 * '0'}")
    },
    "a value below a header": (
        "ds,y\n2024-01-01,1\n,\nds,y\n2024-01-02,2\n2024-01-03,x\n",
        {},
        ["'y', row 6:"],
    ),
    **{
        f"no number: {cell}": (
            f"{TWO_DAYS}{cell}\n",
            {},
            ["column 'y', row 3: expected", f"'{cell}'"],
        )
        for cell in (
            "high",
            "1%",
            "0x1F",
            "True",
            "inf",
            "-inf",
            "Infinity",
            "1e400",
            "1e39",
            "-1e39",
            "1e308",
        )
    },
    **{
        f"no covariate: {cell}": (
            f"ds,y,price\n1,1,2.5\n2,1,{cell}\n3,1,NA\n",
            {"columns": ["price"]},
            ["column 'price', row 3: expected", f"'{cell}'"],
        )
        for cell in ("-", "?", ".", "\u2013", "\u2014", "1e39", "inf", "1e999")
    },
    "two readings": (
        "ds;y;price\n1;1,5;2.500\n",
        {"columns": ["price"]},
        ["column 'price'", "source.decimal"],
    ),
    "no name": (
        "shop,ds,y\na,2020-01-01,1\n,2020-01-02,1\n",
        {"id": "shop"},
        ["column 'shop', row 3"],
    ),
    "a blank name": (
        "shop,ds,y\na,2020-01-01,1\n ,2020-01-02,1\n",
        {"id": "shop"},
        ["column 'shop', row 3"],
    ),
    "null bytes": (f"{PLAIN}2020-01-04,4\0\n", {}, ["null bytes"]),
}


@pytest.mark.parametrize(("content", "options", "expected"), READ.values(), ids=READ)
def test_csv_is_read(
    write: Write, content: str | bytes, options: dict[str, Any], expected: dict[str, Any]
) -> None:
    table = read_source(SourceSpec(path=write(content), **options))
    assert list(table) == ["unique_id", "ds", "y"]
    for name, cells in expected.items():
        found = table.attrs["found"] if name == "found" else table.reset_index()[name].tolist()
        assert found == cells if name != "y" else np.array_equal(found, cells, equal_nan=True)


@pytest.mark.parametrize(("content", "options", "parts"), REFUSED.values(), ids=REFUSED)
def test_csv_is_refused_with_its_cell(
    write: Write, content: str, options: dict[str, Any], parts: list[str]
) -> None:
    path = write(content)
    columns = options.get("columns", ())
    options = {name: value for name, value in options.items() if name != "columns"}
    with pytest.raises(SeriesError) as caught:
        read_table(SourceSpec(path=path, **options), columns)
    assert str(caught.value).startswith(f"{path}: ")
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("my.csv.gz", gzip.compress(PLAIN.encode(), mtime=0)),
        ("my.zip", zip_files("folder/", "folder/my.csv", "__MACOSX/._my.csv")),
    ],
)
def test_packed_file_is_read(write: Write, name: str, content: bytes) -> None:
    assert read_source(SourceSpec(path=write(content, name)))["y"].tolist() == [1.5, 2.5, 3.5]


def test_packaged_series_is_read() -> None:
    assert len(read_source(SourceSpec(name="seattle"))) == 1461
    assert read_source(SourceSpec(name="seattle"))["ds"].tolist() == list(
        pd.date_range("2012-01-01", "2015-12-31")
    )
    assert read_source(SourceSpec(name="seattle"))["y"].tolist()[:3] == [12.8, 10.6, 11.7]


def test_generated_series_depend_on_the_seed() -> None:
    first, second = (read_source(SourceSpec(name="noisy_sine", seed=seed)) for seed in (0, 1))
    assert not first["y"].equals(second["y"])


def test_days_of_a_zone_stay_local() -> None:
    days = pd.DataFrame(
        {"ds": pd.date_range("2020-07-01", periods=3, tz="Europe/Berlin"), "y": 1.0}
    )
    assert read_catalog(days)["ds"].iloc[0] == pd.Timestamp("2020-07-01")


def test_hours_of_a_zone_are_read_in_utc() -> None:
    days = pd.DataFrame(
        {"ds": pd.date_range("2020-07-01", periods=3, tz="Europe/Berlin"), "y": 1.0}
    )
    hours = days.assign(ds=pd.date_range("2020-07-01", periods=3, freq="h", tz="Europe/Berlin"))
    found = read_catalog(hours)
    assert (found["ds"].iloc[0], found.attrs["tz"]) == (
        pd.Timestamp("2020-06-30 22:00"),
        "Europe/Berlin",
    )


def test_missing_column_is_named() -> None:
    message = fail(None, pd.DataFrame({"when": [1], "y": [2]}), name="catalog")
    assert "forecast_external: no column ['ds']; its columns are ['when', 'y']" in message


def test_repeated_column_is_named() -> None:
    table = pd.DataFrame([[1, 2, 3]], columns=["ds", "y", "y"])
    assert "more than one column 'y': its columns [" in fail(None, table, name="catalog")


def test_words_for_no_value_are_missing_numbers() -> None:
    frame = pd.DataFrame({"ds": [1, 2, 3], "y": 1.0, "price": [2.5, "NA", None]})
    found = read_covariate_rows(SourceSpec(name="catalog"), ["price"], frame)["price"]
    assert found.isna().tolist() == [False, True, True]


@pytest.mark.parametrize("name", ["temperature", "sine", "noisy_sine"])
def test_synthetic_series_bring_their_signal(name: str) -> None:
    assert list(read_source(SourceSpec(name=name)).columns) == ["unique_id", "ds", "y", "signal"]


@pytest.mark.parametrize("suffix", [".parquet", ".pq", ".PARQUET"])
def test_parquet_is_read_by_its_own_column_names(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"my{suffix}"
    pd.DataFrame({"Date": DAYS, "Rain": 0.0, "Temp": np.arange(30.0)}).to_parquet(path)
    table = read_source(SourceSpec(path=str(path), time="Date", target="Temp"))
    assert table["y"].tolist() == list(range(30))


def test_parquet_index_counts_as_a_column_beside_partition_like_folders(tmp_path: Path) -> None:
    path = tmp_path / "my.parquet"
    pd.DataFrame({"y": np.arange(30.0)}, index=DAYS.rename("ds")).to_parquet(path)
    assert read_source(SourceSpec(path=str(path)))["ds"].tolist() == list(DAYS)
    path = tmp_path / "y=3" / "my.parquet"
    path.parent.mkdir()
    pd.DataFrame({"ds": DAYS, "y": np.arange(30.0)}).to_parquet(path)
    assert read_source(SourceSpec(path=str(path)))["y"].tolist()[:2] == [0, 1]


@pytest.mark.parametrize(
    ("times", "time_format", "zone"),
    [
        (["2020-01-01 ", "2020-01-02\xa0"], None, None),
        (["01.02.2020 ", " 02.02.2020"], "%d.%m.%Y", None),
        (["2020-02-01 ", "2020-02-02 "], "%Y-%m-%d ", None),
        (["2020-01-01T06:00+01:00 ", "2020-01-01T07:00+01:00\t"], None, "Etc/GMT-1"),
    ],
)
def test_blanks_around_times_are_no_part_of_them(
    write: Write, times: list[str], time_format: str | None, zone: str | None
) -> None:
    """As around numbers: columns of a fixed width are filled up with them."""
    stripped = pd.to_datetime(
        pd.Series(times).str.strip(), format=time_format and time_format.strip(), utc=True
    )
    path = write("ds,y\n" + "".join(f'"{time}",1\n' for time in times))
    for source, frame in (
        (SourceSpec(path=path, time_format=time_format), None),
        (
            SourceSpec(name="catalog", time_format=time_format),
            pd.DataFrame({"ds": times, "y": 1.0}),
        ),
        (
            SourceSpec(name="catalog", time_format=time_format),
            pd.DataFrame({"ds": times, "y": 1.0}, dtype=object),
        ),
    ):
        read = read_source(source, frame)
        assert read["ds"].tolist() == stripped.dt.tz_localize(None).tolist()
        assert read.attrs["zone"]["name"] == zone


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_years_are_dates_where_freq_is_an_alias(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"ds": [1990, 1991], "y": [1.0, 2.0]})
    path = tmp_path / f"my{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    assert read_source(SourceSpec(path=str(path), freq="YS"))["ds"].dt.year.tolist() == [1990, 1991]


COMPACT = [20240131, 20240201, 20240202]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_whole_numbers_that_can_only_be_dates_are_no_steps(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"ds": COMPACT, "y": 1.0, "price": 2.0})
    path = str(tmp_path / f"my{suffix}")
    {".csv": table.to_csv, ".parquet": table.to_parquet, ".xlsx": table.to_excel}[suffix](
        path, index=False
    )
    found = read_source(SourceSpec(path=path))
    assert found.attrs["found"]["time_format"] == "%Y%m%d"
    for rows in (
        found,
        read_covariate_rows(SourceSpec(path=path), ["price"]),
        read_source(SourceSpec(path=path, time_format="%Y%m%d")),
        read_source(SourceSpec(path=path, freq="D")),
    ):
        assert (
            rows["ds"].tolist()
            == pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-02"]).tolist()
        )


def test_a_number_as_the_spacing_makes_steps_of_dates(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        table = read_catalog(pd.DataFrame({"ds": COMPACT, "y": 1.0}), freq=1)
    assert (table["ds"].tolist(), caplog.messages) == (COMPACT, [])


@pytest.mark.parametrize(
    ("zone", "hour", "offsets"),
    [
        ("Europe/Berlin", "00:00", ("+01:00", "+01:00", "+02:00")),
        ("Europe/Berlin", "00", ("+01", "+01", "+02")),
        ("Europe/Berlin", "00:00:00.000", ("+01:00", "+01:00", "+02:00")),
        ("Asia/Kolkata", "00:00", 3 * ("+05:30",)),
    ],
)
def test_midnights_without_one_offset_are_days_of_a_named_zone_or_refused(
    write: Write, zone: str, hour: str, offsets: tuple[str, ...]
) -> None:
    days = pd.date_range("2024-03-30", periods=3)
    path = write(
        "\n".join(
            [
                "ds,y",
                *(
                    f"{day:%Y-%m-%d}T{hour}{offset},1"
                    for day, offset in zip(days, offsets, strict=True)
                ),
                "",
            ]
        )
    )
    assert "are midnights, and their offsets from UTC change or are no whole hours" in fail(path)
    assert read_source(SourceSpec(path=path, tz=zone))["ds"].tolist() == [*days]


@pytest.fixture
def seconds(write: Write) -> str:
    """A file of four hours over the change of clocks in March."""
    lines = [f"{1_711_846_800 + 3600 * hour},{hour}" for hour in range(4)]
    return write("\n".join(["ds,y", *lines, ""]))


def test_seconds_since_1970_are_numbers_with_a_warning(
    seconds: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "rnn_pipelines"):
        assert read_source(SourceSpec(path=seconds))["ds"].dtype == "int64"
    (message,) = caplog.messages
    assert "source.time_format=unix_s reads them as times." in message


def test_seconds_since_1970_are_times_of_utc_if_asked(seconds: str) -> None:
    table = read_source(SourceSpec(path=seconds, time_format="unix_s", tz="Europe/Berlin"))
    assert table["ds"].tolist() == [*pd.date_range("2024-03-31T01:00", periods=4, freq="h")]
    assert table.attrs["tz"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("freq", "first", "tz"), [("D", "2020-07-01", None), ("h", "2020-06-30 22:00", "Etc/GMT-2")]
)
def test_column_of_a_distance_from_utc_keeps_it(freq: str, first: str, tz: str | None) -> None:
    """Days are days of that distance, and shorter steps are shown with it."""
    table = pd.DataFrame(
        {"ds": pd.date_range("2020-07-01", periods=3, freq=freq, tz="+02:00"), "y": 1.0}
    )
    found = read_catalog(table)
    assert (found["ds"].iloc[0], found.attrs.get("tz")) == (pd.Timestamp(first), tz)


def test_catalog_table_is_read() -> None:
    assert read_catalog(pd.DataFrame({"ds": DAYS, "y": np.arange(30.0)}))["y"].tolist() == list(
        range(30)
    )


def test_catalog_table_is_not_changed() -> None:
    table = pd.DataFrame({"ds": DAYS[::-1], "y": np.arange(30)}, index=[0] * 30)
    before = table.copy()
    read_catalog(table)
    pd.testing.assert_frame_equal(table, before)


def test_categories_are_ids() -> None:
    table = pd.DataFrame({"ds": DAYS[:2], "y": 1.0, "shop": pd.Categorical(["a", "b"])})
    assert read_catalog(table, id="shop")["unique_id"].tolist() == ["a", "b"]


def test_zone_of_arrow_times_is_kept() -> None:
    hours = pd.date_range("2020-07-01", periods=3, freq="h", tz="Europe/Berlin")
    kind = pd.ArrowDtype(pyarrow.timestamp("us", "Europe/Berlin"))
    assert (
        read_catalog(pd.DataFrame({"ds": pd.array(hours, dtype=kind), "y": 1.0})).attrs["tz"]
        == "Europe/Berlin"
    )


@pytest.mark.parametrize(
    "times",
    [
        [date(2020, 1, 1), date(2020, 1, 2)],
        [datetime(2020, 1, 1), datetime(2020, 1, 2)],
        [datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)],
        pd.period_range("2020-01-01", periods=2, freq="D"),
        pd.array(["2020-01-01", "2020-01-02"], dtype="string"),
    ],
    ids=["dates", "datetimes", "zoned datetimes", "periods", "strings"],
)
def test_times_of_a_database_are_read(times: object) -> None:
    table = read_catalog(pd.DataFrame({"ds": pd.Series(times), "y": 1.0}))
    assert table["ds"].tolist() == [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")]


@pytest.mark.parametrize(
    "values",
    [[Decimal("1.5"), None], pd.array([1.5, None], dtype="Float64"), ["1.5", None], [1.5, np.nan]],
    ids=["decimals", "nullable", "text", "floats"],
)
def test_values_of_a_database_are_read(values: object) -> None:
    y = read_catalog(pd.DataFrame({"ds": DAYS[:2], "y": pd.Series(values)}))["y"]
    np.testing.assert_array_equal(y, [1.5, np.nan])


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (pyarrow.date32(), [date(2020, 1, 1), date(2020, 1, 2)]),
        (pyarrow.date64(), [date(2020, 1, 1), date(2020, 1, 2)]),
        (pyarrow.timestamp("us"), DAYS[:2]),
        (pyarrow.string(), ["2020-01-01", "2020-01-02"]),
    ],
    ids=str,
)
def test_times_that_arrow_holds_are_read(kind: pyarrow.DataType, cells: object) -> None:
    times = pd.array(cells, dtype=pd.ArrowDtype(kind))
    assert read_catalog(pd.DataFrame({"ds": times, "y": 1.0}))["ds"].tolist() == list(DAYS[:2])


@pytest.mark.parametrize(
    "kind", [pyarrow.int8(), pyarrow.int64(), pyarrow.uint64(), pyarrow.float64()], ids=str
)
def test_steps_that_arrow_holds_are_read(kind: pyarrow.DataType) -> None:
    table = pd.DataFrame({"ds": pd.array([1, 2, 3], dtype=pd.ArrowDtype(kind)), "y": 1.0})
    assert read_catalog(table)["ds"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (pyarrow.float64(), [1.5, None]),
        (pyarrow.decimal128(10, 3), [Decimal("1.500"), None]),
        (pyarrow.string(), ["1.5", None]),
    ],
    ids=str,
)
def test_values_that_arrow_holds_are_read(kind: pyarrow.DataType, cells: list[object]) -> None:
    table = pd.DataFrame({"ds": DAYS[:2], "y": pd.array(cells, dtype=pd.ArrowDtype(kind))})
    np.testing.assert_array_equal(read_catalog(table)["y"], [1.5, np.nan])


@pytest.mark.parametrize("external", [None, {"ds": [1], "y": [2]}])
def test_catalog_without_a_table_says_where_to_define_it(external: object) -> None:
    assert "forecast_external holds no table. Define it in conf/local/catalog_forecast.yml" in fail(
        None, external, name="catalog"
    )


def test_folder_is_named(tmp_path: Path) -> None:
    assert fail(str(tmp_path)).startswith(f"{tmp_path}: ")


def test_missing_file_is_named_with_the_folder_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fail("none.csv") == f"none.csv: no such file (looked in {tmp_path}). Check source.path."


def test_long_name_of_a_missing_file_is_cut() -> None:
    assert len(fail(f"{5_000 * 'x'}.csv")) < 500


def test_name_with_a_null_character_is_a_missing_file() -> None:
    assert "no such file" in fail("no\0file.csv")


@pytest.mark.parametrize("name", ["my.xls", "my.json", "my.ods", "my"])
def test_other_kind_of_file_says_which_are_read(write: Write, name: str) -> None:
    path = write("x", name)
    assert fail(path).startswith(
        f"{path}: expected a file that ends in .csv, .parquet or .xlsx, received"
    )


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("my.csv", b"", "expected a CSV file in UTF-8, with a header line"),
        ("my.csv", b"\n\n\n", "expected a CSV file in UTF-8, with a header line"),
        ("my.csv", PLAIN.encode("utf-16")[:-1], "expected a CSV file in UTF-16"),
        ("my.csv", PLAIN.encode("utf-16-le"), "utf-16-le"),
        (
            "my.csv",
            (PLAIN + "2020-01-04,\x81\n").encode("latin-1"),
            "expected a CSV file in CP1252",
        ),
        ("my.csv", b"\x00\x01\x02\xff\xfe" * 50, "it holds null bytes"),
        ("my.csv", (PLAIN + '2020-01-04,"1\n').encode(), "EOF inside string"),
        ("my.csv", (PLAIN + "2020-01-04,1,2,3\n").encode(), "Expected 2 fields in line 5, saw 4"),
        ("my.csv", zip_files("my.csv"), "Excel file (.xlsx) or an archive (.zip)"),
        ("my.csv", gzip.compress(PLAIN.encode(), mtime=0), "file packed by gzip (.csv.gz)"),
        ("my.csv", b"PAR1" + b"\0" * 50, "Parquet file (.parquet)"),
        ("my.csv", b"\xd0\xcf\x11\xe0" + b"\0" * 50, "old Excel file (.xls)"),
        (
            "my.csv.gz",
            gzip.compress(zip_files("my.csv"), mtime=0),
            "Excel file (.xlsx) or an archive (.zip)",
        ),
        ("my.csv.gz", PLAIN.encode(), "Not a gzipped file"),
        ("my.zip", PLAIN.encode(), "File is not a zip file"),
        ("my.xlsx", PLAIN.encode(), "expected an Excel file"),
        ("my.csv.gz", gzip.compress(PLAIN.encode(), mtime=0)[:-12], "expected a CSV file"),
        ("my.parquet", b"", "expected a Parquet file"),
        ("my.parquet", PLAIN.encode(), "expected a Parquet file"),
        ("my.tar.gz", b"nonsense", "expected a CSV file"),
        ("my.zip", zip_files("one.csv", "other.csv"), "('one.csv', 'other.csv')"),
        ("my.zip", zip_files("my.csv").replace(b"1.5", b"9.5"), "Bad CRC-32"),
    ],
    ids=[
        "empty",
        "blank",
        "half a character",
        "UTF-16 that doesn't say so",
        "no Windows text",
        "binary",
        "open quote",
        "surplus cells",
        "another archive",
        "zipped after all",
        "another Parquet file",
        "old Excel file",
        "Excel file in an archive",
        "not zipped",
        "no archive",
        "no Excel file",
        "cut off",
        "empty Parquet",
        "no Parquet",
        "no tar",
        "two files",
        "damaged archive",
    ],
)
def test_unreadable_file_says_what_is_expected(
    write: Write, name: str, content: bytes, expected: str
) -> None:
    path = write(content, name)
    message = fail(path)
    assert message.startswith(f"{path}: expected")
    assert expected in message


def test_what_was_found_is_in_the_log(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    path = write("ds;y\n31.12.2020;1,5\n")
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        read_source(SourceSpec(path=path))
    assert caplog.messages == [
        f"{path}: read with sep=semicolon, time_format='%d.%m.%Y', decimal=comma"
    ]
    caplog.clear()
    path = write("day,y\n1,1\n2,2\n")
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        read_source(SourceSpec(path=path, time="day"))
    assert caplog.messages == [
        f"{path}: column 'day' is read as steps from 1 to 2, without a calendar"
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"sep": ":"},
        {"decimal": ";"},
        {"thousands": "x"},
        {"encoding": "klingon"},
        {"decimal": "comma", "thousands": ","},
    ],
)
def test_sign_that_is_none_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SourceSpec(path="my.csv", **options)


def test_covariates_are_read_with_the_decimal_sign_of_the_file(write: Write) -> None:
    path = write("ds;y;price;place\n2020-01-01;1,5;2,50;a,b\n2020-01-02;2,5;;c\n")
    rows = read_covariate_rows(SourceSpec(path=path), ["price", "place"])
    np.testing.assert_array_equal(rows["price"], [2.5, np.nan])
    assert rows["place"].tolist() == ["a,b", "c"]


def test_decimal_point_beside_commas_is_read(write: Write) -> None:
    path = write("ds,y,price\n2020-01-01,1.5,2.50\n")
    assert read_covariate_rows(SourceSpec(path=path), ["price"])["price"].tolist() == [2.5]


def test_words_for_no_value_are_missing_among_numbers(write: Write) -> None:
    path = write("ds;y;price\n1;1;2,5\n2;1;NA\n")
    assert read_covariate_rows(SourceSpec(path=path), ["price"])["price"].fillna(0).tolist() == [
        2.5,
        0,
    ]


def test_words_for_no_value_are_words_among_words(write: Write) -> None:
    """NA is a country."""
    path = write("ds,y,country\n1,1,NA\n2,1,7\n3,1,DE\n4,1,-\n")
    assert read_covariate_rows(SourceSpec(path=path), ["country"])["country"].tolist() == [
        "NA",
        "7",
        "DE",
        "-",
    ]


def test_word_for_infinity_is_a_word_among_words(write: Write) -> None:
    path = write("ds,y,shop\n2020-01-01,1,inf\n2020-01-02,1,a\n")
    assert read_covariate_rows(SourceSpec(path=path), ["shop"])["shop"].tolist() == ["inf", "a"]


@pytest.mark.parametrize("cell", NO_VALUE)
@pytest.mark.parametrize("others", [["2.5", "3"], ["yes", "no"]])
def test_words_for_no_value_are_missing_among_other_numbers(
    write: Write, cell: str, others: list[str]
) -> None:
    path = write(
        "ds,y,price\n"
        + "".join(f"{n},1,{cell}\n" for n, cell in enumerate([*others, cell, f" {cell} "]))
    )
    found = read_covariate_rows(SourceSpec(path=path), ["price"])["price"]
    assert found.isna().tolist() == [False, False, True, True]
    assert found[:2].astype(str).str.removesuffix(".0").tolist() == others


@pytest.mark.parametrize(
    "signs", [["+", "-"], ["-", "?"], ["+", "+"], ["--", "--"], ["_", "_"], ["*", "*"]]
)
def test_signs_beside_zeros_are_categories(write: Write, signs: list[str]) -> None:
    """Such as a trend."""
    cells = [*signs, "0", "0"]
    path = write(
        "ds,y,trend\n" + "".join(f"{number},1,{cell}\n" for number, cell in enumerate(cells))
    )
    assert read_covariate_rows(SourceSpec(path=path), ["trend"])["trend"].tolist() == cells


@pytest.mark.parametrize("cells", [["1.234", "2.345"], [1.5, "1.234"]])
def test_point_in_texts_of_a_table_without_commas_can_part_thousands(
    tmp_path: Path, cells: list[object]
) -> None:
    table = pd.DataFrame({"ds": DAYS[:2], "y": pd.Series(cells, dtype=object)})
    assert "source.decimal=point (1.234) or source.thousands=point (1,234)" in fail(
        None, table, name="catalog"
    )
    assert "can be read in two ways" in fail(write_excel(tmp_path, data=table))
    assert read_catalog(table, decimal="point")["y"].iloc[1] == float(cells[1])


def test_archive_that_is_encrypted_or_too_large_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(zip_files("my.csv"))
    # The flag of encryption, in the file's own header and in that of the directory.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "password required" in fail(write(bytes(content), "my.zip"))
    monkeypatch.setattr(dialect, "MAX_UNPACKED_BYTES", 10)
    assert "'my.csv' in it has more than 10 bytes" in fail(write(zip_files("my.csv"), "my.zip"))


@pytest.mark.slow
def test_packed_file_of_real_size_is_refused_before_it_fills_the_memory(write: Write) -> None:
    """Two GiB of zeros in two MB: the parts of a packed file can be repeated."""
    part = gzip.compress(bytes(1 << 26))
    path = write(part * (dialect.MAX_UNPACKED_BYTES // (1 << 26) + 1), "my.csv.gz")
    tracemalloc.start()
    try:
        assert "unpacked, it has more than 2,147,483,648 bytes" in fail(path)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


def write_parquet(tmp_path: Path, **columns: object) -> str:
    path = tmp_path / "my.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return str(path)


def test_columns_of_a_parquet_file_are_read_whatever_the_others_hold(tmp_path: Path) -> None:
    days = pyarrow.array(["2020-01-01", "2020-01-02"])
    values = pyarrow.array([1.5, 2.5])
    path = write_parquet(tmp_path, ds=days.dictionary_encode(), y=values.dictionary_encode())
    assert read_source(SourceSpec(path=path))["y"].tolist() == [1.5, 2.5]
    path = write_parquet(tmp_path, ds=["2020-01-01"], y=[1.5], tags=[["a"]])
    assert read_source(SourceSpec(path=path))["y"].tolist() == [1.5]
    path = write_parquet(
        tmp_path, ds=["2020-01-01", "2020-01-02"], y=pyarrow.array(np.array([1.5, 2.5], np.float16))
    )
    assert read_source(SourceSpec(path=path))["y"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("values", "kind"),
    [([[1.0]], "list<"), ([{"low": 1.0}], "struct<")],
    ids=["lists", "structures"],
)
def test_nested_column_of_a_parquet_file_is_named(
    tmp_path: Path, values: list[object], kind: str
) -> None:
    message = fail(write_parquet(tmp_path, ds=["2020-01-01"], y=values))
    assert f"column 'y' holds {kind}" in message
    assert "Write it to a column of its own" in message


@pytest.mark.parametrize("year", [1500, 1677, 2263, 9999])
def test_int96_times_of_all_years_are_read(tmp_path: Path, year: int) -> None:
    """Nanoseconds, which pandas makes of them, hold the years 1677 to 2262; 1500 became 2084."""
    days = [datetime(year, 1, 1), datetime(year, 1, 2, 3, 4, 5, 678_901)]
    path = tmp_path / "my.parquet"
    table = pyarrow.table({"ds": pyarrow.array(days, pyarrow.timestamp("us")), "y": [1.5, 2.5]})
    pyarrow.parquet.write_table(table, path, use_deprecated_int96_timestamps=True)
    assert read_source(SourceSpec(path=str(path)))["ds"].tolist() == days


def write_excel(tmp_path: Path, **sheets: pd.DataFrame) -> str:
    path = tmp_path / "my.xlsx"
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        for name, sheet in sheets.items():
            sheet.to_excel(writer, sheet_name=name, index=False)
    return str(path)


TABLE = pd.DataFrame({"ds": DAYS[:3], "y": [1.5, None, 3.5], "shop": ["NA", "b", "7"]})


def test_sheet_is_read(tmp_path: Path) -> None:
    table = read_source(SourceSpec(path=write_excel(tmp_path, data=TABLE), id="shop"))
    assert table["ds"].tolist() == list(DAYS[:3])
    np.testing.assert_array_equal(table["y"], [1.5, np.nan, 3.5])
    assert table["unique_id"].tolist() == ["NA", "b", "7"]


def test_sheet_with_the_columns_is_read(tmp_path: Path) -> None:
    path = write_excel(tmp_path, notes=pd.DataFrame({"note": ["a"]}), data=TABLE)
    assert len(read_source(SourceSpec(path=path))) == 3


def test_two_sheets_with_the_columns_are_refused(tmp_path: Path) -> None:
    assert "the sheets ['2023', '2024'] have the columns" in fail(
        write_excel(tmp_path, **{"2023": TABLE, "2024": TABLE})
    )


def test_missing_column_of_a_sheet_is_named(tmp_path: Path) -> None:
    message = fail(write_excel(tmp_path, data=TABLE), target="sales")
    assert (
        "my.xlsx, sheet 'data': no column ['sales']; its columns are ['ds', 'y', 'shop']" in message
    )


def test_empty_rows_of_a_sheet_are_left_out(tmp_path: Path) -> None:
    path = write_excel(
        tmp_path,
        data=pd.DataFrame({"ds": ["2020-01-01", "", " "], "y": [1.5, None, None]}).replace(" ", ""),
    )
    assert len(read_source(SourceSpec(path=path))) == 1


def write_sheet(tmp_path: Path, *rows: list[object], **cells: object) -> str:
    """An Excel file of one sheet with the given rows, and further cells by their places."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place, value in cells.items():
        book.active[place] = value
    path = tmp_path / "my.xlsx"
    book.save(path)
    return str(path)


ROWS = [["2020-01-01", 1.5], ["2020-01-02", 2.5]]


@pytest.mark.parametrize("header", [["ds", "y", "y"], ["y", "ds", None, "y", "y.1"]])
def test_column_that_an_excel_file_has_twice_is_named_with_its_places(
    tmp_path: Path, header: list[str]
) -> None:
    places = [place for place, name in enumerate(header, 1) if name == "y"]
    assert f"more than one column 'y': its columns {places} of" in fail(
        write_sheet(tmp_path, header, *ROWS)
    )


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("target", ["y.1", "Unnamed: 2", "Unnamed: 3", ""])
def test_names_that_pandas_makes_up_are_no_columns(
    tmp_path: Path, write: Write, kind: str, target: str
) -> None:
    header = ["ds", "y", None, "y", None]
    row = ["2020-01-01", 1, 2, 3, 4]
    content = "ds,y,,y,\n2020-01-01,1,2,3,4\n"
    message = fail(
        write_sheet(tmp_path, header, row) if kind == "xlsx" else write(content), target=target
    )
    assert f"no column ['{target}']; its columns are ['ds', 'y', 'y']. " in message


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize(("target", "value"), [("y.1", 4.0), ("Unnamed: 1", 3.0)])
def test_column_named_as_by_pandas_is_read(
    tmp_path: Path, write: Write, kind: str, target: str, value: float
) -> None:
    content = "ds,,Unnamed: 1,y.1,y,y\n2020-01-01,1,3,4,5,6\n2020-01-02,1,NA,NA,5,6\n"
    rows = [[cell or None for cell in line.split(",")] for line in content.splitlines()]
    path = write_sheet(tmp_path, *rows) if kind == "xlsx" else write(content)
    np.testing.assert_array_equal(
        read_source(SourceSpec(path=path, target=target))["y"], [value, np.nan]
    )


@pytest.mark.parametrize("place", ["XFD1", "XFD2"])
def test_cell_far_from_the_table_costs_no_memory(tmp_path: Path, place: str) -> None:
    path = write_sheet(tmp_path, ["ds", "y"], *ROWS * 500, **{place: "stray"})
    tracemalloc.start()
    try:
        values = read_source(SourceSpec(path=path))["y"]
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert values.tolist() == [1.5, 2.5] * 500


def test_cell_far_below_a_sheet_is_left_out(tmp_path: Path) -> None:
    assert (
        len(
            read_source(
                SourceSpec(path=write_sheet(tmp_path, ["ds", "y"], *ROWS, C1048576="stray"))
            )
        )
        == 2
    )


def test_value_without_a_time_is_named_by_its_row(tmp_path: Path) -> None:
    assert "column 'ds', row 1000: " in fail(
        write_sheet(tmp_path, ["ds", "y"], *ROWS, B1000="stray")
    )


def test_faulty_value_after_empty_rows_is_named_by_its_row(tmp_path: Path) -> None:
    path = write_sheet(tmp_path, ["ds", "y"], *ROWS, A7="2020-01-03", B7="high")
    assert "column 'y', row 7: " in fail(path)


def test_titled_sheet_may_have_texts_as_times(tmp_path: Path) -> None:
    path = write_sheet(
        tmp_path, *TITLED, [1.5, "2020-01-01"], [2.5, "2020-02-01"], [None, "2020-03-01"]
    )
    assert len(read_source(SourceSpec(path=path))) == 3


def test_faulty_value_below_titles_is_named_by_its_row(tmp_path: Path) -> None:
    assert "column 'y', row 6" in fail(
        write_sheet(tmp_path, *TITLED, MONTHS[0], ["many", MONTHS[1][1]], MONTHS[2])
    )


def test_text_and_error_in_a_sheet_have_the_row_of_the_sheet(tmp_path: Path) -> None:
    for cell in ("zehn", "#REF!"):
        message = fail(write_sheet(tmp_path, ["ds", "y"], *ROWS, A4="2020-01-03", B4=cell))
        assert "row 4:" in message


def test_faulty_value_below_titles_of_a_csv_file_has_its_line(write: Write) -> None:
    lines = ["Sales of 2020", "", "ds,y", "2020-01-01,1", "2020-01-02,2", "2020-01-03,many"]
    path = write("\n".join(lines))
    assert f"row {1 + lines.index('2020-01-03,many')}:" in fail(path)


TITLED = [["Sales of 2020"], [], ["by month", "2020"], ["y", "ds", "note"]]
MONTHS: list[list[Any]] = [
    [1.5, datetime(2020, 1, 1)],
    [2.5, datetime(2020, 2, 1)],
    [None, datetime(2020, 3, 1)],
]


@pytest.mark.parametrize(
    "footer",
    [
        [],
        [[4.0, "Total"]],
        [[], [4.0, None], [None, None, "a"], [None, "Source: office, 2021"]],
        [[None, "Updated 2021"]],
    ],
    ids=["none", "total", "many", "note"],
)
def test_rows_around_a_table_are_left_out(tmp_path: Path, footer: list[list[object]]) -> None:
    table = read_source(SourceSpec(path=write_sheet(tmp_path, *TITLED, *MONTHS, *footer)))
    assert table["ds"].tolist() == [row[1] for row in MONTHS]
    np.testing.assert_array_equal(table["y"], [1.5, 2.5, np.nan])


@pytest.mark.parametrize(
    "footer",
    [
        [],
        [[4.0, "Total"]],
        [[], [4.0, None], [None, None, "a"], [None, "Source: office, 2021"]],
        [[None, "Updated 2021"]],
    ],
    ids=["none", "total", "many", "note"],
)
def test_rows_below_a_table_are_logged(
    tmp_path: Path, footer: list[list[object]], caplog: pytest.LogCaptureFixture
) -> None:
    read_source(SourceSpec(path=write_sheet(tmp_path, *TITLED, *MONTHS, *footer)))
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * bool(footer)
    if footer:
        assert ("row 8;" if len(footer) == 1 else f"rows 8 to {7 + len(footer)};") in caplog.text


@pytest.mark.parametrize("cell", ["2020-13-01", "31.02.2020", "Jan 2O2O"])
def test_mistyped_last_time_is_no_footer(tmp_path: Path, cell: str) -> None:
    assert "row 8" in fail(write_sheet(tmp_path, *TITLED, *MONTHS, [4.5, cell]))


def test_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    path = write_excel(tmp_path, first=TABLE, second=TABLE.assign(y=7.0))
    assert set(read_source(SourceSpec(path=path, sheet="second"))["y"]) == {7.0}
    assert "source.sheet" in fail(path)


def test_missing_sheet_is_named(tmp_path: Path) -> None:
    path = write_excel(tmp_path, first=TABLE, second=TABLE.assign(y=7.0))
    message = fail(path, sheet="third")
    assert "'third'" in message
    assert "['first', 'second']" in message


def test_file_without_a_sheet_of_cells_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_chartsheet().add_chart(openpyxl.chart.BarChart())
    book.remove(book.active)
    book.save(tmp_path / "my.xlsx")
    assert "expected a sheet with cells" in fail(str(tmp_path / "my.xlsx"))


def write_cells(tmp_path: Path, **cells: str) -> str:
    """An Excel file whose cells, by their places, are the given elements of its sheet."""
    table = pd.DataFrame({"ds": DAYS[:4].astype(str), "y": [1.5, 2.5, 3.5, 4.5], "note": "a"})
    source = Path(write_excel(tmp_path, data=table))
    path = tmp_path / "other.xlsx"
    with ZipFile(source) as archive, ZipFile(path, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name).decode()
            for place, cell in cells.items():
                content = re.sub(
                    f'<c r="{place}".*?</c>', cell.replace("<c", f'<c r="{place}"'), content
                )
            changed.writestr(name, content)
    return str(path)


NO_NUMBER, NO_RESULT = '<c t="e"><v>#DIV/0!</v></c>', "<c><f>A2+1</f><v/></c>"


@pytest.mark.parametrize(
    ("cell", "received"),
    [
        (NO_NUMBER, "'#DIV/0!'"),
        ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "'#DIV/0!'"),
        (NO_RESULT, "formula"),
    ],
    ids=["error", "formula with an error", "formula without a result"],
)
@pytest.mark.parametrize("place", ["A3", "B3", "B5"])
def test_excel_cell_that_lacks_its_value_is_named(
    tmp_path: Path, place: str, cell: str, received: str
) -> None:
    message = fail(write_cells(tmp_path, **{place: cell}))
    assert f"column {place[0]}, row {place[1]}" in message
    assert received in message


@pytest.mark.parametrize(
    "cell",
    ["<c/>", '<c t="str"><f>""</f><v></v></c>', '<c t="e"><v>#N/A</v></c>'],
    ids=["empty", "empty text", "#N/A"],
)
def test_empty_cell_of_an_excel_file_is_a_gap(tmp_path: Path, cell: str) -> None:
    table = read_source(SourceSpec(path=write_cells(tmp_path, B3=cell)))
    np.testing.assert_array_equal(table["y"], [1.5, np.nan, 3.5, 4.5])


def test_result_of_a_formula_is_read(tmp_path: Path) -> None:
    path = write_cells(tmp_path, B3="<c><f>A2+1</f><v>9</v></c>", C3=NO_NUMBER, C4=NO_RESULT)
    assert read_source(SourceSpec(path=path))["y"].tolist() == [1.5, 9, 3.5, 4.5]


def test_excel_without_its_package_says_what_to_do(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "-m pip install openpyxl, or save it as a CSV file" in fail(write("x", "my.xlsx"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_missing_column_is_named_beside_the_columns_there_are(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"Date": ["2020-01-01"], "Temp": [1.0]})
    path = tmp_path / f"my{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    message = fail(str(path), time="Date", target="y2")
    assert message.startswith(f"{path}: no column ['y2']; its columns are ['Date', 'Temp']")


@pytest.mark.parametrize(
    "roles", [{"time": "a", "target": "a"}, {"target": "a", "id": "a"}, {"time": "a", "id": "a"}]
)
def test_one_column_has_one_role(roles: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="name the same column twice"):
        SourceSpec(**roles)


TEXT_ROWS = [["01.03.2024", "1.200,5"], ["02.03.2024", "7"], ["03.03.2024", "8"]]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        (["sep=;"], []),
        (["Sales of all shops", "", "in €;;"], []),
        ([], [";", ";"] * 30),
        ([], ["Summe;1.215,5"]),
        ([], [";", "Total;1.215,5", "Source: the accounts of 2024;", ";"]),
    ],
    ids=["excel", "titles", "empty", "total", "notes"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_lines_around_a_text_table_are_cut(
    tmp_path: Path, encoding: str, above: list[str], below: list[str]
) -> None:
    lines = [*above, " Tag ; Umsatz", *map(";".join, TEXT_ROWS), *below]
    (tmp_path / "my.csv").write_bytes("\r\n".join(lines).encode(encoding))
    table = read_source(
        SourceSpec(
            path=str(tmp_path / "my.csv"), time="Tag", target="Umsatz", time_format="%d.%m.%Y"
        )
    )
    assert table["ds"].dt.day.tolist() == [1, 2, 3]
    assert table["y"].tolist() == [1200.5, 7, 8]


@pytest.mark.parametrize(
    ("header", "message"),
    [("ds,y,id", "expected a time"), (",ds,y,id", "no rows below the header")],
)
def test_table_of_a_footer_alone_is_refused(write: Write, header: str, message: str) -> None:
    """Also below a column without a name, which is not read: no rows are left."""
    source = SourceSpec(path=write(f"{header}\n\nSource: the office,,\n"))
    split = SplitSpec(validation=3, test=3)
    window = WindowSpec(lookback=2, horizon=2)
    with pytest.raises(SeriesError, match=message):
        prepare_panel(read_source(source), Recipe(source=source, split=split, window=window))


@pytest.mark.parametrize(
    "form",
    ["%Q", "%(", "(", "", "mixed", "ISO8601", "%Y%Y-%m-%d", "%d.%m", "%H:%M", "%Y-%M-%d", "%Y-%d", "%%Y",
     "%Y%U", "%c", "%x", "%Y%", "\ud800"],
)  # fmt: skip
def test_bad_time_format_is_refused_with_the_parameters(form: str) -> None:
    with pytest.raises(
        ParameterError,
        match=r"^forecast\.source\.time_format: expected a pattern such as '%d\.%m\.%Y'",
    ):
        read_parameter_model("forecast.source", SourceSpec, {"path": "my.csv", "time_format": form})


@pytest.mark.parametrize(
    "form",
    ["%Y", "%Y%m%d", "%d.%m.%y %H:%M:%S.%f", "%Y%j", "%G-W%V-%u", "%d %B %Y", "%Y-%m-%dT%H%z"],
)
def test_time_format_with_a_year_is_taken(form: str) -> None:
    assert SourceSpec(path="my.csv", time_format=form).time_format == form


@pytest.mark.parametrize(
    "years", [[0.0, 0.5], [1700.5, 1701.5], [2000.1, 2000.11, 2000.12], [2000.0, 2000.25]]
)
@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_decimal_numbers_are_no_times(tmp_path: Path, years: list[float], ending: str) -> None:
    """pandas takes 2000.5, the middle of a year, for May."""
    path = tmp_path / f"my.{ending}"
    write = {
        "csv": pd.DataFrame.to_csv,
        "parquet": pd.DataFrame.to_parquet,
        "xlsx": pd.DataFrame.to_excel,
    }[ending]
    write(pd.DataFrame({"ds": years, "y": 1.0}), path, index=False)
    message = fail(str(path))
    assert "are decimal numbers" in message
    assert "source.time_format" in message


@pytest.mark.parametrize(
    "values", [DAYS[:2], pd.to_timedelta([1, 2], unit="h")], ids=["dates", "durations"]
)
def test_times_are_no_numbers(values: object) -> None:
    message = fail(None, pd.DataFrame({"ds": DAYS[:2], "y": values}), name="catalog")
    assert "column 'y': none of its 2 cells is a number such as 1234.5" in message


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_users_file_is_never_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"my{suffix}"
    table = pd.DataFrame({"ds": DAYS[::-1], "y": np.arange(30.0)})
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    os.utime(path, (1, 1))
    before = path.read_bytes()
    source = SourceSpec(path=str(path))
    prepare_series(
        read_source(source),
        source,
        GapPolicy("interpolate"),
        BreakPolicy("keep"),
        SplitSpec(validation=3, test=3),
        WindowSpec(lookback=3, horizon=1),
        EvaluationSpec(),
    )
    assert (path.read_bytes(), path.stat().st_mtime, os.listdir(tmp_path)) == (
        before,
        1,
        [path.name],
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60).map(lambda tail: b"ds,y\n2020-01-01,1\n" + tail),
        st.binary(max_size=60),
        st.text(alphabet='0129-:.,;"\n eTZ/ayds', max_size=80).map(
            lambda text: f"ds,y\n{text}".encode()
        ),
    )
)
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(write: Write, content: bytes) -> None:
    path = write(content)
    try:
        table = read_source(SourceSpec(path=path))
    except SeriesError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017 - either outcome is right
    else:
        assert list(table.columns) == ["unique_id", "ds", "y"]


def test_columns_or_a_sheet_without_their_table_are_refused() -> None:
    """Or Seattle would be forecast for whoever forgot the path."""
    with pytest.raises(ValueError, match="give path"):
        SourceSpec(target="Temp")
    with pytest.raises(ValidationError, match="taget"):
        SourceSpec.model_validate({"taget": "Temp"})
    with pytest.raises(ValidationError):
        SourceSpec(path="my.csv", sheet="a")
    assert "\n" not in SourceSpec(path="a\nERROR.csv").label


def test_cells_that_are_no_times_or_texts_are_refused() -> None:
    assert "column 'ds': none of its 2 cells is a time" in fail(
        None, pd.DataFrame({"ds": [True, False], "y": 1.0}), name="catalog"
    )
    periods = pd.Series(pd.PeriodIndex(["2020-01-01", "NaT", "2020-01-03"], freq="D"))
    assert (
        "column 'ds', row 2: expected a time of the form 2024-03-31 12:00 (ISO 8601), received 'NaT'"
        in fail(None, pd.DataFrame({"ds": periods, "y": 1.0}), name="catalog")
    )
    table = pd.DataFrame(
        {"ds": DAYS[:2], "y": [1.0, 2.0], "shop": pd.Series([1, 10**5000], dtype=object)}
    )
    expected = (
        "column 'shop', row 2: expected a text that UTF-8 can hold, received int without a text"
    )
    assert expected in fail(None, table, name="catalog", id="shop")


@pytest.mark.parametrize("column", ["ds", "y", "shop"])
def test_half_of_a_sign_is_refused(column: str) -> None:
    """It can be written to no file, and pandas' own texts can't hold it."""
    table = pd.DataFrame(
        {"ds": DAYS[:2].astype(str), "y": ["1", "2"], "shop": ["a", "b"]}, dtype=object
    )
    table.loc[1, column] = "\ud800"
    message = fail(None, table, name="catalog", id="shop")
    expected = f"column '{column}', row 2: expected a text that UTF-8 can hold, received '\\ud800'"
    assert message.startswith(f"forecast_external: {expected}")
    # In Python there is no such entry.
    with pytest.raises(SeriesError, match=f"^the frame: {re.escape(expected)}"):
        read_source(FrameSpec(name="catalog", id="shop"), table)


def test_name_with_null_characters_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "my.parquet"
    pd.DataFrame({"ds": DAYS[:2], "y": 1.0, "shop": ["a", "a\0b"]}).to_parquet(path)
    assert (
        "column 'shop', row 2: expected a name without null characters, received 'a\\x00b'"
        in fail(str(path), id="shop")
    )


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "my.parquet"
    broken = pyarrow.array([b"\xff", b"2020-01-02"])
    pyarrow.parquet.write_table(pyarrow.table({"ds": broken, "y": [1.0, 2.0]}), path)
    assert "column 'ds', row 1: expected a text that UTF-8 can hold, received b'\\xff'" in fail(
        str(path)
    )


@pytest.mark.parametrize(
    "kind",
    [pyarrow.string_view(), pyarrow.binary_view(), pyarrow.binary(), pyarrow.large_string()],
    ids=str,
)
def test_texts_of_every_arrow_type_are_read(tmp_path: Path, kind: pyarrow.DataType) -> None:
    path = tmp_path / "my.parquet"
    cells = [b"2020-01-01", b"2020-01-02"]
    times = pyarrow.array(
        cells if "binary" in str(kind) else [cell.decode() for cell in cells], kind
    )
    pyarrow.parquet.write_table(pyarrow.table({"ds": times, "y": [1.0, 2.0]}), path)
    assert read_source(SourceSpec(path=str(path)))["ds"].tolist() == [*DAYS[:2]]


@pytest.mark.parametrize("column", ["ds", "y", "shop"])
def test_arrow_texts_whose_bytes_are_no_text_are_refused(tmp_path: Path, column: str) -> None:
    """Arrow checks the bytes of texts neither as it reads nor as it converts them."""
    path = tmp_path / "my.parquet"
    columns = {"ds": DAYS[:2].astype(str), "y": ["1", "2"], "shop": ["a", "b"]}
    columns[column] = pyarrow.array([b"ok", b"\xff"]).view(pyarrow.string())
    table = pyarrow.table(columns)
    pyarrow.parquet.write_table(table, path)
    expected = f"column '{column}', row 2: expected a text that UTF-8 can hold, received b'\\xff'"
    assert expected in fail(str(path), id="shop")
    assert expected in fail(
        None, table.to_pandas(types_mapper=pd.ArrowDtype), name="catalog", id="shop"
    )


@pytest.mark.parametrize("found", [3, "sep", None])
def test_attributes_of_a_table_are_the_users(found: object) -> None:
    table = pd.DataFrame({"ds": DAYS[:2], "y": ["1.5", "2.5"]})
    table.attrs = {"found": found, "unread": 3}
    assert read_source(SourceSpec(name="catalog"), table)["y"].tolist() == [1.5, 2.5]


def test_endless_header_is_refused(write: Write) -> None:
    assert len(fail(write("x" * 5_000_000))) < 1_000


def test_file_is_read_once_for_series_with_covariates(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    for module, name in ((user_files, "read_bytes"), (values, "parse_times")):
        function = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *given, f=function, n=name: (calls.append(n), f(*given))[1]
        )
    path = write("shop,ds,y,price\na,2020-01-01,1,2.5\na,2020-01-02,2,3\n")
    table, covariates = read_series(
        SourceSpec(path=path, id="shop"), CovariateSpec(past=("price",))
    )
    assert (table["y"].tolist(), covariates["price"].tolist(), calls) == (
        [1, 2],
        [2.5, 3],
        ["read_bytes", "parse_times"],
    )


def test_covariate_may_have_the_name_that_values_have_here(write: Write) -> None:
    path = write("ds,Temp,y,signal\n2020-01-01,1,5,7\n")
    table, covariates = read_series(
        SourceSpec(path=path, target="Temp"), CovariateSpec(past=("y", "signal"))
    )
    assert (list(table), table["y"].tolist()) == (["unique_id", "ds", "y"], [1])
    assert covariates[["y", "signal"]].to_numpy().tolist() == [[5, 7]]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["007", "8"], [7, 8]),
        (["1.50", "x"], ["1.50", "x"]),
        (["True", "False"], ["True", "False"]),
        (["NA", "DE"], ["NA", "DE"]),
        (["1", "2"], [1, 2]),
    ],
)
def test_cells_of_csv_are_not_changed_by_pandas(
    write: Write, cells: list[str], expected: list[object]
) -> None:
    path = write("shop,ds,y,note\n" + "".join(f"{cell},2020-01-01,1,{cell}\n" for cell in cells))
    raw = user_files.read_columns(
        Path(path), Selection(["shop", "note"], numbers=["note"]), readable.FILES
    )
    assert raw["shop"].tolist() == cells
    assert raw["note"].tolist() == expected
