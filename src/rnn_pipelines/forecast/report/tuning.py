"""The report of `tune_forecast`: the trials, and the importances of the parameters."""

import json
from typing import Any

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.experiments.tuning import Trials
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.page import Table
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.texts import fill_template
from rnn_pipelines.report.trainings import tabulate_parameters

MAX_TRIALS = 20


def report_tuning(
    summary: dict[str, Any], trials: Trials, parameters: dict[str, Any], tuning: TuningSpec
) -> Report:
    """Return the report on the results of `tune`."""
    importances = [
        (f"forecast.{name}", f"{value:.2f}") for name, value in summary["importances"].items()
    ]
    best = [
        (f"forecast.{block}.{name}", _format(value))
        for block, values in parameters["forecast"].items()
        for name, value in values.items()
    ]
    # The best trials come first.
    ranked = trials.sort_values("loss", kind="stable").head(MAX_TRIALS)
    tried = [json.loads(text) for text in ranked["parameters"]]
    names = list(dict.fromkeys(name for values in tried for name in values))
    rows = []
    for row, values in zip(ranked.itertuples(), tried, strict=True):
        numbers = format_number(row.loss), format_number(row.baseline_loss), f"{row.seconds:,.1f}"
        rows.append([str(row.trial), *(_format(values.get(name)) for name in names), *numbers])
    header = ("trial", *names, "loss", "simple", "seconds")
    return fill_template(
        __package__,
        "tuning",
        verdict=_describe_verdict(summary),
        best=Table(("parameter", "value"), best),
        trials=Table(header, rows, best=frozenset({(0, len(names) + 1)})),
        metric=METRICS[summary["metric"]].heading,
        importances=Table(("parameter", "importance"), importances),
        parameters=tabulate_parameters("tune_forecast", tuning),
    )


def _describe_verdict(summary: dict[str, Any]) -> str:
    """Return by how much the best trial is better on the validation part than the current parameters."""
    metric = METRICS[summary["metric"]].heading
    loss = summary["loss"]
    first = summary["first_loss"]
    tried = f"The best of {count(summary['num_trials'], 'trial')} has {metric} {format_number(loss)} on validation"
    failed = f" {count(summary['num_failed'], 'trial')} failed." if summary["num_failed"] else ""
    if first is None:
        return f"{tried}.{failed}"
    if loss >= first:
        return f"No trial is better on validation than the current parameters, {metric} {format_number(first)}.{failed}"
    return f"{tried}, {100 * (1 - loss / first):.1f} % below the current parameters ({format_number(first)}).{failed}"


def _format(value: Any) -> str:
    return "null" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
