"""`kedro runs` tells people and programs which runs there are, also where there is none, or one is damaged."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project

from rnn_pipelines.cli import runs
from rnn_pipelines.errors import RunError
from rnn_pipelines.runs import comparison
from rnn_pipelines.runs.run_store import COMMAND, RunStore
from rnn_pipelines.runs.writing import publish
from small_runs import LAYERS, METRICS, begin, do_run, kill, list_tree


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """In the place of the project's."""
    store = RunStore(tmp_path, "forecast")
    monkeypatch.setattr(runs, "find_run_store", lambda pipeline, env: store)
    monkeypatch.setattr(runs, "find_layers", lambda pipeline, env: LAYERS)
    monkeypatch.setattr(runs, "find_num_kept", lambda env: 3)
    return store


@pytest.fixture
def names(store: RunStore) -> list[str]:
    """Of two runs, of which the first one has a damaged record."""
    names = []
    for _ in range(2):
        run = begin(store)
        run.folder.joinpath("08_reporting").mkdir()
        publish(run, {"run": run.name})
        names.append(run.name)
    (store.folder / names[0] / "run.json").write_text("{")
    return names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(runs.runs, arguments)


@pytest.mark.parametrize(
    ("option", "expected"), [((), "forecast: no runs yet\n"), (("--json",), "[]\n")]
)
def test_list_is_empty_before_the_first_run(
    store: RunStore, option: tuple[str, ...], expected: str
) -> None:
    found = run("list", "forecast", *option)
    assert (found.exit_code, found.output) == (0, expected)


def test_list_says_which_run_is_damaged(names: list[str]) -> None:
    found = run("list", "forecast")
    assert (found.exit_code, len(found.output.splitlines())) == (0, 3)
    assert f"{names[0]}/run.json: it is damaged" in found.output
    found = json.loads(run("list", "forecast", "--json").output)
    assert [(record["run"], "problem" in record) for record in found] == [
        (names[0], True),
        (names[1], False),
    ]


@pytest.mark.parametrize("command", ["show", "compare"])
def test_other_commands_end_with_what_is_damaged(names: list[str], command: str) -> None:
    found = run(command, "forecast", *names[: 1 if command == "show" else 2])
    assert found.exit_code == 1
    assert found.output.startswith("Error: ")
    assert f"{names[0]}/run.json: it is damaged" in found.output


NOW = {
    "code": "c1",
    "commit": "abc",
    "versions": {"numpy": "2.4"},
    "data": {},
    "parameters": {},
    "reads": {},
}


