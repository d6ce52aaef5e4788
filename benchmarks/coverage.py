"""Coverage and Winkler score of 80 and 95 % intervals of the next values, by frequency and number of series.

    RNN_DATA=../shared/data .venv/bin/python benchmarks/coverage.py --out before.jsonl [case ...]
    .venv/bin/python benchmarks/coverage.py --show after.jsonl --against before.jsonl

The ensemble of simple methods is fitted with default settings on all known values of generated series (trends, seasons,
random walks, autoregression, changing variance) and of real ones at several origins. Test parts of other benchmarks
are part of the real series, so that constants were chosen on the generated ones.
"""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rnn_pipelines.errors import RnnPipelinesError
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.intervals.fitting import fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.predictions import tabulate_forecasts
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import OpenWindowSpec

SERIES = Path(os.environ.get("RNN_DATA", "../shared/data"), "series")
LEVELS = (80, 95)
KINDS = ("trend", "season", "walk", "autoregressive", "uneven")
FIRST_SEED = 100


class Period(NamedTuple):
    """Alias of pandas, steps in a season, steps ahead, and lengths of generated series."""

    freq: str
    season: int
    horizon: int
    lengths: tuple[int, ...]


PERIODS = {
    "years": Period("YS", 1, 3, (15, 25, 50)),
    "quarters": Period("QS", 4, 4, (20, 36, 80)),
    "months": Period("MS", 12, 12, (40, 72, 180)),
    "weeks": Period("W", 52, 8, (110, 170, 330)),
    "days": Period("D", 7, 14, (60, 150, 500)),
    "half-hours": Period("30min", 48, 48, (480, 960, 2400)),
}
# Draws by number of series, so that there are about as many series of each.
DRAWS = {1: 15, 2: 8, 10: 3, 50: 1}


class Task(NamedTuple):
    """Known values `unique_id, ds, y` and the next ones, float64[series, step], in the order of the names."""

    case: str
    draw: int
    season: int
    known: pd.DataFrame
    actual: np.ndarray


def draw_series(kind: str, size: int, season: int, random: np.random.Generator) -> np.ndarray:
    """Return a generated series: float64[time]."""
    steps = np.arange(size)
    noise = random.normal(size=size)
    profile = (
        random.normal(0, random.uniform(1, 4), season)[steps % season]
        if season > 1
        else np.zeros(size)
    )
    level = 100 * np.exp(random.normal())
    if kind == "trend":
        values = random.normal(0, 0.2) * steps * min(1.0, 30 / season) + 0.5 * profile + noise
    elif kind == "season":
        values = profile + noise + 0.05 * noise.cumsum()
    elif kind == "walk":
        values = noise.cumsum() + random.normal(0, 0.1) * steps + 0.5 * profile
    elif kind == "autoregressive":
        values = noise.copy()
        for step in range(1, size):
            values[step] += random_decay(kind, level) * values[step - 1]
        values += 0.5 * profile
    else:
        spread = np.exp(
            0.5 * np.sin(2 * np.pi * steps / max(20, 3 * season) + random.uniform(0, 6))
        )
        values = profile + spread * noise + 0.1 * noise.cumsum()
    return level * (1 + 0.03 * values)


def random_decay(kind: str, level: float) -> float:
    """Return an autoregressive coefficient between 0.3 and 0.95."""
    return 0.3 + 0.65 * (level % 1)


def generate(period: str, num_series: int) -> Iterator[Task]:
    """Yield panels of all kinds."""
    freq, season, horizon, lengths = PERIODS[period]
    for draw in range(DRAWS[num_series]):
        for place, length in enumerate(lengths):
            random = np.random.default_rng([FIRST_SEED + draw, num_series, length])
            tables = []
            actual = []
            for number in range(num_series):
                kind = KINDS[(number + draw + place) % len(KINDS)]
                values = draw_series(kind, length + horizon, season, random)
                times = pd.date_range("2010-01-03", periods=length, freq=freq)
                tables.append(
                    pd.DataFrame({"unique_id": f"s{number:02d}", "ds": times, "y": values[:length]})
                )
                actual.append(values[length:])
            yield Task(
                f"{period} x {num_series}", draw, season, pd.concat(tables), np.array(actual)
            )


