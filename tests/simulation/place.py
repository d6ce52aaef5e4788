"""The production code of a night: its pipelines' nodes, hooks and data sets, and the functions of check and audit.

Without a session of Kedro for each run, and without its log; only the model and the pages are stubs.
"""

import json
import logging
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import click
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import MemoryDataset
from kedro.pipeline import Node, Pipeline

import stub_model
from machine import Killed, Machine
from rnn_pipelines.champion import manifest
from rnn_pipelines.champion.changes import find_retraining, list_changes
from rnn_pipelines.champion.verdict import check_task, read_log_stamp
from rnn_pipelines.cli import audit as auditing
from rnn_pipelines.cli import champion as commands
from rnn_pipelines.cli.champion import CHECK_CODES
from rnn_pipelines.cli.run_command import ALARM_CODE, show_plainly
from rnn_pipelines.datasets import PassedDataset
from rnn_pipelines.datasets.paths import change_path, find_dataset, find_path
from rnn_pipelines.forecast.operations.audit import audit_chain
from rnn_pipelines.hooks import parameters, results
from rnn_pipelines.hooks.paths import TaskPaths, find_store, fingerprint_newest
from rnn_pipelines.hooks.project import RunHooks
from rnn_pipelines.hooks.results import ResultHooks
from rnn_pipelines.runs.run_store import IS_ALARM, WAIT_SECONDS
from rnn_pipelines.storage.lock import hold_lock
from whole_runs import PROJECT, copy_configuration

logger = logging.getLogger(__name__)

TASK = "forecast"
NIGHTLY = ("retrain_forecast", "predict_forecast", "monitor_forecast")
STUBS: dict[str, Callable[..., Any]] = {
    "prepare_fitting": stub_model.keep_windows,
    "train_network": stub_model.train_nothing,
    "choose_challenger": stub_model.choose_stub,
}
# Texts at the end of a run, and nodes whose pages and figures nothing else reads.
TEXTS = ("summarize_forecasts", "summarize_run")
PAGES = ("explain_newest", "render_change", "draw_figures", "render_report")
FORECAST = {
    "window": {"lookback": 12, "horizon": 2},
    "split": {"validation": 12, "test": 12},
    "level": [80],
    "use": stub_model.NAME,
    "pretrained": {"is_used": False},
    "calendar": {"yearly": 0, "weekly": 0, "daily": 0},
}


@dataclass
class Process:
    """A catalog of one configuration, as a process has it.

    Attributes:
        paths: of the files of its data sets before any run.
        reasons: of the last check.
    """

    context: Any
    catalog: Any
    paths: dict[Any, Any] = field(default_factory=dict)
    reasons: Sequence[str] = ()

    def restart(self) -> None:
        """Forget what a process has in memory."""
        for dataset, path in self.paths.items():
            change_path(dataset, path)
        self.catalog["champion_forecast"].release()


