"""What the DAGs call exists, and bad configuration ends with what to do. Without Airflow: stand-ins take its place."""

import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

from rnn_pipelines.cli.champion import champion, run
from rnn_pipelines.console.part import part
from rnn_pipelines.pipelines.names import TASKS

NIGHT = datetime(2024, 3, 1, 2, 30, tzinfo=UTC)
END = "2024-03-01T02:30:00+00:00"

AIRFLOW = re.compile(r"^\s*(?:from|import) airflow\b", re.MULTILINE)

Load = Callable[..., dict[str, Any]]


@pytest.fixture
def dags(tmp_path: Path, project: Path) -> Path:
    """The file of the DAGs in a project whose environment is installed."""
    path = tmp_path / "project/deploy/airflow/rnn_pipelines_nights.py"
    source = tmp_path / "project/src/rnn_pipelines"
    retrainings = [source / f"pipelines/retrain_{task}/pipeline.py" for task in TASKS]
    for file in (path, tmp_path / "project/.venv/bin/kedro", source / "__init__.py", *retrainings):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o755)
    path.write_text((project / "deploy/airflow" / path.name).read_text())
    return path


@pytest.fixture
def load(dags: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Reads the file of the DAGs as Airflow does, with settings in the environment; returns what it defines."""
    for name in (
        "airflow",
        "airflow.sdk",
        *(f"airflow.providers.standard.operators.{kind}" for kind in ("bash", "empty")),
    ):
        monkeypatch.setitem(sys.modules, name, MagicMock())

    def load_file(path: Path = dags, **settings: str) -> dict[str, Any]:
        for name in (
            "KEDRO_ENV",
            *(
                f"RNN_PIPELINES_{key}"
                for key in ("PROJECT", "TASKS", "SCHEDULE", "LAG_HOURS", "PARTS")
            ),
        ):
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(f"RNN_PIPELINES_{name}", value)
        return runpy.run_path(str(path))

    return load_file


def render(command: str, logical_date: datetime | None = NIGHT) -> list[str]:
    """The words of a command, as Airflow fills in its template."""
    environment = Environment(undefined=StrictUndefined)
    environment.filters["ts"] = lambda value: value.isoformat()
    template = environment.from_string(command)
    run = SimpleNamespace(logical_date=logical_date)
    return shlex.split(template.render(dag_run=run, macros=SimpleNamespace(timedelta=timedelta)))


def parse_run(words: list[str]) -> dict[str, Any]:
    assert words[:2] == [".venv/bin/kedro", "run"]
    options = takewhile(lambda word: word != "||", words[2:])
    return run.make_context("run", list(options)).params


def parse_champion(words: list[str]) -> tuple[str, dict[str, Any]]:
    assert words[:2] == [".venv/bin/kedro", "champion"]
    return words[2], champion.commands[words[2]].make_context(words[2], words[3:]).params


def test_every_task_has_a_night(load: Load) -> None:
    ids = [call.kwargs["dag_id"] for call in load()["DAG"].call_args_list]
    assert ids == ["rnn_pipelines_forecast", "rnn_pipelines_sentiment"]


def test_tasks_are_found_by_their_retrainings(load: Load) -> None:
    assert tuple(load()["find_tasks"]()) == TASKS


def test_nights_can_be_of_one_task(load: Load) -> None:
    loaded = load(TASKS="sentiment")
    assert [task for task in TASKS if f"rnn_pipelines_{task}" in loaded] == ["sentiment"]


def test_a_night_has_the_steps_of_the_script(load: Load) -> None:
    assert list(load()["list_commands"]("forecast")) == ["retrain", "predict", "monitor", "check"]


def test_pipelines_of_a_night_exist(load: Load, project: Path) -> None:
    commands = [
        load()["list_commands"](task)[step] for task in TASKS for step in ("predict", "monitor")
    ]
    named = [parse_run(render(command))["pipelines"][0] for command in commands]
    assert [
        name
        for name in named
        if not (project / f"src/rnn_pipelines/pipelines/{name}/pipeline.py").exists()
    ] == []


def test_a_run_by_hand_has_no_day(load: Load) -> None:
    commands = load()["list_commands"]("forecast")
    assert parse_champion(render(commands["retrain"], None))[1]["as_of"] is None
    assert [
        parse_run(render(commands[step], None))["params"] for step in ("predict", "monitor")
    ] == [{}, {}]


def test_a_lag_moves_the_day_of_a_retraining(load: Load) -> None:
    command = load(LAG_HOURS="24")["list_commands"]("forecast")["retrain"]
    assert parse_champion(render(command))[1]["as_of"] == "2024-02-29T02:30:00+00:00"


def test_a_check_fails_at_an_alarm(load: Load) -> None:
    words = render(load()["list_commands"]("forecast")["check"])
    assert parse_champion(words[:4])[0] == "check"
    test = " ".join(words[5:])
    codes = (0, 1, 10, 11, 20, 75)
    results = [
        subprocess.run(["bash", "-c", f"(exit {code}) || {test}"], check=False).returncode
        for code in codes
    ]
    assert [code for code, result in zip(codes, results, strict=True) if result == 0] == [0, 10, 11]


def test_prediction_with_an_alarm_is_not_repeated(load: Load) -> None:
    """The check reports it."""
    words = render(load()["list_commands"]("forecast")["predict"])
    test = " ".join(words[words.index("||") + 1 :])
    codes = (0, 1, 2, 20, 75)
    results = [
        subprocess.run(["bash", "-c", f"(exit {code}) || {test}"], check=False).returncode
        for code in codes
    ]
    assert [code for code, result in zip(codes, results, strict=True) if result == 0] == [0, 20]


@pytest.mark.parametrize("task", TASKS)
def test_retraining_ends_at_the_logical_date(load: Load, task: str) -> None:
    name, given = parse_champion(render(load()["list_commands"](task)["retrain"]))
    assert (name, given["task"], given["as_of"], given["wait"]) == ("retrain", task, END, 600)


@pytest.mark.parametrize("step", ["predict", "monitor"])
def test_both_later_steps_end_at_the_logical_date(load: Load, project: Path, step: str) -> None:
    given = parse_run(render(load()["list_commands"]("forecast")[step]))
    assert given["pipelines"] == [f"{step}_forecast"]
    assert given["params"] == {f"{step}_forecast": {"as_of": END}}
    parameters = yaml.safe_load((project / f"conf/base/parameters_{step}_forecast.yml").read_text())
    assert "as_of" in parameters[f"{step}_forecast"]


@pytest.mark.parametrize("step", ["predict", "monitor"])
def test_texts_have_no_end(load: Load, step: str) -> None:
    given = parse_run(render(load()["list_commands"]("sentiment")[step]))
    assert (given["pipelines"], given["params"]) == ([f"{step}_sentiment"], {})


def test_a_linked_file_finds_its_project(load: Load, dags: Path, tmp_path: Path) -> None:
    link = tmp_path / "dags/link.py"
    link.parent.mkdir()
    link.symlink_to(dags)
    assert load(link)["find_project"]() == (tmp_path / "project").resolve()


def test_a_copy_needs_the_name_of_its_project(load: Load, dags: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.py"
    copy.write_text(dags.read_text())
    with pytest.raises(
        FileNotFoundError, match=r"expected the folder of RNN Pipelines.*RNN_PIPELINES_PROJECT"
    ):
        load(copy)


def test_a_copy_finds_the_project_that_is_named(load: Load, dags: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.py"
    copy.write_text(dags.read_text())
    assert load(copy, PROJECT=str(tmp_path / "project"))["find_project"]() == tmp_path / "project"


def test_missing_environment_says_how_to_get_it(load: Load, tmp_path: Path) -> None:
    (tmp_path / "project/.venv/bin/kedro").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"\.venv/bin/kedro: no such command\. Run `make install` in "
    ):
        load()


def test_unknown_task_names_the_known_ones(load: Load) -> None:
    with pytest.raises(
        ValueError,
        match="RNN_PIPELINES_TASKS: expected some of forecast, sentiment, received 'weather'",
    ):
        load(TASKS="forecast, weather")


@pytest.mark.parametrize("lag", ["-1", "a day", "1.5"])
def test_lag_is_no_look_ahead(load: Load, lag: str) -> None:
    with pytest.raises(
        ValueError, match="RNN_PIPELINES_LAG_HOURS: expected a whole number of hours, 0 or more"
    ):
        load(LAG_HOURS=lag)


def test_nothing_of_the_project_imports_airflow(project: Path) -> None:
    sources = [path for path in (project / "src").rglob("*.py") if AIRFLOW.search(path.read_text())]
    assert sources == []
    assert "airflow==" not in (project / "requirements.lock").read_text()


def test_parts_are_mapped_between_fit_and_join(load: Load, dags: Path, project: Path) -> None:
    path = dags.with_name("rnn_pipelines_parts.py")
    path.write_text((project / "deploy/airflow" / path.name).read_text())
    loaded = load(path, PARTS="3")
    parse_run(shlex.split(loaded["COMMANDS"]["fit"]))
    (mapped,) = loaded["BashOperator"].partial.return_value.expand.call_args_list
    given = [
        part.make_context("part", command.split()[2:]) for command in mapped[1]["bash_command"]
    ]
    assert [context.params["index"] for context in given] == [0, 1, 2]
    order = [loaded[name] for name in ("fit", "parts", "join", "publish")]
    assert list(loaded["chain"].call_args.args) == order
