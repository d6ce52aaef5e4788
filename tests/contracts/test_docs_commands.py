"""The commands, parameters and Python code that the documents show are accepted by the real parsers; nothing is run."""

import ast
import builtins
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.validation.exceptions import ParameterValidationError

import rnn_pipelines
from documents import (
    DECISIONS,
    DEPLOYED,
    NOTEBOOKS,
    PAGES,
    PROJECT,
    list_named,
    list_parameter_models,
    list_settings,
    list_shown,
    list_spans,
    read_text,
)
from rnn_pipelines.console.main import commands
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.hooks.parameters import check_parameter_names
from rnn_pipelines.hooks.project import OF_ALL_RUNS
from rnn_pipelines.pipelines.names import PIPELINES

pytestmark = pytest.mark.usefixtures("context")

DOCUMENTS = [*PAGES, *DECISIONS, *sorted(PROJECT.glob("benchmarks/*.md")), *NOTEBOOKS]
MAKEFILE = (PROJECT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.MULTILINE))
PIPELINE_OF_TARGET = dict(
    re.findall(r"^([a-z]+):.*\n\t\$\(BIN\)/kedro run --pipelines=(\w+) ", MAKEFILE, re.MULTILINE)
)
# Environments that the commands or the files of a page make.
MADE = {"backfill", *(path.split("/")[1] for page in PAGES for path, _ in list_settings(page))} - {
    "local"
}
ENVIRONMENTS = {path.name for path in (PROJECT / "conf").iterdir() if path.is_dir()} | MADE
# What the help of the commands has in place of a name.
METAVAR = "TEXT"
# An environment that changes no parameter, so that nobody's conf/local is read.
PLAIN = "benchmark"
PLACEHOLDERS = {"<pipeline>": "forecast", "<env>": "test", "[VERSION]": "VERSION"}
INTERFACE = {name: getattr(rnn_pipelines, name) for name in ("Forecaster", "TextClassifier")}
# What the documents call the objects of the interface.
OBJECTS = {"forecaster": "Forecaster", "classifier": "TextClassifier"} | {
    name: name for name in INTERFACE
}
# Data of the reader's own.
GIVEN = {"frame", "future", "texts", "labels"}
ASSIGNMENTS = re.compile(rf"(?:{'|'.join([*PIPELINES, 'runs', 'parallel'])})\.[\w.]+=[^\s…<]+")


