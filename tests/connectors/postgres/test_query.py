"""A query is only read, its types are those that series are made of, and each error says what to do."""

import re
import shutil
import tempfile
import threading
import traceback
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from kedro.io import DatasetError

from rnn_pipelines.connectors.postgres import query as postgres_query
from rnn_pipelines.datasets import PostgresQueryDataset
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, draw_sample
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

SERIES = (
    "create table series (unique_id text, ds date, y numeric)",
    "insert into series values ('b', '2024-01-02', 2.5), ('b', '2024-01-01', null), ('a', '2024-01-01', 0.1)",
)


@pytest.fixture
def read(database: Any) -> Callable[[str], pd.DataFrame]:
    database.run(*SERIES)
    return lambda sql: PostgresQueryDataset(sql=sql, credentials=database.credentials).load().read()


def test_series_are_read_in_the_order_of_the_query(read: Callable[[str], pd.DataFrame]) -> None:
    source = SourceSpec(name="catalog", id="unique_id")
    found = read_source(source, read("select unique_id, ds, y from series order by unique_id, ds"))
    expected = pd.DataFrame(
        {
            "unique_id": ["a", "b", "b"],
            "ds": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-02"]),
            "y": [0.1, None, 2.5],
        },
        index=pd.RangeIndex(1, 4, name="row"),
    )
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    "ds",
    [
        "date '2024-03-30' + i",
        "timestamp '2024-03-30' + i * interval '1 day'",
        "timestamptz '2024-03-30 00:00+00' + i * interval '24 hours'",
        "(date '2024-03-30' + i)::text",
    ],
    ids=["date", "timestamp", "timestamp with a zone", "text"],
)
def test_times_of_every_type_are_the_same_times(
    database: Any, read: Callable[[str], pd.DataFrame], ds: str
) -> None:
    """Those with a zone in UTC, across a change of the clock in the zone of the server."""
    database.set_zone("Europe/Berlin")
    found = read_source(
        SourceSpec(name="catalog"),
        read(f"select {ds} as ds, 1.0 as y from generate_series(0, 2) i"),
    )
    assert found["ds"].tolist() == list(pd.date_range("2024-03-30", periods=3))


def test_whole_numbers_are_steps(read: Callable[[str], pd.DataFrame]) -> None:
    found = read_source(
        SourceSpec(name="catalog"),
        read("select i as ds, i / 2.0 as y from generate_series(5, 7) i"),
    )
    assert found["ds"].tolist() == [5, 6, 7]
    assert found["ds"].dtype == "int64"


TYPED = (
    "select 'shop ' || i % 3 as shop, date '2024-01-01' + i as day, i::numeric(9, 3) / 8 as y, i as whole, "
    "i % 2 = 0 as promo, i::float4 / 8 as price, timestamp '2024-01-01' + i * interval '1 s' as local, "
    "timestamptz '2024-03-30 12:00+01' + i * interval '24 hours' as moment, "
    "case when i > 6 then i end as gap, case when i > 6 then i::numeric end as number, null::text as nothing, "
    "('00000000-0000-0000-0000-00000000000' || i % 3)::uuid as code from generate_series(1, 12) as i order by i"
)


