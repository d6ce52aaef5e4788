"""Errors of champion, challenger and baselines on the newest holdout."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import Measures
from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.metrics import (
    average_changes,
    average_errors,
    average_over_series,
    measure_by,
)
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.report.numbers import list_some

# Smallest spread of forecasts that are not constant, as a share of the deviation of the values.
MIN_SPREAD = 1e-3
NAMES_IN_NOTE = 3


@dataclass(frozen=True)
class ForecastHoldoutMeasures:
    """Results of the holdout.

    Attributes:
        measures: by forecaster, the MSE over all rows and at each step ahead: means over windows and steps, then over
            series. If the champion lacks some rows: `shared_loss` of champion and challenger on the rows of both, which
            is the champion's only loss. Both have their `change` on these rows, if a date has two forecasts. Without a
            holdout, the challenger has no loss and no steps.
        p_value: of equal accuracy of champion and challenger on the rows of both; None without a champion, NaN if a
            loss is not finite.
        better: the simple methods with a lower MSE than the challenger, by name: their MSE over the challenger's, and
            the p-value of equal accuracy, multiplied by the number of simple methods.
    """

    measures: dict[str, Measures]
    p_value: float | None
    better: dict[str, tuple[float, float]]
    notes: list[str]


def measure_forecast_holdout(holdout: Predictions, horizon: int) -> ForecastHoldoutMeasures:
    """Measure all forecasters on all rows; if the champion lacks some, compare it on the rows that it forecasts.

    The promoted model forecasts all series, so that baselines and the expected error are compared on all rows.
    """
    if holdout.table.empty:
        nothing = ["no part was held back, so that nothing is measured"]
        return ForecastHoldoutMeasures({CHALLENGER: Measures(by_step=[])}, None, {}, nothing)
    has_forecast = holdout.table.reindex(columns=[CHAMPION])[CHAMPION].notna()
    whole = (
        holdout
        if has_forecast.all()
        else holdout.select([n for n in holdout.forecasters if n != CHAMPION])
    )
    by_step = measure_by(whole, "horizon_step").groupby("forecaster", sort=False)["mse"].agg(list)
    losses = average_over_series(whole, "mse")
    measures = {name: Measures(loss=loss, by_step=by_step[name]) for name, loss in losses.items()}
    p_value = None
    notes = _list_partly_flat(holdout)
    if has_forecast.any():
        shared = holdout.keep(has_forecast).select([CHALLENGER, CHAMPION])
        shared_losses = average_over_series(shared, "mse")
        is_finite = np.isfinite(list(shared_losses.values())).all()
        p_value = _compare(shared, CHALLENGER, CHAMPION, horizon) if is_finite else float("nan")
        if not has_forecast.all():
            for name, loss in shared_losses.items():
                measures.setdefault(name, Measures())["shared_loss"] = loss
        for name in shared.forecasters:
            changes, _ = average_changes(shared.table, [name], [CHAMPION])
            if changes[name].notna().any():
                measures[name]["change"] = float(changes[name].mean())
    if CHAMPION in holdout.forecasters:
        notes += _list_not_shared(holdout.table)
    simple = [name for name in losses if name not in (CHALLENGER, CHAMPION)]
    of_challenger = losses[CHALLENGER]
    better = {}
    for name in simple:
        if np.isfinite(of_challenger) and losses[name] < of_challenger:
            p_better = len(simple) * _compare(whole, CHALLENGER, name, horizon)
            better[name] = (losses[name] / of_challenger, min(1.0, p_better))
    return ForecastHoldoutMeasures(measures, p_value, better, notes)


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
    num_series = table.loc[~is_known, "unique_id"].nunique()
    # The horizon of the champion, if it is shorter.
    last = int(table.loc[has_forecast, "horizon_step"].max())
    longest = int(table["horizon_step"].max())
    num_rows = int((is_known & ~has_forecast & (table["horizon_step"] <= last)).sum())
    missing = [f"{num_series} unknown series"] if num_series else []
    if last < longest:
        beyond = f"step {longest}" if longest == last + 1 else f"steps {last + 1} to {longest}"
        missing.append(f"{beyond}, because its horizon is {last}")
    if num_rows:
        missing.append(f"{count(num_rows, 'row')} of other series, without a forecast")
    return [f"not compared with the champion: {part}" for part in missing]


def find_forecast_faults(holdout: Predictions) -> list[str]:
    """Return the faults that make the challenger unusable: non-finite forecasts, or the same for every window."""
    forecasts = holdout.table[CHALLENGER]
    if num_faulty := int((~np.isfinite(forecasts)).sum()):
        return [f"its forecasts are not finite ({num_faulty} of {len(forecasts):,})"]
    is_flat = _find_flat(holdout.table)
    return ["its forecasts are the same for every window"] if len(is_flat) and is_flat.all() else []


def _list_partly_flat(holdout: Predictions) -> list[str]:
    """Return a note if the forecasts of some series, but not of all, are the same for every window."""
    is_flat = _find_flat(holdout.table)
    names = [str(name) for name in is_flat.index[is_flat]]
    if not names or is_flat.all():
        return []
    some = list_some(names, NAMES_IN_NOTE)
    return [
        f"the challenger's forecasts are the same for every window of {len(names)} series ({some})"
    ]


def _find_flat(table: pd.DataFrame) -> pd.Series:
    """Return whether the challenger's forecasts are the same for every window: bool, by series with several windows."""
    spread = (
        table.groupby(["unique_id", "horizon_step"])[CHALLENGER]
        .std(ddof=0)
        .groupby("unique_id")
        .max()
    )
    by_series = table.groupby("unique_id")
    is_flat: pd.Series = spread < MIN_SPREAD * by_series["y"].std(ddof=0)
    return is_flat[by_series["cutoff"].nunique() > 1]
