"""The course: its code prints what its pages show, and its figures run in Chromium."""

import importlib.util
import json
import os
import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from browser import open_page, use_page
from documents import PROJECT

COURSE = PROJECT / "docs/course"
PAGES = sorted(COURSE.glob("[0-9]*.md"))
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?")
# Seconds differ from run to run.
TIMING = re.compile(r"\d+\.\d+ s\b")
FRAME = re.compile(r'<object [^>]*data="\.\./figures/([a-z]+)\.html')
PICTURE = re.compile(
    r"^\[?!\[[^]]+\]\((images/[^)]+)\)(?:\]\(([^)]+)\)\n\n</object>$)?", re.MULTILINE
)
CONTENT = re.compile(r'<script type="application/json" id="content">(.*?)</script>', re.DOTALL)


def load_builder() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location(
        "course_figures", PROJECT / "docs/course_figures.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build_figures()


FIGURES = load_builder()


def read_words(text: str) -> tuple[list[str], list[float]]:
    text = TIMING.sub("", text)
    return NUMBER.sub("", text).split(), [
        float(number.replace(",", "")) for number in NUMBER.findall(text)
    ]


def write_block(code: str, printed: str) -> str:
    return f"```python\n{code}```\n" + (f"\n```text\n{printed}```\n" if printed else "")


def write_numbers(folder: Path) -> None:
    """Writes what the code of a page has saved: numbers of figures, and those within an explorer's page."""
    for path in folder.glob("*.json"):
        (COURSE / "figures" / path.name).write_text(path.read_text())
    for path in folder.glob("*.html"):
        found = CONTENT.search(path.read_text())
        assert found is not None
        (COURSE / "figures" / f"{path.stem}.json").write_text(found[1])


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_prints_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words are equal, and numbers nearly so, because the training differs in the last digits between machines."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page.stem}
    blocks = list(BLOCK.finditer(page.read_text()))
    printed = []
    for block in blocks:
        capsys.readouterr()
        exec(compile(block["code"], str(page), "exec"), names)
        printed.append(
            "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
        )
    if "WRITE_COURSE" in os.environ:
        outputs = iter(printed)
        page.write_text(
            BLOCK.sub(lambda block: write_block(block["code"], next(outputs)), page.read_text())
        )
        write_numbers(tmp_path)
    shown = [block["shown"] or "" for block in BLOCK.finditer(page.read_text())]
    assert [read_words(text)[0] for text in printed] == [read_words(text)[0] for text in shown]
    for found, expected in zip(printed, shown, strict=True):
        assert read_words(found)[1] == pytest.approx(read_words(expected)[1], rel=0.05, abs=0.02)


def test_each_page_has_a_picture_in_the_repository() -> None:
    """That of a figure stands inside it, where the site does not show it, and leads to the page on the site."""
    site = yaml.safe_load((PROJECT / "mkdocs.yml").read_text())["site_url"]
    for page in PAGES:
        shown = PICTURE.findall(page.read_text())
        address = f"{site}course/{page.stem}/" if FRAME.search(page.read_text()) else ""
        assert shown == [(f"images/{page.stem}.png", address)], page.name
        assert (COURSE / shown[0][0]).stat().st_size <= 60_000
    pictures = {path.stem for path in (COURSE / "images").iterdir()}
    assert pictures == {page.stem for page in PAGES}


def test_each_figure_is_shown() -> None:
    shown = {page.stem: FRAME.findall(page.read_text()) for page in PAGES}
    assert {figure for figures in shown.values() for figure in figures} == {*FIGURES}


def test_pages_are_numbered() -> None:
    assert [page.stem[:2] for page in PAGES] == [f"{number:02}" for number in range(1, 16)]


def test_pages_are_linked_to_their_neighbours() -> None:
    for before, after in pairwise(PAGES):
        assert f"]({after.name})" in before.read_text()
        assert f"]({before.name})" in after.read_text()


def test_each_page_has_a_question_with_its_answer() -> None:
    for page in PAGES:
        text = page.read_text()
        assert (page.stem, text.count("## Question"), text.count("<summary>Answer</summary>")) == (
            page.stem,
            1,
            1,
        )


VIEWS = [
    (name, scheme, width)
    for name in FIGURES
    for scheme in ("dark", "light")
    for width in (1400, 390)
]


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: "-".join(map(str, view)))
def view(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    """A figure without a network, used as a reader does: `width`, what was `seen`, and `messages` of the console."""
    name, scheme, width = request.param
    path = tmp_path_factory.mktemp("figure") / f"{name}.html"
    path.write_text(use_page(FIGURES[name], "figure.js"))
    is_light = int(scheme == "light")
    switches = [f"--window-size={width},900", f"--blink-settings=preferredColorScheme={is_light}"]
    seen, messages = open_page(path, "", *switches)
    return SimpleNamespace(width=width, seen=seen, messages=messages)


@pytest.mark.chromium
def test_figure_runs_quietly(view: SimpleNamespace) -> None:
    assert view.messages == []
    assert not view.seen["empty"]


@pytest.mark.chromium
def test_each_control_has_a_name(view: SimpleNamespace) -> None:
    assert view.seen["unnamed"] == []


@pytest.mark.chromium
def test_each_control_is_reached_by_keyboard(view: SimpleNamespace) -> None:
    assert view.seen["unreachable"] == 0


@pytest.mark.chromium
def test_texts_of_a_figure_have_contrast(view: SimpleNamespace) -> None:
    assert view.seen["contrast"] >= 4.5


@pytest.mark.chromium
def test_figure_fits_the_width(view: SimpleNamespace) -> None:
    assert view.seen["width"] <= view.width


@pytest.mark.chromium
def test_a_control_moves_no_other_when_it_is_used(view: SimpleNamespace) -> None:
    assert view.seen["moved_by"] <= 0.5


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_below_half_a_megabyte(name: str) -> None:
    assert len(FIGURES[name].encode()) <= 500_000


@pytest.mark.parametrize("name", FIGURES)
def test_figure_loads_nothing(name: str) -> None:
    assert re.findall(r"(?:src|href)=[\"']?(?!data:,)(?:https?:)?//", FIGURES[name]) == []
    assert "default-src 'none'" in FIGURES[name]


@pytest.mark.parametrize("name", FIGURES)
def test_figure_has_its_numbers(name: str) -> None:
    assert json.loads(CONTENT.search(FIGURES[name])[1]) is not False
