"""The tables of `compare`: results with references, costs, and paired differences."""

import math
from collections.abc import Sequence
from typing import Any

from rnn_pipelines.lab.compare.records import Difference, Estimate
from rnn_pipelines.lab.compare.report.results import STYLES, TaskResults
from rnn_pipelines.report.numbers import Column, format_count, format_number
from rnn_pipelines.report.page import Table, tabulate

NUM_DIGITS = 3
MAX_DECIMALS = 8


def tabulate_results(task: TaskResults) -> Table:
    """Tabulate the losses of the networks of one task, of papers and of simple methods.

    If the task has a bound for learning: also the number of seeds that learnt it, and their median gradient steps. The
    lowest means of the networks are marked.
    """
    columns = {
        "test": Column("test", better="down"),
        "interval": Column("95 % interval"),
        "validation": Column("validation", better="down"),
    }
    if task.spec.learnt_below is not None:
        columns["learnt"] = Column("learnt by")
        columns["steps_to_learn"] = Column("after steps", format_count)
    rows: list[tuple[str, dict[str, Any]]] = []
    for network in task.networks:
        values = {
            "test": network["test"]["mean"],
            "interval": format_estimate(network["test"])[1],
            "validation": network["validation"]["mean"],
            "steps_to_learn": network["steps_to_learn"],
            "learnt": f"{network['num_learnt']} of {network['num_seeds']}",
        }
        rows.append((STYLES[network["cell"]].name, values))
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
    rows = []
    for network in task.networks:
        sizes = [
            task.spec.contenders[network["cell"]].units,
            network["num_recurrent_parameters"],
            network["num_parameters"],
        ]
        seconds = [
            network["seconds_per_epoch"],
            network["seconds_to_best"],
            network["compile_seconds"],
        ]
        rows.append(
            [
                STYLES[network["cell"]].name,
                *map(format_count, sizes),
                *(format_number(estimate["mean"], NUM_DIGITS) for estimate in seconds),
                f"{network['epochs']['mean']:,.1f}",
            ]
        )
    header = [
        "network",
        "units",
        "recurrent weights",
        "all parameters",
        "s per epoch",
        "s to best validation",
        "s compiling",
        "epochs",
    ]
    caption = "Size and cost; the other seconds do not include compiling"
    return Table(header, rows, caption=caption)


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
