"""Each series has its own scale, from its training part alone, and comes back from it exactly."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.forecast.windows.scaling import fit_scaler, scale, unscale

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(NUMBERS, min_size=1, max_size=20), NUMBERS, st.floats(1e-3, 1e6))
def test_unscale_is_the_exact_inverse_of_scale(
    values: list[float], mean: float, deviation: float
) -> None:
    array = np.array(values)
    back = unscale(scale(array, mean, deviation), mean, deviation)
    np.testing.assert_allclose(back, array, rtol=1e-12, atol=1e-12 * max(1.0, abs(mean)))


def test_unscale_computes_in_float64() -> None:
    assert unscale(np.float32([1.5]), np.array([1e8]), np.array([1.0])).tolist() == [1e8 + 1.5]


def test_scaled_training_part_has_mean_0_with_deviation_1(
    prepare: Prepare, make_values: MakeValues
) -> None:
    prepared = prepare(make_values(50))
    train = scale(prepared.series["y"][:30], *prepared.scaler.loc[0, ["mean", "deviation"]])
    assert (train.mean(), train.std()) == (pytest.approx(0, abs=1e-12), pytest.approx(1))


def test_scale_is_that_of_the_training_part(prepare: Prepare, make_values: MakeValues) -> None:
    values = make_values(50)
    scaler = prepare(values).scaler
    assert scaler.loc[0, ["mean", "deviation"]].tolist() == pytest.approx(
        [np.mean(values[:30]), np.std(values[:30])]
    )


def test_each_series_has_its_scale(prepare: Prepare, make_values: MakeValues) -> None:
    scaler = prepare({"a": make_values(50, seed=1), "b": make_values(60, seed=2)}).scaler
    expected = [np.mean(make_values(50, seed=1)[:30]), np.mean(make_values(60, seed=2)[:40])]
    assert scaler["mean"].tolist() == pytest.approx(expected)


def test_scaler_sees_the_values_of_training_alone(
    prepare: Prepare, make_values: MakeValues
) -> None:
    values = make_values(50, missing=[28, 29, 30])
    later = [
        value if row < 30 or value is None else value + 1000 for row, value in enumerate(values)
    ]
    # Without the treatment of breaks, which moves earlier values on purpose.
    pd.testing.assert_frame_equal(prepare(values).scaler, prepare(later, breaks="keep").scaler)
    values = make_values(50)
    changed = [*values[:29], values[29] + 1, *values[30:]]
    assert not prepare(values).scaler.equals(prepare(changed).scaler)
    values = make_values(50, missing=[10, 11])
    observed = [value for value in values[:30] if value is not None]
    assert prepare(values).scaler.loc[0, "mean"] == pytest.approx(np.mean(observed))
    prepared = prepare(make_values(50, missing=[10]))
    before = prepared.series.copy()
    fit_scaler(prepared.series, prepared.cutoffs)
    pd.testing.assert_frame_equal(prepared.series, before)


def test_single_value_has_the_relative_deviation_of_the_other_series() -> None:
    """A deviation of 1 made the intervals of a new series a hundred times too narrow."""
    days = pd.date_range("2024-01-01", periods=4)
    values = {"a": [90.0, 110.0, 90.0, 110.0], "new": [500.0], "same": [7.0, 7.0, 7.0, 7.0]}
    rows = [
        pd.DataFrame({"unique_id": name, "ds": days[-len(y) :], "y": y, "observed": True})
        for name, y in values.items()
    ]
    sizes = [len(y) for y in values.values()]
    cutoffs = pd.DataFrame(
        {
            "unique_id": list(values),
            "num_steps": sizes,
            "train_stop": sizes,
            "validation_stop": sizes,
        }
    )
    scaler = fit_scaler(pd.concat(rows, ignore_index=True), cutoffs)
    assert scaler["deviation"].tolist() == pytest.approx([10, 50, 1])
