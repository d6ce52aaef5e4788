"""Breaks of level, unit and sign: how many are found, false alarms on series without one, and forecasts after them.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/breaks.py [found alarms forecasts real speed]

`found`: planted breaks at 30 to 95 % of a series. `alarms`: breaks found in real and in generated series without one.
`forecasts`: the error after a planted break, over that of the seasonal naive method on the values after it. `real`: the
error on real series with an alarm, over that with breaks=keep. `speed`: processor time of a large panel.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.preparation.breaks import find_breaks

RATIOS = {"x 10": 10.0, "x 1000": 1000.0, "/ 10": 0.1, "/ 1000": 0.001, "sign": -1.0}
DEVIATIONS = {
    "+20 deviations": 20.0,
    "+10 deviations": 10.0,
    "-10 deviations": -10.0,
    "+5 deviations": 5.0,
}
STRETCHES = {"stretch x 10": 10.0, "stretch / 1000": 0.001}
BREAKS = [*RATIOS, *STRETCHES, *DEVIATIONS]
HORIZONS = {7: 14, 12: 12, 24: 24, 1: 10, 4: 4}
# The steps that have a season; whole numbers have none.
FREQUENCIES = {7: "D", 12: "MS", 24: "h", 4: "QS"}

Series = tuple[np.ndarray, int]


def draw_week(random: np.random.Generator) -> Series:
    steps = np.arange(random.integers(150, 800))
    return 100 + random.normal(0, 15, 7)[steps % 7] + random.normal(
        0, random.uniform(3, 10), len(steps)
    ), 7


def draw_year(random: np.random.Generator) -> Series:
    steps = np.arange(random.integers(60, 240))
    season = random.normal(0, 0.15, 12)[steps % 12] + random.normal(0, 0.05, len(steps))
    return (200 + random.uniform(-0.3, 0.8) * steps) * np.exp(season), 12


def draw_hour(random: np.random.Generator) -> Series:
    steps = np.arange(random.integers(500, 1500))
    return 50 + random.normal(0, 12, 24)[steps % 24] + random.normal(0, 4, len(steps)), 24


def draw_walk(random: np.random.Generator) -> Series:
    return 500 + np.cumsum(random.normal(0, 3, random.integers(150, 800))), 1


def draw_lognormal(random: np.random.Generator) -> Series:
    steps = np.arange(random.integers(150, 800))
    return np.exp(4 + random.normal(0, 0.3, 7)[steps % 7] + random.normal(0, 0.5, len(steps))), 7


def draw_counts(random: np.random.Generator) -> Series:
    return random.poisson(random.uniform(4, 30), random.integers(150, 800)).astype(float), 7


def draw_cold(random: np.random.Generator) -> Series:
    steps = np.arange(random.integers(300, 1500))
    noise = pd.Series(random.normal(0, 3, len(steps))).ewm(alpha=0.5).mean().to_numpy()
    return 10 - 12 * np.cos(2 * np.pi * steps / 365.25) + noise, 7


def draw_trend(random: np.random.Generator) -> Series:
    steps = np.arange(random.integers(40, 120))
    return 50 * np.exp(random.uniform(-0.01, 0.02) * steps + random.normal(0, 0.05, len(steps))), 4


def draw_intermittent(random: np.random.Generator) -> Series:
    size = random.integers(100, 800)
    return random.poisson(random.uniform(0.2, 4), size) * (
        random.random(size) < random.uniform(0.02, 0.4)
    ) * 1.0, 7


def draw_launch(random: np.random.Generator) -> Series:
    size = random.integers(100, 800)
    age = np.maximum(np.arange(size) - random.integers(10, size // 2), 0)
    return random.poisson(20 * (1 - np.exp(-age / random.uniform(5, 60)))).astype(float), 7


def draw_growth(random: np.random.Generator) -> Series:
    part = np.linspace(0, 1, random.integers(100, 800))
    return 10 * np.exp(np.log(20) * part + random.normal(0, 0.1, len(part))), 7


def draw_closed(random: np.random.Generator) -> Series:
    values, season = draw_week(random)
    values[np.arange(len(values)) % 7 == 6] = 0
    return values, season


def draw_holiday(random: np.random.Generator) -> Series:
    values, season = draw_week(random)
    start = random.integers(0, len(values) - 14)
    values[start : start + 10] *= 0.5
    return values, season


def draw_promotions(random: np.random.Generator) -> Series:
    values, season = draw_counts(random)
    values[random.random(len(values)) < 0.03] *= random.uniform(3, 8)
    return values, season


def draw_garch(random: np.random.Generator) -> Series:
    noise = random.normal(size=random.integers(100, 800))
    variance = 1.0
    values = np.zeros(len(noise))
    for step, one in enumerate(noise):
        values[step] = np.sqrt(variance) * one
        variance = 0.05 + 0.9 * variance + 0.05 * values[step] ** 2
    return values, 5


Draw = Callable[[np.random.Generator], Series]
USUAL: tuple[Draw, ...] = (
    draw_week,
    draw_year,
    draw_hour,
    draw_walk,
    draw_lognormal,
    draw_counts,
    draw_cold,
    draw_trend,
)
OTHERS: tuple[Draw, ...] = (
    draw_intermittent,
    draw_launch,
    draw_growth,
    draw_closed,
    draw_holiday,
    draw_promotions,
    draw_garch,
)


def plant(values: np.ndarray, name: str, place: int) -> np.ndarray:
    """Return the series with a break; a deviation is that of the changes over a step, over the root of 2."""
    broken = values.copy()
    if name in RATIOS:
        broken[place:] *= RATIOS[name]
    elif name in STRETCHES:
        broken[place - max(6, len(values) // 8) : place] *= STRETCHES[name]
    else:
        broken[place:] += DEVIATIONS[name] * np.std(np.diff(values)) / np.sqrt(2)
    return broken


def draw_broken(
    name: str, draw: Draw, random: np.random.Generator, num_after: int = 0
) -> tuple[np.ndarray, int, int]:
    """Return a series with a break, its season and the place of the break, at 30 to 95 % of all but the last values."""
    values, season = draw(random)
    place = int((len(values) - num_after) * random.uniform(0.3, 0.95))
    return plant(values, name, place), season, place


def is_found(values: np.ndarray, season: int, place: int) -> bool:
    breaks = find_breaks([values], season)[0]
    return any(abs(one.place - place) <= max(3, 0.02 * len(values)) for one in breaks)


def measure_found(seeds: int) -> None:
    print(
        "| break | "
        + " | ".join(draw.__name__.removeprefix("draw_") for draw in USUAL)
        + " | all |"
    )
    for name in BREAKS:
        shares = []
        for draw in USUAL:
            trials = [
                draw_broken(name, draw, np.random.default_rng(seed)) for seed in range(4 * seeds)
            ]
            shares.append(np.mean([is_found(*trial) for trial in trials]))
        print(
            f"| {name} | "
            + " | ".join(f"{share:.2f}" for share in shares)
            + f" | {np.mean(shares):.2f} |"
        )


def list_real() -> Iterator[tuple[str, np.ndarray, int]]:
    """Yield name, values and season of the real series."""
    folder = Path(os.environ["RNN_DATA"]) / "series"
    for name, row in pd.read_csv(folder / "M4-Hourly-train.csv").set_index("V1").iterrows():
        yield f"M4 {name}", row.dropna().to_numpy(float), 24
    tourism = pd.read_csv(folder / "tourism_monthly_long.csv")
    for name, rows in tourism.groupby(tourism.columns[0], sort=False):
        yield f"Tourism {name}", rows["value"].to_numpy(float), 12
    jena = pd.read_csv(folder / "jena_climate_2009_2016_hourly.csv")
    times = pd.to_datetime(jena.pop(jena.columns[0]), format="%d.%m.%Y %H:%M:%S")
    daily = jena.replace(-9999, np.nan).groupby(times.dt.date).mean().interpolate()
    for name in daily:
        yield f"Jena {name}", daily[name].to_numpy(float), 7
    hourly = pd.read_csv(folder / "ETTh1.csv")
    for name in hourly.columns[1:]:
        yield f"ETTh1 {name}", hourly[name].to_numpy(float), 24
    melbourne = pd.read_csv(folder / "daily-min-temperatures.csv").iloc[:, 1]
    yield "Melbourne", pd.to_numeric(melbourne, errors="coerce").dropna().to_numpy(float), 7
    yield "sunspots", pd.read_csv(folder / "monthly-sunspots.csv").iloc[:, 1].to_numpy(float), 12


def measure_alarms(seeds: int) -> None:
    found = [name for name, values, season in list_real() if find_breaks([values], season)[0]]
    print(f"real series: {len(found)} of {len(list(list_real()))}: {', '.join(found)}")
    for draw in (*USUAL, *OTHERS):
        trials = [draw(np.random.default_rng(1000 + seed)) for seed in range(40 * seeds)]
        num_alarms = sum(bool(find_breaks([values], season)[0]) for values, season in trials)
        print(f"{draw.__name__.removeprefix('draw_')}: {num_alarms} of {len(trials)}")


def forecast(values: np.ndarray, season: int, breaks: str) -> np.ndarray:
    """Return the forecasts of the ensemble without networks that are trained on the series."""
    times: Any = np.arange(len(values))
    if season in FREQUENCIES:
        times = pd.date_range("1900-01-01", periods=len(values), freq=FREQUENCIES[season])
    frame = pd.DataFrame({"ds": times, "y": values})
    model = Forecaster(h=HORIZONS[season], networks="pretrained", level=None, breaks=breaks)
    return model.fit(frame).predict().iloc[:, -1].to_numpy()


def print_ratios(name: str, ratios: list[float], limit: float) -> None:
    values = np.array(ratios)
    mean = np.exp(np.log(np.maximum(values, 1e-9)).mean())
    share = np.mean(values <= limit)
    rates = f"geometric mean {mean:.3f}, at most {limit} in {share:.1%}, worst {values.max():.2f}"
    print(f"{name}: {len(values)} forecasts, {rates}")


def measure_forecasts(seeds: int) -> None:
    """Print the errors over that of the seasonal naive method on the values after the break."""
    ratios: dict[str, list[float]] = {"auto": [], "keep": []}
    for name in BREAKS:
        for number, draw in enumerate(USUAL):
            random = np.random.default_rng([7, number, BREAKS.index(name), seeds])
            values, season, place = draw_broken(name, draw, random, 24)
            past = values[: -HORIZONS[season]]
            actual = values[-HORIZONS[season] :]
            if not is_found(past, season, place):
                continue
            after = past[place:]
            naive = after[-season:] if len(after) >= season else after[-1:]
            error = np.abs(np.resize(naive, len(actual)) - actual).mean()
            for policy, found in ratios.items():
                found.append(float(np.abs(forecast(past, season, policy) - actual).mean() / error))
    for policy, found in ratios.items():
        print_ratios(f"breaks={policy}", found, 1.2)


def measure_real(seeds: int) -> None:
    """Print the errors on real series with an alarm, up to six ends of each, over those with breaks=keep."""
    found = []
    for name, values, season in list_real():
        horizon = HORIZONS[season]
        for part in np.linspace(0.6, 1, 6):
            stop = min(int(part * len(values)), len(values) - horizon)
            past = values[max(0, stop - 2000) : stop]
            actual = values[stop : stop + horizon]
            if find_breaks([past], season)[0]:
                errors = [
                    np.abs(forecast(past, season, policy) - actual).mean()
                    for policy in ("auto", "keep")
                ]
                found.append(float((errors[0] + 1e-9) / (errors[1] + 1e-9)))
                print(f"  {name} up to {stop}: {found[-1]:.3f}", flush=True)
    print_ratios("real series with an alarm", found, 1.6)


def measure_speed(seeds: int) -> None:
    series = list(100 + np.random.default_rng(0).normal(0, 10, (100_000, 100)))
    started = time.process_time()
    find_breaks(series, 7)
    print(f"100,000 series of 100 values: {time.process_time() - started:.1f} processor seconds")


MEASURES = {
    "found": measure_found,
    "alarms": measure_alarms,
    "forecasts": measure_forecasts,
    "real": measure_real,
    "speed": measure_speed,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("measures", nargs="*", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    for chosen in given.measures:
        MEASURES[chosen](given.seeds)
