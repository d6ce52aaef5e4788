"""The results of a comparison, in sentences."""

from collections.abc import Iterator, Sequence

from rnn_pipelines.lab.compare.records import Difference
from rnn_pipelines.lab.compare.report.results import STYLES, TaskResults
from rnn_pipelines.lab.compare.report.tables import format_estimate, name_pair
from rnn_pipelines.report.numbers import begin_sentence, format_number


def describe_comparison(tasks: Sequence[TaskResults], left_out: Sequence[str]) -> str:
    """Describe which cell is better on which tasks, and on which tasks no network is better than a simple method.

    The sentences compare cells with each other, and variants with their own cell; the tables have all pairs. If two
    networks both learn a task with every seed, the better one is the one that learns it sooner, whatever its loss.
    """
    sentences = [*_write_pairs(tasks)]
    names_by_reference: dict[str, list[str]] = {}
    for task in tasks:
        if task.spec.learnt_below is not None:
            sentences.append(
                f"Seeds that learnt {STYLES[task.name].name}: {', '.join(_count_learnt(task))}."
            )
        if task.best_reference and not task.num_better:
            names_by_reference.setdefault(task.best_reference, []).append(task.name)
    for reference, names in names_by_reference.items():
        sentences.append(
            f"On {join_names(names)}, no network has a lower mean loss than {reference}."
        )
    if left_out:
        sentences.append(f"Left out, because the music file is missing: {join_names(left_out)}.")
    return " ".join(map(begin_sentence, sentences))


def _write_pairs(tasks: Sequence[TaskResults]) -> Iterator[str]:
    tasks_by_pair: dict[tuple[str, str], dict[tuple[str | None, str], list[str]]] = {}
    for task in tasks:
        by_steps = {(pair["cell"], pair["against"]): pair for pair in task.step_differences}
        for pair in task.differences:
            if _is_published(pair, task):
                cells = pair["cell"], pair["against"]
                verb = "learns sooner" if cells in by_steps else "is better"
                verdict = by_steps.get(cells, pair)["better"], verb
                tasks_by_pair.setdefault(cells, {}).setdefault(verdict, []).append(task.name)
    num_seeds = {network["num_seeds"] for task in tasks for network in task.networks}
    seeds = "these seeds"
    if len(num_seeds) == 1:
        seeds = "one seed" if num_seeds == {1} else f"these {num_seeds.pop()} seeds"
    # LSTM against GRU first, because it is the main question.
    for cells, tasks_by_verdict in sorted(tasks_by_pair.items(), key=lambda item: "rnn" in item[0]):
        clauses = [
            f"{STYLES[better].name} {verb} on {join_names(names)}"
            for (better, verb), names in tasks_by_verdict.items()
            if better is not None
        ]
        undecided = [
            name
            for (better, _), names in tasks_by_verdict.items()
            if better is None
            for name in names
        ]
        if undecided:
            clauses.append(f"no difference that {seeds} can show on {join_names(undecided)}")
        yield f"{STYLES[cells[0]].name} against {STYLES[cells[1]].name}: {'; '.join(clauses)}."


def _is_published(pair: Difference, task: TaskResults) -> bool:
    """Return whether both are variants of one cell, or neither is the variant of another contender."""
    contenders = task.spec.contenders
    first_of_cell: dict[str, str] = {}
    for name, spec in contenders.items():
        first_of_cell.setdefault(spec.cell, name)
    cells = contenders[pair["cell"]].cell, contenders[pair["against"]].cell
    return cells[0] == cells[1] or all(
        first_of_cell[cell] in (pair["cell"], pair["against"]) for cell in cells
    )


def _count_learnt(task: TaskResults) -> list[str]:
    return [
        f"{STYLES[one['cell']].name} {one['num_learnt']} of {one['num_seeds']}"
        for one in task.networks
    ]


def describe_pairs(task: TaskResults) -> str:
    """Describe every pair of networks of one task, with its difference and 95 % interval."""
    shown = [
        "{} is better than {} by {} ({})".format(*_order(pair))
        for pair in task.differences
        if pair["better"]
    ]
    undecided = [_write_undecided(pair) for pair in task.differences if not pair["better"]]
    sentences = [f"{'; '.join(shown)}."] if shown else []
    if undecided:
        sentences.append(f"No difference that these seeds can show: {'; '.join(undecided)}.")
    return " ".join(map(begin_sentence, sentences))


def _write_undecided(pair: Difference) -> str:
    return "{} is {} ({})".format(name_pair(pair), *format_estimate(pair))


def _order(pair: Difference) -> tuple[str, str, str, str]:
    """Return the better network of a pair, the other, the unsigned difference and its interval."""
    names = STYLES[pair["cell"]].name, STYLES[pair["against"]].name
    if pair["better"] == pair["cell"]:
        return *names, *format_estimate(pair, -1)
    return *names[::-1], *format_estimate(pair)


def describe_learning(task: TaskResults) -> str:
    """Describe how many seeds learnt a task, and after how many gradient steps; empty if the task has no bound."""
    if task.spec.learnt_below is None:
        return ""
    steps = [network["steps_to_learn"] for network in task.networks]
    medians = ["" if median is None else f", {median:,.0f} steps" for median in steps]
    clauses = map("".join, zip(_count_learnt(task), medians, strict=True))
    sentences = [
        f"Seeds that learnt it (validation loss below {task.spec.learnt_below:g} within {task.num_steps:,} gradient "
        f"steps), and the median of their steps: {'; '.join(clauses)}."
    ]
    for pair in task.step_differences:
        if pair["better"]:
            sentences.append("{} learns sooner than {} by {} steps ({}).".format(*_order(pair)))
        else:
            sentences.append(
                f"No difference of these steps that the seeds can show: {_write_undecided(pair)}."
            )
    return " ".join(map(begin_sentence, sentences))


def describe_references(task: TaskResults) -> str:
    """Describe how many networks have a lower mean loss than the best simple method; empty if there is none."""
    if task.best_reference is None:
        return ""
    loss = task.references[task.best_reference]
    num_better = task.num_better
    num_networks = len(task.networks)
    count = {0: "none", num_networks: "all"}.get(num_better, str(num_better))
    of_all = "of the networks" if num_better in (0, num_networks) else f"of {num_networks} networks"
    verb = "has" if num_better in (0, 1) else "have"
    best = "The simple method" if len(task.references) == 1 else "The best simple method"
    return f"{best}, {task.best_reference}, has a loss of {format_number(loss)}; {count} {of_all} {verb} a lower mean."


def join_names(names: Sequence[str]) -> str:
    """Return the displayed names as a list: a, b and c."""
    *before, last = (STYLES[name].name for name in names)
    return f"{', '.join(before)} and {last}" if before else last
