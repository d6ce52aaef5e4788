"""Advice in the words of the program that ran."""

import pytest

from rnn_pipelines.forecast.evaluation.past_comparison import PastComparison, PastRival
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.report.advice import (
    FEW_WINDOWS,
    NUM_SENTENCES,
    Program,
    advise,
    advise_on_results,
)

NUMBERS = {"mae": 1.0, "mse": 1.0, "rmse": 1.0, "coverage_80": 0.79}


def make_metrics(
    error: float = 1.5, num_lower: int = 8, num_periods: int = 10, **changes: float
) -> ForecastMetrics:
    """Return metrics with the error of ridge relative to the ensemble, which is lower in some periods."""
    rivals = {"ridge": PastRival(relative_error=error, num_lower=num_lower)}
    past = PastComparison(num_origins=40, num_periods=num_periods, has_past=True, rivals=rivals)
    zero_fraction = changes.pop("zero_fraction", 0.0)
    num_windows = int(changes.pop("num_windows", FEW_WINDOWS))
    forecasters = {"ensemble": {**NUMBERS, **changes}, "ridge": NUMBERS}
    return ForecastMetrics(forecasters, None, zero_fraction, num_windows, past=past)


@pytest.mark.parametrize(
    ("program", "option"),
    [
        ("console", "--use ridge"),
        ("kedro", "forecast.use=ridge"),
        ("python", 'Forecaster(use="ridge")'),
    ],
)
def test_better_method_is_named_with_the_option_of_the_program(
    program: Program, option: str
) -> None:
    assert option in advise(make_metrics(0.8, 2), (80,), program)[0]


@pytest.mark.parametrize(("error", "num_lower"), [(0.8, 6), (0.97, 2), (1.2, 8)])
def test_method_that_is_not_clearly_better_is_not_named(error: float, num_lower: int) -> None:
    assert "--use" not in " ".join(advise(make_metrics(error, num_lower), (80,), "console"))


@pytest.mark.parametrize(("error", "is_named"), [(0.2, False), (0.01, True)])
def test_few_periods_show_only_large_differences(error: float, is_named: bool) -> None:
    metrics = make_metrics(error, 0, num_periods=1)
    assert ("--use" in " ".join(advise(metrics, (80,), "console"))) is is_named


@pytest.mark.parametrize("program", ["console", "python"])
def test_other_programs_name_no_command_of_kedro(program: Program) -> None:
    assert "kedro run" not in " ".join(advise(make_metrics(), (80,), program))


@pytest.mark.parametrize(
    ("metrics", "fact"),
    [
        (make_metrics(0.97, 2), "--future"),
        (make_metrics(coverage_80=0.6), "too narrow"),
        (make_metrics(zero_fraction=0.4), "sums over the horizon"),
        (make_metrics(num_windows=3), "More history"),
        (ForecastMetrics({}, None), "Add history"),
    ],
)
def test_results_lead_to_advice(metrics: ForecastMetrics, fact: str) -> None:
    assert fact in advise_on_results(metrics, (80,), "console", most=1)[0]


def test_good_results_lead_to_no_advice() -> None:
    assert advise_on_results(make_metrics(), (80,), "console") == []


def test_general_advice_fills_the_page() -> None:
    assert len(advise(make_metrics(), (80,), "console")) == NUM_SENTENCES
