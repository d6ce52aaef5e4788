"""`kedro runs` tells people and programs which runs there are, also where there is none, or one is damaged."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from rnn_pipelines import runs_command
from rnn_pipelines.errors import RunError
from rnn_pipelines.runs.room import Room, open_run, publish


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """In the place of the project's."""
    room = Room(tmp_path, "forecast")
    monkeypatch.setattr(runs_command, "find_room", lambda pipeline, env: room)
    return room


@pytest.fixture
def names(room: Room) -> list[str]:
    """Of two runs, of which the first one has a damaged record."""
    names = []
    for _ in range(2):
        run = open_run(room, [], needed=None)
        run.folder.joinpath("08_reporting").mkdir()
        publish(run, {"run": run.name})
        names.append(run.name)
    (room.folder / names[0] / "run.json").write_text("{")
    return names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(runs_command.runs, arguments)


@pytest.mark.parametrize(("option", "expected"), [((), "forecast: no runs yet\n"), (("--json",), "[]\n")])
def test_list_is_empty_before_the_first_run(room: Room, option: tuple[str, ...], expected: str) -> None:
    found = run("list", "forecast", *option)
    assert (found.exit_code, found.output) == (0, expected)


def test_list_says_which_run_is_damaged(names: list[str]) -> None:
    found = run("list", "forecast")
    assert (found.exit_code, len(found.output.splitlines())) == (0, 3)
    assert f"{names[0]}/run.json: it is damaged" in found.output


def test_programs_are_told_so_too(names: list[str]) -> None:
    found = json.loads(run("list", "forecast", "--json").output)
    assert [(record["run"], "problem" in record) for record in found] == [(names[0], True), (names[1], False)]


@pytest.mark.parametrize("command", ["show", "compare"])
def test_other_commands_end_with_what_is_damaged(names: list[str], command: str) -> None:
    found = run(command, "forecast", *names[: 1 if command == "show" else 2])
    assert found.exit_code == 1
    assert found.output.startswith("Error: ")
    assert f"{names[0]}/run.json: it is damaged" in found.output


def test_no_runs_are_looked_for_on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

        def load_context(self) -> SimpleNamespace:
            return SimpleNamespace(config_loader={"globals": {"data_root": "s3://bucket"}}, project_path=Path())

    monkeypatch.setattr(runs_command, "KedroSession", SimpleNamespace(create=lambda env: Session()))
    with pytest.raises(RunError, match=r"no runs are kept, because globals\.data_root leads"):
        runs_command.find_room("forecast", None)
