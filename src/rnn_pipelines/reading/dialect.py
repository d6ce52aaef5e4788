"""Dialects of CSV files: names of signs, and detection of encoding and separator."""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from gzip import GzipFile
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple, TextIO
from zipfile import BadZipFile, ZipFile

from rnn_pipelines.reading.table_files import begins_comment, find_header, has_data

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
_MAX_TITLES = 100
# Bytes of a file that are searched at once for its encoding.
_BLOCK_BYTES = 1 << 24
# Limit for an unpacked file, against full memory: a thousandth of it can be packed. Plain files are read in parts.
MAX_UNPACKED_BYTES = 2 << 30

OpenBytes = Callable[[], IO[bytes]]


class Dialect(NamedTuple):
    """The dialect of a CSV file, and the sheet of an Excel file; None for a part to detect."""

    sep: str | None = None  # the separator of cells
    encoding: str | None = None  # Python's name of the encoding
    sheet: str | None = None  # name of the sheet


def read_bytes(path: Path) -> bytes:
    """Read a file, and unpack it if its name ends in .gz or .zip.

    Raises:
        ValueError: a file is too large unpacked; or a .zip file is invalid or encrypted, or does not hold one file.
        OSError, EOFError, zlib.error: the file cannot be read or unpacked.
    """
    match path.suffix.lower():
        case ".gz":
            size = _measure_unpacked(path)
            with GzipFile(path) as packed:
                # One byte more, so that the checksum at the end is read.
                return packed.read(size + 1)
        case ".zip":
            with _open_zipped(path) as member:
                return member.read()
    return path.read_bytes()


def _measure_unpacked(path: Path) -> int:
    """Return the size of a .gz file without keeping its content; raise a ValueError if it is too large."""
    size = 0
    with GzipFile(path) as packed:
        for block in iter(partial(packed.read, _BLOCK_BYTES), b""):
            size += len(block)
            if size > MAX_UNPACKED_BYTES:
                raise ValueError(_describe_size("unpacked, it"))
    return size


def _describe_size(file: str) -> str:
    return (
        f"{file} has more than {MAX_UNPACKED_BYTES:,} bytes, which only an unpacked file may have"
    )


def _open_zipped(path: Path) -> IO[bytes]:
    try:
        archive = ZipFile(path)
    except BadZipFile as error:
        raise ValueError(str(error)) from error
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        names = ", ".join(repr(member.filename) for member in members[:_NAMES_IN_MESSAGE])
        raise ValueError(f"it holds {len(members)} files ({names}), instead of one")
    (member,) = members
    # `ZipFile` never unpacks more than this declared size.
    if member.file_size > MAX_UNPACKED_BYTES:
        raise ValueError(_describe_size(f"{member.filename!r} in it"))
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(str(error)) from error


def open_text(
    open_bytes: OpenBytes, dialect: Dialect, num_titles: int = 0, errors: str = "strict"
) -> TextIO:
    """Open a file as text after the lines above its header, with its line breaks as they are."""
    text = TextIOWrapper(open_bytes(), dialect.encoding, errors=errors, newline="")
    for _ in range(num_titles):
        text.readline()
    return text


def find_dialect(
    open_bytes: OpenBytes, wanted: Sequence[str], dialect: Dialect
) -> tuple[Dialect, int]:
    """Detect the open parts of the dialect of a CSV file, whose header should have the `wanted` columns.

    Return it with the number of lines above the header, 0 if no line is the header. Raise a ValueError if it is not
    text.
    """
    with open_bytes() as file:
        encoding = _find_encoding(iter(partial(file.read, _BLOCK_BYTES), b""), dialect.encoding)
    dialect = dialect._replace(encoding=encoding)
    num_titles = _count_titles(open_bytes, wanted, dialect)
    with open_text(open_bytes, dialect, num_titles, errors="replace") as text:
        header = next(
            (line for line in iter(partial(text.readline, _LINE_SIGNS), "") if line.strip()), ""
        )
    # At most one separator fits two or more columns. Else the one with the most cells, so that an error can name them.
    cells = {sep: _split(header, sep) for sep in SEPARATORS}
    likely = max(SEPARATORS, key=lambda sep: (set(wanted) <= set(cells[sep]), len(cells[sep])))
    return Dialect(dialect.sep or likely, encoding), num_titles


