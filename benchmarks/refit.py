"""Whether it pays to fit what was promoted once more, on everything up to its day: schedules replayed over the past.

    RNN_DATA=../shared/data .venv/bin/python benchmarks/refit.py melbourne [--schedules never,monthly]

Challengers are trained, judged and promoted as `backtest_forecast` does it, but whatever the baselines say, so that
there is always something to compare. Both the forecaster that was judged and its refit forecast from every step until
the next retraining: decisions don't depend on the refit, so that one replay serves both. Prints a table row for each,
and writes `benchmarks/results/refit_<case>.json`.
"""

import argparse
import json
import os
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import ttest_rel

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.forecast.backtest import retrain
from rnn_pipelines.forecast.evaluation.metrics import average_errors
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.fitting import ForecastSpec
from rnn_pipelines.forecast.forecaster import forecast_cutoffs
from rnn_pipelines.forecast.intervals import LevelSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.schedule import go_back, list_days
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.newest import NewestSpec, read_newest
from rnn_pipelines.forecast.series.schema import repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.specs import (
    BudgetSpec,
    ForecastPolicySpec,
    ForecastTrainingSpec,
    NetworkSpec,
    RetrainForecastSpec,
)

SERIES = Path(os.environ.get("RNN_DATA", "../shared/data"), "series")
RESULTS = Path(__file__).parent / "results"
# How often a challenger is trained, and the newest part of the series that is forecast; of series that end on days of
# their own, by how many steps each is cut short.
YEAR = {"never": (None, "year"), "monthly": ("month", "year"), "weekly": ("week", "year")}
CASES: dict[str, tuple[Recipe, dict[str, Any]]] = {
    "melbourne": (
        Recipe(
            source=SourceSpec(path=str(SERIES / "daily-min-temperatures.csv"), time="Date", target="Temp"),
            split=SplitSpec(validation=365, test=365),
            window=WindowSpec(lookback=14, horizon=1),
            calendar=CalendarSpec(weekly=0),
        ),
        {**YEAR, "yearly": ("year", 5 * 365)},
    ),
    "seattle": (Recipe(source=SourceSpec(name="seattle"), window=WindowSpec(lookback=30, horizon=7)), YEAR),
    "etth1_oil": (
        Recipe(
            source=SourceSpec(path=str(SERIES / "ETTh1.csv"), time="date", target="OT"),
            window=WindowSpec(lookback=96, horizon=24),
        ),
        YEAR,
    ),
    "tourism": (
        Recipe(
            source=SourceSpec(path=str(SERIES / "tourism_monthly_long.csv"), time="month", target="value", id="series"),
            split=SplitSpec(validation=24, test=24),
            window=WindowSpec(lookback=48, horizon=24),
            evaluation=EvaluationSpec(origins="last"),
        ),
        {"never": (24,), "yearly": (24, 36, 48)},
    ),
}


