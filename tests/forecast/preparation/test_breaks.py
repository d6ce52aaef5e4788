"""Breaks of level, unit and sign are found; growth, seasons, events and noise are none."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.preparation.breaks import Break, find_breaks

NUM_STEPS = 400
KINDS = ("week", "walk", "lognormal", "counts", "cold")
UNITS = (10.0, 0.1, 1000.0, 0.001, -1.0)


def make_series(kind: str, seed: int) -> np.ndarray:
    """Return float64[400] without a break, above 0 except for `cold`."""
    rng = np.random.default_rng(seed)
    steps = np.arange(NUM_STEPS)
    if kind == "week":
        return 100 + rng.normal(0, 15, 7)[steps % 7] + rng.normal(0, 4, NUM_STEPS)
    if kind == "walk":
        return 500 + np.cumsum(rng.normal(0, 3, NUM_STEPS))
    if kind == "lognormal":
        return np.exp(4 + rng.normal(0, 0.3, 7)[steps % 7] + rng.normal(0, 0.4, NUM_STEPS))
    if kind == "counts":
        return rng.poisson(12, NUM_STEPS).astype(float)
    return 5 - 12 * np.cos(2 * np.pi * steps / 365) + rng.normal(0, 3, NUM_STEPS)


def find(values: np.ndarray, season_length: int = 7) -> list[Break]:
    return find_breaks([values], season_length)[0]


@pytest.mark.parametrize("ratio", UNITS)
@pytest.mark.parametrize("part", [0.35, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["week", "walk", "lognormal", "counts"])
def test_a_change_of_the_unit_is_found_at_its_place(kind: str, part: float, ratio: float) -> None:
    values = make_series(kind, seed=1)
    place = int(part * NUM_STEPS)
    values[place:] *= ratio
    (found,) = find(values)
    # A value beside it can be as small as one of the other unit.
    assert abs(found.place - place) <= 2


@pytest.mark.parametrize("ratio", UNITS)
@pytest.mark.parametrize("kind", ["week", "walk", "counts"])
def test_the_ratio_of_a_unit_is_exact(kind: str, ratio: float) -> None:
    values = make_series(kind, seed=2)
    values[240:] *= ratio
    assert find(values)[0].ratio == pytest.approx(ratio, rel=1e-12)


@pytest.mark.parametrize("ratio", [100.0, 0.001])
def test_a_change_of_the_unit_of_values_on_both_sides_of_0_is_found(ratio: float) -> None:
    values = make_series("cold", seed=3)
    values[240:] *= ratio
    (found,) = find(values)
    assert abs(found.place - 240) <= 8


def test_a_stretch_in_another_unit_has_two_breaks() -> None:
    values = make_series("week", seed=4)
    values[200:240] *= 1000
    breaks = find(values)
    assert [(one.place, round(one.ratio, 6)) for one in breaks] == [(200, 1000.0), (240, 0.001)]


@pytest.mark.parametrize("shift", [40.0, -40.0, 80.0])
def test_a_shift_of_ten_deviations_is_found(shift: float) -> None:
    values = make_series("week", seed=5)
    values[300:] += shift
    (found,) = find(values)
    assert (found.place, found.ratio) == (300, 1.0)
    assert found.shift == pytest.approx(shift, rel=0.1)


@pytest.mark.parametrize("ratio", [10.0, 0.001])
def test_a_change_of_the_unit_is_found_in_twelve_values(ratio: float) -> None:
    values = 100 + np.random.default_rng(6).normal(0, 5, 12)
    values[7:] *= ratio
    assert [one.place for one in find(values, season_length=1)] == [7]


def test_a_break_of_one_series_is_that_of_no_other_one() -> None:
    series = [make_series("week", seed) for seed in range(20)]
    series[7][250:] /= 100
    assert [number for number, breaks in enumerate(find_breaks(series, 7)) if breaks] == [7]


@pytest.mark.parametrize("kind", KINDS)
def test_breaks_in_a_panel_are_those_of_each_series_alone(kind: str) -> None:
    series = [make_series(kind, seed)[: 400 - 13 * seed] for seed in range(12)]
    for values in series[::3]:
        values[150:] *= 100
    assert find_breaks(series, 7) == [find(values) for values in series]


def test_the_unit_of_the_whole_series_changes_no_place() -> None:
    values = make_series("lognormal", seed=8)
    values[250:] *= 100
    places = [[one.place for one in find(values * unit)] for unit in (1e-9, 1.0, 1e9)]
    assert places == [[250]] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_without_a_break_has_none(kind: str) -> None:
    series = [make_series(kind, seed) for seed in range(40)]
    assert sum(bool(breaks) for breaks in find_breaks(series, 7)) == 0


def test_values_are_not_changed() -> None:
    values = make_series("week", seed=9)
    values[200:] *= 10
    before = values.copy()
    find(values)
    np.testing.assert_array_equal(values, before)


def make_events() -> dict[str, np.ndarray]:
    """Return series with events that are no breaks."""
    rng = np.random.default_rng(10)
    steps = np.arange(NUM_STEPS)
    closed = make_series("week", 1)
    closed[steps % 7 == 6] = 0
    holiday = make_series("week", 2)
    holiday[200:212] *= 0.5
    return {
        "launch": rng.poisson(20 * (1 - np.exp(-np.maximum(steps - 50, 0) / 30))).astype(float),
        "growth": 10 * np.exp(3 * steps / NUM_STEPS + rng.normal(0, 0.1, NUM_STEPS)),
        "intermittent": rng.poisson(3, NUM_STEPS) * (rng.random(NUM_STEPS) < 0.2).astype(float),
        "few counts": rng.poisson(0.2, NUM_STEPS).astype(float),
        "closed days": closed,
        "holiday": holiday,
        "price": np.repeat([5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0], 50),
        "constant": np.full(NUM_STEPS, 3.0),
        "no value": np.full(NUM_STEPS, np.nan),
        "end": np.where(steps < 300, 20.0 + rng.normal(0, 2, NUM_STEPS), 0.0),
    }


@pytest.mark.parametrize("name", make_events())
def test_an_event_is_no_break(name: str) -> None:
    assert find(make_events()[name]) == []


@pytest.mark.parametrize("factor", [1e3, 1e-3, -1e2, 1e40])
@pytest.mark.parametrize("kind", KINDS)
def test_a_gross_value_is_no_break(kind: str, factor: float) -> None:
    for place in (60, 200, 397, 399):
        values = make_series(kind, seed=11)
        values[place] *= factor
        assert find(values) == []


@pytest.mark.real_data
def test_few_real_series_have_a_break() -> None:
    tourism = pd.read_csv(Path(os.environ["RNN_DATA"]) / "series" / "tourism_monthly_long.csv")
    name = tourism.columns[0]
    value = "value"
    series = [group[value].to_numpy(float) for _, group in tourism.groupby(name, sort=False)]
    assert sum(bool(breaks) for breaks in find_breaks(series, 12)) <= 0.03 * len(series)
