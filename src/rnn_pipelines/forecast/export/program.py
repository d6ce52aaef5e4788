"""A forecaster of RNN Pipelines (Apache License 2.0), exported for use without the project.

It needs the packages in requirements.txt and the files beside it: the model, and unmodified modules of the project.

    from forecaster import load
    load("folder").predict(frame)        # frame: the columns of the training, or unique_id, ds, y and its covariates

    python forecaster.py data.csv --horizon 14 --level 80
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
# The modules beside this file, also if it is loaded by its path. Other programs and processes do not find them.
sys.path.insert(0, str(HERE))
try:
    from rnn_pipelines import Forecaster
    from rnn_pipelines.errors import ParameterError, RnnPipelinesError, SeriesError
    from rnn_pipelines.forecast.source.table_form import TIME
    from rnn_pipelines.forecast.times.holidays import STORED
finally:
    sys.path.remove(str(HERE))

__all__ = ["Forecaster", "ParameterError", "RnnPipelinesError", "SeriesError", "load", "main"]


def load(folder: str | Path = HERE) -> Forecaster:
    """Return the forecaster in a folder or zip file: the `Forecaster` of the project, for `predict`.

    Args:
        folder: of an export; by default the one with this program.
    """
    folder = Path(folder)
    if folder.is_dir():
        files = {
            path.name: path.read_bytes()
            for path in folder.iterdir()
            if path.suffix in (".json", ".npz")
        }
    else:
        with zipfile.ZipFile(folder) as packed:
            files = {
                name: packed.read(name) for name in packed.namelist() if not name.endswith(".py")
            }
    STORED.update(
        {name: pd.DatetimeIndex(days) for name, days in json.loads(files["holidays.json"]).items()}
    )
    settings = json.loads(files["settings.json"])
    # Local days need no offset from UTC; hours do, because clocks repeat one.
    return Forecaster.unpack(
        files, {"tz": settings["zone"]["name"]} if settings["tz"] is None else None
    )


def main(words: Sequence[str] | None = None) -> int:
    """Print the forecasts of a CSV file as CSV."""
    parser = argparse.ArgumentParser(
        description="Forecast the series of a CSV file with the columns of the training."
    )
    parser.add_argument("file")
    parser.add_argument("--horizon", type=int, help="steps ahead; by default that of the training")
    parser.add_argument(
        "--level", type=int, action="append", help="an interval in percent; repeat it"
    )
    given = parser.parse_args(words)
    try:
        forecaster = load()
        table = forecaster.predict(given.file, given.horizon, given.level)
        text = table.to_csv(index=False)
        if forecaster.table_form.time != TIME:
            text = forecaster.table_form.write_csv(table, forecaster.used).decode()
        sys.stdout.write(text)
    except (RnnPipelinesError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
