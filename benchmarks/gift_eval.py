"""Long horizons of real series: settings of GIFT-Eval, the usual test part of ETTh1, and development sets.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/gift_eval.py [--methods alone pretrained default]
        [--settings "Jena, 48" ...] [--development | --etth1]

The forecasts of a setting start at non-overlapping windows at the end of its series. MASE and WQL (CRPS over the nine
quantiles) are over those of the seasonal naive forecast of the same windows; a row of geometric means ends the table.

Source: Aksu et al. (2024), GIFT-Eval, arXiv:2410.10393; windows and metrics as in its repository,
SalesforceAIResearch/gift-eval, `src/gift_eval/data.py`.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.intervals.quantiles import interpolate_levels
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.memory import MAX_VALUES
from rnn_pipelines.forecast.pretrained.network import LEVELS, find_past_length
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec

SERIES = Path(os.environ.get("RNN_DATA", "../shared/data"), "series")
QUANTILES = np.arange(1, 10) / 10
# Of the benchmark: part of the series in its windows, and the largest number of windows.
TEST_PART, MAX_WINDOWS = 0.1, 20
# Hours of ETTh1 before its usual test part, and hours of the test part.
ETTH1_KNOWN, ETTH1_TEST = 11_520, 2880
ETTH1_TRAINING = 8640
ETTH1_HORIZONS = (96, 336, 720)
JENA_YEAR = 366 * 24
LAST_YEAR = "Jena's last year"
ORIGINS_AT_ONCE = 64
SUNSPOTS_HORIZON = 60
# Of Jena, Melbourne and sunspots, before the test parts of all benchmarks.
DEVELOPMENT_PART = 0.7


class Setting(NamedTuple):
    """Series of one frequency, and the windows that are forecast.

    Attributes:
        name: of the set and its horizon.
        freq: pandas offset alias.
        season_length: steps that the methods of the project read as a season.
        lag: steps of the seasonal naive forecast, and of the denominator of MASE.
        horizon: steps.
        series: float64[time] each.
        backs: steps between the start of each window and the end of its series, the oldest window first.
    """

    name: str
    freq: str
    season_length: int
    lag: int
    horizon: int
    series: list[np.ndarray]
    backs: list[int]

    def read_past(self, back: int, num_values: int | None = None) -> np.ndarray:
        """Return the newest values before a window: float64[series, time], NaN before the first one."""
        past = [values[:-back] for values in self.series]
        longest = max(map(len, past))
        longest = min(longest, num_values or longest)
        rows = [
            np.pad(values[-longest:], (max(longest - len(values), 0), 0), constant_values=np.nan)
            for values in past
        ]
        return np.stack(rows)

    def read_actual(self, back: int) -> np.ndarray:
        """Return the values of a window: float64[series, horizon]."""
        return np.stack([values[len(values) - back :][: self.horizon] for values in self.series])


# From a setting to the quantiles of each window, float64[window, series, horizon, quantile].
Method = Callable[[Setting], np.ndarray]


def list_windows(num_values: int, horizon: int) -> list[int]:
    """Return how many steps before the end each window of the benchmark starts."""
    num_windows = min(max(1, int(np.ceil(TEST_PART * num_values / horizon))), MAX_WINDOWS)
    return [horizon * window for window in range(num_windows, 0, -1)]


def spread_windows(num_values: int, horizon: int) -> list[int]:
    """Return how many steps before the end windows start that are spread over the second half."""
    num_windows = min(max(1, num_values // 2 // horizon), MAX_WINDOWS)
    return (
        np.linspace(num_values // 2, horizon, num_windows).astype(int).tolist()
        if num_windows > 1
        else [horizon]
    )


def read_etth1() -> list[np.ndarray]:
    """Return the seven channels of hours."""
    return list(pd.read_csv(SERIES / "ETTh1.csv").iloc[:, 1:].to_numpy(float).T)


def read_jena() -> list[np.ndarray]:
    """Return the 14 channels of hours, without repeated times and marks of missing values, gaps interpolated."""
    table = pd.read_csv(SERIES / "jena_climate_2009_2016_hourly.csv")
    times = pd.to_datetime(table.pop("Date Time"), format="%d.%m.%Y %H:%M:%S")
    table = table.mask(table < -9000).set_index(times)
    table = table[~table.index.duplicated()].sort_index()
    hours = table.resample("h").first().interpolate().bfill()
    return list(hours.to_numpy(float).T)


def cut_test_parts(values: np.ndarray) -> np.ndarray:
    """Return the part for development."""
    return values[: int(DEVELOPMENT_PART * len(values))]


def average_days(series: list[np.ndarray]) -> list[np.ndarray]:
    """Return the means of whole days."""
    return [values[: len(values) // 24 * 24].reshape(-1, 24).mean(axis=1) for values in series]


def read_m4(has_test: bool) -> list[np.ndarray]:
    """Return the series of hours, with or without their test part of 48 hours."""
    parts = [pd.read_csv(SERIES / "M4-Hourly-train.csv").iloc[:, 1:]]
    if has_test:
        parts.append(pd.read_csv(SERIES / "M4-Hourly-test.csv").iloc[:, 1:])
    rows = np.concatenate([part.to_numpy(float) for part in parts], axis=1)
    return [values[~np.isnan(values)] for values in rows]


def list_hours_and_days(
    name: str, series: list[np.ndarray], list_starts: Callable[[int, int], list[int]]
) -> Iterator[Setting]:
    """Yield the settings of hours and days."""
    num_hours = len(series[0])
    for horizon in (48, 480, 720):
        yield Setting(
            f"{name}, {horizon} hours",
            "h",
            24,
            24,
            horizon,
            series,
            list_starts(num_hours, horizon),
        )
    days = average_days(series)
    yield Setting(f"{name}, 30 days", "D", 7, 1, 30, days, list_starts(len(days[0]), 30))


def list_settings() -> Iterator[Setting]:
    """Yield the nine settings of GIFT-Eval, and those of Jena's last year."""
    yield from list_hours_and_days("ETT1", read_etth1(), list_windows)
    yield Setting("M4, 48 hours", "h", 24, 24, 48, read_m4(True), [48])
    jena = read_jena()
    yield from list_hours_and_days("Jena", jena, list_windows)
    yield from list_hours_and_days(
        LAST_YEAR, [values[-JENA_YEAR:] for values in jena], list_windows
    )