@pytest.mark.parametrize("batch_rows", [1 << 16, 5, 6])
def test_types_depend_on_the_columns_of_the_server_alone(
    database: Any,
    read: Callable[[str], pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    batch_rows: int,
) -> None:
    """In one batch or in some, with a batch that has only nulls in a column."""
    monkeypatch.setattr(postgres_query, "BATCH_ROWS", batch_rows)
    database.set_zone("Europe/Berlin")
    i = np.arange(1, 13)
    gap = np.where(i > 6, i, np.nan)
    expected = pd.DataFrame(
        {
            "shop": [f"shop {one % 3}" for one in i],
            "day": [date(2024, 1, 1) + timedelta(days=int(one)) for one in i],
            "y": i / 8,
            "whole": i,
            "promo": i % 2 == 0,
            "price": i / 8,
            "local": pd.Timestamp("2024-01-01") + pd.to_timedelta(i, "s").as_unit("us"),
            "moment": pd.Timestamp("2024-03-30 11:00", tz="UTC")
            + pd.to_timedelta(i, "D").as_unit("us"),
            "gap": gap,
            "number": gap,
            "nothing": pd.Series(None, i - 1, "str"),
            "code": [f"00000000-0000-0000-0000-00000000000{one % 3}" for one in i],
        }
    )
    pd.testing.assert_frame_equal(read(TYPED), expected)


def test_empty_result_has_the_types_of_its_columns(read: Callable[[str], pd.DataFrame]) -> None:
    found = read(f"select * from ({TYPED}) as typed where whole < 0")
    assert (len(found), str(found["shop"].dtype), str(found["y"].dtype)) == (0, "str", "float64")


@pytest.mark.parametrize("batch_rows", [1 << 16, 100])
def test_divided_query_has_the_rows_of_the_frame(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(postgres_query, "BATCH_ROWS", batch_rows)
    sql = "select 's' || s as unique_id, date '2024-01-01' + i as ds, (s * i / 7.0)::numeric(9, 3) as y, i % 7 = 0 "
    sql += "as promo from generate_series(1, 40) s, generate_series(0, 24) i order by s, i"
    query = PostgresQueryDataset(sql=sql, credentials=database.credentials).load()
    source = SourceSpec(name="catalog", id="unique_id")
    covariates = CovariateSpec(future=("promo",))
    sizes = PartitionSpec(training_rows=500, rows=250)
    sample = draw_sample(source, covariates, sizes, tmp_path, query)
    partitions = sample.partitions
    assert (len(partitions), partitions.num_training, partitions.num_rows) == (4, 2, 1000)
    parts = map(sample.select, range(len(partitions)))
    found = [read_series(part.source, part.covariates) for part in parts]
    for tables, expected in zip(
        zip(*found, strict=True), read_series(source, covariates, query), strict=True
    ):
        joined = pd.concat(tables).sort_values(["unique_id", "ds"], ignore_index=True)
        pd.testing.assert_frame_equal(
            joined, expected.sort_values(["unique_id", "ds"], ignore_index=True)
        )


def test_rows_are_counted_at_the_moment_of_their_reading(database: Any) -> None:
    database.run(*SERIES)
    query = PostgresQueryDataset(
        sql="select * from series", credentials=database.credentials
    ).load()
    with query.open_counted() as (num_rows, batches):
        database.run("insert into series values ('c', '2024-01-01', 1)")
        assert (num_rows, sum(map(len, batches))) == (3, 3)


def test_percent_sign_is_a_percent_sign(read: Callable[[str], pd.DataFrame]) -> None:
    assert read("select 7 % 4 as y where 'shop' like 's%'")["y"].tolist() == [3]


def test_query_that_would_write_is_refused(
    database: Any, read: Callable[[str], pd.DataFrame]
) -> None:
    with pytest.raises(DatasetError, match="delete"):
        read("delete from series returning *")
    assert database.read("select count(*) from series") == [(3,)]


@pytest.mark.parametrize(
    "sql",
    [
        "commit; create table made (i int); select 1 as y",
        "rollback; set default_transaction_read_only = off; create table made (i int); select 1 as y",
        "select 1 as y; commit; create table made (i int)",
        "abort; begin read write; create table made (i int); commit",
        "create table made (i int)",
        "select 1 as y into made",
        "do $$ begin commit; create table made (i int); end $$",
        "with gone as (delete from series returning *) select * from gone",
        "select set_config('transaction_read_only', 'off', false), (select 1 as y)",
    ],
)
def test_no_query_leaves_its_transaction(
    database: Any, read: Callable[[str], pd.DataFrame], sql: str
) -> None:
    with pytest.raises(DatasetError):
        read(sql)
    assert database.read("select to_regclass('made'), count(*) from series") == [(None, 3)]


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to program 'cat > {}'",
        "copy (select 1) to '{}'",
        "do $$ begin reset role; copy (select 1) to '{}'; end $$",
        "select lo_export(lo_from_bytea(0, 'a'), '{}')",
        "select 1 as y",
    ],
)
@pytest.mark.parametrize(
    "right", ["superuser", "pg_execute_server_program", "pg_write_server_files"]
)
def test_user_who_could_do_more_than_read_is_refused(
    database: Any, server: sa.URL, right: str, sql: str
) -> None:
    """A superuser, and whoever may run programs or write files on the server; whatever the query is, it is not sent."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    url = database.url.replace("forecaster:", "powerful:")
    make = "superuser" if right == "superuser" else f"in role {right}"
    literal = server.password.replace("%", "%%")
    database.run("reset role", f"create role powerful login password '{literal}' {make}")
    try:
        with pytest.raises(DatasetError, match="superuser"):
            PostgresQueryDataset(
                sql=sql.format(folder / "made"), credentials={"con": url}
            ).load().read()
        assert list(folder.iterdir()) == []
    finally:
        database.run("reset role", "drop role powerful")
        shutil.rmtree(folder)


def test_second_statement_is_refused_with_what_to_do(read: Callable[[str], pd.DataFrame]) -> None:
    with pytest.raises(DatasetError, match=r"multiple commands.*one statement"):
        read("select 1 as y; select 2 as y")


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_time_that_python_lacks_is_not_a_lost_connection(
    read: Callable[[str], pd.DataFrame], kind: str
) -> None:
    with pytest.raises(DatasetError, match="infinity") as caught:
        read(f"select 'a' as unique_id, '-infinity'::{kind} as early, 'infinity'::{kind} as ds")
    assert "connection" not in str(caught.value)


def test_semicolon_may_end_the_query(read: Callable[[str], pd.DataFrame]) -> None:
    assert read("select 1 as y;")["y"].tolist() == [1]


def test_later_transactions_of_the_connection_may_only_read_too(
    read: Callable[[str], pd.DataFrame],
) -> None:
    assert read("select current_setting('default_transaction_read_only')").iloc[0, 0] == "on"


def test_options_in_the_url_stay(database: Any) -> None:
    url = f"{database.url}?options=-c%20search_path%3Dpg_catalog%20-c%20datestyle%3DGerman"
    sql = "select current_setting('search_path'), date '2024-01-02'"
    found = PostgresQueryDataset(sql=sql, credentials={"con": url}).load().read()
    assert found.iloc[0].tolist() == ["pg_catalog", date(2024, 1, 2)]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select * from nix", 'relation "nix" does not exist. Create'),
        ("select nix from series", 'column "nix" does not exist. Correct'),
        ("selec", 'syntax error at or near "selec". Correct'),
        ("select * from pg_authid", "permission denied for table pg_authid. Ask"),
        ("select 1 / (y - y) from series", "division by zero."),
    ],
    ids=["unknown table", "unknown column", "syntax", "missing right", "anything else"],
)
def test_error_of_the_server_says_what_to_do(
    read: Callable[[str], pd.DataFrame], sql: str, told: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        read(sql)
    assert str(caught.value).startswith(f"PostgreSQL: {told}")
    assert "\n" not in str(caught.value)


CONNECTIONS = {
    "wrong password": (
        ("forecaster:", "forecaster:wrong"),
        'password authentication failed for user "forecaster"',
    ),
    "unknown user": (
        ("forecaster:", "nobody:"),
        'password authentication failed for user "nobody"',
    ),
    "unknown database": (("/test_", "/nix_"), "does not exist"),
    "no server": (("127.0.0.1", "127.0.0.2"), "Connection refused"),
    "unknown host": (
        ("127.0.0.1", "nowhere.invalid"),
        "failed to resolve host 'nowhere.invalid'",
    ),
}


def fail_to_connect(database: Any, case: str) -> DatasetError:
    """The error of a query, where a part of the database's address is another one."""
    url = database.url.replace(*CONNECTIONS[case][0])
    with pytest.raises(DatasetError) as caught:
        PostgresQueryDataset(sql="select 1", credentials={"con": url}).load().read()
    return caught.value


