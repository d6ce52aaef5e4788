"""The prose of reports, from files beside their code: pages as templates, and texts that a terminal shows too.

A template of a page has the ending `.page`. Blank lines separate its blocks. One that begins with `# ` is the title,
followed by the verdict; one that begins with `## ` is the title of a section. A block that is a single Jinja expression
is a part of the page, or a list of parts or sections. Any other block is a paragraph. Empty blocks, and sections
without parts, are left out.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from rnn_pipelines.errors import count
from rnn_pipelines.report.numbers import begin_sentence, format_bias, format_number, format_percent
from rnn_pipelines.report.page import Part, Section, render_page

BLOCK = re.compile(r"(##? )?(.*)", re.DOTALL)
EXPRESSION = re.compile(r"\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
# `render_page` escapes the texts.
ENVIRONMENT = Environment(undefined=StrictUndefined, autoescape=False)
ENVIRONMENT.globals |= {
    "begin_sentence": begin_sentence,
    "format_bias": format_bias,
    "count": count,
}
ENVIRONMENT.globals |= {"format_number": format_number, "format_percent": format_percent}


@cache
def read_texts(package: str) -> dict[str, dict[str, str]]:
    """Read the tables of texts in a package's `texts.toml`; the line breaks in a text become spaces."""
    tables = tomllib.loads(files(package).joinpath("texts.toml").read_text(encoding="utf-8"))
    return {
        name: {key: text.strip().replace("\n", " ") for key, text in of.items()}
        for name, of in tables.items()
    }


def render_template(package: str, name: str, /, **values: Any) -> str:
    """Return a page of the template in a package, see `render_page`; its name is that of the file without ending."""
    (title, verdict), *sections = _evaluate(package, name, values)
    return render_page(title, " ".join(map(str, verdict)), _drop_empty(sections))


def list_sections(package: str, name: str, /, **values: Any) -> list[Section]:
    """Return the sections of a template without a title; a name without a value raises a jinja2.UndefinedError."""
    return _drop_empty(_evaluate(package, name, values))


def _evaluate(package: str, name: str, values: Mapping[str, Any]) -> list[tuple[str, list[Part]]]:
    sections: list[tuple[str, list[Part]]] = []
    for mark, evaluate in _read_blocks(package, name):
        found = evaluate(**values)
        if mark:
            sections.append((found, []))
            continue
        for part in found if isinstance(found, list) else [found]:
            if isinstance(part, Section):
                sections.append((part.title, list(part.parts)))
            elif (text := part.strip() if isinstance(part, str) else part) not in (None, ""):
                sections[-1][1].append(text)
    return sections


def _drop_empty(sections: Iterable[tuple[str, list[Part]]]) -> list[Section]:
    return [Section(title, parts) for title, parts in sections if parts]


@cache
def _read_blocks(package: str, name: str) -> list[tuple[str | None, Callable[..., Any]]]:
    blocks: list[tuple[str | None, Callable[..., Any]]] = []
    for block in re.split(
        r"\n\s*\n", files(package).joinpath(f"{name}.page").read_text(encoding="utf-8").strip()
    ):
        matched = BLOCK.fullmatch(block)
        assert matched is not None  # the pattern matches any text
        mark, text = matched.groups()
        expression = None if mark else EXPRESSION.fullmatch(text)
        if expression is not None:
            blocks.append(
                (
                    mark,
                    ENVIRONMENT.compile_expression(expression[1].strip(), undefined_to_none=False),
                )
            )
        else:
            blocks.append((mark, ENVIRONMENT.from_string(" ".join(text.split())).render))
    return blocks
