"""Each rule of the verdict on forecasts and its border; what is no number never passes for ok."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rnn_pipelines.champion.verdict import Verdict
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.coverage import check_coverage
from rnn_pipelines.forecast.evaluation.drift import DriftTable
from rnn_pipelines.forecast.evaluation.realised import EvaluatedForecastsTable, join_actuals
from rnn_pipelines.forecast.operations.monitoring import (
    ForecastVerdict,
    measure_covariate_drift,
    measure_drift,
    monitor_forecasts,
)
from rnn_pipelines.forecast.operations.verdict import ForecastEvidence, MonitorForecastSpec, evaluate_forecasts
from rnn_pipelines.forecast.series.coding import CodedColumn, Coding

WELL = ForecastEvidence(
    missed_steps={"a": 0, "b": 1}, num_cutoffs=30, ratio=1.1, p_value=0.4, drift={"a": (0.2, 0.5), "b": (0.3, 0.2)}
)
WORSE = replace(WELL, ratio=2.0, p_value=0.01)
NOT_FINITE = [math.nan, math.inf, -math.inf]


def make_spec(max_missed_steps: int = 1, drift: dict[str, Any] | None = None, **error: Any) -> MonitorForecastSpec:
    return MonitorForecastSpec(max_missed_steps=max_missed_steps, error=error, drift=drift or {})


def judge(evidence: ForecastEvidence, **options: Any) -> Verdict:
    return evaluate_forecasts(evidence, make_spec(**options))


# Well, or nothing to judge


def test_all_is_well() -> None:
    assert judge(WELL) == Verdict(
        "ok",
        (
            "the MSE of forecasts from 30 cut-offs is 1.10 times the expected one (p = 0.4)",
            "0 of 2 series have drifted",
        ),
    )


def test_no_champion_is_ok_and_says_so() -> None:
    verdict = judge(ForecastEvidence(has_champion=False))
    assert verdict.verdict == "ok"
    assert verdict.reasons[0] == "there is no forecaster in use yet, and nothing to judge"


def test_no_actual_yet_is_ok_and_says_so() -> None:
    verdict = judge(replace(WELL, num_cutoffs=0, ratio=None, p_value=None))
    assert verdict.verdict == "ok"
    assert "no past forecast by the version in use can be judged yet" in verdict.reasons


def test_too_little_to_compare_is_ok_and_says_so() -> None:
    verdict = judge(replace(WELL, drift={"a": None}))
    assert verdict.verdict == "ok"
    assert "there is too little to say whether the newest values have drifted" in verdict.reasons


def test_some_series_too_short_to_compare_are_counted() -> None:
    verdict = judge(replace(WELL, drift={"a": (0.1, 0.9), "b": None}))
    assert verdict.reasons[-1] == "0 of 1 series have drifted; 1 have too few values to compare"


def test_forecasts_without_a_promise_are_counted() -> None:
    verdict = judge(replace(WELL, num_without_expected_error=7))
    assert verdict.verdict == "ok"
    assert "left out: 7 forecasts without an expected error on record" in verdict.reasons


# The champion


def test_alarms_of_the_store_are_alarms() -> None:
    assert judge(replace(WORSE, alarms=("v2: damaged", "v1 is in use instead."))) == Verdict(
        "alarm",
        (
            "v2: damaged",
            "v1 is in use instead.",
            "the MSE of forecasts from 30 cut-offs is 2.00 times the expected one (p = 0.01), above 1.5",
        ),
    )


def test_alarm_of_the_store_counts_where_no_champion_is_whole() -> None:
    assert judge(ForecastEvidence(has_champion=False, alarms=("none",))).verdict == "alarm"


def test_promise_that_is_not_on_record_is_an_alarm() -> None:
    assert judge(replace(WELL, has_expected_error=False)).verdict == "alarm"


# Forecasts that are not there


@pytest.mark.parametrize(("missed", "verdict"), [(1, "ok"), (2, "alarm")])
def test_more_missed_steps_than_allowed_are_an_alarm(missed: int, verdict: str) -> None:
    assert judge(replace(WELL, missed_steps={"a": missed})).verdict == verdict


def test_missed_steps_that_are_allowed_are_none() -> None:
    assert judge(replace(WELL, missed_steps={"a": 7}), max_missed_steps=7).verdict == "ok"
    assert judge(replace(WELL, missed_steps={"a": 1}), max_missed_steps=0).verdict == "alarm"


def test_missed_series_are_named() -> None:
    verdict = judge(replace(WELL, missed_steps={"a": 5, "b": 2, "c": 9, "d": 2, "e": 0}))
    assert verdict.reasons == (
        "no forecast was made from the newest 9 steps of 4 series (a, b, c, …): a run was missed, or could not "
        "forecast them (1 may be missing)",
    )


def test_series_that_the_forecaster_does_not_know_ask_for_a_retraining() -> None:
    verdict = judge(replace(WELL, unknown_series=("new",)))
    assert verdict == Verdict("retrain", ("the forecaster in use doesn't know series new",))


@pytest.mark.parametrize(("num", "verdict"), [(0, "ok"), (1, "alarm")])
def test_one_forecast_that_is_no_number_is_an_alarm(num: int, verdict: str) -> None:
    assert judge(replace(WELL, num_not_finite=num)).verdict == verdict


# Realised errors


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.5, "ok"), (1.5001, "retrain"), (4.0, "retrain"), (4.0001, "alarm"), (0.01, "ok")]
)
def test_ratio_decides_above_its_limits(ratio: float, verdict: str) -> None:
    assert judge(replace(WORSE, ratio=ratio)).verdict == verdict


@pytest.mark.parametrize(("p_value", "verdict"), [(0.05, "retrain"), (0.0501, "ok")])
def test_error_counts_only_where_it_is_shown(p_value: float, verdict: str) -> None:
    assert judge(replace(WORSE, p_value=p_value)).verdict == verdict


@pytest.mark.parametrize(("num_cutoffs", "verdict"), [(9, "ok"), (10, "retrain")])
def test_few_cut_offs_decide_nothing(num_cutoffs: int, verdict: str) -> None:
    assert judge(replace(WORSE, num_cutoffs=num_cutoffs)).verdict == verdict


def test_few_cut_offs_are_said_to_be_few() -> None:
    reasons = judge(replace(WORSE, num_cutoffs=1)).reasons
    assert reasons[0] == (
        "the MSE of forecasts from 1 cut-off is 2.00 times the expected one (p = 0.01); fewer than 10 cut-offs decide "
        "nothing"
    )


# Intervals


@pytest.mark.parametrize(
    ("coverage", "p_value", "num_cutoffs", "verdict"),
    [
        (0.69, 0.05, 30, "retrain"),
        (0.71, 0.001, 30, "ok"),
        (0.60, 0.0501, 30, "ok"),
        (0.60, 0.001, 9, "ok"),
        (0.60, 0.001, 10, "retrain"),
        (1.0, 0.001, 30, "ok"),
    ],
)
def test_intervals_that_hold_too_little_are_a_reason_to_retrain(
    coverage: float, p_value: float, num_cutoffs: int, verdict: str
) -> None:
    """By ten points, and shown; intervals that hold more than they promise are too wide, and safe."""
    assert judge(replace(WELL, coverage={80: (coverage, p_value, num_cutoffs)})).verdict == verdict


def test_what_intervals_hold_is_said() -> None:
    short, well = (
        judge(replace(WELL, coverage={80: (share, 0.001, 30), 95: (0.94, 0.5, 30)})) for share in (0.6, 0.78)
    )
    assert short.reasons == ("intervals that promise 80 % of the actuals hold 60 % (p = 0.001)",)
    assert "intervals of 80, 95 % hold 78, 94 % of the actuals" in well.reasons


def test_anomalies_are_told_and_ask_for_nothing() -> None:
    verdict = judge(replace(WELL, num_anomalies=2, newest_anomaly="the newest is 9"))
    assert verdict.verdict == "ok"
    assert "2 actuals outside of the 99 % interval: the newest is 9" in verdict.reasons


# Drift


@pytest.mark.parametrize(
    ("distance", "p_value", "verdict"),
    [(0.3, 0.01, "retrain"), (0.2999, 0.001, "ok"), (0.9, 0.0101, "ok"), (1.0, 0.001, "retrain")],
)
def test_drift_needs_distance_and_p_value(distance: float, p_value: float, verdict: str) -> None:
    assert judge(replace(WELL, drift={"a": (distance, p_value)})).verdict == verdict


@pytest.mark.parametrize(("num_drifted", "verdict"), [(1, "ok"), (2, "retrain")])
def test_one_series_in_ten_may_drift(num_drifted: int, verdict: str) -> None:
    drift = {str(number): (0.9, 0.001) if number < num_drifted else (0.1, 0.9) for number in range(10)}
    assert judge(replace(WELL, drift=drift)).verdict == verdict


# What is no number


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("name", ["ratio", "p_value"])
def test_error_that_is_no_number_is_an_alarm(name: str, value: float) -> None:
    assert judge(replace(WELL, **{name: value})).verdict == "alarm"


@pytest.mark.parametrize("found", [(math.nan, 0.9), (0.1, math.inf)], ids=["distance", "p-value"])
def test_drift_that_is_no_number_is_an_alarm(found: tuple[float, float]) -> None:
    assert judge(replace(WELL, drift={"a": (0.1, 0.9), "b": found})).verdict == "alarm"


# Drift of covariates


COVARIATE = {
    "covariate": "weather",
    "num_values": 60,
    "num_series": 10,
    "num_drifted": 0,
    "distance": 0.9,
    "p_value": 0.001,
    "num_unknown": 0,
    "usual_fraction": 0.05,
}


@pytest.mark.parametrize(("num_drifted", "verdict"), [(1, "ok"), (2, "retrain"), (10, "retrain")])
def test_covariate_may_drift_in_one_series_in_ten(num_drifted: int, verdict: str) -> None:
    covariates = (COVARIATE | {"num_drifted": num_drifted},)
    assert judge(replace(WELL, covariates=covariates)).verdict == verdict


@pytest.mark.parametrize(("num_unknown", "verdict"), [(8, "ok"), (10, "retrain"), (60, "retrain")])
def test_cells_that_are_hardly_known_may_be_one_in_ten_more_than_usual(num_unknown: int, verdict: str) -> None:
    covariates = (COVARIATE | {"num_unknown": num_unknown},)
    found = judge(replace(WELL, covariates=covariates))
    assert found.verdict == verdict
    assert (
        f"{num_unknown} of the 60 newest values of the covariate weather are such as the forecaster in use has hardly "
        "seen"
    ) in found.reasons


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(ratio=numbers, p_value=numbers, distance=numbers, drift_p_value=numbers, num_cutoffs=st.integers(0, 40))
def test_no_evidence_with_a_number_that_is_none_is_ok(
    ratio: float, p_value: float, distance: float, drift_p_value: float, num_cutoffs: int
) -> None:
    evidence = ForecastEvidence(
        num_cutoffs=num_cutoffs, ratio=ratio, p_value=p_value, drift={"a": (distance, drift_p_value)}
    )
    verdict = judge(evidence)
    assert verdict.reasons
    if not all(map(math.isfinite, (ratio, p_value, distance, drift_p_value))):
        assert verdict.verdict == "alarm"


# Parameters


@pytest.mark.parametrize(
    "error", [{"min_cutoffs": 31}, {"retrain_ratio": 5.0}, {"retrain_ratio": 0.5}, {"significance": 0.0}, {"typo": 1}]
)
def test_limits_that_make_no_sense_are_refused(error: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_spec(**error)


@pytest.mark.parametrize("valid_days", [0, -1, math.nan, math.inf])
def test_verdict_must_be_valid_for_some_time(valid_days: float) -> None:
    with pytest.raises(ValidationError):
        MonitorForecastSpec(valid_days=valid_days, error={}, drift={})


# From the data to the verdict


DAYS = 300
VERSION = "2024-06-01T00.00.00.000000Z-abcdef"


def make_champion(**changes: Any) -> dict[str, Any]:
    learnt = {"a": "2024-06-18T00:00:00"}
    return {
        "version": VERSION,
        "promoted_at": "2024-09-01T00:00:00+00:00",
        "settings": {"trained_until": learnt, "season_length": 7},
        "alarms": [],
        "first_data_end": "2024-09-01",
        "versions": {VERSION: {"at": "", "loss": 1.0, "by_step": [1.0, 1.0], "trained_until": learnt}},
    } | changes


def make_series() -> pd.DataFrame:
    y = np.random.default_rng(0).normal(size=DAYS)
    return pd.DataFrame(
        {"unique_id": "a", "ds": pd.date_range("2024-01-01", periods=DAYS), "y": y, "observed": np.ones(DAYS, bool)}
    )


def make_log(deviation: float = 1.0, last: int = DAYS - 1, num: int = 40) -> pd.DataFrame:
    """Forecasts of two steps from the days up to `last`, off by noise of that deviation."""
    series, random = make_series(), np.random.default_rng(1)
    rows = [
        {
            "unique_id": "a",
            "cutoff": series["ds"][cutoff],
            "ds": series["ds"][cutoff] + pd.Timedelta(days=step),
            "horizon_step": step,
            "y_hat": (series["y"][cutoff + step] if cutoff + step < DAYS else 0.0) + deviation * random.normal(),
            "model_version": VERSION,
            "created_at": pd.Timestamp("2024-12-01", tz="UTC"),
        }
        for cutoff in range(last - num + 1, last + 1)
        for step in (1, 2)
    ]
    return pd.DataFrame(rows)


CODING = Coding(columns=(CodedColumn(name="price", role="future"),))


def monitor(
    log: pd.DataFrame | None, champion: dict[str, Any] | None = None, price: np.ndarray | None = None
) -> ForecastVerdict:
    series, champion, profile = make_series(), champion or make_champion(), {"freq": "D", "season_length": 7}
    judged = join_actuals(log, series, champion)
    coverage = check_coverage(log, series, profile, champion)
    drift = measure_drift(series, profile, champion, make_spec())
    for table, kind in ((judged, EvaluatedForecastsTable), (drift, DriftTable)):
        kind.validate(table)
    prices = pd.DataFrame({"unique_id": "a", "ds": series["ds"], "price": series["y"] if price is None else price})
    of_prices = measure_covariate_drift(series, profile, champion, CODING, prices, make_spec())
    return monitor_forecasts(judged, coverage, champion, drift, of_prices, make_spec())


def test_forecasts_as_good_as_promised_are_ok() -> None:
    found = monitor(make_log())
    assert found["verdict"] == "ok"
    assert found["at"] < found["valid_until"]
    assert 0.5 < found["error"]["ratio"] < 1.5
    assert [row["horizon_step"] for row in found["by_step"]] == [1, 2]
    assert [row["model_version"] for row in found["by_version"]] == [VERSION]
    assert found["coverage"]["missed_steps"] == {"a": 0}


def test_covariate_that_has_drifted_asks_for_a_retraining() -> None:
    price = np.random.default_rng(3).normal(size=DAYS) + 20 * (np.arange(DAYS) >= DAYS - 30)
    found = monitor(make_log(), price=price)
    assert found["verdict"] == "retrain"
    assert found["reasons"][0].startswith("the newest values of the covariate price have drifted in 1 of 1 series")
    assert found["covariate_drift"][0]["num_drifted"] == 1


def test_verdict_is_about_the_newest_cut_offs_and_the_versions_about_all() -> None:
    found = monitor(make_log())
    assert found["error"]["num_cutoffs"] == 30
    assert found["by_version"][0]["num_forecasts"] == 39 + 38


@pytest.mark.parametrize(("deviation", "verdict"), [(1.8, "retrain"), (3.0, "alarm")])
def test_forecasts_worse_than_promised_are_found(deviation: float, verdict: str) -> None:
    assert monitor(make_log(deviation))["verdict"] == verdict


def bound(log: pd.DataFrame, half_width: float) -> pd.DataFrame:
    """With intervals of that half width, of two levels."""
    sides = {"lo": -half_width, "hi": half_width}
    return log.assign(
        **{f"{side}_{level}": log["y_hat"] + width for level in (80, 99) for side, width in sides.items()}
    )


def test_coverage_is_that_of_the_newest_cut_offs() -> None:
    """Of normal errors of deviation 1, 80 % are below 1.28."""
    found = monitor(bound(make_log(), 1.28))
    assert [(row["level"], row["num_cutoffs"]) for row in found["intervals"]] == [(80, 30), (99, 30)]
    assert 0.7 < found["intervals"][0]["coverage"] < 0.9
    assert found["num_anomalies"] == len(found["anomalies"]) > 0


def test_actual_outside_of_its_widest_interval_is_an_anomaly() -> None:
    log = bound(make_log(0.0), 1.0)
    day = pd.Timestamp("2024-10-10")
    log.loc[log["ds"] == day, ["lo_99", "hi_99"]] = [50.0, 60.0]
    found = monitor(log)
    assert [(row["unique_id"], row["ds"], row["lo"]) for row in found["anomalies"]] == [("a", "2024-10-10", 50.0)]


def test_newest_forecast_decides_whether_an_actual_is_odd() -> None:
    log = bound(make_log(0.0), 1.0)
    log.loc[log["horizon_step"] == 2, ["lo_99", "hi_99"]] = [50.0, 60.0]
    assert monitor(log)["anomalies"] == []


def test_forecasts_of_before_there_were_intervals_are_judged_without() -> None:
    old, new = make_log(num=40), bound(make_log(num=20), 5.0)
    found = monitor(pd.concat([old[~old["cutoff"].isin(new["cutoff"])], new], ignore_index=True))
    assert [row["num_cutoffs"] for row in found["intervals"]] == [19, 19]
    assert monitor(old)["intervals"] == []


BAD = "2024-07-01T00.00.00.000000Z-badbad"


def make_both() -> pd.DataFrame:
    """A good version's forecasts, and after them those of a bad one, from the newest 20 cut-offs, one not finite."""
    bad = make_log(9.0, num=20).assign(model_version=BAD)
    bad.iloc[-1, bad.columns.get_loc("y_hat")] = np.nan
    return pd.concat([make_log(last=DAYS - 21), bad], ignore_index=True)


