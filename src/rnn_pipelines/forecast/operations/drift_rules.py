"""The rules on drift of series and covariates, and on changes since the training."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rnn_pipelines.champion.verdict import Finding, Level
from rnn_pipelines.errors import MAX_VALUE, count, make_line
from rnn_pipelines.forecast.evaluation.drift import DriftSpec
from rnn_pipelines.forecast.preparation.reference import Change
from rnn_pipelines.report.numbers import format_number, format_p_value, list_some

NAMES_IN_REASON = 3
# A level is far outside if it is so many times as large as all levels in training.
FAR = 10
# A row of `CovariateDriftTable`, with None for missing numbers.
CovariateDriftRow = dict[str, Any]


def check_levels(
    levels: Mapping[str, tuple[float, float, float]], num_series: int, drift: DriftSpec
) -> Iterator[Finding]:
    """Yield a finding on levels outside the training range, because a trend does the same; far outside, an alarm."""
    if not levels:
        return
    far = {
        name: row for name, row in levels.items() if abs(row[0]) > FAR * max(map(abs, row[1:])) > 0
    }
    is_grave = len(far) > drift.max_drifted_fraction * num_series
    levels = far if is_grave else levels
    name, (level, lowest, highest) = next(iter(levels.items()))
    numbers = (
        f"{format_number(level)}, in training {format_number(lowest)} to {format_number(highest)}"
    )
    which = f" of {make_line(name, MAX_VALUE)}" if len(levels) > 1 else ""
    where = f"more than {FAR:g} times as far as" if is_grave else "outside its range in"
    mean = f"the mean of the newest {drift.num_steps} values lies {where} the training data ({numbers}{which})"
    yield Finding("alarm" if is_grave else "ok", f"look at {name_series(levels)}: {mean}")


def check_changes(
    changes: Mapping[str, Change], num_series: int, drift: DriftSpec
) -> Iterator[Finding]:
    """Yield a finding on each kind of change since the training; a few series of many are a line to look at."""
    for kind in dict.fromkeys(change.kind for change in changes.values()):
        names = [name for name, change in changes.items() if change.kind == kind]
        # A retraining learns values below 0, and a table without learnt values, which may keep its length. Other
        # changes are probably faults of the source, which a person judges.
        level: Level = "retrain" if kind in ("negative", "newer") else "alarm"
        level = level if len(names) > drift.max_drifted_fraction * num_series else "ok"
        which = f" (of {make_line(names[0], MAX_VALUE)})" if len(names) > 1 else ""
        yield Finding(level, f"look at {name_series(names)}: {changes[names[0]].detail}{which}")


def check_drift(
    distances: Mapping[str, tuple[float, float] | None], has_champion: bool, drift: DriftSpec
) -> Iterator[Finding]:
    """Yield findings on the drift of series."""
    compared = {name: pair for name, pair in distances.items() if pair is not None}
    if faulty := [name for name, pair in compared.items() if not all(map(math.isfinite, pair))]:
        yield Finding("alarm", f"the drift of {name_series(faulty)} is not a finite number")
        return
    if has_champion and not compared:
        yield Finding("ok", "too few newest values for a test of drift")
        return
    drifted = list_drifted(compared, drift)
    if compared and len(drifted) > drift.max_drifted_fraction * len(compared):
        worst = max(drifted, key=lambda name: compared[name][0])
        numbers = f"distance {compared[worst][0]:.2f}, {format_p_value(compared[worst][1])}"
        yield Finding(
            "retrain", f"the newest values of {name_series(drifted)} have drifted ({numbers})"
        )
    elif compared:
        num_silent = len(distances) - len(compared)
        counted = f"{len(drifted)} of {len(compared)} series have drifted"
        yield Finding(
            "ok", counted + (f"; {num_silent} have too few values to compare" if num_silent else "")
        )


def list_drifted(distances: Mapping[str, tuple[float, float]], drift: DriftSpec) -> list[str]:
    """Return the names of the series that have drifted, by their distances and p-values."""
    least = drift.min_distance
    most = drift.significance
    return [
        name
        for name, (distance, p_value) in distances.items()
        if distance >= least and p_value <= most
    ]


def check_covariates(
    covariates: Iterable[CovariateDriftRow], max_fraction: float
) -> Iterator[Finding]:
    """Yield findings on covariates, never an alarm: unusual values do not prove that forecasts are worse."""
    rows = list(covariates)
    compared = [row for row in rows if row["num_series"]]
    drifted = [row for row in compared if row["num_drifted"] > max_fraction * row["num_series"]]
    if compared and not drifted:
        yield Finding("ok", f"no drift in {count(len(compared), 'covariate')}")
    for row in rows:
        name = make_line(row["covariate"], MAX_VALUE)
        if row in drifted and row["distance"] is not None and row["p_value"] is not None:
            share = f"{row['num_drifted']} of {row['num_series']} series"
            test = f"distance {row['distance']:.2f}, {format_p_value(row['p_value'])}"
            yield Finding(
                "retrain",
                f"the newest values of the covariate {name} have drifted in {share} ({test})",
            )
        if row["num_unknown"]:
            is_much = row["num_unknown"] / row["num_values"] - row["usual_fraction"] > max_fraction
            cells = f"{row['num_unknown']} of the {row['num_values']} newest values of the covariate {name}"
            fact = "are rare or missing in the training of the forecaster in use"
            yield Finding("retrain" if is_much else "ok", f"{cells} {fact}")


def name_series(names: Iterable[str]) -> str:
    """Return a series by its name, or the number of several ones with some of their names."""
    listed = list(names)
    some = list_some(listed, NAMES_IN_REASON)
    return f"series {some}" if len(listed) == 1 else f"{len(listed):,} series ({some})"
