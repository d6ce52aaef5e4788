"""Failed runs of the pipelines that use a champion, until the next run of the pipeline ends well.

<champion's folder>/failed_predict_forecast.json
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from rnn_pipelines.errors import make_line
from rnn_pipelines.storage.files import replace_file
from rnn_pipelines.storage.formats import FORMAT, read_object
from rnn_pipelines.storage.names import make_timestamp

logger = logging.getLogger(__name__)

PREFIX = "failed_"


def keep_failure(folder: Path, pipeline: str, error: str) -> None:
    """Keep the error of a pipeline's run; if it can't be written either, an error is logged."""
    record = {
        "format": FORMAT,
        "pipeline": pipeline,
        "at": make_timestamp(),
        "error": make_line(error),
    }
    try:
        replace_file(_find_path(folder, pipeline), json.dumps(record, indent=2).encode())
    except OSError as failure:
        logger.error("%s: the failure of %s could not be written (%s)", folder, pipeline, failure)


def clear_failure(folder: Path, pipeline: str) -> None:
    """Remove the error of an earlier run, because this one ended well; if it can't be removed, an error is logged."""
    try:
        _find_path(folder, pipeline).unlink(missing_ok=True)
    except OSError as failure:
        logger.error(
            "%s: the earlier failure of %s could not be removed (%s)", folder, pipeline, failure
        )


def list_failures(folder: Path) -> Iterator[str]:
    """Yield the errors of pipelines whose last run failed, in words."""
    for path in sorted(folder.glob(f"{PREFIX}*.json")):
        try:
            failure = read_object(path.read_bytes(), path)
            yield f"the last run of {failure['pipeline']} failed at {failure['at']}: {failure['error']}"
        except (OSError, ValueError, KeyError) as error:
            yield f"{path}: the failure of a run can't be read ({error!r})"


def _find_path(folder: Path, pipeline: str) -> Path:
    return folder / f"{PREFIX}{pipeline}.json"
