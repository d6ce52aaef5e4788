"""The report says who wins and by how much, and holds all that belongs to it."""

import re
from collections.abc import Sequence
from types import SimpleNamespace

import pandas as pd
import plotly.io
import pytest
from plotly.offline import get_plotlyjs

from rnn_pipelines.forecast.evaluation.covariates import CovariatesTable
from rnn_pipelines.forecast.evaluation.interval_metrics import measure_intervals
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.report.report import (
    render_report,
    tabulate_metrics,
    tabulate_networks,
    tabulate_profile,
    tabulate_weights,
    write_verdict,
)
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.report.page import Table

BASELINES = ("last_value", "seasonal_naive", "ridge")
EVIL = "<img src='https://evil.example/x.png'>"
RECORD = {
    "training_seconds": 61.26,
    "num_steps": 1200,
    "best_step": 800,
    "shrinkage": 0.75,
    "num_parameters": 4512,
    "hyperparameters": {"units": 16, "num_members": 5, "segment": 7},
}
NO_COVARIATES = pd.DataFrame(columns=list(CovariatesTable.columns))
ENSEMBLE = {
    "weights": {"baseline_ensemble": 0.25, "lstm": 0.75, "gru": 0.0},
    "losses": {"baseline_ensemble": 0.5, "lstm": 0.4, "gru": 0.6, "ensemble": 0.39},
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
    "lookback": 30,
    "horizon": 7,
    "tz": None,
    "found": {},
    "repairs": [],
    "left_out": [],
    "unjudged": [],
}


def make_metrics(
    noise_floor: float | None = None,
    rmse: dict[str, float] | None = None,
    intervals: dict[str, tuple[float, float]] | None = None,
    **mse: float,
) -> ForecastMetrics:
    """Metrics with these MSEs, and intervals of their differences; other baselines are far behind."""
    mse = {"lstm": 90.0, "gru": 95.0, "last_value": 80.0, "seasonal_naive": 70.0, "ridge": 60.0} | mse
    roots = {name: value**0.5 for name, value in mse.items()} | (rmse or {})
    least = min(mse[name] for name in BASELINES)
    forecasters = {
        name: {"mse": value, "rmse": roots[name], "mae": roots[name] / 2, "mase": value / 100}
        | {f"skill_vs_{other}": 1 - value / mse[other] if mse[other] else None for other in BASELINES if other != name}
        | {"difference": value / least - 1 if least else None}
        | dict(zip(("difference_low", "difference_high"), (intervals or {}).get(name, (None, None)), strict=True))
        for name, value in mse.items()
    }
    return ForecastMetrics(forecasters, noise_floor)


def make_panel_metrics(**changes: object) -> ForecastMetrics:
    """Of several series, each weighing the same in MASE and relative MAE."""
    metrics = make_metrics(**changes)
    return metrics.add({name: {"relative_mae": metrics.get(name, "mase")} for name in metrics.forecasters})


@pytest.fixture(scope="module")
def write_report(make_results, draw):
    """Renders a report of handmade results, without the code of Plotly."""

    def write(metrics: ForecastMetrics | None = None, **profile: object) -> str:
        results: SimpleNamespace = make_results()
        # As the catalog returns them.
        loaded = {name: plotly.io.from_json(figure.to_json()) for name, figure in draw(results).items()}
        parameters = {"source": SourceSpec(path="folder/my.csv", seed=123), "gaps": GapPolicy("interpolate")}
        records = {"lstm": RECORD, "gru": RECORD}
        shown = (metrics or make_metrics()).add(measure_intervals(results.predictions)[0])
        tables = {"by_level": results.by_level, "covariates": NO_COVARIATES}
        report = render_report(shown, PROFILE | profile, parameters, records, ENSEMBLE, tables, **loaded)
        return report.replace(get_plotlyjs(), "")

    return write


