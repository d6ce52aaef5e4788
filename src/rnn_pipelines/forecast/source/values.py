"""Cells of a table: names and times of its rows, values in one column or in one for each series, other columns."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from rnn_pipelines.errors import SeriesError, count, show, show_all
from rnn_pipelines.forecast.source.specs import TARGET, Found, SourceSpec
from rnn_pipelines.forecast.source.time_parts import name_part
from rnn_pipelines.reading.date_numbers import find_date_form
from rnn_pipelines.reading.numbers import (
    NO_VALUE,
    SENTINELS,
    Marks,
    check_float32_range,
    parse_numbers,
    read_other_signs,
    read_plain_numbers,
)
from rnn_pipelines.reading.table_files import count_rows, explain_cells, name_row
from rnn_pipelines.reading.time_forms import number_month
from rnn_pipelines.reading.times import parse_times, read_steps, read_times

# Missing markers of covariates if only one of these signs occurs in cells among numbers; several signs, such as + and
# -, are categories.
NO_VALUE_SIGNS = {"-", "\u2013", "\u2014", "?", "."}
# Words that are numbers in covariates, but not in the target.
FLAGS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}

# A cell that is a number in one of the ways of writing it.
_NUMBER = r"\s*[+-]?[0-9.,'\s]*[0-9][0-9.,'\s]*(?:[eE][+-]?[0-9]+)?\s*"
# The name of a column that is a date or month, the fewest of them, and their fewest part of all names.
_MONTH = r"(jan|feb|m[aä]r|apr|ma[yi]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*[^a-z0-9]*[0-9]*"
_DATE = rf"[0-9]{{1,4}}[-/.][0-9]{{1,4}}([-/.][0-9]{{1,4}})?( 00:00:00)?|[0-9]{{4}}[- ]?[QW][0-9]{{1,2}}|{_MONTH}"
_YEAR = "(1[5-9]|20)[0-9]{2}"
_MIN_DATES, _MOST = 3, 0.5
# Numbers of `SENTINELS` stand for missing values if they are this many deviations from the others.
_SENTINEL_DEVIATIONS = 10.0

logger = logging.getLogger(__name__)


def read_values(
    raw: pd.DataFrame, source: SourceSpec, others: Sequence[str], is_reported: bool
) -> tuple[pd.DataFrame, Found]:
    """Read the values of the series; `others` are columns without values. Missing markers may be reported before.

    Return float64[row, series]: a column for each series of a wide table, or else the column of all values; and the
    detected signs of numbers. Raise a SeriesError if a cell is no number, or a wide table has no column of numbers.
    """
    values: dict[str, pd.Series] = {}
    found: Found = {}
    for name in _list_value_columns(raw, source, others) if source.is_wide else [source.target]:
        cells = raw[name]
        if not is_numeric_dtype(cells):
            cells = _leave_markers(cells, None if is_reported else source.label)
        values[name], marks = parse_numbers(cells, source.label, *_find_signs(source, raw))
        found |= marks
    return pd.DataFrame(values, index=raw.index), found


def _leave_markers(cells: pd.Series, label: str | None) -> pd.Series:
    """Return cells of values without the markers of missing ones; with a label, warn of a sign that is one."""
    text = cells.astype(str).str.strip().where(cells.notna())
    is_sign = _find_only_sign(text)
    if label is not None and is_sign.any():
        logger.warning(
            "%s: column '%s': %s of %s are missing values. Write 0 if they stand for it.",
            label,
            cells.name,
            count(count_rows(cells[is_sign]), "cell"),
            show(text[is_sign].iloc[0]),
        )
    return cells.mask(text.isin(NO_VALUE) | is_sign)


def _find_only_sign(text: pd.Series) -> pd.Series:
    """Return whether each cell has neither letters nor digits, if all such cells are the same: bool[row]."""
    has_no_letter = text.str.fullmatch(r"[\W_]+").eq(True)
    return has_no_letter & (text[has_no_letter].nunique() == 1)


def limit_values(
    table: pd.DataFrame, source: SourceSpec, sentinels: Sequence[float] | None = None
) -> pd.DataFrame:
    """Return the table with values outside `source.valid_range` as missing; warn of numbers that may stand for these.

    `sentinels` are the numbers that stand for missing values in the whole table, of which this is a part; None to find
    them.
    """
    if source.valid_range is None:
        if sentinels is None:
            sentinels = find_sentinels([table], source)
        return (
            table.assign(y=table["y"].mask(table["y"].isin(sentinels))) if len(sentinels) else table
        )
    low, high = source.valid_range
    y = table["y"]
    is_outside = (y < (-np.inf if low is None else low)) | (y > (np.inf if high is None else high))
    if is_outside.any():
        found = f"{is_outside.sum():,} of {count(y.notna().sum(), 'value')}; the first is {y[is_outside].iloc[0]:g}"
        row = table.index[is_outside][0]
        logger.warning(
            "%s: outside source.valid_range, and missing now: %s in row %d",
            source.label,
            found,
            row,
        )
    return table.assign(y=y.mask(is_outside))


def find_unavailable(raw: pd.DataFrame, source: SourceSpec) -> pd.Series:
    """Return whether `source.unavailable` is 0, less or false in each row: bool[row]; an empty cell is not.

    Raise a SeriesError if a cell is another text.
    """
    name = str(source.unavailable)
    cells = parse_columns(raw, [name], source)[name]
    if is_numeric_dtype(cells):
        return read_plain_numbers(cells) <= 0
    text = cells.astype(str).str.strip().where(cells.notna())
    text = text.mask(text.isin(NO_VALUE)).astype(object)
    numbers = pd.to_numeric(text.str.lower().replace(FLAGS), errors="coerce")
    wrong = text.notna() & numbers.isna()
    if wrong.any():
        remedies = [
            "Correct the row, or leave its cell empty.",
            "Name another one with source.unavailable.",
        ]
        expected = "a number, true or false"
        raise SeriesError(explain_cells(wrong, raw[name], source.label, expected, remedies))
    return numbers <= 0


def find_sentinels(parts: Iterable[pd.DataFrame], source: SourceSpec) -> list[float]:
    """Return the numbers that stand for missing values: a negative one several times, all others 0 or more.

    Log a warning for each number of `SENTINELS` that is far from all other values of its series. All rows of a series
    are in one part.
    """
    found = pd.concat([_measure_sentinels(part) for part in parts])
    of_all = {"num_values": "sum", "distance": "min", "low": "min", "high": "max"}
    chosen = []
    for number, (num_values, distance, low, high) in (
        found.groupby(level=0, sort=False).agg(of_all).iterrows()
    ):
        if not distance > _SENTINEL_DEVIATIONS:
            continue
        is_clear = number < 0 <= low and num_values > 1
        advice = f"If they stand for missing values, give source.valid_range={low:g}:{high:g}."
        if is_clear:
            advice = f"They are missing now; source.valid_range={number:g}: keeps them."
            chosen.append(float(number))
        logger.warning(
            "%s: column '%s' has %s of %g, %.0f deviations or more from the others, which are between %g and %g. %s",
            source.label,
            source.target,
            count(int(num_values), "value"),
            number,
            distance,
            low,
            high,
            advice,
        )
    return chosen


def _measure_sentinels(table: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of values, and the others of their series, of each number of `SENTINELS` in a table."""
    is_sentinel = table["y"].isin(SENTINELS)
    measures = {}
    for number in table["y"][is_sentinel].unique():
        is_number = table["y"] == number
        names = table.loc[is_number, "unique_id"].unique()
        some = table[~is_sentinel & table["unique_id"].isin(names)]
        others = some.groupby("unique_id")["y"].agg(["mean", "std", "min", "max"])
        distance = float(((number - others["mean"]).abs() / others["std"]).min())
        # A series without a deviation decides nothing.
        measures[number] = is_number.sum(), distance, others["min"].min(), others["max"].max()
    return pd.DataFrame.from_dict(
        measures, orient="index", columns=["num_values", "distance", "low", "high"]
    )


