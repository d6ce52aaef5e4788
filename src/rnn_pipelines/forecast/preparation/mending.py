"""What happens to the values before a break: they are moved to the newest level, left out, or kept."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import RootModel

from rnn_pipelines.errors import count, show
from rnn_pipelines.forecast.preparation.breaks import Break, find_breaks
from rnn_pipelines.forecast.preparation.repairs import add_repair
from rnn_pipelines.forecast.series.rows import SeriesRows, find_rows
from rnn_pipelines.forecast.series.tables import Profile, Series
from rnn_pipelines.reading.times import format_time

NAMES_IN_MESSAGE = 10


class BreakPolicy(RootModel[Literal["auto", "rescale", "newest", "keep"]]):
    """The treatment of values before a break of level, unit or sign, see `preparation/breaks.py`.

    `rescale` multiplies them or moves them to the newest level, `newest` leaves them out, `keep` leaves them as they
    are. `auto` rescales them if the newest values after the break agree, or, while these are few, if the unit has
    changed by a power of ten or the sign; else it keeps them. Each break is named in log and report.
    """


@dataclass(frozen=True)
class Mended:
    """Series without breaks.

    `moves` has a row for each break that was mended, in the order of time: `unique_id`, `ds` of the first value after
    it, and `ratio` and `shift` by which earlier values were moved, see `Break`.
    """

    series: Series
    profile: Profile
    moves: pd.DataFrame


def mend_series(series: Series, profile: Profile, breaks: BreakPolicy) -> tuple[Series, Profile]:
    """Return the series without breaks, and the profile with a sentence that names them."""
    mended = mend_breaks(series, profile, breaks)
    return mended.series, mended.profile


def mend_breaks(series: Series, profile: Profile, policy: BreakPolicy) -> Mended:
    """Mend the breaks by the policy; see `mend_series`."""
    rows = find_rows(series)
    y = series["y"].to_numpy(copy=True)
    is_left_out = np.zeros(len(y), bool)
    parts = [y[start:stop] for start, stop in zip(rows.starts, rows.stops, strict=True)]
    found = find_breaks(parts, profile["season_length"])
    sentences = []
    moves = []
    for number, breaks in enumerate(found):
        if not breaks:
            continue
        start = rows.starts[number]
        stop = rows.stops[number]
        is_moved = policy.root == "rescale" or (
            policy.root == "auto" and does_agree(parts[number], breaks, profile)
        )
        done = "kept"
        if policy.root == "newest":
            is_left_out[start : start + breaks[-1].place] = True
            done = "left out"
        elif is_moved:
            y[start:stop] = rescale(parts[number], breaks)
            done = describe_rescaling(breaks)
        if done != "kept":
            moves += [
                (*series[["unique_id", "ds"]].iloc[start + one.place], one.ratio, one.shift)
                for one in breaks
            ]
        sentences.append(
            f"{_describe_breaks(series, rows, number, breaks, profile)}, earlier values {done}"
        )
    table = pd.DataFrame(moves, columns=["unique_id", "ds", "ratio", "shift"])
    if not sentences:
        return Mended(series, profile, table)
    listed = "; ".join(sentences[:NAMES_IN_MESSAGE]) + (
        "; …" if len(sentences) > NAMES_IN_MESSAGE else ""
    )
    sentence = (
        f"{count(len(sentences), 'series', 'series')} with a break of level, unit or sign: {listed}. breaks=keep keeps "
        "earlier values, breaks=rescale moves all of them to the newest level, breaks=newest leaves them out, and "
        "source.from=DATE reads no earlier ones"
    )
    mended = series.assign(y=y)[~is_left_out]
    first = format_time(mended["ds"].min(), profile["tz"])
    profile = add_repair({**profile, "num_steps": len(mended), "first": first}, sentence)
    return Mended(mended, profile, table)


def rescale(values: np.ndarray, breaks: list[Break]) -> np.ndarray:
    """Return the values of a series at its newest level, float64[time]; a stretch in another unit is put right."""
    mended = values.copy()
    for one in reversed(breaks):
        mended[: one.place] = mended[: one.place] * one.ratio + one.shift
    return mended


def does_agree(values: np.ndarray, breaks: list[Break], profile: Profile) -> bool:
    """Return whether the newest values lie nearer to the rescaled past than to the past as it is.

    They are those of a horizon, or of a season if it is longer, after the last break. If it is nearer than that, a
    power of ten or another sign is the only certain change.
    """
    last = breaks[-1].place
    num_newest = max(profile["horizon"], profile["season_length"])
    if len(values) - last < num_newest:
        return all(one.shift == 0 and _is_decade(one.ratio) for one in breaks)
    newest = values[-num_newest:]
    past = values[max(0, last - num_newest) : last]
    mended = rescale(values, breaks)[max(0, last - num_newest) : last]
    level = np.nanmedian(newest)
    return bool(abs(np.nanmedian(mended) - level) <= abs(np.nanmedian(past) - level))


def _is_decade(ratio: float) -> bool:
    decades = np.log10(abs(ratio))
    return bool(np.isclose(decades, np.round(decades)))


def describe_rescaling(breaks: list[Break]) -> str:
    """Return how the values before the breaks are moved, in words."""
    parts = [
        f"multiplied by {one.ratio:.4g}" if one.shift == 0 else f"moved by {one.shift:.4g}"
        for one in breaks
    ]
    return " and ".join(parts)


def _describe_breaks(
    series: Series, rows: SeriesRows, number: int, breaks: list[Break], profile: Profile
) -> str:
    start = rows.starts[number]
    parts = []
    for one in breaks:
        time = format_time(series["ds"].iloc[start + one.place], profile["tz"])
        parts.append(f"at {time} from about {one.before:.4g} to {one.after:.4g}")
    return f"{show(series['unique_id'].iloc[start])} {' and '.join(parts)}"
