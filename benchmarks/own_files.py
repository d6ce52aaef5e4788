"""Files as people have them, of sixteen kinds, and how `rnn-pipelines forecast` should read each of them.

`KINDS` has all by name. Names of columns and numbers depend on the generator, so that no file is like another one. The
tests of the console read all of them; `any_tables.py` has tables for Python.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

Random = np.random.Generator


@dataclass(frozen=True)
class OwnFile:
    """A file, and what the program should print.

    Attributes:
        path: of the file.
        words: options that its owner gives, at most `-y` and `--id`.
        line: a part of the printed line that names the columns.
        advice: a part of the error without `more`; empty if the file is read at once.
        more: options that the error names.
        warnings: parts of further lines.
    """

    path: Path
    line: str
    words: tuple[str, ...] = ()
    advice: str = ""
    more: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Write = Callable[[Path, Random], OwnFile]
KINDS: dict[str, Write] = {}


def add_kind(write: Write) -> Write:
    """Add a function to `KINDS`, by its name."""
    KINDS[write.__name__] = write
    return write


def draw_values(rng: Random, size: int, season: int) -> np.ndarray:
    """Return a level with a trend, a season and noise, all above 0: float64[time], with one decimal."""
    steps = np.arange(size)
    level = rng.uniform(80, 400)
    wave = np.sin(2 * np.pi * steps / season)
    return np.round(
        level * (1 + 0.1 * wave + 0.0002 * steps) + rng.normal(0, 0.03 * level, size), 1
    )


def _save(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    path = folder / name
    frame.to_csv(path, index=False)
    return path


def _draw_months(rng: Random, times: pd.DatetimeIndex, number: int) -> pd.DataFrame:
    """Return a wide table: `month`, and a column for each product."""
    products = {f"P-{place:02d}": draw_values(rng, len(times), 12) for place in range(number)}
    return pd.DataFrame({"month": times.strftime("%Y-%m"), **products})


@add_kind
def excel_under_titles(folder: Path, rng: Random) -> OwnFile:
    """A shop's daily sales under two title rows, with gaps and closed Sundays."""
    time = rng.choice(["Datum", "Day"])
    sales = rng.choice(["Umsatz", "Takings"])
    days = pd.date_range("2023-03-06", periods=300)
    days = days[(days.day_of_week < 6) & (rng.random(300) > 0.02)]
    rows: list[list[object]] = [
        ["Shop 4", None, None],
        ["in thousands", None, None],
        [time, sales, "Guests"],
    ]
    values = draw_values(rng, len(days), 6)
    guests = rng.integers(20, 90, len(days))
    rows += [
        [day.to_pydatetime(), *both]
        for day, *both in zip(days, values.tolist(), guests.tolist(), strict=True)
    ]
    path = folder / "shop.xlsx"
    pd.DataFrame(rows).to_excel(path, header=False, index=False)
    line = f"times from '{time}' (days), values from '{sales}', not read: 'Guests'"
    return OwnFile(
        path, line, (), f"Name one of ['{sales}', 'Guests'] in --target", ("-y", str(sales))
    )


@add_kind
def wide_months(folder: Path, rng: Random) -> OwnFile:
    """Twelve products by month."""
    path = _save(
        folder, "wide.csv", _draw_months(rng, pd.date_range("2018", periods=60, freq="MS"), 12)
    )
    line = "times from 'month' (months), a series in each of 12 columns: ['P-00', "
    return OwnFile(path, line, (), "looks wide: add --wide", ("--wide",))


@add_kind
def months_in_rows(folder: Path, rng: Random) -> OwnFile:
    """The same products as rows, each with a number."""
    table = _draw_months(rng, pd.date_range("2018", periods=60, freq="MS"), 12).melt(
        "month", value_name="qty"
    )
    table = table.assign(sku=table["variable"].str[-2:].astype(int) + int(rng.integers(1000, 9000)))
    path = _save(folder, "rows.csv", table[["sku", "month", "qty"]])
    line = "times from 'month' (months), values from 'qty', series by 'sku'"
    return OwnFile(path, line, ("-y", "qty"), "--id=sku", ("--id", "sku"))


