"""A task's files and MLflow are where configuration says; what is compared before a retraining goes on record."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from kedro.config import MissingConfigException
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from rnn_pipelines.errors import ChampionError
from rnn_pipelines.places import find_store, find_tracking, fingerprint_newest

AS_OF = "2022-12-31"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def pipeline(project: Path) -> Pipeline:
    bootstrap_project(project)
    return pipelines["retrain_forecast"]


def load_catalog(project: Path, as_of: str) -> DataCatalog:
    parameters = {"retrain_forecast": {"as_of": as_of}}
    with KedroSession.create(project_path=project, env="test", runtime_params=parameters) as session:
        return session.load_context().catalog


def test_fingerprints_are_those_that_go_on_record(project: Path, pipeline: Pipeline) -> None:
    """But for the code, which others may be at."""
    described = SequentialRunner().run(pipeline.to_outputs("retrain_forecast_run"), load_catalog(project, AS_OF))
    recorded = described["retrain_forecast_run"].load()["fingerprints"]
    found = fingerprint_newest("forecast", pipeline, load_catalog(project, AS_OF))
    assert {found[kind] == recorded[kind] for kind in ("data", "parameters")} == {True}


def test_another_day_is_other_data_and_not_another_parameter(project: Path, pipeline: Pipeline) -> None:
    one, other = (
        fingerprint_newest("forecast", pipeline, load_catalog(project, as_of)) for as_of in (AS_OF, "2023-01-01")
    )
    assert one["data"] != other["data"]
    assert one["parameters"] == other["parameters"]


class NoFiles:
    def __getitem__(self, key: str) -> None:
        raise MissingConfigException(key)


def test_mlflow_is_off_without_a_file() -> None:
    assert find_tracking(SimpleNamespace(config_loader=NoFiles(), project_path=Path())) is None


def test_champion_of_another_type_is_refused() -> None:
    with pytest.raises(ChampionError, match="catalog entry champion_forecast: expected a ChampionDataset"):
        find_store(DataCatalog({"champion_forecast": MemoryDataset()}), "forecast")
