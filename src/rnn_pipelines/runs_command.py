"""`kedro runs`: what earlier runs of a pipeline found, and what differed."""

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.session import KedroSession

from rnn_pipelines.errors import RunError
from rnn_pipelines.pipelines.names import PIPELINES
from rnn_pipelines.pipelines.retraining import PREFIX
from rnn_pipelines.places import find_data_root
from rnn_pipelines.printing import say, say_json
from rnn_pipelines.run_command import PlainErrors
from rnn_pipelines.runs import comparison
from rnn_pipelines.runs.room import Room

NUM_COMPARED = 2
# What retrainings make are versions of a champion, and `predict_forecast` adds to a log.
NAMES = [name for name in PIPELINES if not name.startswith(PREFIX) and name != "predict_forecast"]
PIPELINE = click.argument("pipeline", type=click.Choice(NAMES), metavar="PIPELINE")
AS_JSON = click.option("--json", "is_json", is_flag=True, help="Write JSON, for programs.")


@click.group(cls=PlainErrors)
def runs() -> None:
    """Lists, shows and compares the runs of a PIPELINE.

    A RUN is known by the first or last letters of its name.
    """


@runs.command("list")
@PIPELINE
@env_option
@AS_JSON
def list_runs(pipeline: str, env: str | None, is_json: bool) -> None:
    """Lists the runs that are kept, the oldest first; * is the one whose results are shown."""
    room = find_room(pipeline, env)
    if is_json:
        say_json(comparison.list_records(room))
    else:
        say(comparison.tabulate_runs(room))


@runs.command()
@PIPELINE
@click.argument("run", required=False)
@env_option
@AS_JSON
def show(pipeline: str, run: str | None, env: str | None, is_json: bool) -> None:
    """Tells what is known of a RUN, or of the one that is shown, and whether its files are as it wrote them."""
    room = find_room(pipeline, env)
    name = comparison.find_run(room, run)
    if is_json:
        say_json(room.read_record(name))
    else:
        say(comparison.describe_run(room, name))


@runs.command()
@PIPELINE
@click.argument("run", nargs=-1)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Show this one; may be given several times.")
@click.option("--all", "is_all", is_flag=True, help="Show all numbers.")
@env_option
@AS_JSON
def compare(
    pipeline: str, run: tuple[str, ...], metrics: tuple[str, ...], is_all: bool, env: str | None, is_json: bool
) -> None:
    """Sets the metrics of RUNs side by side, with what differed in data, parameters, code and versions.

    With no RUN, the two newest ones.
    """
    room = find_room(pipeline, env)
    names = [comparison.find_run(room, letters) for letters in run] or room.list_runs()[-NUM_COMPARED:]
    if len(names) < NUM_COMPARED:
        raise click.ClickException(f"{pipeline}: expected two runs, found {len(names)}. Run it once more.")
    if is_json:
        say_json(comparison.compare(room, names))
    else:
        say(comparison.compare_runs(room, names, None if is_all else metrics or comparison.MAIN_METRICS))


def find_room(pipeline: str, env: str | None) -> Room:
    """Where the runs of a pipeline lie in an environment.

    Raises:
        RunError: no runs are kept there.
    """
    session = KedroSession.create(env=env)
    with session:
        root = find_data_root(session.load_context())
    if root is None:
        raise RunError(
            f"{pipeline}: no runs are kept, because globals.data_root leads to another machine. Name an environment "
            "whose data root is a folder of this one (--env)."
        )
    return Room(root, pipeline)
