"""The report of `internals`: equation, paragraph and figure of each gate, and tables of statistics."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.lab.internals.notation import CELLS, PRETRAINED, list_forecaster, name_layer
from rnn_pipelines.lab.internals.records import (
    ClassifierSummary,
    LayerSummary,
    NetworkSummary,
    Openness,
    Summary,
)
from rnn_pipelines.report.equations import parse_equation
from rnn_pipelines.report.numbers import (
    Column,
    format_count,
    format_number,
    format_percent,
)
from rnn_pipelines.report.page import Part, Quote, Section, Table, tabulate
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.styles import CELL_STYLES, Styles
from rnn_pipelines.report.texts import fill_template, read_prose
from rnn_pipelines.report.trainings import count_members, tabulate_layers, tabulate_parameters
from rnn_pipelines.sentiment.methods.registry import ENSEMBLE, NB_NGRAM

TEXTS = read_prose("rnn_pipelines.lab.internals.report")
# For a network alone. An n-gram classifier of up to three words is better than this from 1,000 reviews on.
MIN_ACCURACY = 0.8
LETTERS, EQUATIONS, PARAGRAPHS, NOTES = (
    TEXTS[name] for name in ("letters", "equations", "paragraphs", "notes")
)


def report_internals(
    summary: Summary, readings: pd.DataFrame, parameters: dict[str, Any], **figures: Figure
) -> Report:
    """Return the report on the result of `measure_traces`: equations, figures and tables."""
    layers = summary["layers"]
    classifier = summary["classifier"]
    # Both directions of a layer share one network.
    networks = {
        name_layer("_".join(name.split("_")[:2])): layer["network"]
        for name, layer in layers.items()
    }
    has_words = {
        cell: bool((readings["cell"] == cell).any())
        for cell in CELLS
        if not classifier["is_missing"]
    }
    better = "because the other network alone was better on validation"
    words = [
        figures[f"{cell}_words"]
        if is_there
        else f"The classifier has no {CELL_STYLES[cell].name}, {better}."
        for cell, is_there in has_words.items()
    ]
    memory = _tabulate_memory(layers)
    return fill_template(
        __package__,
        "report",
        [memory],
        figures=figures,
        verdict=describe_memory(summary),
        layers=tabulate_traced_layers(layers),
        gates=[
            Section(f"{CELL_STYLES[cell].name} on a series", _list_gates(cell, layers, figures))
            for cell in CELLS
        ],
        classifier=_describe_classifier(classifier),
        texts=[] if classifier["is_missing"] else [*map(_quote_text, readings.groupby("text"))],
        accuracy=tabulate_accuracy(classifier) if classifier["accuracy"] else None,
        warning=_warn_of_poor_networks(classifier),
        words=words,
        openness=tabulate_openness(layers),
        memory=memory,
        inputs=tabulate_inputs(layers),
        weights=tabulate_gate_weights(layers),
        networks=tabulate_layers(networks, Styles()),
        parameters=tabulate_parameters("internals", parameters),
    )


def describe_memory(summary: Summary) -> str:
    """Say what to look at first, and describe the memory of the forecasters, the classifier and the equations' fit."""
    layers = summary["layers"]
    largest = max(layer["max_difference"] for layer in layers.values())
    cells = [
        _format_memory(name, layers[name])
        for cell in CELLS
        for name in list_forecaster(cell, layers)
    ]
    hidden = (
        "The hidden states that the equations give differ from those of the networks by at most"
    )
    memory = f"In the forecast, {'; '.join(cells)}."
    sentences = [NOTES["first"], memory, _describe_classifier(summary["classifier"])]
    sentences.append(f"{hidden} {format_number(largest, 1)}.")
    return " ".join(filter(None, sentences))


def _describe_classifier(classifier: ClassifierSummary) -> str:
    """Describe the accuracy of the networks, or why there is no classifier; empty if there is no accuracy."""
    if classifier["is_missing"]:
        return f"There are no gates on texts, because {classifier['origin']}."
    if not classifier["accuracy"]:
        return ""
    networks = {
        cell: classifier["accuracy"][cell] for cell in CELLS if cell in classifier["accuracy"]
    }
    shares = [
        f"{CELL_STYLES[cell].name} alone {format_percent(share, 1)}"
        for cell, share in networks.items()
    ]
    accuracy = f"Accuracy on {classifier['num_texts']:,} held-out texts: {', '.join(shares)}."
    return f"{accuracy} {_warn_of_poor_networks(classifier)}".strip()


