"""The last moment whose data counts, the same for series and for texts."""

from datetime import date, datetime

import pandas as pd


def parse_as_of(text: str) -> pd.Timestamp:
    """A day counts to its end; with a time beside it, midnight too, it is that moment.

    ISO 8601 alone, for pandas guesses days to be months.

    Args:
        text: a day, or a day with a time; UTC where it doesn't say.
    Returns:
        In UTC, without a zone.
    Raises:
        ValueError: it is neither.
    """
    try:
        return pd.Period(date.fromisoformat(text), "D").end_time
    except ValueError:
        return pd.to_datetime(datetime.fromisoformat(text), utc=True).tz_localize(None)