# The verdict


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (
            make_metrics(lstm=49.0, ridge=64.0),
            "LSTM, beats the best baseline, ridge: its MSE is 23.4 % lower (RMSE 7.000 ",
        ),
        (
            make_metrics(gru=66.0, ridge=60.0),
            "The best network, GRU, loses to the best baseline, ridge: its MSE is 10.0 %",
        ),
        (make_metrics(seasonal_naive=10.0), "the best baseline, seasonal naive:"),
        (make_metrics(lstm=60.5, ridge=60.0), "LSTM, is level with the best baseline, ridge: its MSE is 0.8 % higher"),
        (make_metrics(lstm=59.5, ridge=60.0), "LSTM, is level with the best baseline, ridge: its MSE is 0.8 % lower"),
        (make_metrics(lstm=1560.0, gru=1600.0), "its MSE is 26 times as high"),
        (make_metrics(lstm=0.2, gru=0.3, ridge=2.8e-16), "its MSE is more than 1,000 times as high"),
        (make_metrics(lstm=0.2, gru=0.3, ridge=0.0), "its MSE is 0.2000 where the baseline is exact"),
        (make_metrics(lstm=0.0, ridge=0.0), "is level with the best baseline, ridge: its MSE is the same"),
        (make_metrics(noise_floor=4.0, lstm=4.2), "and lies 5.0 % above the noise floor."),
        (make_metrics(noise_floor=4.0, lstm=3.8), "and lies 5.0 % below the noise floor, which is luck."),
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


@pytest.mark.parametrize(
    ("interval", "mse", "verb"),
    [
        ((-0.2, -0.05), 54.0, "beats"),
        ((-0.2, 0.0), 54.0, "is level with"),
        ((-0.2, 0.1), 54.0, "is level with"),
        ((-0.001, 0.3), 69.0, "is level with"),
        ((0.05, 0.3), 69.0, "loses to"),
        ((0.001, 0.009), 60.3, "loses to"),
        ((-0.009, -0.001), 59.7, "beats"),
    ],
)
def test_verdict_is_level_exactly_where_the_interval_holds_0(
    interval: tuple[float, float], mse: float, verb: str
) -> None:
    metrics = make_metrics(lstm=mse, ensemble=mse, intervals={"lstm": interval, "ensemble": interval})
    said = write_verdict(metrics)
    assert f"The best network, LSTM, {verb} the best baseline, ridge" in said
    assert f"The ensemble, which goes into use, {verb} that baseline" in said


def test_verdict_tells_the_interval() -> None:
    metrics = make_metrics(lstm=49.0, ridge=64.0, intervals={"lstm": (-0.3512, -0.1)})
    assert "is 23.4 % lower (95 % interval −35.1 % to −10.0 %; RMSE 7.000 against 8.000)." in write_verdict(metrics)


def test_verdict_tells_of_network_and_combination_apart() -> None:
    """One loses, the other wins."""
    intervals = {"lstm": (0.02, 0.1), "ensemble": (-0.1, -0.02)}
    said = write_verdict(make_metrics(lstm=63.6, ensemble=57.0, ridge=60.0, intervals=intervals))
    first, second = said.split(" The ensemble, ")
    assert first.startswith("The best network, LSTM, loses to the best baseline, ridge: its MSE is 6.0 % higher (95 %")
    assert second.startswith(
        "which goes into use, beats that baseline: its MSE is 5.0 % lower (95 % interval −10.0 % to"
    )


def test_verdict_says_where_no_network_learnt_anything() -> None:
    """Else one of them would be called the best, though both are the ensemble of simple methods."""
    told = "No correction helps on held-out windows: the forecasts of LSTM and GRU are those of the ensemble of simple"
    assert told in write_verdict(make_metrics(lstm=63.0, gru=63.0, baseline_ensemble=63.0))
    assert "No correction" not in write_verdict(make_metrics(lstm=63.0, gru=62.0, baseline_ensemble=63.0))


def test_combination_is_no_network() -> None:
    assert write_verdict(make_metrics(ensemble=10.0)).startswith("The best network, LSTM, loses to")


def test_verdict_without_a_combination_tells_of_none() -> None:
    assert "ensemble" not in write_verdict(make_metrics())


def test_verdict_on_a_panel_is_by_mase() -> None:
    """In which the GRU is the better network, and seasonal naive the better baseline."""
    metrics = make_panel_metrics().add({"gru": {"mase": 0.5}, "seasonal_naive": {"mase": 0.55}})
    assert write_verdict(metrics).startswith(
        "The best network, GRU, beats the best baseline, seasonal naive: its MASE is 9.1 % lower"
    )


