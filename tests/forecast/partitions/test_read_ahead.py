"""CSV files of a folder, read by other processes: the divided files are those of one process."""

import hashlib
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path

import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.partitions import read_ahead
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, draw_sample
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from shops import make_shops

SPEC = PartitionSpec(training_rows=500, rows=400)


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "count_workers", lambda _: 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Months with titles above the header, another decimal sign and a footer, as reports have them."""
    table = make_shops(12, 120, 7)
    months = table["ds"].dt.strftime("%Y-%m")
    table["ds"] = table["ds"].dt.strftime("%d.%m.%Y")
    folder = tmp_path / "months"
    folder.mkdir()
    for month, rows in table.groupby(months):
        text = rows.to_csv(sep=";", decimal=",", index=False)
        (folder / f"{month}.csv").write_text(f"Sales of {month}\n\n{text}\n", encoding="cp1252")
    return folder


def divide(path: Path, folder: Path, spec: PartitionSpec = SPEC) -> str:
    """Return one sha256 of all divided files."""
    folder.mkdir()
    draw_sample(SourceSpec(path=str(path), id="shop"), CovariateSpec(), spec, folder)
    files = sorted(folder.rglob("*.parquet"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def test_files_are_those_of_one_process(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = divide(path, tmp_path / "alone")
    monkeypatch.setattr(read_ahead, "MIN_BYTES", 0)
    assert divide(path, tmp_path / "ahead") == alone


def test_files_that_were_read_are_removed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "MIN_BYTES", 0)
    divide(path, tmp_path / "ahead")
    assert list(tmp_path.rglob("*.arrow")) == []


def test_fault_of_a_file_has_the_words_of_one_process(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path / "2024-03.csv").write_text("shop;ds;sold\nshop 1;01.03.2024;1,5\n")
    with pytest.raises(SeriesError) as alone:
        divide(path, tmp_path / "alone")
    monkeypatch.setattr(read_ahead, "MIN_BYTES", 0)
    with pytest.raises(SeriesError) as ahead:
        divide(path, tmp_path / "ahead")
    assert str(ahead.value) == str(alone.value)


def test_file_of_a_lost_process_is_read_here(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lost:
        def submit(self, *_: object) -> Future:
            future: Future = Future()
            future.set_exception(BrokenExecutor())
            return future

    alone = divide(path, tmp_path / "alone")
    monkeypatch.setattr(read_ahead, "MIN_BYTES", 0)
    monkeypatch.setattr(read_ahead, "get_executor", lambda _: Lost())
    assert divide(path, tmp_path / "ahead") == alone


@pytest.mark.slow
def test_large_folder_is_that_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the real size, with long texts in a column that nobody reads."""
    folder = tmp_path / "large"
    folder.mkdir()
    for month in range(1, 5):
        rows = [
            f"shop {shop},2024-{month:02d}-{day:02d},{shop + day},{'x' * 500}\n"
            for day in range(1, 29)
            for shop in range(5_000)
        ]
        (folder / f"{month}.csv").write_text("".join(["shop,ds,y,text\n", *rows]))
    spec = PartitionSpec(training_rows=200_000, rows=100_000)
    assert read_ahead.is_read_ahead(sorted(folder.iterdir()))
    ahead = divide(folder, tmp_path / "ahead", spec)
    monkeypatch.setattr(read_ahead, "MIN_BYTES", 1 << 40)
    assert divide(folder, tmp_path / "alone", spec) == ahead
