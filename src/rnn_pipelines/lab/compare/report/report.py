"""The report of `compare`: verdicts, tables and figures on one page."""

from dataclasses import replace

from plotly.graph_objects import Figure

from rnn_pipelines.lab.compare.records import Description, Results
from rnn_pipelines.lab.compare.report import verdicts
from rnn_pipelines.lab.compare.report.results import STYLES, TaskResults, list_tasks
from rnn_pipelines.lab.compare.report.tables import (
    tabulate_costs,
    tabulate_differences,
    tabulate_results,
)
from rnn_pipelines.lab.compare.specs import PlanSpec
from rnn_pipelines.report.page import Section
from rnn_pipelines.report.terminal import summarize
from rnn_pipelines.report.texts import list_sections, render_template
from rnn_pipelines.report.trainings import tabulate_parameters


def render_report(
    results: Results, description: Description, plan: PlanSpec, **figures: Figure
) -> str:
    """Render a comparison as one HTML page that works offline."""
    tasks = list_tasks(results["runs"], results["summary"], description)
    left_out = description["left_out"]
    return render_template(
        __package__,
        "report",
        figures=figures,
        verdict=verdicts.write_verdict(tasks, left_out),
        tasks=[*map(describe_task, tasks)],
        differences=tabulate_differences(tasks),
        num_threads=sorted({run["num_threads"] for run in results["runs"]}),
        left_out=verdicts.join_names(left_out) if left_out else "",
        music=plan.music,
        parameters=tabulate_parameters(
            "compare", {"plan": plan, "tasks": {task.name: task.spec for task in tasks}}
        ),
    )


def summarize_comparison(results: Results, description: Description) -> str:
    """Return the verdict, and the results of the networks in each task, for a terminal."""
    tasks = list_tasks(results["runs"], results["summary"], description)
    tables = [replace(tabulate_results(task), caption=STYLES[task.name].name) for task in tasks]
    return summarize([verdicts.write_verdict(tasks, description["left_out"])], *tables)


def describe_task(task: TaskResults) -> Section:
    """Return the section of one task, with sentences and tables."""
    (section,) = list_sections(
        __package__,
        "task",
        task=task,
        name=STYLES[task.name].name,
        learning=verdicts.describe_learning(task),
        pairs=verdicts.write_task_verdict(task),
        references=verdicts.describe_references(task),
        results=tabulate_results(task),
        costs=tabulate_costs(task),
        weights=[network["num_recurrent_parameters"] for network in task.networks],
    )
    return section