def list_development() -> Iterator[Setting]:
    """Yield settings of data before the test parts of all benchmarks."""
    etth1 = [values[:ETTH1_KNOWN] for values in read_etth1()]
    yield from list_hours_and_days("ETTh1", etth1, spread_windows)
    jena = map(cut_test_parts, read_jena())
    yield from list_hours_and_days("Jena", list(jena), spread_windows)
    yield Setting("M4, 48 hours", "h", 24, 24, 48, read_m4(False), [48])
    days = cut_test_parts(
        pd.read_csv(SERIES / "daily-min-temperatures.csv")["Temp"].to_numpy(float)
    )
    for horizon in (14, 60, 120):
        backs = spread_windows(len(days), horizon)
        yield Setting(f"Melbourne, {horizon} days", "D", 7, 1, horizon, [days], backs)
    sunspots = cut_test_parts(
        pd.read_csv(SERIES / "monthly-sunspots.csv")["Sunspots"].to_numpy(float)
    )
    backs = spread_windows(len(sunspots), SUNSPOTS_HORIZON)
    yield Setting(
        f"sunspots, {SUNSPOTS_HORIZON} months", "MS", 12, 12, SUNSPOTS_HORIZON, [sunspots], backs
    )
    tourism = pd.read_csv(SERIES / "tourism_monthly_long.csv")
    months = [
        group["value"].to_numpy(float)
        for _, group in tourism[tourism["part"] == "train"].groupby("series")
    ]
    yield Setting("Tourism, 24 months", "MS", 12, 12, 24, months, [24])


