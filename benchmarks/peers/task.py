"""What all contenders are given, and what they give back; needs nothing but NumPy and pandas."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Task:
    """Series, and the windows of the validation part: every one whose targets all lie in it.

    Attributes:
        name: of the file beside the task's, `unique_id, ds, y`.
        freq: spacing of the series, in the words of pandas.
        lookback, horizon: steps of each window.
        validation, test: steps of these parts, the last ones of each series; nobody reads the test part.
        is_absolute: whether the mean absolute error counts, in place of the mean squared one.
        unit: of the error.
    """

    name: str
    freq: str
    lookback: int
    horizon: int
    validation: int
    test: int
    is_absolute: bool
    unit: str

    def save(self, folder: Path, table: pd.DataFrame) -> None:
        """Writes the task and its series."""
        (folder / f"{self.name}.json").write_text(json.dumps(asdict(self)))
        table[["unique_id", "ds", "y"]].to_csv(folder / f"{self.name}.csv", index=False)

    def measure(self, actual: np.ndarray, forecasts: np.ndarray) -> float:
        """The mean error over windows and steps, in the unit of the data."""
        errors = np.asarray(actual, np.float64) - forecasts
        return float(np.mean(np.abs(errors) if self.is_absolute else errors**2))

    def cut(self, table: pd.DataFrame) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of each series, in the order of the table: its values without the test part, and its validation origins."""
        values = [
            group.to_numpy(np.float64)[: -self.test]
            for _, group in table.groupby("unique_id", sort=False)["y"]
        ]
        return values, [
            np.arange(len(y) - self.validation, len(y) - self.horizon + 1) for y in values
        ]


def read_arguments() -> tuple[Task, Path, int]:
    """A contender's command line: the task's file, from which also the series' file follows, and a seed."""
    path = Path(sys.argv[1])
    return Task(**json.loads(path.read_text())), path.with_suffix(".csv"), int(sys.argv[2])


def give_back(
    import_seconds: float, curve: Sequence[tuple[float, float]], **more: float | str
) -> None:
    """Prints what was measured as the last line.

    Args:
        import_seconds: processor time from the start of the process until all is imported.
        curve: processor time from the start of the process, and the validation error that was reached by then.
        more: whatever else is worth telling.
    """
    print(json.dumps({"import_seconds": import_seconds, "curve": list(curve), **more}))
