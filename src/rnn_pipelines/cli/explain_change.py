"""`kedro champion explain-change`: why the newest forecasts changed."""

from typing import Any

from kedro.framework.session import KedroSession

from rnn_pipelines.errors import ParameterError


def explain_change(task: str, env: str | None, series: str | None, time: str | None) -> tuple[dict[str, Any], str]:
    """Return the explanation as JSON and as text.

    Raises:
        ParameterError: the task has no forecasts, or none of them is for this time.
        ChampionError, SeriesError: see `explain_nights`.
    """
    # Here, because the other commands need neither Plotly nor pandas.
    from rnn_pipelines.forecast.operations.change import explain_nights
    from rnn_pipelines.forecast.report.change import MAX_ROWS, choose_times, describe_change, tabulate_changes
    from rnn_pipelines.report.terminal import summarize

    if task != "forecast":
        raise ParameterError(f"{task}: only forecasts change from night to night. Name forecast.")
    with KedroSession.create(env=env) as session:
        catalog = session.load_context().catalog
        nights, log, all_series = (
            catalog.load(f"predict_forecast_{name}") for name in ("nights", "forecasts", "all_series")
        )
    found = describe_change(choose_times(explain_nights(nights, log, all_series, series), time))
    table = tabulate_changes(found["changes"][:MAX_ROWS])
    return {"task": task, **found}, summarize([found["sentence"], *found["notes"]], table)
