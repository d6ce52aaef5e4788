"""The next values as people read them: the ensemble's forecast and its intervals, in few digits."""

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.predictions import Predictions

FORECAST = "forecast"
# Of the usual value of a table; the interval of a forecast is wider than what they leave out.
NUM_DIGITS = 6


def tabulate_ensemble(next_values: Predictions) -> pd.DataFrame:
    """Return `unique_id, ds, forecast`, and `lo-80, hi-80` and the like for each level, in the unit of `y`.

    Args:
        next_values: of all methods.
    """
    table = next_values.table
    bounds = [f"{side}-{level}" for level in sorted(next_values.levels) for side in ("lo", "hi")]
    names = {ENSEMBLE: FORECAST} | {f"{ENSEMBLE}-{bound}": bound for bound in bounds}
    found = table[["unique_id", "ds", *(name for name in names if name in table)]].rename(columns=names)
    numbers = found.columns[2:]
    return found.assign(**found[numbers].round(_count_decimals(found[FORECAST].to_numpy())))


def _count_decimals(values: np.ndarray) -> int:
    """Return the decimals that leave the median value its digits; whole numbers keep none."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    magnitude = int(np.floor(np.log10(np.median(sizes)))) if len(sizes) else 0
    return max(NUM_DIGITS - 1 - magnitude, 0)
