"""Simulates years of nights of one seed, and prints the shortest history that fails; run by `make simulate`.

A history is the list of all that goes wrong, by its night. The same seed gives the same history and the same verdict.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import filelock
import pandas as pd

import oracle
import people
from chain_of_log import read_log
from machine import Killed, Machine, install
from place import COMMANDS, Place, prepare, promote_challenger
from world import DELIVERIES, LASTING, NIGHTS_PER_YEAR, World

# A simulated disk in memory, if there is one.
SHM = Path("/dev/shm")
# Nights without anything, before the first event and after each.
NUM_CALM = 3
# Nights after which a person has ended an alarm that a person has caused.
NUM_REMEDY = 3
NUM_AFTER_REMEDY = 6
# Nights between two retrainings, and two audits.
RETRAINING, AUDIT = 4, 3
# Nights between two backups.
BACKUP = 8
ANY, CALM, ALARM = frozenset({0, 10, 20}), frozenset({0, 10}), frozenset({20})
KILLED = 137
# The right exit codes of the check on the night of a fault; those of the next nights can be any.
DESERVED: dict[str, frozenset[int]] = {
    "late": CALM,
    "thousandfold value": ALARM,
    "other unit": ALARM,
    "negative value": ALARM,
    "withdrawn": ALARM,
    "other zone": ALARM,
    "empty": ALARM,
    "other names": ALARM,
    "other column": ALARM,
    "delivered twice": CALM,
    "shuffled": CALM,
    "revised": CALM,
    "gap": CALM,
    "file of others": CALM,
    "other file": CALM,
    "other level": CALM,
    "prune": CALM,
    "again": CALM,
}
# Faults of the machine, at a call that the number gives.
MACHINE = ("kill", "full disk", "clock", "asleep", "two schedulers", "again")
# Faults whose alarm stays until a person acts.
NEED_REMEDY = (
    *("dying series", "new series", "deleted log", "restored log", "restored backup"),
    *("rollback", "promote", "other horizon", "other covariate", "clock"),
)


@dataclass(frozen=True, order=True)
class Event:
    """Something that goes wrong on a night; the number is drawn for whatever has a place or a size."""

    night: int
    kind: str
    number: int = 0


def draw(seed: int, num_nights: int) -> list[Event]:
    """Draw the events of a history."""
    source = random.Random(seed)
    kinds = [*DELIVERIES, *LASTING, *MACHINE * 2, *people.DEEDS]
    events = []
    night = NUM_CALM
    while (night := night + source.randint(1, NUM_CALM + 2)) < num_nights:
        events.append(Event(night, source.choice(kinds), source.randrange(1 << 16)))
    return events


@dataclass
class History:
    """A history that goes on.

    Attributes:
        night: the next one.
        calm_at: the night from which the check has no reason for an alarm.
        remedy_at: the night on which a person ends an alarm.
        is_lost: whether the log has lost rows that the stamp beside the champion counts.
    """

    place: Place
    world: World
    events: Sequence[Event]
    night: int = 0
    calm_at: int = 0
    remedy_at: int | None = None
    is_lost: bool = False
    log: pd.DataFrame = field(default_factory=pd.DataFrame)

    def go_on(self) -> list[str]:
        """Run the next night, or two if a process sleeps through one; return what is wrong."""
        place = self.place
        tonight = [event for event in self.events if event.night == self.night]
        kinds = [event.kind for event in tonight]
        place.messages.clear()
        self._act(tonight)
        before = read_log(place.data)
        first = self.night
        faults = [event for event in tonight if event.kind in MACHINE]
        codes, newest = self._run(faults)
        deserved = (
            frozenset.intersection(*(DESERVED.get(kind, ANY) for kind in kinds)) if kinds else CALM
        )
        if deserved != ALARM and first < self.calm_at:
            deserved = ANY
        if kinds:
            self.calm_at = max(self.calm_at, self.night + NUM_CALM)
        if set(kinds) & set(NEED_REMEDY):
            self.remedy_at = self.night + NUM_REMEDY
            self.calm_at = self.remedy_at + NUM_AFTER_REMEDY
        audit = 30 if self.is_lost else 0
        # What a killed process has left is removed by the next one that writes there.
        is_whole = (
            not faults
            and "late" not in kinds
            and all(codes.get(name) in (0, 20) for name in ("retrain", "predict", "monitor"))
        )
        report = oracle.Night(newest, codes, deserved, audit, is_whole, place.foreign)
        return list(oracle.judge(place.data, before, report))

    def _act(self, events: Sequence[Event]) -> None:
        """Let people do what they do before a night."""
        place = self.place
        if self.night % BACKUP == NUM_CALM:
            people.back_up(place, 0)
        if self.remedy_at is not None and self.night >= self.remedy_at:
            self.remedy_at = None
            people.begin_another_log(place)
            self.is_lost = False
            process = place.open()
            place.attempt(lambda: promote_challenger(process))
        for event in events:
            if event.kind in LASTING:
                self.world.lasting.append((event.kind, self.world.find_day(self.night)))
            if event.kind in people.DEEDS:
                before = read_log(place.data)
                people.DEEDS[event.kind](place, event.number)
                is_shorter = len(read_log(place.data)) < len(before)
                # A whole backup has the stamp of its own log.
                self.is_lost = event.kind != "restored backup" and (self.is_lost or is_shorter)

    def _run(
        self, faults: Sequence[Event], number: int = 0
    ) -> tuple[dict[str, int], dict[str, set[pd.Timestamp]]]:
        """Run the commands of the next night; return their exit codes, and the newest days that they can read."""
        place = self.place
        machine = place.machine
        night = self.night
        self.night += 1
        own = [event.kind for event in self.events if event.night == night]
        table = self.world.deliver(night, tuple(kind for kind in own if kind in DELIVERIES))
        table.to_csv(place.table, index=False)
        newest = find_newest(table)
        now = self.world.find_day(night + 1) + timedelta(hours=3)
        machine.now = now.tz_localize("UTC").to_pydatetime()
        codes = {}
        for name in COMMANDS:
            if (name == "retrain" and night % RETRAINING) or (name == "audit" and night % AUDIT):
                continue
            fault = next((event for event in faults if is_at(event, name)), None)
            codes[name] = self._call(name, number, fault, newest)
        return codes, newest

    def _call(
        self, name: str, number: int, fault: Event | None, newest: dict[str, set[pd.Timestamp]]
    ) -> int:
        """Run a command, with a fault of the machine."""
        place, machine = self.place, self.place.machine
        process = place.open(number)

        def work() -> int:
            return place.attempt(lambda: COMMANDS[name](process))

        if fault is None:
            return work()
        call = 1 + fault.number % 97
        if fault.kind == "clock":
            machine.now += timedelta(days=fault.number % 1500 - 500)
            return work()
        if fault.kind == "again":
            work()
            return work()

        def run_other() -> None:
            if fault.kind == "two schedulers":
                other = place.open(1)
                run_beside(lambda: place.attempt(lambda: COMMANDS[name](other)))
                return

            def sleep() -> None:
                for shop, days in self._run([], 1)[1].items():
                    newest.setdefault(shop, set()).update(days)

            run_beside(sleep)

        machine.act = run_other
        kind = {"kill": "kill", "full disk": "full"}.get(fault.kind, "call")
        try:
            with machine.fail_at(kind, call):
                return work()
        except Killed:
            return KILLED


def is_at(event: Event, name: str) -> bool:
    """Whether a fault of the machine is at a command; the clock of the whole night is that of its first one."""
    places = ("retrain", "predict", "monitor", "predict")
    return places[event.number // 97 % 4] == name


def run_beside(work: Callable[[], object]) -> None:
    """Do work in another process, while this one sleeps, so that the other waits for a lock in vain."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    acquire = filelock.FileLock.acquire

    def acquire_at_once(
        lock: filelock.FileLock, timeout: float | None = None, **options: object
    ) -> object:
        return acquire(lock, timeout=0)

    with patch.object(filelock.FileLock, "acquire", acquire_at_once):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    if errors:
        raise errors[0]