def forecast_naive(setting: Setting) -> np.ndarray:
    """Forecast by the seasonal naive method, with normal intervals that widen with each season, as StatsForecast."""
    steps = np.arange(setting.horizon)
    found = []
    for back in setting.backs:
        past = setting.read_past(back)
        point = past[:, past.shape[1] - setting.lag + steps % setting.lag]
        deviation = np.sqrt(np.nanmean(find_changes(past, setting.lag) ** 2, axis=1))
        spread = deviation[:, None] * np.sqrt(1 + steps // setting.lag)
        found.append(point[:, :, None] + spread[:, :, None] * norm.ppf(QUANTILES))
    return np.stack(found)


def forecast_alone(setting: Setting) -> np.ndarray:
    """Forecast by the pretrained network of the package, with its own quantiles."""
    network = load_network(PretrainedSpec())
    num_values = find_past_length(setting.season_length, setting.horizon)
    found = []
    for back in setting.backs:
        past = setting.read_past(back, num_values)
        found.append(
            interpolate_quantiles(network.forecast(past, setting.season_length, setting.horizon))
        )
    return np.stack(found)


def interpolate_quantiles(quantiles: np.ndarray) -> np.ndarray:
    """Return the quantiles at `QUANTILES` of those at the levels of the network, along the normal distribution."""
    return interpolate_levels(quantiles, 200 * np.array(LEVELS) - 100, 200 * QUANTILES - 100)


def forecast_ensemble(setting: Setting, networks: str) -> np.ndarray:
    """Forecast by the ensemble that is fitted once, before the first window."""
    forecaster = Forecaster(h=setting.horizon, level=80, networks=networks)
    forecaster.fit(lay_out(setting, setting.backs[0]), verbose=False)
    found = []
    for back in setting.backs:
        table = forecaster.predict(
            lay_out(setting, back), quantiles=QUANTILES.tolist()
        ).sort_values(["unique_id", "ds"])
        quantiles = table.iloc[:, 2:].to_numpy()
        found.append(quantiles.reshape(len(setting.series), setting.horizon, len(QUANTILES)))
    return np.stack(found)


def lay_out(setting: Setting, back: int) -> pd.DataFrame:
    """Return the rows before a window, `unique_id, ds, y`; the series end together, and the longest starts in 2000."""
    longest = max(map(len, setting.series))
    parts = []
    for number, values in enumerate(setting.series):
        times = pd.date_range("2000-01-01", periods=longest - back, freq=setting.freq)[
            longest - len(values) :
        ]
        parts.append(pd.DataFrame({"unique_id": f"{number:04}", "ds": times, "y": values[:-back]}))
    return pd.concat(parts, ignore_index=True)


def find_changes(past: np.ndarray, lag: int) -> np.ndarray:
    """Return the changes over a season: float64[series, time]."""
    return past[:, lag:] - past[:, :-lag]


def measure_mase(setting: Setting, quantiles: np.ndarray) -> float:
    """Return the mean over windows, series and steps of the error of the median over the mean seasonal change."""
    found = []
    for back, forecast in zip(setting.backs, quantiles, strict=True):
        scale = np.nanmean(np.abs(find_changes(setting.read_past(back), setting.lag)), axis=1)[
            :, None
        ]
        errors = np.abs(setting.read_actual(back) - forecast[:, :, len(QUANTILES) // 2])
        found.append(np.mean((errors / scale)[scale[:, 0] > 0]))
    return float(np.mean(found))


def measure_wql(setting: Setting, quantiles: np.ndarray) -> float:
    """Return twice the sum of the quantile losses over that of absolute values, as a mean over the nine quantiles."""
    actual = np.stack([setting.read_actual(back) for back in setting.backs])
    errors = actual[..., None] - quantiles
    losses = np.maximum(QUANTILES * errors, (QUANTILES - 1) * errors)
    return float(2 * losses.mean(axis=-1).sum() / np.abs(actual).sum())


def measure_coverage(setting: Setting, quantiles: np.ndarray) -> float:
    """Return the part of the actual values in the interval of 80 %."""
    actual = np.stack([setting.read_actual(back) for back in setting.backs])
    return float(np.mean((quantiles[..., 0] <= actual) & (actual <= quantiles[..., -1])))


def measure_etth1() -> Iterator[str]:
    """Yield a row for each horizon: the squared error of the network alone on the usual test part, scaled.

    Each hour of the test part is an origin, as long as its horizon lies inside. The channels are standardised by their
    training part. A row ends with the error of the seasonal naive forecast.
    """
    network = load_network(PretrainedSpec())
    hours = np.stack(read_etth1())[:, : ETTH1_KNOWN + ETTH1_TEST]
    training = hours[:, :ETTH1_TRAINING]
    series = (hours - training.mean(axis=1, keepdims=True)) / training.std(axis=1, keepdims=True)
    yield "| hours ahead | alone, MSE | naive, MSE |\n|---|---:|---:|"
    # Fewer days are known than the level of earlier years needs.
    num_values = MAX_VALUES
    for horizon in ETTH1_HORIZONS:
        errors = []
        for begin in range(ETTH1_KNOWN, ETTH1_KNOWN + ETTH1_TEST - horizon + 1, ORIGINS_AT_ONCE):
            origins = np.arange(begin, min(begin + ORIGINS_AT_ONCE, series.shape[1] - horizon + 1))
            past = series[:, origins[:, None] + np.arange(-num_values, 0)].reshape(-1, num_values)
            actual = series[:, origins[:, None] + np.arange(horizon)]
            naive = past[:, num_values - 24 + np.arange(horizon) % 24]
            forecasts = [
                forecast.reshape(actual.shape)
                for forecast in (network.extend(past, 24, horizon), naive)
            ]
            errors.append(
                [np.square(actual - forecast).mean(axis=(0, 2)) for forecast in forecasts]
            )
        alone, naive_error = np.concatenate(errors, axis=1).mean(axis=1)
        yield f"| {horizon} | {alone:.3f} | {naive_error:.3f} |"


def list_methods() -> dict[str, Method]:
    """Return the methods by name."""
    return {
        "naive": forecast_naive,
        "alone": forecast_alone,
        "pretrained": lambda setting: forecast_ensemble(setting, "pretrained"),
        "default": lambda setting: forecast_ensemble(setting, "all"),
    }


def measure_setting(setting: Setting, methods: list[Method]) -> list[float]:
    """Return MASE and WQL of seasonal naive; then for each method both over these, coverage in percent and seconds."""
    naive = forecast_naive(setting)
    reference = np.array([measure_mase(setting, naive), measure_wql(setting, naive)])
    found = [*reference]
    for forecast in methods:
        started = time.process_time()
        quantiles = forecast(setting)
        seconds = time.process_time() - started
        found += [
            *(
                np.array([measure_mase(setting, quantiles), measure_wql(setting, quantiles)])
                / reference
            )
        ]
        found += [100 * measure_coverage(setting, quantiles), seconds]
    return found


def average_ratios(rows: list[list[float]]) -> list[float]:
    """Return the geometric means of the ratios, and the means of coverage and seconds."""
    table = np.array(rows)
    means = table.mean(axis=0)
    products = np.exp(np.log(np.maximum(table, 1e-9)).mean(axis=0))
    is_ratio = np.isin(np.arange(table.shape[1]) % 4, [2, 3])
    return np.where(is_ratio, products, means).tolist()


def format_row(name: str, values: list[float]) -> str:
    """Return a Markdown row."""
    parts = [("{:.4f}", "{:.4f}"), ("{:.3f}", "{:.3f}"), ("{:.0f}", "{:.1f}")]
    forms = [
        *parts[0],
        *(form for _ in range((len(values) - 2) // 4) for pair in parts[1:] for form in pair),
    ]
    return f"| {name} | {' | '.join(form.format(value) for form, value in zip(forms, values, strict=True))} |"


def list_groups(is_development: bool) -> dict[str, Callable[[str], bool]]:
    """Return the rows of means by their names, and whether a setting belongs to each."""
    if is_development:
        return {"all": lambda name: True}
    return {
        "five (WQL is comparable)": lambda name: not name.startswith("Jena"),
        "nine": lambda name: not name.startswith(LAST_YEAR),
        "nine, Jena's last year": lambda name: not name.startswith("Jena,"),
    }


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--methods", nargs="+", choices=list_methods(), default=["alone", "pretrained"]
    )
    parser.add_argument("--settings", nargs="+", help="beginnings of names")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--development", action="store_true", help="settings before all test parts")
    parts.add_argument(
        "--etth1", action="store_true", help="the network alone on the usual test part of ETTh1"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    if options.etth1:
        for line in measure_etth1():
            print(line, flush=True)
        return
    methods = [list_methods()[name] for name in options.methods]
    headings = [
        f"{name}{part}"
        for name in options.methods
        for part in (", MASE ÷", ", WQL ÷", ", inside 80 %", ", s")
    ]
    headings = ["setting (windows)", "naive, MASE", "naive, WQL", *headings]
    print(f"| {' | '.join(headings)} |\n|---{'|---:' * (len(headings) - 1)}|")
    settings = list(list_development() if options.development else list_settings())
    names = [setting.name for setting in settings]
    rows = {}
    for setting in settings:
        if not options.settings or setting.name.startswith(tuple(options.settings)):
            rows[setting.name] = measure_setting(setting, methods)
            print(
                format_row(f"{setting.name} ({len(setting.backs)})", rows[setting.name]), flush=True
            )
    for group, has in list_groups(options.development).items():
        members = [row for name, row in rows.items() if has(name)]
        if len(members) == sum(map(has, names)):
            print(format_row(f"mean, {group} ({len(members)})", average_ratios(members)))


if __name__ == "__main__":
    main()