@pytest.fixture(params=DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def document(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(scope="module")
def kedro() -> click.Command:
    return KedroCLI(PROJECT)


def split(line: str) -> list[str]:
    """Split a command into words, without variables before it, what follows it, and what is left to the reader."""
    for placeholder, value in PLACEHOLDERS.items():
        line = line.replace(placeholder, value)
    words = [word for word in shlex.split(line, comments=True) if "…" not in word]
    end = next(
        (place for place, word in enumerate(words) if word in {"&", "&&", "|", "||", ">"}),
        len(words),
    )
    start = next(
        place
        for place, word in enumerate(words)
        if word != "time" and not re.match(r"[A-Z_]+=", word)
    )
    return words[start:end]


def parse(
    command: click.Command, name: str, words: list[str], is_whole: bool
) -> click.Context | None:
    """Parse the words of a command with click; None if it is not whole and names a command without its arguments."""
    while isinstance(command, click.Group):
        if not words:
            return None
        if words[0] in {
            option for param in command.params for option in param.opts
        }:  # flags, such as -v
            words = words[1:]
            continue
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"{name}: no command {words[0]}"
        command = found
        name = words[0]
        words = words[1:]
    try:
        return command.make_context(name, words)
    except click.MissingParameter:
        assert not is_whole
        return None
    # Of `--help`.
    except click.exceptions.Exit:
        return None


def check_kedro(kedro: click.Command, words: list[str], is_whole: bool = True) -> None:
    found = parse(kedro, "kedro", list(words), is_whole)
    if found is None:
        return
    assert found.params.get("env") in {None, *ENVIRONMENTS}
    if words[0] == "run":
        names = [*found.params["pipelines"], *filter(None, [found.params["pipeline"]])]
        assert set(names) <= set(PIPELINES)
        if found.params["params"]:
            check_parameters(names, found.params["params"], found.params["env"])


def check_parameters(names: list[str], given: dict[str, Any], env: str | None = None) -> None:
    """Build the specs of all pipelines, as a run does, and refuse parameters that the named ones don't read."""
    env = PLAIN if env is None or env in MADE else env
    assert (
        KedroSession.create(project_path=PROJECT, env=env, runtime_params=given)
        .load_context()
        .params
    )
    # A command that names several pipelines loads only those.
    pipelines.set_requested(None)
    inputs = {name for pipeline in names for name in pipelines[pipeline].inputs()} | {OF_ALL_RUNS}
    check_parameter_names(inputs, given, given)


def check_make(kedro: click.Command, words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words if "=" in word)
    targets = [word for word in words if "=" not in word]
    assert set(given) <= VARIABLES
    assert [
        target for target in targets if target not in TARGETS and not target.startswith(".venv/")
    ] == []
    assert given.get("ENV") in {None, *ENVIRONMENTS}
    if "PARAMS" in given:
        (target,) = targets
        check_kedro(
            kedro, ["run", f"--pipelines={PIPELINE_OF_TARGET[target]}", "--params", given["PARAMS"]]
        )


def check_command(kedro: click.Command, line: str, is_whole: bool) -> None:
    program, *words = split(line)
    if Path(program).name == "kedro":
        check_kedro(kedro, words, is_whole)
    elif program == "rnn-pipelines":
        parse(commands, program, words, is_whole)
    elif program == "make":
        check_make(kedro, words)
    else:
        files = [
            word for word in [program, *words] if re.match(r"(tests|benchmarks|deploy)/", word)
        ]
        assert [
            file for file in files if not (PROJECT / file).exists() and ".data" not in file
        ] == []


@pytest.mark.parametrize(
    "line",
    [
        "kedro champion rollbak forecast",
        "kedro champion rollback forcast",
        "kedro champion history forecast --lst 3",
        "kedro champion promote forecast",
        "kedro runs compare retrain_forecast",
        "kedro run --pipelines=forcast",
        "kedro run --pipelines=forecast --env=tset",
        "kedro run --pipelines=forecast --params forecast.window.horizn=3",
        "kedro run --pipelines=forecast --params forecast.window.horizon=0",
        "kedro run --pipelines=forecast --params sentiment.training.seed=1",
        "kedro viz runn",
        "make forcast",
        "make forecast PARMS=forecast.window.horizon=3",
        'make forecast PARAMS="forecast.window.horizon=x"',
        ".venv/bin/pytest tests/test_no.py",
    ],
)
def test_wrong_commands_are_refused(kedro: click.Command, line: str) -> None:
    with pytest.raises(
        (AssertionError, click.ClickException, ParameterValidationError, ParameterError)
    ):
        check_command(kedro, line, is_whole=True)


def test_commands_are_accepted(document: Path, kedro: click.Command) -> None:
    for line in list_shown(document):
        check_command(kedro, line, is_whole=True)
    for line in list_named(document):
        check_command(kedro, line, is_whole=False)


def test_parameters_are_accepted(document: Path, kedro: click.Command) -> None:
    for span in filter(ASSIGNMENTS.fullmatch, list_spans(read_text(document))):
        # What is said of columns is for a table of the reader's own.
        own = f"{span.partition('.')[0]}.source.path=my.csv," if ".source." in span else ""
        found = parse(kedro, "kedro", ["run", "--params", own + span], is_whole=True)
        assert found is not None
        check_parameters(list(PIPELINES), found.params["params"])


def test_yaml_is_accepted(document: Path) -> None:
    """Of each block whose outermost names are pipelines."""
    for block in list_parameter_models(read_text(document)):
        given = yaml.safe_load(block.text) if block.language == "yaml" else None
        if isinstance(given, dict) and set(given) <= set(PIPELINES):
            check_parameters(list(PIPELINES), given)


def test_environments_exist(document: Path) -> None:
    assert set(re.findall(r"(?:--env[= ]|ENV=)(\w+)", read_text(document))) <= {
        *ENVIRONMENTS,
        METAVAR,
    }


def test_wrong_yaml_is_refused() -> None:
    with pytest.raises((ParameterValidationError, ParameterError)):
        check_parameters(list(PIPELINES), yaml.safe_load("forecast: {source: {pth: my.csv}}"))


def test_deployed_commands_are_found() -> None:
    # Or the test above could not fail.
    found = {line for path in DEPLOYED for line in list_deployed(path.read_text(), "forecast")}
    assert {"champion check forecast", "champion retrain forecast --wait=600"} <= found
    assert {"run --pipelines=predict_forecast", "run --pipelines=monitor_forecast"} <= found


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: path.name)
@pytest.mark.parametrize("task", ["forecast", "sentiment"])
def test_commands_of_deploy_are_accepted(path: Path, task: str, kedro: click.Command) -> None:
    """With the task in place of variables; options that variables hold are left out."""
    for line in list_deployed(path.read_text(), task):
        check_kedro(kedro, shlex.split(line))


def list_deployed(text: str, task: str) -> Iterator[str]:
    text = re.sub(r'"?\$\{?\w+:-(\w+)\}"?', r"\1", text)
    for step in ("predict", "monitor"):
        filled = re.sub(r"\$task|\{task\}", task, text.replace("{step}", step))
        for match in re.finditer(
            r"kedro\}? ((?:champion|run|runs) (?:[^\n|&{]*[^\n|&{\s`])?)", filled
        ):
            yield match[1] if match[1].count('"') % 2 == 0 else match[1].rstrip('",')


def test_python_uses_names_that_exist(document: Path) -> None:
    known = {*dir(builtins), *GIVEN}
    for block in list_parameter_models(read_text(document)):
        if block.is_python and document.suffix != ".ipynb":
            tree = ast.parse(block.text)
            check_imports(tree)
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
            known |= {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
            known |= {*list_imports(tree), *list_defined(tree)}
            assert {node.id for node in nodes} <= known
            check_calls(tree)


def list_imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def list_defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from (node.name, *(argument.arg for argument in node.args.args))


def check_imports(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "rnn_pipelines":
            assert [
                alias.name for alias in node.names if not hasattr(rnn_pipelines, alias.name)
            ] == []


def check_calls(tree: ast.AST) -> None:
    """Make each object of the interface whose arguments are written out, and look for each method of the objects."""
    for node in ast.walk(tree):
        is_made = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in INTERFACE
        )
        if is_made and all(
            name.id in INTERFACE for name in ast.walk(node) if isinstance(name, ast.Name)
        ):
            eval(compile(ast.Expression(node), "document", "eval"), INTERFACE)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            kind = OBJECTS.get(node.value.id)
            assert kind is None or hasattr(INTERFACE[kind], node.attr), f"{kind} has no {node.attr}"
