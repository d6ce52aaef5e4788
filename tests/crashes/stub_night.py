"""Adds the forecasts of a night to the log, and is killed or finds the disk full at a given call."""

import argparse
from itertools import islice
from pathlib import Path

from kedro.io import DatasetError

from faults import Faults, run_with_faults
from rnn_pipelines.forecast.datasets import ForecastLogDataset
from tampering import make_nights

LOG = "forecasts.parquet"


def save_night(folder: Path, night: int) -> None:
    """Saves; what the system said comes through as it was."""
    rows = next(islice(make_nights(), night, None))
    try:
        ForecastLogDataset(filepath=str(folder / LOG)).save(rows)
    except DatasetError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        raise


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["save"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fault", choices=["none", "kill", "once", "full"], default="none")
    parser.add_argument("--at", type=int, default=0)
    arguments = parser.parse_args()
    run_with_faults(lambda: save_night(arguments.folder, 2), Faults(arguments.fault, arguments.at))


if __name__ == "__main__":
    main()
