"""A fit on the past with a held-out test part, which cross-validation and tuning run in other processes."""

from dataclasses import dataclass, replace

import pandas as pd

from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.series.tables import Series, Source
from rnn_pipelines.forecast.windows.panel import EvaluationSpec


@dataclass(frozen=True)
class FitJob:
    """One fit, and forecasts of its test part.

    Attributes:
        number: of the job.
        table: as read, up to the end of the test part.
        covariate_table: of all steps; past covariates are not read after the cut-off of a window. None if there are
            none.
        spec: the methods to fit, with the test part.
    """

    number: int
    table: Source
    covariate_table: pd.DataFrame | None
    spec: ForecastSpec


def keep_back(spec: ForecastSpec, num_steps: int) -> ForecastSpec:
    """Return the spec with a test part of so many steps at the end of each series, and forecasts from each step."""
    recipe = spec.recipe
    evaluation = EvaluationSpec(season_length=recipe.evaluation.season_length, max_windows=10**9)
    split = recipe.split.model_copy(update={"test": num_steps})
    return replace(spec, recipe=recipe.model_copy(update={"split": split, "evaluation": evaluation}))


def open_gaps(series: Series) -> Source:
    """Return repaired series as they were read, because imputed values may depend on values after the end of a part."""
    grid = series.assign(y=series["y"].where(series["observed"])).drop(columns="observed")
    return grid.set_index(pd.RangeIndex(1, len(grid) + 1, name="row"))
