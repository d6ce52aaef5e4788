"""The gain by boosted trees to the ensemble: its errors with them over those without, on development data.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/boosted_trees.py [set ...] [--networks]

Prints a Markdown row for each set: MASE and MSE with over without, weight, and processor seconds of the trees. The
newest part of each real series is cut off first, so that no test part of `accuracy.py` is read. The errors are those of
up to 1,500 origins in the newest part of the rest. `--networks` trains LSTM and GRU too.
"""

import argparse
import logging
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from vega_datasets import local_data

from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, fit_all_methods, fit_ensemble
from rnn_pipelines.forecast.methods.folds import thin_origins
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.past import measure_seasonal_change
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.methods.training.side_by_side import train_networks
from rnn_pipelines.forecast.methods.trees import TREES
from rnn_pipelines.forecast.newer_values import read_series_frame
from rnn_pipelines.forecast.recipe import prepare_panel
from rnn_pipelines.forecast.windows.panel import gather_targets, number_series

SERIES = Path(os.environ.get("RNN_DATA", "../shared/data"), "series")
NUM_ORIGINS = 1_500
NUM_DAYS = 400
NUM_SHOPS = 20
SHOP_HORIZON = 14
KINDS = ("promotion", "price", "threshold", "regime", "autoregressive", "plain")
Drawn = tuple[pd.DataFrame, int]


def make_series(
    values: np.ndarray, freq: str, name: str = "s", start: str = "1750"
) -> pd.DataFrame:
    return pd.DataFrame(
        {"unique_id": name, "ds": pd.date_range(start, periods=len(values), freq=freq), "y": values}
    )


def read_column(file: str, column: str | int, share: float = 0.8) -> np.ndarray:
    """Return the oldest part of a column of a CSV file."""
    table = pd.read_csv(SERIES / file)
    values = (table.iloc[:, column] if isinstance(column, int) else table[column]).to_numpy(float)
    return values[: int(len(values) * share)]


def read_packaged(name: str, column: str, freq: str, start: str) -> pd.DataFrame:
    values = getattr(local_data, name)()[column].to_numpy(float)
    return make_series(values[: int(len(values) * 0.8)], freq, start=start)


def read_etth1() -> Drawn:
    table = pd.read_csv(SERIES / "ETTh1.csv").iloc[:11520, 1:]
    return pd.concat([make_series(table[name].to_numpy(float), "h", name) for name in table]), 48


def read_jena() -> Drawn:
    table = pd.read_csv(SERIES / "jena_climate_2009_2016_hourly.csv")
    hours = pd.to_datetime(table["Date Time"], format="%d.%m.%Y %H:%M:%S").dt.floor("h")
    table = pd.DataFrame({"unique_id": "s", "ds": hours, "y": table["T (degC)"]}).drop_duplicates(
        "ds"
    )
    return table[(table["ds"] >= "2013-01-01") & (table["ds"] < "2014-07-01")], 24


def read_tourism() -> Drawn:
    table = pd.read_csv(SERIES / "tourism_monthly_long.csv")
    parts = table[table["part"] == "train"].groupby("series")["value"]
    return pd.concat(
        [make_series(values.to_numpy(float), "MS", str(name)) for name, values in parts]
    ), 24


def read_m4() -> Drawn:
    rows = pd.read_csv(SERIES / "M4-Hourly-train.csv").iloc[:, 1:].to_numpy(float)
    chosen = np.random.default_rng(0).choice(len(rows), 60, replace=False)
    return pd.concat(
        [make_series(rows[row][~np.isnan(rows[row])], "h", f"H{row:03d}") for row in chosen]
    ), 48


def read_employment() -> Drawn:
    table = local_data.us_employment().drop(columns="month").select_dtypes("number").iloc[:-12]
    return pd.concat([make_series(table[name].to_numpy(float), "MS", name) for name in table]), 12


def draw_shops(kind: str, seed: int) -> Drawn:
    """Daily sales of shops with a week, a year and a level that wanders, and an effect of one kind.

    It is a promotion in every other week, which is no covariate; promotion and price with an interaction at weekends; a
    temperature with two thresholds; hidden regimes; a threshold autoregression; or nothing.
    """
    rng = np.random.default_rng(seed)
    days = np.arange(NUM_DAYS + SHOP_HORIZON)
    tables = []
    for number in range(NUM_SHOPS):
        level = np.exp(rng.normal(3.5, 0.8))
        week = np.exp(rng.normal(0, 0.25, 7))
        year = 0.15 * np.sin(2 * np.pi * (days / 365.25 + rng.random() * 0.2))
        sales = level * week[days % 7] * np.exp(year + np.cumsum(rng.normal(0, 0.01, len(days))))
        covariates, factor = _draw_effect(kind, rng, days, number)
        noise = np.exp(rng.normal(0, 0.05, len(days))) if kind == "autoregressive" else None
        y = rng.poisson(sales * factor) * 1.0 if noise is None else sales * factor * noise
        table = make_series(y, "D", f"s{number:03d}", "2022-01-03").assign(**covariates)
        table.loc[NUM_DAYS:, "y"] = np.nan
        tables.append(table if covariates else table[:NUM_DAYS])
    return pd.concat(tables), SHOP_HORIZON