def cut(
    case: str,
    table: pd.DataFrame,
    season: int,
    horizon: int,
    origins: int,
    known: int | None = None,
) -> Iterator[Task]:
    """Yield the panel as it was known at each origin; `known` rows of it, None for all."""
    back = table.groupby("unique_id").cumcount(ascending=False)
    sizes = table.groupby("unique_id")["y"].transform("size")
    for number in range(origins):
        end = (number + 1) * horizon
        own = table[(sizes > end + 3 * horizon) & (back < end + (known or len(table)))]
        places = back[own.index]
        actual = own[(places < end) & (places >= end - horizon)]
        yield Task(
            case, number, season, own[places >= end], actual["y"].to_numpy().reshape(-1, horizon)
        )


def read_tourism(freq: str | None) -> pd.DataFrame:
    table = pd.read_csv(SERIES / "tourism_monthly_long.csv", parse_dates=["month"])
    table = table.rename(columns={"series": "unique_id", "month": "ds", "value": "y"})[
        ["unique_id", "ds", "y"]
    ]
    if freq:
        bins = table.groupby(["unique_id", pd.Grouper(key="ds", freq=freq)])["y"]
        table = bins.sum()[bins.size() == (3 if freq == "QS" else 12)].reset_index()
    return table.sort_values(["unique_id", "ds"], ignore_index=True)


def melt(wide: pd.DataFrame) -> pd.DataFrame:
    wide.columns = [f"s{number:03d}" for number in range(wide.shape[1])]
    table = (
        wide.rename_axis("ds")
        .reset_index()
        .melt("ds", var_name="unique_id", value_name="y")
        .dropna()
    )
    return table.sort_values(["unique_id", "ds"], ignore_index=True)


def read_jena(freq: str) -> pd.DataFrame:
    hours = pd.read_csv(SERIES / "jena_climate_2009_2016_hourly.csv")
    times = pd.to_datetime(hours["Date Time"], format="%d.%m.%Y %H:%M:%S")
    kept = hours[["p (mbar)", "T (degC)", "rh (%)", "VPmax (mbar)", "rho (g/m**3)", "wv (m/s)"]]
    return melt(kept.set_index(times).resample(freq).mean().iloc[-1500:].interpolate())


def read_etth1(freq: str) -> pd.DataFrame:
    table = pd.read_csv(SERIES / "ETTh1.csv", parse_dates=["date"]).set_index("date")
    return melt(table.resample(freq).mean().iloc[-1500:])


def read_m4() -> pd.DataFrame:
    """Every eighth of 414 hourly series."""
    rows = pd.read_csv(SERIES / "M4-Hourly-train.csv").iloc[::8, 1:].to_numpy(np.float64)
    tables = []
    for number, values in enumerate(rows):
        own = values[~np.isnan(values)]
        times = pd.date_range(end="2020-01-31 23:00", periods=len(own), freq="h")
        tables.append(pd.DataFrame({"unique_id": f"s{number:03d}", "ds": times, "y": own}))
    return pd.concat(tables, ignore_index=True)


def read_single(file: str, freq: str, resampled: str) -> pd.DataFrame:
    table = pd.read_csv(SERIES / file)
    values = pd.to_numeric(table.iloc[:, 1].astype(str).str.replace("?", ""), errors="coerce")
    times = pd.to_datetime(table.iloc[:, 0])
    wide = values.set_axis(times).to_frame().asfreq(freq).interpolate()
    return melt(wide.resample(resampled).mean().iloc[1:-1])


def pick(table: pd.DataFrame, first: int, step: int) -> pd.DataFrame:
    names = table["unique_id"].unique()[first::step]
    return table[table["unique_id"].isin(names)].reset_index(drop=True)


def each(case: str, table: pd.DataFrame, step: int, *rest: Any) -> Iterator[Task]:
    """Yield some series one by one."""
    for name in table["unique_id"].unique()[::step]:
        yield from cut(case, table[table["unique_id"] == name].reset_index(drop=True), *rest)


