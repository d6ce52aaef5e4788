"""The hook that sends OpenLineage events of runs, if `openlineage.yml` turns it on; else it imports nothing."""

import logging
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any, NamedTuple

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, MemoryDataset, SharedMemoryDataset
from kedro.pipeline import Node, Pipeline
from pydantic import Field

from rnn_pipelines.connectors.settings import find_settings
from rnn_pipelines.datasets.passed import read_messages, send_message
from rnn_pipelines.datasets.paths import find_dataset, find_path
from rnn_pipelines.errors import MissingLibraryError, RunStopped, make_line
from rnn_pipelines.parameter_models import ParameterModel, read_parameter_model

logger = logging.getLogger(__name__)
Around = Generator[None, Any, None]
# The messages of nodes on their inputs and outputs.
VALUES = "values"


@contextmanager
def _only_warn(missing: str) -> Iterator[None]:
    try:
        yield
    # Any exception, because a run must not fail for its lineage.
    except Exception as problem:
        logger.warning(
            "OpenLineage did not receive the %s of the run (%s)", missing, make_line(problem)
        )


class LineageSpec(ParameterModel, frozen=True):
    """The settings in `openlineage.yml`.

    Attributes:
        is_on: whether events are sent.
        namespace: of jobs, and of data sets that are no files.
        transport: the destination, in the words of OpenLineage's client.
    """

    is_on: bool = False
    namespace: str = Field("rnn-pipelines", min_length=1)
    transport: dict[str, Any] = Field(
        {"type": "file", "log_file_path": "openlineage.jsonl", "append": True}
    )


class Value(NamedTuple):
    """What is told of an input or output of a node.

    Attributes:
        path: of the user's file, if it is a block of parameters.
        columns: the type of each, if it is a table.
        is_read: whether the node has read the table from a source.
    """

    name: str
    path: str | None
    columns: dict[str, str] | None
    num_rows: int
    is_read: bool


