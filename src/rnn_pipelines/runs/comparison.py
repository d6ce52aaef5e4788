"""The list, the facts and the comparison of runs, as text and as values, and the run before another one."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from rnn_pipelines.champion.records import Leaves, list_leaves
from rnn_pipelines.champion.tables import (
    NO_VALUE,
    NUM_LETTERS,
    format_table,
    format_value,
    shorten_version,
)
from rnn_pipelines.errors import FormatError, RunError, count, show
from rnn_pipelines.runs.run_store import RunRecord, RunStore, find_damage
from rnn_pipelines.versions.folder import match_letters

REPORTING = "08_reporting"
# Shown by default, because a metrics file has hundreds of numbers.
MAIN_METRICS = ("mse", "mae", "mase", "accuracy", "log_loss", "roc_auc")
# The forecaster in use, whose main metric the list of runs shows.
MAIN = "ensemble"
# The parameters that name a data source.
SOURCE_KEYS = ("name", "path", "target")
HEADER = ("run", "ended", "rows", "main metric", "commit", "different from the run before")
Rows = dict[str, tuple[Any, ...]]


@dataclass(frozen=True)
class EarlierRun:
    """A run that a report compares with the present one, its end in ISO 8601, UTC.

    `results` are the leaves of its results by path, such as `lstm.mse`. `differences` are the two values of what
    differs, by kind (`data`, `parameters`, `code`, `versions`) and name.
    """

    pipeline: str
    run: str
    ended: str
    results: Mapping[str, Any]
    differences: Mapping[str, Rows]


def find_run(store: RunStore, letters: str | None) -> str:
    """Return the name of a run by its first or last letters, or of the current run for None.

    If no run matches, or several do, a RunError is raised.
    """
    names = store.list_runs()
    newest = ", ".join(map(shorten_version, names[::-1][:10]))
    if letters is None:
        current = store.find_current()
        if current is None:
            problem = (
                f"no run is current; known: {newest}. Name one, or"
                if newest
                else "no runs yet. First"
            )
            raise RunError(
                f"{store.pipeline}: {problem} run kedro run --pipelines={store.pipeline}."
            )
        return current
    matching = match_letters(names, letters)
    if len(matching) != 1:
        expected = f"expected letters of one run of {store.pipeline}, found {len(matching)}"
        raise RunError(f"{show(letters)}: {expected}; known: {newest or 'none'}.")
    return matching[0]


def list_run_records(store: RunStore) -> list[RunRecord]:
    """Return the records of all runs, oldest first; for an unreadable record, the run's name and the problem."""
    records = []
    for name in store.list_runs():
        try:
            records.append(store.read_record(name))
        except (RunError, FormatError) as error:
            records.append(RunRecord(run=name, problem=str(error)))
    return records


def tabulate_runs(store: RunStore) -> str:
    """Return a table with a line per run, oldest first; `*` marks the current run."""
    current = store.find_current()
    records = list_run_records(store)
    rows = []
    for record, before in zip(records, [None, *records], strict=False):
        rows.append(_write_row(record, before, current, find_main_metric(store, record)))
    return format_table([HEADER, *rows]) if rows else f"{store.pipeline}: no runs yet"


def find_main_metric(store: RunStore, record: RunRecord) -> str:
    """Return the first of `MAIN_METRICS` in a run's results, of the ensemble if it has one: `ensemble.mse 12.1`."""
    try:
        numbers = read_numbers(store.folder / record["run"], record.get("files", {}))
    except RunError:
        return NO_VALUE
    for metric in MAIN_METRICS:
        keys = [
            key
            for key, number in numbers.items()
            if key.rpartition(".")[2] == metric and number is not None
        ]
        if keys:
            key = next((key for key in keys if MAIN in key.split(".")), keys[0])
            return f"{key} {numbers[key]:.4g}"
    return NO_VALUE


def format_run(store: RunStore, name: str) -> str:
    """Return the facts of a run, one per line."""
    record = store.read_record(name)
    damaged = find_damage(store.folder / name, record["files"])
    num_bytes = sum(facts["num_bytes"] for facts in record["files"].values())
    facts = {
        "run": f"{name}{' (current)' if name == store.find_current() else ''}",
        "folder": store.folder / name,
        "began": record.get("began"),
        "ended": record.get("ended"),
        "continues": record.get("continues"),
        **{f"reads {pipeline}": run for pipeline, run in record.get("reads", {}).items()},
        **_list_data(record),
        "commit": record.get("commit"),
        "code": record.get("code"),
        "computed with": ", ".join(
            f"{name} {version}" for name, version in record.get("versions", {}).items()
        )
        or None,
        "files": f"{len(record['files'])}, {num_bytes:,} bytes" if record["files"] else None,
        "damaged": ", ".join(damaged) or None,
    }
    return format_table([(key, str(value)) for key, value in facts.items() if value is not None])


