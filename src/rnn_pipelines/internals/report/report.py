"""The report of `internals`: each gate in a paragraph, with its equation, above the picture of it at work."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.internals.gate_statistics import KEEPING_GATES
from rnn_pipelines.internals.report.figures import GATES, SYMBOLS, name_layer
from rnn_pipelines.internals.report.looks import LOOKS
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.page import Part, Quote, Section, Table, render_page
from rnn_pipelines.report.trainings import count_members, tabulate_parameters
from rnn_pipelines.report.trainings import tabulate_layers as tabulate_networks

LETTERS = (
    "In the equations, x is what the layer reads at a step, h its hidden state and c its carry before the step; ′ "
    "marks them after it. W, U and b are the weights of a gate, σ(a) = 1 / (1 + exp(−a)) lies between 0, closed, and "
    "1, open, and · multiplies unit by unit. All pictures show the test window in which the series moves most: above "
    "the series as the layer reads it, below a row for each unit, with the longest memory on top."
)
LETTERS_OF_GRU = "The letters are those of the LSTM; d is a bias of the state's own, which Keras gives a GRU."
EQUATIONS = {
    "lstm_forget": "Forget gate:  f = σ(x W_f + h U_f + b_f)",
    "lstm_input": "Input gate:  i = σ(x W_i + h U_i + b_i)",
    "lstm_candidate": "Candidate:  g = tanh(x W_g + h U_g + b_g)",
    "lstm_output": "Output gate:  o = σ(x W_o + h U_o + b_o)",
    "lstm_state": "Carry and hidden state:  c′ = f · c + i · g,  h′ = o · tanh c′",
    "gru_update": "Update gate:  z = σ(x W_z + b_z + h U_z + d_z)",
    "gru_reset": "Reset gate:  r = σ(x W_r + b_r + h U_r + d_r)",
    "gru_candidate": "Candidate:  g = tanh(x W_g + b_g + r · (h U_g + d_g))",
    "gru_state": "Hidden state:  h′ = z · h + (1 − z) · g",
}
PARAGRAPHS = {
    "lstm_forget": (
        "How much of the carry is kept. Where f is near 1, a unit holds what it has; where it is near 0, it begins "
        "anew. After k steps the product of k gates is left: 0.9 leaves half after 7 steps, 0.5 after one. Training "
        "starts with b_f = 1, which opens this gate, so that gradients reach far back from the first step on."
    ),
    "lstm_input": (
        "How much of the candidate is written. It is set apart from the forget gate, so that a unit can keep and write "
        "at once, which adds up, or do neither. Compare it with the series: units that open where it rises, and others "
        "where it falls, have shared the work between them."
    ),
    "lstm_candidate": (
        "What could be written, between −1 and 1; its sign says whether the carry goes up or down. It is no gate: "
        "nothing of it counts unless the input gate is open."
    ),
    "lstm_output": (
        "How much of the carry is shown, to the gates of the next step and to the layer above. A unit can remember "
        "without being heard, and be heard when it matters."
    ),
    "lstm_state": (
        "The carry has no bounds and changes by a product and a sum alone; the hidden state is the part of it that is "
        "shown, between −1 and 1. A row that keeps its colour holds on to something. The layer above reads h."
    ),
    "gru_update": (
        "How much of the old state is kept. It is forget and input gate in one: what is kept and what is written "
        "always make up 1. So a GRU needs no carry beside its state, and three blocks of weights where an LSTM needs "
        "four. Some authors mix the other way round, with z and 1 − z swapped; here, as in Keras, 1 keeps."
    ),
    "gru_reset": (
        "How much of the old state the candidate sees. Where it is near 0, the candidate is made of the input alone, "
        "as if the sequence began there; the update gate may keep the old state all the same."
    ),
    "gru_candidate": (
        "What could be written, between −1 and 1, made of the input and of the part of the old state that the reset "
        "gate lets through."
    ),
    "gru_state": (
        "A GRU's memory is its output: it shows all that it holds. The state lies between −1 and 1, for it is always a "
        "mean of the old one and a candidate."
    ),
}
TEXTS_IN_WORDS = (
    "The texts as the networks read them, in lower case and with signs apart, and the probability of positive that the "
    "whole classifier gives them."
)
WORDS_IN_WORDS = (
    "The upper line is the probability of positive that the whole classifier gives if the text ends with this word: it "
    "is scored as many times as it has words, for a network that reads in both directions knows no probability on the "
    "way. The map shows the forward direction of one layer: first the mean of each gate over all units, then the "
    "units whose forget gate (LSTM) or update gate (GRU) moves most over this text. A unit that closes it at a word "
    "drops what it held before, and one that opens it holds on from there. Means move little, since every unit listens "
    "for words of its own."
)
DISTRIBUTIONS_IN_WORDS = (
    "Over all steps and units. A gate that is always half open decides nothing; one with most of its values near 0 or "
    "1 works like a switch. Low and high in the table are the shares of values below 0.1 and above 0.9, for a "
    "candidate below −0.8 and above 0.8, which is as far out on tanh."
)
HALF_LIVES_IN_WORDS = (
    "If nothing new is written, a unit has half of its state left after ln 0.5 / ln f steps, f being the geometric "
    "mean of its forget gate (LSTM) or update gate (GRU) over all steps. This is the memory of the direct way alone: "
    "what a unit has forgotten can still go on in others, which have read it through the recurrent weights U, so that "
    "an input may matter for longer than any half-life."
)
GRADIENTS_IN_WORDS = (
    "Back-propagation from an output back to each input: the length of the gradient by the number of steps between the "
    "input and the last step, median over sequences, in percent of the greatest. In the forecast, the output is the "
    "value one step ahead, the input the series, and the way between them the whole network, with all its layers and "
    "members and the level that centring adds. On texts, the output is the last state of the layer, in a random sum of "
    "its units, and the input everything that comes with a word: the classifier itself pools over all words, so that "
    "each of them reaches it at once, and the layer needs no long memory. Reach "
    "is the number of steps from which on the gradient stays below a tenth of the greatest; a dash says that it "
    "doesn't within the window."
)
CHECK_IN_WORDS = (
    "Keras gives the inputs and weights of each layer; states and gates are computed from the equations below, in "
    "NumPy. The last column is the largest difference to the hidden states that Keras itself computes, over all "
    "sequences, steps and units: what float32 rounds. Had it been above 0.0001, there would be no report."
)
WEIGHTS_IN_WORDS = (
    "Each gate has units × (inputs + units + 1) weights, in a GRU units × (inputs + units + 2), for Keras gives it a "
    "bias for the inputs and one for the state. The columns of the layer's own arrays were counted and are as many. An "
    "LSTM has four such blocks, a GRU three. Below are the networks in which the layers stand."
)
# As they are called in a summary.
RECURRENT_KINDS = ("LSTM", "GRU", "Bidirectional")


def render_internals_report(
    summary: Mapping[str, Any],
    readings: pd.DataFrame,
    parameters: Mapping[str, Any],
    figures: Mapping[str, Figure],
) -> str:
    """Puts equations, pictures and tables on one HTML page that needs no network.

    Args:
        summary: the first of what `measure_traces` returns.
        readings: what `trace_classifier` returns.
        parameters: the run's blocks of parameters: models or plain values.
        figures: what `draw_figures` returns.
    """
    sections = [
        Section("What was looked at", [tabulate_layers(summary), CHECK_IN_WORDS]),
        *(Section(f"{LOOKS[cell].name} on a series", _list_gates(cell, summary, figures)) for cell in GATES),
        Section("Texts, word by word", _list_words(readings, figures)),
        Section(
            "How far gates are open", [figures["distributions"], DISTRIBUTIONS_IN_WORDS, tabulate_openness(summary)]
        ),
        Section("How long units remember", [figures["half_lives"], HALF_LIVES_IN_WORDS, tabulate_memory(summary)]),
        Section("How far back an input matters", [figures["gradients"], GRADIENTS_IN_WORDS]),
        Section("Weights by gate", [tabulate_weights(summary), WEIGHTS_IN_WORDS, *_tabulate_networks(summary)]),
        Section("Parameters", [tabulate_parameters("internals", parameters)]),
    ]
    return render_page("Inside the cells", write_verdict(summary), sections)


def write_verdict(summary: Mapping[str, Any]) -> str:
    """How well the equations fit, and how long the forecasters remember, in two sentences.

    Args:
        summary: the first of what `measure_traces` returns.
    """
    largest = max(layer["max_difference"] for layer in summary.values())
    cells = [_tell_memory(cell, summary[f"forecast_{cell}"]) for cell in GATES]
    return (
        "Computed from their equations, the trained layers have the states that Keras gives them, to within "
        f"{format_number(largest, 1)}. In the forecast, {'; '.join(cells)}."
    )


def _tell_memory(cell: str, layer: Mapping[str, Any]) -> str:
    half_life, reach = layer["half_life_steps"]["median"], layer["reach_steps"]
    held = "for ever" if half_life is None else f"for {_format_steps(half_life)} steps or longer"
    far = (
        "the whole window matters"
        if reach is None
        else f"inputs {reach} or more steps back matter less than a tenth of the most"
    )
    return f"half of the {LOOKS[cell].name}'s units hold half of their state {held}, and {far}"


def tabulate_layers(summary: Mapping[str, Any]) -> Table:
    """Each layer, where it comes from and stands, its size, and how near the equations come to Keras."""
    rows = [
        [
            name_layer(name),
            "; ".join([layer["origin"], *_tell_place(layer["network"])]),
            f"{layer['num_inputs']:,}",
            f"{layer['units']:,}",
            f"{layer['num_sequences']:,}",
            f"{layer['num_steps']:,}",
            f"{layer['max_difference']:.1e}".replace("-", "−"),
        ]
        for name, layer in summary.items()
    ]
    columns = ["inputs", "units", "sequences", "steps", "difference to Keras"]
    return Table(["layer", "network", *columns], rows, num_text_columns=2)


def _tell_place(network: Mapping[str, Any]) -> Iterator[str]:
    """Which of several recurrent layers and members was looked at; nothing where there is one."""
    num_layers = sum(layer["kind"] in RECURRENT_KINDS for layer in network["layers"])
    for word, number in (("layer", num_layers), ("network", count_members(network))):
        if number > 1:
            yield f"{word} 1 of {number}"


def tabulate_openness(summary: Mapping[str, Any]) -> Table:
    """Mean and saturation of each gate of each layer."""
    rows = [
        [
            name_layer(name),
            f"{gate} {SYMBOLS[gate]}",
            f"{measured['mean']:.2f}".replace("-", "−"),
            f"{measured['low_fraction']:.1%}",
            f"{measured['high_fraction']:.1%}",
        ]
        for name, layer in summary.items()
        for gate, measured in layer["openness"].items()
    ]
    return Table(["layer", "gate", "mean", "low", "high"], rows, num_text_columns=2)


def tabulate_memory(summary: Mapping[str, Any]) -> Table:
    """Half-lives of the units of each layer, and the reach of its inputs, in steps."""
    rows = [
        [
            name_layer(name),
            f"{KEEPING_GATES[layer['cell']]} {SYMBOLS[KEEPING_GATES[layer['cell']]]}",
            *(_format_steps(layer["half_life_steps"][key]) for key in ("low", "median", "high")),
            format_number(layer["reach_steps"], 1),
        ]
        for name, layer in summary.items()
    ]
    return Table(
        header=["layer", "gate that keeps", "10%", "50%", "90%", "reach"],
        rows=rows,
        num_text_columns=2,
        caption="Half-life that 10%, 50% and 90% of the units stay below, and reach, in steps",
    )


def tabulate_weights(summary: Mapping[str, Any]) -> Table:
    """Weights of each gate and of the whole layer, and the formula with its numbers."""
    rows = []
    for name, layer in summary.items():
        by_gate = layer["num_weights_by_gate"]
        num_biases = 2 if layer["cell"] == "gru" else 1
        formula = f"{layer['units']} × ({layer['num_inputs']} + {layer['units']} + {num_biases})"
        gates = ", ".join(by_gate)
        rows.append([name_layer(name), gates, formula, f"{max(by_gate.values()):,}", f"{sum(by_gate.values()):,}"])
    return Table(["layer", "gates", "of each gate", "weights of a gate", "of the layer"], rows, num_text_columns=3)


def _tabulate_networks(summary: Mapping[str, Any]) -> list[Table]:
    """The layers of each network, which both directions of a layer share."""
    networks = {name_layer("_".join(name.split("_")[:2])): layer["network"] for name, layer in summary.items()}
    return tabulate_networks(networks, LOOKS)


def _format_steps(steps: float | None) -> str:
    return "∞" if steps is None else f"{steps:,.1f}"


def _list_gates(cell: str, summary: Mapping[str, Any], figures: Mapping[str, Figure]) -> list[Part]:
    parts: list[Part] = [LETTERS] if cell == "lstm" else [LETTERS_OF_GRU]
    for name in [*(f"{cell}_{gate}" for gate in GATES[cell]), f"{cell}_state"]:
        measured = summary[f"forecast_{cell}"]["openness"].get(name.partition("_")[2])
        parts += [EQUATIONS[name], PARAGRAPHS[name] + _tell_openness(measured), figures[name]]
    return parts


def _tell_openness(measured: Mapping[str, float] | None) -> str:
    """What is seen of a gate over all windows; nothing of a state."""
    if measured is None:
        return ""
    mean = f"{measured['mean']:.2f}".replace("-", "−")
    saturated = measured["low_fraction"] + measured["high_fraction"]
    return f" Over all windows looked at, its mean is {mean}, and {saturated:.1%} of its values are saturated."


def _list_words(readings: pd.DataFrame, figures: Mapping[str, Figure]) -> list[Part]:
    parts: list[Part] = [TEXTS_IN_WORDS, *_quote_texts(readings), WORDS_IN_WORDS]
    for cell in GATES:
        is_there = (readings["cell"] == cell).any()
        missing = f"The classifier has no {LOOKS[cell].name}: the other network alone was better on validation."
        parts.append(figures[f"{cell}_words"] if is_there else missing)
    return parts


def _quote_texts(readings: pd.DataFrame) -> Sequence[Quote]:
    quotes = []
    for number, table in readings.groupby("text"):
        words = table.drop_duplicates("place")
        probability = words["probability"].iloc[-1]
        text = " ".join(words["word"])
        quotes.append(Quote([f"text {number}", f"probability {probability:.1%}"], text))
    return quotes
