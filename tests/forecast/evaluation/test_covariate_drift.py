"""Covariates drift as series do, and categories that nothing is known of are counted."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.drift import (
    CovariateDriftTable,
    DriftSpec,
    compare_covariates,
)
from rnn_pipelines.forecast.windows.coding import CodedColumn, Coding

NUM = 400
LEARNT = 340
NEWEST = 30
DAYS = pd.date_range("2024-01-01", periods=NUM)
CODING = Coding(
    columns=(
        CodedColumn(name="price", role="future"),
        CodedColumn(name="weather", role="past", levels=("sun", "rain"), shares=(0.5, 0.4)),
        CodedColumn(name="size", role="static"),
    ),
    holidays="DE",
)


def make_cells(shift: float = 0.0) -> pd.DataFrame:
    """Of two series, one of which has other prices in the end; there is fog on the newest three days."""
    rng = np.random.default_rng(0)
    tables = []
    for name, own in (("a", shift), ("b", 0.0)):
        price = rng.normal(size=NUM) + own * (np.arange(NUM) >= NUM - NEWEST)
        weather = np.where(np.arange(NUM) < NUM - 3, rng.choice(["sun", "rain"], NUM), "fog")
        tables.append(
            pd.DataFrame(
                {"unique_id": name, "ds": DAYS, "price": price, "weather": weather, "size": 7.0}
            )
        )
    return pd.concat(tables, ignore_index=True)


def compare(
    cells: pd.DataFrame, names: tuple[str, ...] = ("a", "b"), num_steps: int = NUM
) -> pd.DataFrame:
    """Of series that are known up to a step."""
    series = cells[["unique_id", "ds"]].assign(y=0.0, observed=True)
    series = series[series["ds"] < DAYS[0] + pd.Timedelta(days=num_steps)]
    trained_until = dict.fromkeys(names, DAYS[LEARNT - 1].isoformat())
    found = compare_covariates(series, cells, CODING, trained_until, 7, DriftSpec(num_steps=NEWEST))
    return CovariateDriftTable.validate(found).set_index("covariate")


def test_numbers_as_before_have_not_drifted() -> None:
    drift = compare(make_cells())
    assert drift["num_drifted"].tolist() == [0, 0, 0]
    assert drift.loc["price", "num_unknown"] == 0


def test_categories_that_training_did_not_know_are_counted() -> None:
    weather = compare(make_cells()).loc["weather"]
    assert (weather["num_unknown"], weather["num_values"]) == (6, 2 * NEWEST)
    assert weather["usual_fraction"] == pytest.approx(0.1)


def test_empty_cells_are_no_unknown_category() -> None:
    cells = make_cells().replace({"weather": {"fog": ""}})
    weather = compare(cells).loc["weather"]
    assert (weather["num_unknown"], weather["num_values"]) == (0, 2 * (NEWEST - 3))


def test_every_value_of_a_static_number_that_training_did_not_know_is_counted() -> None:
    size = compare(make_cells()).loc["size"]
    assert (size["num_series"], size["num_unknown"]) == (0, 2 * NEWEST)


def test_series_whose_numbers_have_shifted_are_counted() -> None:
    price = compare(make_cells(shift=10.0)).loc["price"]
    assert (price["num_drifted"], price["num_series"], price["num_values"]) == (1, 2, 2 * NEWEST)
    assert price["distance"] > 0.9


def test_numbers_outside_the_range_of_training_are_counted() -> None:
    """Also if they have been so for long, which the comparison with the season before can't show."""
    price = compare(make_cells(shift=10.0), num_steps=NUM - 3).loc["price"]
    assert price["num_unknown"] == NEWEST - 3


def test_values_before_the_shift_are_not_counted() -> None:
    drift = compare(make_cells(shift=10.0), num_steps=NUM - NEWEST)
    assert drift.loc[["price", "weather"], ["num_drifted", "num_unknown"]].to_numpy().sum() == 0


def test_only_series_of_the_training_are_compared() -> None:
    assert compare(make_cells(), names=("b",)).loc["price", "num_series"] == 1
    assert compare(make_cells(), names=()).empty
