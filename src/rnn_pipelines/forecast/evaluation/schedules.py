"""What schedules of retraining were worth: error against cost, beside simple methods."""

from typing import Any

import pandas as pd

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.metrics import BASELINES, compute_errors, list_forecasters
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.series.frequency import format_time


def summarize_backtest(forecasts: pd.DataFrame, retrainings: pd.DataFrame) -> dict[str, Any]:
    """One entry for each schedule and simple method, over the forecasts that all of them have.

    Args:
        forecasts, retrainings: what `replay_schedules` returns.
    Returns:
        `num_forecasts, num_left_out, first_cutoff, last_cutoff`; `reference`: the schedule with the fewest trainings;
        and `forecasters`: `name, mse, mae` (means over the forecasts of a series, then over series), `p_value` (of no
        difference from the reference, see `compare_losses`; None for itself), for schedules `num_trainings,
        num_promotions` (after the first) and `training_seconds`, None for simple methods.
    Raises:
        SeriesError: no forecast can be judged.
    """
    judged = forecasts.dropna().reset_index(drop=True)
    if judged.empty:
        raise SeriesError(
            "backtest_forecast: none of the forecasts can be judged: the period has no observed values, or the first "
            "champions know none of the series. Give a longer period."
        )
    counts = retrainings.groupby("schedule", sort=False)["as_of"].size()
    reference = str(counts.idxmin())
    squared = _squared_errors(judged)
    horizon = int(judged["horizon_step"].max())
    return {
        "num_forecasts": len(judged),
        "num_left_out": len(forecasts) - len(judged),
        "first_cutoff": format_time(judged["cutoff"].min()),
        "last_cutoff": format_time(judged["cutoff"].max()),
        "reference": reference,
        "forecasters": [
            {
                "name": name,
                **_measure(judged, name),
                "p_value": None if name == reference else _compare(squared, name, reference, horizon),
                **_count(retrainings, name),
            }
            for name in [*counts.index, *BASELINES]
        ],
    }


def _squared_errors(judged: pd.DataFrame) -> pd.DataFrame:
    errors = compute_errors(judged)[list_forecasters(judged)] ** 2
    keys = [judged["unique_id"], judged["cutoff"]]
    return errors.groupby(keys).mean().reset_index()


def _measure(judged: pd.DataFrame, name: str) -> dict[str, float]:
    error = judged["y"] - judged[name]
    by_series = pd.DataFrame({"mse": error**2, "mae": error.abs()}).groupby(judged["unique_id"]).mean()
    return {metric: float(value) for metric, value in by_series.mean().items()}


def _compare(squared: pd.DataFrame, name: str, reference: str, horizon: int) -> float:
    one, other = (
        squared[["unique_id", "cutoff", column]].set_axis(["unique_id", "cutoff", "loss"], axis=1)
        for column in (name, reference)
    )
    return compare_losses(one, other, horizon)


def _count(retrainings: pd.DataFrame, name: str) -> dict[str, Any]:
    own = retrainings[retrainings["schedule"] == name]
    if own.empty:
        return {"num_trainings": None, "num_promotions": None, "training_seconds": None}
    return {
        "num_trainings": len(own),
        "num_promotions": int(own["is_promoted"].iloc[1:].sum()),
        "training_seconds": float(own["training_seconds"].sum()),
    }
