"""Local times whose clocks change lie on an axis without gaps, and are shown as they were."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.model.settings import describe_forecaster
from rnn_pipelines.forecast.recipe import Panel, Recipe, prepare_panel
from rnn_pipelines.forecast.source.as_of import AsOfSpec, read_as_of
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.holidays import find_holidays
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.reading.zones import show_local

BERLIN = "Europe/Berlin"
AUTUMN = [
    "2024-10-27 00:00",
    "2024-10-27 01:00",
    "2024-10-27 02:00",
    "2024-10-27 02:00",
    "2024-10-27 03:00",
]
QUARTERS = [f"2024-10-27 02:{minute}" for minute in ("00", "15", "30", "45")] * 2
SPRING = ["2024-03-31 00:00", "2024-03-31 01:00", "2024-03-31 03:00", "2024-03-31 04:00"]

Write = Callable[..., str]


def read(
    times: list[str], tz: str = BERLIN, values: list[object] | None = None, **options: object
) -> pd.DataFrame:
    table = pd.DataFrame({"ds": times, "y": values or [1.0] * len(times)})
    return read_source(SourceSpec(name="catalog", tz=tz, **options), table)


def list_hours(table: pd.DataFrame) -> list[str]:
    return table["ds"].dt.strftime("%d %H").tolist()


HOURS = ["26 22", "26 23", "27 00", "27 01", "27 02"]
# Local times, and the last hours in UTC.
READ = {
    "repeated hour": (AUTUMN, HOURS),
    "newest first": (AUTUMN[::-1], HOURS[::-1]),
    "a row that was added later": (
        [f"2024-10-26 {hour:02}:00" for hour in range(24) if hour != 5]
        + [*AUTUMN, "2024-10-26 05:00"],
        [*HOURS, "26 03"],
    ),
    "no order, and no repeated hour": (
        [AUTUMN[place] for place in (1, 2, 0, 4)],
        ["26 23", "27 00", "26 22", "27 02"],
    ),
    # A repeated hour that stands alone is that of summer.
    "one repeated hour": ([*AUTUMN[:3], AUTUMN[4]], ["26 22", "26 23", "27 00", "27 02"]),
    "skipped hour": (SPRING, ["30 23", "31 00", "31 01", "31 02"]),
    "offsets": (["2024-07-01T00:00+02:00", "2024-07-01T01:00+02:00"], ["30 22", "30 23"]),
}
NIGHT = [f"2024-10-27 02:{minute}" for minute in ("00", "30", "15", "45", "30")]
REFUSED = {
    "no order": (
        [AUTUMN[place] for place in (1, 2, 0, 4, 3)],
        ["row 5", "2024-10-27 02:00:00", "'y'"],
    ),
    "back twice": (
        [
            "2024-10-27 01:00",
            "2024-10-27 01:30",
            *NIGHT,
            *(f"2024-10-27 {hour:02}:00" for hour in range(3, 20)),
        ],
        ["row 7", "2024-10-27 02:"],
    ),
    "skipped hour": (
        [*SPRING[:2], "2024-03-31 02:00", *SPRING[2:]],
        ["row 3", "2024-03-31 02:00:00", BERLIN],
    ),
    "some zones": (
        ["2024-07-01T00:00+02:00", "2024-07-01T01:00"],
        ["row 2", "'2024-07-01T01:00' has no time zone"],
    ),
    "steps": (["1", "2"], ["steps", "source.tz"]),
}


@pytest.mark.parametrize(("times", "hours"), READ.values(), ids=READ)
def test_local_hours_are_instants(times: list[str], hours: list[str]) -> None:
    table = read(times)
    assert (list_hours(table)[-len(hours) :], table.attrs["tz"]) == (hours, BERLIN)


@pytest.mark.parametrize(("times", "parts"), REFUSED.values(), ids=REFUSED)
def test_times_that_are_no_instants_are_refused(times: list[str], parts: list[str]) -> None:
    with pytest.raises(SeriesError) as caught:
        read(times)
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize("way", [1, -1])
def test_repeated_hour_is_told_apart_in_each_series(way: int) -> None:
    rows = pd.DataFrame({"ds": AUTUMN + AUTUMN[::way], "y": 1.0, "id": ["a"] * 5 + ["b"] * 5})
    table = read_source(SourceSpec(name="catalog", tz=BERLIN, id="id"), rows)
    assert list_hours(table) == HOURS + HOURS[::way]


def test_repeated_quarters_of_an_hour_are_placed() -> None:
    assert read(QUARTERS)["ds"].diff().dropna().eq(pd.Timedelta(minutes=15)).all()


def test_repeated_quarters_are_placed_with_the_newest_first() -> None:
    assert read(QUARTERS[::-1])["ds"].diff().dropna().eq(pd.Timedelta(minutes=-15)).all()


def test_days_that_begin_at_one_are_whole_days() -> None:
    days = pd.date_range("2024-09-01", periods=14)
    aware = days.tz_localize("America/Santiago", nonexistent="shift_forward")
    assert aware[7].hour == 1
    table = read_source(SourceSpec(name="catalog"), pd.DataFrame({"ds": aware, "y": 1.0}))
    assert table["ds"].tolist() == days.tolist()


def test_an_empty_value_at_a_time_that_clocks_skip_is_left_out() -> None:
    table = read([*SPRING[:2], "2024-03-31 02:00", *SPRING[2:]], values=[1.0, 2.0, None, 3.0, 4.0])
    assert table["y"].to_dict() == {1: 1, 2: 2, 4: 3, 5: 4}


def test_offsets_of_days_that_clocks_change_are_read() -> None:
    days = ["2024-03-30T00:00+01:00", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"]
    assert read(days)["ds"].tolist() == list(pd.date_range("2024-03-30", periods=3))


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a time zone such as Europe/Berlin"):
        SourceSpec(name="catalog", tz="Mars/Olympus")


@pytest.mark.parametrize(
    ("minutes", "first"),
    [
        # Of eight quarters of an hour that clocks repeat; the first one of winter time is where the order goes back.
        (["00", "15", "30", "45", "15", "30", "45"], 4),
        (["15", "30", "45", "00", "15", "30", "45"], 3),
        (["45", "00"], 1),
    ],
)
@pytest.mark.parametrize("way", [1, -1])
def test_rows_beside_a_missing_one_are_told_apart_by_their_order(
    minutes: list[str], first: int, way: int, caplog: pytest.LogCaptureFixture
) -> None:
    before = pd.date_range("2024-10-26", "2024-10-27 01:45", freq="15min").astype(str).tolist()
    times = [*before, *(f"2024-10-27 02:{minute}:00" for minute in minutes), "2024-10-27 03:00:00"]
    found = list_hours(read(times[::way]))[::way]
    assert found[len(before) : -1] == ["27 00"] * first + ["27 01"] * (len(minutes) - first)
    assert f"{len(minutes)} by their order" in caplog.text


@pytest.mark.parametrize(
    ("times", "hour"),
    [
        # Every two hours in UTC, so that one of the two instants is on no step.
        (
            [
                "2024-10-26 22:00",
                "2024-10-27 00:00",
                "2024-10-27 02:00",
                "2024-10-27 03:00",
                "2024-10-27 05:00",
            ],
            "27 00",
        ),
        (
            [
                "2024-10-26 23:00",
                "2024-10-27 01:00",
                "2024-10-27 02:00",
                "2024-10-27 04:00",
                "2024-10-27 06:00",
            ],
            "27 01",
        ),
    ],
)
@pytest.mark.parametrize("way", [1, -1])
def test_a_repeated_hour_that_stands_alone_is_placed_by_the_spacing(
    times: list[str], hour: str, way: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert list_hours(read(times[::way]))[::way][2] == hour
    assert "1 by the spacing of their series" in caplog.text


@pytest.mark.parametrize("spacing", ["2h", "6h", "12h", "D"])
def test_long_steps_that_are_regular_in_utc_alone_are_counted_in_utc(spacing: str) -> None:
    instants = pd.date_range("2024-03-29", periods=60, freq=spacing, tz="UTC")
    rows = pd.DataFrame({"ds": instants.tz_convert(BERLIN), "y": 1.0})
    table = read_source(SourceSpec(name="catalog"), rows)
    assert table.attrs["tz"] == BERLIN
    assert table["ds"].tolist() == instants.tz_localize(None).tolist()


@pytest.mark.parametrize(
    "times", [["2024-03-30", "2024-03-31", "2024-04-01"], ["2024-03-31 00:00", "2024-03-31 02:00"]]
)
def test_steps_of_more_than_an_hour_stay_local(times: list[str]) -> None:
    table = read(times)
    assert (table["ds"].tolist(), table.attrs["tz"]) == (
        [pd.Timestamp(time) for time in times],
        None,
    )


def test_a_day_of_a_zone_ends_at_local_midnight() -> None:
    hours = pd.date_range("2024-07-01", periods=72, freq="h")
    rows = pd.DataFrame({"ds": hours, "y": 1.0})
    newest, _ = read_as_of(
        rows, SourceSpec(name="catalog", tz=BERLIN), AsOfSpec(as_of="2024-07-02")
    )
    assert show_local(newest["ds"], BERLIN).iloc[-1] == pd.Timestamp("2024-07-02 23:00", tz=BERLIN)


def test_covariates_have_the_times_of_the_series() -> None:
    rows = pd.DataFrame({"ds": AUTUMN, "y": 1.0, "price": range(5)})
    source = SourceSpec(name="catalog", tz=BERLIN)
    _, covariates = read_series(source, CovariateSpec(future=["price"]), rows)
    assert covariates["ds"].tolist() == read_source(source, rows)["ds"].tolist()


def test_holidays_are_local_days() -> None:
    hours = pd.Series(pd.date_range("2024-12-24 20:00", periods=5, freq="h"))
    assert find_holidays(show_local(hours, BERLIN), "DE")["holiday"].tolist() == [0, 0, 0, 1, 1]


def test_a_repeated_hour_without_zone_is_refused() -> None:
    rows = pd.DataFrame({"ds": [*AUTUMN, "2024-10-27 04:00"], "y": 1.0})
    source = SourceSpec(name="catalog", freq="h")
    with pytest.raises(SeriesError, match="if it is the hour that clocks repeat"):
        prepare_panel(read_source(source, rows), Recipe(source=source))


@pytest.fixture(scope="module")
def panel() -> Panel:
    hours = pd.date_range("2024-03-01", "2024-04-30", freq="h", tz=BERLIN)
    rows = pd.DataFrame(
        {"ds": hours.tz_localize(None), "y": np.random.default_rng(0).normal(size=len(hours))}
    )
    source = SourceSpec(name="catalog", tz=BERLIN)
    recipe = Recipe(
        source=source, window=WindowSpec(lookback=24, horizon=24), split={"test": "2024-04-20"}
    )
    return prepare_panel(read_source(source, rows), recipe)


def test_the_calendar_of_a_zone_has_local_hours(panel: Panel) -> None:
    features = panel.features.table
    hour = show_local(features["ds"], BERLIN).dt.hour
    np.testing.assert_allclose(features["daily_cos_1"], np.cos(2 * np.pi * hour / 24), atol=1e-6)


def test_parts_of_a_zone_begin_at_local_midnight(panel: Panel) -> None:
    assert panel.cutoffs["test_from"].tolist() == [pd.Timestamp("2024-04-19 22:00")]


def test_a_model_of_a_zone_keeps_it(panel: Panel) -> None:
    recipe = Recipe(source=SourceSpec(name="catalog"))
    settings = describe_forecaster(
        panel.series,
        panel.profile,
        panel.cutoffs,
        panel.windows,
        recipe.calendar,
        recipe.gaps,
        recipe.breaks,
    )
    assert settings.tz == BERLIN
