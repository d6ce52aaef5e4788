"""How a CSV file is written: signs by their names, and what the file itself tells of its encoding and separator."""

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

# By name too, because a comma can't be given after `kedro run --params`.
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
# What files of other kinds begin with.
_OTHERS = {
    b"PK\3\4": "an Excel file (.xlsx) or an archive (.zip)",
    b"\x1f\x8b": "a file packed by gzip (.csv.gz)",
    b"PAR1": "a Parquet file (.parquet)",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)",
}
_BLOCK_BYTES = 1 << 20
_NAMES_IN_MESSAGE = 5
# Of a file in a zip archive: more is more than the memory of who reads it, or a bomb.
MAX_UNPACKED_BYTES = 8 << 30


class Dialect(NamedTuple):
    """How the cells of a file lie in it; what is None is found from the file.

    Attributes:
        sep: the sign between the cells of a line.
        encoding: of the text, by Python's name.
    """

    sep: str | None = None
    encoding: str | None = None


def open_bytes(path: Path) -> IO[bytes]:
    """Opens a file for reading, unpacked where its name ends in .gz or .zip.

    Raises:
        ValueError: a .zip that is none, that holds other than one file, or one that is encrypted or too large.
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
    # What is more than the archive says of it is never unpacked.
    if member.file_size > MAX_UNPACKED_BYTES:
        raise ValueError(f"{member.filename!r} in it has {member.file_size:,} bytes, more than {MAX_UNPACKED_BYTES:,}")
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(str(error)) from error


def find_dialect(path: Path, wanted: Sequence[str], dialect: Dialect) -> Dialect:
    """Finds what is open in the dialect of a CSV file.

    Args:
        path: the file.
        wanted: columns that its header should have.
        dialect: what is known.
    Raises:
        ValueError: it is not text.
        OSError, EOFError, zlib.error: it can't be read, or unpacked.
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
    """UTF-8 or UTF-16 as the first bytes say, else UTF-8, else what Windows writes in western Europe."""
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
    """Whether the block is text."""
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def count_cells(path: Path, dialect: Dialect) -> np.ndarray:
    """Counts the cells of each data row of a CSV file, int64[row]; lines with nothing but white space are none.

    Raises:
        csv.Error: a cell is longer than Python's own reader takes.
    """
    with open_bytes(path) as file, TextIOWrapper(file, dialect.encoding, newline="") as text:
        rows = csv.reader(text, delimiter=dialect.sep or ",", skipinitialspace=True)
        counts = np.fromiter((len(row) for row in rows if len(row) > 1 or "".join(row).strip()), np.int64)
    return counts[1:]


def _read_first_line(path: Path, encoding: str) -> str:
    with open_bytes(path) as file, TextIOWrapper(file, encoding, errors="replace") as text:
        return next((line for line in iter(partial(text.readline, _BLOCK_BYTES), "") if line.strip()), "")


def _find_separator(header: str, wanted: Sequence[str]) -> str:
    """That under which the header has the wanted columns: two columns have it under one alone.

    Where none has, that with the most cells, so that an error can name them.
    """
    header = header.removeprefix("\ufeff").rstrip("\r\n")
    cells = {sep: next(csv.reader([header], delimiter=sep, skipinitialspace=True), []) for sep in SEPARATORS}
    return max(SEPARATORS, key=lambda sep: (set(wanted) <= set(cells[sep]), len(cells[sep])))
