"""Finish the built site: `.venv/bin/python docs/finish_site.py [folder of kedro viz build]`.

The links of the pages are those of the repository. On the site, links to notebooks lead to their pages, and links to
the site's own address are relative, so that a copy on another server is complete. The graph of kedro-viz becomes the
page `graph/`, which may load nothing from another server.
"""

import re
import shutil
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[1]
NOTEBOOK = re.compile(r'href="(?:\.\./)+notebooks/(\w+)\.ipynb')
# Fonts of Google, without which the browser takes its own.
FOREIGN = re.compile(r"\s*<link\s[^>]*https://fonts[^>]*>")
SOURCES = "'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
POLICY = f'<meta http-equiv="Content-Security-Policy" content="default-src {SOURCES}">'


def link_pages(site: Path, address: str) -> None:
    """Rewrite the links of each page of a built site.

    Args:
        address: of the site, with a slash at its end.
    """
    for page in site.rglob("*.html"):
        root = "../" * len(page.relative_to(site).parent.parts) or "./"
        text = NOTEBOOK.sub(rf'href="{root}notebooks/\1/', page.read_text())
        page.write_text(text.replace(f'<a href="{address}', f'<a href="{root}'))


def add_graph(build: Path, site: Path) -> None:
    """Copy what `kedro viz build` wrote into the folder `graph` of a site, without its requests to other servers."""
    graph = site / "graph"
    for name in ("api", "assets"):
        shutil.copytree(build / name, graph / name)
    for name in ("index.html", "favicon.ico"):
        shutil.copy(build / name, graph)
    for answer in graph.glob("api/**/*"):
        if answer.is_file():
            answer.write_text(answer.read_text().replace(f"{PROJECT}/", ""))
    page = graph / "index.html"
    text = FOREIGN.sub("", page.read_text())
    page.write_text(text.replace("<head>", f"<head>\n        {POLICY}", 1))


def read_address() -> str:
    """Return the address of the site, which `mkdocs.yml` holds."""
    return yaml.safe_load((PROJECT / "mkdocs.yml").read_text())["site_url"]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        add_graph(Path(sys.argv[1]), PROJECT / "site")
    else:
        link_pages(PROJECT / "site", read_address())
