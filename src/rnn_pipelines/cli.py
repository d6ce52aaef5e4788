"""`kedro champion`: retraining, and what people ask of the model in use."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

# Kedro looks for `run` here, too: it stays as it is.
from kedro.framework.cli.project import run
from kedro.framework.cli.utils import env_option

from rnn_pipelines.errors import LockedError, RnnPipelinesError, TrackingError

if TYPE_CHECKING:
    from kedro.framework.session import KedroSession

    from rnn_pipelines.champion.store import ChampionStore
    from rnn_pipelines.champion.tracking.specs import TrackingSpec

__all__ = ["cli", "run"]

TASKS = ("forecast", "sentiment")
# That of "try again later" in sysexits.h, and in systemd's messages.
LOCKED_CODE = 75
CHECK_CODES = {"ok": 0, "retrain": 10, "alarm": 20}

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Place:
    """Where a task's files lie.

    Attributes:
        champion: folder of versions, pointer, history and locks.
        verdict: what the monitor wrote.
        env: whose configuration is read beside `base`.
        find_tracking: checks `mlflow.yml` and returns where MLflow is; None where it is told nothing.
    """

    champion: Path
    verdict: Path
    env: str = "local"
    find_tracking: Callable[[], "TrackingSpec | None"] = lambda: None

    @property
    def store(self) -> "ChampionStore":
        from rnn_pipelines.champion.store import ChampionStore

        return ChampionStore(self.champion)


class LockedOut(click.ClickException):
    """Another retraining did not end in time."""

    exit_code = LOCKED_CODE


class PlainErrors(click.Group):
    """Shows an error that a user can meet as one message; what is a fault of the program keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        from kedro.config import MissingConfigException
        from kedro.io import DatasetError
        from kedro.validation.exceptions import ParameterValidationError

        try:
            return super().invoke(ctx)
        except LockedError as error:
            raise LockedOut(str(error)) from error
        except (RnnPipelinesError, DatasetError, MissingConfigException, ParameterValidationError, OSError) as error:
            raise click.ClickException(str(error)) from error


def add_shared_options(command: Command) -> Command:
    """TASK, --env and --json."""
    as_json = click.option("--json", "is_json", is_flag=True, help="Write JSON, for programs.")
    task = click.argument("task", type=click.Choice(TASKS))
    return task(env_option(as_json(command)))


def add_wait_option(command: Command) -> Command:
    """--wait."""
    text = "How long to wait for another retraining to end."
    option = click.option(
        "--wait", metavar="SECONDS", type=click.FloatRange(min=0), default=60, show_default=True, help=text
    )
    return option(command)


@click.group(name="rnn-pipelines")
def cli() -> None:
    """Commands of RNN Pipelines."""


@cli.group(cls=PlainErrors)
def champion() -> None:
    """Retrains models, and tells about the ones in use.

    TASK is forecast or sentiment. A VERSION is known by the first or last letters of its name too. Every command ends
    with 1 where it failed, and with 2 where it was not called rightly.
    """


@champion.command()
@add_shared_options
@add_wait_option
@click.option("--as-of", metavar="DATE", help="Last day (to its end), time, or step whose data counts.")
@click.option("--force", "is_forced", is_flag=True, help="Retrain though nothing is new.")
def retrain(task: str, env: str | None, is_json: bool, wait: float, as_of: str | None, is_forced: bool) -> None:
    """Trains a challenger on the newest data, and decides between it and the champion.

    Ends at once where data, parameters and code are those of the last retraining that came to a decision.

    \b
    Exit codes:
      0   promoted, kept, or nothing new
      1   failed; a whole champion stays in use
      75  another retraining did not end in time; try again later
    """
    from kedro.framework.session import KedroSession
    from kedro.runner import SequentialRunner

    from rnn_pipelines.champion.changes import find_retraining
    from rnn_pipelines.champion.lock import hold_lock
    from rnn_pipelines.champion.tracking.publication import publish_if_possible

    parameters = {} if as_of is None else {f"retrain_{task}": {"as_of": as_of}}
    session = KedroSession.create(env=env, runtime_params=parameters)
    with session:
        place = _find_place(session, task)
        with hold_lock(place.champion / "retrain.lock", wait), _put_failure_on_record(place, task, as_of):
            place.find_tracking()
            news = _find_news(session, place, task)
            if news or is_forced:
                click.echo(f"{task}: {', '.join(news) or 'nothing new, but asked for'}", err=True)
                session.run(pipeline_names=[f"retrain_{task}"], runner=SequentialRunner())
            record = find_retraining(place.store.list_records()) or {}
        if not (news or is_forced):
            publish_if_possible(place.store, task, place.find_tracking)
    outcome = record.get("outcome") if news or is_forced else "nothing new"
    _say(is_json, {"task": task, "outcome": outcome, "news": news, "record": record}, _describe_outcome)


