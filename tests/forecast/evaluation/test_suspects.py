"""Forecasts from gross newest values are marked, and forgiven once the value was corrected."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.forecast.evaluation.coverage import check_coverage
from rnn_pipelines.forecast.evaluation.realised import join_uncorrected
from rnn_pipelines.forecast.evaluation.suspects import (
    CorrectedTable,
    describe_corrected,
    keep_good_forecasts,
    leave_out_corrected,
    list_corrected,
    list_suspect_values,
    mark_forecasts,
)
from rnn_pipelines.forecast.methods.predictions import ForecastLogTable
from rnn_pipelines.forecast.preparation.gross_values import list_gross_values

NUM_DAYS = 60
LAST = pd.Timestamp("2024-01-01") + pd.Timedelta(days=NUM_DAYS - 1)
NOBODY: Any = {"version": "v1", "versions": {}, "settings": {}, "first_data_end": None}
CHAMPION: KnownChampion = NOBODY
PROFILE: Any = {"freq": "D"}


def make_series(num_days: int = NUM_DAYS, factor: float = 1.0) -> pd.DataFrame:
    """Return days of the shops a and b; the factor is that of a on the last day."""
    tables = []
    for number, shop in enumerate("ab"):
        y = 100 + np.random.default_rng(number).normal(0, 3, 100)[:num_days]
        if shop == "a":
            y[NUM_DAYS - 1 :][:1] *= factor
        days = pd.date_range("2024-01-01", periods=num_days)
        tables.append(pd.DataFrame({"unique_id": shop, "ds": days, "y": y, "observed": True}))
    return pd.concat(tables, ignore_index=True)


def make_night(series: pd.DataFrame, night: int, y_hat: float = 100.0) -> pd.DataFrame:
    """Return the marked forecasts of two days after the end of each series."""
    cutoff = series["ds"].max()
    days = pd.date_range(cutoff, periods=3)[1:]
    tables = [
        pd.DataFrame({"unique_id": shop, "cutoff": cutoff, "ds": days, "horizon_step": [1, 2]})
        for shop in ("a", "b")
    ]
    made = pd.concat(tables, ignore_index=True)
    recorded_at = pd.Timestamp("2024-03-01", tz="UTC") + pd.Timedelta(days=night)
    made = made.assign(y_hat=y_hat, model_version="v1", recorded_at=recorded_at)
    return ForecastLogTable.validate(mark_forecasts(made, list_gross_values(series), None))


@pytest.fixture
def log() -> pd.DataFrame:
    """A good night, and one with a gross value."""
    nights = [
        make_night(make_series(NUM_DAYS - 1), 0),
        make_night(make_series(factor=1000), 1, y_hat=9e4),
    ]
    return pd.concat(nights, ignore_index=True)


def test_forecasts_of_the_series_are_suspect(log: pd.DataFrame) -> None:
    suspects = log[log["is_suspect"]]
    assert (suspects["unique_id"].unique().tolist(), len(suspects)) == (["a"], 2)


def test_reason_names_value_with_date(log: pd.DataFrame) -> None:
    reasons = log.loc[log["is_suspect"], "suspect_reason"]
    assert reasons.str.contains("2024-02-29").all()


def test_other_forecasts_have_no_reason(log: pd.DataFrame) -> None:
    assert log.loc[~log["is_suspect"], "suspect_reason"].eq("").all()


def test_value_that_stays_is_not_corrected(log: pd.DataFrame) -> None:
    assert list_corrected(log, make_series(NUM_DAYS + 1, factor=1000)).empty


def test_value_that_changed_is_corrected(log: pd.DataFrame) -> None:
    found = CorrectedTable.validate(list_corrected(log, make_series(NUM_DAYS + 1)))
    assert found[["unique_id", "cutoff"]].to_numpy().tolist() == [["a", LAST]]


def test_value_that_is_no_longer_gross_is_not_corrected(log: pd.DataFrame) -> None:
    series = make_series(NUM_DAYS + 1, factor=1000)
    # The earlier values are in the unit of the newest one, as after a break.
    series["y"] = series["y"].where(series["ds"] >= LAST, series["y"] * 1000)
    assert list_corrected(log, series).empty


def test_value_that_was_replaced_by_a_gross_one_is_not_well_again(log: pd.DataFrame) -> None:
    coverage = check_coverage(log, make_series(factor=2000), PROFILE, CHAMPION)
    assert (coverage["num_corrected"], coverage["corrected"]) == (2, "")


@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_value_of_an_hour_that_stays_is_not_corrected(tz: str | None) -> None:
    series = make_series(factor=1000)
    series["ds"] = pd.Timestamp("2024-10-01") + (series["ds"] - series["ds"].min()) / 24
    found = list_gross_values(series)
    made = make_night(series, 0).pipe(mark_forecasts, found, tz)
    assert list_corrected(made, series).empty


def test_value_that_was_removed_is_corrected(log: pd.DataFrame) -> None:
    series = make_series(NUM_DAYS + 1)
    series["observed"] = (series["unique_id"] != "a") | (series["ds"] != LAST)
    assert len(list_corrected(log, series)) == 1


def test_series_that_vanished_is_not_corrected(log: pd.DataFrame) -> None:
    series = make_series(NUM_DAYS + 1)
    assert list_corrected(log, series[series["unique_id"] == "b"]).empty


def test_correction_counts_since_the_first_good_forecast(log: pd.DataFrame) -> None:
    after = pd.concat(
        [log, make_night(make_series(NUM_DAYS + 1), 2), make_night(make_series(NUM_DAYS + 2), 3)]
    )
    found = list_corrected(after, make_series(NUM_DAYS + 2))
    assert found["since"].tolist() == [pd.Timestamp("2024-03-03", tz="UTC")]
    assert describe_corrected(found).startswith("ok again since 2024-03-03")


def test_forecast_from_a_corrected_value_is_no_error(log: pd.DataFrame) -> None:
    evaluated = join_uncorrected(log, make_series(NUM_DAYS + 1), CHAMPION)
    assert not evaluated["y_hat"].eq(9e4)[evaluated["unique_id"] == "a"].any()
    assert evaluated["y_hat"].eq(9e4)[evaluated["unique_id"] == "b"].any()


def test_forecast_from_a_value_that_stays_is_an_error(log: pd.DataFrame) -> None:
    evaluated = join_uncorrected(log, make_series(NUM_DAYS + 1, factor=1000), CHAMPION)
    assert evaluated["y_hat"].eq(9e4)[evaluated["unique_id"] == "a"].any()


def test_forecast_that_was_made_again_after_the_correction_counts(log: pd.DataFrame) -> None:
    after = pd.concat([log, make_night(make_series(), 2)])
    evaluated = join_uncorrected(after, make_series(NUM_DAYS + 1), CHAMPION)
    made_again = evaluated[(evaluated["unique_id"] == "a") & (evaluated["cutoff"] == LAST)]
    assert made_again["y_hat"].tolist() == [100.0]


def test_log_without_marks_has_no_suspects(log: pd.DataFrame) -> None:
    old = log.drop(columns=["is_suspect", "suspect_reason"])
    corrected = list_corrected(old, make_series(NUM_DAYS + 1))
    assert leave_out_corrected(old, corrected).equals(old)


def test_last_good_forecasts_stay(log: pd.DataFrame) -> None:
    made = log[log["recorded_at"] == log["recorded_at"].max()]
    kept = keep_good_forecasts(made, log).set_index("unique_id")
    assert kept.loc["a", "y_hat"].tolist() == [100.0, 100.0]
    assert kept.loc["b", "y_hat"].tolist() == [9e4, 9e4]


def test_without_good_forecasts_the_suspect_ones_stay(log: pd.DataFrame) -> None:
    made = log[log["recorded_at"] == log["recorded_at"].max()]
    assert len(keep_good_forecasts(made, made)) == len(made)


def test_coverage_names_the_gross_value(log: pd.DataFrame) -> None:
    coverage = check_coverage(log, make_series(factor=1000), PROFILE, CHAMPION)
    assert coverage["is_gross"]
    assert [row["ds"] for row in coverage["gross_values"]] == ["2024-02-29"]


def test_coverage_counts_forecasts_from_a_corrected_value(log: pd.DataFrame) -> None:
    coverage = check_coverage(log, make_series(NUM_DAYS + 1), PROFILE, CHAMPION)
    assert (coverage["gross_values"], coverage["num_corrected"]) == ([], 2)


def make_uncorrected(num_days: int, level: float = 1.0) -> pd.DataFrame:
    """Return series with a gross value of a, and days after it; the level of these is multiplied."""
    series = make_series(NUM_DAYS + num_days, factor=1000)
    is_later = (series["unique_id"] == "a") & (series["ds"] > LAST)
    return series.assign(y=series["y"].mask(is_later, series["y"] * level))


def sleep(num_nights: int, level: float = 1.0) -> pd.DataFrame:
    """Return the log of nights with a gross value that stays."""
    log = make_night(make_series(NUM_DAYS - 1), 0)
    for night in range(num_nights):
        series = make_uncorrected(night, level)
        made = make_night(series, night + 1, y_hat=9e4)
        log = pd.concat(
            [log, mark_forecasts(made, list_suspect_values(log, series, 14), None)],
            ignore_index=True,
        )
    return log


def test_value_that_stays_is_suspect_while_it_is_read() -> None:
    log = sleep(20)
    cutoffs = log.loc[log["is_suspect"], "cutoff"].unique()
    assert (cutoffs.min(), len(cutoffs)) == (LAST, 14)


def test_new_level_is_suspect_for_five_nights() -> None:
    log = sleep(8, level=1000)
    assert log.loc[log["is_suspect"], "cutoff"].nunique() == 5


def test_value_that_stays_for_long_is_not_corrected() -> None:
    assert list_corrected(sleep(8), make_uncorrected(8)).empty


def test_value_that_is_corrected_after_long_counts_in_no_forecast() -> None:
    log = pd.concat([sleep(8), make_night(make_series(NUM_DAYS + 8), 9)], ignore_index=True)
    corrected = list_corrected(log, make_series(NUM_DAYS + 8))
    assert len(corrected) == 8
    evaluated = join_uncorrected(log, make_series(NUM_DAYS + 8), CHAMPION)
    assert not evaluated["y_hat"].eq(9e4)[evaluated["unique_id"] == "a"].any()
