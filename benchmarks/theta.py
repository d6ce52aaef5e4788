"""The gain of the Theta method in the ensemble, without networks.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/theta.py [case ...]

Errors on the test part, over those of the ensemble of simple methods: of Theta, and of both as `fit_ensemble` combines
them. Generated series are other draws than those of the tests; real ones are cut off before their test parts. A single
series is measured by MSE, a panel by the normalised MAE.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.ensemble import fit_all_methods
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.predictors import normalize_targets, normalize_windows
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

PROJECT = Path(__file__).parents[1]
NUM_GENERATED = 200
COLUMNS = ("baseline_ensemble", "theta", "ensemble")
SMALLEST_LOSS = 1e-12


def list_cases() -> dict[str, Any]:
    """The real series, each a table and what its recipe sets beside the defaults."""
    folder = Path(os.environ.get("RNN_DATA", "../shared/data"), "series")

    def read(name: str, time_column: str, target: str, series: str | None = None) -> pd.DataFrame:
        table = pd.read_csv(folder / name)
        ids = table[series] if series else name
        return pd.DataFrame(
            {"unique_id": ids, "ds": pd.to_datetime(table[time_column]), "y": table[target] * 1.0}
        )

    melbourne = read("daily-min-temperatures.csv", "Date", "Temp")
    sunspots = read("monthly-sunspots.csv", "Month", "Sunspots")
    seattle = read_source(SourceSpec(name="seattle"), None)[["unique_id", "ds", "y"]]
    tourism = read("tourism_monthly_long.csv", "month", "value", "series")
    hours = pd.read_csv(folder / "M4-Hourly-train.csv").iloc[:, 1:].to_numpy()
    m4 = [
        pd.DataFrame(
            {
                "unique_id": f"H{number:03d}",
                "ds": pd.date_range("2015", periods=len(y), freq="h"),
                "y": y,
            }
        )
        for number, y in enumerate((row[~np.isnan(row)] for row in hours), start=1)
    ]
    last = {"evaluation": {"origins": "last"}}
    return {
        "melbourne": (melbourne[melbourne["ds"] < "1990"],
                      {"window": {"lookback": 14, "horizon": 1}, "split": {"validation": 365, "test": 365}}),
        "sunspots": (sunspots[: len(sunspots) * 4 // 5], {"window": {"lookback": 132, "horizon": 12}}),
        "seattle": (seattle[seattle["ds"] < "2014-07"], {}),
        "tourism": (tourism[tourism.groupby("unique_id").cumcount(ascending=False) >= 24],
                    {"window": {"lookback": 48, "horizon": 24}, "split": {"validation": 24, "test": 24}} | last),
        "m4_hourly": (pd.concat(m4),
                      {"window": {"lookback": 336, "horizon": 48}, "split": {"validation": 48, "test": 48}} | last),
    }  # fmt: skip


def measure(table: pd.DataFrame, settings: dict[str, Any]) -> dict[str, Any]:
    """The loss of each on the test part, the weight of theta, and whether there was enough to judge by."""
    recipe = Recipe(source=SourceSpec(name="catalog"), **settings)
    panel = prepare_panel(table.reset_index(drop=True), recipe).windows
    linear = fit_linear_models(panel)
    started = time.process_time()
    fitted, record = fit_all_methods(FittingData(panel, linear), {})
    weights = record["weights"]
    seconds = time.process_time() - started
    index = panel.index("test")
    origins = index.origins(np.arange(len(index)))
    normalized = normalize_windows(panel, linear.normalizer, origins)
    actual = normalize_targets(panel, normalized, origins)
    losses = {}
    for name in ("baseline_ensemble", "theta", "ensemble"):
        error = actual - fitted[name].model.forecast(panel, normalized, origins)
        # No error at all would make its logarithm infinite.
        losses[name] = (
            float(np.nanmean(np.abs(error) if linear.is_absolute else error**2)) + SMALLEST_LOSS
        )
    return {**losses, "weight": weights["theta"], "is_enough": linear.is_enough, "seconds": seconds}


def generate() -> Iterator[dict[str, Any]]:
    """Measures short monthly series of the five kinds that the tests draw."""
    sys.path[:0] = [str(PROJECT), str(PROJECT / "tests/support")]
    from tests.forecast.test_never_worse import (
        FAMILIES,
        HORIZONS,
        LONGEST,
        LONGEST_LOOKBACK,
        SHORTEST,
    )

    for number in range(NUM_GENERATED):
        rng = np.random.default_rng([11, number])
        size = int(rng.integers(SHORTEST, LONGEST + 1))
        draw = FAMILIES[number % len(FAMILIES)]
        window = {
            "lookback": min(LONGEST_LOOKBACK, size // 4),
            "horizon": min(HORIZONS[number // len(FAMILIES) % len(HORIZONS)], size // 10),
        }
        months = pd.date_range("2000", periods=size, freq="MS")
        table = pd.DataFrame({"unique_id": draw.__name__, "ds": months, "y": draw(rng, size)})
        yield {"case": draw.__name__.removeprefix("draw_"), **measure(table, {"window": window})}


def summarize(rows: pd.DataFrame, name: str) -> str:
    """A Markdown row: geometric means of the ratios, with the standard error of the logarithm of the last one."""
    ratios = np.log(rows[[*COLUMNS]].div(rows["baseline_ensemble"], axis=0))
    theta = np.exp(ratios["theta"].mean())
    best = np.exp(ratios["ensemble"].mean())
    error = f" ± {ratios['best'].std() / len(rows) ** 0.5:.3f}" if len(rows) > 1 else ""
    means = f"{rows['weight'].mean():.2f} | {rows['seconds'].mean():.2f}"
    return f"| {name} | {len(rows)} | {theta:.3f} | {best:.3f}{error} | {means} |"


def main() -> None:
    """Measures the cases that the command line names."""
    cases = list_cases()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", default=["generated", *cases], metavar="case")
    arguments = parser.parse_args()
    ratios = "theta / baseline ensemble | ensemble / baseline ensemble"
    print(f"| case | series or panels | {ratios} | weight of theta | seconds |")
    print("|---|---:|---:|---:|---:|---:|")
    for case in arguments.cases:
        if case != "generated":
            print(summarize(pd.DataFrame([measure(*cases[case])]), case), flush=True)
            continue
        rows = pd.DataFrame(generate())
        for family, some in rows.groupby("case"):
            print(summarize(some, f"generated, {family}"))
        for is_enough, some in rows.groupby("is_enough"):
            print(
                summarize(some, f"generated, {'enough' if is_enough else 'too little'} to judge by")
            )
        print(summarize(rows, "generated, all"), flush=True)


if __name__ == "__main__":
    main()