def _draw_effect(
    kind: str, rng: np.random.Generator, days: np.ndarray, number: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the covariates that are known, and what multiplies the sales: float64[day]."""
    ones = np.ones(len(days))
    weekend = days % 7 >= 5
    match kind:
        case "promotion":
            return {}, np.where((days // 7) % 2 == number % 2, 1 + 0.5 * rng.uniform(0.5, 1.5), 1)
        case "price":
            promo = (rng.random(len(days)) < 0.15).astype(float)
            price = (
                10 * np.exp(rng.normal(0, 0.2)) * (1 - 0.2 * promo * (rng.random(len(days)) < 0.6))
            )
            factor = (price / price.max()) ** -rng.uniform(1, 3) * np.where(
                promo > 0, 1 + 0.6 * weekend, 1
            )
            return {"promo": promo, "price": price}, factor
        case "threshold":
            temp = 15 + 10 * np.sin(2 * np.pi * days / 365.25) + rng.normal(0, 4, len(days))
            return {"temp": temp}, np.where(temp > 20, 1.6, np.where(temp < 5, 0.7, 1))
        case "regime":
            state = np.zeros(len(days))
            day = 0
            is_on = 0
            while day < len(days):
                length = int(rng.integers(5, 40))
                state[day : day + length] = is_on
                is_on = 1 - is_on
                day = day + length
            return {}, np.where(state > 0, 1.5, 1) * np.where((state > 0) & (days % 7 == 5), 1.5, 1)
        case "autoregressive":
            x = np.zeros(len(days))
            for day in days[1:]:
                x[day] = (
                    0.9 * x[day - 1] - 0.4 if x[day - 1] > 0 else -0.7 * x[day - 1] + 0.3
                ) + rng.normal(0, 0.3)
            return {}, np.exp(0.5 * x)
    return {}, ones


SETS: dict[str, Callable[[], Drawn]] = {
    "seattle": lambda: (read_packaged("seattle_weather", "temp_max", "D", "2012-01-01"), 7),
    "seattle_hours": lambda: (read_packaged("seattle_temps", "temp", "h", "2000-01-01"), 24),
    "sf_hours": lambda: (read_packaged("sf_temps", "temp", "h", "2000-01-01"), 24),
    "employment": read_employment,
    "melbourne_1": lambda: (
        make_series(read_column("daily-min-temperatures.csv", 1, 0.9), "D", start="2000"),
        1,
    ),
    "melbourne_14": lambda: (
        make_series(read_column("daily-min-temperatures.csv", 1, 0.9), "D", start="2000"),
        14,
    ),
    "sunspots": lambda: (
        make_series(read_column("monthly-sunspots.csv", 1), "MS", start="1749"),
        12,
    ),
    "etth1_oil": lambda: (make_series(read_column("ETTh1.csv", "OT"), "h", start="2000"), 24),
    "etth1_load": lambda: (make_series(read_column("ETTh1.csv", "HUFL"), "h", start="2000"), 24),
    "etth1": read_etth1,
    "jena": read_jena,
    "tourism": read_tourism,
    "m4_hourly": read_m4,
    **{f"{kind}_{seed}": partial(draw_shops, kind, seed) for kind in KINDS for seed in range(2)},
}


def measure(name: str, trains_networks: bool) -> str:
    """Return the row of a set."""
    frame, horizon = SETS[name]()
    known = [column for column in frame if column not in ("unique_id", "ds", "y")]
    spec = Forecaster(h=horizon, futr_exog=known).spec
    table, covariates, source = read_series_frame(frame, spec)
    panel = prepare_panel(table, spec.model_copy(update={"source": source}), covariates)
    data = prepare_fitting(panel.windows, spec.training, panel.scaler, spec.pretrained)
    networks = train_networks(data, spec.networks, spec.training) if trains_networks else {}
    methods, record = fit_all_methods(
        data, {own: network.network for own, network in networks.items()}
    )
    others = {own: method for own, method in methods.items() if own not in (TREES, ENSEMBLE)}
    single = len(panel.windows.series_starts) == 1
    without, _ = fit_ensemble(data, others, "squared" if single else "huber")
    started = time.process_time()
    METHODS[TREES].fit(data)
    seconds = time.process_time() - started
    index = panel.windows.index("test")
    origins = index.origins(np.arange(len(index)))
    series = number_series(panel.windows.series_starts, origins)
    origins = thin_origins(origins, series, NUM_ORIGINS)
    series = number_series(panel.windows.series_starts, origins)
    actual = gather_targets(panel.windows, origins)
    change = measure_seasonal_change(panel.windows)[series][:, None]
    errors = [
        (actual - PanelModel(data.linear.normalizer, method.model).forecast(panel.windows, origins))
        / change
        for method in (without, methods[ENSEMBLE])
    ]
    ratios = [
        np.nanmean(size(errors[1])) / np.nanmean(size(errors[0])) for size in (np.abs, np.square)
    ]
    return f"| {name} | {ratios[0]:.4f} | {ratios[1]:.4f} | {record['weights'][TREES]:.2f} | {seconds:.1f} |"


def main() -> None:
    """Measure the sets that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", default=list(SETS), metavar="set", help=", ".join(SETS))
    parser.add_argument("--networks", action="store_true", help="train LSTM and GRU too")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    print("| set | MASE | MSE | weight | processor seconds |\n|---|---:|---:|---:|---:|")
    for name in arguments.sets:
        print(measure(name, arguments.networks), flush=True)


if __name__ == "__main__":
    main()
