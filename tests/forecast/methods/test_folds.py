"""No fold learns from what it judges, and none that hides the future from anything later."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.forecast.methods import folds as folding
from rnn_pipelines.forecast.methods.folds import (
    MIN_SEEN,
    NUM_BLOCKS,
    NUM_ORIGINS,
    Folds,
    list_past,
    make_folds,
    measure_level_drift,
)
from rnn_pipelines.forecast.preparation.preparing import MIN_SEEN_WINDOWS
from rnn_pipelines.forecast.windows.panel import (
    OpenWindowSpec,
    WindowedPanel,
    WindowSpec,
    number_series,
)
from rnn_pipelines.forecast.windows.splits import SplitSpec

Prepare = Callable[..., SimpleNamespace]
HORIZON = 3
WINDOW = WindowSpec(lookback=5, horizon=HORIZON)
SPLIT = SplitSpec(validation=20, test=15)


def draw_wave(size: int, seed: int = 0) -> list[float]:
    """A wave with noise around one level."""
    return (np.sin(np.arange(size) / 4) + np.random.default_rng(seed).normal(0, 0.3, size)).tolist()


@pytest.fixture(scope="module")
def panels(prepare: Prepare) -> dict[str, WindowedPanel]:
    """One series around a level, one that climbs, the first with a stride, and a panel of three lengths."""
    climbing = (np.arange(200) + np.array(draw_wave(200))).tolist()
    series = {"a": draw_wave(120, 1), "b": draw_wave(90, 2), "c": draw_wave(60, 3)}
    strided = WindowSpec(lookback=5, horizon=HORIZON, stride=2)
    return {
        "level": prepare(draw_wave(200), WINDOW, SPLIT).windows,
        "climbing": prepare(climbing, WINDOW, SPLIT).windows,
        "strided": prepare(draw_wave(200), strided, SPLIT).windows,
        "panel": prepare(series, WINDOW, SPLIT).windows,
    }


@pytest.fixture(scope="module", params=["level", "climbing", "strided", "panel"])
def case(request: pytest.FixtureRequest, panels: dict[str, WindowedPanel]) -> SimpleNamespace:
    """A panel and its folds."""
    panel = panels[request.param]
    return SimpleNamespace(panel=panel, folds=make_folds(panel), name=request.param)


def list_targets(origins: np.ndarray) -> set[int]:
    """The rows that some windows forecast."""
    return set((origins[:, None] + np.arange(HORIZON)).ravel().tolist())


def list_seen(case: SimpleNamespace, fold: int) -> np.ndarray:
    """The origins that a fold may learn from, of all that there are."""
    past = list_past(case.panel)
    return past[case.folds.find_seen(past, number_series(case.panel.series_starts, past))[fold]]


def list_own(folds: Folds, fold: int) -> np.ndarray:
    return folds.validation[folds.fold == fold]


def test_past_is_training_with_validation_part(case: SimpleNamespace) -> None:
    indices = [case.panel.index(part) for part in ("train", "validation")]
    assert len(list_past(case.panel)) == sum(map(len, indices))


def test_fold_does_not_learn_from_targets_that_it_evaluates(case: SimpleNamespace) -> None:
    for fold in range(len(case.folds)):
        assert not list_targets(list_seen(case, fold)) & list_targets(list_own(case.folds, fold))


def test_fold_learns_from_something(case: SimpleNamespace) -> None:
    assert all(len(list_seen(case, fold)) >= MIN_SEEN for fold in range(len(case.folds)))
    assert case.folds.is_enough


def test_folds_hold_no_target_of_the_test_part(case: SimpleNamespace) -> None:
    index = case.panel.index("test")
    forbidden = list_targets(index.origins(np.arange(len(index))))
    assert not list_targets(np.concatenate([case.folds.fitted, case.folds.validation])) & forbidden


def test_window_is_evaluated_in_one_fold(case: SimpleNamespace) -> None:
    assert len(np.unique(case.folds.validation)) == len(case.folds.validation)


@pytest.fixture
def with_other_test_part(case: SimpleNamespace) -> WindowedPanel:
    index = case.panel.index("test")
    values = case.panel.values.copy()
    values[sorted(list_targets(index.origins(np.arange(len(index))))), 0] = 1e6
    return replace(case.panel, values=values)


def test_values_of_the_test_part_change_no_fold(
    case: SimpleNamespace, with_other_test_part: WindowedPanel
) -> None:
    changed = make_folds(with_other_test_part)
    for name, value in vars(case.folds).items():
        np.testing.assert_array_equal(getattr(changed, name), value)


def test_level_series_is_hidden_in_blocks(
    panels: dict[str, WindowedPanel], monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = make_folds(panels["level"])
    assert (len(folds), folds.is_forward) == (NUM_BLOCKS, False)
    past = list_past(panels["level"])
    assert make_folds(panels["level"]).num_independent == pytest.approx(
        (past[-1] + 1 - past[0]) / HORIZON
    )
    expected = make_folds(panels["level"]).num_independent
    monkeypatch.setattr(folding, "MAX_VALIDATION", 20)
    assert make_folds(panels["level"]).num_independent == expected


@pytest.mark.parametrize("name", ["level", "strided"])
def test_every_window_of_such_a_series_is_judged(
    panels: dict[str, WindowedPanel], name: str
) -> None:
    np.testing.assert_array_equal(make_folds(panels[name]).validation, list_past(panels[name]))


def test_fold_has_200_windows_of_a_long_horizon(prepare: Prepare) -> None:
    panel = prepare(
        draw_wave(3_000), WindowSpec(lookback=60, horizon=120), SplitSpec(test=200)
    ).windows
    assert np.bincount(make_folds(panel).fold).tolist() == [200] * NUM_BLOCKS


def test_few_windows_have_no_folds(prepare: Prepare) -> None:
    panel = prepare(draw_wave(24), WINDOW, SplitSpec(validation=4, test=4)).windows
    folds = make_folds(panel)
    assert not folds.is_enough
    assert len(folds) == 0
    past = list_past(panel)
    assert folds.find_seen(past, number_series(panel.series_starts, past)).shape == (
        0,
        len(past),
    )


def test_fold_needs_as_many_windows_as_a_ridge() -> None:
    assert MIN_SEEN_WINDOWS == MIN_SEEN


def test_origins_of_a_panel_are_independent(prepare: Prepare) -> None:
    """However long the horizon: none of its values lies in another."""
    panel = prepare(
        {"a": draw_wave(60, 1), "b": draw_wave(60, 2)},
        WINDOW,
        SplitSpec(validation=HORIZON, test=15),
    )
    assert make_folds(panel.windows).num_independent == max(NUM_ORIGINS) * 2


def test_spans_of_a_fold_hold_the_windows_of_young_series_too(prepare: Prepare) -> None:
    series = {"a": draw_wave(120, 1), "b": draw_wave(120, 2), "young": draw_wave(46, 3)}
    found = make_folds(prepare(series, WINDOW, SPLIT).windows)
    spans = found.stops - found.begins
    own = [[(found.validation >= begin) & (found.validation < stop) for begin, stop in zip(*rows, strict=True)]
           for rows in zip(found.begins, found.stops, strict=True)]  # fmt: skip
    assert (np.array(own).sum(axis=-1) == spans).all()


def test_block_hides_exactly_the_windows_that_share_a_target_with_it(
    panels: dict[str, WindowedPanel],
) -> None:
    """A horizon is purged before and after it."""
    panel = panels["level"]
    folds = make_folds(panel)
    past = list_past(panel)
    seen = folds.find_seen(past, number_series(panel.series_starts, past))
    for fold in range(len(folds)):
        own = list_targets(list_own(folds, fold))
        expected = [not own & list_targets(np.array([origin])) for origin in past]
        np.testing.assert_array_equal(seen[fold], expected)


def test_series_that_climbs_is_held_out_forwards(panels: dict[str, WindowedPanel]) -> None:
    folds = make_folds(panels["climbing"])
    assert folds.is_forward
    assert len(folds) == NUM_BLOCKS


def test_second_half_of_a_series_that_climbs_is_held_out(panels: dict[str, WindowedPanel]) -> None:
    past = list_past(panels["climbing"])
    np.testing.assert_array_equal(make_folds(panels["climbing"]).validation, past[len(past) // 2 :])


def test_series_that_climbs_drifts(panels: dict[str, WindowedPanel]) -> None:
    assert measure_level_drift(panels["climbing"], list_past(panels["climbing"])) == 1
    assert measure_level_drift(panels["level"], list_past(panels["level"])) < 0.1


@pytest.mark.parametrize("name", ["climbing", "panel"])
def test_forward_fold_learns_from_nothing_later(
    panels: dict[str, WindowedPanel], name: str
) -> None:
    """Of the same series, whose targets all lie before the first that the fold judges."""
    panel = panels[name]
    case = SimpleNamespace(panel=panel, folds=make_folds(panel))
    for fold in range(len(case.folds)):
        seen = list_seen(case, fold)
        own = list_own(case.folds, fold)
        for series in np.unique(number_series(panel.series_starts, own)):
            last = seen[number_series(panel.series_starts, seen) == series].max() + HORIZON - 1
            assert last < own[number_series(panel.series_starts, own) == series].min()


def test_panel_has_a_fold_for_each_origin(panels: dict[str, WindowedPanel]) -> None:
    folds = make_folds(panels["panel"])
    assert (len(folds), folds.is_forward) == (max(NUM_ORIGINS), True)


def test_every_series_of_a_panel_is_in_each_fold(panels: dict[str, WindowedPanel]) -> None:
    panel = panels["panel"]
    folds = make_folds(panel)
    series = number_series(panel.series_starts, folds.validation)
    assert all(set(series[folds.fold == fold]) == {0, 1, 2} for fold in range(max(NUM_ORIGINS)))


def test_last_fold_of_a_panel_has_the_newest_origins(panels: dict[str, WindowedPanel]) -> None:
    panel = panels["panel"]
    folds = make_folds(panel)
    past = list_past(panel)
    newest = [past[number_series(panel.series_starts, past) == series].max() for series in range(3)]
    assert set(newest) <= set(list_own(folds, max(NUM_ORIGINS) - 1))


def test_folds_of_a_panel_share_no_target(panels: dict[str, WindowedPanel]) -> None:
    folds = make_folds(panels["panel"])
    targets = [list_targets(list_own(folds, fold)) for fold in range(max(NUM_ORIGINS))]
    assert sum(map(len, targets)) == len(set().union(*targets))


@pytest.mark.parametrize("num_validated", range(HORIZON, 4 * HORIZON))
def test_no_fold_of_a_panel_falls_on_the_border_of_the_validation_part(
    prepare: Prepare, num_validated: int
) -> None:
    """There are no origins, however long the validation part is."""
    split = SplitSpec(validation=num_validated, test=15)
    panel = prepare({"a": draw_wave(120, 1), "b": draw_wave(90, 2)}, WINDOW, split).windows
    folds = make_folds(panel)
    targets = [list_targets(list_own(folds, fold)) for fold in range(len(folds))]
    assert folds.is_enough
    assert min(map(len, targets)) > 0
    assert sum(map(len, targets)) == len(set().union(*targets))


@pytest.mark.parametrize(
    ("size", "num_folds"), [(108, 3), (84, 2), (72, 1), (60, 1), (36, 0), (3, 0)]
)
def test_short_panel_has_fewer_folds(prepare: Prepare, size: int, num_folds: int) -> None:
    values = {f"s{number:02}": draw_wave(size, number) for number in range(20)}
    panel = prepare(values, OpenWindowSpec(horizon=12), SplitSpec(), freq="MS").windows
    assert len(make_folds(panel)) == num_folds


@pytest.mark.parametrize("name", ["level", "panel"])
def test_some_of_many_are_fitted(
    panels: dict[str, WindowedPanel], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MAX_FITTED", 40)
    fitted = make_folds(panels[name]).fitted
    assert 30 < len(fitted) == len(np.unique(fitted)) <= 40


def test_series_give_equal_numbers_of_windows_or_all_that_they_have(
    panels: dict[str, WindowedPanel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MAX_FITTED", 45)
    panel = panels["panel"]
    assert np.bincount(number_series(panel.series_starts, make_folds(panel).fitted)).tolist() == [
        15,
        15,
        15,
    ]
    counts = np.bincount(number_series(panel.series_starts, list_past(panel)))
    monkeypatch.setattr(folding, "MAX_FITTED", int(3 * counts.min() + 20))
    fitted = np.bincount(number_series(panel.series_starts, make_folds(panel).fitted))
    assert fitted[2] == counts[2] < fitted[0] == fitted[1]
