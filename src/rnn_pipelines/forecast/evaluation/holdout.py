"""Champion, challenger and baselines on the newest holdout."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import Measures
from rnn_pipelines.forecast.evaluation.metrics import average_errors, average_over_series, measure_by_step
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.report.numbers import list_some

# Part of the deviation of the values that forecasts must have, lest they are all alike.
MIN_SPREAD = 1e-3
NAMES_IN_NOTE = 3


@dataclass(frozen=True)
class HoldoutMeasures:
    """What the holdout says of everyone.

    Attributes:
        measures: by forecaster: the MSE over all rows, mean over windows and steps, then over series, and the same at
            each step ahead; of the champion only `shared_loss` if it lacks some rows.
        p_value: of no difference between champion and challenger on the rows of both; None if there is no champion,
            NaN if a loss is not finite.
        better: by simple method whose MSE is below the challenger's: the MSE over that of the challenger, and the
            p-value of no difference, as many times as large as there are simple methods to choose from.
        notes: what is left out or odd, in words.
    """

    measures: dict[str, Measures]
    p_value: float | None
    better: dict[str, tuple[float, float]]
    notes: list[str]


def measure_holdout(holdout: Predictions, horizon: int) -> HoldoutMeasures:
    """Measures everyone on all rows; where the champion lacks some, the two of them on those that both forecast.

    Whoever is promoted forecasts all series: the baselines must be beaten, and the promise is made, on all of them.

    Args:
        holdout: forecasts of champion, challenger and baselines.
        horizon: steps that a window reaches ahead.
    """
    nobody = pd.Series(np.nan, index=holdout.table.index)
    has_forecast = holdout.table.get(CHAMPION, nobody).notna()
    whole = holdout if has_forecast.all() else holdout.select([n for n in holdout.forecasters if n != CHAMPION])
    by_step = measure_by_step(whole).groupby("forecaster", sort=False)["mse"].agg(list)
    losses = average_over_series(whole, "mse")
    measures = {name: Measures(loss=loss, by_step=by_step[name]) for name, loss in losses.items()}
    p_value, notes = None, _list_partly_flat(holdout)
    if has_forecast.any():
        shared = holdout.keep(has_forecast).select([CHALLENGER, CHAMPION])
        shared_losses = average_over_series(shared, "mse")
        is_finite = np.isfinite(list(shared_losses.values())).all()
        p_value = _compare(shared, CHALLENGER, CHAMPION, horizon) if is_finite else float("nan")
        if not has_forecast.all():
            for name, loss in shared_losses.items():
                measures.setdefault(name, Measures())["shared_loss"] = loss
    if CHAMPION in holdout.forecasters:
        notes += _list_not_shared(holdout.table)
    return HoldoutMeasures(measures, p_value, _find_better(whole, losses, horizon), notes)


def _find_better(holdout: Predictions, losses: dict[str, float], horizon: int) -> dict[str, tuple[float, float]]:
    ours = losses[CHALLENGER]
    others = [name for name in losses if name not in (CHALLENGER, CHAMPION)]
    if not np.isfinite(ours):
        return {}
    return {
        name: (losses[name] / ours, min(1.0, len(others) * _compare(holdout, CHALLENGER, name, horizon)))
        for name in others
        if losses[name] < ours
    }


def _compare(holdout: Predictions, one: str, other: str, horizon: int) -> float:
    both = holdout.select([one, other])
    both = both.keep(both.errors.notna().all(axis=1))
    squared = average_errors(both.table, both.forecasters, "mse", by="cutoff")
    return compare_losses(squared, one, other, horizon)


def _list_not_shared(table: pd.DataFrame) -> list[str]:
    has_forecast = table[CHAMPION].notna()
    if not has_forecast.any():
        return ["the champion has no forecast of this holdout"]
    is_known = has_forecast.groupby(table["unique_id"]).transform("any")
    num_series, num_rows = table.loc[~is_known, "unique_id"].nunique(), int((is_known & ~has_forecast).sum())
    found = [f"{num_series} series that it doesn't know"] if num_series else []
    found += [f"{num_rows} rows of other series that it has no forecast of"] if num_rows else []
    return [f"not compared with the champion: {what}" for what in found]


def find_faults(holdout: Predictions) -> list[str]:
    """What makes the challenger unusable, in words: forecasts that are not finite, or the same for every window."""
    forecasts = holdout.table[CHALLENGER]
    num_faulty = int((~np.isfinite(forecasts)).sum())
    if num_faulty:
        return [f"{num_faulty} of its {len(forecasts)} forecasts are not finite"]
    is_flat = _find_flat(holdout.table)
    return ["its forecasts are the same for every window"] if len(is_flat) and is_flat.all() else []


def _list_partly_flat(holdout: Predictions) -> list[str]:
    """A note on the series whose forecasts are all alike if those of others are not, because that is not a fault."""
    is_flat = _find_flat(holdout.table)
    names = [str(name) for name in is_flat.index[is_flat]]
    if not names or is_flat.all():
        return []
    some = list_some(names, NAMES_IN_NOTE)
    return [f"the challenger's forecasts are the same for every window of {len(names)} series ({some})"]


def _find_flat(table: pd.DataFrame) -> pd.Series:
    """Whether the challenger's forecasts are all alike, for each series with more than one window to tell it by."""
    by_step = table.groupby(["unique_id", "horizon_step"])
    spread = by_step[CHALLENGER].std(ddof=0).groupby("unique_id").max()
    by_series = table.groupby("unique_id")
    is_flat: pd.Series = spread < MIN_SPREAD * by_series["y"].std(ddof=0)
    return is_flat[by_series["cutoff"].nunique() > 1]
