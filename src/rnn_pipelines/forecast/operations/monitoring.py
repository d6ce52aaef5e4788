"""The verdict on forecasts: realised against expected errors, drift of the inputs, and missed runs."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NotRequired, cast

import numpy as np
import pandas as pd

from rnn_pipelines.champion import verdict
from rnn_pipelines.champion.artefacts import name_promotion
from rnn_pipelines.champion.changes import load_usable
from rnn_pipelines.champion.history import find_origin
from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.verdict import KnownChampion, VerdictRecord, make_verdict_record
from rnn_pipelines.errors import MAX_VALUE, SeriesError, count, make_line
from rnn_pipelines.forecast.evaluation import realised
from rnn_pipelines.forecast.evaluation.coverage import Coverage
from rnn_pipelines.forecast.evaluation.drift import (
    CovariateDrift,
    Drift,
    add_reference,
    compare_covariates,
    compare_with_past,
    is_outside,
)
from rnn_pipelines.forecast.model.packing import FORMAT, read_coding, unpack_reference
from rnn_pipelines.forecast.operations.drift_rules import CovariateDriftRow, list_drifted
from rnn_pipelines.forecast.operations.fixed_parameters import (
    describe_other_parameters,
    find_other_parameters,
    find_trained_parameters,
)
from rnn_pipelines.forecast.operations.verdict import (
    WIDE_LEVEL,
    ForecastEvidence,
    MonitorForecastSpec,
    conclude_on_forecasts,
)
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.partitions.obstacles import explain_reading
from rnn_pipelines.forecast.preparation.gross_values import describe_gross_values, read_records
from rnn_pipelines.forecast.preparation.reference import (
    LEVEL_STEPS,
    Change,
    Reference,
    ReferenceTable,
    find_changes,
    find_ended,
)
from rnn_pipelines.forecast.series.tables import Profile, Series, Source
from rnn_pipelines.forecast.source.covariates import NO_COVARIATES, CovariateSpec
from rnn_pipelines.forecast.totals.log import RealisedTotals
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.report.numbers import format_number

logger = logging.getLogger(__name__)

# Maximum number on record; their total is recorded too.
MAX_ANOMALIES = 20


# A row of `DriftTable`, with None for missing numbers.
DriftRow = dict[str, Any]


class ForecastVerdict(VerdictRecord):
    """The content of `verdict.json`: the verdict and its evidence.

    `error`, `by_step`, `intervals` and `anomalies` (the newest) cover the newest cut-offs of the version in use;
    `by_version` and `totals`, which is missing without any, cover all forecasts. `stability` is that of the newest
    cut-offs, by the version in use alone and as issued by all versions, which includes the changes on the nights of
    promotions. `drifted_fraction` is the share of drifted series among those that can be compared. None stands for
    non-finite numbers.
    """

    version: str | None
    promoted_at: str | None
    error: realised.RealisedError
    by_step: list[realised.GroupError]
    by_version: list[realised.GroupError]
    stability: dict[Literal["version", "issued"], dict[str, float | None]]
    intervals: list[realised.RealisedCoverage]
    anomalies: list[realised.Anomaly]
    num_anomalies: int
    drift: list[DriftRow]
    covariate_drift: list[CovariateDriftRow]
    coverage: Coverage
    drifted_fraction: float | None
    totals: NotRequired[list[RealisedTotals]]


def read_champion(
    folder: Path, parameters: dict[str, Any]
) -> tuple[KnownChampion, Coding, Reference]:
    """Return the record of the forecaster in use, its coding of covariates, and the statistics of its training values.

    The record names the parameters of the block `forecast` that do not act. The forecaster is not loaded. Without one,
    or without statistics, the coding and the table are empty.
    """
    store = ChampionStore(folder)
    champion, _ = load_usable(store)
    files = {} if champion is None else champion.files
    record = verdict.read_champion(folder, (FORMAT,))
    reference = unpack_reference(files)
    if champion is not None:
        trained = find_trained_parameters(find_origin(store.list_records(), champion.version))
        others = find_other_parameters(trained, parameters, are_defaults_named=False)
        record["not_acting"] = (
            [describe_other_parameters(champion.version, others)] if others else []
        )
    return (
        record,
        read_coding(files),
        ReferenceTable.make_empty() if reference is None else reference,
    )


def read_newest(
    sample: Sample,
    champion: KnownChampion,
    covariates: CovariateSpec,
    monitoring: MonitorForecastSpec,
) -> tuple[Source, pd.DataFrame]:
    """Read the series up to the day of the verdict, and the covariates of the champion.

    Raises:
        ChampionError: covariates of the champion are missing, and today's parameters, with these covariates, need none.
        SeriesError: see `read_as_of`.
    """
    covariates_of_today = covariates if sample.partitions.folder is None else NO_COVARIATES
    sample_of_today = replace(sample, covariates=covariates_of_today)
    with explain_reading(
        str(champion["version"]), sample.source.label, lambda: sample_of_today.read(monitoring)
    ):
        return sample.read(monitoring)


def measure_drift(
    series: Series,
    profile: Profile,
    champion: KnownChampion,
    reference: Reference,
    sample: Sample,
    monitoring: MonitorForecastSpec,
) -> Drift:
    """Compare the series up to the day of the verdict with what the champion has learnt of them.

    Without rows of its reference, the levels are those of today's table before the end of the training. Another night's
    sample of a divided panel may lack some of the series.

    Raises:
        SeriesError: the champion has learnt dates and the series have steps, or vice versa.
    """
    _check_same_kind_of_time(series, champion)
    num_steps = monitoring.drift.num_steps
    drift = compare_with_past(series, *_find_training(profile, champion), num_steps)
    changes = find_changes(series, reference, num_steps, is_cut=monitoring.as_of is not None)
    if sample.partitions.folder is not None:
        changes = {name: change for name, change in changes.items() if change.kind != "absent"}
    horizon = champion["settings"].get("horizon", num_steps)
    changes = {**changes, **find_ended(series, reference, profile["freq"], horizon)}
    return add_reference(drift, reference if num_steps == LEVEL_STEPS else reference[:0], changes)


def _check_same_kind_of_time(series: Series, champion: KnownChampion) -> None:
    freq = champion["settings"].get("freq")
    has_steps = series["ds"].dtype.kind != "M"
    if freq is not None and isinstance(freq, int) is not has_steps:
        kinds = ("steps", "dates") if has_steps else ("dates", "steps")
        remedy = f"Give the table of the champion, or run {name_promotion('forecast')}"
        raise SeriesError(
            f"the series has {kinds[0]}, and the champion {champion['version']} {kinds[1]}. {remedy}."
        )


def measure_covariate_drift(
    series: Series,
    profile: Profile,
    champion: KnownChampion,
    coding: Coding,
    covariate_table: pd.DataFrame,
    monitoring: MonitorForecastSpec,
) -> CovariateDrift:
    """Compare the newest values of covariates with the champion's training data."""
    return compare_covariates(
        series, covariate_table, coding, *_find_training(profile, champion), monitoring.drift
    )