def _warn_of_poor_networks(classifier: ClassifierSummary) -> str:
    accuracies = [share for cell, share in classifier["accuracy"].items() if cell in CELLS]
    if min(accuracies, default=1.0) >= MIN_ACCURACY:
        return ""
    return f"Below {format_percent(MIN_ACCURACY, 0)}, the gates on texts are not typical of a trained network."


def _format_memory(name: str, layer: LayerSummary) -> str:
    half_life = layer["half_life_steps"]["median"]
    reach = layer["reach_steps"]
    length = "is infinite" if half_life is None else f"is {format_steps(half_life)} steps"
    if reach is None:
        far = "inputs of the whole window have an effect"
    elif reach == 0:
        far = "no input has a gradient, because no correction of the network helps"
    else:
        far = f"inputs {reach} or more steps back have less than a tenth of the largest gradient"
    return f"the median half-life of the {_name_in_forecast(name)}'s units {length}, and {far}"


def _name_in_forecast(name: str) -> str:
    """Return the name of a forecaster's layer without the task: LSTM, or LSTM layer 2."""
    return name_layer(name).replace(", forecast", "").replace(",", "")


def tabulate_traced_layers(summary: Mapping[str, LayerSummary]) -> Table:
    """Tabulate the origin, network and size of each layer, and the difference of its states from the equations."""
    columns = {
        "network": Column("network"),
        "num_inputs": Column("inputs", format_count),
        "units": Column("units", format_count),
        "num_sequences": Column("sequences", format_count),
        "num_steps": Column("steps", format_count),
        "difference": Column("difference"),
    }
    rows = []
    for name, layer in summary.items():
        network = "; ".join([layer["origin"], *_describe_network(layer["network"])])
        difference = f"{layer['max_difference']:.1e}".replace("-", "−")
        rows.append((name_layer(name), {**layer, "network": network, "difference": difference}))
    return tabulate("layer", rows, columns, num_text_columns=2)


def _describe_network(network: NetworkSummary) -> Iterator[str]:
    """Yield descriptions of the members, the segment and the shrinkage of a network."""
    num_members = count_members(network)
    segment = network.get("segment", 1)
    if num_members > 1:
        yield f"{num_members} members"
    if segment > 1:
        yield f"{segment} steps of the series per input"
    if "shrinkage" in network:
        yield f"shrinkage {network['shrinkage']:.2f}"


def tabulate_openness(summary: Mapping[str, LayerSummary]) -> Table:
    """Tabulate mean and saturation of each gate of each layer."""
    share = partial(format_percent, num_decimals=1)
    columns = {
        "gate": Column("gate"),
        "mean": Column("mean", format_mean),
        "low_fraction": Column("low", share),
        "high_fraction": Column("high", share),
    }
    rows = [
        (name_layer(name), {"gate": _name_gate(layer["cell"], gate), **measured})
        for name, layer in summary.items()
        for gate, measured in layer["openness"].items()
    ]
    return tabulate("layer", rows, columns, num_text_columns=2)


def _name_gate(cell: str, gate: str) -> str:
    return f"{gate} {CELLS[cell].letters[gate]}"


def format_mean(mean: float) -> str:
    """Return a mean with two decimals."""
    return f"{mean:.2f}".replace("-", "−")


def format_steps(steps: float | None) -> str:
    """Return a number of steps with one decimal; None is infinite."""
    return "∞" if steps is None else f"{steps:,.1f}"


def _tabulate_memory(summary: Mapping[str, LayerSummary]) -> Table:
    """Tabulate the half-lives of the units of each layer, and the reach of its inputs, in steps."""
    columns = {
        "gate": Column("gate that keeps"),
        "low": Column("10 %"),
        "median": Column("50 %"),
        "high": Column("90 %"),
        "reach": Column("reach", partial(format_number, num_digits=1)),
    }
    rows = []
    for name, layer in summary.items():
        half_lives = layer["half_life_steps"]
        values = {
            "gate": _name_gate(layer["cell"], CELLS[layer["cell"]].keeping),
            "low": format_steps(half_lives["low"]),
            "median": format_steps(half_lives["median"]),
            "high": format_steps(half_lives["high"]),
            "reach": layer["reach_steps"],
        }
        rows.append((name_layer(name), values))
    caption = "10 %, 50 % and 90 % quantiles of the half-lives of the units, and reach, in steps"
    return tabulate("layer", rows, columns, caption, num_text_columns=2)


