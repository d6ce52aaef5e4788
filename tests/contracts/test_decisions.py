"""Every decision has a date and a status, and the table of all decisions repeats them."""

import re
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs/explanation/decisions"
DECISIONS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
HEAD = re.compile(
    r"# (\d+)\. (.+)\n\nDate: (\d{4}-\d\d-\d\d)\. Status: ((?:accepted|superseded by \[).*)\.\n\n"
)
ROW = re.compile(r"\| (\d+) \| \[(.+?)\]\((\S+\.md)\) \| (\S+) \| (.+) \|")


@pytest.fixture(params=DECISIONS, ids=lambda path: path.name)
def decision(request: pytest.FixtureRequest) -> Path:
    return request.param


def read_head(path: Path) -> tuple[int, str, str, str]:
    """Return number, title, date and status of a decision."""
    head = HEAD.match(path.read_text())
    assert head, f"{path.name}: expected the title, an empty line, and `Date: …. Status: ….`"
    return int(head[1]), head[2], head[3], head[4]


def test_a_decision_has_its_number(decision: Path) -> None:
    number, _, _day, _ = read_head(decision)
    assert decision.name.startswith(f"{number:04d}-")


def test_a_decision_has_its_date(decision: Path) -> None:
    _number, _, day, _ = read_head(decision)
    assert date(2026, 11, 25) <= date.fromisoformat(day)


def test_a_decision_is_superseded_by_a_later_one(decision: Path) -> None:
    number, _, _, status = read_head(decision)
    named = re.findall(r"\[decision (\d+)\]\((\d{4})-", status)
    assert [name for name, file in named if int(name) != int(file) or int(name) <= number] == []


def test_table_lists_every_decision_without_a_gap() -> None:
    assert [read_head(path)[0] for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    rows = ROW.findall((FOLDER / "README.md").read_text())
    heads = [(read_head(path), path.name) for path in DECISIONS]
    assert rows == [
        (str(number), title, file, day, status) for (number, title, day, status), file in heads
    ]
