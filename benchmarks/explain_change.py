"""The cost of the explanation of a change, with all of its parts.

    .venv/bin/python benchmarks/explain_change.py [--series 1000] [--steps 400]

Prints processor seconds for a panel of daily series with a price, of which all have new and revised values, changed
prices and another version, and the largest difference between the change and the sum of its parts.
"""

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.model.change import DAY_AHEAD, PARTS

HORIZON = 7
NETWORK = {"units": 8, "members": 1}
SETTINGS: dict[str, Any] = {
    "lstm": NETWORK,
    "gru": NETWORK,
    "training": {"max_steps": 20},
    "covariates": {"future": ["price"]},
}


def make_panel(num_series: int, num_steps: int) -> pd.DataFrame:
    """Return weekly seasons with noise that fall with the price; the values of the last horizon are missing."""
    random = np.random.default_rng(0)
    price = random.normal(10, 1, (num_series, num_steps + HORIZON))
    y = (
        70
        + 10 * np.sin(np.arange(num_steps + HORIZON) * 2 * np.pi / 7)
        - 2 * price
        + random.normal(0, 3, price.shape)
    )
    y[:, num_steps:] = np.nan
    days = np.tile(pd.date_range("2024-01-01", periods=num_steps + HORIZON), num_series)
    ids = np.repeat([f"s{number}" for number in range(num_series)], num_steps + HORIZON)
    return pd.DataFrame({"unique_id": ids, "ds": days, "y": y.ravel(), "price": price.ravel()})


def main() -> None:
    """Fit two versions, explain the change between two nights, and print its cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=400)
    args = parser.parse_args()
    after = make_panel(args.series, args.steps)
    last = after["ds"].max() - pd.Timedelta(days=HORIZON)

    def cut(num_days: int) -> pd.DataFrame:
        end = last - pd.Timedelta(days=num_days)
        rows = after[after["ds"] <= end + pd.Timedelta(days=HORIZON)]
        return rows.assign(y=rows["y"].where(rows["ds"] <= end))

    earlier, later = (
        Forecaster(h=HORIZON, level=None, **SETTINGS).fit(cut(num_days)) for num_days in (30, 2)
    )
    before = cut(1)
    is_revised, is_ahead = (after["ds"] == last + pd.Timedelta(days=days) for days in (-4, 2))
    after = after.assign(y=after["y"] + 8 * is_revised, price=after["price"] + is_ahead)
    started = time.process_time()
    table = later.explain_change(before, after, earlier).table
    seconds = time.process_time() - started
    difference = (table[[*PARTS, DAY_AHEAD]].sum(axis=1) - table["change"]).abs().max()
    assert (
        table.groupby("unique_id")[[*PARTS, DAY_AHEAD]].agg(lambda part: part.abs().max()) != 0
    ).all(axis=None)
    print(
        f"{args.series:,} series, {len(table):,} forecasts: {seconds:.1f} processor seconds; parts {difference:.1e}"
    )


if __name__ == "__main__":
    main()
