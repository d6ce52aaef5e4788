"""Figures and tables of trainings in all reports: loss curves, sizes, seconds, layers and parameters."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure
from pydantic import BaseModel

from rnn_pipelines.report.figures import (
    choose_mode,
    count_up_to,
    draw_line,
    draw_points,
    make_log_ticks,
    set_layout,
)
from rnn_pipelines.report.numbers import Column, format_count, format_tenths
from rnn_pipelines.report.page import Table, tabulate
from rnn_pipelines.report.styles import Styles

MIN_LOG_RATIO = 4


def draw_losses(
    histories: Mapping[str, pd.DataFrame], loss: str, styles: Styles, by: str = "epoch"
) -> Figure:
    """Draw training and validation loss by epoch or step; a star marks the epoch whose weights were kept.

    The history of `fit` for each network has a column `epoch` or `step`. The kept epoch has the highest `is_best` or,
    without such a column, the lowest validation loss.
    """
    figure = Figure()
    # The same for all lines.
    mode = choose_mode(max((history[by] for history in histories.values()), key=len))
    for network, history in histories.items():
        style = styles[network]
        for column, part, dash in (
            ("loss", "training", "dot"),
            ("val_loss", "validation", "solid"),
        ):
            line = replace(style, name=f"{style.name}, {part}", dash=dash)
            figure.add_trace(draw_line(line, history[by], history[column], mode=mode))
        best = history.loc[
            history["is_best"].idxmax() if "is_best" in history else history["val_loss"].idxmin()
        ]
        star = {"symbol": "star", "size": 14, "line": {"color": "white", "width": 1}}
        name = f"{style.name}, best {by}"
        points = [best[by]], [best["val_loss"]]
        figure.add_trace(draw_points(style, *points, name=name, showlegend=False, marker=star))
    steps = count_up_to(by, int(max(history[by].max() for history in histories.values())))
    losses = pd.concat([history[["loss", "val_loss"]] for history in histories.values()]).stack()
    # A logarithmic axis has too few ticks if the losses differ little.
    scale = (
        {}
        if losses.max() < MIN_LOG_RATIO * losses.min()
        else {"type": "log", **make_log_ticks(-9, 9)}
    )
    title = f"Loss by {by}"
    subtitle = f"{loss}, lower is better; ★ best {by}"
    return set_layout(figure, title, subtitle, steps, {"title": "loss", **scale})


def tabulate_trainings(records: Mapping[str, Mapping[str, Any]], styles: Styles) -> Table:
    """Tabulate size, epochs and seconds of each network's training."""
    columns = {
        "num_parameters": Column("parameters", format_count),
        "num_epochs": Column("epochs", format_count),
        "best_epoch": Column("best epoch", format_count),
        "training_seconds": Column("training, s", format_tenths),
        "compile_seconds": Column("compiling, s", format_tenths),
    }
    return tabulate(
        "network", ((styles[name].name, record) for name, record in records.items()), columns
    )


def count_members(record: Mapping[str, Any]) -> int:
    """Return the number of members of a network; the layers in its record are those of one member."""
    return int(
        record["num_parameters"] // sum(layer["num_parameters"] for layer in record["layers"])
    )


def tabulate_layers(records: Mapping[str, Mapping[str, Any]], styles: Styles) -> list[Table]:
    """Tabulate the layers of each network, from input to output."""
    tables = []
    for network, record in records.items():
        num_members = count_members(record)
        name = styles[network].name + (
            f", one of {num_members} members," if num_members > 1 else ""
        )
        rows = []
        for layer in record["layers"]:
            shape = " × ".join("time" if n is None else str(n) for n in layer["output_shape"])
            rows.append(
                [layer["layer"], layer["kind"], shape, format_count(layer["num_parameters"])]
            )
        header = ["layer", "kind", "output shape", "parameters"]
        caption = f"{name} from input to output; shapes without batch"
        tables.append(Table(header, rows, 3, caption=caption))
    return tables


def tabulate_parameters(
    pipeline: str, parameters: object, chosen: Mapping[str, Any] = MappingProxyType({})
) -> Table:
    """Tabulate every parameter by its name on the command line, with values as in YAML.

    The pipeline is the beginning of each name. Chosen values are shown in place of null ones, by name.
    """
    rows = [
        [name, f"{_write(chosen[name])} (chosen)" if value == "null" and name in chosen else value]
        for name, value in _flatten(pipeline, parameters)
    ]
    return Table(header=["parameter", "value"], rows=rows, num_text_columns=2)


def _flatten(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(f"{name}.{key}", inner)
    else:
        yield name, _write(value)


def _write(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
