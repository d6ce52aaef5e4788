"""Kills, full disks and pairs of real runs of `forecast`: whether what people see is always whole, and of one run.

    .venv/bin/python benchmarks/run_kills.py [--kills 300] [--aimed 20] [--full 100] [--pairs 50] [--seed 0]

Every run is `kedro run --pipelines=forecast` in a process of its own, forked from one that has loaded the libraries,
with parameters that differ: another horizon, so that a mixture is seen. Kills come at random moments of the run, by
SIGKILL, SIGTERM and SIGINT in turn; aimed ones at a random moment of one of the last five nodes, or of showing the
results. A full disk is a limit on what all files of a run may hold: a write fails at a random byte of it. After each:
all files that are seen are those that one run wrote (checksums), metrics, predictions and report name it, and it is the
run before or the one that was ended; the last run that ended well is never lost. A note of a user in a run, one in a
hidden folder and an edited report are never lost, though their runs are old. Prints a table in Markdown; ends with 1 if
anything broke.
"""

import argparse
import builtins
import contextlib
import errno
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from rnn_pipelines.runs.run_store import RunStore, find_damage
from rnn_pipelines.storage.lock import hold_lock

PROJECT = Path(__file__).parents[1]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LAST_NODES = (
    "evaluation.evaluate_forecasts",
    "report.describe_covariates",
    "report.draw_figures",
    "report.render_report",
    "report.summarize_run",
)
PARAMETERS: dict[str, Any] = {
    "lstm": {"units": 2},
    "gru": {"units": 2},
    "training": {"max_steps": 5},
}
OK, DISK_FULL = 0, 3
MINE = b"mine"


class Trials:
    """One data root, and what was found in it.

    Attributes:
        store: of the results.
        problems: what broke, one line each.
        counts: of ends of processes, by kind of trial.
    """

    def __init__(self, folder: Path) -> None:
        self.conf = folder / "conf"
        shutil.copytree(PROJECT / "conf", self.conf, ignore=shutil.ignore_patterns("local"))
        (self.conf / "test/globals.yml").write_text(f"data_root: {folder / 'data'}\n")
        self.store = RunStore(folder / "data", "forecast")
        self.log = folder / "log"
        self.problems: list[str] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.horizon = 2
        self.notes: list[Path] = []

    def put_notes(self) -> None:
        """Leaves things of a user in the current run and beside it."""
        run = self.store.folder / str(self.store.find_current())
        hidden = self.store.folder / ".2026-01-01T00.00.00.000000Z-abcdef.part"
        hidden.mkdir()
        self.notes = [
            run / "08_reporting/notes.md",
            run / "08_reporting/report.html",
            hidden / "notes.md",
        ]
        for path in self.notes:
            path.write_bytes(MINE)

    def fork(self, prepare: Callable[[], None] = lambda: None) -> int:
        """Starts a run with a horizon that the one before had not; returns its process."""
        self.horizon = 2 + (self.horizon - 1) % 5
        process = os.fork()
        if process:
            return process
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with open(self.log, "w") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            prepare()
            parameters = {"forecast": {**PARAMETERS, "window": {"horizon": self.horizon}}}
            with KedroSession.create(
                project_path=PROJECT,
                env="test",
                conf_source=str(self.conf),
                runtime_params=parameters,
            ) as session:
                session.run(pipeline_names=["forecast"])
            code = OK
        except OSError as error:
            code = DISK_FULL if error.errno == errno.ENOSPC else 1
        except Exception as error:
            print(repr(error), flush=True)
            code = DISK_FULL if "No space left" in str(error) else 1
        finally:
            os._exit(code)

    def check(self, kind: str, before: str | None, code: int) -> None:
        """Looks at all that people see."""
        self.counts[
            kind,
            "ended by itself" if code in (OK, DISK_FULL) else "killed" if code < 0 else "failed",
        ] += 1
        current = self.store.find_current()
        problem = self.find_problem(current)
        names = self.store.list_runs()
        if code == OK and current == before:
            problem = problem or "a run that ended well is not seen"
        if code != OK and current != before and current != names[-1]:
            problem = problem or "an older run is seen"
        lost = [path for path in self.notes if not path.exists() or path.read_bytes() != MINE]
        problem = problem or (f"lost: {lost}" if lost else "")
        if before is not None and before not in names:
            problem = problem or "the run before is lost"
        if problem:
            self.problems.append(f"{kind}: {problem}")
        if self.counts.total() % 50 == 0:
            print(
                f"{self.counts.total()} trials, {len(self.problems)} problems",
                file=sys.stderr,
                flush=True,
            )

    def find_problem(self, current: str | None) -> str:
        """What is wrong with what people see; empty where nothing is."""
        if current is None:
            return "nothing is seen"
        record = self.store.read_record(current)
        damaged = find_damage(self.store.folder / current, record["files"])
        if damaged:
            return f"damaged: {damaged}"
        seen = self.store.root
        metrics = json.loads((seen / "08_reporting/forecast/metrics.json").read_bytes())
        predictions = pd.read_parquet(seen / "07_model_output/forecast/predictions.parquet")
        report = (seen / "08_reporting/forecast/report.html").read_text()
        horizon = record["parameters"]["forecast.window"]["horizon"]
        if (
            not metrics["run"] == predictions.attrs["run"] == current
            or f"Run {current}" not in report
        ):
            return "files name another run"
        return (
            ""
            if int(predictions["horizon_step"].max()) == horizon
            else "predictions have another horizon"
        )

    def run_well(self) -> str:
        """A run that nobody disturbs; its name."""
        before = self.store.find_current()
        process = self.fork()
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if code != OK:
            sys.exit(f"An undisturbed run ended with {code}:\n{self.log.read_text()}")
        self.check("undisturbed", before, code)
        return str(self.store.find_current())


