"""MLflow is told after each retraining."""

from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog

from rnn_pipelines.champion.tracking.publication import publish_if_possible
from rnn_pipelines.champion.tracking.specs import TrackingSpec
from rnn_pipelines.errors import TrackingError
from rnn_pipelines.hooks.paths import find_store, find_tracking
from rnn_pipelines.pipelines.retraining import list_retrained


class TrackingHooks:
    """Before a retraining, what is wrong in `mlflow.yml` ends it; after it, nothing does."""

    def __init__(self) -> None:
        self._context: KedroContext | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keeps what knows the configuration; nothing is read for a run that retrains nothing."""
        self._context = context

    # First and last of all hooks: a run that can't begin takes no lock, and a failure is on record by then.
    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Ends a retraining before its first node where MLflow could not be told of it."""
        if list_retrained(run_params):
            self._find_tracking()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Tells MLflow what was decided."""
        self._publish(run_params, catalog)

    @hook_impl(trylast=True)
    def on_pipeline_error(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Tells MLflow what failed."""
        self._publish(run_params, catalog)

    def _publish(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        for task in list_retrained(run_params):
            publish_if_possible(find_store(catalog, task), task, self._find_tracking)

    def _find_tracking(self) -> TrackingSpec | None:
        if self._context is None:
            raise TrackingError("mlflow.yml: it can't be read, because Kedro has made no context.")
        return find_tracking(self._context)
