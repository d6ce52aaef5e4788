"""The columns of the leaderboards of methods: one line each, for the pages, the terminal and `metrics.json`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from rnn_pipelines.forecast.evaluation.metrics import METRICS, UNITS
from rnn_pipelines.report.numbers import (
    Column,
    format_bias,
    format_number,
    format_share,
    format_skill,
)

# The order in which the terminal leaves out metrics that have no room; the other metrics are on the page only.
LEFT_OUT = {"mase": 2, "rmse": 3, "mae": 4}


@dataclass(frozen=True)
class LeaderboardColumn(Column):
    """A column of numbers of each method.

    Attributes:
        measure: returns the numbers from the metrics, a row for each method; None if they are measured elsewhere.
        left_out: place in the order in which the terminal leaves out columns without room; None if it never shows it.
    """

    measure: Callable[[pd.DataFrame], pd.Series] | None = None
    left_out: int | None = 9


def format_method_seconds(seconds: float | None) -> str:
    """Format wall-clock seconds to two digits, which differ from run to run."""
    return "< 0.01" if seconds is not None and 0 < seconds < 0.01 else format_number(seconds, 2)


format_ratio = partial(format_number, num_digits=3)


def format_wape(wape: float | None) -> str:
    """Format a WAPE in percent, to three digits."""
    return format_ratio(None if wape is None else 100 * wape)


# By the key in `metrics.json`, in the order of the page, which begins with the deciding metric. Metrics in the unit of
# the data come before those in its square, and these before those without a unit.
COLUMNS: dict[str, LeaderboardColumn] = {
    "bias": LeaderboardColumn("bias, %", format_bias, "zero", left_out=1),
    "total_wape": LeaderboardColumn("WAPE of totals, %", format_wape, "down", left_out=None),
    **{
        name: LeaderboardColumn(
            METRICS[name].heading, format_number, "down", left_out=LEFT_OUT.get(name)
        )
        for name in sorted(METRICS, key=lambda name: UNITS.index(METRICS[name].unit))
    },
    "stability": LeaderboardColumn("stability", format_ratio, "down", left_out=0),
    "horizon_stability": LeaderboardColumn(
        "horizon stability", format_ratio, "down", left_out=None
    ),
    "relative_mae": LeaderboardColumn("relative MAE", format_number, "down", left_out=None),
    "skill": LeaderboardColumn("skill", format_skill, left_out=None),
    "fit_seconds": LeaderboardColumn("fit, s", format_method_seconds, left_out=None),
    "prediction_seconds": LeaderboardColumn("predict, s", format_method_seconds, left_out=None),
}
COVERAGE = "coverage_"


def choose_leaderboard_columns(
    keys: Iterable[str], format_coverage: Callable[[float | None], str] = format_share
) -> dict[str, Column]:
    """Return the columns of some keys, also of coverages such as `coverage_80`."""
    return {
        key: Column(f"inside {key.removeprefix(COVERAGE)} %", format_coverage)
        if key.startswith(COVERAGE)
        else COLUMNS[key]
        for key in keys
    }