REAL: dict[str, Callable[[], Iterator[Task]]] = {
    "tourism years": lambda: cut("tourism years", read_tourism("YS"), 1, 3, 2),
    "tourism quarters": lambda: cut("tourism quarters", pick(read_tourism("QS"), 0, 4), 4, 4, 4),
    "tourism months": lambda: cut("tourism months", pick(read_tourism(None), 0, 6), 12, 12, 4),
    "tourism 60 months": lambda: cut("tourism 60 months", pick(read_tourism(None), 1, 4), 12, 12, 4, 60),
    "tourism months x 2": lambda: cut("tourism months x 2", pick(read_tourism(None), 0, 190), 12, 12, 6),
    "tourism quarters x 1": lambda: each("tourism quarters x 1", read_tourism("QS"), 18, 4, 4, 2),
    "tourism years x 1": lambda: each("tourism years x 1", read_tourism("YS"), 9, 1, 3, 1),
    "tourism months x 1": lambda: each("tourism months x 1", read_tourism(None), 18, 12, 12, 1),
    "jena days": lambda: cut("jena days", read_jena("D"), 7, 14, 6),
    "jena weeks": lambda: cut("jena weeks", read_jena("W"), 52, 8, 4),
    "jena hours": lambda: cut("jena hours", read_jena("h"), 24, 24, 4, 1000),
    "etth1 days": lambda: cut("etth1 days", read_etth1("D"), 7, 14, 6),
    "etth1 days x 2": lambda: cut("etth1 days x 2", pick(read_etth1("D"), 0, 6), 7, 14, 8),
    "etth1 weeks x 2": lambda: cut("etth1 weeks x 2", pick(read_etth1("W"), 0, 6), 52, 8, 3),
    "etth1 hours": lambda: cut("etth1 hours", read_etth1("h"), 24, 24, 4, 1000),
    "m4 hours": lambda: cut("m4 hours", read_m4(), 24, 24, 3, 500),
    "melbourne days": lambda: cut("melbourne days", read_single("daily-min-temperatures.csv", "D", "D"), 7, 14, 10),
    "melbourne weeks": lambda: cut("melbourne weeks", read_single("daily-min-temperatures.csv", "D", "W"), 52, 8, 10),
    "sunspots months": lambda: cut("sunspots months", read_single("monthly-sunspots.csv", "MS", "MS"), 12, 12, 10),
    "sunspots years": lambda: cut("sunspots years", read_single("monthly-sunspots.csv", "MS", "YS"), 1, 3, 16),
}  # fmt: skip
GENERATED: dict[str, Callable[[], Iterator[Task]]] = {
    f"{period} x {size}": partial(generate, period, size) for period in PERIODS for size in DRAWS
}
CASES: dict[str, Callable[[], Iterator[Task]]] = {**GENERATED, **REAL}


def bound(task: Task) -> np.ndarray:
    """Return lower and upper bounds of the ensemble: float64[level, side, series, step]."""
    horizon = task.actual.shape[1]
    source = SourceSpec(name="catalog", id="unique_id", time="ds", target="y")
    recipe = Recipe(source=source, window=OpenWindowSpec(horizon=horizon))
    found = prepare_panel(read_source(source, task.known), recipe)
    data = prepare_fitting(found.windows, ForecastTrainingSpec())
    fitted, _ = fit_all_methods(data, {})
    intervals = fit_intervals(FittingData(found.windows, data.linear), fitted, LevelSpec(LEVELS))
    own = {ENSEMBLE: fitted[ENSEMBLE]}
    points = tabulate_forecasts(
        found.windows,
        found.features,
        found.scaler,
        forecast_methods(found.windows, data.linear, own),
        "future",
    )
    predictions = add_intervals(points, intervals, found.windows, found.scaler, "future")
    bounds = [predictions.get_bounds(ENSEMBLE, level).to_numpy().T for level in LEVELS]
    return np.array(bounds).reshape(len(LEVELS), 2, -1, horizon)


