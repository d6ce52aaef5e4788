"""The pipelines by name: one per folder of `pipelines/`; `forecast` is the default."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Return the requested pipelines by name; all of them if the command names none."""
    pipelines = find_pipelines(raise_errors=True)
    # `kedro run --pipelines=...` finds only the named ones, and needs no default.
    return (
        pipelines | {"__default__": pipelines["forecast"]}
        if "__default__" in pipelines
        else pipelines
    )
