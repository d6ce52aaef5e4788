"""Kills of the real retraining at random moments: what is in use afterwards, and whether the next one succeeds.

    .venv/bin/python benchmarks/kills.py [--kills 30] [--check-every 3] [--seed 0]

Each trial starts `kedro champion retrain forecast` as of another day, in a data root of its own, with small networks
that are really trained, and kills it with SIGKILL. Two of three moments are spread evenly over the whole run, the third
over its promotion, which is short. A moment is so long after a line of the log: on a busy machine too it falls where it
was meant to. After each kill, in this process: the champion is the old one with the same forecasts to the last digit,
or the new one with those on which it was decided; nothing is damaged, no alarm is on record, no lock is held. After
some kills, and the last, the retraining is started anew and has to succeed. At the end the command of
`predict_forecast` runs repeatedly and several times at once. Prints a table in Markdown; ends with 1 if anything broke.
"""

import argparse
import json
import logging
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.history import find_origin, read_history
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.verdict import check_task
from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.errors import ChampionError, LockedError
from rnn_pipelines.forecast.datasets import ForecastLogDataset
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.partitions.champion import forecast_newest
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.source.as_of import AsOfSpec, read_as_of
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.storage.lock import hold_lock

PROJECT = Path(__file__).parents[1]
SOURCE = SourceSpec(name="temperature")
SPLIT = SplitSpec(validation=60, test=60)
WINDOW = WindowSpec(lookback=10, horizon=3, stride=1)
FIRST_DAY = pd.Timestamp("2022-10-31")
KEY = ["unique_id", "cutoff", "ds", "model_version"]
# Small enough for a retraining of some seconds; every challenger that is not worse is promoted.
PARAMETERS = {
    "forecast": {
        "source": {"name": "temperature"},
        "split": {"validation": 60, "test": 60},
        "window": {"lookback": 10, "horizon": 3},
        "lstm": {"units": 4},
        "gru": {"units": 4},
        "training": {"max_steps": 600, "patience": 600},
    },
    "retrain_forecast": {"policy": {"must_beat": [], "max_age_days": 1e-9}},
}
START = "start, loading the champion"
PREPARATION = "preparing the data"
PROMOTION = "decide_promotion"
MOMENTS = [
    START,
    PREPARATION,
    "train gru",
    "train lstm",
    "choose_challenger",
    "forecast_holdout",
    PROMOTION,
]


@dataclass(frozen=True)
class Moment:
    """When to kill.

    Attributes:
        marker: a line of the log, without its time; empty for the start.
        seconds: after it.
    """

    marker: str
    seconds: float


@dataclass
class Trial:
    """One kill, and what it left.

    Attributes:
        node: the last one that was running.
        seconds: from the start to the kill.
        found: `old` or `new` for the champion afterwards, whole, else what is wrong.
        is_recorded: whether the killed retraining is in the history.
        next_one: `""` where no retraining was run to its end afterwards, else `ok` or what is wrong.
        goes_on: whether that one took up an interrupted training.
        problems: all else that is wrong.
    """

    node: str
    seconds: float
    found: str = ""
    is_recorded: bool = False
    next_one: str = ""
    goes_on: bool = False
    problems: list[str] = field(default_factory=list)


class Place:
    """Settings and data of the trials.

    Args:
        folder: of both.
    """

    def __init__(self, folder: Path) -> None:
        self.environment = folder / "conf"
        self.data = folder / "data"
        self.environment.mkdir()
        (self.environment / "globals.yml").write_text(f"data_root: {self.data}\n")
        for name, block in PARAMETERS.items():
            (self.environment / f"parameters_{name}.yml").write_text(json.dumps({name: block}))
        self.champion = self.data / "06_models/champion/forecast"
        self.holdout = self.data / "06_models/retrain_forecast/holdout.parquet"
        self.verdict = self.data / "08_reporting/monitor_forecast/verdict.json"
        self.log = ForecastLogDataset(
            filepath=str(self.data / "07_model_output/predict_forecast/forecasts.parquet")
        )

    def load(self) -> LoadedChampion:
        """The champion, read anew."""
        champion = ChampionDataset(path=str(self.champion), task="forecast").load()
        if champion is None:
            raise ChampionError("no champion is whole.")
        return champion


