"""The report says the verdict first, and every number that it stands on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure

from golden import fits_screen, has_in_order, is_golden
from rnn_pipelines.forecast.evaluation.realised import measure_groups
from rnn_pipelines.forecast.operations.verdict import MonitorForecastSpec
from rnn_pipelines.forecast.report.monitoring import (
    NOTES,
    NOTHING,
    describe_stability,
    draw_error_over_time,
    draw_realised_by_step,
    mark_versions,
    report_forecast_monitoring,
    tabulate_anomalies,
    tabulate_drift,
)
from rnn_pipelines.report.page import Table, read_plotly
from rnn_pipelines.report.report import Report

EVIL = "<img src='https://evil.example/x.png'>"
PROFILE = {"source": "data/sales.csv", "num_series": 2, "first": "2024-01-01", "last": "2024-10-26"}
STEP = {"horizon_step": 1, "num_forecasts": 1234, "mse": 4.0, "mae": 1.5, "expected_mse": 1.0}


def make_verdict(**changes: Any) -> dict[str, Any]:
    return {
        "verdict": "retrain",
        "reasons": ["the error is large", "the values have drifted"],
        "at": "2024-10-26T02:00:00+00:00",
        "version": "new",
        "promoted_at": "2024-10-01T02:00:00+00:00",
        "error": {
            "num_forecasts": 60,
            "num_cutoffs": 30,
            "num_without_expected_error": 0,
            "first_cutoff": "2024-09-26",
            "last_cutoff": "2024-10-25",
            "mse": 4.0,
            "mae": 1.5,
            "expected_mse": 1.0,
            "ratio": 4.0,
            "p_value": 1e-9,
        },
        "by_step": [STEP],
        "by_version": [
            {
                "model_version": name,
                "first_cutoff": "2024-09-01",
                "last_cutoff": "2024-09-20",
                **STEP,
            }
            for name in ("old", "new")
        ],
        "stability": {
            "version": {"stability": 0.25, "horizon_stability": 1.5},
            "issued": {"stability": 0.4, "horizon_stability": 2.4},
        },
        "intervals": [
            {
                "level": 80,
                "num_forecasts": 60,
                "num_cutoffs": 30,
                "coverage": 0.55,
                "p_value": 0.001,
            },
            {"level": 99, "num_forecasts": 60, "num_cutoffs": 30, "coverage": 0.95, "p_value": 0.2},
        ],
        "anomalies": [{"unique_id": "a", "ds": "2024-10-20", "y": 31.5, "lo": 8.0, "hi": 30.0}],
        "num_anomalies": 3,
        "drift": [
            {
                "unique_id": "a",
                "num_values": 30,
                "num_windows": 250,
                "shift": -1.2,
                "distance": 0.61,
                "p_value": 0.004,
            }
            | {"level": 21.5, "lowest_level": 6.0, "highest_level": 16.25},
            {
                "unique_id": "b",
                "num_values": 0,
                "num_windows": 9,
                "shift": None,
                "distance": None,
                "p_value": None,
            }
            | dict.fromkeys(("level", "lowest_level", "highest_level")),
        ],
        "covariate_drift": [],
        "coverage": {"missed_steps": {"a": 3, "b": 0}, "unknown_series": [], "num_not_finite": 0},
    } | changes


NO_ERROR = dict.fromkeys(make_verdict()["error"]) | {
    "num_forecasts": 0,
    "num_cutoffs": 0,
    "num_without_expected_error": 0,
}


def make_report(**changes: Any) -> Report:
    figures = {"error_over_time": Figure(), "error_by_step": Figure()}
    spec = MonitorForecastSpec(error={}, drift={})
    return report_forecast_monitoring(make_verdict(**changes), PROFILE, spec, **figures)


def write_report(**changes: Any) -> str:
    return make_report(**changes).render().replace(read_plotly(), "")


def list_tables(**changes: Any) -> list[Table]:
    sections = make_report(**changes).sections
    return [part for section in sections for part in section.parts if isinstance(part, Table)]


def test_page_is_the_golden_one() -> None:
    assert is_golden(write_report(), Path(__file__).parent / "golden/monitoring.txt")


def test_verdict_counts_further_reasons() -> None:
    assert has_in_order(make_report().verdict, "Retrain", "error", "1 more")


def test_verdict_of_one_reason_has_no_count() -> None:
    assert make_report(verdict="alarm", reasons=["damaged"]).verdict == "Alarm: damaged."
    assert "more" not in make_report(verdict="ok").verdict


def test_page_without_an_error_has_one_figure_with_a_reason() -> None:
    report = write_report(error=NO_ERROR, by_step=[], version="newest")
    assert NOTES["no_error"] in report
    assert report.count('class="plotly-graph-div"') == 1


def test_summary_fits_the_screen() -> None:
    reasons = [f"{number} of 50 series have drifted" for number in range(50)]
    many = make_report(reasons=reasons)
    assert fits_screen(many.summarize(), many.verdict)


def test_steps_are_tabulated() -> None:
    steps = list_tables()[0]
    assert steps.rows == [["1", "1,234", "2.000", "1.500", "1.000", "4.00"]]


def test_unknown_expected_error_of_a_step_is_a_dash() -> None:
    steps = list_tables(by_step=[STEP | {"expected_mse": None}])[0]
    assert steps.rows[0][-2:] == ["–", "–"]


def test_unknown_ratio_is_a_dash() -> None:
    error = make_verdict()["error"] | {"mse": None, "ratio": None, "p_value": None}
    assert has_in_order(write_report(error=error), "ratio –", "no p-value")


def test_anomalies_are_tabulated() -> None:
    assert tabulate_anomalies(make_verdict()["anomalies"]).rows == [
        ["a", "2024-10-20", "31.50", "8.000", "30.00"]
    ]


def test_further_anomalies_are_counted() -> None:
    assert "2 more" in write_report()


def test_drift_is_tabulated_with_dashes_for_missing_numbers() -> None:
    rows = tabulate_drift(make_verdict()["drift"]).rows
    assert rows == [
        ["a", "30", "250", "−1.20", "0.610", "0.004", "21.50", "6.000 to 16.25"],
        ["b", "0", "9", *"–––––"],
    ]


def test_page_without_intervals_has_no_section_of_them() -> None:
    assert ">Intervals<" not in write_report(intervals=[], anomalies=[], num_anomalies=0)


COVARIATE = {
    "covariate": "price",
    "num_values": 60,
    "num_series": 2,
    "num_drifted": 1,
    "distance": 0.5,
    "p_value": 0.01,
    "num_unknown": 0,
    "usual_fraction": 0.0,
}


def test_covariates_are_tabulated() -> None:
    tables = list_tables(covariate_drift=[COVARIATE])
    (table,) = (table for table in tables if table.header[0] == "covariate")
    assert table.rows == [["price", "60", "2", "1", "0.500", "0.01", "0"]]


def test_page_has_a_section_of_covariates_if_there_are_any() -> None:
    assert ">Covariates<" in write_report(covariate_drift=[COVARIATE])
    assert ">Covariates<" not in write_report()


def test_unknown_stability_is_not_described() -> None:
    nothing = {"stability": None, "horizon_stability": None}
    assert describe_stability({"version": nothing, "issued": nothing}) == ""


def test_stability_as_issued_is_described() -> None:
    nothing = {"stability": None, "horizon_stability": None}
    assert "0.400 as issued." in describe_stability(
        {"version": nothing, "issued": make_verdict()["stability"]["issued"]}
    )


def test_page_has_the_series_with_the_largest_drift() -> None:
    drift = [
        make_verdict()["drift"][0] | {"unique_id": f"s{number}", "distance": number / 30}
        for number in range(25)
    ]
    report = write_report(drift=drift)
    assert "5 more series" in report
    assert "<td>s24</td>" in report
    assert "<td>s4</td>" not in report


def test_report_is_whole_where_there_is_nothing_yet() -> None:
    report = write_report(
        verdict="ok",
        reasons=["there is no forecaster in use yet"],
        version=None,
        promoted_at=None,
        error=NO_ERROR,
        by_step=[],
        by_version=[],
        stability={
            key: {"stability": None, "horizon_stability": None} for key in ("version", "issued")
        },
        intervals=[],
        anomalies=[],
        num_anomalies=0,
        drift=[],
        coverage={"missed_steps": {}, "unknown_series": [], "num_not_finite": 0},
    )
    assert is_golden(report, Path(__file__).parent / "golden/monitoring_nothing.txt")
    assert 'class="plotly-graph-div"' not in report


@pytest.mark.parametrize(
    "changes",
    [
        {"reasons": [EVIL]},
        {"version": EVIL},
        {"coverage": {"missed_steps": {}, "unknown_series": [EVIL], "num_not_finite": 0}},
        {"by_version": [{"model_version": EVIL, "first_cutoff": "a", "last_cutoff": "b", **STEP}]},
    ],
)
def test_text_from_outside_is_escaped(changes: dict[str, Any]) -> None:
    report = write_report(**changes)
    assert "<img" not in report
    assert "&lt;img" in report


# Realised and expected error, with a mark where a model version begins.


NUM = 40


@pytest.fixture
def evaluated() -> pd.DataFrame:
    """One-step forecasts that are off by 1, and expected to be off by 2; the version changes in the middle."""
    cutoff = pd.date_range("2024-01-01", periods=NUM)
    return pd.DataFrame(
        {
            "unique_id": "a",
            "cutoff": cutoff,
            "ds": cutoff + pd.Timedelta(days=1),
            "horizon_step": 1,
            "model_version": np.where(np.arange(NUM) < 20, "z", "b"),
            "y": 0.0,
            "y_hat": np.where(np.arange(NUM) < 30, 1.0, 3.0),
            "expected_mse": 4.0,
        }
    )


def test_error_over_time_is_a_root_mean_square(evaluated: pd.DataFrame) -> None:
    single, mean, expected = draw_error_over_time(evaluated, 10).data
    assert list(single.y) == [1.0] * 30 + [3.0] * 10
    assert mean.y[29] == 1.0
    assert mean.y[34] == pytest.approx(np.sqrt((5 * 1 + 5 * 9) / 10))
    assert set(expected.y) == {2.0}


def test_first_forecast_of_each_version_is_marked(evaluated: pd.DataFrame) -> None:
    figure = draw_error_over_time(evaluated, 10)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [
        ("2024-01-01",) * 2,
        ("2024-01-21",) * 2,
    ]
    assert [(note.x, note.text.strip()) for note in figure.layout.annotations] == [
        ("2024-01-01", "v1"),
        ("2024-01-21", "v2"),
    ]


def test_versions_of_one_day_share_a_mark(evaluated: pd.DataFrame) -> None:
    both = pd.concat([evaluated, evaluated.assign(model_version="c")])
    assert [note.text.strip() for note in draw_error_over_time(both, 10).layout.annotations] == [
        "v1, v2",
        "v3",
    ]


def test_many_versions_are_marked_without_names(evaluated: pd.DataFrame) -> None:
    figure = draw_error_over_time(
        evaluated.assign(model_version=[f"{number:03}" for number in range(NUM)]), 10
    )
    assert (len(figure.layout.shapes), len(figure.layout.annotations)) == (NUM, 0)


def test_versions_are_marked_on_steps_too(evaluated: pd.DataFrame) -> None:
    figure = draw_error_over_time(evaluated.assign(cutoff=np.arange(NUM)), 10)
    assert [shape.x0 for shape in figure.layout.shapes] == [0, 20]


def test_axis_of_one_date_is_a_category(evaluated: pd.DataFrame) -> None:
    """Its scale would be microseconds."""
    axes = [draw_error_over_time(evaluated[:num], 10).layout.xaxis for num in (1, 2)]
    assert [axis.type for axis in axes] == ["category", None]
    assert [axis.title.text for axis in axes] == ["cut-off"] * 2


def test_versions_have_the_order_of_the_table(evaluated: pd.DataFrame) -> None:
    assert (
        mark_versions(evaluated)["model_version"].tolist()
        == measure_groups(evaluated, "model_version")["model_version"].tolist()
    )


def test_empty_figures_have_a_note(evaluated: pd.DataFrame) -> None:
    figures = draw_error_over_time(evaluated.head(0), 10), draw_realised_by_step([])
    assert [(len(figure.data), figure.layout.title.subtitle.text) for figure in figures] == [
        (0, NOTHING)
    ] * 2


def test_errors_of_each_step_are_drawn() -> None:
    realised, expected = draw_realised_by_step(
        [
            {"horizon_step": 1, "mse": 4.0, "expected_mse": 1.0},
            {"horizon_step": 2, "mse": 9.0, "expected_mse": None},
        ]
    ).data
    assert list(realised.y) == [2.0, 3.0]
    assert expected.y[0] == 1.0
    assert np.isnan(expected.y[1])
