"""The change of a forecast is the sum of its parts, and each part is what exchanging it brings."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import ParameterError, SeriesError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.model import change
from rnn_pipelines.forecast.model.change import (
    COVARIATES,
    DAY_AHEAD,
    NEW,
    PARTS,
    REVISED,
    VERSION,
    Change,
    explain_change,
)
from rnn_pipelines.forecast.model.nights import Night
from rnn_pipelines.forecast.report.change import write_change

HORIZON, NUM_DAYS = 6, 130
SMALL = {"networks": "pretrained"}
COLUMNS = {"future": ["price"], "past": ["visits"], "static": ["size"]}


def make_shops(num_days: int) -> pd.DataFrame:
    """Sales of three shops up to a day, with prices for a horizon more; a longer table begins like a shorter one."""
    tables = []
    for number, shop in enumerate("abc"):
        random = np.random.default_rng(number)
        price = random.normal(10, 1, 200)
        visits = random.normal(50, 5, 200)
        noise = random.normal(0, 2, 200)
        y = (
            60
            + 10 * number
            + np.resize([0, 1, 2, 3, 4, 9, 9], 200)
            - 2 * price
            + 0.2 * visits
            + noise
        )
        days = pd.date_range("2024-01-01", periods=200)
        table = pd.DataFrame(
            {
                "unique_id": shop,
                "ds": days,
                "y": y,
                "price": price,
                "visits": visits,
                "size": number,
            }
        )
        is_ahead = table.index >= num_days
        tables.append(
            table.assign(y=y, visits=visits).mask(
                is_ahead[:, None] & table.columns.isin(["y", "visits"])
            )
        )
    return pd.concat([table[: num_days + HORIZON] for table in tables], ignore_index=True)


def change_cells(
    table: pd.DataFrame, shop: str, days_ago: int, column: str, by: float
) -> pd.DataFrame:
    last = table.loc[table["y"].notna(), "ds"].max()
    is_it = (table["unique_id"] == shop) & (table["ds"] == last - pd.Timedelta(days=days_ago))
    assert is_it.sum() == 1
    return table.assign(**{column: table[column] + by * is_it})


@pytest.fixture(scope="module")
def fitted() -> tuple[Forecaster, Forecaster]:
    """Of the same parameters, on 100 days and on 120."""
    made = (
        Forecaster(h=HORIZON, level=None, lookback=14, covariates=COLUMNS, **SMALL)
        for _ in range(2)
    )
    one, other = (
        forecaster.fit(make_shops(days)) for forecaster, days in zip(made, (100, 120), strict=True)
    )
    return one, other


@pytest.fixture(scope="module")
def all_parts(fitted: tuple[Forecaster, Forecaster]) -> tuple[Change, pd.DataFrame, pd.DataFrame]:
    """Two new values, a value revised in one shop, a price ahead changed in another, and another version."""
    before = make_shops(NUM_DAYS)
    after = change_cells(
        change_cells(make_shops(NUM_DAYS + 2), "b", 4, "y", 12), "c", -2, "price", 3
    )
    return fitted[1].explain_change(before, after, fitted[0]), before, after


def get_parts(change: Change) -> pd.DataFrame:
    return change.table[[*PARTS, DAY_AHEAD]]


def check_sum(change: Change) -> None:
    assert (get_parts(change).sum(axis=1) - change.table["change"]).abs().max() < 1e-9
    np.testing.assert_array_equal(
        change.table["after"] - change.table["before"], change.table["change"]
    )


def test_the_parts_sum_to_the_change(all_parts: tuple[Change, pd.DataFrame, pd.DataFrame]) -> None:
    change, _, _ = all_parts
    check_sum(change)


def test_the_change_is_between_the_forecasts_that_predict_makes(
    all_parts: tuple[Change, pd.DataFrame, pd.DataFrame], fitted: tuple[Forecaster, Forecaster]
) -> None:
    change, before, after = all_parts
    one, other = (
        model.predict(frame).set_index(["unique_id", "ds"])["ensemble"]
        for model, frame in zip(fitted, (before, after), strict=True)
    )
    table = change.table.set_index(["unique_id", "ds"])
    assert len(table) == 3 * (HORIZON - 2)
    np.testing.assert_array_equal(table["before"], one.loc[table.index])
    np.testing.assert_array_equal(table["after"], other.loc[table.index])


def test_parts_are_of_the_shops_that_changed(
    all_parts: tuple[Change, pd.DataFrame, pd.DataFrame],
) -> None:
    parts = (
        all_parts[0]
        .table.groupby("unique_id")[[REVISED, COVARIATES]]
        .agg(lambda part: (part != 0).any())
    )
    assert parts[REVISED].to_dict() == {"a": False, "b": True, "c": False}
    assert parts[COVARIATES].to_dict() == {"a": False, "b": False, "c": True}
    assert (all_parts[0].table[[NEW, VERSION]] != 0).all(axis=None)


def test_revised_value_has_its_expected_value(
    all_parts: tuple[Change, pd.DataFrame, pd.DataFrame],
) -> None:
    change, _, _ = all_parts
    own = change.values[change.values["unique_id"] == "b"]
    first = own.iloc[0]
    assert (first["kind"], first["time"]) == ("revised", pd.Timestamp("2024-05-07"))
    assert first["value"] == pytest.approx(first["expected"] + 12)


def test_effect_of_a_revised_value_is_that_of_the_forecasts(
    all_parts: tuple[Change, pd.DataFrame, pd.DataFrame], fitted: tuple[Forecaster, Forecaster]
) -> None:
    change, _, after = all_parts
    own = change.values[change.values["unique_id"] == "b"]
    one, other = (
        fitted[1].predict(frame).query("unique_id == 'b'").set_index("ds")["ensemble"]
        for frame in (change_cells(after, "b", 4, "y", -12), after)
    )
    revised = own[own["kind"] == "revised"].set_index("ds")["effect"].astype(float)
    np.testing.assert_allclose(revised, (other - one).loc[revised.index], atol=1e-4)


def test_new_values_stand_beside_revised_ones(
    all_parts: tuple[Change, pd.DataFrame, pd.DataFrame],
) -> None:
    change, _, _ = all_parts
    own = change.values[change.values["unique_id"] == "b"]
    assert set(own["kind"]) == {"revised", "new"}


def test_sentence_names_a_revised_value(
    all_parts: tuple[Change, pd.DataFrame, pd.DataFrame],
) -> None:
    change, _, _ = all_parts
    assert "The revised value of b at 2024-05-07" in write_change(change)


def test_each_part_is_its_mean_effect_over_all_orders(
    all_parts: tuple[Change, pd.DataFrame, pd.DataFrame], fitted: tuple[Forecaster, Forecaster]
) -> None:
    """Computed again from frames, by predictions of the states of one shop, in all 6 orders of its parts."""
    change, before, after = all_parts
    expected = fitted[0].predict(before).set_index(["unique_id", "ds"])["ensemble"]
    own = after[after["unique_id"] == "b"].set_index("ds")

    def forecast(parts: set[str]) -> pd.Series:
        table = own.copy()
        if REVISED not in parts:
            table["y"] = table["y"].where(
                table["y"].isna(),
                change_cells(after, "b", 4, "y", -12)
                .query("unique_id == 'b'")
                .set_index("ds")["y"],
            )
        if NEW not in parts:
            new = table.index[NUM_DAYS : NUM_DAYS + 2]
            table.loc[new, "y"] = [expected["b", day] for day in new]
        return fitted[VERSION in parts].predict(table.reset_index()).set_index("ds")["ensemble"]

    players = (NEW, REVISED, VERSION)
    found = change.table[change.table["unique_id"] == "b"].set_index("ds")
    sums: dict[str, Any] = dict.fromkeys(players, 0.0)
    for order in permutations(players):
        for place, player in enumerate(order):
            sums[player] += forecast({*order[: place + 1]}) - forecast({*order[:place]})
    for player in players:
        np.testing.assert_allclose(found[player], (sums[player] / 6).loc[found.index], atol=2e-4)
    base = forecast(set()).loc[found.index] - expected["b"].loc[found.index]
    np.testing.assert_allclose(found[DAY_AHEAD], base, atol=2e-4)


def test_values_that_come_as_forecast_are_no_news(fitted: tuple[Forecaster, Forecaster]) -> None:
    before = make_shops(NUM_DAYS)
    forecasts = fitted[0].predict(before).set_index(["unique_id", "ds"])["ensemble"]
    after = make_shops(NUM_DAYS + 1)
    is_new = (after["ds"] == pd.Timestamp("2024-01-01") + pd.Timedelta(days=NUM_DAYS)).to_numpy()
    after.loc[is_new, "y"] = forecasts.loc[
        pd.MultiIndex.from_frame(after.loc[is_new, ["unique_id", "ds"]])
    ].to_numpy()
    change = fitted[0].explain_change(before, after)
    check_sum(change)
    assert (change.table[NEW].abs() < 1e-5).all()
    assert (change.table[DAY_AHEAD] != 0).all()
    assert (change.table[[REVISED, COVARIATES, VERSION]] == 0).all(axis=None)


@pytest.mark.parametrize(
    ("part", "shop", "days_ago", "column"),
    [(REVISED, "a", 3, "y"), (COVARIATES, "b", -1, "price"), (COVARIATES, "c", 2, "visits")],
)
def test_a_part_alone_is_the_whole_change(
    fitted: tuple[Forecaster, Forecaster], part: str, shop: str, days_ago: int, column: str
) -> None:
    before = make_shops(NUM_DAYS)
    change = fitted[0].explain_change(before, change_cells(before, shop, days_ago, column, 5))
    own = change.table["unique_id"] == shop
    np.testing.assert_allclose(change.table[part], change.table["change"], rtol=1e-12)
    assert (change.table.loc[own, part] != 0).any()
    assert (change.table.loc[~own, "change"] == 0).all()


def test_the_same_night_has_no_change(fitted: tuple[Forecaster, Forecaster]) -> None:
    before = make_shops(NUM_DAYS)
    change = fitted[0].explain_change(before, before)
    assert (change.table[["change", *PARTS, DAY_AHEAD]] == 0).all(axis=None)
    assert change.values.empty
    assert (
        write_change(change)
        == "The forecast of 3 series for 2024-05-10 to 2024-05-15, on average, did not change."
    )


def test_another_version_has_the_whole_change(fitted: tuple[Forecaster, Forecaster]) -> None:
    before = make_shops(NUM_DAYS)
    change = fitted[1].explain_change(before, before, fitted[0])
    np.testing.assert_allclose(change.table[VERSION], change.table["change"], rtol=1e-12)
    assert (change.table["change"] != 0).all()


def make_night(forecaster: Forecaster, frame: pd.DataFrame, version: str = "") -> Night:
    return forecaster._make_night(frame, version)[0]


SINE = [10 + np.sin(step) + 0.1 * (step * 7919 % 13) for step in range(200)]


def make_sine(num_steps: int, **names: int) -> pd.DataFrame:
    names = names or {"a": num_steps, "b": num_steps}
    tables = [
        pd.DataFrame({"unique_id": n, "ds": range(length), "y": SINE[:length]})
        for n, length in names.items()
    ]
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def plain() -> Forecaster:
    """Without covariates, with integer steps."""
    return Forecaster(h=4, level=None, lookback=8, **SMALL).fit(make_sine(90))


def test_new_values_beyond_a_horizon_need_recursive_forecasts(plain: Forecaster) -> None:
    """Their dates have no forecast in common; another version with a longer horizon has."""
    longer = Forecaster(h=12, level=None, lookback=8, **SMALL).fit(make_sine(90))
    with pytest.raises(SeriesError, match="no date is forecast by both nights"):
        plain.explain_change(make_sine(100), make_sine(106))
    change = plain.explain_change(make_sine(100), make_sine(106), longer)
    check_sum(change)
    assert len(change.table) == 2 * 4
    assert change.notes == ("The horizon was 12 and is 4: only dates of both are compared.",)


def test_values_that_were_lost_are_no_new_values(plain: Forecaster) -> None:
    change = plain.explain_change(make_sine(100), make_sine(98))
    check_sum(change)
    assert (change.table[NEW] == 0).all()
    assert (change.table[DAY_AHEAD] != 0).all()


def test_rows_that_were_lost_are_explained(plain: Forecaster) -> None:
    change = plain.explain_change(make_sine(100), make_sine(101).query("ds >= 30"))
    check_sum(change)


def test_series_of_one_night_are_left_out_with_a_note(plain: Forecaster) -> None:
    change = plain.explain_change(make_sine(0, a=100, b=100), make_sine(0, b=101, x=101))
    assert set(change.table["unique_id"]) == {"b"}
    assert change.notes == (
        "1 series had no forecast tonight.",
        "1 series had no forecast the night before.",
    )


def test_new_series_is_explained(plain: Forecaster) -> None:
    """Its scale is that of its own values, so that a new value changes it."""
    change = plain.explain_change(make_sine(0, a=100, x=40), make_sine(0, a=101, x=41))
    check_sum(change)
    assert set(change.table["unique_id"]) == {"a", "x"}


def test_numbers_of_series_stay_numbers(plain: Forecaster) -> None:
    frames = (
        make_sine(0, **{"1": length, "2": length}).astype({"unique_id": "int64"})
        for length in (100, 101)
    )
    change = plain.explain_change(*frames)
    assert {
        table["unique_id"].dtype.name for table in (change.table, change.values, change.news)
    } == {"int64"}


def test_only_the_series_with_the_largest_changes_are_explained(plain: Forecaster) -> None:
    after = make_sine(101)
    after.loc[100, "y"] = 30.0
    nights = make_night(plain, make_sine(100)), make_night(plain, after)
    change = explain_change(*nights, most=1)
    assert change.table["unique_id"].unique().tolist() == ["a"]
    assert change.notes == ("Explained are the 1 of 2 series whose forecasts changed most.",)
    pd.testing.assert_frame_equal(
        change.table, explain_change(*nights).table.query("unique_id == 'a'"), rtol=1e-6
    )


def test_only_the_series_of_the_largest_changes_are_forecast_again(
    fitted: tuple[Forecaster, Forecaster], monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = (
        make_night(fitted[0], make_shops(NUM_DAYS), "one"),
        make_night(fitted[1], make_shops(NUM_DAYS + 1), "two"),
    )
    expected = explain_change(*nights).table.query("unique_id == 'c'").reset_index(drop=True)
    forecast = change._forecast
    sizes = []

    def count(
        forecaster: Any, series: pd.DataFrame, covariates: pd.DataFrame, *others: Any
    ) -> pd.Series:
        sizes.append(series["unique_id"].nunique() + covariates["unique_id"].nunique())
        return forecast(forecaster, series, covariates, *others)

    monkeypatch.setattr(change, "_forecast", count)
    found = explain_change(*nights, most=1, changes=pd.Series({"a": 1.0, "c": 2.0, "x": 9.0}))
    pd.testing.assert_frame_equal(found.table, expected, rtol=1e-5, atol=1e-5)
    assert found.notes == ("Explained are the 1 of 3 series whose forecasts changed most.",)
    assert set(sizes) == {2}


def test_with_other_covariates_the_parts_are_unknown(fitted: tuple[Forecaster, Forecaster]) -> None:
    without = Forecaster(h=HORIZON, level=None, lookback=14, **SMALL).fit(
        make_shops(100)[["unique_id", "ds", "y"]]
    )
    before = make_shops(NUM_DAYS)
    change = fitted[1].explain_change(
        before[["unique_id", "ds", "y"]], make_shops(NUM_DAYS + 1), without
    )
    assert get_parts(change).isna().all(axis=None)
    assert change.table["change"].notna().all()
    assert change.notes == (
        "The parts are unknown: the covariates were none, and are price (future), visits (past), size (static).",
    )
    assert ":" not in write_change(change)


def test_an_earlier_forecaster_that_is_none_is_refused_by_name(plain: Forecaster) -> None:
    with pytest.raises(ParameterError, match=r"earlier: expected a Forecaster.*received 'x'"):
        plain.explain_change(make_sine(100), make_sine(101), earlier="x")


def test_the_frames_are_not_changed(plain: Forecaster) -> None:
    before = make_sine(100)
    after = make_sine(102)
    nights = make_night(plain, before, "one"), make_night(plain, after, "two")
    copies = [night.series.copy() for night in nights]
    explain_change(*nights)
    explain_change(*nights[::-1])
    for night, copy in zip(nights, copies, strict=True):
        pd.testing.assert_frame_equal(night.series, copy)
    pd.testing.assert_frame_equal(before, make_sine(100))
    assert explain_change(nights[0], replace(nights[1], version="one")).table[VERSION].eq(0).all()
