"""Fans lie where the bounds do, and the table says their coverage."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.interval_metrics import measure_intervals
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.figures import draw_next_values
from rnn_pipelines.forecast.report.intervals import (
    describe_coverage,
    draw_coverage,
    draw_fan,
    list_empty_levels,
    tabulate_intervals,
)

TABLE = pd.DataFrame(
    {
        "ensemble": [1.0, 2.0, 3.0, 4.0],
        "ensemble-lo-80": [0.0, 1.0, np.nan, 3.0],
        "ensemble-hi-80": [2.0, 3.0, np.nan, 5.0],
        "ensemble-lo-95": [-1.0, 0.0, 1.0, 2.0],
        "ensemble-hi-95": [3.0, 4.0, 5.0, 6.0],
    }
)
STEPS = pd.Series([10, 11, 12, 13])


def make_predictions() -> Predictions:
    """Of two steps with ten windows each: of the first nine lie inside 80 %, of the second seven."""
    table = pd.DataFrame(
        {"unique_id": "a", "cutoff": np.repeat(np.arange(10), 2), "horizon_step": [1, 2] * 10}
    )
    table = table.assign(ds=table["cutoff"] + table["horizon_step"], y=0.5, ensemble=0.5)
    inside = np.where(table["horizon_step"] == 1, table["cutoff"] < 9, table["cutoff"] < 7)
    table = table.assign(**{"ensemble-lo-80": np.where(inside, -1.0, 1.0), "ensemble-hi-80": 2.0})
    return Predictions(
        table.assign(**{"ensemble-lo-95": np.nan, "ensemble-hi-95": np.nan}),
        ("ensemble",),
        (80, 95),
    )


def test_widest_band_is_drawn_first() -> None:
    bands = draw_fan("ensemble", STEPS, TABLE, (80, 95), visible=True)
    assert [band.name for band in bands] == ["ensemble, 95 %", "ensemble, 80 %"]


def test_band_goes_along_the_upper_bound_then_back_along_the_lower() -> None:
    wide, _ = draw_fan("ensemble", STEPS, TABLE, (80, 95), visible=True)
    assert list(wide.x) == [10, 11, 12, 13, 13, 12, 11, 10, None]
    assert list(wide.y) == [3, 4, 5, 6, 2, 1, 0, -1, None]


def test_band_crosses_no_gap() -> None:
    _, narrow = draw_fan("ensemble", STEPS, TABLE, (80, 95), visible=True)
    assert list(narrow.x) == [10, 11, 11, 10, None, 13, 13, None]


def test_band_of_one_step_is_a_bar() -> None:
    wide, _ = draw_fan("ensemble", STEPS[2:3], TABLE[2:3], (80, 95), visible=True)
    assert (list(wide.x), list(wide.y), list(wide.error_y.array)) == ([12], [3], [2])


def test_forecaster_without_intervals_has_no_bands() -> None:
    assert draw_fan("baseline_ensemble", STEPS, TABLE, (80, 95), visible=True) == []


def test_next_values_have_the_fan_of_the_combination(make_results) -> None:
    results = make_results()
    table = results.next_values.table.rename(columns={"gru": "ensemble"})
    table = table.assign(
        **{"ensemble-lo-80": table["ensemble"] - 1, "ensemble-hi-80": table["ensemble"] + 1}
    )
    names = tuple("ensemble" if name == "gru" else name for name in results.next_values.forecasters)
    figure = draw_next_values(
        results.series,
        replace(results.next_values, table=table, forecasters=names, levels=(80,)),
        set(),
    )
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert list(band.y) == [*(table["ensemble"] + 1), *(table["ensemble"] - 1)[::-1], None]


@pytest.fixture(scope="module")
def measured() -> tuple[ForecastMetrics, pd.DataFrame]:
    numbers, by_level = measure_intervals(make_predictions())
    return ForecastMetrics(numbers, None), by_level


def test_coverage_has_its_range_over_steps(measured: tuple[ForecastMetrics, pd.DataFrame]) -> None:
    table = tabulate_intervals(*measured)
    assert table.header[:5] == [
        "forecaster",
        "coverage 80 %",
        "width 80 %",
        "relative width 80 %",
        "Winkler 80 %",
    ]
    assert table.rows[0][:2] == ["ensemble", "80.0 (70.0 to 90.0)"]


def test_coverage_has_its_range_over_origins(
    measured: tuple[ForecastMetrics, pd.DataFrame],
) -> None:
    metrics, by_level = measured
    more = {"least_coverage_80": 0.5, "most_coverage_80": 0.9, "above_80": 0.085}
    table = tabulate_intervals(metrics.add({"ensemble": more}), by_level)
    assert table.header[2:4] == ["by origin 80 %", "above 80 %"]
    assert table.rows[0][2:4] == ["50 to 90", "8.5"]


def test_range_of_equal_coverages_is_one_number(
    measured: tuple[ForecastMetrics, pd.DataFrame],
) -> None:
    metrics, by_level = measured
    same = metrics.add(
        {"ensemble": {"least_coverage_80": 0.67, "most_coverage_80": 0.67, "above_80": 0.085}}
    )
    assert tabulate_intervals(same, by_level).rows[0][2] == "67"


def test_sentence_names_equal_coverages_once() -> None:
    numbers = {"coverage_80": 0.67, "least_coverage_80": 0.67, "most_coverage_80": 0.67}
    metrics = ForecastMetrics({"ensemble": numbers}, None)
    assert describe_coverage(metrics, (80,)).count("67 %") == 1


def test_level_without_intervals_has_dashes_with_a_note(
    measured: tuple[ForecastMetrics, pd.DataFrame],
) -> None:
    assert tabulate_intervals(*measured).rows[0][5:9] == 4 * ["–"]
    (note,) = list_empty_levels(measured[1])
    assert "95 %" in note


@pytest.mark.parametrize(
    ("coverage", "verdict"),
    [(0.8, "held"), (0.76, "held"), (0.74, "too narrow"), (0.86, "too wide")],
)
def test_coverage_of_the_test_part_is_judged(coverage: float, verdict: str) -> None:
    numbers = {
        "coverage_80": coverage,
        "least_coverage_80": 0.5,
        "most_coverage_80": 0.9,
        "relative_width_80": 0.87,
    }
    found = describe_coverage(
        ForecastMetrics({"ensemble": {**numbers, "coverage_95": None}}, None), (80, 95)
    )
    assert verdict in found
    assert all(number in found for number in (f"{100 * coverage:.1f}", "50 to 90", "87 %"))
    assert "95 %" not in found


@pytest.mark.parametrize(
    ("coverage", "p_value", "verdict"),
    [
        (0.75, 1.0, "may hold, by few independent windows"),
        (1.0, 0.3, "may hold, by few independent windows"),
        (0.75, 0.01, "too narrow"),
        (0.2, 1.0, "too narrow"),
    ],
)
def test_coverage_that_can_be_chance_is_not_judged(
    coverage: float, p_value: float, verdict: str
) -> None:
    numbers = {"coverage_95": coverage, "chance_of_coverage_95": p_value}
    assert verdict in describe_coverage(ForecastMetrics({"ensemble": numbers}, None), (95,))


@pytest.mark.parametrize(
    ("above", "verdict"), [(0.1, "held"), (0.02, "held"), (0.17, "too narrow")]
)
def test_sparse_series_are_judged_by_the_share_above(above: float, verdict: str) -> None:
    """Their coverage is above the level by construction."""
    numbers = {"coverage_80": 0.93, "above_80": above}
    found = describe_coverage(ForecastMetrics({"ensemble": numbers}, None), (80,))
    assert verdict in found
    assert f"{100 * above:.1f} %" in found


def test_sentence_names_the_first_missed_origins() -> None:
    missed = ForecastMetrics(
        {"ensemble": {"coverage_80": 0.8}},
        None,
        missed_origins={"80": [f"2024-05-0{n}" for n in range(1, 6)]},
    )
    found = describe_coverage(ForecastMetrics.parse(missed.to_json()), (80,))
    assert all(text in found for text in ("5 of the origins", "2024-05-01", "2024-05-03", "…"))
    assert "2024-05-04" not in found


def test_sentence_names_the_method_with_the_compared_width() -> None:
    numbers = {
        "ensemble": {"coverage_80": 0.8, "relative_width_80": 0.6},
        "last_value": {"mae": 1.0},
    }
    found = describe_coverage(ForecastMetrics(numbers, None), (80,))
    assert "last value" in found
    assert "seasonal" not in found


def test_intervals_of_an_exact_forecast_are_not_called_too_wide() -> None:
    numbers = {"coverage_80": 1.0, "relative_width_80": 1e9, "mae": 1e-9}
    found = describe_coverage(ForecastMetrics({"ensemble": numbers}, None, mean_size=10.0), (80,))
    assert "exact" in found
    assert not any(text in found for text in ("too wide", "80 %", "seasonal"))


def test_coverage_is_drawn_with_the_level_or_the_reason_why_not(
    measured: tuple[ForecastMetrics, pd.DataFrame],
) -> None:
    figure = draw_coverage(measured[1], hidden=set())
    assert [(trace.name, list(trace.y)) for trace in figure.data[:2]] == [
        ("ensemble", [90, 70]),
        ("expected", [80, 80]),
    ]
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["80 %", "95 %"]
    points = make_predictions().table[
        ["unique_id", "cutoff", "horizon_step", "ds", "y", "ensemble"]
    ]
    figure = draw_coverage(measure_intervals(Predictions(points, ("ensemble",)))[1], hidden=set())
    assert (len(figure.data), bool(figure.layout.title.subtitle.text)) == (0, True)
