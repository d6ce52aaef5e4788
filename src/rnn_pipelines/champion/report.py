"""Pages from the histories of champions: the report of one retraining, and the overview of all tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import (
    Measures,
    Record,
    find_compared_loss,
    list_measures,
    list_reasons,
)
from rnn_pipelines.champion.tables import (
    NO_VALUE,
    VersionFacts,
    format_value,
    list_origins,
    shorten_version,
)
from rnn_pipelines.champion.verdict import Level, Verdict, VerdictRecord
from rnn_pipelines.report.numbers import (
    Column,
    begin_sentence,
    format_minute,
    format_number,
    format_percent,
)
from rnn_pipelines.report.page import Part, Section, Table, render_page, tabulate
from rnn_pipelines.report.retrainings import draw_retrainings
from rnn_pipelines.report.styles import CELL_STYLES, Styles
from rnn_pipelines.report.trainings import tabulate_parameters

# Challengers, champions and baselines of any task, under their own names.
STYLES = Styles(CELL_STYLES)

HOW_TO_READ = (
    "A lower loss is better. Each loss is measured on the holdout, the newest data; only the "
    "validation loss is measured on the validation part, which chose the steps of the networks and the weights of the "
    "methods. Losses of another retraining have another holdout, and cannot be compared with these."
)
SHARED = (
    "The champion cannot forecast the whole holdout. The shared loss is measured on the part that it can forecast, and "
    "decides between champion and challenger."
)
# Rows of the table of the history.
MAX_RECORDS = 15
# The origins of a version that the page shows.
ORIGINS = ("data", "as of", "commit")
ACTIONS: dict[Level, str] = {
    "ok": "Nothing to do.",
    "retrain": "Next: if a reason names an error, correct it. Then run kedro champion retrain {task}.",
    "unmonitored": "Next: run kedro run --pipelines=monitor_{task}, and add it to the schedule.",
    "alarm": (
        "Next: correct the cause that the first reason names, then run kedro run --pipelines=predict_{task} and "
        "kedro run --pipelines=monitor_{task} again. If it began with the present version, kedro champion rollback "
        "{task} returns to the one before. The how-to page Monitoring and alarms has an action for each reason."
    ),
}


def render_retraining_report(record: Record) -> str:
    """Render the record of a retraining, also of a failed one, as one HTML page that loads nothing else."""
    notes = [*(record.get("reasons") or [])[1:], *(record.get("notes") or [])]
    origins = {
        "version": record.get("version"),
        "retrained": record.get("at"),
        **dict(list_origins(record)),
    }
    parts: dict[str, list[Part]] = {
        "Other reasons and notes": [*map(_end_sentence, notes)],
        "Losses on the holdout": [*_report_losses(record)],
        "Loss by step": [*_tabulate_steps(record)],
        "Origin": [_tabulate_facts(origins)],
        "Parameters": [
            tabulate_parameters(*pair) for pair in (record.get("parameters") or {}).items()
        ],
    }
    sections = _list_sections("", parts)
    title = f"Retraining of {record.get('task')}, {format_minute(str(record.get('at')))}"
    return render_page(title, _describe_outcome(record), sections)


def _list_sections(subject: str, parts: Mapping[str, list[Part]]) -> list[Section]:
    """Return a section for each title that has parts; the titles begin with the subject."""
    return [Section(f"{subject}{title}", content) for title, content in parts.items() if content]


def _end_sentence(reason: str) -> str:
    return begin_sentence(f"{reason.rstrip('.')}.")


def _tabulate_facts(facts: Mapping[str, Any]) -> Table:
    """Return a row for each fact that is known."""
    rows = [[name, format_value(value)] for name, value in facts.items() if value is not None]
    return Table(["fact", "value"], rows, num_text_columns=2)


def describe_monitor(verdict: VerdictRecord, words: Mapping[Level, str]) -> str:
    """Return the verdict of a monitor in words, with its first reason, and the number of others unless all is well."""
    level = verdict["verdict"]
    first, *others = verdict["reasons"]
    # A reason such as "ok again since" names the verdict.
    reason = first if first.startswith(level) else f"{words[level]}: {first}"
    more = f" ({len(others)} more below)" if others and level != "ok" else ""
    return begin_sentence(f"{reason}{more}.")


def _describe_outcome(record: Record) -> str:
    """Return the outcome and its first reason, in one sentence."""
    first, *_ = [*list_reasons(record), "no reason is recorded"]
    return f"{str(record.get('outcome')).capitalize()}: {first}."


def tabulate_losses(measured: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a table of all scalar measures, such as loss and accuracy."""
    columns = {"loss": Column("loss", better="down")}
    for measures in measured.values():
        for key, value in measures.items():
            if not isinstance(value, list):
                columns.setdefault(key, Column(key.replace("_", " ")))
    return tabulate("", ((STYLES[name].name, of) for name, of in measured.items()), columns)


def _report_losses(record: Record) -> Iterator[Part]:
    measured = list_measures(record)
    if not measured:
        return
    yield tabulate_losses(measured)
    yield HOW_TO_READ
    if any("shared_loss" in measures for measures in measured.values()):
        yield SHARED


def _tabulate_steps(record: Record) -> Iterator[Part]:
    measured = list_measures(record)
    by_step = {
        name: losses
        for name, measures in measured.items()
        if isinstance(losses := measures.get("by_step"), list)
    }
    if by_step:
        steps = range(max(map(len, by_step.values())))
        rows = [
            [str(step + 1), *(format_number(losses[step]) for losses in by_step.values())]
            for step in steps
        ]
        header = ["step ahead", *(STYLES[name].name for name in by_step)]
        yield Table(header, rows, caption="Loss at each step of the horizon")


