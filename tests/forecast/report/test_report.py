"""The report says who wins and by how much, and holds all that belongs to it."""

import re
from types import SimpleNamespace

import plotly.io
import pytest
from plotly.offline import get_plotlyjs

from rnn_pipelines.forecast.evaluation.metrics import ForecastMetrics
from rnn_pipelines.forecast.report.figures import draw_figures
from rnn_pipelines.forecast.report.report import (
    render_report,
    tabulate_metrics,
    tabulate_profile,
    write_verdict,
)
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec

BASELINES = ("last_value", "seasonal_naive", "ridge")
EVIL = "<img src='https://evil.example/x.png'>"
RECORD = {
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
PROFILE = {
    "source": "folder/my.csv",
    "target": "y",
    "freq": "D",
    "season_length": 7,
    "num_series": 1,
    "num_steps": 60,
    "first": "2021-01-01",
    "last": "2021-03-01",
    "repairs": [],
}


def make_metrics(
    noise_floor: float | None = None, rmse: dict[str, float] | None = None, **mse: float
) -> ForecastMetrics:
    """Metrics with these MSEs; other baselines are far behind."""
    mse = {"lstm": 90.0, "gru": 95.0, "last_value": 80.0, "seasonal_naive": 70.0, "ridge": 60.0} | mse
    roots = {name: value**0.5 for name, value in mse.items()} | (rmse or {})
    forecasters = {
        name: {"mse": value, "rmse": roots[name], "mae": roots[name] / 2, "mase": value / 100}
        | {f"skill_vs_{other}": 1 - value / mse[other] if mse[other] else None for other in BASELINES if other != name}
        for name, value in mse.items()
    }
    return ForecastMetrics(forecasters, noise_floor)


@pytest.fixture(scope="module")
def write_report(make_results):
    """Renders a report of handmade results, without the code of Plotly."""

    def write(metrics: ForecastMetrics | None = None, **profile: object) -> str:
        results: SimpleNamespace = make_results()
        figures = draw_figures(
            results.predictions, results.series, results.next_values, results.by_step, **results.histories
        )
        # As the catalog returns them.
        loaded = {name: plotly.io.from_json(figure.to_json()) for name, figure in figures.items()}
        parameters = {"source": SourceSpec(path="folder/my.csv", seed=123), "gaps": GapPolicy("interpolate")}
        records = {"lstm": RECORD, "gru": RECORD}
        report = render_report(metrics or make_metrics(), PROFILE | profile, parameters, records, **loaded)
        return report.replace(get_plotlyjs(), "")

    return write


# The verdict


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (
            make_metrics(lstm=49.0, ridge=64.0),
            "LSTM, beats the best baseline, ridge: its MSE is 23.4% lower (RMSE 7.000 ",
        ),
        (
            make_metrics(gru=66.0, ridge=60.0),
            "The best network, GRU, loses to the best baseline, ridge: its MSE is 10.0%",
        ),
        (make_metrics(seasonal_naive=10.0), "the best baseline, seasonal naive:"),
        (make_metrics(lstm=60.5, ridge=60.0), "LSTM, is level with the best baseline, ridge: its MSE is 0.8% higher"),
        (make_metrics(lstm=59.5, ridge=60.0), "LSTM, is level with the best baseline, ridge: its MSE is 0.8% lower"),
        (make_metrics(lstm=1560.0, gru=1600.0), "its MSE is 26 times as high"),
        (make_metrics(lstm=0.2, gru=0.3, ridge=2.8e-16), "its MSE is more than 1,000 times as high"),
        (make_metrics(lstm=0.2, gru=0.3, ridge=0.0), "its MSE is 0.2000 where the baseline is exact"),
        (make_metrics(lstm=0.0, ridge=0.0), "is level with the best baseline, ridge: its MSE is the same"),
        (make_metrics(noise_floor=4.0, lstm=4.2), "and lies 5.0% above the noise floor."),
        (make_metrics(noise_floor=4.0, lstm=3.8), "and lies 5.0% below the noise floor, which is luck."),
        (make_metrics(noise_floor=0.0), "; the series has no noise, so its noise floor is 0."),
        (
            make_metrics(lstm=50.0, ridge=60.0, rmse={"lstm": 8.0, "ridge": 7.0}),
            "(RMSE 8.000 against 7.000, the other way round, for the MSE",
        ),
    ],
    ids=[
        "a network wins",
        "ridge wins",
        "another baseline is the best",
        "a tie, just above",
        "a tie, just below",
        "far behind",
        "thousands of times are not counted",
        "the baseline is exact",
        "both are exact",
        "above the noise floor",
        "below the noise floor",
        "no noise",
        "RMSE and MSE of a panel disagree",
    ],
)
def test_verdict_says_who_wins_and_by_how_much(metrics: ForecastMetrics, words: str) -> None:
    assert words in write_verdict(metrics)


