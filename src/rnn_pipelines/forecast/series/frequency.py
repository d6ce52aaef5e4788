"""The spacing of a series: inferring it, and the season that goes with it."""

import threading
from collections import Counter

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.rows import find_rows

_BLOCK_ROWS = 12
_MAX_BLOCKS_PER_SERIES = 20
_MAX_SERIES = 20

_OPTION_LOCK = threading.Lock()

# Steps in the season that the field takes for granted; prefixes as pandas spells them.
_SEASON_LENGTHS = {"min": 1440, "h": 24, "D": 7, "B": 5, "W": 52, "M": 12, "BM": 12, "Q": 4, "BQ": 4}

# Steps back and ahead that people ask for; of what has no name here, and of steps that are no times, the last.
_USUAL_WINDOWS = {
    "D": (56, 14),
    "B": (40, 10),
    "W": (52, 8),
    "M": (24, 12),
    "BM": (24, 12),
    "Q": (8, 4),
    "BQ": (8, 4),
    "Y": (10, 3),
    "BY": (10, 3),
}
_USUAL_WINDOW = (30, 7)


def infer_frequency(table: pd.DataFrame) -> int | str:
    """The spacing that most stretches of the table agree on, so that gaps don't hide it.

    Args:
        table: `unique_id, ds`, sorted by both.
    Returns:
        A pandas offset alias for timestamps, a whole number for steps.
    Raises:
        SeriesError: no stretch is regular; give `source.freq`.
    """
    rows = find_rows(table)
    num_times = int(rows.lengths.max())
    if num_times < 3:
        raise SeriesError(
            f"the longest series has {num_times} of the 3 timestamps that show a frequency. Give more, or source.freq."
        )
    votes: Counter[int | str] = Counter()
    for first, stop in zip(rows.starts[:_MAX_SERIES], rows.stops, strict=False):
        ds = table["ds"].iloc[first:stop]
        starts = np.unique(np.linspace(0, max(len(ds) - _BLOCK_ROWS, 0), _MAX_BLOCKS_PER_SERIES).astype(int))
        for start in starts:
            block = ds.iloc[start : start + _BLOCK_ROWS]
            spacing = _infer_block(block)
            if spacing is not None:
                votes[spacing] += 1
    if not votes:
        raise SeriesError(
            f"irregular spacing: no {_BLOCK_ROWS} timestamps in a row are equally spaced, so the frequency can't be "
            "inferred. Resample the data, or give source.freq (for example D, h, MS)."
        )
    return votes.most_common(1)[0][0]


def _infer_block(ds: pd.Series) -> int | str | None:
    if pd.api.types.is_datetime64_any_dtype(ds):
        # What pandas 4 returns, and 3 warns about. The option is one for all threads.
        with _OPTION_LOCK, pd.option_context("future.infer_freq_returns_offset", True):
            offset = pd.infer_freq(pd.DatetimeIndex(ds)) if len(ds) >= 3 else None
        return None if offset is None else offset.freqstr
    steps = ds.diff().dropna().unique()
    return int(steps[0]) if len(steps) == 1 else None


def get_season_length(freq: int | str) -> int:
    """Steps in the season of a frequency: 24 hours, 7 days, 12 months, ...; 1 where no number of steps is a season.

    Hours, months and quarters have the seasons that the M4 competition gives them; so have minutes a day. Days have
    weeks here, and weeks have years, where M4 says 1: none.

    Source: Makridakis, Spiliotis & Assimakopoulos (2020), doi:10.1016/j.ijforecast.2019.04.014.
    """
    if isinstance(freq, int):
        return 1
    length, rest = divmod(_SEASON_LENGTHS.get(_get_unit(freq), 1), to_offset(freq).n)
    return length if rest == 0 else 1


def get_usual_window(freq: int | str) -> tuple[int, int]:
    """Lookback and horizon that go with a frequency: a year of months ahead from two, a day of hours from a week, ...

    Of steps shorter than a day, seven seasons back and one ahead, 336 and 96 steps at most.
    """
    if isinstance(freq, int):
        return _USUAL_WINDOW
    offset, name = to_offset(freq), _get_unit(freq)
    if name in ("min", "h"):
        season_length = get_season_length(freq)
        return (min(7 * season_length, 336), min(season_length, 96)) if season_length > 1 else _USUAL_WINDOW
    lookback, horizon = _USUAL_WINDOWS.get(name, _USUAL_WINDOW)
    return max(2, lookback // offset.n), max(1, horizon // offset.n)


def _get_unit(freq: str) -> str:
    """The name of an offset's unit, without what says where a unit begins."""
    return to_offset(freq).rule_code.split("-")[0].removesuffix("S").removesuffix("E")
