"""`kedro champion report` writes one page of what there is, and replaces only its own."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.cli import champion, overview
from rnn_pipelines.hooks.paths import Paths
from rnn_pipelines.pipelines.names import TASKS
from rnn_pipelines.report.failures import pop_failures

SINCE = "2026-01-31T02:00:00+00:00"
SCORES = pd.DataFrame({"label": ["positive"], "confidence": [0.9], "model_version": ["v1"]})


class Session:
    """A project with one data root and the given catalog."""

    def __init__(self, root: Path, datasets: dict[str, Any]) -> None:
        self.catalog = SimpleNamespace(
            exists=lambda name: name in datasets, load=datasets.__getitem__
        )
        self.root = root

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def load_context(self) -> "Session":
        return self


@pytest.fixture
def datasets() -> dict[str, Any]:
    return {}


@pytest.fixture
def root(tmp_path: Path, datasets: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the place of the project's."""
    session = Session(tmp_path, datasets)
    monkeypatch.setattr(overview, "KedroSession", SimpleNamespace(create=lambda env: session))
    monkeypatch.setattr(overview, "find_data_root", lambda context: context.root)
    monkeypatch.setattr(
        overview,
        "find_paths_in",
        lambda session, task: Paths(tmp_path / task, tmp_path / f"monitor_{task}.json"),
    )
    return tmp_path


def promote(root: Path, task: str) -> str:
    store = Paths(root / task, root).store
    version = store.add_version({"model": b"1"})
    store.promote(version, ["it is better"], SINCE)
    metrics: Any = {"challenger": {"loss": 1.0}, "champion": None, "baselines": {"ridge": 2.0}}
    retraining: Any = {
        "kind": "retrain",
        "at": SINCE,
        "outcome": "promoted",
        "is_promoted": True,
        "version": version,
    }
    add_record(store.folder, {**retraining, "reasons": ["it is better"], "metrics": metrics})
    return version


def run(*arguments: str) -> Result:
    return CliRunner().invoke(champion.cli, ["champion", "report", *arguments])


def test_page_of_a_task_is_written_where_it_is_told(root: Path) -> None:
    promote(root, "forecast")
    promote(root, "sentiment")
    result = run("sentiment", "--output", str(root / "mine.html"))
    assert (result.exit_code, (root / "08_reporting").exists()) == (0, False)


def test_page_of_a_task_has_this_task_alone(root: Path) -> None:
    promote(root, "forecast")
    promote(root, "sentiment")
    run("sentiment", "--output", str(root / "mine.html"))
    assert 'id="section-1">Sentiment<' in (root / "mine.html").read_text()
    assert "Forecast" not in (root / "mine.html").read_text()


