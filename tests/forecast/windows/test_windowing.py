"""Windows are those that a plain enumeration finds, leak nothing, and are never copied out."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.windows.panel import (
    EvaluationSpec,
    Part,
    WindowedPanel,
    WindowIndex,
    WindowSpec,
    gather_windows,
)
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.forecast.windows.windowing import find_window_runs, make_windows, thin_runs

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

PARTS: tuple[Part, ...] = ("train", "validation", "test")
GAP_POLICIES = ("interpolate", "split")


def list_targets(panel: WindowedPanel, part: Part) -> set[int]:
    """The rows that the windows of a part forecast."""
    return set((panel.list_origins(part)[:, None] + np.arange(panel.horizon)).ravel().tolist())


def list_bounds(prepared: SimpleNamespace) -> list[tuple[int, ...]]:
    """First row of train, of validation, of test, and stop of each series, in rows of the panel."""
    cuts = prepared.cutoffs[["train_stop", "validation_stop", "num_steps"]].to_numpy()
    starts = np.cumsum([0, *(cuts[:-1, 2] + prepared.windows.horizon)])
    return [(int(start), *map(int, start + cut)) for start, cut in zip(starts, cuts, strict=True)]


@pytest.fixture(scope="module", params=GAP_POLICIES)
def gappy(
    request: pytest.FixtureRequest, prepare: Prepare, make_values: MakeValues
) -> SimpleNamespace:
    """A panel of two series, with gaps inside the parts and across their borders (at 60 and 80, 40 and 60)."""
    values = {
        "a": make_values(100, seed=1, missing=[9, 10, 11, 30, 58, 59, 60, 61, 79, 93]),
        "b": make_values(80, seed=2, missing=[38, 39, 57, 58, 59, 60, 73, 74]),
    }
    return prepare(values, split=SplitSpec(validation=20, test=20), gaps=request.param)


def enumerate_origins(
    observed: np.ndarray, is_open: np.ndarray, bounds: tuple[int, int, int, int], window: WindowSpec
) -> dict[str, list[int]]:
    """The same origins, one by one, from the sentences that define them."""
    found: dict[str, list[int]] = {"train": [], "validation": [], "test": [], "future": []}
    for part, first, stop in zip(found, bounds, bounds[1:], strict=False):
        observed_rows = [row for row in range(first, stop) if observed[row]]
        for origin in range(first, stop):
            first_seen = origin - window.lookback
            targets_stop = origin + window.horizon
            if first_seen < 0 or not observed[origin - 1] or is_open[first_seen:targets_stop].any():
                continue
            if observed[origin:targets_stop].any() and targets_stop - 1 <= observed_rows[-1]:
                found[part].append(origin)
    end = bounds[3]
    # An unavailable value ends a series, and is filled.
    if not is_open[max(end - window.lookback, 0) :].any():
        found["future"].append(end)
    return found


@st.composite
def draw_gappy_series(
    draw: st.DrawFn,
) -> tuple[np.ndarray, np.ndarray, tuple[int, int, int, int], WindowSpec]:
    size = draw(st.integers(2, 40))
    observed = np.array(
        draw(st.lists(st.sampled_from([True, True, True, False]), min_size=size, max_size=size))
    )
    is_open = ~observed & np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    train_stop, validation_stop = sorted(
        draw(st.tuples(st.integers(0, size), st.integers(0, size)))
    )
    window = WindowSpec(lookback=draw(st.integers(1, 6)), horizon=draw(st.integers(1, 6)))
    return observed, is_open, (0, train_stop, validation_stop, size), window


@given(draw_gappy_series())
def test_runs_are_as_enumerated(
    series: tuple[np.ndarray, np.ndarray, tuple[int, int, int, int], WindowSpec],
) -> None:
    runs = find_window_runs(*series)
    origins = {
        part: [row for first, stop in found for row in range(first, stop)]
        for part, found in runs.items()
    }
    assert origins == enumerate_origins(*series)


def test_stride_is_that_of_the_training_part(prepare: Prepare, make_values: MakeValues) -> None:
    panel = prepare(make_values(50), WindowSpec(lookback=4, horizon=2, stride=3)).windows
    assert np.diff(panel.list_origins("train")).tolist() == [3] * 8
    assert panel.list_origins("test").tolist() == list(range(40, 49))


def test_origins_of_the_test_part_are_all_its_steps(
    prepare: Prepare, make_values: MakeValues
) -> None:
    panel = prepare({"a": make_values(50), "b": make_values(40)}).windows
    assert panel.list_origins("test").tolist() == [*range(40, 49), *range(52 + 30, 52 + 39)]


def test_last_origins_are_one_for_each_series(prepare: Prepare, make_values: MakeValues) -> None:
    values = {"a": make_values(50), "b": make_values(40)}
    panel = prepare(values, evaluation=EvaluationSpec(origins="last")).windows
    assert panel.list_origins("test").tolist() == [48, 52 + 38]


def test_origins_of_the_future_follow_each_series(
    prepare: Prepare, make_values: MakeValues
) -> None:
    panel = prepare({"a": make_values(50), "b": make_values(40)}).windows
    assert panel.list_origins("future").tolist() == [50, 52 + 40]


@pytest.mark.parametrize(("row", "num_windows"), [(45, 1), (46, 0)])
def test_future_needs_a_history_without_open_gaps(row: int, num_windows: int) -> None:
    is_open = np.arange(50) == row
    runs = find_window_runs(~is_open, is_open, (0, 30, 40, 50), WindowSpec(lookback=4, horizon=2))
    assert len(runs["future"]) == num_windows


def test_windows_of_the_future_have_no_target(prepare: Prepare, make_values: MakeValues) -> None:
    values = prepare({"a": make_values(50), "b": make_values(40)}).windows.values
    assert np.flatnonzero(np.isnan(values[:, 0])).tolist() == [50, 51, 92, 93]


def test_calendar_of_the_future_is_known(prepare: Prepare, make_values: MakeValues) -> None:
    panel = prepare(make_values(50)).windows
    assert not np.isnan(panel.values[50:, 1:]).any()


def test_windows_change_with_the_series(prepare: Prepare, make_values: MakeValues) -> None:
    """Otherwise the tests of unseen values would show nothing."""
    values = make_values(80)
    before, after = (
        prepare(v).windows
        for v in (values, [*values[:70], *(value + 1000 for value in values[70:])])
    )
    origins = np.array([71])
    assert not np.array_equal(gather_windows(before, origins)[0], gather_windows(after, origins)[0])


def test_panel_is_one_scaled_array_of_each_row_once(
    prepare: Prepare, make_values: MakeValues
) -> None:
    panel = prepare({"a": make_values(50), "b": [100 * value for value in make_values(50)]}).windows
    np.testing.assert_allclose(panel.values[:50, 0], panel.values[52:102, 0], rtol=1e-5, atol=1e-5)
    # Only what is known in advance stands beside the target.
    prepared = prepare(make_values(50))
    features = replace(prepared.features, table=prepared.features.table.assign(signal=1.0))
    window = WindowSpec(lookback=4, horizon=2)
    evaluation = EvaluationSpec()
    panel = make_windows(
        features, prepared.cutoffs, prepared.scaler, window, evaluation, prepared.profile
    )
    np.testing.assert_array_equal(panel.values, prepared.windows.values)
    prepared = prepare(
        make_values(300), WindowSpec(lookback=100, horizon=20), SplitSpec(validation=30, test=30)
    )
    assert prepared.windows.values.nbytes == 320 * (1 + prepared.windows.columns.num_calendar) * 4
    values = prepare({"a": make_values(50), "b": make_values(50)}).windows.values
    assert (values.dtype, values.flags["C_CONTIGUOUS"]) == (np.float32, True)
    short, long = (prepare(make_values(size)).windows for size in (50, 500))
    assert [getattr(long, part).shape for part in PARTS] == [
        getattr(short, part).shape for part in PARTS
    ]
    prepared = prepare(make_values(50, missing=[20]))
    before = prepared.features.table.copy()
    window = WindowSpec(lookback=4, horizon=2)
    evaluation = EvaluationSpec()
    make_windows(
        prepared.features, prepared.cutoffs, prepared.scaler, window, evaluation, prepared.profile
    )
    pd.testing.assert_frame_equal(prepared.features.table, before)


def test_every_part_has_windows(gappy: SimpleNamespace) -> None:
    """Otherwise the tests below would show nothing."""
    assert all(len(gappy.windows.list_origins(part)) > 2 for part in PARTS)


def test_windows_of_the_training_part_hold_no_later_value(gappy: SimpleNamespace) -> None:
    seen = gappy.windows.list_origins("train")[:, None] + np.arange(
        -gappy.windows.lookback, gappy.windows.horizon
    )
    train = {
        row for start, train_stop, _, _ in list_bounds(gappy) for row in range(start, train_stop)
    }
    assert set(seen.ravel().tolist()) <= train


def test_windows_of_the_validation_part_hold_no_later_value(gappy: SimpleNamespace) -> None:
    seen = gappy.windows.list_origins("validation")[:, None] + np.arange(
        -gappy.windows.lookback, gappy.windows.horizon
    )
    before_test = {row for start, _, stop, _ in list_bounds(gappy) for row in range(start, stop)}
    assert set(seen.ravel().tolist()) <= before_test


def test_validation_part_shares_no_target_with_the_training_part(gappy: SimpleNamespace) -> None:
    assert not list_targets(gappy.windows, "validation") & list_targets(gappy.windows, "train")


@pytest.mark.parametrize("part", ["train", "validation"])
def test_test_targets_never_overlap_targets_before(gappy: SimpleNamespace, part: Part) -> None:
    assert not list_targets(gappy.windows, "test") & list_targets(gappy.windows, part)


@pytest.mark.parametrize("part", PARTS)
def test_windows_stay_in_their_series(gappy: SimpleNamespace, part: Part) -> None:
    panel = gappy.windows
    names = gappy.features.table["unique_id"].to_numpy()
    windows = names[panel.list_origins(part)[:, None] + np.arange(-panel.lookback, panel.horizon)]
    assert (windows == windows[:, :1]).all()


@pytest.mark.parametrize("part", PARTS)
def test_newest_value_of_a_window_is_observed(gappy: SimpleNamespace, part: Part) -> None:
    """A filled value would lean on the value after it."""
    assert gappy.features.table["observed"].to_numpy()[gappy.windows.list_origins(part) - 1].all()


@pytest.mark.parametrize("part", PARTS)
def test_every_window_has_an_observed_target(gappy: SimpleNamespace, part: Part) -> None:
    targets = gappy.windows.list_origins(part)[:, None] + np.arange(gappy.windows.horizon)
    assert gappy.features.table["observed"].to_numpy()[targets].any(axis=1).all()


@pytest.mark.parametrize("part", PARTS)
def test_targets_up_to_the_next_observation_lie_in_one_part(
    gappy: SimpleNamespace, part: Part
) -> None:
    observed = np.flatnonzero(gappy.features.table["observed"])
    targets = np.array(sorted(list_targets(gappy.windows, part)))
    next_observed = observed[np.searchsorted(observed, targets)]
    stops = np.sort([stop for bounds in list_bounds(gappy) for stop in bounds[1:]])
    assert (
        np.searchsorted(stops, targets, "right") == np.searchsorted(stops, next_observed, "right")
    ).all()


@pytest.mark.parametrize("part", PARTS)
def test_no_window_reaches_across_an_open_gap(
    prepare: Prepare, make_values: MakeValues, part: Part
) -> None:
    panel = prepare(make_values(80, missing=[20, 61, 74]), gaps="split").windows
    history, targets = gather_windows(panel, panel.list_origins(part))
    assert np.isfinite(history).all()
    assert np.isfinite(targets).all()


@pytest.mark.parametrize("gaps", GAP_POLICIES)
@pytest.mark.parametrize("cut", [60, 62, 67, 80, 86])
def test_the_future_changes_no_earlier_window(
    prepare: Prepare, make_values: MakeValues, gaps: str, cut: int
) -> None:
    values = make_values(100, missing=[30, 58, 59, 61, 66, 79, 80, 85])
    changed = [
        value if row < cut or value is None else value + 1000 for row, value in enumerate(values)
    ]
    split = SplitSpec(validation=20, test=20)
    before, after = (prepare(v, split=split, gaps=gaps).windows for v in (values, changed))
    origins = np.concatenate([before.list_origins(part) for part in PARTS])
    origins = origins[origins <= cut]
    np.testing.assert_array_equal(
        gather_windows(before, origins)[0], gather_windows(after, origins)[0]
    )


@pytest.fixture
def with_covariates(prepare: Prepare, make_values: MakeValues) -> WindowedPanel:
    """A static covariate of 2, one known ahead of 3, and one of the past of 1."""
    prepared = prepare(make_values(50))
    features = replace(
        prepared.features,
        table=prepared.features.table.assign(sold=1.0, size=2.0, price=3.0),
        covariates={"past": ["sold"], "static": ["size"], "future": ["price"]},
    )
    return make_windows(
        features,
        prepared.cutoffs,
        prepared.scaler,
        WindowSpec(lookback=4, horizon=2),
        EvaluationSpec(),
        prepared.profile,
    )


def test_covariates_do_not_move_the_calendar(
    with_covariates: WindowedPanel, prepare: Prepare, make_values: MakeValues
) -> None:
    stop = with_covariates.columns.calendar.stop
    expected = prepare(make_values(50)).windows.values
    np.testing.assert_array_equal(with_covariates.values[:, :stop], expected)


def test_covariates_stand_behind_the_calendar(with_covariates: WindowedPanel) -> None:
    """Static ones, those known ahead, those of the past."""
    columns = with_covariates.columns
    assert with_covariates.values[0, columns.calendar.stop :].tolist() == [2, 3, 1]
    places = [columns.static.start, columns.future.start, columns.varying.stop - 1]
    assert with_covariates.values[0, places].tolist() == [2, 3, 1]


def test_column_without_a_role_is_refused(prepare: Prepare, make_values: MakeValues) -> None:
    features = prepare(make_values(50)).features
    with pytest.raises(SeriesError, match="one role"):
        replace(features, table=features.table.assign(sold=1.0))


@pytest.mark.parametrize("row", [0, 85, 99], ids=["training", "validation", "test"])
def test_value_whose_scaled_one_float32_cannot_hold_is_named(prepare: Prepare, row: int) -> None:
    values = np.sin(np.arange(100.0)) * 1e-10
    values[row] = 3e38
    if row == 0:  # it widens the scale
        assert np.isfinite(prepare(values.tolist()).windows.values[:100, 0]).all()
    else:
        with pytest.raises(SeriesError, match=r"3e\+38 is \d.* deviations from the mean"):
            prepare(values.tolist())


@pytest.mark.parametrize(("max_windows", "expected"), [(40, 1), (20, 2), (9, 5), (2, 20), (1, 20)])
def test_test_windows_beyond_the_limit_are_left_out_evenly(max_windows: int, expected: int) -> None:
    """Of two series with 20 origins each: every k-th from the newest one, and at least the newest."""
    runs = np.array([[10, 22], [23, 31], [60, 80]])
    starts = np.array([0, 50])
    index = WindowIndex(thin_runs(runs, starts, max_windows))
    origins = index.origins(np.arange(len(index)))
    every = np.concatenate([np.arange(*run) for run in runs])
    newest = np.where(every < 50, 30, 79)
    np.testing.assert_array_equal(
        origins, every[(newest - every) % expected == 0] if expected < 20 else [30, 79]
    )


def test_as_many_test_windows_as_asked_for_are_evaluated(prepare: Prepare) -> None:
    values = np.random.default_rng(0).normal(size=200).tolist()
    all_windows, some = (
        prepare(values, evaluation=EvaluationSpec(max_windows=most)).windows
        for most in (20_000, 10)
    )
    kept, every = (panel.list_origins("test") for panel in (some, all_windows))
    assert 5 <= len(kept) <= 10
    assert kept[-1] == every[-1]
    assert len(set(np.diff(kept))) == 1