def _list_value_columns(raw: pd.DataFrame, source: SourceSpec, others: Sequence[str]) -> list[str]:
    """Return the columns of series of a wide table: the named ones, or else all that hold a number."""
    if source.series:
        return list(source.series)
    names = [name for name in raw if name != source.time and name not in others]
    texts = [name for name in names if not holds_numbers(raw[name])]
    if len(texts) == len(names):
        raise SeriesError(
            f"{source.label}: no column of numbers beside '{source.time}'. Name them with source.series."
        )
    if texts:
        logger.info(
            "%s: columns without numbers, which are not read: %s", source.label, show_all(texts)
        )
    return [name for name in names if name not in texts]


def check_wide_columns(raw: pd.DataFrame, source: SourceSpec, others: Sequence[str]) -> None:
    """Raise a SeriesError if the columns of a wide table are months or dates."""
    names = [str(name) for name in raw if name != source.time and name not in others]
    if source.is_wide and len(find_time_names(names, has_years=False)) == len(names) > 0:
        raise make_turned_error(source.label, names, [source.time])


def find_time_names(names: Sequence[str], has_years: bool = True) -> list[str]:
    """Return the names that are dates, months or years if most of the names are; none otherwise."""
    form = rf"{_DATE}|{_YEAR}" if has_years else _DATE
    found = [name for name in names if re.fullmatch(form, name.strip(), re.IGNORECASE)]
    return found if len(found) >= _MIN_DATES and len(found) > _MOST * len(names) else []


