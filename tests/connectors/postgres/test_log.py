"""The chain of the log in a table: the same hashes as in a file, and one changed row of 10,000 is found."""

import re
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from rnn_pipelines.connectors.postgres import rows as postgres_rows
from rnn_pipelines.connectors.postgres import table as postgres_table
from rnn_pipelines.datasets import PostgresLogDataset
from rnn_pipelines.errors import BrokenChainError
from rnn_pipelines.forecast.datasets import ForecastLogDataset
from rnn_pipelines.forecast.methods.predictions import fill_marks
from rnn_pipelines.forecast.operations.audit import audit_chain
from rnn_pipelines.forecast.totals.log import TotalsLogTable
from rnn_pipelines.storage.chain import (
    FIRST,
    LINKS,
    TAKEN_OVER,
    find_link,
    split_nights,
    verify_chain,
)
from tampering import HORIZON, KEY, NIGHT, NUM_SERIES, NUM_TRIALS, Kind, draw_trials, make_nights

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def make_log(url: str) -> PostgresLogDataset:
    return PostgresLogDataset(
        table="forecasts", key=KEY, families=["lo_", "hi_"], credentials={"con": url}
    )


@pytest.fixture(scope="module")
def full(make_database: Any) -> Any:
    database = make_database()
    dataset = make_log(database.url)
    for night in make_nights():
        dataset.save(night)
    return database


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> ForecastLogDataset:
    file = ForecastLogDataset(filepath=str(tmp_path_factory.mktemp("log") / "forecasts.parquet"))
    for night in make_nights():
        file.save(night)
    return file


def list_hashes(dataset: PostgresLogDataset | ForecastLogDataset) -> list[str]:
    return [link.sha256 for link in verify_chain(dataset.iterate_nights(), KEY)]


def test_both_stores_have_the_same_hashes(full: Any, file: ForecastLogDataset) -> None:
    """In any language of the database, because the rows are in the order of their bytes."""
    assert list_hashes(make_log(full.url)) == list_hashes(file)


def test_both_stores_have_the_same_hashes_of_totals(make_database: Any, tmp_path: Path) -> None:
    """With the columns of totals, and without a table or a file as long as there are none."""
    credentials = {"con": make_database().url}
    table = PostgresLogDataset(
        table="forecast_totals", key=KEY, families=["lo_", "hi_"], credentials=credentials
    )
    file = ForecastLogDataset(filepath=str(tmp_path / "totals.parquet"))
    for store in (table, file):
        store.save(TotalsLogTable.make_empty())
        assert not store.exists()
        for _, night in zip(range(2), make_nights(), strict=False):
            store.save(night.assign(until=night["ds"], num_series=2, num_steps=1))
    assert list_hashes(table) == list_hashes(file)


MARKS = ["is_suspect", "suspect_reason"]


def make_marked_nights() -> list[pd.DataFrame]:
    """Return a night of before the marks, one with a suspect series, and one without."""
    old, *marked = [night for _, night in zip(range(3), make_nights(), strict=False)]
    for number, night in enumerate(marked):
        is_suspect = (night["unique_id"] == night["unique_id"].iloc[0]) & (number == 0)
        reason = is_suspect.map({True: '9,000 at "2024-01-02"', False: ""}).astype("str")
        marked[number] = night.assign(is_suspect=is_suspect, suspect_reason=reason)
    return [old, *marked]


@pytest.fixture
def marked_stores(
    make_database: Any, tmp_path: Path
) -> tuple[PostgresLogDataset, ForecastLogDataset]:
    """Both stores with the same nights; the table is older than the marks."""
    families = ["lo_", "hi_", *MARKS]
    credentials = {"con": make_database().url}
    table = PostgresLogDataset(
        table="forecasts", key=KEY, families=families, credentials=credentials
    )
    file = ForecastLogDataset(filepath=str(tmp_path / "forecasts.parquet"))
    for night in make_marked_nights():
        table.save(night)
        file.save(night)
    return table, file


def test_both_stores_have_the_same_hashes_of_marks(
    marked_stores: tuple[PostgresLogDataset, ForecastLogDataset],
) -> None:
    table, file = marked_stores
    assert list_hashes(table) == list_hashes(file)


def test_both_stores_have_the_same_marks(
    marked_stores: tuple[PostgresLogDataset, ForecastLogDataset],
) -> None:
    table, file = (
        fill_marks(store.load()).sort_values(KEY, ignore_index=True)[MARKS]
        for store in marked_stores
    )
    pd.testing.assert_frame_equal(table, file)
    assert table["is_suspect"].sum() == HORIZON


COLUMNS = "cutoff, ds, horizon_step, y_hat, model_version, recorded_at, lo_80, hi_80, lo_95, hi_95, lo_99, hi_99"
STATEMENTS: dict[Kind, str] = {
    "changed": "update forecasts set y_hat = :value where {row}",
    "removed": "delete from forecasts where {row}",
    "added": (
        "insert into forecasts (unique_id, {columns}, {links}) "
        "select 'shop 99', {columns}, {links} from forecasts where {row}"
    ),
    "moved": "update forecasts set recorded_at = :other where {row}",
}


