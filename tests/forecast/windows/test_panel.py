"""Windows are numbered in order, and slices of one array."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rnn_pipelines.forecast.windows.panel import (
    EvaluationSpec,
    WindowIndex,
    WindowSpec,
    gather_windows,
)

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 12)), max_size=6), st.integers(1, 5))
def test_index_numbers_the_windows_as_arange_does(
    steps: list[tuple[int, int]], stride: int
) -> None:
    ends = np.cumsum(np.array(steps, np.int64).reshape(-1))
    runs = ends.reshape(-1, 2)
    expected = [origin for first, stop in runs for origin in np.arange(first, stop, stride)]
    index = WindowIndex(runs, stride)
    assert index.origins(np.arange(len(index))).tolist() == expected


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 12)), max_size=6), st.integers(1, 5))
def test_index_counts_the_windows_as_range_does(steps: list[tuple[int, int]], stride: int) -> None:
    runs = np.cumsum(np.array(steps, np.int64).reshape(-1)).reshape(-1, 2)
    assert len(WindowIndex(runs, stride)) == sum(
        len(range(first, stop, stride)) for first, stop in runs
    )


def test_origins_have_the_order_of_their_numbers() -> None:
    index = WindowIndex(np.array([[3, 6], [10, 12]]))
    assert index.origins(np.array([4, 0, 2, 3])).tolist() == [11, 3, 5, 10]


def test_season_is_that_of_the_series_unless_given() -> None:
    assert EvaluationSpec().choose_season_length({"season_length": 7}) == 7
    assert EvaluationSpec(season_length=12).choose_season_length({"season_length": 7}) == 12


@pytest.mark.parametrize("stride", [1, 3])
def test_index_needs_no_memory_for_each_window(stride: int) -> None:
    few, many = (WindowIndex(np.array([[0, size]]), stride) for size in (10, 10**9))
    assert sum(a.nbytes for a in (many.firsts, many.stops, many.begins)) == sum(
        a.nbytes for a in (few.firsts, few.stops, few.begins)
    )


@given(
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([(), (12,), (3, 20, 21)]),
)
def test_gathered_windows_are_slices_of_the_array(
    prepare: Prepare,
    make_values: MakeValues,
    lookback: int,
    horizon: int,
    stride: int,
    missing: tuple[int, ...],
) -> None:
    window = WindowSpec(lookback=lookback, horizon=horizon, stride=stride)
    panel = prepare(make_values(50, missing=missing), window).windows
    origins = panel.list_origins("train")
    history, targets = gather_windows(panel, origins)
    for number, origin in enumerate(origins):
        ahead = panel.values[origin : origin + horizon]
        np.testing.assert_array_equal(history[number], panel.values[origin - lookback : origin])
        np.testing.assert_array_equal(targets[number], ahead[:, 0])


@pytest.mark.parametrize("field", ["lookback", "horizon", "stride"])
def test_window_has_at_least_one_step(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        WindowSpec(**{field: 0})


@pytest.mark.parametrize("part", ["train", "validation", "test", "future", "refit"])
def test_selected_series_have_their_windows(
    prepare: Prepare, make_values: MakeValues, part: Any
) -> None:
    panel = prepare({f"s{size}": make_values(size) for size in (50, 60, 55, 40)}).windows
    some = panel.select_series(1, 3)
    origins = panel.list_origins(part)
    is_selected = np.isin(panel.find_series(origins), [1, 2])
    history, _ = gather_windows(panel, origins[is_selected])
    assert len(history)
    np.testing.assert_array_equal(gather_windows(some, some.list_origins(part))[0], history)