@add_kind
def months_as_columns(folder: Path, rng: Random) -> OwnFile:
    """A row for each product, whose number increases."""
    months = pd.date_range("2019", periods=48, freq="MS")
    rows = {int(number): draw_values(rng, 48, 12) for number in 500 + np.arange(9)}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=months.strftime("%b %Y"))
    path = _save(folder, "turned.csv", table.rename_axis("Product").reset_index())
    line = "times from 'ds' (months), a series in each of 9 columns: ['500', "
    advice = "In pandas: table.set_index('Product').T.rename_axis('ds').to_csv('turned.csv')"
    return OwnFile(path, line, (), advice, ("--wide",))


@add_kind
def quarters(folder: Path, rng: Random) -> OwnFile:
    """`1998-Q1`."""
    times = pd.period_range("1998Q1", periods=int(rng.integers(70, 100)), freq="Q")
    frame = pd.DataFrame(
        {"quarter": times.strftime("%Y-Q%q"), "gdp": draw_values(rng, len(times), 4)}
    )
    return OwnFile(
        _save(folder, "gdp.csv", frame), "times from 'quarter' (quarters), values from 'gdp'"
    )


@add_kind
def german_export(folder: Path, rng: Random) -> OwnFile:
    """Semicolons, decimal commas and cp1252."""
    days = pd.date_range("2022-03-01", periods=300).strftime("%d.%m.%Y")
    cells = [
        f"{12 * value:,.2f}".translate(str.maketrans(",.", ".,"))
        for value in draw_values(rng, 300, 7)
    ]
    path = folder / "erlöse.csv"
    frame = pd.DataFrame({"Tag": days, "Erlös (€)": cells, "Währung": "EUR"})
    frame.to_csv(path, index=False, sep=";", encoding="cp1252")
    return OwnFile(path, "times from 'Tag' (days), values from 'Erlös (€)', not read: 'Währung'")


