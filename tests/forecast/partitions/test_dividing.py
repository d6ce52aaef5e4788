"""Panels that are too large for memory are divided into files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from damages import flip_bit
from rnn_pipelines.errors import MissingColumnsError, SeriesError
from rnn_pipelines.forecast.partitions import dividing as module
from rnn_pipelines.forecast.partitions import folders as partition_files
from rnn_pipelines.forecast.partitions import surveys
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, Sample, draw_sample
from rnn_pipelines.forecast.partitions.folders import LOCK, MANIFEST
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec

NUM_SERIES, NUM_STEPS = 30, 40


@pytest.fixture(autouse=True)
def remove_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all earlier runs were more than a day ago."""
    monkeypatch.setattr(partition_files, "KEPT_SECONDS", -1)


def make_table(seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "shop": np.repeat([f"shop {number}" for number in range(NUM_SERIES)], NUM_STEPS),
            "ds": np.tile(pd.date_range("2024-01-01", periods=NUM_STEPS), NUM_SERIES),
            "y": random.normal(100, 10, NUM_SERIES * NUM_STEPS).round(3),
            "price": random.uniform(1, 2, NUM_SERIES * NUM_STEPS).round(3),
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_table().to_parquet(tmp_path / "sales.parquet", index=False)
    return tmp_path / "sales.parquet"


def divide(
    path: Path,
    /,
    training_rows: int = 400,
    rows: int = 200,
    covariates: dict[str, Any] | None = None,
    **source: Any,
) -> Sample:
    spec = PartitionSpec(training_rows=training_rows, rows=rows)
    found = SourceSpec(**{"path": str(path), "id": "shop", **source})
    return draw_sample(found, CovariateSpec(**(covariates or {})), spec, path.parent / "partitions")


def read_all(part: Sample) -> tuple[pd.DataFrame, pd.DataFrame]:
    return read_series(part.source, part.covariates)


def list_panels(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name != LOCK]


def list_batches(table: pd.DataFrame) -> Iterator[pa.Table]:
    rows = pa.Table.from_pandas(table, preserve_index=False)
    return (rows.slice(start, 97) for start in range(0, max(1, len(rows)), 97))


class Rows:
    """The result of a query."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def read(self) -> pd.DataFrame:
        return self.table

    @contextmanager
    def open_counted(self) -> Iterator[tuple[int, Iterator[pa.Table]]]:
        yield len(self.table), list_batches(self.table)


def divide_rows(
    table: pd.DataFrame, folder: Path, covariates: dict[str, Any] | None = None, **source: Any
) -> Sample:
    spec = PartitionSpec(training_rows=400, rows=200)
    found = SourceSpec(**{"name": "catalog", "id": "shop", **source})
    return draw_sample(found, CovariateSpec(**(covariates or {})), spec, folder, Rows(table))


def test_small_panel_is_not_divided(path: Path) -> None:
    sample = divide(path, training_rows=NUM_SERIES * NUM_STEPS)
    partitions = sample.partitions
    source = sample.source
    assert len(partitions) == 0
    assert source.path == str(path)
    assert not (path.parent / "partitions").exists()


def test_missing_file_is_left_to_the_reader(path: Path) -> None:
    assert len(divide(path.with_name("none.parquet")).partitions) == 0


@pytest.mark.parametrize(
    "source", [{"id": None, "target": "price"}, {"path": None, "name": "seattle", "id": None}]
)
def test_series_alone_is_not_divided(path: Path, source: dict[str, Any]) -> None:
    assert len(divide(path, **source).partitions) == 0


def test_partitions_hold_all_series(path: Path) -> None:
    partitions = divide(path).partitions
    tables = [pd.read_parquet(file) for file in partitions.list_files()]
    names = [name for table in tables for name in table["shop"].unique()]
    assert sorted(names) == sorted(make_table()["shop"].unique())


def test_partitions_hold_all_rows(path: Path) -> None:
    partitions = divide(path).partitions
    tables = [pd.read_parquet(file) for file in partitions.list_files()]
    assert sum(map(len, tables)) == partitions.num_rows == NUM_SERIES * NUM_STEPS


def test_partitions_have_about_the_number_of_rows_asked_for(path: Path) -> None:
    partitions = divide(path).partitions
    assert len(partitions) == 6
    assert partitions.num_training == 2


def test_the_fit_reads_the_first_partitions(path: Path) -> None:
    sample = divide(path, covariates={"past": ["price"]})
    partitions = sample.partitions
    source = sample.source
    covariates = sample.covariates
    table, covariate_table = read_series(source, covariates)
    expected = pd.concat(pd.read_parquet(file) for file in partitions.list_files()[:2])
    assert set(table["unique_id"]) == set(expected["shop"])
    assert covariate_table["price"].sum() == pytest.approx(expected["price"].sum())


def test_the_log_warns_that_the_fit_reads_a_part(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    sample = divide(path)
    partitions = sample.partitions
    source = sample.source
    num_fitted = read_series(source, CovariateSpec())[0]["unique_id"].nunique()
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert f"{num_fitted} series" in warning
    assert f"training_rows above {partitions.num_rows}" in warning


def divide_with_more(path: Path, has_id: bool) -> Sample:
    """With values of a covariate in another file, for later days too."""
    more = make_table(1).assign(ds=lambda table: table["ds"] + pd.Timedelta(days=NUM_STEPS))
    more = more.drop(columns="y") if has_id else more.drop(columns=["y", "shop"])[:NUM_STEPS]
    more.to_parquet(path.with_name("prices.parquet"), index=False)
    return divide(
        path, covariates={"future": ["price"], "path": str(path.with_name("prices.parquet"))}
    )


def test_more_values_of_covariates_are_divided_if_they_have_a_series(path: Path) -> None:
    sample = divide_with_more(path, has_id=True)
    assert sample.partitions.has_covariates
    for number in range(len(sample.partitions)):
        table, covariate_table = read_all(sample.select(number))
        assert set(covariate_table["unique_id"]) == set(table["unique_id"])
        assert len(covariate_table) == 2 * len(table)


def test_more_values_of_covariates_without_a_series_are_not_divided(path: Path) -> None:
    sample = divide_with_more(path, has_id=False)
    assert not sample.partitions.has_covariates
    assert sample.covariates.path == str(path.with_name("prices.parquet"))


def test_rows_of_csv_files_are_counted_without_their_headers(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = path.parent / "days"
    folder.mkdir()
    for number, (_, rows) in enumerate(make_table().groupby("ds")):
        rows.to_csv(folder / f"{number}.csv", index=False)
    with caplog.at_level("INFO"):
        divide(folder)
    assert f"{NUM_SERIES * NUM_STEPS:,} rows" in caplog.text


def test_unchanged_table_is_divided_once(path: Path) -> None:
    first = divide(path).partitions
    times = [file.stat().st_mtime_ns for file in first.list_files()]
    second = divide(path).partitions
    assert second == first
    assert [file.stat().st_mtime_ns for file in second.list_files()] == times


def test_interrupted_table_is_divided_again(path: Path) -> None:
    first = divide(path).partitions
    assert first.folder is not None
    (first.folder / MANIFEST).unlink()
    first.list_files()[0].write_bytes(b"half a file")
    second = divide(path).partitions
    assert sum(len(pd.read_parquet(file)) for file in second.list_files()) == NUM_SERIES * NUM_STEPS


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_table_with_another_value_but_the_same_stamp_is_divided_again(
    tmp_path: Path, kind: str
) -> None:
    """A copy may keep the times of the files; the size is the same."""
    path = tmp_path / f"sales.{kind}"
    table = make_table().round({"y": 1, "price": 1})
    times = (10**9, 10**9)

    def write() -> int:
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(
            path, index=False, compression=None
        )
        os.utime(path, times)
        return path.stat().st_size

    size = write()
    first = divide(path).partitions
    table.loc[500, "y"] += 0.1
    assert write() == size
    second = divide(path).partitions
    assert second.folder != first.folder
    assert (
        sum(pd.read_parquet(file)["y"].astype(float).sum() for file in second.list_files())
        == table["y"].sum()
    )


def test_files_of_another_version_of_the_code_are_not_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = divide(path).partitions
    monkeypatch.setattr(module, "fingerprint_code", lambda: "another")
    assert divide(path).partitions.folder != first.folder


@pytest.mark.parametrize("number", [0, 5])
def test_changed_partition_is_written_again(
    path: Path, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    first = divide(path).partitions
    damaged = first.list_files()[number]
    content = damaged.read_bytes()
    flip_bit(damaged)
    assert divide(path).partitions == first
    assert damaged.read_bytes() == content
    assert f"{damaged.parent.name}/{damaged.name}'] changed after it was written" in caplog.text


def test_file_of_somebody_else_among_the_partitions_is_named(path: Path) -> None:
    """The files of the sample are read together."""
    first = divide(path).partitions
    mine = first.list_files()[0].with_name("mine.parquet")
    make_table(1).to_parquet(mine, index=False)
    with pytest.raises(SeriesError, match=r"rows/training/mine\.parquet.*Move them away"):
        divide(path)
    assert mine.exists()


def test_rows_that_are_not_written_or_read_are_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = vars(surveys)["scatter_rows"]

    def lose_one(batches: Any, *given: Any) -> Any:
        return write((batch.slice(1) for batch in batches), *given)

    monkeypatch.setattr(surveys, "scatter_rows", lose_one)
    with pytest.raises(SeriesError, match=r"expected 1,200 rows, found 1,198"):
        divide(path)
    assert list_panels(path.parent / "partitions") == []
    monkeypatch.undo()
    read = vars(surveys)["read_batches"]
    monkeypatch.setattr(
        surveys, "read_batches", lambda *given: (batch.slice(1) for batch in read(*given))
    )
    with pytest.raises(SeriesError, match=r"expected 1,200 rows, found 1,199"):
        divide(path)


def test_query_with_another_number_of_rows_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def open_counted(self: Rows) -> Iterator[tuple[int, Iterator[pa.Table]]]:
        yield len(self.table) + 1, list_batches(self.table)

    monkeypatch.setattr(Rows, "open_counted", open_counted)
    with pytest.raises(SeriesError, match=r"expected 1,201 rows, found 1,200"):
        divide_rows(make_table(), tmp_path)


def test_file_that_changes_while_it_is_read_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Part of its rows may be those of the earlier content."""
    scatter = vars(surveys)["scatter_rows"]

    def scatter_before_a_change(*given: Any) -> Any:
        counts = scatter(*given)
        make_table(3).to_parquet(path, index=False)
        return counts

    with monkeypatch.context() as patched:
        patched.setattr(surveys, "scatter_rows", scatter_before_a_change)
        with pytest.raises(SeriesError, match="changed while it was read"):
            divide(path)
    found = divide(path).partitions
    expected = make_table(3)["y"].sum()
    assert sum(pd.read_parquet(file)["y"].sum() for file in found.list_files()) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("change", ["table", "parameters"])
def test_changed_panel_replaces_the_files_of_the_earlier_one(path: Path, change: str) -> None:
    first = divide(path).partitions
    assert first.folder is not None
    if change == "table":
        make_table(2)[:-NUM_STEPS].to_parquet(path, index=False)
    second = divide(path, rows=200 if change == "table" else 100).partitions
    assert second.folder != first.folder
    assert not first.folder.exists()


def test_old_results_are_removed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of earlier champions on the same table."""
    found = divide(path).partitions
    assert found.folder is not None
    results = [found.folder / f"results-{letter * 16}" for letter in "ab"]
    for folder in results:
        (folder / "00000").mkdir(parents=True)
        (folder / "00000" / "facts.json").write_text("{}")
    (results[1] / "notes.txt").write_text("mine")
    monkeypatch.setattr(partition_files, "KEPT_SECONDS", 60)
    divide(path)
    assert all((folder / "00000").exists() for folder in results)
    monkeypatch.setattr(partition_files, "KEPT_SECONDS", -1)
    assert divide(path).partitions == found
    assert [folder.exists() for folder in results] == [False, True]
    assert [file.name for file in results[1].iterdir()] == ["notes.txt"]


def test_files_that_another_run_may_use_stay(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = divide(path).partitions
    monkeypatch.setattr(partition_files, "KEPT_SECONDS", 60)
    divide(path, rows=100)
    assert all(file.exists() for file in first.list_files())


@pytest.mark.parametrize("fails", [True, False])
def test_two_divisions_at_once_leave_whole_files(
    path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """One begins while the other one is at work, and may be interrupted after it has ended."""
    write = vars(surveys)["scatter_rows"]

    def scatter_during_another(*given: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(partition_files, "KEPT_SECONDS", 60)
            patched.setattr(surveys, "scatter_rows", write)
            divide(path)
        counts = write(*given)
        if fails:
            raise KeyboardInterrupt
        return counts

    with monkeypatch.context() as patched:
        patched.setattr(surveys, "scatter_rows", scatter_during_another)
        with pytest.raises(KeyboardInterrupt) if fails else nullcontext():
            divide(path)
    found = divide(path).partitions
    assert found.folder is not None
    assert sum(len(pd.read_parquet(file)) for file in found.list_files()) == NUM_SERIES * NUM_STEPS
    assert list_panels(found.folder.parent) == [found.folder.name]


def test_files_of_others_stay(path: Path) -> None:
    first = divide(path).partitions
    assert first.folder is not None
    own = [
        first.folder / "rows" / "training" / "notes.parquet",
        first.folder.parent / "mine" / "rows.parquet",
    ]
    own += [first.folder / "results-0" / "facts.json", first.folder.parent / "read.me"]
    for file in own:
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    outside = path.with_name("other")
    outside.mkdir()
    (outside / MANIFEST).write_text("mine")
    (first.folder.parent / ("0" * 16)).symlink_to(outside)
    divide(path, rows=100)
    assert [file.read_text() for file in [*own, outside / MANIFEST]] == ["mine"] * 5
    assert not any(file.exists() for file in first.list_files())


def test_missing_column_is_an_error_of_the_source(path: Path) -> None:
    with pytest.raises(MissingColumnsError, match="sold"):
        divide(path, target="sold")


def test_time_in_two_columns_is_divided(path: Path) -> None:
    table = make_table().assign(hour=0).rename(columns={"ds": "day"})
    table.to_parquet(path, index=False)
    sample = divide(path, time="day+hour")
    found = [read_all(sample.select(number))[0] for number in range(len(sample.partitions))]
    assert pd.concat(found)["ds"].nunique() == NUM_STEPS


def test_query_is_divided_into_the_files_of_a_table(path: Path) -> None:
    given = {"covariates": {"future": ["price"]}}
    of_file = divide(path, **given).partitions
    sample = divide_rows(make_table(), path.parent / "query", **given)
    of_query = sample.partitions
    source = sample.source
    assert (len(of_query), of_query.num_training, of_query.num_rows) == (
        6,
        2,
        NUM_SERIES * NUM_STEPS,
    )
    assert source.path == str(of_query.list_files()[0].parent)
    for one, other in zip(of_query.list_files(), of_file.list_files(), strict=True):
        pd.testing.assert_frame_equal(pd.read_parquet(one), pd.read_parquet(other))


@pytest.mark.parametrize(
    "source", [{"id": None, "target": "price"}, {"name": "seattle", "id": None}]
)
def test_query_without_series_is_not_divided(tmp_path: Path, source: dict[str, Any]) -> None:
    assert len(divide_rows(make_table(), tmp_path, **source).partitions) == 0


def test_small_query_is_not_divided(tmp_path: Path) -> None:
    assert len(divide_rows(make_table()[:400], tmp_path).partitions) == 0
    assert list(tmp_path.iterdir()) == []


def test_missing_column_of_a_query_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingColumnsError) as error:
        divide_rows(make_table(), tmp_path, target="sold")
    assert error.value.missing == ["sold"]


def test_results_of_unchanged_rows_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_files, "KEPT_SECONDS", 60)
    first = divide_rows(make_table(), tmp_path).partitions
    assert first.folder is not None
    (first.folder / "results-0123456789abcdef/00000").mkdir(parents=True)
    results = first.folder / "results-0123456789abcdef/00000/facts.json"
    results.write_text("{}")
    second = divide_rows(make_table(), tmp_path).partitions
    assert second == first
    assert results.exists()
    assert list_panels(tmp_path) == [first.folder.name]


@pytest.mark.parametrize("change", ["a value", "the covariates"])
def test_results_of_changed_rows_are_removed(tmp_path: Path, change: str) -> None:
    table = make_table()
    prices = tmp_path / "prices.csv"
    table[["ds", "price"]][:NUM_STEPS].to_csv(prices, index=False)
    given = {"covariates": {"future": ["price"], "path": str(prices)}}
    first = divide_rows(table, tmp_path / "partitions", **given).partitions
    if change == "a value":
        table.loc[len(table) - 1, "y"] += 1
    else:
        table[["ds", "price"]][: NUM_STEPS - 1].to_csv(prices, index=False)
    second = divide_rows(table, tmp_path / "partitions", **given).partitions
    assert second.folder != first.folder
    assert list_panels(tmp_path / "partitions") == [second.folder.name]


def test_interrupted_division_of_a_query_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            divide_rows(make_table(), tmp_path)
    assert list_panels(tmp_path) == []
    found = divide_rows(make_table()[NUM_STEPS:], tmp_path).partitions
    assert list_panels(tmp_path) == [found.folder.name]
    assert (
        sum(len(pd.read_parquet(file)) for file in found.list_files())
        == (NUM_SERIES - 1) * NUM_STEPS
    )


def raise_interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_sample_without_a_series_is_an_error_in_each_run(tmp_path: Path) -> None:
    """Few long series leave some ranges of the hash without any; one row is fewer than any series has."""
    path = tmp_path / "sales.parquet"
    days = pd.date_range("2024-01-01", periods=400)
    pd.DataFrame({"id": "a", "ds": days, "y": 1.0}).to_parquet(path, index=False)
    source = SourceSpec(path=str(path), id="id")
    for _ in range(2):
        with pytest.raises(SeriesError, match="training_rows above 400"):
            draw_sample(source, CovariateSpec(), PartitionSpec(training_rows=10, rows=10), tmp_path)
