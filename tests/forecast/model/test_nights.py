"""A night's inputs come back from its files, and two nights are laid side by side."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.model.artefact import forecast_panel
from rnn_pipelines.forecast.model.newest import lay_out_newest
from rnn_pipelines.forecast.model.nights import (
    Night,
    lay_out_night,
    mix_covariates,
    mix_values,
    pack_night,
    unpack_night,
)
from rnn_pipelines.forecast.source.specs import SourceSpec

DAYS = pd.date_range("2024-01-01", periods=8)


def make_series(values: list[float | None], begin: int = 0, name: str = "a") -> pd.DataFrame:
    y = np.array(values, float)
    days = DAYS[begin : begin + len(y)]
    return pd.DataFrame({"unique_id": name, "ds": days, "y": y, "observed": ~np.isnan(y)})


def test_values_after_the_end_are_new() -> None:
    rows = mix_values(make_series([1, 2, None, 4]), make_series([1, 3, None, 4, 5, 6]))
    assert rows["is_new"].tolist() == 4 * [False] + 2 * [True]


def test_values_before_the_end_are_revised() -> None:
    rows = mix_values(make_series([1, 2, None, 4]), make_series([1, 3, None, 4, 5, 6]))
    assert rows["is_revised"].tolist() == [False, True, False, False, False, False]
    np.testing.assert_array_equal(rows["y_after"], [1, 3, np.nan, 4, 5, 6])


def test_value_that_was_lost_is_revised() -> None:
    rows = mix_values(make_series([1, 2, 3, 4]), make_series([2, 3, 4, 5], begin=1))
    assert rows["is_revised"].tolist() == [True, False, False, False, False]
    assert rows["in_after"].tolist() == [False, True, True, True, True]


def test_rows_of_a_shorter_night_are_those_that_are_left() -> None:
    rows = mix_values(make_series([1, 2, 3, 4]), make_series([1, 2]))
    assert rows["ds"].tolist() == list(DAYS[:2])
    assert not rows[["is_new", "is_revised"]].any(axis=None)


ROLES = {"future": ("price",), "past": ("visits",), "static": ("size",)}


def make_night(num_days: int, covariates: pd.DataFrame) -> Night:
    coding = SimpleNamespace(
        list_columns=lambda roles=tuple(ROLES): [name for role in roles for name in ROLES[role]]
    )
    forecaster: Any = SimpleNamespace(settings=SimpleNamespace(horizon=2, freq="D"), coding=coding)
    return Night(forecaster, make_series([1.0] * num_days), covariates, "")


def make_covariates(
    price: list[float], visits: list[float | None], size: float = 1
) -> pd.DataFrame:
    days = DAYS[: len(price)]
    return pd.DataFrame(
        {
            "unique_id": "a",
            "ds": days,
            "price": price,
            "visits": np.array(visits, float),
            "size": size,
        }
    )


def mix(before: Night, after: Night) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    mixed, filled, changed = mix_covariates(before, after)
    assert mixed is not None
    assert filled is not None
    return mixed, filled, changed


@pytest.fixture(scope="module")
def mixed_nights() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, Night]:
    """Covariates as before, as after, the series that changed, and the later night."""
    before = make_night(3, make_covariates([1, 1, 1, 1, 1, 1], [1, 1, 1, None, None, None]))
    after = make_night(4, make_covariates([1, 1, 1, 2, 1, 2], [1, 3, 1, 1, None, None]))
    return *mix(before, after), after


def test_covariates_are_as_before_up_to_the_horizon(
    mixed_nights: tuple[pd.DataFrame, pd.DataFrame, pd.Series, Night],
) -> None:
    mixed, *_ = mixed_nights
    np.testing.assert_array_equal(mixed["price"], [1, 1, 1, 1, 1, 2])
    np.testing.assert_array_equal(mixed["visits"], [1, 1, 1, 1, np.nan, np.nan])


def test_covariates_of_the_later_night_are_kept(
    mixed_nights: tuple[pd.DataFrame, pd.DataFrame, pd.Series, Night],
) -> None:
    _, filled, changed, after = mixed_nights
    pd.testing.assert_frame_equal(filled, after.covariates, check_dtype=False)
    assert list(changed) == ["a"]


def test_covariates_after_the_horizon_are_no_change() -> None:
    before = make_night(3, make_covariates([1, 1, 1, 1, 1], [1, 1, 1, None, None]))
    after = make_night(4, make_covariates([1, 1, 1, 1, 1, 2], [1, 1, 1, 4, None, None]))
    assert mix_covariates(before, after)[2].empty


def test_static_covariates_are_as_before_in_all_rows() -> None:
    before = make_night(3, make_covariates([1, 1, 1, 1, 1], [1, 1, 1, None, None]))
    after = make_night(4, make_covariates([1, 1, 1, 1, 1, 1], [1, 1, 1, 1, None, None], size=2))
    mixed, filled, changed = mix(before, after)
    assert mixed["size"].unique().tolist() == [1]
    assert filled["size"].unique().tolist() == [2]
    assert list(changed) == ["a"]


@pytest.mark.parametrize("is_mixed", [False, True])
def test_a_night_comes_back_from_its_files(is_mixed: bool) -> None:
    """Texts, flags and numbers of one column, as from a spreadsheet, are read as text anyway."""
    random = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=70)
    kind = np.where(np.arange(70) % 3, "up", "down")
    table = pd.DataFrame({"unique_id": "a", "ds": days, "y": random.normal(size=70), "promo": kind})
    forecaster = Forecaster(
        h=3, level=None, lookback=7, freq="D", networks="pretrained", covariates={"past": ["promo"]}
    ).fit(table)
    covariates = table[["unique_id", "ds", "promo"]]
    if is_mixed:
        covariates = covariates.assign(
            promo=covariates["promo"].astype(object).where(covariates.index % 7 > 0, 3)
        )
    artefact = forecaster._make_artefact()
    laid_out = lay_out_newest(
        artefact, table[["unique_id", "ds", "y"]], SourceSpec(name="catalog"), covariates
    )
    made = lay_out_night(artefact, laid_out[2], covariates, "one")
    files = pack_night(made)
    assert files == pack_night(made)
    night = unpack_night(files)
    assert night.version == "one"
    again = lay_out_newest(
        night.forecaster,
        night.series[["unique_id", "ds", "y"]],
        SourceSpec(name="catalog"),
        night.covariates,
    )
    pd.testing.assert_frame_equal(
        forecast_panel(*again), forecast_panel(*laid_out), check_exact=True
    )
