"""What a comparison has shown, in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnn_pipelines.compare.report.looks import LOOKS
from rnn_pipelines.compare.report.tables import find_best_reference, format_estimate, list_pairs, list_step_pairs
from rnn_pipelines.report.numbers import format_number


def write_verdict(by_task: Mapping[str, Sequence[Mapping[str, Any]]], description: Mapping[str, Any]) -> str:
    """Which cell is better on which tasks, and where a simple method is as good.

    Cells are held against each other, and a variant against its own cell; the tables have all pairs. Of two networks
    that both learn a task with every seed, the better one is that which learns it sooner, whatever is left of its loss.

    Args:
        by_task: what `group_by_task` returns.
        description: what `compare_cells` returns beside the trainings.
    """
    left_out = description["left_out"]
    described = description["tasks"]
    sentences = [
        *_write_pairs(by_task, described),
        *_write_learning(by_task, described),
        *_write_references(by_task, described),
    ]
    if left_out:
        sentences.append(f"Left out, for there is no file of the music: {join_names(left_out)}.")
    return " ".join(map(begin_sentence, sentences))


def _write_pairs(
    by_task: Mapping[str, Sequence[Mapping[str, Any]]], described: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    tasks_by_pair: dict[tuple[str, str], dict[tuple[str | None, str], list[str]]] = {}
    for task, entries in by_task.items():
        by_steps = {(pair["cell"], pair["against"]): pair for pair in list_step_pairs(entries)}
        for pair in list_pairs(entries):
            if _is_told(pair, described[task]["spec"]["contenders"]):
                cells = pair["cell"], pair["against"]
                verb = "learns sooner" if cells in by_steps else "is better"
                verdict = by_steps.get(cells, pair)["better"], verb
                tasks_by_pair.setdefault(cells, {}).setdefault(verdict, []).append(task)
    num_seeds = {entry["num_seeds"] for entries in by_task.values() for entry in entries}
    seeds = f"these {num_seeds.pop()} seeds" if len(num_seeds) == 1 else "these seeds"
    # LSTM against GRU first: it is what people ask for.
    for cells, tasks_by_verdict in sorted(tasks_by_pair.items(), key=lambda item: "rnn" in item[0]):
        clauses = [
            f"{LOOKS[better].name} {verb} on {join_names(tasks)}"
            for (better, verb), tasks in tasks_by_verdict.items()
            if better is not None
        ]
        undecided = [task for (better, _), tasks in tasks_by_verdict.items() if better is None for task in tasks]
        if undecided:
            clauses.append(f"no difference that {seeds} can show on {join_names(undecided)}")
        yield f"{LOOKS[cells[0]].name} against {LOOKS[cells[1]].name}: {'; '.join(clauses)}."


def _is_told(pair: Mapping[str, Any], contenders: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether both are variants of one cell, or neither is the variant of another contender."""
    first_of_cell: dict[str, str] = {}
    for name, spec in contenders.items():
        first_of_cell.setdefault(spec["cell"], name)
    cells = [contenders[pair[side]]["cell"] for side in ("cell", "against")]
    return cells[0] == cells[1] or all(first_of_cell[cell] in (pair["cell"], pair["against"]) for cell in cells)


