"""The names of all pipelines. This module is not a pipeline."""

from pathlib import Path

# Each folder here is a pipeline.
PIPELINES = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/pipeline.py")))
