"""What is compared before a retraining is what the retraining puts on record."""

from pathlib import Path

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from rnn_pipelines.places import fingerprint_newest

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
