"""Parts follow each other in time, and each has room for its windows."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from golden import has_in_order
from rnn_pipelines.errors import SeriesError, SeriesTooShortError
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec, place_dates, split_series

Make = Callable[..., pd.DataFrame]
MakeValues = Callable[..., list[float | None]]

WINDOW = WindowSpec(lookback=4, horizon=2)


@pytest.fixture
def make_series(make_table: Make, make_values: MakeValues) -> Make:
    """A repaired series of so many days."""

    def make(
        size: int, gaps: str = "interpolate", missing: tuple[int, ...] = (), freq: str | int = "D"
    ) -> pd.DataFrame:
        table = make_table(
            make_values(size, missing=missing), freq, start="2021-01-01" if freq == "D" else 0
        )
        return repair_series(table, SourceSpec(freq=freq), GapPolicy(gaps))[0]

    return make


def cut(
    series: pd.DataFrame, validation: object, test: object, window: WindowSpec = WINDOW
) -> SimpleNamespace:
    """The cut-offs of the only series."""
    cutoffs = split_series(series, SplitSpec(validation=validation, test=test), window)
    return SimpleNamespace(**cutoffs.iloc[0].to_dict())


def find_stops(series: pd.DataFrame, validation: object, test: object) -> tuple[int, int]:
    found = cut(series, validation, test)
    return found.train_stop, found.validation_stop


def fail(
    series: pd.DataFrame, validation: object = 10, test: object = 10, window: WindowSpec = WINDOW
) -> str:
    with pytest.raises(SeriesError) as caught:
        cut(series, validation, test, window)
    return str(caught.value)


@pytest.mark.parametrize(
    ("validation", "test", "expected"),
    [
        (0.1, 0.2, (70, 80)),
        (5, 10, (85, 90)),
        ("2021-02-01", "2021-03-01", (31, 59)),
        (5, "2021-03-01T02:00+02:00", (54, 59)),
        (0.1, "2021-03-01", (49, 59)),
    ],
)
def test_parts_are_fractions_steps_or_dates(
    make_series: Make, validation: object, test: object, expected: tuple[int, int]
) -> None:
    assert find_stops(make_series(100), validation, test) == expected


def test_parts_of_numbered_steps_begin_at_a_step(make_series: Make) -> None:
    assert find_stops(make_series(100, freq=1), "70", "80") == (70, 80)


def test_cutoffs_say_when_the_parts_begin(make_series: Make) -> None:
    found = cut(make_series(100), 5, 10)
    assert (found.validation_from, found.test_from) == (
        pd.Timestamp("2021-03-27"),
        pd.Timestamp("2021-04-01"),
    )
    found = cut(make_series(100), 0.15, 0.2)
    assert 0 < found.train_stop < found.validation_stop < found.num_steps == 100
    series = make_series(100)
    before = series.copy()
    cut(series, 0.1, 0.1)
    pd.testing.assert_frame_equal(series, before)


def test_every_series_of_a_panel_is_cut_at_its_own_end(
    make_table: Make, make_values: MakeValues
) -> None:
    table = make_table({"a": make_values(50), "b": make_values(80)})
    series, _ = repair_series(table, SourceSpec(), GapPolicy("interpolate"))
    assert split_series(series, SplitSpec(validation=10, test=10), WINDOW)[
        "validation_stop"
    ].tolist() == [40, 70]
    table = make_table(
        {
            name: make_values(size)
            for name, size in {"a": 200, "b": 30, "c": 11, "d": 5, "e": 1}.items()
        }
    )
    series, _ = repair_series(table, SourceSpec(freq="D"), GapPolicy("interpolate"))
    parts = measure_parts(series, WindowSpec(lookback=14, horizon=4), 4)
    assert parts == [[140, 20, 40], [20, 4, 6], [11, 0, 0], [5, 0, 0], [1, 0, 0]]
    table = make_table(make_values(50, missing=[48]))
    series, _ = repair_series(table, SourceSpec(freq="D"), GapPolicy("interpolate"))
    window = WindowSpec(lookback=4, horizon=1)
    with pytest.raises(SeriesError, match=r"fits the gaps of \['test'\]"):
        split_series(series, SplitSpec(validation=10, test=2), window)


@pytest.mark.parametrize("part", ["soon", "2021-02-31"])
def test_part_that_is_no_date_is_named(make_series: Make, part: str) -> None:
    assert fail(make_series(100), 10, part) == (
        "split: expected a fraction, a number of steps or a timestamp like those of the series (2021-01-01), "
        f"received {part!r}."
    )


def test_step_that_is_no_number_is_refused(make_series: Make) -> None:
    """Python reads 4_0 as 40."""
    assert "received '4_0'" in fail(make_series(100, freq=1), 10, "4_0")


def test_date_of_numbered_steps_is_refused(make_series: Make) -> None:
    assert "a timestamp like those of the series (0), received '2021-02-01'" in fail(
        make_series(100, freq=1), 10, "2021-02-01"
    )


def test_series_too_short_for_its_parts_is_refused(make_series: Make) -> None:
    with pytest.raises(SeriesTooShortError):
        cut(make_series(12), 10, 10)


def test_shortest_series_is_cut(make_series: Make) -> None:
    assert find_stops(make_series(10), 2, 2) == (6, 8)


def test_part_without_a_window_is_named(make_series: Make) -> None:
    series = make_series(60, "split", missing=(51, 53, 55, 57))
    facts = (
        "'y'",
        "4 + 2 steps",
        "['test', 'future']",
        "gaps=interpolate",
        "window.lookback",
        "split.test",
    )
    assert has_in_order(fail(series, 10, 9), *facts)


@pytest.mark.parametrize("part", [0, -1, 0.0, 1.0, 1.5, True])
def test_part_that_is_no_size_is_refused(part: object) -> None:
    with pytest.raises(ValidationError):
        SplitSpec(test=part)


@pytest.mark.parametrize(
    ("size", "split", "shortage"),
    [
        (25, (10, 10), ("5 for train", "6 or more")),
        (15, (10, 10), ("0 for train", "6 or more")),
        (50, (1, 10), ("1 for validation", "2 or more")),
        (50, (10, 1), ("1 for test", "2 or more")),
        (50, ("2021-02-15", "2021-02-10"), ("0 for validation", "2 or more")),
        (50, (10, "2022-01-01"), ("0 for test", "2 or more")),
    ],
)
def test_short_part_is_named_with_its_length(
    make_series: Make, size: int, split: tuple[object, object], shortage: tuple[str, str]
) -> None:
    assert has_in_order(
        fail(make_series(size), *split), "'y'", f"{size} steps", *shortage, "lookback 4, horizon 2"
    )


def measure_parts(
    series: pd.DataFrame, window: WindowSpec, season_length: int = 1, **split: object
) -> list[list[int]]:
    """The sizes of training, validation and test of each series."""
    cutoffs = split_series(series, SplitSpec(**split), window, season_length)
    stops = cutoffs[["train_stop", "validation_stop", "num_steps"]].to_numpy()
    return np.diff(stops, axis=1, prepend=0).tolist()


@pytest.mark.parametrize(
    ("size", "horizon", "parts"),
    [
        (1000, 7, [700, 100, 200]),
        (1000, 1, [800, 100, 100]),
        (100, 14, [66, 14, 20]),
        (60, 14, [32, 14, 14]),
        (50, 14, [22, 14, 14]),
        (42, 14, [28, 0, 14]),
        (41, 14, [41, 0, 0]),
        (1, 14, [1, 0, 0]),
    ],
    ids=[
        "long",
        "100 horizons",
        "a horizon",
        "tight",
        "no training",
        "one test window",
        "nothing held back",
        "1",
    ],
)
def test_open_parts_follow_the_horizon(
    make_series: Make, size: int, horizon: int, parts: list[int]
) -> None:
    window = WindowSpec(lookback=min(size, 20), horizon=horizon)
    assert measure_parts(make_series(size), window, 14) == [parts]


@pytest.mark.parametrize(
    ("split", "parts"), [({"test": 9}, [37, 4, 9]), ({"validation": 9}, [37, 9, 4])]
)
def test_given_part_stays(make_series: Make, split: dict[str, int], parts: list[int]) -> None:
    assert measure_parts(make_series(50), WindowSpec(lookback=30, horizon=4), **split) == [parts]


@pytest.mark.parametrize(
    "values", [[5.0] * 50, [5.0] * 30 + [6.0] * 20], ids=["all", "in training"]
)
def test_constant_series_is_cut(make_table: Make, values: list[float]) -> None:
    series, _ = repair_series(make_table(values), SourceSpec(), GapPolicy("interpolate"))
    assert find_stops(series, 10, 10) == (30, 40)


def test_a_series_beyond_the_range_of_its_deviation_is_refused(
    prepare: Callable, make_values: MakeValues
) -> None:
    with pytest.raises(SeriesError, match="beyond what numbers can hold"):
        prepare([value * 1e200 for value in make_values(60)])


@pytest.mark.parametrize(
    "part", ["5.1.2021", "02-2021", "February", "now", "10:00", "2021-02", "2021-W05", "", "NaT"]
)
def test_date_of_another_form_than_iso_8601_is_refused(make_series: Make, part: str) -> None:
    """pandas takes 5.1. for 1 May, and a time of day for one of today."""
    assert f"received {part!r}" in fail(make_series(100), test=part)


def test_split_is_placed_in_a_zone_by_iso_8601_alone() -> None:
    split = SplitSpec(validation="5.1.2021", test="2021-02-01")
    assert place_dates(split, "Europe/Berlin") == split
