"""The commands of `rnn-pipelines` are imported when they are called."""

import logging
from typing import Any

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from rnn_pipelines.console.lazy import LazyCommand
from rnn_pipelines.console.main import OF_COLUMNS, commands
from rnn_pipelines.forecast.source.column_choice import log_columns


@pytest.mark.parametrize("command", commands.commands.values(), ids=list(commands.commands))
def test_summary_of_a_command_is_the_first_sentence_of_its_help(command: LazyCommand) -> None:
    assert command.get_short_help_str(1000) == command.load().get_short_help_str(1000)


def test_help_of_a_command_is_its_own() -> None:
    shown = CliRunner().invoke(commands, ["homework", "--help"]).output
    assert "--max-seconds" in shown


def test_the_line_of_the_columns_is_logged_where_the_program_shows_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    columns = {"time": "day", "id": None, "series": [], "unread": []}
    profile: Any = {"columns": columns, "target": "sales", "freq": "D", "source": "shop.csv"}
    with caplog.at_level(logging.INFO):
        log_columns(profile)
    assert [record.name for record in caplog.records] == [OF_COLUMNS[0]]


def test_a_shell_completes_the_options_of_a_command() -> None:
    shell = BashComplete(commands, {}, "rnn-pipelines", "_RNN_PIPELINES_COMPLETE")
    completed = [item.value for item in shell.get_completions(["homework"], "--max")]
    assert completed == ["--max-seconds"]
