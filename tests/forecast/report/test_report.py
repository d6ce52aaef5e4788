"""The report says who wins and by how much, and holds all that belongs to it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import plotly.io
import pytest
from plotly.graph_objects import Figure

from golden import extract_text, has_in_order, is_golden
from rnn_pipelines.forecast.evaluation.covariates import CovariatesTable
from rnn_pipelines.forecast.evaluation.interval_metrics import measure_intervals
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.report.diagnostics import draw_diagnostics
from rnn_pipelines.forecast.report.report import (
    ForecastResults,
    report_forecast,
)
from rnn_pipelines.forecast.report.settings import (
    tabulate_parts,
    tabulate_profile,
    tabulate_weights,
)
from rnn_pipelines.forecast.report.summary import tabulate_metrics
from rnn_pipelines.forecast.report.verdict import write_verdict
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.report.page import Table, read_plotly

GOLDEN = Path(__file__).parent / "golden/report.txt"
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
COVARIATES = pd.DataFrame(
    {
        "covariate": ["promo"],
        "role": ["future"],
        "read_as": ["number"],
        "effect": [-4.5],
        "is_percent": [False],
    }
)
CUTOFFS = pd.DataFrame(
    {
        "unique_id": ["s00000"],
        "num_steps": [62],
        "train_stop": [30],
        "validation_stop": [40],
        "validation_from": pd.to_datetime(["2021-01-31"]),
        "test_from": pd.to_datetime(["2021-02-10"]),
    }
)
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
    "not_evaluated": [],
}


def make_metrics(
    noise_floor: float | None = None,
    rmse: dict[str, float] | None = None,
    intervals: dict[str, tuple[float, float]] | None = None,
    **mse: float,
) -> ForecastMetrics:
    """Metrics with these MSEs, and intervals of their differences; other baselines are far behind."""
    mse = {
        "lstm": 90.0,
        "gru": 95.0,
        "last_value": 80.0,
        "seasonal_naive": 70.0,
        "ridge": 60.0,
    } | mse
    roots = {name: value**0.5 for name, value in mse.items()} | (rmse or {})
    least = min(mse[name] for name in BASELINES)
    forecasters = {
        name: {"mse": value, "rmse": roots[name], "mae": roots[name] / 2, "mase": value / 100}
        | {
            f"skill_vs_{other}": 1 - value / mse[other] if mse[other] else None
            for other in BASELINES
            if other != name
        }
        | {"difference": value / least - 1 if least else None}
        | dict(
            zip(
                ("difference_low", "difference_high"),
                (intervals or {}).get(name, (None, None)),
                strict=True,
            )
        )
        for name, value in mse.items()
    }
    return ForecastMetrics(forecasters, noise_floor)


def make_panel_metrics(**changes: object) -> ForecastMetrics:
    """Of several series, each weighing the same in MASE and relative MAE."""
    metrics = make_metrics(**changes)
    return metrics.add(
        {name: {"relative_mae": metrics.get(name, "mase")} for name in metrics.forecasters}
    )


def add_ensemble(next_values: Predictions) -> Predictions:
    """Of the ensemble, 10 at the first step, 11 at the second, ..., with an 80 % interval of ±2."""
    forecasts = next_values.table["horizon_step"] + 9.0
    bounds = {"ensemble-lo-80": forecasts - 2, "ensemble-hi-80": forecasts + 2}
    table = next_values.table.assign(ensemble=forecasts, **bounds)
    return Predictions(table, (*next_values.forecasters, "ensemble"), (80,))


@pytest.mark.parametrize(
    ("metrics", "facts"),
    [
        (
            make_metrics(lstm=49.0, ridge=64.0),
            ("LSTM", "ahead", "ridge", "MSE", "23.4 % lower", "7.000", "8.000"),
        ),
        (make_metrics(gru=66.0, ridge=60.0), ("GRU", "behind", "ridge", "MSE", "10.0 % higher")),
        (make_metrics(seasonal_naive=10.0), ("LSTM", "behind", "seasonal naive")),
        (make_metrics(lstm=60.5, ridge=60.0), ("LSTM", "level", "ridge", "0.8 % higher")),
        (make_metrics(lstm=59.5, ridge=60.0), ("LSTM", "level", "ridge", "0.8 % lower")),
        (make_metrics(lstm=1560.0, gru=1600.0), ("LSTM", "26 times")),
        (make_metrics(lstm=0.2, gru=0.3, ridge=2.8e-16), ("LSTM", "1,000 times")),
        (make_metrics(lstm=0.2, gru=0.3, ridge=0.0), ("LSTM", "0.2000", "is 0")),
        (make_metrics(lstm=0.0, ridge=0.0), ("LSTM", "level", "ridge")),
        (make_metrics(noise_floor=4.0, lstm=4.2), ("5.0 % above", "noise floor")),
        (make_metrics(noise_floor=4.0, lstm=3.8), ("5.0 % below", "noise floor")),
        (make_metrics(noise_floor=0.0), ("no noise",)),
        (
            make_metrics(lstm=50.0, ridge=60.0, rmse={"lstm": 8.0, "ridge": 7.0}),
            ("8.000", "7.000", "direction", "MSE"),
        ),
        (make_metrics(ensemble=10.0), ("LSTM", "behind", "ensemble", "ahead")),
        (make_metrics(my_network=49.0), ("my network", "ahead", "ridge")),
    ],
)
def test_verdict_names_the_winner(metrics: ForecastMetrics, facts: tuple[str, ...]) -> None:
    assert has_in_order(write_verdict(metrics), *facts)


@pytest.mark.parametrize(
    ("interval", "mse", "verb"),
    [
        ((-0.2, -0.05), 54.0, "beats"),
        ((-0.2, 0.0), 54.0, "is ahead of"),
        ((-0.001, 0.3), 69.0, "is behind"),
        ((-0.05, 0.6), 76.8, "is behind"),
        ((-0.05, 0.06), 60.3, "is level with"),
        ((0.001, 0.009), 60.3, "loses to"),
        ((-0.009, -0.001), 59.7, "beats"),
    ],
)
def test_verb_of_the_verdict_follows_the_interval(
    interval: tuple[float, float], mse: float, verb: str
) -> None:
    metrics = make_metrics(
        lstm=mse, ensemble=mse, intervals={"lstm": interval, "ensemble": interval}
    )
    metrics = replace(metrics, num_windows=14)
    ends = [f"{100 * end:+.1f} %".replace("-", "−") for end in interval]
    facts = (verb, *["chance", "14 windows"] * (verb in ("is ahead of", "is behind")), *ends)
    assert has_in_order(write_verdict(metrics), "LSTM", *facts, "ensemble", *facts)


def test_verdict_has_biases() -> None:
    biases = {"ensemble": {"bias": -0.1149}, "ridge": {"bias": 0.37}}
    assert has_in_order(
        write_verdict(make_metrics(ensemble=61.0).add(biases)), "−11.5 %", "+37.0 %"
    )


def test_verdict_warns_of_few_windows() -> None:
    metrics = replace(make_panel_metrics(lstm=76.8), num_windows=50, num_cutoffs=1)
    assert has_in_order(
        write_verdict(metrics), "behind", "28.0 % higher", "50 windows", "1 cut-off"
    )


def test_verdict_does_not_warn_of_few_windows_without_a_count() -> None:
    assert "too few" not in write_verdict(make_metrics(lstm=60.0))
    assert "too few" not in write_verdict(make_metrics(ridge=0.0))


def test_verdict_names_networks_that_correct_nothing() -> None:
    """Otherwise one of them would be called the best, although both are the ensemble of simple methods."""
    verdict = write_verdict(make_metrics(lstm=63.0, gru=63.0, baseline_ensemble=63.0))
    assert has_in_order(verdict, "No correction", "LSTM and GRU", "ensemble")


def test_verdict_names_the_one_network_that_corrects_nothing() -> None:
    verdict = write_verdict(make_metrics(lstm=63.0, gru=62.0, baseline_ensemble=63.0))
    assert has_in_order(verdict, "No correction", "LSTM", "ensemble")
    assert "LSTM and GRU" not in verdict


def test_verdict_does_not_name_networks_that_correct_the_ensemble() -> None:
    assert "No correction" not in write_verdict(
        make_metrics(lstm=61.0, gru=62.0, baseline_ensemble=63.0)
    )
    assert "ensemble" not in write_verdict(make_metrics())


def test_verdict_of_a_panel_is_by_mase() -> None:
    """The GRU is the better network, and seasonal naive the better baseline."""
    metrics = make_panel_metrics().add({"gru": {"mase": 0.5}, "seasonal_naive": {"mase": 0.55}})
    assert has_in_order(
        write_verdict(metrics), "GRU", "ahead", "seasonal naive", "MASE", "9.1 % lower"
    )


def test_verdict_warns_of_an_rmse_in_the_other_direction() -> None:
    metrics = make_panel_metrics(lstm=50.0, ridge=60.0, rmse={"lstm": 8.0, "ridge": 7.0})
    assert has_in_order(write_verdict(metrics), "RMSE", "direction", "MASE")


@pytest.mark.parametrize(
    ("ensemble", "facts"),
    [
        (0.9, ("constant", "zero", "RMSSE", "12.5 % higher")),
        (0.8, ("constant", "zero", "RMSSE", "same")),
        (0.79, ()),
    ],
)
def test_verdict_never_praises_an_ensemble_that_a_constant_reaches(
    ensemble: float, facts: tuple[str, ...]
) -> None:
    """Of the two constants, zero is the better one."""
    errors = {
        "lstm": 0.7,
        "gru": 1.0,
        "ridge": 1.0,
        "last_value": 1.0,
        "seasonal_naive": 1.0,
        "ensemble": ensemble,
    }
    metrics = make_panel_metrics(zero=1.0, mean=1.0, ensemble=1.0)
    metrics = metrics.add(
        {name: {"rmsse": error} for name, error in (errors | {"zero": 0.8, "mean": 1.1}).items()}
    )
    verdict = write_verdict(replace(metrics, zero_fraction=0.8))
    assert has_in_order(verdict, "80 %", "RMSSE", *facts)
    assert ("constant" in verdict) == bool(facts)


def find_row(table: Table, name: str) -> Sequence[str]:
    return next(row for row in table.rows if row[0] == name)


def find_difference(metrics: ForecastMetrics, name: str) -> str:
    """The cell of the difference from the best baseline."""
    return find_row(tabulate_metrics(metrics), name)[1]


def list_best(table: Table) -> set[tuple[str, str]]:
    """Marked cells, by who and by what."""
    return {(table.rows[row][0], table.header[column]) for row, column in table.best}


def test_forecasters_stand_from_best_to_worst() -> None:
    table = tabulate_metrics(make_metrics(lstm=48.0, gru=75.0, ridge=60.0))
    assert [row[0] for row in table.rows] == [
        "LSTM",
        "ridge",
        "seasonal naive",
        "GRU",
        "last value",
    ]


def test_numbers_stand_below_their_names() -> None:
    metrics = make_metrics(lstm=48.0, last_value=100.0, intervals={"lstm": (-0.312, 0.004)})
    numbers = {
        "bias": -0.0149,
        "total_wape": 0.12,
        "skill": 0.25,
        "fit_seconds": 12.34,
        "prediction_seconds": 0.00567,
    }
    table = tabulate_metrics(metrics.add({"lstm": numbers}))
    assert (
        dict(zip(table.header, table.rows[0], strict=True)).items()
        >= {
            "forecaster": "LSTM",
            "MSE against ridge, %": "−20.0 (−31.2 to +0.4)",
            "MSE": "48.00",
            "bias, %": "−1.5",
            "WAPE of totals, %": "12.0",
            "RMSE": "6.928",
            "MAE": "3.464",
            "MASE": "0.4800",
            "RMSSE": "–",
            "skill": "+0.250",
            "fit, s": "12",
            "predict, s": "< 0.01",
        }.items()
    )


def test_panel_is_ranked_by_mase() -> None:
    table = tabulate_metrics(make_panel_metrics())
    assert table.header[1:3] == ["MASE against ridge, %", "MASE"]


def test_panel_has_a_relative_mae() -> None:
    table = tabulate_metrics(make_panel_metrics())
    assert find_row(table, "LSTM")[table.header.index("relative MAE")] == "0.9000"


def test_one_series_has_no_relative_mae() -> None:
    assert "relative MAE" not in tabulate_metrics(make_metrics()).header


def test_noise_floor_has_the_metrics_of_squares() -> None:
    table = tabulate_metrics(make_metrics(noise_floor=4.0))
    cells = dict(zip(table.header, table.rows[-1], strict=True))
    assert {name: cell for name, cell in cells.items() if cell != "–"} == {
        "forecaster": "noise floor",
        "MSE": "4.000",
        "RMSE": "2.000",
    }


def test_noise_floor_is_not_marked_as_the_best() -> None:
    table = tabulate_metrics(make_metrics(noise_floor=0.0))
    assert find_row(table, "noise floor")[table.header.index("MSE")] == "0"
    assert {name for name, _ in list_best(table)} == {"ridge"}


def test_best_of_each_metric_is_marked() -> None:
    table = tabulate_metrics(make_metrics(lstm=50.0, ridge=60.0, rmse={"lstm": 8.0, "ridge": 7.0}))
    assert list_best(table) == {
        ("ridge", "RMSE"),
        ("ridge", "MAE"),
        ("LSTM", "MSE"),
        ("LSTM", "MASE"),
    }


def test_columns_of_skill_or_seconds_have_no_mark() -> None:
    numbers = {"relative_mae": 0.1, "skill": 0.5, "fit_seconds": 1.0}
    marked = list_best(tabulate_metrics(make_panel_metrics().add({"gru": numbers})))
    assert ("GRU", "relative MAE") in marked
    assert not {"skill", "fit, s", "predict, s"} & {heading for _, heading in marked}


def test_smallest_bias_is_marked() -> None:
    biases = {"lstm": {"bias": -0.3}, "gru": {"bias": 0.02}, "ridge": {"bias": 0.1}}
    assert ("GRU", "bias, %") in list_best(tabulate_metrics(make_metrics().add(biases)))


def test_equal_cells_are_both_marked() -> None:
    table = tabulate_metrics(make_metrics(lstm=60.0001, ridge=60.0))
    assert {name for name, _ in list_best(table)} == {"LSTM", "ridge"}


def test_missing_metric_is_a_dash_without_a_mark() -> None:
    metrics = make_metrics()
    for name in ("lstm", "gru", *BASELINES):
        vars(metrics)["forecasters"][name]["mase"] = None
    table = tabulate_metrics(metrics)
    place = table.header.index("MASE")
    assert {row[place] for row in table.rows} == {"–"}
    assert place not in {column for _, column in table.best}


def test_differences_are_from_the_best_baseline() -> None:
    metrics = make_metrics(lstm=75.0, last_value=90.0, intervals={"ridge": (0.0, 0.0)})
    assert [find_difference(metrics, name) for name in ("LSTM", "last value", "ridge")] == [
        "+25.0",
        "+50.0",
        "–",
    ]


def test_differences_from_an_error_of_0_are_dashes() -> None:
    assert find_difference(make_metrics(ridge=0.0), "LSTM") == "–"


def test_exact_forecasts_are_named() -> None:
    """A baseline of error 0 has no relative difference."""
    metrics = replace(make_metrics(lstm=0.0, gru=1.0, ridge=0.0), mean_size=10.0)
    assert [find_difference(metrics, name) for name in ("LSTM", "GRU", "ridge")] == [
        "exact",
        "–",
        "–",
    ]


def test_network_that_adds_nothing_is_named() -> None:
    table = tabulate_metrics(make_metrics(lstm=63.0, gru=62.0, baseline_ensemble=63.0))
    assert {row[0] for row in table.rows} >= {
        "LSTM (adds nothing)",
        "GRU",
        "ensemble of simple methods",
    }


@pytest.mark.parametrize("difference", [1e16, 5.0])
def test_errors_that_are_rounding_are_exact(difference: float) -> None:
    """Their ratio is that of two roundings."""
    metrics = make_metrics(lstm=1e-15, gru=1.0, ridge=1e-30).add(
        {"lstm": {"difference": difference}}
    )
    metrics = replace(metrics, mean_size=10.0)
    assert find_difference(metrics, "LSTM") == "exact"
    assert find_difference(metrics, "GRU") == "> +10,000"
    assert has_in_order(write_verdict(metrics), "LSTM", "level", "ridge", "exact")


def test_parts_stand_on_the_time_axis() -> None:
    rows = tabulate_parts(PROFILE, CUTOFFS).rows
    assert rows == [
        ["training", "2021-01-01", "30"],
        ["validation", "2021-01-31", "10"],
        ["test", "2021-02-10", "22"],
        ["forecast", "after 2021-03-01", "7"],
    ]


def test_parts_of_a_panel_have_ranges() -> None:
    """A series that is only forecast has no part."""
    young = CUTOFFS.assign(unique_id="young", train_stop=62, validation_stop=62)
    later = CUTOFFS.assign(unique_id="later", test_from=pd.Timestamp("2021-02-20"))
    rows = tabulate_parts(PROFILE, pd.concat([CUTOFFS, later, young])).rows
    assert rows[2] == ["test", "2021-02-10 to 2021-02-20", "44"]


def test_unknown_losses_of_the_ensemble_are_dashes() -> None:
    best = {
        "weights": {"baseline_ensemble": 1.0, "gru": 0.0},
        "losses": {"baseline_ensemble": None, "gru": None, "ensemble": None},
    }
    assert [row[2] for row in tabulate_weights(best).rows] == ["–", "–", "–"]


@pytest.fixture(scope="module")
def profile_rows() -> list[Sequence[str]]:
    found = {"sep": "semicolon", "time_format": "%d.%m.%Y"}
    changes = {"repairs": ["sorted", "gaps filled"], "found": found, "freq": 5}
    return list(tabulate_profile(PROFILE | changes).rows)


def test_profile_lists_repairs(profile_rows: list[Sequence[str]]) -> None:
    repairs = [row[1] for row in profile_rows if row[0] == "repair"]
    assert repairs == ["sorted", "gaps filled"]


def test_profile_has_the_dialect_of_the_file(profile_rows: list[Sequence[str]]) -> None:
    assert ["found in the file", "sep=semicolon, time_format='%d.%m.%Y'"] in profile_rows


def test_profile_has_the_frequency(profile_rows: list[Sequence[str]]) -> None:
    assert ["frequency", "every 5 steps"] in profile_rows


WriteReport = Callable[..., str]


@pytest.fixture(scope="module")
def write_report(make_results, draw) -> WriteReport:
    """Writes the page of a synthetic series, without the bundle of Plotly; equal calls are answered once."""

    @cache
    def draw_steps(num_steps: int) -> tuple[SimpleNamespace, dict[str, Figure]]:
        made: SimpleNamespace = make_results(horizon=num_steps)
        figures = draw(made) | draw_diagnostics(made.predictions, PROFILE)
        # As the catalog returns them.
        loaded = {name: plotly.io.from_json(figure.to_json()) for name, figure in figures.items()}
        return made, loaded

    def write(
        metrics: ForecastMetrics | None = None,
        num_steps: int = 3,
        covariates: pd.DataFrame = NO_COVARIATES,
        **profile: object,
    ) -> str:
        made, figures = draw_steps(num_steps)
        parameters = {
            "source": SourceSpec(path="folder/my.csv", seed=123),
            "gaps": GapPolicy("interpolate"),
        }
        results = ForecastResults(
            metrics=(metrics or make_metrics()).add(measure_intervals(made.predictions)[0]),
            profile=PROFILE | profile,
            cutoffs=CUTOFFS,
            test=made.predictions,
            next_values=add_ensemble(made.next_values),
            by_level=made.by_level,
            covariates=covariates,
            records={"lstm": RECORD, "gru": RECORD},
            ensemble=ENSEMBLE,
        )
        return report_forecast(results, parameters, figures).render().replace(read_plotly(), "")

    return write


@pytest.fixture(scope="module")
def report(write_report: WriteReport) -> str:
    return write_report()


def test_page_is_the_golden_one(write_report: WriteReport) -> None:
    """Of a synthetic series with a filled gap: a network loses to the ridge, and the ensemble is ahead of it."""
    intervals = {"lstm": (0.2, 0.8), "gru": (0.3, 0.9), "ensemble": (-0.2, 0.1)}
    metrics = make_metrics(noise_floor=4.0, ensemble=57.0, intervals=intervals)
    numbers = {
        "skill": -0.286,
        "fit_seconds": 62.0,
        "prediction_seconds": 0.25,
        "bias": -0.031,
        "total_wape": 0.12,
    }
    biases = {"ensemble": {"bias": 0.004}, "ridge": {"bias": -0.02}}
    metrics = replace(metrics.add({"lstm": numbers} | biases), num_windows=20)
    assert is_golden(write_report(metrics, repairs=["gaps filled"]), GOLDEN)


def test_page_loads_nothing(report: str) -> None:
    assert not re.search(r"//|\bsrc=|url\(|@import", report)
    assert all(link.startswith("#section-") for link in re.findall(r'href="([^"]*)"', report))


def test_notes_of_a_panel_explain_its_means(write_report: WriteReport) -> None:
    """Also of the covariates, whose effects in a panel are medians."""
    panel = extract_text(write_report(num_series=2, covariates=COVARIATES))
    assert has_in_order(
        panel, "root of the mean MSE", "the effect is the median over series", "Relative MAE"
    )


def test_glossary_explains_a_noise_floor(write_report: WriteReport) -> None:
    text = extract_text(write_report(make_metrics(noise_floor=4.0)))
    assert has_in_order(text, "Glossary", "noise floor")


@pytest.mark.parametrize(
    "note", ["root of the mean MSE", "noise floor", "Relative MAE", "## Covariates"]
)
def test_notes_that_do_not_apply_are_left_out(report: str, note: str) -> None:
    assert note not in extract_text(report)


@pytest.mark.parametrize(
    "text", ["Newest forecast of the test part", "Coverage by step ahead", "brackets"]
)
def test_parts_by_step_need_several_steps(
    report: str, write_report: WriteReport, text: str
) -> None:
    single = extract_text(write_report(num_steps=1))
    assert text in extract_text(report)
    assert text not in single
    assert "Nothing to compare" not in single


def test_season_is_explained_if_there_is_one(write_report: WriteReport) -> None:
    assert "mid-season" in write_report(season_length=7)
    assert "mid-season" not in write_report(season_length=1)


def test_texts_of_the_data_are_escaped(write_report: WriteReport) -> None:
    page = write_report(source=EVIL, target=EVIL, first=EVIL, repairs=[EVIL])
    assert "<img" not in page
    assert page.count("&lt;img") >= 4