def test_page_is_written_beside_the_other_reports(root: Path) -> None:
    for task in ("forecast", "sentiment"):
        promote(root, task)
    result = run("--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["path"]) == (0, str(root / "08_reporting/champion.html"))


def test_page_as_json_has_the_verdict_of_each_task(root: Path) -> None:
    for task in ("forecast", "sentiment"):
        promote(root, task)
    result = run("--json")
    found = json.loads(result.stdout)
    assert {task: verdict["verdict"] for task, verdict in found["tasks"].items()} == {
        "forecast": "unmonitored",
        "sentiment": "unmonitored",
    }


def test_page_has_the_champion_of_each_task(root: Path) -> None:
    versions = [promote(root, task) for task in ("forecast", "sentiment")]
    result = run("--json")
    found = json.loads(result.stdout)
    page = Path(found["path"]).read_text()
    assert [version in page for version in versions] == [True, True]


def test_nothing_is_written_without_a_champion(root: Path) -> None:
    result = run()
    assert (result.exit_code, list(root.iterdir())) == (1, [])
    assert "kedro champion retrain forecast" in result.stderr


def test_an_unknown_task_has_no_page() -> None:
    assert run("weather").exit_code == 2


def test_every_task_has_its_part_of_the_page() -> None:
    assert set(overview.PARTS) == set(TASKS)


def test_failed_retraining_is_enough_for_a_page(root: Path) -> None:
    failed: Any = {"kind": "retrain", "at": SINCE, "outcome": "failed", "error": "SeriesError: x"}
    add_record(root / "forecast", failed)
    assert run("forecast").exit_code == 0
    assert "SeriesError: x" in (root / "08_reporting/champion.html").read_text()


def test_an_earlier_page_is_replaced(root: Path) -> None:
    promote(root, "forecast")
    assert [run("forecast").exit_code for _ in range(2)] == [0, 0]


def test_another_file_is_not_replaced(root: Path) -> None:
    promote(root, "forecast")
    notes = root / "notes.html"
    notes.write_text("mine")
    assert run("forecast", "--output", str(notes)).exit_code == 1
    assert notes.read_text() == "mine"


def test_a_page_needs_its_folder(root: Path) -> None:
    promote(root, "forecast")
    assert run("forecast", "--output", str(root / "missing/page.html")).exit_code == 1


def test_data_root_on_another_machine_needs_an_output(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(root, "forecast")
    monkeypatch.setattr(overview, "find_data_root", lambda context: None)
    result = run("forecast")
    assert (result.exit_code, "--output" in result.stderr) == (1, True)
    assert run("forecast", "--output", str(root / "page.html")).exit_code == 0


def test_missing_parts_are_named_with_their_commands(root: Path) -> None:
    promote(root, "sentiment")
    run("sentiment")
    page = (root / "08_reporting/champion.html").read_text()
    commands = [
        f"<code>kedro run --pipelines={name}_sentiment</code>" for name in ("predict", "monitor")
    ]
    assert [command in page for command in commands] == [True, True]


def test_task_without_champion_is_not_sent_to_its_predictions(root: Path) -> None:
    promote(root, "forecast")
    run()
    page = (root / "08_reporting/champion.html").read_text()
    assert [f"--pipelines={name}_sentiment" in page for name in ("predict", "monitor")] == [
        False,
        False,
    ]


def test_newest_predictions_are_on_the_page(root: Path, datasets: dict[str, Any]) -> None:
    datasets["predict_sentiment_scores"] = SCORES
    promote(root, "sentiment")
    run("sentiment")
    assert "1 texts were scored by version v1" in (root / "08_reporting/champion.html").read_text()


@pytest.mark.parametrize("content", ["{", "{}", '{"verdict": "ok"}'])
def test_a_damaged_verdict_is_an_alarm(root: Path, content: str) -> None:
    promote(root, "forecast")
    (root / "monitor_forecast.json").write_text(content)
    result = run("forecast", "--json")
    assert (result.exit_code, json.loads(result.stdout)["tasks"]["forecast"]["verdict"]) == (
        0,
        "alarm",
    )
    assert len(pop_failures()) == 1


@pytest.mark.parametrize("content", ["{", "{}", '{"verdict": "ok"}'])
def test_a_damaged_verdict_leaves_a_note(root: Path, content: str) -> None:
    promote(root, "forecast")
    (root / "monitor_forecast.json").write_text(content)
    run("forecast", "--json")
    assert len(pop_failures()) == 1
    assert "This part of the report failed" in (root / "08_reporting/champion.html").read_text()


def test_page_is_below_a_megabyte(root: Path) -> None:
    promote(root, "forecast")
    promote(root, "forecast")
    run("forecast")
    page = (root / "08_reporting/champion.html").read_text()
    assert len(page) < 1_000_000


def test_page_loads_nothing(root: Path) -> None:
    promote(root, "forecast")
    promote(root, "forecast")
    run("forecast")
    page = (root / "08_reporting/champion.html").read_text()
    assert "https://" not in page.partition("<body>")[2].partition('id="plotly"')[0]