def _count_titles(open_bytes: OpenBytes, wanted: Sequence[str], dialect: Dialect) -> int:
    separators = SEPARATORS if dialect.sep is None else (dialect.sep,)
    with open_text(open_bytes, dialect, errors="replace") as text:
        lines = list(islice(iter(partial(text.readline, _LINE_SIGNS), ""), _MAX_TITLES + 1))
    if not wanted:
        return _find_header(lines, separators)
    fits = (any(set(wanted) <= set(_split(line, sep)) for sep in separators) for line in lines)
    fitting = next((number for number, is_header in enumerate(fits) if is_header), None)
    # A header in two rows has other names.
    return _find_header(lines, separators) if fitting is None else fitting


def _find_header(lines: Sequence[str], separators: Sequence[str]) -> int:
    """Return the place of the header, with the separator that gives most cells; 0 if there is none."""
    headers = []
    for sep in separators:
        # A comment is the header only if no other line is.
        plain = find_header([[] if begins_comment(line) else _split(line, sep) for line in lines])
        place, usual = plain or find_header([_split(line, sep) for line in lines]) or (0, 0)
        if plain is not None and place > 0 and has_data(_split(lines[place], sep)):
            above = lines[place - 1]
            place -= begins_comment(above) and len(_split(above, sep)) >= usual
        headers.append((-usual, place))
    # In a file with semicolons, decimal commas can give as many cells, but not of the header.
    return min(headers)[1]


def _find_encoding(blocks: Iterator[bytes], given: str | None) -> str:
    """Return the encoding by byte-order mark, else UTF-8 if the bytes are valid, else cp1252 (Windows)."""
    first = next(blocks, b"")
    for mark, other in _OTHERS.items():
        if first.startswith(mark):
            raise ValueError(f"its first bytes are those of {other}, so its name may be wrong")
    if given is not None:
        return given
    for mark, encoding in _MARKS.items():
        if first.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    for block in chain([first], blocks):
        if b"\0" in block:
            raise ValueError(
                "it holds null bytes, as UTF-16 without its mark does (utf-16-le, utf-16-be)"
            )
        try:
            # Most files are ASCII, which this test finds much faster than decoding.
            if is_utf8 and (decoder.getstate()[0] or not block.isascii()):
                decoder.decode(block)
        except UnicodeDecodeError:
            is_utf8 = False
    return "utf-8" if is_utf8 and not decoder.getstate()[0] else "cp1252"


def count_cells(text: TextIO, sep: str, num_header: int = 1) -> dict[int, tuple[int, int]]:
    """Count the rows of a CSV file, opened with `newline=""` at the rows of its header, with each number of cells.

    Return the number of such rows and the first of them, from 1. Blank lines and comments are no rows. Raise a
    csv.Error if a cell is longer than Python's `csv` allows.
    """
    lengths: dict[int, tuple[int, int]] = {}
    rows = csv.reader(text, delimiter=sep, skipinitialspace=True)
    filled = (row for row in rows if len(row) > 1 or "".join(row).strip())
    for number, row in enumerate(filled, 1 - num_header):
        if number > 0 and not begins_comment(row[0]):
            num_rows, first = lengths.get(len(row), (0, number))
            lengths[len(row)] = num_rows + 1, first
    return lengths


def strip_comment(name: str) -> str:
    """Return the first name of a header without the sign of a comment, as in `# time,value`."""
    return re.sub(r"^#+\s*(?=[^\W\d])", "", name)


def read_first_rows(
    open_bytes: OpenBytes, dialect: Dialect, num_titles: int, num_cells: int
) -> list[list[str]]:
    """Return the cells of the two rows below the first one, without blanks around them; of long texts, none."""
    with open_text(open_bytes, dialect, num_titles, errors="replace") as text:
        filled = (line for line in iter(partial(text.readline, _LINE_SIGNS), "") if line.strip())
        lines = list(islice(filled, 3))
    try:
        rows = [_split(line, str(dialect.sep)) for line in lines[1:]]
    except csv.Error:
        # A text is too long for `csv`, so that the row is no header.
        return []
    return [[*row, *[""] * num_cells][:num_cells] for row in rows]


def begins_with_blank_line(open_bytes: OpenBytes, dialect: Dialect, num_titles: int) -> bool:
    """Return whether the first line of a file after its titles has no cells."""
    with open_text(open_bytes, dialect, num_titles, errors="replace") as text:
        return not text.readline(_LINE_SIGNS).removeprefix("\ufeff").strip()


def _split(line: str, sep: str) -> list[str]:
    """Return the cells of the first line, without blanks around them, and without the sign of a comment."""
    line = strip_comment(line.removeprefix("\ufeff").rstrip("\r\n"))
    return [
        cell.strip() for cell in next(csv.reader([line], delimiter=sep, skipinitialspace=True), [])
    ]
