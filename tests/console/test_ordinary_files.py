"""Small files in the forms of public statistics, sensors, shops, R and Excel, each read right by the command."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.console.forecast import forecast, read_spec
from rnn_pipelines.console.settings import parse_settings
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.newer_values import read_newer_file
from rnn_pipelines.forecast.preparation.schema import repair_series
from rnn_pipelines.forecast.recipe import read_with_covariates
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

MONTHS = pd.date_range("1949-01-01", periods=48, freq="MS")
QUARTERS = pd.date_range("1960-01-01", periods=40, freq="QS")
DAYS = pd.date_range("2015-01-01", periods=60)
HOURS = pd.date_range("2015-01-01", periods=120, freq="h")
WEEKS = pd.date_range("2018-01-01", periods=120, freq="W-MON")
YEARS = pd.date_range("1985-01-01", periods=35, freq="YS")


def read(path: Path, *words: str) -> Series:
    """Return the series that the command reads of a file."""
    options = forecast.make_context("forecast", [str(path), *words]).params
    spec = read_spec(options.pop("file"), options, parse_settings(options.pop("settings")))
    table, _ = read_with_covariates(spec.source, spec.covariates, spec.window)
    return repair_series(table, spec.source, spec.gaps)[0]


def write(folder: Path, rows: dict[str, object], sep: str = ",") -> Path:
    """Write columns and the values 100.5, 101.5, …, and return the file."""
    path = folder / "table.csv"
    table = pd.DataFrame(rows)
    table.assign(value=np.arange(len(table)) + 100.5).to_csv(path, index=False, sep=sep)
    return path


def end_at_midnight(times: pd.DatetimeIndex, form: str) -> list[str]:
    """Return texts of times with 24:00 of the day before for midnight."""
    is_midnight = times.hour == 0
    days = times.where(~is_midnight, times - pd.Timedelta(1, "D")).strftime(form)
    return [f"{day} {hour or 24:02d}:00" for day, hour in zip(days, times.hour, strict=True)]


@pytest.mark.parametrize(
    ("cells", "times"),
    [
        ([f"{1949 + k / 12:.7g}" for k in range(48)], MONTHS),
        ([f"{1949 + k / 12:.2f}" for k in range(48)], MONTHS),
        ([repr(1949 + k / 12) for k in range(48)], MONTHS),
        ([f"{1949 + (k + 0.5) / 12:.4f}" for k in range(48)], MONTHS),
        ([f"{1960 + k / 4:g}" for k in range(40)], QUARTERS),
        (end_at_midnight(HOURS, "%Y-%m-%d"), HOURS),
        (end_at_midnight(HOURS, "%d.%m.%Y"), HOURS),
        ((HOURS - pd.Timestamp(0)) // pd.Timedelta("1s"), HOURS),
        ((HOURS - pd.Timestamp(0)) // pd.Timedelta("1ms"), HOURS),
        ((DAYS - pd.Timestamp("1899-12-30")).days, DAYS),
        (
            [f"{one:.6f}" for one in (HOURS - pd.Timestamp("1899-12-30")) / pd.Timedelta(1, "D")],
            HOURS,
        ),
        (DAYS.strftime("%d/%m/%y"), DAYS),
        (DAYS.strftime("%y-%m-%d"), DAYS),
        (DAYS.strftime("%m/%d/%y"), DAYS),
        (
            pd.date_range("2015-01-01", periods=40, freq="MS").strftime("%d/%m/%Y"),
            pd.date_range("2015-01-01", periods=40, freq="MS"),
        ),
        (
            pd.date_range("2015-01-01", periods=40, freq="MS").strftime("%m/%d/%Y"),
            pd.date_range("2015-01-01", periods=40, freq="MS"),
        ),
        ([f"{year}/{(year + 1) % 100:02d}" for year in YEARS.year], YEARS),
        ([f"{year}-{(year + 1) % 100:02d}" for year in YEARS.year], YEARS),
        (
            [f"{year}-{(year + 1) % 100:02d}" for year in range(2000, 2012)],
            pd.date_range("2000", periods=12, freq="YS"),
        ),
        ([f"{year}/{year + 1}" for year in YEARS.year], YEARS),
        (MONTHS.strftime("%Y %b").str.upper(), MONTHS),
        (HOURS.strftime("%Y-%m-%d %H:%M:%S UTC"), HOURS),
        (
            [
                f"{time:%m/%d/%Y} {time.hour % 12 or 12}:00 {'ap'[time.hour > 11]}.m."
                for time in HOURS
            ],
            HOURS,
        ),
        ((HOURS - pd.Timestamp(0)) // pd.Timedelta("1us"), HOURS),
        ((HOURS - pd.Timestamp(0)) // pd.Timedelta("1ns"), HOURS),
        (HOURS.strftime("%Y%m%d%H"), HOURS),
        (MONTHS.strftime("%Y%m"), MONTHS),
        ([f"{time.quarter}. Quartal {time.year}" for time in QUARTERS], QUARTERS),
        ([f"{time.year}/Q{time.quarter}" for time in QUARTERS], QUARTERS),
        ([f"T{time.quarter} {time.year}" for time in QUARTERS], QUARTERS),
        (WEEKS.strftime("KW %V/%G"), WEEKS),
    ],
    ids=lambda value: str(value[0]) if not isinstance(value, pd.DatetimeIndex) else "",
)
def test_times_are_read_in_the_forms_of_other_programs(
    cells: object, times: pd.DatetimeIndex, tmp_path: Path
) -> None:
    series = read(write(tmp_path, {"when": cells}))
    assert series["ds"].tolist() == times.tolist()
    assert series["y"].tolist() == (np.arange(len(times)) + 100.5).tolist()


@pytest.mark.parametrize(
    "names",
    [
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan. Feb. Mar. Apr. May Jun. Jul. Aug. Sept. Oct. Nov. Dec.",
    ],
    ids=lambda names: names.split()[0],
)
def test_names_of_months_are_read_in_several_languages(names: str, tmp_path: Path) -> None:
    cells = [f"{names.split()[month.month - 1]} {month.year}" for month in MONTHS]
    assert read(write(tmp_path, {"mois": cells}, ";"))["ds"].tolist() == MONTHS.tolist()


def test_row_numbers_are_not_the_times_beside_decimal_years(tmp_path: Path) -> None:
    years = [f"{1949 + k / 12:.7g}" for k in range(48)]
    series = read(write(tmp_path, {"rownames": range(1, 49), "time": years}))
    assert series["ds"].tolist() == MONTHS.tolist()


def name_months(form: str) -> list[str]:
    return MONTHS.strftime(form).tolist()


@pytest.mark.parametrize(
    ("columns", "times"),
    [
        ({"Year": MONTHS.year, "Month": MONTHS.month}, MONTHS),
        ({"Month": name_months("%B"), "Year": MONTHS.year}, MONTHS),
        ({"year": MONTHS.year, "month": name_months("%b")}, MONTHS),
        ({"Jahr": MONTHS.year, "Monat": MONTHS.month}, MONTHS),
        ({"year": DAYS.year, "mo": DAYS.month, "dy": DAYS.day}, DAYS),
        ({"YEAR": DAYS.year, "DOY": DAYS.day_of_year}, DAYS),
        ({"Year": QUARTERS.year, "Quarter": QUARTERS.quarter}, QUARTERS),
        ({"Date": DAYS, "year": DAYS.year, "month": DAYS.month}, DAYS),
        ({"Year": HOURS.year, "Month": HOURS.month, "Day": HOURS.day, "Hour": HOURS.hour}, HOURS),
        ({"Date": HOURS.strftime("%Y-%m-%d"), "Time": HOURS.strftime("%H:%M")}, HOURS),
        ({"week": WEEKS.strftime("%G/%V")}, WEEKS),
        ({"week": WEEKS.strftime("%G%V")}, WEEKS),
        ({"Year": MONTHS.year, "Period": MONTHS.strftime("M%m")}, MONTHS),
        ({"DATE": HOURS.strftime("%Y%m%d"), "HHMM": HOURS.hour * 100}, HOURS),
        ({"Date": DAYS, "weekday": DAYS.day_of_week, "row": range(1, 61)}, DAYS),
        ({"Datum": HOURS.strftime("%d.%m.%Y"), "Uhrzeit": HOURS.strftime("%H:%M:%S")}, HOURS),
        ({"Date": HOURS.strftime("%m/%d/%Y"), "Time": HOURS.strftime("%I:%M %p")}, HOURS),
        ({"Date": HOURS.strftime("%Y-%m-%d"), "Hour": HOURS.hour}, HOURS),
        (
            {
                "Date": (HOURS - pd.Timedelta(1, "h")).strftime("%Y-%m-%d"),
                "HE": (HOURS.hour - 1) % 24 + 1,
            },
            HOURS,
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_times_in_several_columns_are_found(
    columns: dict[str, object], times: pd.DatetimeIndex, tmp_path: Path
) -> None:
    series = read(write(tmp_path, columns))
    assert series["ds"].tolist() == times.tolist()
    assert series["unique_id"].unique().tolist() == ["value"]


def test_series_of_a_panel_have_times_in_several_columns(tmp_path: Path) -> None:
    rows = pd.DataFrame({"Region": "north", "Year": MONTHS.year, "Month": MONTHS.month})
    path = write(
        tmp_path, pd.concat([rows, rows.assign(Region="south")], ignore_index=True).to_dict("list")
    )
    with pytest.raises(SeriesError, match=r"source\.id=Region"):
        read(path)
    assert read(path, "--id", "Region")["unique_id"].unique().tolist() == ["north", "south"]


@pytest.mark.parametrize(
    "columns", [{"Year": MONTHS.year, "Month": MONTHS.month}, {"year": DAYS.year, "day": DAYS.day}]
)
def test_no_part_of_a_time_is_offered_as_an_id(columns: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(SeriesError) as refused:
        read(write(tmp_path, columns), "--time", next(iter(columns)))
    assert "source.id=" not in str(refused.value)


def test_named_columns_of_a_time_need_no_target(tmp_path: Path) -> None:
    path = write(tmp_path, {"Year": MONTHS.year, "Month": MONTHS.month})
    assert read(path, "--time", "Year+Month")["ds"].tolist() == MONTHS.tolist()


YEARLY = {
    "Year": [1949, 1950, 1951, 1952],
    **{name: range(k, 48, 12) for k, name in enumerate(MONTHS[:12].strftime("%b"))},
}


@pytest.mark.parametrize(
    ("table", "times"),
    [
        (pd.DataFrame(YEARLY), MONTHS),
        (pd.DataFrame({**YEARLY, "Total": 5}), MONTHS),
        (
            pd.DataFrame({"Year": YEARLY["Year"], **{k + 1: range(k, 48, 12) for k in range(12)}}),
            MONTHS,
        ),
        (pd.DataFrame(YEARLY).set_index("Year").T.rename_axis("Month").reset_index(), MONTHS),
        (
            pd.DataFrame(
                {"Year": range(1960, 1970), **{f"Q{k + 1}": range(k, 40, 4) for k in range(4)}}
            ),
            QUARTERS,
        ),
    ],
    ids=["months", "total", "numbers", "turned", "quarters"],
)
def test_table_of_years_with_a_column_for_each_month_is_one_series(
    table: pd.DataFrame, times: pd.DatetimeIndex, tmp_path: Path
) -> None:
    table.to_csv(tmp_path / "years.csv", index=False)
    series = read(tmp_path / "years.csv")
    assert series["ds"].tolist() == times.tolist()
    assert series["y"].tolist() == list(range(len(times)))


def test_months_after_the_last_value_are_no_values(tmp_path: Path) -> None:
    table = pd.DataFrame(YEARLY).astype(float)
    table.iloc[3, 7:] = np.nan
    table.to_csv(tmp_path / "years.csv", index=False)
    assert read(tmp_path / "years.csv")["ds"].max() == pd.Timestamp("1952-06-01")


def test_forecaster_reads_a_table_of_months_by_year() -> None:
    settings = SourceSpec(name="catalog", time="Year")
    assert read_source(settings, pd.DataFrame(YEARLY))["ds"].tolist() == MONTHS.tolist()


ROWS = "".join(f"{day:%Y-%m-%d},{100 + number}.5\n" for number, day in enumerate(DAYS))


@pytest.mark.parametrize(
    "content",
    [
        f"# Station 12\n# units: degC, per day\n#\ntime,temp\n{ROWS}",
        f"# Station 12\n#time,temp\n{ROWS}",
        f"time,temp\n# begin\n{ROWS}# end of file\n",
        f"{'# licence' + chr(10)}" * 45 + f"time,temp\n{ROWS}",
        f"time,temp\nUTC,degC\n{ROWS}",
        f"time,temp\n,[W/m2]\n{ROWS}",
        f"Readings of 2015\n\ntime,temp\nyyyy-mm-dd,°C\n{ROWS}",
    ],
    ids=[
        "comments",
        "header in a comment",
        "comments below",
        "many comments",
        "units",
        "one unit",
        "titles",
    ],
)
def test_comments_or_units_around_the_names_are_left_out(content: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(content)
    series = read(tmp_path / "table.csv")
    assert series["ds"].tolist() == DAYS.tolist()
    assert series["unique_id"].unique().tolist() == ["temp"]


@pytest.mark.parametrize(
    "header",
    [
        "Date,Sales,\n,North,South\n",
        "Date,Sales,Sales\n,North,South\n",
        "Title\nDate,Sales,\n,North,South\n",
    ],
)
def test_names_in_two_rows_are_joined(header: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(header + ROWS.replace(".5\n", ",7\n"))
    with pytest.raises(SeriesError, match=r"\['Sales North', 'Sales South'\]"):
        read(tmp_path / "table.csv")
    assert read(tmp_path / "table.csv", "--target", "Sales South")["y"].unique().tolist() == [7]


def test_header_of_an_excel_file_can_have_two_rows(tmp_path: Path) -> None:
    table = pd.DataFrame(
        [["Date", "Sales", None], [None, "North", "South"], *([day, 5, 7] for day in DAYS)]
    )
    table.to_excel(tmp_path / "table.xlsx", index=False, header=False)
    assert read(tmp_path / "table.xlsx", "--target", "Sales South")["y"].unique().tolist() == [7]


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        "".join(f"a,{row}\n" for row in ROWS.splitlines()),
        "".join(f"{step},{step % 7}.5\n" for step in range(60)),
    ],
    ids=["dates", "ids", "steps"],
)
def test_file_without_names_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(content)
    with pytest.raises(SeriesError, match="holds values, not names of columns"):
        read(tmp_path / "table.csv")


@pytest.mark.parametrize(
    "cells", [["12.1k", "9k"], ["12.1M", "3M"], ["$1.2K", "$3K"], ["12.1k", "950"], ["1.2M", "9k"]]
)
def test_numbers_in_thousands_are_refused(cells: list[str], tmp_path: Path) -> None:
    pd.DataFrame({"date": DAYS, "views": cells * 30}).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(SeriesError, match="column 'views', row"):
        read(tmp_path / "table.csv")


def test_model_reads_newer_values_with_times_in_two_columns(tmp_path: Path) -> None:
    path = write(tmp_path, {"Year": MONTHS.year, "Month": MONTHS.month})
    source = SourceSpec(path=str(path), time="Year+Month", target="value")
    assert read_newer_file(source, ["value"])["Year+Month"].iloc[0] == "1949-01"


def test_model_reads_newer_values_with_a_column_for_each_month(tmp_path: Path) -> None:
    pd.DataFrame(YEARLY).to_csv(tmp_path / "years.csv", index=False)
    source = SourceSpec(path=str(tmp_path / "years.csv"), time="Year")
    assert "Year" in read_newer_file(source, ["y"])


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffMonat;Umsatz\n"
        + "".join(f"{month:%Y-%m};1.00{month.month % 10},5\n" for month in MONTHS),
        "Monat;Umsatz;\n"
        + "".join(f"{month:%Y-%m};1.00{month.month % 10},5 €;\n" for month in MONTHS),
    ],
    ids=["decimal commas", "separators at the end"],
)
def test_decimal_commas_do_not_separate_cells(content: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(content)
    assert read(tmp_path / "table.csv")["y"].head(3).tolist() == [1001.5, 1002.5, 1003.5]
