"""Parts of a divided panel, forecast one at a time and joined: the bytes of one run."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fsspec.core import url_to_fs
from fsspec.implementations.memory import MemoryFileSystem

from damages import flip_bit
from killed_parts import kill_at_random
from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.records import dump_plain, make_plain
from rnn_pipelines.errors import ParameterError, RunError, RunStopped, SeriesError
from rnn_pipelines.forecast.fitting import Fitted, fit_forecasters, make_champion
from rnn_pipelines.forecast.parameters import read_parameter_models
from rnn_pipelines.forecast.partitions.champion import PredictSpec, forecast_all_newest
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, Sample, draw_sample
from rnn_pipelines.forecast.partitions.fitted import (
    FittedPanel,
    describe_fit,
    forecast_all_partitions,
)
from rnn_pipelines.forecast.partitions.folders import OWN_FILES, remove_panel
from rnn_pipelines.forecast.partitions.parts import forecast_part, join_parts
from rnn_pipelines.forecast.partitions.totals import PanelTotals
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.storage.table_groups import write_tables
from shops import make_shops

HORIZON = 7
NUM_PARTS = 4
ALONE = ParallelSpec(workers=1)
COVARIATES = {"future": ["price"], "static": ["kind"]}
TOTALS = PanelTotals(TotalsSpec(["all", "kind"]), 20)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of CSV files as spreadsheets of some countries write them, with 40 columns that nobody reads."""
    folder = tmp_path_factory.mktemp("panel")
    table = make_shops(12, 120, HORIZON)
    days = table["ds"]
    table["ds"] = days.dt.strftime("%d.%m.%Y")
    random = np.random.default_rng(0)
    for number in range(40):
        table[f"column {number}"] = random.normal(size=len(table)).round(3)
    for month, rows in table.groupby(days.dt.strftime("%Y-%m")):
        rows.to_csv(folder / f"{month}.csv", sep=";", decimal=",", index=False, encoding="cp1252")
    return folder


@pytest.fixture(scope="module")
def whole(path: Path) -> Fitted:
    given = {
        "source": {"path": str(path), "id": "shop"},
        "covariates": COVARIATES,
        "window": {"horizon": HORIZON, "lookback": 21},
        "evaluation": {"origins": "last"},
        "pretrained": {"is_alone": True},
        "level": (80,),
    }
    spec = read_parameter_models(given, source=SourceSpec)
    return fit_forecasters(*read_series(spec.source, spec.covariates), spec)


@pytest.fixture(scope="module")
def fit(whole: Fitted) -> FittedPanel:
    parts = whole.panel, whole.data.linear, whole.methods, whole.intervals
    return replace(describe_fit(whole.spec, *parts, whole.weights["used"]), totals=TOTALS)


@pytest.fixture(scope="module")
def of_one_run(
    fit: FittedPanel, path: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The sha256 of each result of all series, as a run in one process saves them."""
    folder = tmp_path_factory.mktemp("one run")
    panel = divide(path, folder / "partitions")
    next_values, by_series, summary, totals = forecast_all_partitions(fit, panel, ALONE)
    for name, tables in (("all_next_values", next_values), ("all_metrics_by_series", by_series)):
        with (folder / f"{name}.parquet").open("wb") as file:
            write_tables(tables, file)
    totals.to_parquet(folder / "next_totals.parquet")
    (folder / "all_series.json").write_bytes(dump_plain(make_plain(summary)))
    return take_sums(folder)


def divide(path: Path, folder: Path, **options: Any) -> Sample:
    folder.mkdir(exist_ok=True)
    spec = PartitionSpec(training_rows=500, rows=400, **options)
    source = SourceSpec(path=str(path), id="shop")
    return draw_sample(
        source, CovariateSpec(**COVARIATES), spec, folder, totals=TotalsSpec(["kind"])
    )


def take_sums(folder: Path) -> dict[str, str]:
    files = [file for file in folder.iterdir() if file.is_file() and file.name != "facts.json"]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def stop(fit: FittedPanel, path: Path, folder: Path, **options: Any) -> str:
    """Divide the panel and write the fit; return the folder or address for the parts."""
    with pytest.raises(RunStopped, match=r"rnn-pipelines part \S+ --index N") as stopped:
        forecast_all_partitions(fit, divide(path, folder, stop="fit", **options), ALONE)
    return str(stopped.value).removesuffix(".").rpartition(" ")[2]


@pytest.fixture(scope="module")
def all_parts(fit: FittedPanel, path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the results of all parts, which were forecast in a random order, some of them twice."""
    address = stop(fit, path, tmp_path_factory.mktemp("partitions"))
    for index in np.random.default_rng(0).permutation(2 * NUM_PARTS) // 2:
        forecast_part(address, int(index))
    return find_results(Path(address))


def find_results(folder: Path) -> Path:
    (results,) = folder.glob("*/results-*")
    return results


@pytest.fixture
def results(all_parts: Path, tmp_path: Path) -> Path:
    """A copy of all parts."""
    shutil.copytree(all_parts.parent, tmp_path / all_parts.parent.name)
    return tmp_path / all_parts.parent.name / all_parts.name


def start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rnn_pipelines.console.main", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_parts_in_any_order_and_twice_are_the_bytes_of_one_run(
    results: Path, of_one_run: dict[str, str]
) -> None:
    assert take_sums(Path(join_parts(str(results)))) == of_one_run


