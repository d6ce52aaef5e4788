"""Checks and repairs of series: each fault is repaired by a stated policy, or ends the run."""

import logging
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import RootModel

from rnn_pipelines.errors import SeriesError, count, show
from rnn_pipelines.forecast.preparation.gross_values import warn_of_gross_values
from rnn_pipelines.forecast.preparation.spacing import (
    check_last_time,
    fill_grid,
    leave_out_closed_days,
    move_to_usual_day,
)
from rnn_pipelines.forecast.series.rows import find_rows
from rnn_pipelines.forecast.series.tables import Profile, Series, Source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.time_axis import TimeZone
from rnn_pipelines.forecast.times.frequency import (
    get_season_length,
    get_usual_window,
    infer_frequency,
)
from rnn_pipelines.forecast.times.offsets import (
    find_offset,
    has_fixed_length,
    spell_frequency,
    split_closed_days,
)
from rnn_pipelines.reading.times import MAX_STEP, format_time
from rnn_pipelines.reading.zones import repeat_at_clock_changes
from rnn_pipelines.report.numbers import list_some

NAMES_IN_MESSAGE = 10
# Lookback and horizon of the packaged series, whose results are published.
PACKAGED_WINDOW = (30, 7)

# A series with smaller values alone would be 0 in float32, in which networks compute.
MIN_VALUE = float(np.finfo(np.float32).tiny)

TREATED = {
    "interpolate": "interpolated",
    "split": "left open, and no window spans them",
    "zero": "filled with 0",
}

logger = logging.getLogger(__name__)


class GapPolicy(RootModel[Literal["interpolate", "zero", "error", "split"]]):
    """The treatment of missing steps and empty values.

    `interpolate` fills them on a straight line, `error` ends the run, `split` leaves them empty, so that no window
    spans them. In these cases, no forecast starts inside a gap, and imputed values never count in an error. `zero` is
    for counts without rows for 0: from the first value of a series to the last time of the table, each missing step and
    each empty value becomes an observed 0, which counts in errors as every value does.
    """


def repair_series(table: Source, source: SourceSpec, gaps: GapPolicy) -> tuple[Series, Profile]:
    """Check a table as read; return it sorted and equally spaced, and its profile; see `space_evenly`.

    Warn of gross newest values, which stay as they are.
    """
    regular, freq, repairs, empty = space_evenly(table, source, gaps)
    warn_of_gross_values(regular, source.label, table.attrs.get("tz"))
    profile = _describe_series(
        regular, source.model_copy(update={"tz": table.attrs.get("tz")}), freq
    )
    return regular, {**profile, "repairs": repairs, "left_out": empty}


def space_evenly(
    table: Source, source: SourceSpec, gaps: GapPolicy
) -> tuple[Series, int | str, list[str], list[str]]:
    """Check a table as read; return it sorted and equally spaced, with its frequency, repairs and unusable series.

    A frequency of the source takes precedence over the inferred one. Raise a SeriesError for no rows, a series without
    values or with only tiny ones, a repeated timestamp, irregular spacing, a last time far from the others under the
    policy `zero`, or a gap under the policy `error`.
    """
    if table.empty:
        raise SeriesError(
            f"{source.label}: no rows below the header. Add a row for each time, or name another file with source.path."
        )
    # If times are UTC, the zone in which they are shown; None to show them unchanged.
    source = source.model_copy(update={"tz": table.attrs.get("tz")})
    ordered, repairs = _sort_rows(table)
    ordered, repeated = _leave_out_repeated(ordered, source)
    repairs += repeated
    freq = _read_frequency(ordered, source, gaps.root == "zero")
    ordered, left_out = leave_out_closed_days(ordered, freq, source)
    ordered, moved = move_to_usual_day(ordered, freq, source)
    repairs += left_out + moved
    if "unavailable" in ordered:
        # Those before the first known value are left out. The last one ends a series, as a value does.
        is_known = ordered["y"].notna() & ~ordered["unavailable"]
        has_begun = is_known.groupby(ordered["unique_id"]).cummax()
        ordered = ordered.assign(y=ordered["y"].where(has_begun))
    ordered, empty = _leave_out_empty(ordered, source)
    if empty:
        repairs.append(
            f"left out: {len(empty)} series without any value ({list_some(empty, NAMES_IN_MESSAGE)})"
        )
    _check_sizes(ordered, source)
    until = None
    if gaps.root == "zero":
        valued = ordered[ordered["y"].notna()]
        check_last_time(valued, source)
        until = valued["ds"].max()
    ordered, repairs_of_ends, future = _trim_ends(ordered, until)
    repairs += repairs_of_ends
    regular = fill_grid(ordered, freq, source, until)
    regular.attrs |= table.attrs
    regular, repairs_of_values = _fill_values(regular, freq, source, gaps)
    repairs += repairs_of_values
    for repair in repairs:
        logger.warning("%s: %s", source.label, repair)
    for message in future:
        logger.info("%s: %s", source.label, message)
    return regular, freq, [*repairs, *future], empty