@pytest.mark.parametrize(("version", "verdict"), [(BAD, "alarm"), (VERSION, "ok")])
def test_version_that_was_rolled_back_asks_for_nothing_any_more(version: str, verdict: str) -> None:
    """Its forecasts stay in the report."""
    champion = make_champion(version=version)
    champion["versions"][BAD] = champion["versions"][VERSION]
    found = monitor(make_both(), champion)
    assert found["verdict"] == verdict
    assert [row["model_version"] for row in found["by_version"]] == [VERSION, BAD]


def test_few_forecasts_by_the_version_in_use_decide_nothing() -> None:
    new = make_log(9.0, num=5).assign(model_version=BAD)
    champion = make_champion(version=BAD)
    champion["versions"][BAD] = champion["versions"][VERSION]
    found = monitor(pd.concat([make_log(last=DAYS - 6), new], ignore_index=True), champion)
    assert found["verdict"] == "ok"
    assert found["error"]["num_cutoffs"] == 4


@pytest.mark.parametrize(("num_late", "verdict"), [(1, "ok"), (2, "alarm")])
def test_missed_night_is_an_alarm(num_late: int, verdict: str) -> None:
    found = monitor(make_log(last=DAYS - 1 - num_late))
    assert found["verdict"] == verdict
    assert found["coverage"]["missed_steps"] == {"a": num_late}


