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
AUTUMN = ["2024-10-27 00:00", "2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
QUARTERS = [f"2024-10-27 02:{minute}" for minute in ("00", "15", "30", "45")] * 2
SPRING = ["2024-03-31 00:00", "2024-03-31 01:00", "2024-03-31 03:00", "2024-03-31 04:00"]

Write = Callable[..., str]


def read(times: list[str], tz: str = BERLIN, values: list[object] | None = None, **options: object) -> pd.DataFrame:
    table = pd.DataFrame({"ds": times, "y": values or [1.0] * len(times)})
    return read_source(SourceSpec(name="catalog", tz=tz, **options), table)


def list_hours(table: pd.DataFrame) -> list[str]:
    return table["ds"].dt.strftime("%d %H").tolist()


def test_repeated_hour_is_told_apart_by_the_order_of_its_rows() -> None:
    assert list_hours(read(AUTUMN)) == ["26 22", "26 23", "27 00", "27 01", "27 02"]


def test_repeated_hour_of_a_panel_is_told_apart_in_each_series() -> None:
    rows = pd.DataFrame({"ds": AUTUMN * 2, "y": 1.0, "id": ["a"] * 5 + ["b"] * 5})
    table = read_source(SourceSpec(name="catalog", tz=BERLIN, id="id"), rows)
    assert list_hours(table)[5:] == list_hours(table)[:5] == ["26 22", "26 23", "27 00", "27 01", "27 02"]


def test_repeated_quarters_of_an_hour_are_told_apart() -> None:
    assert read(QUARTERS)["ds"].diff().dropna().eq(pd.Timedelta(minutes=15)).all()
    assert read(QUARTERS[::-1])["ds"].diff().dropna().eq(pd.Timedelta(minutes=-15)).all()


def test_repeated_hour_of_newest_rows_first_is_told_apart_upwards() -> None:
    assert list_hours(read(AUTUMN[::-1])) == ["27 02", "27 01", "27 00", "26 23", "26 22"]


def test_each_series_goes_its_own_way() -> None:
    rows = pd.DataFrame({"ds": AUTUMN + AUTUMN[::-1], "y": 1.0, "id": ["a"] * 5 + ["b"] * 5})
    table = read_source(SourceSpec(name="catalog", tz=BERLIN, id="id"), rows)
    assert list_hours(table)[5:] == list_hours(table)[:5][::-1] == ["27 02", "27 01", "27 00", "26 23", "26 22"]


def test_a_row_that_was_added_later_turns_no_series_round() -> None:
    hours = [f"2024-10-26 {hour:02}:00" for hour in range(24)]
    times = [*hours[:5], *hours[6:], *AUTUMN, hours[5]]
    assert list_hours(read(times))[-6:] == ["26 22", "26 23", "27 00", "27 01", "27 02", "26 03"]


def test_repeated_hour_of_rows_in_no_order_is_refused() -> None:
    times = [AUTUMN[place] for place in (1, 2, 0, 4, 3)]
    with pytest.raises(
        SeriesError, match=r"row 5: clocks in Europe/Berlin repeat 2024-10-27 02:00:00, .*'y' are in no"
    ):
        read(times)


def test_rows_in_no_order_are_read_where_no_hour_is_repeated() -> None:
    times = [AUTUMN[place] for place in (1, 2, 0, 4)]
    assert list_hours(read(times)) == ["26 23", "27 00", "26 22", "27 02"]


def test_repeated_hour_that_stands_alone_is_that_of_summer() -> None:
    assert list_hours(read([*AUTUMN[:3], AUTUMN[4]])) == ["26 22", "26 23", "27 00", "27 02"]


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
        (["2024-10-26 22:00", "2024-10-27 00:00", "2024-10-27 02:00", "2024-10-27 03:00", "2024-10-27 05:00"], "27 00"),
        (["2024-10-26 23:00", "2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 04:00", "2024-10-27 06:00"], "27 01"),
    ],
)
@pytest.mark.parametrize("way", [1, -1])
def test_a_repeated_hour_that_stands_alone_is_placed_by_the_spacing(
    times: list[str], hour: str, way: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert list_hours(read(times[::way]))[::way][2] == hour
    assert "1 by the spacing of their series" in caplog.text


def test_a_repeated_hour_that_nothing_tells_apart_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    read([*AUTUMN[:3], AUTUMN[4]])
    assert "1 by assumption" in caplog.text


def test_repeated_times_that_go_back_twice_are_refused() -> None:
    night = [f"2024-10-27 02:{minute}" for minute in ("00", "30", "15", "45", "30")]
    with pytest.raises(SeriesError, match=r"row 7: clocks in Europe/Berlin repeat 2024-10-27 02:"):
        read(["2024-10-27 01:00", "2024-10-27 01:30", *night, *(f"2024-10-27 {hour:02}:00" for hour in range(3, 20))])


@pytest.mark.parametrize("spacing", ["2h", "6h", "12h", "D"])
def test_long_steps_that_are_regular_in_utc_alone_are_counted_in_utc(spacing: str) -> None:
    instants = pd.date_range("2024-03-29", periods=60, freq=spacing, tz="UTC")
    rows = pd.DataFrame({"ds": instants.tz_convert(BERLIN), "y": 1.0})
    table = read_source(SourceSpec(name="catalog"), rows)
    assert table.attrs["tz"] == BERLIN
    assert table["ds"].tolist() == instants.tz_localize(None).tolist()


def test_a_day_whose_midnight_clocks_pass_over_is_a_day() -> None:
    days = pd.date_range("2024-09-01", periods=14)
    aware = days.tz_localize("America/Santiago", nonexistent="shift_forward")
    assert aware[7].hour == 1
    table = read_source(SourceSpec(name="catalog"), pd.DataFrame({"ds": aware, "y": 1.0}))
    assert table["ds"].tolist() == days.tolist()


def test_missing_hour_is_no_gap() -> None:
    assert list_hours(read(SPRING)) == ["30 23", "31 00", "31 01", "31 02"]


def test_value_at_an_hour_that_there_is_not_is_refused() -> None:
    with pytest.raises(SeriesError, match=r"row 3: there is no 2024-03-31 02:00:00 in Europe/Berlin"):
        read([*SPRING[:2], "2024-03-31 02:00", *SPRING[2:]])


def test_empty_cell_at_an_hour_that_there_is_not_is_left_out() -> None:
    table = read([*SPRING[:2], "2024-03-31 02:00", *SPRING[2:]], values=[1.0, 2.0, None, 3.0, 4.0])
    assert table["y"].to_dict() == {1: 1, 2: 2, 4: 3, 5: 4}


@pytest.mark.parametrize(
    "times", [["2024-03-30", "2024-03-31", "2024-04-01"], ["2024-03-31 00:00", "2024-03-31 02:00"]]
)
def test_steps_of_more_than_an_hour_stay_local(times: list[str]) -> None:
    table = read(times)
    assert (table["ds"].tolist(), table.attrs["tz"]) == ([pd.Timestamp(time) for time in times], None)


def test_days_that_say_their_zone_become_local_days() -> None:
    days = ["2024-03-30T00:00+01:00", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"]
    assert read(days)["ds"].tolist() == list(pd.date_range("2024-03-30", periods=3))


def test_hours_that_say_their_zone_stay_in_utc() -> None:
    table = read(["2024-07-01T00:00+02:00", "2024-07-01T01:00+02:00"])
    assert (list_hours(table), table.attrs["tz"]) == (["30 22", "30 23"], BERLIN)


def test_zone_in_some_cells_alone_is_refused() -> None:
    with pytest.raises(SeriesError, match="row 2: '2024-07-01T01:00' has no time zone"):
        read(["2024-07-01T00:00+02:00", "2024-07-01T01:00"])


def test_steps_have_no_zone() -> None:
    with pytest.raises(SeriesError, match=r"holds steps, which have no source\.tz"):
        read(["1", "2"])


def test_zone_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a time zone such as Europe/Berlin"):
        SourceSpec(name="catalog", tz="Mars/Olympus")


def test_last_day_that_counts_is_a_local_one() -> None:
    hours = pd.date_range("2024-07-01", periods=72, freq="h")
    rows = pd.DataFrame({"ds": hours, "y": 1.0})
    newest, _ = read_as_of(rows, SourceSpec(name="catalog", tz=BERLIN), AsOfSpec(as_of="2024-07-02"))
    assert show_local(newest["ds"], BERLIN).iloc[-1] == pd.Timestamp("2024-07-02 23:00", tz=BERLIN)


def test_covariates_lie_on_the_same_axis() -> None:
    rows = pd.DataFrame({"ds": AUTUMN, "y": 1.0, "price": range(5)})
    source = SourceSpec(name="catalog", tz=BERLIN)
    _, covariates = read_series(source, CovariateSpec(future=["price"]), rows)
    assert covariates["ds"].tolist() == read_source(source, rows)["ds"].tolist()


def test_holidays_are_those_of_local_days() -> None:
    hours = pd.Series(pd.date_range("2024-12-24 20:00", periods=5, freq="h"))
    assert find_holidays(show_local(hours, BERLIN), "DE")["holiday"].tolist() == [0, 0, 0, 1, 1]


@pytest.fixture(scope="module")
def panel() -> Panel:
    hours = pd.date_range("2024-03-01", "2024-04-30", freq="h", tz=BERLIN)
    rows = pd.DataFrame({"ds": hours.tz_localize(None), "y": np.random.default_rng(0).normal(size=len(hours))})
    source = SourceSpec(name="catalog", tz=BERLIN)
    recipe = Recipe(source=source, window=WindowSpec(lookback=24, horizon=24), split={"test": "2024-04-20"})
    return prepare_panel(read_source(source, rows), recipe)


def test_calendar_is_that_of_local_time(panel: Panel) -> None:
    features = panel.features.table
    hour = show_local(features["ds"], BERLIN).dt.hour
    np.testing.assert_allclose(features["daily_cos_1"], np.cos(2 * np.pi * hour / 24), atol=1e-6)


def test_part_begins_on_a_local_day(panel: Panel) -> None:
    assert panel.cutoffs["test_from"].tolist() == [pd.Timestamp("2024-04-19 22:00")]


def test_forecaster_keeps_the_zone_of_its_calendar(panel: Panel) -> None:
    recipe = Recipe(source=SourceSpec(name="catalog"))
    settings = describe_forecaster(
        panel.series, panel.profile, panel.cutoffs, recipe.window, recipe.calendar, recipe.gaps
    )
    assert settings.tz == BERLIN


def test_hour_that_clocks_repeat_is_no_reason_for_an_id() -> None:
    rows = pd.DataFrame({"ds": [*AUTUMN, "2024-10-27 04:00"], "y": 1.0})
    source = SourceSpec(name="catalog", freq="h")
    with pytest.raises(SeriesError, match="if it is the hour that clocks repeat"):
        prepare_panel(read_source(source, rows), Recipe(source=source))
