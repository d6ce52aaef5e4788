"""What a run prints fits a terminal."""

import pytest

from rnn_pipelines.report.page import Table
from rnn_pipelines.report.terminal import WIDTH, align_columns, summarize, wrap_lines


@pytest.mark.parametrize("num_letters", range(WIDTH - 8, WIDTH + 1))
def test_percent_sign_stays_with_its_number(num_letters: int) -> None:
    text = f"{num_letters * 'x'} 26.9 % to 49.4 %"
    lines = wrap_lines(text).splitlines()
    assert " ".join(lines) == text
    assert not any(line.startswith("%") for line in lines)
    assert max(map(len, lines)) <= WIDTH


def test_tables_are_aligned_below_their_texts() -> None:
    assert align_columns([["name", "x"], ["a", "10"]]) == "name   x\na     10"
    text = summarize(["It wins.", "", "By far.", make_rows(1), make_rows(0)])
    assert [block.split()[0] for block in text.split("\n\n")] == ["It", "By", "column"]
    lines = summarize(["It wins.", make_rows(4)]).splitlines()
    assert lines[-4:] == ["  ".join(["x" * 12] * 3)] * 4


def make_rows(num_rows: int, num_columns: int = 3) -> Table:
    return Table([f"column {n}" for n in range(num_columns)], [["x" * 12] * num_columns] * num_rows)


@pytest.mark.parametrize("num_tables", [1, 2, 5])
def test_summary_fits_a_screen(num_tables: int) -> None:
    lines = summarize(["word " * 60, "word " * 40, *[make_rows(80, 20)] * num_tables]).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= WIDTH
    assert sum(line.startswith("and ") for line in lines) == num_tables