@pytest.mark.parametrize("case", CONNECTIONS)
def test_failed_connection_says_what_to_do(database: Any, case: str) -> None:
    message = str(fail_to_connect(database, case))
    assert CONNECTIONS[case][1] in message
    assert "RNN_POSTGRES_URL" in message


@pytest.mark.parametrize("case", CONNECTIONS)
def test_failed_connection_shows_no_password(database: Any, case: str) -> None:
    """Neither in the message nor anywhere in the traceback, whole or in part, as it stands in the URL or not."""
    error = fail_to_connect(database, case)
    assert "hunter2" not in "".join(traceback.format_exception(error))


def test_environment_completes_the_url(
    database: Any, monkeypatch: pytest.MonkeyPatch, server: sa.URL
) -> None:
    monkeypatch.setenv("PGPASSWORD", server.password)
    url = re.sub(":[^:]*@", "@", database.url)
    assert PostgresQueryDataset(sql="select 1 as y", credentials={"con": url}).load().read()[
        "y"
    ].tolist() == [1]


def test_query_that_is_cut_off_says_so(database: Any, read: Callable[[str], pd.DataFrame]) -> None:
    stop = threading.Thread(
        target=lambda: database.read(f"select pg_terminate_backend({database.wait_for('PgSleep')})")
    )
    stop.start()
    with pytest.raises(DatasetError, match=r"terminating connection.*Run"):
        read("select pg_sleep(30)")
    stop.join()


def test_divided_query_of_more_than_two_batches_has_the_rows_of_the_frame(
    database: Any, tmp_path: Path
) -> None:
    """With batches of their real size."""
    sql = "select 's' || s as unique_id, date '2020-01-01' + i as ds, s * i / 7.0 as y, 'note ' || i as note "
    sql += "from generate_series(1, 100) s, generate_series(0, 1399) i order by s, i"
    query = PostgresQueryDataset(sql=sql, credentials=database.credentials).load()
    source = SourceSpec(name="catalog", id="unique_id")
    covariates = CovariateSpec(past=("note",))
    assert 2 * postgres_query.BATCH_ROWS < 100 * 1400
    sample = draw_sample(
        source, covariates, PartitionSpec(training_rows=60_000, rows=60_000), tmp_path, query
    )
    parts = map(sample.select, sample.partitions.list_numbers())
    found = [read_series(part.source, part.covariates)[0] for part in parts]
    whole = read_series(source, covariates, query)[0]
    pd.testing.assert_frame_equal(pd.concat(found).sort_index(), whole, check_dtype=False)
