"""Numbers as people write them: with a decimal point or comma, and with signs between thousands."""

import re
from decimal import Decimal
from typing import NamedTuple, NoReturn

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.reading.dialect import NAMES

# In the unit of the data, and of what squares of it make in float64.
MAX_VALUE = float(np.finfo(np.float32).max)
_BOUNDED = f"a number between {-MAX_VALUE:.3g} and {MAX_VALUE:.3g}"

# Signs that look like those that are looked for: the spaces and the apostrophe of typesetters.
_ALIKE = {"\u00a0": " ", "\u202f": " ", "\u2019": "'"}


class Marks(NamedTuple):
    """The signs in numbers; as what is asked for, None leaves the choice open."""

    decimal: str | None
    thousands: str | None

    @property
    def pattern(self) -> str:
        """What a number looks like; groups of three don't begin with 0, as 0.125 does."""
        groups = rf"|[1-9][0-9]{{0,2}}(?:{re.escape(self.thousands)}[0-9]{{3}})+" if self.thousands else ""
        decimal = re.escape(self.decimal or ".")
        # Not \d: digits of other scripts would fit, and no reader of numbers takes them.
        return rf"[+-]?(?:(?:[0-9]+{groups})(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:[eE][+-]?[0-9]+)?"

    @property
    def parameters(self) -> dict[str, str]:
        """How they are given."""
        given = {"decimal": self.decimal if self.decimal != "." else None, "thousands": self.thousands}
        return {name: NAMES[sign] for name, sign in given.items() if sign}

    def read(self, cells: pd.Series) -> pd.Series:
        """float64 of cells that are such numbers, NaN of the others."""
        if self.thousands:
            cells = cells.str.replace(self.thousands, "", regex=False)
        plain = cells.str.replace(self.decimal or ".", ".", regex=False)
        return read_exactly(plain)


POINT = Marks(".", None)
# In the order in which they are tried.
MARKS = [POINT, Marks(",", None), *(Marks(*signs) for signs in (".,", ",.", ". ", ", ", ".'", ",'"))]


def parse_numbers(
    raw: pd.Series, label: str, marks: Marks, is_comma_separated: bool
) -> tuple[pd.Series, dict[str, str]]:
    """Reads a column of numbers, all written in the same way.

    Args:
        raw: numbers, or text, or both; missing cells stay missing.
        label: of the source, for messages.
        marks: what is known of the signs.
        is_comma_separated: whether commas part the cells, as where English is written: a point is a decimal point then.
    Returns:
        float64, and what was found of the signs, as parameters.
    Raises:
        SeriesError: cells that are no finite numbers, or such as can be read in two ways.
    """
    found: dict[str, str] = {}
    if _is_numeric(raw):
        values = read_exactly(raw)
    else:
        values, texts = _part_texts(raw)
        values[texts.index], found = _read_texts(texts, raw, label, marks, is_comma_separated)
    check_float32_range(values, raw, label)
    return values, found


def _read_texts(
    texts: pd.Series, raw: pd.Series, label: str, marks: Marks, is_comma_separated: bool
) -> tuple[pd.Series, dict[str, str]]:
    if marks == Marks(None, None) and is_comma_separated:
        plain = read_exactly(texts)
        if plain.notna().all():
            return plain, {}
    cells = _clean(texts)
    chosen = _find_marks(cells, raw, label, marks) or _raise_unreadable(cells, raw, label, marks)
    found = {name: sign for name, sign in chosen.parameters.items() if getattr(marks, name) is None}
    return chosen.read(cells), found


def read_exactly(cells: pd.Series) -> pd.Series:
    """float64 of what is a number, NaN of the others; pandas' own reading of long ones is off in the last digits."""
    values = pd.to_numeric(cells, errors="coerce").astype("float64")
    if not pd.api.types.is_numeric_dtype(cells):
        is_number = values.notna()
        values[is_number] = cells[is_number].astype("object").to_numpy().astype("float64")
    return values


def check_float32_range(values: pd.Series, raw: pd.Series, label: str) -> None:
    """Raises a SeriesError where a value is infinite, or beyond what networks compute with: float32."""
    for wrong, expected in ((np.isinf(values), "a finite number"), (values.abs() > MAX_VALUE, _BOUNDED)):
        if wrong.any():
            raise _explain(wrong, raw, label, expected)


def read_other_signs(raw: pd.Series, label: str, marks: Marks, is_comma_separated: bool) -> pd.Series:
    """Reads a column if all of its cells are numbers, written with other signs than a decimal point alone.

    Args:
        raw, label, marks, is_comma_separated: see `parse_numbers`; blank cells count as missing.
    Returns:
        float64; any other column as it is.
    Raises:
        SeriesError: numbers that can be read in two ways.
    """
    if _is_numeric(raw):
        return raw
    values, texts = _part_texts(raw)
    cells = _clean(texts[texts.str.strip() != ""])
    if is_comma_separated and pd.to_numeric(cells, errors="coerce").notna().all():
        return raw
    chosen = _find_marks(cells, raw, label, marks)
    if chosen in (None, POINT):
        return raw
    values[cells.index] = chosen.read(cells)
    return values


