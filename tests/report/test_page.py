"""A page needs nothing but a browser, and shows what it is given as text."""

import base64
import gzip
import math
import re
from html.parser import HTMLParser

import pytest
from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs_version
from plotly.subplots import make_subplots

from rnn_pipelines.report.equations import Equation
from rnn_pipelines.report.numbers import Column, format_bias, format_percent
from rnn_pipelines.report.page import (
    PART_TITLES,
    Quote,
    Section,
    Table,
    mark_best,
    read_plotly,
    render_page,
    tabulate,
)

EVIL = "<script>alert('x')</script>"


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text of cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def find(self, attribute: str) -> list[str | None]:
        """All values of an attribute."""
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


def make_figure() -> Figure:
    return Figure().add_scatter(y=[1, 2], name="line")


def write_page(*parts: object, title: str = "Title", verdict: str = "Verdict.") -> str:
    """A page without the code of Plotly."""
    page = render_page(
        title, verdict, [Section("First", list(parts)), Section("Second", ["Text."])]
    )
    return page.replace(read_plotly(), "")


def test_page_has_no_source() -> None:
    assert Reader(write_page(make_figure())).find("src") == []


def test_links_of_a_page_lead_into_it() -> None:
    reader = Reader(write_page("Text."))
    assert reader.find("href") == [f"#{name}" for name in reader.find("id")]


def test_styles_fetch_nothing() -> None:
    assert not re.search(r"url\(|@import", write_page(make_figure()))


def test_page_names_no_address() -> None:
    assert not re.search(
        r"//|www\.|plot\.?ly\.com", write_page(make_figure(), Table(["a"], [["b"]]))
    )


def test_page_may_load_nothing() -> None:
    assert "default-src 'none';" in Reader(write_page()).find("content")[1]


def test_figures_have_no_button_to_a_server() -> None:
    page = write_page(make_figure())
    assert '"displaylogo": false' in page
    assert '"showSendToCloud": false' in page


def test_code_of_plotly_is_in_a_page_once() -> None:
    page = render_page("Title", "Verdict.", [Section("First", [make_figure(), make_figure()])])
    assert page.count(read_plotly()) == 1


def test_figures_are_numbered_by_their_place() -> None:
    names = [
        name
        for name in Reader(write_page(make_figure(), "Text.", make_figure())).find("id")
        if "figure" in name
    ]
    assert names == ["figure-1-1", "figure-1-3"]


def test_a_page_without_figures_has_no_code_of_plotly() -> None:
    assert read_plotly() not in render_page("Title", "Verdict.", [Section("First", ["Text."])])


def test_a_page_of_text_with_a_figure_has_the_code_of_plotly() -> None:
    assert read_plotly() in render_page(
        "Title", "Verdict.", [Section("First", ["Text.", make_figure()])]
    )


def test_the_bundle_draws_what_the_python_package_makes() -> None:
    # Figures are made by the Python package, and drawn by the bundle.
    code = gzip.decompress(base64.b64decode(read_plotly())).decode()
    version = re.search(r"plotly\.js \(cartesian - minified\) v(\d+)\.", code)
    assert version is not None
    assert version[1] == get_plotlyjs_version().split(".")[0]


def test_a_page_with_a_figure_is_below_800_kilobytes() -> None:
    assert len(render_page("Title", "Verdict.", [Section("First", [make_figure()])])) < 800_000


def test_a_page_is_the_same_each_time() -> None:
    assert write_page(make_figure()) == write_page(make_figure())


def test_parts_come_in_their_order() -> None:
    page = write_page("One.", Table(["two"], [["2"]]), make_figure(), "Four.")
    assert page.index("One.") < page.index("two") < page.index("figure-1-3") < page.index("Four.")


@pytest.fixture
def titled() -> Figure:
    return make_figure().update_layout(title={"text": "Sales &lt; 5", "subtitle": {"text": EVIL}})


def test_the_title_of_a_figure_is_text_of_the_page(titled: Figure) -> None:
    page = write_page(titled)
    assert "<b>Sales &lt; 5</b>" in page


def test_the_subtitle_of_a_figure_is_escaped(titled: Figure) -> None:
    page = write_page(titled)
    assert EVIL not in page


def test_drawing_a_page_does_not_change_the_figure(titled: Figure) -> None:
    write_page(titled)
    assert titled.layout.title.text == "Sales &lt; 5"


def test_a_figure_with_the_title_of_its_section_has_none() -> None:
    assert "<b>" not in write_page(make_figure().update_layout(title={"text": "First"}))


def test_a_quote_has_its_facts_before_its_text() -> None:
    page = write_page(Quote(["first fact", "second fact"], "The text."))
    assert page.index("first fact") < page.index("second fact") < page.index("<p>The text.</p>")


