"""What replaces a part of a report has the error in it, escaped, and can be saved like the part."""

from pathlib import Path

import pandas as pd
import pytest
from kedro_datasets.pandas import ParquetDataset
from kedro_datasets.plotly import JSONDataset
from plotly.graph_objects import Figure

from rnn_pipelines.report.failures import pop_failures
from rnn_pipelines.report.notes import (
    draw_note,
    draw_notes,
    draw_or_note,
    empty_table,
    find_failure,
    render_note,
    write_note,
)

REASON = "draw: ValueError: <img src=x onerror=alert(1)> & more"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt; &amp; more"


def test_a_figure_that_fails_holds_the_escaped_error() -> None:
    figure = draw_note(REASON)
    assert ESCAPED in figure.layout.annotations[0].text


def test_a_long_error_is_broken_into_lines() -> None:
    lines = draw_note("word " * 80).layout.annotations[0].text.split("<br>")
    assert len(lines) > 3
    assert " ".join(lines).split() == ["word"] * 80


def test_every_figure_of_a_node_has_the_note() -> None:
    figures = draw_notes(["a", "b"])(REASON)
    assert {name: len(figure.layout.annotations) for name, figure in figures.items()} == {
        "a": 1,
        "b": 1,
    }


def test_a_figure_that_works_is_drawn() -> None:
    def draw(size: int) -> Figure:
        return Figure().add_scatter(y=[1 / size])

    assert draw_or_note(draw, 2).data[0].y == (0.5,)


def test_a_figure_that_fails_has_its_error() -> None:
    def draw(size: int) -> Figure:
        return Figure().add_scatter(y=[1 / size])

    assert "ZeroDivisionError" in draw_or_note(draw, size=0).layout.annotations[0].text
    assert len(pop_failures()) == 1


def test_the_note_of_a_figure_comes_back_from_its_file(tmp_path: Path) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "figure.json"))
    dataset.save(draw_note(REASON))
    assert ESCAPED in dataset.load().layout.annotations[0].text


def test_a_page_holds_the_escaped_error() -> None:
    page = render_note(REASON)
    assert ESCAPED in page
    assert "<img" not in page
    assert page.endswith("</html>")


def test_a_text_holds_the_error() -> None:
    assert REASON in write_note(REASON)


def test_a_table_keeps_its_note_in_its_file(tmp_path: Path) -> None:
    columns = pd.DataFrame({"a": pd.Series(dtype="float64"), "b": pd.Series(dtype="str")})
    dataset = ParquetDataset(filepath=str(tmp_path / "table.parquet"))
    dataset.save(empty_table(columns)(REASON))
    pd.testing.assert_frame_equal(dataset.load(), columns)
    assert find_failure(dataset.load()) == REASON


@pytest.mark.parametrize("attrs", [{}, {"run": "a"}])
def test_any_other_table_has_no_note(attrs: dict[str, str]) -> None:
    table = pd.DataFrame({"a": []})
    table.attrs = attrs
    assert find_failure(table) is None
