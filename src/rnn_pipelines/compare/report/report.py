"""The report of `compare`: verdicts, tables and figures on one page."""

from collections.abc import Mapping, Sequence

from plotly.graph_objects import Figure

from rnn_pipelines.compare.records import Description, Results, Run
from rnn_pipelines.compare.report.looks import LOOKS
from rnn_pipelines.compare.report.results import TaskResults, list_tasks
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
from rnn_pipelines.report.trainings import tabulate_parameters

HOW_TO_READ = (
    "The networks of a task have equal budgets of recurrent weights (kernel, recurrent kernel and bias), see the same "
    "data in the same order, and are measured once on the test part with the weights that were best on validation. "
    "Where a task's patience is shorter than its epochs, training stops early. All metrics are losses: lower is "
    "better. A seed stands for the first weights, the order of the batches and the data, where these are drawn; it is "
    "the same for all networks. A task that is learnt or not asks who learns it, and after how many gradient steps: of "
    "two networks that learn it with every seed, the steps decide, whatever is left of the loss."
)
INTERVALS_IN_WORDS = (
    "A mean has its 95% interval, Student's over the seeds. For two networks, the differences are taken seed by seed, "
    "which removes what the seed does to both; one is called better where the interval of the mean difference leaves "
    "0 out. That no difference is shown doesn't mean that there is none: more seeds make the intervals narrower. The "
    "intervals are not corrected for their number: of twenty that are all about nothing, one leaves 0 out by chance."
)
ROUGH_INTERVALS_IN_WORDS = (
    "Student's interval takes values that are spread evenly about their mean. Where some seeds learn a task and others "
    "don't, they are not, and the interval is rough; it can reach below 0, where no loss is. There, look at each seed "
    "and at how many of them learnt it."
)
REFERENCES_IN_WORDS = (
    "The references are measured on the test part, as means over the data of all seeds. Ridge is a linear regression "
    "on the same window, last value repeats the newest one. The noise floor is the loss of the signal without its "
    "noise, which only luck can beat. Guessing 1 always says the mean; no memory knows when a symbol is due, but not "
    "which; note frequencies say at every step how often each note is heard in the training part."
)
CURVES_IN_WORDS = (
    "The line is the median over seeds, the band reaches from the lowest to the highest of them. Where a training "
    "stops early, it goes on with its last loss; the median is thin from the first such stop on. The references are "
    "those of the test part, and only near to what they would be on the validation part."
)
LOSSES_IN_WORDS = (
    "One dot for each seed, the first on top, and below them the mean. Of the references, the best simple method and "
    "the noise floor are drawn. On a logarithmic axis, an interval that reaches below 0 is cut on the left."
)
DIFFERENCES_IN_WORDS = (
    "Each dot is a seed. A pair has the colour of the network that is better, and is grey where the seeds can show no "
    "difference. Differences are in the metric of their task. The table has those of the gradient steps to learn too, "
    "for networks that learnt a task with every seed."
)
TIME_IN_WORDS = (
    "Seconds per epoch hold training and a look at the validation part; seconds to best, all epochs up to the one "
    "whose weights are kept. Compiling the graph is in neither; the tables have it by itself. The networks of a task "
    "take turns, seed by seed, but whatever else runs slows them down: compare the times within a task, and only where "
    "its trainings were done in one go. An interval that reaches below 0 s is cut there."
)


def render_compare_report(
    results: Results, description: Description, plan: PlanSpec, figures: Mapping[str, Figure]
) -> str:
    """Puts a comparison on one HTML page that needs no network.

    Args:
        results: of all tasks.
        description: of the tasks.
        plan: which tasks were to be run, and how.
        figures: by name.
    """
    tasks, left_out = list_tasks(results["runs"], results["summary"], description), description["left_out"]
    sections = [
        *map(describe_task, tasks),
        Section("Paired differences", [figures["differences"], DIFFERENCES_IN_WORDS, tabulate_differences(tasks)]),
        Section("Losses by seed", [figures["losses"], LOSSES_IN_WORDS]),
        Section("Learning curves", [figures["curves"], CURVES_IN_WORDS]),
        Section("Time", [figures["time"], TIME_IN_WORDS, describe_threads(results["runs"])]),
        Section("How to read", [HOW_TO_READ, INTERVALS_IN_WORDS, ROUGH_INTERVALS_IN_WORDS, REFERENCES_IN_WORDS]),
    ]
    if left_out:
        sections.append(Section("Tasks left out", [describe_left_out(left_out, plan)]))
    specs = {task.name: task.spec for task in tasks}
    sections.append(Section("Parameters", [tabulate_parameters("compare", {"plan": plan, "tasks": specs})]))
    return render_page("Simple RNN, LSTM and GRU compared", write_verdict(tasks, left_out), sections)


def describe_task(task: TaskResults) -> Section:
    """What one task has shown, in sentences and tables."""
    texts = [
        task.spec.data.describe(),
        describe_learning(task),
        write_task_verdict(task),
        describe_references(task),
        describe_papers(task),
    ]
    tables = [tabulate_results(task), tabulate_costs(task), describe_budget(task)]
    return Section(f"Task: {LOOKS[task.name].name}", [*filter(None, texts), *tables])


def describe_budget(task: TaskResults) -> str:
    """How equal the numbers of recurrent weights are."""
    weights = [network["num_recurrent_parameters"] for network in task.networks]
    apart = 100 * (1 - min(weights) / max(weights))
    return (
        f"The budget is {min(weights):,} to {max(weights):,} recurrent weights: the smallest network has {apart:.1f} % "
        "fewer than the largest."
    )


def describe_papers(task: TaskResults) -> str:
    """How figures of papers are to be taken; empty where there are none."""
    if not task.published:
        return ""
    return (
        f"The figures of {' and '.join(task.published)} are theirs, for the same music and metric, from networks of "
        "other sizes and trainings."
    )


def describe_threads(runs: Sequence[Run]) -> str:
    """How many threads the trainings had, those that were finished before too."""
    numbers = sorted({run["num_threads"] for run in runs})
    if len(numbers) == 1:
        return f"Each training had {numbers[0]} thread{'s' if numbers[0] > 1 else ''}."
    return f"The trainings had {' or '.join(map(str, numbers))} threads: their times don't compare."


def describe_left_out(left_out: Sequence[str], plan: PlanSpec) -> str:
    """Which tasks are missing, and what to do."""
    place = f"the folder {plan.music}" if plan.music else "the folder music below the one that RNN_DATA names"
    return (
        f"There is no file of the music in {place}: {join_names(left_out)}. Give its folder as compare.plan.music, or "
        "set the environment variable RNN_DATA; docs/data.md says where to get the file. Trainings that are finished "
        "are not done again."
    )
