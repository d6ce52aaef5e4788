"""The project as Kedro sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline


@pytest.fixture(scope="module")
def context(project: Path) -> Iterator[KedroContext]:
    """Configuration and catalog of the environment `test`, so that nobody's `conf/local` is read.

    Made anew for each file, because `${globals:…}` reads the newest configuration loader of the process.
    """
    bootstrap_project(project)
    with KedroSession.create(project_path=project, env="test") as session:
        yield session.load_context()


@pytest.fixture(scope="module")
def registered(context: KedroContext) -> dict[str, Pipeline]:
    """All pipelines by name, without the default; also after a command that has loaded only those it names."""
    pipelines.set_requested(None)
    return {name: pipeline for name, pipeline in pipelines.items() if name != "__default__"}


@pytest.fixture(scope="module")
def datasets(registered: dict[str, Pipeline]) -> list[str]:
    """Every dataset that a pipeline reads or writes; parameters are none."""
    names = {name for pipeline in registered.values() for name in pipeline.datasets()}
    return sorted(name for name in names if not name.startswith("params:") and name != "parameters")