def _fill_values(
    regular: pd.DataFrame, freq: int | str, source: SourceSpec, gaps: GapPolicy
) -> tuple[Series, list[str]]:
    """Mark observed values, and fill missing and unavailable ones; return the series, and the repairs."""
    repairs = []
    if "unavailable" in regular:
        regular["y"] = regular["y"].mask(regular["unavailable"])
    regular.insert(3, "observed", regular["y"].notna())
    is_missing = ~(regular["observed"] | regular.get("unavailable", False))
    if is_missing.any():
        repairs.append(_describe_gaps(regular, is_missing, freq, source, gaps))
    if gaps.root == "zero":
        regular["y"] = regular["y"].mask(is_missing, 0.0)
        regular["observed"] |= is_missing
    if gaps.root == "interpolate":
        # No line connects two series, because each begins and ends with a value. Unavailable ends are filled below.
        for column in regular.columns.intersection(["y", "signal"]):
            regular[column] = regular[column].interpolate()
    if "unavailable" in regular and regular["unavailable"].any():
        repairs.append(_describe_unavailable(regular, source))
        regular["y"] = _fill_unavailable(regular, freq, gaps)
    return regular, repairs


def _check_sizes(ordered: pd.DataFrame, source: SourceSpec) -> None:
    """Raise a SeriesError if all values of a series are 0 or nearly 0, and some are not 0."""
    sizes = ordered["y"].abs().to_numpy()
    if not ((sizes > 0) & (sizes < MIN_VALUE)).any():
        return
    rows = find_rows(ordered)
    largest = rows.spread(np.fmax.reduceat(sizes, rows.starts))
    is_tiny = (sizes > 0) & (largest < MIN_VALUE)
    if is_tiny.any():
        row = ordered[is_tiny].iloc[0]
        raise SeriesError(
            f"{source.label}: column '{source.target}', row {row.name}: {row['y']:g}. All values of series "
            f"{show(row['unique_id'])} are closer to 0 than {MIN_VALUE:.3g}, the smallest number that networks compute "
            "with. Give them in a smaller unit, or leave the series out."
        )


def _describe_series(regular: Series, source: SourceSpec, freq: int | str) -> Profile:
    """Return the profile of repaired series, without their repairs."""
    lookback, horizon = choose_usual_window(source, freq)
    return Profile(
        source=source.label,
        target=source.target,
        freq=freq,
        season_length=get_season_length(freq),
        lookback=lookback,
        horizon=horizon,
        num_series=len(find_rows(regular).starts),
        num_steps=len(regular),
        first=format_time(regular["ds"].min(), source.tz),
        last=format_time(regular["ds"].max(), source.tz),
        tz=source.tz,
        zone=regular.attrs.get("zone", TimeZone().model_dump()),
        found=regular.attrs.get("found", {}),
        columns=regular.attrs.get("columns", {}),
        form=regular.attrs.get("form", {}),
        repairs=[],
        left_out=[],
        dead=[],
        not_evaluated=[],
    )


