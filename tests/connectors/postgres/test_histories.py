"""Small histories of two writers whose connections are cut and whose clocks jump: the log in a table stays one chain.

`RNN_FUZZ_POSTGRES` says how many.
"""

import os
import random
import threading
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from kedro.io import DatasetError

from chain_of_log import verify
from rnn_pipelines.datasets import PostgresLogDataset
from tampering import KEY

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

NUM_HISTORIES = int(os.environ.get("RNN_FUZZ_POSTGRES", "10"))
NUM_NIGHTS = 4
CHECKS = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'forecaster'"


def make_night(source: random.Random, night: int) -> pd.DataFrame:
    """Forecasts of two series, recorded by a clock that jumps."""
    cutoff = pd.Timestamp("2024-01-01") + pd.Timedelta(days=night)
    recorded = cutoff + pd.Timedelta(hours=source.choice([25, 25, 25, -400, 400]))
    return pd.DataFrame(
        {
            "unique_id": ["a", "a", "b", "b"],
            "cutoff": cutoff,
            "ds": pd.date_range(cutoff + pd.Timedelta(days=1), periods=2).tolist() * 2,
            "horizon_step": [1, 2, 1, 2],
            "y_hat": [source.random() for _ in range(4)],
            "model_version": "v1",
            "recorded_at": recorded.tz_localize("UTC") + pd.Timedelta(microseconds=night),
        }
    )


def save(url: str, table: str, night: pd.DataFrame, saved: list[bool]) -> None:
    dataset = PostgresLogDataset(table=table, key=KEY, credentials={"con": url})
    try:
        dataset.save(night)
        saved.append(True)
    except DatasetError:
        saved.append(False)


def run_history(database: Any, table: str, seed: int) -> str | None:
    """Let two writers save each night, cut some of their connections, and save again what broke off."""
    source = random.Random(seed)
    for number in range(NUM_NIGHTS):
        nights = [make_night(source, 2 * number + writer) for writer in range(2)]
        saved: list[bool] = []
        writers = [
            threading.Thread(target=save, args=(database.url, table, night, saved))
            for night in nights
        ]
        for writer in writers:
            writer.start()
        if source.random() < 0.5:
            writers[0].join(source.uniform(0, 0.03))
            database.read(CHECKS)
        for writer in writers:
            writer.join()
        for night in nights:
            # A scheduler repeats each; what is on record already is not added.
            save(database.url, table, night, saved)
        if not all(saved[2:]):
            return f"seed {seed}, night {number}: a repeated save failed"
    with database.admin.connect() as connection:
        log = pd.read_sql(sa.text(f'select * from "{table}"'), connection)
    log = log.sort_values(["recorded_at", *KEY[:-1]], ignore_index=True)
    problems = list(verify(log))
    if len(log) != 2 * 4 * NUM_NIGHTS or log.duplicated(KEY[:-1]).any():
        problems.append(f"{len(log)} rows")
    return f"seed {seed}: {problems}" if problems else None


def test_every_history_leaves_one_chain(database: Any) -> None:
    failures = [run_history(database, f"log_{seed}", seed) for seed in range(NUM_HISTORIES)]
    assert [failure for failure in failures if failure] == []
