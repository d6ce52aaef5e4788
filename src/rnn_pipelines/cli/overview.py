"""`kedro champion report`: one page with the facts of each task, read from the project."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from rnn_pipelines.champion.report import Overview, render_overview, summarize_task
from rnn_pipelines.champion.tables import find_facts
from rnn_pipelines.champion.verdict import check_task
from rnn_pipelines.cli.options import AS_JSON, add_exit_codes, print_result
from rnn_pipelines.errors import ChampionError, RunError, make_line
from rnn_pipelines.forecast.report import overview as forecast
from rnn_pipelines.hooks.paths import TaskPaths, find_data_root, find_paths_in
from rnn_pipelines.pipelines.names import TASKS
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import write_note
from rnn_pipelines.report.page import Part
from rnn_pipelines.report.page_file import write_page
from rnn_pipelines.runs.run_store import RunStore
from rnn_pipelines.sentiment.report import monitoring as sentiment

# In the data root.
DEFAULT = Path("08_reporting/champion.html")


@dataclass(frozen=True)
class TaskParts:
    """How the page shows a task: the name of its loss, and the catalog's entry of its newest predictions.

    Two functions return the parts on them, given the end of the run that made them, and on the verdict of its monitor.
    """

    loss: str
    dataset: str
    report_predictions: Callable[[Any, str | None], list[Part]]
    report_monitor: Callable[[Any], list[Part]]


PARTS: Mapping[str, TaskParts] = {
    "forecast": TaskParts(
        "MSE",
        "predict_forecast_forecasts",
        lambda log, ended: forecast.report_forecasts(log),
        forecast.report_forecast_monitor,
    ),
    "sentiment": TaskParts(
        "log loss",
        "predict_sentiment_scores",
        sentiment.report_scores,
        sentiment.report_text_monitor,
    ),
}


@click.command()
@click.argument("tasks", nargs=-1, type=click.Choice(TASKS), metavar="[TASK]...")
@env_option
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="File of the page.")
@AS_JSON
@add_exit_codes()
def report(tasks: tuple[str, ...], env: str | None, output: Path | None, is_json: bool) -> None:
    """Write one page about the champions of all tasks, or of each TASK.

    It shows champion, evaluation, decisions, newest predictions, the monitor's result and the next step. The default
    FILE is 08_reporting/champion.html in the data root. An earlier page is replaced.
    """
    path, overviews = write_overview(tasks or TASKS, env, output)
    verdicts = {overview.task: asdict(overview.verdict) for overview in overviews}
    lines = [*map(summarize_task, overviews), str(path)]
    print_result(is_json, {"path": str(path), "tasks": verdicts}, "\n".join(map(make_line, lines)))


def write_overview(
    tasks: Sequence[str], env: str | None, output: Path | None
) -> tuple[Path, list[Overview]]:
    """Write the page and return its path, with the facts on it; without an output, into the data root.

    Raises:
        ChampionError: no task has a champion or a history.
        RunError: the page can't be written.
    """
    overviews, roots = zip(*(read_task(task, env) for task in tasks), strict=True)
    if not any(overview.champion or overview.records for overview in overviews):
        remedy = f"Run kedro champion retrain {tasks[0]}."
        raise ChampionError(
            f"{', '.join(tasks)}: there is no champion and no history yet. {remedy}"
        )
    if output is None and roots[0] is None:
        raise RunError(
            "globals.data_root is on another machine. Name a file of this one (--output)."
        )
    path = output or roots[0] / DEFAULT
    if output is None:
        path.parent.mkdir(parents=True, exist_ok=True)
    write_page(path, render_overview(overviews, datetime.now(UTC)))
    return path, list(overviews)


def read_task(task: str, env: str | None) -> tuple[Overview, Path | None]:
    """Return the facts of a task, and the data root; None if that is on another machine."""
    session = KedroSession.create(env=env)
    with session:
        paths = find_paths_in(session, task)
        # Imports only this pipeline and checks only its parameters, as in its run.
        pipelines.set_requested([f"predict_{task}"])
        context = session.load_context()
        parts = PARTS[task]
        predictions = _guard(_report_predictions)(context, task, parts)
        monitor = _guard(_report_monitor)(paths, parts)
        root = find_data_root(context)
    store = paths.store
    has_champion = store.find_pointer() is not None
    if has_champion:
        predictions = predictions or [
            f"There are no predictions yet. Run kedro run --pipelines=predict_{task}."
        ]
        monitor = monitor or [
            f"The monitor has not run yet. Run kedro run --pipelines=monitor_{task}."
        ]
    champion = find_facts(store, None) if has_champion else None
    verdict = check_task(store, paths.verdict, paths.log)
    return Overview(
        task, parts.loss, champion, store.list_records(), verdict, predictions, monitor
    ), root


def _guard(function: Callable[..., list[Part]]) -> Callable[..., list[Part]]:
    return guard(function, lambda reason: [write_note(reason)])


def _report_predictions(context: KedroContext, task: str, parts: TaskParts) -> list[Part]:
    catalog = context.catalog
    root = find_data_root(context)
    if not catalog.exists(parts.dataset):
        return []
    store = None if root is None else RunStore(root, f"predict_{task}")
    run = None if store is None else store.find_current()
    ended = None if store is None or run is None else store.read_record(run).get("ended")
    return parts.report_predictions(catalog.load(parts.dataset), ended)


def _report_monitor(paths: TaskPaths, parts: TaskParts) -> list[Part]:
    if not paths.verdict.exists():
        return []
    return parts.report_monitor(json.loads(paths.verdict.read_text(encoding="utf-8")))