def compare_runs(store: RunStore, names: Sequence[str], metrics: Collection[str] | None) -> str:
    """Return the metrics of runs side by side, in their order, with the differences below.

    Of metrics, the last parts of the paths are given; None shows all of them.
    """
    compared = compare_records(store, names)
    numbers = compared.pop("metrics")
    shown = {
        key: row
        for key, row in numbers.items()
        if metrics is None or key.rpartition(".")[2] in metrics
    }
    differing = {
        f"{kind}.{key}": row for kind, rows in compared.items() for key, row in rows.items()
    }
    header = ("", *map(shorten_version, names))
    tables = [shown or numbers, differing] if differing else [shown or numbers]
    rows = [
        [header, *((key, *map(format_value, row)) for key, row in table.items())]
        for table in tables
    ]
    return "\n\n".join(map(format_table, rows))


def compare_records(store: RunStore, names: Sequence[str]) -> dict[str, Rows]:
    """Return the `metrics` of runs, and their differences in `data`, `parameters`, `code`, `versions` and `files`.

    Each row has a value per run, None if the run has none.
    """
    records = [store.read_record(name) for name in names]
    numbers = [
        read_numbers(store.folder / name, record["files"])
        for name, record in zip(names, records, strict=True)
    ]
    return {"metrics": _align(numbers)} | find_record_differences(records)


def read_numbers(folder: Path, files: Iterable[str]) -> dict[str, float | None]:
    leaves = read_results(folder, files).items()
    return {
        key: leaf
        for key, leaf in leaves
        if isinstance(leaf, int | float) and not isinstance(leaf, bool)
    }


def read_results(folder: Path, files: Iterable[str]) -> Leaves:
    """Return the leaves of the results of a run, by path: `lstm.mse`; a RunError if a file is damaged.

    The files are those in its record, relative to the folder; files of other layers are ignored.
    """
    leaves: Leaves = {}
    paths = [folder / name for name in sorted(files) if PurePath(name).match(f"{REPORTING}/*.json")]
    for path in filter(Path.exists, paths):
        try:
            results = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            remedy = "Restore it from a backup, or compare other runs."
            raise RunError(f"{path}: it is damaged ({error}). {remedy}") from error
        # Figures are JSON as well; only results have the key `run`.
        if isinstance(results, dict) and results.pop("run", None) is not None:
            leaves |= list_leaves(results)
    return leaves


def _align(columns: Sequence[Mapping[str, Any]]) -> Rows:
    keys = dict.fromkeys(key for column in columns for key in column)
    return {key: tuple(column.get(key) for column in columns) for key in keys}


def find_record_differences(records: Sequence[RunRecord]) -> dict[str, Rows]:
    """Return what differs between records, by kind and name: a value per record, None if a record has none."""
    # The commit too if the code differs; a commit may change other files only.
    code = ("code",) if len({record.get("code") for record in records}) == 1 else ("code", "commit")
    kinds: dict[str, list[Mapping[str, Any]]] = {
        "data": [_list_data(record) for record in records],
        "parameters": [list_leaves(record.get("parameters", {})) for record in records],
        "code": [
            {k: v and str(v)[:NUM_LETTERS] for k, v in record.items() if k in code}
            for record in records
        ],
        "versions": [record.get("versions", {}) for record in records],
        # Only the names, because every result holds the name of its run, so that its content always differs.
        "files": [dict.fromkeys(record.get("files", {}), "yes") for record in records],
    }
    return {
        kind: {
            key: row for key, row in _align(facts).items() if any(value != row[0] for value in row)
        }
        for kind, facts in kinds.items()
    }


def find_earlier_run(store: RunStore, record: RunRecord) -> EarlierRun | None:
    """Return the newest complete run on the data source of a run that has not ended; None if there is none.

    Without data, as of a partial run, data are not compared.
    """
    for earlier in reversed(list_run_records(store)):
        source = _find_source(earlier)
        if "ended" in earlier and source is not None and source == _find_source(record):
            compared = find_record_differences([earlier, record])
            skipped = {"files"} if record.get("data") else {"files", "data"}
            results = read_results(store.folder / earlier["run"], earlier["files"])
            differences = {
                kind: rows for kind, rows in compared.items() if rows and kind not in skipped
            }
            return EarlierRun(
                store.pipeline, earlier["run"], earlier["ended"], results, differences
            )
    return None


def _find_source(record: RunRecord) -> list[Any] | None:
    block = record.get("parameters", {}).get(f"{record.get('pipeline')}.source")
    return [block.get(key) for key in SOURCE_KEYS] if isinstance(block, dict) else None


def _list_data(record: RunRecord) -> dict[str, str]:
    data = record.get("data", {})
    counts = {
        name: (count(facts["num_rows"], "row"), facts["fingerprint"])
        for name, facts in data.items()
    }
    return {
        name: f"{rows}, {fingerprint[:NUM_LETTERS]}" for name, (rows, fingerprint) in counts.items()
    }


def _write_row(
    record: RunRecord, before: RunRecord | None, current: str | None, metric: str
) -> tuple[str, ...]:
    data = record.get("data", {}).values()
    differing = NO_VALUE
    if before and "ended" in before:
        kinds = [kind for kind, rows in find_record_differences([before, record]).items() if rows]
        differing = ", ".join(kinds) or "nothing"
    return (
        shorten_version(record["run"]) + ("*" if record["run"] == current else ""),
        format_value(record.get("ended")),
        f"{max(facts['num_rows'] for facts in data):,}" if data else NO_VALUE,
        metric,
        (record.get("commit") or NO_VALUE)[:NUM_LETTERS],
        record.get("problem") or differing,
    )
