"""What a run prints at its end: sentences in lines as wide as most terminals, and tables in columns."""

import textwrap
from collections.abc import Sequence

from rnn_pipelines.errors import make_line

WIDTH = 110
_NO_BREAK = "\u00a0"


def wrap_lines(text: str) -> str:
    """A text in lines; a percent sign stays with its number."""
    return textwrap.fill(make_line(text).replace(" %", f"{_NO_BREAK}%"), WIDTH).replace(_NO_BREAK, " ")


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Columns that stand below one another: words to the left, numbers to the right."""
    cells = [[make_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in cells
    )