@champion.command()
@add_shared_options
@click.option("--last", "num_records", metavar="N", type=click.IntRange(min=1), help="Only the newest N records.")
def history(task: str, env: str | None, is_json: bool, num_records: int | None) -> None:
    """Lists what happened: retrainings with their reasons, changes by hand, alarms; the oldest first."""
    from rnn_pipelines.champion.tables import tabulate_history

    store = find_place(task, env).store
    records = store.list_records()[-(num_records or 0) :]
    pointer = store.find_pointer()
    version = None if pointer is None else pointer.version
    _say(is_json, records, lambda shown: tabulate_history(shown, version) if shown else f"{task}: nothing yet")


@champion.command()
@add_shared_options
@click.argument("version", required=False)
def show(task: str, env: str | None, is_json: bool, version: str | None) -> None:
    """Tells what is known of a VERSION, or of the champion."""
    from rnn_pipelines.champion.inspection import find_facts
    from rnn_pipelines.champion.tables import describe_version

    _say(is_json, find_facts(find_place(task, env).store, version), describe_version)


@champion.command()
@add_shared_options
@click.pass_context
def check(ctx: click.Context, task: str, env: str | None, is_json: bool) -> None:
    """Tells whether all is well: the champion, the last retraining, and what the monitor found.

    \b
    Exit codes:
      0   ok
      10  retrain: it is due
      20  alarm: somebody has to look
    """
    from rnn_pipelines.champion.checking import check_task

    place = find_place(task, env)
    verdict = check_task(place.store, place.verdict)
    found = {"task": task, **asdict(verdict)}
    _say(is_json, found, lambda shown: "\n  ".join([f"{task}: {shown['verdict']}", *shown["reasons"]]))
    ctx.exit(CHECK_CODES[verdict.verdict])


@champion.command()
@add_shared_options
@click.option("--reason", default="rolled back by hand", show_default=True, help="Why, for the history.")
def rollback(task: str, env: str | None, is_json: bool, reason: str) -> None:
    """Makes the champion before this one the champion again; twice goes two back.

    One that is damaged is passed over. A retraining that runs meanwhile is not stopped.
    """
    from rnn_pipelines.champion.manual import roll_back
    from rnn_pipelines.champion.tracking.publication import publish_if_possible

    place = find_place(task, env)
    change = roll_back(place.store, task, reason)
    publish_if_possible(place.store, task, place.find_tracking)
    _say(is_json, {"task": task, **asdict(change)}, _describe_change)


@champion.command()
@add_shared_options
@click.argument("version")
@click.option("--reason", default="promoted by hand", show_default=True, help="Why, for the history.")
def promote(task: str, env: str | None, is_json: bool, version: str, reason: str) -> None:
    """Makes a VERSION the champion, whatever the policy says."""
    from rnn_pipelines.champion.manual import promote_version
    from rnn_pipelines.champion.tracking.publication import publish_if_possible

    place = find_place(task, env)
    change = promote_version(place.store, task, version, reason)
    publish_if_possible(place.store, task, place.find_tracking)
    _say(is_json, {"task": task, **asdict(change)}, _describe_change)