def make_turned_error(label: str, times: Sequence[str], others: Sequence[str]) -> SeriesError:
    """Return the error of a table with a column for each time; the first of the other columns names the series."""
    years = [name for name in others if name_part(name) == "year"]
    if years and len(others) > 1 and all(number_month(name) is not None for name in times):
        series = next(name for name in others if name not in years)
        return SeriesError(
            f"{label}: expected a row for each time, received columns of months ({show(times[0])} to "
            f"{show(times[-1])}) for several series. Write a row for each month. In pandas: table.melt({list(others)}, "
            "var_name='Month').to_csv('turned.csv', index=False). Read turned.csv with source.target=value, "
            f"source.time={years[0]}+Month and source.id={series}."
        )
    left_out = f".drop(columns={list(others[1:])})" if others[1:] else ""
    first = f".set_index({show(others[0])})" if others else ""
    return SeriesError(
        f"{label}: expected a row for each time and a column for each series, received columns of times "
        f"({show(times[0])} to {show(times[-1])}). Transpose the table, or write a row for each time. In pandas: "
        f"table{left_out}{first}.T.rename_axis('ds').to_csv('turned.csv'). Read turned.csv with source.wide=true."
    )


def holds_numbers(
    cells: pd.Series, pattern: str = rf"^{_NUMBER}$", most: int | None = None
) -> bool:
    """Return whether a column holds numbers, or a pattern is in one of its first texts, at most so many."""
    if is_datetime64_any_dtype(cells) or is_bool_dtype(cells):
        return False
    texts = cells.dropna().iloc[:most].astype(str)
    return is_numeric_dtype(cells) or bool(texts.str.contains(pattern).any())


def join_values(keys: pd.DataFrame, values: pd.DataFrame, source: SourceSpec) -> pd.DataFrame:
    """Return the values as `y` beside `unique_id, ds`; a wide table one series after the other."""
    if not source.is_wide:
        return keys.assign(y=values[source.target])
    return pd.concat([keys.assign(unique_id=str(name), y=values[name]) for name in values])


def join_months(
    keys: pd.DataFrame, values: pd.DataFrame, months: Mapping[str, int]
) -> pd.DataFrame:
    """Return `unique_id, ds, y` of the only series of a table with a row for each year and a column for each month."""
    parts = [
        keys.assign(
            unique_id=TARGET, ds=keys["ds"] + pd.DateOffset(months=month - 1), y=values[name]
        )
        for name, month in months.items()
    ]
    return pd.concat(parts).sort_values("ds", kind="stable")


