"""The tables of `compare`: results beside their references, what they cost, and paired differences."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rnn_pipelines.compare.report.looks import LOOKS
from rnn_pipelines.report.numbers import NO_NUMBER, format_number
from rnn_pipelines.report.page import Table

# The metric of each kind of task and its unit. All of them are losses.
METRICS = {
    "series": "MSE, squared unit of the series",
    "adding": "MSE",
    "copy": "cross-entropy, nats a step",
    "music": "negative log-likelihood, nats a step",
}
# What only luck can beat is no rival.
FLOOR = "noise floor"
NUM_DIGITS = 3
MAX_DECIMALS = 8


def group_by_task(summary: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The networks' entries of each task.

    Args:
        summary: what `summarize_runs` returns.
    """
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for entry in summary:
        by_task.setdefault(entry["task"], []).append(entry)
    return by_task


def list_pairs(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The paired differences of test losses of one task, see `compare_pairs`."""
    return [pair for entry in entries for pair in entry["differences"]]


def list_step_pairs(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Likewise of gradient steps to learn, where every seed of both networks learnt."""
    return [pair for entry in entries for pair in entry["step_differences"]]


def get_metric(described: Mapping[str, Any]) -> str:
    """The metric of a task, with its unit.

    Args:
        described: what `describe_task` returns.
    """
    return METRICS[described["spec"]["data"]["kind"]]


def find_best_reference(references: Mapping[str, float]) -> str | None:
    """The simple method with the lowest loss; None where there is none."""
    rivals = {name: loss for name, loss in references.items() if name != FLOOR}
    return min(rivals, key=rivals.__getitem__, default=None)


def tabulate_results(entries: Sequence[Mapping[str, Any]], described: Mapping[str, Any]) -> Table:
    """Losses of the networks of one task, and below them what papers report and what simple methods reach.

    How many seeds learnt the task, and after how many gradient steps, where there is a bound for that. The lowest means
    of the networks are marked.

    Args:
        entries: of one task, see `group_by_task`.
        described: what `describe_task` returns.
    """
    has_bound = described["spec"]["learnt_below"] is not None
    rows = [
        [
            LOOKS[entry["cell"]].name,
            format_number(entry["test"]["mean"]),
            format_estimate(entry["test"])[1],
            format_number(entry["validation"]["mean"]),
            *(_count_learnt(entry) if has_bound else ()),
        ]
        for entry in entries
    ]
    others = {
        f"{LOOKS[cell].name}, {paper}": loss
        for paper, losses in described["published"].items()
        for cell, loss in losses.items()
    } | described["references"]
    header = ["network", "test", "95% interval", "validation", *(["learnt by", "after steps"] if has_bound else [])]
    rows += [[name, format_number(loss), *[NO_NUMBER] * (len(header) - 2)] for name, loss in others.items()]
    best = {(_find_lowest(entries, key), header.index(key)) for key in ("test", "validation")}
    return Table(header, rows, best=frozenset(best), caption=f"Mean losses: {get_metric(described)}")


def _count_learnt(entry: Mapping[str, Any]) -> list[str]:
    steps = entry["steps_to_learn"]
    return [f"{entry['num_learnt']} of {entry['num_seeds']}", NO_NUMBER if steps is None else f"{steps:,.0f}"]


def _find_lowest(entries: Sequence[Mapping[str, Any]], key: str) -> int:
    means = [entry[key]["mean"] for entry in entries]
    return means.index(min(means))


def tabulate_costs(entries: Sequence[Mapping[str, Any]], described: Mapping[str, Any]) -> Table:
    """Size of the networks of one task, and what training them took: means over seeds.

    Args:
        entries, described: see `tabulate_results`.
    """
    rows = [
        [
            LOOKS[entry["cell"]].name,
            f"{described['spec']['contenders'][entry['cell']]['units']:,}",
            f"{entry['num_recurrent_parameters']:,}",
            f"{entry['num_parameters']:,}",
            *(
                format_number(entry[key]["mean"], NUM_DIGITS)
                for key in ("seconds_per_epoch", "seconds_to_best", "compile_seconds")
            ),
            f"{entry['epochs']['mean']:,.1f}",
        ]
        for entry in entries
    ]
    seconds = ["s per epoch", "s to best validation", "s compiling"]
    header = ["network", "units", "recurrent weights", "all parameters", *seconds, "epochs"]
    return Table(header, rows, caption="Size and cost; compiling is in none of the other seconds")


def tabulate_differences(by_task: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Every pair of networks of every task: the differences of test losses and of steps to learn, seed by seed.

    Args:
        by_task: what `group_by_task` returns.
    """
    rows = [
        [
            LOOKS[task].name,
            f"{LOOKS[pair['cell']].name} − {LOOKS[pair['against']].name}",
            measure,
            f"{LOOKS[pair['better']].name} is better" if pair["better"] else "no difference shown",
            *format_estimate(pair),
        ]
        for task, entries in by_task.items()
        for measure, pairs in (("test loss", list_pairs(entries)), ("steps to learn", list_step_pairs(entries)))
        for pair in pairs
    ]
    header = ["task", "pair", "of", "verdict", "mean difference", "95% interval"]
    return Table(header, rows, num_text_columns=4)


def format_estimate(estimate: Mapping[str, float], sign: int = 1) -> tuple[str, str]:
    """A mean and its interval, all to the digit that is the second one of half the interval's width.

    A word stands between the ends, for a dash would read as a sign.

    Args:
        estimate: `mean, low, high`.
        sign: −1 for the other direction.
    """
    mean, low, high = (sign * estimate[key] for key in ("mean", "low", "high"))
    half = abs(high - low) / 2
    num_decimals = max(1 - math.floor(math.log10(half)), 0) if half > 0 else None
    ends = [_round(end, num_decimals) for end in sorted((low, high))]
    return _round(mean, num_decimals), " to ".join(ends)


def _round(value: float, num_decimals: int | None) -> str:
    if num_decimals is None or num_decimals > MAX_DECIMALS:
        return format_number(value, NUM_DIGITS)
    return f"{value:,.{num_decimals}f}".replace("-", "−")
