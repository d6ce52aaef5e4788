"""Shapes of cells: a table of any size has few of them, and they decide how all cells are read.

A cell has the shape of another one if no reading tells them apart: whether it is a number, and with which signs, is the
same for 12.5 and 97.1. Cells that decide something by their value, such as -999 or a number beyond float32, have a
shape of their own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from rnn_pipelines.reading.numbers import MAX_VALUE, SENTINELS
from rnn_pipelines.reading.table_files import is_broken

# Numbers with a decimal point, and such that can be thousands: 1.234; the longer ones may exceed float32.
_PLAIN = (
    r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$",
    r"^[+-]?[0-9]{1,15}\.[0-9]{1,20}$",
    r"^[+-]?[0-9]{1,20}$",
)
# Numbers such as 999 and -99.90, which can stand for missing values.
_SENTINEL = r"^[^1-8]*99[^1-8]*$"
# Their last digits decide whether they exceed float32.
_LARGE = r"[eE]\+?(?:3[0-9]|[4-9][0-9]|[0-9]{3})|[0-9]{36}"
# Between the parts of a time in several columns.
_BETWEEN = "\x1f"
# Dates and hours of two centuries are fewer. More different numbers are no dates, and then only their form decides.
MAX_TIMES = 1 << 21


class Shapes(NamedTuple):
    """The shapes in a column."""

    codes: np.ndarray  # int64[row], the number of the shape of each cell
    names: list[str]  # of the shapes, without repetition

    def find_first(self) -> np.ndarray:
        """Return the first row of each shape, int64[shape]."""
        first = np.zeros(len(self.names), np.int64)
        first[self.codes[::-1]] = np.arange(len(self.codes) - 1, -1, -1)
        return first


def find_name_shapes(column: pa.Array) -> Shapes:
    """Return the shapes of names of series: missing, blank, unreadable, with a null character, and others."""
    codes, names = encode_cells(column)

    def describe(name: object) -> str:
        if name is None or is_broken(name):
            return "none" if name is None else "broken"
        return "null" if "\0" in str(name) else "name" if str(name).strip() else "blank"

    return _merge(codes, list(map(describe, names)))


def find_time_shapes(columns: Sequence[pa.Array]) -> Shapes:
    """Return the shapes of times, which are in one column or in several ones."""

    if len(columns) == 1 and pa.types.is_timestamp(columns[0].type):
        return _find_typed_times(columns[0])
    texts = [_write(column) for column in columns]
    between = pa.scalar(_BETWEEN, pa.large_string())
    joined = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, between)
    encoded = joined.dictionary_encode("encode")
    # Each date and hour is kept, because it can show the order of days and months, but not each minute.
    names = pc.replace_substring_regex(encoded.dictionary, ":[0-5][0-9]", ":00")
    names = pc.replace_substring_regex(names, r"(:00)\.[0-9]{1,9}", r"\1.0")
    return _merge(encoded.indices.to_numpy(zero_copy_only=False), names.fill_null("\0").to_pylist())


def find_cell_shapes(column: pa.Array) -> Shapes:
    """Return the shapes of numbers and texts."""

    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return _find_numbers(column.to_numpy(zero_copy_only=False).astype(np.float64))
    texts = _write(column)
    codes = np.full(len(texts), -1)
    for code, pattern in reversed([*enumerate(_PLAIN)]):
        codes[_match(texts, pattern)] = code
    codes[_match(texts, _SENTINEL)] = -1
    others = np.flatnonzero(codes < 0)
    names = [*_PLAIN]
    if len(others):
        encoded = texts.take(pa.array(others)).dictionary_encode("encode")
        cells = encoded.dictionary
        is_kept = _match(cells, _SENTINEL) | _match(cells, _LARGE)
        # Groups of thousands do not begin with 0.
        shapes = pc.replace_substring_regex(cells, "(^|[^0-9])0", r"\1o")
        shapes = pc.replace_substring_regex(shapes, "[0-9]", "9")
        shapes = pc.if_else(pa.array(is_kept), cells, shapes).fill_null("\0")
        rare = _merge(encoded.indices.to_numpy(zero_copy_only=False), shapes.to_pylist())
        codes[others] = rare.codes + len(names)
        names += rare.names
    return _leave_unused(codes, names)


def generalise(name: str) -> str:
    """Return the shape of a time without its digits, for a column with more different times than there are dates."""
    return name.translate(dict.fromkeys(range(ord("0"), ord("9")), "9"))


def is_sentinel(values: np.ndarray) -> np.ndarray:
    """Return whether numbers can stand for missing values: bool[row]."""
    return np.isin(values, SENTINELS)


def _find_numbers(values: np.ndarray) -> Shapes:
    is_outside = np.abs(values) > MAX_VALUE
    is_missing = np.isnan(values)
    sentinel = is_sentinel(values)
    codes = np.select([is_missing, is_outside, sentinel], [1, 2, 3], 0)
    names = ["number", "none", "outside"]
    if sentinel.any():
        numbers, places = np.unique(values[sentinel], return_inverse=True)
        codes[sentinel] += places
        names += [str(number) for number in numbers]
    return _leave_unused(codes, names)


def _find_typed_times(column: pa.Array) -> Shapes:
    years = np.asarray(column.cast("int64").fill_null(0).to_numpy(zero_copy_only=False))
    first, last = np.array(["0001-01-01", "9999-12-31T23:59:59"], f"M8[{column.type.unit}]").view(
        "int64"
    )
    is_outside = (
        (years < first) | (years > last) if column.type.unit != "ns" else np.zeros(len(years), bool)
    )
    codes = np.where(column.is_null().to_numpy(zero_copy_only=False), 1, np.where(is_outside, 2, 0))
    return _leave_unused(codes, ["time", "none", "outside"])


def combine_chunks(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of a table as one array."""

    cells = column.combine_chunks()
    return cells if isinstance(cells, pa.Array) else pa.concat_arrays(cells.chunks)


def encode_cells(column: pa.Array) -> tuple[np.ndarray, list[object]]:
    """Return the place of each cell among the different ones, int64[row], and these; bytes if they are no UTF-8."""
    encoded = column.dictionary_encode("encode")
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    try:
        return codes, encoded.dictionary.to_pylist()
    except UnicodeDecodeError:
        return codes, encoded.dictionary.cast("large_binary").to_pylist()


def _write(column: pa.Array) -> pa.Array:
    """Return the cells as texts that UTF-8 can hold."""

    try:
        texts = column.cast(pa.large_string())
        texts.validate(full=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        codes, cells = encode_cells(column)
        texts = pa.array(
            [None if cell is None else repr(cell) for cell in cells], pa.large_string()
        )
        texts = texts.take(pa.array(codes))
    return texts


def _match(texts: pa.Array, pattern: str) -> np.ndarray:

    fits: np.ndarray = (
        pc.match_substring_regex(texts, pattern).fill_null(False).to_numpy(zero_copy_only=False)
    )
    return fits


def _merge(codes: np.ndarray, names: Sequence[str]) -> Shapes:
    """Return the shapes of cells from the shapes of the different ones."""
    places, merged = pd.factorize(np.array([*names, ""], object))
    return _leave_unused(places[codes], merged.tolist())


def _leave_unused(codes: np.ndarray, names: Sequence[str]) -> Shapes:
    is_used = np.bincount(codes, minlength=len(names)) > 0
    places = np.cumsum(is_used) - 1
    return Shapes(places[codes], [name for name, used in zip(names, is_used, strict=True) if used])
