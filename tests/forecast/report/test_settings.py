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


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    days = pd.date_range("2021-01-01", periods=900)
    table = pd.DataFrame({"unique_id": "a", "ds": days, "y": np.sin(np.arange(900))})
    recipe = Recipe(source=SourceSpec(path="my.csv", target="Temp"), window=OpenWindowSpec())
    panel = prepare_panel(table, recipe)
    profile = {
        **panel.profile,
        "found": {"sep": ";"},
        "columns": {"time": "Day", "id": "shop", "series": []},
        "lookback": 30,
    }
    parameters = {
        **dict(recipe),
        "training": {"batch_size": None, "learning_rate": 0.01},
        "lstm": {},
    }
    chosen = list_chosen(profile, {"lstm": RECORD}, panel.features.calendar)
    return dict(tabulate_parameters("forecast", parameters, chosen).rows)


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("source.sep", "; (chosen)"),
        ("source.freq", "D (chosen)"),
        ("source.id", "shop (chosen)"),
        ("window.lookback", "30 (chosen)"),
        ("calendar.yearly", "1 (chosen)"),
        ("calendar.weekly", "1 (chosen)"),
        ("calendar.daily", "0 (chosen)"),
        ("evaluation.season_length", "7 (chosen)"),
        ("training.batch_size", "64 (chosen)"),
    ],
)
def test_chosen_value_stands_in_place_of_null(
    shown: dict[str, str], parameter: str, expected: str
) -> None:
    assert shown[f"forecast.{parameter}"] == expected


@pytest.mark.parametrize(
    ("parameter", "expected"), [("source.target", "Temp"), ("training.learning_rate", "0.01")]
)
def test_given_value_is_shown(shown: dict[str, str], parameter: str, expected: str) -> None:
    assert shown[f"forecast.{parameter}"] == expected


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


def test_each_covariate_has_a_row() -> None:
    rows = tabulate_some(COVARIATES).rows
    assert rows == [["promo", "future", "number", "−4.500"], ["visitors", "past", "number", "–"]]


def test_table_without_covariates_is_left_out() -> None:
    assert not tabulate_covariates(COVARIATES[:0])


def test_no_calendar_is_claimed_without_features() -> None:
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