def read_plain_numbers(cells: pd.Series) -> pd.Series:
    """float64 of a column in which all cells are numbers, or none; missing everywhere in another one: of texts."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    text = cells.astype(str).str.strip().where(cells.notna())
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    is_text = numbers.isna() & text.notna() & (text != "")
    return numbers * np.nan if is_text.any() else numbers


def _is_numeric(raw: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(raw) and not pd.api.types.is_complex_dtype(raw)


def _part_texts(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The cells that are numbers, float64 with NaN for the others; and all others as texts: they alone have signs."""
    if isinstance(raw.dtype, pd.StringDtype):
        return pd.Series(np.nan, index=raw.index, dtype="float64"), raw.dropna()
    is_number = raw.astype("object").map(_is_number).astype(bool)
    # Numbers by way of text too, because Python's can be larger than floats; dates and durations as texts, because
    # pandas would make numbers of them.
    return read_exactly(raw[is_number].astype(str)).reindex(raw.index), raw[raw.notna() & ~is_number].astype(str)


def _is_number(cell: object) -> bool:
    return isinstance(cell, (int, float, Decimal, np.integer, np.floating)) and not isinstance(cell, bool)


def _clean(text: pd.Series) -> pd.Series:
    return text.astype("str").str.strip().replace(_ALIKE, regex=True)


def _fits(cells: pd.Series, marks: Marks) -> np.ndarray:
    return cells.str.fullmatch(marks.pattern).to_numpy(bool)


def _list_asked(known: Marks) -> list[Marks]:
    return [marks for marks in MARKS if all(want in (None, has) for want, has in zip(known, marks, strict=True))]


def _find_marks(cells: pd.Series, raw: pd.Series, label: str, known: Marks) -> Marks | None:
    """Those of all cells; None if there are none."""
    whole = [marks for marks in _list_asked(known) if _fits(cells, marks).all()]
    if whole:
        _check_unambiguous_marks(whole, cells, raw, label)
    return whole[0] if whole else None


def _raise_unreadable(cells: pd.Series, raw: pd.Series, label: str, known: Marks) -> NoReturn:
    others = [marks for marks in MARKS if _fits(cells, marks).all()]
    if others:
        given = {name: NAMES[sign] for name, sign in known._asdict().items() if sign}
        raise SeriesError(
            f"{label}: {_format_which(cells, raw)} of the column '{raw.name}' are numbers with "
            f"{_format_marks(others[0])}, "
            f"such as {show(cells.iloc[0])}. Give {_join(others[0].parameters) or 'nothing'} instead of {_join(given)}."
        )
    best = max(_list_asked(known), key=lambda marks: int(_fits(cells, marks).sum()))
    wrong = pd.Series(~_fits(cells, best), index=cells.index).reindex(raw.index, fill_value=False)
    raise _explain(wrong, raw, label, f"a number such as 1234{best.decimal}5")


def _check_unambiguous_marks(whole: list[Marks], cells: pd.Series, raw: pd.Series, label: str) -> None:
    """Numbers such as 1.234, alone, are one or one thousand."""
    first = whole[0].read(cells)
    others = [marks for marks in whole[1:] if not marks.read(cells).equals(first)]
    if others:
        example = cells[(others[0].read(cells) != first).to_numpy()].iloc[0]
        ways = (
            f"{_join(_spell_out(marks))} ({marks.read(pd.Series([example]))[0]:,g})" for marks in (whole[0], others[0])
        )
        raise SeriesError(
            f"{label}: column '{raw.name}': {_format_which(cells, raw)}, as {show(example)}, can be read in two ways. "
            f"Give {' or '.join(ways)}."
        )


def _explain(wrong: pd.Series, raw: pd.Series, label: str, expected: str) -> SeriesError:
    """The first cell that is wrong, or that all are."""
    row, num_wrong, num_cells = int(wrong.to_numpy().argmax()), int(wrong.sum()), int(raw.notna().sum())
    cell = show(str(raw.iloc[row]))
    if num_wrong == num_cells > 1:
        return SeriesError(
            f"{label}: column '{raw.name}': none of its {num_cells:,} values is {expected}; the first is "
            f"{cell}. Correct the column, or name another one with source.target."
        )
    count = f" ({num_wrong:,} such cells in all)" if num_wrong > 1 else ""
    return SeriesError(
        f"{label}: column '{raw.name}', row {row + 1}: expected {expected}, received {cell}{count}. "
        "Correct the row, or leave its cell empty to have it treated as a gap."
    )


def _spell_out(marks: Marks) -> dict[str, str]:
    """What sets a way of reading apart: its sign for thousands, else its decimal sign."""
    return {"thousands": NAMES[marks.thousands]} if marks.thousands else {"decimal": NAMES[marks.decimal or "."]}


def _format_which(cells: pd.Series, raw: pd.Series) -> str:
    return f"all {len(cells):,} values" if len(cells) == raw.notna().sum() else "the texts"


def _format_marks(marks: Marks) -> str:
    thousands = f" and a {NAMES[marks.thousands]} between thousands" if marks.thousands else ""
    return f"a decimal {NAMES[marks.decimal or '.']}{thousands}"


def _join(parameters: dict[str, str]) -> str:
    return ",".join(f"forecast.source.{name}={sign}" for name, sign in parameters.items())
