"""The figure shows the parts of forecasts as they are, the ones that count."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.graph_objects import Figure

from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.methods.local.theta import THETA
from rnn_pipelines.forecast.model.explanation import BASELINE, CALENDAR, TARGET
from rnn_pipelines.forecast.report.explanation import MAX_LAGS, draw_explanation, name_inputs
from rnn_pipelines.forecast.times.holidays import HOLIDAYS
from rnn_pipelines.forecast.windows.coding import CodedColumn, Coding
from rnn_pipelines.report.figures import write_label
from rnn_pipelines.report.notes import empty_table


@pytest.fixture(scope="module")
def explanation(make_results) -> pd.DataFrame:
    return make_results(num_series=2).explanation


@pytest.fixture(scope="module")
def figure(explanation: pd.DataFrame) -> Figure:
    return draw_explanation(explanation)


def test_menu_has_the_average_with_each_series(figure: Figure) -> None:
    labels = [button.label for button in figure.layout.updatemenus[0].buttons]
    assert labels == ["on average", "next values of s00000", "next values of s00001"]


def test_bars_are_sizes_of_the_inputs(figure: Figure) -> None:
    bars = dict(zip(figure.data[0].y, figure.data[0].x, strict=True))
    assert bars == {"past values": 3.0, "calendar": 2.0, "price, future": 0.5}


def test_contributions_of_a_series_have_signs(figure: Figure) -> None:
    heatmap = figure.data[3]
    assert list(heatmap.y) == ["1", "2"]
    np.testing.assert_array_equal(heatmap.z, [[4.0] * 3, [-1.0] * 3])


def test_contributions_on_average_are_sizes(figure: Figure) -> None:
    average = figure.data[1]
    np.testing.assert_array_equal(average.z, [[4.0] * 3, [1.0] * 3])


def test_lags_that_count_most_are_drawn(explanation: pd.DataFrame) -> None:
    own = explanation[(explanation["input"] == "y") & (explanation["lag"] == 1)]
    many = pd.concat([own.assign(lag=lag, contribution=float(lag % 50)) for lag in range(1, 51)])
    lags = [int(lag) for lag in draw_explanation(many).data[1].y]
    assert lags == list(range(50 - MAX_LAGS, 50))


def test_explanation_of_the_test_part_alone_has_no_series(explanation: pd.DataFrame) -> None:
    assert len(draw_explanation(explanation[explanation["part"] == "test"]).data) == 2


def test_missing_explanation_is_an_empty_figure_with_its_reason(
    figure: Figure, explanation: pd.DataFrame
) -> None:
    figure = draw_explanation(empty_table(explanation.head(0))("explain_ensemble: KeyError: 'a'"))
    assert len(figure.data) == 0
    assert "KeyError" in figure.layout.annotations[0].text


columns = st.builds(
    CodedColumn,
    name=st.one_of(
        st.sampled_from([*HOLIDAYS, TARGET, CALENDAR, THETA, "a:b", "future:a", "<b>x</b>"]),
        st.text(max_size=20),
    ),
    role=st.sampled_from(["future", "past", "static"]),
    levels=st.lists(st.text(min_size=1, max_size=2), max_size=3, unique=True).map(tuple),
)
codings = st.builds(
    Coding,
    columns=st.lists(columns, max_size=4, unique_by=lambda column: column.name).map(tuple),
    holidays=st.sampled_from([None, "DE"]),
)


@given(codings)
def test_every_input_has_a_name_of_its_own(coding: Coding) -> None:
    of_columns = {output for column in coding.columns for output in column.outputs}
    inputs = {TARGET, CALENDAR, THETA, *of_columns, *(HOLIDAYS if coding.holidays else [])}
    names = dict(zip(inputs, name_inputs(inputs), strict=True))
    assert len(set(names.values())) == len(inputs)
    for name in of_columns:
        assert names[name].startswith(write_label(name.partition(":")[2]))
        assert "<" not in names[name]


def test_every_input_of_a_forecast_is_drawn() -> None:
    """Those of all kinds of covariates at once, as `explain` gives them."""
    pytest.importorskip("holidays")
    days = pd.date_range("2024-01-01", "2024-08-18")
    promo = np.arange(len(days)) % 2
    size = ["small", "large"]
    frame = pd.concat(
        [
            pd.DataFrame(
                {"unique_id": name, "ds": days, "y": 20 + 5 * promo + random.normal(size=len(days))}
            )
            for name, random in zip("ab", map(np.random.default_rng, (0, 1)), strict=True)
        ],
        ignore_index=True,
    )
    frame = frame.assign(
        promo=[*promo, *promo], visitors=10 * frame["y"], size=np.repeat(size, len(days))
    )
    covariates = {"future": ["promo"], "past": ["visitors"], "static": ["size"], "holidays": "DE"}
    small = {"lstm": {"units": 2}, "gru": {"units": 2}, "training": {"max_steps": 10}}
    split = {"validation": 15, "test": 20}
    parts = Forecaster(
        h=2, lookback=7, level=None, covariates=covariates, split=split, **small
    ).fit(frame.assign(y=frame["y"].where(frame["ds"] < "2024-08-17")))
    explained = parts.explain()
    inputs = set(explained["input"]) - {BASELINE}
    assert inputs >= {
        "future:promo",
        "past:visitors",
        "static:size=small",
        "static:size=large",
        *HOLIDAYS,
    }
    moved = explained.assign(part="test", contribution=1.0)
    assert set(draw_explanation(moved).data[0].y) == set(name_inputs(inputs))
