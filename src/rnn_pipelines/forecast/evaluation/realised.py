"""What past forecasts were worth once their actuals are there, against what their models promised."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.champion.verdict import ExpectedError, KnownChampion
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.methods.predictions import BOUNDS, ForecastLog, ForecastLogTable, StepsTable
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.storage.tables import Column

logger = logging.getLogger(__name__)


class EvaluatedForecastsTable(StepsTable):
    """Past forecasts beside their actuals, and the MSE that the model promised for the step, missing if it didn't.

    With the bounds of the intervals that there are.
    """

    families = BOUNDS
    key = ("unique_id", "cutoff", "ds", "model_version")
    model_version = Column("text")
    y = Column("float")
    y_hat = Column("float", can_be_empty=True, can_be_infinite=True)
    expected_mse = Column("float", can_be_empty=True)


EvaluatedForecasts = Annotated[pd.DataFrame, EvaluatedForecastsTable]


class GroupError(TypedDict):
    """Realised error and promise of some forecasts, as JSON: means over those of a series, then over series.

    Of a group, what it has in common stands beside them: its `horizon_step` or `model_version`. None stands for what is
    not there, or not finite.
    """

    horizon_step: NotRequired[int]
    model_version: NotRequired[str]
    num_forecasts: int
    first_cutoff: str | None
    last_cutoff: str | None
    mse: float | None
    mae: float | None
    expected_mse: float | None


class RealisedError(GroupError):
    """Realised error against the promise, over forecasts whose promise is on record; `num_without_expected_error` are
    left out.

    `ratio` is realised MSE over promised; `p_value` that of no difference between both.
    """

    num_cutoffs: int
    num_without_expected_error: int
    ratio: float | None
    p_value: float | None


def join_actuals(log: ForecastLog | None, series: Series, champion: KnownChampion) -> EvaluatedForecasts:
    """The past forecasts that can be judged, each beside its actual and what its model promised for its step.

    A forecast without an actual is left out, as is one whose actual was filled in, and one whose model had learnt from
    what came after the cut-off, as a forecast of earlier days may have.

    Args:
        log: all forecasts that were ever made; None where there are none.
        series: up to the day that is judged.
        champion: with the `versions` on record: of each `by_step`, its promised MSE for each step ahead, and
            `trained_until` by series; either may be None.
    Raises:
        SeriesError: the forecasts are of dates and the series of steps, or the other way round.
    """
    if log is None or log.empty:
        log = _make_empty_log(series)
    check_same_kind_of_time(log, series)
    versions = champion["versions"]
    actuals = series.loc[series["observed"], ["unique_id", "ds", "y"]]
    bounds = [name for name in log if ForecastLogTable.is_in_family(name)]
    joined = log[[*StepsTable.columns, "y_hat", "model_version", *bounds]].merge(
        actuals, on=["unique_id", "ds"], validate="many_to_one"
    )
    joined = joined.merge(_tabulate_learnt(versions, joined["cutoff"]), on=["model_version", "unique_id"], how="left")
    has_seen = joined["cutoff"] < joined["last"]
    if has_seen.any():
        logger.warning("left out: %d forecasts whose model had learnt from what came after them", has_seen.sum())
    evaluated = joined[~has_seen].merge(
        _tabulate_expected_errors(versions), on=["model_version", "horizon_step"], how="left"
    )
    return evaluated[[*EvaluatedForecastsTable.columns, *bounds]]


def _make_empty_log(series: Series) -> ForecastLog:
    time = series["ds"].dtype
    types = {"cutoff": time, "ds": time, "horizon_step": "int64", "y_hat": "float64", "model_version": "str"}
    return pd.DataFrame(columns=list(ForecastLogTable.columns)).astype(types)


def check_same_kind_of_time(log: ForecastLog, series: Series) -> None:
    """Raises where forecasts and series can't be held against each other.

    Args:
        log, series: see `join_actuals`.
    Raises:
        SeriesError: one has dates and the other steps.
    """
    if log["ds"].dtype.kind != series["ds"].dtype.kind:
        raise SeriesError(
            f"forecasts: their times are {log['ds'].dtype}, those of the series {series['ds'].dtype}. Move the file of "
            "the forecasts away if the series are others now."
        )


def _tabulate_learnt(versions: Mapping[str, ExpectedError], cutoffs: pd.Series) -> pd.DataFrame:
    """The `last` time that a version has learnt from, for each `model_version` and `unique_id` that it is known of."""
    has_dates = cutoffs.dtype.kind == "M"
    rows = [
        (version, name, last)
        for version, known in versions.items()
        for name, last in (known.get("trained_until") or {}).items()
        if isinstance(last, str) is has_dates
    ]
    table = pd.DataFrame(rows, columns=["model_version", "unique_id", "last"])
    table["last"] = pd.to_datetime(table["last"]) if has_dates else table["last"].astype("int64")
    return table.astype({"model_version": "str", "unique_id": "str"})


def _tabulate_expected_errors(versions: Mapping[str, ExpectedError]) -> pd.DataFrame:
    """The `expected_mse` of each `model_version` and `horizon_step`; what is not finite is no promise."""
    rows = [
        (version, step, float(expected))
        for version, known in versions.items()
        for step, expected in enumerate(known.get("by_step") or [], start=1)
        if expected is not None and np.isfinite(expected)
    ]
    table = pd.DataFrame(rows, columns=["model_version", "horizon_step", "expected_mse"])
    return table.astype({"model_version": "str", "horizon_step": "int64", "expected_mse": "float64"})


def keep_newest(evaluated: EvaluatedForecasts, num_cutoffs: int) -> EvaluatedForecasts:
    """The forecasts from the newest cut-offs."""
    newest = np.sort(evaluated["cutoff"].unique())[-num_cutoffs:]
    return evaluated[evaluated["cutoff"].isin(newest)]


def measure_realised(evaluated: EvaluatedForecasts) -> RealisedError:
    """Realised error against the promise.

    Args:
        evaluated: all forecasts, or a part of them.
    """
    compared = evaluated[evaluated["expected_mse"].notna()]
    names = ("first_cutoff", "last_cutoff", "mse", "mae", "expected_mse", "ratio", "p_value")
    measured: dict[str, Any] = dict.fromkeys(names)
    if len(compared):
        errors = _compute_losses(compared)
        means = errors.groupby("unique_id")[["mse", "mae", "expected_mse"]].mean().mean()
        ratio = float(means["mse"] / means["expected_mse"]) if means["expected_mse"] > 0 else float("nan")
        measured |= {name: float(mean) for name, mean in means.items()} | {
            "first_cutoff": format_time(compared["cutoff"].min()),
            "last_cutoff": format_time(compared["cutoff"].max()),
            "ratio": ratio,
            "p_value": _compare(errors) if np.isfinite(ratio) else float("nan"),
        }
    counts = {
        "num_forecasts": len(compared),
        "num_cutoffs": int(compared["cutoff"].nunique()),
        "num_without_expected_error": len(evaluated) - len(compared),
    }
    return RealisedError(**counts | measured)  # type: ignore[typeddict-item]


def _compare(errors: pd.DataFrame) -> float:
    by_window = errors.groupby(["unique_id", "cutoff"], as_index=False)[["mse", "expected_mse"]].mean()
    return compare_losses(by_window, "mse", "expected_mse", int(errors["horizon_step"].max()))


def measure_groups(
    evaluated: EvaluatedForecasts, by: Literal["horizon_step", "cutoff", "model_version"]
) -> pd.DataFrame:
    """Realised error and promise by step ahead, by cut-off or by model version.

    Args:
        evaluated: all forecasts, or a part of them.
        by: the column.
    Returns:
        `by`, `num_forecasts, first_cutoff, last_cutoff, mse, mae, expected_mse` (means over a series, then over series;
        the promise is NaN where it is not on record for all), in the order of `by`; versions by their first cut-off.
    """
    errors = _compute_losses(evaluated)
    means = errors.groupby([by, "unique_id"])[["mse", "mae"]].mean().groupby(by).mean()
    expected = errors.groupby([by, "unique_id"])["expected_mse"].agg(lambda values: values.mean(skipna=False))
    means["expected_mse"] = expected.groupby(by).agg(lambda values: values.mean(skipna=False))
    counts = errors.groupby(by)["cutoff"].agg(num_forecasts="size", first_cutoff="min", last_cutoff="max")
    order = ["first_cutoff", by] if by == "model_version" else [by]
    return counts.join(means).reset_index().sort_values(order, ignore_index=True)


def _compute_losses(evaluated: EvaluatedForecasts) -> pd.DataFrame:
    error = evaluated["y"] - evaluated["y_hat"]
    return evaluated[["unique_id", "cutoff", "horizon_step", "model_version", "expected_mse"]].assign(
        mse=error**2, mae=error.abs()
    )
