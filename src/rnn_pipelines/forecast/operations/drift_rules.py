"""The rules on drift of series and covariates, and on changes since the training."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TypedDict

from rnn_pipelines.champion.verdict import Finding, Level
from rnn_pipelines.errors import MAX_VALUE, count, make_line
from rnn_pipelines.forecast.evaluation.drift import DriftSpec
from rnn_pipelines.forecast.preparation.reference import Change, Kind
from rnn_pipelines.report.numbers import format_number, format_p_value, list_some

NAMES_IN_REASON = 3
# A level is far outside if it is so many times as large as all levels in training.
FAR = 10
# A retraining learns values below 0. All other changes are probably faults of the source, which a person must judge.
LEVEL_OF_KIND: Mapping[Kind, Level] = {
    "rewritten": "alarm",
    "vanished": "alarm",
    "absent": "alarm",
    "lost": "alarm",
    "ended": "alarm",
    "stuck": "alarm",
    "negative": "retrain",
}


class CovariateDriftRow(TypedDict):
    """A row of `CovariateDriftTable`."""

    covariate: str
    num_values: int
    num_series: int
    num_drifted: int
    distance: float | None
    p_value: float | None
    num_unknown: int
    usual_fraction: float


def check_levels(
    levels: Mapping[str, tuple[float, float, float]], num_series: int, drift: DriftSpec
) -> Iterator[Finding]:
    """Yield a finding on levels outside the training range, because a trend does the same; far outside, an alarm."""
    if not levels:
        return
    far = {name: found for name, found in levels.items() if abs(found[0]) > FAR * max(map(abs, found[1:])) > 0}
    is_grave = len(far) > drift.max_drifted_fraction * num_series
    levels = far if is_grave else levels
    name, (level, lowest, highest) = next(iter(levels.items()))
    own = f"{format_number(level)}, in training {format_number(lowest)} to {format_number(highest)}"
    which = f" of {make_line(name, MAX_VALUE)}" if len(levels) > 1 else ""
    where = f"more than {FAR:g} times as far as" if is_grave else "outside its range in"
    yield Finding(
        "alarm" if is_grave else "ok",
        f"look at {list_series(levels)}: the mean of the newest {drift.num_steps} values lies {where} the training "
        f"data ({own}{which})",
    )


def check_changes(changes: Mapping[str, Change], num_series: int, drift: DriftSpec) -> Iterator[Finding]:
    """Yield a finding on each kind of change since the training; a few series of many are a line to look at."""
    for kind in dict.fromkeys(change.kind for change in changes.values()):
        names = [name for name, change in changes.items() if change.kind == kind]
        level = LEVEL_OF_KIND[kind] if len(names) > drift.max_drifted_fraction * num_series else "ok"
        which = f" (of {make_line(names[0], MAX_VALUE)})" if len(names) > 1 else ""
        yield Finding(level, f"look at {list_series(names)}: {changes[names[0]].detail}{which}")


def check_drift(
    distances: Mapping[str, tuple[float, float] | None], has_champion: bool, drift: DriftSpec
) -> Iterator[Finding]:
    """Yield findings on the drift of series."""
    compared = {name: found for name, found in distances.items() if found is not None}
    faulty = [name for name, found in compared.items() if not all(map(math.isfinite, found))]
    if faulty:
        yield Finding("alarm", f"the drift of {list_series(faulty)} is not a finite number")
        return
    if has_champion and not compared:
        yield Finding("ok", "too few newest values for a test of drift")
        return
    drifted = list_drifted(compared, drift)
    if compared and len(drifted) > drift.max_drifted_fraction * len(compared):
        worst = max(drifted, key=lambda name: compared[name][0])
        distance, p_value = compared[worst]
        yield Finding(
            "retrain",
            f"the newest values of {list_series(drifted)} have drifted "
            f"(distance {distance:.2f}, {format_p_value(p_value)})",
        )
    elif compared:
        num_silent = len(distances) - len(compared)
        counted = f"{len(drifted)} of {len(compared)} series have drifted"
        yield Finding("ok", counted + (f"; {num_silent} have too few values to compare" if num_silent else ""))


def list_drifted(distances: Mapping[str, tuple[float, float]], drift: DriftSpec) -> list[str]:
    """Return the names of the series that have drifted, by their distances and p-values."""
    return [
        name
        for name, (distance, p_value) in distances.items()
        if distance >= drift.min_distance and p_value <= drift.significance
    ]


def check_covariates(covariates: Iterable[CovariateDriftRow], max_fraction: float) -> Iterator[Finding]:
    """Yield findings on covariates, never an alarm: unusual values do not prove that forecasts are worse."""
    rows = list(covariates)
    compared = [row for row in rows if row["num_series"]]
    drifted = [row for row in compared if row["num_drifted"] > max_fraction * row["num_series"]]
    if compared and not drifted:
        yield Finding("ok", f"no drift in {count(len(compared), 'covariate')}")
    for row in rows:
        name = make_line(row["covariate"], MAX_VALUE)
        if row in drifted and row["distance"] is not None and row["p_value"] is not None:
            yield Finding(
                "retrain",
                f"the newest values of the covariate {name} have drifted in {row['num_drifted']} of "
                f"{row['num_series']} series (distance {row['distance']:.2f}, {format_p_value(row['p_value'])})",
            )
        if row["num_unknown"]:
            is_much = row["num_unknown"] / row["num_values"] - row["usual_fraction"] > max_fraction
            yield Finding(
                "retrain" if is_much else "ok",
                f"{row['num_unknown']} of the {row['num_values']} newest values of the covariate {name} "
                "are rare or missing in the training of the forecaster in use",
            )


def list_series(names: Iterable[str]) -> str:
    """Return a series by its name, or the number of several ones with some of their names."""
    listed = list(names)
    if len(listed) == 1:
        return f"series {list_some(listed, 1)}"
    return f"{len(listed):,} series ({list_some(listed, NAMES_IN_REASON)})"
