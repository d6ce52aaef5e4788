"""Sums over groups of series and calendar periods."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.totals.adding import (
    Question,
    add_forecasts,
    find_periods,
    finish_totals,
    join_totals,
)
from rnn_pipelines.forecast.totals.specs import TotalsSpec

NAMES = ["a", "b", "c"]
DAYS = pd.date_range("2024-02-26", periods=10)
GROUPS = pd.DataFrame({"region": ["N", "N", "S"]}, index=pd.Index(NAMES, name="unique_id"))
SPEC = ["all", "region", "week", "region × week", "series × horizon"]


def make_steps(names=NAMES, days=DAYS):
    table = pd.MultiIndex.from_product([names, days], names=["unique_id", "ds"]).to_frame(
        index=False
    )
    return table.assign(forecast=np.arange(len(table), dtype=float))


def draw(num_series=3, num_paths=50, num_steps=10):
    return np.random.default_rng(0).normal(20, 5, (num_series, num_paths, num_steps))


def ask(names=SPEC, levels=(80,), freq="D"):
    return Question(TotalsSpec(names), levels, freq)


def add(steps, paths, question, groups=GROUPS):
    return finish_totals(add_forecasts(steps, paths, groups, question), question)


def test_forecasts_of_totals_are_the_sums_of_forecasts():
    steps = make_steps()
    totals = add(steps, [draw()], ask()).set_index(["total", "group", "ds"])["forecast"]
    in_north = steps[steps["unique_id"].isin(["a", "b"])]
    assert (
        totals["region", "N", DAYS[3]] == in_north.loc[in_north["ds"] == DAYS[3], "forecast"].sum()
    )
    assert totals["week", "all", DAYS[0]] == steps.loc[steps["ds"] < DAYS[7], "forecast"].sum()
    assert totals["series × horizon", "b", DAYS[0]] == steps["forecast"].iloc[10:20].sum()


def test_bounds_are_quantiles_of_the_sums_of_paths():
    paths = draw()
    steps = make_steps().assign(forecast=20.0)
    totals = add(steps, [paths], ask(["region × week"])).set_index(["group", "ds"])
    expected = np.quantile(paths[:2, :, 7:].sum(axis=(0, 2)), [0.1, 0.9])
    bounds = totals.loc[("N", DAYS[7]), ["lo-80", "hi-80"]].to_numpy(float)
    assert bounds == pytest.approx(expected)


def test_a_period_that_the_forecast_does_not_cover_is_not_whole():
    totals = add(make_steps(), [], ask(["week", "month"])).set_index(["total", "ds"])["is_whole"]
    assert totals.to_dict() == {
        ("week", DAYS[0]): True,
        ("week", DAYS[7]): False,
        ("month", DAYS[0]): False,
        ("month", DAYS[4]): False,
    }


def test_totals_without_levels_have_no_bounds():
    assert not [name for name in add(make_steps(), [], ask(levels=())) if name.startswith("lo-")]


def test_totals_in_parts_equal_those_of_all_series():
    steps = make_steps()
    paths = draw()
    question = ask()
    parts = [
        add_forecasts(steps[steps["unique_id"].isin(names)], [paths[rows]], GROUPS, question)
        for names, rows in ((["b"], slice(1, 2)), (["a"], slice(0, 1)), (["c"], slice(2, 3)))
    ]
    divided = finish_totals(join_totals(parts), question)
    key = ["total", "group", "ds"]
    pd.testing.assert_frame_equal(
        divided.sort_values(key, ignore_index=True),
        add(steps, [paths], question).sort_values(key, ignore_index=True),
        rtol=1e-12,
    )


def test_steps_that_some_series_lack_are_left_out():
    steps = pd.concat([make_steps(["a", "b"]), make_steps(["c"], DAYS + pd.Timedelta(days=2))])
    totals = add(steps, [], ask(["all"]))
    assert totals["ds"].tolist() == DAYS[2:].tolist()
    assert set(totals["num_series"]) == {3}


def test_series_that_ended_long_ago_are_left_out_and_counted(caplog):
    steps = pd.concat([make_steps(["a", "b"]), make_steps(["c"], DAYS - pd.Timedelta(days=99))])
    totals = add(steps, [], ask(["all"]))
    assert totals["ds"].tolist() == DAYS.tolist()
    assert "1 series of 'all' end so much earlier" in caplog.text


def test_a_series_without_an_interval_has_no_width():
    paths = draw()
    paths[0] = np.nan
    steps = make_steps().assign(forecast=7.0)
    totals = add(steps, [paths], ask(["series × horizon"])).set_index("group")
    assert totals.loc["a", ["lo-80", "hi-80"]].tolist() == pytest.approx([70, 70])


def test_numbered_steps_have_no_weeks():
    with pytest.raises(ParameterError, match="week needs times of a calendar"):
        find_periods(pd.Series([1, 2, 3]), "week", 1)


def test_a_period_shorter_than_a_step_is_refused():
    months = pd.Series(pd.date_range("2024-01-01", periods=3, freq="MS"))
    with pytest.raises(ParameterError, match="a week is shorter than a step, MS"):
        find_periods(months, "week", "MS")


def test_business_days_have_days():
    days = pd.Series(pd.date_range("2024-01-01", periods=10, freq="B"))
    assert len(set(find_periods(days, "day", "B"))) == 10


def test_days_are_those_of_the_zone():
    hours = pd.date_range("2024-03-30 22:00", periods=50, freq="h", tz="UTC").tz_convert(
        "Europe/Berlin"
    )
    steps = make_steps(["a"], hours)
    totals = add(steps, [], ask(["day"], freq="h"))
    assert totals["num_steps"].tolist() == [1, 23, 24, 2]
    assert totals["is_whole"].tolist() == [False, True, True, False]


def test_a_column_whose_name_holds_that_of_the_series_is_a_group():
    groups = GROUPS.rename(columns={"region": "old_unique_id"})
    chunks = [draw(1), draw(2)]
    totals = add(make_steps(), chunks, ask(["old_unique_id"]), groups)
    assert totals.groupby("group")["num_series"].max().to_dict() == {"N": 2, "S": 1}