def test_titles_of_parts_have_room() -> None:
    figure = Figure()
    divided = make_subplots(1, 2, subplot_titles=["one", "other"])
    page = render_page("A", "b", [Section("C", [figure, divided])])
    first, second = (int(size) for size in re.findall(r'"margin":{"t":(\d+)', page))
    assert second - first == PART_TITLES


@pytest.mark.parametrize(
    "parts",
    [
        [EVIL],
        [Table([EVIL], [["cell"]])],
        [Table(["a"], [[EVIL]])],
        [Table(["a"], [["b"]], caption=EVIL)],
        [Quote([EVIL], "text")],
        [Quote(["fact"], EVIL)],
    ],
)
def test_parts_are_escaped(parts: list[object]) -> None:
    assert EVIL not in write_page(*parts)
    assert "&lt;script&gt;" in write_page(*parts)


def test_texts_are_escaped() -> None:
    assert EVIL not in write_page(title=EVIL, verdict=EVIL)


def test_names_in_figures_are_escaped() -> None:
    page = write_page(Figure().add_scatter(y=[1], name=EVIL))
    assert EVIL not in page
    assert "alert(" in page


def test_percents_are_kept_on_their_lines() -> None:
    page = write_page("It is 5 % higher.", verdict="It is 7 % lower.")
    assert "5\u00a0% higher" in page
    assert "7\u00a0% lower" in page


def test_commands_are_code() -> None:
    page = write_page("Run kedro run --pipelines=forecast & see.")
    assert "Run <code>kedro run --pipelines=forecast</code> &amp; see." in page


def test_the_best_number_of_a_table_is_marked() -> None:
    table = Table(["name", "error"], [["a", "2"], ["b", "1"]], best=frozenset({(1, 1)}))
    assert re.findall(r'class="number best">(.*?)<', write_page(table)) == ["1"]


def test_equal_numbers_are_all_the_best() -> None:
    rows = [["a", "1.0", "3"], ["b", "1.0", "–"], ["c", "2.0", "4"], ["floor", "0.5", "9"]]
    assert mark_best(rows, {1: [1.02, 1.01, 2.0], 2: [3, None, 4]}) == {(0, 1), (1, 1), (0, 2)}


def test_a_column_without_numbers_has_no_best() -> None:
    rows = [["a", "1.0", "3"], ["b", "1.0", "–"], ["c", "2.0", "4"], ["floor", "0.5", "9"]]
    assert mark_best(rows, {1: [None, None, None]}) == frozenset()


def test_numbers_that_are_none_are_never_the_best() -> None:
    rows = [["a", "1.0", "3"], ["b", "1.0", "–"], ["c", "2.0", "4"], ["floor", "0.5", "9"]]
    assert mark_best(rows, {1: [math.nan, 1.01, 2.0]}) == mark_best(rows, {1: [None, 1.01, 2.0]})


def test_columns_of_text_are_no_numbers() -> None:
    table = Table(["a", "b", "c"], [["text", "text too", "7"]], num_text_columns=2)
    assert re.findall(r'<td class="number">(.*?)<', write_page(table)) == ["7"]


def test_direction_of_a_column_decides_which_number_is_marked() -> None:
    """A text in the place of a number is written as it is, and never marked."""
    columns = {
        "error": Column("error", better="down"),
        "accuracy": Column("accuracy", format_percent, "up"),
        "bias": Column("bias, %", format_bias, "zero"),
        "seconds": Column("s"),
    }
    numbers = {
        "a": {"error": 1.0, "accuracy": 0.5, "bias": -0.1, "seconds": 1.0},
        "b": {"error": 2.0, "accuracy": 0.75, "bias": 0.2},
        "floor": {"error": "0.5000"},
    }
    table = tabulate("method", numbers.items(), columns, "caption")
    assert (table.header, table.caption) == (
        ["method", "error", "accuracy", "bias, %", "s"],
        "caption",
    )
    assert table.rows == [
        ["a", "1.000", "50.00 %", "−10.0", "1.000"],
        ["b", "2.000", "75.00 %", "+20.0", "–"],
        ["floor", "0.5000", "–", "–", "–"],
    ]
    assert table.best == {(0, 1), (1, 2), (0, 3)}


def test_equation_is_mathml_beside_its_name() -> None:
    page = render_page("A", "b", [Section("C", [Equation("Gate", "f = σ(x)")])])
    assert re.search(r'<p class="equation">Gate: <math alttext="f = σ\(x\)">', page)
    (style,) = re.findall(r"\.equation \{(.*?)\}", write_page())
    assert "overflow: auto hidden" in style


@pytest.mark.parametrize(("num_columns", "is_wide"), [(4, False), (12, True)])
def test_table_of_many_columns_may_use_the_margin(num_columns: int, is_wide: bool) -> None:
    table = Table(["name"] * num_columns, [["1"] * num_columns])
    assert ('class="table wide"' in render_page("A", "b", [Section("C", [table])])) is is_wide
