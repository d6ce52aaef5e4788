"""The documentation stays short enough to be read and kept true."""

import subprocess

from documents import PROJECT

MAX_WORDS = 60_000
LIST_OF_DATASETS = "## Datasets and nodes"


def test_documentation_has_at_most_sixty_thousand_words() -> None:
    """All tracked pages and the README, as `wc -w` counts.

    Without the decision records, and without the list of datasets and nodes, which is generated.
    """
    listed = subprocess.run(
        ["git", "ls-files", "docs/*.md", "README.md"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    pages = [path for path in listed.stdout.splitlines() if "/decisions/" not in path]
    words = {path: len(_read_written(path).split()) for path in pages}
    assert len(words) > 50
    longest = sorted(words.items(), key=lambda item: -item[1])[:10]
    assert sum(words.values()) <= MAX_WORDS, (
        f"{sum(words.values()):,} words in all: shorten a page. The longest ones: {longest}"
    )


def _read_written(path: str) -> str:
    return (PROJECT / path).read_text().partition(LIST_OF_DATASETS)[0]
