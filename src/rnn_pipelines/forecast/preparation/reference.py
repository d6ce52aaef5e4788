"""The reference of a champion: statistics of the values that it has learnt, and changes since then.

They are kept in the champion, because today's table may have another history: a source can be revised, cut short, or
change its unit in all rows at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd

from rnn_pipelines.errors import show
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.times.grid import count_steps_between
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.storage.tables import Column, Table

# Length of the windows whose levels are kept: the default of `monitor_forecast.drift.num_steps`.
LEVEL_STEPS = 30
# With fewer windows' worth of training steps, the range of their levels says little.
MIN_WINDOWS = 4
# Smallest share of observed values in a window that is compared.
MIN_OBSERVED_FRACTION = 0.5
# Largest share of the values that a source may lose.
MAX_LOST_FRACTION = 0.1
# Smallest share of the learnt values that must be left for a comparison of their mean and deviation.
MIN_KEPT_FRACTION = 0.5
# A mean may move by one deviation, and a deviation by this factor, before a history counts as another one.
MAX_DEVIATION_RATIO = 3.0
# A deviation counts as this share of the mean at least, because values at a high level may all move by a little.
MIN_VARIATION = 0.1
MAX_ZERO_SHARE_CHANGE = 0.25
# Shortest stretch of equal values that can be a fault, and its smallest multiple of the longest stretch in training.
MIN_STUCK, STUCK_RATIO = 10, 2
# Smallest share of the newest steps with values below 0, if there were none in training.
MIN_NEGATIVE_FRACTION = 0.1

# Largest share of the series whose history may change before the source counts as another one.
MAX_CHANGED_FRACTION = 0.1

Kind = Literal[
    "rewritten", "vanished", "newer", "shifted", "absent", "stuck", "negative", "ended", "lost"
]


class ReferenceTable(Table):
    """Statistics of the observed values of each series, up to its `last` time at the training.

    `mean` and `deviation` (population), `lowest`, `highest` and the share of zeros are those of all `num_values`.
    `longest_run` is the largest number of equal values in a row. `late_steps` is the number of steps from `last` to the
    newest time of all series. `lowest_level` and `highest_level` are those of the means of all windows of `LEVEL_STEPS`
    steps in the parts for training and validation; they are missing if the series is too short.
    """

    key = ("unique_id",)
    unique_id = Column("text")
    num_values = Column("int")
    last = Column("moment")
    mean = Column("float")
    deviation = Column("float")
    lowest = Column("float")
    highest = Column("float")
    zero_share = Column("float")
    longest_run = Column("int")
    late_steps = Column("int")
    lowest_level = Column("float", can_be_empty=True)
    highest_level = Column("float", can_be_empty=True)


Reference = Annotated[pd.DataFrame, ReferenceTable]


@dataclass(frozen=True)
class Change:
    """A change of a series since the training of the champion."""

    # `rewritten` if the learnt history has other values now; `vanished` if values are gone, `absent` if all of them
    # are, and `lost` if forecasts were made from later ones; `newer` if all values are later than the learnt ones, and
    # `shifted` if their times lie between those; `stuck` if the newest values are all equal; `negative` if they are
    # below 0 for the first time; `ended` if other series go on.
    kind: Kind
    detail: str  # the numbers, in words


def measure_reference(
    series: Series, trained_until: Mapping[str, Any], freq: int | str
) -> Reference:
    """Return the statistics of the series that a champion has learnt, up to the day of the training.

    `trained_until` is the last time of each series that was used for training or validation.
    """
    late = _count_late_steps(series, freq)
    rows = []
    for name, values, times in iterate_series(series):
        num_learnt = int((times <= trained_until[name]).sum())
        lowest, highest = find_level_range(values[:num_learnt], LEVEL_STEPS)
        levels = {"late_steps": late[name], "lowest_level": lowest, "highest_level": highest}
        rows.append({"unique_id": name, "last": times.iloc[-1], **_describe(values), **levels})
    types = ReferenceTable.make_empty().dtypes.to_dict() | {"last": series["ds"].dtype}
    return pd.DataFrame(rows, columns=list(ReferenceTable.columns)).astype(types)


def _count_late_steps(series: Series, freq: int | str) -> dict[str, int]:
    """Return the number of steps from the end of each series to the newest time of all."""
    ends = series.groupby("unique_id", sort=False)["ds"].max()
    steps, _ = count_steps_between(
        ends.to_numpy(), np.repeat(ends.max(), len(ends)).astype(ends.dtype), freq
    )
    return dict(zip(ends.index, steps.tolist(), strict=True))


def iterate_series(series: Series) -> Iterator[tuple[str, np.ndarray, pd.Series]]:
    """Yield the name, the values with NaN for those that were not observed, and the times of each series."""
    for name, group in series.groupby("unique_id", sort=False):
        yield str(name), group["y"].where(group["observed"]).to_numpy(), group["ds"]


def find_level_range(values: np.ndarray, num_steps: int) -> tuple[float, float]:
    """Return the lowest and highest mean of all windows of values, NaN if not observed; NaN if there are too few."""
    if len(values) < MIN_WINDOWS * num_steps:
        return float("nan"), float("nan")
    is_known = np.isfinite(values)
    # Running sums of small numbers lose no digits.
    center = float(values[is_known].mean()) if is_known.any() else float("nan")
    sums, counts = (
        np.cumsum(np.append(0, column))
        for column in (np.where(is_known, values - center, 0.0), is_known)
    )
    num_known = counts[num_steps:] - counts[:-num_steps]
    is_enough = num_known >= max(1, MIN_OBSERVED_FRACTION * num_steps)
    means = center + (sums[num_steps:] - sums[:-num_steps])[is_enough] / num_known[is_enough]
    return (float(means.min()), float(means.max())) if len(means) else (float("nan"), float("nan"))


def _describe(values: np.ndarray) -> dict[str, Any]:
    values = values[np.isfinite(values)]
    return {
        "num_values": len(values),
        "mean": float(values.mean()),
        "deviation": float(values.std()),
        "lowest": float(values.min()),
        "highest": float(values.max()),
        "zero_share": float((values == 0).mean()),
        "longest_run": int(_measure_runs(values).max()),
    }


def _measure_runs(values: np.ndarray) -> np.ndarray:
    """Return the lengths of all stretches of equal values, in order."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return np.diff(np.append(starts, len(values)))


