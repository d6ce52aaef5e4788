"""Warm start against training from scratch: how long until the validation error of the other is reached.

    RNN_DATA=../shared/data .venv/bin/python benchmarks/retraining.py [--dates 4] [--days 30]

A champion is trained on the Melbourne series up to a day; some days later a challenger is trained twice, from scratch
and from the champion's weights. Prints a table row for each date: the best validation error (MSE in °C²) of both, the
training time until the one from scratch reaches its best, until the warm one is as good, and the ratio of the two.
"""

import argparse
import os
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import pandas as pd

from rnn_pipelines.forecast.series.calendar import CalendarSpec, add_known_features
from rnn_pipelines.forecast.series.newest import NewestSpec, read_newest
from rnn_pipelines.forecast.series.preparation import prepare_series
from rnn_pipelines.forecast.series.scaling import fit_scaler
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowSpec, make_windows
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec

SERIES = Path(os.environ.get("RNN_DATA", "../shared/data")) / "series/daily-min-temperatures.csv"
WINDOW, CALENDAR, GAPS = WindowSpec(lookback=14, horizon=1), CalendarSpec(weekly=0), GapPolicy("interpolate")
SPLIT = SplitSpec(validation=365, test=365)
NETWORK, TRAINING = NetworkSpec(cell="gru"), ForecastTrainingSpec()
HEADER = (
    "| as of | best from scratch, °C² | best warm, °C² | from scratch, s | warm, s | warm / from scratch |\n"
    "|---|---|---|---|---|---|"
)


def prepare(as_of: pd.Timestamp) -> SimpleNamespace:
    """The series up to a day, in windows."""
    source = SourceSpec(path=str(SERIES), time="Date", target="Temp")
    table = read_newest(None, source, NewestSpec(as_of=str(as_of.date())))
    series, profile, cutoffs = prepare_series(table, source, GAPS, SPLIT, WINDOW)
    scaler = fit_scaler(series, cutoffs)
    features = add_known_features(series, profile, CALENDAR, WINDOW.horizon)
    panel = make_windows(features, cutoffs, scaler, WINDOW, EvaluationSpec())
    return SimpleNamespace(panel=panel, unit=float(scaler["deviation"].iloc[0]) ** 2)


def train(prepared: SimpleNamespace, seed: int, champion: Any = None) -> tuple[Any, pd.DataFrame, float]:
    """The network, its history in the series' unit, and how much of its first epoch was compilation."""
    from rnn_pipelines.forecast.training import Start, train_forecaster

    weights = None if champion is None else [champion.get_weights()]
    training = TRAINING.model_copy(update={"seed": seed} | ({} if champion is None else {"min_steps": 0}))
    model, history, record = train_forecaster(prepared.panel, NETWORK, training, Start(weights))
    history["val_loss"] *= prepared.unit
    return model, history, record["compile_seconds"]


def measure_seconds(history: pd.DataFrame, compile_seconds: float, num_epochs: int) -> float:
    """Training time of the first epochs, without compilation, which is the same for both."""
    return float(history["seconds"].iloc[:num_epochs].sum()) - compile_seconds


def compare(as_of: pd.Timestamp, days: int, seed: int) -> tuple[str, float | None]:
    """One row of the table, and the ratio; None where the warm one never got there."""
    champion = train(prepare(as_of - pd.Timedelta(days=days)), seed)[0]
    prepared = prepare(as_of)
    _, scratch, compiled = train(prepared, seed + 1)
    _, warm, warm_compiled = train(prepared, seed + 1, champion)
    (found,) = scratch.loc[scratch["is_best"] == 1, ["epoch", "val_loss"]].to_dict("records")
    best, seconds = found["val_loss"], measure_seconds(scratch, compiled, int(found["epoch"]))
    reached = warm.loc[warm["val_loss"] <= best, "epoch"]
    warm_seconds = measure_seconds(warm, warm_compiled, int(reached.iloc[0])) if len(reached) else None
    ratio = None if warm_seconds is None else warm_seconds / seconds
    texts = ["never" if value is None else f"{value:.2f}" for value in (warm_seconds, ratio)]
    row = f"| {as_of.date()} | {best:.3f} | {warm['val_loss'].min():.3f} | {seconds:.2f} | {texts[0]} | {texts[1]} |"
    return row, ratio


def main() -> None:
    """Compares on dates that are half a year apart, the last of them the end of the series."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dates", type=int, default=4)
    parser.add_argument("--days", type=int, default=30, help="between champion and challenger")
    arguments = parser.parse_args()
    last = pd.Timestamp("1990-12-31")
    print(HEADER)
    ratios = []
    for number in reversed(range(arguments.dates)):
        row, ratio = compare(last - number * pd.DateOffset(months=6), arguments.days, seed=10 * number)
        ratios.append(float("inf") if ratio is None else ratio)
        print(row, flush=True)
    print(f"\nmedian of warm / from scratch: {median(ratios):.2f}")


if __name__ == "__main__":
    main()
