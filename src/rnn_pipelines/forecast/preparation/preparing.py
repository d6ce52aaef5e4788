"""Checks and preparation of the series, before a run saves its first file."""

import logging
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, SeriesTooShortError, count
from rnn_pipelines.forecast.preparation.mending import BreakPolicy, mend_series
from rnn_pipelines.forecast.preparation.repairs import add_repair
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.preparation.sensor_faults import name_stuck_values, open_long_gaps
from rnn_pipelines.forecast.series.rows import find_rows, list_series_names
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series, Source
from rnn_pipelines.forecast.source.column_choice import log_columns
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.grid import count_steps_between
from rnn_pipelines.forecast.windows import splits
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, OpenWindowSpec, WindowSpec
from rnn_pipelines.forecast.windows.windowing import find_min_history
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

NAMES_IN_MESSAGE = 10
# Horizons between the end of a dead series and that of the panel.
DEAD_HORIZONS = 2
# Fewest training windows that an open lookback leaves.
MIN_TRAINING_WINDOWS = 12
# A longest season that the shortest lookback holds.
MAX_SHORT_SEASON = 24
# Fewest horizons in the open lookback of a panel whose steps have no frequency, because their season is unknown.
HORIZONS_OF_STEPS = 4
# Fewest windows that remain if half of the past is held out; with fewer, a fold decides nothing.
MIN_SEEN_WINDOWS = 8


def prepare_series(  # noqa: PLR0913, PLR0917 - one for each block of parameters, whose types Kedro checks
    table: Source,
    source: SourceSpec,
    gaps: GapPolicy,
    breaks: BreakPolicy,
    split: splits.SplitSpec,
    window: OpenWindowSpec,
    evaluation: EvaluationSpec,
) -> tuple[Source, Series, Profile, Cutoffs]:
    """Check, repair and split the series: return the table as read, the repaired series, their profile and cut-offs.

    All of this comes before any file is saved, so that unusable series leave all files unchanged. In a panel, unusable
    series are left out. Series that are too short for a test part are still forecast. Log and profile list both. If no
    series can be used, raise a SeriesError with the reason and the remedy.
    """
    series, profile = mend_series(*repair_series(table, source, gaps), breaks)
    log_columns(profile)
    season_length = evaluation.choose_season_length(profile)
    try:
        split = splits.place_dates(split, profile["tz"])
        profile = _choose_window(window, series, split, profile, season_length)
        if gaps.root != "split":
            series, profile = open_long_gaps(series, profile)
        profile = name_stuck_values(series, profile)
        series, profile = _leave_out_short(
            series, profile, source, window.fill(profile), season_length
        )
        series, profile = _find_dead(series, profile, source)
        cutoffs = splits.split_series(series, split, window.fill(profile), season_length)
        if len(cutoffs) < profile["num_series"]:
            names = list_series_names(series)
            others = names[~names.isin(cutoffs["unique_id"])]
            some = f"{len(others)} of {len(names)} series"
            why = "a gap at their end, or beyond what numbers can hold"
            sentence = f"left out: {some} with {why} ({list_some(others, NAMES_IN_MESSAGE)})"
            series, profile = _keep(series, profile, cutoffs["unique_id"], sentence)
            # Split again, because a single remaining series is no panel.
            cutoffs = splits.split_series(series, split, window.fill(profile), season_length)
        return table, series, _note_not_evaluated(profile, cutoffs, source), cutoffs
    except SeriesError as error:
        raise type(error)(f"{source.label}: {error}") from error


def _choose_window(
    window: OpenWindowSpec,
    series: Series,
    split: splits.SplitSpec,
    profile: Profile,
    season_length: int,
) -> Profile:
    """Return the profile with lookback and horizon; open ones are usual for the frequency, or shorter.

    They suit the median series. An open horizon also fits into the parts of given size.
    """
    train_stops, validation_stops = splits.find_stops(
        series, split, WindowSpec(lookback=1, horizon=1)
    )
    sizes = {
        "validation": validation_stops - train_stops,
        "test": find_rows(series).lengths - validation_stops,
    }
    given = [
        int(np.median(size)) for part, size in sizes.items() if getattr(split, part) is not None
    ]
    horizon = window.horizon or max(1, min([choose_horizon(window, series, profile), *given]))
    lookback = _choose_lookback(
        window, series, split, {**profile, "horizon": horizon}, season_length
    )
    if None in (window.lookback, window.horizon):
        logger.info(
            "%s: lookback %s, horizon %s",
            profile["source"],
            count(lookback, "step"),
            count(horizon, "step"),
        )
    return {**profile, "lookback": lookback, "horizon": horizon}


