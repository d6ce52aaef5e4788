"""A chain of hashes over the nights of a log: any row that is changed, removed, added or moved later is found.

A night is the rows with one time of record. Its rows carry the hash of the night before and, of each row, a check: its
place, the number of rows of the night, and the first 32 digits of a sha256. A row is hashed as bytes of a fixed width:

    seed    sha256 of JSON in ASCII: [hash of the night before, number of rows, [[column, kind], …]]
    row     seed, place as int64, and each cell: texts as the sha256 of their UTF-8, times as int64 microseconds of UTC,
            integers as int64, floats as float64 with one NaN; all of them little-endian
    night   sha256 of the hash of the night before and the checks, joined by line breaks

The columns are sorted by name. Those without a value in the whole night are left out, so that a column that comes later
does not change the nights before it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import eq
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import BrokenChainError

PREVIOUS, CHECK = "previous_sha256", "row_check"
# The columns that the chain adds to a log.
LINKS = (PREVIOUS, CHECK)
# The links of the first night of a log, and of the first one after rows without links, with their hash.
FIRST, TAKEN_OVER = "first", "taken over"
CHUNK_ROWS = 1 << 16
KINDS = {"M": "time", "i": "int", "u": "int", "f": "float"}


@dataclass(frozen=True)
class Link:
    """A night that was verified."""

    recorded_at: pd.Timestamp  # its time of record; of rows without links, the last one
    num_rows: int  # the number of its rows
    sha256: str  # the link that the rows of the next night carry
    is_linked: bool  # whether its rows carry links


def link_night(rows: pd.DataFrame, previous: str) -> pd.DataFrame:
    """Return the rows of a night, in the order of their key and without missing texts, with links; see `find_link`."""
    return rows.assign(**{PREVIOUS: previous, CHECK: list(_compute_checks(rows, previous))})


def find_link(night: pd.DataFrame) -> str:
    """Return the link that the next night carries.

    `night` is the last one, or all rows if none has links, sorted by the time of record and the key; or no rows. Only
    rows without links need all their columns.
    """
    if night.empty:
        return FIRST
    if PREVIOUS in night and _is_linked(night).any():
        return _hash(night[PREVIOUS].iloc[0], _list_texts(night[CHECK]))
    return f"{TAKEN_OVER} {_hash(TAKEN_OVER, _compute_checks(night, TAKEN_OVER))}"


def split_nights(tables: Iterable[pd.DataFrame], key: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield the rows of each night, given in the order in which they were recorded.

    The rows without links at the beginning are one group, in the order of their `key`: the columns that identify a row,
    the last one of which is the time of record.
    """
    *names, time = key
    parts: list[pd.DataFrame] = []
    has_links, last = False, 0
    for table in tables:
        given = table.assign(**{name: None for name in LINKS if name not in table})
        is_begun = _is_linked(given).cummax() | has_links
        label = given[time].where(is_begun).to_numpy("datetime64[us]").view("int64")
        has_links = has_links or bool(is_begun.any())
        starts = [0, *(np.flatnonzero(np.diff(label)) + 1).tolist()]
        for start, end in zip(starts, [*starts[1:], len(given)], strict=True):
            if start == end:
                continue
            if parts and last != label[start]:
                yield _join(parts, [time, *names])
            parts.append(given.iloc[start:end])
            last = label[start]
    if parts:
        yield _join(parts, [time, *names])


def verify_chain(
    nights: Iterable[pd.DataFrame], key: Sequence[str], link: str = FIRST
) -> Iterator[Link]:
    """Yield each night of `split_nights` that matches its links and the night before, whose link is `link`.

    Raise a BrokenChainError of the first night that does not match, with its first wrong row.
    """
    before = None
    for night in nights:
        recorded_at = night[key[-1]].iloc[-1]
        is_linked = bool(_is_linked(night).any())
        if before is not None and (not is_linked or not recorded_at > before):
            raise _describe(night, 0, key, "it was added, or moved from another night")
        if is_linked:
            verify_night(night, link, key)
        link = find_link(night)
        before = recorded_at
        yield Link(recorded_at, len(night), link, is_linked)


