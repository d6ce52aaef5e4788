"""Stuck values and long gaps are named; long gaps stay open."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.series.tables import Profile, Series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, OpenWindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

MakeTable = Callable[..., pd.DataFrame]
VALUES = (np.sin(np.arange(400)) * 10).round(3)


def prepare(
    table: pd.DataFrame, gaps: str = "interpolate", horizon: int = 7, **source: str
) -> tuple[Series, Profile]:
    spec = SourceSpec(path="my.csv", **source)
    window = OpenWindowSpec(lookback=14, horizon=horizon)
    return prepare_series(
        table, spec, GapPolicy(gaps), BreakPolicy("keep"), SplitSpec(), window, EvaluationSpec()
    )[1:3]


def find(profile: Profile, part: str) -> list[str]:
    return [sentence for sentence in profile["repairs"] if part in sentence]


@pytest.mark.parametrize(("length", "is_named"), [(19, False), (20, True), (60, True)])
def test_equal_values_among_changing_ones_are_named(
    make_table: MakeTable, length: int, is_named: bool
) -> None:
    values = VALUES.copy()
    values[100 : 100 + length] = 5.25
    named = find(prepare(make_table(list(values)))[1], "equal values")
    assert bool(named) is is_named
    assert (
        not named
        or f"the first has {length} values of 5.25 in series 'y' from 2021-04-11" in named[0]
    )


def test_equal_counts_are_usual(make_table: MakeTable) -> None:
    counts = np.where(np.random.default_rng(0).random(400) < 0.1, 3.0, 0.0)
    assert find(prepare(make_table(list(counts)))[1], "equal values") == []


def test_series_that_end_early_are_named(make_table: MakeTable) -> None:
    series, profile = prepare(make_panel(make_table))
    assert profile["dead"] == ["b", "dead"]
    assert series["unique_id"].nunique() == 3
    assert (
        "2 of 3 series that end 2 horizons or more before the others"
        in find(profile, "horizons")[0]
    )


def test_series_that_end_early_depend_on_the_horizon(make_table: MakeTable) -> None:
    assert prepare(make_panel(make_table), horizon=8)[1]["dead"] == ["dead"]


def test_series_that_end_early_are_dropped_if_asked(make_table: MakeTable) -> None:
    series, profile = prepare(make_panel(make_table), dead="drop")
    assert (series["unique_id"].unique().tolist(), profile["left_out"]) == (["a"], ["b", "dead"])


def test_gap_longer_than_the_horizon_stays_open(make_table: MakeTable) -> None:
    series, profile = prepare(make_gaps(make_table, (50, 57), (100, 130)))
    assert series.index[series["y"].isna()].tolist() == list(range(100, 130))
    assert (
        "1 gap longer than the horizon of 7 steps, of which 1 stay open"
        in find(profile, "longer than")[0]
    )


def test_gap_in_the_newest_window_is_filled(make_table: MakeTable) -> None:
    series, profile = prepare(make_gaps(make_table, (385, 394)))
    assert not series["y"].isna().any()
    assert "of which 0 stay open" in find(profile, "longer than")[0]


def test_gaps_are_filled_if_too_few_windows_would_be_left(make_table: MakeTable) -> None:
    series = prepare(make_gaps(make_table, (50, 140), (200, 290)))[0]
    assert not series["y"].isna().any()


def make_gaps(make_table: MakeTable, *spans: tuple[int, int]) -> pd.DataFrame:
    values: list[float | None] = list(VALUES)
    for begin, stop in spans:
        values[begin:stop] = [None] * (stop - begin)
    return make_table(values)


def make_panel(make_table: MakeTable) -> pd.DataFrame:
    return make_table({"a": list(VALUES), "b": list(VALUES[:386]), "dead": list(VALUES[:200])})