def _find_training(profile: Profile, champion: KnownChampion) -> tuple[dict[str, Any], int]:
    """Return the champion's last training time for each series, and the season length in steps."""
    settings = champion["settings"]
    return settings.get("trained_until", {}), settings.get(
        "season_length", profile["season_length"]
    )


def monitor_forecasts(  # noqa: PLR0913, PLR0917 - one for each dataset
    evaluated: realised.EvaluatedForecasts,
    coverage: Coverage,
    champion: KnownChampion,
    drift: Drift,
    covariate_drift: CovariateDrift,
    monitoring: MonitorForecastSpec,
    totals: Sequence[RealisedTotals] = (),
) -> ForecastVerdict:
    """Measure the newest forecasts of the version in use, and return the verdict: ok, retrain or alarm.

    Forecasts of other versions appear in the report only, because a version that was rolled back requires no action. So
    do the errors of `totals`.
    """
    num_cutoffs = monitoring.error.num_cutoffs
    newest = realised.keep_newest(
        evaluated[evaluated["model_version"] == champion["version"]], num_cutoffs
    )
    issued = realised.keep_newest(evaluated, num_cutoffs)
    error = realised.measure_realised(newest)
    intervals = realised.measure_coverage(newest)
    anomalies = realised.find_anomalies(newest)
    unknown = drift.loc[drift["distance"].isna(), "unique_id"]
    levels = drift[["unique_id", "level", "lowest_level", "highest_level"]].itertuples(
        index=False, name=None
    )
    evidence = ForecastEvidence(
        alarms=tuple(champion["alarms"]),
        not_acting=tuple(champion.get("not_acting", ())),
        has_champion=champion["version"] is not None,
        has_expected_error=_has_expected_error(champion),
        num_not_finite=coverage["num_not_finite"] + int((~np.isfinite(newest["y_hat"])).sum()),
        **_list_suspects(coverage),
        unknown_series=tuple(coverage["unknown_series"]),
        num_without_expected_error=error["num_without_expected_error"],
        num_cutoffs=error["num_cutoffs"],
        ratio=error["ratio"],
        p_value=error["p_value"],
        newest_ratio=error["newest_ratio"],
        num_outside=_count_outside(intervals),
        # Of an earlier day, the time until today says nothing.
        idle_days=coverage["idle_days"] if monitoring.as_of is None else 0.0,
        idle_steps=coverage["idle_steps"],
        coverage={
            row["level"]: (row["coverage"], row["p_value"], row["num_cutoffs"]) for row in intervals
        },
        num_anomalies=len(anomalies),
        newest_anomaly=_format_anomaly(anomalies[0]) if anomalies else "",
        drift={row.unique_id: (row.distance, row.p_value) for row in drift.itertuples()}
        | dict.fromkeys(unknown),
        levels={
            name: (level, low, high)
            for name, level, low, high in levels
            if is_outside(level, low, high)
        },
        changes=_list_changes(drift, coverage, monitoring),
        covariates=tuple(_list_rows(covariate_drift)),
    )
    compared = {name: pair for name, pair in evidence.drift.items() if pair is not None}
    verdict = conclude_on_forecasts(evidence, monitoring)
    logger.info("%s: %s", verdict.verdict, "; ".join(verdict.reasons))
    record = ForecastVerdict(
        **make_verdict_record(verdict, monitoring.valid_days),
        version=champion["version"],
        promoted_at=champion["promoted_at"],
        error=error,
        by_step=_list_rows(realised.measure_groups(newest, "horizon_step")),
        by_version=_list_rows(realised.measure_groups(evaluated, "model_version")),
        stability={
            "version": realised.measure_stability(newest),
            "issued": realised.measure_stability(issued),
        },
        intervals=intervals,
        anomalies=anomalies[:MAX_ANOMALIES],
        num_anomalies=len(anomalies),
        drift=_list_rows(drift),
        covariate_drift=_list_rows(covariate_drift),
        coverage=coverage,
        drifted_fraction=len(list_drifted(compared, monitoring.drift)) / len(compared)
        if compared
        else None,
        totals=list(totals),
    )
    if not totals:
        # The file is that of earlier versions.
        del record["totals"]
    return cast(ForecastVerdict, make_plain(record))