# The table of metrics


def test_network_that_nobody_has_named_appears_too() -> None:
    metrics = make_metrics(my_network=49.0)
    assert write_verdict(metrics).startswith("The best network, my network, beats the best baseline, ridge:")
    assert tabulate_metrics(metrics).rows[-1][:2] == ["my network", "7.000"]


def test_metrics_stand_below_their_names() -> None:
    table = tabulate_metrics(make_metrics(lstm=49.0, last_value=100.0))
    assert dict(zip(table.header, table.rows[0], strict=True)) == {
        "forecaster": "LSTM",
        "RMSE": "7.000",
        "MAE": "3.500",
        "MSE": "49.00",
        "MASE": "0.4900",
        "skill vs last value": "+0.510",
        "skill vs seasonal naive": "+0.300",
        "skill vs ridge": "+0.183",
    }


def test_noise_floor_has_the_last_row() -> None:
    assert tabulate_metrics(make_metrics(noise_floor=4.0)).rows[-1][:4] == ["noise floor", "2.000", "–", "4.000"]


def test_noise_floor_of_0_is_a_number() -> None:
    assert tabulate_metrics(make_metrics(noise_floor=0.0)).rows[-1][:4] == ["noise floor", "0", "–", "0"]


def test_noise_floor_is_not_marked_as_the_best() -> None:
    table = tabulate_metrics(make_metrics(noise_floor=0.0))
    assert {row for row, _ in table.best} == {4}


def test_best_of_each_metric_is_marked() -> None:
    table = tabulate_metrics(make_metrics(lstm=50.0, ridge=60.0, rmse={"lstm": 8.0, "ridge": 7.0}))
    assert table.best == {(4, 1), (4, 2), (0, 3), (0, 4)}


def test_metrics_that_look_the_same_are_both_marked() -> None:
    table = tabulate_metrics(make_metrics(lstm=60.0001, ridge=60.0))
    assert {row for row, _ in table.best} == {0, 4}


def test_missing_mase_is_a_dash() -> None:
    metrics = make_metrics()
    for name in ("lstm", "gru", *BASELINES):
        metrics.forecasters[name]["mase"] = None
    table = tabulate_metrics(metrics)
    assert {row[4] for row in table.rows} == {"–"}
    assert 4 not in {column for _, column in table.best}


def test_baseline_has_no_skill_against_itself() -> None:
    assert tabulate_metrics(make_metrics()).rows[-1][-1] == "–"


def test_undefined_skill_is_a_dash() -> None:
    assert tabulate_metrics(make_metrics(ridge=0.0)).rows[0][-1] == "–"


# The other tables


def test_every_repair_is_told() -> None:
    rows = tabulate_profile(PROFILE | {"repairs": ["sorted by time", "gaps filled"]}).rows
    assert [row[1] for row in rows if row[0] == "repair"] == ["sorted by time", "gaps filled"]


def test_data_without_repairs_say_so() -> None:
    assert ["repair", "none needed"] in tabulate_profile(PROFILE).rows


def test_integer_frequency_is_told() -> None:
    assert ["frequency", "every 5 steps"] in tabulate_profile(PROFILE | {"freq": 5, "season_length": 1}).rows


# The whole report


def test_page_is_the_golden_one(write_report, is_golden) -> None:
    """A network loses to the ridge, of a synthetic series whose gap was filled."""
    assert is_golden(write_report(make_metrics(noise_floor=4.0), repairs=["gaps filled"]), "report")


def test_report_holds_no_outside_address(write_report) -> None:
    assert not re.search(r"//|\bsrc=|url\(|@import", write_report())


def test_report_links_only_to_its_own_sections(write_report) -> None:
    assert all(link.startswith("#section-") for link in re.findall(r'href="([^"]*)"', write_report()))


def test_report_explains_the_noise_floor_where_there_is_one(write_report) -> None:
    assert "only luck gets below it" in write_report(make_metrics(noise_floor=4.0))
    assert "only luck gets below it" not in write_report()


def test_report_of_a_panel_says_which_series_weigh_most(write_report) -> None:
    assert "Series with large values weigh most" in write_report(num_series=2)
    assert "Series with large values weigh most" not in write_report()


def test_text_from_data_is_escaped(write_report) -> None:
    report = write_report(source=EVIL, target=EVIL, first=EVIL, repairs=[EVIL])
    assert "<img" not in report
    assert report.count("&lt;img") >= 4
