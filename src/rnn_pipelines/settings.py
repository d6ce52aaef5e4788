"""Settings that Kedro reads when it starts."""

from rnn_pipelines.connectors.lineage import LineageHooks
from rnn_pipelines.hooks.project import RunHooks
from rnn_pipelines.hooks.results import ResultHooks

HOOKS = (ResultHooks(), RunHooks(), LineageHooks())

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment lists only the parameters that differ; Kedro's default would drop the rest of the block.
    "merge_strategy": {"parameters": "soft", "mlflow": "soft", "openlineage": "soft"},
    "config_patterns": {"mlflow": ["mlflow.yml"], "openlineage": ["openlineage.yml"]},
}
