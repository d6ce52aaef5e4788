"""The report of one retraining, from its record: the decision with its reasons, and the inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

from rnn_pipelines.champion.records import Record, list_measures, list_reasons
from rnn_pipelines.champion.tables import format_value, list_origins
from rnn_pipelines.report.numbers import begin_sentence, format_minute, format_number
from rnn_pipelines.report.page import Part, Section, Table, mark_best, render_page
from rnn_pipelines.report.styles import CELL_STYLES, Styles
from rnn_pipelines.report.trainings import tabulate_parameters

# Challengers, champions and baselines of any task, under their own names.
STYLES = Styles(CELL_STYLES)

HOW_TO_READ = (
    "A lower loss is better. All losses are measured on the same holdout, the newest data. They can be compared with "
    "each other, but not with those of another retraining. The validation loss is measured on the validation part, "
    "which selected the best epoch of the network."
)
SHARED = (
    "The champion cannot forecast the whole holdout. The shared loss is measured on the part that it can forecast, and "
    "decides between champion and challenger."
)


def render_retraining_report(record: Record) -> str:
    """Render the record of a retraining, also of a failed one, as one HTML page that loads nothing else."""
    others = [*(record.get("reasons") or [])[1:], *(record.get("notes") or [])]
    facts = [("version", record.get("version")), ("retrained", record.get("at")), *list_origins(record)]
    origins = [[name, format_value(value)] for name, value in facts if value is not None]
    parts: dict[str, list[Part]] = {
        "Other reasons and notes": [begin_sentence(f"{text.rstrip('.')}.") for text in others],
        "Losses on the holdout": [*_report_losses(record)],
        "Loss by step": [*_tabulate_steps(record)],
        "Origin": [Table(["fact", "value"], origins, num_text_columns=2)],
        "Parameters": [tabulate_parameters(*pair) for pair in (record.get("parameters") or {}).items()],
    }
    sections = [Section(title, found) for title, found in parts.items() if found]
    title = f"Retraining of {record.get('task')}, {format_minute(str(record.get('at')))}"
    return render_page(title, write_verdict(record), sections)


def write_verdict(record: Record) -> str:
    """Return the outcome and its first reason, in one sentence."""
    first, *_ = [*list_reasons(record), "no reason is recorded"]
    return f"{str(record.get('outcome')).capitalize()}: {first}."


def tabulate_losses(measured: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a table of all scalar measures, such as loss and accuracy."""
    columns = list(dict.fromkeys(["loss", *(key for m in measured.values() for key in m if not _is_list(m[key]))]))
    rows = [[STYLES[name].name, *(format_number(m.get(key)) for key in columns)] for name, m in measured.items()]
    best = mark_best(rows, {1: [m.get("loss") for m in measured.values()]})
    return Table(header=["", *(column.replace("_", " ") for column in columns)], rows=rows, best=best)


def _report_losses(record: Record) -> Iterator[Part]:
    measured = list_measures(record)
    if not measured:
        return
    yield tabulate_losses(measured)
    yield HOW_TO_READ
    if any("shared_loss" in measures for measures in measured.values()):
        yield SHARED


def _tabulate_steps(record: Record) -> Iterator[Part]:
    by_step = {name: m["by_step"] for name, m in list_measures(record).items() if _is_list(m.get("by_step"))}
    if by_step:
        steps = range(max(map(len, by_step.values())))
        rows = [[str(step + 1), *(format_number(losses[step]) for losses in by_step.values())] for step in steps]
        header = ["step ahead", *(STYLES[name].name for name in by_step)]
        yield Table(header, rows, caption="Loss at each step of the horizon")


def _is_list(value: object) -> bool:
    return isinstance(value, list)
