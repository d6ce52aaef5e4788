"""Champion, challenger and baselines on the same rows of the newest holdout."""

from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.evaluation.metrics import compute_errors, list_forecasters, measure_by_step
from rnn_pipelines.evaluation.significance import compare_losses

CHALLENGER, CHAMPION = "challenger", "champion"
# Part of the deviation of the values that forecasts must have, lest they are all alike.
MIN_SPREAD = 1e-3


def measure_holdout(holdout: pd.DataFrame, horizon: int) -> dict[str, Any]:
    """Measures everyone on the rows that champion and challenger both have a forecast for, a number or not.

    Args:
        holdout: what `forecast_holdout` returns.
        horizon: steps that a window reaches ahead.
    Returns:
        `losses`: the MSE of each forecaster, mean over windows and steps, then over series; `by_step`: the same at each
        step ahead; `p_value` of champion and challenger, None where there is no champion, NaN where a loss is not
        finite (see `compare_losses`); `notes`: what is left out, in words.
    """
    shared, notes = _share(holdout)
    squared = (compute_errors(shared)[list_forecasters(shared)] ** 2).assign(
        unique_id=shared["unique_id"], cutoff=shared["cutoff"]
    )
    losses = squared.drop(columns="cutoff").groupby("unique_id").mean().mean()
    by_step = measure_by_step(shared).groupby("forecaster", sort=False)["mse"].agg(list)
    p_value = None
    if CHAMPION in shared:
        by_window = (
            squared.dropna(subset=[CHALLENGER, CHAMPION]).groupby(["unique_id", "cutoff"], as_index=False).mean()
        )
        one, other = (
            by_window[["unique_id", "cutoff", name]].rename(columns={name: "loss"}) for name in (CHALLENGER, CHAMPION)
        )
        is_finite = np.isfinite([losses[CHALLENGER], losses[CHAMPION]]).all()
        p_value = compare_losses(one, other, horizon) if is_finite else float("nan")
    return {"losses": losses.to_dict(), "by_step": by_step.to_dict(), "p_value": p_value, "notes": notes}


def _share(holdout: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows of both; all rows, and no champion, where it has none of them."""
    if CHAMPION not in holdout:
        return holdout, []
    is_shared = holdout[CHAMPION].notna()
    if not is_shared.any():
        return holdout.drop(columns=CHAMPION), ["the champion has no forecast of this holdout"]
    shared = holdout[is_shared]
    num_series = holdout["unique_id"].nunique() - shared["unique_id"].nunique()
    notes = [f"left out: {num_series} series that the champion doesn't know"] if num_series else []
    num_rows = int((~is_shared & holdout["unique_id"].isin(shared["unique_id"])).sum())
    notes += [f"left out: {num_rows} rows of other series that the champion has no forecast of"] if num_rows else []
    return shared, notes


def find_faults(holdout: pd.DataFrame) -> list[str]:
    """What makes the challenger unusable, in words: forecasts that are not finite, or the same for every window."""
    forecasts = holdout[CHALLENGER]
    num_faulty = int((~np.isfinite(forecasts)).sum())
    if num_faulty:
        return [f"{num_faulty} of its {len(forecasts)} forecasts are not finite"]
    # The spread over windows at each step ahead; one window alone has none.
    spread = forecasts.groupby([holdout["unique_id"], holdout["horizon_step"]]).std(ddof=0).groupby("unique_id").max()
    by_series = holdout.groupby("unique_id")
    flat = spread[(by_series["cutoff"].nunique() > 1) & (spread < MIN_SPREAD * by_series["y"].std(ddof=0))]
    if len(flat) == len(spread):
        return ["its forecasts are the same for every window"]
    return []
