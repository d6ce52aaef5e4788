"""Series across changes of the clocks, in zones from the whole world: read as they happened, or refused.

Each trial makes a series around one change by arithmetic in UTC alone, writes it as a user has it, and reads it. The
default number of trials is small; `RNN_ZONE_TRIALS=all` goes through all zones and their changes.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

TRIALS = os.environ.get("RNN_ZONE_TRIALS", "60")
# Shifts of half an hour and of two hours, a day that was skipped, winter time that counts as summer time, changes at
# midnight, and others that are unlike the rest.
ODD_ZONES = (
    "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca", "America/St_Johns", "Asia/Tehran", "Pacific/Apia",
    "Europe/Dublin", "America/Havana", "America/Santiago", "Asia/Beirut", "America/Caracas", "Asia/Pyongyang",
)  # fmt: skip
STEPS = {
    name: pd.Timedelta(name).to_pytimedelta()
    for name in ("30min", "1h", "2h", "3h", "6h", "12h", "1D")
}
# instants: equally spaced in UTC. walls: equally spaced on the clock at the wall, each time once.
FORMS = (
    "instants, without a zone",
    "instants, with a zone",
    "walls, without a zone",
    "walls, with a zone",
)
NUM_STEPS = 14


class Trial(NamedTuple):
    """One series.

    Attributes:
        instants: in UTC, in the order of time, of the rows that there are.
        lacking: those of rows that were left out.
    """

    zone: str
    step: str
    form: str
    instants: list[datetime]
    lacking: list[datetime]
    is_reversed: bool


def list_changes(zone: str) -> list[datetime]:
    """The instants in UTC at which the offset of a zone changes, from 2000 on, to the minute."""
    info = ZoneInfo(zone)
    days = [datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(0, 365 * 26, 3)]
    return [
        find_change(info, one, other)
        for one, other in pairwise(days)
        if one.astimezone(info).utcoffset() != other.astimezone(info).utcoffset()
    ]


def find_change(info: ZoneInfo, begin: datetime, end: datetime) -> datetime:
    """By halves, until a minute is left."""
    before = begin.astimezone(info).utcoffset()
    low = 0
    high = int((end - begin).total_seconds() // 60)
    while high - low > 1:
        middle = (low + high) // 2
        if (begin + timedelta(minutes=middle)).astimezone(info).utcoffset() == before:
            low = middle
        else:
            high = middle
    return begin + timedelta(minutes=high)


def make_instants(zone: str, change: datetime, step: timedelta, form: str) -> list[datetime]:
    """Instants around a change; those of walls leave out what the clock passes over, and have the first of two."""
    info = ZoneInfo(zone)
    wall = (change - step * NUM_STEPS).astimezone(info).replace(tzinfo=None)
    first = datetime(
        wall.year, wall.month, wall.day, 0 if step >= timedelta(hours=2) else wall.hour
    )
    if form.startswith("instants"):
        begin = first.replace(tzinfo=info).astimezone(UTC)
        return [begin + step * number for number in range(2 * NUM_STEPS)]
    walls = [first + step * number for number in range(2 * NUM_STEPS)]
    instants = [wall.replace(tzinfo=info).astimezone(UTC) for wall in walls]
    # A time that does not exist comes back from UTC as another one.
    return [
        instant
        for wall, instant in zip(walls, instants, strict=True)
        if instant.astimezone(info).replace(tzinfo=None) == wall
    ]


def make_trial(zone: str, step: str, form: str, change: datetime, seed: int) -> Trial:
    chance = random.Random(f"{zone} {step} {form} {change} {seed}")
    instants = make_instants(zone, change, STEPS[step], form)
    lacking = []
    if seed:
        near = [
            n for n, instant in enumerate(instants) if abs(instant - change) <= timedelta(hours=4)
        ]
        lacking = [instants.pop(chance.choice(near or [len(instants) // 2]))]
    return Trial(zone, step, form, instants, lacking, chance.random() < 0.5)


def list_trials() -> Iterator[Trial]:
    chance = random.Random(0)
    zones = sorted(available_timezones() - {"localtime", "Factory"})
    if TRIALS != "all":
        zones = [*ODD_ZONES, *chance.sample(zones, min(len(zones), max(1, int(TRIALS) // 10)))]
    trials = [
        (zone, step, form, change, seed)
        for zone in zones
        for change in choose_changes(zone, chance)
        for step, form, seed in product(STEPS, FORMS, (0, 1))
    ]
    if TRIALS != "all":
        trials = chance.sample(trials, min(len(trials), int(TRIALS)))
    yield from (make_trial(*trial) for trial in trials)


def choose_changes(zone: str, chance: random.Random) -> list[datetime]:
    """A few changes of a zone, more of an odd one."""
    changes = list_changes(zone)
    return chance.sample(changes, min(len(changes), 4 if zone in ODD_ZONES else 2))


def write(trial: Trial) -> tuple[SourceSpec, pd.DataFrame]:
    """The series as a table, whose value is the number of the row in time."""
    times = pd.DatetimeIndex(trial.instants).tz_convert(trial.zone)
    is_zoned = trial.form.endswith("with a zone")
    table = pd.DataFrame(
        {
            "ds": times if is_zoned else times.tz_localize(None),
            "y": np.arange(len(times), dtype=float),
        }
    )
    source = SourceSpec(name="catalog", tz=None if is_zoned else trial.zone)
    return source, table[::-1].reset_index(drop=True) if trial.is_reversed else table


def list_readings(trial: Trial) -> list[list[datetime]]:
    """All instants that the rows can stand for: in the order of time, each local time at one of its two instants.

    Of readings that lie on the grid of the step there are others only if none does.
    """
    info = ZoneInfo(trial.zone)
    found: list[list[datetime]] = [[]]
    for instant in trial.instants:
        wall = instant.astimezone(info).replace(tzinfo=None)
        options = sorted({wall.replace(tzinfo=info, fold=fold).astimezone(UTC) for fold in (0, 1)})
        found = [
            [*one, option] for one in found for option in options if not one or option > one[-1]
        ]
    step = STEPS[trial.step]
    on_grid = [
        one for one in found if all((b - a) % step == timedelta(0) for a, b in pairwise(one))
    ]
    return on_grid or found


def judge(trial: Trial) -> str:
    """What became of a series: `utc`, `local` or `refused`.

    Raises:
        AssertionError: a value lies at another time than it had, or a step is missing that was there.
    """
    source, table = write(trial)
    try:
        read = read_source(source, table)
        series, profile = repair_series(
            read, source.model_copy(update={"freq": trial.step}), GapPolicy("split")
        )
    except SeriesError:
        return "refused"
    observed = series[series["observed"]].sort_values("y")
    assert observed["y"].tolist() == list(range(len(trial.instants)))
    step = STEPS[trial.step]
    times = observed["ds"].dt.to_pydatetime().tolist()
    num_missing = int((~series["observed"]).sum())
    if profile["tz"] is not None:
        found = [pd.Timestamp(time).to_pydatetime().replace(tzinfo=UTC) for time in observed["ds"]]
        readings = [trial.instants] if trial.form.endswith("with a zone") else list_readings(trial)
        assert found in readings
        assert num_missing == (found[-1] - found[0]) // step + 1 - len(found)
        return "utc"
    info = ZoneInfo(trial.zone)
    walls = [instant.astimezone(info).replace(tzinfo=None) for instant in trial.instants]
    differences = [
        abs(pd.Timestamp(wall) - time) for wall, time in zip(walls, observed["ds"], strict=True)
    ]
    # A day whose midnight is passed over begins later.
    assert all(
        not difference or is_first_of_day(wall, info)
        for wall, difference in zip(walls, differences, strict=True)
    )
    between = list(series.loc[~series["observed"], "ds"])
    lacking = {instant.astimezone(info).replace(tzinfo=None) for instant in trial.lacking}
    assert all(time.to_pydatetime() in lacking or is_passed_over(time, info) for time in between), (
        times
    )
    return "local"


def is_passed_over(wall: pd.Timestamp, info: ZoneInfo) -> bool:
    time = wall.to_pydatetime()
    return time.replace(tzinfo=info).astimezone(UTC).astimezone(info).replace(tzinfo=None) != time


def is_first_of_day(wall: datetime, info: ZoneInfo) -> bool:
    return is_passed_over(pd.Timestamp(wall.date()), info)


def test_series_across_a_change_are_read_as_they_happened_or_refused() -> None:
    wrong = []
    outcomes = []
    for trial in list_trials():
        try:
            outcomes.append((trial, judge(trial)))
        except AssertionError as error:
            wrong.append(
                (
                    trial.zone,
                    trial.step,
                    trial.form,
                    str(trial.instants[0]),
                    str(trial.lacking),
                    trial.is_reversed,
                    str(error)[:200],
                )
            )
    assert wrong == []
