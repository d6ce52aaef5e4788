"""The champion's forecasts of all series of a divided panel, most of which it was not trained on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError, SeriesError
from rnn_pipelines.forecast.fitting import make_champion
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.partitions.champion import (
    PredictSpec,
    draw_sample_as_trained,
    forecast_all_newest,
    forecast_newest,
    read_as_trained,
    record_suspects,
)
from rnn_pipelines.forecast.partitions.dividing import Partitions, PartitionSpec, Sample
from rnn_pipelines.forecast.partitions.jobs import ALL_NEXT_VALUES, Tables
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from shops import make_shops

NUM_SERIES = 12
NUM_STEPS = 120
HORIZON = 7
ALONE = ParallelSpec(workers=1)
ALL_DAYS = PredictSpec()
COVARIATES = CovariateSpec(future=("price",), static=("kind",))
NAMES = ["unique_id", "ds", "forecast", "lo-80", "hi-80"]


def make_table() -> pd.DataFrame:
    """Return sales of shops in the columns of the project."""
    return make_shops(NUM_SERIES, NUM_STEPS, HORIZON).rename(columns={"shop": "unique_id"})


@pytest.fixture(scope="module")
def champion() -> LoadedChampion:
    """Fitted on four of the series."""
    table = make_table()
    known = table[table["unique_id"].isin([f"shop {number}" for number in range(4)])]
    small: dict[str, Any] = {
        "lstm": {"units": 3},
        "gru": {"units": 3},
        "training": {"max_steps": 20},
    }
    covariates = {"future": ["price"], "static": ["kind"]}
    fitted = Forecaster(h=HORIZON, level=[80], lookback=14, covariates=covariates, **small).fit(
        known
    )
    return LoadedChampion("v1", make_champion(fitted._fitted), "", (), {})


@pytest.fixture
def source(tmp_path: Path) -> SourceSpec:
    table = make_table()
    days = table["ds"].dt.strftime("%d.%m.%Y")
    text = table.assign(ds=days, y=table["y"].round(3), price=table["price"])
    text.to_csv(tmp_path / "sales.csv", sep=";", decimal=",", index=False)
    return SourceSpec(path=str(tmp_path / "sales.csv"), id="unique_id")


def divide(
    champion: LoadedChampion | None, source: SourceSpec, folder: Path, rows: int = 400
) -> Sample:
    return draw_sample_as_trained(
        champion, source, COVARIATES, PartitionSpec(training_rows=400, rows=rows), folder
    )


def join(tables: Tables) -> pd.DataFrame:
    return pd.concat(list(tables), ignore_index=True).sort_values(
        ["unique_id", "ds"], ignore_index=True
    )


def test_all_series_are_forecast_as_in_one_table(
    champion: LoadedChampion, source: SourceSpec, tmp_path: Path
) -> None:
    """Those of the training to the digit; the expected error of new ones includes a part of that of their partition."""
    tables, summary, _ = forecast_all_newest(
        champion, divide(champion, source, tmp_path), ALL_DAYS, ALONE
    )
    found = join(tables)
    table, covariate_table = read_as_trained(
        champion, Sample(Partitions(), source, COVARIATES), ALL_DAYS
    )
    log, *_ = forecast_newest(champion, table, source, PathsSpec(0), covariate_table)
    names = {"y_hat": "forecast", "lo_80": "lo-80", "hi_80": "hi-80"}
    expected = log.rename(columns=names)[NAMES].sort_values(["unique_id", "ds"], ignore_index=True)
    assert list(found) == [*NAMES, "is_suspect", "suspect_reason"]
    assert summary == {
        "num_series": NUM_SERIES,
        "num_left_out": 0,
        "left_out": [],
        "num_partitions": 4,
        "gross_values": [],
        "model_version": "v1",
    }
    pd.testing.assert_frame_equal(
        found[NAMES[:3]], expected[NAMES[:3]], check_dtype=False, rtol=1e-5
    )
    known = found["unique_id"].isin(champion.artefact.scaler["unique_id"])
    pd.testing.assert_frame_equal(
        found.loc[known, NAMES], expected[known], check_dtype=False, rtol=1e-5
    )
    width, expected_width = ((one["hi-80"] - one["lo-80"])[~known] for one in (found, expected))
    np.testing.assert_allclose(width, expected_width, rtol=0.15)
    tables, summary, _ = forecast_all_newest(
        champion, Sample(Partitions(), source, COVARIATES), ALL_DAYS, ALONE
    )
    assert (list(tables), summary) == ([], {})


def test_totals_are_those_of_one_table(
    champion: LoadedChampion, source: SourceSpec, tmp_path: Path
) -> None:
    """The widths of new series differ, see `test_all_series_are_forecast_as_in_one_table`."""
    spec = TotalsSpec(["all", "kind × week"])
    paths = PathsSpec(50)
    sample = divide(champion, source, tmp_path)
    *_, totals = forecast_all_newest(champion, sample, ALL_DAYS, ALONE, totals=spec, paths=paths)
    table, covariate_table = read_as_trained(
        champion, Sample(Partitions(), source, COVARIATES), ALL_DAYS
    )
    of_night = champion, table, source, paths, covariate_table
    _, _, expected, *_ = forecast_newest(*of_night, totals=spec)
    key = ["total", "group", "ds"]
    one, other = (found.sort_values(key, ignore_index=True) for found in (totals, expected))
    bounds = ["lo-80", "hi-80"]
    pd.testing.assert_frame_equal(one.drop(columns=bounds), other.drop(columns=bounds), rtol=1e-5)
    pd.testing.assert_frame_equal(one[bounds], other[bounds], rtol=0.02)
    _, _, same, *_ = forecast_newest(*of_night, totals=spec, all_totals=totals)
    assert same is totals


def test_series_without_a_forecast_are_named(
    champion: LoadedChampion, source: SourceSpec, tmp_path: Path
) -> None:
    """A gap at its end, and a policy that leaves gaps open."""
    settings = champion.artefact.settings.model_copy(update={"gaps": GapPolicy("split")})
    strict = replace(champion, artefact=replace(champion.artefact, settings=settings))
    path = Path(str(source.path))
    table = pd.read_csv(path, sep=";", decimal=",")
    is_lost = (table["unique_id"] == "shop 5") & table["ds"].isin(["25.04.2024", "26.04.2024"])
    table.assign(y=table["y"].mask(is_lost)).to_csv(path, sep=";", decimal=",", index=False)
    _, summary, _ = forecast_all_newest(strict, divide(strict, source, tmp_path), ALL_DAYS, ALONE)
    assert (summary["num_series"], summary["left_out"]) == (NUM_SERIES - 1, ["shop 5"])


def change_newest(source: SourceSpec, shop: str, factor: float) -> None:
    """Multiply the newest value of a shop."""
    path = Path(str(source.path))
    table = pd.read_csv(path, sep=";", decimal=",")
    row = table[(table["unique_id"] == shop) & table["y"].notna()].index[-1]
    table.loc[row, "y"] *= factor
    table.to_csv(path, sep=";", decimal=",", index=False)


def test_gross_newest_value_is_marked_as_in_one_table(
    champion: LoadedChampion, source: SourceSpec, tmp_path: Path
) -> None:
    change_newest(source, "shop 5", 1000)
    tables, summary, _ = forecast_all_newest(
        champion, divide(champion, source, tmp_path), ALL_DAYS, ALONE
    )
    table, covariate_table = read_as_trained(
        champion, Sample(Partitions(), source, COVARIATES), ALL_DAYS
    )
    log, *_, night = forecast_newest(champion, table, source, PathsSpec(0), covariate_table)
    marks = ["unique_id", "ds", "is_suspect", "suspect_reason"]
    found = join(tables)[marks]
    expected = log[marks].sort_values(["unique_id", "ds"], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert found.loc[found["is_suspect"], "unique_id"].unique().tolist() == ["shop 5"]
    divided, whole = (record_suspects(night, log, series) for series in (summary, {}))
    assert divided["gross_values"] == whole["gross_values"]


def test_last_good_next_values_stay(
    champion: LoadedChampion, source: SourceSpec, tmp_path: Path
) -> None:
    spec = PredictSpec(keep_last_good=True)
    good = join(forecast_all_newest(champion, divide(champion, source, tmp_path), spec, ALONE)[0])
    good.to_parquet(tmp_path / ALL_NEXT_VALUES)
    change_newest(source, "shop 5", 1000)
    sample = divide(champion, source, tmp_path)
    found = join(forecast_all_newest(champion, sample, spec, ALONE, tmp_path)[0])
    is_shop = good["unique_id"] == "shop 5"
    pd.testing.assert_frame_equal(found[found["unique_id"] == "shop 5"], good[is_shop])
    assert not found["is_suspect"].any()
    assert len(found) == len(good)


def test_missing_champion_is_an_error_before_anything_is_read(
    source: SourceSpec, tmp_path: Path
) -> None:
    with pytest.raises(ChampionError):
        divide(None, source, tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def test_values_after_the_as_of_day_are_not_read(
    champion: LoadedChampion, source: SourceSpec, tmp_path: Path
) -> None:
    last = "2024-04-19"
    sample = divide(champion, source, tmp_path)
    found = join(forecast_all_newest(champion, sample, PredictSpec(as_of=last), ALONE)[0])
    assert found["ds"].min() == pd.Timestamp(last) + pd.Timedelta(days=1)


def test_other_champion_or_day_changes_results(
    champion: LoadedChampion, source: SourceSpec, tmp_path: Path
) -> None:
    other = LoadedChampion("v2", champion.artefact, "", (), {})
    sample = divide(champion, source, tmp_path)
    folders = {
        forecast_all_newest(one, sample, PredictSpec(as_of=day), ALONE)[0].files[0].parents[1]
        for one in (champion, other)
        for day in (None, "2024-04-19")
    }
    assert len(folders) == 4


def test_fault_is_raised_after_the_others(
    champion: LoadedChampion, source: SourceSpec, tmp_path: Path
) -> None:
    """One partition lacks the price of a day ahead."""
    sample = divide(champion, source, tmp_path)
    file = sample.partitions.list_files()[2]
    rows = pd.read_parquet(file)
    rows.iloc[-1, rows.columns.get_loc("price")] = None
    rows.to_parquet(file, index=False)
    with pytest.raises(SeriesError, match=r"^1 of 4 partitions .*price"):
        forecast_all_newest(champion, sample, ALL_DAYS, ALONE)
    assert sample.partitions.folder is not None
    assert len(list(sample.partitions.folder.glob("results-*/?????"))) == 4
