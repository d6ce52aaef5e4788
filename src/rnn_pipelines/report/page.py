"""One HTML page out of texts, tables and figures, which needs nothing but a browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import plotly.io
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs

from rnn_pipelines.report.origin import PLACE

# Plotly's buttons that lead out of the page are there by default, and so is MathJax for text between dollar signs.
FIGURE_CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,
    "typesetMath": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d"],
    "responsive": True,
}


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        header: one text for each column.
        rows: one text for each column in each row.
        num_text_columns: so many columns from the left are text; the others are numbers, set to the right.
        best: (row, column) of the cells that are marked.
        caption: what the table holds, where the section's title doesn't say it.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    num_text_columns: int = 1
    best: frozenset[tuple[int, int]] = frozenset()
    caption: str = ""


@dataclass(frozen=True)
class Quote:
    """A text from outside, below a line that says what it is.

    Attributes:
        facts: the line, in pieces.
        text: what is quoted.
    """

    facts: Sequence[str]
    text: str


Part: TypeAlias = str | Table | Quote | Figure


@dataclass(frozen=True)
class Section:
    """A part of the page with a title of its own.

    Attributes:
        title: also names the section in the page's list of sections.
        parts: in their order: a text is a paragraph.
    """

    title: str
    parts: Sequence[Part]


def render_page(title: str, verdict: str, sections: Sequence[Section]) -> str:
    """Puts sections below title and verdict; everything is escaped, and no address outside the page is in it.

    Args:
        title: of the page.
        verdict: the one sentence to read if there is time for one.
        sections: the rest.
    """
    environment = Environment(
        loader=PackageLoader("rnn_pipelines", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    has_figures = any(isinstance(part, Figure) for section in sections for part in section.parts)
    environment.tests["table"] = lambda part: isinstance(part, Table)
    environment.tests["quote"] = lambda part: isinstance(part, Quote)
    return environment.get_template("page.html.j2").render(
        title=title,
        verdict=verdict,
        sections=sections,
        plotly_js=Markup(get_plotlyjs()) if has_figures else "",
        draw=_draw,
        place_of_run=Markup(PLACE),
    )


def _draw(figure: Figure, name: str) -> Markup:
    html = plotly.io.to_html(figure, config=FIGURE_CONFIG, include_plotlyjs=False, full_html=False, div_id=name)
    # Plotly's own escapes make its JSON safe inside a script.
    return Markup(html)
