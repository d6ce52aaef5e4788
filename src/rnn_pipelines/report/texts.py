"""The prose of reports, from files beside their code: pages as templates, and texts that a terminal shows too.

A template of a page has the ending `.page`. Blank lines separate its blocks. One that begins with `# ` is the title,
followed by the verdict; one that begins with `## ` is the title of a section. A block that is a single Jinja expression
is a part of the page, or a list of parts or sections. Any other block is a paragraph. Empty blocks, tables without
rows, and sections without parts are left out.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from rnn_pipelines.errors import count
from rnn_pipelines.report.numbers import format_bias, format_percent
from rnn_pipelines.report.page import Section, Table
from rnn_pipelines.report.report import Report

EXPRESSION = re.compile(r"\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
# `render_page` escapes the texts.
ENVIRONMENT = Environment(undefined=StrictUndefined, autoescape=False)
ENVIRONMENT.globals.update(count=count, format_bias=format_bias, format_percent=format_percent)


@cache
def read_prose(package: str) -> dict[str, dict[str, str]]:
    """Read the tables of texts in a package's `texts.toml`; the line breaks in a text become spaces."""
    tables = tomllib.loads(files(package).joinpath("texts.toml").read_text(encoding="utf-8"))
    return {
        name: {key: text.strip().replace("\n", " ") for key, text in of.items()}
        for name, of in tables.items()
    }


def fill_template(
    package: str, name: str, summary: Sequence[str | Table] = (), /, **values: Any
) -> Report:
    """Return a report of the template in a package; its name is that of the file without ending."""
    first, *sections = _evaluate(package, name, values)
    return Report(first.title, " ".join(map(str, first.parts)), _drop_empty(sections), summary)


def list_sections(package: str, name: str, /, **values: Any) -> list[Section]:
    """Return the sections of a template without a title; a name without a value raises a jinja2.UndefinedError."""
    return _drop_empty(_evaluate(package, name, values))


def _evaluate(package: str, name: str, values: Mapping[str, Any]) -> list[Section]:
    sections: list[Section] = []
    for is_title, evaluate in _read_blocks(package, name):
        value = evaluate(**values)
        if is_title:
            sections.append(Section(value, []))
            continue
        for part in value if isinstance(value, list) else [value]:
            content = part.strip() if isinstance(part, str) else part
            if isinstance(part, Section):
                sections.append(part)
            # A name without a value raises its error here.
            elif content:
                sections[-1].parts.append(content)
    return sections


def _drop_empty(sections: Iterable[Section]) -> list[Section]:
    return [section for section in sections if section.parts]


@cache
def _read_blocks(package: str, name: str) -> list[tuple[bool, Callable[..., Any]]]:
    """Return for each block whether it is a title, and the function that evaluates it."""
    text = files(package).joinpath(f"{name}.page").read_text(encoding="utf-8")
    blocks: list[tuple[bool, Callable[..., Any]]] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        is_title = block.startswith("#")
        if expression := EXPRESSION.fullmatch(block):
            value = ENVIRONMENT.compile_expression(expression[1].strip(), undefined_to_none=False)
            blocks.append((is_title, value))
        else:
            paragraph = ENVIRONMENT.from_string(" ".join(block.lstrip("# ").split()))
            blocks.append((is_title, paragraph.render))
    return blocks