@pytest.mark.slow
def test_two_processes_at_once_write_the_bytes_of_one_run(
    results: Path, of_one_run: dict[str, str]
) -> None:
    shutil.rmtree(results / "00000")
    for arguments in (("part", results, "--index", 0), ("join", results)):
        processes = [start(*arguments) for _ in range(2)]
        assert [process.wait() for process in processes] == [0, 0]
    assert take_sums(results / "joined") == of_one_run


def test_run_after_the_parts_uses_them(
    fit: FittedPanel, path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FittedPanel, "write", None)
    summary = forecast_all_partitions(fit, divide(path, results.parents[1]), ALONE).summary
    assert summary["num_series"] == 12


def test_missing_part_is_named_with_its_command(results: Path) -> None:
    shutil.rmtree(results / "00001")
    with pytest.raises(
        RunError, match=rf"1 part of 4 .*\[1\]\. Run rnn-pipelines part {results} --index 1, then"
    ):
        join_parts(str(results))


def test_index_beyond_the_last_part_forecasts_no_series(results: Path) -> None:
    assert forecast_part(str(results), NUM_PARTS) == 0


def test_negative_index_names_the_range(results: Path) -> None:
    with pytest.raises(ParameterError, match="--index: expected 0 to 3, received -1"):
        forecast_part(str(results), -1)


def test_folder_without_a_fit_names_the_run_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"forecast\.partitions\.stop=fit names"):
        forecast_part(str(tmp_path), 0)


def test_changed_fit_forecasts_no_part(results: Path) -> None:
    flip_bit(results / "fit/fitted.npz")
    with pytest.raises(SeriesError, match=r"fitted\.npz"):
        forecast_part(str(results), 0)


def test_panel_that_is_not_divided_has_no_parts(path: Path, tmp_path: Path) -> None:
    spec = PartitionSpec(stop="fit")
    source = SourceSpec(path=str(path), id="shop")
    with pytest.raises(ParameterError, match="training_rows below"):
        draw_sample(source, CovariateSpec(), spec, tmp_path)


def test_all_files_of_parts_are_removed_with_their_panel(results: Path) -> None:
    join_parts(str(results))
    shutil.copytree(results / "00000", results / ".00000.abcd_123")
    remove_panel(results.parent)
    assert not results.parent.exists()


def test_fit_is_the_same_after_it_is_packed(fit: FittedPanel) -> None:
    packed = fit.pack()
    assert all(OWN_FILES.fullmatch(f"results-{'0' * 16}/fit/{name}") for name in packed)
    assert FittedPanel.unpack(packed).pack() == packed


