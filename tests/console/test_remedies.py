"""The remedy that an error of reading names leads to a series, or to the reason that is left."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.console.forecast import forecast, read_spec
from rnn_pipelines.console.settings import name_options, parse_settings
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.preparation.schema import repair_series
from rnn_pipelines.forecast.recipe import read_with_covariates
from rnn_pipelines.forecast.series.tables import Series

MONTHS = pd.date_range("2015-01-01", periods=48, freq="MS")
DAYS = pd.date_range("2021-01-01", periods=60)
HOURS = pd.date_range("2022-01-01", periods=72, freq="h")
VALUES = np.arange(72) + 100.5

# An option of the command in a message; a remedy that needs another file is code for pandas.
OPTION = re.compile(r"--set source\.\w+=(?:'[^']*'|\w+)|--(?:time|id|target)=[\w+]+")
CODE = re.compile(r"In pandas: (.*?\.to_csv\('(\w+\.csv)'(?:, index=False)?\))")
NAMES = re.compile(r"one of \['([^']*)'(?:, '([^']*)')*\] in (--\w+)")


def read(path: Path, words: list[str]) -> Series:
    options = forecast.make_context("forecast", [str(path), *words]).params
    spec = read_spec(options.pop("file"), options, parse_settings(options.pop("settings")))
    table, _ = read_with_covariates(spec.source, spec.covariates, spec.window)
    return repair_series(table, spec.source, spec.gaps)[0]


def refuse(path: Path, words: list[str]) -> str:
    with pytest.raises(SeriesError) as refused:
        read(path, words)
    return name_options(str(refused.value))


def join(*columns: object, names: str, sep: str = ",") -> str:
    rows = zip(*columns, strict=False)
    return f"{names}\n" + "".join(sep.join(map(str, row)) + "\n" for row in rows)


def read_or_refuse(path: Path) -> str:
    """Return the message of the error; empty if the file is read."""
    try:
        read(path, [])
    except SeriesError as error:
        return str(error)
    return ""


def follow(message: str, path: Path) -> tuple[Path, list[str]]:
    """Return the file and the words of the command after the first remedy that a message names."""
    if code := CODE.search(message):
        table = None if code[1].startswith("pd.") else pd.read_csv(path)
        eval(code[1], {"table": table, "pd": pd})
        path = Path(code[2])
    if "--wide" in message and path.name == "turned.csv":
        return path, ["--wide"]
    if names := NAMES.search(message):
        return path, [names[3], names[2] or names[1]]
    options = OPTION.findall(message.split(" or --", maxsplit=1)[0])
    return path, [word for option in options for word in option.replace("'", "").split(" ")]


TWELVE = MONTHS[:12].strftime("%b").tolist()
OPTIONS = {
    "months of two readings": join(MONTHS[:12].strftime("%d/%m/%Y"), VALUES, names="date,v"),
    "numbers of two readings": join(
        DAYS.strftime("%d.%m.%Y"), ["1.205"] * 60, names="date;v", sep=";"
    ),
    "blanks between cells": join(DAYS.strftime("%Y-%m-%d"), VALUES, names="date v", sep=" "),
    "a panel": join([*"AB"] * 30, DAYS.repeat(2).strftime("%Y-%m-%d"), VALUES, names="shop,date,v"),
    "a panel of months": join(
        [*"AB"] * 24,
        MONTHS.repeat(2).year,
        MONTHS.repeat(2).month,
        VALUES,
        names="shop,Year,Month,v",
    ),
    "several values": join(DAYS.strftime("%Y-%m-%d"), VALUES, VALUES, names="date,low,high"),
    "irregular decimal years": join(np.delete(2000 + np.arange(40) / 4, 7), VALUES, names="time,v"),
}
CODES = {
    "days as columns": "Store," + ",".join(DAYS.strftime("%m/%d/%Y")) + "\n"
    + "".join(f"{store}," + ",".join(map(str, VALUES[:60])) + "\n" for store in "AB"),
    "days as columns after coordinates": "State,Country,Lat," + ",".join(DAYS.strftime("%Y-%m-%d")) + "\n"
    + "".join(f",{name},1.5," + ",".join(map(str, VALUES[:60])) + "\n" for name in "AB"),
    "years as columns": "Country,Code," + ",".join(map(str, range(1960, 2020))) + "\n"
    + "".join(f"{name},{name}," + ",".join(map(str, VALUES[:60])) + "\n" for name in "AB"),
    "months as columns of a panel": "Region,Year," + ",".join(TWELVE) + "\n"
    + "".join(f"{name},{2000 + k}," + ",".join(map(str, VALUES[:12] + k)) + "\n" for name in "NS" for k in range(4)),
    "names in two columns": join(
        ["N", "N", "S", "S"] * 15, [*"AB"] * 30, DAYS.repeat(4).strftime("%Y-%m-%d"), VALUES, names="region,item,date,v"
    ),
}  # fmt: skip


@pytest.mark.parametrize("content", [*OPTIONS.values(), *CODES.values()], ids=[*OPTIONS, *CODES])
def test_remedy_of_an_error_succeeds(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("table.csv")
    path.write_text(content)
    path, words = follow(refuse(path, []), path)
    assert words or path.name != "table.csv"
    assert len(read(path, words)) >= 4


def test_json_lines_are_read_after_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"date": DAYS.strftime("%Y-%m-%d"), "v": VALUES[:60]})
    frame.to_json("table.jsonl", orient="records", lines=True)
    path, words = follow(refuse(Path("table.jsonl"), []), Path("table.jsonl"))
    assert read(path, words)["ds"].tolist() == DAYS.tolist()


def replace(old: str, new: str) -> Callable[[str], str]:
    return lambda content: content.replace(old, new)


DAILY = join(DAYS.strftime("%Y-%m-%d"), VALUES, names="date,v")
WORDS = {
    "no names": (
        DAILY.partition("\n")[2],
        lambda content: f"date,value\n{content}",
        "Write a row with names",
    ),
    "a repeated name": (
        join(DAYS, VALUES, ["x"] * 60, names="date,v,v"),
        replace("date,v,v", "date,v,w"),
        "Rename one",
    ),
    "a mistyped number": (
        DAILY.replace("102.5", "1o2.5"),
        replace("1o2.5", "102.5"),
        "Correct the row",
    ),
    "a mistyped number left empty": (
        DAILY.replace("102.5", "n/v/t"),
        replace("n/v/t", ""),
        "leave its cell empty",
    ),
    "a mistyped time": (
        DAILY.replace("2021-01-05", "2021-01-55"),
        replace("-55", "-05"),
        "Correct the row",
    ),
    "a mistyped time of another form": (
        join(DAYS.strftime("%d.%m.%Y"), VALUES, names="date,v").replace("05.02", "05.22"),
        replace("05.22", "05.02"),
        "Correct the row",
    ),
    "thousands": (
        join(DAYS.strftime("%Y-%m-%d"), ["12k"] * 60, names="date,v"),
        replace("12k", "12100"),
        "in full",
    ),
    "a unit in some rows": (
        DAILY.replace("0.5\n", "0.5 kg\n"),
        replace(" kg", ""),
        "Correct the row",
    ),
    "a total of each year": (
        join([*MONTHS.year, 2018], [*MONTHS.strftime("%b"), "Total"], VALUES, names="Year,Month,v")
        + "2019,Jan,5\n",
        lambda content: re.sub("2018,Total,.*\n", "", content),
        "Correct the row",
    ),
    "a short name of a zone": (
        join(HOURS.strftime("%Y-%m-%d %H:%M CET"), VALUES, names="time,v"),
        replace(" CET", ""),
        "leave out the short name of the zone",
    ),
}


@pytest.mark.parametrize(("content", "repair", "advice"), WORDS.values(), ids=WORDS)
def test_advice_of_an_error_leads_on(
    content: str, repair: Callable[[str], str], advice: str, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    before = refuse(path, [])
    assert advice in before
    path.write_text(repair(content))
    assert len(read(path, [])) > 40


@pytest.mark.parametrize("name", ["Month", "Hour", "Quarter", "Day", "Time"])
def test_no_part_of_a_time_is_named_as_series(name: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    cells = [f"{hour:02d}:00" for hour in HOURS.hour] if name == "Time" else HOURS.hour % 4 + 1
    path.write_text(join(HOURS.year, cells, VALUES, names=f"Year,{name},v"))
    message = name_options(read_or_refuse(path))
    assert f"id={name}" not in message
    assert "--id, such as" not in message