def _find_signs(source: SourceSpec, raw: pd.DataFrame) -> tuple[Marks, bool]:
    """Return the given signs of numbers, and whether commas separate cells; else a point in a text is ambiguous."""
    found = raw.attrs.get("found")
    is_comma_separated = found is not None and source.sep in (None, ",") and "sep" not in found
    return Marks(source.decimal, source.thousands), is_comma_separated


def parse_columns(raw: pd.DataFrame, columns: Sequence[str], source: SourceSpec) -> pd.DataFrame:
    """Return other columns than values, each as numbers if it has no texts."""
    signs = _find_signs(source, raw)
    return pd.DataFrame(
        {name: _read_cells(raw[name], source.label, *signs) for name in columns}, index=raw.index
    )


def _read_cells(raw: pd.Series, label: str, marks: Marks, is_comma_separated: bool) -> pd.Series:
    """Return the column as numbers, with missing markers as NaN; unchanged if any cell is text."""
    if is_numeric_dtype(raw):
        check_float32_range(read_plain_numbers(raw), raw, label)
        return raw
    text = raw.astype(str).str.strip().where(raw.notna())
    # Several signs are categories.
    is_sign = _find_only_sign(text) & text.isin(NO_VALUE_SIGNS)
    is_left_out = text.isin(NO_VALUE) | is_sign
    found = read_other_signs(raw.mask(is_left_out), label, marks, is_comma_separated)
    numbers = read_plain_numbers(found)
    check_float32_range(numbers, raw, label)
    words = text.mask(is_left_out).mask(text.str.lower().isin(FLAGS), "1")
    if numbers.isna().all() and read_plain_numbers(words).isna().all():
        return raw
    if is_sign.any():
        remedies = ["Correct the row, or leave its cell empty."]
        raise SeriesError(
            explain_cells(is_sign, raw, label, "a number, as in the other cells", remedies)
        )
    return found


def parse_keys(
    raw: pd.DataFrame, source: SourceSpec, are_times: bool = False
) -> tuple[pd.DataFrame, Found]:
    """Return `unique_id, ds` of each row, and the detected dialect and form of times.

    `are_times` tells that numbers which can be times are no steps.
    """
    times, found_form = _parse_times(raw[source.time], source, are_times)
    keys = pd.DataFrame({"unique_id": _parse_ids(raw, source), "ds": times})
    return keys, {**raw.attrs.get("found", {}), **found_form}


def _parse_ids(raw: pd.DataFrame, source: SourceSpec) -> pd.Series:
    if source.id is None:
        return pd.Series(source.target, index=raw.index)
    ids = raw[source.id].astype(str)
    # Check each name once, because a panel repeats them in many rows.
    places, names = pd.factorize(ids, use_na_sentinel=False)
    has_null = pd.Series(names).str.contains("\0", regex=False).to_numpy(bool)[places]
    if has_null.any():
        # Some readers of the results end a text there, so that two series could have the same name.
        expected = "a name without null characters"
        wrong = pd.Series(has_null, ids.index)
        raise SeriesError(explain_cells(wrong, ids, source.label, expected, ["Leave them out."]))
    is_nameless = (
        raw[source.id].isna() | (pd.Series(names).str.strip() == "").to_numpy(bool)[places]
    )
    if is_nameless.any():
        row = name_row(ids, int(is_nameless.argmax()))
        raise SeriesError(
            f"{source.label}: column '{source.id}', row {row}: no series name. Name it, or leave "
            "out source.id if the file holds a single series."
        )
    return ids


def _parse_times(raw: pd.Series, source: SourceSpec, are_times: bool) -> tuple[pd.Series, Found]:
    if source.time_format is None and not is_datetime64_any_dtype(raw):
        steps = read_steps(raw)
        if steps is not None:
            are_times = are_times or isinstance(source.freq, str)
            form = (
                None
                if isinstance(source.freq, int)
                else find_date_form(steps, raw, source.label, are_times)
            )
            if form is not None:
                return read_times(steps, form), {"time_format": form}
            if not isinstance(source.freq, str):
                return steps, {}
    return parse_times(raw, source.label, source.time_format)
