"""Layout of a table: empty rows, repeated headers and footers."""

import logging
import re

import pandas as pd

from rnn_pipelines.errors import SeriesError, show, show_all
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.reading.table_files import NUM_ABOVE, ROW, begins_comment, find_broken, name_row

_MAX_FOOTER_ROWS = 20
# A date with its day, by the signs between its parts.
_DATE = r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}([ T][0-9:.]+([ ]?[AaPp][Mm])?)?.{0,6}"

logger = logging.getLogger(__name__)


def check_header(table: pd.DataFrame, label: str) -> None:
    """Raise a SeriesError if the names of the columns are values: a date above dates, or numbers above numbers."""
    first = table.iloc[0] if len(table) else pd.Series(dtype=object)
    cells = {str(name): str(cell) for name, cell in zip(table, first, strict=False)}
    numbers = [name for name in cells if _are_alike(name, cells[name], r"[+-]?[0-9]+(\.[0-9]+)?")]
    are_numbers = len(numbers) == len(cells) > 1 and numbers != [
        str(place) for place in range(len(cells))
    ]
    dates = [name for name, cell in cells.items() if _are_alike(name, cell, _DATE)]
    if dates or are_numbers:
        raise SeriesError(
            f"{label}: the first row {show_all(cells)} holds values, not names of columns. Write a row with names "
            "above it, such as date,value."
        )


def _are_alike(name: str, cell: str, pattern: str) -> bool:
    return bool(re.fullmatch(pattern, name.strip()) and re.fullmatch(pattern, cell.strip()))


def leave_rows(table: pd.DataFrame, source: SourceSpec) -> pd.DataFrame:
    """Return the table without empty rows, a footer and repeated headers; report footer and headers."""
    times = table[source.time]
    if not times.hasnans and not pd.api.types.is_string_dtype(times) and times.dtype != object:
        return table
    is_header = times == source.time
    if is_header.any():
        logger.warning(
            "%s: rows that repeat the header are left out: %d", source.label, is_header.sum()
        )
        # Before the footer is looked for, because a row without a time would begin it.
        table = table[~is_header]
        times = times[~is_header]
    is_blank = _find_blank(times)
    blank_cells = {name: _find_blank(cells) for name, cells in table[is_blank].items()}
    is_blank[is_blank] = pd.DataFrame(blank_cells).all(axis=1)
    # A footer can follow and hold empty rows.
    kept = _leave_footer(
        table[: int((~is_blank).to_numpy().nonzero()[0].max(initial=-1)) + 1], source
    )
    is_left_out = is_blank[: len(kept)]
    return kept[~is_left_out] if is_left_out.any() else kept


def _find_blank(cells: pd.Series) -> pd.Series:
    """Return whether cells are empty, or begin a line of comments: bool[row]."""
    return cells.isna() | (cells == "") | cells.map(begins_comment).astype(bool)


def _leave_footer(table: pd.DataFrame, source: SourceSpec) -> pd.DataFrame:
    """Return the table without the last rows if these hold no time, such as totals and notes; report them.

    A text with digits can be a mistyped time, which is an error, unless it stands alone below dates or a total.
    """
    tail = table[-_MAX_FOOTER_ROWS - 1 :]
    times = tail[source.time].astype("object")
    others = tail.drop(columns=source.time)
    is_text = times.map(lambda cell: isinstance(cell, str)).astype(bool)
    has_digits = times.where(is_text, "").str.contains("[0-9]").eq(True)
    is_alone = (others.isna() | (others == "")).all(axis=1)
    has_dates = not is_text.all() and not isinstance(table[source.time].iloc[0], str)
    is_note = is_alone & (has_dates | (times.isna() | (is_text & ~has_digits)).cummax())
    is_time = (~is_text & times.notna()) | (is_text & has_digits & ~is_note)
    num_left_out = len(tail) - 1 - int(is_time.to_numpy().nonzero()[0].max(initial=-1))
    if not num_left_out or not is_time.any():
        return table
    footer = tail[-num_left_out:]
    first = footer.index[0]
    last = footer.index[-1]
    logger.warning(
        "%s: left out after the table, without a time: %s; the first cell is %s",
        source.label,
        f"row {first}" if first == last else f"rows {first} to {last}",
        show(str(footer.replace("", None).dropna(how="all").iloc[0].dropna().iloc[0])),
    )
    return table[:-num_left_out]


def number_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its rows numbered as in its file; without a file, from 1."""
    first = 1 + table.attrs.get(NUM_ABOVE, 0)
    return table.set_axis(pd.RangeIndex(first, first + len(table), name=ROW))


def strip_times(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the table without blanks around the texts of its time column."""
    raw = table[name]
    if raw.dtype == object:
        return table.assign(
            **{name: raw.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)}
        )
    return (
        table.assign(**{name: raw.str.strip()}) if isinstance(raw.dtype, pd.StringDtype) else table
    )


def convert_arrow(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the table with Arrow columns converted as from a Parquet file, because pandas supports these better."""
    held = [name for name in table if isinstance(table[name].dtype, pd.ArrowDtype)]
    if not held:
        return table
    import pyarrow

    try:
        return table.assign(
            **{name: pyarrow.array(table[name]).to_pandas().set_axis(table.index) for name in held}
        )
    except pyarrow.ArrowException as error:
        raise SeriesError(
            f"{label}: columns {show_all(held)} do not become columns of pandas: {error}"
        ) from error


def check_texts(table: pd.DataFrame, time: str, label: str) -> None:
    """Raise a SeriesError if the column of times has no name, or a text has lone surrogates, which no file can hold."""
    check_header(table[[time]], label)
    broken = find_broken(table)
    if broken:
        name, row, cell = broken
        raise SeriesError(
            f"{label}: column '{name}', row {name_row(table[name], row - 1)}: expected a text that UTF-8 can hold, "
            f"received {show(cell)}. Correct the row."
        )
