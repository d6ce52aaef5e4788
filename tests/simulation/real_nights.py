"""Runs the same nights twice, simulated and by sessions of Kedro, and compares their logs; run by a test."""

import sys
import tempfile
from datetime import timedelta
from functools import partial, wraps
from pathlib import Path

import pandas as pd
from kedro.framework.session import KedroSession

from chain_of_log import read_log
from machine import Machine, install
from place import COMMANDS, NIGHTLY, STUBS, Place, prepare
from rnn_pipelines.pipelines.retrain_forecast import pipeline as retraining
from whole_runs import PROJECT
from world import World

NUM_NIGHTS = 3
# Names of versions and times depend on how often a process looks at its clock.
COMPARED = ["unique_id", "cutoff", "ds", "horizon_step", "y_hat", "lo_80", "hi_80", "is_suspect"]


def run_nights(place: Place, is_real: bool) -> tuple[pd.DataFrame, list[int]]:
    """Run the nights, on one of which a value is gross; return the log and the codes of the check."""
    place.clear("MS")
    place.machine.restart(0)
    world = World(0, "MS")
    codes = []
    for night in range(NUM_NIGHTS):
        faults = ("thousandfold value",) if night == 1 else ()
        world.deliver(night, faults).to_csv(place.table, index=False)
        now = world.find_day(night + 1) + timedelta(hours=3)
        place.machine.now = now.tz_localize("UTC").to_pydatetime()
        for name, pipeline in zip(("retrain", "predict", "monitor"), NIGHTLY, strict=True):
            process = place.open()
            if is_real:
                conf = str(place.folder / "conf")
                with KedroSession.create(project_path=PROJECT, env="test", conf_source=conf) as one:
                    one.run(pipeline_names=[pipeline])
            else:
                place.attempt(partial(COMMANDS[name], process))
        process = place.open()
        codes.append(place.attempt(partial(COMMANDS["check"], process)))
    return read_log(place.data)[COMPARED], codes


def main() -> None:
    """Exit with 1 if the nights differ."""
    # Under their own names and types, which Kedro reads.
    for name, stub in STUBS.items():
        setattr(retraining, name, wraps(getattr(retraining, name))(stub))
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(folder)
        place = prepare(Path(folder), machine)
        install(machine)
        simulated, real = run_nights(place, is_real=False), run_nights(place, is_real=True)
    pd.testing.assert_frame_equal(simulated[0], real[0])
    print(len(real[0]), simulated[1], real[1])
    sys.exit(simulated[1] != real[1] or real[0].empty)


if __name__ == "__main__":
    main()