def kill_at(trials: Trials, kind: str, seconds: float, sent: signal.Signals) -> None:
    """Kills a run some seconds after its start."""
    before = trials.store.find_current()
    process = trials.fork()
    end(trials, kind, before, process, seconds, sent)


def kill_in(trials: Trials, node: str, fraction: float, sent: signal.Signals) -> None:
    """Kills a run in a node, at a moment of the time that a call of it takes."""
    before = trials.store.find_current()
    reading, writing = os.pipe()
    process = trials.fork(lambda: tell_when_it_begins(node, writing))
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    end(trials, f"in {node}", before, process, fraction * TYPICAL_SECONDS.get(node, 0.05), sent)


TYPICAL_SECONDS = {
    "report.draw_figures": 0.3,
    "report.render_report": 0.3,
    "evaluation.evaluate_forecasts": 0.15,
}


def tell_when_it_begins(node: str, pipe: int) -> None:
    """Writes to a pipe when a node begins, or when the results are to be shown."""
    from rnn_pipelines.hooks import project, results

    if node == "publish":
        from rnn_pipelines.runs.writing import publish_run as original

        def publish(*arguments: Any) -> None:
            os.write(pipe, b".")
            original(*arguments)

        vars(results)["publish_run"] = publish
    else:
        from rnn_pipelines.settings import HOOKS

        instance = next(hook for hook in HOOKS if isinstance(hook, project.RunHooks))

        class Noting(dict):  # type: ignore[type-arg]
            def __setitem__(self, key: str, value: float) -> None:
                if key == node:
                    os.write(pipe, b".")
                super().__setitem__(key, value)

        instance._begun = Noting()


def end(
    trials: Trials,
    kind: str,
    before: str | None,
    process: int,
    seconds: float,
    sent: signal.Signals,
) -> None:
    time.sleep(seconds)
    os.kill(process, sent)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    # Python ends a run that was interrupted by itself.
    trials.check(kind, before, -1 if code == 1 and sent == signal.SIGINT else code)


def fill_disk(trials: Trials, num_bytes: int) -> None:
    """Lets a run write so many bytes, and no more."""
    before = trials.store.find_current()
    process = trials.fork(lambda: limit_writes(num_bytes))
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    trials.check("full disk", before, code)
    if code == 1:
        trials.problems.append(
            f"full disk ended with another error: {trials.log.read_text()[-300:]}"
        )


def limit_writes(num_bytes: int) -> None:
    """Every write into the data root beyond `num_bytes` bytes fails, as on a full disk."""
    left = [num_bytes]
    original = io.open

    def use(size: int) -> None:
        left[0] -= size
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Limited(io.FileIO):
        def write(self, data: Any) -> int:
            use(memoryview(data).nbytes)
            return super().write(data)

    def open_file(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if "w" in mode and "/runs/" in str(file):
            raw = io.BufferedWriter(Limited(file, "w"))
            return (
                raw if "b" in mode else io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
            )
        return original(file, mode, *arguments, **options)

    builtins.open = io.open = open_file


def run_pair(trials: Trials) -> None:
    """Two runs that begin together: one waits for the other."""
    before = trials.store.find_current()
    processes = [trials.fork(), trials.fork()]
    for process in processes:
        trials.check("pair", before, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def measure_seconds(trials: Trials) -> float:
    began = time.monotonic()
    trials.run_well()
    return time.monotonic() - began


@contextlib.contextmanager
def make_trials() -> Iterator[Trials]:
    with tempfile.TemporaryDirectory() as folder:
        yield Trials(Path(folder))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, number in (("kills", 300), ("aimed", 20), ("full", 100), ("pairs", 50), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=number)
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    bootstrap_project(PROJECT)
    with make_trials() as trials:
        trials.run_well()
        trials.put_notes()
        seconds = min(measure_seconds(trials) for _ in range(3))
        num_bytes = sum(
            facts["num_bytes"]
            for facts in trials.store.read_record(trials.run_well())["files"].values()
        )
        for number in range(arguments.kills):
            kill_at(trials, "at random", moments.uniform(0, seconds), SIGNALS[number % 3])
        for node in (*LAST_NODES, "publish"):
            for number in range(arguments.aimed):
                kill_in(trials, node, moments.random(), SIGNALS[number % 3])
        for _ in range(arguments.full):
            fill_disk(trials, int(moments.uniform(0, num_bytes)))
        for _ in range(arguments.pairs):
            run_pair(trials)
        trials.run_well()
        with hold_lock(trials.store.lock, 0):
            own = {path.parent for path in trials.notes}
            left = [path.name for path in trials.store.folder.glob(".*.part") if path not in own]
        if left:
            trials.problems.append(f"left: {left}")
        print("| trial | how the process ended | number |\n|---|---|---|")
        for (kind, code), number in sorted(trials.counts.items()):
            print(f"| {kind} | {code} | {number} |")
        print(f"\n{len(trials.problems)} problems", *trials.problems[:20], sep="\n")
        return 1 if trials.problems else 0


if __name__ == "__main__":
    sys.exit(main())
