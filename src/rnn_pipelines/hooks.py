"""What happens around every run."""

import difflib
import logging
import os
from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from importlib import import_module
from typing import Any, get_args

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from pydantic import BaseModel

from rnn_pipelines.champion.changes import count_retrainings
from rnn_pipelines.champion.lock import hold_lock
from rnn_pipelines.champion.outcome import record_failure
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, ParameterError
from rnn_pipelines.pipelines.retraining import list_retrained

logger = logging.getLogger(__name__)

# How long a retraining waits for another one to end.
RETRAIN_LOCK_SECONDS = 60


class RunHooks:
    """Refuses parameters that would mislead, keeps TensorFlow's start quiet, and says where reports and scores are."""

    def __init__(self) -> None:
        self._locks = ExitStack()
        self._num_retrainings: dict[str, int] = {}

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Ends the run before its first node where a name is not known, or a network has that of another cell."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        names = run_params["pipeline_names"] or ["__default__"]
        inputs = {name for pipeline in names for name in pipelines[pipeline].inputs()}
        parameters, given = catalog.load("parameters"), run_params["runtime_params"] or {}
        refuse_unread_parameters(inputs, given, given)
        refuse_unread_parameters(inputs | find_inputs_of_owners(inputs, names), parameters, given={})
        refuse_swapped_cells(inputs, parameters)
        for task in list_retrained(run_params):
            store = _find_store(catalog, task)
            self._locks.enter_context(hold_lock(store.folder / "retrain.lock", RETRAIN_LOCK_SECONDS))
            self._num_retrainings[task] = count_retrainings(store)

    @hook_impl
    def on_pipeline_error(self, error: Exception, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Leaves a record of a retraining that failed, and lets go of its lock.

        A retraining that came to a decision is no failure, whatever fails after it, or of another task.
        """
        for task in list_retrained(run_params):
            store = _find_store(catalog, task)
            if count_retrainings(store) == self._num_retrainings[task]:
                as_of = getattr(catalog.load("parameters").get(f"retrain_{task}"), "as_of", None)
                record_failure(store.folder, task, error, as_of)
        self._locks.close()

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Says where each report and each table of scores or forecasts lies."""
        for name in sorted(pipeline.outputs()):
            kind = name.rpartition("_")[2]
            if kind in ("report", "scores", "forecasts") and name in catalog:
                described = catalog[name]._describe()
                logger.info("%s: %s", kind.capitalize(), described.get("filepath") or f"table {described['table']}")
        self._locks.close()


def find_inputs_of_owners(inputs: Iterable[str], names: Iterable[str]) -> set[str]:
    """The inputs of the pipelines whose parameters others read too: of their blocks, these need not read all.

    Args:
        inputs: of the pipelines that run.
        names: of these.
    """
    # What is read as a whole, as a name without a point is, has no blocks that another pipeline could read.
    owners = {
        name.removeprefix("params:").partition(".")[0] for name in inputs if name.startswith("params:") and "." in name
    }
    modules = [import_module(f"rnn_pipelines.pipelines.{owner}") for owner in sorted(owners - set(names))]
    return {name for module in modules for name in module.create_pipeline().inputs()}


def _find_store(catalog: DataCatalog, task: str) -> ChampionStore:
    from rnn_pipelines.datasets import ChampionDataset

    champion = catalog[f"champion_{task}"]
    if not isinstance(champion, ChampionDataset):
        raise ChampionError(f"catalog entry champion_{task}: expected a ChampionDataset, received {champion!r}.")
    return champion.store


def refuse_unread_parameters(inputs: Iterable[str], parameters: dict[str, Any], given: dict[str, Any]) -> None:
    """Kedro checks the keys inside a typed block; this checks the names of the blocks.

    Args:
        inputs: the pipelines' inputs, `params:<pipeline>.<block>` among them.
        parameters: all parameters of the project.
        given: those given on the command line.
    Raises:
        ParameterError: a block of a pipeline that runs, or a parameter on the command line, is read by no node.
    """
    blocks: dict[str, set[str]] = defaultdict(set)
    for name in inputs:
        if name.startswith("params:"):
            pipeline, _, block = name.removeprefix("params:").partition(".")
            blocks[pipeline] |= {block.partition(".")[0]} - {""}
    _refuse_unknown("", given, blocks)
    for pipeline, known in blocks.items():
        if not known:  # the pipeline reads its parameters as one block, whose type Kedro checks
            continue
        block = parameters.get(pipeline, {})
        if not isinstance(block, dict):
            raise ParameterError(f"Parameter '{pipeline}': expected the blocks {sorted(known)}, received {block!r}.")
        _refuse_unknown(f"{pipeline}.", block, known)


def refuse_swapped_cells(inputs: Iterable[str], parameters: dict[str, Any]) -> None:
    """Results stand under the name of a network's block, so that `lstm` must be an LSTM.

    Args:
        inputs, parameters: see `refuse_unread_parameters`; blocks that Kedro has checked are models.
    Raises:
        ParameterError: a block that a node reads is named after one cell and holds another.
    """
    for path in sorted(name.removeprefix("params:") for name in inputs if name.startswith("params:")):
        pipeline, _, block = path.partition(".")
        network = parameters.get(pipeline, {}).get(block) if block else None
        cell = getattr(network, "cell", block)
        if isinstance(network, BaseModel) and cell != block and block in _list_cells(network):
            raise ParameterError(
                f"Parameter '{path}.cell': expected '{block}', after which the block and its results are named, "
                f"received '{cell}'."
            )


def _list_cells(network: BaseModel) -> tuple[str, ...]:
    return get_args(type(network).model_fields["cell"].annotation)


def _refuse_unknown(prefix: str, received: Iterable[str], known: Iterable[str]) -> None:
    for name in received:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean '{prefix}{close[0]}'?" if close else f"Expected one of {sorted(known)}."
            raise ParameterError(f"Parameter '{prefix}{name}' is read by no node of this run. {hint}")