def test_forecasts_that_never_began_are_an_alarm() -> None:
    """The data have gone on since the first promotion."""
    found = monitor(None)
    assert found["verdict"] == "alarm"
    assert found["coverage"]["missed_steps"]["a"] == 55


def test_first_forecasts_may_still_be_due() -> None:
    found = monitor(None, make_champion(first_data_end="2024-10-25"))
    assert found["verdict"] == "ok"
    assert "no past forecast by the version in use can be judged yet" in found["reasons"]


@pytest.mark.parametrize("end", [None, "never", "17", "a-b"])
def test_first_data_end_that_is_not_known_counts_nothing(end: str | None) -> None:
    assert monitor(None, make_champion(first_data_end=end))["coverage"]["missed_steps"] == {}


def test_dates_are_not_held_against_steps() -> None:
    """With the same message as where they are judged, whichever comes first."""
    series = make_series().assign(ds=np.arange(DAYS))
    with pytest.raises(SeriesError, match="Move the file"):
        check_coverage(make_log(), series, {"freq": 1}, make_champion())


def test_nothing_at_all_is_ok_and_says_so() -> None:
    champion = make_champion(version=None, settings={}, versions={}, first_data_end=None, promoted_at=None)
    found = monitor(None, champion)
    assert (found["verdict"], found["reasons"][0]) == ("ok", "there is no forecaster in use yet, and nothing to judge")


