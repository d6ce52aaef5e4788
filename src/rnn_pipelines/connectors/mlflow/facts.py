"""Parameters, metrics and tags of a retraining for MLflow, from its record."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rnn_pipelines.champion.records import Record, list_leaves, list_measures, list_reasons
from rnn_pipelines.champion.tables import NUM_LETTERS
from rnn_pipelines.storage.names import find_moment

# MLflow's limits; the record, which is logged as a file, has long values in full.
MAX_KEY_LENGTH = 250
MAX_VALUE_LENGTH = 6000

# The tags that identify a run and a version.
RECORD: Final = "record"
VERSION: Final = "version"


def list_parameters(record: Record) -> dict[str, str]:
    """Return all parameters by the names that the command line takes."""
    return {
        _make_key(name): (value if isinstance(value, str) else json.dumps(value))[:MAX_VALUE_LENGTH]
        for name, value in list_leaves(record.get("parameters") or {}).items()
    }


def list_metrics(record: Record) -> Iterator[tuple[str, float, int]]:
    """Yield name, value and step of each metric: `loss/challenger`, `loss/<baseline>`, `seconds/total`, …

    The measure comes before the model, so that MLflow draws comparable metrics side by side. Only measures by step have
    steps other than 0.
    """
    for name, measures in list_measures(record).items():
        for measure, value in measures.items():
            for step, number in (
                enumerate(value, start=1) if isinstance(value, list) else ((0, value),)
            ):
                yield from _list_number(f"{measure}/{name}", number, step)
    yield from _list_number("p_value", record.get("p_value"))
    for name, seconds in (record.get("seconds") or {}).items():
        yield from _list_number(f"seconds/{name}", seconds)


def make_tags(record: Record) -> dict[str, str]:
    """Return the tags of a run: inputs and outcome. MLflow's own tags show commit and reasons on its pages."""
    reasons = "; ".join(list_reasons(record))
    facts = {
        RECORD: record[RECORD],
        "reasons": reasons,
        "compared_with": record.get("champion"),
        "as_of": record.get("as_of"),
        "mlflow.source.name": f"kedro champion retrain {record.get('task')}",
        "mlflow.source.git.commit": record.get("commit"),
        "mlflow.note.content": f"**{record.get('outcome')}**: {reasons}",
        **_tag_version(record),
        **{f"data.{key}": value for key, value in (record.get("data") or {}).items()},
        **{f"with.{library}": number for library, number in (record.get("versions") or {}).items()},
    }
    return _make_tags(facts)


def make_version_tags(record: Record, folder: Path, checksum: str) -> dict[str, str]:
    """Return the tags of a version of the registered model, which locate and identify the original.

    `checksum` is the sha256 of its list of checksums, as in `champion.json`.
    """
    return _make_tags({**_tag_version(record), "path": folder, "checksum": checksum})


def find_retraining_times(record: Record) -> tuple[int, int]:
    """Return start and end of a retraining, in milliseconds since 1970, from the name of its record.

    For a name of another form, the end is 0.
    """
    end = find_moment(record[RECORD]) or datetime.fromtimestamp(0, UTC)
    start = end - timedelta(seconds=(record.get("seconds") or {}).get("total") or 0)
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def _tag_version(record: Record) -> dict[str, Any]:
    # As short as in `kedro champion show`, because MLflow's pages cut off longer ones.
    hashes = (record.get("fingerprints") or {}).items()
    fingerprints = {f"{kind}_hash": str(full)[:NUM_LETTERS] for kind, full in hashes}
    return {VERSION: record.get("version"), "outcome": record.get("outcome"), **fingerprints}


def _list_number(name: str, value: Any, step: int = 0) -> Iterator[tuple[str, float, int]]:
    """Yield a metric if the value is a number; None stands for a loss that is missing or not finite."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield _make_key(name), float(value), step


def _make_tags(facts: Mapping[str, Any]) -> dict[str, str]:
    return {
        _make_key(key): str(value)[:MAX_VALUE_LENGTH]
        for key, value in facts.items()
        if value is not None
    }


def _make_key(name: str) -> str:
    return re.sub(r"[^\w./: -]", "_", name)[:MAX_KEY_LENGTH]
