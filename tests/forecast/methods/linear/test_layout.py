"""Which seasons and harmonics linear models read depends on the steps, the length and the given calendar."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.linear.layout import Layout, count_crossings, find_layout
from rnn_pipelines.forecast.methods.linear.models import LinearModel, LinearModels
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.predictors import find_harmonics, normalize_windows
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import WindowedPanel

Prepare = Callable[..., SimpleNamespace]

# Features of days: year and week. The week has the third and fourth.
WEEKLY_SINE = 2


def lay_out(panel: WindowedPanel) -> Layout:
    return find_layout(panel, list_past(panel), "series")


def draw_noise(size: int) -> list[float]:
    return np.random.default_rng(size).normal(size=size).tolist()


def draw_peaks(size: int, period: int) -> list[float]:
    """A narrow peak in each period, with noise."""
    steps = np.arange(size)
    peaks = 5 * np.exp(-(((steps % period) - period / 2) ** 2) / 4)
    return (peaks + np.random.default_rng(1).normal(0, 0.3, size)).tolist()


def find_highest(linear: LinearModels, name: str) -> int:
    """The highest harmonic that a method reads."""
    free = linear.matrices[-1][linear.names.tolist().index(name)][-linear.normalizer.num_free : -1]
    harmonics = np.tile(linear.harmonics[:, 1], 2)
    return int(max([1, *harmonics[np.abs(free[len(linear.calendar) :]).max(axis=1) > 0]]))


def test_crossings_of_a_cycle_are_counted() -> None:
    angles = 2 * np.pi * (np.arange(4 * 365) + 0.5) / 365
    assert count_crossings(np.stack([np.sin(angles), np.cos(angles)], axis=1)).tolist() == [8]


def test_harmonics_are_waves_of_the_multiple_angle() -> None:
    angles = np.linspace(0, 6, 25)
    calendar = np.stack([np.zeros(25), np.zeros(25), np.sin(angles), np.cos(angles)], axis=1)
    sines, cosines = find_harmonics(calendar, np.array([[2, 2], [2, 10]]))
    np.testing.assert_allclose(sines, np.sin(np.outer(angles, [2, 10])), atol=1e-12)
    np.testing.assert_allclose(cosines, np.cos(np.outer(angles, [2, 10])), atol=1e-12)


@pytest.mark.parametrize(
    ("freq", "size", "expected"),
    [("D", 300, [3]), ("D", 2000, [3, 10]), ("MS", 150, [5]), ("h", 900, [10, 10]), ("QS", 60, [])],
    ids=[
        "week of days",
        "week and year of days",
        "year of months",
        "day and week of hours",
        "year of quarters",
    ],
)
def test_harmonics_have_more_than_two_steps(
    prepare: Prepare, freq: str, size: int, expected: list[int]
) -> None:
    """The highest harmonic of each cycle that occurs four times."""
    harmonics = lay_out(prepare(draw_noise(size), freq=freq).windows).normalizer.harmonics
    highest = [harmonics[harmonics[:, 0] == sine, 1].max() for sine in np.unique(harmonics[:, 0])]
    assert sorted(highest) == expected


def test_harmonics_of_days_are_those_of_the_week(prepare: Prepare) -> None:
    harmonics = lay_out(prepare(draw_noise(3 * 365 + 60)).windows).normalizer.harmonics
    assert harmonics.tolist() == [[WEEKLY_SINE, 2], [WEEKLY_SINE, 3]]


def test_year_is_read_if_its_waves_have_crossed_their_middle(prepare: Prepare) -> None:
    # After 1.8 years, the sine of the year has crossed its middle four times, the cosine three times, or the other.
    for start in ("2021-01-01", "2021-04-01", "2021-07-01", "2021-10-01"):
        calendar = lay_out(
            prepare(draw_noise(670), start=start).windows
        ).normalizer.calendar.tolist()
        assert calendar in ([0, 1, 2, 3], [2, 3])


@pytest.fixture(scope="module")
def peaks(prepare: Prepare) -> tuple[WindowedPanel, LinearModels]:
    """Hours with a narrow peak in each day."""
    panel = prepare(draw_peaks(1200, 24), freq="h").windows
    return panel, fit_linear_models(panel)


def test_ridge_alone_reads_harmonics(peaks: tuple[WindowedPanel, LinearModels]) -> None:
    _, linear = peaks
    assert find_highest(linear, "ridge_level") > 1
    assert find_highest(linear, "climatology") == 1


def test_noise_has_no_harmonics(prepare: Prepare) -> None:
    linear = fit_linear_models(prepare(draw_noise(1200), freq="h").windows)
    assert {find_highest(linear, str(name)) for name in linear.names} == {1}


def test_harmonics_contribute_to_the_calendar(
    peaks: tuple[WindowedPanel, LinearModels],
) -> None:
    panel, linear = peaks
    origins = np.array([1000])
    windows = normalize_windows(panel, linear.normalizer, origins)
    model = LinearModel(linear.combine())
    parts = model.contribute(panel, windows, origins)
    total = parts.values.sum(axis=0) + parts.calendar + parts.baseline
    np.testing.assert_allclose(total, model.forecast(panel, windows, origins)[0], atol=1e-9)


@pytest.mark.parametrize("number", [1, 2])
def test_given_number_of_harmonics_stays(prepare: Prepare, number: int) -> None:
    normalizer = lay_out(
        prepare(draw_noise(300), calendar=CalendarSpec(weekly=number, yearly=0)).windows
    ).normalizer
    assert (len(normalizer.calendar), len(normalizer.harmonics)) == (2 * number, 0)


@pytest.mark.parametrize(
    ("freq", "steps"), [("h", 168), ("30min", 336), ("15min", 672), ("D", 365)]
)
def test_long_season_is_a_week_of_parts_of_a_day_or_a_year_of_days(
    prepare: Prepare, freq: str, steps: int
) -> None:
    normalizer = lay_out(prepare(draw_noise(3 * steps + 10), freq=freq).windows).normalizer
    assert normalizer.long_season == steps