def measure(task: Task) -> list[dict[str, Any]]:
    """Return coverage and Winkler score, in units of the change of each series, by level and third of the horizon."""
    if not len(task.actual):
        return []
    started = time.process_time()
    try:
        bounds = bound(task)
    except RnnPipelinesError as error:
        print(f"{task.case} {task.draw}: {error}", file=sys.stderr)
        return []
    seconds = time.process_time() - started
    known = [own.to_numpy() for _, own in task.known.groupby("unique_id")["y"]]
    lags = [task.season if len(values) > 2 * task.season else 1 for values in known]
    changes = np.array(
        [np.abs(one[lag:] - one[:-lag]).mean() for one, lag in zip(known, lags, strict=True)]
    )
    seasons = float(np.median([len(values) for values in known]) / task.season)
    rows = []
    for level, (low, high) in zip(LEVELS, bounds, strict=True):
        outside = np.maximum(low - task.actual, 0) + np.maximum(task.actual - high, 0)
        score = (high - low + 200 / (100 - level) * outside) / np.maximum(changes, 1e-9)[:, None]
        is_in = np.where(np.isfinite(low), outside == 0, np.nan)
        parts = zip(np.array_split(is_in, 3, axis=1), np.array_split(score, 3, axis=1), strict=True)
        for third, (inside, own) in enumerate(parts):
            if np.isfinite(inside).any():
                found = {"coverage": float(np.nanmean(inside)), "winkler": float(np.nanmean(own))}
                key: dict[str, Any] = {"case": task.case, "draw": task.draw, "seasons": seasons}
                key["known"] = len(task.known) / len(known)
                rows.append({**key, "level": level, "third": third, **found, "seconds": seconds})
    return rows


def show(rows: pd.DataFrame, before: pd.DataFrame | None) -> Iterator[str]:
    """Yield a Markdown row for each case: coverage by level, by third of the horizon, and ratio of Winkler scores."""
    yield "| case | fits | 80 % | thirds of the horizon | 95 % | before: 80 % | 95 % | Winkler 80, 95 % |"
    yield "|---|---:|---:|---|---:|---:|---:|---|"
    key = ["draw", "third"]
    for case, own in rows.groupby("case", sort=False):
        levels = {level: some.set_index(key) for level, some in own.groupby("level")}
        cover = [
            f"{100 * levels[level]['coverage'].mean():.1f}" if level in levels else "–"
            for level in LEVELS
        ]
        thirds = " ".join(
            f"{100 * one:.0f}" for one in levels[80].groupby("third")["coverage"].mean()
        )
        cells = ["–", "–"]
        ratios = []
        if before is not None and (before["case"] == case).any():
            cells = []
            for level in LEVELS:
                old = before[(before["case"] == case) & (before["level"] == level)].set_index(key)
                cells.append(f"{100 * old['coverage'].mean():.1f}")
                logs = (
                    np.log(levels[level]["winkler"] / old["winkler"]).dropna()
                    if level in levels
                    else pd.Series([np.nan])
                )
                ratios.append(f"{np.exp(logs.mean()):.3f}")
        num = levels[80].index.get_level_values("draw").nunique()
        yield f"| {' | '.join([case, str(num), cover[0], thirds, cover[1], *cells, ', '.join(ratios) or '–'])} |"


def main() -> None:
    """Measures the cases that the command line names, or shows a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "cases", nargs="*", metavar="case", help=f"or their first letters: {', '.join(CASES)}"
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    parser.add_argument("--against", type=Path)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    if arguments.show is None:
        chosen = [
            case
            for case in CASES
            if not arguments.cases or any(case.startswith(one) for one in arguments.cases)
        ]
        rows = []
        for case in chosen:
            started = time.perf_counter()
            rows += [
                row
                for draw, task in enumerate(CASES[case]())
                for row in measure(task._replace(draw=draw))
            ]
            print(f"{case}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
            if arguments.out:
                arguments.out.write_text("".join(json.dumps(row) + "\n" for row in rows))
        table = pd.DataFrame(rows)
    else:
        table = pd.read_json(arguments.show, lines=True)
    before = pd.read_json(arguments.against, lines=True) if arguments.against else None
    print("\n".join(show(table, before)))


if __name__ == "__main__":
    main()