@pytest.fixture
def began(store: RunStore, project: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands of runs that would begin; what a record would hold now is `NOW`."""
    bootstrap_project(project)
    begun: list[str] = []
    session = MagicMock()
    session.__enter__.return_value.run = lambda pipeline_names, runner: begun.append(COMMAND.get())
    monkeypatch.setattr(
        runs, "KedroSession", SimpleNamespace(create=lambda env, runtime_params: session)
    )
    monkeypatch.setattr(runs, "_describe_now", lambda record, session, root: {**record, **NOW})
    return begun


def leave_run(store: RunStore, **changes: Any) -> str:
    made = begin(store)
    record = {
        "run": made.name,
        "pipeline": "forecast",
        "env": None,
        "continues": None,
        **NOW,
        **changes,
    }
    publish(made, record)
    return made.name


DIFFERENCES = [
    (
        {"code": "c0", "commit": "xyz"},
        ["code code was c0, and is c1", "code commit was xyz, and is abc"],
    ),
    ({"versions": {"numpy": "2.3"}}, ["versions numpy was 2.3, and is 2.4"]),
    ({"parameters": {"forecast.level": [80]}}, ["parameters forecast.level was"]),
    ({"reads": {"sentiment": "old"}}, ["run of sentiment was old, and is none"]),
    ({"continues": "old"}, ["it is a part of a run, and continued old"]),
]


@pytest.mark.parametrize(("changes", "expected"), DIFFERENCES)
def test_a_difference_is_refused(
    store: RunStore,
    began: list[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    expected: list[str],
) -> None:
    now = {**NOW, "reads": {"sentiment": "none"}}
    monkeypatch.setattr(runs, "_describe_now", lambda record, session, root: {**record, **now})
    leave_run(store, **changes)
    refused = run("repeat", "forecast")
    assert (refused.exit_code, began) == (1, [])
    assert [text for text in expected if text not in refused.stderr] == []


@pytest.mark.parametrize(("changes", "expected"), DIFFERENCES)
def test_a_difference_can_be_allowed(
    store: RunStore,
    began: list[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    expected: list[str],
) -> None:
    now = {**NOW, "reads": {"sentiment": "none"}}
    monkeypatch.setattr(runs, "_describe_now", lambda record, session, root: {**record, **now})
    leave_run(store, **changes)
    allowed = run("repeat", "forecast", "--anyway")
    assert (allowed.exit_code, len(began)) == (0, 1)
    assert [text for text in expected if text not in allowed.stderr] == []


def test_another_commit_of_the_same_code_is_no_difference(
    store: RunStore, began: list[str]
) -> None:
    leave_run(store, commit="xyz")
    assert (run("repeat", "forecast").exit_code, len(began)) == (0, 1)


def test_a_run_without_difference_is_repeated(store: RunStore, began: list[str]) -> None:
    name = leave_run(store)
    found = run("repeat", "forecast")
    assert (found.exit_code, began) == (0, [f"kedro runs repeat forecast {name[-6:]}"])


def test_a_run_without_record_is_not_repeated(store: RunStore, began: list[str]) -> None:
    name = leave_run(store)
    (store.folder / name / "run.json").unlink()
    found = run("repeat", "forecast", name)
    assert (found.exit_code, "has no record of its parameters" in found.stderr, len(began)) == (
        1,
        True,
        0,
    )


def test_run_with_other_metrics_is_an_error(
    store: RunStore, began: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_run(store)
    metrics = {"gru.mse": (1.0, 2.0), "gru.fit_seconds": (1.0, 2.0), "gru.mae": (1.0, 1.0)}
    monkeypatch.setattr(comparison, "compare", lambda store, names: {"metrics": metrics})
    found = run("repeat", "forecast")
    assert (found.exit_code, "differ: gru.mse." in found.stderr) == (1, True)
    assert "seconds" not in found.stderr


def test_oldest_run_outlives_its_repetition(
    store: RunStore, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap_project(project)
    names = [leave_run(store) for _ in range(2)]
    session = MagicMock()

    def do(pipeline_names: list[str], runner: Any) -> None:
        leave_run(store)
        store.prune(2)

    session.__enter__.return_value.run = do
    monkeypatch.setattr(
        runs, "KedroSession", SimpleNamespace(create=lambda env, runtime_params: session)
    )
    monkeypatch.setattr(runs, "_describe_now", lambda record, session, root: {**record, **NOW})
    found = run("repeat", "forecast", names[0])
    assert (found.exit_code, found.output.startswith("forecast: all metrics of ")) == (0, True), (
        found.output
    )
    assert names[0] in store.list_runs()
    store.prune(2)
    assert names[0] not in store.list_runs()


def test_parameters_of_a_run_are_nested(project: Path) -> None:
    bootstrap_project(project)
    record: Any = {
        "pipeline": "forecast",
        "parameters": {"forecast": {"level": 1}, "forecast.level": 2, "parallel": 3, "x": 4},
    }
    assert runs._nest_parameters(record) == {"forecast": {"level": 2}, "parallel": 3}
    assert record["parameters"]["forecast"] == {"level": 1}


@pytest.mark.parametrize("is_dry", [False, True])
def test_prune_lists_what_is_removed(store: RunStore, is_dry: bool) -> None:
    names = [do_run(store, number) for number in range(5)]
    (store.folder / names[0] / "08_reporting/note.md").write_text("mine")
    (store.folder / names[1] / METRICS).write_text("changed")
    killed = kill(store, 6)
    found = json.loads(
        run("prune", "forecast", "--keep", "2", "--json", *["--dry-run"] * is_dry).output
    )
    assert (found["pipeline"], found["is_dry_run"], found["removed"]) == (
        "forecast",
        is_dry,
        [killed.name, names[2]],
    )


@pytest.mark.parametrize("is_dry", [False, True])
def test_prune_lists_the_files_because_of_which_runs_stay(store: RunStore, is_dry: bool) -> None:
    names = [do_run(store, number) for number in range(5)]
    (store.folder / names[0] / "08_reporting/note.md").write_text("mine")
    (store.folder / names[1] / METRICS).write_text("changed")
    kill(store, 6)
    found = json.loads(
        run("prune", "forecast", "--keep", "2", "--json", *["--dry-run"] * is_dry).output
    )
    kept = [(kept["name"], kept["files"]) for kept in found["kept"]]
    assert kept == [(names[0], ["08_reporting/note.md"]), (names[1], [METRICS])]


@pytest.mark.parametrize("is_dry", [False, True])
def test_only_a_dry_prune_changes_nothing(store: RunStore, is_dry: bool) -> None:
    names = [do_run(store, number) for number in range(5)]
    (store.folder / names[0] / "08_reporting/note.md").write_text("mine")
    (store.folder / names[1] / METRICS).write_text("changed")
    kill(store, 6)
    before = list_tree(store.root)
    json.loads(run("prune", "forecast", "--keep", "2", "--json", *["--dry-run"] * is_dry).output)
    assert (list_tree(store.root) == before) == is_dry
    assert store.list_runs() == (names if is_dry else [*names[:2], *names[3:]])


def test_a_dry_prune_without_runs_creates_no_folder(store: RunStore) -> None:
    assert run("prune", "forecast", "--dry-run").output == "forecast: 0 would be removed\n"
    assert not store.folder.exists()


def test_prune_prints_what_it_removed(store: RunStore) -> None:
    names = [do_run(store, number) for number in range(4)]
    assert run("prune", "forecast").output == f"forecast: 1 removed\n{names[0]}\n"


@pytest.mark.usefixtures("store")
def test_repair_of_all_lists_every_pipeline() -> None:
    assert json.loads(run("repair", "--all", "--json").output).keys() == set(runs.NAMES)


@pytest.mark.parametrize("num_kept", ["1", "0", "-1", "x"])
def test_fewer_runs_than_another_pipeline_may_read_are_a_wrong_call(
    store: RunStore, num_kept: str
) -> None:
    assert run("prune", "forecast", "--keep", num_kept).exit_code == 2


def test_repair_says_what_it_did(store: RunStore) -> None:
    do_run(store, 1)
    store.find_shown("08_reporting").unlink()
    (store.find_shown("08_reporting") / "mine").mkdir(parents=True)
    (store.find_shown("08_reporting") / "mine/note.md").write_text("mine")
    found = json.loads(run("repair", "forecast", "--json").output)["forecast"]
    assert found["linked"] == ["08_reporting/forecast"]
    assert (
        store.root / found["moved"]["08_reporting/forecast"] / "mine/note.md"
    ).read_text() == "mine"
    assert json.loads(run("repair", "forecast", "--json").output)["forecast"] == {
        "linked": [],
        "moved": {},
    }


@pytest.mark.parametrize("arguments", [[], ["forecast", "--all"]])
def test_repair_is_of_one_pipeline_or_of_all(store: RunStore, arguments: list[str]) -> None:
    assert run("repair", *arguments).exit_code == 2


HOLD = (
    "import sys; from pathlib import Path; from rnn_pipelines.storage.lock import hold_lock\n"
    "with hold_lock(Path(sys.argv[1]), 1):\n    print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def held(store: RunStore) -> Iterator[None]:
    """Another process that holds the lock of a run."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
        other.communicate()


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("command", ["prune", "repair"])
def test_commands_that_change_runs_wait_for_a_run(command: str) -> None:
    assert run(command, "forecast", "--wait", "0.1").exit_code == 75


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("command", ["prune", "repair"])
def test_commands_that_change_runs_do_so_after_the_run(command: str) -> None:
    assert run(command, "forecast").exit_code == 0


def test_layers_are_those_in_which_results_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `compare` keeps in 06_models outlives runs, and is no result."""
    project = Path(__file__).parents[2]
    monkeypatch.chdir(project)
    bootstrap_project(project)
    assert runs.find_layers("compare", "test") == {"07_model_output", "08_reporting"}
    assert runs.find_num_kept("test") == 10


def test_no_runs_are_looked_for_on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

        def load_context(self) -> SimpleNamespace:
            return SimpleNamespace(
                config_loader={"globals": {"data_root": "s3://bucket"}}, project_path=Path()
            )

    monkeypatch.setattr(runs, "KedroSession", SimpleNamespace(create=lambda env: Session()))
    with pytest.raises(RunError, match=r"globals\.data_root"):
        runs.find_run_store("forecast", None)
