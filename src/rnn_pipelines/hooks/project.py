"""The hooks of every run: checks of parameters, locks and publication of retrainings, and log lines on results."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import chain

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.champion.changes import count_retrainings
from rnn_pipelines.champion.failed_runs import clear_failure, keep_failure
from rnn_pipelines.champion.outcome import record_failure
from rnn_pipelines.connectors.mlflow.publication import publish_if_possible
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec
from rnn_pipelines.datasets.passed import is_parallel, read_messages, send_message
from rnn_pipelines.errors import LockedError, RunError, RunStopped
from rnn_pipelines.hooks import parameters as checks
from rnn_pipelines.hooks.paths import find_saver, find_store, find_tracking
from rnn_pipelines.networks.keras_start import quicken_start
from rnn_pipelines.networks.memory import keep_freed_memory
from rnn_pipelines.parameter_models import rename_parameters
from rnn_pipelines.pipelines.names import REFUSED_RUNNERS, RunParams, list_retrained, list_using
from rnn_pipelines.printing import escape_log, print_text, rewrite_log
from rnn_pipelines.report.failures import pop_failures
from rnn_pipelines.runs.run_store import IS_ALARM, WAIT_SECONDS
from rnn_pipelines.storage.lock import hold_lock

logger = logging.getLogger(__name__)

# The parameters that no node reads.
OF_ALL_RUNS = "params:runs"
# The ends of the names of records that tell whether a run is an alarm.
ALARMING = ("_suspects", "_stamp")
# Nodes that take less time are not logged.
LONG_SECONDS = 2.0
# The messages of nodes on parts of the report that failed.
FAILURES = "failures"
# Labels of logged results, by the last word of their names in the catalog.
RESULTS = {"report": "Report", "scores": "Scores", "forecasts": "Forecasts", "csv": "Next values"}
RESULTS["predictions"] = "Predictions"


def refuse_runner(run_params: RunParams) -> None:
    """Raise a RunError if a pipeline would have other results with the runner than with `SequentialRunner`."""
    for runner, (names, reason) in REFUSED_RUNNERS.items():
        for name in run_params["pipeline_names"] or ():
            if name in names and runner in run_params.get("runner", ""):
                raise RunError(
                    f"--runner={runner}: {name} {reason}. Use --runner=SequentialRunner."
                )


class RunHooks:
    """Hooks that check parameters, lock, record and publish retrainings, and log the locations of results."""

    def __init__(self) -> None:
        self._locks = ExitStack()
        self._num_retrainings: dict[str, int] = {}
        self._begun: dict[str, float] = {}
        self._find_tracking: Callable[[], TrackingSpec | None] = lambda: None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Escape the log, and keep the way to the settings of MLflow, which are read only for retrainings."""
        escape_log(logging.getLogger().handlers)
        self._find_tracking = partial(find_tracking, context)

    @hook_impl
    def before_pipeline_run(self, run_params: RunParams, catalog: DataCatalog) -> None:
        """Check parameters, cells of networks and settings of MLflow, and take the locks of retrainings.

        The process is prepared for trainings here, because it is not that of a user's own Python program.
        """
        pop_failures()
        refuse_runner(run_params)
        quicken_start()
        keep_freed_memory()
        names = run_params["pipeline_names"] or ["__default__"]
        full_names = checks.find_full_names({name: pipelines[name] for name in names})
        env = run_params.get("env")
        given = run_params["runtime_params"] or {}
        rewrite_log(
            logging.getLogger().handlers,
            lambda message: checks.complete_commands(
                rename_parameters(message, full_names), env, given
            ),
        )
        inputs = {name for pipeline in names for name in pipelines[pipeline].inputs()} | {
            OF_ALL_RUNS
        }
        parameters = catalog.load("parameters")
        checks.check_parameter_names(inputs, given, given)
        checks.check_parameter_names(
            inputs | checks.find_inputs_of_owners(inputs, names), parameters, given={}
        )
        checks.check_network_cells(inputs, parameters)
        for task in list_retrained(run_params):
            self._find_tracking()
            store = find_store(catalog, task)
            self._locks.enter_context(hold_lock(store.folder / "retrain.lock", WAIT_SECONDS.get()))
            self._num_retrainings[task] = count_retrainings(store)

    @hook_impl
    def on_pipeline_error(
        self, error: Exception, run_params: RunParams, catalog: DataCatalog
    ) -> None:
        """Record failed runs, release the locks of retrainings, and publish their failures to MLflow.

        A retraining that ended with a decision is no failure, even if a later node or another task fails.
        """
        for task in list_retrained(run_params):
            store = find_store(catalog, task)
            if count_retrainings(store) == self._num_retrainings[task]:
                as_of = getattr(catalog.load("parameters").get(f"retrain_{task}"), "as_of", None)
                record_failure(store.folder, task, error, as_of)
        # Another run was not over; this one says nothing about the champion.
        if not isinstance(error, LockedError | RunStopped):
            for pipeline, task in list_using(run_params):
                store = find_store(catalog, task)
                if store.find_pointer() is not None:
                    given = run_params["runtime_params"] or {}
                    keep_failure(
                        store.folder,
                        pipeline,
                        checks.complete_commands(str(error), run_params["env"], given),
                    )
        self._locks.close()
        self._publish(run_params, catalog)
        rewrite_log(logging.getLogger().handlers)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        # Kedro may have configured the log of this process anew.
        escape_log(logging.getLogger().handlers)
        self._begun[node.name] = time.monotonic()

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog) -> None:
        seconds = time.monotonic() - self._begun.pop(node.name)
        if seconds >= LONG_SECONDS:
            logger.info("%s: %.0f s", node.name, seconds)
        if is_parallel(catalog):
            send_message(catalog, node.name, FAILURES, pop_failures())

    @hook_impl
    def after_pipeline_run(
        self, run_params: RunParams, pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Print the summary of the run, log the location of each result, and publish retrainings to MLflow."""
        for name in sorted(pipeline.outputs()):
            if name.endswith("_summary") and name in catalog:
                print_text(f"\n{catalog.load(name)}\n")
        for name in sorted(pipeline.all_outputs()):
            label = RESULTS.get(name.rpartition("_")[2])
            described = catalog[name]._describe() if label and name in catalog else {}
            table = described.get("table")
            # A dataset that is only in memory has neither.
            location = described.get("filepath") or (f"table {table}" if table else None)
            if location:
                logger.info("%s: %s", label, location)
        records = [
            name for name in pipeline.all_outputs() if name.endswith(ALARMING) and name in catalog
        ]
        IS_ALARM.set(any(catalog.load(name)["is_alarm"] for name in records))
        for used, task in list_using(run_params):
            clear_failure(find_store(catalog, task).folder, used)
        for reason in chain(pop_failures(), *read_messages(catalog, FAILURES)):
            logger.warning("the results are complete, but a part of the report failed: %s", reason)
        self._locks.close()
        self._publish(run_params, catalog)
        rewrite_log(logging.getLogger().handlers)

    def _publish(self, run_params: RunParams, catalog: DataCatalog) -> None:
        for task in list_retrained(run_params):
            publish_if_possible(
                find_store(catalog, task), task, self._find_tracking, find_saver(task)
            )
