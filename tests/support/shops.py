"""A panel of shops, for tests of panels that are larger than memory."""

import numpy as np
import pandas as pd


def make_shops(num_series: int, num_steps: int, horizon: int) -> pd.DataFrame:
    """Return daily sales with a week, a price that is known ahead, and two kinds of shops.

    Returns:
        `shop, ds, y, price, kind`; the values of the last `horizon` days of each shop are missing.
    """
    random = np.random.default_rng(0)
    steps = np.arange(num_steps + horizon)
    tables = []
    for number in range(num_series):
        price = np.where(random.random(len(steps)) < 0.2, 0.8, 1.0)
        y = 50 * (number + 1) * (1 + 0.3 * np.sin(2 * np.pi * steps / 7)) / price + random.normal(
            0, 3, len(steps)
        )
        days = pd.date_range("2024-01-01", periods=len(steps))
        tables.append(
            pd.DataFrame(
                {
                    "shop": f"shop {number}",
                    "ds": days,
                    "y": y,
                    "price": price,
                    "kind": "AB"[number % 2],
                }
            )
        )
        tables[-1].loc[num_steps:, "y"] = np.nan
    return pd.concat(tables, ignore_index=True)
