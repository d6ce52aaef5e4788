"""Coverage, width and Winkler score of intervals: on draws of series whose noise is known, and on real ones.

    .venv/bin/python benchmarks/intervals.py normal heavy_tailed uneven --draws 200        # simple methods
    .venv/bin/python benchmarks/intervals.py normal heavy_tailed uneven --draws 8 --networks
    RNN_DATA=../shared/data .venv/bin/python benchmarks/intervals.py seattle melbourne sunspots etth1_oil --networks
    RNN_DATA=../shared/data .venv/bin/python benchmarks/intervals.py tourism tourism_60 m4_hourly m4_292 jena_daily \\
        etth1_daily poisson sparse                                              # several origins of each panel
    .venv/bin/python benchmarks/intervals.py walk changing_drift jumps broken_trend autoregressive --draws 150

Prints a table row for every case and forecaster, and writes the rows to `benchmarks/results/intervals[_networks].json`.
A draw is another seed of the noise, or another origin of a panel; no test part was used for tuning. Of drifting series
the next values are measured, whose intervals count the errors of the test part.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from accuracy import prepare_data

from rnn_pipelines.forecast.evaluation.interval_metrics import MEASURES, measure_intervals
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.intervals.fitting import fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models, prepare_fitting
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import Network
from rnn_pipelines.forecast.methods.predictions import tabulate_forecasts
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import (
    EvaluationSpec,
    OpenWindowSpec,
    Part,
    WindowedPanel,
    WindowSpec,
)
from rnn_pipelines.forecast.windows.splits import SplitSpec

RESULTS = Path(__file__).parent / "results"
LEVEL = LevelSpec((80, 95))
SHOWN = (*NETWORKS, ENSEMBLE, "baseline_ensemble", "ridge")
# The signal of the synthetic temperature, and what is added to it; the deviation is 2 °C over the whole signal's range.
SIGNAL = 20 + 10 * np.sin(2 * np.pi * np.arange(1000) / 365)
NOISES: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "normal": lambda random: random.normal(0, 2, len(SIGNAL)),
    "heavy_tailed": lambda random: random.standard_t(3, len(SIGNAL)) * 2 / np.sqrt(3),
    "uneven": lambda random: random.normal(0, 1, len(SIGNAL)) * SIGNAL / 10,
}
# Known months of a generated series, steps ahead, and the first seed. The rule for drifting series was chosen on lower
# seeds.
NUM_MONTHS = 150
NUM_AHEAD = 12
FIRST_SEED = 1000
SERIES = Path(os.environ.get("RNN_DATA", "../shared/data"), "series")
PREPARED = Path(__file__).parent / ".data/prepared"
REAL = {
    "seattle": Recipe(source=SourceSpec(name="seattle")),
    "melbourne": Recipe(
        source=SourceSpec(path=str(SERIES / "daily-min-temperatures.csv"), time="Date", target="Temp"),
        window=WindowSpec(lookback=14, horizon=7),
        split=SplitSpec(validation=365, test=365),
    ),
    "sunspots": Recipe(
        source=SourceSpec(path=str(SERIES / "monthly-sunspots.csv"), time="Month", target="Sunspots"),
        window=WindowSpec(lookback=132, horizon=12),
    ),
    "etth1_oil": Recipe(
        source=SourceSpec(path=str(SERIES / "ETTh1.csv"), time="date", target="OT"),
        window=WindowSpec(lookback=96, horizon=24),
    ),
}  # fmt: skip
JENA = ["p (mbar)", "T (degC)", "rh (%)", "VPmax (mbar)", "rho (g/m**3)", "wv (m/s)"]
DRAWN = Recipe(
    source=SourceSpec(name="catalog", time="ds", target="y"),
    window=WindowSpec(lookback=30, horizon=7),
)


def draw_changing_drift(random: np.random.Generator, size: int) -> np.ndarray:
    """A random walk whose drift is one too."""
    drift = random.normal(0, 0.25, size).cumsum()
    return (drift + random.normal(0, 1, size)).cumsum() + random.normal(0, 2, size)


def draw_jumps(random: np.random.Generator, size: int) -> np.ndarray:
    """A level that jumps in 3 % of the months."""
    jumps = np.where(random.random(size) < 0.03, random.normal(0, 15, size), 0)
    return jumps.cumsum() + random.normal(0, 3, size)


def draw_broken_trend(random: np.random.Generator, size: int) -> np.ndarray:
    """A trend whose slope changes one to three times."""
    breaks = np.sort(random.choice(np.arange(20, size - 5), random.integers(1, 4), replace=False))
    lengths = np.diff([0, *breaks, size])
    return np.repeat(random.normal(0, 1, len(lengths)), lengths).cumsum() + random.normal(
        0, 3, size
    )


def draw_autoregressive(random: np.random.Generator, size: int) -> np.ndarray:
    """A stationary series."""
    decay = random.uniform(0.3, 0.9)
    noise = random.normal(0, 3, size + 50)
    values = np.zeros(size + 50)
    for step in range(1, size + 50):
        values[step] = decay * values[step - 1] + noise[step]
    return values[50:]


GENERATED: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "walk": lambda random, size: random.normal(0.5, 2, size).cumsum(),
    "changing_drift": draw_changing_drift,
    "jumps": draw_jumps,
    "broken_trend": draw_broken_trend,
    "autoregressive": draw_autoregressive,
}


def read_tourism() -> pd.DataFrame:
    """366 monthly series."""
    table = pd.read_csv(SERIES / "tourism_monthly_long.csv", parse_dates=["month"])
    return table.rename(columns={"series": "unique_id", "month": "ds", "value": "y"})


def read_jena() -> pd.DataFrame:
    """Daily means of six variables of the newest 1,500 days."""
    hours = pd.read_csv(SERIES / "jena_climate_2009_2016_hourly.csv")
    days = pd.to_datetime(hours["Date Time"], format="%d.%m.%Y %H:%M:%S").dt.floor("D")
    return melt(hours[JENA].groupby(days).mean().iloc[-1500:].asfreq("D").interpolate())


def read_etth1() -> pd.DataFrame:
    """Daily means of seven variables."""
    return melt(
        pd.read_csv(SERIES / "ETTh1.csv", parse_dates=["date"])
        .set_index("date")
        .resample("D")
        .mean()
    )


def melt(wide: pd.DataFrame) -> pd.DataFrame:
    """Return the long table of a wide one, whose index holds the times."""
    return wide.rename_axis("ds").reset_index().melt("ds", var_name="unique_id", value_name="y")


def draw_poisson() -> pd.DataFrame:
    """300 monthly counts of a mean of about 7, with a season, of 96 to 108 months."""
    random = np.random.default_rng(0)
    tables = []
    for number in range(300):
        size = 96 + int(random.integers(0, 13))
        season = np.exp(0.4 * np.sin(2 * np.pi * (np.arange(size) / 12 + random.random())))
        y = random.poisson(7 * np.exp(random.normal(0, 0.5)) * season).astype(float)
        ds = pd.date_range(end="2020-12-01", periods=size, freq="MS")
        tables.append(pd.DataFrame({"unique_id": f"s{number:03d}", "ds": ds, "y": y}))
    return pd.concat(tables, ignore_index=True)


def draw_sparse() -> pd.DataFrame:
    """50 daily series of demand on one day of ten to three of ten, of 1 and a Poisson number."""
    random = np.random.default_rng(0)
    size = (50, 200)
    rate = random.uniform(0.5, 4, (50, 1))
    probability = random.uniform(0.1, 0.3, (50, 1))
    demand = np.where(random.random(size) < probability, 1.0 + random.poisson(rate, size), 0.0)
    days = pd.date_range("2023-01-02", periods=size[1])
    return melt(
        pd.DataFrame(demand.T, index=days, columns=[f"s{number:02d}" for number in range(50)])
    )


# The table of each panel, window, number of origins, and rows that are known before each (None: all).
PANELS: dict[str, tuple[Callable[[], pd.DataFrame], WindowSpec, int, int | None]] = {
    "tourism": (read_tourism, WindowSpec(lookback=24, horizon=24), 4, None),
    "tourism_60": (read_tourism, WindowSpec(lookback=24, horizon=12), 6, 60),
    "m4_hourly": (
        lambda: pd.read_parquet(PREPARED / "m4_hourly.parquet"),
        WindowSpec(lookback=168, horizon=48),
        4,
        None,
    ),
    "m4_292": (
        lambda: pd.read_parquet(PREPARED / "m4_hourly.parquet"),
        WindowSpec(lookback=96, horizon=48),
        4,
        292,
    ),
    "jena_daily": (read_jena, WindowSpec(lookback=56, horizon=14), 10, None),
    "etth1_daily": (read_etth1, WindowSpec(lookback=56, horizon=14), 10, None),
    "poisson": (draw_poisson, WindowSpec(lookback=24, horizon=12), 4, None),
    "sparse": (draw_sparse, WindowSpec(lookback=28, horizon=14), 5, None),
}


# A table, how it is prepared, and its next values if these are measured instead of the test part.
Task = tuple[pd.DataFrame, Recipe, np.ndarray | None]


def cut_origins(case: str) -> Iterator[Task]:
    """Yield the panel as it was known at each origin, with one more horizon to test."""
    make, window, num_origins, known = PANELS[case]
    table = make().sort_values(["unique_id", "ds"], kind="stable")
    back = table.groupby("unique_id").cumcount(ascending=False)
    horizon = window.horizon
    recipe = Recipe(
        source=SourceSpec(name="catalog", id="unique_id", time="ds", target="y"),
        window=window,
        split=SplitSpec(validation=horizon, test=horizon),
        evaluation=EvaluationSpec(origins="last"),
    )
    for end in range(0, num_origins * horizon, horizon):
        stop = len(table) if known is None else end + horizon + known
        yield read_source(recipe.source, table[(back >= end) & (back < stop)]), recipe, None


def draw_generated(case: str, num_draws: int) -> Iterator[Task]:
    """Yield draws of a generated series, with defaults except for the horizon."""
    recipe = DRAWN.model_copy(update={"window": OpenWindowSpec(horizon=NUM_AHEAD)})
    months = pd.date_range("2010", periods=NUM_MONTHS, freq="MS")
    for seed in range(FIRST_SEED, FIRST_SEED + num_draws):
        values = 100 + GENERATED[case](np.random.default_rng([seed, 7]), NUM_MONTHS + NUM_AHEAD)
        frame = pd.DataFrame({"ds": months, "y": values[:NUM_MONTHS]})
        yield read_source(recipe.source, frame), recipe, values[NUM_MONTHS:]


def read_tables(case: str, num_draws: int) -> Iterator[Task]:
    """Each draw of a synthetic case, each origin of a panel, or the one real series."""
    if case.startswith("m4"):
        prepare_data()
    if case in PANELS:
        yield from cut_origins(case)
        return
    if case in GENERATED:
        yield from draw_generated(case, num_draws)
        return
    if case in REAL:
        yield read_source(REAL[case].source), REAL[case], None
        return
    days = pd.date_range("2021-01-01", periods=len(SIGNAL))
    for seed in range(num_draws):
        values = SIGNAL + NOISES[case](np.random.default_rng(seed))
        yield read_source(DRAWN.source, pd.DataFrame({"ds": days, "y": values})), DRAWN, None


def measure(
    table: pd.DataFrame, recipe: Recipe, next_values: np.ndarray | None, has_networks: bool
) -> pd.DataFrame:
    """Coverage, width and Winkler score by forecaster, level and step ahead."""
    found = prepare_panel(table, recipe)
    panel = found.windows
    linear = fit_linear_models(found.windows)
    networks = {name: train(panel, name) for name in NETWORKS} if has_networks else {}
    fitted, _ = fit_all_methods(FittingData(panel, linear), networks)
    intervals = fit_intervals(FittingData(panel, linear), fitted, LEVEL)
    forecasts = forecast_methods(panel, linear, fitted)
    part: Part = "test" if next_values is None else "future"
    points = tabulate_forecasts(panel, found.features, found.scaler, forecasts, part)
    predictions = add_intervals(points, intervals, panel, found.scaler, part)
    if next_values is not None:
        predictions = replace(predictions, table=predictions.table.assign(y=next_values))
    return measure_intervals(predictions)[1]


def train(panel: WindowedPanel, name: str) -> Network:
    """With default settings."""
    return train_network(
        prepare_fitting(panel), NetworkSpec(cell=name), ForecastTrainingSpec()
    ).network


def summarize(case: str, measured: list[pd.DataFrame]) -> pd.DataFrame:
    """Means over draws, by forecaster and level: of all steps; of the least and most covered step, and draw."""
    key = ["forecaster", "level"]
    by_draw = pd.concat([one.groupby(key)["coverage"].mean() for one in measured]).groupby(key)
    by_step = (
        pd.concat(measured)
        .groupby(["forecaster", "level", "horizon_step"], sort=False)[list(MEASURES)]
        .mean()
    )
    groups = by_step.groupby(["forecaster", "level"], sort=False)
    rows = groups.mean().assign(least=groups["coverage"].min(), most=groups["coverage"].max())
    rows = rows.assign(least_draw=by_draw.min(), most_draw=by_draw.max())
    return rows.reset_index().assign(case=case, num_draws=len(measured))


def format_rows(rows: pd.DataFrame) -> list[str]:
    """A Markdown row for each forecaster: coverage in percent with its range over draws or origins, width and score."""
    lines = []
    for name, levels in rows[rows["forecaster"].isin(SHOWN)].groupby("forecaster", sort=False):
        cells = [
            f"{100 * r.coverage:.1f} ({100 * r.least_draw:.0f} to {100 * r.most_draw:.0f}) | {r.width:.4g} | "
            f"{r.relative_width:.3f} | {r.winkler:.4g}"
            for r in levels.itertuples()
        ]
        lines.append(
            f"| {levels['case'].iloc[0]} | {levels['num_draws'].iloc[0]} | {name} | {' | '.join(cells)} |"
        )
    return lines


def main() -> None:
    """Measures the cases that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "cases",
        nargs="*",
        default=[*NOISES, "seattle"],
        metavar="case",
        help=", ".join([*NOISES, *REAL, *PANELS, *GENERATED]),
    )
    parser.add_argument("--draws", type=int, default=200, help="of each synthetic case")
    parser.add_argument(
        "--networks", action="store_true", help="train them too; seconds to minutes for each draw"
    )
    arguments = parser.parse_args()
    columns = [
        f"{what} {level} %"
        for level in LEVEL.root
        for what in ("coverage", "width", "relative width", "Winkler")
    ]
    print(f"| case | draws | forecaster | {' | '.join(columns)} |\n|{'---|' * (3 + len(columns))}")
    path = RESULTS / f"intervals{'_networks' if arguments.networks else ''}.json"
    kept: dict[str, list[dict[str, Any]]] = {}
    for row in json.loads(path.read_text()) if path.exists() else []:
        kept.setdefault(row["case"], []).append(row)
    for case in arguments.cases:
        started = time.process_time()
        tables = read_tables(case, arguments.draws)
        rows = summarize(case, [measure(*task, arguments.networks) for task in tables])
        rows["processor_seconds"] = round(time.process_time() - started, 1)
        kept[case] = rows.to_dict(orient="records")
        print("\n".join(format_rows(rows)), flush=True)
        path.write_text(
            json.dumps([row for rows in kept.values() for row in rows], indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