@dataclass
class Place:
    """A data root with its configuration, and the machine that works there.

    Attributes:
        table: the file that is delivered each night.
        settings: of `forecast`, besides those of `FORECAST`.
        foreign: files of others in the data root, with their content.
        messages: the errors of this night.
    """

    folder: Path
    machine: Machine
    table: Path = Path()
    settings: dict[str, Any] = field(default_factory=dict)
    foreign: dict[Path, bytes] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.data / "07_model_output/predict_forecast/forecasts.parquet"

    def open(self, number: int = 0) -> Process:
        """A process with the settings of tonight; those that run at the same time have numbers."""
        key = f"{number} {self.table} {json.dumps(self.settings, sort_keys=True)}"
        if key not in self.processes:
            self.processes[key] = _open_process(self.folder, self.table, self.settings)
        process = self.processes[key]
        process.restart()
        return process

    def attempt(self, work: Callable[[], object]) -> int:
        """Do something, and return the exit code of its command; a bug of the program keeps its exception."""
        IS_ALARM.set(False)
        try:
            with show_plainly(), redirect_stdout(StringIO()):
                code = work()
        except click.ClickException as error:
            self.messages.append(error.message)
            raise_bug(error)
            return error.exit_code
        return (code if isinstance(code, int) else 0) or (ALARM_CODE if IS_ALARM.get() else 0)

    def describe(self) -> list[str]:
        """The errors of the night's commands, and the reasons of its check."""
        return [*self.messages, *self.open().reasons]

    def forget_foreign(self) -> None:
        """Keep those of the files of others that are still there, after their owner has deleted some."""
        self.foreign = {path: content for path, content in self.foreign.items() if path.exists()}

    def clear(self, freq: str) -> None:
        """Empty the data root, for another history."""
        for name in ("data", "backup"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.data.mkdir()
        self.table = self.folder / "sales.csv"
        self.settings = {"source": {"freq": freq}}
        stub_model.forget()


def raise_bug(error: BaseException) -> None:
    """Raise the cause of an error if it is a bug, which Kedro shows as an error of the data set."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, AssertionError | AttributeError | IndexError | NameError | TypeError):
        raise cause


def prepare(folder: Path, machine: Machine) -> Place:
    """A new place in an empty folder."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    copy_configuration(folder)
    bootstrap_project(PROJECT)
    read_project_once()
    for name in NIGHTLY:
        list_nodes(name)
    return Place(folder, machine)


def read_project_once() -> None:
    """Keep what each run would read again of the project itself: its code, its commit, and its pipelines."""
    for module, name in (
        (manifest, "fingerprint_code"),
        (results, "fingerprint_code"),
        (results, "find_commit"),
        (results, "list_versions"),
        (results, "find_data_root"),
        (parameters, "find_full_names"),
        (parameters, "find_inputs_of_owners"),
    ):
        setattr(module, name, _keep(getattr(module, name)))


def _keep(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which is called once for the same project, whatever its arguments are called."""
    kept: dict[str, Any] = {}

    def call(*args: Any) -> Any:
        key = str([sorted(arg) if isinstance(arg, set) else type(arg) for arg in args])
        if key not in kept:
            kept[key] = function(*args)
        return kept[key]

    return call


def _open_process(folder: Path, table: Path, settings: Mapping[str, Any]) -> Process:
    source = {"path": str(table), "time": "day", "target": "sales", "id": "shop"}
    block = {**FORECAST, **settings}
    block["source"] = {**source, **settings.get("source", {})}
    (folder / "conf/test/parameters_forecast.yml").write_text(json.dumps({TASK: block}))
    pipelines.set_requested(None)
    session = KedroSession.create(
        project_path=PROJECT, env="test", conf_source=str(folder / "conf")
    )
    context = session.load_context()
    process = Process(context, context.catalog)
    for name in process.catalog:
        dataset = find_dataset(process.catalog, name)
        if isinstance(dataset, PassedDataset):
            dataset.shared_memory_dataset._copy_mode = "assign"
        elif isinstance(dataset, MemoryDataset):
            dataset._copy_mode = "assign"
        elif path := find_path(dataset):
            process.paths[dataset] = path
    return process


@cache
def list_nodes(name: str) -> tuple[Pipeline, tuple[Node, ...]]:
    """A pipeline, and its nodes in the order of a run, with the stubs."""
    pipeline = pipelines[name]
    nodes = [node for node in pipeline.nodes if node.func.__name__ not in PAGES]
    return pipeline, tuple(_replace(node) for node in nodes)


def _replace(node: Node) -> Node:
    name = node.func.__name__
    if name in TEXTS:
        return Node(lambda: "a text", None, node._outputs, name=node.name)
    return node._copy(func=STUBS[name], name=node.name) if name in STUBS else node


def run_pipeline(process: Process, name: str, first: str | None = None) -> None:
    """Run the nodes of a pipeline, or those from one on, between its hooks, in the order of Kedro's runner."""
    pipeline, nodes = list_nodes(name)
    if first is not None:
        pipeline = pipeline.from_nodes(first)
        names = {node.name for node in pipeline.nodes}
        nodes = tuple(node for node in nodes if node.name in names)
    catalog = process.catalog
    params: Any = {
        "pipeline_names": [name],
        "env": "test",
        "runtime_params": {},
        "only_missing_outputs": False,
    }
    runs, folders = RunHooks(), ResultHooks()
    for hooks in (runs, folders):
        hooks.after_context_created(process.context)
    runs.before_pipeline_run(params, catalog)
    folders.before_pipeline_run(params, pipeline, catalog)
    try:
        for node in nodes:
            inputs = {key: catalog.load(key) for key in node.inputs}
            runs.before_node_run(node)
            inputs |= folders.before_node_run(node, catalog, inputs)
            outputs = node.run(inputs)
            folders.after_node_run(node, catalog, outputs)
            runs.after_node_run(node, catalog)
            for key, value in outputs.items():
                catalog.save(key, value)
    except Exception as error:
        runs.on_pipeline_error(error, params, catalog)
        folders.on_pipeline_error(catalog)
        raise
    except Killed:
        # The kernel frees the locks of a process.
        runs._locks.close()
        folders._locks.close()
        raise
    folders.after_pipeline_run(catalog)
    runs.after_pipeline_run(params, pipeline, catalog)


def retrain(process: Process) -> None:
    """`kedro champion retrain`: only if something has changed."""
    paths = find_task_paths(process)
    with (
        hold_lock(paths.champion / "retrain.lock", WAIT_SECONDS.get()),
        commands._put_failure_on_record(paths, TASK, None),
    ):
        newest = fingerprint_newest(TASK, list_nodes("retrain_forecast")[0], process.catalog)
        if list_changes(paths.store, newest):
            run_pipeline(process, "retrain_forecast")


def check(process: Process) -> int:
    """`kedro champion check`; return its exit code."""
    paths = find_task_paths(process)
    verdict = check_task(paths.store, paths.verdict, paths.log)
    process.reasons = verdict.reasons
    return CHECK_CODES[verdict.verdict]


def audit(process: Process) -> int:
    """`kedro champion audit`; return its exit code."""
    catalog = process.catalog
    kept = read_log_stamp(catalog.load(auditing.FOLDER))
    is_there = catalog.exists(auditing.LOG)
    nights = catalog[auditing.LOG].iterate_nights() if is_there else ()
    chain, links = audit_chain(nights, kept=kept)
    if chain["verdict"] != "ok":
        return auditing.BROKEN
    if is_there:
        auditing._prove(catalog, links, [], [])
    return 0


def find_task_paths(process: Process) -> TaskPaths:
    catalog = process.catalog
    store = find_store(catalog, TASK)
    log = Path(catalog["predict_forecast_forecasts"]._describe()["filepath"])
    verdict = process.paths[catalog["monitor_forecast_verdict"]]
    return TaskPaths(store.folder, Path(verdict), log=log)


def promote_challenger(process: Process) -> None:
    """`kedro champion retrain --force --promote`."""
    paths = find_task_paths(process)
    with hold_lock(paths.champion / "retrain.lock", WAIT_SECONDS.get()):
        run_pipeline(process, "retrain_forecast")
        record = find_retraining(paths.store.list_records()) or {}
        with redirect_stderr(StringIO()):
            commands._promote_challenger(paths, TASK, record)


COMMANDS: dict[str, Callable[[Process], Any]] = {
    "retrain": retrain,
    "predict": lambda process: run_pipeline(process, "predict_forecast"),
    "monitor": lambda process: run_pipeline(process, "monitor_forecast"),
    "check": check,
    "audit": audit,
}