def _draw_load(rng: Random) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Return hours over both changes of the clock."""
    times = pd.date_range(
        "2023-03-10", "2023-11-05", freq="h", tz="Europe/Berlin", inclusive="left"
    )
    return times, draw_values(rng, len(times), 24)


@add_kind
def hours_with_offsets(folder: Path, rng: Random) -> OwnFile:
    times, load = _draw_load(rng)
    path = _save(
        folder,
        "offsets.csv",
        pd.DataFrame({"time": times.map(pd.Timestamp.isoformat), "load": load}),
    )
    return OwnFile(path, "times from 'time' (hours), values from 'load'", warnings=("--tz",))


@add_kind
def local_hours(folder: Path, rng: Random) -> OwnFile:
    times, load = _draw_load(rng)
    path = _save(folder, "local.csv", pd.DataFrame({"time": times.tz_localize(None), "load": load}))
    line = "times from 'time' (hours), values from 'load'"
    return OwnFile(path, line, (), "--tz, such as Europe/Berlin", ("--tz", "Europe/Berlin"))


@add_kind
def totals_row(folder: Path, rng: Random) -> OwnFile:
    months = pd.date_range("2019", periods=48, freq="MS").strftime("%Y-%m")
    sales = draw_values(rng, 48, 12)
    frame = pd.DataFrame({"Month": [*months, "Total"], "Sales": [*sales, sales.sum()]})
    path = _save(folder, "totals.csv", frame)
    return OwnFile(path, "times from 'Month' (months), values from 'Sales'", warnings=("'Total'",))


@add_kind
def numeric_id(folder: Path, rng: Random) -> OwnFile:
    """A number of each row, a date, a store, prices and units."""
    days = pd.date_range("2022-05-01", periods=150)
    stores = ["north", "south", "west"]
    size = len(days) * len(stores)
    numbers = np.arange(size) + int(rng.integers(1, 10**6))
    frame = pd.DataFrame({"id": numbers, "date": np.tile(days.strftime("%Y-%m-%d"), 3)})
    frame = frame.assign(
        store=np.repeat(stores, len(days)), temp_c=rng.normal(15, 4, size).round(1)
    )
    frame = frame.assign(
        price=rng.normal(3, 0.2, size).round(2), units=draw_values(rng, size, 7).round()
    )
    line = "times from 'date' (days), values from 'units', series by 'store', not read: 'id', 'temp_c', 'price'"
    return OwnFile(
        _save(folder, "sales.csv", frame), line, ("-y", "units"), "--id=store", ("--id", "store")
    )


@add_kind
def new_and_dead_series(folder: Path, rng: Random) -> OwnFile:
    days = pd.date_range("2022-01-01", periods=300)
    spans = {
        **{f"item {number}": (0, 300) for number in range(4)},
        "new": (280, 300),
        "dead": (0, 150),
    }
    parts = [
        pd.DataFrame(
            {"day": days[begin:stop], "item": name, "sold": draw_values(rng, stop - begin, 7)}
        )
        for name, (begin, stop) in spans.items()
    ]
    path = _save(folder, "panel.csv", pd.concat(parts))
    line = "times from 'day' (days), values from 'sold', series by 'item'"
    return OwnFile(path, line, ("--id", "item"), warnings=("(dead)", "--set source.dead=drop"))


@add_kind
def thirty_years(folder: Path, rng: Random) -> OwnFile:
    people = 1000 * 1.012 ** np.arange(30) + rng.normal(0, 4, 30)
    frame = pd.DataFrame({"year": np.arange(1994, 2024), "people": people.round(1)})
    return OwnFile(
        _save(folder, "people.csv", frame), "times from 'year' (years), values from 'people'"
    )


@add_kind
def five_minute_sensor(folder: Path, rng: Random) -> OwnFile:
    """Two long gaps and a stuck stretch."""
    times = pd.date_range("2024-01-01", periods=9_000, freq="5min")
    values = 20 + 5 * np.sin(2 * np.pi * np.arange(9_000) / 288) + rng.normal(0, 0.3, 9_000)
    values[6_000 : 6_000 + int(rng.integers(40, 90))] = values[6_000]
    is_kept = np.ones(9_000, bool)
    is_kept[2_000:2_600] = is_kept[4_000:4_500] = False
    frame = pd.DataFrame({"timestamp": times, "value": values.round(3)})[is_kept]
    line = "times from 'timestamp' (every 5 minutes), values from 'value'"
    warnings = ("2 gaps longer than the horizon", "1 stretch of 20 or more equal values")
    return OwnFile(_save(folder, "sensor.csv", frame), line, warnings=warnings)


@add_kind
def stock_in_us_dates(folder: Path, rng: Random) -> OwnFile:
    days = pd.bdate_range("2022-01-03", periods=300)
    close = (100 * np.exp(rng.normal(0, 0.01, 300).cumsum())).round(2)
    frame = pd.DataFrame(
        {"Date": days.strftime("%m/%d/%Y"), "Open": close - 0.5, "Close": close, "Volume": 1000}
    )
    line = "times from 'Date' (business days), values from 'Close', not read: 'Open', 'Volume'"
    return OwnFile(
        _save(folder, "stock.csv", frame),
        line,
        (),
        "'Close', 'Volume'] in --target",
        ("-y", "Close"),
    )


@add_kind
def iso_weeks(folder: Path, rng: Random) -> OwnFile:
    """`2020-W02`."""
    weeks = pd.date_range("2020-01-06", periods=150, freq="W-MON").strftime("%G-W%V")
    frame = pd.DataFrame({"week": weeks, "orders": draw_values(rng, 150, 52)})
    return OwnFile(
        _save(folder, "orders.csv", frame), "times from 'week' (weeks), values from 'orders'"
    )


@add_kind
def intermittent_sales(folder: Path, rng: Random) -> OwnFile:
    days = pd.date_range("2023-01-01", periods=400)
    names = [f"sku{number:02d}" for number in range(20)]
    sales = np.where(rng.random(8_000) < 0.2, 1 + rng.poisson(2, 8_000), 0)
    frame = pd.DataFrame({"item": np.repeat(names, 400), "date": np.tile(days, 20), "sales": sales})
    line = "times from 'date' (days), values from 'sales', series by 'item'"
    return OwnFile(
        _save(folder, "intermittent.csv", frame), line, (), "--id=item", ("--id", "item")
    )


@add_kind
def temperatures_with_markers(folder: Path, rng: Random) -> OwnFile:
    """-999 stands for a missing value."""
    highest = draw_values(rng, 800, 365) / 10
    highest[rng.random(800) < 0.02] = -999
    frame = pd.DataFrame(
        {"date": pd.date_range("2020-03-01", periods=800), "tmax": highest.round(1)}
    )
    path = _save(folder, "temperatures.csv", frame)
    return OwnFile(path, "times from 'date' (days), values from 'tmax'", warnings=("of -999",))
