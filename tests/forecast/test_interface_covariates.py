"""Covariates in Python: read by all, known ahead where they must be, and never from beyond a cut-off."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError, SeriesError

HORIZON = 3
SMALL = {
    "lookback": 7,
    "level": [50],
    "lstm": {"units": 3},
    "gru": {"units": 3},
    "training": {"max_steps": 50},
    "split": {"validation": 15, "test": 20},
}
ALL = {"futr_exog": ["promo"], "hist_exog": ["visitors"], "stat_exog": ["size"]}


def make_frame(num_steps: int, *names: str) -> pd.DataFrame:
    """Sales that are 5 higher on days of promotion, with a horizon of days whose promotions are known."""
    tables = []
    for number, name in enumerate(names):
        random = np.random.default_rng(number)
        promo = random.integers(0, 2, num_steps + HORIZON)
        y = 20 + 5 * number + 5 * promo + random.normal(0, 0.5, num_steps + HORIZON)
        y[num_steps:] = np.nan
        visitors = np.where(np.isnan(y), np.nan, 10 * y + random.normal(size=len(y)))
        ds = pd.date_range("2024-01-01", periods=len(y))
        own = {
            "unique_id": name,
            "ds": ds,
            "y": y,
            "promo": promo,
            "visitors": visitors,
            "size": f"size {number % 2}",
        }
        tables.append(pd.DataFrame(own))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return make_frame(150, "a", "b", "c")


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Forecaster:
    return Forecaster(h=HORIZON, **ALL, **SMALL).fit(frame)


@pytest.fixture(scope="module")
def single() -> Forecaster:
    return Forecaster(h=HORIZON, futr_exog=["promo"], hist_exog=["visitors"], **SMALL).fit(
        make_frame(200, "a")
    )


def test_the_effect_of_a_promotion_is_found(fitted: Forecaster, frame: pd.DataFrame) -> None:
    ahead = frame[frame["y"].isna()]
    found = {promo: fitted.predict(ahead.assign(promo=promo))["ensemble"] for promo in (0, 1)}
    np.testing.assert_allclose(found[1] - found[0], 5, atol=1.0)


def test_the_part_of_a_promotion_is_its_effect(fitted: Forecaster, frame: pd.DataFrame) -> None:
    """From the mean of the training part, 0 or 1 less which is about a half."""
    parts = fitted.explain()
    rows = parts[parts["input"] == "future:promo"].merge(frame[["unique_id", "ds", "promo"]])
    means = rows.groupby("promo")["contribution"].mean()
    assert means[1] - means[0] == pytest.approx(5, abs=1.0)


def test_covariates_of_the_past_have_parts(fitted: Forecaster) -> None:
    parts = fitted.explain()
    assert {"past:visitors", "static:size=size 1"} <= set(parts["input"])


def test_steps_beyond_the_horizon_need_the_covariates_of_the_past(fitted: Forecaster) -> None:
    with pytest.raises(SeriesError, match=r"past covariates \['visitors'\]"):
        fitted.predict(h=HORIZON + 1)


@pytest.fixture(scope="module")
def later(frame: pd.DataFrame) -> Forecaster:
    """Fitted without the covariates of the horizon."""
    return Forecaster(h=HORIZON, **ALL, **SMALL).fit(frame[frame["y"].notna()])


def test_covariates_of_the_horizon_may_come_later(
    later: Forecaster, frame: pd.DataFrame, fitted: Forecaster
) -> None:
    ahead = frame.loc[frame["y"].isna(), ["unique_id", "ds", "promo"]]
    pd.testing.assert_frame_equal(later.predict(ahead), fitted.predict())


def test_missing_covariates_of_the_horizon_are_named(later: Forecaster) -> None:
    match = r"\['promo'\] are missing over the horizon, in 3 of 3 series"
    for use in (later.predict, later.explain):
        with pytest.raises(SeriesError, match=match):
            use()


@pytest.mark.parametrize("by", ["1 D", "12 h"])
def test_covariates_at_other_times_are_told(
    fitted: Forecaster, frame: pd.DataFrame, tmp_path: Path, by: str
) -> None:
    """Nothing was forecast by them, and the message named another cause."""
    late = frame.assign(ds=frame["ds"].mask(frame["y"].isna(), frame["ds"] + pd.Timedelta(by)))
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    for run in (loaded.predict, loaded.explain):
        with pytest.raises(
            SeriesError, match=r"in 3 of 3 series: 'a' lacks \d of 3 steps, the first at 2024-05-30"
        ):
            run(late)


def test_covariates_between_steps_are_told_in_a_fit(
    frame: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    odd = frame.assign(ds=frame["ds"].mask(frame["y"].isna(), frame["ds"] + pd.Timedelta("12 h")))
    Forecaster(h=HORIZON, **ALL, **SMALL).fit(odd)
    assert (
        "rows between steps are not read: series 'a' at 2 times from 2024-05-30 12:00:00 to"
        in caplog.text
    )


def test_covariates_between_steps_are_told_once_by_whoever_reads_them(
    frame: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a table of their own, here of every half of a day."""
    noon = frame.assign(ds=frame["ds"] + pd.Timedelta("12 h"))
    path = tmp_path / "ahead.csv"
    pd.concat([frame, noon])[["unique_id", "ds", "promo"]].to_csv(path, index=False)
    forecaster = Forecaster(h=HORIZON, futr_exog=["promo"], covariates={"path": str(path)}, **SMALL)
    known = frame[frame["y"].notna()]
    for use in (forecaster.fit, forecaster.predict, forecaster.explain):
        caplog.clear()
        use(known)
        assert caplog.text.count("rows between steps are not read: series 'a' at ") == 1


