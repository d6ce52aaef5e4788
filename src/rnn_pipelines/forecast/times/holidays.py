"""Public holidays of a country, from the package `holidays`, which is imported only if it is needed."""

import difflib
import sys
from collections.abc import Iterable

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.errors import SeriesError, show

# Shift in days of each feature: the day is a holiday, the next day is one, the day before is one.
HOLIDAYS = {"holiday": 0, "day_before_holiday": 1, "day_after_holiday": -1}

# The public holidays by country that exported forecasters have with them, as they were at the export.
STORED: dict[str, pd.DatetimeIndex] = {}


def refuse_bare_no(country: object) -> object:
    """Raise a ValueError if the value is false, because YAML reads the code of Norway (NO) as false."""
    if country is False:
        raise ValueError(
            "expected a country, received false, as YAML reads NO: write 'NO' with quotes for Norway"
        )
    return country


def check_country(country: str) -> str:
    """Return the country if `holidays` supports it; errors are those of `list_holidays`."""
    list_holidays(country, years=())
    return country


def find_holidays(ds: pd.Series, country: str) -> dict[str, np.ndarray]:
    """Return public holidays, and the days before and after them, at each datetime64 step: 0 or 1, by name.

    Steps longer than a day have the holidays of the day on which they begin. Raise a SeriesError if the country is
    unknown, the steps are not times, or the package `holidays` is not installed.
    """
    if not is_datetime64_any_dtype(ds):
        raise SeriesError(
            "covariates.holidays: expected series of dates, received steps. Give source.time_format."
        )
    try:
        days = list_holidays(country, range(ds.dt.year.min() - 1, ds.dt.year.max() + 2))
    except ValueError as error:
        raise SeriesError(f"covariates.holidays: {error}.") from error
    # Local dates, for times with a zone.
    dates = ds.dt.tz_localize(None).dt.normalize()
    shifted = {name: dates + pd.Timedelta(days=shift) for name, shift in HOLIDAYS.items()}
    return {name: moved.isin(days).to_numpy(np.float64) for name, moved in shifted.items()}


def list_holidays(country: str, years: Iterable[int]) -> pd.DatetimeIndex:
    """Return the public holidays of a country; raise a ValueError if it is unknown or the package is not installed."""
    if country in STORED:
        return STORED[country]
    try:
        from holidays import country_holidays
    except ImportError as error:
        message = (
            f"the package holidays is not installed: run {sys.executable} -m pip install holidays"
        )
        raise ValueError(message) from error
    name, _, part = country.partition("-")
    try:
        # `holidays` takes names of its modules for countries.
        from holidays.registry import COUNTRIES, FINANCIAL

        if not any(name in names for names in (*COUNTRIES.values(), *FINANCIAL.values())):
            raise NotImplementedError
        return pd.DatetimeIndex(list(country_holidays(name, subdiv=part or None, years=years)))
    except NotImplementedError as error:
        raise ValueError(
            "expected a country such as DE, or a part of one such as DE-BY, received "
            f"{show(country)}{_find_closest(name, part)}"
        ) from error


def _find_closest(name: str, part: str) -> str:
    """Return the closest code as the end of a message; all parts of a country if only the part is wrong."""
    from holidays.registry import COUNTRIES
    from holidays.utils import list_supported_countries

    # Misspelt names such as Germny lead to the code, too.
    codes = {alias.upper(): names[1] for names in COUNTRIES.values() for alias in names}
    close = difflib.get_close_matches(name.upper(), codes, n=1, cutoff=0.3)
    if not close:
        return ""
    code = codes[close[0]]
    parts = list_supported_countries()[code]
    same_part = {name.upper(): name for name in parts}.get(part.upper())
    if name == code and same_part is None:
        return f" (the parts of {code}: {', '.join(parts) or 'none'})"
    return f" (the closest code: {'-'.join(filter(None, [code, same_part]))})"