def verify_night(night: pd.DataFrame, previous: str, key: Sequence[str]) -> None:
    """Compare a night with its links and the previous link; raise a BrokenChainError with the first wrong row."""
    is_carried = (night[PREVIOUS] == previous).all()
    if is_carried and all(map(eq, _list_texts(night[CHECK]), _compute_checks(night, previous))):
        return
    carried, checks = (night[name].to_numpy(object) for name in LINKS)
    if (carried == carried[0]).all() and carried[0] != previous:
        raise _describe(night, 0, key, "the night before it was changed or removed")
    # The check has the place and the number of rows as they were, so that one other row does not make all rows wrong.
    fields = (
        night[CHECK].astype("str").str.extract(r"^(\d{1,9})/(\d{1,9}):").fillna("0").astype("int64")
    )
    places = fields[0].to_numpy()
    num_rows = int(fields[1].mode().iloc[0])
    is_wrong = (checks != np.array(list(_compute_checks(night, previous, places, num_rows)))) | (
        carried != previous
    )
    if is_wrong.any():
        raise _describe(
            night, int(is_wrong.argmax()), key, "it was changed, added, or moved from another night"
        )
    is_displaced = places != np.arange(len(night)) + 1
    if is_displaced.any():
        place = int(is_displaced.argmax())
        raise _describe(
            night,
            place,
            key,
            f"row {place + 1} of {num_rows} was removed before it, or rows were moved",
        )
    raise _describe(
        night,
        len(night) - 1,
        key,
        f"{num_rows - len(night)} of {num_rows} rows after it were removed",
    )


def _is_linked(rows: pd.DataFrame) -> pd.Series:
    return rows[PREVIOUS].notna() | rows[CHECK].notna()


def _join(parts: list[pd.DataFrame], order: list[str]) -> pd.DataFrame:
    """Return the rows of a night, and empty the list of its parts, so that it is in memory once."""
    rows = pd.concat(parts, ignore_index=True)
    parts.clear()
    return rows if _is_linked(rows.head(1)).any() else rows.sort_values(order, ignore_index=True)


def _describe(night: pd.DataFrame, row: int, key: Sequence[str], reason: str) -> BrokenChainError:
    return BrokenChainError(reason, night.iloc[row][list(key)].to_dict())


def _hash(previous: str, checks: Iterable[str]) -> str:
    digest = hashlib.sha256(str(previous).encode())
    for check in checks:
        digest.update(f"\n{check}".encode())
    return digest.hexdigest()


def _list_texts(column: pd.Series) -> Iterator[Any]:
    """Yield the cells, some of them in memory as objects."""
    for start in range(0, len(column), CHUNK_ROWS):
        yield from column.iloc[start : start + CHUNK_ROWS].tolist()


def _compute_checks(
    rows: pd.DataFrame, previous: str, places: np.ndarray | None = None, num_rows: int | None = None
) -> Iterator[str]:
    """Yield the check of each row; places are int64[row], from 1. Without them or a number of rows, those of `rows`."""
    num_rows = len(rows) if num_rows is None else num_rows
    places = np.arange(len(rows)) + 1 if places is None else places
    names = sorted(name for name in rows if name not in LINKS and rows[name].notna().any())
    columns = [[name, KINDS.get(rows[name].dtype.kind, "text")] for name in names]
    seed = hashlib.sha256(json.dumps([previous, num_rows, columns]).encode()).digest()
    for start in range(0, len(rows), CHUNK_ROWS):
        part, numbers = (one[start : start + CHUNK_ROWS] for one in (rows, places))
        cells = np.hstack([_view(numbers, "<i8"), *(_encode(part[name]) for name in names)])
        content = cells.tobytes()
        width = cells.shape[1]
        for place, begin in zip(numbers.tolist(), range(0, len(content), width), strict=True):
            check = hashlib.sha256(seed + content[begin : begin + width]).hexdigest()[:32]
            yield f"{place}/{num_rows}:{check}"


def _encode(column: pd.Series) -> np.ndarray:
    """Return the cells as bytes, uint8[row, width]."""
    kind = column.dtype.kind
    if kind == "M":
        return _view(column.to_numpy("datetime64[us]").view("int64"), "<i8")
    if kind == "f":
        values = column.to_numpy("float64")
        return _view(np.where(np.isnan(values), np.nan, values), "<f8")
    if kind in KINDS:
        return _view(column.to_numpy(), "<i8")
    # Each text once, because most are repeated. The code of missing ones, -1, is that of the zeros.
    codes, texts = pd.factorize(column)
    digests = [
        hashlib.sha256(str(text).encode("utf-8", "surrogatepass")).digest() for text in texts
    ]
    return np.frombuffer(b"".join([*digests, bytes(32)]), "uint8").reshape(-1, 32)[codes]


def _view(values: np.ndarray, kind: str) -> np.ndarray:
    return np.ascontiguousarray(values, kind)[:, None].view("uint8")
