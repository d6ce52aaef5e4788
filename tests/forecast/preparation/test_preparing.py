"""Everything is checked before a run saves its first file."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError, SeriesTooShortError
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, OpenWindowSpec, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

MakeTable = Callable[..., pd.DataFrame]

SETTINGS = (
    SourceSpec(path="my.csv"),
    GapPolicy("interpolate"),
    BreakPolicy("keep"),
    SplitSpec(validation=3, test=3),
    WindowSpec(lookback=5, horizon=2),
    EvaluationSpec(),
)


def test_prepared_series_is_repaired(make_table: MakeTable) -> None:
    table = make_table([1.0, 2.0] * 7 + [None, 3.0, 4.0])
    checked, series, profile, cutoffs = prepare_series(table, *SETTINGS)
    assert checked is table
    assert (len(series), profile["freq"], cutoffs["train_stop"].tolist()) == (17, "D", [11])


def test_short_series_is_refused(make_table: MakeTable) -> None:
    with pytest.raises(SeriesTooShortError, match=r"^my.csv: series 'y' has 9 steps"):
        prepare_series(make_table([1.0, 2.0, 3.0] * 3), *SETTINGS)


def test_open_window_follows_the_frequency(make_table: MakeTable) -> None:
    assert choose(make_table, 400) == [56, 14]
    assert choose(make_table, 400, "MS") == [24, 12]


def test_open_lookback_leaves_enough_windows(make_table: MakeTable) -> None:
    """100 days have 80 before the test part: 56 steps, and 8 ahead, would leave 10 windows, 36 steps 30."""
    assert choose(make_table, 100, horizon=8) == [36, 8]


def test_given_window_is_kept(make_table: MakeTable) -> None:
    assert choose(make_table, 400, lookback=9) == [9, 14]
    assert choose(make_table, 400, horizon=3) == [56, 3]


def test_open_lookback_of_a_short_series_is_a_season(make_table: MakeTable) -> None:
    assert choose(make_table, 60, "MS", SplitSpec(validation=12, test=12)) == [12, 12]


def test_named_series_has_its_own_window() -> None:
    source = SourceSpec(name="seattle")
    settings = (
        source,
        GapPolicy("interpolate"),
        BreakPolicy("keep"),
        SplitSpec(),
        OpenWindowSpec(),
        EvaluationSpec(),
    )
    profile = prepare_series(read_source(source), *settings)[2]
    assert (profile["lookback"], profile["horizon"]) == (30, 7)


def choose(
    make_table: MakeTable, size: int, freq: str = "D", split: SplitSpec | None = None, **given: int
) -> list[int]:
    """Lookback and horizon of a single series."""
    values = [float(step % 7 + step % 5) for step in range(size)]
    profile = prepare_series(
        make_table(values, freq),
        SourceSpec(path="my.csv"),
        GapPolicy("interpolate"),
        BreakPolicy("keep"),
        split or SplitSpec(),
        OpenWindowSpec(**given),
        EvaluationSpec(),
    )[2]
    return [profile["lookback"], profile["horizon"]]


@pytest.mark.parametrize(("size", "horizon"), [(60, 12), (30, 7), (10, 2), (3, 1)])
def test_open_horizon_is_at_most_a_quarter_of_the_rows(
    make_table: MakeTable, size: int, horizon: int
) -> None:
    assert choose(make_table, size, "MS")[1] == horizon


@pytest.mark.parametrize(
    ("size", "lookback"),
    [(144, 24), (108, 24), (84, 24), (60, 12), (36, 12), (24, 12), (6, 6), (3, 3)],
)
def test_open_lookback_shrinks_with_the_rows(
    make_table: MakeTable, size: int, lookback: int
) -> None:
    assert choose(make_table, size, "MS", horizon=12) == [lookback, 12]


@pytest.mark.parametrize(
    ("size", "split", "most"),
    [(47, None, 35), (35, None, 35), (12, None, 12), (3, None, 3), (40, 12, 28)],
)
def test_given_lookback_fits_or_is_refused(
    make_table: MakeTable, size: int, split: int | None, most: int
) -> None:
    def prepare(lookback: int) -> int:
        return choose(make_table, size, "MS", SplitSpec(test=split), horizon=12, lookback=lookback)[
            0
        ]

    assert prepare(most) == most
    for given in (most + 1, 36):
        with pytest.raises(
            SeriesTooShortError,
            match=f"my.csv: window.lookback={given} .* {size} steps.*={most} or",
        ):
            prepare(given)


def test_lookback_fits_a_panel_if_it_fits_its_longest_series(make_table: MakeTable) -> None:
    values = [float(step % 7 + step % 5) for step in range(60)]
    table = make_table({"long": values, "short": values[:9], "other": values[:20]})
    source = SourceSpec(path="my.csv", id="unique_id")

    def prepare(window: OpenWindowSpec) -> int:
        return prepare_series(
            table,
            source,
            GapPolicy("interpolate"),
            BreakPolicy("keep"),
            SplitSpec(),
            window,
            EvaluationSpec(),
        )[2]["lookback"]

    assert prepare(OpenWindowSpec(horizon=5, lookback=55)) == 55
    with pytest.raises(SeriesTooShortError, match="at most 55"):
        prepare(OpenWindowSpec(horizon=5, lookback=56))
    # Models of the fit read windows of its lookback.
    table = make_table({"a": [1.0, 2.0, 4.0] * 4, "b": [3.0, 2.0, 4.0] * 3})
    source = SourceSpec(path="my.csv", id="unique_id")
    window = WindowSpec(lookback=30, horizon=3)
    settings = (
        source,
        GapPolicy("interpolate"),
        BreakPolicy("keep"),
        SplitSpec(),
        window,
        EvaluationSpec(),
    )
    assert prepare_series(table, *settings)[2]["lookback"] == 30


@pytest.mark.parametrize(("names", "lookback"), [("a", 30), ("ab", 52)])
def test_panel_of_steps_without_frequency_sees_4_horizons(
    make_table: MakeTable, names: str, lookback: int
) -> None:
    table = make_table(
        {name: [float(step % 7 + step % 5) for step in range(400)] for name in names}, 1, start=0
    )
    source = SourceSpec(path="my.csv", id="unique_id")
    settings = (
        source,
        GapPolicy("interpolate"),
        BreakPolicy("keep"),
        SplitSpec(),
        OpenWindowSpec(horizon=13),
        EvaluationSpec(),
    )
    assert prepare_series(table, *settings)[2]["lookback"] == lookback


def profile_file(folder: Path, name: str, **options: str) -> dict:
    source = SourceSpec(path=str(folder / "series" / name), **options)
    return repair_series(read_source(source), source, GapPolicy("interpolate"))[1]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("daily-min-temperatures.csv", {"time": "Date", "target": "Temp"}, ("D", 1, 3652)),
        ("monthly-sunspots.csv", {"time": "Month", "target": "Sunspots"}, ("MS", 1, 2820)),
        ("ETTh1.csv", {"time": "date", "target": "OT"}, ("h", 1, 17420)),
        (
            "tourism_monthly_long.csv",
            {"time": "month", "target": "value", "id": "series"},
            ("MS", 366, 109280),
        ),
    ],
)
def test_real_file_is_read_by_parameters_alone(
    real_data: Path, name: str, options: dict[str, str], expected: tuple[str, int, int]
) -> None:
    profile = profile_file(real_data, name, **options)
    assert (profile["freq"], profile["num_series"], profile["num_steps"]) == expected


@pytest.mark.real_data
def test_days_missing_in_melbourne_are_stated(real_data: Path) -> None:
    profile = profile_file(real_data, "daily-min-temperatures.csv", time="Date", target="Temp")
    (sentence,) = profile["repairs"]
    assert "2 of 3652 steps" in sentence
    assert "'Temp' at 1984-12-31" in sentence


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"row 6732: .*'h'"),
        ({"time_format": "%m.%d.%Y %H:%M:%S"}, r"received '13.01.2009 00:10:00'"),
        ({"time_format": "%d.%m.%Y %H:%M:%S"}, r"row 6732: .*2009-10-08 10:30"),
    ],
)
def test_faults_of_the_weather_station_are_named(
    real_data: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(SeriesError, match=message):
        profile_file(
            real_data,
            "jena_climate_2009_2016_hourly.csv",
            time="Date Time",
            target="T (degC)",
            **options,
        )
