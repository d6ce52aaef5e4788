"""One HTML page of texts, tables and figures, which works offline."""

import base64
import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import plotly.io
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.graph_objects import Figure

from rnn_pipelines.report.equations import Equation, write_mathml
from rnn_pipelines.report.numbers import Column, join_percent
from rnn_pipelines.report.page_file import PLACE

# By default, Plotly shows buttons that leave the page, and typesets text between dollar signs with MathJax.
FIGURE_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "typesetMath": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d"],
    "responsive": True,
}
# Plotly's bundle for figures with two axes, compressed: a seventh of the whole library in a page.
PLOTLY = "plotly-cartesian.min.js.gz"
# Space above a figure: its buttons, and below them a menu or the titles of its parts. Its own title is text of the
# page, so that it wraps.
BUTTONS = 32
MENU = 40
PART_TITLES = 22


# Texts of more letters wrap in a narrow table.
LONG_LENGTH = 24
COMMAND = re.compile(r"kedro (run --pipelines=\w+|runs compare \w+ \S+)")


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        header: one text for each column.
        rows: one text for each column in each row.
        num_text_columns: the number of text columns on the left; the other columns are numbers, aligned to the right.
        best: (row, column) of the marked cells.
        caption: the content of the table, if it differs from the section's title.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    num_text_columns: int = 1
    best: frozenset[tuple[int, int]] = frozenset()
    caption: str = ""

    def __bool__(self) -> bool:
        """Whether there is a row; pages and summaries leave out other tables."""
        return bool(self.rows)


def tabulate(
    first: str,
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    columns: Mapping[str, Column],
    caption: str = "",
    num_text_columns: int = 1,
) -> Table:
    """Return a table with a row of numbers below each column, in which the best numbers are marked.

    A row has a name, and its numbers by the keys of the columns; a text takes the place of a number.
    """
    header = [first, *(column.heading for column in columns.values())]
    cells = []
    rates: dict[int, list[float | None]] = {place: [] for place in range(1, len(header))}
    for name, values in rows:
        cells.append([name, *(column.write(values.get(key)) for key, column in columns.items())])
        for place, (key, column) in enumerate(columns.items(), start=1):
            rates[place].append(column.rate(values.get(key)))
    return Table(header, cells, num_text_columns, mark_best(cells, rates), caption)


def mark_best(
    rows: Sequence[Sequence[str]], values: Mapping[int, Sequence[float | None]]
) -> frozenset[tuple[int, int]]:
    """Return the cells with the lowest value of each column, by its number, and those that are displayed the same."""
    best = set()
    for column, numbers in values.items():
        known = {
            row: number
            for row, number in enumerate(numbers)
            if number is not None and not math.isnan(number)
        }
        if known:
            text = rows[min(known, key=known.__getitem__)][column]
            best |= {(row, column) for row in known if rows[row][column] == text}
    return frozenset(best)


@dataclass(frozen=True)
class Quote:
    """A quoted text, below a line of facts about it."""

    facts: Sequence[str]
    text: str


Part: TypeAlias = str | Table | Quote | Equation | Figure


@dataclass(frozen=True)
class Section:
    """A section of the page; its title is also in the list of sections. A text among its parts is a paragraph."""

    title: str
    parts: list[Part]


def render_page(title: str, verdict: str, sections: Sequence[Section]) -> str:
    """Render title, verdict and sections as a page, which loads nothing else; all texts are escaped."""
    loader = PackageLoader("rnn_pipelines", "report")
    options: dict[str, Any] = {
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    environment = Environment(loader=loader, autoescape=True, **options)
    has_figures = any(isinstance(part, Figure) for section in sections for part in section.parts)
    environment.filters["write_text"] = _write_text
    environment.tests["table"] = lambda part: isinstance(part, Table)
    environment.filters["write_mathml"] = write_mathml
    environment.tests["equation"] = lambda part: isinstance(part, Equation)
    environment.tests["quote"] = lambda part: isinstance(part, Quote)
    return environment.get_template("page.html.j2").render(
        title=title,
        verdict=verdict,
        sections=sections,
        plotly_code=read_plotly() if has_figures else "",
        figure_config=FIGURE_CONFIG,
        long_length=LONG_LENGTH,
        find_title=_find_title,
        draw=_draw,
        place_of_run=Markup(PLACE),
    )


@cache
def read_plotly() -> str:
    """Return the compressed code of Plotly in base64, which each page with figures decompresses."""
    return base64.b64encode(files(__package__).joinpath(PLOTLY).read_bytes()).decode()


def _write_text(text: str) -> Markup:
    return Markup(COMMAND.sub(r"<code>\g<0></code>", str(escape(join_percent(text)))))


def _find_title(figure: Figure) -> tuple[str, str]:
    title = figure.layout.title
    return html.unescape(title.text or ""), html.unescape(title.subtitle.text or "")


def _draw(figure: Figure) -> Markup:
    """Return a figure without its title as JSON that is safe inside a script."""
    layout = figure.layout
    margin = {
        "t": BUTTONS + MENU * bool(layout.updatemenus) + PART_TITLES * bool(layout.annotations)
    }
    # A copy of the figure would be validated, which takes longer than the rest of the page.
    content = figure.to_plotly_json()
    untitled = {name: value for name, value in content["layout"].items() if name != "title"}
    untitled["margin"] = {**untitled.get("margin", {}), **margin}
    text = str(plotly.io.to_json({**content, "layout": untitled}, validate=False))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))
