"""Why the newest forecasts changed: a sentence, a table of the largest changes, and a waterfall of their parts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Bar, Figure

from rnn_pipelines.champion.tables import shorten_version
from rnn_pipelines.errors import MAX_VALUE, ParameterError, RnnPipelinesError, count, make_line
from rnn_pipelines.forecast.methods.predictions import ForecastLog
from rnn_pipelines.forecast.model.change import (
    COVARIATES,
    DAY_AHEAD,
    NEW,
    PARTS,
    REVISED,
    VERSION,
    Change,
)
from rnn_pipelines.forecast.model.nights import Night
from rnn_pipelines.forecast.operations.change import explain_nights
from rnn_pipelines.forecast.report.newest import show_newest
from rnn_pipelines.forecast.report.next_values import (
    choose_differing_form,
    choose_form,
    describe_suspects,
)
from rnn_pipelines.forecast.report.styles import VALUE_AXIS
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.totals.adding import Totals
from rnn_pipelines.report.figures import add_menu, set_layout, write_label
from rnn_pipelines.report.numbers import begin_sentence, format_points
from rnn_pipelines.report.page import Table
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.styles import BLUE, NEUTRAL_COLOR, VERMILION
from rnn_pipelines.report.texts import fill_template
from rnn_pipelines.storage.names import is_name

# Rows of the table.
MAX_ROWS = 20
HEADINGS = {
    **{name: name for name in ("before", "after", "change", *PARTS)},
    NEW: "new",
    REVISED: "revised",
    COVARIATES: "covariate",
    DAY_AHEAD: "day ahead",
}
VERBS = {True: "raises", False: "lowers"}
HOVER = "%{x}: %{customdata:+,.4~r}<extra></extra>"


def explain_newest(
    nights: Sequence[Mapping[str, bytes]],
    log: ForecastLog,
    all_series: Mapping[str, Any],
    newest: ForecastLog | None = None,
) -> dict[str, Any]:
    """Return `describe_change` of the result of `explain_nights`, or the reason for its absence."""
    try:
        return describe_change(explain_nights(nights, log, all_series, newest=newest), MAX_ROWS)
    except RnnPipelinesError as error:
        return note_failure(str(error))


def note_failure(reason: str) -> dict[str, Any]:
    """Return an explanation that only holds the reason why there is none."""
    return {
        "sentence": begin_sentence(reason),
        "notes": [],
        "versions": [],
        "changes": [],
        "series": [],
        "values": [],
    }


def choose_times(change: Change, time: str | None) -> Change:
    """Return the change of forecasts for a date, a step, or a beginning of dates, such as 2026-10; None for all.

    Raises:
        ParameterError: none of the forecasts is for such a time.
    """
    if time is None:
        return change
    table, values = (
        rows[
            [
                _write_time(ds) == time or (hasattr(ds, "year") and str(ds).startswith(time))
                for ds in rows["ds"]
            ]
        ]
        for rows in (change.table, change.values)
    )
    if table.empty:
        first, last = (
            _write_time(ds) for ds in (change.table["ds"].min(), change.table["ds"].max())
        )
        raise ParameterError(
            f"time: expected one from {first} to {last}, or the beginning of one, received {time!r}."
        )
    return replace(change, table=table, values=values)


def describe_change(change: Change, most: int | None = None) -> dict[str, Any]:
    """Return the change as JSON: sentence, notes, versions, named values, and the largest changes (`most` or all)."""
    order = change.table["change"].abs().sort_values(ascending=False, kind="stable").index
    ordered = change.table.loc[order]
    first = change.table[change.table["unique_id"] == ordered["unique_id"].iloc[0]]
    values = change.values[change.values["unique_id"].isin(ordered["unique_id"][:most])]
    texts = {
        "sentence": write_change(change),
        "notes": list(change.notes),
        "versions": list(change.versions),
    }
    tables = {"changes": ordered[:most], "series": first, "values": values}
    return texts | {name: _list_rows(table) for name, table in tables.items()}


def _list_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    times = {name: table[name].map(_write_time) for name in ("ds", "time") if name in table}
    rows = table.assign(**times).astype(object)
    return rows.where(rows.notna(), None).to_dict(orient="records")


def _write_time(ds: Any) -> str:
    return str(ds).removesuffix(" 00:00:00")


def write_change(change: Change) -> str:
    """Return the mean change with its parts, the largest ones first, and the values with the largest effect."""
    table = change.table
    before = table["before"].mean()
    after = table["after"].mean()
    form = choose_form(table[["before", "after"]].to_numpy())
    if form(before) == form(after):
        form = choose_differing_form(before, after)
    series_names = table["unique_id"].unique()
    times = [_write_time(ds) for ds in sorted(table["ds"].unique())]
    series = f"{len(series_names):,} series"
    if len(series_names) == 1:
        series = make_line(series_names[0], MAX_VALUE)
    span = f"for {times[0]}" if len(times) == 1 else f"for {times[0]} to {times[-1]}, on average,"
    subject = f"The forecast of {series} {span}"
    # Percent need values that are all on one side of 0.
    is_share = bool((table["before"] > 0).all())
    verb = "rose" if after > before else "fell"
    size = form(abs(after - before))
    share = f" ({100 * abs(after / before - 1):,.1f} %)" if is_share else ""
    parts = table[[*PARTS, DAY_AHEAD]].mean(skipna=False)
    parts = parts[parts != 0].sort_values(key=abs, ascending=False, kind="stable")
    text = f"{subject} {verb} by {size}{share}, from {form(before)} to {form(after)}"
    # Parts that cancel each other are still listed.
    if not _is_not_0(size):
        text = f"{subject} did not change"
    if parts.isna().any():
        return f"{text}."
    causes = _name_parts(change)
    # A part that is 0 in the digits shown is left out, but a revision is always named.
    listed = []
    for name, value in parts.items():
        size = _sign(form(value))
        if _is_not_0(size) or name == REVISED:
            share = f" ({format_points(value / before, 1)} %)" if is_share else ""
            listed.append(f"{size}{share} from {causes[str(name)]}")
    return " ".join(
        [f"{text}: {', '.join(listed)}." if listed else f"{text}.", *_name_values(change, form)]
    )


def _sign(text: str) -> str:
    """Return a number with its sign, unless it is missing or 0 in the digits shown."""
    return f"+{text}" if _is_not_0(text) and not text.startswith("−") else text


def _is_not_0(text: str) -> bool:
    return bool(set(text) & set("123456789"))


def _name_parts(change: Change) -> dict[str, str]:
    news = change.news[change.news["unique_id"].isin(change.table["unique_id"])]
    num_new, num_low, num_revised = (
        int(news[name].sum()) for name in ("num_new", "num_low", "num_revised")
    )
    version = change.versions[1]
    low = (
        f"{num_low:,} below their forecast"
        if num_new > 1
        else f"{'below' if num_low else 'above'} its forecast"
    )
    return {
        NEW: f"{count(num_new, 'new value')} ({low})",
        REVISED: count(num_revised, "revised value"),
        COVARIATES: "changed covariates",
        VERSION: f"version {shorten_version(version)}"
        if is_name(version)
        else "the other forecaster",
        DAY_AHEAD: "another day ahead",
    }


def _name_values(change: Change, form: Any) -> Iterator[str]:
    """Yield a sentence on the revised and on the new value with the largest effect, which is a mean over times."""
    values = change.values
    is_panel = change.table["unique_id"].nunique() > 1
    for kind in ("revised", "new"):
        effects = (
            values[values["kind"] == kind]
            .groupby(["unique_id", "time", "value", "expected"])["effect"]
            .mean()
        )
        effects = effects.astype(float)
        if effects.empty:
            continue
        name, time, value, expected = effects.abs().idxmax()
        effect = effects[(name, time, value, expected)]
        # A correction is named even if it has no effect.
        if kind == "new" and not _is_not_0(form(abs(effect))):
            continue
        of = f" of {make_line(name, MAX_VALUE)}" if is_panel else ""
        pair = f"{form(value)} instead of {'an expected ' if kind == 'new' else ''}{form(expected)}"
        noun = "revised value" if kind == "revised" else "value"
        forecast = "its forecast" if is_panel else "the forecast"
        yield f"The {noun}{of} at {_write_time(time)}, {pair}, {VERBS[effect > 0]} {forecast} by {form(abs(effect))}."


def report_change(
    explanation: Mapping[str, Any],
    suspects: Mapping[str, Any] = MappingProxyType({}),
    made: ForecastLog | None = None,
    night: Night | None = None,
    source: SourceSpec | None = None,
    totals: Totals | None = None,
) -> Report:
    """Return the report on the explanation of `explain_newest`, on the suspect forecasts, and on those of a night."""
    is_known = all(row[DAY_AHEAD] is not None for row in explanation["series"])
    has_name = source is not None and not source.is_packaged and not source.is_wide
    values = write_label(source.target) if source is not None and has_name else VALUE_AXIS
    return fill_template(
        __package__ or "",
        "change",
        **explanation,
        suspects=describe_suspects(suspects),
        newest=[] if made is None or night is None else show_newest(made, night, values, totals),
        table=tabulate_changes(explanation["changes"][:MAX_ROWS]) if explanation["changes"] else "",
        figure=draw_parts(explanation["series"]) if explanation["series"] and is_known else "",
    )


def tabulate_changes(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table with a row for each series and time."""
    numbers = np.array([[row[name] for name in HEADINGS] for row in rows], float)
    form = choose_form(numbers[:, :2])
    cells = [
        [
            str(row["unique_id"]),
            row["ds"],
            *map(form, sizes[:2]),
            *(_sign(form(size)) for size in sizes[2:]),
        ]
        for row, sizes in zip(rows, numbers, strict=True)
    ]
    return Table(["series", "time", *HEADINGS.values()], cells, num_text_columns=2)


def draw_parts(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the parts of the change of one series as a waterfall, a time at a time, the largest change first."""
    figure = Figure()
    parts = [DAY_AHEAD, *PARTS, "change"]
    labels = [part.replace("_", " ") for part in parts]
    rows = sorted(rows, key=lambda row: -abs(row["change"]))
    for row in rows:
        sizes = np.array([row[part] for part in parts], float)
        # Each part begins where the one before ends, and their sum at 0. The pages' Plotly has no waterfalls.
        ends = np.cumsum(sizes[:-1])
        colors = [BLUE if size > 0 else VERMILION for size in sizes[:-1]]
        bar = Bar(
            x=labels,
            y=sizes,
            base=[0.0, *ends[:-1], 0.0],
            customdata=sizes,
            name=row["ds"],
            showlegend=False,
        )
        bar.update(marker={"color": [*colors, NEUTRAL_COLOR]}, hovertemplate=HOVER)
        figure.add_trace(bar)
    add_menu(figure, [row["ds"] for row in rows])
    title = f"Change of the forecast of {write_label(rows[0]['unique_id'])}"
    return set_layout(
        figure,
        title,
        "one time each; the parts sum to the change",
        None,
        "change",
        hovermode="closest",
    )
