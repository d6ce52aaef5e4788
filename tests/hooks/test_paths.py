"""A task's files and MLflow are where configuration says; what is compared before a retraining goes on record."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from rnn_pipelines.errors import ChampionError, ParameterError, show
from rnn_pipelines.hooks.paths import find_data_root, find_store, find_tracking, fingerprint_newest

AS_OF = "2022-12-31"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def pipeline(project: Path) -> Pipeline:
    bootstrap_project(project)
    return pipelines["retrain_forecast"]


def load_catalog(project: Path, as_of: str, **forecast: Any) -> DataCatalog:
    parameters = {"retrain_forecast": {"as_of": as_of}, "forecast": forecast}
    with KedroSession.create(
        project_path=project, env="test", runtime_params=parameters
    ) as session:
        return session.load_context().catalog


def test_fingerprints_are_those_that_go_on_record(project: Path, pipeline: Pipeline) -> None:
    """But for the code, which others may be at."""
    described = SequentialRunner().run(
        pipeline.to_outputs("retrain_forecast_run"), load_catalog(project, AS_OF)
    )
    recorded = described["retrain_forecast_run"].load()["fingerprints"]
    found = fingerprint_newest("forecast", pipeline, load_catalog(project, AS_OF))
    assert {found[kind] == recorded[kind] for kind in ("data", "parameters")} == {True}


def write_sales(path: Path, visitors: int = 7) -> dict[str, Any]:
    """A panel with all kinds of columns, and rows ahead; the blocks that read it, with all covariates."""
    ds = pd.date_range("2022-01-01", periods=200)
    shared = {"ds": ds, "y": np.arange(200.0) % 7, "promo": "no", "visitors": visitors}
    frame = pd.concat(
        [pd.DataFrame({"unique_id": name, "size": name, **shared}) for name in ("north", "south")]
    )
    frame.loc[frame["ds"] > ds[-8], "y"] = np.nan
    frame.to_csv(path, index=False)
    covariates = {"future": ["promo"], "past": ["visitors"], "static": ["size"], "holidays": "DE"}
    return {"source": {"path": str(path), "id": "unique_id"}, "covariates": covariates}


@pytest.mark.parametrize(
    "partitions", [{}, {"training_rows": 200, "rows": 200}], ids=["whole", "divided"]
)
def test_fingerprints_with_covariates_are_those_that_go_on_record(
    project: Path, pipeline: Pipeline, tmp_path: Path, partitions: dict[str, int]
) -> None:
    sales = write_sales(tmp_path / "sales.csv") | {"partitions": partitions}
    described = SequentialRunner().run(
        pipeline.to_outputs("retrain_forecast_run"), load_catalog(project, AS_OF, **sales)
    )
    recorded = described["retrain_forecast_run"].load()["fingerprints"]
    found = fingerprint_newest("forecast", pipeline, load_catalog(project, AS_OF, **sales))
    assert {found[kind] == recorded[kind] for kind in ("data", "parameters")} == {True}


def test_another_covariate_is_other_data(project: Path, pipeline: Pipeline, tmp_path: Path) -> None:
    one, other = (
        fingerprint_newest(
            "forecast",
            pipeline,
            load_catalog(project, AS_OF, **write_sales(tmp_path / "sales.csv", value)),
        )
        for value in (7, 8)
    )
    assert one["data"] != other["data"]


def test_another_day_is_other_data(project: Path, pipeline: Pipeline) -> None:
    one, other = (
        fingerprint_newest("forecast", pipeline, load_catalog(project, as_of))
        for as_of in (AS_OF, "2023-01-01")
    )
    assert one["data"] != other["data"]


def test_another_day_is_no_other_parameter(project: Path, pipeline: Pipeline) -> None:
    one, other = (
        fingerprint_newest("forecast", pipeline, load_catalog(project, as_of))
        for as_of in (AS_OF, "2023-01-01")
    )
    assert one["parameters"] == other["parameters"]


def make_context(**settings: Any) -> Any:
    return SimpleNamespace(config_loader={"globals": settings}, project_path=Path("/project"))


@pytest.mark.parametrize(
    ("root", "expected"),
    [("data", Path("/project/data")), ("/srv/data", Path("/srv/data")), ("s3://bucket", None)],
)
def test_data_root_begins_at_the_project_unless_it_is_on_another_machine(
    root: str, expected: Path | None
) -> None:
    assert find_data_root(make_context(data_root=root, layers={"raw": {}})) == expected


@pytest.mark.parametrize("root", ["", " ", None, 5, ["data"], "~", "~/data", "~me/data"], ids=str)
def test_data_root_that_would_be_a_folder_of_an_odd_name_is_refused(root: object) -> None:
    """The catalog would write into `None` and `~` in the project, or into the root of the machine."""
    received = re.escape(show(root))
    with pytest.raises(
        ParameterError, match=rf"^globals\.data_root: expected .*, received {received}\.$"
    ):
        find_data_root(make_context(data_root=root))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"data_root": "data", "data_rot": "x"},
            r"globals\.data_rot: no such .* Did you mean globals\.data_root\?",
        ),
        ({"layers": {}}, r"globals\.data_root: Field required"),
        ({}, r"globals\.data_root: Field required"),
    ],
)
def test_data_root_that_is_misspelt_or_missing_is_told(
    settings: dict[str, Any], message: str
) -> None:
    """Or the results of another environment would go among the real ones."""
    with pytest.raises(ParameterError, match=message):
        find_data_root(make_context(**settings))


def make_environment(folder: Path, content: str) -> Any:
    """The context of one that has a `globals.yml` of its own."""
    for env, settings in (("base", "data_root: data"), ("mine", content)):
        (folder / env).mkdir()
        (folder / env / "globals.yml").write_text(settings)
    loader = OmegaConfigLoader(str(folder), env="mine", base_env="base")
    return SimpleNamespace(config_loader=loader, project_path=folder)


@pytest.mark.parametrize("content", ["layers: {}", "_data_root: x"])
def test_environment_whose_own_file_names_no_data_root_is_told(
    tmp_path: Path, content: str
) -> None:
    context = make_environment(tmp_path, content)
    with pytest.raises(
        ParameterError, match=f"^{tmp_path}/mine/globals.yml: expected data_root, found none"
    ):
        find_data_root(context)


@pytest.mark.parametrize("content", ["", "\n", "# data_root: x", "---\n# data_root: x\n"])
def test_file_of_comments_alone_sets_nothing(tmp_path: Path, content: str) -> None:
    assert find_data_root(make_environment(tmp_path, content)) == tmp_path / "data"


class NoFiles:
    def __getitem__(self, key: str) -> None:
        raise MissingConfigException(key)


def test_mlflow_is_off_without_a_file() -> None:
    assert find_tracking(SimpleNamespace(config_loader=NoFiles(), project_path=Path())) is None


def test_another_dataset_in_place_of_the_champion_is_refused() -> None:
    with pytest.raises(
        ChampionError, match="catalog entry champion_forecast: expected a ChampionDataset"
    ):
        find_store(DataCatalog({"champion_forecast": MemoryDataset()}), "forecast")
