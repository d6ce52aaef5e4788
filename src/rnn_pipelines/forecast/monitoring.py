"""The verdict on forecasts: realised errors against the promise, drift of the inputs, nights that were missed."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, model_validator

from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.champion.verdict import Finding, Verdict, conclude, describe_verdict
from rnn_pipelines.forecast.evaluation.drift import DriftSpec
from rnn_pipelines.forecast.evaluation.realised import (
    LOG_COLUMNS,
    keep_newest,
    measure_groups,
    measure_realised,
    refuse_other_times,
)
from rnn_pipelines.forecast.series.frequency import count_steps, format_time
from rnn_pipelines.forecast.series.newest import NewestSpec
from rnn_pipelines.report.numbers import format_p_value

logger = logging.getLogger(__name__)

NAMES_IN_REASON = 3


class ErrorSpec(BaseModel, extra="forbid", frozen=True):
    """When realised errors are too large.

    Attributes:
        num_cutoffs: newest cut-offs whose forecasts by the version in use are judged.
        min_cutoffs: fewer of them decide nothing.
        retrain_ratio: realised MSE over promised MSE above which to retrain.
        alarm_ratio: the same, above which a person should look.
        significance: greatest p-value at which a realised error counts as larger than promised.
    """

    num_cutoffs: int = Field(30, ge=2)
    min_cutoffs: int = Field(10, ge=2)
    retrain_ratio: float = Field(1.5, ge=1)
    alarm_ratio: float = Field(4.0, ge=1)
    significance: float = Field(0.05, gt=0, le=1)

    @model_validator(mode="after")
    def _refuse_wrong_order(self) -> "ErrorSpec":
        if self.min_cutoffs > self.num_cutoffs:
            raise ValueError("min_cutoffs is above num_cutoffs, so that nothing would ever be judged")
        if self.retrain_ratio > self.alarm_ratio:
            raise ValueError("retrain_ratio is above alarm_ratio; an alarm is the graver of both")
        return self


class MonitorForecastSpec(NewestSpec, frozen=True):
    """How forecasts are monitored; the series are those of `forecast`.

    Attributes:
        valid_days: after so many days without another verdict the check calls for help.
        max_missed_steps: newest steps of a series that may be there without a forecast from them: 1 where the next
            forecast may still be due.
        error: when realised errors are too large.
        drift: when the newest values are others than those before.
    """

    valid_days: float = Field(7.0, gt=0, le=3650)
    max_missed_steps: int = Field(1, ge=0)
    error: ErrorSpec
    drift: DriftSpec


@dataclass(frozen=True)
class ForecastEvidence:
    """What is known on the day of the verdict.

    Attributes:
        alarms: of the champion's store.
        has_champion: whether a forecaster can be used.
        has_promise: whether it is on record what the forecaster in use promised, in finite numbers.
        num_not_finite: recent forecasts by the forecaster in use that are no finite number.
        missed_steps: newest steps of each series that there is no forecast from.
        unknown_series: those that the forecaster doesn't know.
        num_unpromised: its forecasts of steps whose promise is not on record.
        num_cutoffs: cut-offs from which its forecasts are judged.
        ratio: their realised MSE over the promised MSE; None where no forecast can be judged.
        p_value: of no difference between the two; None where no forecast can be judged.
        drift: distance and p-value of each series; None where there is too little to compare.
    """

    alarms: tuple[str, ...] = ()
    has_champion: bool = True
    has_promise: bool = True
    num_not_finite: int = 0
    missed_steps: Mapping[str, int] = field(default_factory=dict)
    unknown_series: tuple[str, ...] = ()
    num_unpromised: int = 0
    num_cutoffs: int = 0
    ratio: float | None = None
    p_value: float | None = None
    drift: Mapping[str, tuple[float, float] | None] = field(default_factory=dict)


def judge_forecasts(evidence: ForecastEvidence, monitoring: MonitorForecastSpec) -> Verdict:
    """Says ok, retrain or alarm.

    Args:
        evidence: what was measured.
        monitoring: what is asked for.
    """
    return conclude(
        [
            *_judge_champion(evidence),
            *_judge_forecasting(evidence, monitoring.max_missed_steps),
            *_judge_errors(evidence, monitoring.error),
            *_judge_drift(evidence, monitoring.drift),
        ]
    )


def _judge_champion(evidence: ForecastEvidence) -> Iterator[Finding]:
    yield from (Finding("alarm", alarm) for alarm in evidence.alarms)
    if not evidence.has_champion:
        yield Finding("ok", "there is no forecaster in use yet, and nothing to judge")
    elif not evidence.has_promise:
        yield Finding("alarm", "what the forecaster in use promised is not on record in finite numbers")


def _judge_forecasting(evidence: ForecastEvidence, max_missed_steps: int) -> Iterator[Finding]:
    if evidence.num_not_finite:
        yield Finding("alarm", f"{evidence.num_not_finite} recent forecasts are not finite numbers")
    missed = {name: steps for name, steps in evidence.missed_steps.items() if steps > max_missed_steps}
    if missed:
        most = max(missed.values())
        yield Finding(
            "alarm",
            f"no forecast was made from the newest {_count(most, 'step')} of {_list(missed)}: a run was missed, or "
            f"could not forecast them ({max_missed_steps} may be missing)",
        )
    if evidence.unknown_series:
        yield Finding("retrain", f"the forecaster in use doesn't know {_list(evidence.unknown_series)}")


def _judge_errors(evidence: ForecastEvidence, error: ErrorSpec) -> Iterator[Finding]:
    if evidence.num_unpromised:
        yield Finding("ok", f"left out: {evidence.num_unpromised} forecasts whose promise is not on record")
    ratio, p_value = evidence.ratio, evidence.p_value
    if ratio is None or p_value is None:
        yield Finding("ok", "no past forecast by the version in use can be judged yet")
        return
    if not math.isfinite(ratio) or not math.isfinite(p_value):
        yield Finding("alarm", f"realised error over promised is {ratio}, p = {p_value}: not finite numbers")
        return
    said = (
        f"the MSE of forecasts from {_count(evidence.num_cutoffs, 'cut-off')} is {ratio:.2f} times what was promised "
        f"({format_p_value(p_value)})"
    )
    if evidence.num_cutoffs < error.min_cutoffs:
        yield Finding("ok", f"{said}; fewer than {error.min_cutoffs} cut-offs decide nothing")
    elif ratio > error.retrain_ratio and p_value <= error.significance:
        is_grave = ratio > error.alarm_ratio
        limit = error.alarm_ratio if is_grave else error.retrain_ratio
        yield Finding("alarm" if is_grave else "retrain", f"{said}, above {limit:g}")
    else:
        yield Finding("ok", said)


def _judge_drift(evidence: ForecastEvidence, drift: DriftSpec) -> Iterator[Finding]:
    compared = {name: found for name, found in evidence.drift.items() if found is not None}
    faulty = [name for name, found in compared.items() if not all(map(math.isfinite, found))]
    if faulty:
        yield Finding("alarm", f"the drift of {_list(faulty)} is not a finite number")
        return
    if evidence.has_champion and not compared:
        yield Finding("ok", "there is too little to say whether the newest values have drifted")
        return
    drifted = [
        name
        for name, (distance, p_value) in compared.items()
        if distance >= drift.min_distance and p_value <= drift.significance
    ]
    if compared and len(drifted) > drift.max_drifted_fraction * len(compared):
        worst = max(drifted, key=lambda name: compared[name][0])
        distance, p_value = compared[worst]
        yield Finding(
            "retrain",
            f"the newest values of {_list(drifted)} have drifted (distance {distance:.2f}, {format_p_value(p_value)})",
        )
    elif compared:
        num_silent = len(evidence.drift) - len(compared)
        said = f"{len(drifted)} of {len(compared)} series have drifted"
        yield Finding("ok", said + (f"; {num_silent} have too few values to compare" if num_silent else ""))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _list(names: Iterable[str]) -> str:
    listed = list(names)
    if len(listed) == 1:
        return f"series {listed[0]}"
    some = ", ".join(listed[:NAMES_IN_REASON])
    return f"{len(listed):,} series ({some}{', …' if len(listed) > NAMES_IN_REASON else ''})"


def check_coverage(
    log: pd.DataFrame | None, series: pd.DataFrame, profile: Mapping[str, Any], champion: Mapping[str, Any]
) -> dict[str, Any]:
    """Whether there are forecasts from the ends of the series, and of the steps to come.

    A series without any forecast counts from where the data of the first version ended that was promoted.

    Args:
        log: all forecasts that were ever made; None where there are none.
        series, profile: what `repair_series` returns.
        champion: what `read_champion` returns.
    Returns:
        `missed_steps` for each series that the forecaster in use knows, `unknown_series`, and `num_not_finite` of its
        forecasts of steps to come.
    Raises:
        SeriesError: see `refuse_other_times`.
    """
    ends = series.groupby("unique_id", sort=False)["ds"].max()
    if champion["version"] is None:
        return {"missed_steps": {}, "unknown_series": [], "num_not_finite": 0}
    known = champion["settings"].get("trained_until", {})
    if log is None or log.empty:
        past = pd.DataFrame(columns=list(LOG_COLUMNS))
    else:
        refuse_other_times(log, series)
        past = log[log["cutoff"] <= log["unique_id"].map(ends)]
    newest = past.groupby("unique_id")["cutoff"].max()
    first = _parse_end(champion["first_data_end"], ends)
    own = past[past["model_version"] == champion["version"]]
    to_come = own[own["ds"] > own["unique_id"].map(ends)] if len(own) else own
    return {
        "missed_steps": {
            name: max(count_steps(newest.get(name, first), end, profile["freq"]) - 1, 0)
            for name, end in ends.items()
            if name in known and newest.get(name, first) is not None
        },
        "unknown_series": [name for name in ends.index if name not in known],
        "num_not_finite": int((~np.isfinite(to_come["y_hat"].astype("float64"))).sum()),
    }


def _parse_end(text: str | None, ends: pd.Series) -> Any:
    """A time as the data profile writes it; None where it is not of the kind of the series'."""
    try:
        is_date = text is not None and "-" in text.lstrip("-")
        if text is None or is_date is not (ends.dtype.kind == "M"):
            return None
        return pd.Timestamp(text) if is_date else int(text)
    except ValueError:
        return None


