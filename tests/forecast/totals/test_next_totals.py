"""Totals of the next values: from Python, from the console and from a run, on one panel."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rnn_pipelines.console.forecast import forecast
from rnn_pipelines.console.predict import predict
from rnn_pipelines.errors import ParameterError, SeriesError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.totals.adding import NUM_PATHS

HORIZON = 10
DAYS = pd.date_range("2024-01-01", periods=200)
TOTALS = ["all", "region", "week", "region × horizon", "series × week"]


def draw_shops() -> pd.DataFrame:
    """Sales of four shops in two regions, with common shocks."""
    rng = np.random.default_rng(0)
    shocks = rng.normal(0, 3, len(DAYS))
    week = 10 * np.sin(2 * np.pi * np.arange(len(DAYS)) / 7)
    tables = []
    for number, region in enumerate(["North", "North", "South", "South"]):
        sales = 60 + 10 * number + week + shocks + rng.normal(0, 2, len(DAYS))
        tables.append(
            pd.DataFrame({"unique_id": f"s{number}", "ds": DAYS, "y": sales, "region": region})
        )
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def shops() -> pd.DataFrame:
    return draw_shops()


@pytest.fixture(scope="module")
def fitted(shops: pd.DataFrame) -> Forecaster:
    return Forecaster(h=HORIZON, networks="pretrained").fit(shops)


@pytest.fixture(scope="module")
def totals(fitted: Forecaster) -> pd.DataFrame:
    return fitted.predict(totals=TOTALS)


def test_forecasts_add_up(fitted: Forecaster, totals: pd.DataFrame) -> None:
    next_values = fitted.predict()
    in_all = totals[totals["total"] == "all"]["ensemble"].to_numpy()
    assert in_all == pytest.approx(next_values.groupby("ds")["ensemble"].sum().to_numpy(), rel=1e-9)


def test_bounds_are_those_of_the_sums_of_paths(fitted: Forecaster, totals: pd.DataFrame) -> None:
    paths = fitted.predict(paths=NUM_PATHS)
    in_north = paths[paths["unique_id"].isin(["s0", "s1"])]
    expected = in_north.groupby("path")["y"].sum().quantile([0.1, 0.9]).to_numpy()
    rows = totals[(totals["total"] == "region × horizon") & (totals["group"] == "North")]
    bounds = rows[["ensemble-lo-80", "ensemble-hi-80"]].to_numpy()[0]
    assert bounds == pytest.approx(expected, rel=1e-9)


def test_common_shocks_widen_the_sum(fitted: Forecaster, totals: pd.DataFrame) -> None:
    """Independent errors of four shops would be half as wide as the sum of their widths."""
    next_values = fitted.predict()
    width = next_values["ensemble-hi-80"] - next_values["ensemble-lo-80"]
    in_all = totals[totals["total"] == "all"]
    of_sum = (in_all["ensemble-hi-80"] - in_all["ensemble-lo-80"]).mean()
    assert 0.65 < of_sum * HORIZON / width.sum() < 1.05


def test_a_period_of_part_of_its_steps_is_marked(totals: pd.DataFrame) -> None:
    weeks = totals[totals["total"] == "week"]
    assert weeks["num_steps"].tolist() == [3, 7]
    assert weeks["is_whole"].tolist() == [False, True]


def test_another_level_needs_no_fit(fitted: Forecaster) -> None:
    wide = fitted.predict(totals="all", level=90)
    assert [name for name in wide if "-lo-" in name] == ["ensemble-lo-90"]


def test_a_frame_brings_its_own_groups(fitted: Forecaster, shops: pd.DataFrame) -> None:
    moved = shops.assign(region="West")
    assert set(fitted.predict(moved, totals="region")["group"]) == {"West"}


def test_a_saved_forecaster_takes_the_groups_of_the_frame(
    fitted: Forecaster, shops: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    found = loaded.predict(shops, totals=TOTALS)
    pd.testing.assert_frame_equal(found, fitted.predict(shops, totals=TOTALS))


def test_a_single_series_has_a_total_of_its_horizon() -> None:
    alone = draw_shops().query("unique_id == 's0'").drop(columns=["unique_id", "region"])
    forecaster = Forecaster(h=HORIZON, networks="pretrained").fit(alone)
    total = forecaster.predict(totals="horizon", h=20)
    assert total["num_steps"].tolist() == [20]
    assert (total["ensemble-hi-80"] > total["ensemble-lo-80"]).all()


@pytest.mark.parametrize("other", [{"paths": 5}, {"quantiles": 0.5}, {"methods": "theta"}])
def test_totals_beside_another_question_are_refused(
    fitted: Forecaster, other: dict[str, Any]
) -> None:
    with pytest.raises(ParameterError, match="totals: give them without"):
        fitted.predict(totals="all", **other)


def test_an_unknown_column_is_named(fitted: Forecaster) -> None:
    with pytest.raises(SeriesError, match="no column \\['country'\\]"):
        fitted.predict(totals="country")


def test_totals_without_intervals_have_forecasts_alone(shops: pd.DataFrame) -> None:
    forecaster = Forecaster(h=HORIZON, networks="pretrained", level=None).fit(shops)
    assert "ensemble" in forecaster.predict(totals="all")


def test_the_console_writes_the_same_totals(
    shops: pd.DataFrame, totals: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "shops.csv"
    shops.to_csv(file, index=False)
    options = [part for name in TOTALS for part in ("--total", name)]
    given = [str(file), "--fast", "-H", str(HORIZON), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(forecast, [*given, *options])
    assert result.exit_code == 0, result.output
    written = pd.read_csv(tmp_path / "out/next_totals.csv")
    assert written["group"].tolist() == totals["group"].tolist()
    bounds = ["forecast", "lo-80", "hi-80"]
    expected = totals[["ensemble", "ensemble-lo-80", "ensemble-hi-80"]].to_numpy()
    assert written[bounds].to_numpy() == pytest.approx(expected, rel=1e-4)


def test_the_console_predicts_totals(
    shops: pd.DataFrame, fitted: Forecaster, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    shops.to_csv(tmp_path / "newer.csv", index=False)
    given = [str(tmp_path / "model"), str(tmp_path / "newer.csv"), "--total", "region"]
    result = CliRunner().invoke(predict, given)
    assert result.output.count('"region","North"') == HORIZON
