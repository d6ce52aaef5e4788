"""Forecasts of a divided panel, one partition after another."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import killed_partitions
from any_panels import KINDS
from damages import flip_bit
from dask_cluster import open_cluster
from killed_partitions import STAGES
from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ParallelError, SeriesError
from rnn_pipelines.forecast.fitting import (
    Evaluated,
    Fitted,
    evaluate_fitted,
    fit_forecasters,
    make_champion,
)
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.model.artefact import forecast_panel
from rnn_pipelines.forecast.model.newest import lay_out_newest
from rnn_pipelines.forecast.newer_values import Ends
from rnn_pipelines.forecast.parameters import read_parameter_models
from rnn_pipelines.forecast.partitions import fitted as module
from rnn_pipelines.forecast.partitions import jobs
from rnn_pipelines.forecast.partitions.champion import PredictSpec, forecast_all_newest
from rnn_pipelines.forecast.partitions.dividing import (
    Partitions,
    PartitionSpec,
    Sample,
    draw_sample,
)
from rnn_pipelines.forecast.partitions.fitted import (
    FittedPanel,
    describe_fit,
    forecast_all_partitions,
)
from rnn_pipelines.forecast.partitions.folders import FACTS, OWN_FILES
from rnn_pipelines.forecast.partitions.jobs import (
    PartitionJob,
    Tables,
    forecast_partition,
    name_results,
)
from rnn_pipelines.forecast.partitions.totals import PanelTotals
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.totals.next_totals import add_ends
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.reading.survey import ROW_COLUMN
from shops import make_shops

NUM_SERIES = 12
NUM_STEPS = 120
HORIZON = 7
ALONE = ParallelSpec(workers=1)
COVARIATES = {"future": ["price"], "static": ["kind"]}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("panel") / "sales.parquet"
    make_shops(NUM_SERIES, NUM_STEPS, HORIZON).to_parquet(path, index=False)
    return path


@pytest.fixture(scope="module")
def whole(path: Path) -> Fitted:
    """Fit on the whole panel."""
    given = {
        "source": {"path": str(path), "id": "shop"},
        "covariates": COVARIATES,
        "window": {"horizon": HORIZON, "lookback": 21},
        "evaluation": {"origins": "last"},
        "lstm": {"units": 4},
        "gru": {"units": 4},
        "training": {"max_steps": 30},
        "level": (80,),
    }
    spec = read_parameter_models(given, source=SourceSpec)
    return fit_forecasters(*read_series(spec.source, spec.covariates), spec)


@pytest.fixture(scope="module")
def fitted(whole: Fitted) -> FittedPanel:
    return describe(whole)


@pytest.fixture
def panel(fitted: FittedPanel, tmp_path: Path) -> Sample:
    return divide(fitted, tmp_path)


def describe(fitted: Fitted, use: str | None = None) -> FittedPanel:
    used = use or fitted.weights["used"]
    return describe_fit(
        fitted.spec, fitted.panel, fitted.data.linear, fitted.methods, fitted.intervals, used
    )


def fit_half(path: Path, whole: Fitted, folder: Path) -> Fitted:
    """Fit on half of the series."""
    table = pd.read_parquet(path)
    half = sorted(table["shop"].unique())[::2]
    table[table["shop"].isin(half)].to_parquet(folder / "half.parquet", index=False)
    source = whole.spec.source.model_copy(update={"path": str(folder / "half.parquet")})
    spec = whole.spec.model_copy(update={"source": source})
    return fit_forecasters(*read_series(source, spec.covariates), spec)


def divide(fitted: FittedPanel, folder: Path, training_rows: int = 500, rows: int = 400) -> Sample:
    spec = PartitionSpec(training_rows=training_rows, rows=rows)
    return draw_sample(fitted.recipe.source, fitted.recipe.covariates, spec, folder)


def join(tables: Tables) -> pd.DataFrame:
    return pd.concat(list(tables)).sort_values(["unique_id"], kind="stable", ignore_index=True)


@pytest.fixture(scope="module")
def results(
    fitted: FittedPanel, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Next values, metrics by series and the summary of the panel in four parts."""
    panel = divide(fitted, tmp_path_factory.mktemp("results"))
    assert len(panel.partitions) == 4
    next_values, by_series, summary, _ = forecast_all_partitions(fitted, panel, ALONE)
    return join(next_values), join(by_series), summary


