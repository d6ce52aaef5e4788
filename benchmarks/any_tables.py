"""Honest tables of every kind, from fixed seeds: what a user may pass to `Forecaster().fit` without an argument.

`TABLES` has all by name; each function makes at most `most` rows, or a few if it has one shape only. "Honest" means
that a person would know what to forecast, so that a refusal is a fault.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from own_files import KINDS
from vega_datasets import local_data

from rnn_pipelines.console.forecast import forecast, read_spec
from rnn_pipelines.console.settings import parse_settings
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec


@dataclass(frozen=True)
class Table:
    """A table, and what is known of it.

    Attributes:
        frame: as a user has it.
        columns: of `source`, if they have other names than `unique_id`, `ds` and `y`.
        num_series: series that need a forecast.
        is_nonnegative: whether forecasts and bounds below 0 are wrong, because no value is below 0.
    """

    frame: pd.DataFrame
    columns: dict[str, Any] = field(default_factory=dict)
    num_series: int = 1
    is_nonnegative: bool = False


Draw = Callable[[np.random.Generator, int], Table]
TABLES: dict[str, Draw] = {}
Random = np.random.Generator


def add_table(draw: Draw) -> Draw:
    """Add a function to `TABLES`, by its name."""
    TABLES[draw.__name__] = draw
    return draw


def draw_values(rng: Random, size: int, season: int = 1, trend: float = 0.2) -> np.ndarray:
    """Return a level of about 100 that wanders, with a trend and a season of one fifth: float64[time], above 0."""
    steps = np.arange(size)
    level = (
        100
        + trend * np.minimum(steps, 500)
        + rng.normal(0, 1, size).cumsum() * min(1, 30 / size**0.5)
    )
    return np.maximum(
        level * (1 + 0.2 * np.sin(2 * np.pi * steps / season)) + rng.normal(0, 3, size), 1
    )


def draw_series(rng: Random, times: pd.DatetimeIndex, season: int = 1) -> Table:
    """Return one series, which is never negative, at these times."""
    return Table(
        pd.DataFrame({"ds": times, "y": draw_values(rng, len(times), season)}), is_nonnegative=True
    )


def draw_panel(rng: Random, lengths: list[int], freq: str, season: int) -> pd.DataFrame:
    """Return series that end together, each of its own length: `unique_id, ds, y`."""
    times = pd.date_range("2020-01-01", periods=max(lengths), freq=freq)
    parts = [
        pd.DataFrame(
            {
                "unique_id": f"shop {number:04d}",
                "ds": times[-size:],
                "y": draw_values(rng, size, season),
            }
        )
        for number, size in enumerate(lengths)
    ]
    return pd.concat(parts, ignore_index=True)


# Frequencies and lengths: first time, rows, alias of pandas, steps in a season.
REGULAR: dict[str, tuple[str, int, str, int]] = {
    "years_12": ("2010", 12, "YS", 1),
    "quarters_40": ("2010", 40, "QS", 4),
    "months_3": ("2020", 3, "MS", 12),
    "months_10": ("2020", 10, "MS", 12),
    "months_24": ("2020", 24, "MS", 12),
    "months_60": ("2020", 60, "MS", 12),
    "month_ends": ("2010", 130, "ME", 12),
    "weeks_80": ("2020", 80, "W-SUN", 52),
    "weeks_300": ("2015", 300, "W-MON", 52),
    "days_20": ("2023-03-01", 20, "D", 7),
    "days_60": ("2023-03-01", 60, "D", 7),
    "days_1500": ("2019-03-01", 1500, "D", 7),
    "hours_720": ("2023-03-01", 720, "h", 24),
    "quarter_hours_3000": ("2023-01-02", 3000, "15min", 96),
    "minutes_200000": ("2023-01-02", 200_000, "min", 1440),
}


def _draw_regular(name: str, rng: Random, most: int) -> Table:
    start, size, freq, season = REGULAR[name]
    return draw_series(rng, pd.date_range(start, periods=min(size, most), freq=freq), season)


TABLES.update({name: partial(_draw_regular, name) for name in REGULAR})


@add_table
def years_on_2_july(rng: Random, most: int) -> Table:
    return draw_series(rng, pd.DatetimeIndex([f"{year}-07-02" for year in range(1980, 2020)]))


@add_table
def months_on_the_15th(rng: Random, most: int) -> Table:
    return draw_series(
        rng, pd.date_range("2010", periods=130, freq="MS") + pd.Timedelta(days=14), 12
    )


@add_table
def months_on_the_30th(rng: Random, most: int) -> Table:
    """The last day in February."""
    months = pd.date_range("2010", periods=130, freq="MS")
    return draw_series(
        rng, months + pd.to_timedelta(np.minimum(months.days_in_month, 30) - 1, unit="D"), 12
    )


@add_table
def days_without_sundays(rng: Random, most: int) -> Table:
    days = pd.date_range("2022-03-01", periods=500)
    return draw_series(rng, days[days.day_of_week < 6], 6)


@add_table
def hours_with_jitter(rng: Random, most: int) -> Table:
    """Up to 29 seconds before or after the hour."""
    table = draw_series(rng, pd.date_range("2023-03-01", periods=720, freq="h"), 24)
    return _rewrite(
        table, lambda times: times + pd.to_timedelta(rng.integers(-29, 30, 720), unit="s")
    )


@add_table
def half_hours_of_two_seasons(rng: Random, most: int) -> Table:
    """Days and weeks, as in the demand for electricity."""
    table = draw_series(rng, pd.date_range("2023-01-02", periods=min(4000, most), freq="30min"), 48)
    week = 1 + 0.15 * (table.frame["ds"].dt.dayofweek < 5)
    return Table(table.frame.assign(y=table.frame["y"] * week), is_nonnegative=True)


@add_table
def integer_steps(rng: Random, most: int) -> Table:
    return Table(
        pd.DataFrame({"ds": np.arange(1, 201), "y": draw_values(rng, 200)}), is_nonnegative=True
    )


# How times and numbers are written.


def _rewrite(table: Table, rewrite: Callable[[pd.Series], pd.Series]) -> Table:
    return replace(table, frame=table.frame.assign(ds=rewrite(table.frame["ds"])))


@add_table
def months_as_names(rng: Random, most: int) -> Table:
    """`Jan 1949`, as in AirPassengers."""
    table = draw_series(rng, pd.date_range("1949", periods=144, freq="MS"), 12)
    return _rewrite(table, lambda times: times.dt.strftime("%b %Y"))


@add_table
def days_as_names(rng: Random, most: int) -> Table:
    """`19-Jun-23`."""
    table = draw_series(rng, pd.date_range("2022-06-19", periods=400), 7)
    return _rewrite(table, lambda times: times.dt.strftime("%d-%b-%y"))


@add_table
def quarters_as_names(rng: Random, most: int) -> Table:
    """`2001Q1`."""
    table = draw_series(rng, pd.date_range("2001", periods=80, freq="QS"), 4)
    return _rewrite(table, lambda times: times.dt.to_period("Q").astype(str))


@add_table
def quarters_as_periods(rng: Random, most: int) -> Table:
    table = draw_series(rng, pd.date_range("2001", periods=80, freq="QS"), 4)
    return _rewrite(table, lambda times: times.dt.to_period("Q"))


@add_table
def hours_in_a_zone(rng: Random, most: int) -> Table:
    """Both changes of the clock are inside."""
    return draw_series(
        rng, pd.date_range("2023-03-01", "2023-11-30", freq="h", tz="Europe/Berlin")[:most], 24
    )


@add_table
def hours_with_offsets(rng: Random, most: int) -> Table:
    """Texts such as `2023-03-26 03:00:00+02:00`."""
    return _rewrite(hours_in_a_zone(rng, most), lambda times: times.astype(str))


@add_table
def prices_with_units(rng: Random, most: int) -> Table:
    """`1.234,50 €`, with a row that repeats another one and a total at the end."""
    frame = draw_series(rng, pd.date_range("2021-03-01", periods=400), 7).frame
    frame = pd.concat([frame, frame[50:51]])
    cells = [
        f"{10 * value:,.2f} €".translate(str.maketrans(",.", ".,"))
        for value in [*frame["y"], frame["y"].sum()]
    ]
    return Table(
        pd.DataFrame({"ds": [*frame["ds"].dt.strftime("%d.%m.%Y"), "Total"], "y": cells}),
        is_nonnegative=True,
    )


@add_table
def sentinels(rng: Random, most: int) -> Table:
    """-999 stands for a missing value; no other is below 0."""
    table = draw_series(rng, pd.date_range("2021-03-01", periods=700), 7)
    return Table(
        table.frame.assign(y=table.frame["y"].mask(rng.random(700) < 0.03, -999)),
        is_nonnegative=True,
    )


@add_table
def integer_ids(rng: Random, most: int) -> Table:
    panel = draw_panel(rng, [200] * 10, "D", 7)
    return Table(
        panel.assign(unique_id=panel["unique_id"].str[-4:].astype(int)),
        num_series=10,
        is_nonnegative=True,
    )


@add_table
def excel_with_title_and_footer(rng: Random, most: int) -> Table:
    table = draw_series(rng, pd.date_range("2010", periods=130, freq="MS"), 12).frame
    rows = [["Sales of all shops", None], ["in thousands", None], [None, None], ["Month", "Sales"]]
    rows += [
        [time.to_pydatetime(), round(value, 1)]
        for time, value in zip(table["ds"], table["y"], strict=True)
    ]
    rows += [[None, None], ["Total", round(table["y"].sum(), 1)], ["Source: the accounts", None]]
    path = Path(__file__).parent / ".data/sales.xlsx"
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_excel(path, header=False, index=False)
    frame = read_source(SourceSpec(path=str(path), time="Month", target="Sales"))
    return Table(frame, is_nonnegative=True)


@add_table
def wide_months(rng: Random, most: int) -> Table:
    """A column for each series."""
    times = pd.date_range("2010", periods=130, freq="MS")
    shops = {f"shop {number}": draw_values(rng, 130, 12) for number in range(6)}
    return Table(pd.DataFrame({"month": times, **shops}), {"time": "month"}, 6, is_nonnegative=True)


# Gaps and kinds of values.


def _number_days(values: np.ndarray) -> Table:
    return Table(
        pd.DataFrame({"ds": pd.date_range("2021", periods=len(values)), "y": values}),
        is_nonnegative=True,
    )


@add_table
def days_with_gaps(rng: Random, most: int) -> Table:
    """One row of ten is missing, another one of ten has no value."""
    frame = draw_series(rng, pd.date_range("2021-03-01", periods=700), 7).frame
    frame = frame.assign(y=frame["y"].mask(rng.random(700) < 0.1))
    return Table(frame[rng.random(700) >= 0.1], is_nonnegative=True)


@add_table
def business_days_with_holidays(rng: Random, most: int) -> Table:
    times = pd.bdate_range("2020-01-01", periods=800)
    is_holiday = (rng.random(800) < 0.03) | ((times.month == 12) & (times.day > 23))
    return draw_series(rng, times[~is_holiday], 5)


@add_table
def constant(rng: Random, most: int) -> Table:
    return _number_days(np.full(200, 5.0))


@add_table
def constant_in_a_panel(rng: Random, most: int) -> Table:
    panel = draw_panel(rng, [200] * 6, "D", 7)
    panel = panel.assign(y=panel["y"].mask(panel["unique_id"] == "shop 0003", 7.0))
    return Table(panel, num_series=6, is_nonnegative=True)


@add_table
def zeros_70_percent(rng: Random, most: int) -> Table:
    sales = np.where(rng.random(500) < 0.3, 1 + rng.poisson(2, 500), 0)
    return _number_days(sales)


@add_table
def whole_counts(rng: Random, most: int) -> Table:
    rate = 4 + 2 * np.sin(2 * np.pi * np.arange(500) / 7)
    return _number_days(rng.poisson(rate))


@add_table
def drift_through_zero(rng: Random, most: int) -> Table:
    """A balance: negative values are honest here."""
    values = (0.3 + rng.normal(0, 2, 150)).cumsum() - 20
    return Table(pd.DataFrame({"ds": pd.date_range("2010", periods=150, freq="MS"), "y": values}))


@add_table
def change_of_level(rng: Random, most: int) -> Table:
    return _number_days(draw_values(rng, 400, 7) + 80 * (np.arange(400) > 330))


# Panels.


@add_table
def panel_with_new_series(rng: Random, most: int) -> Table:
    """The three newest series have 3, 10 and 20 days."""
    lengths = [400] * min(20, most // 400) + [3, 10, 20]
    return Table(draw_panel(rng, lengths, "D", 7), num_series=len(lengths), is_nonnegative=True)


@add_table
def panel_of_36_months(rng: Random, most: int) -> Table:
    return Table(draw_panel(rng, [36] * 30, "MS", 12), num_series=30, is_nonnegative=True)


@add_table
def panel_of_60_months(rng: Random, most: int) -> Table:
    return Table(draw_panel(rng, [60] * 60, "MS", 12), num_series=60, is_nonnegative=True)


@add_table
def panel_of_1000_series(rng: Random, most: int) -> Table:
    count = min(1000, most // 200)
    return Table(draw_panel(rng, [200] * count, "D", 7), num_series=count, is_nonnegative=True)


# Packaged tables: columns, series, and whether values below 0 are wrong.
PACKAGED: dict[str, tuple[dict[str, str], int, bool]] = {
    "seattle_weather": ({"time": "date", "target": "temp_max"}, 1, False),
    # Three sources of electricity in 17 years.
    "iowa_electricity": ({"time": "year", "target": "net_generation", "id": "source"}, 3, True),
    # Five shares in up to 123 months, one of them for 68.
    "stocks": ({"time": "date", "target": "price", "id": "symbol"}, 5, True),
    # 23 columns of 120 months; one of them has changes, which may be negative.
    "us_employment": ({"time": "month"}, 23, False),
}


def _load_packaged(name: str, rng: Random, most: int) -> Table:
    return Table(getattr(local_data, name)(), *PACKAGED[name])


TABLES.update({f"packaged_{name}": partial(_load_packaged, name) for name in PACKAGED})


def _read_own(kind: str, rng: Random, most: int) -> Table:
    """Return a file of `own_files.py` as the console reads it, with the options that its errors name."""
    folder = Path(__file__).parent / ".data"
    folder.mkdir(exist_ok=True)
    own = KINDS[kind](folder, rng)
    options = forecast.make_context("forecast", [str(own.path), *own.words, *own.more]).params
    source = read_spec(options.pop("file"), options, parse_settings(options.pop("settings"))).source
    frame = read_source(source)
    return Table(
        frame,
        num_series=frame["unique_id"].nunique(),
        is_nonnegative=bool((frame["y"].dropna() >= 0).all()),
    )


# A table of months as columns has to be turned first.
TABLES.update(
    {f"own_{kind}": partial(_read_own, kind) for kind in KINDS if kind != "months_as_columns"}
)
