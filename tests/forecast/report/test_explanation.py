"""The figure shows the parts of forecasts as they are, the ones that count."""

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.report.explanation import MAX_LAGS, draw_explanation


@pytest.fixture(scope="module")
def explanation(make_results) -> pd.DataFrame:
    return make_results(num_series=2).explanation


@pytest.fixture(scope="module")
def figure(explanation: pd.DataFrame) -> Figure:
    return draw_explanation(explanation)


def test_the_menu_has_the_average_and_the_next_values_of_each_series(figure: Figure) -> None:
    labels = [button.label for button in figure.layout.updatemenus[0].buttons]
    assert labels == ["on average", "next values of s00000", "next values of s00001"]


def test_bars_are_sizes_of_inputs_with_all_values_of_the_past_as_one_and_without_the_start(figure: Figure) -> None:
    bars = dict(zip(figure.data[0].y, figure.data[0].x, strict=True))
    assert bars == {"values of the past": 3.0, "calendar": 2.0, "price, known ahead": 0.5}


def test_of_one_window_the_signs_are_shown_and_of_many_the_sizes(figure: Figure) -> None:
    average, one = figure.data[1], figure.data[3]
    assert list(one.y) == ["1", "2"]
    np.testing.assert_array_equal(one.z, [[4.0] * 3, [-1.0] * 3])
    np.testing.assert_array_equal(average.z, [[4.0] * 3, [1.0] * 3])


def test_only_lags_that_count_most_are_drawn(explanation: pd.DataFrame) -> None:
    own = explanation[(explanation["input"] == "y") & (explanation["lag"] == 1)]
    many = pd.concat([own.assign(lag=lag, contribution=float(lag % 50)) for lag in range(1, 51)])
    lags = [int(lag) for lag in draw_explanation(many).data[1].y]
    assert lags == list(range(50 - MAX_LAGS, 50))


def test_a_run_without_next_values_has_the_average_alone(explanation: pd.DataFrame) -> None:
    assert len(draw_explanation(explanation[explanation["part"] == "test"]).data) == 2
