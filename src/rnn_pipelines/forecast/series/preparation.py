"""Checks and preparation of the series, before a run saves its first file."""

import logging
from collections.abc import Iterable

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, SeriesTooShortError
from rnn_pipelines.forecast.series.rows import find_rows, list_names
from rnn_pipelines.forecast.series.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec, find_stops, find_unjudged, place_dates, split_series
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series, Source
from rnn_pipelines.forecast.series.windowing import find_min_history
from rnn_pipelines.forecast.series.windows import EvaluationSpec, OpenWindowSpec, WindowSpec
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

NAMES_IN_MESSAGE = 10
# Fewest training windows that an open lookback leaves.
MIN_TRAINING_WINDOWS = 12
# Fewest windows that remain if half of the past is held out; with fewer, a fold decides nothing.
MIN_SEEN_WINDOWS = 8


def prepare_series(
    table: Source,
    source: SourceSpec,
    gaps: GapPolicy,
    split: SplitSpec,
    window: OpenWindowSpec,
    evaluation: EvaluationSpec,
) -> tuple[Source, Series, Profile, Cutoffs]:
    """Check, repair and split the series.

    All of this comes before any file is saved, so that unusable series leave all files unchanged. In a panel, unusable
    series are left out, and series that are too short for validation and test are still forecast. Log and profile list
    both.

    Args:
        table: the series as read.
    Returns:
        The table as read, the repaired series, their profile, and their cut-offs.
    Raises:
        SeriesError: no series can be used; the message has the reason and the remedy.
    """
    series, profile = repair_series(table, source, gaps)
    season_length = evaluation.choose_season_length(profile)
    try:
        split = place_dates(split, profile["tz"])
        profile = _choose_window(window, series, split, profile)
        window = window.fill(profile)
        series, profile = _leave_out_short(series, profile, source, _find_least(window, season_length, profile))
        cutoffs = split_series(series, split, window, _find_least(window, season_length, profile))
        if len(cutoffs) < profile["num_series"]:
            series, profile = _leave_out_others(series, profile, cutoffs)
            # Split again, because a single remaining series is no panel.
            cutoffs = split_series(series, split, window, _find_least(window, season_length, profile))
        return table, series, _note_unjudged(profile, cutoffs, source), cutoffs
    except SeriesError as error:
        raise type(error)(f"{source.label}: {error}") from error


def _choose_window(window: OpenWindowSpec, series: Series, split: SplitSpec, profile: Profile) -> Profile:
    """Return the profile with lookback and horizon; open ones are usual for the frequency, or shorter.

    They suit the median series: validation and test hold a horizon, and training holds some windows. A series alone
    keeps enough windows for out-of-fold validation, see `folds`.
    """
    num_train, validation_stop, num_steps = (
        int(np.median(counts)) for counts in (*find_stops(series, split), find_rows(series).lengths)
    )
    longest = min(profile["horizon"], validation_stop - num_train, num_steps - validation_stop)
    horizon = window.horizon or max(1, longest)
    most = num_train - horizon + 1 - MIN_TRAINING_WINDOWS
    if profile["num_series"] == 1:
        most = min(most, validation_stop - 2 * (horizon - 1) - 2 * (horizon + MIN_SEEN_WINDOWS - 1))
    back = min(profile["lookback"], max(2 * horizon, most))
    lookback = window.lookback or back
    if None in (window.lookback, window.horizon):
        logger.info("%s: lookback %d steps, horizon %d steps", profile["source"], lookback, horizon)
    return {**profile, "lookback": lookback, "horizon": horizon}


def _find_least(window: WindowSpec, season_length: int, profile: Profile) -> int:
    """Return the number of steps that a window of these series must see, see `find_min_history`."""
    return find_min_history(window, season_length, profile["num_series"])


def _leave_out_short(series: Series, profile: Profile, source: SourceSpec, min_history: int) -> tuple[Series, Profile]:
    """Leave out the series of a panel that are too short for a forecast."""
    num_series, least = profile["num_series"], source.min_length or min_history
    names, lengths = list_names(series), find_rows(series).lengths
    is_short = lengths < least
    if not is_short.any() or (num_series == 1 and source.min_length is None):
        return series, profile  # `split_series` reports the faults of a series alone
    message = _list_lengths(names[is_short], lengths[is_short])
    found = f"{is_short.sum()} of {num_series} series with fewer than {least} steps ({message})"
    if is_short.all() or source.short_series == "error":
        other = "" if is_short.all() else ", or set source.short_series to drop"
        raise SeriesTooShortError(
            f"{found}. Give more rows, shorten window.lookback or window.horizon, change source.min_length{other}."
        )
    return _keep(series, profile, names[~is_short], f"left out: {found}")


def _leave_out_others(series: Series, profile: Profile, cutoffs: Cutoffs) -> tuple[Series, Profile]:
    """Leave out the series without cut-offs."""
    names = list_names(series)
    others = names[~names.isin(cutoffs["unique_id"])]
    sentence = (
        f"left out: {len(others)} of {len(names)} series without a window between gaps, or constant in training "
        f"({list_some(others, NAMES_IN_MESSAGE)})"
    )
    return _keep(series, profile, cutoffs["unique_id"], sentence)


def _keep(series: Series, profile: Profile, names: pd.Series, sentence: str) -> tuple[Series, Profile]:
    logger.warning("%s: %s", profile["source"], sentence)
    kept = series[series["unique_id"].isin(names)].reset_index(drop=True)
    before = list_names(series)
    return kept, {
        **profile,
        "num_series": len(names),
        "num_steps": len(kept),
        "first": format_time(kept["ds"].min(), profile["tz"]),
        "last": format_time(kept["ds"].max(), profile["tz"]),
        "repairs": [*profile["repairs"], sentence],
        "left_out": [*profile["left_out"], *before[~before.isin(names)].tolist()],
    }


def _note_unjudged(profile: Profile, cutoffs: Cutoffs, source: SourceSpec) -> Profile:
    unjudged = cutoffs[find_unjudged(cutoffs)]
    if unjudged.empty:
        return profile
    message = _list_lengths(unjudged["unique_id"], unjudged["num_steps"])
    found = f"{len(unjudged)} of {len(cutoffs)} series that are too short for validation and test ({message})"
    if source.short_series == "error":
        raise SeriesTooShortError(f"{found}. Give more rows, change split, or set source.short_series to drop.")
    sentence = f"forecast, but neither trained on nor evaluated: {found}"
    logger.warning("%s: %s", profile["source"], sentence)
    return {**profile, "repairs": [*profile["repairs"], sentence], "unjudged": unjudged["unique_id"].tolist()}


def _list_lengths(names: pd.Series, lengths: Iterable[int]) -> str:
    return list_some((f"{name}: {length}" for name, length in zip(names, lengths, strict=True)), NAMES_IN_MESSAGE)
