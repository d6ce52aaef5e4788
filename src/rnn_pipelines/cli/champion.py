"""`kedro champion`: retraining, inspection and manual changes of the model in use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.runner import SequentialRunner

from rnn_pipelines.champion.changes import count_retrainings, find_retraining, list_changes
from rnn_pipelines.champion.outcome import (
    ChampionChange,
    promote_version,
    record_failure,
    roll_back,
)
from rnn_pipelines.champion.records import Record
from rnn_pipelines.champion.tables import describe_version, find_facts, tabulate_history
from rnn_pipelines.champion.verdict import Level, check_task, describe_evidence
from rnn_pipelines.cli import options
from rnn_pipelines.cli.options import (
    CHANGED,
    IS_DRY,
    LOCKED,
    make_task_command,
    print_result,
)

# Kedro expects `run` here, too.
from rnn_pipelines.cli.run_command import PlainErrors, run
from rnn_pipelines.cli.runs import runs
from rnn_pipelines.connectors.alerts import send_alerts
from rnn_pipelines.connectors.mlflow import publication
from rnn_pipelines.connectors.mlflow.publication import publish_if_possible
from rnn_pipelines.console.lazy import LazyCommand
from rnn_pipelines.errors import TrackingError, make_line
from rnn_pipelines.hooks.parameters import complete_commands
from rnn_pipelines.hooks.paths import (
    TaskPaths,
    find_paths,
    find_paths_in,
    find_saver,
    fingerprint_newest,
)
from rnn_pipelines.pipelines.names import TASKS
from rnn_pipelines.printing import print_text, write_list
from rnn_pipelines.storage.lock import hold_lock

__all__ = ["cli", "run"]

CHECK_CODES: dict[Level, int] = {"ok": 0, "retrain": 10, "unmonitored": 11, "alarm": 20}
# The reason of a promotion by `kedro champion retrain --promote`, for the history.
PROMOTED = "kedro champion retrain --promote"
WAIT = options.add_wait_option("How long to wait for another retraining to end.")


@make_task_command(
    {0: "promoted, kept, or nothing new", 1: "failed; the champion stays in use", 75: LOCKED},
    name="retrain",
)
@WAIT
@click.option("--as-of", metavar="DATE", help="Use data up to this day (inclusive), time or step.")
@click.option("--force", "is_forced", is_flag=True, help="Retrain even if nothing has changed.")
@click.option(
    "--promote",
    "is_promoting",
    is_flag=True,
    help="Put the challenger into use, regardless of the policy.",
)
@options.PARAMS
def retrain_task(  # noqa: PLR0913, PLR0917 - each is an option
    task: str,
    env: str | None,
    is_json: bool,
    wait: float,
    as_of: str | None,
    is_forced: bool,
    is_promoting: bool,
    params: dict[str, Any],
) -> None:
    """Train a challenger on the newest data, and decide between it and the champion.

    Ends at once if data, parameters and code have not changed since the last retraining that ended with a decision.
    With --promote, the challenger of that retraining is put into use.
    """
    block = f"retrain_{task}"
    newest = {} if as_of is None else {block: {**params.get(block, {}), "as_of": as_of}}
    session = KedroSession.create(env=env, runtime_params={**params, **newest})
    with session:
        paths = find_paths_in(session, task)
        with (
            hold_lock(paths.champion / "retrain.lock", wait),
            _put_failure_on_record(paths, task, as_of),
        ):
            paths.find_tracking()
            changes = _list_changes(session, paths, task)
            is_run = is_forced or bool(changes)
            if is_run:
                print_text(
                    f"{task}: {', '.join(changes) or 'nothing new (--force)'}", is_error=True
                )
                session.run(pipeline_names=[f"retrain_{task}"], runner=SequentialRunner())
            record = find_retraining(paths.store.list_records()) or Record()
            if is_promoting:
                _promote_challenger(paths, task, record)
    if is_promoting:
        text = f"{record.get('version')} is in use"
    elif is_run:
        text = write_list(
            f"{record.get('outcome')} {record.get('version')}", record.get("reasons", [])
        )
    else:
        reasons = "; ".join(record["reasons"])
        text = make_line(f"nothing new since {record['at']} ({record['outcome']}: {reasons})")
    outcome = record.get("outcome") if is_run else "nothing new"
    result = {
        "task": task,
        "outcome": "promoted" if is_promoting else outcome,
        "news": changes,
        "record": record,
    }
    print_result(is_json, result, complete_commands(f"{task}: {text}", env, params))


def _promote_challenger(paths: TaskPaths, task: str, record: Record) -> None:
    """Put the version of a retraining into use, unless it is."""
    pointer = paths.store.find_pointer()
    version = str(record["version"])
    if pointer is None or pointer.version != version:
        change = promote_version(paths.store, task, version, PROMOTED)
        publish_if_possible(paths.store, task, paths.find_tracking, find_saver(task))
        print_text(_describe_change(task, change), is_error=True)


@make_task_command()
@click.option(
    "--last",
    "num_records",
    metavar="N",
    type=click.IntRange(min=1),
    help="Show only the newest N records.",
)
def history(task: str, env: str | None, is_json: bool, num_records: int | None) -> None:
    """List the history, oldest first: retrainings with their reasons, manual changes and alarms."""
    store = find_paths(task, env).store
    records = store.list_records()[-(num_records or 0) :]
    pointer = store.find_pointer()
    version = None if pointer is None else pointer.version
    print_result(
        is_json, records, tabulate_history(records, version) if records else f"{task}: nothing yet"
    )


@make_task_command(name="show")
@click.argument("version", required=False)
def show_version(task: str, env: str | None, is_json: bool, version: str | None) -> None:
    """Show the facts of a VERSION, or of the champion."""
    facts = find_facts(find_paths(task, env).store, version)
    print_result(is_json, facts, describe_version(facts))


@make_task_command(options.CHECKED)
@options.add_alert_options
@click.pass_context
def check(ctx: click.Context, /, task: str, env: str | None, is_json: bool, **alerts: Any) -> None:
    """Check the champion, the last retraining, and the findings of the monitor.

    The most severe finding is the verdict. --json gives it as `verdict`, with the `reasons`; `champion` and `monitor`
    have losses, p-values, cut-offs and times.
    """
    paths = find_paths(task, env)
    verdict = check_task(paths.store, paths.verdict, paths.log)
    result = {"task": task, **asdict(verdict), **describe_evidence(paths.store, paths.verdict)}
    text = write_list(f"{task}: {verdict.verdict}", verdict.reasons)
    print_result(is_json, result, complete_commands(text, env, {}))
    send_alerts(result, **alerts)
    ctx.exit(CHECK_CODES[verdict.verdict])


@make_task_command(CHANGED)
@click.option(
    "--reason", default="manual rollback", show_default=True, help="Reason, for the history."
)
def rollback(task: str, env: str | None, is_json: bool, reason: str) -> None:
    """Make the previous champion the champion again; a second rollback goes one further back.

    Damaged versions are skipped. A running retraining is not stopped.
    """
    paths = find_paths(task, env)
    _report_change(paths, task, is_json, roll_back(paths.store, task, reason))


@make_task_command(CHANGED)
@click.argument("version")
@click.option(
    "--reason", default="manual promotion", show_default=True, help="Reason, for the history."
)
def promote(task: str, env: str | None, is_json: bool, version: str, reason: str) -> None:
    """Make a VERSION the champion, regardless of the policy."""
    paths = find_paths(task, env)
    _report_change(paths, task, is_json, promote_version(paths.store, task, version, reason))


@make_task_command({0: "removed, or there was nothing to remove", 75: LOCKED}, name="prune")
@WAIT
@click.option(
    "--keep",
    "num_kept",
    metavar="N",
    type=click.IntRange(min=0),
    required=True,
    help="Newest versions to keep.",
)
@IS_DRY
def prune_versions(
    task: str, env: str | None, is_json: bool, wait: float, num_kept: int, is_dry: bool
) -> None:
    """Remove old versions, except the newest N, the champion, and the previous champion."""
    paths = find_paths(task, env)
    # A challenger that waits for its promotion must not be removed.
    with hold_lock(paths.champion / "retrain.lock", wait):
        removed = paths.store.prune(num_kept, is_dry)
    title = f"{task}: {len(removed)} {'would be ' if is_dry else ''}removed"
    print_result(
        is_json,
        {"task": task, "is_dry_run": is_dry, "removed": removed},
        "\n".join([title, *removed]),
    )


@make_task_command(CHANGED, name="publish")
def publish_retrainings(task: str, env: str | None, is_json: bool) -> None:
    """Publish all retrainings that MLflow lacks, and the champion.

    Each retraining, rollback and promotion is published at its end; this command adds what failed or is older.
    """
    paths = find_paths(task, env)
    spec = paths.find_tracking()
    if spec is None:
        raise TrackingError(
            f"mlflow.yml: is_on is false. Write is_on: true into conf/{paths.env}/mlflow.yml."
        )
    published = publication.publish(paths.store, task, spec, save_model=find_saver(task))
    text = publication.describe_publication(published, task, spec)
    print_result(is_json, {"task": task, **asdict(published)}, make_line(f"{task}: {text}"))


def _list_changes(session: KedroSession, paths: TaskPaths, task: str) -> list[str]:
    # Imports only this pipeline and checks only its parameters, as in the run.
    pipelines.set_requested([f"retrain_{task}"])
    catalog = session.load_context().catalog
    return list_changes(
        paths.store, fingerprint_newest(task, pipelines[f"retrain_{task}"], catalog)
    )


@contextmanager
def _put_failure_on_record(paths: TaskPaths, task: str, as_of: str | None) -> Iterator[None]:
    """Record an error that occurs before the first node; the hooks of the run record later ones."""
    num_retrainings = count_retrainings(paths.store)
    try:
        yield
    except Exception as error:
        if count_retrainings(paths.store) == num_retrainings:
            record_failure(paths.champion, task, error, as_of)
            publish_if_possible(paths.store, task, paths.find_tracking, find_saver(task))
        raise


def _report_change(paths: TaskPaths, task: str, is_json: bool, change: ChampionChange) -> None:
    publish_if_possible(paths.store, task, paths.find_tracking, find_saver(task))
    print_result(is_json, {"task": task, **asdict(change)}, _describe_change(task, change))


def _describe_change(task: str, change: ChampionChange) -> str:
    return f"{task}: {change.version} is the champion, {change.before or 'none'} was ({make_line(change.reason)})"


@click.group(
    cls=PlainErrors,
    commands=[
        check,
        history,
        promote,
        prune_versions,
        publish_retrainings,
        retrain_task,
        rollback,
        show_version,
        # These need NumPy, pandas or Plotly, and the others do not wait for them.
        LazyCommand(
            "rnn_pipelines.cli.audit:audit",
            "audit",
            "Verify that the log of forecasts is unchanged, and measure the forecasts that were made before their "
            "values.",
        ),
        LazyCommand(
            "rnn_pipelines.cli.explain_change:explain_last_change",
            "explain-change",
            "Explain why the newest forecasts differ from those of the run before: the parts sum to the change.",
        ),
        LazyCommand(
            "rnn_pipelines.cli.export:export_champion",
            "export",
            "Export the champion of forecast to PATH, a new folder, or a new zip file if it ends in .zip.",
        ),
        LazyCommand(
            "rnn_pipelines.cli.overview:report",
            "report",
            "Write one page about the champions of all tasks, or of each TASK.",
        ),
    ],
    help=f"""Retrain models, and inspect or change the model in use.

    TASK is {" or ".join(TASKS)}. A VERSION can be given by the first or last letters of its name. The command
    check has further exit codes.

    \b
    Exit codes:
      0   done
      1   failed
      2   an option or an argument is wrong
      75  another retraining or change did not end in time; try again later
    """,
)
def champion() -> None:
    """Group the commands; `help` has the text for users, because it names the tasks."""


SAMPLE = LazyCommand(
    "rnn_pipelines.cli.sample:sample",
    "sample",
    "Write conf/sample, so that kedro run --env=sample runs without your data.",
)


@click.group(name="rnn-pipelines", commands=[champion, run, runs, SAMPLE])
def cli() -> None:
    """Commands of RNN Pipelines."""
