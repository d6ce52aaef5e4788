"""The figures show the gates as they were, in the units' order of memory, and the words in the order of reading."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure

from cell_weights import draw_weights
from rnn_pipelines.cells.unroll import unroll
from rnn_pipelines.lab.internals.gate_statistics import (
    list_gates,
    measure_half_lives,
    tabulate_distributions,
)
from rnn_pipelines.lab.internals.notation import CELLS, TEXT_COLORS, name_layer
from rnn_pipelines.lab.internals.report.figures import (
    choose_window,
    draw_internals_figures,
    draw_words,
    order_units,
    place_values,
)
from rnn_pipelines.pipelines.internals.pipeline import FIGURES


def make_layer(cell: str) -> SimpleNamespace:
    """Five windows of eight steps; the series moves most in the fourth."""
    inputs = np.random.default_rng(1).normal(size=(5, 8, 3))
    inputs[3, 2, 0], inputs[3, 6, 0] = -9, 9
    weights = draw_weights(np.random.default_rng(0), cell, 3, 4)
    mask = np.ones((5, 8), bool)
    parts = {"weights": weights, "inputs": inputs, "mask": mask, "trace": unroll(weights, inputs)}
    return SimpleNamespace(cell=CELLS[cell], series=inputs[:, :, :1], **parts)


@pytest.fixture(scope="module")
def layers() -> dict[str, SimpleNamespace]:
    return {f"forecast_{cell}": make_layer(cell) for cell in CELLS}


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    rows = []
    for cell, gate in (("lstm", "forget"), ("gru", "update")):
        for text, words in ((1, "a good good film"), (2, "bad")):
            for unit in (-1, 5):
                for place, word in enumerate(words.split()):
                    value = place / 10 + (unit > 0) / 2
                    rows.append((cell, text, place, word, 0.2 * place, gate, unit, value))
    return pd.DataFrame(
        rows, columns=["cell", "text", "place", "word", "probability", "gate", "unit", "value"]
    )


@pytest.fixture(scope="module")
def tables(layers) -> dict[str, pd.DataFrame]:
    gates = {name: list_gates([layer]) for name, layer in layers.items()}
    distributions = [
        tabulate_distributions(values).assign(layer=name) for name, values in gates.items()
    ]
    half_lives = pd.DataFrame(
        {"layer": "forecast_gru", "unit": range(3), "half_life": [3.0, np.inf, 1.0]}
    )
    gradients = pd.DataFrame(
        {"layer": "sentiment_lstm_backward", "lag": range(4), "gradient": [1, 0.1, 0.01, 1e-9]}
    )
    return {
        "distributions": pd.concat(distributions),
        "half_lives": half_lives,
        "gradients": gradients,
    }


@pytest.fixture(scope="module")
def pretrained(layers) -> SimpleNamespace:
    return SimpleNamespace(
        layers={f"pretrained_{cell}": [layers[f"forecast_{cell}"]] for cell in CELLS}
    )


@pytest.fixture(scope="module")
def forecast(layers) -> SimpleNamespace:
    """Networks whose first members are shown, and second ones not."""
    return SimpleNamespace(layers={name: [layer, None] for name, layer in layers.items()})


@pytest.fixture(scope="module")
def figures(forecast, pretrained, readings, tables) -> dict[str, Figure]:
    return draw_internals_figures(forecast, pretrained, readings, **tables)


def find_maps(figure: Figure) -> list:
    return [trace for trace in figure.data if trace.type == "heatmap"]


def test_figures_are_those_of_the_catalog(figures) -> None:
    assert set(figures) == set(FIGURES)


def test_figures_have_titles(figures) -> None:
    assert all(figure.layout.title.text for figure in figures.values())


def test_layers_are_named_after_cell_with_place() -> None:
    assert name_layer("sentiment_gru_backward") == "GRU, sentiment, backward"
    assert name_layer("pretrained_gru") == "pretrained GRU"
    assert name_layer("forecast_lstm_layer_2") == "LSTM, forecast, layer 2"


def test_distributions_are_in_percent(figures) -> None:
    assert [sum(trace.y) for trace in figures["distributions"].data] == pytest.approx([100] * 7)


def test_half_lives_are_drawn_in_order(figures) -> None:
    assert list(figures["half_lives"].data[0].y) == [1, 3, np.inf]


def test_gradients_are_in_percent_of_the_largest(figures) -> None:
    assert list(figures["gradients"].data[0].y) == [100, 10, 1]


def test_gradients_of_words_are_dotted(figures) -> None:
    line = figures["gradients"].data[0].line
    assert (line.dash, line.color) == ("dot", TEXT_COLORS["lstm"])


@pytest.fixture(scope="module")
def stacked(layers, pretrained, readings, tables) -> dict[str, Figure]:
    lstm = layers["forecast_lstm"]
    second = SimpleNamespace(
        **vars(lstm) | {"trace": layers["forecast_gru"].trace, "cell": CELLS["gru"]}
    )
    stack = {"forecast_gru_layer_1": [layers["forecast_gru"]], "forecast_gru_layer_2": [second]}
    return draw_internals_figures(
        SimpleNamespace(layers={"forecast_lstm": [lstm], **stack}), pretrained, readings, **tables
    )


def test_a_stack_has_all_figures(stacked: dict[str, Figure]) -> None:
    assert set(stacked) == set(FIGURES)


def test_a_stack_has_a_map_for_each_layer(stacked: dict[str, Figure]) -> None:
    assert len(find_maps(stacked["gru_update"])) == len(find_maps(stacked["gru_state"])) == 2


def test_a_stack_leaves_the_other_cell_alone(stacked: dict[str, Figure]) -> None:
    assert len(find_maps(stacked["lstm_state"])) == 2


def test_layers_of_a_stack_are_named(stacked: dict[str, Figure]) -> None:
    titles = [
        getattr(stacked["gru_update"].layout, f"yaxis{number}").title.text for number in (2, 3)
    ]
    assert titles == ["units, layer 1", "units, layer 2"]


def test_networks_are_shown_where_the_series_moves_most(layers, figures) -> None:
    letters = [drawn.colorbar.title.text for drawn in find_maps(figures["lstm_pretrained"])]
    assert letters == ["f", "i", "o"]
    np.testing.assert_array_equal(
        figures["lstm_pretrained"].data[1].z, figures["lstm_forget"].data[1].z
    )
    assert choose_window(layers["forecast_lstm"]) == 3
    np.testing.assert_array_equal(
        figures["lstm_forget"].data[0].y, layers["forecast_lstm"].inputs[3, :, 0]
    )
    np.testing.assert_allclose(
        place_values(np.zeros((2, 4))),
        [-2.375, -2.125, -1.875, -1.625, -1.375, -1.125, -0.875, -0.625],
    )
    drawn = figures["lstm_forget"].data
    np.testing.assert_array_equal(drawn[0].x, drawn[1].x)


def test_pretrained_network_stands_for_one_that_was_not_trained(
    pretrained, readings, tables, figures
) -> None:
    found = draw_internals_figures(SimpleNamespace(layers={}), pretrained, readings, **tables)
    assert set(found) == set(FIGURES)
    assert found["gru_update"].to_json() == figures["gru_update"].to_json()


@pytest.mark.parametrize(
    ("cell", "gate"), [(name, gate) for name, cell in CELLS.items() for gate in cell.letters]
)
def test_gate_of_every_unit_is_drawn(layers, figures, cell: str, gate: str) -> None:
    (drawn,) = find_maps(figures[f"{cell}_{gate}"])
    layer = layers[f"forecast_{cell}"]
    units = [int(name.removeprefix("unit ")) - 1 for name in drawn.y]
    np.testing.assert_allclose(drawn.z, getattr(layer.trace.gates, gate)[3][:, units].T, atol=1e-4)


@pytest.mark.parametrize(("cell", "keeping"), [("lstm", "forget"), ("gru", "update")])
def test_longest_memory_is_on_top(layers, cell: str, keeping: str) -> None:
    layer = layers[f"forecast_{cell}"]
    lives = measure_half_lives(getattr(layer.trace.gates, keeping)[layer.mask])
    assert np.all(np.diff(lives[order_units(layer)]) > 0)


def test_gates_are_drawn_in_the_same_rows(figures) -> None:
    rows = {
        tuple(find_maps(figures[f"lstm_{part}"])[0].y) for part in (*CELLS["lstm"].letters, "state")
    }
    assert len(rows) == 1


def test_gates_have_the_range_of_their_activation(figures) -> None:
    shown = {name: find_maps(figures[name])[0] for name in ("lstm_output", "gru_candidate")}
    ranges = {name: (trace.zmin, trace.zmax) for name, trace in shown.items()}
    assert ranges["lstm_output"] == (0, 1)
    assert ranges["gru_candidate"] == (-1, 1)


def test_states_are_drawn_in_the_order_of_units(figures, layers) -> None:
    for cell, notation in CELLS.items():
        drawn = find_maps(figures[f"{cell}_state"])
        order = order_units(layers[f"forecast_{cell}"])
        for trace, state in zip(drawn, notation.state_letters, strict=True):
            values = getattr(layers[f"forecast_{cell}"].trace.states, state)[3]
            np.testing.assert_allclose(trace.z, values[:, order].T, atol=1e-4)


def test_steps_are_counted_back_from_the_forecast(figures) -> None:
    assert list(find_maps(figures["gru_state"])[0].x) == list(range(-8, 0))


def test_words_stand_below_their_values(figures) -> None:
    figure = figures["lstm_words"]
    assert list(figure.layout.xaxis2.ticktext) == ["a", "good", "good", "film"]


def test_values_of_a_word_are_of_mean_with_unit(figures) -> None:
    figure = figures["lstm_words"]
    drawn, _ = find_maps(figure)
    assert list(drawn.y) == ["forget, mean", "forget, unit 6"]
    np.testing.assert_allclose(drawn.z, [[0, 0.1, 0.2, 0.3], [0.5, 0.6, 0.7, 0.8]])


def test_probability_so_far_is_drawn(figures) -> None:
    np.testing.assert_allclose(figures["gru_words"].data[0].y, [0, 0.2, 0.4, 0.6])


def test_a_button_shows_the_next_text(figures) -> None:
    arguments = figures["gru_words"].layout.updatemenus[0].buttons[1].args
    assert arguments[0]["visible"] == [False, False, True, True]
    assert list(arguments[1]["xaxis2.ticktext"]) == ["bad"]


def test_the_first_text_is_shown(figures) -> None:
    assert [trace.visible is not False for trace in figures["lstm_words"].data] == [
        True,
        True,
        False,
        False,
    ]


def test_a_cell_without_words_has_an_empty_figure(readings) -> None:
    figure = draw_words(readings[readings["cell"] == "rnn"], "lstm")
    assert not figure.data
    assert figure.layout.yaxis.visible is False


def test_inputs_are_not_changed(forecast, pretrained, readings, tables) -> None:
    before = readings.copy(), {name: table.copy() for name, table in tables.items()}
    draw_internals_figures(forecast, pretrained, readings, **tables)
    pd.testing.assert_frame_equal(readings, before[0])
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[1][name])
