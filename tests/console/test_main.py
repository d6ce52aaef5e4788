"""The commands of `rnn-pipelines` are imported when they are called."""

import pytest
from click.testing import CliRunner

from rnn_pipelines.console.lazy import LazyCommand
from rnn_pipelines.console.main import commands


@pytest.mark.parametrize("command", commands.commands.values(), ids=list(commands.commands))
def test_summary_of_a_command_is_the_first_sentence_of_its_help(command: LazyCommand) -> None:
    assert command.get_short_help_str(1000) == command.load().get_short_help_str(1000)


def test_help_of_a_command_is_its_own() -> None:
    shown = CliRunner().invoke(commands, ["homework", "--help"]).output
    assert "--max-seconds" in shown
