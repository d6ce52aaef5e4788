"""`kedro runs`: list, compare and prune the runs of a pipeline, and repair the links to its results."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.runner import SequentialRunner

from rnn_pipelines.champion.manifest import (
    find_commit,
    fingerprint_code,
    fingerprint_table,
    list_versions,
)
from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.champion.tables import format_value, shorten_version
from rnn_pipelines.cli.options import AS_JSON, IS_DRY, add_wait_option, print_result
from rnn_pipelines.cli.run_command import PlainErrors
from rnn_pipelines.errors import RunError, count, make_line
from rnn_pipelines.hooks.paths import find_data_root, read_outputs
from rnn_pipelines.hooks.results import find_result_files
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.pipelines.names import PIPELINES, PREFIX
from rnn_pipelines.printing import print_text
from rnn_pipelines.runs import comparison
from rnn_pipelines.runs.links import repair_links
from rnn_pipelines.runs.run_store import COMMAND, REPEATED, RunRecord, RunsSpec, RunStore
from rnn_pipelines.storage.lock import hold_lock
from rnn_pipelines.versions.folder import Removal

NUM_COMPARED = 2
# Without retrainings, which make versions of a champion, and `predict_forecast`, which appends to a log.
NAMES = [name for name in PIPELINES if not name.startswith(PREFIX) and name != "predict_forecast"]
PIPELINE = click.argument("pipeline", type=click.Choice(NAMES), metavar="PIPELINE")
WAIT = add_wait_option(
    "How long to wait for a run of the pipeline to end; then the command ends with 75."
)


@click.group(cls=PlainErrors)
def runs() -> None:
    """List, show, compare and prune the runs of a PIPELINE, and repair the links to its results.

    A RUN is given by the first or last letters of its name.
    """


@runs.command("list")
@PIPELINE
@env_option
@AS_JSON
def list_runs(pipeline: str, env: str | None, is_json: bool) -> None:
    """List the runs that are kept, oldest first; * marks the current one."""
    store = find_run_store(pipeline, env)
    print_result(is_json, comparison.list_run_records(store), comparison.tabulate_runs(store))


@runs.command("show")
@PIPELINE
@click.argument("run", required=False)
@env_option
@AS_JSON
def show_run(pipeline: str, run: str | None, env: str | None, is_json: bool) -> None:
    """Show the facts of a RUN, or of the current one, and whether its files are unchanged."""
    store = find_run_store(pipeline, env)
    name = comparison.find_run(store, run)
    print_result(is_json, store.read_record(name), comparison.format_run(store, name))


@runs.command("compare")
@PIPELINE
@click.argument("run", nargs=-1)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="A metric to show; may be given several times.",
)
@click.option("--all", "is_all", is_flag=True, help="Show all metrics.")
@env_option
@AS_JSON
def compare_metrics(
    pipeline: str,
    run: tuple[str, ...],
    metrics: tuple[str, ...],
    is_all: bool,
    env: str | None,
    is_json: bool,
) -> None:
    """Compare the metrics of RUNs, and list the differences in data, parameters, code, versions and names of files.

    Without a RUN, the two newest ones are compared.
    """
    store = find_run_store(pipeline, env)
    names = [comparison.find_run(store, letters) for letters in run] or store.list_runs()[
        -NUM_COMPARED:
    ]
    if len(names) < NUM_COMPARED:
        raise click.ClickException(
            f"{pipeline}: expected two runs, found {len(names)}. Run it once more."
        )
    text = comparison.compare_runs(
        store, names, None if is_all else metrics or comparison.MAIN_METRICS
    )
    print_result(is_json, comparison.compare_records(store, names), text)


@runs.command("prune")
@PIPELINE
@click.option(
    "--keep",
    "num_kept",
    metavar="N",
    type=click.IntRange(min=2),
    help="Number of newest runs to keep, at least 2: another pipeline may still read the previous one.",
)
@IS_DRY
@env_option
@WAIT
@AS_JSON
def prune_runs(
    pipeline: str, num_kept: int | None, is_dry: bool, env: str | None, wait: float, is_json: bool
) -> None:
    """Remove old runs, except the newest N and the current one.

    The default of N is runs.keep. Files of killed runs, and failed runs older than the current one, are removed too. A
    run that holds other files, or files that changed after the run, is kept and named.
    """
    store = find_run_store(pipeline, env)
    num_kept = find_num_kept(env) if num_kept is None else num_kept
    removal = Removal()
    if store.folder.is_dir():
        with hold_lock(store.lock, wait):
            left = store.versions.remove_unfinished(is_dry)
            old = store.prune(num_kept, is_dry)
        removal = Removal([*left.removed, *old.removed], [*left.kept, *old.kept])
    title = f"{pipeline}: {len(removal.removed)} {'would be ' if is_dry else ''}removed"
    lines = [
        title,
        *removal.removed,
        *(f"{kept.name} is kept, because {kept.reason}" for kept in removal.kept),
    ]
    print_result(
        is_json, {"pipeline": pipeline, "is_dry_run": is_dry, **asdict(removal)}, "\n".join(lines)
    )


@runs.command()
@PIPELINE
@click.argument("run", required=False)
@click.option(
    "--anyway", "is_anyway", is_flag=True, help="Run it even if something differs from the RUN."
)
@env_option
def repeat(pipeline: str, run: str | None, is_anyway: bool, env: str | None) -> None:
    """Make the numbers of a RUN, or of the current one, again, in a new run with its parameters.

    It is refused if the data, the modules of the project, or versions of libraries differ from the RUN, and fails if a
    metric does. With --anyway, differences are only printed.
    """
    store = find_run_store(pipeline, env)
    record = store.read_record(comparison.find_run(store, run))
    if "env" not in record:
        raise RunError(
            f"{pipeline}: the run {record.get('run', run)} has no record of its parameters."
        )
    pipelines.set_requested([pipeline])
    with KedroSession.create(env=record["env"], runtime_params=_nest_parameters(record)) as session:
        changes = _list_changes(record, _describe_now(record, session, store.root))
        _report(
            f"{pipeline}: the run {record['run']} can't be repeated as it was", changes, is_anyway
        )
        command = f"kedro runs repeat {pipeline} {shorten_version(record['run'])}"
        with ExitStack() as stack:
            stack.callback(COMMAND.reset, COMMAND.set(command))
            stack.callback(REPEATED.reset, REPEATED.set(record["run"]))
            session.run(pipeline_names=[pipeline], runner=SequentialRunner())
    name = comparison.find_run(store, None)
    metrics = comparison.compare_records(store, [record["run"], name])["metrics"]
    differing = [
        key for key, (before, after) in metrics.items() if before != after and "seconds" not in key
    ]
    _report(f"{pipeline}: the metrics of {record['run']} and {name} differ", differing, is_anyway)
    if not differing:
        print_text(f"{pipeline}: all metrics of {name} equal those of {record['run']}")


@runs.command()
@click.argument("pipeline", type=click.Choice(NAMES), metavar="PIPELINE", required=False)
@click.option("--all", "is_all", is_flag=True, help="Repair the links of all pipelines.")
@env_option
@WAIT
@AS_JSON
def repair(pipeline: str | None, is_all: bool, env: str | None, wait: float, is_json: bool) -> None:
    """Restore the links to the results of the current run, such as after a data folder was copied without links.

    An exact copy of the results is replaced by a link. Anything else in place of a link is renamed within its folder:
    forecast becomes forecast.moved-… Nothing else is removed.
    """
    if is_all == (pipeline is not None):
        raise click.UsageError("Expected either a PIPELINE or --all.")
    repairs = {}
    for name in NAMES if pipeline is None else [pipeline]:
        store = find_run_store(name, env)
        layers = find_layers(name, env)
        with hold_lock(store.lock, wait):
            repairs[name] = repair_links(store, layers)
    lines = []
    for name, repaired in repairs.items():
        moved = count(len(repaired.moved), "file or folder", "files or folders")
        lines += [
            f"{name}: made {count(len(repaired.linked), 'link')}, moved {moved}",
            *repaired.linked,
        ]
        lines += [f"{path} is now {to}" for path, to in repaired.moved.items()]
    print_result(is_json, repairs, "\n".join(lines))


def find_num_kept(env: str | None) -> int:
    """Return the number of runs to keep by default."""
    with _open_context(env) as context:
        return read_parameter_model("runs", RunsSpec, context.params.get("runs", {})).keep


def find_layers(pipeline: str, env: str | None) -> set[str]:
    """Return the layers in which a pipeline writes its results, from the catalog of an environment."""
    # Imports only this pipeline and checks only its parameters, as in its run.
    pipelines.set_requested([pipeline])
    with _open_context(env) as context:
        places = find_result_files(
            pipelines[pipeline].all_outputs(), context.catalog, find_data_root(context)
        )
    return {paths.layer for paths in places.values() if paths.store.pipeline == pipeline}


def find_run_store(pipeline: str, env: str | None) -> RunStore:
    """Return the store of a pipeline's runs in an environment; a RunError if no runs are kept there."""
    with _open_context(env) as context:
        root = find_data_root(context)
    if root is None:
        remedy = "Name an environment whose data root is a folder of this one (--env)."
        raise RunError(
            f"{pipeline}: no runs are kept, because globals.data_root is on another machine. {remedy}"
        )
    return RunStore(root, pipeline)


