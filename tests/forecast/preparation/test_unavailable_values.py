"""Unavailable values are unknown: they are filled for inputs, and neither 0 nor the end of a series."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.experiments.rolling import cut_series
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.recipe import Panel, Recipe, prepare_panel
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

SOURCE = SourceSpec(name="catalog", id="shop", unavailable="stock")
POLICIES = ("interpolate", "zero", "error", "split")
WEEK = np.array([10.0, 20, 30, 40, 50, 60, 70])


def make_frame(
    sold_out: list[int] | slice, num_steps: int = 70, shop: str = "a", **columns: Any
) -> pd.DataFrame:
    """Sales that repeat each week, and 0 on some days without stock."""
    frame = pd.DataFrame({"shop": shop, "ds": pd.date_range("2024-01-01", periods=num_steps)})
    stock = np.ones(num_steps)
    stock[sold_out] = 0
    y = np.resize(WEEK, num_steps)
    return frame.assign(y=np.where(stock > 0, y, 0), stock=stock, **columns)


def repair(frame: pd.DataFrame, gaps: str = "interpolate") -> tuple[Series, list[str]]:
    series, profile = repair_series(read_source(SOURCE, frame), SOURCE, GapPolicy(gaps))
    return series, profile["repairs"]


def prepare(frame: pd.DataFrame, horizon: int = 3) -> Panel:
    recipe = Recipe(
        source=SOURCE,
        split=SplitSpec(validation=20, test=20),
        window=WindowSpec(lookback=7, horizon=horizon),
    )
    return prepare_panel(read_source(SOURCE, frame), recipe)


@pytest.mark.parametrize("gaps", POLICIES)
def test_unavailable_values_are_not_observed(gaps: str) -> None:
    series, _ = repair(make_frame([20, 21, 69]), gaps)
    assert np.flatnonzero(~series["observed"]).tolist() == [20, 21, 69]


@pytest.mark.parametrize("gaps", ["interpolate", "zero", "error"])
def test_they_are_filled_on_a_straight_line(gaps: str) -> None:
    series, _ = repair(make_frame([22, 23]), gaps)
    assert series["y"][21:25].tolist() == pytest.approx([10, 10 + 30 / 3, 10 + 60 / 3, 40])


def test_they_stay_open_if_gaps_do() -> None:
    series, _ = repair(make_frame([22, 23, 69]), "split")
    assert np.flatnonzero(series["y"].isna()).tolist() == [22, 23]


@pytest.mark.parametrize("gaps", POLICIES)
def test_those_at_the_end_repeat_the_last_season(gaps: str) -> None:
    series, _ = repair(make_frame(slice(-10, None)), gaps)
    assert series["y"].tolist() == np.resize(WEEK, 70).tolist()


def test_those_at_the_end_of_a_short_series_repeat_its_last_value() -> None:
    frame = pd.concat([make_frame([]), make_frame([68, 69])[65:].assign(shop="b")])
    series, _ = repair(frame)
    assert series["y"][-2:].tolist() == [50.0, 50.0]


def test_those_before_the_first_value_are_left_out() -> None:
    series, repairs = repair(make_frame([0, 1, 2]))
    assert series["ds"].min() == pd.Timestamp("2024-01-04")
    assert repairs == ["left out: 3 rows before the first value of a series"]


def test_values_above_0_without_stock_are_unknown() -> None:
    series, _ = repair(make_frame([]).assign(stock=[1.0] * 30 + [0.0] + [1.0] * 39))
    assert np.flatnonzero(~series["observed"]).tolist() == [30]


def test_absent_rows_are_0_beside_them() -> None:
    series, _ = repair(make_frame([20]).drop(index=30), "zero")
    assert series["y"][30] == 0
    assert series["y"][20] > 0
    assert np.flatnonzero(~series["observed"]).tolist() == [20]


def test_rows_for_future_covariates_may_have_no_stock() -> None:
    """They have no value, so that no value is unknown."""
    frame = make_frame([])
    frame.loc[60:, ["y", "stock"]] = np.nan, 0.0
    series, repairs = repair(frame)
    assert len(series) == 60
    assert "unknown" not in "".join(repairs)


def test_series_without_an_available_value_is_left_out() -> None:
    frame = pd.concat([make_frame([]), make_frame(slice(None), shop="b")])
    series, profile = repair_series(read_source(SOURCE, frame), SOURCE, GapPolicy("interpolate"))
    assert set(series["unique_id"]) == {"a"}
    assert profile["left_out"] == ["b"]


def test_series_with_few_available_values_is_not_sparse() -> None:
    series, _ = repair(make_frame([step for step in range(1, 69) if step % 4]))
    assert len(series) == 70


@pytest.mark.parametrize("gaps", POLICIES)
def test_the_repair_names_their_number(gaps: str) -> None:
    _, repairs = repair(make_frame([20, 21, 69]), gaps)
    sentence = (
        "3 of 70 values are unknown, because 'stock' is 0 or less, the first in series 'a' at 2024-01-21; at the end "
        "of 1 series, the last season is repeated"
    )
    assert repairs == [sentence]


def test_series_that_ends_with_them_is_not_dead() -> None:
    frame = pd.concat([make_frame([]), make_frame(slice(-20, None), shop="b")])
    blocks = SplitSpec(), WindowSpec(lookback=7, horizon=3), EvaluationSpec()
    _, _, profile, _ = prepare_series(
        read_source(SOURCE, frame), SOURCE, GapPolicy("interpolate"), BreakPolicy("auto"), *blocks
    )
    assert profile["dead"] == []


def test_the_forecast_begins_after_the_last_row() -> None:
    panel = prepare(make_frame([67, 68, 69]))
    assert panel.windows.list_origins("future").tolist() == [70]


def test_parts_are_counted_from_the_last_available_value() -> None:
    cutoffs = prepare(make_frame(slice(60, 70))).cutoffs
    assert cutoffs[["train_stop", "validation_stop", "num_steps"]].iloc[0].tolist() == [20, 40, 70]


@pytest.mark.parametrize("part", ["train", "validation", "refit"])
def test_no_window_learns_them(part: Any) -> None:
    windows = prepare(make_frame([15, 40])).windows
    targets = windows.list_origins(part)[:, None] + np.arange(3)
    assert len(targets) > 0
    assert not np.isin(targets, [15, 40]).any()


def test_other_windows_are_learnt() -> None:
    whole = set(prepare(make_frame([])).windows.list_origins("train"))
    kept = set(prepare(make_frame([15])).windows.list_origins("train"))
    # The origin after an unknown value is that of no window.
    assert whole - kept == {13, 14, 15, 16}


def test_series_that_would_lose_most_windows_keeps_them() -> None:
    windows = prepare(make_frame(list(range(8, 30, 3)))).windows
    assert len(windows.list_origins("train")) > 0


def test_part_of_repaired_series_keeps_the_marks() -> None:
    series, _ = repair(make_frame([20, 50]), "zero")
    part = cut_series(series, np.arange(70) <= 50)
    again, _ = repair_series(part, SOURCE, GapPolicy("zero"))
    assert np.flatnonzero(~again["observed"]).tolist() == [20, 50]
    assert again["y"][50] == WEEK[50 % 7]


def test_gaps_end_the_run_beside_them() -> None:
    with pytest.raises(SeriesError, match="1 of 70 steps without a value"):
        repair(make_frame([20]).drop(index=30), "error")
