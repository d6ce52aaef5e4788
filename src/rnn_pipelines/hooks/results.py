"""Hooks that redirect the results of a run into a folder of its own, and publish them together at its end."""

import logging
import shlex
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol, DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.champion.manifest import (
    find_commit,
    fingerprint_code,
    fingerprint_table,
    list_versions,
)
from rnn_pipelines.champion.records import list_leaves, make_plain
from rnn_pipelines.champion.tables import NUM_LETTERS, shorten_version
from rnn_pipelines.datasets.passed import is_parallel, prepare_messages, read_messages, send_message
from rnn_pipelines.datasets.paths import change_path, find_dataset, find_path, list_fixed_paths
from rnn_pipelines.errors import RunError
from rnn_pipelines.hooks.partial_runs import (
    read_skipped_parameters,
    refuse_other_data,
    refuse_other_parameters,
)
from rnn_pipelines.hooks.paths import find_data_root
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.pipelines.names import PIPELINES, PREFIX, RunParams
from rnn_pipelines.runs.comparison import EarlierRun, find_earlier_run
from rnn_pipelines.runs.run_store import (
    COMMAND,
    WAIT_SECONDS,
    DataFacts,
    RunRecord,
    RunsSpec,
    RunStore,
)
from rnn_pipelines.runs.writing import OpenRun, open_run, publish_run, put_aside
from rnn_pipelines.storage.lock import hold_lock
from rnn_pipelines.storage.names import make_later_name, make_timestamp
from rnn_pipelines.versions.folder import warn_of_kept

logger = logging.getLogger(__name__)

# Pipelines that append to a log, which no run may replace.
APPENDING = ("predict_forecast",)
# The messages of nodes on the tables that they read.
TABLES = "tables"
# The entry with the runs that go on, for hooks in other processes.
OPEN_RUNS = "open runs"
# Suffix of the dataset of a pipeline with the run before.
RUN_BEFORE = "_run_before"


@dataclass(frozen=True)
class ResultFile:
    """The shown path of a dataset's file: `<data root>/<layer>/<pipeline>/<rest>`."""

    path: PurePosixPath
    store: RunStore
    layer: str
    rest: PurePosixPath

    def within(self) -> PurePosixPath:
        """Return the path relative to the folder of a run."""
        return PurePosixPath(self.layer) / self.rest

    def is_linked(self) -> bool:
        return self.store.find_shown(self.layer).is_symlink()


@dataclass
class PipelineRun:
    """A run of one pipeline that goes on: its folder, the facts in its pages, and its record, empty at first."""

    opened: OpenRun
    facts: list[str]
    record: RunRecord = field(default_factory=RunRecord)


