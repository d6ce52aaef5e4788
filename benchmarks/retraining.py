"""What a retraining costs, and what it gains: a forecaster trained anew beside the one of some days before.

    RNN_DATA=../shared/data .venv/bin/python benchmarks/retraining.py [--dates 4] [--days 30]

A GRU, with what is linear below it, is trained on the Melbourne series up to a day, and once more on the series up to
some days later. Both forecast the holdout of the later one, 365 days that neither has seen. Prints a table row for each
date: the error (MSE in °C²) of both and of what is linear alone, and the processor time that the later training took,
of what is linear and of the network.
"""

import argparse
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData, PanelModel
from rnn_pipelines.forecast.methods.networks.model import describe_network
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.model.artefact import Forecaster, forecast_cutoffs
from rnn_pipelines.forecast.model.settings import describe_forecaster
from rnn_pipelines.forecast.recipe import Panel, Recipe, prepare_panel
from rnn_pipelines.forecast.source.as_of import AsOfSpec, read_as_of
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

SERIES = Path(os.environ.get("RNN_DATA", "../shared/data")) / "series/daily-min-temperatures.csv"
RECIPE = Recipe(
    source=SourceSpec(path=str(SERIES), time="Date", target="Temp"),
    split=SplitSpec(validation=365, test=365),
    window=WindowSpec(lookback=14, horizon=1),
    calendar=CalendarSpec(weekly=0),
)
HEADER = (
    "| as of | trained before, °C² | trained anew, °C² | linear alone, anew, °C² | linear, s | network, s | steps |\n"
    "|---|---:|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True)
class Trained:
    """A training and what it cost.

    Attributes:
        panel: on which it was trained.
        forecaster, linear: with the network's correction and without it.
        base_seconds, network_seconds: processor time.
        num_steps: of the gradient.
    """

    panel: Panel
    forecaster: Forecaster
    linear: Forecaster
    base_seconds: float
    network_seconds: float
    num_steps: int


def train(as_of: pd.Timestamp, seed: int) -> Trained:
    """A forecaster of the series up to a day."""
    panel = prepare_panel(
        read_as_of(None, RECIPE.source, AsOfSpec(as_of=str(as_of.date())))[0], RECIPE
    )
    started = time.process_time()
    linear = fit_linear_models(panel.windows)
    fitted = time.process_time()
    data = FittingData(panel.windows, linear)
    trained = train_network(data, NetworkSpec(cell="gru"), ForecastTrainingSpec(seed=seed))
    ended = time.process_time()
    settings = describe_forecaster(
        panel.series,
        panel.profile,
        panel.cutoffs,
        panel.windows,
        RECIPE.calendar,
        RECIPE.gaps,
        RECIPE.breaks,
    )
    model: Any = describe_network(data, trained.network).model
    forecaster = Forecaster(PanelModel(linear.normalizer, model), panel.scaler, settings)
    alone = replace(forecaster, model=PanelModel(linear.normalizer, model.start))
    return Trained(
        panel, forecaster, alone, fitted - started, ended - fitted, trained.record["num_steps"]
    )


def judge(forecaster: Forecaster, panel: Panel) -> float:
    """The mean squared error on the last 365 days of a panel."""
    series = panel.series
    cutoffs = series[["unique_id", "ds"]].iloc[-366:-1].rename(columns={"ds": "cutoff"})
    forecasts = forecast_cutoffs(forecaster, series, cutoffs)
    joined = forecasts.merge(
        series[["unique_id", "ds", "y"]], on=["unique_id", "ds"], validate="1:1"
    )
    assert len(joined) == len(cutoffs)
    return float(np.mean((joined["y"] - joined["y_hat"]) ** 2))


def compare(as_of: pd.Timestamp, days: int, seed: int) -> tuple[str, float]:
    """One row of the table, and the error trained anew over the one trained before."""
    before = train(as_of - pd.Timedelta(days=days), seed)
    anew = train(as_of, seed + 1)
    errors = [
        judge(forecaster, anew.panel)
        for forecaster in (before.forecaster, anew.forecaster, anew.linear)
    ]
    cells = [f"{error:.3f}" for error in errors]
    cells += [f"{anew.base_seconds:.1f}", f"{anew.network_seconds:.1f}", f"{anew.num_steps:,}"]
    return f"| {as_of.date()} | " + " | ".join(cells) + " |", errors[1] / errors[0]


def main() -> None:
    """Compares on dates that are half a year apart, the last of them the end of the series."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dates", type=int, default=4)
    parser.add_argument("--days", type=int, default=30, help="between the two trainings")
    arguments = parser.parse_args()
    last = pd.Timestamp("1990-12-31")
    print(HEADER)
    ratios = []
    for number in reversed(range(arguments.dates)):
        row, ratio = compare(
            last - number * pd.DateOffset(months=6), arguments.days, seed=10 * number
        )
        ratios.append(ratio)
        print(row, flush=True)
    print(f"\nmedian of anew / before: {median(ratios):.3f}")


if __name__ == "__main__":
    main()