def test_new_series_ask_for_a_retraining() -> None:
    champion = make_champion()
    champion["settings"] = {"trained_until": {"b": "2024-06-18T00:00:00"}}
    assert monitor(make_log(), champion)["verdict"] == "retrain"


@pytest.mark.parametrize(("row", "value"), [(-1, math.nan), (-5, math.inf)], ids=["to come", "past"])
def test_forecast_that_is_no_number_is_an_alarm(row: int, value: float) -> None:
    log = make_log()
    log.loc[len(log) + row, "y_hat"] = value
    assert monitor(log)["verdict"] == "alarm"


@pytest.mark.parametrize("by_step", [None, [], [1.0, math.nan], [None, 1.0]])
def test_promise_that_is_no_number_is_an_alarm(by_step: list[Any] | None) -> None:
    champion = make_champion()
    champion["versions"] = {VERSION: {"by_step": by_step, "trained_until": None}}
    assert monitor(make_log(), champion)["verdict"] == "alarm"


def test_promise_of_nothing_but_zeros_is_an_alarm() -> None:
    champion = make_champion()
    champion["versions"] = {VERSION: {"by_step": [0.0, 0.0], "trained_until": None}}
    assert monitor(make_log(), champion)["verdict"] == "alarm"


def test_later_forecasts_than_the_data_count_for_nothing() -> None:
    """As where the data are read up to an earlier day."""
    late = make_log()
    late[["cutoff", "ds"]] += pd.Timedelta(days=100)
    found = monitor(pd.concat([make_log(last=DAYS - 3), late], ignore_index=True))
    assert found["coverage"]["missed_steps"] == {"a": 2}


def test_all_of_it_is_json() -> None:
    for log in (make_log(), None):
        found = monitor(log)
        assert json.loads(json.dumps(found, allow_nan=False)) == found
