"""Local time whose clocks change: short steps are counted in UTC and shown in local time, longer ones stay local.

An hour that clocks repeat is told apart by the order of its rows: the earlier is that of summer, and so is one that
stands alone. Which is the earlier one is told by where the rows of its series go, down the table or up. An hour that
clocks leave out is no step, and so no gap. Days stay what they are in local time, of 23 to 25 hours.
"""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show

# Steps as long as what clocks are put back by, or shorter.
LONGEST_SHORT_STEP = pd.Timedelta(hours=1)
# Rows go one way if no more of them than this part go the other, as some do that were added later.
MAX_FRACTION_ASTRAY = 0.1
_TO_ZERO = str.maketrans("123456789", "0" * 9)


def take_zone(name: str) -> str:
    """Returns the name.

    Raises:
        ValueError: there is no such time zone.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"expected a time zone such as Europe/Berlin, received {show(name)}") from error
    return name


def find_zone(times: pd.Series) -> str | None:
    """The name of the zone that a column of pandas' times has; None where it has none, or one without a name."""
    zone = getattr(times.dtype, "tz", None)
    try:
        return None if zone is None else take_zone(str(zone))
    except ValueError:
        return None


def has_zone(raw: pd.Series, label: str, form: str) -> bool:
    """Whether times say how far from UTC they are.

    Args:
        raw: times, or text.
        label: of the source, for messages.
        form: of text, as `read_times` takes it; times of another form have no zone.
    Raises:
        SeriesError: some do, and others do not.
    """
    if pd.api.types.is_datetime64_any_dtype(raw):
        return raw.dt.tz is not None
    text = raw.astype(str)
    # As pandas reads one of each shape: of the ways to write a zone, a pattern of our own would miss some.
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
            f"{label}: column '{raw.name}', row {row + 1}: {show(str(raw.iloc[row]))} has no time zone, as others "
            "have. Write all times in the same way."
        )
    return bool(is_zoned.all())


def place_in_zone(
    table: pd.DataFrame, is_zoned: bool, tz: str, label: str, is_short: bool | None = None
) -> tuple[pd.DataFrame, bool]:
    """Puts times of a zone on an axis without gaps.

    Args:
        table: `unique_id, ds`, and `y` or other columns, in the order of the source, labelled by its rows; `ds` in UTC
            if it had a zone.
        is_zoned: whether it had one.
        tz: the zone.
        label: of the source, for messages.
        is_short: whether its steps are as short as what clocks are put back by; found from the table where it is None.
    Returns:
        The table; and whether its times are UTC, to be shown in local time, because its steps are short. Left out are
        rows without a value at times that clocks pass over.
    Raises:
        SeriesError: a value at such a time; an hour that clocks repeat, in rows that go neither up nor down.
    """
    is_short = _has_short_steps(table) if is_short is None else is_short
    if is_zoned:
        return table if is_short else table.assign(ds=show_local(table["ds"], tz).dt.tz_localize(None)), is_short
    if not is_short:
        return table, False
    local = table["ds"].dt.tz_localize(tz, ambiguous=_find_earlier(table, tz, label), nonexistent="NaT")
    passed_over = local.isna()
    faulty = table[passed_over & table["y"].notna()] if "y" in table else table[:0]
    if len(faulty):
        raise SeriesError(
            f"{label}: row {faulty.index[0]}: there is no {faulty['ds'].iloc[0]} in {tz}, because clocks go forward "
            f"then ({len(faulty):,} such rows in all). Give the zone that the times are of as source.tz."
        )
    return table.assign(ds=local.dt.tz_convert(None))[~passed_over], True


def _find_earlier(table: pd.DataFrame, tz: str, label: str) -> np.ndarray:
    """Whether a row is the earlier one of those with its local time, bool[row]."""
    rows = table.groupby(["unique_id", "ds"], sort=False)
    num_above, num_below = rows.cumcount(), rows.cumcount(ascending=False)
    # One row of each time: of quarters of an hour, the hour that is repeated would go back.
    steps = table[num_above == 0].groupby("unique_id", sort=False)["ds"].diff().dropna()
    fractions = (steps > pd.Timedelta(0)).groupby(table["unique_id"], sort=False).mean()
    # Rows of one time alone are in the order in which people write.
    fraction_down = table["unique_id"].map(fractions).astype("float64").fillna(1.0)
    is_mixed = fraction_down.between(MAX_FRACTION_ASTRAY, 1 - MAX_FRACTION_ASTRAY, inclusive="neither")
    _refuse_untold(table[is_mixed & (num_above > 0)], tz, label)
    return np.where(fraction_down > 0.5, num_above == 0, num_below == 0)


def _refuse_untold(repeated: pd.DataFrame, tz: str, label: str) -> None:
    """Ends the run at an hour that clocks repeat; of other times, the one that stands twice is told later."""
    is_untold = repeated["ds"].dt.tz_localize(tz, ambiguous="NaT", nonexistent="shift_forward").isna()
    if is_untold.any():
        first = repeated[is_untold].iloc[0]
        raise SeriesError(
            f"{label}: row {first.name}: clocks in {tz} repeat {first['ds']}, and the rows of series "
            f"{show(first['unique_id'])} are in no order that tells which of the two it is. Sort them by time, or "
            "write how far from UTC times are, as in 2024-10-27 02:00+01:00."
        )


def _has_short_steps(table: pd.DataFrame) -> bool:
    ordered = table.sort_values(["unique_id", "ds"])
    steps = ordered["ds"].diff()[ordered["unique_id"].eq(ordered["unique_id"].shift())]
    return bool(steps[steps > pd.Timedelta(0)].min() <= LONGEST_SHORT_STEP)


def show_local(times: pd.Series, tz: str | None) -> pd.Series:
    """Times in UTC with the zone that they are to be shown in; None for times that are local, or steps."""
    return times if tz is None else times.dt.tz_localize("UTC").dt.tz_convert(tz)


def show_table(table: pd.DataFrame, tz: str | None) -> pd.DataFrame:
    """A table of forecasts, with the times that it has (`cutoff`, `ds`) shown in a zone, see `show_local`."""
    return table.assign(**{name: show_local(table[name], tz) for name in ("cutoff", "ds") if name in table})


def read_local(time: pd.Timestamp, tz: str | None) -> pd.Timestamp:
    """One time that a user gives, as the times of the series are; without a zone of its own it is local."""
    if time.tz is None and tz is not None:
        time = time.tz_localize(tz, ambiguous=True, nonexistent="shift_forward")
    return time if time.tz is None else time.tz_convert(None)


def repeat_at_clock_changes(times: pd.Series) -> bool:
    """Whether times that stand twice look like the hour that clocks repeat: all in the nights to a Sunday."""
    return times.dtype.kind == "M" and bool(((times.dt.day_of_week == 6) & times.dt.hour.between(1, 3)).all())
