"""The report says who wins and by how much, and holds all that belongs to it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import plotly.io
import pytest

from golden import extract_text, has_in_order, is_golden
from rnn_pipelines.forecast.evaluation.covariates import CovariatesTable
from rnn_pipelines.forecast.evaluation.interval_metrics import measure_intervals
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.report.diagnostics import draw_diagnostics
from rnn_pipelines.forecast.report.report import (
    FEW_WINDOWS,
    NUM_SENTENCES,
    ForecastResults,
    advise,
    describe_expected_error,
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
def test_verdict_names_winner_and_difference(
    metrics: ForecastMetrics, facts: tuple[str, ...]
) -> None:
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
def test_verdict_follows_interval_size_and_sign(
    interval: tuple[float, float], mse: float, verb: str
) -> None:
    metrics = make_metrics(
        lstm=mse, ensemble=mse, intervals={"lstm": interval, "ensemble": interval}
    )
    metrics = replace(metrics, num_windows=14)
    ends = [f"{100 * end:+.1f} %".replace("-", "−") for end in interval]
    facts = (verb, *["chance", "14 windows"] * (verb in ("is ahead of", "is behind")), *ends)
    assert has_in_order(write_verdict(metrics), "LSTM", *facts, "ensemble", *facts)


def test_verdict_has_biases_and_warns_of_few_windows_and_useless_networks() -> None:
    biases = {"ensemble": {"bias": -0.1149}, "ridge": {"bias": 0.37}}
    assert has_in_order(
        write_verdict(make_metrics(ensemble=61.0).add(biases)), "−11.5 %", "+37.0 %"
    )
    metrics = replace(make_panel_metrics(lstm=76.8), num_windows=50, num_cutoffs=1)
    assert has_in_order(
        write_verdict(metrics), "behind", "28.0 % higher", "50 windows", "1 cut-off"
    )
    assert "too few" not in write_verdict(make_metrics(lstm=60.0))
    assert "too few" not in write_verdict(make_metrics(ridge=0.0))
    # Otherwise one of them would be called the best, although both are the ensemble of simple methods.
    verdict = write_verdict(make_metrics(lstm=63.0, gru=63.0, baseline_ensemble=63.0))
    assert has_in_order(verdict, "No correction", "LSTM and GRU", "ensemble")
    one = write_verdict(make_metrics(lstm=63.0, gru=62.0, baseline_ensemble=63.0))
    assert has_in_order(one, "No correction", "LSTM", "ensemble")
    assert "LSTM and GRU" not in one
    assert "No correction" not in write_verdict(
        make_metrics(lstm=61.0, gru=62.0, baseline_ensemble=63.0)
    )
    assert "ensemble" not in write_verdict(make_metrics())
    # In which the GRU is the better network, and seasonal naive the better baseline.
    metrics = make_panel_metrics().add({"gru": {"mase": 0.5}, "seasonal_naive": {"mase": 0.55}})
    assert has_in_order(
        write_verdict(metrics), "GRU", "ahead", "seasonal naive", "MASE", "9.1 % lower"
    )
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


def test_forecasters_stand_from_best_to_worst_with_numbers_below_their_names() -> None:
    table = tabulate_metrics(make_metrics(lstm=48.0, gru=75.0, ridge=60.0))
    assert [row[0] for row in table.rows] == [
        "LSTM",
        "ridge",
        "seasonal naive",
        "GRU",
        "last value",
    ]
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
    table = tabulate_metrics(make_panel_metrics())
    assert table.header[1:3] == ["MASE against ridge, %", "MASE"]
    assert find_row(table, "LSTM")[table.header.index("relative MAE")] == "0.9000"
    assert "relative MAE" not in tabulate_metrics(make_metrics()).header


def test_best_of_each_metric_is_marked_but_not_the_noise_floor() -> None:
    table = tabulate_metrics(make_metrics(noise_floor=4.0))
    cells = dict(zip(table.header, table.rows[-1], strict=True))
    assert {name: cell for name, cell in cells.items() if cell != "–"} == {
        "forecaster": "noise floor",
        "MSE": "4.000",
        "RMSE": "2.000",
    }
    table = tabulate_metrics(make_metrics(noise_floor=0.0))
    assert find_row(table, "noise floor")[table.header.index("MSE")] == "0"
    assert {name for name, _ in list_best(table)} == {"ridge"}
    table = tabulate_metrics(make_metrics(lstm=50.0, ridge=60.0, rmse={"lstm": 8.0, "ridge": 7.0}))
    assert list_best(table) == {
        ("ridge", "RMSE"),
        ("ridge", "MAE"),
        ("LSTM", "MSE"),
        ("LSTM", "MASE"),
    }
    # Nothing is marked in the columns of skill and seconds.
    numbers = {"relative_mae": 0.1, "skill": 0.5, "fit_seconds": 1.0}
    marked = list_best(tabulate_metrics(make_panel_metrics().add({"gru": numbers})))
    assert ("GRU", "relative MAE") in marked
    assert not {"skill", "fit, s", "predict, s"} & {heading for _, heading in marked}
    biases = {"lstm": {"bias": -0.3}, "gru": {"bias": 0.02}, "ridge": {"bias": 0.1}}
    assert ("GRU", "bias, %") in list_best(tabulate_metrics(make_metrics().add(biases)))
    table = tabulate_metrics(make_metrics(lstm=60.0001, ridge=60.0))
    assert {name for name, _ in list_best(table)} == {"LSTM", "ridge"}


def test_differences_are_from_the_best_baseline_and_missing_ones_dashes() -> None:
    metrics = make_metrics()
    for name in ("lstm", "gru", *BASELINES):
        vars(metrics)["forecasters"][name]["mase"] = None
    table = tabulate_metrics(metrics)
    place = table.header.index("MASE")
    assert {row[place] for row in table.rows} == {"–"}
    assert place not in {column for _, column in table.best}
    metrics = make_metrics(lstm=75.0, last_value=90.0, intervals={"ridge": (0.0, 0.0)})
    assert [find_difference(metrics, name) for name in ("LSTM", "last value", "ridge")] == [
        "+25.0",
        "+50.0",
        "–",
    ]
    assert find_difference(make_metrics(ridge=0.0), "LSTM") == "–"
    # A baseline of error 0 has no relative difference.
    metrics = replace(make_metrics(lstm=0.0, gru=1.0, ridge=0.0), mean_size=10.0)
    assert [find_difference(metrics, name) for name in ("LSTM", "GRU", "ridge")] == [
        "exact",
        "–",
        "–",
    ]
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


def test_parts_stand_on_the_time_axis_and_the_profile_lists_repairs() -> None:
    rows = tabulate_parts(PROFILE, CUTOFFS).rows
    assert rows == [
        ["training", "2021-01-01", "30"],
        ["validation", "2021-01-31", "10"],
        ["test", "2021-02-10", "22"],
        ["forecast", "after 2021-03-01", "7"],
    ]
    # A series that is only forecast has no part.
    young = CUTOFFS.assign(unique_id="young", train_stop=62, validation_stop=62)
    later = CUTOFFS.assign(unique_id="later", test_from=pd.Timestamp("2021-02-20"))
    rows = tabulate_parts(PROFILE, pd.concat([CUTOFFS, later, young])).rows
    assert rows[2] == ["test", "2021-02-10 to 2021-02-20", "44"]
    best = {
        "weights": {"baseline_ensemble": 1.0, "gru": 0.0},
        "losses": {"baseline_ensemble": None, "gru": None, "ensemble": None},
    }
    assert [row[2] for row in tabulate_weights(best).rows] == ["–", "–", "–"]
    found = {"sep": "semicolon", "time_format": "%d.%m.%Y"}
    rows = tabulate_profile(
        PROFILE | {"repairs": ["sorted", "gaps filled"], "found": found, "freq": 5}
    ).rows
    assert [row[1] for row in rows if row[0] == "repair"] == ["sorted", "gaps filled"]
    assert ["found in the file", "sep=semicolon, time_format='%d.%m.%Y'"] in rows
    assert ["frequency", "every 5 steps"] in rows


def test_page_is_the_golden_one_and_its_notes_follow_the_data(make_results, draw) -> None:
    """Of a synthetic series with a filled gap: a network loses to the ridge, and the ensemble is ahead of it."""
    # Renders a report of handmade results, without the code of Plotly.

    def write_report(
        metrics: ForecastMetrics | None = None,
        num_steps: int = 3,
        covariates: pd.DataFrame = NO_COVARIATES,
        **profile: object,
    ) -> str:
        made: SimpleNamespace = make_results(horizon=num_steps)
        figures = draw(made) | draw_diagnostics(made.predictions, PROFILE)
        # As the catalog returns them.
        loaded = {name: plotly.io.from_json(figure.to_json()) for name, figure in figures.items()}
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
        report = report_forecast(results, parameters, loaded).render()
        return report.replace(read_plotly(), "")

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
    assert not re.search(r"//|\bsrc=|url\(|@import", write_report())
    assert all(
        link.startswith("#section-") for link in re.findall(r'href="([^"]*)"', write_report())
    )
    # And on the covariates, whose effects in a panel are medians.
    plain = extract_text(write_report())
    panel = extract_text(write_report(num_series=2, covariates=COVARIATES))
    assert has_in_order(
        panel, "root of the mean MSE", "the effect is the median over series", "Relative MAE"
    )
    assert has_in_order(
        extract_text(write_report(make_metrics(noise_floor=4.0))), "Glossary", "noise floor"
    )
    assert not any(
        text in plain
        for text in ("root of the mean MSE", "noise floor", "Relative MAE", "## Covariates")
    )
    several = extract_text(write_report())
    one = extract_text(write_report(num_steps=1))
    for text in ("Newest forecast of the test part", "Coverage by step ahead", "brackets"):
        assert text in several
        assert text not in one
    assert "Nothing to compare" not in one
    assert "mid-season" in write_report(season_length=7)
    assert "mid-season" not in write_report(season_length=1)
    report = write_report(source=EVIL, target=EVIL, first=EVIL, repairs=[EVIL])
    assert "<img" not in report
    assert report.count("&lt;img") >= 4


# The first sentences are about the results.


NUMBERS = {"rmse": 2.0, "coverage_80": 0.79}


def make_blocks(**mae: float) -> ForecastMetrics:
    blocks = {name: {**NUMBERS, "mae": error, "mse": error**2} for name, error in mae.items()}
    return ForecastMetrics(blocks, None, num_windows=FEW_WINDOWS, mean_size=10.0)


WINS = make_blocks(ensemble=1.0, lstm=1.5, seasonal_naive=4.0)


def test_expected_error_is_that_of_the_ensemble_unless_it_is_exact() -> None:
    sentence = describe_expected_error(WINS)
    assert "±1.00 " in sentence
    assert "25 % of the error of seasonal naive" in sentence
    assert "exact" in describe_expected_error(make_blocks(ensemble=1e-7, seasonal_naive=4.0))
    assert "%" not in describe_expected_error(make_blocks(ensemble=1.0, seasonal_naive=0.0))
    assert describe_expected_error(make_blocks(lstm=1.0)) == ""


@pytest.mark.parametrize(
    ("metrics", "fact"),
    [
        (make_blocks(ensemble=1.0, lstm=1.5, seasonal_naive=0.5), "seasonal naive"),
        (WINS.add({"ensemble": {"coverage_80": 0.6}}), "80 %"),
        (replace(WINS, zero_fraction=0.62), "62 %"),
        (replace(WINS, num_windows=5), "5 windows"),
        (ForecastMetrics({}, None), "cross_validate_forecast"),
    ],
)
def test_fact_comes_first(metrics: ForecastMetrics, fact: str) -> None:
    sentences = advise(metrics, (80,))
    assert fact in sentences[0]
    assert len(sentences) == NUM_SENTENCES
    assert fact not in " ".join(advise(WINS, (80,))[:2])
