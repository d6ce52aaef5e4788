"""The report of `compare`: verdicts, tables and figures on one page."""

from collections.abc import Mapping, Sequence
from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.compare.report.looks import LOOKS
from rnn_pipelines.compare.report.tables import (
    group_by_task,
    tabulate_costs,
    tabulate_differences,
    tabulate_results,
)
from rnn_pipelines.compare.report.verdicts import (
    describe_learning,
    describe_references,
    join_names,
    write_task_verdict,
    write_verdict,
)
from rnn_pipelines.compare.specs import AddingData, CopyData, MusicData, PlanSpec, SeriesData, TaskSpec
from rnn_pipelines.compare.tasks.music import NUM_NOTES
from rnn_pipelines.forecast.series.synthetic import GENERATORS
from rnn_pipelines.report.page import Part, Section, render_page
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
    results: Mapping[str, Any],
    description: Mapping[str, Any],
    plan: PlanSpec,
    figures: Mapping[str, Figure],
) -> str:
    """Puts a comparison on one HTML page that needs no network.

    Args:
        results: what `summarize_comparison` returns.
        description: what `compare_cells` returns beside the trainings.
        plan: which tasks were to be run, and how.
        figures: what `draw_figures` returns.
    """
    by_task, described = group_by_task(results["summary"]), description["tasks"]
    specs = {task: TaskSpec.model_validate(described[task]["spec"]) for task in by_task}
    sections = [
        *(describe_task(task, entries, described[task], results["runs"]) for task, entries in by_task.items()),
        Section(
            "Paired differences",
            [figures["differences"], DIFFERENCES_IN_WORDS, tabulate_differences(by_task)],
        ),
        Section("Losses by seed", [figures["losses"], LOSSES_IN_WORDS]),
        Section("Learning curves", [figures["curves"], CURVES_IN_WORDS]),
        Section("Time", [figures["time"], TIME_IN_WORDS, describe_threads(results["runs"])]),
        Section("How to read", [HOW_TO_READ, INTERVALS_IN_WORDS, ROUGH_INTERVALS_IN_WORDS, REFERENCES_IN_WORDS]),
    ]
    if description["left_out"]:
        sections.append(Section("Tasks left out", [describe_left_out(description["left_out"], plan)]))
    sections.append(Section("Parameters", [tabulate_parameters("compare", {"plan": plan, "tasks": specs})]))
    return render_page("Simple RNN, LSTM and GRU compared", write_verdict(by_task, description), sections)


def describe_task(
    task: str,
    entries: Sequence[Mapping[str, Any]],
    described: Mapping[str, Any],
    runs: Sequence[Mapping[str, Any]],
) -> Section:
    """What one task has shown, in sentences and tables.

    Args:
        task: its name.
        entries: of the task, see `group_by_task`.
        described: what `training.comparison.describe_task` returns.
        runs: of this task and others.
    """
    spec = TaskSpec.model_validate(described["spec"])
    num_steps = spec.training.epochs * max(run["steps_per_epoch"] for run in runs if run["task"] == task)
    texts = [
        describe_data(spec),
        describe_learning(entries, described["spec"], num_steps),
        write_task_verdict(entries),
        describe_references(entries, described["references"]),
        describe_papers(described["published"]),
    ]
    costs: list[Part] = [tabulate_costs(entries, described), describe_budget(entries)]
    return Section(f"Task: {LOOKS[task].name}", [*filter(None, texts), tabulate_results(entries, described), *costs])


def describe_data(spec: TaskSpec) -> str:
    """What is learnt in a task, and how it is measured."""
    match spec.data:
        case SeriesData() as data:
            drawn = data.source.path is None and data.source.name in GENERATORS
            source = "each seed is another draw of its noise" if drawn else "the same for all seeds"
            return (
                f"One step ahead of {data.source.label}, from the last {data.lookback} steps; {source}. The metric is "
                "the MSE, in the unit of the series, squared."
            )
        case AddingData() as data:
            return (
                f"The adding problem: of {data.num_steps} numbers between 0 and 1, two are marked, and their sum is to "
                f"be told after the last; each seed draws other sequences. The metric is the MSE."
            )
        case CopyData() as data:
            return (
                f"Copy memory: 10 symbols are to be said again after {data.delay} steps; each seed draws other "
                "sequences. The metric is the cross-entropy in nats a step, over all steps."
            )
        case MusicData() as data:
            cut = f", cut into stretches of {data.train_steps} steps for training" if data.train_steps else ""
            return (
                f"The next notes of the polyphonic music in {data.file}, from those before; the same for all seeds"
                f"{cut}. The metric is the negative log-likelihood in nats a step, summed over all {NUM_NOTES} notes."
            )


def describe_budget(entries: Sequence[Mapping[str, Any]]) -> str:
    """How equal the numbers of recurrent weights are."""
    weights = [entry["num_recurrent_parameters"] for entry in entries]
    apart = 100 * (1 - min(weights) / max(weights))
    return (
        f"The budget is {min(weights):,} to {max(weights):,} recurrent weights: the smallest network has {apart:.1f} % "
        "fewer than the largest."
    )


def describe_papers(published: Mapping[str, Any]) -> str:
    """How figures of papers are to be taken; empty where there are none."""
    if not published:
        return ""
    return (
        f"The figures of {' and '.join(published)} are theirs, for the same music and metric, from networks of other "
        "sizes and trainings."
    )


def describe_threads(runs: Sequence[Mapping[str, Any]]) -> str:
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
