"""Champion, challenger and baselines on the newest holdout."""

from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.forecast.evaluation.metrics import compute_errors, list_forecasters, measure_by_step
from rnn_pipelines.forecast.evaluation.significance import compare_losses

# Part of the deviation of the values that forecasts must have, lest they are all alike.
MIN_SPREAD = 1e-3
NAMES_IN_NOTE = 3


def measure_holdout(holdout: pd.DataFrame, horizon: int) -> dict[str, Any]:
    """Measures everyone on all rows; where the champion lacks some, the two of them on those that both forecast.

    Whoever is promoted forecasts all series: the baselines must be beaten, and the promise is made, on all of them.

    Args:
        holdout: what `forecast_holdout` returns.
        horizon: steps that a window reaches ahead.
    Returns:
        `measures` of each forecaster: `loss`, the MSE over all rows, mean over windows and steps, then over series, and
        `by_step`, the same at each step ahead; of the challenger also, and of the champion only, `shared_loss`, where
        the champion has a forecast, a number or not, but not of all rows. `p_value` of the two on these rows, None
        where there is no champion, NaN where a loss is not finite (see `compare_losses`). `notes` in words.
    """
    has_forecast = holdout[CHAMPION].notna() if CHAMPION in holdout else pd.Series(False, index=holdout.index)
    whole = holdout if has_forecast.all() else holdout.drop(columns=CHAMPION, errors="ignore")
    by_step = measure_by_step(whole).groupby("forecaster", sort=False)["mse"].agg(list)
    losses = _average(_square_errors(whole))
    measures = {name: {"loss": loss, "by_step": by_step[name]} for name, loss in losses.items()}
    p_value, notes = None, _list_partly_flat(holdout)
    if has_forecast.any():
        shared = _square_errors(holdout[has_forecast])[["unique_id", "cutoff", CHALLENGER, CHAMPION]]
        shared_losses = _average(shared)
        p_value = _compare(shared, horizon) if np.isfinite(list(shared_losses.values())).all() else float("nan")
        if not has_forecast.all():
            for name, loss in shared_losses.items():
                measures[name] = measures.get(name, {}) | {"shared_loss": loss}
    if CHAMPION in holdout:
        notes += _list_not_shared(holdout)
    return {"measures": measures, "p_value": p_value, "notes": notes}


def _square_errors(holdout: pd.DataFrame) -> pd.DataFrame:
    squared = compute_errors(holdout)[list_forecasters(holdout)] ** 2
    return squared.assign(unique_id=holdout["unique_id"], cutoff=holdout["cutoff"])


def _average(squared: pd.DataFrame) -> dict[str, float]:
    means: pd.Series = squared.drop(columns="cutoff").groupby("unique_id").mean().mean()
    return {str(name): float(loss) for name, loss in means.items()}


def _compare(shared: pd.DataFrame, horizon: int) -> float:
    by_window = shared.dropna().groupby(["unique_id", "cutoff"], as_index=False).mean()
    one, other = (
        by_window[["unique_id", "cutoff", name]].rename(columns={name: "loss"}) for name in (CHALLENGER, CHAMPION)
    )
    return compare_losses(one, other, horizon)


def _list_not_shared(holdout: pd.DataFrame) -> list[str]:
    has_forecast = holdout[CHAMPION].notna()
    if not has_forecast.any():
        return ["the champion has no forecast of this holdout"]
    is_known = has_forecast.groupby(holdout["unique_id"]).transform("any")
    num_series, num_rows = holdout.loc[~is_known, "unique_id"].nunique(), int((is_known & ~has_forecast).sum())
    found = [f"{num_series} series that it doesn't know"] if num_series else []
    found += [f"{num_rows} rows of other series that it has no forecast of"] if num_rows else []
    return [f"not compared with the champion: {what}" for what in found]


def find_faults(holdout: pd.DataFrame) -> list[str]:
    """What makes the challenger unusable, in words: forecasts that are not finite, or the same for every window."""
    forecasts = holdout[CHALLENGER]
    num_faulty = int((~np.isfinite(forecasts)).sum())
    if num_faulty:
        return [f"{num_faulty} of its {len(forecasts)} forecasts are not finite"]
    is_flat = _find_flat(holdout)
    return ["its forecasts are the same for every window"] if len(is_flat) and is_flat.all() else []


def _list_partly_flat(holdout: pd.DataFrame) -> list[str]:
    """A note on the series whose forecasts are all alike where those of others are not, which is no fault."""
    is_flat = _find_flat(holdout)
    names = [str(name) for name in is_flat.index[is_flat]]
    if not names or is_flat.all():
        return []
    some = ", ".join(names[:NAMES_IN_NOTE]) + (", …" if len(names) > NAMES_IN_NOTE else "")
    return [f"the challenger's forecasts are the same for every window of {len(names)} series ({some})"]


def _find_flat(holdout: pd.DataFrame) -> pd.Series:
    """Whether the challenger's forecasts are all alike, for each series with more than one window to tell it by."""
    by_step = holdout.groupby(["unique_id", "horizon_step"])
    spread = by_step[CHALLENGER].std(ddof=0).groupby("unique_id").max()
    by_series = holdout.groupby("unique_id")
    is_flat: pd.Series = spread < MIN_SPREAD * by_series["y"].std(ddof=0)
    return is_flat[by_series["cutoff"].nunique() > 1]