def find_newest(table: pd.DataFrame) -> dict[str, set[pd.Timestamp]]:
    """Return the newest day of each series, as it is written."""
    if "shop" not in table:
        return {}
    days = pd.to_datetime(table["day"].astype(str).str.slice(0, 19))
    return {str(shop): {day} for shop, day in days.groupby(table["shop"]).max().items()}


def run_history(
    place: Place, seed: int, events: Sequence[Event], num_nights: int, freq: str
) -> tuple[int, str] | None:
    """Run the nights of a history; return the first night with something wrong, and what it is."""
    place.clear(freq)
    place.foreign = people.list_foreign(place.data)
    place.machine.restart(seed)
    history = History(place, World(seed, freq), events)
    while history.night < num_nights:
        try:
            problems = history.go_on()
        except Exception as error:  # a bug of the program, whatever it is
            problems = [f"{type(error).__name__}: {error}"]
        if problems:
            return history.night, f"night {history.night - 1}: {problems} {place.describe()}"
    return None


def shrink(events: Sequence[Event], fails: Callable[[Sequence[Event]], bool]) -> list[Event]:
    """Return the shortest list of events that still fails, by leaving out parts of it, the largest ones first."""
    left = list(events)
    size = len(left)
    while size := size // 2 if size > 1 else 0:
        begin = 0
        while begin < len(left):
            tried = left[:begin] + left[begin + size :]
            if fails(tried):
                left = tried
            else:
                begin += size
    return left


def main() -> None:
    """Simulate, and print the history of the first failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--nights", type=int, help="in place of years")
    parser.add_argument(
        "--event", action="append", help="NIGHT:KIND:NUMBER, in place of the events of the seed"
    )
    parser.add_argument("--freq", choices=list(NIGHTS_PER_YEAR), default="MS")
    options = parser.parse_args()
    freq = options.freq
    num_nights = options.nights or options.years * NIGHTS_PER_YEAR[freq]
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        machine = Machine(folder)
        place = prepare(Path(folder), machine)
        install(machine)
        started = time.process_time()
        events = draw(options.seed, num_nights)
        if options.event:
            parts = [event.split(":") for event in options.event]
            events = [Event(int(night), kind, int(number)) for night, kind, number in parts]
        failure = run_history(place, options.seed, events, num_nights, freq)
        seconds = time.process_time() - started
        num_years = num_nights / NIGHTS_PER_YEAR[freq]
        text = f"{num_nights} nights, {num_years:.1f} years, {seconds:.1f} s"
        print(f"seed {options.seed}: {text}", flush=True)
        if failure is not None:
            night, problem = failure
            print(problem, flush=True)
            early = [event for event in events if event.night < night]
            shortest = shrink(
                early, lambda some: run_history(place, options.seed, some, night, freq) is not None
            )
            print("the shortest history that fails:", *shortest, sep="\n")
            sys.exit(1)


if __name__ == "__main__":
    main()
