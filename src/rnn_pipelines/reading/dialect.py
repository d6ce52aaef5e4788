"""Dialects of CSV files: names of signs, and detection of encoding and separator."""

import codecs
import csv
from collections.abc import Sequence
from functools import partial
from gzip import GzipFile
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np

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
_BLOCK_BYTES = 1 << 20
_NAMES_IN_MESSAGE = 5
# Limit for a file in a zip archive, against full memory and zip bombs.
MAX_UNPACKED_BYTES = 8 << 30


class Dialect(NamedTuple):
    """The dialect of a CSV file; None for a part to detect.

    Attributes:
        sep: the separator of cells.
        encoding: Python's name of the encoding.
    """

    sep: str | None = None
    encoding: str | None = None


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, and unpack it if its name ends in .gz or .zip.

    Raises:
        ValueError: a .zip file is invalid, encrypted or too large, or does not hold exactly one file.
    """
    match path.suffix.lower():
        case ".gz":
            return GzipFile(path)  # type: ignore[return-value]
        case ".zip":
            return _open_zipped(path)
    return path.open("rb")


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
        raise ValueError(f"it holds {len(members)} files ({names}), where one is expected")
    (member,) = members
    # `ZipFile` never unpacks more than this declared size.
    if member.file_size > MAX_UNPACKED_BYTES:
        raise ValueError(f"{member.filename!r} in it has {member.file_size:,} bytes, more than {MAX_UNPACKED_BYTES:,}")
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(str(error)) from error


def find_dialect(path: Path, wanted: Sequence[str], dialect: Dialect) -> Dialect:
    """Detect the open parts of the dialect of a CSV file.

    Args:
        wanted: columns that its header should have.
        dialect: the known parts.
    Raises:
        ValueError: the file is not text.
        OSError, EOFError, zlib.error: the file cannot be read or unpacked.
    """
    _check_encoding_mark(path)
    encoding = dialect.encoding or _find_encoding(path)
    return Dialect(dialect.sep or _find_separator(_read_first_line(path, encoding), wanted), encoding)


def _check_encoding_mark(path: Path) -> None:
    with open_bytes(path) as file:
        first = file.read(4)
    for mark, other in _OTHERS.items():
        if first.startswith(mark):
            raise ValueError(f"by its bytes it is {other}, so its name may be wrong")


def _find_encoding(path: Path) -> str:
    """Return the encoding by byte-order mark, else UTF-8 if the bytes are valid, else cp1252 (Windows)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as file:
        first = file.read(_BLOCK_BYTES)
        marked = [encoding for mark, encoding in _MARKS.items() if first.startswith(mark)]
        if marked:
            return marked[0]
        encoding = "utf-8"
        for block in chain([first], iter(partial(file.read, _BLOCK_BYTES), b"")):
            if b"\0" in block:
                raise ValueError("it holds null bytes, as UTF-16 without its mark does (utf-16-le, utf-16-be)")
            if encoding == "utf-8" and not _goes_on(decoder, block):
                encoding = "cp1252"
    return encoding if _goes_on(decoder, b"", final=True) else "cp1252"


def _goes_on(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    """Return whether the next block is valid text."""
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def count_cells(path: Path, dialect: Dialect) -> np.ndarray:
    """Count the cells of each data row of a CSV file, int64[row]; blank lines are no rows.

    Raises:
        csv.Error: a cell is longer than Python's `csv` allows.
    """
    with open_bytes(path) as file, TextIOWrapper(file, dialect.encoding, newline="") as text:
        rows = csv.reader(text, delimiter=dialect.sep or ",", skipinitialspace=True)
        counts = np.fromiter((len(row) for row in rows if len(row) > 1 or "".join(row).strip()), np.int64)
    return counts[1:]


def _read_first_line(path: Path, encoding: str) -> str:
    with open_bytes(path) as file, TextIOWrapper(file, encoding, errors="replace") as text:
        return next((line for line in iter(partial(text.readline, _BLOCK_BYTES), "") if line.strip()), "")


def _find_separator(header: str, wanted: Sequence[str]) -> str:
    """Return the separator that gives the header all wanted columns.

    At most one separator fits two or more columns. If none fits, return the one with the most cells, so that an error
    can name them.
    """
    header = header.removeprefix("\ufeff").rstrip("\r\n")
    cells = {sep: next(csv.reader([header], delimiter=sep, skipinitialspace=True), []) for sep in SEPARATORS}
    return max(SEPARATORS, key=lambda sep: (set(wanted) <= set(cells[sep]), len(cells[sep])))
