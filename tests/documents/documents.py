"""The commands and the Python code that the documents show, in their order."""

import ast
import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
# In the order in which a newcomer reads them.
DECISIONS = sorted(PROJECT.glob("docs/explanation/decisions/*.md"))
# The notebooks as pages of the site, which are not part of the repository.
RENDERED = PROJECT / "docs/notebooks"
PAGES = [
    PROJECT / "README.md",
    PROJECT / "CONTRIBUTING.md",
    *(
        page
        for page in sorted(PROJECT.glob("docs/**/*.md"))
        if page not in DECISIONS and page.parent != RENDERED
    ),
]
# It has a project of its own, with the default settings.
TUTORIAL = PROJECT / "docs/tutorial.md"
NOTEBOOKS = sorted(PROJECT.glob("notebooks/*.ipynb"))
DEPLOYED = sorted(
    path
    for path in PROJECT.glob("deploy/**/*")
    if path.is_file() and path.suffix not in (".lock", ".txt")
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?:    .*\n|\n)*    .*\n?)")
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
# First words of the lines that are commands of the project, or of what it is deployed with; all others are output.
_PROGRAM = re.compile(
    r"(?:\w+=\S* )*(?:time )?"
    r"(?:(?:\.venv/bin|\.airflow/bin|deploy)/\w|(?:kedro|rnn-pipelines|make|airflow|docker|sudo) )"
)


@dataclass(frozen=True)
class ParameterModel:
    """A block of code.

    Attributes:
        language: of a fenced block, or nothing.
        text: without fence and indentation.
    """

    language: str
    text: str

    @property
    def is_python(self) -> bool:
        """Whether it is fenced as Python, or is Python and does something."""
        if self.language:
            return self.language == "python"
        try:
            tree = ast.parse(self.text)
        except SyntaxError:
            return False
        return any(
            isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Call)
            for node in ast.walk(tree)
        )

    def list_commands(self) -> list[str]:
        """Return the command lines: all that follow a `$`, or else all that begin with a program of ours."""
        if self.language not in ("", "sh", "bash", "console") or self.is_python:
            return []
        lines = [line.rstrip() for line in self.text.replace("\\\n", "").splitlines()]
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line for line in prompted or lines if _PROGRAM.match(line)]


def list_parameter_models(text: str) -> list[ParameterModel]:
    """Return fenced and indented blocks of a page of Markdown in their order."""
    found = [(match.start(), ParameterModel(match[1], match[2])) for match in _FENCE.finditer(text)]
    prose = _FENCE.sub(lambda match: re.sub(r"\S", "x", match[0]), text)
    for match in _INDENTED.finditer(prose):
        code = re.sub(r"^ {4}", "", text[match.start(1) : match.end(1)], flags=re.MULTILINE)
        found.append((match.start(1), ParameterModel("", code)))
    return [block for _, block in sorted(found, key=lambda pair: pair[0])]


def list_spans(text: str) -> Iterator[str]:
    """Yield the texts between backticks outside of blocks, each on one line."""
    prose = _INDENTED.sub("\n", _FENCE.sub("", text))
    for match in _SPAN.finditer(prose):
        yield " ".join(match[1].split())


def read_text(path: Path) -> str:
    """Return the text of a document; of a notebook its cells of Markdown."""
    if path.suffix != ".ipynb":
        return path.read_text()
    cells = json.loads(path.read_text())["cells"]
    return (
        "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        + "\n"
    )


def list_shown(path: Path) -> list[str]:
    """Return the command lines of a document's blocks in their order."""
    return [
        line for block in list_parameter_models(read_text(path)) for line in block.list_commands()
    ]


def list_settings(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of conf that a page shows, as its first line names it."""
    for block in list_parameter_models(read_text(path)):
        named = re.match(r"# (conf/[\w/.]+)\n", block.text)
        if block.language == "yaml" and named:
            yield named[1], block.text


def list_file_code(path: Path) -> list[str]:
    """Return the Python code of a page that makes a file for its commands."""
    blocks = list_parameter_models(read_text(path))
    return [
        block.text for block in blocks if block.language == "python" and ".to_csv(" in block.text
    ]


def list_headers(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each command after a `$` with the columns of each table that its output shows."""
    for block in list_parameter_models(read_text(path)):
        command = ""
        for line in block.text.splitlines():
            if line.startswith("$ "):
                command = line.removeprefix("$ ")
            columns = re.split(" {2,}", line.strip())
            if command and len(columns) > 2 and not re.search(r"[\d…]", line):
                yield command, columns


def list_named(path: Path) -> list[str]:
    """Return the commands that a document names between backticks, with or without their arguments."""
    return [span for span in list_spans(read_text(path)) if _PROGRAM.match(f"{span} ")]


def copy_project(folder: Path) -> Path:
    """Copy the project as it is cloned, with its programs in place, and return its folder."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "data", "tests", "benchmarks", "site")
    settings = str(PROJECT / "conf")
    shutil.copytree(
        PROJECT,
        folder,
        ignore=lambda path, names: (
            left_out(path, names) | ({"local"} if path == settings else set())
        ),
    )
    (folder / "conf/local").mkdir()
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    for name, module in (("kedro", "kedro"), ("rnn-pipelines", "rnn_pipelines.console.main")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (programs / name).chmod(0o755)
    return folder