def test_every_change_of_a_row_is_found(full: Any, file: ForecastLogDataset) -> None:
    """Verified from the first night that differs to the one after the last, because the others are equal."""
    log = pd.concat(list(file.iterate_nights()), ignore_index=True)
    hashes = list_hashes(file)
    dataset = make_log(full.url)
    num_found = 0
    times = log["recorded_at"].unique()
    row_is = " and ".join(f"{name} = :{name}" for name in KEY)
    columns = COLUMNS
    links = ", ".join(LINKS)
    with full.admin.connect() as connection:
        table = dataset._find(connection)
        assert table is not None
        for row, kind, other in draw_trials():
            nights = sorted({row // NIGHT, other if kind == "moved" else row // NIGHT})
            values = log.iloc[row][KEY].to_dict() | {
                "value": log["y_hat"][row] + 1e-9,
                "other": times[other],
            }
            statement = sa.text(STATEMENTS[kind].format(row=row_is, columns=columns, links=links))
            names = statement.compile().params
            with (
                connection.begin_nested()
                if connection.in_transaction()
                else connection.begin() as transaction
            ):
                assert (
                    connection.execute(statement, {name: values[name] for name in names}).rowcount
                    == 1
                )
                last = times[min(nights[-1] + 1, len(times) - 1)]
                where = table.c.recorded_at.between(times[nights[0]], last)
                link = hashes[nights[0] - 1] if nights[0] else FIRST
                # All of them, because a transaction that reads can't be rolled back.
                tables = list(dataset._read_in_order(connection, table, where))
                try:
                    list(verify_chain(split_nights(tables, KEY), KEY, link))
                except BrokenChainError:
                    num_found += 1
                transaction.rollback()
    print(f"{num_found} of {NUM_TRIALS} changes found")
    assert num_found == NUM_TRIALS


def test_query_of_the_page_returns_what_was_believed_on_a_day(full: Any, project: Path) -> None:
    """The same as from all rows with pandas."""
    (query,) = re.findall(
        r"```sql\n(.*?)```", (project / "docs/how-to/audit.md").read_text(), re.DOTALL
    )
    found = pd.DataFrame(
        full.read(query),
        columns=["unique_id", "ds", "cutoff", "recorded_at", "model_version", "y_hat"],
    )
    log = make_log(full.url).load()
    on_record = log[log["recorded_at"] <= "2024-02-03 00:00:00+00:00"].sort_values("recorded_at")
    expected = on_record.drop_duplicates(["unique_id", "ds"], keep="last").sort_values(
        ["unique_id", "ds"]
    )
    found = found.sort_values(["unique_id", "ds"])
    assert found["y_hat"].tolist() == expected["y_hat"].tolist()
    assert len(found) > HORIZON * NUM_SERIES


def test_first_night_that_is_broken_ends_the_reading(full: Any) -> None:
    """In the middle of the rows that the server sends; the connection is closed, and the log can be read again."""
    dataset = make_log(full.url)
    with full.admin.connect() as connection:
        connection.exec_driver_sql(
            "update forecasts set y_hat = 1 where recorded_at = (select min(recorded_at) from forecasts)"
        )
        connection.commit()
    for _ in range(2):
        chain, _ = audit_chain(dataset.iterate_nights())
        assert (chain["verdict"], chain["num_nights"]) == ("broken", 0)


def test_rows_of_before_the_chain_are_taken_over(
    database: Any, full: Any, file: ForecastLogDataset
) -> None:
    """And a change of one of them is found."""
    nights = list(make_nights())
    dataset = make_log(database.url)
    for night in nights[:3]:
        dataset.save(night)
    database.run("alter table forecasts drop column previous_sha256, drop column row_check")
    before = dataset.load()
    dataset.save(nights[3])
    after = dataset.load()
    pd.testing.assert_frame_equal(
        after[after["recorded_at"] < nights[3]["recorded_at"][0]].reset_index(drop=True), before
    )
    links = list(verify_chain(dataset.iterate_nights(), KEY))
    assert [(link.num_rows, link.is_linked) for link in links] == [
        (3 * NIGHT, False),
        (NIGHT, True),
    ]
    assert links[0].sha256.startswith(TAKEN_OVER)
    database.run(
        "update forecasts set y_hat = 0 where recorded_at = (select min(recorded_at) from forecasts)"
    )
    with pytest.raises(BrokenChainError, match="the night before it"):
        list(verify_chain(dataset.iterate_nights(), KEY))


def test_take_over_reads_the_columns_that_the_save_lacks(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first linked save is by a version with one level less; its hash takes longer than a writer may be idle."""
    first, second = list(make_nights())[:2]
    dataset = make_log(database.url)
    dataset.save(first)
    database.run("alter table forecasts drop column previous_sha256, drop column row_check")
    monkeypatch.setattr(postgres_table, "LOCK_SECONDS", 1)
    monkeypatch.setattr(
        postgres_rows, "find_link", lambda rows: [time.sleep(2), find_link(rows)][1]
    )
    dataset.save(second.drop(columns=["lo_95", "hi_95"]))
    links = list(verify_chain(dataset.iterate_nights(), KEY))
    assert [(link.num_rows, link.is_linked) for link in links] == [(NIGHT, False), (NIGHT, True)]


@pytest.mark.parametrize("setting", ["datestyle = 'German'", "extra_float_digits = 0"])
def test_settings_of_the_database_change_no_hash(
    database: Any, file: ForecastLogDataset, setting: str
) -> None:
    database.run(f"alter database {database.url.rpartition('/')[2]} set {setting}")
    dataset = make_log(database.url)
    nights = list(make_nights())[:2]
    for night in nights:
        dataset.save(night)
    assert list_hashes(dataset) == list_hashes(file)[:2]
    assert len(dataset.load()) == 2 * NIGHT