class ResultHooks:
    """Hooks that let each run write into its own folder, and publish its results together after its success.

    Runs of a pipeline in one data root are serialised by a lock. Retrainings, which write a version into the champion's
    store, and `predict_forecast`, which appends to a log beside its paths, write directly. So do all runs if the data
    root is on another machine.
    """

    def __init__(self) -> None:
        self._root: Path | None = None
        self._num_kept = RunsSpec().keep
        self._locks = ExitStack()
        self._runs: dict[RunStore, PipelineRun] = {}
        # The shown path of each redirected dataset.
        self._shown: dict[Any, PurePosixPath] = {}
        self._command = ""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        self._root = find_data_root(context)

    # Called after the checks of parameters, because Kedro calls the first registered hooks last.
    @hook_impl
    def before_pipeline_run(
        self, run_params: RunParams, pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Take the locks, make the run's folders, and redirect datasets to them."""
        kept = catalog.load("parameters").get("runs", {})
        self._num_kept = read_parameter_model("runs", RunsSpec, kept).keep
        self._command = _write_command(run_params)
        refuse_fixed_paths(pipeline.all_outputs(), catalog, self._root)
        result_files = find_result_files(pipeline.datasets(), catalog, self._root)
        try:
            self._open_runs(run_params, pipeline, catalog, result_files)
            read = self._redirect(result_files, catalog) if self._runs else {}
            self._name_runs(pipeline.all_outputs(), catalog)
            self._pass_facts(pipeline.all_outputs(), catalog)
            names = sorted(name for name in pipeline.inputs() if name.startswith("params:"))
            parameters = {
                name.removeprefix("params:"): make_plain(catalog.load(name)) for name in names
            }
            for run in self._runs.values():
                run.record = _describe(run.opened, run_params, parameters, read)
            prepare_messages(catalog, pipeline)
            if is_parallel(catalog):
                catalog[OPEN_RUNS] = MemoryDataset((self._runs, self._command))
        except BaseException:
            self._end()
            raise

    def _open_runs(
        self,
        run_params: RunParams,
        pipeline: Pipeline,
        catalog: DataCatalog,
        result_files: Mapping[str, ResultFile],
    ) -> None:
        """Take the lock of each pipeline that writes results, and make the folder of its run."""
        whole = sum(
            (pipelines[name] for name in run_params["pipeline_names"] or ["__default__"]),
            Pipeline([]),
        )
        written = find_result_files(whole.all_outputs(), catalog, self._root)
        is_whole = set(pipeline.nodes) == set(whole.nodes)
        needed = None
        if not is_whole or run_params["only_missing_outputs"]:
            # The earlier results that a partial run needs.
            needed = {name: result_files[name] for name in pipeline.inputs() & result_files.keys()}
        skipped = read_skipped_parameters(whole, pipeline, run_params, catalog)
        check = partial(refuse_other_parameters, parameters=skipped, command=self._command)
        stores = {result_files[name].store for name in pipeline.all_outputs() & result_files.keys()}
        # In a fixed order, so that no two runs wait for each other.
        for store in sorted(stores, key=lambda store: store.pipeline):
            if is_direct(store.pipeline):
                continue
            self._locks.enter_context(hold_lock(store.lock, WAIT_SECONDS.get()))
            copied = None if needed is None else _list_files(store, needed)
            opened = open_run(store, _list_files(store, written), copied, check)
            self._runs[store] = PipelineRun(opened, _list_facts(run_params, opened))

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: DataCatalog, inputs: dict[str, Any]
    ) -> dict[str, Any]:
        """Give a node the run before, by the name of its pipeline: `forecast_run_before`."""
        if is_parallel(catalog):
            # In a process of its own, the hooks know only what the catalog tells.
            self._runs, self._command = catalog.load(OPEN_RUNS)
            self._read_tables(catalog)
            self._pass_facts(node.outputs, catalog)
        return {
            f"{store.pipeline}{RUN_BEFORE}": _find_before(store, run.record)
            for store, run in self._runs.items()
            if f"{store.pipeline}{RUN_BEFORE}" in inputs
        }

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog, outputs: dict[str, Any]) -> None:
        """Add the fingerprints of tables that were read to the record."""
        tables: dict[str, DataFacts] = {
            name: {"fingerprint": fingerprint_table(table), "num_rows": len(table)}
            for name, table in outputs.items()
            if self._runs and name.endswith("_table") and hasattr(table, "dtypes")
        }
        for name, facts in tables.items():
            for run in self._runs.values():
                refuse_other_data(run.opened, name, facts, self._command)
        self._add_tables(tables)
        send_message(catalog, node.name, TABLES, tables)

    def _read_tables(self, catalog: DataCatalog) -> None:
        for tables in read_messages(catalog, TABLES):
            self._add_tables(tables)

    def _add_tables(self, tables: Mapping[str, DataFacts]) -> None:
        for name, facts in tables.items():
            for run in self._runs.values():
                run.record["data"][name] = facts
                if facts["num_rows"]:
                    # Before the command that ends a page.
                    run.facts.insert(-1, f"{name} {facts['fingerprint'][:NUM_LETTERS]}")

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Publish the results, before other hooks log their locations."""
        try:
            self._read_tables(catalog)
            for store, run in self._runs.items():
                publish_run(run.opened, {**run.record, "ended": make_timestamp()})
                logger.info("Run of %s: %s (%s)", store.pipeline, run.opened.name, run.facts[-1])
                _remove_old(store, self._num_kept)
        finally:
            self._end()

    @hook_impl
    def on_pipeline_error(self, catalog: DataCatalog) -> None:
        """Keep the earlier results, and put those of the failed run aside."""
        self._read_tables(catalog)
        self._end()

    def _end(self) -> None:
        for dataset, path in self._shown.items():
            change_path(dataset, path)
        try:
            for run in self._runs.values():
                put_aside(run.opened, run.record)
        except OSError as error:
            # Only logged, because the error of the run matters more; the next run removes the rest.
            logger.warning("the results of the failed run could not be stored (%s)", error)
        finally:
            self._runs = {}
            self._shown = {}
            self._locks.close()

    def _redirect(
        self, result_files: Mapping[str, ResultFile], catalog: DataCatalog
    ) -> dict[str, str]:
        """Redirect own results to the run's folder, and inputs from other pipelines to one fixed run of each.

        Return the fixed runs, by pipeline.
        """
        read = {}
        for name, result_file in result_files.items():
            dataset = find_dataset(catalog, name)
            run = self._runs.get(result_file.store)
            if run is not None:
                folder = run.opened.folder
            elif (current := result_file.store.find_current()) and result_file.is_linked():
                folder = result_file.store.folder / current
                read[result_file.store.pipeline] = current
            else:
                continue
            self._shown[dataset] = result_file.path
            change_path(dataset, PurePosixPath(folder) / result_file.within())
        return read

    def _name_runs(self, outputs: set[str], catalog: DataCatalog) -> None:
        """Give the name of the run to datasets that write it, to identify the origin of files and rows.

        Rows on a server get a name also from pipelines without a folder for each run.
        """
        fallback = make_later_name([])
        for dataset in (find_dataset(catalog, name) for name in outputs):
            if getattr(dataset, "is_on_server", False):
                dataset.run = fallback
        for store, run in self._runs.items():
            for name in outputs:
                dataset = find_dataset(catalog, name)
                if name.startswith(f"{store.pipeline}_") and hasattr(dataset, "run"):
                    dataset.run = run.opened.name

    def _pass_facts(self, outputs: Iterable[str], catalog: DataCatalog) -> None:
        """Give the pages among the outputs the facts of their run."""
        for name in outputs:
            dataset = find_dataset(catalog, name)
            for store, run in self._runs.items():
                if name.startswith(f"{store.pipeline}_") and hasattr(dataset, "facts"):
                    dataset.facts = run.facts


def find_result_files(
    names: set[str], catalog: CatalogProtocol[Any, Any], root: Path | None
) -> dict[str, ResultFile]:
    """Return the datasets whose files are results of a pipeline, sorted by name; none without a data root here."""
    result_files = {}
    for name in sorted(names):
        path = find_path(find_dataset(catalog, name))
        result_file = None if path is None else find_result_file(path, root)
        if result_file is not None:
            result_files[name] = result_file
    return result_files


def find_result_file(path: PurePosixPath | str, root: Path | None) -> ResultFile | None:
    """Return the place of a path among the results of a pipeline; None if it is elsewhere."""
    if root is None or not Path(path).is_relative_to(root):
        return None
    layer, *rest = Path(path).relative_to(root).parts
    if len(rest) < 2 or rest[0] not in PIPELINES:
        return None
    return ResultFile(PurePosixPath(path), RunStore(root, rest[0]), layer, PurePosixPath(*rest[1:]))


def refuse_fixed_paths(names: Iterable[str], catalog: DataCatalog, root: Path | None) -> None:
    """Raise a RunError for a result that a dataset would save outside of the folder of its run."""
    for name in sorted(names):
        for path in list_fixed_paths(catalog, name):
            result_file = find_result_file(path, root)
            if result_file is not None and not is_direct(result_file.store.pipeline):
                kind = type(catalog.get(name)).__name__
                raise RunError(
                    f"{name}: {kind} cannot save {path} in the folder of a run, because its class is not an "
                    f"AbstractVersionedDataset of Kedro. Choose a filepath outside of {root}, or another type."
                )


def is_direct(pipeline: str) -> bool:
    """Return whether a pipeline writes its files directly, without a folder for each run."""
    return pipeline.startswith((PREFIX, *APPENDING))


def _find_before(store: RunStore, record: RunRecord) -> EarlierRun | None:
    """Return the run before; an error is only logged, because the results do not depend on it."""
    try:
        return find_earlier_run(store, record)
    except RunError as error:
        logger.warning("no comparison with the run before: %s", error)
        return None


def _list_files(store: RunStore, result_files: Mapping[str, ResultFile]) -> set[str]:
    return {
        str(result_file.within())
        for result_file in result_files.values()
        if result_file.store == store
    }


def _remove_old(store: RunStore, num_kept: int) -> None:
    """Remove old runs; an error is only logged, because the new results are published."""
    try:
        removal = store.prune(num_kept)
    except OSError as error:
        logger.warning("%s: old runs could not be removed (%s)", store.folder, error)
        return
    warn_of_kept(removal)
    if removal.removed:
        logger.info("removed, because runs.keep is %d: %s", num_kept, ", ".join(removal.removed))


def _describe(
    run: OpenRun, run_params: RunParams, parameters: dict[str, Any], read: dict[str, str]
) -> RunRecord:
    return {
        "run": run.name,
        "pipeline": run.store.pipeline,
        "env": run_params["env"],
        "began": make_timestamp(),
        "continues": run.continues,
        "reads": read,
        "data": dict(run.before.get("data", {})),
        "parameters": {**run.before.get("parameters", {}), **parameters},
        "code": fingerprint_code(),
        "commit": find_commit(),
        "versions": list_versions(),
    }


def _write_command(run_params: RunParams) -> str:
    """Return the command that runs all nodes."""
    command = [
        "kedro",
        "run",
        f"--pipelines={','.join(run_params['pipeline_names'] or ['__default__'])}",
    ]
    command += [f"--env={run_params['env']}"] if run_params["env"] else []
    given = list_leaves(run_params.get("runtime_params") or {})
    command += (
        [f"--params={','.join(f'{name}={value}' for name, value in given.items())}"]
        if given
        else []
    )
    return shlex.join(command)


def _list_facts(run_params: RunParams, run: OpenRun) -> list[str]:
    """Return the commit, if there is one, the command of a run, and that which repeats it, unless it is partial."""
    commit = find_commit()
    repeat = ["kedro", "runs", "repeat", run.store.pipeline, shorten_version(run.name)]
    repeat += [f"--env={run_params['env']}"] if run_params["env"] else []
    commands = [
        COMMAND.get() or _write_command(run_params),
        *([] if run.continues else [f"again: {shlex.join(repeat)}"]),
    ]
    return [*([f"commit {commit[:8]}"] if commit else []), *commands]
