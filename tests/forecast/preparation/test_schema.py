"""Every fault of a series is repaired by a stated policy, or ends in an error that says where and what to do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from golden import has_in_order
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.tables import SeriesTable
from rnn_pipelines.forecast.source.specs import SourceSpec

MakeTable = Callable[..., pd.DataFrame]

SOURCE = SourceSpec(path="my.csv", time="Date", target="Temp")
RAMP = [float(step) for step in range(30)]


def repair(
    table: pd.DataFrame, gaps: str = "interpolate", **options: object
) -> tuple[pd.DataFrame, dict]:
    return repair_series(table, SOURCE.model_copy(update=options), GapPolicy(gaps))


def fail(table: pd.DataFrame, gaps: str = "interpolate", **options: object) -> str:
    """The message of the error that repairing ends in."""
    with pytest.raises(SeriesError) as caught:
        repair(table, gaps, **options)
    return str(caught.value)


def leave_out(steps: range | list[int]) -> list[float | None]:
    return [None if step in steps else value for step, value in enumerate(RAMP)]


def test_series_without_faults_stays_as_it_is(make_table: MakeTable) -> None:
    table = make_table(RAMP)
    series, _ = repair(table)
    pd.testing.assert_frame_equal(
        series.drop(columns="observed"), table.reset_index(drop=True), check_dtype=False
    )
    table = make_table(leave_out([5]))[::-1]
    before = table.copy()
    repair(table)
    pd.testing.assert_frame_equal(table, before)
    assert repair(make_table({"a": RAMP, "b": RAMP[:20]}))[1] == {
        "source": "my.csv",
        "target": "Temp",
        "freq": "D",
        "season_length": 7,
        "num_series": 2,
        "num_steps": 50,
        "first": "2021-01-01",
        "last": "2021-01-30",
        "lookback": 56,
        "horizon": 14,
        "tz": None,
        "zone": {"name": None, "is_carried": False},
        "found": {},
        "repairs": [],
        "left_out": [],
        "columns": {},
        "form": {},
        "dead": [],
        "not_evaluated": [],
    }


@pytest.mark.parametrize("gaps", ["interpolate", "error"])
def test_series_without_faults_have_no_repairs(make_table: MakeTable, gaps: str) -> None:
    """Neither do the same times in two series, nor series whose rows are mixed."""
    table = make_table({"a": RAMP, "b": RAMP})
    for rows in (table, table.sort_values(["ds", "unique_id"])):
        series, profile = repair(rows, gaps)
        assert (profile["repairs"], profile["num_steps"], series["y"].tolist()) == (
            [],
            60,
            RAMP + RAMP,
        )


def test_days_of_months_near_the_usual_one_are_moved_to_it(make_table: MakeTable) -> None:
    """Payments on the 15th, or on the Friday before if it is on a weekend."""
    usual = pd.date_range("2020-01-01", periods=30, freq="MS") + pd.Timedelta(days=14)
    paid = usual - pd.to_timedelta(np.maximum(usual.day_of_week - 4, 0), unit="D")
    table = make_table(RAMP).assign(ds=paid)
    series, profile = repair(table)
    assert profile["freq"] == "MS+14D"
    assert series["ds"].tolist() == list(usual)
    (sentence,) = profile["repairs"]
    assert str((paid != usual).sum()) in sentence


def test_day_of_a_week_near_the_usual_one_is_moved_to_it(make_table: MakeTable) -> None:
    usual = pd.date_range("2020-01-06", periods=30, freq="W-MON")
    table = make_table(RAMP).assign(
        ds=usual.where(usual != "2020-04-13", pd.Timestamp("2020-04-14"))
    )
    series, profile = repair(table)
    assert profile["freq"] == "W-MON"
    assert series["ds"].tolist() == list(usual)
    assert "2020-04-14" in profile["repairs"][0]


def test_day_far_from_the_usual_one_is_refused(make_table: MakeTable) -> None:
    times = (pd.date_range("2020-01-01", periods=30, freq="MS") + pd.Timedelta(days=14)).tolist()
    times[20] += pd.Timedelta(days=4)
    assert "row 21" in fail(make_table(RAMP).assign(ds=times))


HOLIDAYS = pd.to_datetime(["2023-12-25", "2023-12-26", "2024-01-01"])


@pytest.mark.parametrize(
    "options",
    [{"freq": "B-DE"}, {"closed_days": ("DE",)}, {"freq": "B", "closed_days": ("DE",)}],
)
@pytest.mark.parametrize("missing", [[], [*HOLIDAYS], [HOLIDAYS[-1]]], ids=["none", "all", "one"])
def test_holidays_without_values_are_no_gaps(
    make_table: MakeTable, options: dict[str, Any], missing: list[pd.Timestamp]
) -> None:
    """With rows without values on some of them, and without rows on others."""
    days = pd.bdate_range("2023-12-01", periods=30)
    closed = days.isin(HOLIDAYS)
    table = make_table(RAMP).assign(ds=days)
    table.loc[closed, "y"] = np.nan
    series, profile = repair(table[~days.isin(missing)], **options)
    assert profile["freq"] == "B-DE"
    assert series["ds"].tolist() == list(days[~closed])
    assert profile["repairs"] == []


def test_holidays_without_values_are_suggested_as_closed_days(make_table: MakeTable) -> None:
    days = pd.bdate_range("2023-12-01", periods=30)
    table = make_table(RAMP).assign(ds=days)
    table.loc[days.isin(HOLIDAYS), "y"] = np.nan
    assert "source.closed_days=DE" in repair(table)[1]["repairs"][0]


def test_zeros_of_closed_days_are_left_out(make_table: MakeTable) -> None:
    days = pd.date_range("2023-12-01", periods=30)
    is_closed = (days == "2023-12-25") | (days.day_of_week == 6)
    table = make_table(RAMP).assign(ds=days)
    table["y"] = table["y"].mask(is_closed, 0)
    series, profile = repair(table, closed_days=("SUN", "20231225"))
    assert profile["freq"] == "D-SUN+20231225"
    assert series["ds"].tolist() == list(days[~is_closed])
    assert str(is_closed.sum()) in profile["repairs"][0]


@pytest.mark.parametrize("options", [{"freq": "B-DE"}, {"closed_days": ("DE",)}])
def test_value_of_a_closed_day_is_refused(make_table: MakeTable, options: dict[str, Any]) -> None:
    table = make_table(RAMP).assign(ds=pd.bdate_range("2023-12-01", periods=30))
    message = fail(table, **options)
    assert "row 17" in message
    assert "2023-12-25" in message


def test_months_have_no_closed_days(make_table: MakeTable) -> None:
    table = make_table(RAMP).assign(ds=pd.date_range("2020-01-01", periods=30, freq="MS"))
    assert "'MS'" in fail(table, closed_days=("DE",))


def test_unsorted_rows_are_sorted(make_table: MakeTable) -> None:
    table = make_table(RAMP)
    assert repair(table.sample(frac=1, random_state=0))[0]["y"].tolist() == RAMP


def test_moved_rows_are_counted(make_table: MakeTable) -> None:
    table = make_table(RAMP)
    (sentence,) = repair(table.iloc[[1, 0, *range(2, 30)]])[1]["repairs"]
    assert "1 row" in sentence


def test_repeated_time_is_named(make_table: MakeTable) -> None:
    table = make_table(RAMP)
    table.loc[4, "ds"] = table.loc[3, "ds"]
    assert has_in_order(
        fail(table), "my.csv: column 'Date', row 4: series 'y' has 2021-01-03", "source.id"
    )


def test_repeated_time_of_a_panel_is_named(make_table: MakeTable) -> None:
    panel = make_table({"a": RAMP, "b": RAMP})
    panel.loc[34, "ds"] = panel.loc[33, "ds"]
    message = fail(panel, id="shop")
    assert message.startswith(
        "my.csv: column 'Date', row 34: series 'b' has 2021-01-03 a second time (1 repeated"
    )
    assert "source.id" not in message


def test_repeated_times_are_counted(make_table: MakeTable) -> None:
    table = make_table(RAMP).assign(ds=pd.Timestamp("2021-01-01"))
    assert "row 2: series 'y' has 2021-01-01 a second time (29 repeated times in all)" in fail(
        table
    )


def test_equal_rows_are_left_out(make_table: MakeTable) -> None:
    table = make_table(RAMP)
    series, profile = repair(pd.concat([table, table[10:13]]))
    assert len(series) == len(RAMP)
    assert "3" in profile["repairs"][-1]


def test_time_with_two_values_is_refused(make_table: MakeTable) -> None:
    table = make_table(RAMP)
    message = fail(pd.concat([table, table[10:13].assign(y=[10.0, -5, 12])]).reset_index(drop=True))
    assert "2021-01-12" in message


def test_table_or_series_without_values_is_refused_or_left_out(make_table: MakeTable) -> None:
    assert has_in_order(fail(make_table(RAMP)[:0]), "my.csv: no rows", "source.path")
    assert has_in_order(fail(make_table([np.nan] * 30)), "my.csv: column 'Temp'", "series 'y'")
    profile = repair(make_table({"a": RAMP, "b": [np.nan] * 30}))[1]
    assert (profile["num_series"], profile["left_out"], profile["repairs"]) == (
        1,
        ["b"],
        ["left out: 1 series without any value (b)"],
    )


@pytest.mark.parametrize("size", [1, 2])
def test_file_of_one_or_two_rows_is_too_short_for_a_frequency(
    make_table: MakeTable, size: int
) -> None:
    assert fail(make_table(RAMP[:size])) == (
        f"my.csv: column 'Date': the longest series has {size} of the 3 timestamps that show a frequency. "
        "Give more, or source.freq."
    )


@pytest.mark.parametrize("empty", [None, np.nan], ids=["missing rows", "empty cells"])
def test_gaps_are_filled_on_a_line_or_the_first_is_named(
    make_table: MakeTable, empty: float | None
) -> None:
    values = [empty if step in (5, 6, 7) else value**2 for step, value in enumerate(RAMP)]
    series, _ = repair(make_table(values))
    assert series["y"].tolist()[4:9] == [16, 28, 40, 52, 64]
    values = [empty if step in (5, 20) else value for step, value in enumerate(RAMP)]
    message = fail(make_table({"a": RAMP, "b": values}), "error")
    assert has_in_order(
        message, "my.csv", "'Temp'", "2 of 60", "'b'", "2021-01-06", "gaps=interpolate"
    )


@pytest.mark.parametrize("gaps", ["interpolate", "split"])
@pytest.mark.parametrize("empty", [None, np.nan], ids=["missing rows", "empty cells"])
def test_gaps_are_not_observed(make_table: MakeTable, gaps: str, empty: float | None) -> None:
    values = [empty if step in (5, 6) else value for step, value in enumerate(RAMP)]
    series, _ = repair(make_table(values), gaps)
    assert np.flatnonzero(~series["observed"]).tolist() == [5, 6]


def test_gaps_are_filled_within_a_series(make_table: MakeTable) -> None:
    series, _ = repair(make_table({"a": [*RAMP[:9], None, 9], "b": [100.0, None, *RAMP]}))
    assert series.groupby("unique_id")["y"].max().tolist() == [9, 100]


def test_gaps_of_integer_steps_are_filled(make_table: MakeTable) -> None:
    series, _ = repair(make_table(leave_out([5]), freq=5, start=-40), time="step")
    assert series["ds"].tolist() == list(range(-40, 110, 5))


def test_unknown_treatment_of_gaps_is_refused() -> None:
    with pytest.raises(ValidationError, match="interpolate"):
        GapPolicy("ignore")


@pytest.mark.parametrize(
    ("gaps", "filled"), [("interpolate", [5, 20]), ("split", [np.nan, np.nan])]
)
def test_gaps_of_the_signal_are_treated_as_those_of_values(
    make_table: MakeTable, gaps: str, filled: list[float]
) -> None:
    table = make_table(leave_out([5, 20]))
    series, _ = repair(table.assign(signal=table["y"] * 2), gaps)
    np.testing.assert_array_equal(series.loc[[5, 20], "y"], filled)
    np.testing.assert_array_equal(series.loc[[5, 20], "signal"], 2 * np.array(filled))


@pytest.mark.parametrize(
    ("gaps", "treated"), [("interpolate", "interpolated"), ("split", "left open")]
)
def test_treated_gaps_are_logged(
    make_table: MakeTable, caplog: pytest.LogCaptureFixture, gaps: str, treated: str
) -> None:
    table = make_table(leave_out([5, 20]))
    _, profile = repair(table.assign(signal=table["y"] * 2), gaps)
    (sentence,) = profile["repairs"]
    assert has_in_order(sentence, treated, "2 of 30 steps", "'y' at 2021-01-06")
    assert caplog.messages == [f"my.csv: {sentence}"]


@pytest.mark.parametrize("gaps", ["interpolate", "error", "split"])
def test_empty_rows_at_the_ends_are_left_out(make_table: MakeTable, gaps: str) -> None:
    series, profile = repair(make_table([np.nan, np.nan, *RAMP, np.nan]), gaps)
    assert series["y"].tolist() == RAMP
    assert (["2 rows" in profile["repairs"][0], "1 row" in profile["repairs"][1]]) == [True, True]


SALES = {
    "a": [2.0, *[None] * 15, 1.0, *[None] * 12, 3.0, np.nan],
    "b": [None, 4.0, *[None] * 18, 5.0],
}


def test_missing_steps_are_observed_zeros_up_to_the_end_of_the_table(
    make_table: MakeTable,
) -> None:
    """A series ends with its last sale, and the table with that of any series; a row for a covariate is later."""
    series, _ = repair(make_table(SALES), "zero", freq="D")
    expected = {
        "a": [2.0, *[0.0] * 15, 1.0, *[0.0] * 12, 3.0],
        "b": [4.0, *[0.0] * 18, 5.0, *[0.0] * 9],
    }
    assert SeriesTable.validate(series)["observed"].all()
    assert series.groupby("unique_id")["y"].agg(list).to_dict() == expected
    assert series.groupby("unique_id")["ds"].max().eq(pd.Timestamp("2021-01-30")).all()


def test_zeros_are_counted(make_table: MakeTable) -> None:
    _, profile = repair(make_table(SALES), "zero", freq="D")
    assert any("54 of 59" in repair for repair in profile["repairs"])


def test_zeros_follow_the_last_value_but_do_not_precede_the_first(make_table: MakeTable) -> None:
    table = make_table({"a": RAMP, "b": [np.nan, np.nan, 4.0, *[np.nan] * 27]})
    series, profile = repair(table, "zero")
    assert series.loc[series["unique_id"] == "b", "y"].tolist() == [4.0, *[0.0] * 27]
    assert not any("covariates" in repair for repair in profile["repairs"])


def test_frequency_of_sales_is_that_of_all_series_together(make_table: MakeTable) -> None:
    """No series has one of its own."""
    shop = np.random.default_rng(0).integers(0, 3, 60)
    sales = {str(number): [1.0 if one == number else None for one in shop] for number in range(3)}
    series, profile = repair(make_table(sales), "zero")
    assert profile["freq"] == "D"
    assert series.groupby("ds")["y"].sum().eq(1).all()


@pytest.mark.parametrize("freq", ["W-MON", "MS", "B", 5])
def test_series_are_extended_on_their_own_steps(make_table: MakeTable, freq: str | int) -> None:
    sales = {"a": [*[1.0] * 20, *[None] * 9, 1.0], "b": [None, *[1.0] * 12]}
    table = make_table(sales, freq=freq, start=0 if freq == 5 else "2021-01-01")
    if freq == 5:
        table.loc[table["unique_id"] == "b", "ds"] += 2
    series, _ = repair(table, "zero")
    assert series.groupby("unique_id").size().to_dict() == {"a": 30, "b": 28 if freq == 5 else 29}


def test_mistyped_year_is_no_gap_of_zeros(make_table: MakeTable) -> None:
    table = make_table({"a": RAMP, "b": RAMP})
    table.loc[table.index[-1], "ds"] = pd.Timestamp("2121-01-30")
    message = fail(table, "zero", freq="D")
    assert has_in_order(message, "row 60", "'b'", "2121-01-30")


@pytest.fixture(scope="module")
def mistyped(make_table: MakeTable) -> tuple[pd.DataFrame, int]:
    """One mistyped year among many days, so that most steps would be zeros of all series, and its row."""
    table = make_table({name: [1.0, *[None] * 3, *[1.0] * 900] for name in "abcde"})
    row = int(table.index[table["unique_id"] == "c"][400])
    table.loc[row, "ds"] = pd.Timestamp("2043-01-05")
    return table, row


def test_mistyped_year_within_a_series_is_named(mistyped: tuple[pd.DataFrame, int]) -> None:
    table, row = mistyped
    message = fail(table, "zero", freq="D")
    assert has_in_order(message, f"row {row}", "'c'", "2043-01-05", "2023-06-")


def test_mistyped_step_is_named(mistyped: tuple[pd.DataFrame, int]) -> None:
    table, row = mistyped
    steps = table.assign(ds=(table["ds"] - pd.Timestamp("2021-01-01")).dt.days)
    assert f"row {row}" in fail(steps, "zero", time="step")


def test_two_mistyped_years_are_named(make_table: MakeTable) -> None:
    table = make_table({"a": RAMP[:6], "b": RAMP[:2]})
    table.loc[table.index[-2:], "ds"] = pd.to_datetime(["2121-01-30", "2121-01-31"])
    message = fail(table, "zero", freq="D")
    assert has_in_order(message, f"row {table.index[-1]}", "'b'", "2121-01-31")
    assert "gaps=zero" not in message


def test_zeros_are_suggested_for_missing_rows(make_table: MakeTable) -> None:
    table = make_table([1.0] * 30)[np.arange(30) % 3 != 1]
    assert "gaps=zero" in fail(table)
    assert "gaps=zero" not in fail(table, "zero")


def test_last_event_after_a_pause_passes(make_table: MakeTable) -> None:
    """A few events show no usual distance, and neither does a pause within a series."""
    few = [*[1.0] * 11, *[None] * 40, 1.0]
    assert len(repair(make_table(few[1:]), "zero", freq="D")[0]) == 51
    paused = [*[1.0] * 10, *[None] * 5, *[1.0] * 10, *[None] * 45, 1.0]
    assert len(repair(make_table(paused), "zero", freq="D")[0]) == 71
    half = [*[1.0] * 50, *[None] * 23, 1.0]
    assert len(repair(make_table(half), "zero", freq="D")[0]) == 74


def test_days_that_are_numbers_are_explained(make_table: MakeTable) -> None:
    table = make_table([*RAMP, *RAMP, *RAMP])
    table["ds"] = table["ds"].dt.strftime("%Y%m%d").astype("int64")
    assert fail(table).endswith("or give source.time_format if the steps are dates.")


def test_open_gap_of_a_panel_passes(make_table: MakeTable) -> None:
    series, _ = repair(make_table({"a": RAMP, "b": leave_out([5])}), "split")
    assert SeriesTable.validate(series) is series


def test_tiny_values_stay(make_table: MakeTable) -> None:
    table = make_table({"a": [1.0, 1e-300] * 10, "b": [2e-38] * 20})
    series, _ = repair_series(table, SourceSpec(name="catalog", freq="D"), GapPolicy("interpolate"))
    np.testing.assert_array_equal(series["y"], table["y"])


def test_irregular_step_is_named(make_table: MakeTable) -> None:
    table = make_table(RAMP)
    table.loc[21, "ds"] += pd.Timedelta(hours=1)
    message = fail(table)
    assert message.startswith(
        "my.csv: column 'Date', row 21: irregular spacing in series 'y' at 2021-01-21 01:00:00."
    )
    assert "every step of 'D'; received 1 of 30 rows" in message
    assert "absent" not in message


def test_absent_rows_are_named_for_a_list_of_sales(make_table: MakeTable) -> None:
    """It has no row for a day without one."""
    table = make_table([1.0] * 30)
    assert "absent rows mean 0" in fail(table[np.arange(30) % 3 != 1])
    assert "absent rows mean 0" in fail(
        table[np.isin(np.arange(30), [0, 1, 2, 9, 20, 29])], freq="D"
    )


def test_irregular_spacing_is_named(make_table: MakeTable) -> None:
    table = make_table(RAMP)
    table["ds"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(
        np.cumsum([1, 2, 4, 1, 7, 3] * 5), unit="D"
    )
    assert fail(table).startswith(
        "my.csv: column 'Date': irregular spacing: no 12 timestamps in a row"
    )


def test_given_frequency_fills_the_steps_between(make_table: MakeTable) -> None:
    series, profile = repair(make_table(RAMP, freq="2D"), freq="D")
    assert (profile["freq"], len(series)) == ("D", 59)


def test_series_of_another_frequency_is_named(make_table: MakeTable) -> None:
    table = make_table({"a": RAMP, "b": RAMP})
    is_b = table["unique_id"] == "b"
    months = pd.date_range("2021-01-01", periods=is_b.sum(), freq="MS")
    message = fail(
        table.assign(ds=table["ds"].mask(is_b, pd.Series(months, index=table.index[is_b])))
    )
    assert "'b'" in message
    assert "'MS'" in message


@pytest.mark.parametrize(
    ("freq", "parts"), [("h", ["2021-01-02", "'h'"]), ("MS", ["29 of 30 rows out of step"])]
)
def test_too_fine_or_coarse_a_frequency_is_irregular(
    make_table: MakeTable, freq: str, parts: list[str]
) -> None:
    assert has_in_order(
        fail(make_table(RAMP), freq=freq), "irregular spacing in series 'y'", *parts
    )


@pytest.mark.parametrize(
    ("spacing", "freq"),
    [
        *(("D", freq) for freq in ("XX", "M", "0D", "-1D", 2, f"{10**22}D", f"{10**17}h")),
        *((1, freq) for freq in (0, -1, "D", str(10**19))),
    ],
)
def test_wrong_frequency_is_refused(
    make_table: MakeTable, spacing: str | int, freq: str | int
) -> None:
    message = fail(
        make_table(RAMP, freq=spacing, start=0 if spacing == 1 else "2021-01-01"), freq=freq
    )
    assert has_in_order(message, "source.freq: expected", "'Date'", repr(freq))


@pytest.mark.parametrize("year", ["1021", "9021"])
def test_mistyped_year_is_named_before_a_grid_fills_the_memory(
    make_table: MakeTable, year: str
) -> None:
    table = make_table(RAMP, freq="s")
    table.loc[30, "ds"] = pd.Timestamp(f"{year}-01-01")
    message = fail(table)
    assert (
        f"{'row 30' if year == '9021' else 'row 1'}: irregular spacing in series 'y' at" in message
    )


# A value, an empty cell, a missing row
CELLS = st.sampled_from([1.0, 2.5, -3.0, 4.0, 9.0, 8.0, np.nan, None])


@given(
    st.tuples(st.lists(CELLS, max_size=30), st.lists(CELLS, min_size=1, max_size=30)),
    st.sampled_from(["D", "B", "h", "MS", "W", 1, 5]),
    st.sampled_from(["interpolate", "error", "split"]),
    st.integers(0, 3),
)
def test_observed_values_are_those_of_the_table_unless_it_is_refused(
    make_table: MakeTable, values: tuple[list, list], freq: str | int, gaps: str, seed: int
) -> None:
    start = 0 if isinstance(freq, int) else "2021-01-01"
    table = make_table(dict(zip("ab", values, strict=True)), freq, start).sample(
        frac=1, random_state=seed
    )
    try:
        series, _ = repair(table, gaps, freq=freq if seed else None)
    except SeriesError as error:
        assert str(error).startswith("my.csv: ")  # noqa: PT017 - either outcome is right
    else:
        keys = ["unique_id", "ds"]
        expected = table.dropna().sort_values(keys).reset_index(drop=True)
        found = series.loc[series["observed"], [*keys, "y"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
        SeriesTable.validate(series)


REFUSED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    **{
        f"no {column}": (
            lambda series, column=column: series.drop(columns=column),
            r"unique_id \(text\), ds",
        )
        for column in ("unique_id", "ds", "y", "observed")
    },
    "text": (lambda series: series.assign(y="high"), r"expected the columns .* y \(float\)"),
    "disorder": (lambda series: series[::-1], "not sorted"),
    "twice": (lambda series: series.iloc[[0, 0, 1]], "the same unique_id, ds a second time"),
    "infinite": (lambda series: series.replace({"y": {3.0: np.inf}}), "infinite"),
}


@pytest.mark.parametrize(("spoil", "part"), REFUSED.values(), ids=REFUSED)
def test_type_refuses_a_wrong_table(
    make_table: MakeTable, spoil: Callable[[pd.DataFrame], pd.DataFrame], part: str
) -> None:
    with pytest.raises(SeriesError, match=part):
        SeriesTable.validate(spoil(repair(make_table(RAMP))[0]))


@pytest.mark.parametrize("size", [1e-39, -1e-100, 1e-300])
def test_series_with_tiny_values_alone_is_named_with_row(
    make_table: MakeTable, size: float
) -> None:
    """Networks would compute with 0."""
    table = make_table({"a": [1.0] * 20, "b": [0.0, *[size] * 19]})
    with pytest.raises(
        SeriesError,
        match=rf"row 22: {size:g}. All values of series 'b' are closer to 0 than 1.18e-38",
    ):
        repair_series(table, SourceSpec(name="catalog", freq="D"), GapPolicy("interpolate"))
