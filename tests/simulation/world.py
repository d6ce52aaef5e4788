"""The data of a simulated world: three series with a season and noise, and deliveries that go wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

SHOPS = ("a", "b", "c")
NEW = "n"
# Steps before the first night.
NUM_BEFORE = 60
# Nights of a year, by the frequency of the series: each step has its night.
NIGHTS_PER_YEAR = {"MS": 12, "W-MON": 52, "D": 365}
FIRST = pd.Timestamp("2014-01-06")


def change_newest(table: pd.DataFrame, factor: float, shop: str = "b") -> pd.DataFrame:
    """Multiply the newest value of a series."""
    is_newest = table["day"] == table.loc[table["shop"] == shop, "day"].max()
    return table.assign(
        sales=table["sales"].where(~(is_newest & (table["shop"] == shop)), factor * table["sales"])
    )


def change_last(table: pd.DataFrame, factor: float, num_steps: int) -> pd.DataFrame:
    newest = table["day"].drop_duplicates().nlargest(num_steps)
    return table.assign(
        sales=table["sales"].where(~table["day"].isin(newest), factor * table["sales"])
    )


def leave_out(table: pd.DataFrame, shops: tuple[str, ...], num_steps: int) -> pd.DataFrame:
    newest = table["day"].drop_duplicates().nlargest(num_steps)
    return table[~(table["day"].isin(newest) & table["shop"].isin(shops))]


def leave_gap(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out two steps before the newest one."""
    days = table["day"].drop_duplicates().nlargest(3)[1:]
    return table[~table["day"].isin(days)]


# Faults of one night's delivery, by their names.
DELIVERIES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "late": lambda table: leave_out(table, SHOPS, 1),
    "late series": lambda table: leave_out(table, ("a",), 1),
    "thousandfold value": lambda table: change_newest(table, 1000),
    "other unit": lambda table: table.assign(sales=1000 * table["sales"]),
    "negative value": lambda table: change_newest(table, -1),
    "missing series": lambda table: table[table["shop"] != "a"],
    "cut": lambda table: table[table["day"] >= table["day"].iloc[len(table) // 6]],
    "withdrawn": lambda table: leave_out(table, SHOPS, 12),
    "other zone": lambda table: table.assign(day=table["day"] + pd.Timedelta(hours=6)),
    "written zone": lambda table: table.assign(day=table["day"].astype(str) + "T00:00:00+02:00"),
    "delivered twice": lambda table: pd.concat([table, table.tail(4)]),
    "contradicting": lambda table: pd.concat([table, change_last(table, 1.1, 1).tail(2)]),
    "shuffled": lambda table: table.sample(frac=1, random_state=0),
    "empty": lambda table: table[:0],
    "texts": lambda table: table.assign(
        sales=table["sales"].astype(str).where(table["shop"] != "c", "n/a")
    ),
    "other names": lambda table: table.assign(shop=table["shop"] + "-eu"),
    "other column": lambda table: table.rename(columns={"sales": "turnover"}),
    "one series": lambda table: table[table["shop"] == "b"],
}
# Faults that stay.
LASTING: dict[str, Callable[[pd.DataFrame, pd.Timestamp], pd.DataFrame]] = {
    "revised": lambda table, day: table.assign(
        sales=table["sales"].where(table["day"] != day, 1.05 * table["sales"])
    ),
    "gap": lambda table, day: table[table["day"] != day],
    "dying series": lambda table, day: table[(table["shop"] != "c") | (table["day"] < day)],
    "new series": lambda table, day: table,
}


@dataclass
class World:
    """The values of a seed.

    Attributes:
        seed: of the values.
        freq: of the series, a pandas offset alias.
        lasting: the faults that stay, each with the day from which it is in the deliveries.
    """

    seed: int
    freq: str = "MS"
    lasting: list[tuple[str, pd.Timestamp]] = field(default_factory=list)

    @cached_property
    def days(self) -> pd.DatetimeIndex:
        return pd.date_range(FIRST, periods=NUM_BEFORE + 4000, freq=self.freq)

    @cached_property
    def values(self) -> Mapping[str, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        week = np.resize([0, 1, 2, 3, 4, 9, 9, 4, 3, 2, 1, 0], len(self.days))
        return {
            shop: np.round(40 + 10 * place + week + 2 * rng.normal(size=len(self.days)), 3)
            for place, shop in enumerate((*SHOPS, NEW))
        }

    def find_day(self, night: int) -> pd.Timestamp:
        """The newest day of a night's delivery."""
        return self.days[NUM_BEFORE + night]

    def deliver(self, night: int, faults: tuple[str, ...] = ()) -> pd.DataFrame:
        """The table of a night, with the faults of the night and those that stay."""
        num_days = NUM_BEFORE + night + 1
        is_there = any(name == "new series" for name, _ in self.lasting)
        shops = (*SHOPS, NEW) if is_there else SHOPS
        table = pd.concat(
            [
                pd.DataFrame(
                    {
                        "shop": shop,
                        "day": self.days[:num_days],
                        "sales": self.values[shop][:num_days],
                    }
                )
                for shop in shops
            ],
            ignore_index=True,
        )
        table["price"] = np.round(10 + np.sin(np.arange(len(table))), 3)
        for name, day in self.lasting:
            table = LASTING[name](table, day)
        for name in faults:
            table = DELIVERIES[name](table)
        return table