class Retraining:
    """A running `kedro champion retrain forecast`, and the lines of its log with the seconds since its start.

    Args:
        place: its settings and data.
        day: up to which data counts.
    """

    def __init__(self, place: Place, day: pd.Timestamp) -> None:
        self.started = time.monotonic()
        self.lines = [(0.0, "")]
        self._changed = threading.Condition()
        self._is_open = True
        command = [
            "champion",
            "retrain",
            "forecast",
            "--force",
            f"--as-of={day.date()}",
            f"--env={place.environment}",
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kedro", *command],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # Without time and losses, which differ from run to run.
            plain = re.sub(r"^\d\d:\d\d:\d\d |\{.*", "", line).strip()
            with self._changed:
                self.lines.append((time.monotonic() - self.started, plain))
                self._changed.notify_all()
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    def kill_at(self, moment: Moment) -> bool:
        """Whether it was killed; it may have ended before."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._is_open or any(line == moment.marker for _, line in self.lines)
            )
            since = next((at for at, line in self.lines if line == moment.marker), None)
        if since is not None:
            time.sleep(max(0.0, self.started + since + moment.seconds - time.monotonic()))
        self.process.kill()
        code = self.finish()
        if code > 0:
            raise SystemExit(
                f"a retraining failed before it was killed, with {code}: {self.lines[-1][1]}"
            )
        return code < 0

    def finish(self) -> int:
        """Its exit code."""
        self._reader.join()
        return self.process.wait()

    def find_node(self) -> str:
        """The node that was the last to run, in the words of `MOMENTS`."""
        runs = [line for _, line in self.lines]
        runs = runs[
            next((at for at, line in enumerate(runs) if "Kedro project" in line), len(runs)) :
        ]
        nodes = [line for line in runs if "Running node: " in line]
        if not nodes:
            return START
        name = nodes[-1].partition("Running node: ")[2].partition(":")[0]
        if name == "train_network":
            return "train gru" if "retrain_forecast_gru_network" in nodes[-1] else "train lstm"
        return name if name in MOMENTS else PREPARATION


def list_moments(
    done: Retraining, seconds: float, number: int, chance: random.Random
) -> list[Moment]:
    """Two of three spread over the whole run, one over its promotion; in random order.

    Args:
        done: a retraining that ran to its end.
        seconds: that it took.
        number: of moments.
        chance: where within its share of the time each one lies.
    """
    # One that comes twice is known by its first time.
    first = {line: at for at, line in reversed(done.lines) if "Running node" in line or not at}
    markers = sorted((at, line) for line, at in first.items())
    promotion = next(at for at, line in markers if f"Running node: {PROMOTION}" in line)
    promoted = next(at for at, line in done.lines if f"Completed node: {PROMOTION}" in line)
    num_late = number // 3
    num_even = number - num_late
    times = [seconds * (place + chance.random()) / num_even for place in range(num_even)]
    times += [
        promotion + (promoted - promotion) * (place + chance.random()) / num_late
        for place in range(num_late)
    ]
    chance.shuffle(times)
    found = []
    for at in times:
        since, line = max(marker for marker in markers if marker[0] <= at)
        found.append(Moment(line, at - since))
    return found


def forecast(champion: LoadedChampion, day: pd.Timestamp) -> pd.DataFrame:
    """What `predict_forecast` computes as of a day."""
    table, _ = read_as_of(None, SOURCE, AsOfSpec(as_of=str(day.date())))
    return forecast_newest(champion, table, SOURCE, PathsSpec(0))[0]


def predict(place: Place, day: pd.Timestamp) -> pd.DataFrame:
    """The rows that the pipeline `predict_forecast`, run in this process, adds to the log for a day."""
    from kedro.framework.session import KedroSession
    from kedro.runner import SequentialRunner

    parameters = {"predict_forecast": {"as_of": str(day.date())}}
    session = KedroSession.create(
        project_path=PROJECT, env=str(place.environment), runtime_params=parameters
    )
    with session:
        session.run(pipeline_names=["predict_forecast"], runner=SequentialRunner())
    rows = place.log.load()
    return rows[rows["cutoff"] == day]


def is_as_decided(place: Place, champion: LoadedChampion, day: pd.Timestamp) -> bool:
    """Whether it forecasts the holdout as it did when it was judged."""
    from rnn_pipelines.forecast.model.artefact import forecast_cutoffs

    holdout = pd.read_parquet(place.holdout)
    table, _ = read_as_of(None, SOURCE, AsOfSpec(as_of=str(day.date())))
    policies = GapPolicy("interpolate"), BreakPolicy("auto")
    series = prepare_series(table, SOURCE, *policies, SPLIT, WINDOW, EvaluationSpec())[1]
    found = forecast_cutoffs(
        champion.artefact, series, holdout[["unique_id", "cutoff"]].drop_duplicates()
    )
    return found["ds"].tolist() == holdout["ds"].tolist() and np.allclose(
        found["y_hat"], holdout["challenger"], rtol=1e-6, atol=0
    )


def compare(place: Place, before: LoadedChampion, day: pd.Timestamp, known: list[str]) -> str:
    """`old` or `new`, or what is wrong with the champion.

    Args:
        place: where it lies.
        before: the champion before the kill.
        day: of the killed retraining.
        known: versions before it.
    """
    expected = forecast(before, day)["y_hat"].to_numpy()
    champion = place.load()
    rows = predict(place, day)
    if list(champion.alarms) or set(rows["model_version"]) != {champion.version}:
        return f"alarms {champion.alarms}, forecasts by {set(rows['model_version'])}"
    if champion.version == before.version:
        return (
            "old"
            if np.array_equal(rows["y_hat"], expected)
            else "the old one forecasts other values"
        )
    if champion.version in known or not np.array_equal(
        rows["y_hat"], forecast(champion, day)["y_hat"]
    ):
        return f"{champion.version} is not the new one, or forecasts other values"
    return (
        "new"
        if is_as_decided(place, champion, day)
        else "the new one is not the one that was judged"
    )


def list_problems(place: Place) -> Iterator[str]:
    """Whatever is damaged, on alarm, or still locked."""
    store = ChampionDataset(path=str(place.champion), task="forecast").store
    for version in store.list_versions():
        try:
            store.read_version(version)
        except ChampionError as error:
            yield str(error)
    pointer = store.find_pointer()
    if pointer is not None and find_origin(store.list_records(), pointer.version) is None:
        yield "the champion is not on record"
    records = read_history(place.champion)
    if len(records) < len(list((place.champion / "history").glob("*.json"))):
        yield "a record can't be read"
    yield from (
        f"on record: {record['reasons']}" for record in records if record["kind"] == "alarm"
    )
    verdict = check_task(store, place.verdict)
    if verdict.verdict == "alarm":
        yield f"check: {verdict.reasons}"
    for name in ("retrain.lock", "pointer.lock"):
        try:
            with hold_lock(place.champion / name, 0):
                pass
        except LockedError as error:
            yield str(error)


def retrain(place: Place, day: pd.Timestamp) -> tuple[str, Retraining]:
    """Retrains to the end: `ok` or what is wrong."""
    store = ChampionStore(place.champion)
    # With what a kill left out of the history, which the next promotion adds.
    num_records = len(store.list_records())
    running = Retraining(place, day)
    code = running.finish()
    records = store.list_records()[num_records:]
    outcomes = [record.get("outcome") for record in records]
    if code or outcomes not in (["promoted"], ["kept"]):
        return f"exit code {code}, {outcomes}: {running.lines[-1][1]}", running
    is_in_use = place.load().version == records[0]["version"]
    return "ok" if is_in_use is records[0][
        "is_promoted"
    ] else "another champion than on record", running


def try_kill(place: Place, moment: Moment, day: pd.Timestamp) -> Trial | None:
    """One kill and what it left; None where the retraining ended before."""
    before = place.load()
    known = list_versions(place)
    num_records = len(read_history(place.champion))
    running = Retraining(place, day)
    if not running.kill_at(moment):
        return None
    trial = Trial(running.find_node(), time.monotonic() - running.started)
    # First, for whatever holds a lock could let go of it meanwhile.
    trial.problems = list(list_problems(place))
    try:
        trial.found = compare(place, before, day, known)
    except Exception as error:
        trial.found = repr(error)
    trial.is_recorded = len(read_history(place.champion)) > num_records
    return trial


def list_versions(place: Place) -> list[str]:
    """All versions that are complete."""
    return ChampionDataset(path=str(place.champion), task="forecast").store.list_versions()


def predict_together(place: Place, days: list[pd.Timestamp]) -> list[int]:
    """Exit codes of as many processes of `kedro run --pipelines=predict_forecast` at once."""
    command = [
        sys.executable,
        "-m",
        "kedro",
        "run",
        "--pipelines=predict_forecast",
        f"--env={place.environment}",
    ]
    running = [
        subprocess.Popen(
            [*command, f"--params=predict_forecast.as_of={day.date()}"],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"DO_NOT_TRACK": "1"},
        )
        for day in days
    ]
    return [process.wait() for process in running]


def check_log(place: Place, day: pd.Timestamp) -> tuple[bool, str]:
    """Repeated and concurrent predictions, as of days from `day` on: whether nothing is lost or double, and figures."""
    before = place.log.load()
    champion = place.load()
    days = [day + pd.Timedelta(days=number) for number in range(4)]
    # Alone twice; then five at once, two of them for the same day; then all of these days once more.
    rounds = [days[:1], days[:1], [*days, days[1]], days]
    codes = [code for together in rounds for code in predict_together(place, together)]
    expected = pd.concat([before, *(forecast(champion, day) for day in days)], ignore_index=True)
    found = place.log.load()
    joined = expected.merge(found, on=KEY, how="outer", suffixes=("_expected", ""), indicator=True)
    num_failed = sum(code != 0 for code in codes)
    num_lost = int((joined["_merge"] == "left_only").sum())
    num_other = int(
        (joined["y_hat"] != joined["y_hat_expected"])[joined["_merge"] != "left_only"].sum()
    )
    num_double = int(found.duplicated(KEY).sum())
    text = (
        f"{len(codes)} runs of predict_forecast, 5 and 4 of them at once, {num_failed} failed: {len(found)} rows of "
        f"{len(expected)}, {num_lost} lost, {num_double} double, {num_other} with other values"
    )
    return not (num_failed or num_lost or num_double or num_other), text


def print_table(trials: list[Trial]) -> None:
    """A row for each node that was running, in the order of a run."""
    print(
        "\n| killed while | kills | old champion | new champion | broken | next one succeeded | of them went on |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in [*MOMENTS, "all"]:
        chosen = [trial for trial in trials if name in (trial.node, "all")]
        found = Counter(trial.found for trial in chosen)
        checked = [trial for trial in chosen if trial.next_one]
        num_broken = sum(
            trial.found not in ("old", "new") or bool(trial.problems) for trial in chosen
        )
        num_next = sum(trial.next_one == "ok" for trial in checked)
        goes_on = sum(trial.goes_on for trial in checked)
        cells = (
            len(chosen),
            found["old"],
            found["new"],
            num_broken,
            f"{num_next} of {len(checked)}",
            goes_on,
        )
        print(f"| {name} | " + " | ".join(map(str, cells)) + " |")


def run_trials(place: Place, num_kills: int, check_every: int, seed: int) -> list[Trial]:
    """All kills, one after the other; a moment after the run's end is not counted, and tried again a little earlier."""
    day = FIRST_DAY
    problem, _ = retrain(place, day)
    reference = time.monotonic()
    second, done = retrain(place, day + pd.Timedelta(days=1))
    seconds = time.monotonic() - reference
    if (problem, second) != ("ok", "ok"):
        raise SystemExit(f"the first two retrainings: {problem}, {second}")
    print(f"one retraining: {seconds:.1f} s; load {os.getloadavg()[0]:.1f}", flush=True)
    moments = list_moments(done, seconds, num_kills, random.Random(seed))
    trials: list[Trial] = []
    day += pd.Timedelta(days=1)
    while moments:
        moment = moments.pop(0)
        day += pd.Timedelta(days=1)
        trial = try_kill(place, moment, day)
        if trial is None:
            moments.append(Moment(moment.marker, moment.seconds * 0.8))
            continue
        trials.append(trial)
        if not moments or len(trials) % check_every == 0:
            trial.next_one, running = retrain(place, day)
            trial.goes_on = any("goes on after step" in line for _, line in running.lines)
        said = (f"{trial.seconds:.2f} s", trial.node, trial.found, f"on record {trial.is_recorded}")
        print(len(trials), *said, trial.next_one, *trial.problems, sep=", ", flush=True)
    return trials


def main() -> None:
    """Prints each kill, the table, and what became of the log of forecasts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument(
        "--check-every", type=int, default=3, help="kills until a retraining runs to its end"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(PROJECT)
    for name in ("kedro", "kedro_viz", "rnn_pipelines", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        trials = run_trials(place, arguments.kills, arguments.check_every, arguments.seed)
        print_table(trials)
        num_between = sum(trial.found == "new" and not trial.is_recorded for trial in trials)
        print(f"\nmedian moment {median(trial.seconds for trial in trials):.1f} s, from ", end="")
        print(
            f"{min(trial.seconds for trial in trials):.1f} to {max(trial.seconds for trial in trials):.1f} s; ",
            end="",
        )
        print(f"{num_between} between the pointer and its record")
        is_log_whole, text = check_log(place, FIRST_DAY + pd.Timedelta(days=200))
        print(text)
        leftovers = [path.name for path in (place.champion / "versions").glob(".*")]
        print(
            f"unfinished versions left at the end: {len(leftovers)}; load {os.getloadavg()[0]:.1f}"
        )
    is_whole = all(trial.found in ("old", "new") and not trial.problems for trial in trials)
    is_next_done = all(trial.next_one in ("", "ok") for trial in trials)
    sys.exit(0 if is_whole and is_next_done and is_log_whole else 1)


if __name__ == "__main__":
    main()
