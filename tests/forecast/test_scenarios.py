"""Scenarios: forecasts for several futures, their differences, and the interval of the effect."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError, SeriesError
from rnn_pipelines.forecast.model.artefact import forecast_cutoffs
from rnn_pipelines.forecast.scenarios import (
    Situation,
    _tabulate_effects,
    check_scenarios,
    measure_effects,
)

NUM_DAYS = 200
HORIZON = 5
EFFECT = -4.0


def make_days(names: str = "a", freq: str = "D", tz: str | None = None) -> pd.DataFrame:
    """Return series that follow a price, with rows of the price over the horizon."""
    random = np.random.default_rng(0)
    tables = []
    for number, name in enumerate(names):
        price = 10 + random.integers(-2, 3, NUM_DAYS) / 2
        times = pd.date_range("2024-03-25", periods=NUM_DAYS, freq=freq, tz=tz)
        season = 5 * np.sin(np.arange(NUM_DAYS) * 2 * np.pi / 7)
        y = 50 * (number + 1) + EFFECT * (price - 10) + season + random.normal(0, 0.5, NUM_DAYS)
        tables.append(
            pd.DataFrame(
                {
                    "unique_id": name,
                    "ds": times,
                    "y": y,
                    "price": price,
                    "promo": random.random(NUM_DAYS) < 0.2,
                }
            )
        )
    frame = pd.concat(tables, ignore_index=True)
    return frame.assign(
        y=frame["y"].where(frame.groupby("unique_id").cumcount() < NUM_DAYS - HORIZON)
    )


def fit(frame: pd.DataFrame, **options: Any) -> Forecaster:
    blocks = {"networks": "pretrained", "futr_exog": ["price", "promo"]} | options
    return Forecaster(h=HORIZON, **blocks).fit(frame)


def take_ahead(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    return frame[frame["y"].isna()].drop(columns="y").assign(**columns)


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    return make_days()


@pytest.fixture(scope="module")
def fitted(days: pd.DataFrame) -> Forecaster:
    return fit(days)


def test_each_scenario_is_the_forecast_of_predict(fitted: Forecaster, days: pd.DataFrame) -> None:
    futures = {"now": take_ahead(days, price=10.0), "dear": take_ahead(days, price=11.0)}
    found = fitted.scenarios(futures)
    assert list(found)[:2] == ["unique_id", "ds"]
    for name, future in futures.items():
        expected = fitted.predict(future)
        np.testing.assert_array_equal(found[name], expected["ensemble"])
        np.testing.assert_array_equal(found[f"{name}-lo-80"], expected["ensemble-lo-80"])
    np.testing.assert_array_equal(found["dear-difference"], found["dear"] - found["now"])
    assert "now-difference" not in found


@pytest.fixture(scope="module")
def dear(fitted: Forecaster, days: pd.DataFrame) -> pd.DataFrame:
    """Prices of 10 and 11."""
    return fitted.scenarios(
        {"now": take_ahead(days, price=10.0), "dear": take_ahead(days, price=11.0)}
    )


def test_interval_of_a_difference_holds_the_effect(dear: pd.DataFrame) -> None:
    assert (dear["dear-difference-lo-95"] < EFFECT).all()
    assert (dear["dear-difference-hi-95"] > EFFECT).all()


def test_interval_of_a_difference_holds_the_difference(dear: pd.DataFrame) -> None:
    assert (dear["dear-difference-lo-80"] <= dear["dear-difference"]).all()
    assert (dear["dear-difference-hi-80"] >= dear["dear-difference"]).all()


def test_interval_of_a_difference_is_without_the_error_of_the_forecast(
    dear: pd.DataFrame,
) -> None:
    difference, forecast = (
        dear[f"{name}-hi-80"] - dear[f"{name}-lo-80"] for name in ("dear-difference", "dear")
    )
    assert (difference < forecast).all()


def test_equal_scenarios_differ_by_nothing(fitted: Forecaster, days: pd.DataFrame) -> None:
    found = fitted.scenarios({"now": take_ahead(days), "same": take_ahead(days)})
    assert (found.filter(like="same-difference") == 0).all(axis=None)


def test_later_steps_are_marked(fitted: Forecaster, days: pd.DataFrame) -> None:
    future = take_ahead(days, price=10.0)
    more = pd.concat([future, future.assign(ds=future["ds"] + pd.Timedelta(days=HORIZON))])
    found = fitted.scenarios({"now": more, "dear": more.assign(price=11.0)}, h=2 * HORIZON)
    assert found["is_recursive"].tolist() == [False] * HORIZON + [True] * HORIZON


def test_effect_that_did_not_vary_has_no_interval(caplog: pytest.LogCaptureFixture) -> None:
    frame = make_days()
    is_new = frame.groupby("unique_id").cumcount() >= NUM_DAYS - 60
    still = frame.assign(promo=frame["promo"] & ~is_new)
    found = fit(still).scenarios({"now": take_ahead(still), "promo": take_ahead(still, promo=True)})
    assert found.filter(like="promo-difference-").isna().all(axis=None)
    assert "promo changed no forecast" in caplog.text


def test_effects_are_seen_with_future_covariates_alone(days: pd.DataFrame) -> None:
    halved = days.assign(
        y=days["y"] - EFFECT / 2 * (days["price"] - 10) * (days.index >= NUM_DAYS - 45)
    )
    found = fit(halved).scenarios(
        {"now": take_ahead(days, price=10.0), "dear": take_ahead(days, price=11.0)}
    )
    assert (found["dear-difference-hi-80"] > EFFECT * 0.7).all()
    forecaster = fit(days[days["y"].notna()][["unique_id", "ds", "y"]], futr_exog=None)
    with pytest.raises(ParameterError, match="reads no future covariates"):
        forecaster.scenarios({"now": take_ahead(days)})


def test_loaded_forecaster_needs_the_past(
    fitted: Forecaster, days: pd.DataFrame, tmp_path: Path
) -> None:
    futures = {"now": take_ahead(days, price=10.0), "dear": take_ahead(days, price=11.0)}
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    found = loaded.scenarios(futures, days[days["y"].notna()])
    pd.testing.assert_frame_equal(found, fitted.scenarios(futures))
    # Rows ahead of the past are not mixed into a scenario.
    pd.testing.assert_frame_equal(loaded.scenarios(futures, days), found)
    with pytest.raises(ParameterError, match="holds no series"):
        loaded.scenarios(futures)


def test_scenario_of_one_series_changes_it_alone() -> None:
    frame = make_days("ab")
    dear = take_ahead(frame).assign(
        price=lambda table: np.where(table["unique_id"] == "b", 11.0, 10.0)
    )
    found = (
        fit(frame)
        .scenarios({"now": take_ahead(frame, price=10.0), "dear": dear})
        .set_index("unique_id")
    )
    assert (found.loc["a", "dear-difference"] == 0).all()
    assert found.loc["b", "dear-difference"].to_numpy() == pytest.approx(EFFECT, rel=0.15)


def test_zone_is_kept() -> None:
    frame = make_days(freq="h", tz="Europe/Berlin")
    forecaster = fit(frame)
    found = forecaster.scenarios(
        {"now": take_ahead(frame, price=10.0), "dear": take_ahead(frame, price=11.0)}
    )
    pd.testing.assert_series_equal(found["ds"], forecaster.predict()["ds"])
    assert (found["dear-difference"] < EFFECT / 2).all()


def test_names_with_dashes_are_taken() -> None:
    names = ["a", "a-b", "a-differences", "price-difference", "a-lo-x", "a-lo-80x"]
    assert list(check_scenarios(dict.fromkeys(names))) == names


def drop_promo(future: pd.DataFrame) -> pd.DataFrame:
    return future.drop(columns="promo")


@pytest.mark.parametrize(
    ("change", "column"),
    [(drop_promo, "promo"), (lambda future: future.iloc[:3], "price")],
    ids=["column", "steps"],
)
def test_error_names_the_column_of_a_scenario(
    fitted: Forecaster,
    days: pd.DataFrame,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    column: str,
) -> None:
    futures = {"now": take_ahead(days), "price +10 %": change(take_ahead(days))}
    with pytest.raises(SeriesError, match=f"scenario 'price \\+10 %'.*{column}"):
        fitted.scenarios(futures)


@pytest.mark.parametrize("futures", [{}, None, {"ds": 1}, {"": 1}, {1: 1}, []])
def test_scenarios_without_usable_names_are_refused(fitted: Forecaster, futures: Any) -> None:
    with pytest.raises(ParameterError, match="scenarios: expected"):
        fitted.scenarios(futures)


@pytest.mark.parametrize("name", ["a-difference", "a-lo-80", "a-hi-95", "a-difference-lo-80"])
def test_name_that_is_a_column_of_another_scenario_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="scenarios"):
        check_scenarios({"base": 1, name: 1, "a": 1})


@pytest.mark.parametrize("is_text", [False, True])
def test_series_without_a_covariate_hinders_no_others(
    fitted: Forecaster, days: pd.DataFrame, is_text: bool
) -> None:
    artefact = fitted._make_artefact().as_evaluated()
    series = fitted._require_training().panel.series
    covariates = fitted._covariates
    assert covariates is not None
    empty = covariates.assign(unique_id="empty", price=None if is_text else np.nan)
    table = pd.concat(
        [covariates.astype({"price": object} if is_text else {}), empty], ignore_index=True
    )
    found, expected = (
        _tabulate_effects(Situation(artefact, artefact, series, rows, HORIZON), ["price"])
        for rows in (table, covariates)
    )
    pd.testing.assert_frame_equal(found, expected)


def test_effect_is_that_of_the_values_after_each_cut_off() -> None:
    """The price is read in the window, too; scenarios do not change it there."""
    frame = make_days()
    # The series follows the price of the day before, which a scenario changes from the second step on.
    lagged = frame.assign(
        y=frame["y"] + EFFECT * (frame["price"].shift(fill_value=10) - frame["price"])
    )
    fitted = fit(lagged, networks="pretrained")
    artefact = fitted._make_artefact().as_evaluated()
    series = fitted._require_training().panel.series
    covariates = fitted._covariates
    assert covariates is not None
    table = _tabulate_effects(Situation(artefact, artefact, series, covariates, HORIZON), ["price"])
    cutoff = table["cutoff"].iloc[0]
    usual = covariates["price"].mode()[0]
    expected, without = (
        forecast_cutoffs(
            artefact, series, pd.DataFrame({"unique_id": ["a"], "cutoff": [cutoff]}), rows
        )["y_hat"]
        for rows in (
            covariates,
            covariates.assign(price=covariates["price"].mask(covariates["ds"] > cutoff, usual)),
        )
    )
    effect = table.loc[table["cutoff"] == cutoff, "effect"] * artefact.scaler["deviation"].iloc[0]
    assert effect.to_numpy() == pytest.approx((expected - without).to_numpy(), rel=1e-3, abs=1e-3)


def test_measured_factor_is_that_of_an_independent_regression(
    fitted: Forecaster, days: pd.DataFrame
) -> None:
    """The slope of numpy, and jackknife standard errors of a loop."""
    artefact = fitted._make_artefact().as_evaluated()
    situation = Situation(
        artefact, artefact, fitted._require_training().panel.series, fitted._covariates, HORIZON
    )
    table = _tabulate_effects(situation, ["price"])
    effect, error = (table[name] - table[name].mean() for name in ("effect", "error"))
    slopes = []
    for cutoff in table["cutoff"].unique():
        kept = table["cutoff"] != cutoff
        slopes.append(
            np.linalg.lstsq(effect[kept].to_numpy()[:, None], error[kept].to_numpy(), rcond=None)[
                0
            ][0]
        )
    slope = np.polyfit(table["effect"], table["error"], 1)[0]
    num = len(slopes)
    deviation = np.sqrt((num - 1) / num * np.sum((np.array(slopes) - slope) ** 2))
    (found,) = measure_effects(situation, ["price"], [80, 95]).values()
    for level, ends in found.items():
        reach = stats.t.ppf(0.5 + level / 200, num - 1) * deviation
        assert ends == pytest.approx((1 + slope - reach, 1 + slope + reach))


def test_series_of_a_panel_have_intervals_of_their_own() -> None:
    """The model shares its coefficients between the series, whose effects are 4, 1 and none."""
    random = np.random.default_rng(0)
    parts = []
    for name, effect in (("strong", -4.0), ("weak", -1.0), ("none", 0.0)):
        price = 10 + random.integers(-2, 3, 300) / 2
        y = 50 + effect * (price - 10) + random.normal(0, 0.5, 300)
        ds = pd.date_range("2024-01-01", periods=300)
        parts.append(pd.DataFrame({"unique_id": name, "ds": ds, "y": y, "price": price}))
    frame = pd.concat(parts)
    ahead = frame[frame.groupby("unique_id").cumcount() >= 293].drop(columns="y")
    past = frame.assign(y=frame["y"].where(frame.groupby("unique_id").cumcount() < 293))
    forecaster = Forecaster(h=7, networks="pretrained", futr_exog=["price"]).fit(past)
    table = forecaster.scenarios(
        {"now": ahead.assign(price=10.0), "dear": ahead.assign(price=11.0)}, level=[95]
    )
    low, high = (
        table.groupby("unique_id")[f"dear-difference-{side}-95"].first() for side in ("lo", "hi")
    )
    for name, effect in (("strong", -4.0), ("weak", -1.0), ("none", 0.0)):
        assert low[name] <= effect <= high[name], (name, low[name], high[name])


def test_covariates_for_a_part_of_a_horizon_are_refused_with_the_reason(
    fitted: Forecaster, days: pd.DataFrame
) -> None:
    with pytest.raises(
        SeriesError,
        match=rf"lacks 5 of 10 .* whole horizons of {HORIZON} steps: 10 steps for h=7\.",
    ):
        fitted.scenarios({"now": take_ahead(days)}, h=7)
    with pytest.raises(SeriesError, match=r"with covariates\.path\.$"):
        fitted.scenarios({"now": take_ahead(days)}, h=10)


def test_table_without_names_is_that_of_all_series() -> None:
    frame = make_days("ab")
    ahead = take_ahead(frame[frame["unique_id"] == "a"])
    both = pd.concat([ahead, ahead.assign(unique_id="b")])
    fitted = fit(frame)
    pd.testing.assert_frame_equal(
        fitted.scenarios({"now": ahead.drop(columns="unique_id")}), fitted.scenarios({"now": both})
    )
