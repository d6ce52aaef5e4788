"""A retraining ends before its first node where MLflow could not be told of it, and MLflow is told when it is over."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io import DataCatalog

from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.errors import TrackingError
from rnn_pipelines.hooks import tracking
from rnn_pipelines.hooks.tracking import TrackingHooks
from rnn_pipelines.settings import HOOKS

RETRAIN = {"pipeline_names": ["retrain_forecast"]}
ELSE = {"pipeline_names": ["forecast", "predict_forecast"]}


def make_hooks(settings: dict[str, Any]) -> TrackingHooks:
    hooks = TrackingHooks()
    hooks.after_context_created(SimpleNamespace(config_loader={"mlflow": settings}, project_path=Path("/project")))
    return hooks


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    return DataCatalog({"champion_forecast": ChampionDataset(path=str(tmp_path), task="forecast")})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str, Any]]:
    """What MLflow would be told: of which folder, which task, and where it is."""
    calls = []

    def tell(store: ChampionStore, task: str, find_spec: Any) -> None:
        calls.append((store.folder, task, find_spec()))

    monkeypatch.setattr(tracking, "publish_if_possible", tell)
    return calls


def test_wrong_setting_ends_a_retraining() -> None:
    with pytest.raises(TrackingError, match="uri is not a setting"):
        make_hooks({"uri": "x"}).before_pipeline_run(RETRAIN)


@pytest.mark.parametrize("run_params", [ELSE, {"pipeline_names": None}], ids=["named", "the default"])
def test_wrong_setting_is_none_of_another_runs_business(run_params: dict[str, Any], catalog: DataCatalog) -> None:
    hooks = make_hooks({"uri": "x"})
    assert hooks.before_pipeline_run(run_params) is None
    assert hooks.after_pipeline_run(run_params, catalog) is None


@pytest.mark.parametrize("end", ["after_pipeline_run", "on_pipeline_error"])
def test_retraining_is_told_when_it_is_over(
    told: list[tuple[Path, str, Any]], catalog: DataCatalog, tmp_path: Path, end: str
) -> None:
    getattr(make_hooks({"is_on": True}), end)(RETRAIN, catalog)
    ((folder, task, spec),) = told
    assert (folder, task, spec.tracking_uri) == (tmp_path, "forecast", "sqlite:////project/mlflow.db")


def test_failure_is_on_record_before_mlflow_is_told() -> None:
    """Kedro calls the hook that was registered last first, but for one that asks to be last."""
    assert [type(hooks).__name__ for hooks in HOOKS] == ["ResultHooks", "RunHooks", "TrackingHooks"]
    for name in ("on_pipeline_error", "after_pipeline_run"):
        assert getattr(TrackingHooks, name).kedro_impl["trylast"]
    assert vars(TrackingHooks.before_pipeline_run)["kedro_impl"]["tryfirst"]
