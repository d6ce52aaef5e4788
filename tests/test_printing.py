"""What commands print and log has no control characters but our own line breaks, and none of it goes another way."""

import ast
import importlib
import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml
from kedro.io import DatasetError
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.champion.tables import format_table
from rnn_pipelines.cli import run_command
from rnn_pipelines.cli.run_command import show_plainly
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out
from rnn_pipelines.printing import (
    LineFormatter,
    escape_log,
    print_json,
    print_text,
    rewrite_messages,
    write_list,
)
from rnn_pipelines.report.figures import write_label
from rnn_pipelines.report.terminal import align_columns, wrap_lines

# What clears a line, opens a link, goes back to its beginning, begins another, turns its direction, or ends a string.
HOSTILE = (
    "a\x1b[2K\x1b]8;;http://b\x1b\\c\x07\r\nforecast: ok\x85\u2028\u202e\u2066\x9b31m\x7f\ud800\0b"
)


def is_plain(text: str) -> bool:
    """Whether it is one line that a terminal shows as it stands."""
    return text.isprintable()


def test_lines_are_printed_as_they_are_but_for_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_text(f"one\n{HOSTILE}", is_error=True)
    lines = capsys.readouterr().err.splitlines()
    assert (lines[0], lines[2][:12], len(lines)) == ("one", "forecast: ok", 3)
    assert all(map(is_plain, lines))


def test_entries_of_a_list_are_one_line() -> None:
    assert len(write_list(HOSTILE, [HOSTILE, 2]).split("\n")) == 3


def test_rows_of_a_table_are_one_line() -> None:
    for table in (format_table, align_columns):
        lines = table([("name", "number"), (HOSTILE, "1")]).split("\n")
        assert (len(lines), [*map(is_plain, lines)]) == (2, [True, True])


def test_wrapped_lines_are_plain() -> None:
    assert all(map(is_plain, wrap_lines(HOSTILE).split("\n")))


def test_labels_have_no_markup() -> None:
    label = write_label("<a href='http://b'>a</a>\x1b\n&lt;b&gt;")
    assert label == "&lt;a href='http://b'&gt;a&lt;/a&gt;\\x1b &amp;lt;b&amp;gt;"


def test_json_holds_the_text_itself(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"id": HOSTILE})
    said = capsys.readouterr().out
    assert all(map(is_plain, said.splitlines()))
    assert json.loads(said) == {"id": HOSTILE}


@pytest.fixture
def log() -> tuple[logging.Logger, io.StringIO]:
    logger = logging.Logger("of a test")
    stream = io.StringIO()
    logger.addHandler(logging.StreamHandler(stream))
    logger.handlers[0].setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    return logger, stream


