"""What covariates are worth, to ridge and networks alike: of a series with known effects, Seattle's rain, and bikes.

    .venv/bin/pip download --no-deps --dest benchmarks/.data ISLP==0.6.0    # the bikes
    .venv/bin/python benchmarks/covariates.py [case ...] [--seeds 3]

Prints a table for each case, with and without covariates; writes `benchmarks/results/covariates.json`.
"""

import argparse
import json
import zipfile
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.recipe import Panel, Recipe, prepare_panel
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec

RESULTS = Path(__file__).parent / "results/covariates.json"
SHOWN = (*NETWORKS, ENSEMBLE, "ridge", "baseline_ensemble", "climatology", "seasonal_naive")
DAYS = ("holiday", "workingday")
WEATHER = ("temp", "hum", "windspeed")
# Bikes hired in Washington in each hour of 2011, of Fanaee-T & Gama (2014), doi:10.1007/s13748-013-0040-3.
BIKES = Path(__file__).parent / ".data/islp-0.6.0-py3-none-any.whl"
CASES = {
    "promotion": {
        "none": CovariateSpec(),
        "promo and price": CovariateSpec(future=("promo", "price")),
    },
    "seattle": {
        "none": CovariateSpec(),
        "rain and wind": CovariateSpec(past=("precipitation", "wind")),
        "rain, wind, minimum, weather": CovariateSpec(
            past=("precipitation", "wind", "temp_min", "weather")
        ),
        "rain and wind, were they known ahead": CovariateSpec(future=("precipitation", "wind")),
    },
    "bikes": {
        "none": CovariateSpec(),
        "working days": CovariateSpec(future=DAYS),
        "and the weather until now": CovariateSpec(future=DAYS, past=WEATHER),
        "and the weather, were it known ahead": CovariateSpec(future=(*DAYS, *WEATHER)),
    },
}
WINDOWS = {"bikes": WindowSpec(lookback=168, horizon=24)}


def draw_promotion(
    seed: int, num_days: int = 1000, num_ahead: int = 7
) -> tuple[pd.DataFrame, np.ndarray]:
    """Yearly wave + 5 where there is a promotion − 1.5 for each unit of the price + N(0, 2); and the noise-free values.

    Both covariates go on for `num_ahead` days after the last value.
    """
    rng = np.random.default_rng(seed)
    days = np.arange(num_days + num_ahead)
    promo = (rng.random(len(days)) < 0.2).astype(float)
    price = 10 + 2 * np.sin(2 * np.pi * days / 90) + rng.normal(0, 0.5, len(days))
    signal = 20 + 10 * np.sin(2 * np.pi * days / 365) + 5 * promo - 1.5 * (price - 10)
    y = np.where(days < num_days, signal + rng.normal(0, 2, len(days)), np.nan)
    ds = pd.date_range("2021-01-01", periods=len(days))
    return pd.DataFrame({"ds": ds, "y": y, "promo": promo, "price": price}), signal


def read_bikes() -> pd.DataFrame:
    """A row for each hour; of the 115 that are missing without a value, and with the covariates of the hour before."""
    with zipfile.ZipFile(BIKES) as wheel, wheel.open("ISLP/data/Bikeshare.csv") as file:
        table = pd.read_csv(file)
    hours = pd.to_timedelta((table["day"] - 1) * 24 + table["hr"], unit="h")
    table = table.set_index(pd.Timestamp("2011-01-01") + hours)[["bikers", *DAYS, *WEATHER]].asfreq(
        "h"
    )
    filled = table[[*DAYS, *WEATHER]].ffill()
    return filled.assign(y=table["bikers"].astype(float)).rename_axis("ds").reset_index()


def run(case: str, covariates: CovariateSpec, seed: int) -> dict[str, float]:
    """MSE of each forecaster over the test part; over the noise floor that was realised where that is known."""
    source = SourceSpec(name="seattle" if case == "seattle" else "catalog")
    external, signal = draw_promotion(seed) if case == "promotion" else (None, None)
    external = read_bikes() if case == "bikes" else external
    recipe = Recipe(source=source, covariates=covariates, window=WINDOWS.get(case, WindowSpec()))
    table, covariate_table = read_series(source, covariates, external)
    prepared = prepare_panel(table, recipe, covariate_table)
    panel = prepared.windows
    linear = fit_linear_models(prepared.windows)
    networks = {}
    for cell in NETWORKS:
        training = ForecastTrainingSpec(seed=10 * seed)
        networks[cell] = train_network(
            FittingData(panel, linear), NetworkSpec(cell=cell), training
        ).network
    forecasts = forecast_methods(
        panel, linear, fit_all_methods(FittingData(panel, linear), networks)[0]
    )
    return measure(prepared, {name: found.test for name, found in forecasts.items()}, signal)


def measure(
    prepared: Panel, forecasts: dict[str, np.ndarray], signal: np.ndarray | None
) -> dict[str, float]:
    """See `run`."""
    panel = prepared.windows
    (scale,) = prepared.scaler["deviation"]
    index = panel.index("test")
    rows = index.origins(np.arange(len(index)))[:, None] + np.arange(panel.horizon)
    y = prepared.features.table["y"].to_numpy()[rows]
    is_there = prepared.features.table["observed"].to_numpy()[rows]
    floor = 1.0 if signal is None else float(np.mean((y - signal[rows]) ** 2))
    errors = {
        name: scale * (panel.values[rows, 0] - forecast) for name, forecast in forecasts.items()
    }
    return {
        name: float(np.mean(error[is_there].astype(float) ** 2)) / floor
        for name, error in errors.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "cases", nargs="*", metavar="case", help=f"some of {', '.join(CASES)}; all by default"
    )
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    seeds = range(given.seeds)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for case in given.cases or CASES:
        readings = CASES[case]
        found = {
            name: [run(case, covariates, seed) for seed in seeds]
            for name, covariates in readings.items()
        }
        results[case] = found
        print(f"\n{case}: {'MSE / floor' if case == 'promotion' else 'MSE'}, {len(seeds)} seeds\n")
        print(f"| forecaster | {' | '.join(found)} |\n|{'---|' * (1 + len(found))}")
        for name in [name for name in SHOWN if name in found["none"][0]]:
            cells = [[one[name] for one in runs] for runs in found.values()]
            shown = [
                f"{mean(cell):.4g} ± {stdev(cell):.2g}" if len(cell) > 1 else f"{cell[0]:.4g}"
                for cell in cells
            ]
            print(f"| {name} | {' | '.join(shown)} |", flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