@champion.command()
@add_shared_options
@add_wait_option
@click.option(
    "--keep", "num_kept", metavar="N", type=click.IntRange(min=0), required=True, help="Newest versions that stay."
)
def prune(task: str, env: str | None, is_json: bool, wait: float, num_kept: int) -> None:
    """Removes old versions, but for the newest N, the champion, and the one before it.

    \b
    Exit codes:
      0   removed, or there was nothing to remove
      75  a retraining did not end in time; try again later
    """
    from rnn_pipelines.champion.lock import hold_lock

    place = find_place(task, env)
    # A challenger that waits for its promotion must not be removed.
    with hold_lock(place.champion / "retrain.lock", wait):
        removed = place.store.prune(num_kept)
    _say(
        is_json,
        {"task": task, "removed": removed},
        lambda shown: "\n".join([f"{task}: {len(removed)} removed", *removed]),
    )


@champion.command()
@add_shared_options
def publish(task: str, env: str | None, is_json: bool) -> None:
    """Tells MLflow what it doesn't know yet of retrainings and champion.

    Every other command that changes anything does so too; but where MLflow could not be told, only this one fails.
    """
    from rnn_pipelines.champion.tracking import publication

    place = find_place(task, env)
    spec = place.find_tracking()
    if spec is None:
        raise TrackingError(f"mlflow.yml: is_on is false. Write is_on: true into conf/{place.env}/mlflow.yml.")
    news = publication.publish(place.store, task, spec)
    found = {"task": task, **asdict(news)}
    _say(is_json, found, lambda _: f"{task}: {publication.describe_publication(news, task, spec)}")


def find_place(task: str, env: str | None) -> Place:
    """Where the files of a task lie in an environment."""
    from kedro.framework.session import KedroSession

    session = KedroSession.create(env=env)
    with session:
        return _find_place(session, task)


def _find_place(session: "KedroSession", task: str) -> Place:
    """From the entries as they are written: a catalog would check the parameters of all pipelines first."""
    from rnn_pipelines.tracking_hooks import find_tracking

    context = session.load_context()
    entries = context.config_loader["catalog"]
    champion, verdict = (entries.get(name, {}) for name in (f"champion_{task}", f"monitor_{task}_verdict"))
    if "path" not in champion:
        raise click.ClickException(
            f"catalog entry champion_{task}: expected one with a path; there is no {task} to retrain."
        )
    return Place(
        champion=context.project_path / champion["path"],
        verdict=context.project_path / verdict.get("filepath", f"no monitor_{task}_verdict in the catalog"),
        env=context.env or "local",
        find_tracking=partial(find_tracking, context),
    )


def _find_news(session: "KedroSession", place: Place, task: str) -> list[str]:
    from kedro.framework.project import pipelines

    from rnn_pipelines.champion.changes import list_changes
    from rnn_pipelines.pipelines.retraining import fingerprint_newest

    # Only this one is imported, and only its parameters are checked, as in the run.
    pipelines.set_requested([f"retrain_{task}"])
    catalog = session.load_context().catalog
    return list_changes(place.store, fingerprint_newest(task, pipelines[f"retrain_{task}"], catalog))


@contextmanager
def _put_failure_on_record(place: Place, task: str, as_of: str | None) -> Iterator[None]:
    """A node that fails is on record already, through the hook of the run; what fails before the first node is not."""
    from rnn_pipelines.champion.changes import count_retrainings
    from rnn_pipelines.champion.outcome import record_failure

    num_retrainings = count_retrainings(place.store)
    try:
        yield
    except Exception as error:
        if count_retrainings(place.store) == num_retrainings:
            record_failure(place.champion, task, error, as_of)
        raise


def _describe_outcome(found: dict[str, Any]) -> str:
    record = found["record"]
    if found["outcome"] == "nothing new":
        return (
            f"{found['task']}: nothing new since {record['at']} ({record['outcome']}: {'; '.join(record['reasons'])})"
        )
    return "\n  ".join([f"{found['task']}: {record['outcome']} {record['version']}", *record["reasons"]])


def _describe_change(change: dict[str, Any]) -> str:
    return (
        f"{change['task']}: {change['version']} is the champion, {change['before'] or 'none'} was ({change['reason']})"
    )


def _say(is_json: bool, found: Any, describe: Callable[[Any], str]) -> None:
    click.echo(json.dumps(found, indent=2, default=asdict) if is_json else describe(found))
