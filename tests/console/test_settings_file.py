"""Options of commands from `rnn-pipelines.toml` in the current folder."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from rnn_pipelines.console.main import commands
from rnn_pipelines.console.settings import Command, set_option
from rnn_pipelines.errors import ParameterError

Call = Callable[..., Any]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return the options that a command receives with a content of the file and words of the command line."""
    monkeypatch.chdir(tmp_path)
    received: dict[str, Any] = {}

    @click.command("forecast", cls=Command)
    @click.option("--horizon", "-H", type=int)
    @click.option("--lookback", type=int)
    @click.option("--target")
    @click.option("--level", type=int, multiple=True, default=(80, 95))
    @click.option("--json", "as_json", is_flag=True)
    @set_option("a forecast", "training.seed=1")
    def command(**options: Any) -> None:
        received.update(options)

    group = click.Group(commands=[command, click.Command("predict")])

    def invoke(content: str, *words: str) -> dict[str, Any]:
        Path("rnn-pipelines.toml").write_text(content, encoding="utf-8")
        CliRunner().invoke(group, ["forecast", *words], catch_exceptions=False)
        return received

    return invoke


def test_options_of_the_file_are_defaults(call: Call) -> None:
    received = call("[forecast]\nhorizon = 14\nlevel = [80]\njson = true")
    assert (received["horizon"], received["level"], received["as_json"]) == (14, (80,), True)


def test_options_of_the_command_line_win(call: Call) -> None:
    assert call("[forecast]\nhorizon = 14", "--horizon", "7")["horizon"] == 7


def test_one_value_stands_for_a_list(call: Call) -> None:
    assert call("[forecast]\nlevel = 90")["level"] == (90,)


@pytest.mark.parametrize(
    "content",
    ['[forecast.set]\n"training.seed" = 1', "[forecast.set.training]\nseed = 1"],
)
def test_settings_are_a_table(call: Call, content: str) -> None:
    assert call(content)["settings"] == ("training.seed=1",)


def test_settings_of_the_command_line_follow_those_of_the_file(call: Call) -> None:
    received = call('[forecast.set]\n"training.seed" = 1', "--set", "training.seed=2")
    assert received["settings"] == ("training.seed=1", "training.seed=2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "[forecast]\nhorizn = 1",
            "rnn-pipelines.toml: forecast.horizn: no such option. .*'horizon'",
        ),
        ("[forcast]\nhorizon = 1", "rnn-pipelines.toml: forcast: no such command. .*'forecast'"),
        ("horizon = 1", "rnn-pipelines.toml: horizon: no such command"),
        ("predict = 1", r"predict: expected a table of options, \[predict\], received 1"),
        ("[forecast]\nhorizon = 'a'", "forecast.horizon: 'a' is not a valid integer"),
        ("[forecast]\nset = 1", "forecast.set: expected a table"),
        ("[forecast", "rnn-pipelines.toml: it can't be read as TOML"),
    ],
)
def test_a_mistake_in_the_file_is_refused(call: Call, content: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        call(content)


def test_a_line_of_the_log_names_the_options_of_the_file(
    call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        call("[forecast]\nhorizon = 14")
    assert caplog.messages == ["rnn-pipelines.toml: forecast with horizon = 14"]


def test_log_shows_letters_as_in_the_file(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        call("[forecast]\ntarget = 'Erlös'")
    assert caplog.messages == ['rnn-pipelines.toml: forecast with target = "Erlös"']


@pytest.mark.parametrize(
    ("key", "hint"),
    [("epochs", r"'training.max_steps' in \[forecast.set\]"), ("input-size", "'lookback'")],
)
def test_a_key_of_another_library_gets_ours(call: Call, key: str, hint: str) -> None:
    with pytest.raises(
        ParameterError, match=f"forecast.{key}: no such option. Did you mean {hint}"
    ):
        call(f"[forecast]\n{key} = 5")


@pytest.mark.parametrize(
    ("word", "hint"), [("--epochs", "--set training.max_steps=…"), ("--input-size", "--lookback")]
)
def test_an_option_of_another_library_gets_ours(call: Call, word: str, hint: str) -> None:
    with pytest.raises(ParameterError, match=f"{word}: no such option. Did you mean {hint}"):
        call("", word, "5")


@pytest.mark.parametrize(
    ("content", "start"),
    [("[forecast]\nhorizon = -1", "--horizon"), ("[forecast.set]\nepochs = 5", "epochs")],
)
def test_an_error_names_the_file_with_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, start: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rnn-pipelines.toml").write_text(content)
    Path("x.csv").write_text("ds,y\n2024-01-01,1\n2024-01-02,2\n")
    with pytest.raises(ParameterError, match=f"^rnn-pipelines.toml: {start}: "):
        commands.main(["forecast", "x.csv"], standalone_mode=False)
