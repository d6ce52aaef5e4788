"""What a run prints at its end: no wider than a terminal, in columns."""

from collections.abc import Sequence

WIDTH = 110


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Columns that stand below one another: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )
