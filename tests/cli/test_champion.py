"""`kedro champion` does what it says, says it to people and programs, and loads nothing that trains."""

import fcntl
import json
import logging
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from click import Context
from click.testing import CliRunner, Result
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from rnn_pipelines.champion import history
from rnn_pipelines.champion.history import add_record, list_records
from rnn_pipelines.champion.outcome import record_failure
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.cli import champion as cli
from rnn_pipelines.cli import run_command
from rnn_pipelines.connectors.mlflow import publication
from rnn_pipelines.connectors.mlflow.publication import Publication
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec
from rnn_pipelines.errors import SeriesError, TrackingError
from rnn_pipelines.forecast.model.packing import pack
from rnn_pipelines.hooks.paths import Paths, fingerprint_newest

HEAVY = re.compile(r"\| +(tensorflow|keras|sklearn|mlflow)$", re.MULTILINE)
# What is light beside these, and half of a second for who asks only what is on record.
TABLES = re.compile(r"\| +(numpy|pandas|pyarrow|plotly)$", re.MULTILINE)
COMMANDS = [
    "audit",
    "check",
    "explain-change",
    "export",
    "history",
    "promote",
    "prune",
    "publish",
    "report",
    "retrain",
    "rollback",
    "show",
]
SINCE = "2026-01-31T02:00:00+00:00"

Run = Callable[..., Result]


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A task without anything, in the place of the project's."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    paths = Paths(champion=tmp_path / "forecast", verdict=tmp_path / "verdict.json")
    monkeypatch.setattr(cli, "find_paths", lambda task, env: paths)
    monkeypatch.setattr(cli, "find_paths_in", lambda session, task: paths)
    return paths


@pytest.fixture
def store(paths: Paths) -> ChampionStore:
    """With two champions, one after another, and a version that was kept back."""
    store = paths.store
    for outcome in ("promoted", "promoted", "kept"):
        version = store.add_version({"model": outcome.encode()})
        if outcome == "promoted":
            store.promote(version, ["it is better"], SINCE)
        record = {
            "kind": "retrain",
            "at": SINCE,
            "outcome": outcome,
            "is_promoted": outcome == "promoted",
        }
        add_record(
            store.folder, {**record, "version": version, "reasons": [f"{outcome} by the policy"]}
        )
    return store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["champion", *arguments])


def find_champion(store: ChampionStore) -> str:
    pointer = store.read_pointer()
    assert pointer is not None
    return pointer.version


def test_kedro_run_stays_as_it_is_but_for_its_errors() -> None:
    command: Any = find_run_command("rnn_pipelines")
    assert command.callback is kedro_run.callback
    added = ["wait_seconds", "is_verbose"]
    assert [option.name for option in command.params] == [
        *(option.name for option in kedro_run.params),
        *added,
    ]


def test_kedro_finds_the_run_of_the_project(project: Path) -> None:
    assert KedroCLI(project).get_command(Context(cli.cli), "run") is run_command.run
    bootstrap_project(project)
    result = CliRunner().invoke(run_command.run, ["--pipelines=compare,sentiment"])
    assert (result.exit_code, "(draw_figures, render_report)" in result.stderr) == (1, True)


def end_run(
    monkeypatch: pytest.MonkeyPatch, project: Path, error: Exception, *arguments: str
) -> Result:
    """Calls `kedro run` of a session that ends with an error."""
    bootstrap_project(project)
    monkeypatch.setattr(KedroSession, "run", Mock(side_effect=error))
    return CliRunner().invoke(run_command.run, arguments)


def test_error_of_a_user_ends_a_run_with_its_message_alone(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    result = end_run(monkeypatch, project, SeriesError("my.csv: row 3 is odd"))
    assert (result.exit_code, result.stderr) == (1, "Error: my.csv: row 3 is odd\n")


@pytest.mark.parametrize(
    ("error", "arguments"),
    [(SeriesError("my.csv: row 3 is odd"), ["--verbose"]), (ZeroDivisionError("a fault"), [])],
    ids=["asked for", "fault of the program"],
)
def test_traceback_stays(
    monkeypatch: pytest.MonkeyPatch, project: Path, error: Exception, arguments: list[str]
) -> None:
    assert end_run(monkeypatch, project, error, *arguments).exception is error


@pytest.mark.parametrize("option", ["--pipelines", "--pipeline"])
def test_misspelt_pipeline_is_refused_with_the_name_that_was_meant(option: str) -> None:
    result = CliRunner().invoke(run_command.run, [f"{option}=forcast"])
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: There is no pipeline 'forcast'. Did you mean 'forecast'?\n",
    )


def call_run(project: Path, *arguments: str) -> Result:
    bootstrap_project(project)
    return CliRunner().invoke(run_command.run, ["--pipelines=forecast", "--env=test", *arguments])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--from-nodes=typo", "Pipeline does not contain nodes named ['typo']."),
        ("--to-outputs=typo", "Pipeline does not contain datasets named ['typo']"),
        ("--tags=typo", "Pipeline contains no nodes after applying all provided filters."),
        ("--runner=typo", "module 'kedro.runner' has no attribute 'typo'"),
        (
            "--params=forecast.source.target=${oc.env:HOME}",
            "conf, or --params, could not be read: Unsupported",
        ),
    ],
)
def test_misspelt_option_ends_a_run_with_a_message_alone(
    project: Path, option: str, message: str
) -> None:
    result = call_run(project, option)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"Error: {message}")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--load-versions=typo", "Expected the form of 'load_versions'"),
        (
            "--params=forecast.source.time_format=%d.%m.%Y",
            "--params: a value could not be read. Put it in quotes,",
        ),
        ("--wait=nan", "Invalid value for '--wait': nan is not a number of seconds."),
    ],
)
def test_wrong_call_of_a_run_is_told(project: Path, option: str, message: str) -> None:
    result = call_run(project, option)
    assert (result.exit_code, result.stderr.splitlines()[-1].startswith(f"Error: {message}")) == (
        2,
        True,
    )


@pytest.mark.parametrize("file", ["parameters_forecast.yml", "globals.yml"])
@pytest.mark.parametrize("content", [b"\ta: 1", b"a: [", b"a: ${x}", b"- a", b"a: \xff"])
def test_file_of_conf_that_is_no_yaml_is_told(
    project: Path, tmp_path: Path, file: str, content: bytes
) -> None:
    shutil.copytree(project / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf/base" / file).write_bytes(content)
    result = call_run(project, f"--conf-source={tmp_path / 'conf'}")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Error: conf, or --params, could not be read: ")


def test_error_of_a_node_is_not_in_the_log_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kedro.pipeline.node"), run_command._hide_repeated_errors():
        logging.getLogger("kedro.pipeline.node").error("Node failed with error")
        logging.getLogger("kedro.pipeline.node").info("Running node")
    assert caplog.messages == ["Running node"]


def test_every_command_is_listed() -> None:
    assert sorted(cli.champion.commands) == COMMANDS


def test_every_command_has_the_shared_options() -> None:
    commands = cli.champion.commands.items()
    options = {
        name: {option for taken in command.params for option in taken.opts}
        for name, command in commands
    }
    assert [name for name, taken in options.items() if not taken >= {"--env", "--json"}] == []


def test_help_lists_the_shared_codes() -> None:
    assert list_codes(run("--help")) == ["0", "1", "2", "75"]


CHANGING = ["promote", "prune", "publish", "retrain", "rollback"]
CODES = {name: ["0", "1", "2", *["75"] * (name in CHANGING)] for name in COMMANDS}
FURTHER = {"check": ["0", "1", "2", "10", "11", "20"], "audit": ["0", "1", "2", "30"]}


@pytest.mark.parametrize(("command", "codes"), (CODES | FURTHER).items())
def test_help_gives_the_exit_codes(command: str, codes: list[str]) -> None:
    assert list_codes(run(command, "--help")) == codes


def list_codes(result: Result) -> list[str]:
    codes = result.stdout.partition("Exit codes:")[2].partition("Options:")[0]
    return re.findall(r"^ +(\d+) ", codes, re.MULTILINE)


def test_a_task_that_does_not_exist_is_refused() -> None:
    assert run("history", "weather").exit_code == 2


def test_a_task_without_champion_has_an_error_of_one_line(paths: Paths) -> None:
    result = run("show", "forecast")
    assert result.exit_code == 1
    assert (
        result.stderr
        == f"Error: {paths.champion}: there is no champion yet. Run kedro champion retrain.\n"
    )


@pytest.mark.usefixtures("paths")
def test_a_task_without_champion_has_no_history() -> None:
    result = run("history", "forecast")
    assert (result.exit_code, result.stdout) == (0, "forecast: nothing yet\n")


def test_an_unreadable_verdict_is_an_alarm(paths: Paths) -> None:
    paths.verdict.parent.mkdir(parents=True, exist_ok=True)
    paths.verdict.write_text("{")
    found = json.loads(run("check", "forecast", "--json").stdout)
    assert (found["verdict"], found["champion"], found["monitor"]) == ("alarm", None, None)


@pytest.mark.usefixtures("store")
def test_history_has_a_line_for_each_record() -> None:
    lines = run("history", "forecast").stdout.splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["promoted", "promoted", "kept"]


def test_history_marks_the_champion(store: ChampionStore) -> None:
    lines = run("history", "forecast").stdout.splitlines()
    assert f"{find_champion(store)[-6:]}*" in lines[2]


def test_history_as_json_has_the_records(store: ChampionStore) -> None:
    assert json.loads(run("history", "forecast", "--json").stdout) == list_records(store.folder)
    assert (
        json.loads(run("history", "forecast", "--json", "--last", "1").stdout)
        == list_records(store.folder)[-1:]
    )


def test_show_begins_with_the_champion(store: ChampionStore) -> None:
    result = run("show", "forecast")
    assert result.stdout.splitlines()[0].split() == ["version", find_champion(store)]


def test_show_as_json_has_the_version(store: ChampionStore) -> None:
    kept = store.list_versions()[-1]
    assert json.loads(run("show", "forecast", kept[-6:], "--json").stdout)["version"] == kept


@pytest.mark.usefixtures("store")
def test_a_task_without_monitor_has_its_own_code() -> None:
    result = run("check", "forecast", "--json")
    assert (result.exit_code, json.loads(result.stdout)["verdict"]) == (11, "unmonitored")


def test_fault_of_the_program_keeps_its_traceback(
    store: ChampionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChampionStore, "find_pointer", lambda _: 1 / 0)
    assert isinstance(run("show", "forecast").exception, ZeroDivisionError)


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("retrain", 10), ("alarm", 20)])
def test_check_ends_with_the_code_of_the_verdict(
    store: ChampionStore, paths: Paths, verdict: str, code: int
) -> None:
    paths.verdict.write_text(
        json.dumps(
            {
                "verdict": verdict,
                "reasons": ["seen"],
                "at": SINCE,
                "valid_until": "2999-01-01T00:00:00+00:00",
            }
        )
    )
    result = run("check", "forecast")
    assert (result.exit_code, result.stdout) == (
        code,
        f"forecast: {verdict}\n  seen (the monitor at {SINCE})\n",
    )


def test_a_lost_champion_is_an_alarm_with_its_code(store: ChampionStore) -> None:
    shutil.rmtree(store.folder / "versions" / find_champion(store))
    result = run("check", "forecast", "--json")
    assert result.exit_code == 20
    assert json.loads(result.stdout)["verdict"] == "alarm"


@pytest.fixture
def verdict(paths: Paths) -> dict[str, Any]:
    """What the monitor of a champion has written."""
    verdict = {
        "verdict": "ok",
        "reasons": [],
        "at": SINCE,
        "valid_until": "2999-01-01T00:00:00+00:00",
        "error": {"ratio": 0.5, "p_value": 0.25, "num_cutoffs": 12, "last_cutoff": "2024-01-31"},
    }
    coverage = {"newest_value": SINCE, "newest_forecast": None, "missed_steps": {"a": 0}}
    paths.verdict.write_text(json.dumps({**verdict, "coverage": coverage}))
    return verdict


@pytest.mark.usefixtures("store")
def test_check_as_json_has_the_monitor(verdict: dict[str, Any]) -> None:
    found = json.loads(run("check", "forecast", "--json").stdout)
    assert found["monitor"] == {
        "at": SINCE,
        "valid_until": verdict["valid_until"],
        "error": verdict["error"],
        "newest_value": SINCE,
        "newest_forecast": None,
    }


@pytest.mark.usefixtures("verdict")
def test_check_as_json_has_the_champion(store: ChampionStore) -> None:
    found = json.loads(run("check", "forecast", "--json").stdout)
    expected = {"version": find_champion(store), "since": store.read_pointer().since}
    assert found["champion"].items() >= expected.items()
    assert found["champion"].keys() == {*expected, "loss", "p_value", "as_of", "data"}


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("alarm", 20)])
def test_alerts_change_no_code(
    store: ChampionStore, paths: Paths, tmp_path: Path, verdict: str, code: int
) -> None:
    monitored = {
        "verdict": verdict,
        "reasons": ["seen"],
        "at": SINCE,
        "valid_until": "2999-01-01T00:00:00+00:00",
    }
    paths.verdict.write_text(json.dumps(monitored))
    file = tmp_path / "forecast.prom"
    result = run(
        "check", "forecast", f"--prometheus={file}", "--notify=http://127.0.0.1:1/x", "--json"
    )
    assert (result.exit_code, json.loads(result.stdout)["verdict"]) == (code, verdict)
    assert result.stderr.startswith("Warning: 127.0.0.1: the verdict could not be sent")
    assert (
        f'rnn_pipelines_champion_info{{task="forecast",version="{find_champion(store)}"}} 1\n'
        in file.read_text()
    )


@pytest.mark.usefixtures("store")
def test_metrics_that_cannot_be_written_leave_the_exit_code_of_an_alarm(
    tmp_path: Path, paths: Paths
) -> None:
    paths.verdict.write_text("[]")
    result = run("check", "forecast", f"--prometheus={tmp_path}/missing/forecast.prom")
    assert (
        result.exit_code,
        result.stderr.startswith("Warning: the metrics could not be written ("),
    ) == (20, True)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "127.0.0.1",
        "http://",
        "http:///x",
        "http://u:secret@x/",
        "http://x/a secret",
    ],
)
def test_verdict_is_sent_by_http_alone(url: str) -> None:
    result = run("check", "forecast", f"--notify={url}")
    assert (
        result.exit_code,
        "http:// or https://" in result.stderr,
        "secret" in result.stderr,
    ) == (2, True, False)


def test_rollback_tells_both_champions(store: ChampionStore) -> None:
    before = find_champion(store)
    result = run("rollback", "forecast", "--reason", "it forecasts nonsense")
    after = find_champion(store)
    assert after == store.list_versions()[0]
    assert (
        result.stdout
        == f"forecast: {after} is the champion, {before} was (it forecasts nonsense)\n"
    )


def test_rollback_is_on_record(store: ChampionStore) -> None:
    run("rollback", "forecast")
    record = list_records(store.folder)[-1]
    assert (record["kind"], record["task"], record["reasons"]) == (
        "rollback",
        "forecast",
        ["manual rollback"],
    )


def test_promote_makes_a_version_the_champion(store: ChampionStore) -> None:
    kept = store.list_versions()[-1]
    result = run("promote", "forecast", kept[-6:], "--json")
    assert find_champion(store) == kept
    assert json.loads(result.stdout)["version"] == kept


def test_prune_leaves_the_champion_with_the_one_before(store: ChampionStore) -> None:
    first, second, kept = store.list_versions()
    result = run("prune", "forecast", "--keep", "0")
    assert store.list_versions() == [first, second]
    assert result.stdout == f"forecast: 1 removed\n{kept}\n"


def test_prune_needs_the_number_to_keep() -> None:
    assert run("prune", "forecast").exit_code == 2