def replay(case: str, schedule: str) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Forecasts `unique_id, cutoff, ds, horizon_step, judged, refit, y`, and the retrainings.

    Where series end on days of their own, each is cut short by some steps, and forecast once, from there.
    """
    recipe, schedules = CASES[case]
    policy = ForecastPolicySpec(must_beat=(), max_age_days=30)
    retraining = RetrainForecastSpec(policy=policy, budget=BudgetSpec(max_seconds=600), refit=True)
    networks = {cell: NetworkSpec(cell=cell) for cell in ("lstm", "gru")}
    spec = ForecastSpec(recipe, networks, ForecastTrainingSpec(), LevelSpec(()))
    table = read_newest(None, recipe.source, NewestSpec())
    series, profile = repair_series(table, recipe.source, recipe.gaps)
    if recipe.evaluation.origins == "last":
        return replay_cuts(table, spec, retraining, schedules[schedule])
    every, period = schedules[schedule]
    end = series["ds"].max()
    days = list_days(go_back(end, period, profile["freq"]), end, every, profile["freq"])
    champion, promoted, forecasts, rows = None, None, [], []
    for day, until in pairwise(days):
        if champion is not None:
            age = pd.Timestamp.now("UTC") - (day - promoted)
            champion = replace(champion, promoted_at=age.isoformat())
        found = retrain(table[table["ds"] <= day], champion, spec, retraining)
        if found.decision.is_promoted:
            champion, promoted = LoadedChampion(str(day), found.artefact, "", (), found.manifest), day
        rows.append(describe(str(day), found))
        assert champion is not None
        cutoffs = series.loc[(series["ds"] >= day) & (series["ds"] < until), ["unique_id", "ds"]]
        cutoffs = cutoffs.rename(columns={"ds": "cutoff"})
        forecasts.append(forecast_both(champion.artefact, series[series["ds"] <= until], cutoffs))
        print(case, schedule, {key: value for key, value in rows[-1].items() if key != "refit"}, flush=True)
    return join(forecasts, series), rows


def replay_cuts(
    table: pd.DataFrame, spec: ForecastSpec, retraining: RetrainForecastSpec, cuts: tuple[int, ...]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """See `replay`."""
    series, _ = repair_series(table, spec.recipe.source, spec.recipe.gaps)
    ages = table.groupby("unique_id").cumcount(ascending=False)
    forecasts, rows = [], []
    for cut in cuts:
        known = table[ages >= cut]
        found = retrain(known, None, spec, retraining)
        ends = known.groupby("unique_id", sort=False)["ds"].max().rename("cutoff").reset_index()
        forecasts.append(forecast_both(found.artefact, series, ends))
        rows.append(describe(f"{cut} steps before the end", found))
    return join(forecasts, series), rows


def forecast_both(artefact: Any, series: pd.DataFrame, cutoffs: pd.DataFrame) -> pd.DataFrame:
    """By the forecaster that was judged, and by what is in use."""
    judged, refit = (forecast_cutoffs(one, series, cutoffs) for one in (artefact, artefact.in_use))
    judged = judged[["unique_id", "cutoff", "ds", "horizon_step", "y_hat"]].rename(columns={"y_hat": "judged"})
    return judged.assign(refit=refit["y_hat"])


def join(forecasts: list[pd.DataFrame], series: pd.DataFrame) -> pd.DataFrame:
    """With what happened."""
    actual = series.loc[series["observed"], ["unique_id", "ds", "y"]]
    return pd.concat(forecasts, ignore_index=True).merge(actual, on=["unique_id", "ds"])


def describe(day: str, found: Any) -> dict[str, Any]:
    """What is told of one retraining."""
    record = found.manifest
    networks = {name: one["best_step"] for name, one in record["training"]["networks"].items()}
    refit = record.get("refit") or {}
    return {
        "as_of": day,
        "reasons": list(found.decision.reasons),
        "is_promoted": found.decision.is_promoted,
        "best_steps": networks,
        "weights": {name: round(weight, 3) for name, weight in record["training"]["weights"].items()},
        "is_refit": refit.get("is_in_use"),
        "faults": refit.get("faults"),
        "losses": [refit.get("judged_loss"), refit.get("loss")],
        "seconds": {name: round(seconds, 1) for name, seconds in record["seconds"].items()},
        "refit": refit,
    }


def measure(forecasts: pd.DataFrame) -> dict[str, Any]:
    """Mean errors over all series, and p of no difference.

    Of the squared errors over cut-offs; of a panel, of the absolute errors over the mean of each series.
    """
    errors = {name: forecasts["y"] - forecasts[name] for name in ("judged", "refit")}
    owners = forecasts["unique_id"]
    found: dict[str, Any] = {"num_forecasts": len(forecasts)}
    for name, error in errors.items():
        found[name] = {
            "mse": float((error**2).groupby(owners).mean().mean()),
            "mae": float(error.abs().groupby(owners).mean().mean()),
        }
    if owners.nunique() > 1:
        sizes = forecasts["y"].abs().groupby(owners).mean()
        relative = [error.abs().groupby(owners).mean() / sizes for error in errors.values()]
        found["relative_mae"] = {name: float(one.mean()) for name, one in zip(errors, relative, strict=True)}
        found["p_value"] = float(ttest_rel(*relative).pvalue)
    else:
        squared = average_errors(forecasts, ("judged", "refit"), "mse", by="cutoff")
        found["p_value"] = compare_losses(squared, "refit", "judged", int(forecasts["horizon_step"].max()))
    return found


def main() -> None:
    """Replays, measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--schedules", default="never,monthly")
    args = parser.parse_args()
    path = RESULTS / f"refit_{args.case}.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for schedule in args.schedules.split(","):
        started = time.process_time()
        forecasts, rows = replay(args.case, schedule)
        results[schedule] = measure(forecasts) | {"processor_seconds": time.process_time() - started}
        results[schedule]["retrainings"] = [{k: v for k, v in row.items() if k != "refit"} for row in rows]
        told = results[schedule]
        for name in ("judged", "refit"):
            p_value = "–" if name == "judged" or told["p_value"] is None else f"{told['p_value']:.2g}"
            cells = [args.case, schedule, name, f"{told[name]['mse']:.4g}", f"{told[name]['mae']:.4g}", p_value]
            print(f"| {' | '.join(cells)} |", flush=True)
        path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
