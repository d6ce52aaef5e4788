"""The site is built by Zensical and by Material for MkDocs, without a warning, and needs no other server."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from documents import PROJECT

pytestmark = pytest.mark.slow

BUILDERS = {"zensical": ["build", "--strict"], "mkdocs": ["build", "--strict"]}
# Elements that a browser loads by itself; links between pages are loaded by their readers.
LOADED = re.compile(
    r"<(?:link(?! rel=.(?:canonical|prev|next))|script|img|iframe|source|object)\b[^>]*"
    r"\b(?:src|href|data|srcset)=[\"']?((?:https?:)?//[^\"'\s>]+)"
)
# Figures and pictures, which a builder may rewrite for the folder of the page.
SHOWN = re.compile(r"<(?:img|object|iframe)\b[^>]* (?:src|data)=\"([^\"#:]+)[\"#]")
RELATIVE = re.compile(r"<a\b[^>]* href=\"((?![a-z]+:|#|//)[^\"]+)\"")
IMPORTED = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")


@pytest.fixture(scope="module", params=BUILDERS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(PROJECT / "docs", folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "mkdocs.yml", folder)
    render = [sys.executable, PROJECT / "docs/render_notebooks.py", folder / "docs/notebooks"]
    subprocess.run(render, check=True)
    figures = [sys.executable, PROJECT / "docs/course_figures.py", folder / "docs/course/figures"]
    subprocess.run(figures, check=True)
    (folder / "src").symlink_to(PROJECT / "src")
    built = subprocess.run(
        [Path(sys.executable).parent / request.param, *BUILDERS[request.param]],
        check=False,
        cwd=folder,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    finish = runpy.run_path(str(PROJECT / "docs/finish_site.py"))
    finish["link_pages"](folder / "site", finish["read_address"]())
    return folder / "site"


def test_site_loads_nothing(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    styles = sorted(site.rglob("*.css"))
    assert pages
    assert styles
    found = {str(page.relative_to(site)): LOADED.findall(page.read_text()) for page in pages}
    found |= {str(style.relative_to(site)): IMPORTED.findall(style.read_text()) for style in styles}
    assert {path: addresses for path, addresses in found.items() if addresses} == {}


def test_site_lists_every_page(site: Path) -> None:
    # Each decision record is reached through their list.
    built = {page.parent.relative_to(site).as_posix() + "/" for page in site.rglob("index.html")}
    expected = {page for page in built if not re.search(r"decisions/\d{4}", page)}
    listed = re.findall(r"\]\(([^)]+)\)", (site / "llms.txt").read_text())
    assert sorted(listed) == sorted(expected)


def find_target(page: Path, link: str) -> Path:
    """Return the file of the site that a relative link leads to."""
    target = (page.parent / unquote(link.partition("#")[0])).resolve()
    return target / "index.html" if link.partition("#")[0].endswith(("/", ".")) else target


def test_links_lead_to_pages_of_the_site(site: Path) -> None:
    """`make graph` adds the page `graph/`; the page of an error has the addresses of the published site."""
    broken = [
        (str(page.relative_to(site)), link)
        for page in site.rglob("*.html")
        if page.name != "404.html"
        for link in RELATIVE.findall(page.read_text())
        if not link.endswith("graph/") and not find_target(page, link).is_file()
    ]
    assert broken == []


def test_site_has_no_code(site: Path) -> None:
    assert list(site.rglob("*.py")) == []


@pytest.fixture(scope="module")
def shown(site: Path) -> dict[Path, list[str]]:
    return {page: SHOWN.findall(page.read_text()) for page in site.rglob("index.html")}


def test_pictures_of_each_page_exist(shown: dict[Path, list[str]]) -> None:
    missing = [
        (page, file)
        for page, files in shown.items()
        for file in files
        if not (page.parent / file).is_file()
    ]
    assert missing == []


def test_notebooks_with_pages_of_the_course_have_pictures(
    site: Path, shown: dict[Path, list[str]]
) -> None:
    with_pictures = [
        *(site / "notebooks").glob("0*/index.html"),
        *(site / "course").glob("[0-9]*/index.html"),
    ]
    assert len(with_pictures) == len(
        [*PROJECT.glob("notebooks/*.ipynb"), *PROJECT.glob("docs/course/[0-9]*.md")]
    )
    assert [page for page in with_pictures if not shown[page]] == []
