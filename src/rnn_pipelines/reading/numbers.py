"""Parsing of numbers with a decimal point or comma, and with signs between thousands."""

import logging
import re
from decimal import Decimal
from typing import NamedTuple, NoReturn

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.reading.dialect import NAMES
from rnn_pipelines.reading.table_files import count_rows, explain_cells, name_row

# Largest absolute value, in the unit of the data; its square fits float64.
MAX_VALUE = float(np.finfo(np.float32).max)
_BOUNDED = f"a number between {-MAX_VALUE:.3g} and {MAX_VALUE:.3g}"

# Missing markers in columns of numbers; in other columns, NA may be a country.
NO_VALUE = [
    "",
    "NA",
    "N/A",
    "n/a",
    "n.a.",
    "k.A.",
    "NaN",
    "nan",
    "null",
    "NULL",
    "None",
    "#N/A",
    "<NA>",
    "missing",
]
NO_VALUE += ["ND", "N.D.", "n.d.", "#NV", "(null)", "\\N"]
# Abbreviations may have a blank inside, as in k. A.
NO_VALUE += [marker[:2] + " " + marker[2:] for marker in NO_VALUE if marker[1:2] == "."]
# Numbers that stand for missing values in many measurements.
SENTINELS = [
    sign * number
    for number in (99, 999, 9999, 99999, 999999, 99.9, 999.9, 9999.9)
    for sign in (1, -1)
]
# Typographic signs, and the plain ones that replace them; negative numbers of accounts, as (5) or 5-, with a minus.
_ALIKE = {"\u00a0": " ", "\u202f": " ", "\u2019": "'", "\u2212": "-"}
_NEGATIVE = {r"^\(\s*([^()+-]*[0-9][^()+-]*)\)$": r"-\1", r"^([0-9][^+-]*)-$": r"-\1"}
# Units that can stand for thousands, millions and billions.
_FACTORS = r".*[0-9]\s?(?:k|K|M|B|bn|mln|Mio|Mrd)\.?"
# A number with one unit: a currency before it, or any word behind it.
_MONEY = r"[€$£¥]|[A-Z]{3}|[A-Z]?[A-Z]\$|Rs\.?|kr\.?|Fr\.?"
# An E without a letter after it is an exponent: 1E6'-9 is not a number. Nor is 2020Q1; m2 and m3 alone have digits.
_WORD = r"(?![eE](?![^\W\d_]))(?:[^\W\d_]|[%‰€$£¥°])(?:[^\s'\"\d]|(?<=m)[23]){0,11}"
_WITH_UNIT = rf"^([+-]?)\s*({_MONEY})?\s*([+-]?[0-9.,' ]*[0-9])\s*({_WORD})?$"

logger = logging.getLogger(__name__)


