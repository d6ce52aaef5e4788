"""As-of reading of reviews, and the holdout of a retraining."""

from typing import Annotated

import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import ReviewError, show
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.as_of import parse_last
from rnn_pipelines.reading.times import ISO, MAX_STEP, read_steps, read_times
from rnn_pipelines.sentiment.text.files import check_text_cells
from rnn_pipelines.sentiment.text.schema import make_labels
from rnn_pipelines.sentiment.text.source import (
    ReviewSourceSpec,
    parse_reviews,
    read_labelled_rows,
    read_reviews,
)
from rnn_pipelines.sentiment.text.splits import keep_classes, select_first

REMEDY = (
    "Correct the row, convert dates of another form with pandas.to_datetime and its dayfirst or format, or give every "
    "row the number of its batch."
)


class AsOfReviewsSpec(ParameterModel, frozen=True):
    """The as-of date and the size of the holdout.

    Attributes:
        as_of: last day, time (see `parse_as_of`) or batch to read; None for all. It requires `time`.
        time: column of dates, times or batch numbers in the user's own table, if it has one.
        holdout: fraction of held-out reviews: the newest ones by `time`; without `time`, drawn by group.
    """

    as_of: Annotated[
        Annotated[int, Field(ge=-MAX_STEP, le=MAX_STEP)] | str | None,
        expect("a day, a time or the number of a batch"),
    ] = None
    time: str | None = None
    holdout: float = Field(0.2, gt=0, lt=1)


def read_as_of(source: ReviewSourceSpec, spec: AsOfReviewsSpec) -> pd.DataFrame:
    """Read the reviews up to `as_of`, and mark the held-out ones.

    With times, the newest reviews are held out and reviews of the same time stay together. A group may have older
    reviews in training, as in use. Without times, groups are drawn in an order that depends only on their names. New
    reviews therefore hardly change the holdout, and a champion has not learnt from it. Without groups in the user's own
    table, texts are drawn. If all texts of a class would be held out, such as a new one, only its newest half is by
    time, and else none, so that it is learnt. The source's own test part is left out, so that no retraining uses it.

    Returns:
        `Reviews`, with the `split` test for held-out reviews, and their `time` (a time or a number) if there is one.
    Raises:
        ReviewError: as in `read_reviews`; `as_of` is given without a time column; a time is invalid; no review is left.
    """
    if spec.time is None and spec.as_of is not None:
        remedy = "Name their column in retrain_sentiment.time, or remove as_of."
        raise ReviewError(f"as_of is {show(spec.as_of)}, but the reviews have no times. {remedy}")
    if spec.time is not None and source.path is None:
        raise ReviewError(
            "retrain_sentiment.time requires your own table. Set sentiment.source.path, or remove it."
        )
    table = _read_until(source, spec)
    table = table[table["split"] != "test"]
    table = table.assign(label=make_labels(table["label"].astype("str")))
    if source.path is not None:
        # Without gaps, because draws depend on the numbers.
        ids = pd.Series(range(1, len(table) + 1), index=table.index).astype("str")
        table = table.assign(review_id=ids, **({} if source.group else {"group": ids})).reset_index(
            drop=True
        )
    drawn = "text" if source.path is not None and source.group is None else "group"
    units = table.loc[table["split"] == "train", drawn if spec.time is None else "time"]
    sizes = units.value_counts()
    # The last ones by time. Without times, the position of a unit depends only on its own name.
    order = sizes.index if spec.time is not None else pd.Index(hash_texts(sizes.index.to_series()))
    held = units.isin(select_first(sizes.iloc[order.argsort()[::-1]], spec.holdout))
    labels = table.loc[units.index, "label"]
    if spec.time is None:
        held = keep_classes(held, units, labels)
    else:
        held &= labels.isin(labels[~held]) | _find_newest(units, labels)
    return table.assign(
        split=table["split"].mask(held.reindex(table.index, fill_value=False), "test")
    )


def _find_newest(times: pd.Series, labels: pd.Series) -> pd.Series:
    """Return which texts are of the newest half of their class, never all: bool[num_texts]."""
    by_class = times.groupby(labels, observed=True)
    return by_class.rank(method="first") > (by_class.transform("size") + 1) / 2


def _read_until(source: ReviewSourceSpec, spec: AsOfReviewsSpec) -> pd.DataFrame:
    """Read the reviews up to `as_of`, with their `time`; later rows change no label, and no class."""
    if source.path is None:
        return read_reviews(source)
    table = read_labelled_rows(source, spec.time)
    if spec.time is None:
        return parse_reviews(table, source)
    times = _parse_times(table[spec.time], source)
    times = _drop_later(times, spec.as_of, source)
    return parse_reviews(table.loc[times.index], source).assign(time=times)


def _parse_times(column: pd.Series, source: ReviewSourceSpec) -> pd.Series:
    """Return numbers of batches, or times in UTC, so that times of several zones are comparable."""
    batches = read_steps(column)
    if batches is not None:
        return batches
    times = read_times(column, ISO)
    is_faulty = ~times.dt.year.between(1, 9999)
    check_text_cells(
        is_faulty,
        column,
        source.path,
        "a date or time of the form 2024-03-31 12:00 (ISO 8601)",
        REMEDY,
    )
    return times


def _drop_later(times: pd.Series, as_of: int | str | None, source: ReviewSourceSpec) -> pd.Series:
    if as_of is None:
        return times
    try:
        kept = times[times <= parse_last(as_of, times)]
    except ValueError as error:
        expected = (
            f"expected a time like those of the reviews ({times.iloc[0]}), received {show(as_of)}"
        )
        raise ReviewError(f"as_of: {expected}.") from error
    if kept.empty:
        first = f"as_of is {show(as_of)}, but the first review is of {times.min()}"
        raise ReviewError(f"{source.origin}: {first}. Set a later one.")
    return kept


def hash_texts(texts: pd.Series) -> pd.Series:
    """Return a hash of each text, the same in every process: uint64."""
    return pd.util.hash_pandas_object(texts.astype("object"), index=False)