def choose_usual_window(source: SourceSpec, freq: int | str) -> tuple[int, int]:
    """Return the default lookback and horizon: fixed for packaged series, else by `get_usual_window`."""
    return PACKAGED_WINDOW if source.is_packaged else get_usual_window(freq)


def find_frequency(table: Source, source: SourceSpec) -> int | str:
    """Return the given spacing, or else the inferred one, see `repair_series`."""
    return _read_frequency(_sort_rows(table)[0], source)


def _sort_rows(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    names, _ = pd.factorize(table["unique_id"], sort=True)
    ds = table["ds"].to_numpy()
    order = np.argsort(names, kind="stable")
    is_late = (ds[order][1:] < ds[order][:-1]) & (names[order][1:] == names[order][:-1])
    num_late = int(is_late.sum())
    if num_late:
        order = np.lexsort((ds, names))
    sentence = f"sorted by time: {count(num_late, 'row')} earlier than the previous row"
    return table.iloc[order], [sentence] if num_late else []


def _leave_out_repeated(
    ordered: pd.DataFrame, source: SourceSpec
) -> tuple[pd.DataFrame, list[str]]:
    """Leave out rows that repeat time and value of another one; return the others, and the repair."""
    is_repeated = ordered.duplicated(["unique_id", "ds"])
    if not is_repeated.any():
        return ordered, []
    is_at_change = source.tz is None and repeat_at_clock_changes(ordered["ds"][is_repeated])
    if not is_at_change and (is_same := ordered.duplicated(["unique_id", "ds", "y"])).equals(
        is_repeated
    ):
        return ordered[~is_same], [
            f"left out: {count(is_same.sum(), 'row')} with time and value of another row"
        ]
    repeated = ordered[
        is_repeated if is_at_change else is_repeated & ~ordered.duplicated(["unique_id", "ds", "y"])
    ]
    first = repeated.iloc[0]
    advice = f"time{'' if source.id else ', or name the column of the series with source.id'}"
    if is_at_change:
        advice = "time; if it is the hour that clocks repeat, give its zone as source.tz, such as Europe/Berlin"
    raise SeriesError(
        f"{source.label}: column '{source.time}', row {first.name}: series {show(first['unique_id'])} has "
        f"{format_time(first['ds'], source.tz)} a second time ({len(repeated)} repeated times in all). "
        f"Keep one row for each {advice}."
    )


def _read_frequency(
    ordered: pd.DataFrame, source: SourceSpec, has_zeros: bool = False
) -> int | str:
    if source.freq is None:
        try:
            return _close_days(infer_frequency(ordered, has_zeros), source)
        except SeriesError as error:
            raise SeriesError(f"{source.label}: column '{source.time}': {error}") from error
    has_times = pd.api.types.is_datetime64_any_dtype(ordered["ds"])
    try:
        if has_times:
            offset = find_offset(str(source.freq))
            freq: int | str = spell_frequency(str(source.freq))
            if not split_closed_days(str(freq))[1]:
                freq = _close_days(freq, source)
            num_units = offset.n
            if has_fixed_length(offset):
                # Raises an error if the offset is too long for pandas.
                pd.Timedelta(offset)
        else:
            num_units = freq = int(source.freq)
        if not 1 <= num_units <= MAX_STEP:
            raise ValueError("time goes forward, and not as far")
    except (TypeError, ValueError, OverflowError) as error:
        expected = (
            "a pandas offset alias such as D, h or MS"
            if has_times
            else "a whole number of steps, 1 or more,"
        )
        message = f"source.freq: expected {expected} for the column '{source.time}', received {show(source.freq)}."
        raise SeriesError(message) from error
    return freq


def _close_days(freq: int | str, source: SourceSpec) -> int | str:
    """Return the frequency of days without `source.closed_days`."""
    unit, closed = split_closed_days(str(freq))
    if not source.closed_days:
        return freq
    if unit not in ("B", "D"):
        raise SeriesError(
            f"source.closed_days are for steps of days, and the steps are '{freq}'. Leave them out."
        )
    return f"{unit}-{'+'.join(filter(None, [closed, *source.closed_days]))}"


def _leave_out_empty(ordered: pd.DataFrame, source: SourceSpec) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the series without any value; return the others, and the names left out."""
    rows = find_rows(ordered)
    is_empty = np.logical_and.reduceat(ordered["y"].isna().to_numpy(), rows.starts)
    names = ordered["unique_id"].iloc[rows.starts[is_empty]].tolist()
    if is_empty.all() or (names and source.short_series == "error"):
        raise SeriesError(
            f"{source.label}: column '{source.target}' has no value in series {show(names[0])}. Leave the series out."
        )
    return ordered[~rows.spread(is_empty)], names


def _trim_ends(ordered: pd.DataFrame, until: Any) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Leave out rows before a series' first value (a repair) and after its last (future covariates, no repair).

    `until` is the time that ends all series; None for the last value of each.
    """
    rows = find_rows(ordered)
    has_value = ordered["y"].notna().to_numpy()
    counts = np.append(0, np.cumsum(has_value))
    num_before = counts[rows.starts]
    num_until = counts[rows.stops]
    is_over = (
        counts[:-1] >= rows.spread(num_until)
        if until is None
        else (ordered["ds"] > until).to_numpy()
    )
    is_inside = (counts[1:] > rows.spread(num_before)) & ~is_over
    is_before = counts[1:] == rows.spread(num_before)
    num_early = int(is_before.sum())
    num_late = int((~is_inside & ~is_before).sum())
    early = (
        [f"left out: {count(num_early, 'row')} before the first value of a series"]
        if num_early
        else []
    )
    late = f"{count(num_late, 'row')} without a value after the last one of a series, for future covariates only"
    return ordered[is_inside], early, [late] if num_late else []


def _fill_unavailable(regular: pd.DataFrame, freq: int | str, gaps: GapPolicy) -> np.ndarray:
    """Return values with unavailable ones on a straight line, at the end of a series repeated from its last season.

    The policy `split` leaves open those that are not at an end, from which no forecast could start.
    """
    rows = find_rows(regular)
    places = np.arange(len(regular))
    last = rows.spread(np.maximum.reduceat(np.where(regular["observed"], places, 0), rows.starts))
    season = get_season_length(freq)
    earlier = last + 1 - season + (places - last - 1) % season
    earlier = np.where(earlier < rows.spread(rows.starts), last, earlier)
    is_end = places > last
    line = regular["y"].interpolate().to_numpy()
    filled = line[np.where(is_end, earlier, places)]
    return filled if gaps.root != "split" else np.where(is_end, filled, regular["y"])


def _describe_unavailable(regular: pd.DataFrame, source: SourceSpec) -> str:
    is_unknown = regular["unavailable"]
    place = _name_first(regular[is_unknown], source)
    is_last = is_unknown.iloc[find_rows(regular).stops - 1]
    found = f"{is_unknown.sum()} of {len(regular)} values are unknown, because '{source.unavailable}' is 0 or less"
    ends = ""
    if is_last.any():
        num_series = count(is_last.sum(), "series", "series")
        ends = f"; at the end of {num_series}, the last season is repeated"
    return f"{found}, the first {place}{ends}"


def _name_first(rows: pd.DataFrame, source: SourceSpec) -> str:
    first = rows.iloc[0]
    return f"in series {show(first['unique_id'])} at {format_time(first['ds'], source.tz)}"


def _describe_gaps(
    regular: pd.DataFrame,
    is_missing: pd.Series,
    freq: int | str,
    source: SourceSpec,
    gaps: GapPolicy,
) -> str:
    place = _name_first(regular[is_missing], source)
    found = f"{is_missing.sum()} of {len(regular)} steps without a value, the first {place}"
    if gaps.root == "error":
        raise SeriesError(
            f"{source.label}: column '{source.target}': {found}. Fill them, or give gaps=interpolate, gaps=split, "
            "or gaps=zero."
        )
    if split_closed_days(str(freq))[0] == "B":
        found += ". If these are holidays, source.closed_days=DE leaves out those of Germany, NYSE those of an exchange"
    return f"gaps {TREATED[gaps.root]}: {found}"
