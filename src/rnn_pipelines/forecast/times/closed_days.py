"""The parameter `source.closed_days`: holidays of a country, weekdays and dates, in the form of a frequency."""

from collections.abc import Iterable

import pandas as pd

from rnn_pipelines.errors import show
from rnn_pipelines.forecast.times.holidays import refuse_bare_no, take_country
from rnn_pipelines.forecast.times.offsets import WEEKDAYS


def take_closed_days(value: object) -> list[str]:
    """Return countries, weekdays (`SUN`) and dates (`20261224`), without repetitions.

    Args:
        value: a list, or a text with + between its parts, because `kedro run --params` does not accept lists.
    Raises:
        ValueError: a part is no weekday, no date and no country.
    """
    if value is None:
        return []
    if isinstance(value, str | bool | int) or not isinstance(value, Iterable):
        value = str(refuse_bare_no(value)).split("+")
    return list(dict.fromkeys(_take_part(part) for part in value))


def _take_part(part: object) -> str:
    text = str(refuse_bare_no(part)).strip()
    weekday = text[:3].upper()
    if weekday in WEEKDAYS and (len(text) == len(weekday) or text.lower().endswith("day")):
        return weekday
    if not text[:1].isdigit():
        return take_country(text)
    try:
        return pd.Timestamp(text).strftime("%Y%m%d")
    except ValueError as error:
        raise ValueError(f"expected a date such as 2026-12-24, received {show(text)}") from error
