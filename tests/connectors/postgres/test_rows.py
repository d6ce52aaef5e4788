"""Rows are kept by their key: saved again they stay, corrected they change, and what breaks off leaves no trace."""

import logging
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import AbstractDataset, DatasetError
from sqlalchemy.exc import DBAPIError

from rnn_pipelines.connectors.postgres import table as postgres_table
from rnn_pipelines.datasets import (
    PostgresLogDataset,
    PostgresRowsDataset,
    PostgresRunRowsDataset,
)
from rnn_pipelines.forecast.datasets import ForecastLogDataset
from rnn_pipelines.forecast.evaluation.realised import EvaluatedForecastsTable
from rnn_pipelines.forecast.methods.predictions import ForecastLogTable, keep_last_record

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

KEY = ["unique_id", "cutoff", "ds", "model_version"]
NUM_PROCESSES, NUM_SAVES = 6, 5

Forecasts = Callable[..., pd.DataFrame]


@pytest.fixture
def dataset(database: Any) -> PostgresRowsDataset:
    return make_dataset(database.url)


def make_dataset(url: str, **options: Any) -> PostgresRowsDataset:
    options = {"table": "forecasts", "key": KEY} | options
    return PostgresRowsDataset(credentials={"con": url}, **options)


@pytest.mark.parametrize("first", ["2024-01-02", 17], ids=["dates", "steps"])
def test_rows_come_back_as_from_the_log_in_a_file(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts, tmp_path: Path, first: str | int
) -> None:
    """With NaN, infinity and digits to the last, the names of a panel, and the types of every column."""
    rows = make_forecasts(num_series=7, first=first)
    names = ['shop\'s "a"', "", "NULL", "{a,b}", "back\\slash", "Øre ☃", "5"]
    rows["unique_id"] = rows["unique_id"].map(
        dict(zip(rows["unique_id"].unique(), names, strict=True))
    )
    rows.loc[[0, 1, 2, 3], "y_hat"] = [np.nan, np.inf, -np.inf, 0.1 + 0.2]
    log = ForecastLogDataset(filepath=str(tmp_path / "forecasts.parquet"))
    for one in (log, dataset):
        one.save(rows)
    found, expected = (one.load().sort_values(KEY, ignore_index=True) for one in (dataset, log))
    pd.testing.assert_frame_equal(found, expected)


