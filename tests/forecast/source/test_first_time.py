"""`source.from` leaves out earlier rows, on every path that reads series."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from rnn_pipelines.console.forecast import forecast
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.source.covariates import NO_COVARIATES, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec

DAYS = pd.date_range("2024-01-01", periods=90)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    values = [100.0 + day % 7 for day in range(90)]
    pd.DataFrame({"ds": DAYS, "y": values}).to_csv(tmp_path / "days.csv", index=False)
    return tmp_path / "days.csv"


def read(path: Path, first: object, **options: object) -> pd.DataFrame:
    return read_series(SourceSpec(**{"path": str(path), "from": first, **options}), NO_COVARIATES)[
        0
    ]


@pytest.mark.parametrize(
    "first", ["2024-02-01", "2024-02-01T00:00", pd.Timestamp("2024-02-01").date()]
)
def test_a_day_is_the_first_one_read(path: Path, first: object) -> None:
    assert read(path, first)["ds"].tolist() == DAYS[31:].tolist()


def test_a_day_begins_in_the_zone_of_the_series(tmp_path: Path) -> None:
    hours = pd.date_range("2024-07-01", periods=72, freq="h")
    pd.DataFrame({"ds": hours, "y": range(72)}).to_csv(tmp_path / "hours.csv", index=False)
    table = read(tmp_path / "hours.csv", "2024-07-02", tz="Europe/Berlin")
    assert table["y"].min() == 24


def test_a_step_is_the_first_one_read(tmp_path: Path) -> None:
    pd.DataFrame({"ds": range(90), "y": range(90)}).to_csv(tmp_path / "steps.csv", index=False)
    assert read(tmp_path / "steps.csv", 40)["ds"].min() == 40


@pytest.mark.parametrize("first", ["yesterday", 7, "2024-W03"])
def test_another_kind_of_time_is_refused(path: Path, first: object) -> None:
    with pytest.raises(
        SeriesError, match=r"source\.from: expected a time like those of the series"
    ):
        read(path, first)


def test_a_time_after_all_rows_is_refused_with_the_last_one(path: Path) -> None:
    with pytest.raises(SeriesError, match=r"the last row is of 2024-03-30\. Give an earlier one"):
        read(path, "2025-01-01")


def test_the_console_reads_from_a_day(path: Path) -> None:
    given = [str(path), "--horizon", "3", "--fast", "--set", "source.from=2024-02-01", "--json"]
    given += ["--output", str(path.parent / "results")]
    result = CliRunner().invoke(forecast, given)
    assert result.exit_code == 0, result.output
    assert '"2024-03-31"' in result.output


def test_python_reads_from_a_day(path: Path) -> None:
    frame = pd.read_csv(path, parse_dates=["ds"])
    found = (
        Forecaster(h=3, networks="pretrained", source={"from": "2024-02-01"}).fit(frame).predict()
    )
    alone = Forecaster(h=3, networks="pretrained").fit(frame[31:]).predict()
    pd.testing.assert_frame_equal(found, alone)
