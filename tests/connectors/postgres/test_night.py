"""Whole nights with `--env=postgres`, by the commands that a scheduler calls; only sizes and folder are others."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

SIZES = {
    "source": {"name": "catalog", "time": "ds", "target": "y", "id": "unique_id"},
    "window": {"lookback": 10, "horizon": 3},
    "split": {"validation": 40, "test": 60},
    "lstm": {"units": 4},
    "gru": {"units": 4},
    "training": {"max_steps": 50},
}
ADD_DAYS = (
    "insert into series select shop, date '2024-01-01' + i, 10 + 3 * sin(i * 0.7) + sin(i * i) "
    "from generate_series({}, {}) as i, unnest(array['shop a', 'shop b']) as shop"
)
KEY = "unique_id, cutoff::date::text, ds::date::text"


class Night:
    """A database with 240 days of two shops, and the commands, with all that they ever said."""

    def __init__(self, project: Path, folder: Path, database: Any) -> None:
        self.project = project
        self.database = database
        self.said = ""
        self.data = folder / "data"
        self.environment = folder / "postgres"
        shutil.copytree(project / "conf/postgres", self.environment)
        (self.environment / "globals.yml").write_text(f"data_root: {self.data}\n")
        (self.environment / "parameters_forecast.yml").write_text(json.dumps({"forecast": SIZES}))
        shutil.copy(project / "conf/test/parameters_retrain_forecast.yml", self.environment)
        database.run(
            "create table series (unique_id text, ds date, y numeric, primary key (unique_id, ds))",
            ADD_DAYS.format(0, 239),
        )

    def start(self, command: str, **variables: str | None) -> subprocess.Popen[str]:
        given = os.environ | {"RNN_POSTGRES_URL": self.database.url} | variables
        environment = {name: value for name, value in given.items() if value is not None}
        arguments = [sys.executable, "-m", "kedro", *command.split(), f"--env={self.environment}"]
        pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(arguments, cwd=self.project, env=environment, text=True, **pipe)

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        said = process.communicate()[0]
        self.said += said
        return process.returncode, said

    def run(self, command: str, **variables: str | None) -> tuple[int, str]:
        """The exit code, and what was said."""
        return self.finish(self.start(command, **variables))

    def do(self, *commands: str) -> str:
        """What commands say that have to succeed."""
        results = [self.run(command) for command in commands]
        assert [code for code, _ in results] == [0] * len(commands), results
        return "".join(said for _, said in results)

    def read_verdict(self) -> dict[str, Any]:
        return json.loads((self.data / "08_reporting/monitor_forecast/verdict.json").read_text())

    def list_changed(self, table: str, before: dict[Any, str]) -> list[Any]:
        """Keys of the rows that were written since."""
        return sorted(
            key for key, mark in self.read_marks(table).items() if before.get(key) != mark
        )

    def read_marks(self, table: str) -> dict[Any, str]:
        return self.database.read_marks(table, KEY)


@pytest.fixture(scope="module")
def night(
    project: Path, tmp_path_factory: pytest.TempPathFactory, make_database: Callable[[], Any]
) -> Night:
    return Night(project, tmp_path_factory.mktemp("night"), make_database())


RETRAIN, CHECK = "champion retrain forecast", "champion check forecast"
DIVIDED = "--params=forecast.partitions.training_rows=4000,forecast.partitions.rows=2000"
PREDICT, MONITOR = "run --pipelines=predict_forecast", "run --pipelines=monitor_forecast"

# In their order, each going on from what the one before has left.


def test_first_night_leaves_forecasts_in_the_table(night: Night) -> None:
    said = night.do(RETRAIN, MONITOR, PREDICT, MONITOR, CHECK)
    assert "table forecasts: 6 of 6 rows are new or changed" in said
    assert "Forecasts: table forecasts" in said
    assert "\nforecast: ok\n" in said
    days = [("2024-08-27", day) for day in ("2024-08-28", "2024-08-29", "2024-08-30")]
    assert sorted(night.read_marks("forecasts")) == [
        (f"shop {shop}", *day) for shop in "ab" for day in days
    ]


def test_night_that_is_repeated_changes_nothing(night: Night) -> None:
    before = night.read_marks("forecasts")
    said = night.do(RETRAIN, PREDICT, MONITOR)
    assert "nothing new since" in said
    assert "Nothing is new" in " ".join(said.split())
    assert night.read_marks("forecasts") == before


def test_night_leaves_no_forecasts_in_files(night: Night) -> None:
    assert sorted(path.name for path in (night.data / "07_model_output").glob("*/*")) == [
        "all_series.json",
        "covariate_drift.parquet",
        "drift.parquet",
        "next_paths.parquet",
        # The inputs of the last runs, which explain a change.
        "nights",
    ]
    assert pd.read_parquet(night.data / "07_model_output/predict_forecast/next_paths.parquet").empty


def test_forecasts_are_judged_when_their_days_have_come(night: Night) -> None:
    night.database.run(ADD_DAYS.format(240, 241))
    night.do(PREDICT, MONITOR)
    assert len(night.read_marks("forecasts")) == 12
    evaluated = [("2024-08-27", "2024-08-28"), ("2024-08-27", "2024-08-29")]
    assert sorted(night.read_marks("evaluated_forecasts")) == [
        (f"shop {shop}", *day) for shop in "ab" for day in evaluated
    ]
    assert night.database.read("select count(*) from evaluated_forecasts natural join series") == [
        (4,)
    ]


def test_judgement_that_is_repeated_changes_nothing(night: Night) -> None:
    before = night.read_marks("evaluated_forecasts")
    night.do(MONITOR)
    assert night.read_marks("evaluated_forecasts") == before


def test_late_correction_changes_only_what_comes_from_it(night: Night) -> None:
    """The judgement of that day; new forecasts from it are added to the old ones."""
    evaluated = night.read_marks("evaluated_forecasts")
    forecasts = night.read_marks("forecasts")
    night.database.run("update series set y = 20 where unique_id = 'shop a' and ds = '2024-08-29'")
    night.do(PREDICT, MONITOR)
    assert night.list_changed("evaluated_forecasts", evaluated) == [
        ("shop a", "2024-08-27", "2024-08-29")
    ]
    days = ("2024-08-30", "2024-08-31", "2024-09-01")
    assert night.list_changed("forecasts", forecasts) == [
        ("shop a", "2024-08-29", day) for day in days
    ]
    twice = "select ds::date::text from forecasts group by unique_id, cutoff, ds having count(*) = 2 order by 1"
    assert night.database.read(twice) == [(day,) for day in days]
    assert night.database.read("select count(*) from forecasts") == [(15,)]
    corrected = "select y from evaluated_forecasts where unique_id = 'shop a' and ds = '2024-08-29'"
    assert night.database.read(corrected) == [(20.0,)]


def test_judgement_of_an_earlier_day_takes_nothing_from_the_table(night: Night) -> None:
    """And its report is of that day alone."""
    before = night.read_marks("evaluated_forecasts")
    night.do(f"{MONITOR} --params=monitor_forecast.as_of=2024-08-28")
    assert night.read_verdict()["error"]["num_forecasts"] == 2
    assert night.read_marks("evaluated_forecasts") == before


def test_predictions_at_once_keep_every_row_once(night: Night) -> None:
    night.database.run(ADD_DAYS.format(242, 242))
    running = [night.start(PREDICT) for _ in range(2)]
    assert [night.finish(process)[0] for process in running] == [0, 0]
    assert night.database.read(
        "select count(*), count(distinct (unique_id, cutoff, ds)) from forecasts"
    ) == [(21, 18)]


def test_forecast_pipeline_reads_the_table(night: Night) -> None:
    night.do("run --pipelines=forecast")
    source = pd.read_parquet(night.data / "01_raw/forecast/source.parquet")
    assert len(source) == 2 * 243
    assert source.loc[source["ds"] == "2024-08-29", "y"].tolist()[0] == 20


def test_wrong_password_is_never_shown(night: Night) -> None:
    """By a command with a plain message, and by a run with its traceback; the failure is on record."""
    url = night.database.url.replace("forecaster:", "forecaster:s3cret")
    for command in (RETRAIN, PREDICT, MONITOR):
        code, said = night.run(command, RNN_POSTGRES_URL=url)
        assert code == 1
        assert 'password authentication failed for user "forecaster"' in said
    code, history = night.run("champion history forecast --json")
    assert "password authentication failed" in json.loads(history)[-1]["error"]
    assert "s3cret" not in night.said


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"RNN_POSTGRES_URL": None},
            "no server is named. Set the environment variable RNN_POSTGRES_URL to postgresql://",
        ),
        ({"RNN_POSTGRES_URL": "sqlite://"}, "expected a URL of the form postgresql://"),
        ({"RNN_POSTGRES_URL": "postgresql://a@127.0.0.2/b"}, "Connection refused"),
    ],
    ids=["no server named", "another kind", "no server"],
)
def test_wrong_configuration_is_one_message(
    night: Night, variables: dict[str, str | None], told: str
) -> None:
    code, said = night.run(RETRAIN, **variables)
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("Error: PostgreSQL: ")
    assert told in said


def test_unknown_table_is_one_message(night: Night) -> None:
    night.database.run("alter table series rename to sales")
    code, said = night.run(RETRAIN)
    night.database.run("alter table sales rename to series")
    assert code == 1
    assert said.startswith('Error: PostgreSQL: relation "series" does not exist. ')
    assert len(said.splitlines()) == 1


def test_champion_is_asked_without_a_server(night: Night) -> None:
    code, said = night.run("champion show forecast", RNN_POSTGRES_URL="")
    assert (code, "catalog: 2024-01-01 to 2024-08-27, 2 series" in said) == (0, True)


def test_next_values_of_a_divided_panel_are_in_a_table_with_their_run(night: Night) -> None:
    more = ADD_DAYS.replace(
        "array['shop a', 'shop b']", "array(select 'more ' || i from generate_series(1, 30) as i)"
    )
    night.database.run(more.format(0, 242))
    night.do(f"run --pipelines=forecast {DIVIDED}")
    (run,) = night.database.read("select distinct run from all_next_values")
    assert (night.data / "runs/forecast" / run[0]).exists()
    found = "select count(*), count(distinct unique_id), count(forecast), count(lo_80) from all_next_values"
    assert night.database.read(found) == [(96, 32, 96, 96)]
    facts = json.loads((night.data / "08_reporting/forecast/all_series.json").read_text())
    assert facts["num_series"] == 32


def test_newest_forecasts_of_a_divided_panel_are_in_a_table_with_the_last_run(night: Night) -> None:
    """Even though `predict_forecast` keeps no runs."""
    runs = []
    for _ in range(2):
        night.do(f"{PREDICT} {DIVIDED}")
        runs += night.database.read("select max(run) from predicted_next_values")
        newest = "where run = (select max(run) from predicted_next_values)"
        found = f"select count(*), count(distinct unique_id), count(lo_80) from predicted_next_values {newest}"
        assert night.database.read(found) == [(96, 32, 96)]
    assert runs[0] < runs[1]
    assert not (night.data / "07_model_output/predict_forecast/all_next_values.parquet").exists()


def test_password_is_nowhere(night: Night) -> None:
    """By all commands above, nor in any file below the data root."""
    written = b"".join(path.read_bytes() for path in night.data.rglob("*") if path.is_file())
    assert "rows are new or changed" in night.said
    assert b'"source": "catalog"' in written
    assert "hunter2" not in night.said
    assert b"hunter2" not in written
