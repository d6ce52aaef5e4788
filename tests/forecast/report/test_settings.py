"""The tables of a run's settings show the values that were chosen from the data."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.report.settings import list_chosen, tabulate_covariates
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import OpenWindowSpec
from rnn_pipelines.report.page import Table
from rnn_pipelines.report.trainings import tabulate_parameters

RECORD = {
    "hyperparameters": {
        "units": 8,
        "num_members": 5,
        "segment": 1,
        "batch_size": 64,
        "learning_rate": 0.005,
    }
}


def test_chosen_values_stand_in_place_of_null() -> None:
    days = pd.date_range("2021-01-01", periods=900)
    table = pd.DataFrame({"unique_id": "a", "ds": days, "y": np.sin(np.arange(900))})
    recipe = Recipe(source=SourceSpec(path="my.csv", target="Temp"), window=OpenWindowSpec())
    panel = prepare_panel(table, recipe)
    profile = {
        **panel.profile,
        "found": {"sep": ";"},
        "columns": {"time": "Day", "id": "shop", "series": []},
    }
    parameters = {
        **dict(recipe),
        "training": {"batch_size": None, "learning_rate": 0.01},
        "lstm": {},
    }
    shown = dict(
        tabulate_parameters(
            "forecast", parameters, list_chosen(profile, {"lstm": RECORD}, panel.features.calendar)
        ).rows
    )
    assert shown["forecast.source.target"] == "Temp"
    assert shown["forecast.source.sep"] == "; (chosen)"
    assert shown["forecast.source.freq"] == "D (chosen)"
    assert shown["forecast.source.id"] == "shop (chosen)"
    assert shown["forecast.window.lookback"] == f"{panel.profile['lookback']} (chosen)"
    assert [shown[f"forecast.calendar.{cycle}"] for cycle in ("yearly", "weekly", "daily")] == [
        "1 (chosen)",
        "1 (chosen)",
        "0 (chosen)",
    ]
    assert shown["forecast.evaluation.season_length"] == "7 (chosen)"
    assert shown["forecast.training.batch_size"] == "64 (chosen)"
    assert shown["forecast.training.learning_rate"] == "0.01"


# The report says which covariates were read, and what they add.


COVARIATES = pd.DataFrame(
    {
        "covariate": ["promo", "visitors"],
        "role": ["future", "past"],
        "read_as": "number",
        "effect": [-4.5, float("nan")],
        "is_percent": False,
    }
)


def tabulate_some(covariates: pd.DataFrame) -> Table:
    table = tabulate_covariates(covariates)
    assert isinstance(table, Table)
    return table


def test_each_covariate_has_a_row_and_no_calendar_is_claimed_without_features() -> None:
    rows = tabulate_some(COVARIATES).rows
    assert rows == [["promo", "future", "number", "−4.500"], ["visitors", "past", "number", "–"]]
    assert not tabulate_covariates(COVARIATES[:0])
    profile = {
        "found": {},
        "freq": "D",
        "target": "y",
        "lookback": 3,
        "horizon": 1,
        "season_length": 7,
    }
    assert not [name for name in list_chosen(profile, {}) if "calendar" in name]


@pytest.mark.parametrize(
    ("is_percent", "unit"), [(False, "effect, unit of the data"), (True, "effect, %")]
)
def test_unit_of_the_effect_is_said(is_percent: bool, unit: str) -> None:
    assert tabulate_some(COVARIATES.assign(is_percent=is_percent)).header[-1] == unit
