"""The overview has the newest forecasts of the log, and live against expected values of the monitor."""

from typing import Any

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.report.overview import (
    describe_drift,
    draw_newest_forecasts,
    report_forecast_monitor,
    report_forecasts,
)
from rnn_pipelines.report.page import Table


def make_log(*series: str, runs: int = 2, levels: tuple[int, ...] = (80, 99)) -> pd.DataFrame:
    """Three steps of each series in each run."""
    rows: list[dict[str, Any]] = [
        {
            "unique_id": name,
            "cutoff": pd.Timestamp("2026-01-01") + pd.Timedelta(days=run),
            "ds": pd.Timestamp("2026-01-01") + pd.Timedelta(days=run + step),
            "horizon_step": step,
            "y_hat": 10.0 * run + step,
            "model_version": f"v{run}",
            "recorded_at": pd.Timestamp("2026-01-02T03:04:05", tz="UTC") + pd.Timedelta(days=run),
            **{f"lo_{level}": 10.0 * run - level for level in levels},
            **{f"hi_{level}": 10.0 * run + level for level in levels},
        }
        for run in range(runs)
        for name in series
        for step in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


def test_text_describes_the_newest_forecasts() -> None:
    text, _ = report_forecasts(make_log("a"))
    assert [
        part in str(text)
        for part in ("3 forecasts", "1 series", "2026-01-03 03:04 UTC", "version v1")
    ] == [True] * 4


def test_only_the_newest_forecasts_are_drawn() -> None:
    _, figure = report_forecasts(make_log("a"))
    assert isinstance(figure, Figure)
    assert tuple(figure.data[-1].y) == (11.0, 12.0, 13.0)
    assert list(figure.data[-1].x) == ["2026-01-03", "2026-01-04", "2026-01-05"]


def test_revised_forecasts_replace_earlier_ones() -> None:
    log = make_log("a", "b")
    revised = log[(log["unique_id"] == "a") & (log["cutoff"] == "2026-01-02")]
    revised = revised.assign(y_hat=99.0, recorded_at=pd.Timestamp("2026-01-04", tz="UTC"))
    text, figure = report_forecasts(pd.concat([log, revised], ignore_index=True))
    assert "6 forecasts of 2 series" in str(text)
    assert isinstance(figure, Figure)
    shown = [tuple(trace.y) for trace in figure.data if trace.name == "forecast"]
    assert shown == [(99.0,) * 3, (11.0, 12.0, 13.0)]


def test_interval_is_drawn_with_the_forecast() -> None:
    figure = draw_newest_forecasts(make_log("a", runs=1))
    assert [trace.name for trace in figure.data] == ["80 % interval", "forecast"]
    assert set(figure.data[0].y) == {80.0, -80.0, None}


def test_forecast_without_levels_has_no_interval() -> None:
    assert [
        trace.name for trace in draw_newest_forecasts(make_log("a", runs=1, levels=())).data
    ] == ["forecast"]


def test_menu_has_the_escaped_names_of_the_series() -> None:
    figure = draw_newest_forecasts(make_log("a", "<b>", runs=1))
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["a", "&lt;b&gt;"]


def test_empty_log_has_no_section() -> None:
    assert report_forecasts(make_log("a").iloc[:0]) == []


def test_live_errors_are_beside_the_expected_ones() -> None:
    (table,) = (part for part in report_forecast_monitor(VERDICT) if isinstance(part, Table))
    assert table.rows == [
        ["MSE", "18.00", "12.00", "0.25"],
        ["inside the 80 % intervals", "60.0 %", "80 %", "0.5"],
    ]


def test_verdict_begins_the_section() -> None:
    first = str(report_forecast_monitor(VERDICT)[0])
    assert "2026-01-31 02:00 UTC" in first
    assert "Alarm: the error is large." in first


def test_verdict_without_forecasts_has_no_table() -> None:
    parts = report_forecast_monitor({**VERDICT, "error": {"num_forecasts": 0}})
    assert not any(isinstance(part, Table) for part in parts)


def test_largest_drift_is_described() -> None:
    known: Any = DRIFT[:2]
    assert "values of b differ most" in describe_drift(known)
    assert "0.750" in describe_drift(known)


def test_missing_drift_is_described() -> None:
    assert describe_drift([]) == "The drift was not measured."


ERROR = {
    "num_forecasts": 42,
    "num_cutoffs": 6,
    "first_cutoff": "2026-01-01",
    "last_cutoff": "2026-01-06",
    "mse": 18.0,
    "mae": 3.5,
    "expected_mse": 12.0,
    "ratio": 1.5,
    "p_value": 0.25,
}
DRIFT = [
    {"unique_id": "a", "distance": 0.25, "p_value": 0.5},
    {"unique_id": "b", "distance": 0.75, "p_value": 0.004},
    {"unique_id": "c", "distance": None, "p_value": None},
]
VERDICT: Any = {
    "verdict": "alarm",
    "reasons": ["the error is large"],
    "at": "2026-01-31T02:00:00+00:00",
    "error": ERROR,
    "intervals": [{"level": 80, "coverage": 0.6, "p_value": 0.5}],
    "drift": DRIFT,
}
