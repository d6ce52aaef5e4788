"""Dialects of CSV files: names of signs, and detection of encoding and separator."""

import codecs
import csv
from collections.abc import Sequence
from functools import partial
from gzip import GzipFile
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np

from rnn_pipelines.reading.table_files import find_header

# Names of signs, because `kedro run --params` does not accept a comma as a value.
SIGNS = {
    "comma": ",",
    "point": ".",
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
    "space": " ",
    "apostrophe": "'",
}
NAMES = {sign: name for name, sign in SIGNS.items()}
SEPARATORS = (",", ";", "\t", "|")

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# First bytes of other kinds of files.
_OTHERS = {
    b"PK\3\4": "an Excel file (.xlsx) or an archive (.zip)",
    b"\x1f\x8b": "a file packed by gzip (.csv.gz)",
    b"PAR1": "a Parquet file (.parquet)",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)",
}
# Most signs that are read of the header, because a file may have no line breaks.
_LINE_SIGNS = 1 << 20
_NAMES_IN_MESSAGE = 5
# Most lines above the header.
_MAX_TITLES = 20
# Limit for a file in a zip archive, against full memory and zip bombs.
MAX_UNPACKED_BYTES = 8 << 30


class Dialect(NamedTuple):
    """The dialect of a CSV file, and the sheet of an Excel file; None for a part to detect.

    Attributes:
        sep: the separator of cells.
        encoding: Python's name of the encoding.
        sheet: name of the sheet.
    """

    sep: str | None = None
    encoding: str | None = None
    sheet: str | None = None


def read_bytes(path: Path) -> bytes:
    """Read a file, and unpack it if its name ends in .gz or .zip.

    Raises:
        ValueError: a .zip file is invalid, encrypted or too large, or does not hold exactly one file.
        OSError, EOFError, zlib.error: the file cannot be read or unpacked.
    """
    match path.suffix.lower():
        case ".gz":
            with GzipFile(path) as packed:
                return packed.read()
        case ".zip":
            with _open_zipped(path) as member:
                return member.read()
    return path.read_bytes()


def _open_zipped(path: Path) -> IO[bytes]:
    try:
        archive = ZipFile(path)
    except BadZipFile as error:
        raise ValueError(str(error)) from error
    members = [
        found for found in archive.infolist() if not found.is_dir() and not found.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        names = ", ".join(repr(found.filename) for found in members[:_NAMES_IN_MESSAGE])
        raise ValueError(f"it holds {len(members)} files ({names}), instead of one")
    (member,) = members
    # `ZipFile` never unpacks more than this declared size.
    if member.file_size > MAX_UNPACKED_BYTES:
        raise ValueError(f"{member.filename!r} in it has {member.file_size:,} bytes, more than {MAX_UNPACKED_BYTES:,}")
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(str(error)) from error


def find_dialect(content: bytes, wanted: Sequence[str], dialect: Dialect) -> Dialect:
    """Detect the open parts of the dialect of a CSV file.

    Args:
        content: of the file.
        wanted: columns that its header should have.
        dialect: the given parts.
    """
    encoding = dialect.encoding or _find_encoding(content)
    return Dialect(dialect.sep or _find_separator(_read_first_line(content, encoding), wanted), encoding)


def leave_titles(content: bytes, wanted: Sequence[str], dialect: Dialect) -> tuple[bytes, int]:
    """Return a CSV file from its header on, and the number of lines before it; unchanged if no line is the header.

    Raises:
        ValueError: the content is not text.
    """
    for mark, other in _OTHERS.items():
        if content.startswith(mark):
            raise ValueError(f"its first bytes are those of {other}, so its name may be wrong")
    encoding = dialect.encoding or _find_encoding(content)
    separators = SEPARATORS if dialect.sep is None else (dialect.sep,)
    with TextIOWrapper(BytesIO(content), encoding, errors="replace", newline="") as text:
        lines = [text.readline(_LINE_SIGNS) for _ in range(_MAX_TITLES + 1)]
    if wanted:
        fits = (any(set(wanted) <= set(_split(line, sep)) for sep in separators) for line in lines)
        number = next((number for number, is_header in enumerate(fits) if is_header), 0)
    else:
        places = (find_header([_split(line, sep) for line in lines]) for sep in separators)
        number = min((place for place in places if place is not None), default=0)
    if not number:
        return content, 0
    length = sum(len(line) for line in lines[:number])
    return content.decode(encoding)[length:].encode(encoding), number


def _find_encoding(content: bytes) -> str:
    """Return the encoding by byte-order mark, else UTF-8 if the bytes are valid, else cp1252 (Windows)."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    if b"\0" in content:
        raise ValueError("it holds null bytes, as UTF-16 without its mark does (utf-16-le, utf-16-be)")
    try:
        # Most files are ASCII, which this test finds much faster than decoding.
        if not content.isascii():
            content.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def count_cells(content: bytes, dialect: Dialect) -> np.ndarray:
    """Count the cells of each data row of a CSV file, int64[row]; blank lines are no rows.

    Raises:
        csv.Error: a cell is longer than Python's `csv` allows.
    """
    with TextIOWrapper(BytesIO(content), dialect.encoding, newline="") as text:
        rows = csv.reader(text, delimiter=dialect.sep or ",", skipinitialspace=True)
        counts = np.fromiter((len(row) for row in rows if len(row) > 1 or "".join(row).strip()), np.int64)
    return counts[1:]


def _read_first_line(content: bytes, encoding: str) -> str:
    with TextIOWrapper(BytesIO(content), encoding, errors="replace") as text:
        return next((line for line in iter(partial(text.readline, _LINE_SIGNS), "") if line.strip()), "")


def begins_with_blank_line(content: bytes, encoding: str) -> bool:
    """Return whether the first line of a file has no cells."""
    with TextIOWrapper(BytesIO(content), encoding, errors="replace") as text:
        return not text.readline(_LINE_SIGNS).removeprefix("\ufeff").strip()


def _find_separator(header: str, wanted: Sequence[str]) -> str:
    """Return the separator that gives the header all wanted columns.

    At most one separator fits two or more columns. If none fits, return the one with the most cells, so that an error
    can name them.
    """
    cells = {sep: _split(header, sep) for sep in SEPARATORS}
    return max(SEPARATORS, key=lambda sep: (set(wanted) <= set(cells[sep]), len(cells[sep])))


def _split(line: str, sep: str) -> list[str]:
    """Return the cells of the first line, without blanks around them."""
    line = line.removeprefix("\ufeff").rstrip("\r\n")
    return [cell.strip() for cell in next(csv.reader([line], delimiter=sep, skipinitialspace=True), [])]
