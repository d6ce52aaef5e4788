"""The shortest series of a panel ends no run and caps no lookback: padding stands for the steps before it began."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.errors import SeriesTooShortError
from rnn_pipelines.forecast.windows.panel import (
    EvaluationSpec,
    Part,
    WindowedPanel,
    WindowSpec,
    count_padded,
    find_history,
    gather_windows,
    number_series,
)
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.forecast.windows.windowing import find_min_history

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

# Days, so that the season has 7 steps and a window of a panel needs 14.
WINDOW = WindowSpec(lookback=30, horizon=3)
SPLIT = SplitSpec(validation=6, test=6)
PARTS: tuple[Part, ...] = ("train", "validation", "test", "future")


def list_places(prepared: SimpleNamespace, part: Part, name: str) -> list[int]:
    """The origins of a series in its own steps."""
    panel = prepared.windows
    origins = panel.list_origins(part)
    number = prepared.cutoffs["unique_id"].tolist().index(name)
    return (
        origins[number_series(panel.series_starts, origins) == number] - panel.series_starts[number]
    ).tolist()


@pytest.fixture(scope="module")
def prepared(prepare: Prepare, make_values: MakeValues) -> SimpleNamespace:
    """A long series with open gaps, a short one without a window in training, and a short one."""
    values = {
        "a": make_values(80, seed=1, missing=[2, 36, 37]),
        "b": make_values(28, seed=2),
        "c": make_values(34, seed=3),
    }
    return prepare(values, WINDOW, SPLIT, gaps="split")


@pytest.mark.parametrize(
    ("lookback", "horizon", "season_length", "num_series", "needed"),
    [
        (20, 3, 7, 1, 20),
        (20, 3, 7, 2, 14),
        (20, 18, 7, 2, 18),
        (10, 3, 7, 2, 10),
        (20, 3, 1, 2, 3),
        (20, 1, 1, 9, 2),
    ],
    ids=[
        "a series alone",
        "two seasons",
        "the horizon",
        "no more than the lookback",
        "no season",
        "two steps",
    ],
)
def test_window_needs(
    lookback: int, horizon: int, season_length: int, num_series: int, needed: int
) -> None:
    assert (
        find_min_history(WindowSpec(lookback=lookback, horizon=horizon), season_length, num_series)
        == needed
    )


def test_first_window_of_a_panel_sees_two_weeks(prepared: SimpleNamespace) -> None:
    assert list_places(prepared, "train", "c")[0] == 14


def test_first_window_of_one_series_sees_the_whole_lookback(
    prepare: Prepare, make_values: MakeValues
) -> None:
    assert prepare(make_values(80), WINDOW, SPLIT).windows.list_origins("train")[0] == 30


def test_first_window_of_a_panel_sees_two_seasons(
    prepared: SimpleNamespace, prepare: Prepare, make_values: MakeValues
) -> None:
    values = {"a": make_values(80, seed=1), "b": make_values(60, seed=2)}
    prepared = prepare(values, WINDOW, SPLIT, evaluation=EvaluationSpec(season_length=5))
    assert (list_places(prepared, "train", "a")[0], prepared.windows.season_length) == (10, 5)


def pad(values: np.ndarray, origin: int, lookback: int, season: int) -> list[float]:
    """The history of one window, step by step: a step before the first is that of some seasons later."""
    steps = range(origin - lookback, origin)
    return [values[next(row for row in range(step, origin, season) if row >= 0)] for step in steps]


@pytest.mark.parametrize("part", PARTS)
def test_padding_continues_the_oldest_season_into_the_past(
    prepared: SimpleNamespace, part: Part
) -> None:
    panel = prepared.windows
    origins = panel.list_origins(part)
    history, _ = gather_windows(panel, origins)
    for window, origin in zip(history, origins, strict=True):
        start = panel.series_starts[number_series(panel.series_starts, origin)]
        assert window[:, 0].tolist() == pad(
            panel.values[start:, 0], origin - start, panel.lookback, 7
        )
    assert np.isfinite(history).all()
    assert count_padded(panel, origins).any()


def test_padding_repeats_the_first_step_without_a_season(prepared: SimpleNamespace) -> None:
    panel = prepared.windows
    start = panel.series_starts[1]
    history, _ = gather_windows(panel, np.array([start + 3]))
    assert (
        history[0, :, 0].tolist()
        == [panel.values[start, 0]] * 28 + panel.values[start + 1 : start + 3, 0].tolist()
    )


def test_padding_is_counted(prepared: SimpleNamespace) -> None:
    panel = prepared.windows
    assert count_padded(panel, panel.series_starts + 14).tolist() == [16, 16, 16]
    assert count_padded(panel, panel.series_starts + np.array([30, 29, 31])).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("train", []),
        ("validation", [16, 17, 18, 19]),
        ("test", [22, 23, 24, 25]),
        ("future", [28]),
    ],
)
def test_short_series_has_windows_outside_of_training(
    prepared: SimpleNamespace, part: Part, expected: list[int]
) -> None:
    assert list_places(prepared, part, "b") == expected


@given(
    st.lists(st.integers(2, 30), min_size=1, max_size=4),
    st.integers(1, 40),
    st.integers(1, 12),
    st.data(),
)
def test_no_row_of_a_history_lies_in_the_future_or_in_another_series(
    lengths: list[int], lookback: int, season_length: int, data: st.DataObject
) -> None:
    none = np.zeros((0, 2), np.int64)
    starts = np.append(0, np.cumsum(lengths))[:-1]
    values = np.zeros((sum(lengths), 1), np.float32)
    panel = WindowedPanel(values, none, none, none, none, starts, lookback, 1, 1, season_length)
    number = data.draw(st.integers(0, len(lengths) - 1))
    origin = int(starts[number]) + data.draw(st.integers(1, lengths[number]))
    rows = find_history(panel, np.array([origin]))
    assert (starts[number] <= rows).all()
    assert (rows < origin).all()


@pytest.mark.parametrize("cut", [14, 16, 19, 20, 27, 30, 33])
def test_changing_the_future_changes_no_padded_window(
    prepare: Prepare, make_values: MakeValues, cut: int
) -> None:
    values = {"a": make_values(80, seed=1), "b": make_values(34, seed=2)}
    changed = values | {
        "b": [value if row < cut else value + 1000 for row, value in enumerate(values["b"])]
    }
    # Without the treatment of breaks, which moves earlier values on purpose.
    before, after = (prepare(each, WINDOW, SPLIT, breaks="keep") for each in (values, changed))
    origins = before.windows.series_starts[1] + np.arange(14, cut + 1)
    # Unscaled, because the scale is that of the training part, which has changed too.
    one, other = (
        each.features.table["y"].to_numpy()[find_history(each.windows, origins)]
        for each in (before, after)
    )
    np.testing.assert_array_equal(one, other)


def test_series_that_can_not_be_used_are_left_out(
    prepare: Prepare, make_values: MakeValues
) -> None:
    """Its gap at the end leaves no window."""
    values = {
        "a": make_values(80, seed=1),
        "b": [*range(25), *[None, 1.0] * 20],
        "c": make_values(60, seed=2),
    }
    prepared = prepare(values, WINDOW, SPLIT, gaps="split")
    alone = prepare({name: values[name] for name in "ac"}, WINDOW, SPLIT, gaps="split")
    assert prepared.series["unique_id"].unique().tolist() == ["a", "c"]
    np.testing.assert_array_equal(prepared.windows.values, alone.windows.values)
    for part in PARTS:
        np.testing.assert_array_equal(getattr(prepared.windows, part), getattr(alone.windows, part))


def test_short_series_are_evaluated(prepare: Prepare, make_values: MakeValues) -> None:
    values = {"a": make_values(80, seed=1), "b": make_values(28, seed=2)}
    profile = prepare(values, WINDOW, SPLIT).profile
    assert (profile["left_out"], profile["not_evaluated"]) == ([], [])


def test_short_series_end_their_parts_from_their_own_ends(
    prepare: Prepare, make_values: MakeValues
) -> None:
    """The series begin together."""
    values = {"a": make_values(80, seed=1), "b": make_values(28, seed=2)}
    profile = prepare(values, WINDOW, SPLIT).profile
    assert [sentence.split(":")[0] for sentence in profile["repairs"]] == [
        "forecast from their own ends"
    ]


def test_constant_series_have_a_deviation_of_1(prepare: Prepare) -> None:
    prepared = prepare({"a": [5.0] * 60, "b": [6.0] * 60}, WINDOW, SPLIT)
    assert prepared.scaler[["mean", "deviation"]].to_numpy().tolist() == [[5, 1], [6, 1]]


def test_series_that_are_left_out_are_logged(
    prepare: Prepare, make_values: MakeValues, caplog: pytest.LogCaptureFixture
) -> None:
    values = {name: make_values(80, seed=seed) for seed, name in enumerate(["a", "b"])}
    values |= {f"short {number}": [1.0, 2.0, 3.0] for number in range(6)}
    profile = prepare(values, WINDOW, SPLIT, short_series="drop").profile
    assert profile["left_out"] == [f"short {number}" for number in range(6)]
    (sentence,) = profile["repairs"]
    assert f"catalog: {sentence}" in caplog.messages


def test_profile_counts_the_series_that_are_left(prepare: Prepare, make_values: MakeValues) -> None:
    values = {"a": make_values(50, seed=1), "b": make_values(60, seed=2), "c": [1.0] * 9}
    profile = prepare(values, WINDOW, SPLIT, short_series="drop").profile
    assert (profile["num_series"], profile["num_steps"], profile["last"]) == (2, 110, "2021-03-01")


def test_series_below_the_least_length_are_left_out(
    prepare: Prepare, make_values: MakeValues
) -> None:
    values = {
        "a": make_values(80, seed=1),
        "b": make_values(40, seed=2),
        "c": make_values(60, seed=3),
    }
    assert prepare(values, WINDOW, SPLIT, min_length=41).profile["left_out"] == ["b"]


@pytest.mark.parametrize("size", [1, 2, 13])
def test_young_series_is_forecast(prepare: Prepare, make_values: MakeValues, size: int) -> None:
    values = {"a": make_values(80, seed=1), "b": list(range(size)), "c": make_values(60, seed=2)}
    prepared = prepare(values, WINDOW, SPLIT)
    assert (list_places(prepared, "future", "b"), prepared.profile["left_out"]) == ([size], [])


YOUNG = [float(value) for value in range(20)]


@pytest.fixture(scope="module")
def with_a_young_one(prepare: Prepare, make_values: MakeValues) -> SimpleNamespace:
    """One series has what a window needs, and nothing that could be held out."""
    return prepare(
        {"a": make_values(80, seed=1), "b": YOUNG, "c": make_values(60, seed=2)}, WINDOW, SPLIT
    )


def test_series_too_short_to_be_evaluated_is_forecast(with_a_young_one: SimpleNamespace) -> None:
    assert [list_places(with_a_young_one, part, "b") for part in PARTS] == [[], [], [], [20]]


def test_series_too_short_to_be_evaluated_has_its_scale(with_a_young_one: SimpleNamespace) -> None:
    scaler = with_a_young_one.scaler.set_index("unique_id").loc["b"]
    expected = [np.mean(YOUNG), np.std(YOUNG)]
    assert scaler[["mean", "deviation"]].tolist() == pytest.approx(expected)


def test_profile_names_a_series_too_short_to_be_evaluated(
    with_a_young_one: SimpleNamespace,
) -> None:
    profile = with_a_young_one.profile
    assert (profile["not_evaluated"], profile["left_out"]) == (["b"], [])
    assert any("too short" in repair and "(b: 20)" in repair for repair in profile["repairs"])


def test_series_too_short_to_be_evaluated_takes_no_part_in_training(
    with_a_young_one: SimpleNamespace, prepare: Prepare, make_values: MakeValues
) -> None:
    """Its rows are as new as those on which others are evaluated."""
    alone = prepare({"a": make_values(80, seed=1), "c": make_values(60, seed=2)}, WINDOW, SPLIT)
    together, apart = (
        gather_windows(prepared.windows, prepared.windows.list_origins("train"))
        for prepared in (with_a_young_one, alone)
    )
    for windows, expected in zip(together, apart, strict=True):
        np.testing.assert_array_equal(windows, expected)


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        (
            (3, 2),
            {"short_series": "drop"},
            r"2 of 2 series with fewer than 14 steps \(a: 3, b: 2\)",
        ),
        ((28, 27), {}, r"'a' has 28 .* 16 for train.* 17"),
        ((80,), {"min_length": 90}, "1 of 1 series with fewer than 90 steps"),
        # A series that is left alone needs its whole lookback.
        ((34, 2), {"short_series": "drop"}, r"'a' has 34 .* 22 for train.* 33"),
        (
            (80, 2, 60),
            {"short_series": "error"},
            r"1 of 3 series with fewer than 14 steps \(b: 2\).*short_series=drop",
        ),
        (
            (80, 20, 60),
            {"short_series": "error"},
            "1 of 3 series that are too short.*short_series=drop",
        ),
    ],
)
def test_series_that_are_too_short_end_the_run(
    prepare: Prepare,
    make_values: MakeValues,
    sizes: tuple[int, ...],
    options: dict[str, object],
    message: str,
) -> None:
    values = {
        name: make_values(size, seed=seed)
        for seed, (name, size) in enumerate(zip("abc", sizes, strict=False))
    }
    with pytest.raises(SeriesTooShortError, match=message):
        prepare(values, WINDOW, SPLIT, **options)
