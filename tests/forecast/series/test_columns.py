"""Each covariate has one place, and each kind is read at the steps at which it is known."""

import numpy as np
import pytest

from rnn_pipelines.forecast.series.columns import ROLES, Columns, RoleFacts, count_steps_ahead

COLUMNS = Columns(2, ("static", "future", "future", "past"))


def test_columns_have_the_order_of_their_kinds() -> None:
    numbers = np.arange(7)
    parts = [
        numbers[part].tolist()
        for part in (COLUMNS.calendar, COLUMNS.static, COLUMNS.future, COLUMNS.varying)
    ]
    assert parts == [[1, 2], [3], [4, 5], [4, 5, 6]]
    assert numbers[COLUMNS.covariates].tolist() == [3, 4, 5, 6]


def test_columns_ahead_have_one_entry_for_each_step() -> None:
    columns, steps = COLUMNS.list_ahead(3)
    assert columns.tolist() == [4, 4, 4, 5, 5, 5]
    assert steps.tolist() == [0, 1, 2, 0, 1, 2]


def test_inputs_are_values_ahead_then_lags() -> None:
    inputs = COLUMNS.list_inputs(1, num_lags=2)
    assert inputs.columns.tolist() == [4, 5, 4, 4, 5, 5, 6, 6, 3]
    assert inputs.steps.tolist() == [0, 0, -2, -1, -2, -1, -2, -1, -1]
    assert inputs.are_ahead.tolist() == [True] * 2 + [False] * 7


def test_no_covariates_have_no_inputs() -> None:
    assert [part.tolist() for part in Columns(2).list_inputs(3, num_lags=4)] == [[], []]


def test_inputs_are_summed_by_column() -> None:
    calendar, covariates = COLUMNS.sum_by_column(
        np.array([1, 2, 4, 4, 6]), np.arange(10.0).reshape(5, 2)
    )
    assert calendar.tolist() == [2, 4]
    assert covariates.tolist() == [[0, 0], [10, 12], [0, 0], [8, 9]]


def test_kind_that_is_known_for_some_steps_is_read_at_these(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new kind is a line of ROLES: its values ahead, lags and sums follow."""
    monkeypatch.setitem(ROLES, "past", RoleFacts(is_varying=True, steps_ahead=2))
    assert [count_steps_ahead("past", horizon) for horizon in (1, 5)] == [1, 2]
    columns, steps = COLUMNS.list_ahead(5)
    assert columns.tolist() == [4] * 5 + [5] * 5 + [6] * 2
    assert steps[-2:].tolist() == [0, 1]
