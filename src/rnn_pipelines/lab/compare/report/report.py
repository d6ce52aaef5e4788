"""The report of `compare`: verdicts, tables and figures on one page."""

from dataclasses import replace

from plotly.graph_objects import Figure

from rnn_pipelines.lab.compare.records import ComparisonResults, Description
from rnn_pipelines.lab.compare.report import verdicts
from rnn_pipelines.lab.compare.report.results import STYLES, TaskResults, list_tasks
from rnn_pipelines.lab.compare.report.tables import (
    tabulate_costs,
    tabulate_differences,
    tabulate_results,
)
from rnn_pipelines.lab.compare.specs import PlanSpec
from rnn_pipelines.report.page import Section
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.texts import fill_template, list_sections
from rnn_pipelines.report.trainings import tabulate_parameters


def report_comparison(
    results: ComparisonResults, description: Description, plan: PlanSpec, **figures: Figure
) -> Report:
    """Return the report on a comparison; a terminal shows the results of the networks in each task."""
    tasks = list_tasks(results["runs"], results["summary"], description)
    left_out = description["left_out"]
    tables = [replace(tabulate_results(task), caption=STYLES[task.name].name) for task in tasks]
    return fill_template(
        __package__,
        "report",
        tables,
        figures=figures,
        verdict=verdicts.describe_comparison(tasks, left_out),
        tasks=[*map(report_task, tasks)],
        differences=tabulate_differences(tasks),
        num_threads=sorted({run["num_threads"] for run in results["runs"]}),
        left_out=verdicts.join_names(left_out) if left_out else "",
        music=plan.music,
        parameters=tabulate_parameters(
            "compare", {"plan": plan, "tasks": {task.name: task.spec for task in tasks}}
        ),
    )


def report_task(task: TaskResults) -> Section:
    """Return the section of one task, with sentences and tables."""
    (section,) = list_sections(
        __package__,
        "task",
        task=task,
        name=STYLES[task.name].name,
        learning=verdicts.describe_learning(task),
        pairs=verdicts.describe_pairs(task),
        references=verdicts.describe_references(task),
        results=tabulate_results(task),
        costs=tabulate_costs(task),
        weights=[network["num_recurrent_parameters"] for network in task.networks],
    )
    return section
