"""Checks of a partial run against the results that it starts from: they must be of the same data and parameters."""

from collections.abc import Mapping
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from rnn_pipelines.champion.records import list_leaves, make_plain
from rnn_pipelines.errors import RunError, show
from rnn_pipelines.pipelines.names import RunParams
from rnn_pipelines.runs.run_store import DataFacts, RunRecord
from rnn_pipelines.runs.writing import OpenRun

NAMES_IN_MESSAGE = 5


def read_skipped_parameters(
    whole: Pipeline, pipeline: Pipeline, run_params: RunParams, catalog: DataCatalog
) -> dict[str, Any]:
    """Return the parameters of the nodes that do not run, or may not, by their names."""
    runs = set() if run_params["only_missing_outputs"] else set(pipeline.nodes)
    names = {
        name
        for node in whole.nodes
        if node not in runs
        for name in node.inputs
        if name.startswith("params:")
    }
    # The number of processes changes no result.
    names.discard("params:parallel")
    return {name.removeprefix("params:"): make_plain(catalog.load(name)) for name in sorted(names)}


def refuse_other_parameters(before: RunRecord, parameters: Mapping[str, Any], command: str) -> None:
    """Raise a RunError if nodes that do not run would have other parameters than those of the earlier results."""
    then = list_leaves(before.get("parameters", {}))
    now = list_leaves(parameters)
    changes = [
        f"{name} was {show(then[name])}, and is {show(value)}"
        for name, value in now.items()
        if name in then and then[name] != value
    ]
    if changes:
        listed = "; ".join(changes[:NAMES_IN_MESSAGE]) + (
            "; …" if len(changes) > NAMES_IN_MESSAGE else ""
        )
        fact = f"the results of run {before['run']} were made by other parameters ({listed})"
        raise RunError(f"{fact}. Run all nodes: {command}")


def refuse_other_data(run: OpenRun, name: str, facts: DataFacts, command: str) -> None:
    """Raise a RunError if a table is not the one from which the earlier results were made."""
    before = run.before.get("data", {}).get(name)
    if before is not None and before["fingerprint"] != facts["fingerprint"]:
        rows = f"{before['num_rows']:,} rows then, {facts['num_rows']:,} now"
        fact = f"the results of run {run.before['run']} were made from another {name} ({rows})"
        raise RunError(f"{fact}. Run all nodes: {command}")
