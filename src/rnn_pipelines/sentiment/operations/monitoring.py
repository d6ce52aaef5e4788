"""The verdict of monitoring on scored texts, without their labels."""

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import Any, cast

from pydantic import Field, model_validator

from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.champion.verdict import Finding, KnownChampion, Verdict, VerdictRecord, conclude, describe_verdict
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.report.numbers import format_p_value
from rnn_pipelines.sentiment.evaluation.drift import MEASURES
from rnn_pipelines.sentiment.methods.tables import Measures

logger = logging.getLogger(__name__)

CANNOT_KNOW = (
    "Without labels nothing here says how many scores are right. Texts that are like the held-out reviews may be "
    "scored worse than these, and texts that are unlike them as well; confidence is only the classifier's own claim. "
    "To know, label a sample of the texts by hand."
)
NO_REFERENCE = (
    "there are no held-out reviews of the version that scored the texts: run kedro run --pipelines=predict_sentiment "
    "again, without a champion kedro run --pipelines=sentiment before it"
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
        if self.retrain_share_effect > self.alarm_share_effect or self.retrain_distance > self.alarm_distance:
            raise ValueError("an effect for retraining is above that for an alarm, which is the graver of the two")
        return self


@dataclass(frozen=True)
class Difference:
    """The difference between scored texts and reference in one measure.

    Attributes:
        newest, reference: means of the scored texts and of the reference.
        effect: Cohen's h of a share, otherwise the distance of the distributions.
        p_value: of the null hypothesis of no difference.
    """

    newest: float
    reference: float
    effect: float
    p_value: float


@dataclass(frozen=True)
class SentimentEvidence:
    """The evidence for a verdict.

    Attributes:
        alarms: of the champion's store.
        num_texts: number of scored texts.
        num_reference: number of texts of the reference.
        differences: by measure; without measures for which scored texts or reference have no values.
    """

    alarms: tuple[str, ...]
    num_texts: int
    num_reference: int
    differences: Mapping[str, Difference]


class SentimentVerdict(VerdictRecord):
    """The verdict for the check and the report.

    In addition to `VerdictRecord`: `cannot_know` (the limits of monitoring, as text), `num_texts`, `num_reference`, and
    the rows of `Measures`, with None for missing numbers.
    """

    cannot_know: str
    num_texts: int
    num_reference: int
    measures: list[dict[str, Any]]


def judge_scores(evidence: SentimentEvidence, monitor_spec: MonitorSentimentSpec) -> Verdict:
    """Return the verdict: ok, retrain (after labelling some of the texts) or alarm."""
    return conclude(_find(evidence, monitor_spec))


def _find(evidence: SentimentEvidence, spec: MonitorSentimentSpec) -> Iterator[Finding]:
    yield from (Finding("alarm", alarm) for alarm in evidence.alarms)
    faulty = [name for name, found in evidence.differences.items() if not all(map(math.isfinite, astuple(found)))]
    if evidence.num_texts == 0:
        yield Finding("ok", "no text was scored yet, and there is nothing to judge")
    elif evidence.num_reference == 0:
        yield Finding("alarm", NO_REFERENCE)
    elif faulty:
        yield Finding("alarm", f"not finite numbers: {', '.join(MEASURES[name].words for name in faulty)}")
    elif evidence.num_texts < spec.min_texts:
        yield Finding(
            "ok", f"only {evidence.num_texts:,} texts were scored; fewer than {spec.min_texts:,} decide nothing"
        )
    else:
        yield from _compare(evidence, spec)


def _compare(evidence: SentimentEvidence, spec: MonitorSentimentSpec) -> Iterator[Finding]:
    # Bonferroni correction for the number of measures.
    level = spec.significance / max(len(evidence.differences), 1)
    weighed = [_weigh(name, found, level, spec) for name, found in evidence.differences.items()]
    findings = [finding for finding in weighed if finding is not None]
    yield from findings
    if not findings:
        yield Finding(
            "ok",
            f"{evidence.num_texts:,} scored texts are like the {evidence.num_reference:,} held-out reviews in all that "
            "can be measured without labels; how many scores are right is not known",
        )


def _weigh(name: str, found: Difference, level: float, spec: MonitorSentimentSpec) -> Finding | None:
    is_share = not MEASURES[name].axis
    limits = (
        (spec.retrain_share_effect, spec.alarm_share_effect)
        if is_share
        else (spec.retrain_distance, spec.alarm_distance)
    )
    if found.p_value > level or abs(found.effect) < limits[0]:
        return None
    measured = (
        f"{MEASURES[name].words} is {_format(name, found.newest)}, in the held-out reviews "
        f"{_format(name, found.reference)} ({'h' if is_share else 'distance'} {found.effect:.2f}, "
        f"{format_p_value(found.p_value)})"
    )
    if abs(found.effect) < limits[1]:
        return Finding("retrain", f"the texts have changed, label some and retrain: {measured}")
    return Finding("alarm", f"the texts are of another kind than the held-out reviews: {measured}")


def _format(name: str, mean: float) -> str:
    return f"{mean:.0f} words" if name == "num_words" else f"{100 * mean:.1f} %"


def monitor_scores(measures: Measures, champion: KnownChampion, monitor_spec: MonitorSentimentSpec) -> SentimentVerdict:
    """Return the verdict ok, retrain or alarm, with its reasons, all measures and the limits of monitoring.

    Args:
        measures: of the scored texts.
        champion: record of the champion, with its `alarms`.
    """
    counts = measures[["num_newest", "num_reference"]].max()
    evidence = SentimentEvidence(
        alarms=tuple(champion["alarms"]),
        num_texts=int(counts["num_newest"]),
        num_reference=int(counts["num_reference"]),
        differences={
            row.measure: Difference(row.newest, row.reference, row.effect, row.p_value)
            for row in measures.query("num_newest > 0 and num_reference > 0").itertuples()
        },
    )
    verdict = judge_scores(evidence, monitor_spec)
    logger.info("%s: %s", verdict.verdict, "; ".join(verdict.reasons))
    found = {
        **describe_verdict(verdict, monitor_spec.valid_days),
        "cannot_know": CANNOT_KNOW,
        "num_texts": evidence.num_texts,
        "num_reference": evidence.num_reference,
        "measures": measures.to_dict(orient="records"),
    }
    return cast(SentimentVerdict, make_plain(found))
