"""Which pipelines there are. A plain module, and no pipeline."""

from pathlib import Path

# Each folder here is one.
PIPELINES = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/pipeline.py")))
