"""`kedro champion explain-change`: why the newest forecasts changed."""

from typing import Any

import click
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DatasetError

from rnn_pipelines.cli.options import make_task_command, print_result
from rnn_pipelines.errors import ChampionError, ParameterError
from rnn_pipelines.forecast.operations.change import explain_nights
from rnn_pipelines.forecast.report.change import (
    MAX_ROWS,
    choose_times,
    describe_change,
    tabulate_changes,
)
from rnn_pipelines.report.terminal import summarize

RUN = "kedro run --pipelines=predict_forecast"
# The entries of the catalog that hold the nights, the log, and the forecasts of a divided panel.
ENTRIES = ("nights", "forecasts", "all_series")


@make_task_command(name="explain-change")
@click.option("--series", metavar="ID", help="Explain only this series.")
@click.option(
    "--time",
    metavar="TIME",
    help="Explain only forecasts for this time, or a month such as 2026-10.",
)
def explain_last_change(
    task: str, env: str | None, is_json: bool, series: str | None, time: str | None
) -> None:
    """Explain why the newest forecasts differ from those of the run before: the parts sum to the change."""
    print_result(is_json, *describe_last_change(task, env, series, time))


def describe_last_change(
    task: str, env: str | None, series: str | None, time: str | None
) -> tuple[dict[str, Any], str]:
    """Return the explanation as JSON and as text; errors are those of `explain_nights`.

    A task without forecasts, or a time without one, raises a ParameterError.
    """
    if task != "forecast":
        raise ParameterError(f"{task}: only forecasts change from night to night. Name forecast.")
    try:
        with KedroSession.create(env=env) as session:
            # Checks only the parameters of this pipeline, as in its run.
            pipelines.set_requested(["predict_forecast"])
            catalog = session.load_context().catalog
            nights, log, all_series = (catalog.load(f"predict_forecast_{name}") for name in ENTRIES)
        description = describe_change(
            choose_times(explain_nights(nights, log, all_series, series), time)
        )
    except (ChampionError, DatasetError) as error:
        # The run of the hint is in the same environment.
        if env:
            error.args = (str(error).replace(RUN, f"{RUN} --env={env}"), *error.args[1:])
        raise
    table = tabulate_changes(description["changes"][:MAX_ROWS])
    return {"task": task, **description}, summarize(
        [description["sentence"], *description["notes"], table]
    )