def _nest_parameters(record: RunRecord) -> dict[str, Any]:
    """Return the parameters of a run that its pipeline reads today, by their blocks."""
    read = {name.removeprefix("params:") for name in pipelines[record["pipeline"]].inputs()}
    nested: dict[str, Any] = {}
    # Sorted, because `forecast` comes before `forecast.source`, which is a part of it.
    for name in sorted(record["parameters"].keys() & read):
        *blocks, key = name.split(".")
        place = nested
        for block in blocks:
            place = place.setdefault(block, {})
        place[key] = deepcopy(record["parameters"][name])
    return nested


def _describe_now(record: RunRecord, session: KedroSession, root: Path) -> RunRecord:
    """Return what the record of a run would hold now, with its parameters; the tables of its sources are read."""
    pipeline = pipelines[record["pipeline"]]
    catalog = session.load_context().catalog
    read = read_outputs(record["data"], pipeline, catalog)
    kept = [name for name in record["parameters"] if f"params:{name}" in pipeline.inputs()]
    return {
        **record,
        "data": {
            name: {"fingerprint": fingerprint_table(read[name]), "num_rows": len(read[name])}
            for name in read
        },
        "parameters": {name: make_plain(catalog.load(f"params:{name}")) for name in kept},
        "reads": {name: RunStore(root, name).find_current() or "none" for name in record["reads"]},
        "code": fingerprint_code(),
        "commit": find_commit(),
        "versions": list_versions(),
    }


def _report(title: str, differences: list[str], is_anyway: bool) -> None:
    """Print differences, or raise them as an error."""
    message = f"{title}: {'; '.join(differences)}"
    if differences and not is_anyway:
        raise RunError(f"{message}. Restore them, or add --anyway.")
    if differences:
        print_text(make_line(message), is_error=True)


def _list_changes(record: RunRecord, now: RunRecord) -> list[str]:
    """Return in words what keeps a run from giving the same numbers now."""
    rows: dict[str, tuple[Any, ...]] = {}
    for kind, differing in comparison.find_record_differences([record, now]).items():
        rows |= {f"{kind} {key}": row for key, row in differing.items()}
    for name, run in record["reads"].items():
        rows |= {f"run of {name}": (run, now["reads"][name])} if run != now["reads"][name] else {}
    part = (
        [f"it is a part of a run, and continued {record['continues']}"]
        if record["continues"]
        else []
    )
    texts = {name: [*map(format_value, row)] for name, row in rows.items()}
    return part + [
        f"{name} was {before}, and is {after}" for name, (before, after) in texts.items()
    ]


@contextmanager
def _open_context(env: str | None) -> Iterator[KedroContext]:
    session = KedroSession.create(env=env)
    with session:
        yield session.load_context()