class Marks(NamedTuple):
    """The decimal and thousands signs of numbers; None for a sign to detect."""

    decimal: str | None
    thousands: str | None

    @property
    def pattern(self) -> str:
        """The regular expression of a number; groups of thousands do not begin with 0, unlike 0.125."""
        groups = (
            rf"|[1-9][0-9]{{0,2}}(?:{re.escape(self.thousands)}[0-9]{{3}})+"
            if self.thousands
            else ""
        )
        decimal = re.escape(self.decimal or ".")
        # Not \d: it matches digits of other scripts, which the parsers do not accept.
        return (
            rf"[+-]?(?:(?:[0-9]+{groups})(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        )

    @property
    def parameters(self) -> dict[str, str]:
        """The signs as parameters, without defaults."""
        given = {
            "decimal": self.decimal if self.decimal != "." else None,
            "thousands": self.thousands,
        }
        return {name: NAMES[sign] for name, sign in given.items() if sign}

    def read(self, cells: pd.Series) -> pd.Series:
        """Return the cells as float64; NaN for cells that are not such numbers."""
        if self.thousands:
            cells = cells.str.replace(self.thousands, "", regex=False)
        return read_exactly(cells.str.replace(self.decimal or ".", ".", regex=False))


POINT = Marks(".", None)
# In the order of trial.
MARKS = [
    POINT,
    Marks(",", None),
    *(Marks(*signs) for signs in (".,", ",.", ". ", ", ", ".'", ",'")),
]


def parse_numbers(
    raw: pd.Series, label: str, marks: Marks, is_comma_separated: bool
) -> tuple[pd.Series, dict[str, str]]:
    """Read a column of numbers or texts that are all written in the same way; missing cells stay missing.

    If commas separate the cells of the file, as in English, a point is a decimal point. Return the numbers as float64,
    and the detected signs as parameters. Raise a SeriesError if a cell is no finite number, or the numbers can be read
    in two ways.
    """
    parameters: dict[str, str] = {}
    if _is_numeric(raw):
        values = read_exactly(raw)
    else:
        values, texts = _part_texts(raw)
        values[texts.index], parameters = _read_texts(texts, raw, label, marks, is_comma_separated)
    check_float32_range(values, raw, label)
    return values, parameters


def _read_texts(
    texts: pd.Series, raw: pd.Series, label: str, marks: Marks, is_comma_separated: bool
) -> tuple[pd.Series, dict[str, str]]:
    if marks == Marks(None, None) and is_comma_separated:
        plain = read_exactly(texts)
        if plain.notna().all():
            return plain, {}
    cells = _clean(texts)
    best = _find_marks(cells, raw, label, marks)
    if best is None:
        numbers = _leave_units(cells, raw, label)
        if numbers is None:
            _raise_unreadable(cells, raw, label, marks)
        return _read_texts(numbers, raw, label, marks, is_comma_separated)
    parameters = {
        name: sign for name, sign in best.parameters.items() if getattr(marks, name) is None
    }
    return best.read(cells), parameters


def read_exactly(cells: pd.Series) -> pd.Series:
    """Return numbers as float64, other cells as NaN; exact for long texts, unlike `pandas.to_numeric`."""
    values = pd.to_numeric(cells, errors="coerce").astype("float64")
    if not pd.api.types.is_numeric_dtype(cells):
        is_number = values.notna()
        values[is_number] = cells[is_number].astype("object").to_numpy().astype("float64")
    return values


def check_float32_range(values: pd.Series, raw: pd.Series, label: str) -> None:
    """Raise a SeriesError if a value is infinite or beyond float32, in which networks compute."""
    for wrong, expected in (
        (np.isinf(values), "a finite number"),
        (values.abs() > MAX_VALUE, _BOUNDED),
    ):
        if wrong.any():
            raise _explain(wrong, raw, label, expected)


def read_other_signs(
    raw: pd.Series, label: str, marks: Marks, is_comma_separated: bool
) -> pd.Series:
    """Return a column as float64 if all cells are numbers or blank and some use other signs than a decimal point.

    Other columns stay unchanged. Raise a SeriesError if the numbers can be read in two ways; see `parse_numbers`.
    """
    if _is_numeric(raw):
        return raw
    values, texts = _part_texts(raw)
    cells = _clean(texts[texts.str.strip() != ""])
    if is_comma_separated and pd.to_numeric(cells, errors="coerce").notna().all():
        return raw
    best = _find_marks(cells, raw, label, marks)
    if best in (None, POINT):
        return raw
    values[cells.index] = best.read(cells)
    return values


def read_plain_numbers(cells: pd.Series) -> pd.Series:
    """Return a column as float64; all NaN if any cell is text."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    text = cells.astype(str).str.strip().where(cells.notna())
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    is_text = numbers.isna() & text.notna() & (text != "")
    return numbers * np.nan if is_text.any() else numbers


def _is_numeric(raw: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(raw) and not pd.api.types.is_complex_dtype(raw)


def _part_texts(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the numeric cells as float64, NaN elsewhere; and the other filled cells as text."""
    if isinstance(raw.dtype, pd.StringDtype):
        return pd.Series(np.nan, index=raw.index, dtype="float64"), raw.dropna()
    kinds = (int, float, Decimal, np.integer, np.floating)
    cells = raw.astype("object")
    is_number = cells.map(
        lambda cell: isinstance(cell, kinds) and not isinstance(cell, bool)
    ).astype(bool)
    # Numbers are parsed from text, because Python's integers can exceed floats. Dates and durations count as text,
    # because pandas would convert them to numbers.
    return read_exactly(raw[is_number].astype(str)).reindex(raw.index), raw[
        raw.notna() & ~is_number
    ].astype(str)


def _clean(text: pd.Series) -> pd.Series:
    cells = text.astype("str").str.strip()
    for sign, plain in _ALIKE.items():
        cells = cells.str.replace(sign, plain, regex=False)
    # Only these cells can be negative numbers of accounts; expressions take long on all of them.
    is_account = cells.str.endswith((")", "-"))
    return cells.mask(is_account, cells[is_account].replace(_NEGATIVE, regex=True))


def _leave_units(cells: pd.Series, raw: pd.Series, label: str) -> pd.Series | None:
    """Return the numbers of cells that all have the same unit, such as 12 kWh, $5 or 3 %; None for other cells.

    Raise a SeriesError if all cells have a unit, and some have another one.
    """
    parts = cells.str.extract(_WITH_UNIT)
    units = parts[1].fillna("") + parts[3].fillna("")
    if parts[2].isna().any() or (units == "").any():
        return None
    is_factor = cells.str.fullmatch(_FACTORS)
    if is_factor.any():
        row = int(is_factor.to_numpy().argmax())
        raise SeriesError(
            f"{label}: column '{raw.name}', row {name_row(raw, raw.index.get_loc(cells.index[row]))}: "
            f"{show(parts[3].iloc[row])} in {show(cells.iloc[row])} can stand for thousands, millions or a unit. Write "
            "the numbers in full, as 12100, or without it."
        )
    if units.nunique() > 1:
        others = units[units != units.iloc[0]]
        raise SeriesError(
            f"{label}: column '{raw.name}': expected one unit, received {show(units.iloc[0])} in row "
            f"{name_row(raw, raw.index.get_loc(units.index[0]))} and {show(others.iloc[0])} in row "
            f"{name_row(raw, raw.index.get_loc(others.index[0]))}. Convert the values to one unit."
        )
    logger.info(
        "%s: column '%s': the unit %s of its numbers is left out",
        label,
        raw.name,
        show(units.iloc[0]),
    )
    return parts[0] + parts[2]


def _fits(cells: pd.Series, marks: Marks) -> np.ndarray:
    return cells.str.fullmatch(marks.pattern).to_numpy(bool)


def _list_asked(given: Marks) -> list[Marks]:
    return [
        marks
        for marks in MARKS
        if all(want in (None, has) for want, has in zip(given, marks, strict=True))
    ]


def _find_marks(cells: pd.Series, raw: pd.Series, label: str, given: Marks) -> Marks | None:
    """Return the signs that fit all cells; None if there are none."""
    whole = [marks for marks in _list_asked(given) if _fits(cells, marks).all()]
    if whole:
        _check_unambiguous_marks(whole, cells, raw, label)
    return whole[0] if whole else None


def _raise_unreadable(cells: pd.Series, raw: pd.Series, label: str, given: Marks) -> NoReturn:
    others = [marks for marks in MARKS if _fits(cells, marks).all()]
    if others:
        parameters = {name: NAMES[sign] for name, sign in given._asdict().items() if sign}
        fitting = others[0]
        thousands = (
            f" and a {NAMES[fitting.thousands]} between thousands" if fitting.thousands else ""
        )
        raise SeriesError(
            f"{label}: {_format_which(cells, raw)} of the column '{raw.name}' are numbers with a decimal "
            f"{NAMES[fitting.decimal or '.']}{thousands}, such as {show(cells.iloc[0])}. Give "
            f"{_join(fitting.parameters) or 'nothing'} instead of {_join(parameters)}."
        )
    best = max(_list_asked(given), key=lambda marks: int(_fits(cells, marks).sum()))
    is_number = _fits(cells, best)
    has_unit = cells.str.fullmatch(_WITH_UNIT).to_numpy(bool)
    if not is_number.any() and not has_unit.all():
        # The cells with a unit would be read if the others were numbers, so that these are the wrong ones.
        is_number = has_unit
    wrong = pd.Series(~is_number, index=cells.index).reindex(raw.index, fill_value=False)
    raise _explain(wrong, raw, label, f"a number such as 1234{best.decimal}5")


def _check_unambiguous_marks(
    whole: list[Marks], cells: pd.Series, raw: pd.Series, label: str
) -> None:
    """Raise a SeriesError if the signs leave two readings, such as one or one thousand for 1.234."""
    first = whole[0].read(cells)
    others = [marks for marks in whole[1:] if not marks.read(cells).equals(first)]
    if others:
        example = cells[(others[0].read(cells) != first).to_numpy()].iloc[0]
        ways = []
        for marks in (whole[0], others[0]):
            # The sign that distinguishes a reading: its thousands sign, or else its decimal sign.
            sign = "thousands" if marks.thousands else "decimal"
            named = NAMES[marks.thousands or marks.decimal or "."]
            ways.append(f"{_join({sign: named})} ({marks.read(pd.Series([example]))[0]:,g})")
        raise SeriesError(
            f"{label}: column '{raw.name}': {_format_which(cells, raw)}, as {show(example)}, can be read in two ways. "
            f"Give {' or '.join(ways)}."
        )


def _explain(wrong: pd.Series, raw: pd.Series, label: str, expected: str) -> SeriesError:
    remedies = (
        "Correct the row, or leave its cell empty to have it treated as a gap.",
        "Correct the column, or name another one with source.target.",
    )
    return SeriesError(explain_cells(wrong, raw, label, expected, remedies))


def _format_which(cells: pd.Series, raw: pd.Series) -> str:
    return (
        f"all {count_rows(raw.dropna()):,} values"
        if len(cells) == raw.notna().sum()
        else "the texts"
    )


def _join(parameters: dict[str, str]) -> str:
    return ",".join(f"source.{name}={sign}" for name, sign in parameters.items())
