"""Are totals of forecasts worse than forecasts of totals, and does reconciliation help?

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/hierarchy.py [--only tourism] [--origins 10]

At several origins, one horizon apart, `Forecaster(networks="pretrained")` is fitted on the series, on their totals (20
groups in the order of the names, and all) and on both in periods (quarters and years, or weeks). Nothing after an
origin is read. Each line has a level and a period, and the mean absolute error over the mean seasonal change of the
total's past: of sums of the series' forecasts (`bottom_up`), of forecasts made on the past of the totals (`own`) or of
the totals in periods (`own_period`), of both reconciled by a method of hierarchicalforecast, and of the forecasts of
steps and periods reconciled (`temporal`).
"""

import argparse
import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from hierarchicalforecast.methods import MinTrace
from totals import draw_shops, draw_stations, draw_walks, read_m4_hourly, read_tourism

from rnn_pipelines.forecast.interface import Forecaster

METHODS = ("ols", "wls_struct", "wls_var", "mint_shrink")
NUM_GROUPS = 20


class Panel(NamedTuple):
    """A panel; `horizon`, `season` of the scale and `periods` are in steps."""

    read: Callable[[Path], pd.DataFrame]
    horizon: int
    season: int
    periods: dict[str, int]


PANELS = {
    "tourism": Panel(read_tourism, 12, 12, {"month": 1, "quarter": 3, "year": 12}),
    "m4_hourly": Panel(read_m4_hourly, 24, 24, {"hour": 1, "day": 24}),
    "shops": Panel(draw_shops, 14, 7, {"day": 1, "week": 7}),
    "walks": Panel(draw_walks, 7, 7, {"day": 1, "week": 7}),
    "stations": Panel(draw_stations, 7, 7, {"day": 1, "week": 7}),
}


def read_wide(table: pd.DataFrame) -> pd.DataFrame:
    """Return a column for each series that covers the times that seven in ten series share."""
    wide = table.pivot(index="ds", columns="unique_id", values="y")
    start = wide.apply(pd.Series.first_valid_index).quantile(0.7, interpolation="lower")
    end = wide.apply(pd.Series.last_valid_index).quantile(0.1, interpolation="lower")
    shared = wide.loc[start:end]
    return shared.loc[:, shared.notna().all()].sort_index(axis=1)


def sum_members(wide: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return all totals and series, and the summing matrix, float64[total or series, series]."""
    num_series = wide.shape[1]
    group = np.arange(num_series) * NUM_GROUPS // num_series
    of_groups = group == np.arange(NUM_GROUPS)[:, None]
    summing = np.vstack([np.ones(num_series), of_groups, np.eye(num_series)])
    names = ["all", *(f"group {number}" for number in range(NUM_GROUPS)), *wide.columns]
    return pd.DataFrame(wide.to_numpy() @ summing.T, wide.index, names), summing


def sum_steps(values: np.ndarray, num_steps: int) -> np.ndarray:
    """Return sums of as many steps of float64[step, total]; the newest period is whole."""
    whole = values[len(values) % num_steps :]
    return whole.reshape(-1, num_steps, values.shape[1]).sum(axis=1)


def forecast(history: pd.DataFrame, horizon: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Return forecasts, float64[step, total], and actual values and forecasts of the test part by total."""
    table = history.rename_axis("ds").reset_index()
    table = table.melt("ds", var_name="unique_id", value_name="y")
    forecaster = Forecaster(h=horizon, networks="pretrained", level=None).fit(table)
    next_values = forecaster.predict()
    forecasts = next_values.pivot(index="ds", columns="unique_id", values=forecaster.used)
    test = forecaster.holdout().rename(columns={forecaster.used: "y_hat"})
    held_out = test.pivot(
        index=["cutoff", "horizon_step"], columns="unique_id", values=["y", "y_hat"]
    )
    return forecasts[history.columns].to_numpy(), held_out


def reconcile_members(
    past: pd.DataFrame, summing: np.ndarray, horizon: int
) -> dict[str, np.ndarray]:
    """Return forecasts by method, float64[step, total or series]."""
    num_totals = len(summing) - summing.shape[1]
    of_totals, held_out_totals = forecast(past.iloc[:, :num_totals], horizon)
    of_series, held_out_series = forecast(past.iloc[:, num_totals:], horizon)
    own = np.hstack([of_totals, of_series])
    held_out = pd.concat([held_out_totals, held_out_series], axis=1)
    actual = held_out["y"][past.columns].to_numpy().T
    fitted = held_out["y_hat"][past.columns].to_numpy().T
    by_method = {"bottom_up": of_series @ summing.T, "own": own}
    for name in METHODS:
        by_method[name] = MinTrace(name).fit_predict(summing, own.T, actual, fitted)["mean"].T
    return by_method


def reconcile_periods(forecasts: np.ndarray, of_periods: dict[int, np.ndarray]) -> np.ndarray:
    """Return forecasts of steps that are reconciled with those of periods, by the number of steps."""
    summing = [
        np.kron(np.eye(len(of_period)), np.ones(num_steps))
        for num_steps, of_period in of_periods.items()
    ]
    nodes = np.vstack([*summing, np.eye(len(forecasts))])
    base = np.vstack([*of_periods.values(), forecasts])
    return MinTrace("wls_struct").fit_predict(nodes, base)["mean"][-len(forecasts) :]


def measure(wide: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """Return scaled errors at the newest horizon, in rows of level, period, method."""
    both, summing = sum_members(wide)
    past, later = both.iloc[: -panel.horizon], both.iloc[-panel.horizon :].to_numpy()
    by_method = reconcile_members(past, summing, panel.horizon)
    of_periods = {}
    for num_steps in list(panel.periods.values())[1:]:
        history = pd.DataFrame(
            sum_steps(past.to_numpy(), num_steps),
            past.index[len(past) % num_steps :: num_steps],
            past.columns,
        )
        of_periods[num_steps] = forecast(history, panel.horizon // num_steps)[0]
    by_method["temporal"] = reconcile_periods(by_method["bottom_up"], of_periods)
    num_totals = len(summing) - summing.shape[1]
    levels = {"all": slice(1), "group": slice(1, num_totals), "series": slice(num_totals, None)}
    rows = []
    for period, num_steps in panel.periods.items():
        sums = {name: sum_steps(values, num_steps) for name, values in by_method.items()}
        if num_steps > 1:
            sums["own_period"] = of_periods[num_steps]
        history = sum_steps(past.to_numpy(), num_steps)
        lag = max(panel.season // num_steps, 1)
        scale = np.abs(history[lag:] - history[:-lag]).mean(axis=0)
        for name, values in sums.items():
            scaled = np.abs(sum_steps(later, num_steps) - values).mean(axis=0) / scale
            rows += [(level, period, name, scaled[part].mean()) for level, part in levels.items()]
    return pd.DataFrame(rows, columns=["level", "period", "method", "error"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=list(PANELS), choices=list(PANELS))
    parser.add_argument("--origins", type=int, default=10)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    for name in given.only:
        panel = PANELS[name]
        wide = read_wide(panel.read(Path(os.environ["RNN_DATA"])))
        ends = [len(wide) - number * panel.horizon for number in range(given.origins)]
        errors = pd.concat([measure(wide.iloc[:end], panel) for end in ends])
        mean = errors.pivot_table("error", ["level", "period"], "method", sort=False)
        print(f"{name}: {wide.shape[1]} series, {len(wide)} steps")
        print(mean.round(3).to_string(), flush=True)


if __name__ == "__main__":
    main()
