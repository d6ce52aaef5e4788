"""A network reads differences, phases and lags of the past, whatever its unit, its zero, and the series beside it."""

import numpy as np
import pytest

from rnn_pipelines.forecast.pretrained.reading import MAX_STEPS, read_past

SEASON, HORIZON = 4, 6


@pytest.fixture
def past() -> np.ndarray:
    """Three series: long, short and shorter than a season."""
    values = np.random.default_rng(0).normal(size=(3, 20)).cumsum(axis=1)
    values[1, :8] = np.nan
    values[2, :17] = np.nan
    return values


def test_units_of_the_series_do_not_count(past: np.ndarray) -> None:
    plain = read_past(past, SEASON, HORIZON)
    other = read_past(1000 * past - 7, SEASON, HORIZON)
    for name in ("sequence", "static", "ahead", "base"):
        np.testing.assert_allclose(getattr(plain, name), getattr(other, name), atol=1e-5)
    np.testing.assert_allclose(other.unit, 1000 * plain.unit)
    np.testing.assert_allclose(other.zero, 1000 * plain.zero - 7)


def test_other_series_do_not_count(past: np.ndarray) -> None:
    """A window alone has no missing values before it."""
    together = read_past(past, SEASON, HORIZON)
    for number, values in enumerate(past):
        alone = read_past(values[~np.isnan(values)][None], SEASON, HORIZON)
        length = alone.sequence.shape[1]
        np.testing.assert_allclose(
            alone.sequence[0], together.sequence[number, -length:], atol=1e-6
        )
        np.testing.assert_allclose(alone.static[0], together.static[number], atol=1e-6)
        np.testing.assert_allclose(alone.ahead[0], together.ahead[number], atol=1e-6)
        np.testing.assert_allclose(alone.base[0], together.base[number], atol=1e-6)
        assert together.is_there[number].sum() == length


def test_base_is_the_value_of_the_newest_same_season(past: np.ndarray) -> None:
    read = read_past(past, SEASON, HORIZON)
    values = read.base * read.unit[:, None] + read.zero[:, None]
    np.testing.assert_allclose(values[0], past[0, [16, 17, 18, 19, 16, 17]], atol=1e-5)
    # The series has three values of four, so that only the first step ahead has no value in the newest season.
    values = read.base[2] * read.unit[2] + read.zero[2]
    np.testing.assert_allclose(values, past[2, [19, 17, 18, 19, 19, 17]], atol=1e-5)
    read = read_past(past, 1, HORIZON)
    values = read.base * read.unit[:, None] + read.zero[:, None]
    np.testing.assert_allclose(values, np.repeat(past[:, -1:], HORIZON, axis=1), atol=1e-5)


def test_long_series_are_read_in_part_at_their_phase() -> None:
    assert read_past(np.arange(300.0)[None], 12, 3).sequence.shape[1] == MAX_STEPS
    # The newest step has phase 0, and the step ahead of one season too.
    read = read_past(np.arange(12.0)[None], SEASON, HORIZON)
    np.testing.assert_allclose(read.sequence[0, -1, 4:6], [0, 1], atol=1e-6)
    np.testing.assert_allclose(read.ahead[0, SEASON - 1, -2:], [0, 1], atol=1e-6)


@pytest.mark.parametrize(
    "values", [[5.0, 5.0, 5.0, 5.0, 5.0], [0.0, 0.0, 0.0], [3.0], [1e300, 2e300, 1e300]]
)
def test_everything_read_is_finite(values: list[float]) -> None:
    read = read_past(np.array([values]), SEASON, HORIZON)
    assert all(np.isfinite(part).all() for part in read)
