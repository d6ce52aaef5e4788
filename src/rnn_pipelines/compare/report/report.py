"""The report of `compare`: verdicts, tables and figures on one page."""

from collections.abc import Sequence
from dataclasses import replace

from plotly.graph_objects import Figure

from rnn_pipelines.compare.records import Description, Results, Run
from rnn_pipelines.compare.report.results import STYLES, TaskResults, list_tasks
from rnn_pipelines.compare.report.tables import tabulate_costs, tabulate_differences, tabulate_results
from rnn_pipelines.compare.report.verdicts import (
    describe_learning,
    describe_references,
    join_names,
    write_task_verdict,
    write_verdict,
)
from rnn_pipelines.compare.specs import PlanSpec
from rnn_pipelines.report.page import Section, render_page
from rnn_pipelines.report.terminal import summarize
from rnn_pipelines.report.texts import read_texts
from rnn_pipelines.report.trainings import tabulate_parameters

NOTES = read_texts("rnn_pipelines.compare.report")["notes"]


def render_report(results: Results, description: Description, plan: PlanSpec, **figures: Figure) -> str:
    """Render a comparison as one HTML page that works offline."""
    tasks, left_out = list_tasks(results["runs"], results["summary"], description), description["left_out"]
    sections = [
        *map(describe_task, tasks),
        Section("Paired differences", [figures["differences"], NOTES["differences"], tabulate_differences(tasks)]),
        Section("Losses by seed", [figures["losses"], NOTES["losses"]]),
        Section("Learning curves", [figures["curves"], NOTES["curves"]]),
        Section("Time", [figures["time"], NOTES["time"], describe_threads(results["runs"])]),
        Section(
            "How to read", [NOTES["how_to_read"], NOTES["intervals"], NOTES["rough_intervals"], NOTES["references"]]
        ),
    ]
    if left_out:
        sections.append(Section("Tasks left out", [describe_left_out(left_out, plan)]))
    specs = {task.name: task.spec for task in tasks}
    sections.append(Section("Parameters", [tabulate_parameters("compare", {"plan": plan, "tasks": specs})]))
    return render_page("Simple RNN, LSTM and GRU compared", write_verdict(tasks, left_out), sections)


def summarize_comparison(results: Results, description: Description) -> str:
    """Return the verdict, and the results of the networks in each task, for a terminal."""
    tasks = list_tasks(results["runs"], results["summary"], description)
    tables = [replace(tabulate_results(task), caption=STYLES[task.name].name) for task in tasks]
    return summarize([write_verdict(tasks, description["left_out"])], *tables)


def describe_task(task: TaskResults) -> Section:
    """Return the section of one task, with sentences and tables."""
    texts = [
        task.spec.data.describe(),
        describe_learning(task),
        write_task_verdict(task),
        describe_references(task),
        describe_papers(task),
    ]
    tables = [tabulate_results(task), tabulate_costs(task), describe_budget(task)]
    return Section(f"Task: {STYLES[task.name].name}", [*filter(None, texts), *tables])


def describe_budget(task: TaskResults) -> str:
    """Describe the differences between the numbers of recurrent weights."""
    weights = [network["num_recurrent_parameters"] for network in task.networks]
    apart = 100 * (1 - min(weights) / max(weights))
    return (
        f"The budget is {min(weights):,} to {max(weights):,} recurrent weights: the smallest network has {apart:.1f} % "
        "fewer than the largest."
    )


def describe_papers(task: TaskResults) -> str:
    """Describe the origin of published losses; empty if there are none."""
    if not task.published:
        return ""
    return (
        f"The losses of {' and '.join(task.published)} are published ones, for the same music and metric. Sizes and "
        "trainings of these networks differ."
    )


def describe_threads(runs: Sequence[Run]) -> str:
    """Describe the numbers of threads of all trainings, including those that were finished before."""
    numbers = sorted({run["num_threads"] for run in runs})
    if len(numbers) == 1:
        return f"Each training had {numbers[0]} thread{'s' if numbers[0] > 1 else ''}."
    return f"The trainings had {' or '.join(map(str, numbers))} threads, so that their times are not comparable."


def describe_left_out(left_out: Sequence[str], plan: PlanSpec) -> str:
    """Describe the missing tasks and their remedy."""
    place = plan.music or "RNN_DATA/music"
    return (
        f"These tasks have no music file in the folder {place}: {join_names(left_out)}. Set compare.plan.music to its "
        "folder, or the environment variable RNN_DATA to the folder above music. docs/reference/data-sets.md has the "
        "source of the files. Finished trainings are not repeated."
    )
