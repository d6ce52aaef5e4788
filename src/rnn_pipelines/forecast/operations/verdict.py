"""The rules of the verdict on forecasts, from the measurements to ok, retrain or alarm."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import Field, model_validator

from rnn_pipelines.champion.verdict import Finding, Verdict, conclude
from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.drift import DriftSpec
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL
from rnn_pipelines.forecast.operations import drift_rules
from rnn_pipelines.forecast.preparation.reference import Change
from rnn_pipelines.forecast.source.as_of import AsOfSpec
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.report.numbers import format_test

# If none of so many actuals lies in an interval of this level, that is no chance.
WIDE_LEVEL, MIN_OUTSIDE = 95, 20
MAX_IDLE_STEPS = 2


class ErrorSpec(ParameterModel, frozen=True):
    """Thresholds of realised errors.

    Attributes:
        num_cutoffs: newest cut-offs of the version in use to evaluate.
        min_cutoffs: smallest number of cut-offs for a decision.
        retrain_ratio: realised over expected MSE above which to retrain.
        alarm_ratio: the same for an alarm.
        significance: largest p-value at which a realised error counts as larger than expected.
    """

    num_cutoffs: int = Field(30, ge=2, le=10**6)
    min_cutoffs: int = Field(10, ge=2, le=10**6)
    retrain_ratio: float = Field(1.5, ge=1, le=1e6)
    alarm_ratio: float = Field(4.0, ge=1, le=1e6)
    significance: float = Field(0.05, gt=0, le=1)

    @model_validator(mode="after")
    def _validate_thresholds(self) -> "ErrorSpec":
        for lower, upper in (("min_cutoffs", "num_cutoffs"), ("retrain_ratio", "alarm_ratio")):
            least = getattr(self, lower)
            most = getattr(self, upper)
            if least > most:
                raise ValueError(f"expected {lower} of at most {upper}, {most}, received {least}")
        return self


class IntervalSpec(ParameterModel, frozen=True):
    """Thresholds of the coverage of intervals.

    Attributes:
        max_shortfall: largest shortfall of coverage that is tolerated.
        significance: largest p-value at which a coverage counts as different from the level.
    """

    max_shortfall: float = Field(default=0.1, ge=0, lt=1)
    significance: float = Field(default=0.05, gt=0, le=1)


class MonitorForecastSpec(AsOfSpec, frozen=True):
    """Parameters of monitoring; the series are those of `forecast`.

    Attributes:
        valid_days: days after which the check reports that a newer verdict is missing.
        max_missed_steps: newest steps of a series that may lack a forecast from them: 1 if the next forecast may still
            be due.
        error: thresholds of realised errors.
        intervals: thresholds of coverage.
        drift: thresholds of drift.
    """

    valid_days: float = Field(7.0, gt=0, le=3650)
    max_missed_steps: int = Field(1, ge=0, le=10**6)
    error: ErrorSpec
    intervals: IntervalSpec = IntervalSpec()
    drift: DriftSpec


@dataclass(frozen=True)
class ForecastEvidence:
    """The evidence on the day of the verdict; see `Coverage`, `RealisedError` and `RealisedCoverage`.

    Attributes: not_acting: parameters that the forecaster in use has fixed otherwise, in words.
    num_not_finite: recent non-finite forecasts of the forecaster in use. gross_values, corrected: the gross
    newest values, and those that were corrected, in words; is_gross: whether the first are an alarm. lost_log: what the
    log of forecasts has lost, or None. ratio, p_value: of realised and
    expected MSE; None if no forecast can be evaluated. num_outside: forecasts with an interval of `WIDE_LEVEL` % or
    more, if none of them contains its actual; else 0. coverage: by level, realised coverage of intervals, its p-value
    and the number of cut-offs. drift: distance and p-value of each series; None if there are too few values. levels:
    newest level, and lowest and highest level in training, of each series that has left this range.
    """

    alarms: tuple[str, ...] = ()
    not_acting: tuple[str, ...] = ()
    has_champion: bool = True
    has_expected_error: bool = True
    num_not_finite: int = 0
    gross_values: str = ""
    is_gross: bool = False
    corrected: str = ""
    lost_log: str | None = None
    missed_steps: Mapping[str, int] = field(default_factory=dict)
    unknown_series: tuple[str, ...] = ()
    num_without_expected_error: int = 0
    num_cutoffs: int = 0
    ratio: float | None = None
    p_value: float | None = None
    newest_ratio: float | None = None
    num_outside: int = 0
    idle_days: float = 0.0
    idle_steps: int = 0
    coverage: Mapping[int, tuple[float, float, int]] = field(default_factory=dict)
    num_anomalies: int = 0
    newest_anomaly: str = ""
    drift: Mapping[str, tuple[float, float] | None] = field(default_factory=dict)
    levels: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    changes: Mapping[str, Change] = field(default_factory=dict)
    covariates: tuple[drift_rules.CovariateDriftRow, ...] = ()


def conclude_on_forecasts(evidence: ForecastEvidence, monitoring: MonitorForecastSpec) -> Verdict:
    """Return the verdict: ok, retrain or alarm."""
    return conclude(
        [
            *_check_operation(evidence, monitoring),
            *_check_errors(evidence, monitoring.error),
            *drift_rules.check_levels(evidence.levels, len(evidence.drift), monitoring.drift),
            *drift_rules.check_changes(evidence.changes, len(evidence.drift), monitoring.drift),
            *_check_intervals(evidence, monitoring),
            *drift_rules.check_drift(evidence.drift, evidence.has_champion, monitoring.drift),
            *drift_rules.check_covariates(
                evidence.covariates, monitoring.drift.max_drifted_fraction
            ),
        ]
    )


def _check_operation(
    evidence: ForecastEvidence, monitoring: MonitorForecastSpec
) -> Iterator[Finding]:
    """Yield findings on the champion, on missing forecasts, and on a source without new values."""
    yield from (Finding("alarm", alarm) for alarm in evidence.alarms)
    yield from (Finding("retrain", sentence) for sentence in evidence.not_acting)
    if not evidence.has_champion:
        yield Finding("ok", "there is no forecaster in use yet")
    elif not evidence.has_expected_error:
        yield Finding("alarm", "expected errors of the forecaster in use are missing or not finite")
    if evidence.lost_log is not None:
        yield Finding("alarm", evidence.lost_log)
    if evidence.gross_values:
        yield Finding(
            "alarm" if evidence.is_gross else "ok", f"look at the source: {evidence.gross_values}"
        )
    if evidence.corrected:
        yield Finding("ok", evidence.corrected)
    if evidence.num_not_finite:
        yield Finding("alarm", f"{evidence.num_not_finite} recent forecasts are not finite numbers")
    missed = {
        name: steps
        for name, steps in evidence.missed_steps.items()
        if steps > monitoring.max_missed_steps
    }
    if missed:
        newest = f"{count(max(missed.values()), 'step')} of {drift_rules.name_series(missed)}"
        reason = (
            f"because a run was missed or failed ({monitoring.max_missed_steps} may be missing)"
        )
        yield Finding("alarm", f"forecasts from the newest {newest} are missing, {reason}")
    if evidence.unknown_series:
        names = drift_rules.name_series(evidence.unknown_series)
        yield Finding("retrain", f"the forecaster in use was not trained on {names}")
    # Two steps, because the newest step of monthly series may be weeks old.
    if evidence.idle_days > monitoring.valid_days and evidence.idle_steps > MAX_IDLE_STEPS:
        idle = count(int(evidence.idle_days), "day")
        yield Finding(
            "alarm",
            f"no series has had a new value for {idle} ({monitoring.valid_days:g} may pass)",
        )


def _check_errors(evidence: ForecastEvidence, error: ErrorSpec) -> Iterator[Finding]:
    if evidence.num_without_expected_error:
        left_out = count(evidence.num_without_expected_error, "forecast")
        yield Finding("ok", f"left out: {left_out} without an expected error on record")
    ratio = evidence.ratio
    p_value = evidence.p_value
    if ratio is None or p_value is None:
        yield Finding("ok", "no past forecast of the version in use can be evaluated yet")
        return
    if not math.isfinite(ratio) or not math.isfinite(p_value):
        yield Finding(
            "alarm", f"realised over expected error is {ratio}, p = {p_value}: not finite"
        )
        return
    origins = f"forecasts from {count(evidence.num_cutoffs, 'cut-off')}"
    measured = f"the MSE of {origins} is {ratio:,.2f} times the expected one{format_test(p_value)}"
    # The first cut-off is enough for an error of this size, unless the newest values are forecast well again.
    gross = error.alarm_ratio**2
    if min(ratio, ratio if evidence.newest_ratio is None else evidence.newest_ratio) > gross:
        yield Finding("alarm", f"{measured}, above {gross:,g}")
    elif ratio > gross:
        yield Finding(
            "ok",
            f"after large errors of {origins}, the newest values are forecast as expected again",
        )
    elif evidence.num_cutoffs < error.min_cutoffs:
        # A multiple of the expected error is never shown as ok.
        decision = f"a decision needs {error.min_cutoffs} cut-offs"
        is_multiple = ratio > error.retrain_ratio
        yield Finding(
            "ok",
            f"{origins} are too few to judge: {decision}"
            if is_multiple
            else f"{measured}; {decision}",
        )
    elif ratio > error.retrain_ratio and p_value <= error.significance:
        is_grave = ratio > error.alarm_ratio
        limit = error.alarm_ratio if is_grave else error.retrain_ratio
        yield Finding("alarm" if is_grave else "retrain", f"{measured}, above {limit:,g}")
    elif ratio > error.retrain_ratio:
        yield Finding(
            "ok",
            f"the error of {origins} is larger than expected, which can be chance{format_test(p_value)}",
        )
    else:
        yield Finding("ok", measured)


def _check_intervals(
    evidence: ForecastEvidence, monitoring: MonitorForecastSpec
) -> Iterator[Finding]:
    spec = monitoring.intervals
    min_cutoffs = monitoring.error.min_cutoffs
    if evidence.num_outside >= MIN_OUTSIDE:
        yield Finding(
            "alarm", f"none of {evidence.num_outside:,} actuals lies in its {WIDE_LEVEL} % interval"
        )
    for level, (coverage, p_value, num_cutoffs) in evidence.coverage.items():
        is_short = level / 100 - coverage > spec.max_shortfall and p_value <= spec.significance
        if is_short and num_cutoffs >= min_cutoffs:
            measured = f"intervals of {level} % contain {100 * coverage:.0f} % of the actuals"
            yield Finding("retrain", f"{measured}{format_test(p_value)}")
    if evidence.coverage:
        held = ", ".join(f"{100 * coverage:.0f}" for coverage, *_ in evidence.coverage.values())
        yield Finding(
            "ok",
            f"intervals of {', '.join(map(str, evidence.coverage))} % contain {held} % of the actuals",
        )
    if evidence.num_anomalies:
        outside = (
            f"{count(evidence.num_anomalies, 'actual')} outside the {ANOMALY_LEVEL} % interval"
        )
        yield Finding("ok", f"{outside}: {evidence.newest_anomaly}")
