"""One flipped bit in any file of a store is reported, or the values that are read are the same.

`RNN_FUZZ_FLIPS` says how many bits of each file; a failure names the file and the bit.
"""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from rnn_pipelines.champion.history import add_record, read_history
from rnn_pipelines.champion.outcome import save_outcome
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import RnnPipelinesError
from rnn_pipelines.forecast.datasets import ForecastLogDataset
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, Sample, draw_sample
from rnn_pipelines.forecast.partitions.jobs import NEXT_VALUES, run_jobs
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

NUM_FLIPS = int(os.environ.get("RNN_FUZZ_FLIPS", "3"))
NUM_SERIES, NUM_STEPS = 12, 30

Read = Callable[[Path], Any]


def write_champion(folder: Path) -> Read:
    """Three versions, the first two of which were champions, and a record of another kind."""
    store = ChampionStore(folder)
    for number in range(3):
        files = {
            "settings.json": b'{"format": 3, "units": %d}' % number,
            "model.npz": bytes(range(number, 200)),
        }
        record: Any = {
            "kind": "retrain",
            "is_promoted": number < 2,
            "reasons": [f"it is {number} better"],
        }
        save_outcome(
            store,
            files,
            record | {"metrics": {"challenger": {"loss": 1.25}}},
            "2026-01-31T02:00:00+00:00",
        )
    add_record(folder, {"kind": "alarm", "is_promoted": False, "reasons": ["the error is large"]})
    keys = {record["record"]: list(record) for record in read_history(folder)}

    def read(folder: Path) -> Any:
        store = ChampionStore(folder)
        champion = store.load()
        if champion.alarms:
            raise RnnPipelinesError(str(champion.alarms))
        # A key that no reader knows is harmless.
        records = [
            {key: record.get(key) for key in keys[record["record"]]}
            for record in store.list_records()
        ]
        versions = {name: store.read_version(name) for name in store.list_versions()}
        return champion, store.read_pointer(), records, versions

    return read


def write_log(folder: Path) -> Read:
    """Forecasts of two nights."""
    random_numbers = np.random.default_rng(0)

    def find(folder: Path) -> ForecastLogDataset:
        return ForecastLogDataset(filepath=str(folder / "forecasts.parquet"))

    for night in (1, 2):
        cutoff = pd.Timestamp("2024-01-01", tz="Europe/Berlin") + pd.Timedelta(days=night)
        rows = {
            "unique_id": np.repeat(["north", "south"], 7),
            "cutoff": cutoff,
            "ds": [*pd.date_range(cutoff, periods=8)[1:]] * 2,
            "horizon_step": [*range(1, 8)] * 2,
            "y_hat": random_numbers.normal(100, 10, 14),
            "lo_80": random_numbers.normal(80, 10, 14),
            "model_version": "2024-01-01T00.00.00.000000Z-abcdef",
            "recorded_at": pd.Timestamp("2024-02-01", tz="UTC"),
        }
        find(folder).save(pd.DataFrame(rows))
    return lambda folder: describe(find(folder).load())


class Sums:
    """Writes the sums of the series of a partition."""

    def pack(self) -> dict[str, bytes]:
        return {}

    def write(self, partition: Sample, folder: Path) -> dict[str, Any]:
        sums = pd.read_parquet(str(partition.source.path)).groupby("shop")["y"].sum()
        sums.reset_index().to_parquet(folder / NEXT_VALUES)
        return {
            "num_series": len(sums),
            "left_out": [f"like {name}" for name in sums.index],
            "total": sums.sum(),
        }


def write_divided(folder: Path) -> Read:
    """A panel and its covariates in three partitions, and their results."""
    names = [f"shop {number}" for number in range(NUM_SERIES)]
    days = pd.date_range("2024-01-01", periods=NUM_STEPS)
    table = pd.DataFrame({"shop": np.repeat(names, NUM_STEPS), "ds": np.tile(days, NUM_SERIES)})
    values = np.random.default_rng(0).normal(100, 10, (2, len(table)))
    paths = [folder.with_name(f"{name}.parquet") for name in ("sales", "prices")]
    table.assign(y=values[0], price=values[1]).to_parquet(paths[0])
    table.assign(price=values[1]).to_parquet(paths[1])

    def read(folder: Path) -> Any:
        given = (
            SourceSpec(path=str(paths[0]), id="shop"),
            CovariateSpec(future=["price"], path=str(paths[1])),
        )
        sample = draw_sample(*given, PartitionSpec(training_rows=120, rows=120), folder)
        partitions = sample.partitions
        folders, facts = run_jobs(Sums(), sample, ParallelSpec(workers=1))
        files = [*partitions.list_files(), *partitions.list_files("covariates")]
        files += [folder / NEXT_VALUES for folder in folders]
        return partitions.counts, facts, [describe(pd.read_parquet(file)) for file in files]

    read(folder)
    return read


def describe(table: pd.DataFrame) -> tuple[str, ...]:
    """Return all values of a table, with their types."""
    numbers = {
        name: column.to_numpy().tobytes() for name, column in table.select_dtypes("number").items()
    }
    return table.to_csv(), str(table.dtypes), str(numbers)


@pytest.mark.parametrize(
    "write", [write_champion, write_log, pytest.param(write_divided, marks=pytest.mark.slow)]
)
def test_flipped_bit_is_reported_or_harmless(
    write: Callable[[Path], Read],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    whole = tmp_path / "whole"
    folder = tmp_path / "store"
    # The name of the store is the same, because paths are part of some files.
    read = write(folder)
    shutil.copytree(folder, whole)
    expected = read(folder)
    names = [
        file.relative_to(whole)
        for file in sorted(whole.rglob("*"))
        if file.is_file() and file.stat().st_size
    ]
    num_reported = 0
    for name in names:
        for number in range(NUM_FLIPS):
            shutil.rmtree(folder)
            shutil.copytree(whole, folder)
            caplog.clear()
            content = bytearray((folder / name).read_bytes())
            bit = random.Random(f"{name.name} {number}").randrange(8 * len(content))
            content[bit // 8] ^= 1 << bit % 8
            (folder / name).write_bytes(content)
            try:
                is_same = read(folder) == expected
                is_reported = any(
                    record.levelname in ("WARNING", "ERROR") for record in caplog.records
                )
            except (RnnPipelinesError, DatasetError):
                is_same, is_reported = False, True
            except Exception as error:
                error.add_note(f"{name}, bit {bit}")
                raise
            assert is_same or is_reported, f"{name}, bit {bit}"
            # A divided panel is divided again.
            assert is_same or write is not write_divided, f"{name}, bit {bit}"
            num_reported += is_reported
    print(
        f"{write.__name__}: {len(names)} files, {NUM_FLIPS} bits of each: {num_reported} reported"
    )
    assert num_reported > 0.9 * len(names) * NUM_FLIPS
