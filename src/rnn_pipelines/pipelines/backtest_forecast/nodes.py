"""Nodes of `backtest_forecast` that are not functions of the library."""

from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.forecast.backtest import Retraining
from rnn_pipelines.forecast.evaluation.schedules import BacktestResults
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.report import backtest as page
from rnn_pipelines.forecast.schedule import BacktestSpec, Retrainings
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.covariates import CovariateSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, OpenWindowSpec
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec, RetrainForecastSpec


def gather_recipe(  # noqa: PLR0913, PLR0917 - one for each block of parameters, whose types Kedro checks
    source: SourceSpec,
    gaps: GapPolicy,
    split: SplitSpec,
    window: OpenWindowSpec,
    calendar: CalendarSpec,
    covariates: CovariateSpec,
    evaluation: EvaluationSpec,
) -> Recipe:
    """Gathers how a table becomes windows."""
    return Recipe(
        source=source,
        gaps=gaps,
        split=split,
        window=window,
        calendar=calendar,
        covariates=covariates,
        evaluation=evaluation,
    )


def take_network(network: NetworkSpec) -> NetworkSpec:
    """Takes one network's block of parameters, which Kedro has checked."""
    return network


def gather_retraining(training: ForecastTrainingSpec, spec: RetrainForecastSpec, **networks: NetworkSpec) -> Retraining:
    """Gathers how windows become a challenger, and when it is promoted."""
    return Retraining(networks, training, spec)


def draw_error_against_cost(results: dict[str, Any]) -> Figure:
    """Draws what each schedule costs, and what it brings."""
    return page.draw_error_against_cost(BacktestResults(**results))


def render_report(results: dict[str, Any], retrainings: Retrainings, backtest: BacktestSpec, figure: Figure) -> str:
    """Puts verdict, table and picture into one HTML file that needs no network."""
    return page.render_report(BacktestResults(**results), retrainings, backtest, figure)
