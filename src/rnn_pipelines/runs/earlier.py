"""The run before: the newest earlier run of a pipeline on the same data source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnn_pipelines.runs.comparison import Rows, find_differences, list_records, read_results
from rnn_pipelines.runs.records import RunRecord
from rnn_pipelines.runs.run_store import RunStore

# The parameters that name a data source.
SOURCE_KEYS = ("name", "path", "target")


@dataclass(frozen=True)
class EarlierRun:
    """A run that a report compares with the present one.

    Attributes:
        pipeline, run: names.
        ended: ISO 8601, UTC.
        results: the leaves of its results by path, such as `lstm.mse`.
        differences: the two values of what differs, by kind (`data`, `parameters`, `code`, `versions`) and name.
    """

    pipeline: str
    run: str
    ended: str
    results: Mapping[str, Any]
    differences: Mapping[str, Rows]


def find_earlier_run(store: RunStore, record: RunRecord) -> EarlierRun | None:
    """Return the newest complete run on the data source of a run that has not ended; None if there is none.

    Args:
        store: of the pipeline's runs.
        record: of the present run. Without data, as of a partial run, data are not compared.
    """
    for earlier in reversed(list_records(store)):
        source = _find_source(earlier)
        if "ended" in earlier and source is not None and source == _find_source(record):
            compared = find_differences([earlier, record])
            skipped = {"files"} if record.get("data") else {"files", "data"}
            return EarlierRun(
                pipeline=store.pipeline,
                run=earlier["run"],
                ended=earlier["ended"],
                results=read_results(store.folder / earlier["run"], earlier["files"]),
                differences={kind: rows for kind, rows in compared.items() if rows and kind not in skipped},
            )
    return None


def _find_source(record: RunRecord) -> list[Any] | None:
    block = record.get("parameters", {}).get(f"{record.get('pipeline')}.source")
    return [block.get(key) for key in SOURCE_KEYS] if isinstance(block, dict) else None
