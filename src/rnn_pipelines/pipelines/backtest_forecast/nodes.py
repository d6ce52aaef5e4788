"""Nodes of `backtest_forecast`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.forecast.backtest import BacktestSpec, DataRecipe, TrainingRecipe
from rnn_pipelines.forecast.decision import RetrainForecastSpec
from rnn_pipelines.forecast.evaluation.schedules import BacktestResults
from rnn_pipelines.forecast.predictions import Predictions
from rnn_pipelines.forecast.series import newest
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

# Kedro resolves these hints when it checks parameters, and must not load Plotly for it.
if TYPE_CHECKING:
    from plotly.graph_objects import Figure
else:
    Figure = Any


def read_newest(external: pd.DataFrame | None, source: SourceSpec, backtest: BacktestSpec) -> pd.DataFrame:
    """Reads the series up to the last day that is replayed."""
    return newest.read_newest(external, source, backtest)


def gather_data_recipe(
    source: SourceSpec,
    gaps: GapPolicy,
    split: SplitSpec,
    window: WindowSpec,
    calendar_spec: CalendarSpec,
    evaluation: EvaluationSpec,
) -> DataRecipe:
    """Gathers how a table becomes windows."""
    return DataRecipe(source, gaps, split, window, calendar_spec, evaluation)


def gather_training_recipe(
    lstm: NetworkSpec, gru: NetworkSpec, training: ForecastTrainingSpec, retrain_spec: RetrainForecastSpec
) -> TrainingRecipe:
    """Gathers how windows become a challenger, and when it is promoted."""
    return TrainingRecipe({"lstm": lstm, "gru": gru}, training, retrain_spec)


def replay_schedules(
    table: pd.DataFrame, data: DataRecipe, training: TrainingRecipe, backtest: BacktestSpec, parallel: ParallelSpec
) -> tuple[Predictions, pd.DataFrame]:
    """Retrains and forecasts as each schedule would have done, day by day, each day from its past alone."""
    from rnn_pipelines.forecast import backtest as replays

    return replays.replay_schedules(table, data, training, backtest, parallel)


def draw_error_against_cost(results: dict[str, Any]) -> Figure:
    """Draws what each schedule costs, and what it brings."""
    from rnn_pipelines.forecast.report import backtest as backtest_forecast_report

    return backtest_forecast_report.draw_error_against_cost(BacktestResults(**results))


def render_report(results: dict[str, Any], retrainings: pd.DataFrame, backtest: BacktestSpec, figure: Figure) -> str:
    """Puts verdict, table and picture into one HTML file that needs no network."""
    from rnn_pipelines.forecast.report import backtest as backtest_forecast_report

    return backtest_forecast_report.render_backtest_report(BacktestResults(**results), retrainings, backtest, figure)