def test_verdict_on_a_panel_says_where_the_rmse_disagrees() -> None:
    metrics = make_panel_metrics(lstm=50.0, ridge=60.0, rmse={"lstm": 8.0, "ridge": 7.0})
    assert "the other way round, for the MASE gives each series the same weight)" in write_verdict(metrics)


# The table of metrics


def test_network_that_nobody_has_named_appears_too() -> None:
    metrics = make_metrics(my_network=49.0)
    assert write_verdict(metrics).startswith("The best network, my network, beats the best baseline, ridge:")
    assert tabulate_metrics(metrics).rows[0][:2] == ["my network", "7.000"]


REST = ["skill", "fit, s", "predict, s"]


def find_row(table: Table, name: str) -> Sequence[str]:
    return next(row for row in table.rows if row[0] == name)


def find_difference(metrics: ForecastMetrics, name: str) -> str:
    """The cell of the difference from the best baseline."""
    return find_row(tabulate_metrics(metrics), name)[-1 - len(REST)]


def list_best(table: Table) -> set[tuple[str, str]]:
    """Marked cells, by who and by what."""
    return {(table.rows[row][0], table.header[column]) for row, column in table.best}


def test_forecasters_stand_from_the_best_to_the_worst() -> None:
    table = tabulate_metrics(make_metrics(lstm=48.0, gru=75.0, ridge=60.0))
    assert [row[0] for row in table.rows] == ["LSTM", "ridge", "seasonal naive", "GRU", "last value"]


def test_metrics_stand_below_their_names() -> None:
    table = tabulate_metrics(make_metrics(lstm=48.0, last_value=100.0, intervals={"lstm": (-0.312, 0.004)}))
    assert dict(zip(table.header, table.rows[0], strict=True)) == {
        "forecaster": "LSTM",
        "RMSE": "6.928",
        "MAE": "3.464",
        "MSE": "48.00",
        "MASE": "0.4800",
        "MSE against ridge, %": "−20.0 (−31.2 to +0.4)",
        "skill": "–",
        "fit, s": "–",
        "predict, s": "–",
    }


def test_skill_and_seconds_stand_beside_the_error() -> None:
    numbers = {"skill": 0.25, "fit_seconds": 12.34, "prediction_seconds": 0.00567}
    row = find_row(tabulate_metrics(make_metrics().add({"lstm": numbers})), "LSTM")
    assert row[-3:] == ["+0.250", "12", "< 0.01"]


def test_metrics_of_a_panel_have_relative_mae_and_differences_of_mase() -> None:
    table = tabulate_metrics(make_panel_metrics())
    assert table.header[1:] == ["RMSE", "MAE", "MSE", "MASE", "relative MAE", "MASE against ridge, %", *REST]
    assert find_row(table, "LSTM")[5] == "0.9000"


def test_difference_without_an_interval_stands_alone() -> None:
    assert find_difference(make_metrics(lstm=75.0), "LSTM") == "+25.0"


def test_noise_floor_has_the_last_row() -> None:
    assert tabulate_metrics(make_metrics(noise_floor=4.0)).rows[-1][:4] == ["noise floor", "2.000", "–", "4.000"]


def test_noise_floor_of_0_is_a_number() -> None:
    assert tabulate_metrics(make_metrics(noise_floor=0.0)).rows[-1][:4] == ["noise floor", "0", "–", "0"]


def test_noise_floor_is_not_marked_as_the_best() -> None:
    table = tabulate_metrics(make_metrics(noise_floor=0.0))
    assert {name for name, _ in list_best(table)} == {"ridge"}


def test_best_of_each_metric_is_marked() -> None:
    table = tabulate_metrics(make_metrics(lstm=50.0, ridge=60.0, rmse={"lstm": 8.0, "ridge": 7.0}))
    assert list_best(table) == {("ridge", "RMSE"), ("ridge", "MAE"), ("LSTM", "MSE"), ("LSTM", "MASE")}


