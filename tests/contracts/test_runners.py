"""Every pipeline can be run by each runner of Kedro, or is refused with the reason."""

from multiprocessing.reduction import ForkingPickler
from typing import Any

import pytest
from kedro.framework.context import KedroContext
from kedro.io import MemoryDataset, SharedMemoryDataCatalog
from kedro.pipeline import Pipeline

from rnn_pipelines.errors import RunError
from rnn_pipelines.hooks.project import refuse_runner
from rnn_pipelines.pipelines.names import PIPELINES, REFUSED_RUNNERS


def test_nodes_can_be_sent_to_processes(registered: dict[str, Pipeline]) -> None:
    nodes = [node for pipeline in registered.values() for node in pipeline.nodes]
    assert len(nodes) > 150
    for node in nodes:
        assert ForkingPickler.dumps(node)


def test_datasets_can_be_sent_to_processes(context: KedroContext, datasets: list[str]) -> None:
    catalog: Any = context._get_catalog(SharedMemoryDataCatalog)
    for name in datasets:
        assert catalog.get(name) is not None
    # It names those that cannot be sent.
    catalog.validate_catalog()


def test_no_value_is_lost_between_processes(
    context: KedroContext, registered: dict[str, Pipeline]
) -> None:
    catalog: Any = context._get_catalog(SharedMemoryDataCatalog)
    outputs = {name for pipeline in registered.values() for name in pipeline.all_outputs()}
    assert [name for name in outputs if type(catalog.get(name)) is MemoryDataset] == []


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner", "ParallelRunner"])
def test_runner_is_refused_exactly_if_results_would_differ(runner: str, pipeline: str) -> None:
    names, reason = REFUSED_RUNNERS.get(runner, ((), ""))
    params: Any = {"pipeline_names": [pipeline], "runner": f"<kedro.runner.{runner} object>"}
    if pipeline not in names:
        refuse_runner(params)
        return
    with pytest.raises(RunError, match=f"--runner={runner}: {pipeline} {reason}"):
        refuse_runner(params)