def find_changes(
    series: Series, reference: Reference, num_steps: int, is_cut: bool = False
) -> dict[str, Change]:
    """Return the changes of today's series since the training; the first kind that applies, in the order below.

    `num_steps` are the newest steps of a series. If later values may be left out on purpose, `is_cut`, a series that
    ends before `last` is not compared.
    """
    today = {name: (values, times) for name, values, times in iterate_series(series)}
    found: dict[str, Change | None] = {}
    for row in reference.itertuples():
        name = str(row.unique_id)
        if name not in today:
            found[name] = Change(
                "absent", f"it has no values, and had {row.num_values:,} in training"
            )
        elif not is_cut or today[name][1].iloc[-1] >= row.last:
            found[name] = _find_change(*today[name], row, num_steps)
    return {name: change for name, change in found.items() if change is not None}


def find_ended(
    series: Series, reference: Reference, freq: int | str, horizon: int
) -> dict[str, Change]:
    """Return the series that have ended since the training, while others went on for more than the horizon.

    It is that of the champion, whose forecasts of such a series all lie in the past.
    """
    late = _count_late_steps(series, freq)
    before = reference.set_index("unique_id")["late_steps"]
    return {
        name: Change("ended", f"it has ended: other series have values at {steps:,} later steps")
        for name, steps in late.items()
        if name in before.index and steps > horizon >= before[name]
    }


def describe_new_history(series: Series, reference: Reference) -> str | None:
    """Return the change of the learnt history in words; None if it concerns at most a tenth of the common series."""
    changes = find_changes(series, reference, LEVEL_STEPS)
    rewritten = [
        name
        for name, change in changes.items()
        if change.kind in ("rewritten", "vanished", "shifted")
    ]
    num_shared = len(reference) - sum(change.kind == "absent" for change in changes.values())
    if len(rewritten) <= MAX_CHANGED_FRACTION * num_shared:
        return None
    first = rewritten[0]
    return (
        f"the history of {len(rewritten):,} of {num_shared:,} series has changed since its training (series "
        f"{show(first)}: {changes[first].detail})"
    )


def _find_change(values: np.ndarray, times: pd.Series, row: Any, num_steps: int) -> Change | None:
    num_values = int(np.isfinite(values).sum())
    if num_values < (1 - MAX_LOST_FRACTION) * row.num_values:
        return Change(
            "vanished", f"it has {num_values:,} values, and had {row.num_values:,} in training"
        )
    if change := _find_other_times(times, row):
        return change
    learnt = values[(times <= row.last).to_numpy()]
    if np.isfinite(learnt).sum() >= MIN_KEPT_FRACTION * row.num_values and (
        change := _compare(learnt, row)
    ):
        return change
    newest = values[-num_steps:]
    run = int(_measure_runs(values[np.isfinite(values)])[-1])
    if run >= MIN_STUCK and run > STUCK_RATIO * row.longest_run:
        same = format_number(values[np.isfinite(values)][-1])
        return Change(
            "stuck",
            f"its last {run:,} values are {same}, and at most {row.longest_run:,} were equal before",
        )
    num_negative = int((newest < 0).sum())
    if row.lowest >= 0 and num_negative >= MIN_NEGATIVE_FRACTION * num_steps:
        found = (
            f"{num_negative} of its newest {num_steps} values are below 0, and none was in training"
        )
        return Change("negative", found)
    return None


def _find_other_times(times: pd.Series, row: Any) -> Change | None:
    """Return the change of equally spaced times without any that was learnt."""
    first = times.iloc[0]
    last = row.last
    if first > last:
        span = f"it begins at {format_time(first)}, and the training ended at {format_time(last)}"
        return Change("newer", f"none of its learnt values is left: {span}")
    if times.iloc[-1] < last or times.eq(last).any():
        return None
    nearest = times[times <= last].iloc[-1]
    shift = f"it has a value at {format_time(nearest)} instead of {format_time(last)}"
    return Change("shifted", f"none of its times is one of the training: {shift}")


def _compare(values: np.ndarray, row: Any) -> Change | None:
    """Return the change of the learnt history itself; None if it has about the statistics of the training."""
    now = _describe(values)
    before, after = (
        max(one["deviation"], MIN_VARIATION * abs(one["mean"])) for one in (row._asdict(), now)
    )
    for name, is_other in (
        ("mean", abs(now["mean"] - row.mean) > before),
        ("deviation", not before / MAX_DEVIATION_RATIO <= after <= before * MAX_DEVIATION_RATIO),
        ("zero_share", abs(now["zero_share"] - row.zero_share) > MAX_ZERO_SHARE_CHANGE),
    ):
        if is_other:
            words = {"zero_share": "share of zeros"}.get(name, name)
            numbers = f"{format_number(now[name])}, and was {format_number(getattr(row, name))} in training"
            return Change(
                "rewritten", f"the {words} of its values until {format_time(row.last)} is {numbers}"
            )
    return None
