"""The newest reviews: what was there on a day and nothing later, and the part of them that judges a retraining."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import ReviewError, show
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.as_of import parse_as_of
from rnn_pipelines.reading.user_files import TableFiles, read_columns
from rnn_pipelines.sentiment.text.files import check_cells
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews
from rnn_pipelines.sentiment.text.splits import take_first

FILES = TableFiles(
    error=ReviewError,
    path="sentiment.source.path",
    columns="retrain_sentiment.time",
    other="An archive of the Large Movie Review Dataset has no times.",
)
REMEDY = (
    "Correct the row; write dates of another form anew, with pandas.to_datetime and its dayfirst or format; or number "
    "the batches in all rows."
)


class AsOfReviewsSpec(ParameterModel, frozen=True):
    """Up to when reviews are read, and which of them judge.

    Attributes:
        as_of: last day, time (see `parse_as_of`) or batch that counts; None for all there is. It needs `time`.
        time: column of dates, times or numbers of batches in the user's own table; None for none.
        holdout: fraction of the reviews that judge: the newest ones by `time`, else drawn by group.
    """

    as_of: Annotated[
        Annotated[int, Field(ge=-(10**18), le=10**18)] | str | None, expect("a day, a time or the number of a batch")
    ] = None
    time: str | None = None
    holdout: float = Field(0.2, gt=0, lt=1)


def read_as_of(source: ReviewSourceSpec, spec: AsOfReviewsSpec) -> pd.DataFrame:
    """Reads the reviews, drops what came after `as_of`, and says which ones are held out.

    By time, all reviews of one time stay together, and a group may have older reviews in training, as it has on the
    day of use. Without times, groups are drawn in an order that depends on nothing but their names, so that new reviews
    hardly change which ones are held out, and a champion has not learnt from them; where there is no group, each text
    stands for itself. A test part that the source has is left out: no retraining sees it.

    Args:
        source: which reviews.
        spec: up to when, and how many judge.
    Returns:
        `Reviews` whose `split` is test where held out, and their `time` (a time or a number) where there is one.
    Raises:
        ReviewError: as in `read_reviews`; no column says when and `as_of` is given; a time is none; nothing is left.
    """
    _check_time_settings(source, spec)
    table = read_reviews(source)
    if spec.time is not None:
        table = table.assign(time=_read_times(str(source.path), spec.time))
    table = _drop_later(table[table["split"] != "test"], spec.as_of, source)
    if source.path is not None:
        table = _renumber(table, source)
    units = table.loc[table["split"] == "train", _find_unit(source, spec)]
    held = units.isin(_hold_out(units, spec))
    return table.assign(split=table["split"].mask(held.reindex(table.index, fill_value=False), "test"))


def _check_time_settings(source: ReviewSourceSpec, spec: AsOfReviewsSpec) -> None:
    if spec.time is None and spec.as_of is not None:
        raise ReviewError(
            f"as_of is {show(spec.as_of)}, but no column says when a review was written. Name it in "
            "retrain_sentiment.time, or leave as_of out."
        )
    if spec.time is not None and source.path is None:
        raise ReviewError("retrain_sentiment.time is for your own table: give sentiment.source.path, or leave it out.")


def _read_times(path: str, name: str) -> pd.Series:
    column = read_columns(Path(path), [name], FILES)[name]
    batches = _read_batches(column)
    # Batches of 2000.9 and 2000.10 can be months in another order.
    if batches is not None and (batches % 1 == 0).all():
        return batches
    # As text, because pandas takes numbers for nanoseconds. In one format, because it guesses days to be months.
    # Through UTC, so that times of several zones fall on one axis; times without a zone keep their value.
    text = column
    if not pd.api.types.is_datetime64_any_dtype(column):
        # To pandas `now` and `today` are times in any form, and 2000.5, the middle of a year, is May.
        text = column.astype(str)
        text = text.where(text.str.contains("[0-9]") & ~text.str.fullmatch(r"\s*[+-]?[0-9]*\.[0-9]*\s*"))
    times = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601").dt.tz_localize(None)
    faulty = ~times.dt.year.between(1, 9999)
    check_cells(faulty, column, path, "a date or time of the form 2024-03-31 12:00 (ISO 8601)", REMEDY)
    return times


def _read_batches(cells: pd.Series) -> pd.Series | None:
    """Reads numbers of batches; None where a cell is none that is finite."""
    if not pd.api.types.is_numeric_dtype(cells):
        cells = cells.astype(str).str.strip()
        # As people write them: Python reads 1_0 as 10.
        if not cells.str.fullmatch(r"[+-]?[0-9]{1,18}(?:\.[0-9]*)?").all():
            return None
    numbers = pd.to_numeric(cells)
    return numbers if np.isfinite(numbers.astype("float64")).all() else None


def _drop_later(table: pd.DataFrame, as_of: int | str | None, source: ReviewSourceSpec) -> pd.DataFrame:
    if as_of is None:
        return table
    times = table["time"]
    try:
        if not pd.api.types.is_datetime64_any_dtype(times):
            last = _read_batches(pd.Series([as_of]))
            if last is None:
                raise ValueError("no number of a batch")
            kept = table[times <= last[0]]
        elif isinstance(as_of, int):
            raise ValueError("a number is not a date")
        else:
            kept = table[times <= parse_as_of(as_of)]
    except ValueError as error:
        raise ReviewError(
            f"as_of: expected a time like those of the reviews ({times.iloc[0]}), received {show(as_of)}."
        ) from error
    if kept.empty:
        raise ReviewError(
            f"{source.origin}: as_of is {show(as_of)}, and the first review is of {times.min()}. Give a later one."
        )
    return kept


def _renumber(table: pd.DataFrame, source: ReviewSourceSpec) -> pd.DataFrame:
    """Rows that count for nothing leave no gaps in the numbers, on which draws depend."""
    ids = pd.Series(range(1, len(table) + 1), index=table.index).astype("str")
    return table.assign(review_id=ids, **({} if source.group else {"group": ids})).reset_index(drop=True)


def _find_unit(source: ReviewSourceSpec, spec: AsOfReviewsSpec) -> str:
    if spec.time is not None:
        return "time"
    return "text" if source.path is not None and source.group is None else "group"


def _hold_out(units: pd.Series, spec: AsOfReviewsSpec) -> pd.Index:
    """The units that judge: the last ones by time, else the first ones in an order of their own."""
    sizes = units.value_counts()
    # A unit's place depends on its own name alone.
    order = sizes.index if spec.time is not None else pd.Index(hash_texts(sizes.index.to_series()))
    return take_first(sizes.iloc[order.argsort()[::-1]], spec.holdout)


def hash_texts(texts: pd.Series) -> pd.Series:
    """A number for each text, the same in every process, uint64."""
    return pd.util.hash_pandas_object(texts.astype("object"), index=False)
