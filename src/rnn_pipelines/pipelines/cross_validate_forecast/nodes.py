"""Nodes of `cross_validate_forecast` that are not functions of the library."""

from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.forecast.cross_validation import CrossValidationSpec
from rnn_pipelines.forecast.evaluation.windows import WindowResults
from rnn_pipelines.forecast.fitting import ForecastSpec
from rnn_pipelines.forecast.intervals import LevelSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.report import cross_validation as page
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec


def gather_spec(
    recipe: Recipe, training: ForecastTrainingSpec, level: LevelSpec, **networks: NetworkSpec
) -> ForecastSpec:
    """Gathers what is fitted."""
    return ForecastSpec(recipe, networks, training, level)


def render_report(results: dict[str, Any], validation: CrossValidationSpec, figure: Figure) -> str:
    """Puts verdict, table and picture into one HTML file that needs no network."""
    return page.render_report(WindowResults(**results), validation, figure)
