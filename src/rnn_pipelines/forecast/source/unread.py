"""Warnings about rows of covariates that no forecast reads."""

import logging

import pandas as pd

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.source.covariates import KEY, NAMES_IN_MESSAGE, find_lacking, list_times
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)


def report_off_steps(
    steps: pd.DataFrame, covariate_table: pd.DataFrame, tz: str | None = None
) -> None:
    """Warn of covariates between two steps of their series, such as at weekends, which are not read.

    This is not an error, because a step without a row ends the run anyway. `steps` are `unique_id, ds` of all steps,
    including those to forecast; rows before a series and after these steps do not count.
    """
    rows, is_within = _find_within(covariate_table, steps)
    some = list_times(find_lacking(rows[is_within], steps), tz)
    if some:
        logger.warning(
            "covariates: rows between steps are not read: %s", list_some(some, NAMES_IN_MESSAGE)
        )


def report_unread(given: pd.DataFrame, steps: pd.DataFrame, tz: str | None = None) -> None:
    """Warn of given rows of covariates, by `unique_id, ds`, that the forecast does not read; see `report_off_steps`."""
    rows, is_within = _find_within(given, steps)
    if len(rows) < len(given):
        others = given["unique_id"][~given["unique_id"].isin(steps["unique_id"])]
        logger.warning(
            "covariates: not read: %s of %d other series: %s",
            count(len(others), "row"),
            others.nunique(),
            list_some(others.unique(), NAMES_IN_MESSAGE),
        )
    outside = rows[~is_within]
    if len(outside):
        logger.warning(
            "covariates: not read: %s before the series or after the last step of the forecast: %s",
            count(len(outside), "row"),
            list_some(list_times(outside, tz), NAMES_IN_MESSAGE),
        )


def _find_within(table: pd.DataFrame, steps: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return the rows of series that have steps, and whether each is between their first and last step."""
    ends = steps.groupby("unique_id", sort=False)["ds"].agg(["min", "max"])
    rows = table.loc[table["unique_id"].isin(ends.index), KEY]
    first, last = (rows["unique_id"].map(ends[name]) for name in ends)
    return rows, rows["ds"].between(first, last)
