"""Facts of pages; and golden extracts: their text, one line for each paragraph, row, quote and figure."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

BLOCKS = {"h1", "h2", "p", "caption", "tr", "blockquote", "div", "span", "footer", "figcaption"}


class _Reader(HTMLParser):
    """Collects lines, in which bars separate cells and stars mark the best ones."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._line = ""
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._skipped += tag in ("head", "script", "style", "nav")
        if tag in BLOCKS:
            self._end_line()
        if given.get("class") == "plotly-graph-div":
            self.lines.append(f"[{given['id']}]")
        self._line += {"h1": "# ", "h2": "\n## ", "td": "| ", "th": "| "}.get(tag, "")
        self._line += "*" if "best" in str(given.get("class")).split() else ""

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in ("head", "script", "style", "nav")
        if tag in BLOCKS:
            self._end_line()

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._line += " ".join(data.split()) + " " if data.strip() else ""

    def _end_line(self) -> None:
        if self._line.strip():
            self.lines.append(self._line.rstrip(" "))
        self._line = ""


def extract_text(page: str) -> str:
    """The text of a page, without figures, scripts and styles."""
    reader = _Reader()
    reader.feed(page)
    return "\n".join(reader.lines) + "\n"


def is_golden(page: str, file: Path) -> bool:
    """Whether the text of a page is that of the file. To accept a change, run the test with WRITE_GOLDEN=1."""
    text = extract_text(page)
    if os.environ.get("WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    return text == file.read_text(encoding="utf-8")


def fits_screen(summary: str, verdict: str = "") -> bool:
    """Whether a summary begins with a verdict, and has at most 40 lines of 100 columns."""
    lines = summary.splitlines()
    begins = " ".join(summary.split()).startswith(" ".join(verdict.split()))
    return begins and len(lines) <= 40 and max(map(len, lines)) <= 100


def has_in_order(text: str, *facts: str) -> bool:
    """Whether a text has all facts, such as names and numbers, in this order."""
    return re.search(".*".join(map(re.escape, facts)), text, re.DOTALL) is not None
