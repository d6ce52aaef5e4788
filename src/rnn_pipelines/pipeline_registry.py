"""The pipelines by name: every folder in `pipelines/` is one, and `forecast` runs by default."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines that the command asks for; all of them where it names none."""
    pipelines = find_pipelines(raise_errors=True)
    # `kedro run --pipelines=...` finds the named ones alone, and needs no default.
    return pipelines | {"__default__": pipelines["forecast"]} if "__default__" in pipelines else pipelines
