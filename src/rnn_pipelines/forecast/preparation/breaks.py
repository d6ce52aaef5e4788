"""Breaks of series: changes of level, unit or sign that stand alone.

For windows of r steps and a lag of whole seasons, the change at step t is

    d(t) = median of x[t + i] - x[t + i - lag],  0 ≤ i < r

Trend, season, random walk and noise make many changes of like size. A break makes one, and values in another unit for
a while make two, that are a multiple of the largest change elsewhere. So no model is fitted, and nothing is assumed
about the noise. The changes are those of the values, which show shifts, and those of their logarithms, which show
factors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

# Steps of the windows; the longest has to fit several times into the series.
WIDTHS = (2, 3, 6, 12, 24, 48, 96)
# Breaks of one series that are found together: the two ends of a stretch in another unit.
MAX_BREAKS = 2
# A break is at least this multiple of the largest change elsewhere, and of more if few windows are left to compare.
MIN_MULTIPLE, FEW_WINDOWS = 2.0, 6.0
# A change by this factor, or of the sign, is one of the unit. A smaller one exceeds what is needed by a margin, and
# lasts to the end.
UNIT_FACTOR, MARGIN = 5.0, 1.2
# The part of a change that comes within a few steps, and the part by which the levels differ.
ABRUPT_PART, LASTING_PART = 0.6, 0.5
# Errors of a ratio: the least, and the most within which it is rounded to a power of ten.
MIN_ERROR = 0.02
MAX_ROUNDING = float(np.log(1.4))
# The part of the values that lies before a break at least. Less is the start of the series, such as a launch.
MIN_BEFORE = 0.1
# Fewest values before a break, and after it; fewer are gross values, see `gross_values`.
MIN_SIDE, MIN_AFTER = 4, 3
# A series with more zeros is compared by its other values.
MAX_ZEROS = 0.3
# A series with more values on the other side of 0 is compared by the size of its changes.
MAX_OTHER_SIDE = 0.1
# Changes in the mean that gives the size of these.
NUM_CHANGES = 8
# Fewest values of a series.
MIN_VALUES = 12
# The largest multiple is its inverse.
TINY_PART = 1e-9
# Values of one block of series that are scanned together.
BLOCK_SIZE = 200_000


@dataclass(frozen=True)
class Break:
    """A break of a series, after which earlier values fit if they are multiplied by `ratio` or moved by `shift`.

    Attributes:
        place: number of the first value after it.
        before, after: the medians on both sides.
        ratio: 1 for a shift. A power of ten if it is one within its error.
        shift: 0 for a ratio; in the unit of the values.
    """

    place: int
    before: float
    after: float
    ratio: float = 1.0
    shift: float = 0.0


@dataclass(frozen=True)
class Values:
    """The values of a series that are compared: float64[value] each, without NaN.

    Attributes:
        places: of the values in the series, int64[value].
        sizes: logarithms of the sizes of the values, or of their changes if they lie on both sides of 0.
        exact: `sizes` without a mean over neighbours.
        has_sides: whether they lie on both sides of 0.
        is_sparse: whether the series has many zeros. Only changes of its unit are breaks.
    """

    places: np.ndarray
    values: np.ndarray
    sizes: np.ndarray
    exact: np.ndarray
    has_sides: bool
    is_sparse: bool


@dataclass(frozen=True)
class Scan:
    """Changes that stand alone: `score`, float64[series], at least 1 if they do; `places`, int64[series, break]."""

    width: int
    lag: int
    is_size: bool
    score: np.ndarray
    number: np.ndarray  # of the breaks, int64[series]
    places: np.ndarray

    @property
    def side(self) -> int:
        """The number of values on a side of a break that show its level."""
        return max(self.lag, 2 * self.width)


def find_breaks(series: Sequence[np.ndarray], season_length: int) -> list[list[Break]]:
    """Return the breaks of each series, in the order of time; `series` are float64[time], NaN where a value is missing.

    Nothing is a break in a series with fewer than 12 values. The first tenth of a series has none.
    """
    found: list[list[Break]] = [[] for _ in series]
    selected = [select_values(values) for values in series]
    for numbers in _list_blocks(
        [0 if values is None else len(values.values) for values in selected]
    ):
        block = [selected[number] for number in numbers]
        length = _round_length(min(len(values.values) for values in block))
        scans = list(_scan_block(block, length, season_length))
        is_candidate = (
            np.any([scan.score >= 1 for scan in scans], axis=0)
            if scans
            else np.zeros(len(block), bool)
        )
        for row in np.flatnonzero(is_candidate).tolist():
            ordered = sorted(
                (scan for scan in scans if scan.score[row] >= 1), key=lambda scan: -scan.score[row]
            )
            tried = (
                _describe(block[row], scan, row, len(block[row].values) - length)
                for scan in ordered
            )
            found[numbers[row]] = next((breaks for breaks in tried if breaks), [])
    return found


def select_values(y: np.ndarray) -> Values | None:
    """Return the values of a series that are compared, from the first one other than 0; None if they are few.

    A value of 0 says nothing of the unit. The value before it is taken, or none in a series with many zeros.
    """
    is_known = np.isfinite(y) & (y != 0)
    if is_known.sum() < MIN_VALUES:
        return None
    places = np.arange(int(is_known.argmax()), len(y))
    is_sparse = bool((y[places] == 0).mean() > MAX_ZEROS)
    if is_sparse:
        places = np.flatnonzero(is_known)
    values = carry_forward(np.where(is_known, y, np.nan)[places])
    is_positive = values > 0
    # A break of the sign changes sides once.
    num_turns = int(np.count_nonzero(is_positive[1:] != is_positive[:-1]))
    share = float(is_positive.mean())
    has_sides = MAX_OTHER_SIDE < share < 1 - MAX_OTHER_SIDE and num_turns > MAX_BREAKS
    if not has_sides:
        sizes = np.log(np.abs(values))
        return Values(places, values, sizes, sizes, has_sides, is_sparse)
    changes = np.abs(np.diff(values, prepend=values[:1]))
    if not (changes > 0).any():
        return None
    exact = carry_forward(np.where(changes > 0, changes, np.nan))
    means = np.convolve(exact, np.full(NUM_CHANGES, 1 / NUM_CHANGES), mode="same")
    return Values(places, values, np.log(means), np.log(exact), has_sides, is_sparse)


def carry_forward(values: np.ndarray) -> np.ndarray:
    """Return the values with the one before in place of each NaN; those before the first one are the first."""
    is_known = ~np.isnan(values)
    places = np.maximum.accumulate(np.where(is_known, np.arange(len(values)), 0))
    filled: np.ndarray = values[np.maximum(places, is_known.argmax())]
    return filled


def _round_length(length: int) -> int:
    """Return the length without at most 2 % of the values, so that series of about one length are scanned together."""
    return length - length % max(1, length // 50)


def _list_blocks(lengths: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield the numbers of series of about one length, some at a time."""
    rounded = np.array([_round_length(length) for length in lengths], np.int64)
    for length in np.unique(rounded[rounded >= MIN_VALUES]):
        numbers = np.flatnonzero(rounded == length)
        num_rows = max(1, BLOCK_SIZE // int(length))
        for start in range(0, len(numbers), num_rows):
            yield numbers[start : start + num_rows]


def _scan_block(block: Sequence[Values], length: int, season_length: int) -> Iterator[Scan]:
    """Yield the changes that stand alone in the newest values of some series, for each kind and width of windows."""
    sizes = np.stack([values.sizes[-length:] for values in block])
    values = np.stack([values.values[-length:] for values in block])
    for x, is_size in ((sizes, True), (values, False)):
        for width, lag in list_windows(length, season_length):
            yield scan_changes(x, width, lag, is_size)


def list_windows(length: int, season_length: int) -> list[tuple[int, int]]:
    """Return width and lag of the windows that fit several times into a series."""
    pairs = {
        (width, season * -(-width // season)) for width in WIDTHS for season in (1, season_length)
    }
    return sorted((width, lag) for width, lag in pairs if 3 * width + 2 * lag <= length)


def measure_changes(x: np.ndarray, width: int, lag: int) -> np.ndarray:
    """Return the change at each step from `lag`: float64[series, step] of float64[series, time]."""
    views = np.lib.stride_tricks.sliding_window_view(x[:, lag:] - x[:, :-lag], width, axis=1)
    return np.median(views, axis=-1)


def scan_changes(x: np.ndarray, width: int, lag: int, is_size: bool) -> Scan:
    """Compare the largest changes with the next one elsewhere; `x` is float64[series, time]."""
    rest = np.abs(measure_changes(x, width, lag))
    rows = np.arange(len(rest))
    steps = np.arange(rest.shape[1])
    sizes = np.abs(x[:, lag:] - x[:, :-lag])[:, : len(steps)]
    score = np.zeros(len(rest))
    number = np.zeros(len(rest), np.int64)
    places = np.zeros((len(rest), MAX_BREAKS), np.int64)
    for place in range(MAX_BREAKS):
        highest = rest.argmax(axis=1)
        peak = rest[rows, highest]
        places[:, place] = highest + lag
        # All windows that hold values of both sides.
        is_near = (steps > highest[:, None] - 1.5 * width) & (
            steps < highest[:, None] + lag + width / 2
        )
        rest = np.where(is_near, -1.0, rest)
        is_left = rest >= 0
        num_left = is_left.sum(axis=1) / width
        # Values that are mostly equal change seldom, and medians of their changes are mostly 0.
        num_changes = ((sizes > 0) & is_left).sum(axis=1)
        usual = (sizes * is_left).sum(axis=1) / np.maximum(num_changes, 1)
        elsewhere = np.maximum(rest.max(axis=1), usual)
        needed = MIN_MULTIPLE * (1 + FEW_WINDOWS / np.maximum(num_left, 1 / width)) * elsewhere
        multiple = np.where(
            num_left > 0, peak / np.maximum(needed, TINY_PART * peak + np.finfo(float).tiny), 0.0
        )
        number = np.where(multiple > score, place + 1, number)
        score = np.maximum(multiple, score)
    return Scan(width, lag, is_size, score, number, places)


def _describe(series: Values, scan: Scan, row: int, num_before: int) -> list[Break]:
    """Return the breaks of a scan in a series; none if one of them is growth, an event, or too small.

    `num_before` values of the series were not scanned.
    """
    x = series.sizes if scan.is_size else series.values
    exact = series.exact if scan.is_size else series.values
    rough = np.sort(scan.places[row, : scan.number[row]]) + num_before
    places = [refine_place(exact, int(place), scan) for place in rough]
    edges = [0, *places, len(x)]
    breaks = []
    for number, place in enumerate(places):
        start = edges[number]
        stop = edges[number + 2]
        # The mean of changes makes a stretch of a single one.
        least = NUM_CHANGES if series.has_sides else MIN_AFTER
        if place - start < MIN_SIDE or place < MIN_BEFORE * len(x) or stop - place < least:
            return []
        change = measure_change_at(x, int(rough[number]), scan)
        before = exact[max(start, place - scan.side) : place]
        after = exact[place : min(stop, place + scan.side)]
        # The levels on both sides of an event are about the same, also those beside a gross value.
        if not is_abrupt(x, place, change, scan) or not differ(before, after, change):
            return []
        found = measure_break(series, start, place, stop, scan)
        newest = exact[place:][-max(scan.lag, MIN_SIDE) :]
        lasts = len(newest) == max(scan.lag, MIN_SIDE) and differ(before, newest, change)
        is_proven = (
            not series.is_sparse and len(places) == 1 and scan.score[row] >= MARGIN and lasts
        )
        if not is_of_unit(found) and not is_proven:
            return []
        breaks.append(replace(found, place=int(series.places[place])))
    return breaks


def refine_place(x: np.ndarray, place: int, scan: Scan) -> int:
    """Return the step within a width of `place` that divides the values on both sides with the fewest mistakes.

    Values are compared with those of the season before. In another unit they differ by more than by their season, and
    a stretch of them may be shorter than a season.
    """
    width = scan.width
    lag = scan.lag
    change = measure_change_at(x, place, scan)
    steps = np.arange(max(lag, place - width), min(len(x), place + width))
    if scan.is_size and abs(change) >= np.log(UNIT_FACTOR):
        differences = x[steps] - np.median(x[max(0, place - 2 * width) : place])
    else:
        differences = x[steps] - x[steps - lag]
    is_after = differences * np.sign(change) > np.abs(change) / 2
    num_early = np.cumsum(np.append(0, is_after))
    num_late = np.cumsum(np.append(~is_after, 0)[::-1])[::-1]
    mistakes = num_early + num_late
    best = np.flatnonzero(mistakes == mistakes.min())
    nearest = np.abs(best + steps[0] - place).argmin()
    return int(steps[0] + best[nearest])


def measure_change_at(x: np.ndarray, place: int, scan: Scan) -> float:
    """Return the change at one step."""
    after = x[place : place + scan.width]
    return float(np.median(after - x[place - scan.lag : place - scan.lag + len(after)]))


def is_abrupt(x: np.ndarray, place: int, change: float, scan: Scan) -> bool:
    """Return whether a large part of a change comes within a few steps, as growth or a slump does not."""
    near = max(3, scan.width // 4)
    changes = x[scan.lag :] - x[: -scan.lag]
    at = place - scan.lag
    before = changes[max(at - near, 0) : at]
    after = changes[at : at + near]
    if len(before) < 2:
        before = x[max(place - near, 0) : place]
        after = x[place : place + near]
    return bool(abs(np.median(after) - np.median(before)) >= ABRUPT_PART * abs(change))


def differ(before: np.ndarray, after: np.ndarray, change: float) -> bool:
    """Return whether the levels of values on both sides differ by a large part of the change."""
    return bool(
        (np.median(after) - np.median(before)) * np.sign(change) >= LASTING_PART * abs(change)
    )


def is_of_unit(found: Break) -> bool:
    """Return whether a break is a change of the unit or the sign, which may also end again."""
    return found.ratio < 0 or abs(np.log(found.ratio)) >= np.log(UNIT_FACTOR)


def measure_break(series: Values, start: int, place: int, stop: int, scan: Scan) -> Break:
    """Return how values from `start` fit those from `place` to `stop`: by a ratio, or by a shift."""
    values = series.values
    before = float(np.median(values[max(start, place - scan.side) : place]))
    after = float(np.median(values[place : min(stop, place + scan.side)]))
    shift, _ = compare_seasons(values, start, place, stop, scan.lag)
    if series.has_sides:
        if not scan.is_size:
            return Break(place, before, after, shift=shift)
        change = np.median(series.sizes[place:stop]) - np.median(series.sizes[start:place])
        return Break(
            place, before, after, ratio=float(np.exp(round_decades(float(change), MAX_ROUNDING)))
        )
    change, error = compare_seasons(np.log(np.abs(values)), start, place, stop, scan.lag)
    change = round_decades(change, min(3 * error, MAX_ROUNDING))
    is_turned = before * after < 0
    if is_turned and abs(change) <= MAX_ROUNDING:
        return Break(place, before, after, ratio=-1.0)
    # A ratio changes the spread too.
    spread = np.log(measure_spread(values[place:stop])) - np.log(
        measure_spread(values[start:place])
    )
    if abs(spread - change) >= abs(spread):
        return Break(place, before, after, shift=shift)
    return Break(place, before, after, ratio=float(np.exp(change)) * (-1 if is_turned else 1))


def compare_seasons(
    x: np.ndarray, start: int, place: int, stop: int, lag: int
) -> tuple[float, float]:
    """Return the change at a break against the values a lag before, beyond the usual growth, and its standard error."""
    lag = min(lag, place - start)
    number = min(lag, stop - place)
    changes = x[place : place + number] - x[place - lag : place - lag + number]
    sides = [x[start:place], x[place:stop]]
    growth = np.concatenate(
        [side[lag:] - side[:-lag] for side in sides if len(side) > lag] or [np.zeros(1)]
    )
    change = float(np.median(changes) - (np.median(growth) if lag > 1 else 0.0))
    error = 1.86 * float(np.median(np.abs(changes - np.median(changes)))) / np.sqrt(number)
    return change, error + MIN_ERROR


def round_decades(change: float, most: float) -> float:
    """Return the logarithm of a ratio, of the nearest power of ten if it is at most so far away."""
    decades = np.round(change / np.log(10)) * np.log(10)
    return float(decades) if decades and abs(change - decades) <= most else change


def measure_spread(values: np.ndarray) -> float:
    """Return the median size of the changes over a step, at least tiny."""
    return max(
        float(np.median(np.abs(np.diff(values)))) if len(values) > 2 else 0.0, np.finfo(float).tiny
    )
