"""A divided table reads the forms of ordinary tables as the whole one does, or refuses them in the same words."""

from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.partitions.surveys import SurveyedTable
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

HOURS = pd.date_range("2015-01-01", periods=120, freq="h")
QUARTERS_OF_HOURS = pd.date_range("2015-01-01", periods=400, freq="15min")
MONTHS = pd.date_range("2010-01-01", periods=48, freq="MS")
ZERO = pd.Timestamp(0)

TIMES = {
    "ends of days": HOURS.strftime("%Y-%m-%d %H:%M").str.replace("00:00", "24:00"),
    "days before months": QUARTERS_OF_HOURS.strftime("%d/%m/%Y %H:%M"),
    "decimal years": [f"{2010 + k / 12:.7g}" for k in range(48)],
    "seconds": (QUARTERS_OF_HOURS - ZERO) // pd.Timedelta("1s"),
    "nanoseconds": (HOURS - ZERO) // pd.Timedelta("1ns"),
    "days of Excel": (
        HOURS[::24].append(pd.DatetimeIndex(["2015-01-06"])) - pd.Timestamp("1899-12-30")
    ).days,
    "years": [f"{year}/{(year + 1) % 100:02d}" for year in range(1980, 2020)],
    "UTC": HOURS.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "year and month": MONTHS.strftime("%Y,%m"),
    "date and hour": HOURS.strftime("%Y-%m-%d,%H"),
}


def write_all(cells: object, time: str) -> dict[str, str]:
    """Return the contents of files with these times, in several forms."""
    header = f"{time.replace('+', ',')},id,y\n"
    rows = [f"{cell},{name},{number}.5\n" for name in "abcd" for number, cell in enumerate(cells)]
    with_signs = [
        row if number % 17 else row.rpartition(",")[0] + ",.\n" for number, row in enumerate(rows)
    ]
    return {
        "plain": header + "".join(rows),
        "comments": "# a\n# b, c\n"
        + header
        + "".join(rows[:50])
        + "# middle\n"
        + "".join(rows[50:])
        + "# end\n",
        "units": header + ",".join("u" * (header.count(",") + 1)) + "\n" + "".join(rows),
        "signs": header + "".join(with_signs),
        "thousands": header + "".join(row.replace("\n", "k\n") for row in rows),
        "no names": "".join(rows),
    }


def read_whole(source: SourceSpec) -> pd.DataFrame | str:
    try:
        return sort(read_source(source))
    except SeriesError as error:
        return str(error)


def read_parts(source: SourceSpec, folder: Path) -> pd.DataFrame | str:
    files = [folder / "rows" / "training" / f"{number:05d}.parquet" for number in range(3)]
    files[0].parent.mkdir(parents=True)
    try:
        counts = SurveyedTable(source, ()).divide(files)
        filled = [file for file, count in zip(files, counts, strict=True) if count]
        return sort(
            pd.concat(
                [read_source(source.model_copy(update={"path": str(file)})) for file in filled]
            )
        )
    except SeriesError as error:
        return str(error)


def sort(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["unique_id", "ds"], ignore_index=True)[["unique_id", "ds", "y"]]


@pytest.mark.parametrize("form", ["plain", "comments", "units", "signs", "thousands", "no names"])
@pytest.mark.parametrize("kind", TIMES)
def test_divided_table_is_read_as_the_whole_one(kind: str, form: str, tmp_path: Path) -> None:
    time = {"year and month": "Year+Month", "date and hour": "Date+Hour"}.get(kind, "ds")
    path = tmp_path / "table.csv"
    path.write_text(write_all(TIMES[kind], time)[form])
    source = SourceSpec(path=str(path), time=time, id="id")
    whole = read_whole(source)
    divided = read_parts(source, tmp_path)
    assert isinstance(whole, str) == (form in ("thousands", "no names"))
    assert divided == whole if isinstance(whole, str) else whole.equals(divided)