def test_what_is_loaded_reads_the_same_covariates(
    fitted: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    found = Forecaster.load(tmp_path / "model").predict(frame)
    pd.testing.assert_frame_equal(found, fitted.predict()[list(found)])


def test_future_covariates_carry_on_beyond_the_horizon() -> None:
    """By their values on those steps, of which all that are read must be there."""
    # One series, to the end of which everything is known.
    frame = make_frame(200, "a").dropna().drop(columns=["visitors", "size"])
    known = frame[frame["ds"] < "2024-06-01"]
    fitted = Forecaster(h=HORIZON, futr_exog=["promo"], **SMALL).fit(known)
    found = fitted.predict(
        frame[frame["ds"] >= "2024-06-01"].drop(columns="y"), h=6, methods=["ridge"]
    )
    promo = found[["ds"]].merge(frame)["promo"]
    assert found["ridge"][promo == 1].min() - found["ridge"][promo == 0].max() > 3
    with pytest.raises(SeriesError, match="missing over the horizon"):
        fitted.predict(
            frame[frame["ds"].between("2024-06-01", "2024-06-04")].drop(columns="y"), h=6
        )


@pytest.mark.parametrize("refit", [True, False])
def test_no_window_sees_what_is_past_after_its_cutoff(frame: pd.DataFrame, refit: bool) -> None:
    """Visitors of the windows are others: only forecasts whose cut-off lies behind them move."""
    forecaster = Forecaster(h=HORIZON, **ALL, **SMALL)
    known = frame[frame["y"].notna()]
    before = forecaster.cross_validation(known, n_windows=2, refit=refit)
    from_end = known.groupby("unique_id").cumcount(ascending=False)
    changed = known.assign(visitors=known["visitors"].where(from_end >= 2 * HORIZON, 1e4))
    after = forecaster.cross_validation(changed, n_windows=2, refit=refit)
    first = before["cutoff"] == before["cutoff"].min()
    pd.testing.assert_frame_equal(after[first], before[first])
    assert not np.allclose(after.loc[~first, "lstm"], before.loc[~first, "lstm"])


@pytest.mark.parametrize("name", ["ensemble", "gru", "lstm", "ridge", "baseline_ensemble"])
def test_parts_sum_up_to_the_forecast(fitted: Forecaster, single: Forecaster, name: str) -> None:
    for one in (fitted, single):
        found = (
            one.explain(forecaster=name)
            .groupby(["unique_id", "ds"], sort=False)["contribution"]
            .sum()
        )
        # The embedding of many series has kinks, which no rule integrates exactly.
        np.testing.assert_allclose(found, one.predict(methods=[name])[name], rtol=1e-4)


def test_missing_covariate_is_named(frame: pd.DataFrame) -> None:
    with pytest.raises(SeriesError, match=r"no column \['price'\]"):
        Forecaster(h=HORIZON, futr_exog=["price"]).fit(frame)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"futr_exog": "price"}, "futr_exog: expected a list of columns, received 'price'"),
        (
            {"stat_exog": np.array(3)},
            r"stat_exog: expected a list of columns, received array\(3\)",
        ),
        ({"futr_exog": 5}, "futr_exog: expected a list of columns, received 5"),
        ({"futr_exog": ["price"], "hist_exog": ["price"]}, "name a column twice"),
    ],
)
def test_wrong_columns_are_refused(given: dict[str, Any], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        Forecaster(h=3, **given)


def test_columns_come_in_an_array() -> None:
    assert Forecaster(futr_exog=np.array(["price"])).spec == Forecaster(futr_exog=["price"]).spec


def test_columns_come_in_a_block() -> None:
    roles = {"future": ["promo"], "past": ["visitors"], "static": ["size"]}
    assert Forecaster(**ALL).spec == Forecaster(covariates=roles).spec


@pytest.mark.filterwarnings("error")
def test_a_series_without_noise_has_intervals_without_width() -> None:
    wave = np.sin(np.arange(600) * np.pi / 12)
    frame = pd.DataFrame(
        {"ds": pd.date_range("2024-01-01", periods=600, freq="h"), "y": 10 + 3 * wave, "wave": wave}
    )
    frame.loc[597:, "y"] = np.nan
    found = (
        Forecaster(h=HORIZON, futr_exog=["wave"], **SMALL | {"lookback": 24}).fit(frame).predict()
    )
    np.testing.assert_allclose(found["ensemble-hi-50"] - found["ensemble-lo-50"], 0, atol=1e-6)
    np.testing.assert_allclose(found["ensemble"], 10 + 3 * wave[-HORIZON:], atol=1e-6)
