"""Effects that are reported are those that the series were made with, in the unit of the data."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.covariates import (
    Covariates,
    CovariatesTable,
    describe_covariates,
)
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

NUM_DAYS, HORIZON = 400, 3
WEATHER = {"rain": -3.0, "sun": 3.0}


def describe(
    external: pd.DataFrame, covariates: CovariateSpec, source: SourceSpec, is_reversed: bool = False
) -> Covariates:
    window = WindowSpec(lookback=5, horizon=HORIZON)
    split = SplitSpec(validation=40, test=40)
    recipe = Recipe(source=source, covariates=covariates, window=window, split=split)
    table, cells = read_series(source, covariates, external)
    panel = prepare_panel(table, recipe, cells)
    columns = panel.coding.columns[::-1] if is_reversed else panel.coding.columns
    coding = panel.coding.model_copy(update={"columns": columns})
    return describe_covariates(
        panel.windows, fit_linear_models(panel.windows), coding, panel.scaler
    )


def make_shop(rng: np.random.Generator, level: float, is_product: bool) -> pd.DataFrame:
    """Sales to which promotion, price and weather are added, or by which the promotion multiplies them."""
    days = NUM_DAYS + HORIZON
    promo = (rng.random(days) < 0.3).astype(float)
    price = 10 + 2 * rng.normal(size=days)
    weather = rng.choice(list(WEATHER), days)
    y = (
        level
        + 40 * promo
        - 5 * price
        + np.array([WEATHER[name] for name in weather])
        + rng.normal(size=days)
    )
    if is_product:
        y = level * (1 + 0.5 * promo + 0.02 * rng.normal(size=days))
    y[NUM_DAYS:] = np.nan
    ds = pd.date_range("2024-01-01", periods=days)
    return pd.DataFrame(
        {"ds": ds, "y": y, "promo": promo, "price": price, "weather": weather, "visitors": y}
    )


@pytest.fixture(scope="module")
def one() -> Covariates:
    spec = CovariateSpec(future=("promo", "price", "weather"), past=("visitors",))
    shop = make_shop(np.random.default_rng(0), 200.0, is_product=False)
    return describe(shop, spec, SourceSpec(name="catalog"))


def test_each_category_has_its_effect(one: Covariates) -> None:
    assert CovariatesTable.validate(one) is one
    effect = one.set_index("covariate")["effect"]
    assert effect["weather = sun"] - effect["weather = rain"] == pytest.approx(6, rel=0.1)


def test_past_covariate_has_a_row_without_an_effect(one: Covariates) -> None:
    row = one.set_index("covariate").loc["visitors"]
    assert (row["role"], row["read_as"], np.isnan(row["effect"])) == ("past", "number", True)


@pytest.mark.parametrize(("name", "effect"), [("promo", 40.0), ("price", -5.0)])
def test_effect_is_per_unit_of_the_column_in_the_unit_of_the_data(
    one: Covariates, name: str, effect: float
) -> None:
    found = one.set_index("covariate")["effect"]
    assert found[name] == pytest.approx(effect, rel=0.1)


def test_effects_on_products_are_in_percent() -> None:
    """Of shops that sell 50 % more, whatever they sell."""
    rng = np.random.default_rng(1)
    shops = [
        make_shop(rng, 10.0**size, is_product=True).assign(shop=f"s{size}") for size in range(1, 5)
    ]
    source = SourceSpec(name="catalog", id="shop")
    row = describe(pd.concat(shops), CovariateSpec(future=("promo",)), source).iloc[0]
    assert (row["is_percent"], row["effect"]) == (True, pytest.approx(50, abs=3))


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    return make_shop(np.random.default_rng(0), 200.0, is_product=False)


def test_holidays_have_one_effect_each(shop: pd.DataFrame) -> None:
    table = describe(shop, CovariateSpec(holidays="DE"), SourceSpec(name="catalog"))
    assert table["covariate"].tolist() == ["holiday", "day before holiday", "day after holiday"]


def test_table_is_empty_without_covariates(shop: pd.DataFrame) -> None:
    table = describe(shop, CovariateSpec(), SourceSpec(name="catalog"))
    assert CovariatesTable.validate(table).empty


def test_order_of_the_covariates_changes_no_effect(shop: pd.DataFrame) -> None:
    """In a panel, holidays stand between the kinds of covariates that are known ahead."""
    spec = CovariateSpec(future=("promo", "price", "weather"), holidays="DE")
    changed, expected = (
        describe(shop, spec, SourceSpec(name="catalog"), is_reversed)
        .set_index("covariate")
        .sort_index()
        for is_reversed in (True, False)
    )
    pd.testing.assert_frame_equal(changed, expected)