def test_a_message_of_the_log_is_one_plain_line(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    escape_log(logger.handlers)
    logger.warning("%s: left out", HOSTILE)
    said = stream.getvalue()
    assert (said.count("\n"), said[:9], said[-11:], is_plain(said[:-1])) == (
        1,
        "WARNING a",
        ": left out\n",
        True,
    )


def test_a_traceback_of_the_log_is_indented(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    escape_log(logger.handlers)
    said = stream.getvalue()
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logger.exception("it failed")
    first, *rest = stream.getvalue().removeprefix(said).removesuffix("\n").split("\n")
    assert (first, rest[0]) == ("ERROR it failed", "  Traceback (most recent call last):")
    assert [line for line in rest if not line.startswith("  ") or not is_plain(line)] == []


def test_other_handlers_see_the_message_as_it_is(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    escape_log(logger.handlers)
    said = stream.getvalue()
    seen = list[logging.LogRecord]()
    logger.addHandler(
        type("Seen", (logging.Handler,), {"emit": lambda _, record: seen.append(record)})()
    )
    logger.warning("%s", "a\nb")
    assert (stream.getvalue().removeprefix(said), seen[0].getMessage()) == ("WARNING a b\n", "a\nb")


def test_a_log_is_escaped_once(log: tuple[logging.Logger, io.StringIO]) -> None:
    handler = log[0].handlers[0]
    escape_log([handler, None])
    form = handler.formatter
    escape_log([handler])
    assert (handler.formatter is form, isinstance(form, LineFormatter)) == (True, True)


def test_log_of_another_process_is_escaped_too(capfd: pytest.CaptureFixture[str]) -> None:
    warn = logging.getLogger("rnn_pipelines").warning
    assert len([*fan_out(warn, [f"left out: {HOSTILE}"] * 2, ParallelSpec(workers=2))]) == 2
    lines = [line for line in capfd.readouterr().err.split("\n") if "left out" in line]
    assert (len(lines), [*map(is_plain, lines)]) == (2, [True, True])


# In a session, in a command of the project, and in a process of `ParallelRunner`.
SESSION = "from kedro.framework.session import KedroSession; KedroSession.create(Path.cwd()).load_context()"
COMMAND = "PlainErrors(commands={'a': click.Command('a')}).main(['a'], standalone_mode=False)"
WORKER = "settings.HOOKS[1].before_node_run(SimpleNamespace(name='a'))"


@pytest.mark.parametrize("start", [SESSION, COMMAND, WORKER])
def test_log_of_commands_is_escaped(project: Path, start: str) -> None:
    code = (
        "import click, logging; from pathlib import Path; from types import SimpleNamespace; "
        "from kedro.framework.startup import bootstrap_project; "
        "from kedro.framework.project import settings; bootstrap_project(Path.cwd()); "
        f"from rnn_pipelines.cli.run_command import PlainErrors; {start}; "
        "logging.getLogger('kedro').warning(chr(27) + chr(10) + 'ERROR all is lost')"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=project, check=True, capture_output=True, text=True
    )
    assert finished.stderr.endswith(r" WARNING \x1b ERROR all is lost" + "\n")


def test_settings_change_nothing_when_they_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = logging.StreamHandler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    importlib.reload(importlib.import_module("rnn_pipelines.settings"))
    assert handler.formatter is None


@pytest.mark.parametrize("error", [DatasetError(HOSTILE), OSError(HOSTILE), RuntimeError(HOSTILE)])
def test_error_that_a_user_meets_is_one_line(error: Exception) -> None:
    """The last one as a library that reads `conf` raises it."""
    code = compile("raise error", "conf", "exec")
    with pytest.raises(click.ClickException) as caught, show_plainly():
        exec(code, {"error": error, "__name__": "omegaconf"})
    assert is_plain(caught.value.message)


def count_series(source: SourceSpec) -> int:
    return len(source.series)


@pytest.mark.parametrize(
    ("names", "named"), [((), "forecast.source.tz"), (("empty",), "source.tz")]
)
def test_run_names_parameters_as_said(
    names: tuple[str, ...], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Pipeline([Node(count_series, "params:forecast.source", "a", name="read")])
    monkeypatch.setattr(run_command, "pipelines", {"__default__": read, "empty": Pipeline([])})
    with pytest.raises(click.ClickException) as caught, show_plainly(names):
        raise SeriesError("Set source.tz.")
    assert caught.value.message == f"Set {named}."


def find_calls(project: Path) -> list[tuple[str, str]]:
    """Module and name of each call in the project's code."""
    root = project / "src/rnn_pipelines"
    return [
        (str(path.relative_to(root)), ast.unparse(node.func))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]


def test_messages_are_those_of_the_outermost_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("rnn_pipelines.anything")

    def fail() -> None:
        logging.getLogger("another").warning("give tz")
        with rewrite_messages(str.upper):
            log.warning("name %s", "tz")
            raise SeriesError("give tz")

    with (
        pytest.raises(SeriesError, match=r"^give --tz$"),
        rewrite_messages(lambda text: text.replace("tz", "--tz")),
    ):
        fail()
    log.warning("name tz")
    assert [record.getMessage() for record in caplog.records] == ["give tz", "name --tz", "name tz"]


def test_all_is_printed_in_one_place(project: Path) -> None:
    """The bars of progress go their own way; they show names of networks and tasks alone."""
    ways = {"print", "pprint", "click.echo", "click.secho", "echo", "warnings.warn"}
    ways |= {"sys.stdout.write", "sys.stderr.write"}
    # The program of an export runs without the project, which only copies it.
    found = [
        call
        for call in find_calls(project)
        if call[1] in ways and call[0] != "forecast/export/program.py"
    ]
    assert found == [("printing.py", "print")] * 2


def test_handlers_of_the_log_are_set_in_one_place(project: Path) -> None:
    ways = {"addHandler", "setFormatter", "StreamHandler", "basicConfig", "dictConfig"}
    # The console has no settings of Kedro for its log. Records of other processes are handled, and escaped, here.
    assert sorted(call for call in find_calls(project) if call[1].rpartition(".")[2] in ways) == [
        ("console/main.py", "logging.basicConfig"),
        ("networks/beside.py", "package_logger.addHandler"),
        ("printing.py", "handler.setFormatter"),
    ]


def test_settings_of_the_log_escape_every_handler(project: Path) -> None:
    # Those that the settings escape.
    settings = yaml.safe_load((project / "conf/logging.yml").read_text())
    assert [name for name, logger in settings["loggers"].items() if "handlers" in logger] == []
    assert settings["root"]["handlers"] == [*settings["handlers"]]