@pytest.fixture(scope="module")
def evaluated(whole: Fitted) -> Evaluated:
    return evaluate_fitted(whole)


def test_next_values_are_those_of_the_panel(
    evaluated: Evaluated, results: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]
) -> None:
    """The panel was fitted whole, so that only the reading differs."""
    found, *_ = results
    expected = evaluated.future.table
    assert found[["unique_id", "ds"]].equals(expected[["unique_id", "ds"]])
    np.testing.assert_allclose(found["forecast"], expected[ENSEMBLE], rtol=1e-4)
    for bound in ("lo-80", "hi-80"):
        np.testing.assert_allclose(found[bound], expected[f"{ENSEMBLE}-{bound}"], rtol=1e-4)


def test_totals_are_those_of_the_undivided_panel(fitted: FittedPanel, tmp_path: Path) -> None:
    """To the same bounds, because the paths of a series are the same in any panel."""
    spec = TotalsSpec(["all", "kind × week", "series × horizon"])
    source = fitted.recipe.source
    of_rows = PartitionSpec(training_rows=500, rows=400)
    panel = draw_sample(source, fitted.recipe.covariates, of_rows, tmp_path, totals=spec)
    asked = replace(fitted, totals=PanelTotals(spec, 40))
    *_, totals = forecast_all_partitions(asked, panel, ALONE)
    tables = read_series(source, fitted.recipe.covariates)
    newest = lay_out_newest(fitted.forecaster, tables[0], source, tables[1])
    forecasts = forecast_panel(*newest)
    ends = Ends(pd.DataFrame(), HORIZON, *newest)
    expected = add_ends(ends, forecasts, tables[1], spec, num_paths=40)
    key = ["total", "group", "ds"]
    assert len(expected) == HORIZON + 2 * 2 + NUM_SERIES
    pd.testing.assert_frame_equal(
        totals.sort_values(key, ignore_index=True),
        expected.sort_values(key, ignore_index=True),
        rtol=1e-5,
    )


def test_other_totals_have_other_results(fitted: FittedPanel) -> None:
    asked = [PanelTotals(TotalsSpec("all"), num_paths) for num_paths in (40, 50)]
    asking = [fitted, *(replace(fitted, totals=totals) for totals in asked)]
    assert len({name_results(one, Path()) for one in asking}) == 3


def test_metrics_are_those_of_the_panel(
    evaluated: Evaluated, results: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]
) -> None:
    *_, summary = results
    expected = evaluated.metrics
    assert set(summary["forecasters"]) == set(expected.forecasters)
    for name, numbers in summary["forecasters"].items():
        keys = ("mae", "mase", "rmse", "bias", "total_wape")
        known = {key: expected.forecasters[name][key] for key in keys}
        assert {key: numbers[key] for key in keys} == pytest.approx(known, rel=1e-3, abs=1e-4)


def test_all_series_are_evaluated(
    results: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]],
) -> None:
    _, by_series, summary = results
    assert (
        summary["num_series"]
        == summary["num_evaluated"]
        == by_series["unique_id"].nunique()
        == NUM_SERIES
    )


def test_coverage_of_the_panel_is_measured(
    results: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]],
) -> None:
    *_, summary = results
    assert 0.5 <= summary["forecasters"][ENSEMBLE]["coverage_80"] <= 1


def test_empty_panel_has_no_results(fitted: FittedPanel) -> None:
    empty = Sample(Partitions(), fitted.recipe.source, fitted.recipe.covariates)
    next_values, by_series, summary, _ = forecast_all_partitions(fitted, empty, ALONE)
    assert [list(next_values), list(by_series), summary] == [[], [], {}]


