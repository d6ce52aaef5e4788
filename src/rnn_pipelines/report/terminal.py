"""Formatting of a run's output in the terminal: wrapped sentences and aligned columns."""

import textwrap
from collections.abc import Iterable, Sequence

from rnn_pipelines.errors import make_line
from rnn_pipelines.report.numbers import join_percent
from rnn_pipelines.report.page import Table

WIDTH, HEIGHT = 100, 36


def wrap_lines(text: str) -> str:
    """Wrap a text; a percent sign stays on the line of its number.

    A text with an escaped control character stays on one line, so that no line begins within the name that holds it.
    """
    line = make_line(text)
    if "\\x" in line or "\\u" in line:
        return line
    return textwrap.fill(join_percent(line), WIDTH).replace("\u00a0", " ")


def summarize(parts: Iterable[str | Table]) -> str:
    """Return texts, and tables below them, that fit a terminal: without the last columns and rows that have no room.

    Empty texts, and tables without rows, are left out.
    """
    shown = [part for part in parts if part]
    blocks = [wrap_lines(part) for part in shown if isinstance(part, str)]
    tables = [part for part in shown if isinstance(part, Table)]
    room = HEIGHT - sum(block.count("\n") + 2 for block in blocks)
    for number, table in enumerate(tables):
        block = fit_table(table, max(room // (len(tables) - number) - 4, 1))
        room -= block.count("\n") + 2
        blocks.append(block)
    return "\n\n".join(blocks)


def fit_table(table: Table, max_rows: int) -> str:
    """Return the first rows of a table without the last columns that have no room."""
    rows = [list(table.header), *map(list, table.rows[:max_rows])]
    while measure_width(rows) > WIDTH and len(rows[0]) > 1:
        rows = [row[:-1] for row in rows]
    num_left_out = len(table.rows) - max_rows
    caption = [wrap_lines(table.caption)] if table.caption else []
    return "\n".join(
        [*caption, align_columns(rows), *([f"and {num_left_out} more"] if num_left_out > 0 else [])]
    )


def measure_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of characters in a line of `align_columns`."""
    return max(map(len, align_columns(rows).splitlines()))


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first one to the left, the others to the right."""
    cells = [[make_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in cells
    )
