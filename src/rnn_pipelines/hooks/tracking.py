"""Hooks that publish each retraining to MLflow."""

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
    """Hooks that check `mlflow.yml` before a retraining, and publish after it; a failed publication is only logged."""

    def __init__(self) -> None:
        self._context: KedroContext | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the context; the configuration is read only for retrainings."""
        self._context = context

    # Called first, so that invalid settings take no lock. The other hooks are called last, after failures are recorded.
    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Check the settings of MLflow before the first node of a retraining."""
        if list_retrained(run_params):
            self._find_tracking()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Publish the decisions to MLflow."""
        self._publish(run_params, catalog)

    @hook_impl(trylast=True)
    def on_pipeline_error(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Publish the failure to MLflow."""
        self._publish(run_params, catalog)

    def _publish(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        for task in list_retrained(run_params):
            publish_if_possible(find_store(catalog, task), task, self._find_tracking)

    def _find_tracking(self) -> TrackingSpec | None:
        if self._context is None:
            raise TrackingError("mlflow.yml: it can't be read, because Kedro has made no context.")
        return find_tracking(self._context)