def test_bounds_of_any_series_are_those_of_the_panel(tmp_path: Path) -> None:
    """Launches, constants, sparse counts and large values among others; some have no bounds on either path."""
    random = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=NUM_STEPS)
    drawn = {name: draw(random, NUM_STEPS) for name, draw in KINDS.items()}
    tables = [
        pd.DataFrame({"shop": name, "ds": days, "y": values}) for name, values in drawn.items()
    ]
    pd.concat(tables, ignore_index=True).to_parquet(tmp_path / "any.parquet", index=False)
    source = {"path": str(tmp_path / "any.parquet"), "id": "shop"}
    given = {
        "source": source,
        "window": {"horizon": HORIZON, "lookback": 21},
        "pretrained": {"is_alone": True},
        "level": (80, 95),
    }
    spec = read_parameter_models(given, source=SourceSpec)
    whole = fit_forecasters(*read_series(spec.source, spec.covariates), spec)
    fitted = describe(whole, ENSEMBLE)
    next_values, *_ = forecast_all_partitions(fitted, divide(fitted, tmp_path, 1500), ALONE)
    found = join(next_values)
    expected = evaluate_fitted(whole).future.table.sort_values("unique_id", kind="stable")
    assert expected[f"{ENSEMBLE}-lo-80"].isna().any()
    for bound in ("lo-80", "hi-80", "lo-95", "hi-95"):
        np.testing.assert_allclose(
            found[bound], expected[f"{ENSEMBLE}-{bound}"], rtol=1e-4, atol=1e-3
        )


def test_next_values_are_those_of_the_method_in_use(
    whole: Fitted, evaluated: Evaluated, panel: Sample
) -> None:
    next_values, by_series, summary, _ = forecast_all_partitions(
        describe(whole, "theta"), panel, ALONE
    )
    found = join(next_values)
    expected = evaluated.future.table
    for name, column in (("forecast", "theta"), ("lo-80", "theta-lo-80"), ("hi-80", "theta-hi-80")):
        np.testing.assert_allclose(found[name], expected[column], rtol=1e-4)
    measured = join(by_series)
    assert measured.loc[measured["coverage_80"].notna(), "forecaster"].unique().tolist() == [
        "theta"
    ]
    assert summary["use"] == "theta"


def test_new_series_have_bounds_that_depend_on_no_other_series(
    path: Path, whole: Fitted, fitted: FittedPanel, panel: Sample, tmp_path: Path
) -> None:
    """And those of the fit keep theirs. Of a fit on half of the series, in two divisions."""
    sample = fit_half(path, whole, tmp_path)
    of_sample = describe(sample)
    (tmp_path / "other").mkdir()
    other = divide(fitted, tmp_path / "other", rows=100)
    found, again = (
        join(forecast_all_partitions(of_sample, divided, ALONE)[0]) for divided in (panel, other)
    )
    assert len(other.partitions) > len(panel.partitions)
    pd.testing.assert_frame_equal(found, again, rtol=1e-4)
    expected = evaluate_fitted(sample).future.table
    own = found[found["unique_id"].isin(sample.panel.scaler["unique_id"])].reset_index(drop=True)
    for name, column in (
        ("forecast", ENSEMBLE),
        ("lo-80", f"{ENSEMBLE}-lo-80"),
        ("hi-80", f"{ENSEMBLE}-hi-80"),
    ):
        np.testing.assert_allclose(own[name], expected[column], rtol=1e-4)


