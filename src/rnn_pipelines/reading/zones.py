"""Local times with clock changes: short steps are counted in UTC and shown in local time, longer steps stay local.

If clocks repeat an hour, the order of the rows distinguishes its two instants (see `repeated_times`). A skipped hour
contains no steps, and so no gap. Days stay local days, with 23 to 25 hours.
"""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.reading.repeated_times import find_earlier
from rnn_pipelines.reading.table_files import name_row
from rnn_pipelines.reading.time_forms import COUNTS

# Longest step that counts as short: the hour by which clocks are put back.
LONGEST_SHORT_STEP = pd.Timedelta(hours=1)
UTC = "UTC"
# The name of the zone behind a time of day.
UTC_NAME = r"(?<=:[0-9]{2})((?:\.[0-9]+)?) ?(?:UTC|GMT)$"
_TO_ZERO = str.maketrans("123456789", "0" * 9)


def check_zone(name: str) -> str:
    """Return the name of a time zone; raise a ValueError if there is none of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"expected a time zone such as Europe/Berlin, received {show(name)}"
        ) from error
    return name


def find_zone(times: pd.Series) -> str | None:
    """Return the zone of a column of pandas times; None if it has no zone, or one without a name."""
    zone = getattr(times.dtype, "tz", None)
    try:
        return None if zone is None else check_zone(str(zone))
    except ValueError:
        return None


def find_offset_zone(times: pd.Series) -> str:
    """Return the zone of times or texts with offsets from UTC: UTC, or a fixed one if all have the same whole hours."""
    if pd.api.types.is_datetime64_any_dtype(times):
        hours = (times.dt.tz.utcoffset(None) or pd.Timedelta(0)) / pd.Timedelta(hours=1)
    else:
        offsets = (
            times.astype(str)
            .str.strip()
            .str.extract(r"([+-][0-9]{2}:?(?:[0-9]{2})?)$")[0]
            .fillna("+00")
            .unique()
        )
        is_whole = len(offsets) == 1 and int(offsets[0][3:].strip(":") or 0) == 0
        hours = int(offsets[0][:3]) if is_whole else 0
    # The names have the opposite sign of the offsets.
    name = f"Etc/GMT{-int(hours):+d}"
    return name if hours and hours == int(hours) and name in available_timezones() else UTC


def has_zone(raw: pd.Series, label: str, form: str) -> bool:
    """Return whether times, or texts of a form (see `read_times`), have a zone or an offset from UTC.

    Texts of another form have none. Raise a SeriesError if only some times have one.
    """
    if pd.api.types.is_datetime64_any_dtype(raw):
        return raw.dt.tz is not None
    if form in COUNTS:
        return form.startswith("unix")
    text = (
        raw.astype(str)
        .str.replace("24:00", "00:00", regex=False)
        .str.replace(UTC_NAME, "Z", regex=True)
    )
    # Let pandas parse one text of each shape, because a pattern of our own would miss some forms of zones.
    shapes = text.str.translate(_TO_ZERO)
    is_first = ~shapes.duplicated()
    zones = {
        shape: pd.to_datetime(cell, format=form, errors="coerce").tzinfo is not None
        for shape, cell in zip(shapes[is_first], text[is_first], strict=True)
    }
    is_zoned = shapes.map(zones)
    if is_zoned.any() and not is_zoned.all():
        row = int((~is_zoned).to_numpy().argmax())
        raise SeriesError(
            f"{label}: column '{raw.name}', row {name_row(raw, row)}: {show(str(raw.iloc[row]))} has no time zone, and "
            "other times have one. Write all times in the same way."
        )
    return bool(is_zoned.all())


def place_in_zone(
    table: pd.DataFrame, is_zoned: bool, tz: str, label: str, is_short: bool | None = None
) -> tuple[pd.DataFrame, bool]:
    """Return the table on an axis without gaps, and whether its times are UTC, to be shown in local time.

    Steps of an hour or less are counted in UTC, unless they are regular in local time alone. Longer steps are counted
    in UTC only if that leaves fewer gaps; `is_short` decides it if given. Empty rows at times that clocks skip are left
    out; a value there, or a repeated hour in rows without chronological order, raises a SeriesError. The table has
    `unique_id, ds`, and `y` or other columns, in the order of the source, indexed by its row numbers; `ds` is in UTC if
    `is_zoned`.
    """
    if is_short is False:
        return _keep_local(table, is_zoned, tz), False
    if is_short:
        return _count_in_utc(table, is_zoned, tz, label), True
    local = _keep_local(table, is_zoned, tz)
    step, num_missing = _measure_steps(local)
    has_short_steps = step <= LONGEST_SHORT_STEP
    if not has_short_steps and (num_missing == 0 or not step <= pd.Timedelta(days=1)):
        return local, False
    # If a series is regular in local time, values at times that clocks skip are valid.
    if not has_short_steps and np.isfinite(num_missing) and not is_zoned:
        earlier = np.ones(len(table), bool)
        if table["ds"].dt.tz_localize(tz, ambiguous=earlier, nonexistent="NaT").isna().any():
            return local, False
    utc = _count_in_utc(table, is_zoned, tz, label)
    step_in_utc, num_missing_in_utc = _measure_steps(utc)
    is_utc = num_missing_in_utc < num_missing
    if has_short_steps and step_in_utc == step:
        is_utc = bool(np.isfinite(num_missing_in_utc)) or not np.isfinite(num_missing)
    elif has_short_steps:
        is_utc = num_missing_in_utc <= num_missing
    return (utc, True) if is_utc else (local, False)


def _measure_steps(table: pd.DataFrame) -> tuple[pd.Timedelta, float]:
    """Return the shortest step (NaT if there is none) and the number of missing steps; infinite if irregular."""
    codes = pd.factorize(table["unique_id"])[0]
    ds = table["ds"].to_numpy()
    order = np.lexsort((ds, codes))
    steps = np.diff(ds[order])[np.diff(codes[order]) == 0]
    positive = steps[steps > np.timedelta64(0)]
    if not len(positive):
        return pd.Timedelta("NaT"), 0.0
    numbers, rest = np.divmod(steps, positive.min())
    is_regular = len(positive) == len(steps) and (rest == np.timedelta64(0)).all()
    return pd.Timedelta(positive.min()), float((numbers - 1).sum()) if is_regular else np.inf


def _keep_local(table: pd.DataFrame, is_zoned: bool, tz: str) -> pd.DataFrame:
    """Return the table with local times; a day whose midnight clocks skip still begins at midnight."""
    if not is_zoned:
        return table
    times = show_local(table["ds"], tz)
    local = times.dt.tz_localize(None)
    midnight = local.dt.normalize()
    begins = midnight.dt.tz_localize(
        tz, ambiguous=np.ones(len(table), bool), nonexistent="shift_forward"
    )
    return table.assign(ds=local.mask(begins == times, midnight))


def _count_in_utc(table: pd.DataFrame, is_zoned: bool, tz: str, label: str) -> pd.DataFrame:
    """Return the table with times in UTC, see `place_in_zone`."""
    if is_zoned:
        return table
    local = table["ds"].dt.tz_localize(
        tz, ambiguous=find_earlier(table, tz, label), nonexistent="NaT"
    )
    passed_over = local.isna()
    faulty = table[passed_over & table["y"].notna()] if "y" in table else table[:0]
    if len(faulty):
        raise SeriesError(
            f"{label}: row {faulty.index[0]}: there is no {faulty['ds'].iloc[0]} in {tz}, because clocks go forward "
            f"then ({len(faulty):,} such rows in all). Set source.tz to the zone of the times."
        )
    return table.assign(ds=local.dt.tz_convert(None))[~passed_over]


def show_local(times: pd.Series, tz: str | None) -> pd.Series:
    """Return UTC times in the zone in which they are shown; unchanged if `tz` is None (local times, steps)."""
    return times if tz is None else times.dt.tz_localize("UTC").dt.tz_convert(tz)


def show_table(table: pd.DataFrame, tz: str | None) -> pd.DataFrame:
    """Return a table of forecasts with its times (`cutoff`, `ds`) shown in a zone, see `show_local`."""
    return table.assign(
        **{name: show_local(table[name], tz) for name in ("cutoff", "ds") if name in table}
    )


def read_local(time: pd.Timestamp, tz: str | None) -> pd.Timestamp:
    """Return a time of the user on the axis of the series; it is local if it has no zone."""
    if time.tz is None and tz is not None:
        time = time.tz_localize(tz, ambiguous=True, nonexistent="shift_forward")
    return time if time.tz is None else time.tz_convert(None)


def repeat_at_clock_changes(times: pd.Series) -> bool:
    """Return whether repeated times look like hours that clocks repeat: all in nights to a Sunday."""
    return times.dtype.kind == "M" and bool(
        ((times.dt.day_of_week == 6) & times.dt.hour.between(1, 3)).all()
    )