def choose_horizon(window: OpenWindowSpec, series: Series, profile: Profile) -> int:
    """Return the horizon; an open one is usual for the frequency, at most a quarter of the median series' rows."""
    return window.horizon or max(
        1, min(profile["horizon"], int(np.median(find_rows(series).lengths)) // 4)
    )


def _choose_lookback(
    window: OpenWindowSpec,
    series: Series,
    split: splits.SplitSpec,
    profile: Profile,
    season_length: int,
) -> int:
    """Return the lookback: a given one, or else the longest one that leaves enough training windows.

    Windows of a panel are padded, so that its longest series decides whether a given lookback fits. If it does not,
    raise a SeriesTooShortError; a resolved one of a `WindowSpec` is shortened.
    """
    if window.lookback is None:
        # The longest first; those of short series hold at most a season. Training holds some windows, and a series
        # alone keeps enough windows for out-of-fold validation, see `folds`.
        horizon = profile["horizon"]
        num_series = profile["num_series"]
        stops = splits.find_stops(series, split, WindowSpec(lookback=1, horizon=horizon))
        num_train, validation_stop = (int(np.median(stop)) for stop in stops)
        most = num_train - horizon + 1 - MIN_TRAINING_WINDOWS
        if num_series == 1:
            most = min(
                most, validation_stop - 2 * (horizon - 1) - 2 * (horizon + MIN_SEEN_WINDOWS - 1)
            )
        usual = profile["lookback"]
        if isinstance(profile["freq"], int) and num_series > 1:
            usual = max(usual, HORIZONS_OF_STEPS * horizon)
        longest = min(usual, max(2 * horizon, most))
        least = min(
            longest, max(season_length, horizon) if season_length <= MAX_SHORT_SEASON else horizon
        )
        lookbacks = [longest, max(longest // 2, least), least]
        return _find_fitting(lookbacks, series, split, profile, season_length)
    if isinstance(window, WindowSpec) and profile["num_series"] > 1:
        return window.lookback
    most = _find_fitting([window.lookback], series, split, profile, season_length, np.max)
    if most < window.lookback and not isinstance(window, WindowSpec):
        steps = count(int(find_rows(series).lengths.max()), "step")
        raise SeriesTooShortError(
            f"window.lookback={window.lookback} does not fit a series of {steps}: for a horizon of "
            f"{profile['horizon']}, at most {most} {'fits' if most == 1 else 'fit'}. Give window.lookback={most} or "
            "less, none, or more rows."
        )
    return most


def _find_fitting(
    lookbacks: Sequence[int],
    series: Series,
    split: splits.SplitSpec,
    profile: Profile,
    season_length: int,
    average: Callable[[np.ndarray], float] = np.median,
) -> int:
    """Return the first lookback that leaves training windows, or else the last one, at most the known steps.

    The `average` of the series is that whose steps decide.
    """
    horizon = profile["horizon"]
    last = lookbacks[-1]
    for lookback in lookbacks:
        shape = WindowSpec(lookback=lookback, horizon=horizon)
        num_train = int(average(splits.find_stops(series, split, shape)[0]))
        if num_train >= splits.count_training_steps(shape, profile["num_series"]):
            return lookback
    if split.validation is not None:
        return last
    if split.test is not None:
        shape = WindowSpec(lookback=1, horizon=horizon)
        return max(1, min(last, int(average(splits.find_stops(series, split, shape)[1]))))
    num_steps = int(average(find_rows(series).lengths))
    num_known = num_steps - horizon
    return min(
        last,
        num_known if num_known >= splits.find_least_known(horizon, season_length) else num_steps,
    )


def _find_dead(series: Series, profile: Profile, source: SourceSpec) -> tuple[Series, Profile]:
    """Name the series that end two horizons or more before the panel, and leave them out if this is asked for."""
    ends = series["ds"].to_numpy()[find_rows(series).stops - 1]
    is_dead = find_dead(ends, profile["freq"], profile["horizon"])
    names = list_series_names(series)
    if not is_dead.any():
        return series, profile
    last = format_time(pd.Series(ends[is_dead]).max(), profile["tz"])
    found = (
        f"{is_dead.sum()} of {len(names)} series that end {DEAD_HORIZONS} horizons or more before the others, by "
        f"{last} ({list_some(names[is_dead], NAMES_IN_MESSAGE)})"
    )
    profile = {**profile, "dead": names[is_dead].tolist()}
    if source.dead == "drop":
        return _keep(series, profile, names[~is_dead], f"left out: {found}")
    sentence = f"forecast from their own ends: {found}. Give source.dead=drop to leave them out"
    return series, add_repair(profile, sentence)


def find_dead(ends: np.ndarray, freq: int | str, horizon: int) -> np.ndarray:
    """Return whether series end two horizons or more before the last one: bool[series]."""
    distances = count_steps_between(ends, np.full_like(ends, ends.max()), freq)[0]
    is_dead: np.ndarray = distances >= DEAD_HORIZONS * horizon
    return is_dead


def _leave_out_short(
    series: Series, profile: Profile, source: SourceSpec, window: WindowSpec, season_length: int
) -> tuple[Series, Profile]:
    """Leave out the series of a panel that are too short, if this is asked for."""
    num_series = profile["num_series"]
    if source.min_length is None and (source.short_series in (None, "forecast") or num_series == 1):
        return series, profile
    least = source.min_length or find_min_history(window, season_length, num_series)
    names = list_series_names(series)
    lengths = find_rows(series).lengths
    is_short = lengths < least
    if not is_short.any():
        return series, profile
    message = _list_lengths(names[is_short], lengths[is_short])
    found = f"{is_short.sum()} of {num_series} series with fewer than {least} steps ({message})"
    if is_short.all() or source.short_series == "error":
        other = "" if is_short.all() else ", or give source.short_series=drop"
        raise SeriesTooShortError(
            f"{found}. Give more rows, shorten window.lookback or window.horizon, change source.min_length{other}."
        )
    return _keep(series, profile, names[~is_short], f"left out: {found}")


def _keep(
    series: Series, profile: Profile, names: pd.Series, sentence: str
) -> tuple[Series, Profile]:
    kept = series[series["unique_id"].isin(names)].reset_index(drop=True)
    before = list_series_names(series)
    return kept, {
        **add_repair(profile, sentence),
        "num_series": len(names),
        "num_steps": len(kept),
        "first": format_time(kept["ds"].min(), profile["tz"]),
        "last": format_time(kept["ds"].max(), profile["tz"]),
        "left_out": [*profile["left_out"], *before[~before.isin(names)].tolist()],
    }


def _note_not_evaluated(profile: Profile, cutoffs: Cutoffs, source: SourceSpec) -> Profile:
    not_evaluated = cutoffs[splits.find_not_evaluated(cutoffs)]
    if not_evaluated.empty:
        return profile
    message = _list_lengths(not_evaluated["unique_id"], not_evaluated["num_steps"])
    found = f"{len(not_evaluated)} of {len(cutoffs)} series that are too short for a test part ({message})"
    if source.short_series == "error":
        raise SeriesTooShortError(
            f"{found}. Give more rows, change split.test, or give source.short_series=drop."
        )
    sentence = f"forecast, but neither trained on nor evaluated: {found}"
    if len(not_evaluated) == len(cutoffs):
        sentence += ". No part was held back, so that there is no leaderboard"
    profile = add_repair(profile, sentence)
    return {**profile, "not_evaluated": not_evaluated["unique_id"].tolist()}


def _list_lengths(names: pd.Series, lengths: Iterable[int]) -> str:
    return list_some(
        (f"{name}: {length}" for name, length in zip(names, lengths, strict=True)), NAMES_IN_MESSAGE
    )
