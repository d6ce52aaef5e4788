"""The first sentences are about the results."""

from dataclasses import replace

import pytest

from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.report.report import FEW_WINDOWS, NUM_SENTENCES, advise, describe_expected_error

NUMBERS = {"rmse": 2.0, "coverage_80": 0.79}


def make_metrics(**mae: float) -> ForecastMetrics:
    blocks = {name: {**NUMBERS, "mae": error, "mse": error**2} for name, error in mae.items()}
    return ForecastMetrics(blocks, None, num_windows=FEW_WINDOWS, mean_size=10.0)


WINS = make_metrics(ensemble=1.0, lstm=1.5, seasonal_naive=4.0)


def test_expected_error_is_that_of_the_ensemble() -> None:
    sentence = describe_expected_error(WINS)
    assert "±1.00 " in sentence
    assert "25 % of the error of seasonal naive" in sentence


def test_error_that_is_rounding_is_exact() -> None:
    assert "exact" in describe_expected_error(make_metrics(ensemble=1e-7, seasonal_naive=4.0))


def test_reference_without_error_gives_no_share() -> None:
    assert "%" not in describe_expected_error(make_metrics(ensemble=1.0, seasonal_naive=0.0))


def test_what_was_not_evaluated_has_no_expected_error() -> None:
    assert describe_expected_error(make_metrics(lstm=1.0)) == ""


@pytest.mark.parametrize(
    ("metrics", "fact"),
    [
        (make_metrics(ensemble=1.0, lstm=1.5, seasonal_naive=0.5), "seasonal naive"),
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
