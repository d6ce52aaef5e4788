"""What a series must be before anything learns from it: each fault is repaired by a stated policy, or ends the run."""

import logging
from typing import Any, Literal

import pandas as pd
from pandas.tseries.frequencies import to_offset
from pydantic import RootModel

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.series.frequency import format_time, get_season_length, infer_frequency, make_grid
from rnn_pipelines.series.source import SourceSpec

logger = logging.getLogger(__name__)

# A series that lacks more than this part of its steps is not one with gaps, but one with another spacing.
MAX_MISSING_FRACTION = 0.5


class GapPolicy(RootModel[Literal["interpolate", "error", "split"]]):
    """What becomes of missing steps and empty values.

    `interpolate` draws a straight line across them, `error` ends the run, `split` leaves them empty, so that no
    window reaches across. Either way, no forecast starts inside a gap and none is judged by a value that was filled in.
    """


def repair_series(table: pd.DataFrame, source: SourceSpec, gaps: GapPolicy) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Checks a table as it was read, and makes it sorted and equally spaced.

    Args:
        table: what `read_source` returns.
        source: where it came from; its names stand in the messages, its `freq` wins over the inferred one.
        gaps: what becomes of missing steps and empty values.
    Returns:
        `unique_id, ds, y, observed[, signal]`, sorted by the first two, with every step from a series' first value to
        its last; `observed` is False where the source had no value, and `y` is NaN there if the gap was left open.
        And the data profile: `source, freq, season_length, num_series, num_steps, first, last` and `repairs`, one
        sentence for each kind of repair.
    Raises:
        SeriesError: no rows, no values, a repeated timestamp, irregular spacing, or a gap where the policy is `error`.
    """
    if table.empty:
        raise SeriesError(f"{source.label}: no rows below the header.")
    ordered, repairs = _sort_rows(table)
    _refuse_repeated_times(ordered, source)
    freq = _read_frequency(ordered, source)
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
    profile = {
        "source": source.label,
        "target": source.target,
        "freq": freq,
        "season_length": get_season_length(freq),
        "num_series": int(regular["unique_id"].nunique()),
        "num_steps": len(regular),
        "first": format_time(regular["ds"].min()),
        "last": format_time(regular["ds"].max()),
        "repairs": repairs,
    }
    return regular, profile


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
            return to_offset(source.freq).freqstr
        return int(source.freq)
    except (TypeError, ValueError) as error:
        expected = "a pandas offset alias such as D, h or MS" if has_times else "a whole number of steps"
        raise SeriesError(
            f"source.freq: expected {expected} for the column '{source.time}', received {source.freq!r}."
        ) from error


def _fill_grid(group: pd.DataFrame, freq: int | str, source: SourceSpec) -> pd.DataFrame:
    """One series from its first value to its last, with a row for every step between."""
    name = group["unique_id"].iloc[0]
    valued = group[group["y"].notna()]
    if valued.empty:
        raise SeriesError(
            f"{source.label}: column '{source.target}' has no value in series '{name}'. Remove the series."
        )
    group = group.loc[valued.index[0] : valued.index[-1]]
    grid = make_grid(group["ds"].iloc[0], group["ds"].iloc[-1], freq)
    off_grid = group[~group["ds"].isin(grid)]
    if len(off_grid) or len(valued) < (1 - MAX_MISSING_FRACTION) * len(grid):
        where = off_grid.iloc[0] if len(off_grid) else group.iloc[1]
        raise SeriesError(
            f"{source.label}: column '{source.time}', row {where.name}: irregular spacing in series '{name}' at "
            f"{format_time(where['ds'])}. Expected one value for every step of '{freq}', {len(grid)} in all; received "
            f"{len(valued)}, {len(off_grid)} of them out of step. Resample the series, or give source.freq."
        )
    filled = group.set_index("ds").reindex(grid.rename("ds")).reset_index()
    return filled.assign(unique_id=name)[list(group.columns)]


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
