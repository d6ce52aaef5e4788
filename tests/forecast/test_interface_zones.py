"""Local time in Python: what goes in as times of a zone comes out as times of that zone, and is read once."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import SeriesError

ZONE = "Europe/Berlin"
HORIZON = 3
SMALL: dict[str, Any] = {
    "h": HORIZON,
    "lookback": 24,
    "level": [50],
    "lstm": {"units": 2},
    "gru": {"units": 2},
    "training": {"max_steps": 20},
    "split": {"validation": 48, "test": 48},
}
# Over the night in which clocks are put forward; the day has a form that only local time tells.
HOURS = pd.date_range("2024-03-11", "2024-04-07 23:00", freq="h", tz=ZONE)
AHEAD = pd.date_range(HOURS[-1], periods=HORIZON + 1, freq="h")[1:]


def make_hours(times: pd.DatetimeIndex, has_value: bool = True) -> pd.DataFrame:
    """Hours of local time, with a covariate that is known ahead."""
    random = np.random.default_rng(0)
    warmth = random.normal(size=len(times))
    y = 20 + 5 * np.sin(2 * np.pi * times.hour / 24) + warmth + random.normal(0, 0.3, len(times))
    return pd.DataFrame({"ds": times, "y": y if has_value else np.nan, "warmth": warmth})


def make_naive(frame: pd.DataFrame) -> pd.DataFrame:
    """As a table has it that doesn't say its zone."""
    return frame.assign(ds=frame["ds"].dt.tz_localize(None))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return make_hours(HOURS)


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Forecaster:
    return Forecaster(**SMALL, source={"tz": ZONE}).fit(make_naive(frame).drop(columns="warmth"))


@pytest.fixture(scope="module")
def fitted_with_covariate(frame: pd.DataFrame) -> Forecaster:
    return Forecaster(**SMALL | {"h": 1}, futr_exog=["warmth"], source={"tz": ZONE}).fit(
        make_naive(frame)
    )


def test_forecasts_have_local_times_also_once_loaded(
    fitted: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    assert fitted.predict()["ds"].tolist() == AHEAD.tolist()
    assert (
        fitted.holdout()["ds"].iloc[-1]
        == fitted.explain()["cutoff"].iloc[-1]
        == frame["ds"].iloc[-1]
    )
    found = Forecaster(**SMALL).fit(frame[["ds", "y"]]).predict()
    pd.testing.assert_frame_equal(found, fitted.predict())
    fitted.save(tmp_path / "model")
    found = Forecaster.load(tmp_path / "model").predict(make_naive(frame)[["ds", "y"]])
    pd.testing.assert_frame_equal(found, fitted.predict()[list(found)])


def test_cross_validation_knows_local_times(fitted: Forecaster, frame: pd.DataFrame) -> None:
    naive = make_naive(frame)[["ds", "y"]]
    found = fitted.cross_validation(naive, n_windows=1)
    assert found["ds"].tolist() == HOURS[-HORIZON:].tolist()
    # A fit of its own, on what lies before the window, and with as much kept back, reads the same calendar.
    split = {"validation": 48, "test": HORIZON}
    own = Forecaster(**SMALL | {"split": split}, source={"tz": ZONE}).fit(naive).holdout()
    np.testing.assert_allclose(found["ridge"], own["ridge"].iloc[-HORIZON:])


@pytest.mark.parametrize("is_naive", [True, False])
def test_one_row_ahead_is_local_as_the_series_are(
    fitted_with_covariate: Forecaster, is_naive: bool
) -> None:
    ahead = make_hours(AHEAD[:1], has_value=False)
    found = fitted_with_covariate.predict(make_naive(ahead) if is_naive else ahead)
    assert found["ds"].tolist() == AHEAD[:1].tolist()


def test_days_stay_local() -> None:
    days = pd.date_range("2024-01-01", periods=200, tz=ZONE)
    frame = pd.DataFrame({"ds": days, "y": np.random.default_rng(0).normal(size=200)})
    found = Forecaster(**SMALL | {"split": {"validation": 20, "test": 20}}).fit(frame).predict()
    assert found["ds"].tolist() == pd.date_range("2024-07-19", periods=HORIZON).tolist()


def test_hours_without_a_zone_are_refused_by_its_argument() -> None:
    naive = make_naive(make_hours(pd.date_range("2024-10-20", "2024-10-29", freq="h", tz=ZONE)))[
        ["ds", "y"]
    ]
    with pytest.raises(SeriesError, match=r"give its zone as tz=, such as Europe/Berlin"):
        Forecaster(**SMALL).fit(naive)


def test_zone_is_an_argument() -> None:
    assert Forecaster(h=2, tz=ZONE).spec.source.tz == ZONE


@pytest.mark.parametrize("zone", ["+02:00", "+05:30"])
def test_times_with_offsets_come_back_with_one(zone: str, caplog: pytest.LogCaptureFixture) -> None:
    """With that of the data if its hours are whole, and else in UTC; a warning names the parameter of the zone."""
    times = pd.date_range("2024-03-11", periods=24 * 20, freq="h", tz=zone)
    texts = make_hours(times)[["ds", "y"]].assign(ds=times.astype(str))
    found = Forecaster(**SMALL).fit(texts).predict()["ds"]
    assert (found == pd.date_range(times[-1], periods=HORIZON + 1, freq="h")[1:]).all()
    assert str(found.iloc[0])[-6:] == ("+02:00" if zone == "+02:00" else "+00:00")
    (warning,) = [
        one.getMessage() for one in caplog.records if "offsets from UTC" in one.getMessage()
    ]
    assert "Name their zone in Forecaster(tz=…), such as Europe/Berlin" in warning
