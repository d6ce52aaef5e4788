"""Stability of a method: how far it moves the forecast of a date from one origin to the next, relative to its error.

With the forecasts f of a date t from neighbouring origins n and n', both of which forecast it, and the actuals y:

    stability           mean |f(t, n) − f(t, n')| / mean |y − f|
    horizon_stability   the same times the changes of a date from its first forecast to its last one

Lower is steadier, and 0 never changes. Forecasts whose origins are further apart than the horizon have no stability.
Unlike a percentage change, it exists for values around 0, and tells whether the changes are large for the errors.

Source: Godahewa et al. (2023), vertical stability and mean absolute change, arXiv:2310.17332; Van Belle, Crevits &
    Verbeke (2023), sMAPC, doi:10.1016/j.ijforecast.2022.06.007; Zanotti (2025) for retraining, arXiv:2506.05776.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

STABILITY = ("stability", "horizon_stability")


def average_changes(
    table: pd.DataFrame, forecasters: Sequence[str], before: Sequence[str] | None = None
) -> tuple[pd.DataFrame, pd.Series]:
    """Return the mean absolute change of each forecaster by series, and the most changes of a date.

    Args:
        table: `unique_id, cutoff, ds`, each once, and the forecasters, in any order.
        before: the forecasters of the earlier origins, for changes of the model between two origins; None for the same.
    Returns:
        The changes, NaN for series without two forecasts of a date: float64, by `unique_id`, a column for each
        forecaster. And the numbers of changes, by `unique_id`.
    """
    ordered = table.sort_values(["unique_id", "ds", "cutoff"], kind="stable")
    dates = ordered[["unique_id", "ds"]]
    is_same = (dates == dates.shift()).all(axis=1)
    now, earlier = (ordered[list(names)].to_numpy("float64") for names in (forecasters, before or forecasters))
    changes = pd.DataFrame(np.nan, index=ordered.index, columns=list(forecasters))
    # Forecasts that are infinite twice have no change.
    with np.errstate(invalid="ignore"):
        changes.iloc[1:] = np.abs(now[1:] - earlier[:-1])
    changes = changes.where(is_same)
    num_changes = is_same.groupby([dates["unique_id"], dates["ds"]]).sum().groupby("unique_id").max()
    return changes.groupby(dates["unique_id"]).mean(), num_changes
