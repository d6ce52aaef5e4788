"""What MLflow is told of a retraining, out of its record."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rnn_pipelines.champion.records import Record, list_measures, list_reasons
from rnn_pipelines.champion.tables import NUM_LETTERS, shorten_version
from rnn_pipelines.storage.names import find_moment

# MLflow's own limits; the record itself, which goes along as a file, has all in full.
MAX_KEY_LENGTH = 250
MAX_VALUE_LENGTH = 6000

# By these tags a run and a version are known again.
RECORD: Final = "record"
VERSION: Final = "version"


def list_parameters(record: Record) -> dict[str, str]:
    """All parameters under the names that the command line takes.

    Args:
        record: of a retraining.
    """
    return {
        _make_key(name): _shorten(value if isinstance(value, str) else json.dumps(value))
        for name, value in _flatten(record.get("parameters") or {})
    }


def list_metrics(record: Record) -> Iterator[tuple[str, float, int]]:
    """Name, value and step of each metric: `loss/challenger`, `loss/champion`, `loss/<baseline>`, `seconds/total`, …

    What was measured stands before who was measured, so that MLflow draws side by side what compares. Only what is
    given step by step has steps other than 0.

    Args:
        record: of a retraining.
    """
    for name, measures in list_measures(record).items():
        for measure, value in measures.items():
            for step, number in enumerate(value, start=1) if isinstance(value, list) else ((0, value),):
                yield from _list_number(f"{measure}/{name}", number, step)
    yield from _list_number("p_value", record.get("p_value"))
    for name, seconds in (record.get("seconds") or {}).items():
        yield from _list_number(f"seconds/{name}", seconds)


def make_tags(record: Record) -> dict[str, str]:
    """Of its run: what it was made of and what came out; those of MLflow's own show commit and reasons on its pages.

    Args:
        record: of a retraining.
    """
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
    """Of its version of the registered model: all that is needed to find it again, and to tell that it is the same.

    Args:
        record: of a retraining.
        folder: the version's, in the champion's folder.
        checksum: sha256 of its list of checksums, which `champion.json` names too.
    """
    return _make_tags({**_tag_version(record), "path": folder, "checksum": checksum})


def make_name(record: Record) -> str:
    """Of its run: the letters by which the commands know its version, and what came out."""
    version = record.get("version")
    return f"{shorten_version(version)} {record.get('outcome')}" if version else str(record.get("outcome"))


def find_times(record: Record) -> tuple[int, int]:
    """When it began and ended, in milliseconds since 1970: the name of a record says when it was written.

    A name that is not of this project says nothing, and neither then do the times.
    """
    end = find_moment(record[RECORD]) or datetime.fromtimestamp(0, UTC)
    start = end - timedelta(seconds=(record.get("seconds") or {}).get("total") or 0)
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _tag_version(record: Record) -> dict[str, Any]:
    # As many letters as `kedro champion show` has: MLflow's pages cut off more.
    fingerprints = {
        f"{kind}_hash": str(full)[:NUM_LETTERS] for kind, full in (record.get("fingerprints") or {}).items()
    }
    return {VERSION: record.get("version"), "outcome": record.get("outcome"), **fingerprints}


def _list_number(name: str, value: Any, step: int = 0) -> Iterator[tuple[str, float, int]]:
    """What isn't a number has no place among metrics: None stands for a loss that was not measured, or not finite."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield _make_key(name), float(value), step


def _make_tags(facts: Mapping[str, Any]) -> dict[str, str]:
    return {_make_key(key): _shorten(str(value)) for key, value in facts.items() if value is not None}


def _make_key(name: str) -> str:
    return re.sub(r"[^\w./: -]", "_", name)[:MAX_KEY_LENGTH]


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 1]}…"