@dataclass(frozen=True)
class Overview:
    """The facts of one task: the name of its loss, its champion, its records, oldest first, and the verdict.

    The newest predictions and the newest results of the monitor are empty if there are none.
    """

    task: str
    loss: str
    champion: VersionFacts | None
    records: Sequence[Record]
    verdict: Verdict
    predictions: Sequence[Part] = ()
    monitor: Sequence[Part] = ()


def render_overview(overviews: Sequence[Overview], now: datetime) -> str:
    """Render the champions of all tasks as one HTML page that loads nothing else."""
    sections: list[Section] = []
    for overview in overviews:
        parts: dict[str, list[Part]] = {
            "": [*_describe_state(overview)],
            ": newest predictions": [*overview.predictions],
            ": monitor": [*overview.monitor],
            ": evaluation": [*_report_evaluation(overview)],
            ": decisions": [*_report_history(overview)],
        }
        sections += _list_sections(begin_sentence(overview.task), parts)
    return render_page(
        f"Champions, {now:%Y-%m-%d %H:%M} UTC", " ".join(map(summarize_task, overviews)), sections
    )


def summarize_task(overview: Overview) -> str:
    """Return the champion and the verdict of a task in a sentence, with the first reason unless all is well."""
    verdict = overview.verdict
    version = overview.champion
    if version is None:
        return f"{begin_sentence(overview.task)}: no champion yet."
    reason = "" if verdict.verdict == "ok" else f", because {verdict.reasons[0].rstrip('.')}"
    use = f"the champion is {shorten_version(version.version)}"
    since = f" since {format_minute(version.since)}" if version.since else ""
    return f"{begin_sentence(overview.task)}: {verdict.verdict}{reason}; {use}{since}."


def _describe_state(overview: Overview) -> Iterator[Part]:
    task = overview.task
    verdict = overview.verdict
    champion = overview.champion
    yield f"Check: {verdict.verdict}. {ACTIONS[verdict.verdict].format(task=task)}"
    yield from map(_end_sentence, verdict.reasons)
    if champion is None:
        return
    record = champion.record or Record()
    origins = dict(list_origins(record))
    facts = {
        "champion": champion.version,
        "in use since": format_minute(champion.since) if champion.since else None,
        "because": "; ".join(champion.reasons) or None,
        "files": f"damaged: {champion.problem}"
        if champion.problem
        else f"{len(champion.files)}, intact",
        **{name: origins.get(name) for name in ORIGINS},
    }
    yield _tabulate_facts(facts)


def _report_evaluation(overview: Overview) -> Iterator[Part]:
    record = overview.champion.record if overview.champion else None
    measured = list_measures(record or Record())
    if CHALLENGER not in measured:
        return
    simple = {name: m for name, m in measured.items() if name not in (CHALLENGER, CHAMPION)}
    losses = {
        name: loss
        for name, measures in simple.items()
        if (loss := measures.get("loss")) is not None
    }
    shown: dict[str, Measures] = {"this version": measured[CHALLENGER]}
    if CHAMPION in measured:
        shown["champion before it"] = measured[CHAMPION]
    if losses:
        best = min(losses, key=losses.__getitem__)
        method = f"{STYLES[best].name}, the best simple method"
        shown[method] = simple[best]
        loss = measured[CHALLENGER].get("loss")
        text = f"At its retraining, the {overview.loss} of this version was {format_number(loss)} on the holdout"
        if loss is None or not losses[best] > 0:
            yield f"{text}, and that of {method}, {format_number(losses[best])}."
        else:
            share = f"{format_percent(abs(1 - loss / losses[best]), 1)} {'below' if loss < losses[best] else 'above'}"
            yield f"{text}, {share} that of {method}."
    yield tabulate_losses(shown)
    yield HOW_TO_READ


def _report_history(overview: Overview) -> Iterator[Part]:
    records = overview.records
    task = overview.task
    retrainings = []
    for record in records:
        metrics = record.get("metrics")
        challenger = find_compared_loss(metrics, "challenger")
        champion = find_compared_loss(metrics, "champion")
        if record.get("kind") == "retrain" and challenger is not None:
            retrainings.append(
                {
                    "at": str(record.get("at")),
                    "challenger": challenger,
                    "champion": champion,
                    "is_promoted": bool(record.get("is_promoted")),
                }
            )
    if len(retrainings) > 1:
        yield draw_retrainings(pd.DataFrame(retrainings), overview.loss)
    if records:
        yield tabulate_decisions(records[: -MAX_RECORDS - 1 : -1], overview.champion)
    if len(records) > MAX_RECORDS:
        yield f"{len(records) - MAX_RECORDS:,} older records are listed by kedro champion history {task}."


def tabulate_decisions(records: Sequence[Record], champion: VersionFacts | None) -> Table:
    """Return a table with a row per record: time, decision, first reason, version and compared losses."""
    rows = []
    for record in records:
        metrics = record.get("metrics")
        version = record.get("version")
        is_champion = champion is not None and version == champion.version
        name = NO_VALUE if version is None else shorten_version(version)
        rows.append(
            [
                format_minute(str(record.get("at"))).removesuffix(" UTC"),
                str(record.get("outcome") or record.get("kind")),
                next(iter(list_reasons(record)), NO_VALUE),
                f"{name}*" if is_champion else name,
                format_number(find_compared_loss(metrics, "challenger")),
                format_number(find_compared_loss(metrics, "champion")),
            ]
        )
    header = ["at, UTC", "decision", "first reason", "version", "loss", "champion's"]
    return Table(header, rows, 3, caption="Newest first; * marks the champion")