def test_column_without_number_comes_back_numeric(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    rows = make_forecasts().assign(y_hat=np.nan)
    dataset.save(rows)
    pd.testing.assert_frame_equal(dataset.load(), rows)


def test_times_come_back_in_utc_whatever_the_zone_of_the_server(
    database: Any, dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    database.set_zone("America/New_York")
    dataset.save(make_forecasts())
    pd.testing.assert_frame_equal(dataset.load(), make_forecasts())


def test_nan_is_null_for_other_readers(
    database: Any, dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    rows = make_forecasts()
    rows.loc[0, "y_hat"] = np.nan
    dataset.save(rows)
    assert database.read("select count(*), count(y_hat) from forecasts") == [(6, 5)]


def test_table_grows_by_the_columns_of_its_families(
    database: Any, make_forecasts: Forecasts
) -> None:
    """Rows of before have none of them; rows that lack them are added all the same."""
    dataset = make_dataset(database.url, families=["lo_", "hi_"])
    dataset.save(make_forecasts())
    dataset.save(make_forecasts().assign(model_version="v2", lo_80=0.5, hi_80=np.nan))
    dataset.save(make_forecasts().assign(model_version="v3"))
    assert database.read(
        "select model_version, count(lo_80), count(hi_80) from forecasts group by 1 order by 1"
    ) == [
        ("v1", 0, 0),
        ("v2", 6, 0),
        ("v3", 0, 0),
    ]
    assert {"lo_80": "float64", "hi_80": "float64"}.items() <= dataset.load().dtypes.astype(
        str
    ).to_dict().items()


def test_table_grows_by_no_other_column(database: Any, make_forecasts: Forecasts) -> None:
    dataset = make_dataset(database.url, families=["lo_", "hi_"])
    dataset.save(make_forecasts())
    with pytest.raises(DatasetError, match="expected the columns"):
        dataset.save(make_forecasts().assign(model_version="v2", width=0.5))


def test_table_exists_from_the_first_rows_on(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    assert dataset.exists() is False
    dataset.save(make_forecasts())
    assert dataset.exists() is True


def test_table_that_is_not_there_says_so(dataset: PostgresRowsDataset) -> None:
    with pytest.raises(DatasetError, match="table forecasts"):
        dataset.load()


def test_without_rows_nothing_is_made(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    dataset.save(make_forecasts().head(0))
    assert dataset.exists() is False


def test_rows_that_are_saved_again_are_not_touched(
    database: Any,
    dataset: PostgresRowsDataset,
    make_forecasts: Forecasts,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """NaN is no difference."""
    rows = make_forecasts()
    rows.loc[0, "y_hat"] = np.nan
    dataset.save(rows)
    before = database.read_marks("forecasts", "unique_id, ds")
    caplog.clear()
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        dataset.save(rows)
    assert database.read_marks("forecasts", "unique_id, ds") == before
    assert caplog.messages == ["table forecasts: 0 of 6 rows are new or changed"]


@pytest.mark.parametrize(
    ("before", "after"),
    [(1.0, 2.0), (np.nan, 2.0), (1.0, np.nan)],
    ids=["value", "gap filled", "gap made"],
)
def test_correction_changes_its_row_alone(
    database: Any,
    dataset: PostgresRowsDataset,
    make_forecasts: Forecasts,
    before: float,
    after: float,
) -> None:
    rows = make_forecasts()
    rows.loc[4, "y_hat"] = before
    dataset.save(rows)
    marks = database.read_marks("forecasts", "unique_id, ds")
    rows.loc[4, "y_hat"] = after
    dataset.save(rows)
    pd.testing.assert_frame_equal(dataset.load(), rows)
    changed = [
        key
        for key, mark in database.read_marks("forecasts", "unique_id, ds").items()
        if marks[key] != mark
    ]
    assert changed == [("series 0001", rows.loc[4, "ds"].to_pydatetime())]


def make_log(url: str) -> PostgresLogDataset:
    key = [*KEY, "recorded_at"]
    return PostgresLogDataset(
        table="forecasts", key=key, families=["lo_", "hi_"], credentials={"con": url}
    )


def test_log_in_a_table_keeps_what_files_keep(
    database: Any, make_forecasts: Forecasts, tmp_path: Path
) -> None:
    """A forecast, the same again, a revised one, the first one again, a new level, and a clock that was set back."""
    rows = make_forecasts()
    rows.loc[0, "y_hat"] = np.nan
    revised = rows.copy()
    revised.loc[4, "y_hat"] = 9.0
    stored = [
        ForecastLogDataset(filepath=str(tmp_path / "forecasts.parquet")),
        make_log(database.url),
    ]
    days = [
        "2024-02-01",
        "2024-02-02",
        "2024-02-03",
        "2024-02-04",
        "2024-02-05",
        "2024-01-01",
        "2024-02-07",
    ]
    tables = [
        rows,
        rows,
        revised,
        rows,
        rows.assign(lo_80=0.5),
        revised.assign(lo_80=0.5),
        rows[:2],
    ]
    for dataset in stored:
        for day, table in zip(days, tables, strict=True):
            dataset.save(table.assign(recorded_at=pd.Timestamp(day, tz="UTC")))
    order = [*KEY, "recorded_at"]
    found, expected = (
        ForecastLogTable.validate(one.load()).sort_values(order, ignore_index=True)
        for one in stored
    )
    pd.testing.assert_frame_equal(found, expected[list(found)], check_dtype=False)
    assert len(found) == 6 + 1 + 1 + 6 + 1
    last = keep_last_record(found)
    assert last.loc[last["ds"] == rows.loc[4, "ds"], "y_hat"].tolist() == [
        rows.loc[1, "y_hat"],
        9.0,
    ]
    assert found["recorded_at"].max() == pd.Timestamp("2024-02-05T00:00:00.000001", tz="UTC")


def test_log_in_a_table_with_another_key_is_refused(
    database: Any, make_forecasts: Forecasts
) -> None:
    rows = make_forecasts()
    log = make_log(database.url)
    make_dataset(database.url).save(rows)
    for use in (log.load, lambda: log.save(rows)):
        with pytest.raises(DatasetError, match=r"expected the primary key .*recorded_at.*Rename"):
            use()


def test_rows_that_are_not_saved_stay(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    dataset.save(make_forecasts())
    dataset.save(make_forecasts(first="2024-03-01"))
    assert len(dataset.load()) == 12


def test_tables_are_written_one_after_another_in_one_transaction(
    database: Any,
    dataset: PostgresRowsDataset,
    make_forecasts: Forecasts,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = make_forecasts(num_series=5)
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        dataset.save(rows[start : start + 4] for start in range(0, len(rows) + 4, 4))
    pd.testing.assert_frame_equal(dataset.load(), rows)
    assert len(set(database.read_marks("forecasts", "unique_id, ds").values())) == 1
    assert caplog.messages == ["table forecasts: 15 of 15 rows are new or changed"]


def test_fault_in_a_later_table_leaves_all_out(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    rows = make_forecasts()
    with pytest.raises(DatasetError, match="column 'model_version', row 1"):
        dataset.save([rows[:3], rows[3:].assign(model_version="\0")])
    assert dataset.exists() is False


def test_key_in_two_tables_is_refused(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    rows = make_forecasts()
    with pytest.raises(DatasetError, match="second time"):
        dataset.save([rows, rows.head(1)])
    assert dataset.exists() is False


def test_rows_have_the_name_of_the_run_that_saved_them_last(database: Any) -> None:
    """And columns have names that SQL needs not quote."""
    dataset = PostgresRunRowsDataset(
        table="values", key=["unique_id"], credentials=database.credentials
    )
    dataset.run = "first"
    rows = pd.DataFrame({"unique_id": ["a", "b"], "lo-80": np.array([0.1, np.nan], "float32")})
    dataset.save([rows])
    dataset.run = "second"
    dataset.save([rows[:1]])
    expected = pd.DataFrame(
        {"unique_id": ["a", "b"], "lo_80": rows["lo-80"].astype(float), "run": ["second", "first"]}
    )
    pd.testing.assert_frame_equal(dataset.load(), expected)


def test_rows_of_a_run_without_a_name_are_refused(database: Any) -> None:
    dataset = PostgresRunRowsDataset(
        table="values", key=["unique_id"], credentials=database.credentials
    )
    with pytest.raises(DatasetError, match="values"):
        dataset.save(pd.DataFrame({"unique_id": ["a"], "forecast": [1.0]}))
    assert dataset.exists() is False


def test_large_panel_is_written_in_seconds(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    """100,800 rows, in several batches of one transaction; a minute is far more than a busy machine needs."""
    rows = make_forecasts(num_series=4200, num_steps=24)
    started = time.monotonic()
    dataset.save(rows)
    print(f"{len(rows)} rows written in {time.monotonic() - started:.1f} s")
    assert time.monotonic() - started < 60
    assert len(dataset.load()) == 100_800


def test_documented_tables_are_those_of_the_catalog(
    database: Any, make_forecasts: Forecasts, project: Path
) -> None:
    """With no more rights than they name."""
    page = (project / "docs/how-to/postgresql.md").read_text()
    documented = re.search(r"```sql\n(create table forecasts.*?)```", page, re.DOTALL)
    assert documented is not None
    grant = "grant select, insert, update on forecasts, evaluated_forecasts to forecaster"
    database.run("reset role", documented[1], grant)
    forecasts = make_forecasts()
    evaluated = forecasts.assign(y=1.0, expected_mse=np.nan)[list(EvaluatedForecastsTable.columns)]
    catalog = OmegaConfigLoader(str(project / "conf"), base_env="base", default_run_env="postgres")[
        "catalog"
    ]
    entries = (
        catalog["predict_forecast_forecasts"],
        catalog["monitor_forecast_evaluated"]["dataset"],
    )
    for entry, rows in zip(entries, (forecasts, evaluated), strict=True):
        dataset = AbstractDataset.from_config(
            "documented", {**entry, "credentials": database.credentials}
        )
        dataset.save(rows)
        pd.testing.assert_frame_equal(dataset.load()[list(rows)], rows)


def test_rows_with_one_key_are_refused(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    rows = make_forecasts()
    with pytest.raises(DatasetError, match=r"received 1 .*series 0000"):
        dataset.save(pd.concat([rows, rows.head(1)]))
    assert dataset.exists() is False


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "create table forecasts (unique_id text primary key, y float8)",
            "found {'unique_id': 'TEXT', 'y': 'DOUBLE",
        ),
        ("create view forecasts as select 1 as y", "found {'y': 'INTEGER'}"),
    ],
    ids=["table", "view"],
)
def test_another_table_is_refused(
    database: Any,
    dataset: PostgresRowsDataset,
    make_forecasts: Forecasts,
    statement: str,
    found: str,
) -> None:
    database.run(statement)
    with pytest.raises(
        DatasetError, match=r"table forecasts: expected the columns.*BIGINT.*Rename"
    ) as caught:
        dataset.save(make_forecasts())
    assert found in str(caught.value)


def test_steps_among_dates_are_refused(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    dataset.save(make_forecasts())
    with pytest.raises(
        DatasetError, match=r"'ds': 'BIGINT'.*found .*'ds': 'TIMESTAMP WITHOUT TIME ZONE'"
    ):
        dataset.save(make_forecasts(first=3))
    assert len(dataset.load()) == 6


def test_table_with_another_key_is_refused(database: Any, make_forecasts: Forecasts) -> None:
    make_dataset(database.url, key=["unique_id", "ds"]).save(make_forecasts())
    with pytest.raises(
        DatasetError, match=r"expected the primary key .*found \['unique_id', 'ds'\]"
    ):
        make_dataset(database.url).save(make_forecasts())


def test_times_that_the_server_would_cut_are_refused(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    rows = make_forecasts()
    rows["ds"] = rows["ds"].astype("datetime64[ns]") + pd.Timedelta(1, "ns")
    with pytest.raises(DatasetError, match=r"column 'ds'"):
        dataset.save(rows)


def test_column_of_another_kind_is_refused(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    with pytest.raises(DatasetError, match=r"column 'y_hat': expected texts.*received complex128"):
        dataset.save(make_forecasts().assign(y_hat=1j))


def test_missing_right_says_whom_to_ask(
    database: Any, dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    dataset.save(make_forecasts())
    database.run("reset role", "alter table forecasts owner to admin")
    with pytest.raises(DatasetError, match=r"permission denied for table forecasts"):
        dataset.load()


def test_text_that_the_server_cannot_keep_is_refused(
    dataset: PostgresRowsDataset, make_forecasts: Forecasts
) -> None:
    """And the table stays as it was."""
    dataset.save(make_forecasts())
    before = dataset.load()
    for text in ("a\0b", "a\ud800b"):
        with pytest.raises(DatasetError, match="column 'model_version', row 1"):
            dataset.save(
                make_forecasts().assign(model_version=pd.Series(text, range(6), dtype=object))
            )
    pd.testing.assert_frame_equal(dataset.load(), before)


def save_many(url: str, number: int, rows: pd.DataFrame) -> None:
    for save in range(NUM_SAVES):
        # Its own rows, and rows that all save, half of them in another order.
        make_dataset(url).save(rows.assign(model_version=f"v{number}-{save}"))
        make_dataset(url).save(rows.iloc[:: 1 if number % 2 else -1].assign(model_version="shared"))


def start(call: str, *arguments: Any, **patches: int) -> subprocess.Popen[str]:
    """Runs a function of this module in a process of its own, with other constants."""
    code = (
        "import runpy; from rnn_pipelines.connectors.postgres import table; "
        f"vars(table).update({patches!r}); "
        f"import pandas as pd; runpy.run_path({__file__!r})[{call!r}](*{arguments!r})"
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


def save_many_of_file(url: str, number: int, path: str) -> None:
    save_many(url, number, pd.read_parquet(path))


def save_file(url: str, path: str) -> None:
    make_dataset(url).save(pd.read_parquet(path))


def test_processes_that_save_at_once_keep_every_row_once(
    database: Any, dataset: PostgresRowsDataset, make_forecasts: Forecasts, tmp_path: Path
) -> None:
    """The table is made by one of them."""
    rows = make_forecasts(num_series=50, num_steps=4)
    rows.to_parquet(tmp_path / "rows.parquet")
    running = [
        start("save_many_of_file", database.url, number, str(tmp_path / "rows.parquet"))
        for number in range(NUM_PROCESSES)
    ]
    assert [(process.communicate()[1], process.returncode) for process in running] == [
        ("", 0)
    ] * NUM_PROCESSES
    found = dataset.load()
    assert not found.duplicated(KEY).any()
    assert len(found) == len(rows) * (NUM_PROCESSES * NUM_SAVES + 1)


def test_writer_that_finds_no_turn_says_what_to_do(
    database: Any,
    dataset: PostgresRowsDataset,
    make_forecasts: Forecasts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.admin.connect() as connection:
        postgres_table.lock_table(connection, "forecasts")
        monkeypatch.setattr(postgres_table, "LOCK_SECONDS", 1)
        with pytest.raises(DatasetError, match="Another run holds the table"):
            dataset.save(make_forecasts())


def test_writer_that_fell_silent_loses_its_turn(
    database: Any,
    dataset: PostgresRowsDataset,
    make_forecasts: Forecasts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As that of a machine that lost its power, which the server would wait for for hours."""
    monkeypatch.setattr(postgres_table, "LOCK_SECONDS", 1)
    with database.admin.connect() as connection:
        postgres_table.lock_table(connection, "forecasts")
        monkeypatch.setattr(postgres_table, "LOCK_SECONDS", 30)
        dataset.save(make_forecasts())
        with pytest.raises(DBAPIError, match="idle-in-transaction timeout"):
            connection.exec_driver_sql("select 1")
    assert len(dataset.load()) == 6


@pytest.fixture
def old(dataset: PostgresRowsDataset, make_forecasts: Forecasts) -> pd.DataFrame:
    """30 rows that are there before."""
    rows = make_forecasts(num_series=10)
    dataset.save(rows)
    return rows


# While another transaction stands in the way, a write can't get further than to this moment.
MOMENTS = {
    "before the first row": "select pg_advisory_xact_lock(hashtextextended('forecasts', 0))",
    "between the rows": "update forecasts set y_hat = 0 where unique_id = 'series 0007'",
}
CUTS = {
    "connection cut": lambda database, process: cut(database),
    "process killed": lambda _, process: process.kill(),
}


def cut(database: Any) -> None:
    assert database.read(f"select pg_terminate_backend({database.wait_for('Lock')})") == [(True,)]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("how", CUTS)
def test_write_that_is_cut_off_leaves_the_table_as_it_was(
    database: Any,
    dataset: PostgresRowsDataset,
    old: pd.DataFrame,
    tmp_path: Path,
    moment: str,
    how: str,
) -> None:
    path = tmp_path / "rows.parquet"
    corrected = old.assign(y_hat=old["y_hat"] + 1)
    corrected.to_parquet(path)
    before = database.read_marks("forecasts", "unique_id, ds, y_hat")
    with database.admin.connect() as blocker:
        blocker.exec_driver_sql(MOMENTS[moment])
        process = start("save_file", database.url, str(path), BATCH_ROWS=10)
        database.wait_for("Lock")
        CUTS[how](database, process)
        told = process.communicate()[1]
        blocker.rollback()
    if how == "connection cut":
        assert "connection" in told.splitlines()[-1]
    assert process.returncode == (1 if how == "connection cut" else -signal.SIGKILL)
    assert database.read_marks("forecasts", "unique_id, ds, y_hat") == before
    dataset.save(corrected)
    pd.testing.assert_frame_equal(dataset.load(), corrected)


# Here the server waits within the commit itself.
SLOW_COMMIT = (
    "create function wait() returns trigger language plpgsql as 'begin perform pg_sleep(5); return null; end'",
    "create constraint trigger slow after update on forecasts deferrable initially deferred for each row "
    "when (new.unique_id = 'series 0009' and new.horizon_step = 3) execute function wait()",
)


@pytest.mark.parametrize("how", CUTS)
def test_commit_that_is_cut_off_is_whole_or_nothing(
    database: Any, dataset: PostgresRowsDataset, old: pd.DataFrame, tmp_path: Path, how: str
) -> None:
    """Nothing where the server was stopped; all where the writer was killed that had asked for the commit."""
    path = tmp_path / "rows.parquet"
    corrected = old.assign(y_hat=old["y_hat"] + 1)
    corrected.to_parquet(path)
    database.run(*SLOW_COMMIT)
    process = start("save_file", database.url, str(path))
    pid = database.wait_for("PgSleep")
    if how == "connection cut":
        assert database.read(f"select pg_terminate_backend({pid})") == [(True,)]
    else:
        process.kill()
    process.communicate()
    deadline = time.monotonic() + 120
    while (
        database.read(f"select 1 from pg_stat_activity where pid = {pid}")
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    pd.testing.assert_frame_equal(dataset.load(), old if how == "connection cut" else corrected)
    dataset.save(corrected)
    pd.testing.assert_frame_equal(dataset.load(), corrected)


def test_first_write_that_is_killed_is_whole_or_nothing(
    database: Any, dataset: PostgresRowsDataset, make_forecasts: Forecasts, tmp_path: Path
) -> None:
    """At ten moments from its first query to its end, with the table that it makes."""
    path = tmp_path / "rows.parquet"
    rows = make_forecasts(num_series=1000, num_steps=24)
    rows.to_parquet(path)
    is_there = "select 1 from pg_stat_activity where usename = 'forecaster'"

    def start_and_wait() -> subprocess.Popen[str]:
        process = start("save_file", database.url, str(path), BATCH_ROWS=500)
        while process.poll() is None and not database.read(is_there):
            time.sleep(0.01)
        return process

    process = start_and_wait()
    started = time.monotonic()
    process.communicate()
    seconds = time.monotonic() - started
    found = []
    for moment in range(10):
        database.run("drop table if exists forecasts")
        process = start_and_wait()
        time.sleep(seconds * moment / 9)
        process.kill()
        process.communicate()
        while database.read(is_there):
            time.sleep(0.05)
        found.append(len(dataset.load()) if dataset.exists() else 0)
    print(f"rows of a write of {seconds:.1f} s, after a kill at each tenth of it: {found}")
    assert set(found) <= {0, len(rows)}
    assert found[0] == 0