def test_parts_of_a_champion_are_the_bytes_of_one_run(
    whole: Fitted, path: Path, tmp_path: Path
) -> None:
    champion = LoadedChampion("v1", make_champion(whole), "", (), {})
    spec = PredictSpec(as_of="2024-04-25")
    tables, summary, _ = forecast_all_newest(champion, divide(path, tmp_path), spec, ALONE)
    with (tmp_path / "expected.parquet").open("wb") as file:
        write_tables(tables, file)
    again = tmp_path / "again"
    with pytest.raises(RunStopped):
        forecast_all_newest(champion, divide(path, again, stop="fit"), spec, ALONE)
    for index in range(NUM_PARTS):
        forecast_part(str(again), index)
    sums = take_sums(Path(join_parts(str(again))))
    assert sums["all_next_values.parquet"] == take_sums(tmp_path)["expected.parquet"]
    assert sums["all_series.json"] == hashlib.sha256(dump_plain(make_plain(summary))).hexdigest()


def forecast_remotely(fit: FittedPanel, path: Path, folder: Path, address: str) -> dict[str, str]:
    """Return the sha256 of each joined result in a store, from parts that processes without the panel have forecast."""
    assert stop(fit, path, folder, address=address) == address
    shutil.rmtree(folder)
    for index in (2, 0, 3, 1, 1):
        forecast_part(address, index)
    store, root = url_to_fs(join_parts(address))
    store.get(root, str(folder), recursive=True)
    return take_sums(folder)


def test_parts_in_a_store_without_renames_are_the_bytes_of_one_run(
    fit: FittedPanel, path: Path, tmp_path: Path, of_one_run: dict[str, str]
) -> None:
    address = f"memory://{tmp_path.name}/nights"
    assert forecast_remotely(fit, path, tmp_path / "nights", address) == of_one_run


def test_part_whose_manifest_was_not_sent_is_missing(
    fit: FittedPanel, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process was killed before: all other files of the part are sent first."""
    address = stop(fit, path, tmp_path, address=f"memory://{tmp_path.name}")
    put = MemoryFileSystem.put_file

    def put_or_end(store: Any, file: str, *given: Any, **options: Any) -> None:
        if Path(file).name == "facts.json":
            raise KeyboardInterrupt
        put(store, file, *given, **options)

    monkeypatch.setattr(MemoryFileSystem, "put_file", put_or_end)
    with pytest.raises(KeyboardInterrupt):
        forecast_part(address, 0)
    with pytest.raises(RunError, match=r"4 parts of 4 have no results"):
        join_parts(address)


def test_address_that_cannot_be_written_says_so(
    fit: FittedPanel, path: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="Check the address, and the credentials"):
        forecast_all_partitions(
            fit, divide(path, tmp_path, stop="fit", address="unknown://x"), ALONE
        )


@pytest.mark.slow
def test_parts_in_s3_are_the_bytes_of_one_run(
    fit: FittedPanel,
    path: Path,
    tmp_path: Path,
    of_one_run: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-a-test")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        url_to_fs("s3://bucket")[0].mkdir("bucket")
        address = "s3://bucket/nights"
        assert forecast_remotely(fit, path, tmp_path / "nights", address) == of_one_run
    finally:
        server.stop()


@pytest.mark.slow
def test_ray_forecasts_the_bytes_of_one_run(
    fit: FittedPanel, path: Path, tmp_path: Path, of_one_run: dict[str, str]
) -> None:
    import ray

    try:
        parallel = ParallelSpec(backend="ray", workers=2)
        tables = forecast_all_partitions(fit, divide(path, tmp_path / "partitions"), parallel)[0]
    finally:
        ray.shutdown()
    with (tmp_path / "all_next_values.parquet").open("wb") as file:
        write_tables(tables, file)
    sums = take_sums(tmp_path)
    assert sums == {name: of_one_run[name] for name in sums}


@pytest.mark.slow
def test_processes_of_xargs_write_the_bytes_of_one_run(
    results: Path, of_one_run: dict[str, str], project: Path
) -> None:
    for index in (1, 3):
        shutil.rmtree(results / f"{index:05d}")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = [project / "deploy/parts.sh", results, str(NUM_PARTS), "2"]
    subprocess.run(command, check=True, env=os.environ | {"PATH": path}, stdout=subprocess.DEVNULL)
    assert take_sums(results / "joined") == of_one_run


@pytest.mark.slow
def test_processes_that_are_killed_at_random_leave_the_bytes_of_one_run(
    results: Path, of_one_run: dict[str, str]
) -> None:
    kill_at_random(results, results, NUM_PARTS, num_kills=6, seed=0)
    assert take_sums(results / "joined") == of_one_run