def _write_learning(
    by_task: Mapping[str, Sequence[Mapping[str, Any]]], described: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """One sentence for each task that is learnt or not."""
    for task, entries in by_task.items():
        if described[task]["spec"]["learnt_below"] is not None:
            counts = [f"{LOOKS[entry['cell']].name} {entry['num_learnt']} of {entry['num_seeds']}" for entry in entries]
            yield f"Seeds that learnt {LOOKS[task].name}: {', '.join(counts)}."


def _write_references(
    by_task: Mapping[str, Sequence[Mapping[str, Any]]], described: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """One sentence for each simple method that no network falls below."""
    tasks_by_reference: dict[str, list[str]] = {}
    for task, entries in by_task.items():
        reference = find_best_reference(described[task]["references"])
        if reference and not count_better(entries, described[task]["references"][reference]):
            tasks_by_reference.setdefault(reference, []).append(task)
    for reference, tasks in tasks_by_reference.items():
        yield f"On {join_names(tasks)}, no network has a lower mean loss than {reference}."


def count_better(entries: Sequence[Mapping[str, Any]], loss: float) -> int:
    """The number of networks whose mean loss on the test part is lower."""
    return sum(entry["test"]["mean"] < loss for entry in entries)


def write_task_verdict(entries: Sequence[Mapping[str, Any]]) -> str:
    """What the seeds show of one task: every pair with its difference and 95 % interval.

    Args:
        entries: of one task, see `group_by_task`.
    """
    pairs = list_pairs(entries)
    shown = [_write_shown(pair) for pair in pairs if pair["better"]]
    undecided = [
        "{} − {} is {} ({})".format(LOOKS[pair["cell"]].name, LOOKS[pair["against"]].name, *format_estimate(pair))
        for pair in pairs
        if not pair["better"]
    ]
    sentences = [f"{'; '.join(shown)}."] if shown else []
    if undecided:
        sentences.append(f"No difference that these seeds can show: {'; '.join(undecided)}.")
    return " ".join(map(begin_sentence, sentences))


def _write_shown(pair: Mapping[str, Any]) -> str:
    """By how much one is better than the other, without a sign."""
    return "{} is better than {} by {} ({})".format(*_order(pair))


def _order(pair: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """The better one of a pair, the other, and by how much, without a sign."""
    worse, sign = (pair["against"], -1) if pair["better"] == pair["cell"] else (pair["cell"], 1)
    return LOOKS[pair["better"]].name, LOOKS[worse].name, *format_estimate(pair, sign)


def describe_learning(entries: Sequence[Mapping[str, Any]], spec: Mapping[str, Any], num_steps: int) -> str:
    """How many of the seeds learnt a task, and after how many gradient steps; empty where it has no bound for that.

    Args:
        entries: see `write_task_verdict`.
        spec: of the task.
        num_steps: gradient steps that a training has at most.
    """
    if spec["learnt_below"] is None:
        return ""
    clauses = [
        f"{LOOKS[entry['cell']].name} {entry['num_learnt']} of {entry['num_seeds']}"
        + ("" if entry["steps_to_learn"] is None else f", {entry['steps_to_learn']:,.0f} steps")
        for entry in entries
    ]
    sentences = [
        f"Seeds that learnt it (validation loss below {spec['learnt_below']:g} within {num_steps:,} gradient steps), "
        f"and the median of their steps: {'; '.join(clauses)}.",
        *map(_write_sooner, list_step_pairs(entries)),
    ]
    return " ".join(map(begin_sentence, sentences))


def _write_sooner(pair: Mapping[str, Any]) -> str:
    """By how many steps one learns sooner than the other, both with every seed."""
    names = LOOKS[pair["cell"]].name, LOOKS[pair["against"]].name
    if not pair["better"]:
        return "No difference of these steps that the seeds can show: {} − {} is {} ({}).".format(
            *names, *format_estimate(pair)
        )
    return "{} learns sooner than {} by {} steps ({}).".format(*_order(pair))


def describe_references(entries: Sequence[Mapping[str, Any]], references: Mapping[str, float]) -> str:
    """How many networks have a lower mean loss than the best simple method; empty where there is none."""
    reference = find_best_reference(references)
    if reference is None:
        return ""
    loss, num_better = references[reference], count_better(entries, references[reference])
    count = {0: "none", len(entries): "all"}.get(num_better, str(num_better))
    of_all = "of the networks" if num_better in (0, len(entries)) else f"of {len(entries)} networks"
    verb = "has" if num_better in (0, 1) else "have"
    best = "The simple method beside them" if len(references) == 1 else "The best simple method"
    return f"{best}, {reference}, has a loss of {format_number(loss)}; {count} {of_all} {verb} a lower mean."


def begin_sentence(sentence: str) -> str:
    """The sentence with a capital letter."""
    return sentence[0].upper() + sentence[1:]


def join_names(names: Sequence[str]) -> str:
    """Names for people, in a list: a, b and c."""
    *before, last = (LOOKS[name].name for name in names)
    return f"{', '.join(before)} and {last}" if before else last
