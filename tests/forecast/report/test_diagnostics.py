"""Diagnostics find a season, a correlation and an event that were put into the errors."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.diagnostics import (
    NUM_WORST,
    draw_autocorrelation,
    draw_diagnostics,
    draw_error_by_season,
    find_worst_windows,
    measure_fifths,
    tabulate_fifths,
    tabulate_seasons_ahead,
    tabulate_worst_windows,
)
from rnn_pipelines.report.page import Table

PROFILE: Any = {"season_length": 7, "freq": "D"}


def make_predictions(
    errors: Any, freq: str | None = "D", horizon: int = 1, name: str = "a"
) -> Predictions:
    """Forecasts of 0 by the ensemble, from rolling origins; `errors` are the actuals from 2024-01-01, a Monday."""
    ds = pd.Series(
        pd.date_range("2024-01-01", periods=len(errors), freq=freq)
        if freq
        else np.arange(len(errors))
    )
    origins = np.arange(1, len(errors) - horizon + 1)
    rows = (origins[:, None] + np.arange(horizon)).ravel()
    table = pd.DataFrame(
        {
            "unique_id": name,
            "cutoff": np.repeat(ds.to_numpy()[origins - 1], horizon),
            "ds": ds.to_numpy()[rows],
            "horizon_step": np.tile(np.arange(1, horizon + 1), len(origins)),
            "y": np.asarray(errors, float)[rows],
            "ensemble": 0.0,
        }
    )
    return Predictions(table, ("ensemble",))


@pytest.mark.parametrize(
    ("freq", "season_length", "period", "label"),
    [
        ("D", 7, 7, "Mon"),
        ("h", 24, 24, "0"),
        ("MS", 12, 12, "Jan"),
        ("QS", 4, 4, "Q1"),
        (None, 5, 5, "1"),
    ],
)
def test_bad_part_of_a_season_has_the_top_bar(
    freq: str | None, season_length: int, period: int, label: str
) -> None:
    errors = np.where(np.arange(8 * period) % period == 0, 9.0, -1.0)
    profile: Any = {"season_length": season_length, "freq": freq or 1}
    (bars,) = draw_error_by_season(make_predictions(errors, freq), profile).data
    assert dict(zip(bars.x, bars.y, strict=True))[label] == 9
    assert sorted(bars.y)[-2] == 1


def test_autocorrelation_is_that_of_the_errors() -> None:
    errors = np.tile([3.0, -3.0], 50)[1:] + np.random.default_rng(0).normal(size=99)
    bars, *_ = draw_autocorrelation(make_predictions(errors), PROFILE).data
    used = pd.Series(errors[1:])
    centred = used - used.mean()
    assert list(bars.x) == list(range(1, 16))
    assert bars.y[1] == pytest.approx(
        (centred[2:].to_numpy() * centred[:-2].to_numpy()).sum() / (centred**2).sum()
    )
    assert bars.y[0] < -0.8


def test_autocorrelation_has_bounds_of_95_percent() -> None:
    errors = np.tile([3.0, -3.0], 50)[1:] + np.random.default_rng(0).normal(size=99)
    _, upper, lower = draw_autocorrelation(make_predictions(errors), PROFILE).data
    assert upper.y[0] == -lower.y[0] == pytest.approx(1.96 / np.sqrt(98))


def test_few_errors_have_no_autocorrelation() -> None:
    assert not draw_autocorrelation(make_predictions([1, 2, 3, 4, 5]), PROFILE).data


def test_constant_errors_have_no_autocorrelation() -> None:
    assert not draw_autocorrelation(make_predictions(np.zeros(50)), PROFILE).data


def test_steps_without_a_season_have_no_error_by_season() -> None:
    profile: Any = {"season_length": 1, "freq": 1}
    assert not draw_error_by_season(make_predictions(np.ones(20), None), profile).data


def test_empty_test_part_has_no_figures() -> None:
    predictions = make_predictions([1, 2])
    empty = predictions.keep(pd.Series(False, index=predictions.table.index))
    assert not any(figure.data for figure in draw_diagnostics(empty, PROFILE).values())


def test_empty_test_part_has_no_worst_windows() -> None:
    predictions = make_predictions([1, 2])
    empty = predictions.keep(pd.Series(False, index=predictions.table.index))
    assert find_worst_windows(empty).empty


def test_worst_windows_come_first() -> None:
    errors = np.ones(60)
    errors[[20, 40]] = 50.0, 10.0
    worst = find_worst_windows(make_predictions(errors, horizon=3))
    assert len(worst) == NUM_WORST
    assert list(worst["mae"][:2]) == pytest.approx([52 / 3, 4])
    assert worst["first"][0] <= pd.Timestamp("2024-01-21") <= worst["last"][0]


def test_worst_windows_do_not_overlap() -> None:
    errors = np.ones(60)
    errors[[20, 40]] = 50.0, 10.0
    worst = find_worst_windows(make_predictions(errors, horizon=3))
    ordered = worst.sort_values("first")
    assert (ordered["first"].iloc[1:].to_numpy() > ordered["last"].iloc[:-1].to_numpy()).all()


def test_worst_windows_are_of_all_series() -> None:
    tables = [
        make_predictions(np.full(4, size), name=name).table
        for name, size in (("a", 5.0), ("b", 4.0))
    ]
    worst = find_worst_windows(Predictions(pd.concat(tables, ignore_index=True), ("ensemble",)))
    assert worst["unique_id"].tolist() == ["a", "a", "a", "b", "b"]


def test_table_has_the_errors_of_windows_relative_to_the_average() -> None:
    table = tabulate_worst_windows(make_predictions([0, 8, 2]), average=4.0)
    assert [row[-2:] for row in table.rows] == [["8.000", "2.0"], ["2.000", "0.50"]]
    assert table.rows[0][1] == "2024-01-02"


def test_errors_of_windows_without_an_average_are_dashes() -> None:
    assert tabulate_worst_windows(make_predictions([0, 0]), average=0.0).rows[0][-1] == "–"


def make_ahead(num_days: int) -> Predictions:
    """Hours ahead of two series, in each of which the ensemble is off by the number of the day, and theta by five."""
    steps = np.arange(1, 24 * num_days + 1)
    ds = pd.Timestamp("2024-01-01") + pd.to_timedelta(steps, "h")
    table = pd.DataFrame(
        {"ds": ds, "cutoff": pd.Timestamp("2024-01-01"), "horizon_step": steps, "y": 0.0}
    )
    table = table.assign(ensemble=(steps - 1) // 24 + 1.0, theta=5.0)
    series = [
        table.assign(unique_id=name, ensemble=sign * table["ensemble"])
        for name, sign in (("a", 1), ("b", -1))
    ]
    return Predictions(pd.concat(series, ignore_index=True), ("ensemble", "theta"))


@pytest.fixture(scope="module")
def by_day() -> Table:
    profile: Any = {"season_length": 24, "freq": "h"}
    names = ["ensemble", "pretrained", "theta", "ensemble"]
    table = tabulate_seasons_ahead(make_ahead(7), profile, names)
    assert table is not None
    return table


def test_errors_of_long_horizons_are_listed_by_day_ahead(by_day: Table) -> None:
    assert by_day.caption == "Mean absolute error by day ahead"
    assert [row[0] for row in by_day.rows] == [str(day) for day in range(1, 8)]


def test_errors_by_day_ahead_are_means_over_the_day(by_day: Table) -> None:
    assert [float(row[1]) for row in by_day.rows] == list(range(1, 8))
    assert {row[2] for row in by_day.rows} == {"5.000"}


def test_least_error_of_each_day_ahead_is_marked(by_day: Table) -> None:
    assert [column for _, column in sorted(by_day.best)] == [1, 1, 1, 1, 1, 2, 2]


def test_many_days_ahead_share_rows_of_whole_days() -> None:
    profile: Any = {"season_length": 24, "freq": "h"}
    table = tabulate_seasons_ahead(make_ahead(31), profile, ["ensemble"])
    assert table is not None
    assert [row[0] for row in table.rows][::15] == ["1 to 2", "31"]
    assert [float(row[1]) for row in table.rows][::15] == [1.5, 31]


@pytest.mark.parametrize(("num_days", "season_length"), [(2, 24), (3, 1)])
def test_horizon_of_less_than_three_seasons_has_no_seasons_ahead(
    num_days: int, season_length: int
) -> None:
    profile: Any = {"season_length": season_length, "freq": "h"}
    assert tabulate_seasons_ahead(make_ahead(num_days), profile, ["ensemble"]) is None


def make_levels(*levels: tuple[str, float, float]) -> Predictions:
    """One step ahead, the forecasts of series and their actuals."""
    table = pd.DataFrame(levels, columns=["unique_id", "ensemble", "y"])
    days = pd.Series(pd.date_range("2024-01-02", periods=len(levels)))
    return Predictions(
        table.assign(ds=days, cutoff=days - pd.Timedelta(1, "D"), horizon_step=1), ("ensemble",)
    )


LEVELS = [("a", float(level), float(level)) for level in range(1, 9)]
BIASED = make_levels(*LEVELS, ("a", 20.0, 16.0), ("a", 30.0, 24.0))


def test_fifths_are_named_from_lowest_to_highest() -> None:
    fifths = measure_fifths(BIASED)
    assert list(fifths["fifth"]) == ["lowest", "second", "middle", "fourth", "highest"]
    assert list(fifths["forecast"]) == [1.5, 3.5, 5.5, 7.5, 25.0]


def test_bias_of_high_forecasts_is_in_the_highest_fifth() -> None:
    fifths = measure_fifths(BIASED)
    assert list(fifths["mae"]) == [0.0, 0.0, 0.0, 0.0, 5.0]
    assert list(fifths["bias"]) == [0.0, 0.0, 0.0, 0.0, 0.25]


def test_fifths_are_those_of_each_series() -> None:
    levels = [
        (name, float(scale * level), 0.0)
        for name, scale in (("a", 1), ("b", 100))
        for level in range(1, 6)
    ]
    found = measure_fifths(make_levels(*levels))
    assert list(found["forecast"]) == [50.5 * level for level in range(1, 6)]


def test_bias_of_actuals_of_0_is_a_dash() -> None:
    levels = [
        (name, float(scale * level), 0.0)
        for name, scale in (("a", 1), ("b", 100))
        for level in range(1, 6)
    ]
    assert [row[-1] for row in tabulate_fifths(make_levels(*levels)).rows] == ["–"] * 5


def test_fifths_are_of_forecasts_with_an_actual() -> None:
    found = measure_fifths(make_levels(("a", 1.0, 2.0), ("a", 2.0, 4.0), ("a", 9.0, np.nan)))
    assert list(found["mae"]) == [1.0, 2.0]


def test_equal_forecasts_have_no_fifths() -> None:
    assert measure_fifths(make_levels(("a", 1.0, 2.0), ("a", 1.0, 4.0))).empty
