"""The documentation stays short enough to be read and kept true."""

import subprocess

from documents import PROJECT

MAX_WORDS = 60_000


def test_documentation_has_at_most_sixty_thousand_words() -> None:
    """All tracked pages and the README, without the decision records, as `wc -w` counts."""
    listed = subprocess.run(
        ["git", "ls-files", "docs/*.md", "README.md"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    pages = [path for path in listed.stdout.splitlines() if "/decisions/" not in path]
    words = {path: len((PROJECT / path).read_text().split()) for path in pages}
    assert len(words) > 50
    longest = sorted(words.items(), key=lambda item: -item[1])[:10]
    assert sum(words.values()) <= MAX_WORDS, (
        f"{sum(words.values()):,} words in all: shorten a page. The longest ones: {longest}"
    )
