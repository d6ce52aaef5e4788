"""Saves bytes for a model, and is killed or finds the disk full at a given call; run by the tests of crashes.

Only the standard library and what it tests: each of some hundred processes has to start fast.
"""

import argparse
import itertools
from collections.abc import Mapping
from pathlib import Path

from faults import Faults, run_with_faults
from rnn_pipelines.champion.folders import load_folder, save_folder
from rnn_pipelines.errors import ChampionError

MODEL = "model"
FILE_SIZE = 100_000


def make_files(number: int) -> dict[str, bytes]:
    """The model of a save: every byte tells its number, except for one file that all models share.

    Every second model has one file more.
    """
    content = f"{number:05}".encode() * (FILE_SIZE // 5)
    files = {
        "settings.json": f"{number:05}".encode(),
        "coding.json": b"shared",
        "model.npz": content,
    }
    return files | ({"intervals.npz": content} if number % 2 else {})


def identify(files: Mapping[str, bytes]) -> int:
    """The number of the save that wrote the files; -1 where they are not those of one save."""
    number = int(files["settings.json"])
    return number if files == make_files(number) else -1


def read(folder: Path) -> int | None:
    """The number of the saved model; None where there is none yet."""
    try:
        return identify(load_folder(folder / MODEL))
    except ChampionError as error:
        if "no saved model" in str(error) or "is missing" in str(error):
            return None
        raise


def save_forever(folder: Path) -> None:
    """Saves until it is killed; says which number was saved once it was."""
    start = (read(folder) or 0) + 1
    print("ready", flush=True)
    for number in itertools.count(start):
        save_folder(folder / MODEL, make_files(number))
        print(number, flush=True)


def read_many(folder: Path, num_reads: int) -> None:
    """Reads beside a process that saves; says how many models were whole, and how many different ones there were."""
    numbers = [identify(load_folder(folder / MODEL)) for _ in range(num_reads)]
    assert -1 not in numbers
    assert numbers == sorted(numbers)
    print(len(numbers), len(set(numbers)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["save", "forever", "read"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--fault", choices=["none", "kill", "once", "full"], default="none")
    parser.add_argument("--at", type=int, default=0)
    arguments = parser.parse_args()
    folder = arguments.folder
    number = arguments.number
    match arguments.work:
        case "save":
            faults = Faults(arguments.fault, arguments.at)
            run_with_faults(lambda: save_with_errors(folder, number), faults)
        case "forever":
            save_forever(folder)
        case "read":
            read_many(folder, number)


def save_with_errors(folder: Path, number: int) -> None:
    """Saves; what the system said comes through as it was."""
    try:
        save_folder(folder / MODEL, make_files(number))
    except ChampionError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        raise


if __name__ == "__main__":
    main()
