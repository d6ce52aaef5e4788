"""Each rule of the verdict on forecasts and its border; numbers that are not finite are never ok."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from golden import has_in_order
from rnn_pipelines.champion.verdict import Verdict
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.coverage import check_coverage
from rnn_pipelines.forecast.evaluation.drift import CovariateDriftTable, DriftTable
from rnn_pipelines.forecast.evaluation.realised import EvaluatedForecastsTable, join_actuals
from rnn_pipelines.forecast.operations.drift_rules import list_drifted
from rnn_pipelines.forecast.operations.monitoring import (
    ForecastVerdict,
    measure_covariate_drift,
    measure_drift,
    monitor_forecasts,
)
from rnn_pipelines.forecast.operations.verdict import (
    ForecastEvidence,
    MonitorForecastSpec,
    conclude_on_forecasts,
)
from rnn_pipelines.forecast.partitions.dividing import Partitions, Sample
from rnn_pipelines.forecast.preparation.reference import Change, ReferenceTable, measure_reference
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.coding import CodedColumn, Coding

WELL = ForecastEvidence(
    missed_steps={"a": 0, "b": 1},
    num_cutoffs=30,
    ratio=1.1,
    p_value=0.4,
    drift={"a": (0.2, 0.5), "b": (0.3, 0.2)},
)
WORSE = replace(WELL, ratio=2.0, p_value=0.01)
NOT_FINITE = [math.nan, math.inf, -math.inf]


def make_spec(
    max_missed_steps: int = 1, drift: dict[str, Any] | None = None, **error: Any
) -> MonitorForecastSpec:
    return MonitorForecastSpec(max_missed_steps=max_missed_steps, error=error, drift=drift or {})


def decide(evidence: ForecastEvidence, **options: Any) -> Verdict:
    return conclude_on_forecasts(evidence, make_spec(**options))


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


def drift_in(num_drifted: int) -> dict[str, tuple[float, float]]:
    return {
        str(number): (0.9, 0.001) if number < num_drifted else (0.1, 0.9) for number in range(10)
    }


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "ok"),
        ({"num_cutoffs": 0, "ratio": None, "p_value": None}, "ok"),
        ({"num_without_expected_error": 7}, "ok"),
        ({"has_expected_error": False}, "alarm"),
        ({"missed_steps": {"a": 1}}, "ok"),
        ({"missed_steps": {"a": 2}}, "alarm"),
        ({"unknown_series": ("new",)}, "retrain"),
        ({"num_not_finite": 1}, "alarm"),
        ({"num_anomalies": 2, "newest_anomaly": "9"}, "ok"),
        ({"drift": {"a": None}}, "ok"),
        *(({"drift": {"a": found}}, "retrain") for found in ((0.3, 0.01), (1.0, 0.001))),
        *(({"drift": {"a": found}}, "ok") for found in ((0.2999, 0.001), (0.9, 0.0101))),
        *(
            ({"drift": {"a": (0.1, 0.9), "b": found}}, "alarm")
            for found in ((math.nan, 0.9), (0.1, math.inf))
        ),
        ({"drift": drift_in(1)}, "ok"),
        ({"drift": drift_in(2)}, "retrain"),
        *(({name: value}, "alarm") for name in ("ratio", "p_value") for value in NOT_FINITE),
    ],
)
def test_verdict_follows_the_evidence(changes: dict[str, Any], verdict: str) -> None:
    assert decide(replace(WELL, **changes)).verdict == verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        *(({"ratio": ratio}, "ok") for ratio in (0.01, 1.5)),
        *(({"ratio": ratio}, "retrain") for ratio in (1.5001, 4.0)),
        ({"ratio": 4.0001}, "alarm"),
        ({"p_value": 0.05}, "retrain"),
        ({"p_value": 0.0501}, "ok"),
        ({"num_cutoffs": 10}, "retrain"),
        ({"num_cutoffs": 9}, "ok"),
        ({"num_cutoffs": 1, "ratio": 16.0, "p_value": 1.0}, "ok"),
        ({"num_cutoffs": 1, "ratio": 16.01, "p_value": 1.0}, "alarm"),
        ({"num_cutoffs": 30, "ratio": 6e9, "p_value": 1.0, "newest_ratio": 16.01}, "alarm"),
        ({"num_cutoffs": 30, "ratio": 6e9, "p_value": 1.0, "newest_ratio": 2.0}, "ok"),
        ({"num_cutoffs": 1, "num_outside": 19}, "ok"),
        ({"num_cutoffs": 1, "num_outside": 20}, "alarm"),
        ({"num_cutoffs": 1, "idle_days": 7.1, "idle_steps": 7}, "alarm"),
        ({"num_cutoffs": 1, "idle_days": 7.0, "idle_steps": 7}, "ok"),
        ({"num_cutoffs": 1, "idle_days": 60.0, "idle_steps": 2}, "ok"),
    ],
)
def test_larger_error_counts_if_it_is_significant_over_enough_cutoffs(
    changes: dict[str, Any], verdict: str
) -> None:
    assert decide(replace(WORSE, **changes)).verdict == verdict


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
def test_coverage_below_the_level_by_ten_points_is_a_reason_to_retrain(
    coverage: float, p_value: float, num_cutoffs: int, verdict: str
) -> None:
    assert decide(replace(WELL, coverage={80: (coverage, p_value, num_cutoffs)})).verdict == verdict


@pytest.mark.parametrize(("num_drifted", "verdict"), [(1, "ok"), (2, "retrain"), (10, "retrain")])
def test_covariate_may_drift_in_one_series_in_ten(num_drifted: int, verdict: str) -> None:
    covariates = (COVARIATE | {"num_drifted": num_drifted},)
    assert decide(replace(WELL, covariates=covariates)).verdict == verdict


@pytest.mark.parametrize(("num_unknown", "verdict"), [(8, "ok"), (10, "retrain"), (60, "retrain")])
def test_rare_values_of_a_covariate_may_be_one_in_ten_more_than_usual(
    num_unknown: int, verdict: str
) -> None:
    found = decide(replace(WELL, covariates=(COVARIATE | {"num_unknown": num_unknown},)))
    assert found.verdict == verdict
    assert any(
        f"{num_unknown} of the 60" in reason and "weather" in reason for reason in found.reasons
    )


def test_missed_steps_have_a_threshold() -> None:
    assert decide(replace(WELL, missed_steps={"a": 7}), max_missed_steps=7).verdict == "ok"
    assert decide(replace(WELL, missed_steps={"a": 1}), max_missed_steps=0).verdict == "alarm"


def test_alarms_come_first() -> None:
    verdict = decide(replace(WORSE, alarms=("v2: damaged", "v1 is in use instead.")))
    assert (verdict.verdict, verdict.reasons[:2]) == (
        "alarm",
        ("v2: damaged", "v1 is in use instead."),
    )


def test_alarm_without_a_champion_is_an_alarm() -> None:
    assert decide(ForecastEvidence(has_champion=False, alarms=("none",))).verdict == "alarm"


def test_no_champion_is_no_alarm() -> None:
    assert decide(ForecastEvidence(has_champion=False)).verdict == "ok"


def test_large_error_of_few_forecasts_has_no_p_value() -> None:
    few = replace(WELL, num_cutoffs=1, ratio=17.0, p_value=0.999, newest_ratio=17.0)
    reasons = " ".join(decide(few).reasons)
    assert "17.00 times the expected one, above 16" in reasons
    assert "p =" not in reasons


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({}, ["30 cut-offs", "1.10 times", "(p = 0.4)", "0 of 2 series"]),
        ({"num_cutoffs": 1, "ratio": 2.0, "p_value": 0.01}, ["1 cut-off", "10 cut-offs"]),
        ({"ratio": 2.0, "p_value": 0.01}, ["2.00 times", "above 1.5"]),
        ({"drift": {"a": (0.1, 0.9), "b": None}}, ["0 of 1 series", "; 1 "]),
        ({"num_without_expected_error": 7}, ["left out: 7 forecasts"]),
        (
            {"missed_steps": {"a": 5, "b": 2, "c": 9, "d": 2, "e": 0}},
            ["9 steps of 4 series (a, b, c, …)"],
        ),
        ({"unknown_series": ("new",)}, ["series new"]),
        ({"coverage": {80: (0.6, 0.001, 30)}}, ["80 % contain 60 %", "(p = 0.001)"]),
        ({"coverage": {80: (0.78, 0.5, 30), 95: (0.94, 0.5, 30)}}, ["80, 95 % contain 78, 94 %"]),
        (
            {"num_anomalies": 2, "newest_anomaly": "the newest is 9"},
            ["2 actuals", "99 %", "the newest is 9"],
        ),
    ],
)
def test_reasons_hold_the_numbers(changes: dict[str, Any], facts: list[str]) -> None:
    reasons = "; ".join(decide(replace(WELL, **changes)).reasons)
    assert [fact for fact in facts if fact not in reasons] == []


@pytest.mark.parametrize("num_cutoffs", [4, 30])
@pytest.mark.parametrize("newest_ratio", [0.5, 3.0])
@pytest.mark.parametrize("ratio", [1.6, 3.9, 10064.19])
def test_multiple_of_the_expected_error_is_never_shown_as_ok(
    num_cutoffs: int, newest_ratio: float, ratio: float
) -> None:
    evidence = replace(
        WELL, num_cutoffs=num_cutoffs, ratio=ratio, p_value=0.4, newest_ratio=newest_ratio
    )
    found = decide(evidence)
    assert found.verdict == "ok"
    assert f"{ratio:.2f}" not in "; ".join(found.reasons)


def test_gross_newest_value_is_an_alarm() -> None:
    found = decide(replace(WELL, gross_values="1 newest value", is_gross=True))
    assert (found.verdict, found.reasons) == ("alarm", ("look at the source: 1 newest value",))


def test_few_gross_values_of_very_many_series_are_a_line() -> None:
    assert decide(replace(WELL, gross_values="30 newest values")).verdict == "ok"


def test_correction_is_told_first() -> None:
    found = decide(replace(WELL, corrected="ok again since today"))
    assert (found.verdict, found.reasons[0]) == ("ok", "ok again since today")


def test_lost_log_is_an_alarm() -> None:
    assert decide(replace(WELL, lost_log="the log has lost rows")).verdict == "alarm"


@pytest.mark.parametrize(("kind", "verdict"), [("newer", "retrain"), ("shifted", "alarm")])
def test_table_without_learnt_times_rings(kind: Any, verdict: str) -> None:
    changes = {name: Change(kind, "none of its learnt values is left") for name in ("a", "b")}
    assert decide(replace(WELL, changes=changes)).verdict == verdict


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    ratio=numbers,
    p_value=numbers,
    distance=numbers,
    drift_p_value=numbers,
    num_cutoffs=st.integers(0, 40),
)
def test_no_evidence_that_is_not_finite_is_ok(
    ratio: float, p_value: float, distance: float, drift_p_value: float, num_cutoffs: int
) -> None:
    drift = {"a": (distance, drift_p_value)}
    verdict = decide(
        ForecastEvidence(num_cutoffs=num_cutoffs, ratio=ratio, p_value=p_value, drift=drift)
    )
    assert verdict.reasons
    if not all(map(math.isfinite, (ratio, p_value, distance, drift_p_value))):
        assert verdict.verdict == "alarm"


@pytest.mark.parametrize(
    "error",
    [
        {"min_cutoffs": 31},
        {"retrain_ratio": 5.0},
        {"retrain_ratio": 0.5},
        {"significance": 0.0},
        {"typo": 1},
    ],
)
def test_limits_that_make_no_sense_are_refused(error: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_spec(**error)


@pytest.mark.parametrize("valid_days", [0, -1, math.nan, math.inf])
def test_verdict_must_be_valid_for_some_time(valid_days: float) -> None:
    with pytest.raises(ValidationError):
        MonitorForecastSpec(valid_days=valid_days, error={}, drift={})


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
        "versions": {
            VERSION: {"at": "", "loss": 1.0, "by_step": [1.0, 1.0], "trained_until": learnt}
        },
    } | changes


def make_series() -> pd.DataFrame:
    y = np.random.default_rng(0).normal(size=DAYS)
    return pd.DataFrame(
        {
            "unique_id": "a",
            "ds": pd.date_range("2024-01-01", periods=DAYS),
            "y": y,
            "observed": np.ones(DAYS, bool),
        }
    )


def make_log(deviation: float = 1.0, last: int = DAYS - 1, num: int = 40) -> pd.DataFrame:
    """Forecasts of two steps from the days up to `last`, off by noise of that deviation."""
    series = make_series()
    random = np.random.default_rng(1)
    rows = [
        {
            "unique_id": "a",
            "cutoff": series["ds"][cutoff],
            "ds": series["ds"][cutoff] + pd.Timedelta(days=step),
            "horizon_step": step,
            "y_hat": (series["y"][cutoff + step] if cutoff + step < DAYS else 0.0)
            + deviation * random.normal(),
            "model_version": VERSION,
            "recorded_at": pd.Timestamp.now("UTC"),
        }
        for cutoff in range(last - num + 1, last + 1)
        for step in (1, 2)
    ]
    return pd.DataFrame(rows)


WHOLE = Sample(Partitions(), SourceSpec(), CovariateSpec(), None)
CODING = Coding(columns=(CodedColumn(name="price", role="future"),))


def monitor(
    log: pd.DataFrame | None,
    champion: dict[str, Any] | None = None,
    price: np.ndarray | None = None,
) -> ForecastVerdict:
    series = make_series()
    champion = champion or make_champion()
    profile = {"freq": "D", "season_length": 7}
    evaluated = join_actuals(log, series, champion)
    coverage = check_coverage(log, series, profile, champion)
    drift = measure_drift(
        series, profile, champion, ReferenceTable.make_empty(), WHOLE, make_spec()
    )
    for table, kind in ((evaluated, EvaluatedForecastsTable), (drift, DriftTable)):
        kind.validate(table)
    prices = pd.DataFrame(
        {"unique_id": "a", "ds": series["ds"], "price": series["y"] if price is None else price}
    )
    of_prices = measure_covariate_drift(series, profile, champion, CODING, prices, make_spec())
    return monitor_forecasts(evaluated, coverage, champion, drift, of_prices, make_spec())


@pytest.fixture(scope="module")
def good() -> ForecastVerdict:
    return monitor(make_log())


def test_forecasts_as_good_as_expected_are_ok(good: ForecastVerdict) -> None:
    assert good["verdict"] == "ok"
    assert 0.5 < good["error"]["ratio"] < 1.5


def test_verdict_ends_after_it_was_made(good: ForecastVerdict) -> None:
    assert good["at"] < good["valid_until"]


def test_errors_are_measured_by_step(good: ForecastVerdict) -> None:
    assert [row["horizon_step"] for row in good["by_step"]] == [1, 2]


def test_errors_are_measured_by_version(good: ForecastVerdict) -> None:
    assert [row["model_version"] for row in good["by_version"]] == [VERSION]
    assert good["by_version"][0]["num_forecasts"] == 39 + 38


def test_errors_are_those_of_the_newest_30_cutoffs(good: ForecastVerdict) -> None:
    assert good["error"]["num_cutoffs"] == 30


def test_forecasts_of_every_night_have_missed_no_step(good: ForecastVerdict) -> None:
    assert good["coverage"]["missed_steps"] == {"a": 0}
    assert good["coverage"]["idle_days"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "levels", [{"a": (23.1, 6.0, 16.25)}, {"a": (23.1, 6.0, 16.25), "b": (9.0, 1.0, 2.0)}]
)
def test_level_outside_its_range_is_a_reason_but_no_retraining(
    levels: dict[str, tuple[float, float, float]],
) -> None:
    """The errors may stay small, and a trend leaves the range as a fault does."""
    verdict = decide(replace(WELL, levels=levels))
    assert verdict.verdict == "ok"
    (reason,) = [reason for reason in verdict.reasons if "23.1" in reason]
    assert has_in_order(reason, "a", "30", "6", "16.25")
    assert ("2 series" in reason) == (len(levels) == 2)


@pytest.mark.parametrize(
    ("num_far", "verdict"), [(1, "ok"), (2, "alarm")], ids=["a tenth of the series", "more of them"]
)
def test_level_ten_times_as_large_as_in_training_is_an_alarm(num_far: int, verdict: str) -> None:
    levels = {
        str(number): (1001.0 if number < num_far else 120.0, 50.0, 100.0) for number in range(3)
    }
    found = decide(replace(WELL, drift=drift_in(0), levels=levels))
    assert found.verdict == verdict
    (reason,) = [reason for reason in found.reasons if "the mean of the newest" in reason]
    # The alarm names only the series that are far outside.
    assert reason.startswith(
        "look at 2 series (0, 1)" if verdict == "alarm" else "look at 3 series"
    )


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("negative", "retrain"),
        *(
            (kind, "alarm")
            for kind in ("rewritten", "vanished", "absent", "stuck", "ended", "lost")
        ),
    ],
)
def test_change_in_more_than_a_tenth_of_the_series_has_its_verdict(kind: Any, verdict: str) -> None:
    for num, expected in ((1, "ok"), (2, verdict)):
        changes = {str(number): Change(kind, f"detail {number}") for number in range(num)}
        found = decide(replace(WELL, drift=drift_in(0), changes=changes))
        assert found.verdict == expected
        assert any("detail 0" in reason for reason in found.reasons)


def test_source_in_another_unit_is_an_alarm_although_its_history_has_it_too() -> None:
    """The errors, the intervals and the history are each enough for that."""
    series = make_series()
    champion = make_champion()
    reference = measure_reference(series, {"a": pd.Timestamp("2024-06-18")}, "D")
    other = series.assign(y=1000 * series["y"] + 5000)
    drift = measure_drift(
        other, {"freq": "D", "season_length": 7}, champion, reference, WHOLE, make_spec()
    )
    assert drift["change"].tolist() == ["rewritten"]
    log = bound(make_log(0.0, num=12), 3.0).rename(columns=lambda name: name.replace("80", "95"))
    evaluated = join_actuals(log, other, champion)
    coverage = check_coverage(log, other, {"freq": "D", "season_length": 7}, champion)
    nothing = CovariateDriftTable.make_empty()
    found = monitor_forecasts(evaluated, coverage, champion, drift, nothing, make_spec())
    assert found["verdict"] == "alarm"
    assert all(
        any(part in reason for reason in found["reasons"])
        for part in ("above 16", "none of 21", "and was")
    )


def test_statistics_of_the_champion_replace_those_of_the_table() -> None:
    """The levels too, if the windows are as long."""
    series = make_series()
    champion = make_champion()
    profile = {"freq": "D", "season_length": 7}
    reference = measure_reference(series, {"a": pd.Timestamp("2024-06-18")}, "D").assign(
        lowest_level=-9.0
    )
    for num_steps, is_learnt in ((30, True), (20, False)):
        spec = make_spec(drift={"num_steps": num_steps})
        drift = DriftTable.validate(
            measure_drift(series, profile, champion, reference, WHOLE, spec)
        )
        assert (drift["lowest_level"].tolist() == [-9.0]) == is_learnt
    absent = pd.concat([reference, reference.assign(unique_id="b")], ignore_index=True)
    drift = DriftTable.validate(
        measure_drift(series, profile, champion, absent, WHOLE, make_spec())
    )
    assert drift["change"].tolist() == ["", "absent"]
    sample = replace(WHOLE, partitions=Partitions(Path()))
    assert measure_drift(series, profile, champion, absent, sample, make_spec())[
        "change"
    ].tolist() == [""]


def test_values_that_were_lost_are_an_alarm() -> None:
    log = make_log()
    late = log.assign(
        cutoff=log["cutoff"] + pd.Timedelta(days=2), ds=log["ds"] + pd.Timedelta(days=2)
    )
    found = monitor(pd.concat([log, late.tail(2)], ignore_index=True))
    assert found["coverage"]["lost_steps"] == {"a": 2}
    assert found["verdict"] == "alarm"
    assert "last 2 steps are gone" in found["reasons"][0]


def test_nights_without_new_values_are_an_alarm() -> None:
    log = make_log()
    log["recorded_at"] -= pd.Timedelta(days=9)
    again = log.assign(
        y_hat=log["y_hat"] + 1e-9, recorded_at=log["recorded_at"] + pd.Timedelta(days=8)
    )
    found = monitor(pd.concat([log, again], ignore_index=True))
    assert (found["verdict"], found["coverage"]["idle_steps"]) == ("alarm", 9)


def test_newest_value_has_a_time_in_utc() -> None:
    log = make_log()
    found = monitor(log)["coverage"]
    newest = log["cutoff"].max().tz_localize("UTC")
    assert (pd.Timestamp(found["newest_value"]), found["newest_value"][-6:]) == (newest, "+00:00")


def test_newest_forecast_has_the_time_of_its_record() -> None:
    log = make_log()
    found = monitor(log)["coverage"]
    assert pd.Timestamp(found["newest_forecast"]) == log["recorded_at"].max().floor("s")


def test_newest_forecast_is_missing_without_a_log() -> None:
    assert monitor(None)["coverage"]["newest_forecast"] is None


def test_steps_have_no_time_in_utc() -> None:
    steps = make_series().assign(ds=range(DAYS))
    coverage = check_coverage(None, steps, {"freq": 1}, make_champion(first_data_end="9"))
    assert (coverage["newest_value"], coverage["newest_forecast"]) == (None, None)


def test_share_of_drifted_series_is_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    assert monitor(make_log())["drifted_fraction"] == 0
    monkeypatch.setattr(
        f"{monitor_forecasts.__module__}.list_drifted", lambda compared, drift: list(compared)
    )
    assert monitor(make_log())["drifted_fraction"] == 1
    found = {"a": (0.5, 0.001), "far": (0.5, 0.2), "significant": (0.1, 0.001)}
    assert list_drifted(found, make_spec().drift) == ["a"]


def test_drift_asks_for_a_retraining() -> None:
    price = np.random.default_rng(3).normal(size=DAYS) + 20 * (np.arange(DAYS) >= DAYS - 30)
    found = monitor(make_log(), price=price)
    assert found["verdict"] == "retrain"
    assert found["covariate_drift"][0]["num_drifted"] == 1


def test_stability_needs_forecasts_of_several_steps() -> None:
    log = make_log()
    stability = monitor(log[log["horizon_step"] == 1])["stability"]
    assert stability == {
        key: {"stability": None, "horizon_stability": None} for key in ("version", "issued")
    }
    assert monitor(None)["stability"] == stability


def test_few_forecasts_of_a_new_version_ask_for_nothing() -> None:
    new = make_log(3.0, num=5).assign(model_version=BAD)
    champion = make_champion(version=BAD)
    champion["versions"][BAD] = champion["versions"][VERSION]
    found = monitor(pd.concat([make_log(last=DAYS - 6), new], ignore_index=True), champion)
    assert found["verdict"] == "ok"
    assert found["error"]["num_cutoffs"] == 4


@pytest.mark.parametrize("log", [make_log(), None], ids=["a log", "no log"])
def test_verdict_is_json(log: pd.DataFrame | None) -> None:
    verdict = monitor(log)
    assert json.loads(json.dumps(verdict, allow_nan=False)) == verdict


def test_stability_as_issued_includes_the_change_of_the_version() -> None:
    log = make_log()
    other = "2024-05-01T00.00.00.000000Z-abcdef"
    is_old = log["cutoff"] < log["cutoff"].iloc[-30]
    jump = log.assign(
        y_hat=log["y_hat"] + 5.0 * is_old, model_version=log["model_version"].mask(is_old, other)
    )
    champion = make_champion()
    champion["versions"] |= {other: champion["versions"][VERSION]}
    alone, both = (monitor(jump, champion)["stability"][key] for key in ("version", "issued"))
    assert alone == monitor(log[~is_old])["stability"]["version"]
    newest = jump[jump["cutoff"].isin(sorted(jump["cutoff"])[-62:-2])].merge(
        make_series()[["ds", "y"]]
    )
    forecasts = newest.pivot(index="ds", columns="horizon_step", values="y_hat")
    change = (forecasts[1] - forecasts[2]).abs().mean()
    error = (newest["y"] - newest["y_hat"]).abs().mean()
    assert both["stability"] == both["horizon_stability"] == pytest.approx(change / error)
    assert both["stability"] != pytest.approx(alone["stability"])


@pytest.mark.parametrize(("deviation", "verdict"), [(1.8, "retrain"), (3.0, "alarm")])
def test_forecasts_worse_than_expected_are_found(deviation: float, verdict: str) -> None:
    assert monitor(make_log(deviation))["verdict"] == verdict


def bound(log: pd.DataFrame, half_width: float) -> pd.DataFrame:
    """With intervals of that half width, of two levels."""
    sides = {"lo": -half_width, "hi": half_width}
    return log.assign(
        **{
            f"{side}_{level}": log["y_hat"] + width
            for level in (80, 99)
            for side, width in sides.items()
        }
    )


def test_coverage_is_that_of_the_newest_cut_offs() -> None:
    """Of normal errors of deviation 1, 80 % are below 1.28."""
    found = monitor(bound(make_log(), 1.28))
    assert [(row["level"], row["num_cutoffs"]) for row in found["intervals"]] == [
        (80, 30),
        (99, 30),
    ]
    assert 0.7 < found["intervals"][0]["coverage"] < 0.9


def test_anomalies_are_counted() -> None:
    found = monitor(bound(make_log(), 1.28))
    assert found["num_anomalies"] == len(found["anomalies"]) > 0


def test_value_outside_the_widest_interval_is_an_anomaly() -> None:
    log = bound(make_log(0.0), 1.0)
    day = pd.Timestamp("2024-10-10")
    log.loc[log["ds"] == day, ["lo_99", "hi_99"]] = [50.0, 60.0]
    found = monitor(log)
    assert [(row["unique_id"], row["ds"], row["lo"]) for row in found["anomalies"]] == [
        ("a", "2024-10-10", 50.0)
    ]


def test_anomalies_are_told_by_the_first_step() -> None:
    log = bound(make_log(0.0), 1.0)
    log.loc[log["horizon_step"] == 2, ["lo_99", "hi_99"]] = [50.0, 60.0]
    assert monitor(log)["anomalies"] == []


def test_forecasts_without_intervals_have_no_coverage() -> None:
    old = make_log(num=40)
    new = bound(make_log(num=20), 5.0)
    found = monitor(pd.concat([old[~old["cutoff"].isin(new["cutoff"])], new], ignore_index=True))
    assert [row["num_cutoffs"] for row in found["intervals"]] == [19, 19]
    assert monitor(old)["intervals"] == []


def test_first_record_of_a_forecast_is_evaluated() -> None:
    """It was made without hindsight."""
    log = make_log()
    later = log["recorded_at"].max() + pd.Timedelta("1h")
    revised = log.assign(y_hat=1e6, recorded_at=later)
    assert monitor(pd.concat([revised, log], ignore_index=True))["error"] == monitor(log)["error"]


def test_last_record_of_a_forecast_must_be_finite() -> None:
    """It is the one in use."""
    log = make_log()
    later = log["recorded_at"].max() + pd.Timedelta("1h")
    wrong = log.assign(y_hat=np.nan)
    repaired = pd.concat([wrong, log.assign(recorded_at=later)], ignore_index=True)
    assert monitor(repaired)["coverage"]["num_not_finite"] == 0
    broken = pd.concat([log, wrong.assign(recorded_at=later)], ignore_index=True)
    assert monitor(broken)["coverage"]["num_not_finite"] == 3


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


def test_forecasts_that_may_still_begin_are_no_alarm() -> None:
    found = monitor(None, make_champion(first_data_end="2024-10-25"))
    assert (found["verdict"], found["error"]["num_cutoffs"]) == ("ok", 0)


def test_missing_champion_is_no_alarm() -> None:
    champion = make_champion(
        version=None, settings={}, versions={}, first_data_end=None, promoted_at=None
    )
    found = monitor(None, champion)
    assert (found["verdict"], found["version"]) == ("ok", None)


def test_series_that_were_never_learnt_ask_for_a_retraining() -> None:
    champion = make_champion()
    champion["settings"] = {"trained_until": {"b": "2024-06-18T00:00:00"}}
    assert monitor(make_log(), champion)["verdict"] == "retrain"


@pytest.mark.parametrize("end", [None, "never", "17", "a-b"])
def test_first_data_end_that_is_not_known_counts_nothing(end: str | None) -> None:
    assert monitor(None, make_champion(first_data_end=end))["coverage"]["missed_steps"] == {}


@pytest.mark.parametrize(
    ("row", "value"), [(-1, math.nan), (-5, math.inf)], ids=["to come", "past"]
)
def test_forecast_that_is_no_number_is_an_alarm(row: int, value: float) -> None:
    log = make_log()
    log.loc[len(log) + row, "y_hat"] = value
    assert monitor(log)["verdict"] == "alarm"


@pytest.mark.parametrize("by_step", [None, [1.0, math.nan], [None, 1.0]])
def test_expected_error_that_is_not_finite_is_an_alarm(by_step: list[Any] | None) -> None:
    champion = make_champion()
    champion["versions"] = {VERSION: {"by_step": by_step, "trained_until": None}}
    assert monitor(make_log(), champion)["verdict"] == "alarm"


def test_champion_without_a_test_part_has_no_expected_error() -> None:
    champion = make_champion()
    champion["versions"] = {VERSION: {"by_step": [], "trained_until": None}}
    assert monitor(make_log(), champion)["verdict"] == "ok"
    champion["versions"] = {VERSION: {"by_step": [0.0, 0.0], "trained_until": None}}
    assert monitor(make_log(), champion)["verdict"] == "alarm"
    # As where the data are read up to an earlier day.
    late = make_log()
    late[["cutoff", "ds"]] += pd.Timedelta(days=100)
    found = monitor(pd.concat([make_log(last=DAYS - 3), late], ignore_index=True))
    assert found["coverage"]["missed_steps"] == {"a": 2}
    series = make_series().assign(ds=np.arange(DAYS))
    with pytest.raises(SeriesError):
        check_coverage(make_log(), series, {"freq": 1}, make_champion())
