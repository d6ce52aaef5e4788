"""What a series must be before anything learns from it: each fault is repaired by a stated policy, or ends the run."""

import logging
from typing import Literal

import pandas as pd
from pandas.tseries.frequencies import to_offset
from pydantic import RootModel

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.frequency import (
    count_steps,
    format_time,
    get_season_length,
    infer_frequency,
    make_grid,
)
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Profile, Series, Source

logger = logging.getLogger(__name__)

# A series that lacks more than this part of its steps is not one with gaps, but one with another spacing.
MAX_MISSING_FRACTION = 0.5


class GapPolicy(RootModel[Literal["interpolate", "error", "split"]]):
    """What becomes of missing steps and empty values.

    `interpolate` draws a straight line across them, `error` ends the run, `split` leaves them empty, so that no
    window reaches across. Either way, no forecast starts inside a gap and none is judged by a value that was filled in.
    """


def repair_series(table: Source, source: SourceSpec, gaps: GapPolicy) -> tuple[Series, Profile]:
    """Checks a table as it was read, and makes it sorted and equally spaced.

    Args:
        table: the series as they were read.
        source: where it came from; its names stand in the messages, its `freq` wins over the inferred one.
        gaps: what becomes of missing steps and empty values.
    Returns:
        The series, and what is known of them.
    Raises:
        SeriesError: no rows, a series without values, a repeated timestamp, irregular spacing, or a gap where the
            policy is `error`.
    """
    if table.empty:
        raise SeriesError(f"{source.label}: no rows below the header.")
    ordered, repairs = _sort_rows(table)
    _refuse_repeated_times(ordered, source)
    freq = _read_frequency(ordered, source)
    ordered, trims = _trim_ends(ordered, source)
    repairs += trims
    groups = ordered.groupby("unique_id", sort=False)
    regular = pd.concat([_fill_grid(group, freq, source) for _, group in groups], ignore_index=True)
    regular.insert(3, "observed", regular["y"].notna())
    if not regular["observed"].all():
        repairs.append(_describe_gaps(regular, source, gaps))
    if gaps.root == "interpolate":
        for column in regular.columns.intersection(["y", "signal"]):
            regular[column] = regular.groupby("unique_id", sort=False)[column].transform(pd.Series.interpolate)
    for repair in repairs:
        logger.warning("%s: %s", source.label, repair)
    return regular, Profile(
        source=source.label,
        target=source.target,
        freq=freq,
        season_length=get_season_length(freq),
        num_series=int(regular["unique_id"].nunique()),
        num_steps=len(regular),
        first=format_time(regular["ds"].min()),
        last=format_time(regular["ds"].max()),
        repairs=repairs,
    )


def _sort_rows(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    num_late = int((table["ds"] < table.groupby("unique_id")["ds"].shift()).sum())
    ordered = table.sort_values(["unique_id", "ds"], kind="stable")
    return ordered, [f"sorted by time: {num_late} rows were earlier than the row before them"] if num_late else []


def _refuse_repeated_times(ordered: pd.DataFrame, source: SourceSpec) -> None:
    repeated = ordered[ordered.duplicated(["unique_id", "ds"])]
    if len(repeated):
        first = repeated.iloc[0]
        raise SeriesError(
            f"{source.label}: column '{source.time}', row {repeated.index[0]}: series '{first['unique_id']}' has "
            f"{format_time(first['ds'])} a second time ({len(repeated)} repeated times in all). Keep one row for each "
            f"time{'' if source.id else ', or name the column that tells several series apart with source.id'}."
        )


def _read_frequency(ordered: pd.DataFrame, source: SourceSpec) -> int | str:
    if source.freq is None:
        try:
            return infer_frequency(ordered)
        except SeriesError as error:
            raise SeriesError(f"{source.label}: column '{source.time}': {error}") from error
    has_times = pd.api.types.is_datetime64_any_dtype(ordered["ds"])
    try:
        if has_times:
            offset = to_offset(source.freq)
            num_units, freq = offset.n, offset.freqstr
        else:
            num_units = freq = int(source.freq)
        if num_units < 1:
            raise ValueError("time goes forward")
    except (TypeError, ValueError) as error:
        expected = "a pandas offset alias such as D, h or MS" if has_times else "a whole number of steps, 1 or more,"
        raise SeriesError(
            f"source.freq: expected {expected} for the column '{source.time}', received {source.freq!r}."
        ) from error
    return freq


def _trim_ends(ordered: pd.DataFrame, source: SourceSpec) -> tuple[pd.DataFrame, list[str]]:
    """Leaves out what lies before a series' first value and after its last."""
    values = ordered.groupby("unique_id", sort=False)["y"]
    is_inside = values.ffill().notna() & values.bfill().notna()
    empty = ordered["unique_id"][~is_inside.groupby(ordered["unique_id"]).transform("any")]
    if len(empty):
        raise SeriesError(
            f"{source.label}: column '{source.target}' has no value in series '{empty.iloc[0]}'. Leave the series out."
        )
    num_outside = int((~is_inside).sum())
    sentence = f"left out: {num_outside} rows without a value before a series' first value or after its last"
    return ordered[is_inside], [sentence] if num_outside else []


def _fill_grid(group: pd.DataFrame, freq: int | str, source: SourceSpec) -> pd.DataFrame:
    """One series with a row for every step."""
    name, ds = group["unique_id"].iloc[0], group["ds"]
    num_values, num_steps = int(group["y"].notna().sum()), count_steps(ds.iloc[0], ds.iloc[-1], freq)
    # Before the grid is made: the grid up to a mistyped year can be larger than the memory.
    if num_values < (1 - MAX_MISSING_FRACTION) * num_steps:
        found = f"{num_values} values in {num_steps} steps, and the widest gap before this row"
        raise _make_spacing_error(group.loc[ds.diff().idxmax()], freq, found, source)
    grid = make_grid(ds.iloc[0], ds.iloc[-1], freq)
    off_grid = group[~ds.isin(grid)]
    if len(off_grid):
        raise _make_spacing_error(off_grid.iloc[0], freq, f"{len(off_grid)} of {len(group)} rows out of step", source)
    filled = group.set_index("ds").reindex(grid.rename("ds")).reset_index()
    return filled.assign(unique_id=name)[list(group.columns)]


def _make_spacing_error(row: pd.Series, freq: int | str, found: str, source: SourceSpec) -> SeriesError:
    hint = ", or give source.time_format if the steps are dates" if isinstance(freq, int) else ""
    return SeriesError(
        f"{source.label}: column '{source.time}', row {row.name}: irregular spacing in series '{row['unique_id']}' at "
        f"{format_time(row['ds'])}. Expected a row for every step of '{freq}'; received {found}. Mend the row, "
        f"resample the series, set source.freq to its spacing{hint}."
    )


def _describe_gaps(regular: pd.DataFrame, source: SourceSpec, gaps: GapPolicy) -> str:
    missing = regular[~regular["observed"]]
    first = missing.iloc[0]
    found = (
        f"{len(missing)} of {len(regular)} steps without a value, "
        f"the first in series '{first['unique_id']}' at {format_time(first['ds'])}"
    )
    if gaps.root == "error":
        raise SeriesError(
            f"{source.label}: column '{source.target}': {found}. Fill them, or set gaps to 'interpolate' or 'split'."
        )
    treated = "filled on a straight line" if gaps.root == "interpolate" else "left open, no window reaches across"
    return f"gaps {treated}: {found}"
