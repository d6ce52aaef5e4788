"""The tables of `compare`: results with references, costs, and paired differences."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from rnn_pipelines.lab.compare.records import Difference, Estimate, NetworkSummary
from rnn_pipelines.lab.compare.report.results import STYLES, TaskResults
from rnn_pipelines.report.numbers import Column, format_count, format_number
from rnn_pipelines.report.page import Table, make_table, tabulate

NUM_DIGITS = 3
MAX_DECIMALS = 8


def tabulate_results(task: TaskResults) -> Table:
    """Tabulate the losses of the networks of one task, of papers and of simple methods.

    If the task has a bound for learning: also the number of seeds that learnt it, and their median gradient steps. The
    lowest means of the networks are marked.
    """
    columns = {"test": Column("test", better="down"), "interval": Column("95 % interval")}
    columns["validation"] = Column("validation", better="down")
    if task.spec.learnt_below is not None:
        columns |= {
            "learnt": Column("learnt by"),
            "steps_to_learn": Column("after steps", format_count),
        }
    rows: list[tuple[str, dict[str, Any]]] = []
    for one in task.networks:
        facts = {
            "test": one["test"]["mean"],
            "interval": format_estimate(one["test"])[1],
            "validation": one["validation"]["mean"],
            "steps_to_learn": one["steps_to_learn"],
        }
        facts["learnt"] = f"{one['num_learnt']} of {one['num_seeds']}"
        rows.append((STYLES[one["cell"]].name, facts))
    # As texts, they are not marked.
    for paper, losses in task.published.items():
        rows += [
            (f"{STYLES[cell].name}, {paper}", {"test": format_number(loss)})
            for cell, loss in losses.items()
        ]
    rows += [(name, {"test": format_number(loss)}) for name, loss in task.references.items()]
    return tabulate("network", rows, columns, f"Mean losses: {task.spec.data.metric}")


def tabulate_costs(task: TaskResults) -> Table:
    """Tabulate the sizes of the networks of one task and the costs of their training, as means over seeds."""
    columns: dict[str, Callable[[NetworkSummary], str]] = {
        "network": lambda one: STYLES[one["cell"]].name,
        "units": lambda one: f"{task.spec.contenders[one['cell']].units:,}",
        "recurrent weights": lambda one: f"{one['num_recurrent_parameters']:,}",
        "all parameters": lambda one: f"{one['num_parameters']:,}",
        "s per epoch": lambda one: format_number(one["seconds_per_epoch"]["mean"], NUM_DIGITS),
        "s to best validation": lambda one: format_number(
            one["seconds_to_best"]["mean"], NUM_DIGITS
        ),
        "s compiling": lambda one: format_number(one["compile_seconds"]["mean"], NUM_DIGITS),
        "epochs": lambda one: f"{one['epochs']['mean']:,.1f}",
    }
    return make_table(
        task.networks, columns, caption="Size and cost; the other seconds do not include compiling"
    )


def tabulate_differences(tasks: Sequence[TaskResults]) -> Table:
    """Tabulate the paired differences of test losses and of steps to learn, for every pair of every task."""
    rows = []
    for task in tasks:
        for measure, pairs in (
            ("test loss", task.differences),
            ("steps to learn", task.step_differences),
        ):
            for pair in pairs:
                verdict = (
                    f"{STYLES[pair['better']].name} is better"
                    if pair["better"]
                    else "no difference shown"
                )
                rows.append(
                    [
                        STYLES[task.name].name,
                        name_pair(pair),
                        measure,
                        verdict,
                        *format_estimate(pair),
                    ]
                )
    header = ["task", "pair", "of", "verdict", "mean difference", "95 % interval"]
    return Table(header, rows, num_text_columns=4)


def name_pair(pair: Difference) -> str:
    """Return the name of a difference: the first network minus the other."""
    return f"{STYLES[pair['cell']].name} − {STYLES[pair['against']].name}"


def format_estimate(estimate: Estimate, sign: int = 1) -> tuple[str, str]:
    """Return a mean and its interval, rounded to two significant digits of half the interval's width.

    The ends are separated by a word, because a dash would look like a sign. The sign −1 gives the opposite direction.
    """
    if estimate["low"] is None or estimate["high"] is None:
        return _round(sign * estimate["mean"], None), "no interval"
    mean = sign * estimate["mean"]
    low = sign * estimate["low"]
    high = sign * estimate["high"]
    half = abs(high - low) / 2
    num_decimals = max(1 - math.floor(math.log10(half)), 0) if half > 0 else None
    ends = [_round(end, num_decimals) for end in sorted((low, high))]
    return _round(mean, num_decimals), " to ".join(ends)


def _round(value: float, num_decimals: int | None) -> str:
    if num_decimals is None or num_decimals > MAX_DECIMALS:
        return format_number(value, NUM_DIGITS)
    return f"{value:,.{num_decimals}f}".replace("-", "−")
