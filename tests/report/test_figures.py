"""Numbers read well; titles and menus of figures."""

import math

import pytest
from plotly.graph_objects import Figure

from rnn_pipelines.report.figures import MAX_LABEL_LENGTH, add_menu, set_layout
from rnn_pipelines.report.numbers import (
    format_number,
    format_p_cell,
    format_percent,
    format_points,
    format_skill,
)


def make_figure(num_traces: int) -> Figure:
    figure = Figure()
    for number in range(num_traces):
        figure.add_scatter(y=[number], visible="legendonly" if number == 1 else None)
    return figure


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.797601, "1.798"),
        (24.8812, "24.88"),
        (5685.861, "5,686"),
        (1810770075.36, "1,810,770,075"),
        (0.00012345, "0.0001234"),
        (-0.25, "−0.2500"),
        (2.78e-16, "2.780e−16"),
        (0.0, "0"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_numbers_have_at_least_4_digits(value: float | None, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("skill", "text"),
    [(0.0229, "+0.023"), (-1.2, "−1.200"), (-7e14, "< −99"), (0.0, "+0.000"), (None, "–")],
)
def test_skills_have_a_sign(skill: float | None, text: str) -> None:
    assert format_skill(skill) == text


def test_titles_are_set() -> None:
    figure = Figure()
    set_layout(figure, "Title", "below it")
    assert (figure.layout.title.text, figure.layout.title.subtitle.text) == ("Title", "below it")


def test_percents_have_two_decimals() -> None:
    assert format_percent(0.92456) == "92.46 %"


def test_menu_shows_the_first_run() -> None:
    figure = make_figure(4)
    add_menu(figure, ["a", "b"])
    assert [trace.visible for trace in figure.data] == [None, "legendonly", False, False]


def test_menu_shows_the_run_of_its_label() -> None:
    figure = make_figure(4)
    add_menu(figure, ["a", "b"])
    buttons = figure.layout.updatemenus[0].buttons
    assert buttons[1].args[0]["visible"] == [False, False, True, "legendonly"]


def test_one_run_has_no_menu() -> None:
    figure = make_figure(2)
    add_menu(figure, ["a"])
    assert not figure.layout.updatemenus


def test_a_long_label_is_cut() -> None:
    figure = make_figure(2)
    add_menu(figure, ["a" * 100, "b"])
    assert figure.layout.updatemenus[0].buttons[0].label == "a" * (MAX_LABEL_LENGTH - 1) + "…"


@pytest.mark.parametrize(
    ("difference", "text"), [(0.0046, "+0.46"), (-0.31, "−31.00"), (0.0, "+0.00")]
)
def test_points_have_a_sign(difference: float, text: str) -> None:
    assert format_points(difference) == text


@pytest.mark.parametrize(
    ("p_value", "text"), [(0.0339, "0.034"), (9.9e-5, "< 0.0001"), (None, "–")]
)
def test_p_values_in_a_column_have_no_letter(p_value: float | None, text: str) -> None:
    assert format_p_cell(p_value) == text
