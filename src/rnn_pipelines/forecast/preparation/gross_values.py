"""Gross newest values: values at the end of a series that lie outside everything before them.

A moved decimal mark, another unit or a lost sign on the newest day would be forecast from. The test assumes no
distribution. Of a series on one side of 0, it compares the sizes of values as factors, because a series may grow; of
others, the values themselves. A new 0 is no gross value, because it is usual in sales.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import MAX_VALUE, count, make_line
from rnn_pipelines.forecast.series.rows import find_rows, list_series_names
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.reading.as_of import parse_first
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.storage.tables import Column, Table

logger = logging.getLogger(__name__)

# Steps at the end of a series that are tested, and the steps before them with which they are compared.
NUM_NEWEST = 3
NUM_BEFORE = 400
# Fewest values other than 0 before the newest steps, and fewest changes between neighbouring ones.
MIN_VALUES = 8
# A size is gross outside the earlier ones by this factor, and by half of their range in logarithms.
MIN_FACTOR = 5.0
# Or after a change by this factor that is also so many times the largest earlier one, in logarithms.
JUMP = 1.5
# A value of a series on both sides of 0 is gross outside the earlier ones by this multiple of their range.
NUM_RANGES = 2.0
# Share of series in which the test finds a value by chance, on real series at most.
CHANCE = 0.001
# Values that a message names.
NUM_NAMED = 10
# Series that are tested at once.
CHUNK_SERIES = 1 << 12


class GrossValuesTable(Table):
    """The gross newest values of a panel, the farthest ones first.

    `lowest` and `highest` are those of the values before the newest steps. `factor` is by how much the size of `y` lies
    outside theirs; it is below 1 if only the sign differs.
    """

    key = ("unique_id", "ds")
    unique_id = Column("text")
    ds = Column("moment")
    y = lowest = highest = factor = Column("float")


GrossValues = Annotated[pd.DataFrame, GrossValuesTable]


def is_gross(values: np.ndarray) -> np.ndarray:
    """Return which of the newest values lie outside everything before them: bool[series, newest].

    Args:
        values: float64[series, step], NaN without a value; the last `NUM_NEWEST` steps are tested, more than which are
            needed.
    """
    before = values[:, :-NUM_NEWEST]
    newest = values[:, -NUM_NEWEST:]
    sizes = _take_logs(values)
    sizes_before = sizes[:, :-NUM_NEWEST]
    new_sizes = sizes[:, -NUM_NEWEST:]
    lowest, highest = _find_range(before)
    smallest, largest = _find_range(sizes_before)
    least = np.log(MIN_FACTOR)
    with np.errstate(invalid="ignore"):
        margin = np.maximum(least, (largest - smallest) / 2)
        is_outside = (new_sizes > largest + margin) | (new_sizes < smallest - margin)
        distance = np.maximum(lowest - newest, newest - highest)
        is_far = distance > NUM_RANGES * (highest - lowest)
        is_turned = np.where(lowest >= 0, newest < 0, newest > 0)
        # A series that comes down to 0 may pass it by a small step.
        step = np.fmin(distance, np.abs(np.diff(values, axis=1)[:, -NUM_NEWEST:]))
        is_turned &= (new_sizes > smallest - least) & (step > _measure_usual_change(before))
    is_one_sided = (lowest >= 0) | (highest <= 0)
    is_found = np.where(is_one_sided, is_outside | _is_jump(sizes) | is_turned, is_far)
    is_enough = np.isfinite(sizes_before).sum(axis=1, keepdims=True) >= MIN_VALUES
    return is_enough & is_found & np.isfinite(new_sizes)


def _take_logs(values: np.ndarray) -> np.ndarray:
    """Return the logarithms of sizes, NaN for 0 and infinite values."""
    sizes = np.abs(values)
    return np.log(sizes, out=np.full_like(values, np.nan), where=(sizes > 0) & np.isfinite(sizes))


def _find_range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest value of each series, float64[series, 1]; infinite ones without a value."""
    lowest = np.fmin.reduce(values, axis=1, keepdims=True, initial=np.inf)
    highest = np.fmax.reduce(values, axis=1, keepdims=True, initial=-np.inf)
    return lowest, highest


def _measure_usual_change(values: np.ndarray) -> np.ndarray:
    """Return the mean size of the changes from step to step: float64[series, 1]."""
    changes = np.abs(np.diff(values, axis=1))
    is_known = np.isfinite(changes)
    num_known = np.maximum(is_known.sum(axis=1, keepdims=True), 1)
    return np.where(is_known, changes, 0.0).sum(axis=1, keepdims=True) / num_known