def test_next_values_are_those_of_the_fit_as_a_champion(
    path: Path, whole: Fitted, panel: Sample, tmp_path: Path
) -> None:
    """Also those of series outside the sample, with covariates."""
    sample = fit_half(path, whole, tmp_path)
    champion = LoadedChampion("v1", make_champion(sample), "", (), {})
    expected, *_ = forecast_all_newest(champion, panel, PredictSpec(), ALONE)
    found, *_ = forecast_all_partitions(describe(sample), panel, ALONE)
    pd.testing.assert_frame_equal(join(found), join(expected)[list(join(found))], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "covariates", [{}, {"past": ["price"]}, COVARIATES], ids=["none", "past", "future and static"]
)
@pytest.mark.parametrize("seed", range(3))
def test_next_values_of_uneven_panels_are_those_of_the_fit_as_a_champion(
    whole: Fitted, tmp_path: Path, covariates: dict[str, Any], seed: int
) -> None:
    """Of shops of other lengths and prices, whose newest values lie far from those of training."""
    random = np.random.default_rng(seed)
    table = make_shops(NUM_SERIES, int(random.integers(80, 160)), HORIZON)
    step = table.groupby("shop").cumcount()
    shops = table["shop"].unique()
    table["price"] *= table["shop"].map(
        dict(zip(shops, random.uniform(1, 100, len(shops)), strict=True))
    )
    table["y"] *= 1 + step / table["shop"].map(
        dict(zip(shops, random.uniform(20, 400, len(shops)), strict=True))
    )
    table = table[
        step >= table["shop"].map(dict(zip(shops, random.integers(0, 50, len(shops)), strict=True)))
    ]
    path = tmp_path / "sales.parquet"
    table.to_parquet(path, index=False)
    given = {
        "covariates": CovariateSpec(**covariates),
        "source": SourceSpec(path=str(path), id="shop"),
    }
    spec = whole.spec.model_copy(update=given)
    sample = fit_half(path, replace(whole, spec=spec), tmp_path)
    fitted = describe(sample)
    sizes = PartitionSpec(training_rows=500, rows=400)
    panel = draw_sample(spec.source, spec.covariates, sizes, tmp_path / "parts")
    champion = LoadedChampion("v1", make_champion(sample), "", (), {})
    expected, *_ = forecast_all_newest(champion, panel, PredictSpec(), ALONE)
    found, *_ = forecast_all_partitions(fitted, panel, ALONE)
    pd.testing.assert_frame_equal(join(found), join(expected)[list(join(found))], rtol=1e-6)


def test_partition_without_a_series_is_left_out(fitted: FittedPanel, tmp_path: Path) -> None:
    """Few long series leave some ranges of the hash without any."""
    panel = divide(fitted, tmp_path, rows=50)
    next_values, _, summary, _ = forecast_all_partitions(fitted, panel, ALONE)
    assert len(panel.partitions.list_numbers()) <= NUM_SERIES < len(panel.partitions)
    assert summary["num_series"] == join(next_values)["unique_id"].nunique() == NUM_SERIES


