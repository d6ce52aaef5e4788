"""A value in memory is passed on with any runner, and messages of nodes come back from their processes."""

from collections.abc import Iterator

import pytest
from kedro.io import DataCatalog, MemoryDataset, SharedMemoryDataCatalog
from kedro.pipeline import Node, Pipeline
from kedro.runner.parallel_runner import ParallelRunnerManager

from rnn_pipelines.datasets import PassedDataset
from rnn_pipelines.datasets.passed import prepare_messages, read_messages, send_message

PIPELINE = Pipeline([Node(chr, "number", "text", name="write")])


@pytest.fixture
def manager() -> Iterator[ParallelRunnerManager]:
    with ParallelRunnerManager() as started:
        yield started


def test_value_is_passed_on_in_this_process() -> None:
    value = {"a": [1]}
    dataset = PassedDataset(copy_mode="assign")
    dataset.save(value)
    assert dataset.load() is value


def test_released_value_is_gone() -> None:
    dataset = PassedDataset()
    dataset.save(1)
    dataset.release()
    assert not dataset.exists()


def test_value_is_passed_on_by_a_manager(manager: ParallelRunnerManager) -> None:
    value = {"a": [1]}
    dataset = PassedDataset()
    dataset.set_manager(manager)
    dataset.save(value)
    assert dataset.load() == value
    dataset.release()
    assert not dataset.exists()


def test_notes_of_nodes_are_read_by_their_kind(manager: ParallelRunnerManager) -> None:
    catalog = SharedMemoryDataCatalog({"number": MemoryDataset(1)})
    prepare_messages(catalog, PIPELINE)
    catalog.set_manager_datasets(manager)
    send_message(catalog, "write", "tables", {"a": 1})
    send_message(catalog, "write", "failures", ["no figure"])
    assert read_messages(catalog, "failures") == [["no figure"]]


def test_other_runners_need_no_notes() -> None:
    catalog = DataCatalog({"number": MemoryDataset(1)})
    prepare_messages(catalog, PIPELINE)
    send_message(catalog, "write", "failures", ["no figure"])
    assert read_messages(catalog, "failures") == []