def monitor_forecasts(
    judged: pd.DataFrame,
    coverage: Mapping[str, Any],
    champion: Mapping[str, Any],
    drift: pd.DataFrame,
    monitoring: MonitorForecastSpec,
) -> dict[str, Any]:
    """Measures the newest forecasts by the version in use, and says ok, retrain or alarm.

    Those of other versions are in the report alone: what was rolled back asks for nothing any more.

    Args:
        judged: what `join_actuals` returns.
        coverage: what `check_coverage` returns.
        champion: what `read_champion` returns.
        drift: what `measure_drift` returns.
        monitoring: what is asked for.
    Returns:
        What `describe_verdict` returns; `error` of the newest cut-offs of the version in use (see `measure_realised`),
        the same `by_step`; `by_version` of all forecasts; `drift` by series; `coverage`; and of the champion `version,
        promoted_at`.
    """
    newest = keep_newest(judged[judged["model_version"] == champion["version"]], monitoring.error.num_cutoffs)
    error = measure_realised(newest)
    promised = (champion["versions"].get(champion["version"]) or {}).get("by_step") or [float("nan")]
    evidence = ForecastEvidence(
        alarms=tuple(champion["alarms"]),
        has_champion=champion["version"] is not None,
        has_promise=champion["version"] is None or bool(np.isfinite(np.array(promised, dtype="float64")).all()),
        num_not_finite=coverage["num_not_finite"] + int((~np.isfinite(newest["y_hat"].astype("float64"))).sum()),
        missed_steps=coverage["missed_steps"],
        unknown_series=tuple(coverage["unknown_series"]),
        num_unpromised=error["num_unpromised"],
        num_cutoffs=error["num_cutoffs"],
        ratio=error["ratio"],
        p_value=error["p_value"],
        drift={
            row.unique_id: None if np.isnan(row.distance) else (row.distance, row.p_value) for row in drift.itertuples()
        },
    )
    verdict = judge_forecasts(evidence, monitoring)
    logger.info("%s: %s", verdict.verdict, "; ".join(verdict.reasons))
    return make_plain(
        {
            **describe_verdict(verdict, monitoring.valid_days),
            "version": champion["version"],
            "promoted_at": champion["promoted_at"],
            "error": error,
            "by_step": _list_rows(measure_groups(newest, "horizon_step")),
            "by_version": _list_rows(measure_groups(judged, "model_version")),
            "drift": _list_rows(drift),
            "coverage": dict(coverage),
        }
    )


def _list_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain values, times as texts."""
    texts = {name: table[name].map(format_time) for name in table.columns.intersection(["first_cutoff", "last_cutoff"])}
    return table.assign(**texts).to_dict(orient="records")
