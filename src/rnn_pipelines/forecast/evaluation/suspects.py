"""Suspect forecasts, which were made from a gross newest value: their marks, and those whose value was corrected."""

from typing import Annotated, Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import MAX_VALUE, count, make_line
from rnn_pipelines.forecast.methods.predictions import (
    REASON,
    RECORDED,
    SUSPECT,
    ForecastLog,
    fill_marks,
    keep_last_record,
)
from rnn_pipelines.forecast.preparation.gross_values import (
    MIN_FACTOR,
    NUM_NEWEST,
    GrossValues,
    describe_gross_value,
    list_gross_values,
    read_gross_value,
)
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.storage.tables import Column, Table

# Corrections that a message names.
NUM_NAMED = 3


class CorrectedTable(Table):
    """The cut-offs with suspect forecasts whose value was corrected, or removed, later.

    `since` is the time of the first forecast of the series after the correction, missing if there is none yet.
    """

    key = ("unique_id", "cutoff")
    unique_id = Column("text")
    cutoff = Column("moment")
    suspect_reason = Column("text")
    since = Column("time", can_be_empty=True)


Corrected = Annotated[pd.DataFrame, CorrectedTable]


def mark_forecasts(
    forecasts: pd.DataFrame, gross_values: GrossValues, tz: str | None
) -> pd.DataFrame:
    """Return the forecasts with marks, see `ForecastLogTable`; reasons name the farthest gross value of a series."""
    farthest = gross_values.drop_duplicates("unique_id").set_index("unique_id")
    reasons = {name: describe_gross_value(row, tz) for name, row in farthest.iterrows()}
    reason = forecasts["unique_id"].map(reasons).astype("str").fillna("")
    return forecasts.assign(**{SUSPECT: reason.ne("").astype(bool), REASON: reason})


def list_suspect_values(log: ForecastLog | None, series: Series, lookback: int) -> GrossValues:
    """Return the gross newest values, and those of earlier nights that forecasts still read.

    Of the values that the log has marked, those within the lookback count until they are corrected, or the later values
    have the same level.
    """
    newest = list_gross_values(series)
    if log is None or log.empty or log["cutoff"].dtype.kind != series["ds"].dtype.kind:
        return newest
    marked = fill_marks(log)
    is_read = series.groupby("unique_id").cumcount(ascending=False) < lookback
    read = series.loc[is_read, ["unique_id", "ds"]]
    suspects = marked[marked[SUSPECT]].merge(read.rename(columns={"ds": "cutoff"}))
    today = series[series["unique_id"].isin(suspects["unique_id"])]
    by_night = [newest]
    for cutoff, rows in suspects.groupby("cutoff"):
        past = today[(today["ds"] <= cutoff) & today["unique_id"].isin(rows["unique_id"])]
        gross_values = list_gross_values(past).merge(read)
        is_alone = [_is_alone(row, today) for row in gross_values.itertuples()]
        by_night.append(gross_values[np.array(is_alone, bool)])
    values = pd.concat(by_night).drop_duplicates(["unique_id", "ds"])
    return values.sort_values("factor", ascending=False, kind="stable", ignore_index=True)


def _is_alone(row: Any, series: Series) -> bool:
    """Return whether the values after a gross one have another level; few values show none."""
    is_later = (series["unique_id"] == row.unique_id) & (series["ds"] > row.ds) & series["observed"]
    later = series.loc[is_later, "y"]
    if len(later) < NUM_NEWEST:
        return True
    ratio = row.y / later.median() if later.median() else np.inf
    return not 1 / MIN_FACTOR < ratio < MIN_FACTOR


def list_corrected(log: ForecastLog, series: Series) -> Corrected:
    """Return the cut-offs of suspect forecasts whose gross value is another one in today's series, or is missing.

    A series without values up to the cut-off was not corrected, nor was a value that is only no longer gross.
    """
    marked = fill_marks(log)
    suspects = marked[marked[SUSPECT]].drop_duplicates(["unique_id", "cutoff"], keep="last")
    good = marked[~marked[SUSPECT] & marked["unique_id"].isin(suspects["unique_id"])]
    today = dict(iter(series[series["unique_id"].isin(suspects["unique_id"])].groupby("unique_id")))
    rows = []
    for row in suspects.itertuples():
        of_series = today.get(row.unique_id)
        if of_series is None or of_series["ds"].min() > row.cutoff:
            continue
        number, time = read_gross_value(row.suspect_reason, series["ds"])
        values = of_series.loc[of_series["observed"] & (of_series["ds"] == time), "y"]
        if number not in map(format_number, values):
            is_later = (good["unique_id"] == row.unique_id) & (good[RECORDED] > row.recorded_at)
            rows.append(
                (row.unique_id, row.cutoff, row.suspect_reason, good.loc[is_later, RECORDED].min())
            )
    corrected = pd.DataFrame(rows, columns=list(CorrectedTable.columns))
    corrected["since"] = pd.to_datetime(corrected["since"], utc=True)
    types = {
        "unique_id": "str",
        "cutoff": log["cutoff"].dtype,
        REASON: "str",
        "since": log[RECORDED].dtype,
    }
    return corrected.astype(types)


def leave_out_corrected(log: ForecastLog, corrected: Corrected) -> ForecastLog:
    """Return the log without suspect forecasts whose value was corrected; later ones of the same steps stay."""
    if corrected.empty:
        return log
    key = ["unique_id", "cutoff"]
    is_corrected = pd.MultiIndex.from_frame(log[key]).isin(pd.MultiIndex.from_frame(corrected[key]))
    return log[~(is_corrected & fill_marks(log)[SUSPECT])]


def describe_corrected(corrected: Corrected) -> str:
    """Return since when all is well again, and the values that were corrected; empty if none was."""
    if corrected.empty:
        return ""
    newest = corrected.drop_duplicates(["unique_id", REASON]).sort_values("cutoff", ascending=False)
    named = [
        f"series {make_line(row.unique_id, MAX_VALUE)}: {row.suspect_reason}"
        for row in newest.head(NUM_NAMED).itertuples()
    ]
    since = corrected["since"].max()
    time = "now" if pd.isna(since) else f"since {since.isoformat(timespec='seconds')}"
    what = "the value was" if len(newest) == 1 else f"{count(len(newest), 'value')} were"
    more = ", …" if len(newest) > NUM_NAMED else ""
    return f"ok again {time}: {what} corrected ({'; '.join(named)}{more})"


def keep_good_forecasts(made: ForecastLog, log: ForecastLog) -> ForecastLog:
    """Return the forecasts of a run, those of suspect series replaced by their last ones on record that are not.

    A series without such forecasts keeps its suspect ones.
    """
    names = made.loc[made[SUSPECT], "unique_id"].unique()
    marked = fill_marks(log)
    good = keep_last_record(marked[~marked[SUSPECT] & marked["unique_id"].isin(names)])
    good = good[good["cutoff"] == good.groupby("unique_id")["cutoff"].transform("max")]
    good = good.drop_duplicates(["unique_id", "ds"], keep="last")
    kept = made[~made["unique_id"].isin(good["unique_id"])]
    joined = pd.concat([kept, good.reindex(columns=made.columns)]) if len(good) else kept
    return joined.sort_values(["unique_id", "ds"], kind="stable", ignore_index=True)
