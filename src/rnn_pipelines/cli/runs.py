"""`kedro runs`: list, compare and prune the runs of a pipeline, and repair the links to its results."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from rnn_pipelines.cli.options import AS_JSON, IS_DRY, add_wait_option, print_result
from rnn_pipelines.cli.run_command import PlainErrors
from rnn_pipelines.errors import RunError, count
from rnn_pipelines.hooks.paths import find_data_root
from rnn_pipelines.hooks.results import find_places
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.pipelines.names import PIPELINES, PREFIX
from rnn_pipelines.runs import comparison
from rnn_pipelines.runs.links import repair as repair_links
from rnn_pipelines.runs.run_store import RunsSpec, RunStore
from rnn_pipelines.storage.lock import hold_lock
from rnn_pipelines.versions.folder import Removal

NUM_COMPARED = 2
# Without retrainings, which make versions of a champion, and `predict_forecast`, which appends to a log.
NAMES = [name for name in PIPELINES if not name.startswith(PREFIX) and name != "predict_forecast"]
PIPELINE = click.argument("pipeline", type=click.Choice(NAMES), metavar="PIPELINE")
WAIT = add_wait_option("How long to wait for a run of the pipeline to end; then the command ends with 75.")


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
    print_result(is_json, comparison.list_records(store), comparison.tabulate_runs(store))


@runs.command()
@PIPELINE
@click.argument("run", required=False)
@env_option
@AS_JSON
def show(pipeline: str, run: str | None, env: str | None, is_json: bool) -> None:
    """Show the facts of a RUN, or of the current one, and whether its files are unchanged."""
    store = find_run_store(pipeline, env)
    name = comparison.find_run(store, run)
    print_result(is_json, store.read_record(name), comparison.describe_run(store, name))


@runs.command()
@PIPELINE
@click.argument("run", nargs=-1)
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="A metric to show; may be given several times."
)
@click.option("--all", "is_all", is_flag=True, help="Show all metrics.")
@env_option
@AS_JSON
def compare(
    pipeline: str, run: tuple[str, ...], metrics: tuple[str, ...], is_all: bool, env: str | None, is_json: bool
) -> None:
    """Compare the metrics of RUNs, and list the differences in data, parameters, code, versions and names of files.

    Without a RUN, the two newest ones are compared.
    """
    store = find_run_store(pipeline, env)
    names = [comparison.find_run(store, letters) for letters in run] or store.list_runs()[-NUM_COMPARED:]
    if len(names) < NUM_COMPARED:
        raise click.ClickException(f"{pipeline}: expected two runs, found {len(names)}. Run it once more.")
    text = comparison.compare_runs(store, names, None if is_all else metrics or comparison.MAIN_METRICS)
    print_result(is_json, comparison.compare(store, names), text)


@runs.command()
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
def prune(pipeline: str, num_kept: int | None, is_dry: bool, env: str | None, wait: float, is_json: bool) -> None:
    """Remove old runs, except the newest N and the current one.

    The default of N is runs.keep. Files of killed runs, and failed runs older than the current one, are removed too. A
    run that holds other files, or files that changed after the run, is kept and named.
    """
    store = find_run_store(pipeline, env)
    num_kept = find_num_kept(env) if num_kept is None else num_kept
    found = Removal()
    if store.folder.is_dir():
        with hold_lock(store.lock, wait):
            left, old = store.versions.remove_unfinished(is_dry), store.prune(num_kept, is_dry)
        found = Removal([*left.removed, *old.removed], [*left.kept, *old.kept])
    title = f"{pipeline}: {len(found.removed)} {'would be ' if is_dry else ''}removed"
    lines = [title, *found.removed, *(f"{kept.name} is kept, because {kept.reason}" for kept in found.kept)]
    print_result(is_json, {"pipeline": pipeline, "is_dry_run": is_dry, **asdict(found)}, "\n".join(lines))


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
    found = {}
    for name in NAMES if pipeline is None else [pipeline]:
        store, layers = find_run_store(name, env), find_layers(name, env)
        with hold_lock(store.lock, wait):
            found[name] = repair_links(store, layers)
    lines = []
    for name, repaired in found.items():
        moved = count(len(repaired.moved), "file or folder", "files or folders")
        lines += [f"{name}: made {count(len(repaired.linked), 'link')}, moved {moved}", *repaired.linked]
        lines += [f"{path} is now {to}" for path, to in repaired.moved.items()]
    print_result(is_json, found, "\n".join(lines))


def find_num_kept(env: str | None) -> int:
    """Return the number of runs to keep by default."""
    with _open_context(env) as context:
        return read_parameter_model("runs", RunsSpec, context.params.get("runs", {})).keep


def find_layers(pipeline: str, env: str | None) -> set[str]:
    """Return the layers in which a pipeline writes its results, from the catalog of an environment."""
    # Imports only this pipeline and checks only its parameters, as in its run.
    pipelines.set_requested([pipeline])
    with _open_context(env) as context:
        places = find_places(pipelines[pipeline].all_outputs(), context.catalog, find_data_root(context))
    return {paths.layer for paths in places.values() if paths.store.pipeline == pipeline}


def find_run_store(pipeline: str, env: str | None) -> RunStore:
    """Return the store of a pipeline's runs in an environment.

    Raises:
        RunError: no runs are kept there.
    """
    with _open_context(env) as context:
        root = find_data_root(context)
    if root is None:
        raise RunError(
            f"{pipeline}: no runs are kept, because globals.data_root is on another machine. Name an environment "
            "whose data root is a folder of this one (--env)."
        )
    return RunStore(root, pipeline)


@contextmanager
def _open_context(env: str | None) -> Iterator[KedroContext]:
    session = KedroSession.create(env=env)
    with session:
        yield session.load_context()
