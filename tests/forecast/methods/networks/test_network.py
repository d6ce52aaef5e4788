"""A network reads windows as its type says, and corrects what is linear in them."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fitted import forecast_network, forecast_origins
from rnn_pipelines.forecast.methods import method
from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.networks.network import (
    InputLayout,
    Network,
    correct,
    read_windows,
    size_members,
)
from rnn_pipelines.forecast.methods.predictors import normalize_windows
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, WindowedPanel, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.networks.members import forward, initialize_members

Cases = dict[str, SimpleNamespace]

Prepare = Callable[..., SimpleNamespace]
CELLS = ("lstm", "gru")
LOOKBACK, HORIZON = 14, 3
CALENDAR = CalendarSpec(weekly=1, yearly=0)


def draw_weeks(size: int, seed: int = 0) -> list[float]:
    noise = np.random.default_rng(seed).normal(0, 1, size)
    return (20 + 3 * np.sin(2 * np.pi * np.arange(size) / 7) + noise).tolist()


@pytest.fixture(scope="module")
def cases(prepare: Prepare) -> Cases:
    """One series, and two of them, with the calendar of the week."""
    by_name = {"one": draw_weeks(160), "many": {"a": draw_weeks(120, 1), "b": draw_weeks(100, 2)}}
    found = {}
    for name, values in by_name.items():
        panel = prepare(
            values,
            WindowSpec(lookback=LOOKBACK, horizon=HORIZON),
            SplitSpec(validation=25, test=20),
            evaluation=EvaluationSpec(season_length=7),
            calendar=CALENDAR,
        ).windows
        found[name] = SimpleNamespace(panel=panel, linear=fit_linear_models(panel))
    return found


def make_trained(
    panel: WindowedPanel,
    linear: LinearModels,
    cell: str = "gru",
    shrinkage: float = 0.5,
    segment: int = 2,
) -> Network:
    """A network with weights as after some training."""
    embedding, calendar = (0, (0,)) if linear.kind == "series" else (5, ())
    shape = size_members(panel, cell, 4, embedding, segment, calendar)
    rng = np.random.default_rng(3)
    weights = initialize_members(0, 3, shape)
    weights["head_kernel"] = rng.normal(size=weights["head_kernel"].shape).astype(np.float32)
    unseen = np.zeros((len(linear.validation), panel.horizon), np.float32)
    return Network(weights, cell, segment, np.array(calendar, np.int64), shrinkage, unseen)


def read(
    panel: WindowedPanel,
    linear: LinearModels,
    origins: np.ndarray,
    segment: int = 1,
    calendar: tuple[int, ...] = (),
) -> tuple[np.ndarray, np.ndarray]:
    normalized = normalize_windows(panel, linear.normalizer, origins)
    return read_windows(
        panel,
        normalized,
        origins,
        InputLayout(segment, np.array(calendar, int), linear.kind != "series"),
    )


def test_step_of_one_series_has_the_value_less_its_mean(cases: Cases) -> None:
    panel = cases["one"].panel
    origins = np.array([40, 77])
    steps, _ = read(panel, cases["one"].linear, origins)
    history = np.stack([panel.values[origin - LOOKBACK : origin, 0] for origin in origins])
    np.testing.assert_allclose(steps[:, :, 1].T, history, atol=1e-6)
    np.testing.assert_allclose(
        steps[:, :, 0].T, history - history.mean(axis=1, keepdims=True), atol=1e-6
    )


def test_step_of_one_series_has_the_calendar(cases: Cases) -> None:
    panel = cases["one"].panel
    steps, _ = read(panel, cases["one"].linear, np.array([40]), calendar=(1,))
    np.testing.assert_array_equal(steps[:, 0, 2:], panel.values[40 - LOOKBACK : 40, [2]])


def test_one_series_has_no_known_inputs(cases: Cases) -> None:
    assert read(cases["one"].panel, cases["one"].linear, np.array([40]))[1].shape == (1, 0)


def test_segment_puts_steps_side_by_side_with_zeros_before_the_window(cases: Cases) -> None:
    panel = cases["one"].panel
    linear = cases["one"].linear
    origins = np.array([40, 77])
    single, _ = read(panel, linear, origins)
    joined, _ = read(panel, linear, origins, segment=7)
    expected = single.reshape(2, 7, 2, 2).transpose(0, 2, 1, 3).reshape(2, 2, 14)
    np.testing.assert_array_equal(joined, expected)
    # 14 steps are 3 segments of 5, with one that is missing.
    panel = cases["one"].panel
    linear = cases["one"].linear
    origins = np.array([40])
    single, _ = read(panel, linear, origins)
    joined, _ = read(panel, linear, origins, segment=5)
    np.testing.assert_array_equal(
        joined.reshape(15, 2), np.vstack([np.zeros((1, 2)), single[:, 0]])
    )


def test_step_of_many_series_is_the_window_in_its_frame_with_marked_segments(cases: Cases) -> None:
    panel = cases["many"].panel
    linear = cases["many"].linear
    origins = np.array([40, 77])
    steps, _ = read(panel, linear, origins)
    np.testing.assert_allclose(
        steps[:, :, 0].T,
        normalize_windows(panel, linear.normalizer, origins).history,
        rtol=1e-5,
        atol=1e-6,
    )
    panel = cases["many"].panel
    _, known = read(panel, cases["many"].linear, np.array([40, 77]))
    np.testing.assert_array_equal(known, panel.values[[40, 77], 1:])
    steps, _ = read(cases["many"].panel, cases["many"].linear, np.array([40]), segment=7)
    assert steps[:, 0, -1].tolist() == [1, 1]
    steps, _ = read(cases["many"].panel, cases["many"].linear, np.array([40]), segment=5)
    assert steps[:, 0, -1].tolist() == [0, 1, 1]


@pytest.mark.parametrize("name", ["one", "many"])
@pytest.mark.parametrize("segment", [1, 5, 7])
def test_sizes_are_those_of_what_is_read(cases: Cases, name: str, segment: int) -> None:
    panel = cases[name].panel
    linear = cases[name].linear
    embedding, calendar = (0, (0, 1)) if name == "one" else (8, ())
    steps, known = read(panel, linear, np.array([40]), segment, calendar)
    shape = size_members(panel, "gru", 4, embedding, segment, calendar)
    assert (shape.num_inputs, shape.num_static_inputs, shape.num_outputs) == (
        steps.shape[-1],
        known.shape[-1],
        HORIZON,
    )


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", ["one", "many"])
def test_correction_is_the_mean_of_the_members(cases: Cases, name: str, cell: str) -> None:
    panel = cases[name].panel
    linear = cases[name].linear
    origins = np.array([40, 77])
    network = make_trained(panel, linear, cell)
    normalized = normalize_windows(panel, linear.normalizer, origins)
    steps, known = read(panel, linear, origins, network.segment, tuple(network.calendar))
    outputs, _ = forward(network.cell, network.weights, steps, known)
    np.testing.assert_allclose(
        correct(network, panel, normalized, origins), outputs.mean(axis=0), atol=1e-6
    )


@pytest.mark.parametrize("name", ["one", "many"])
def test_forecast_is_the_linear_one_with_the_shrunk_correction(cases: Cases, name: str) -> None:
    panel = cases[name].panel
    linear = cases[name].linear
    origins = np.array([40, 77])
    network = make_trained(panel, linear, shrinkage=0.25)
    normalized = normalize_windows(panel, linear.normalizer, origins)
    in_frame = normalized.predictors @ linear.combine() + 0.25 * correct(
        network, panel, normalized, origins
    )
    found = forecast_origins(network, linear, panel, origins)
    np.testing.assert_allclose(found, normalized.units.denormalize(in_frame), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["one", "many"])
def test_forecast_without_a_correction_is_the_linear_one(cases: Cases, name: str) -> None:
    panel = cases[name].panel
    linear = cases[name].linear
    origins = np.array([40, 77])
    normalized = normalize_windows(panel, linear.normalizer, origins)
    expected = normalized.units.denormalize(normalized.predictors @ linear.combine())
    found = forecast_origins(make_trained(panel, linear, shrinkage=0.0), linear, panel, origins)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["one", "many"])
def test_forecasts_are_of_test_windows_with_next_values(cases: Cases, name: str) -> None:
    panel = cases[name].panel
    linear = cases[name].linear
    all_found = forecast_network(make_trained(panel, linear), linear, panel)
    num_series = len(panel.series_starts)
    assert (all_found.test.shape, all_found.future.shape) == (
        (len(panel.index("test")), HORIZON),
        (num_series, HORIZON),
    )


@pytest.mark.parametrize("name", ["one", "many"])
def test_inputs_do_not_depend_on_the_values_after_the_origin(cases: Cases, name: str) -> None:
    panel = cases[name].panel
    linear = cases[name].linear
    origins = np.array([40])
    values = panel.values.copy()
    values[40:, 0] = np.nan
    np.testing.assert_array_equal(
        read(replace(panel, values=values), linear, origins)[0], read(panel, linear, origins)[0]
    )


@pytest.mark.parametrize("part", ["test", "future"])
def test_forecasts_are_in_the_order_of_the_windows(cases: Cases, part: str) -> None:
    panel = cases["many"].panel
    linear = cases["many"].linear
    network = make_trained(panel, linear)
    index = panel.index(part)
    origins = index.origins(np.arange(len(index)))
    evaluated = linear if part == "test" else linear.refit()
    expected = np.concatenate(
        [forecast_origins(network, evaluated, panel, np.array([origin])) for origin in origins]
    )
    found = getattr(forecast_network(network, linear, panel), part)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_forecasts_are_the_same_float32_whatever_the_batch_size(
    cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = cases["one"].panel
    linear = cases["one"].linear
    network = make_trained(panel, linear)
    past = list_past(panel)
    whole = forecast_origins(network, linear, panel, past)
    monkeypatch.setattr(method, "BATCH_SIZE", 5)
    np.testing.assert_allclose(
        forecast_origins(network, linear, panel, past), whole, rtol=1e-5, atol=1e-6
    )
    found = forecast_network(make_trained(panel, linear), linear, panel)
    assert found.test.dtype == found.future.dtype == np.float32
    assert forecast_origins(
        make_trained(panel, linear), linear, panel, np.zeros(0, np.int64)
    ).shape == (0, HORIZON)


@pytest.mark.parametrize("name", ["one", "many"])
@pytest.mark.parametrize("cell", CELLS)
def test_network_has_the_weights_that_it_was_made_of(cases: Cases, name: str, cell: str) -> None:
    panel = cases[name].panel
    embedding = 0 if name == "one" else 5
    weights = initialize_members(0, 2, size_members(panel, cell, 4, embedding, 1, ()))
    network = Network(
        weights, cell, 1, np.zeros(0, np.int64), 1.0, np.zeros((0, HORIZON), np.float32)
    )
    assert set(network.weights) == set(weights)
    assert all(network.weights[key] is array for key, array in weights.items())