def test_interrupted_run_goes_on(
    fitted: FittedPanel, panel: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, *_ = forecast_all_partitions(fitted, panel, ALONE)
    first, *others = whole.files
    expected = join(whole)
    times = [file.stat().st_mtime_ns for file in others]
    for file in first.parent.iterdir():
        file.unlink()
    first.parent.rmdir()
    numbers = []
    forecast = jobs.forecast_partition
    monkeypatch.setattr(
        jobs, "forecast_partition", lambda job: numbers.append(job.number) or forecast(job)
    )
    again, *_ = forecast_all_partitions(fitted, panel, ALONE)
    assert numbers == [0]
    assert join(again).equals(expected)
    assert [file.stat().st_mtime_ns for file in others] == times


def test_changed_results_are_made_again(
    fitted: FittedPanel, panel: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    whole, _, summary, _ = forecast_all_partitions(fitted, panel, ALONE)
    expected = join(whole)
    for file in (whole.files[0], whole.files[2].with_name(FACTS)):
        flip_bit(file)
    again, _, same, _ = forecast_all_partitions(fitted, panel, ALONE)
    assert join(again).equals(expected)
    assert same == summary
    assert caplog.text.count("changed after it was written") == 2


def test_folder_with_a_file_of_the_user_is_refused(fitted: FittedPanel, panel: Sample) -> None:
    whole, *_ = forecast_all_partitions(fitted, panel, ALONE)
    flip_bit(whole.files[0])
    mine = whole.files[0].with_name("notes.txt")
    mine.write_text("mine")
    with pytest.raises(SeriesError, match=r"notes\.txt"):
        forecast_all_partitions(fitted, panel, ALONE)
    assert mine.read_text() == "mine"


def test_results_that_change_before_they_are_read_are_an_error(
    fitted: FittedPanel, panel: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the disk of another machine."""
    forecast = jobs.forecast_partition

    def forecast_and_damage(job: PartitionJob) -> int:
        num_series = forecast(job)
        flip_bit(job.folder / module.BY_SERIES)
        return num_series

    monkeypatch.setattr(jobs, "forecast_partition", forecast_and_damage)
    with pytest.raises(SeriesError, match=r"metrics_by_series\.parquet'\] changed"):
        forecast_all_partitions(fitted, panel, ALONE)


def test_interrupted_part_leaves_nothing(
    fitted: FittedPanel, panel: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "measure_all", interrupt)
        with pytest.raises(KeyboardInterrupt):
            forecast_all_partitions(fitted, panel, ALONE)
    assert panel.partitions.folder is not None
    assert not list(panel.partitions.folder.glob("results-*/*"))
    assert forecast_all_partitions(fitted, panel, ALONE)[2]["num_series"] == NUM_SERIES


def test_partition_that_another_process_has_forecast_meanwhile_keeps_its_results(
    fitted: FittedPanel, panel: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was taken for lost may still be at work when its partition is forecast again."""
    (tmp_path / "results").mkdir()
    job = PartitionJob(0, tmp_path / "results/00000", panel.select(0), fitted)
    measure: Any = vars(module)["measure_all"]

    def measure_after_another(*given: Any) -> pd.DataFrame:
        with monkeypatch.context() as patched:
            patched.setattr(module, "measure_all", measure)
            forecast_partition(job)
        return measure(*given)

    monkeypatch.setattr(module, "measure_all", measure_after_another)
    num_series = forecast_partition(job)
    assert num_series > 0
    assert [path.name for path in job.folder.parent.iterdir()] == ["00000"]
    assert pd.read_parquet(job.folder / module.BY_SERIES)["unique_id"].nunique() == num_series


def test_other_fit_has_other_results(fitted: FittedPanel, panel: Sample) -> None:
    first, *_ = forecast_all_partitions(fitted, panel, ALONE)
    matrix = fitted.baseline.matrix * 2
    other = replace(fitted, baseline=replace(fitted.baseline, matrix=matrix))
    second, *_ = forecast_all_partitions(other, panel, ALONE)
    assert not {*first.files} & {*second.files}


@pytest.mark.parametrize(("num_lost", "is_error"), [(1, False), (2, True)])
def test_lost_processes_are_replaced_once(
    fitted: FittedPanel,
    panel: Sample,
    monkeypatch: pytest.MonkeyPatch,
    num_lost: int,
    is_error: bool,
) -> None:
    """Each loss ends the pool after one more partition."""
    calls = []

    def lose(forecast: Any, given: Any, *others: Any) -> Iterator[tuple[Any, int]]:
        calls.append([job.number for job in given])
        for job in given:
            yield job, forecast(job)
            if len(calls) <= num_lost:
                raise BrokenExecutor("killed")

    monkeypatch.setattr(jobs, "fan_out", lose)
    if is_error:
        with pytest.raises(ParallelError, match=r"\[3, 4\]"):
            forecast_all_partitions(fitted, panel, ALONE)
    else:
        assert forecast_all_partitions(fitted, panel, ALONE)[2]["num_series"] == NUM_SERIES
    assert calls == [[0, 1, 2, 3], [1, 2, 3]]


def test_faults_of_all_partitions_are_in_one_error(fitted: FittedPanel, panel: Sample) -> None:
    """A time with two values ends the run of a small panel, too."""
    names = []
    for file in panel.partitions.list_files()[1:3]:
        rows = pd.read_parquet(file)
        names.append(rows["shop"].iloc[0])
        pd.concat([rows, rows[:1].assign(y=-1.0, **{ROW_COLUMN: 10**6})]).to_parquet(
            file, index=False
        )
    with pytest.raises(SeriesError) as error:
        forecast_all_partitions(fitted, panel, ALONE)
    for part in (*names, "2024-01-01", "2 of 4"):
        assert part in str(error.value)
    assert panel.partitions.folder is not None
    (path,) = panel.partitions.folder.glob("results-*/faults.txt")
    assert OWN_FILES.fullmatch(path.relative_to(panel.partitions.folder).as_posix())


def test_many_faults_are_in_a_file(
    fitted: FittedPanel, panel: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FAULTS_IN_MESSAGE", 2)
    for file in panel.partitions.list_files():
        rows = pd.read_parquet(file)
        pd.concat([rows, rows[:1].assign(y=-1.0, **{ROW_COLUMN: 10**6})]).to_parquet(
            file, index=False
        )
    with pytest.raises(SeriesError, match=r"4 of 4 .*faults\.txt") as error:
        forecast_all_partitions(fitted, panel, ALONE)
    assert panel.partitions.folder is not None
    (path,) = panel.partitions.folder.glob("results-*/faults.txt")
    lines = path.read_text().splitlines()
    assert [line in str(error.value) for line in lines] == [True, True, False, False]


def test_fault_is_looked_for_again(fitted: FittedPanel, panel: Sample) -> None:
    """It may have been one of the machine, such as too little memory."""
    file = panel.partitions.list_files()[1]
    content = file.read_bytes()
    rows = pd.read_parquet(file)
    pd.concat([rows, rows[:1].assign(y=-1.0, **{ROW_COLUMN: 10**6})]).to_parquet(file, index=False)
    with pytest.raises(SeriesError):
        forecast_all_partitions(fitted, panel, ALONE)
    file.write_bytes(content)
    assert forecast_all_partitions(fitted, panel, ALONE)[2]["num_series"] == NUM_SERIES


@pytest.fixture
def short(panel: Sample) -> str:
    """The name of a series that is cut to its last values."""
    file = panel.partitions.list_files()[1]
    rows = pd.read_parquet(file)
    name = str(rows["shop"].iloc[0])
    days = sorted(rows["ds"].unique())
    is_early = (rows["shop"] == name) & (rows["ds"] < days[NUM_STEPS - 5])
    rows[~is_early].to_parquet(file, index=False)
    return name


@pytest.mark.usefixtures("short")
def test_short_series_are_forecast_too(fitted: FittedPanel, panel: Sample) -> None:
    next_values, *_ = forecast_all_partitions(fitted, panel, ALONE)
    table = join(next_values)
    assert table.groupby("unique_id").size().eq(HORIZON).all()
    assert table["forecast"].notna().all()


def test_short_series_are_not_evaluated(fitted: FittedPanel, panel: Sample, short: str) -> None:
    _, by_series, summary, _ = forecast_all_partitions(fitted, panel, ALONE)
    assert (summary["num_series"], summary["num_evaluated"]) == (NUM_SERIES, NUM_SERIES - 1)
    assert short not in set(join(by_series)["unique_id"])


@pytest.mark.slow
def test_workers_that_are_killed_at_each_stage_change_no_result(
    fitted: FittedPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One before its forecast, one that has begun to write, and one that has written all without a report."""
    alone, shared = (divide(fitted, tmp_path / name, 400, 300) for name in ("alone", "shared"))
    assert shared.partitions.list_numbers()[: len(STAGES)] == [*range(len(STAGES))]
    paths = [
        str(Path(killed_partitions.__file__).parent),
        *filter(None, [os.environ.get("PYTHONPATH")]),
    ]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    marks = tmp_path / "marks"
    marks.mkdir()
    with open_cluster(tmp_path) as start, monkeypatch.context() as patched:
        cluster = start("--no-nanny", num_workers=len(STAGES) + 1)
        patched.setattr(
            jobs, "forecast_partition", partial(killed_partitions.forecast_or_die, marks=marks)
        )
        found, _, summary, _ = forecast_all_partitions(fitted, shared, cluster.parallel)
        ended = [os.waitpid(pid, os.WNOHANG)[1] for pid in cluster.pids]
    expected, _, expected_summary, _ = forecast_all_partitions(fitted, alone, ALONE)
    assert {path.name for path in marks.iterdir()} == {*STAGES}
    assert sorted(ended) == [0, *[signal.SIGKILL] * len(STAGES)]
    assert len(found.files) == len(shared.partitions.list_numbers()) > len(STAGES)
    assert join(found).equals(join(expected))
    assert summary == expected_summary
