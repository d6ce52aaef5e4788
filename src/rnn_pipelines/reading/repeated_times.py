"""Local times that clocks repeat, and the instant that each row stands for.

The order of the rows distinguishes the two instants: time goes forward from row to row, or back if the newest row comes
first. If a row is missing and the order allows several readings, the spacing of the series decides. If the spacing
allows several too, the rows count as the earlier instants. The log reports this.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show

logger = logging.getLogger(__name__)

# Largest fraction of rows against the order of the others, such as rows that were added later.
MAX_FRACTION_ASTRAY = 0.1
# Repeated times that are farther apart belong to different clock changes.
TIME_BETWEEN_CHANGES = np.timedelta64(12, "h")

Reason = Literal["their order", "the spacing of their series", "assumption, as the earlier ones"]


class Instants(NamedTuple):
    """The two instants of local times: datetime64[row], equal unless clocks repeat it; NaT if there is none."""

    earlier: np.ndarray
    later: np.ndarray

    @property
    def is_repeated(self) -> np.ndarray:
        """Return whether clocks repeat each local time: bool[row]."""
        repeated: np.ndarray = (self.earlier != self.later) & ~np.isnat(self.earlier)
        return repeated

    def pick(self, rows: np.ndarray) -> "Instants":
        """Return the instants of some rows."""
        return Instants(self.earlier[rows], self.later[rows])


class Grid(NamedTuple):
    """An unambiguous instant of each series, datetime64[series], NaT if there is none; and the common step."""

    starts: np.ndarray
    step: np.timedelta64


def find_earlier(table: pd.DataFrame, tz: str, label: str) -> np.ndarray:
    """Return whether each row is the earlier of the two instants with its local time: bool[row], True if there is one.

    The table is that of `place_in_zone`; raise a SeriesError if its rows are in no chronological order.
    """
    is_earlier = np.ones(len(table), bool)
    zoned = (
        table["ds"].dt.tz_localize(tz, ambiguous=fold, nonexistent="NaT")
        for fold in (is_earlier, ~is_earlier)
    )
    instants = Instants(*(times.dt.tz_convert(None).to_numpy() for times in zoned))
    if not instants.is_repeated.any():
        return is_earlier
    codes, names = pd.factorize(table["unique_id"])
    # The fraction of steps that go forward in time, with one row for each local time: with steps below an hour, the
    # repeated hour would look like steps back.
    steps = (
        table[~table.duplicated(["unique_id", "ds"])]
        .groupby("unique_id", sort=False)["ds"]
        .diff()
        .dropna()
    )
    is_down = (
        (steps > pd.Timedelta(0)).groupby(table["unique_id"], sort=False).mean().astype("float64")
    )
    fractions = is_down.reindex(names).fillna(1.0).to_numpy()
    local = table["ds"].to_numpy()
    grid = _find_grid(codes, len(names), instants)
    reasons: Counter[Reason | None] = Counter()
    for some in _list_nights(codes, local, instants.is_repeated):
        number = codes[some[0]]
        is_mixed = MAX_FRACTION_ASTRAY < fractions[number] < 1 - MAX_FRACTION_ASTRAY
        ordered = np.argsort(local[some], kind="stable")
        rows = some[ordered] if is_mixed else some[:: 1 if fractions[number] > 0.5 else -1]
        found, reason = _read_night(
            local[rows], instants.pick(rows), Grid(grid.starts[number], grid.step)
        )
        if found is None or (is_mixed and len(np.unique(local[rows])) < len(rows)):
            row = table.iloc[some[-1]]
            raise SeriesError(
                f"{label}: row {row.name}: clocks in {tz} repeat {row['ds']}, and the rows of series "
                f"{show(row['unique_id'])} are in no chronological order that distinguishes the two. Sort them by "
                "time, or write the offset from UTC into the times: 2024-10-27 02:00+01:00."
            )
        is_earlier[rows] = found
        reasons[reason] += len(rows)
    # Covariates are read from the same rows, which are reported once.
    placed = [f"{number:,} by {reason}" for reason, number in reasons.items() if reason is not None]
    if "y" in table and placed:
        logger.warning(
            "%s: rows are missing at times that clocks in %s repeat; the other rows there were placed %s",
            label,
            tz,
            ", ".join(placed),
        )
    return is_earlier


def _find_grid(codes: np.ndarray, num_series: int, instants: Instants) -> Grid:
    unambiguous = np.flatnonzero(~instants.is_repeated & ~np.isnat(instants.earlier))
    unambiguous = unambiguous[np.lexsort((instants.earlier[unambiguous], codes[unambiguous]))]
    times = instants.earlier[unambiguous]
    owners = codes[unambiguous]
    starts = np.full(num_series, np.datetime64("NaT"), instants.earlier.dtype)
    starts[owners[::-1]] = times[::-1]
    steps = np.diff(times)[np.diff(owners) == 0]
    positive = steps[steps > np.timedelta64(0)]
    return Grid(starts, positive.min() if len(positive) else np.timedelta64("NaT"))


def _list_nights(
    codes: np.ndarray, local: np.ndarray, is_repeated: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the rows of each series at each clock change, int64[row]."""
    rows = np.flatnonzero(is_repeated)
    times = np.unique(local[rows])
    changes = np.append(0, np.cumsum(np.diff(times) > TIME_BETWEEN_CHANGES))[
        np.searchsorted(times, local[rows])
    ]
    order = np.lexsort((changes, codes[rows]))
    is_new = (np.diff(codes[rows][order]) != 0) | (np.diff(changes[order]) != 0)
    yield from np.split(rows[order], np.flatnonzero(is_new) + 1)


def _read_night(
    local: np.ndarray, instants: Instants, grid: Grid
) -> tuple[np.ndarray | None, Reason | None]:
    """Return which rows of one series, in chronological order of their local times, are the earlier instants.

    That is bool[row], None if no reading is possible; and the reason for it, None if each time occurs twice.
    """
    numbers = np.arange(len(local))
    times, places, counts = np.unique(local, return_inverse=True, return_counts=True)
    back = np.flatnonzero(np.diff(local) <= np.timedelta64(0))
    if len(back) == 1:
        return numbers <= back[0], None if (counts == 2).all() else "their order"
    if len(back) > 1:
        # Sorted by local time: 2:00, 2:00, 2:30, 2:30.
        is_first = np.isin(numbers, [np.argmax(places == place) for place in range(len(times))])
        return (is_first if (counts > 1).all() else None), None
    readings = [numbers < num_earlier for num_earlier in range(len(local), -1, -1)]
    on_grid = readings
    if not np.isnat(grid.step) and not np.isnat(grid.starts):
        rests = ((np.where(reading, *instants) - grid.starts) % grid.step for reading in readings)
        on_grid = [
            reading
            for reading, rest in zip(readings, rests, strict=True)
            if (rest == np.timedelta64(0)).all()
        ]
    reason: Reason = (
        "the spacing of their series" if len(on_grid) == 1 else "assumption, as the earlier ones"
    )
    return (on_grid or readings)[0], reason