def _is_jump(sizes: np.ndarray) -> np.ndarray:
    """Return before which of the newest sizes a jump lies that is larger than all changes before."""
    changes = np.abs(np.diff(sizes, axis=1))
    before = changes[:, :-NUM_NEWEST]
    newest = changes[:, -NUM_NEWEST:]
    _, largest = _find_range(before)
    is_enough = np.isfinite(before).sum(axis=1, keepdims=True) >= MIN_VALUES
    # The return from a gross value leads back to the level before.
    from_before = np.abs(sizes[:, -NUM_NEWEST:] - sizes[:, -NUM_NEWEST - 1, None])
    return is_enough & (
        np.fmin(newest, from_before) > np.maximum(np.log(MIN_FACTOR), JUMP * largest)
    )


def list_gross_values(series: Series) -> GrossValues:
    """Return the gross newest values of repaired series; imputed ones are none."""
    found = pd.concat(
        [GrossValuesTable.make_empty().astype({"ds": series["ds"].dtype}), *_search(series)]
    )
    return found.sort_values("factor", ascending=False, kind="stable", ignore_index=True)


def _search(series: Series) -> Iterator[GrossValues]:
    """Yield the gross values of some series at a time."""
    rows = find_rows(series)
    names = list_series_names(series).to_numpy()
    observed = series["y"].where(series["observed"]).to_numpy("float64")
    times = series["ds"].reset_index(drop=True)
    width = NUM_NEWEST + min(NUM_BEFORE, int(rows.lengths.max(initial=0)))
    for start in range(0, len(rows.starts), CHUNK_SERIES):
        chosen = slice(start, start + CHUNK_SERIES)
        places = rows.stops[chosen, None] + np.arange(-width, 0)
        is_inside = places >= rows.starts[chosen, None]
        values = np.where(is_inside, observed[np.maximum(places, 0)], np.nan)
        found, newest = np.nonzero(is_gross(values))
        if not len(found):
            continue
        before = values[found, :-NUM_NEWEST]
        lowest, highest = _find_range(before)
        smallest, largest = _find_range(_take_logs(before))
        y = values[found, newest - NUM_NEWEST]
        size = np.log(np.abs(y))
        yield pd.DataFrame(
            {
                "unique_id": names[chosen][found],
                "ds": times.iloc[places[found, newest - NUM_NEWEST]].array,
                "y": y,
                "lowest": lowest.ravel(),
                "highest": highest.ravel(),
                "factor": np.exp(np.maximum(size - largest.ravel(), smallest.ravel() - size)),
            }
        )


def is_alarm(num_found: int, num_series: int) -> bool:
    """Return whether more series have gross newest values than some of very many have by chance."""
    return num_found > CHANCE * num_series


def list_gross_records(found: GrossValues, tz: str | None) -> list[dict[str, Any]]:
    """Return the gross values as JSON, with times as text in the zone `tz`; see `read_records`."""
    return found.assign(ds=[format_time(time, tz) for time in found["ds"]]).to_dict(
        orient="records"
    )


def read_records(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table of `list_gross_records`, whose times are texts."""
    return pd.DataFrame(records, columns=list(GrossValuesTable.columns))


def describe_gross_value(row: pd.Series, tz: str | None = None) -> str:
    """Return a gross value with its time, in the zone `tz`, and the range of the values before it."""
    span = f"{format_number(row['lowest'])} to {format_number(row['highest'])}"
    time = row["ds"] if isinstance(row["ds"], str) else format_time(row["ds"], tz)
    return f"{format_number(row['y'])} at {time}, after values from {span}"


def read_gross_value(text: str, times: pd.Series) -> tuple[str, pd.Timestamp | int]:
    """Return the number and the time in a text of `describe_gross_value`, the time as `times` are."""
    number, _, others = text.partition(" at ")
    time, _, _ = others.partition(", after ")
    # A time with a zone has its offset from UTC.
    return number, parse_first(time, times, None)


def describe_gross_values(
    found: GrossValues, tz: str | None = None, num_found: int | None = None
) -> str:
    """Return the number of gross values, and the largest ones with their series; see `describe_gross_value`.

    `num_found` is the number of all, if the table has only the largest ones.
    """
    num_found = len(found) if num_found is None else num_found
    named = [
        f"series {make_line(row['unique_id'], MAX_VALUE)}: {describe_gross_value(row, tz)}"
        for _, row in found.head(NUM_NAMED).iterrows()
    ]
    largest = f", the {NUM_NAMED} largest" if num_found > NUM_NAMED else ""
    fact = f"{count(num_found, 'newest value')} outside everything before{largest}"
    return f"{fact} ({'; '.join(named)})"


def warn_of_gross_values(series: Series, label: str, tz: str | None = None) -> None:
    """Log a warning of the gross newest values of repaired series, if there are any."""
    found = list_gross_values(series)
    if len(found):
        logger.warning(
            "%s: %s. Check them at their source", label, describe_gross_values(found, tz)
        )
