"""Do the intervals of sums over series hold? Sums of 1, 5, 20 and 100 series, at each step and over the horizon.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/totals.py [--only tourism] [--origins 10]

Each panel is fitted at several origins, one horizon apart, with `Forecaster(networks="pretrained")`; nothing after an
origin is read. At each, sample paths of the same random sets of series are added, and their quantiles are compared with
the sum of the actual values. One line a panel: the share of sums inside, and the width of the intervals over that of a
normal distribution of the sum's own errors at all origins.
"""

import argparse
import logging
import os
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.interface import Forecaster

NUM_PATHS = 300
NUM_SERIES = (1, 5, 20, 100)
# Random sets of series at each origin; of one series, more.
NUM_SETS, NUM_SINGLE = 40, 100
LEVELS = (80, 95)


def read_tourism(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "series/tourism_monthly_long.csv")
    months = pd.to_datetime(table["month"])
    return pd.DataFrame({"unique_id": table["series"], "ds": months, "y": table["value"]})


def read_m4_hourly(folder: Path) -> pd.DataFrame:
    """Return the newest 700 hours of every second series of M4 Hourly, without its test file."""
    table = pd.read_csv(folder / "series/M4-Hourly-train.csv")
    rows = []
    for number in range(0, len(table), 2):
        values = table.iloc[number, 1:].dropna().to_numpy(float)[-700:]
        hours = pd.date_range("2020-01-01", periods=len(values), freq="h")
        rows.append(pd.DataFrame({"unique_id": f"H{number}", "ds": hours, "y": values}))
    return pd.concat(rows, ignore_index=True)


def draw_shops(_: Path) -> pd.DataFrame:
    """Return daily sales of 120 shops with weekdays of their own and common shocks and drift."""
    rng = np.random.default_rng(5)
    steps = np.arange(420)
    common = rng.normal(0, 0.01, len(steps)).cumsum() + rng.normal(0, 0.03, len(steps))
    rows = []
    for _shop in range(120):
        level = np.exp(rng.normal(4, 1))
        week = 1 + 0.3 * np.sin(2 * np.pi * (steps + rng.integers(7)) / 7)
        shocks = rng.uniform(0.3, 1.5) * common + rng.normal(0, 0.1, len(steps))
        rows.append(level * week * np.exp(shocks))
    return _stack(rows)


def draw_walks(_: Path) -> pd.DataFrame:
    """Return 120 independent random walks with noise."""
    rng = np.random.default_rng(6)
    return _stack(
        [100 + rng.normal(0, 1, 300).cumsum() + rng.normal(0, 2, 300) for _ in range(120)]
    )


def draw_stations(_: Path) -> pd.DataFrame:
    """Return daily temperatures of 60 stations with common weather that lasts for days."""
    rng = np.random.default_rng(7)
    steps = np.arange(900)
    weather = np.zeros(len(steps))
    for step in steps[1:]:
        weather[step] = 0.8 * weather[step - 1] + rng.normal(0, 1.5)
    season = 10 + 8 * np.sin(2 * np.pi * steps / 365)
    rows = [
        season + rng.uniform(0.5, 1.2) * weather + rng.normal(0, 1, len(steps)) for _ in range(60)
    ]
    return _stack(rows)


def _stack(rows: list[np.ndarray]) -> pd.DataFrame:
    days = pd.date_range("2023-01-01", periods=len(rows[0]))
    return pd.concat(
        [
            pd.DataFrame({"unique_id": f"s{number}", "ds": days, "y": values})
            for number, values in enumerate(rows)
        ],
        ignore_index=True,
    )


# The panels, and the horizon of each.
PANELS: dict[str, tuple[Callable[[Path], pd.DataFrame], int]] = {
    "tourism": (read_tourism, 12),
    "m4_hourly": (read_m4_hourly, 24),
    "shops": (draw_shops, 14),
    "walks": (draw_walks, 7),
    "stations": (draw_stations, 7),
}


def measure(table: pd.DataFrame, horizon: int, num_origins: int) -> pd.DataFrame:
    """Return `share` inside and `width`, by kind (step or horizon), level and number of series."""
    by_series = table.groupby("unique_id")
    to_end = by_series["ds"].transform("size") - 1 - by_series.cumcount()
    lengths = by_series.size()
    # Series that can be forecast at the oldest origin, so that a set is the same at all of them.
    names = lengths.index[lengths >= (num_origins + 4) * horizon]
    drawn = []
    actuals = []
    for number in range(1, num_origins + 1):
        past = table[to_end >= number * horizon]
        later = table[to_end.between((number - 1) * horizon, number * horizon - 1)]
        lengths = past.groupby("unique_id").size()
        past = past[past["unique_id"].isin(lengths.index[lengths >= 4 * horizon])]
        forecaster = Forecaster(h=horizon, networks="pretrained").fit(past)
        paths = forecaster.predict(paths=NUM_PATHS)
        order = pd.Index(paths["unique_id"].unique()).get_indexer(names)
        drawn.append(paths["y"].to_numpy(np.float32).reshape(-1, NUM_PATHS, horizon)[order])
        actual = later.groupby("unique_id")["y"].agg(np.array)
        actuals.append(np.stack([actual[name] for name in names]))
    rng = np.random.default_rng(0)
    rows = []
    for num_series in NUM_SERIES:
        if num_series <= len(names):
            for _ in range(NUM_SINGLE if num_series == 1 else NUM_SETS):
                members = rng.choice(len(names), num_series, replace=False)
                paths = np.stack([of_origin[members].sum(axis=0) for of_origin in drawn])
                actual = np.stack([of_origin[members].sum(axis=0) for of_origin in actuals])
                rows += _compare(num_series, paths, actual)
    columns = ["kind", "level", "num_series", "share", "width"]
    return pd.DataFrame(rows, columns=columns).groupby(columns[:3], sort=False).mean()


def _compare(
    num_series: int, paths: np.ndarray, actual: np.ndarray
) -> list[tuple[str, int, int, float, float]]:
    """Compare the sum of a set, float64[origin, step], with its paths, float[origin, path, step]."""
    rows = []
    of_horizon = paths.sum(axis=2, keepdims=True), actual.sum(axis=1, keepdims=True)
    for kind, (of_paths, of_actual) in (("step", (paths, actual)), ("horizon", of_horizon)):
        errors = of_actual - of_paths.mean(axis=1)
        deviation = np.sqrt((errors**2).mean(axis=0)).mean()
        for level in LEVELS:
            tail = (1 - level / 100) / 2
            low, high = np.quantile(of_paths, [tail, 1 - tail], axis=1)
            is_inside = float(((low <= of_actual) & (of_actual <= high)).mean())
            width = (high - low).mean() / (2 * NormalDist().inv_cdf(1 - tail) * deviation)
            rows.append((kind, level, num_series, is_inside, float(width)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=list(PANELS), choices=list(PANELS))
    parser.add_argument("--origins", type=int, default=10)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    print("| panel | sum over | level | 1 | 5 | 20 | 100 series |\n|---|---|---|---|---|---|---|")
    for name in given.only:
        read, horizon = PANELS[name]
        table = read(Path(os.environ["RNN_DATA"]))
        measured = measure(table, horizon, given.origins)
        cells = measured["share"].map("{:.3f}".format) + measured["width"].map(" ({:.2f})".format)
        unstacked = cells.unstack(fill_value="")
        for (kind, level), row in zip(unstacked.index, unstacked.to_numpy(), strict=True):
            print(f"| {name} | {kind} | {level} % | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
