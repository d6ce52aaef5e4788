"""The verdict of monitoring on scored texts, without their labels."""

import logging
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from pydantic import Field, model_validator

from rnn_pipelines.champion import verdict as champions
from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.champion.verdict import (
    Finding,
    KnownChampion,
    VerdictRecord,
    conclude,
    make_verdict_record,
)
from rnn_pipelines.errors import count
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.report.numbers import format_p_value
from rnn_pipelines.sentiment.evaluation.drift import get_measure
from rnn_pipelines.sentiment.methods.tables import Measures
from rnn_pipelines.sentiment.model.class_facts import FORMATS

logger = logging.getLogger(__name__)


CANNOT_KNOW = (
    "Without labels, the accuracy is not measured. Texts that resemble the held-out reviews may be scored worse than "
    "these, and texts that differ from them may be scored as well. The confidence is the classifier's own "
    "estimate. To measure the accuracy, label a sample of the texts."
)
NO_REFERENCE = (
    "there are no held-out reviews of the version that scored the texts: run kedro run --pipelines=predict_sentiment "
    "again; without a champion, run kedro run --pipelines=sentiment first"
)


class MonitorSentimentSpec(ParameterModel, frozen=True):
    """The thresholds for the drift of scored texts from the held-out reviews.

    Attributes:
        valid_days: days after which a verdict expires and the check raises an alarm.
        min_texts: minimum number of scored texts for a comparison.
        significance: maximum p-value of a difference, for all measures together.
        retrain_share_effect: minimum Cohen's h of a share for the verdict retrain; 0.5 is a medium effect.
        alarm_share_effect: minimum Cohen's h of a share for an alarm; 0.8 is a large effect.
        retrain_distance: minimum distance of distributions for the verdict retrain, 0 to 1.
        alarm_distance: minimum distance of distributions for an alarm, 0 to 1.
    """

    valid_days: float = Field(7.0, gt=0, le=3650)
    min_texts: int = Field(100, ge=1, le=10**9)
    significance: float = Field(0.01, gt=0, lt=1)
    retrain_share_effect: float = Field(0.5, gt=0, le=math.pi)
    alarm_share_effect: float = Field(0.8, gt=0, le=math.pi)
    retrain_distance: float = Field(0.2, gt=0, le=1)
    alarm_distance: float = Field(0.5, gt=0, le=1)

    @model_validator(mode="after")
    def _validate_thresholds(self) -> "MonitorSentimentSpec":
        if (
            self.retrain_share_effect > self.alarm_share_effect
            or self.retrain_distance > self.alarm_distance
        ):
            raise ValueError(
                "an effect for retraining is above that for an alarm; lower it, or raise that for the alarm"
            )
        return self


class SentimentVerdict(VerdictRecord):
    """The verdict for the check and the report.

    In addition to `VerdictRecord`: `cannot_know` (the limits of monitoring, as text), `num_texts`, `num_reference`, and
    the rows of `Measures`, with None for missing numbers.
    """

    cannot_know: str
    num_texts: int
    num_reference: int
    measures: list[dict[str, Any]]


def _find(
    measures: Measures, alarms: Iterable[str], spec: MonitorSentimentSpec
) -> Iterator[Finding]:
    yield from (Finding("alarm", alarm) for alarm in alarms)
    num_texts, num_reference = (
        int(measures[name].max()) for name in ("num_newest", "num_reference")
    )
    compared = measures[(measures["num_newest"] > 0) & (measures["num_reference"] > 0)]
    is_faulty = ~np.isfinite(compared[["newest", "reference", "effect", "p_value"]]).all(axis=1)
    if num_texts == 0:
        yield Finding("ok", "no text was scored yet")
    elif num_reference == 0:
        yield Finding("alarm", NO_REFERENCE)
    elif is_faulty.any():
        names = ", ".join(get_measure(name).words for name in compared.loc[is_faulty, "measure"])
        yield Finding("alarm", f"not finite numbers: {names}")
    elif num_texts < spec.min_texts:
        yield Finding(
            "ok", f"scored: {count(num_texts, 'text')}; a comparison needs {spec.min_texts:,}"
        )
    else:
        # Bonferroni correction for the number of measures.
        level = spec.significance / max(len(compared), 1)
        findings = [
            finding
            for row in compared.itertuples()
            if (finding := _weigh(row, level, spec)) is not None
        ]
        same = (
            f"{num_texts:,} scored texts do not differ from the {num_reference:,} held-out reviews in the measures "
            "that need no labels; the accuracy is not measured"
        )
        yield from findings or [Finding("ok", same)]


def _weigh(row: Any, level: float, spec: MonitorSentimentSpec) -> Finding | None:
    """Return the finding of one row of `Measures`; None if the difference is small or not significant."""
    measure = get_measure(row.measure)
    retrain = spec.retrain_share_effect
    alarm = spec.alarm_share_effect
    if measure.axis:
        retrain = spec.retrain_distance
        alarm = spec.alarm_distance
    if row.p_value > level or abs(row.effect) < retrain:
        return None
    newest, reference = (
        f"{mean:.0f} words" if row.measure == "num_words" else f"{100 * mean:.1f} %"
        for mean in (row.newest, row.reference)
    )
    measured = (
        f"{measure.words} is {newest}, in the held-out reviews {reference} ({'distance' if measure.axis else 'h'} "
        f"{row.effect:.2f}, {format_p_value(row.p_value)})"
    )
    if abs(row.effect) < alarm:
        return Finding("retrain", f"the texts have changed, label some and retrain: {measured}")
    return Finding("alarm", f"the texts are of another kind than the held-out reviews: {measured}")


def read_champion(folder: Path) -> KnownChampion:
    """Return the recorded facts of the champion; see `champion.verdict.read_champion`."""
    return champions.read_champion(folder, FORMATS)


def monitor_scores(
    measures: Measures, champion: KnownChampion, monitor_spec: MonitorSentimentSpec
) -> SentimentVerdict:
    """Return the verdict ok, retrain or alarm, with its reasons, all measures and the limits of monitoring."""
    verdict = conclude(_find(measures, champion["alarms"], monitor_spec))
    logger.info("%s: %s", verdict.verdict, "; ".join(verdict.reasons))
    record = {
        **make_verdict_record(verdict, monitor_spec.valid_days),
        "cannot_know": CANNOT_KNOW,
        "num_texts": int(measures["num_newest"].max()),
        "num_reference": int(measures["num_reference"].max()),
        "measures": measures.to_dict(orient="records"),
    }
    return cast(SentimentVerdict, make_plain(record))
