"""The files of settings of connectors: `mlflow.yml` and `openlineage.yml`."""

from typing import Any

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext


def find_settings(context: KedroContext, name: str) -> dict[str, Any]:
    """Return the content of `<name>.yml` in the environment of a session; nothing without such a file."""
    try:
        return context.config_loader[name]
    except MissingConfigException:
        return {}
