"""Trainings are told the same way in every report."""

from typing import Any

import pandas as pd
import pytest
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.report.styles import CELL_STYLES, Styles
from rnn_pipelines.report.trainings import (
    draw_losses,
    tabulate_layers,
    tabulate_parameters,
    tabulate_trainings,
)

STYLES = Styles(CELL_STYLES)
HISTORY = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 1.5, 2.0]})
RECORD: dict[str, Any] = {
    "training_seconds": 61.26,
    "compile_seconds": 2.4,
    "num_epochs": 30,
    "best_epoch": 21,
    "num_parameters": 4512,
    "layers": [
        {"layer": "history", "kind": "InputLayer", "output_shape": [30, 5], "num_parameters": 0},
        {"layer": "lstm_1", "kind": "LSTM", "output_shape": [32], "num_parameters": 4512},
    ],
}


def draw(history: pd.DataFrame = HISTORY) -> Figure:
    return draw_losses({"lstm": history}, "on scaled values", STYLES)


def find_trace(figure: Figure, name: str) -> Scatter:
    """The first trace with this name."""
    return next(trace for trace in figure.data if trace.name == name)


def test_losses_are_drawn() -> None:
    figure = draw()
    assert list(find_trace(figure, "LSTM, training").y) == [3.0, 2.0, 1.0]
    assert list(find_trace(figure, "LSTM, validation").y) == [3.0, 1.5, 2.0]


def test_the_best_epoch_is_a_star() -> None:
    star = find_trace(draw(), "LSTM, best epoch")
    assert (list(star.x), list(star.y)) == ([2], [1.5])


def test_losses_by_step_begin_before_the_first() -> None:
    # The first look is before the first step, of which there is no training loss.
    history = pd.DataFrame({"step": [0, 25], "loss": [float("nan"), 2.0], "val_loss": [3.0, 1.5]})
    figure = draw_losses({"lstm": history}, "on scaled values", STYLES, by="step")
    assert list(find_trace(figure, "LSTM, validation").x) == [0, 25]
    assert list(find_trace(figure, "LSTM, best step").x) == [25]


def test_long_trainings_are_lines() -> None:
    long = pd.DataFrame({"epoch": range(100), "loss": 1.0, "val_loss": 1.0})
    figure = draw_losses({"lstm": HISTORY, "gru": long}, "on scaled values", STYLES)
    assert {find_trace(figure, f"{name}, validation").mode for name in ("LSTM", "GRU")} == {"lines"}


def test_a_training_of_one_epoch_is_a_dot() -> None:
    assert "markers" in find_trace(draw(HISTORY[:1]), "LSTM, validation").mode


def test_drawing_does_not_change_the_history() -> None:
    history = HISTORY.copy()
    draw(history)
    pd.testing.assert_frame_equal(history, HISTORY)


def test_the_subtitle_has_the_unit() -> None:
    assert draw().layout.title.subtitle.text.startswith("on scaled values, ")


def test_a_loss_of_0_is_drawn() -> None:
    assert list(find_trace(draw(HISTORY.assign(loss=[3.0, 2.0, 0.0])), "LSTM, training").y) == [
        3.0,
        2.0,
        0.0,
    ]


@pytest.mark.parametrize("is_best", [[False, False, True], [0.25, 0.25, 0.5]])
def test_star_marks_the_epoch_that_was_kept(is_best: list[float]) -> None:
    assert list(find_trace(draw(HISTORY.assign(is_best=is_best)), "LSTM, best epoch").x) == [3]


@pytest.mark.parametrize(("smallest", "scale"), [(0.5, "log"), (1.0, None)])
def test_losses_that_differ_much_have_a_logarithmic_axis(
    smallest: float, scale: str | None
) -> None:
    assert draw(HISTORY.assign(loss=[3.0, 2.0, smallest])).layout.yaxis.type == scale


def test_trainings_have_their_rows() -> None:
    assert list(tabulate_trainings({"gru": RECORD}, STYLES).rows) == [
        ["GRU", "4,512", "30", "21", "61.3", "2.4"]
    ]


def test_layers_have_their_rows() -> None:
    table = tabulate_layers({"lstm": RECORD}, STYLES)[0]
    assert table.caption.startswith("LSTM from input to output")
    assert table.rows[1] == ["lstm_1", "LSTM", "32", "4,512"]


def test_layers_are_those_of_one_member() -> None:
    table = tabulate_layers({"lstm": RECORD | {"num_parameters": 3 * 4512}}, STYLES)[0]
    assert table.caption.startswith("LSTM, one of 3 members,")


def test_a_layer_of_any_length_names_the_time() -> None:
    record = RECORD | {"layers": [RECORD["layers"][1] | {"output_shape": [None, 8]}]}
    assert tabulate_layers({"lstm": record}, STYLES)[0].rows[0][2] == "time × 8"


@pytest.fixture
def parameter_rows() -> dict[str, str]:
    parameters = {
        "source": SourceSpec(name="sine"),
        "gaps": GapPolicy("split"),
        "window": {"lookback": 30},
        "lstm": {"units": [32, 16]},
        "note": None,
    }
    return dict(tabulate_parameters("forecast", parameters).rows)


def test_defaults_of_a_parameter_have_their_rows(parameter_rows: dict[str, str]) -> None:
    assert parameter_rows["forecast.source.name"] == "sine"
    assert parameter_rows["forecast.source.path"] == "null"


def test_parameters_of_a_block_have_their_rows(parameter_rows: dict[str, str]) -> None:
    assert parameter_rows["forecast.gaps"] == "split"
    assert parameter_rows["forecast.window.lookback"] == "30"
    assert parameter_rows["forecast.lstm.units"] == "[32, 16]"


def test_a_parameter_without_value_has_its_row(parameter_rows: dict[str, str]) -> None:
    assert parameter_rows["forecast.note"] == "null"
