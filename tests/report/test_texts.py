"""Prose is read from beside the code: texts, and templates of pages."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from rnn_pipelines.report.page import Section, Table
from rnn_pipelines.report.texts import fill_template, list_sections, read_prose

TABLE = Table(["a"], [["b"]])
PAGE = """# Report of {{ name }}

{{ first }} {{ second }}

## Always

A paragraph
of {{ count(num, "line") }}.{% if is_long %} It is long.{% endif %}

{% if is_long %}
Another one.
{% endif %}

{{ table }}

## Only with a part

{{ other }}

{{ more }}

## Last

End.
"""
VALUES = {
    "name": "x",
    "first": "",
    "second": "Good.",
    "num": 2,
    "is_long": False,
    "table": TABLE,
    "other": None,
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A package of its own for each test, because files are read once."""
    name = f"made_up_{abs(hash(request.node.name))}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "texts.toml").write_text(
        '[notes]\nfirst = """\nLower\nis better."""\n', encoding="utf-8"
    )
    (folder / "page.page").write_text(PAGE, encoding="utf-8")
    (folder / "sections.page").write_text(PAGE[PAGE.index("## Always") :], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_texts_are_read_on_one_line(package: str) -> None:
    assert read_prose(package) == {"notes": {"first": "Lower is better."}}


def test_sections_leave_out_what_has_no_value(package: str) -> None:
    sections = list_sections(package, "sections", **VALUES, more=[])
    assert sections == [
        Section("Always", ["A paragraph of 2 lines.", TABLE]),
        Section("Last", ["End."]),
    ]


def test_sections_with_a_condition_have_their_title(package: str) -> None:
    other = Section("Other", ["Text."])
    sections = list_sections(
        package, "sections", **VALUES | {"is_long": True, "other": [TABLE, "One."]}, more=[other]
    )
    assert [section.title for section in sections] == [
        "Always",
        "Only with a part",
        "Other",
        "Last",
    ]


def test_sections_have_paragraphs_with_parts(package: str) -> None:
    other = Section("Other", ["Text."])
    sections = list_sections(
        package, "sections", **VALUES | {"is_long": True, "other": [TABLE, "One."]}, more=[other]
    )
    assert sections[0].parts == ["A paragraph of 2 lines. It is long.", "Another one.", TABLE]
    assert sections[1].parts == [TABLE, "One."]


def test_a_template_becomes_a_page_with_escaped_names(package: str) -> None:
    page = fill_template(package, "page", **VALUES | {"name": "<b>"}, more=None).render()
    assert "<h1>Report of &lt;b&gt;</h1>" in page


def test_the_verdict_of_a_template_stands_below_its_title(package: str) -> None:
    page = fill_template(package, "page", **VALUES | {"name": "<b>"}, more=None).render()
    assert '<p class="verdict">Good.</p>' in page


def test_a_page_leaves_out_what_has_no_value(package: str) -> None:
    page = fill_template(package, "page", **VALUES | {"name": "<b>"}, more=None).render()
    assert "Only with a part" not in page


def test_a_value_is_no_template(package: str) -> None:
    evil = "a\n\n## Evil\n\n{{ table }}"
    section, _ = list_sections(package, "sections", **VALUES | {"table": evil}, more=None)
    assert section.parts[1] == evil


@pytest.mark.parametrize("missing", ["name", "table"])
def test_name_without_a_value_is_an_error(package: str, missing: str) -> None:
    values = {name: value for name, value in VALUES.items() if name != missing}
    with pytest.raises(UndefinedError, match=missing):
        fill_template(package, "page", **values, more=None)
