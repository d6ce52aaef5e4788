"""A retraining with wrong settings of MLflow ends before its first node; one that ends is published."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline

from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.errors import ParameterError, SeriesError
from rnn_pipelines.hooks import project
from rnn_pipelines.hooks.project import RunHooks

RETRAIN = {"pipeline_names": ["retrain_forecast"], "runtime_params": None}
ELSE = {"pipeline_names": ["forecast", "predict_forecast"], "runtime_params": None}


@pytest.fixture(autouse=True)
def _no_pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("retrain_forecast", "forecast", "predict_forecast", "__default__")
    monkeypatch.setattr(project, "pipelines", {name: Pipeline([]) for name in names})


def make_hooks(settings: dict[str, Any]) -> RunHooks:
    hooks = RunHooks()
    hooks.after_context_created(SimpleNamespace(config_loader={"mlflow": settings}, project_path=Path("/project")))
    return hooks


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    champion = ChampionDataset(path=str(tmp_path), task="forecast")
    return DataCatalog({"champion_forecast": champion, "parameters": MemoryDataset({})})


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str, Any, int]]:
    """Folder, task, address and number of records of each publication."""
    calls = []

    def publish(store: ChampionStore, task: str, find_spec: Any, save_model: Any) -> None:
        calls.append((store.folder, task, find_spec().tracking_uri, len(store.list_records())))

    monkeypatch.setattr(project, "publish_if_possible", publish)
    return calls


def test_wrong_setting_ends_a_retraining_before_it_takes_a_lock(catalog: DataCatalog, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"^mlflow\.uri: "):
        make_hooks({"uri": "x"}).before_pipeline_run(RETRAIN, catalog)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run_params", [ELSE, {**ELSE, "pipeline_names": None}], ids=["named", "the default"])
def test_other_runs_do_not_read_the_settings(run_params: dict[str, Any], catalog: DataCatalog) -> None:
    hooks = make_hooks({"uri": "x"})
    hooks.before_pipeline_run(run_params, catalog)
    hooks.after_pipeline_run(run_params, Pipeline([]), catalog)


def test_retraining_is_published_at_its_end(published: list[Any], catalog: DataCatalog, tmp_path: Path) -> None:
    make_hooks({"is_on": True}).after_pipeline_run(RETRAIN, Pipeline([]), catalog)
    assert published == [(tmp_path, "forecast", "sqlite:////project/mlflow.db", 0)]


def test_failure_is_published_after_it_is_recorded(published: list[Any], catalog: DataCatalog, tmp_path: Path) -> None:
    hooks = make_hooks({"is_on": True})
    hooks.before_pipeline_run(RETRAIN, catalog)
    hooks.on_pipeline_error(SeriesError("no such file"), RETRAIN, catalog)
    assert published == [(tmp_path, "forecast", "sqlite:////project/mlflow.db", 1)]
