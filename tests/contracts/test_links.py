"""Each link of a tracked page leads to a tracked file, and its anchor to a heading there."""

import json
import re
import subprocess
from pathlib import Path, PurePosixPath
from posixpath import normpath

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
).stdout.splitlines()
FOLDERS = {str(folder) for path in TRACKED for folder in PurePosixPath(path).parents}
PAGES = [path for path in TRACKED if path.endswith((".md", ".ipynb"))]
SITE = yaml.safe_load((PROJECT / "mkdocs.yml").read_text())["site_url"]
CODE = re.compile(r"^(```|~~~).*?^\1|^(?: {4}|\t).*?$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(
    r"\]\(<?([^)\s>]+)|<(?:a|img)\b[^>]*?(?:href|src)=\"([^\"]+)|^\[[^]]+\]: (\S+)", re.M
)
HEADING = re.compile(r"^#{1,6} +(.+?)(?: \{#[\w-]+\})?$", re.MULTILINE)
# Pages that a build adds to the site.
BUILT = ["graph/", "try.html", *(f"course/figures/{name}.html" for name in ("weather", "reviews"))]


def read_page(path: str) -> str:
    """Return the Markdown of a page, or of the cells of a notebook."""
    text = (PROJECT / path).read_text()
    if path.endswith(".md"):
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def list_links(path: str) -> list[str]:
    return ["".join(link) for link in LINK.findall(CODE.sub("", read_page(path)))]


def list_anchors(path: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page, and those that it has itself."""
    text = re.sub(r"^```.*?^```", "", read_page(path), flags=re.MULTILINE | re.DOTALL)
    headings = [
        re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", heading) for heading in HEADING.findall(text)
    ]
    slugs = [
        re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).strip().replace(" ", "-")
        for heading in headings
    ]
    return {*slugs, *re.findall(r"\{#([\w-]+)\}|\bid=\"([\w-]+)", text)}


def find_fault(page: str, link: str) -> str:
    """Return what is wrong with a relative link; empty if nothing is."""
    target, _, anchor = link.partition("#")
    path = normpath(f"{PurePosixPath(page).parent}/{target}") if target else page
    if path not in TRACKED and path not in FOLDERS:
        return f"{link}: no tracked file"
    if anchor and path.endswith((".md", ".ipynb")) and anchor not in list_anchors(path):
        return f"{link}: no heading"
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_to_tracked_files(page: str) -> None:
    links = [link for link in list_links(page) if not re.match(r"[a-z]+:|//", link)]
    assert [fault for link in links if (fault := find_fault(page, link))] == []


def test_pages_of_the_site_link_to_pages_of_the_site() -> None:
    """Notebooks have pages there; other files of the project are named, not linked."""
    outside = [
        (page, link)
        for page in PAGES
        if page.startswith("docs/")
        for link in list_links(page)
        if not re.match(r"[a-z]+:|//|#", link)
        and not normpath(f"{PurePosixPath(page).parent}/{link}").startswith(("docs", "notebooks/"))
    ]
    assert outside == []


def is_on_site(address: str) -> bool:
    path = address.removeprefix(SITE).partition("#")[0]
    sources = (f"{path.strip('/') or 'index'}.md", f"{path}index.md", f"{path}README.md")
    return (
        path in BUILT
        or any(f"docs/{source}" in TRACKED for source in sources)
        or f"{path.strip('/')}.ipynb" in TRACKED
    )


def test_links_to_the_site_lead_to_its_pages() -> None:
    links = {link for page in PAGES for link in list_links(page) if link.startswith(SITE)}
    assert len(links) > 10
    assert [link for link in sorted(links) if not is_on_site(link)] == []


def test_the_site_has_one_address() -> None:
    texts = {
        path: (PROJECT / path).read_text()
        for path in TRACKED
        if path.endswith((".md", ".yml", ".toml", ".cff", ".ipynb", ".py", ".html"))
        and not path.startswith("tests/")
    }
    addresses = {
        (path, address)
        for path, text in texts.items()
        for address in re.findall(r"https?://[\w-]+\.github\.io/[\w-]*/?", text)
    }
    assert {path for path, address in addresses} >= {"mkdocs.yml"}
    assert [found for found in sorted(addresses) if found[1] != SITE] == []
