"""The report of `tune_forecast`: the trials, and the importances of the parameters."""

import json
import math
from typing import Any

from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.experiments.tuning import Trials
from rnn_pipelines.report.numbers import NO_NUMBER, format_number
from rnn_pipelines.report.page import Section, Table, render_page
from rnn_pipelines.report.trainings import tabulate_parameters

MAX_TRIALS = 20

HOW_TO_READ = (
    "{metric} of the ensemble on the validation part, from rolling origins, by fits that have not seen it; "
    "lower is better. Simple is the least of a simple method with the same windows. The test part was cut off before "
    "the search began: run forecast with the parameters to see what they are worth there. The least of many is partly "
    "luck."
)
HOW_TO_TAKE = "parameters_forecast.yml beside this page has them; in conf/local, every run takes them from it."
HOW_IMPORTANT = (
    "How far the parameter alone tells good trials from the others, 1 in sum (PED-ANOVA); of few trials a rough guess."
)


def render_report(summary: dict[str, Any], trials: Trials, parameters: dict[str, Any], tuning: TuningSpec) -> str:
    """Return verdict and tables as one HTML page that needs no network.

    Args:
        summary, trials, parameters: see `tune`.
        tuning: the parameters of the search.
    """
    sections = [
        Section("What to take", [_tabulate_best(parameters), HOW_TO_TAKE]),
        Section("Trials", [_tabulate_trials(trials), HOW_TO_READ.format(metric=METRICS[summary["metric"]].heading)]),
        Section("What mattered", _describe_importances(summary["importances"])),
        Section("Parameters", [tabulate_parameters("tune_forecast", tuning.model_dump())]),
    ]
    return render_page("Search for parameters", describe_verdict(summary), sections)


def describe_verdict(summary: dict[str, Any]) -> str:
    """Return by how much the best trial is better on the validation part than the current parameters."""
    metric, loss, first = METRICS[summary["metric"]].heading, summary["loss"], summary["first_loss"]
    tried = f"Of {summary['num_trials']} trials the best has {metric} {format_number(loss)} on validation"
    failed = f" {summary['num_failed']} trials failed." if summary["num_failed"] else ""
    if first is None:
        return f"{tried}.{failed}"
    if loss >= first:
        known = f"{metric} {format_number(first)}"
        return f"No trial was better on validation than the parameters as they are, {known}.{failed}"
    return (
        f"{tried}, {100 * (1 - loss / first):.1f} % below the parameters as they are ({format_number(first)}).{failed}"
    )


def _tabulate_best(parameters: dict[str, Any]) -> Table:
    rows = [
        [f"forecast.{block}.{name}", _format(value)]
        for block, own in parameters["forecast"].items()
        for name, value in own.items()
    ]
    return Table(("parameter", "value"), rows)


def _tabulate_trials(trials: Trials) -> Table:
    """Return the trials, the best ones first."""
    ranked = trials.sort_values("loss", kind="stable").head(MAX_TRIALS)
    tried = [json.loads(text) for text in ranked["parameters"]]
    names = list(dict.fromkeys(name for values in tried for name in values))
    rows = [
        [
            str(row.trial),
            *(_format(values.get(name)) for name in names),
            *(NO_NUMBER if math.isnan(loss) else format_number(loss) for loss in (row.loss, row.baseline_loss)),
            f"{row.seconds:,.1f}",
        ]
        for row, values in zip(ranked.itertuples(), tried, strict=True)
    ]
    return Table(("trial", *names, "loss", "simple", "seconds"), rows, best=frozenset({(0, len(names) + 1)}))


def _format(value: Any) -> str:
    return "null" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _describe_importances(importances: dict[str, float]) -> list[Table | str]:
    if not importances:
        return ["Too few trials to say."]
    rows = [[f"forecast.{name}", f"{value:.2f}"] for name, value in importances.items()]
    return [Table(("parameter", "importance"), rows), HOW_IMPORTANT]