def test_prune_takes_nothing_from_a_retraining_that_runs(store: ChampionStore) -> None:
    with (store.folder / "retrain.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert run("prune", "forecast", "--keep", "0", "--wait", "0").exit_code == 75
    assert len(store.list_versions()) == 3


@pytest.mark.parametrize("arguments", [["rollback", "forecast"], ["promote", "forecast", "Z"]])
def test_manual_change_gives_up_if_another_one_does_not_end(
    store: ChampionStore, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "LOCK_SECONDS", 0)
    kept = store.list_versions()[-1]
    before = find_champion(store)
    with (store.folder / "pointer.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert (
            run(*[kept if argument == "Z" else argument for argument in arguments]).exit_code == 75
        )
    assert find_champion(store) == before


@pytest.fixture
def trained(store: ChampionStore, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was run, with which parameters; each run puts a retraining on record."""
    runs: list[dict[str, Any]] = []

    class Session(nullcontext[None]):
        def __init__(self, env: str | None, runtime_params: dict[str, Any]) -> None:
            super().__init__()
            self.env, self.runtime_params = env, runtime_params

        def run(self, pipeline_names: list[str], runner: object) -> None:
            runs.append(
                {"names": pipeline_names, "env": self.env, "parameters": self.runtime_params}
            )
            record = {
                "kind": "retrain",
                "outcome": "kept",
                "version": "v4",
                "reasons": ["no better"],
            }
            add_record(store.folder, record)

    monkeypatch.setattr(cli, "KedroSession", SimpleNamespace(create=Session))
    monkeypatch.setattr(cli, "_list_changes", lambda *_: ["other data"])
    return runs


@pytest.mark.usefixtures("trained")
def test_retraining_prints_its_outcome() -> None:
    result = run("retrain", "forecast")
    assert (result.exit_code, result.stdout) == (0, "forecast: kept v4\n  no better\n")


def test_retraining_runs_its_pipeline(trained: list[dict[str, Any]]) -> None:
    run("retrain", "forecast")
    assert trained == [{"names": ["retrain_forecast"], "env": None, "parameters": {}}]


def test_retraining_gets_the_day_with_the_environment(trained: list[dict[str, Any]]) -> None:
    run("retrain", "sentiment", "--as-of", "2026-01-31", "--env", "test")
    parameters = {"retrain_sentiment": {"as_of": "2026-01-31"}}
    assert trained == [{"names": ["retrain_sentiment"], "env": "test", "parameters": parameters}]


@pytest.mark.usefixtures("trained")
def test_a_second_retraining_leaves_after_its_wait(store: ChampionStore) -> None:
    with (store.folder / "retrain.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        result = run("retrain", "forecast", "--wait", "0.2")
    assert result.exit_code == 75
    assert (
        "retrain.lock: another process or thread still holds this lock after 0.2 s" in result.stderr
    )


def test_a_second_retraining_trains_nothing(
    store: ChampionStore, trained: list[dict[str, Any]]
) -> None:
    with (store.folder / "retrain.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        run("retrain", "forecast", "--wait", "0.2")
    assert trained == []


def test_retraining_without_news_ends_at_once(
    trained: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_list_changes", lambda *_: [])
    result = run("retrain", "forecast")
    assert trained == []
    assert (result.exit_code, result.stdout) == (
        0,
        f"forecast: nothing new since {SINCE} (kept: kept by the policy)\n",
    )


def test_retraining_without_news_can_be_forced(
    trained: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_list_changes", lambda *_: [])
    assert json.loads(run("retrain", "forecast", "--force", "--json").stdout)["outcome"] == "kept"
    assert len(trained) == 1


@pytest.mark.parametrize("is_on_record", [False, True], ids=["before the first node", "in a node"])
def test_failed_retraining_is_on_record_once(
    store: ChampionStore,
    trained: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    is_on_record: bool,
) -> None:
    """The hook puts on record what fails in a node."""

    def fail(*_: object) -> list[str]:
        if is_on_record:
            record_failure(store.folder, "forecast", SeriesError("no such file"), None)
        raise SeriesError("no such file")

    monkeypatch.setattr(cli, "_list_changes", fail)
    result = run("retrain", "forecast")
    assert (result.exit_code, result.stderr) == (1, "Error: no such file\n")
    assert [record["outcome"] for record in list_records(store.folder)[3:]] == ["failed"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The champion at each time that MLflow is told."""
    champions: list[str | None] = []

    def tell(store: ChampionStore, task: str, spec: TrackingSpec, **_: Any) -> Publication:
        pointer = store.read_pointer()
        champions.append(None if pointer is None else pointer.version)
        return Publication(2, champions[-1])

    monkeypatch.setattr(publication, "publish", tell)
    return champions


@pytest.fixture
def tracked(paths: Paths, store: ChampionStore, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """The task, where MLflow is on."""
    tracked = replace(paths, find_tracking=lambda: TrackingSpec(is_on=True))
    monkeypatch.setattr(cli, "find_paths", lambda task, env: tracked)
    monkeypatch.setattr(cli, "find_paths_in", lambda session, task: tracked)
    return tracked


def refuse() -> TrackingSpec:
    raise TrackingError("MLflow is not installed.")


@pytest.fixture
def misconfigured(tracked: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(tracked, find_tracking=refuse)
    monkeypatch.setattr(cli, "find_paths", lambda task, env: broken)
    monkeypatch.setattr(cli, "find_paths_in", lambda session, task: broken)


@pytest.mark.usefixtures("tracked")
def test_every_change_by_hand_is_published(told: list[str | None], store: ChampionStore) -> None:
    first, _, kept = store.list_versions()
    run("rollback", "forecast")
    run("promote", "forecast", kept)
    assert told == [first, kept]


@pytest.mark.usefixtures("tracked")
def test_failure_before_the_first_node_is_published(
    told: list[str | None], store: ChampionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_list_changes", Mock(side_effect=SeriesError("no such file")))
    assert run("retrain", "forecast").exit_code == 1
    assert told == [find_champion(store)]


@pytest.mark.usefixtures("told")
@pytest.mark.usefixtures("tracked")
def test_publish_prints_the_number_of_new_runs(store: ChampionStore) -> None:
    assert {"2", find_champion(store)} <= set(run("publish", "forecast").stdout.split())


@pytest.mark.usefixtures("told")
@pytest.mark.usefixtures("tracked")
def test_publish_as_json_has_the_number_of_new_runs(store: ChampionStore) -> None:
    found = {"task": "forecast", "num_runs": 2, "champion": find_champion(store)}
    assert json.loads(run("publish", "forecast", "--json").stdout) == found


def test_publish_fails_where_mlflow_is_off(told: list[str | None], store: ChampionStore) -> None:
    result = run("publish", "forecast")
    assert (result.exit_code, told) == (1, [])
    assert "conf/local/mlflow.yml" in result.stderr


@pytest.mark.usefixtures("misconfigured")
def test_rollback_is_done_though_mlflow_is_wrongly_set_up(store: ChampionStore) -> None:
    assert run("rollback", "forecast").exit_code == 0
    assert find_champion(store) == store.list_versions()[0]


@pytest.mark.usefixtures("misconfigured")
def test_retraining_fails_before_it_begins_where_mlflow_is_wrongly_set_up(
    store: ChampionStore, trained: list[dict[str, Any]]
) -> None:
    result = run("retrain", "forecast")
    assert (result.exit_code, trained) == (1, [])
    assert result.stderr == "Error: MLflow is not installed.\n"
    assert list_records(store.folder)[-1]["error"] == "TrackingError: MLflow is not installed."


def copy_configuration(project: Path, folder: Path) -> Path:
    shutil.copy(project / "pyproject.toml", folder)
    shutil.copytree(project / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "src").mkdir()
    return folder


@pytest.fixture
def elsewhere(project: Path, tmp_path: Path) -> Path:
    """The project's configuration in a folder of its own, with results of its own."""
    return copy_configuration(project, tmp_path)


def run_kedro(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The finished command, with all that it imported on stderr, and the seconds of computing that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "kedro",
        "champion",
        *arguments,
        "--env=test",
    ]
    finished = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return finished, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(("command", "code"), [("show", 0), ("history", 0), ("check", 11)])
def test_what_is_on_record_is_shown_without_libraries_of_tables(
    elsewhere: Path, command: str, code: int
) -> None:
    store = ChampionStore(elsewhere / ".test_data/06_models/champion/forecast")
    version = store.add_version({"model": b""})
    store.promote(version, ["it is better"], SINCE)
    add_record(
        store.folder, {"kind": "retrain", "at": SINCE, "outcome": "promoted", "version": version}
    )
    finished, _ = run_kedro(elsewhere, command, "forecast")
    assert finished.returncode == code
    assert "| rnn_pipelines.champion.history" in re.sub(
        " +", " ", finished.stderr
    )  # the project itself was loaded
    assert [*HEAVY.findall(finished.stderr), *TABLES.findall(finished.stderr)] == []


@pytest.fixture(scope="module")
def without_news(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str], float]:
    """A folder in which nothing changed since the newest retraining, and another one with its seconds."""
    elsewhere = copy_configuration(project, tmp_path_factory.mktemp("project"))
    bootstrap_project(project)
    with KedroSession.create(project_path=project, env="test") as session:
        fingerprints = fingerprint_newest(
            "forecast", pipelines["retrain_forecast"], session.load_context().catalog
        )
    record = {
        "kind": "retrain",
        "at": SINCE,
        "outcome": "kept",
        "version": None,
        "reasons": ["no better"],
        "fingerprints": fingerprints,
    }
    add_record(elsewhere / ".test_data/06_models/champion/forecast", record)
    return elsewhere, *run_kedro(elsewhere, "retrain", "forecast")


Unchanged = tuple[Path, subprocess.CompletedProcess[str], float]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_retraining_without_news_says_since_when(without_news: Unchanged) -> None:
    _, finished, _ = without_news
    assert finished.stdout == f"forecast: nothing new since {SINCE} (kept: no better)\n"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_retraining_without_news_makes_no_database(without_news: Unchanged) -> None:
    folder, _, _ = without_news
    assert not (folder / "mlflow.db").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_retraining_without_news_loads_no_tensorflow(without_news: Unchanged) -> None:
    _, finished, _ = without_news
    assert HEAVY.findall(finished.stderr) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_retraining_without_news_takes_seconds(without_news: Unchanged) -> None:
    _, _, seconds = without_news
    assert seconds < 5


@pytest.fixture(scope="module")
def without_source(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder with a retraining whose source is missing."""
    folder = copy_configuration(project, tmp_path_factory.mktemp("project"))
    path = folder / "conf/test/parameters_forecast.yml"
    path.write_text("forecast: {source: {path: nowhere.csv}}")
    finished, _ = run_kedro(folder, "retrain", "forecast", "--as-of", "2026-01-31")
    return folder, finished


Failed = tuple[Path, subprocess.CompletedProcess[str]]


def test_a_missing_source_is_an_error_of_one_line(without_source: Failed) -> None:
    _, finished = without_source
    assert finished.returncode == 1
    assert "\nError: nowhere.csv: no such file" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_missing_source_is_named_once(without_source: Failed) -> None:
    _, finished = without_source
    assert finished.stderr.count("nowhere.csv: no such file") == 1


def test_a_missing_source_is_a_failure_on_record(without_source: Failed) -> None:
    folder, _ = without_source
    record = list_records(folder / ".test_data/06_models/champion/forecast")[-1]
    assert (record["outcome"], record["as_of"]) == ("failed", "2026-01-31")


def test_a_missing_source_is_found_without_tensorflow(without_source: Failed) -> None:
    _, finished = without_source
    assert HEAVY.findall(finished.stderr) == []


def test_a_command_without_mlflow_names_the_file_that_turns_it_on(elsewhere: Path) -> None:
    """`conf/local` is not read there."""
    (elsewhere / "conf/local").mkdir()
    (elsewhere / "conf/local/mlflow.yml").write_text("is_on: true")
    finished, _ = run_kedro(elsewhere, "publish", "forecast")
    assert finished.returncode == 1
    assert "conf/test/mlflow.yml" in finished.stderr


def test_a_check_loads_nothing_heavy_even_with_mlflow(elsewhere: Path) -> None:
    # Not even where MLflow is on, for it has nothing to tell.
    (elsewhere / "conf/test/mlflow.yml").write_text("is_on: true")
    finished, _ = run_kedro(elsewhere, "check", "forecast")
    assert (finished.returncode, finished.stdout.splitlines()[0]) == (10, "forecast: retrain")
    assert HEAVY.findall(finished.stderr) == []


def test_export_as_json_has_the_version_with_its_folder(
    paths: Paths, tmp_path: Path, prepare: Callable[..., Any], make_forecaster: Callable[..., Any]
) -> None:
    files = pack(make_forecaster(prepare(np.sin(np.arange(80.0)))))
    version = paths.store.add_version(files)
    paths.store.promote(version, ["it is better"], SINCE)
    found = run("export", "forecast", str(tmp_path / "out"), "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == {
        "task": "forecast",
        "version": version,
        "path": str(tmp_path / "out"),
    }


def test_export_writes_the_champion(
    paths: Paths, tmp_path: Path, prepare: Callable[..., Any], make_forecaster: Callable[..., Any]
) -> None:
    files = pack(make_forecaster(prepare(np.sin(np.arange(80.0)))))
    version = paths.store.add_version(files)
    paths.store.promote(version, ["it is better"], SINCE)
    run("export", "forecast", str(tmp_path / "out"), "--json")
    assert (tmp_path / "out/model.npz").read_bytes() == files["model.npz"]
    assert (tmp_path / "out/forecaster.py").is_file()


@pytest.mark.usefixtures("paths")
def test_a_classifier_is_not_exported_even_before_there_is_one(tmp_path: Path) -> None:
    found = run("export", "sentiment", str(tmp_path / "out"))
    assert found.exit_code == 1
    assert "rnn-pipelines serve" in found.stderr
    assert not (tmp_path / "out").exists()
