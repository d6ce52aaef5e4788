"""What happens around every run."""

import difflib
import logging
import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from rnn_pipelines.errors import ParameterError

logger = logging.getLogger(__name__)


class RunHooks:
    """Refuses parameters that no node reads, keeps TensorFlow's start quiet, and says where reports and scores are."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Ends the run before its first node where a parameter's name is not known."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        names = run_params["pipeline_names"] or ["__default__"]
        refuse_unread_parameters(
            inputs={name for pipeline in names for name in pipelines[pipeline].inputs()},
            parameters=catalog.load("parameters"),
            given=run_params["runtime_params"] or {},
        )

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Says where each report and each table of scores lies."""
        for name in sorted(pipeline.outputs()):
            kind = name.rpartition("_")[2]
            if kind in ("report", "scores") and name in catalog:
                logger.info("%s: %s", kind.capitalize(), catalog[name]._describe()["filepath"])


def refuse_unread_parameters(inputs: Iterable[str], parameters: dict[str, Any], given: dict[str, Any]) -> None:
    """Kedro checks the keys inside a typed block; this checks the names of the blocks.

    Args:
        inputs: the pipelines' inputs, `params:<pipeline>.<block>` among them.
        parameters: all parameters of the project.
        given: those given on the command line.
    Raises:
        ParameterError: a block of a pipeline that runs, or a parameter on the command line, is read by no node.
    """
    blocks: dict[str, set[str]] = defaultdict(set)
    for name in inputs:
        if name.startswith("params:"):
            pipeline, _, block = name.removeprefix("params:").partition(".")
            blocks[pipeline] |= {block.partition(".")[0]} - {""}
    _refuse_unknown("", given, blocks)
    for pipeline, known in blocks.items():
        if not known:  # the pipeline reads its parameters as one block, whose type Kedro checks
            continue
        block = parameters.get(pipeline, {})
        if not isinstance(block, dict):
            raise ParameterError(f"Parameter '{pipeline}': expected the blocks {sorted(known)}, received {block!r}.")
        _refuse_unknown(f"{pipeline}.", block, known)


def _refuse_unknown(prefix: str, received: Iterable[str], known: Iterable[str]) -> None:
    for name in received:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean '{prefix}{close[0]}'?" if close else f"Expected one of {sorted(known)}."
            raise ParameterError(f"Parameter '{prefix}{name}' is read by no node of this run. {hint}")
