"""Formatting of a run's output in the terminal: wrapped sentences and aligned columns."""

import textwrap
from collections.abc import Sequence

from rnn_pipelines.errors import make_line
from rnn_pipelines.report.numbers import join_percent

WIDTH = 110


def wrap_lines(text: str) -> str:
    """Wrap a text; a percent sign stays on the line of its number."""
    return textwrap.fill(join_percent(make_line(text)), WIDTH).replace("\u00a0", " ")


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first one to the left, the others to the right."""
    cells = [[make_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in cells
    )