class LineageHooks:
    """Hooks that send START, COMPLETE and FAIL of each run; an event that can't be sent is a warning."""

    # Data sets of the inputs and outputs, by name; None if it is off or could not start.
    _sides: Any = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the way to the settings, which are read only for runs."""
        self._context = context

    # Around all other hooks, so that names are those before results are redirected, and a refused run has no event.
    @hook_impl(wrapper=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> Around:
        """Find the data sets of both sides and the stores of champions, and send START."""
        self._spec = find_lineage(self._context)
        self._sides = None
        if self._spec.is_on:
            with _only_warn("START"):
                from openlineage import client
                from openlineage.client import event_v2, facet_v2, uuid  # noqa: F401 they become attributes of client

                self._library = client
                self._stores: dict[str, Any] = {}
                # The user's files by the name of their block of parameters: `source` and `covariates`.
                self._paths: dict[str, str] = {}
                self._run = (
                    str(uuid.generate_new_uuid()),
                    ",".join(run_params["pipeline_names"] or ["__default__"]),
                )
                sides = {"input": pipeline.inputs(), "output": pipeline.all_outputs()}
                self._sides = {
                    side: self._find_datasets(side, names, catalog) for side, names in sides.items()
                }
        yield
        self._send("START")

    @hook_impl
    def after_node_run(
        self, node: Node, catalog: DataCatalog, inputs: dict[str, Any], outputs: dict[str, Any]
    ) -> None:
        """Add columns and numbers of rows; a table of a source, which is no entry of the catalog, is an input."""
        with _only_warn("tables"):
            values = [
                _describe_value(name, value, name in outputs)
                for name, value in {**inputs, **outputs}.items()
            ]
            send_message(catalog, node.name, VALUES, values)
            self._add_values(values)

    def _add_values(self, values: Iterable[Value]) -> None:
        for value in values if self._sides else ():
            if value.path is not None:
                self._paths[re.split(r"[:.]", value.name)[-1]] = value.path
            if value.columns is not None:
                if value.is_read and value.name not in self._sides["output"]:
                    self._add_source(value.name)
                self._add_facts(value.name, value.columns, value.num_rows)

    @hook_impl(wrapper=True)
    def after_pipeline_run(self, catalog: DataCatalog) -> Around:
        """Send COMPLETE, or FAIL if the results can't be published."""
        with _only_warn("tables"):
            for values in read_messages(catalog, VALUES):
                self._add_values(values)
        try:
            yield
        except Exception as error:
            self._send("FAIL", error)
            raise
        self._send("COMPLETE")

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        self._send("ABORT" if isinstance(error, RunStopped) else "FAIL", error)

    def _add_source(self, table: str) -> None:
        """Add the file of a table; covariates without a file of their own are in that of the series."""
        path = self._paths.get("covariates" if table.endswith("_covariate_table") else "source")
        if path is not None or not table.endswith("_covariate_table"):
            self._sides["input"][table] = self._name_dataset("input", table, path)

    def _find_datasets(
        self, side: str, names: Iterable[str], catalog: DataCatalog
    ) -> dict[str, Any]:
        found = {}
        for name in sorted(names):
            dataset = find_dataset(catalog, name)
            if dataset is not None and not isinstance(dataset, MemoryDataset | SharedMemoryDataset):
                store = getattr(dataset, "store", None)
                self._stores |= {} if store is None else {name: store}
                path = find_path(dataset) or getattr(store, "folder", None)
                found[name] = self._name_dataset(side, name, path)
        return found

    def _name_dataset(self, side: str, name: str, path: Any) -> Any:
        """Return a data set with the name of its file, or else of its entry in the catalog."""
        kind = getattr(self._library.event_v2, f"{side.capitalize()}Dataset")
        is_file = path is not None and "://" not in str(path)
        return (
            kind("file", str(self._context.project_path / path))
            if is_file
            else kind(self._spec.namespace, name)
        )

    def _add_facts(self, name: str, columns: dict[str, str], num_rows: int) -> None:
        facets = self._library.facet_v2
        schema = self._library.facet_v2.schema_dataset
        fields = [schema.SchemaDatasetFacetFields(*column) for column in columns.items()]
        for side in (side for side, datasets in self._sides.items() if name in datasets):
            self._sides[side][name].facets["schema"] = schema.SchemaDatasetFacet(fields)
            module = getattr(facets, f"{side}_statistics_{side}_dataset")
            of = side.capitalize()
            statistics = getattr(module, f"{of}Statistics{of}DatasetFacet")(num_rows)
            getattr(self._sides[side][name], f"{side}Facets")[f"{side}Statistics"] = statistics

    def _send(self, state: str, error: Exception | None = None) -> None:
        if self._sides is None:
            return
        with _only_warn(state):
            events = self._library.event_v2
            facets = self._library.facet_v2
            for name, store in self._stores.items():
                if (pointer := store.find_pointer()) is not None:
                    version = facets.dataset_version_dataset.DatasetVersionDatasetFacet(
                        pointer.version
                    )
                    for datasets in (
                        datasets for datasets in self._sides.values() if name in datasets
                    ):
                        datasets[name].facets["version"] = version
            failure = facets.error_message_run.ErrorMessageRunFacet(make_line(error), "Python")
            event = events.RunEvent(
                eventTime=datetime.now(UTC).isoformat(),
                run=events.Run(self._run[0], {} if error is None else {"errorMessage": failure}),
                job=events.Job(self._spec.namespace, self._run[1]),
                eventType=events.RunState[state],
                **{f"{side}s": [*datasets.values()] for side, datasets in self._sides.items()},
            )
            self._library.OpenLineageClient(config={"transport": self._spec.transport}).emit(event)


def _describe_value(name: str, value: Any, is_output: bool) -> Value:
    path = getattr(value, "path", None)
    data = getattr(value, "table", value)
    is_table = hasattr(data, "dtypes") and hasattr(data, "columns")
    return Value(
        name,
        path if isinstance(path, str) else None,
        {str(column): str(kind) for column, kind in data.dtypes.items()} if is_table else None,
        len(data) if is_table else 0,
        is_output and name.endswith("_table"),
    )


def find_lineage(context: KedroContext) -> LineageSpec:
    """Return the settings of OpenLineage in the environment of a session.

    An invalid setting raises a ParameterError. If it is on, and its client is not installed, a MissingLibraryError is
    raised.
    """
    spec: LineageSpec = read_parameter_model(
        "openlineage", LineageSpec, find_settings(context, "openlineage")
    )
    if spec.is_on and find_spec("openlineage") is None:
        raise MissingLibraryError(
            "openlineage.yml: is_on is true, but the client of OpenLineage is not installed. Run pip install "
            '"rnn-pipelines[openlineage]", or write is_on: false.'
        )
    return spec