def _list_suspects(coverage: Coverage) -> dict[str, Any]:
    """Return the evidence on gross values, their corrections, and the log with its missed steps, by its name."""
    records = coverage.get("gross_values")
    corrected = coverage.get("corrected", "")
    if corrected:
        corrected += (
            f"; {count(coverage['num_corrected'], 'forecast')} made from it are not counted"
        )
    return {
        "gross_values": describe_gross_values(read_records(records)) if records else "",
        "is_gross": coverage.get("is_gross", False),
        "corrected": corrected,
        "lost_log": coverage.get("lost_log"),
        "missed_steps": coverage["missed_steps"],
    }


def _list_changes(
    drift: Drift, coverage: Coverage, monitoring: MonitorForecastSpec
) -> dict[str, Change]:
    """Return the changes since the training, and the series that have lost values since the newest forecasts."""
    learnt = {
        row.unique_id: Change(row.change, row.detail) for row in drift.itertuples() if row.change
    }
    lost = coverage["lost_steps"] if monitoring.as_of is None else {}
    # The newest value may still be withdrawn for a correction.
    late = {
        name: f"its last {n:,} steps are gone"
        for name, n in lost.items()
        if n > monitoring.max_missed_steps
    }
    return {
        name: Change("lost", f"{text} since the newest forecast") for name, text in late.items()
    } | learnt


def _count_outside(intervals: list[realised.RealisedCoverage]) -> int:
    """Return the number of forecasts with a wide interval, if none of them contains its actual; else 0."""
    wide = (row for row in intervals if row["level"] >= WIDE_LEVEL and row["coverage"] == 0)
    return max((row["num_forecasts"] for row in wide), default=0)


def _format_anomaly(anomaly: realised.Anomaly) -> str:
    y, low, high = (
        format_number(number) for number in (anomaly["y"], anomaly["lo"], anomaly["hi"])
    )
    return f"the newest is {y} of {make_line(anomaly['unique_id'], MAX_VALUE)} at {anomaly['ds']}, for {low} to {high}"


def _has_expected_error(champion: KnownChampion) -> bool:
    """Return whether the version in use, if any, has finite expected errors, or was promoted without a test part."""
    expected = champion["versions"].get(champion["version"] or "")
    by_step = [None] if expected is None or expected["by_step"] is None else expected["by_step"]
    return champion["version"] is None or bool(
        np.isfinite(np.array(by_step, dtype="float64")).all()
    )


def _list_rows(table: pd.DataFrame) -> Any:
    """Return the rows as plain values, times as text."""
    texts = {
        name: table[name].map(format_time)
        for name in table.columns.intersection(["first_cutoff", "last_cutoff"])
    }
    return table.assign(**texts).to_dict(orient="records")