def tabulate_inputs(summary: Mapping[str, LayerSummary]) -> Table:
    """Tabulate the effect of each input on the correction of each forecaster, in percent of all inputs."""
    moved = {
        cell: summary[list_forecaster(cell, summary)[0]]["network"].get("moved_by", {})
        for cell in CELLS
    }
    shares = {
        cell: {name: size / total for name, size in by_input.items()}
        if (total := sum(by_input.values()))
        else {}
        for cell, by_input in moved.items()
    }
    columns = {
        cell: Column(CELL_STYLES[cell].name, partial(format_percent, num_decimals=1))
        for cell in CELLS
    }
    names = dict.fromkeys(name for by_input in moved.values() for name in by_input)
    return tabulate(
        "input",
        ((name, {cell: shares[cell].get(name) for cell in CELLS}) for name in names),
        columns,
    )


def tabulate_gate_weights(summary: Mapping[str, LayerSummary]) -> Table:
    """Tabulate the numbers of weights of each gate and of the layer in each member, and the formula."""
    rows = []
    for name, layer in summary.items():
        by_gate = layer["num_weights_by_gate"]
        units = layer["units"]
        formula = f"{units} × ({layer['num_inputs']} + {units} + {CELLS[layer['cell']].num_biases})"
        sizes = [f"{max(by_gate.values()):,}", f"{sum(by_gate.values()):,}"]
        rows.append([name_layer(name), ", ".join(by_gate), formula, *sizes])
    return Table(
        ["layer", "gates", "of each gate", "weights of a gate", "of the layer"],
        rows,
        num_text_columns=3,
    )


def _list_gates(
    cell: str, summary: Mapping[str, LayerSummary], figures: Mapping[str, Figure]
) -> list[Part]:
    parts: list[Part] = [LETTERS[cell]]
    layers = list_forecaster(cell, summary)
    for part in (*CELLS[cell].letters, "state"):
        name = f"{cell}_{part}"
        measured = [
            _format_openness(layer, summary[layer]["openness"].get(part), len(layers))
            for layer in layers
        ]
        parts += [
            parse_equation(EQUATIONS[name]),
            "".join([PARAGRAPHS[name], *measured]),
            figures[name],
        ]
    return [*parts, NOTES[PRETRAINED], figures[f"{cell}_{PRETRAINED}"]]


def _format_openness(layer: str, measured: Openness | None, num_layers: int) -> str:
    """Describe mean and saturation of a gate over all members and windows; empty for a state."""
    if measured is None:
        return ""
    saturated = format_percent(measured["low_fraction"] + measured["high_fraction"], 1)
    where = f" of the {_name_in_forecast(layer)}" if num_layers > 1 else ""
    mean = f"its mean is {format_mean(measured['mean'])}"
    return f" Over all members and windows{where}, {mean}, and {saturated} of its values are saturated."


def tabulate_accuracy(classifier: ClassifierSummary) -> Table:
    """Tabulate the accuracy of each network alone, of the n-gram classifier and of all together, on held-out texts."""
    names = {
        **{cell: f"{CELL_STYLES[cell].name} alone" for cell in CELLS},
        NB_NGRAM: "n-grams alone",
        ENSEMBLE: "whole classifier",
    }
    rows = [
        [names[name], format_percent(accuracy, 1)]
        for name, accuracy in classifier["accuracy"].items()
    ]
    caption = f"Accuracy on {classifier['num_texts']:,} held-out texts"
    return Table(["classifier", "accuracy"], rows, caption=caption)


def _quote_text(text: tuple[int, pd.DataFrame]) -> Quote:
    number, table = text
    words = table.drop_duplicates("place")
    probability = format_percent(words["probability"].iloc[-1], 1)
    return Quote([f"text {number}", f"probability {probability}"], " ".join(words["word"]))
