"""The report says which covariates were read, and what they add."""

import pandas as pd
import pytest

from rnn_pipelines.forecast.report.settings import tabulate_covariates
from rnn_pipelines.report.page import Table

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


@pytest.mark.parametrize(("is_percent", "unit"), [(False, "effect, unit of the data"), (True, "effect, %")])
def test_unit_of_the_effect_is_said(is_percent: bool, unit: str) -> None:
    assert tabulate_some(COVARIATES.assign(is_percent=is_percent)).header[-1] == unit


def test_table_without_covariates_is_left_out() -> None:
    assert tabulate_covariates(COVARIATES[:0]) is None