def test_best_relative_mae_of_a_panel_is_marked() -> None:
    """Nothing is marked in the last column."""
    table = tabulate_metrics(make_panel_metrics().add({"gru": {"relative_mae": 0.1}}))
    assert {cell for cell in list_best(table) if cell[1] in table.header[5:]} == {("GRU", "relative MAE")}


def test_metrics_that_look_the_same_are_both_marked() -> None:
    table = tabulate_metrics(make_metrics(lstm=60.0001, ridge=60.0))
    assert {name for name, _ in list_best(table)} == {"LSTM", "ridge"}


def test_missing_mase_is_a_dash() -> None:
    metrics = make_metrics()
    for name in ("lstm", "gru", *BASELINES):
        vars(metrics)["forecasters"][name]["mase"] = None
    table = tabulate_metrics(metrics)
    assert {row[4] for row in table.rows} == {"–"}
    assert 4 not in {column for _, column in table.best}


def test_best_baseline_does_not_differ_from_itself() -> None:
    assert find_difference(make_metrics(intervals={"ridge": (0.0, 0.0)}), "ridge") == "–"


def test_other_baselines_differ_from_the_best() -> None:
    assert find_difference(make_metrics(last_value=90.0), "last value") == "+50.0"


def test_difference_from_what_is_exact_is_a_dash() -> None:
    assert find_difference(make_metrics(ridge=0.0), "LSTM") == "–"


# The other tables


def test_networks_stand_with_what_was_chosen_and_how_far_they_are_trusted() -> None:
    table = tabulate_networks({"gru": RECORD})
    assert dict(zip(table.header, table.rows[0], strict=True)) == {
        "network": "GRU",
        "members": "5",
        "units": "16",
        "steps read as one": "7",
        "parameters": "4,512",
        "steps": "1,200",
        "best step": "800",
        "shrinkage": "0.75",
        "training, s": "61.3",
    }


def test_parts_of_the_best_combination_stand_with_their_weights_and_errors() -> None:
    assert tabulate_weights(ENSEMBLE).rows == [
        ["ensemble of simple methods", "0.2500", "0.5000"],
        ["LSTM", "0.7500", "0.4000"],
        ["GRU", "0", "0.6000"],
        ["ensemble", "–", "0.3900"],
    ]


def test_parts_that_nobody_could_judge_have_no_error() -> None:
    best = {
        "weights": {"baseline_ensemble": 1.0, "gru": 0.0},
        "losses": {"baseline_ensemble": None, "gru": None, "ensemble": None},
    }
    assert [row[2] for row in tabulate_weights(best).rows] == ["–", "–", "–"]


def test_every_repair_is_told() -> None:
    rows = tabulate_profile(PROFILE | {"repairs": ["sorted by time", "gaps filled"]}).rows
    assert [row[1] for row in rows if row[0] == "repair"] == ["sorted by time", "gaps filled"]


def test_what_was_found_of_a_file_is_told_as_it_could_be_given() -> None:
    found = {"sep": "semicolon", "time_format": "%d.%m.%Y"}
    rows = tabulate_profile(PROFILE | {"found": found}).rows
    assert ["found from the file", "sep=semicolon, time_format='%d.%m.%Y'"] in rows


def test_data_without_repairs_say_so() -> None:
    assert ["repair", "none needed"] in tabulate_profile(PROFILE).rows


def test_integer_frequency_is_told() -> None:
    assert ["frequency", "every 5 steps"] in tabulate_profile(PROFILE | {"freq": 5, "season_length": 1}).rows


# The whole report


def test_page_is_the_golden_one(write_report, is_golden) -> None:
    """A network loses to the ridge, of a synthetic series whose gap was filled; the combination is level with it."""
    intervals = {"lstm": (0.2, 0.8), "gru": (0.3, 0.9), "ensemble": (-0.2, 0.1)}
    metrics = make_metrics(noise_floor=4.0, ensemble=57.0, intervals=intervals)
    metrics = metrics.add({"lstm": {"skill": -0.286, "fit_seconds": 62.0, "prediction_seconds": 0.25}})
    assert is_golden(write_report(metrics, repairs=["gaps filled"]), "report")


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
