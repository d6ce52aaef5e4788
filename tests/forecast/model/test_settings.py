"""Newer times are held against those of the training: converted from zone to zone, or refused with both zones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError, SeriesError
from rnn_pipelines.forecast.fitting import make_champion
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.model.settings import ForecasterSettings, have_same_axis
from rnn_pipelines.forecast.partitions.champion import PredictSpec, forecast_newest, read_as_trained
from rnn_pipelines.forecast.partitions.dividing import Partitions, Sample
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.time_axis import TimeZone

ZONE, OTHER = "Europe/Berlin", "America/New_York"
HORIZON = 2
# Each across a change of the clocks, with a form that local time alone tells.
TIMES = {
    "hours": pd.date_range("2024-03-11", "2024-04-07 23:00", freq="h", tz=ZONE),
    "days": pd.date_range("2023-06-01", periods=240, freq="D", tz=ZONE),
    "weeks": pd.date_range("2021-01-03", periods=130, freq="W-SUN", tz=ZONE),
}
AHEAD = {
    name: pd.date_range(times[-1], periods=HORIZON + 1, freq=times.freq)[1:]
    for name, times in TIMES.items()
}
SMALL: dict[str, Any] = {
    "h": HORIZON,
    "lookback": 8,
    "level": [],
    "lstm": {"units": 2},
    "gru": {"units": 2},
    "training": {"max_steps": 5},
    "split": {"validation": 20, "test": 20},
    "futr_exog": ["warmth"],
}


def make_frame(steps: str) -> pd.DataFrame:
    """A series whose times carry a zone, with a covariate that is known ahead."""
    random = np.random.default_rng(0)
    times = TIMES[steps].append(AHEAD[steps])
    warmth = random.normal(size=len(times))
    y = 20 + np.sin(times.hour / 4 + times.day_of_week) + warmth + random.normal(0, 0.3, len(times))
    return pd.DataFrame(
        {"ds": times, "y": np.where(times > TIMES[steps][-1], np.nan, y), "warmth": warmth}
    )


def strip(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the zone, as the clock at the wall shows."""
    return frame.assign(ds=frame["ds"].dt.tz_localize(None))


def convert(frame: pd.DataFrame, zone: str) -> pd.DataFrame:
    """The same instants in another zone."""
    return frame.assign(ds=frame["ds"].dt.tz_convert(zone))


def without_change(frame: pd.DataFrame) -> pd.DataFrame:
    """The newest rows, because the hour that clocks pass over is a gap in times without a zone."""
    return frame.tail(120)


@pytest.fixture(scope="module", params=list(TIMES))
def steps(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def frame(steps: str) -> pd.DataFrame:
    return make_frame(steps)


@pytest.fixture(scope="module")
def carried(frame: pd.DataFrame) -> Forecaster:
    """Trained on times that carry their zone."""
    return Forecaster(**SMALL).fit(frame)


@pytest.fixture(scope="module")
def named(frame: pd.DataFrame) -> Forecaster:
    """Trained on times of the zone that `source.tz` names."""
    return Forecaster(**SMALL, source={"tz": ZONE}).fit(strip(frame))


@pytest.fixture(scope="module")
def plain(frame: pd.DataFrame) -> Forecaster:
    """Trained on times without a zone."""
    return Forecaster(**SMALL).fit(strip(without_change(frame)))


def load_again(fitted: Forecaster, path: Path) -> Forecaster:
    fitted.save(path / "model")
    return Forecaster.load(path / "model")


def list_uses(fitted: Forecaster, path: Path) -> list[Callable[[pd.DataFrame], pd.DataFrame]]:
    """What reads newer values, before and after a file."""
    loaded = load_again(fitted, path)
    return [fitted.predict, fitted.explain, loaded.predict, loaded.explain]


@pytest.mark.parametrize("training", ["carried", "named"])
def test_instants_of_another_zone_are_those_of_the_training(
    frame: pd.DataFrame, training: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fitted = request.getfixturevalue(training)
    for use in list_uses(fitted, tmp_path):
        expected = use(frame)
        for zone in (OTHER, "UTC"):
            pd.testing.assert_frame_equal(use(convert(frame, zone)), expected)
    expected = fitted.predict()
    ahead = frame[frame["y"].isna()].drop(columns="y")
    for zone in (OTHER, "UTC"):
        # Of the frame of the training, and of the rows ahead alone.
        pd.testing.assert_frame_equal(fitted.predict(convert(frame, zone)), expected)
        pd.testing.assert_frame_equal(fitted.predict(convert(ahead, zone)), expected)


def test_times_without_zone_are_refused_after_one(
    frame: pd.DataFrame, carried: Forecaster, tmp_path: Path
) -> None:
    ahead = strip(frame[frame["y"].isna()]).drop(columns="y")
    for use in list_uses(carried, tmp_path):
        with pytest.raises(SeriesError, match=rf"the frame: column 'ds': .* no zone, .* {ZONE}"):
            use(strip(frame))
    with pytest.raises(SeriesError, match=rf"the frame: column 'ds': .* no zone, .* {ZONE}"):
        carried.predict(ahead)
    text = frame.assign(ds=frame["ds"].dt.tz_convert(OTHER).map(lambda time: time.isoformat()))
    pd.testing.assert_frame_equal(carried.predict(text), carried.predict())


def test_times_without_zone_are_of_the_sources_zone(
    frame: pd.DataFrame, named: Forecaster, tmp_path: Path
) -> None:
    # Trained on times of the zone that `source.tz` names.
    for use in list_uses(named, tmp_path):
        pd.testing.assert_frame_equal(use(strip(frame)), use(frame))


def test_times_of_a_zone_are_refused_after_none(
    frame: pd.DataFrame, plain: Forecaster, tmp_path: Path
) -> None:
    ahead = frame[frame["y"].isna()].drop(columns="y")
    for use in [*list_uses(plain, tmp_path), lambda _: plain.predict(ahead)]:
        with pytest.raises(SeriesError, match=rf"the frame: column 'ds': .* {ZONE}, .* no zone"):
            use(frame)
    newer = strip(without_change(frame))
    for use in list_uses(plain, tmp_path):
        found = use(newer)
        assert found["ds"].drop_duplicates().tolist() == newer["ds"].tail(HORIZON).tolist()


@pytest.mark.parametrize("steps", ["days", "weeks"], indirect=True)
def test_days_of_another_zone_are_refused(
    frame: pd.DataFrame, carried: Forecaster, tmp_path: Path
) -> None:
    """Its midnights are at another time of day in the zone of the training."""
    others = frame.assign(ds=frame["ds"].dt.tz_localize(None).dt.tz_localize(OTHER))
    for use in list_uses(carried, tmp_path):
        with pytest.raises(SeriesError, match=rf"row 1: .*{OTHER}.*{ZONE}"):
            use(others)


def test_cross_validation_is_a_training_of_its_own(
    frame: pd.DataFrame, carried: Forecaster
) -> None:
    """In the zone of its frame, whatever was fitted before."""
    known = strip(without_change(frame)).dropna()
    found = carried.cross_validation(known, n_windows=1)
    assert found["ds"].tolist() == known["ds"].tail(HORIZON).tolist()


def test_a_gap_does_not_hide_the_zone_from_cross_validation() -> None:
    frame = make_frame("hours").dropna().drop(columns="warmth").drop(index=[50, 51])
    settings = {name: value for name, value in SMALL.items() if name != "futr_exog"}
    found = Forecaster(**settings).cross_validation(frame, n_windows=1, refit=True)
    split = {"validation": 20, "test": HORIZON}
    own = Forecaster(**settings | {"split": split}).fit(frame).holdout()
    assert found["ds"].tolist() == frame["ds"].tail(HORIZON).tolist()
    np.testing.assert_allclose(found["ridge"], own["ridge"].iloc[-HORIZON:])


@pytest.mark.parametrize("steps", ["hours", "days"], indirect=True)
@pytest.mark.parametrize("zone", [OTHER])
def test_covariates_by_path_are_converted(
    frame: pd.DataFrame, carried: Forecaster, tmp_path: Path, zone: str
) -> None:
    known = frame[frame["y"].notna()]
    path = tmp_path / "ahead.parquet"
    convert(frame[frame["y"].isna()], zone).drop(columns="y").to_parquet(path)
    found = Forecaster(**SMALL, covariates={"path": str(path)}).fit(known).predict(known)
    pd.testing.assert_frame_equal(found, carried.predict())


@pytest.mark.parametrize("steps", ["hours", "days"], indirect=True)
def test_covariates_of_a_path_without_a_zone_are_refused(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "ahead.csv"
    strip(frame[frame["y"].isna()]).drop(columns="y").to_csv(path, index=False)
    forecaster = Forecaster(**SMALL, covariates={"path": str(path)})
    with pytest.raises(SeriesError, match=rf"ahead\.csv: column 'ds': .* no zone, .* {ZONE}"):
        forecaster.fit(frame[frame["y"].notna()])
    # And the reverse.
    frame[frame["y"].isna()].drop(columns="y").to_csv(path, index=False)
    with pytest.raises(
        SeriesError, match=r"ahead\.csv: column 'ds': .* of Etc/GMT-[12], .* no zone"
    ):
        forecaster.fit(strip(frame[frame["y"].notna()]))


def use_champion(fitted: Forecaster, external: pd.DataFrame, tz: str | None) -> np.ndarray:
    """What `predict_forecast` does."""
    assert fitted._fitted is not None
    champion = LoadedChampion("v1", make_champion(fitted._fitted), "", (), {})
    source = SourceSpec(name="catalog", tz=tz)
    table, covariates = read_as_trained(
        champion, Sample(Partitions(), source, CovariateSpec(), external), PredictSpec()
    )
    return forecast_newest(champion, table, source, PathsSpec(0), covariates)[0]["y_hat"].to_numpy()


def test_champion_converts_instants(
    frame: pd.DataFrame, carried: Forecaster, plain: Forecaster, steps: str
) -> None:
    expected = carried.predict()["ensemble"]
    np.testing.assert_allclose(
        use_champion(carried, convert(frame, OTHER), tz=None), expected, rtol=1e-6
    )
    np.testing.assert_allclose(
        use_champion(carried, convert(frame, OTHER), tz=OTHER), expected, rtol=1e-6
    )
    np.testing.assert_allclose(use_champion(carried, strip(frame), tz=ZONE), expected, rtol=1e-6)
    # That of the champion, if a retraining could read the table.
    with pytest.raises((ChampionError, SeriesError), match=rf"no zone, .* {ZONE}"):
        use_champion(carried, strip(frame), tz=None)
    with pytest.raises((ChampionError, SeriesError), match=rf"{ZONE}, .* no zone"):
        use_champion(plain, strip(without_change(frame)), tz=ZONE)
    if steps == "hours":
        later = strip(convert(frame, OTHER))
        np.testing.assert_allclose(
            use_champion(carried, later, tz=OTHER), carried.predict()["ensemble"], rtol=1e-6
        )
    else:
        with pytest.raises((ChampionError, SeriesError), match=rf"{OTHER}, .* {ZONE}"):
            use_champion(carried, strip(frame), tz=OTHER)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ((ZONE, ZONE), (OTHER, OTHER), True),
        ((ZONE, ZONE), (None, None), False),
        ((ZONE, None), (OTHER, None), False),
        ((ZONE, None), (ZONE, None), True),
        ((ZONE, None), (ZONE, ZONE), False),
        ((None, None), (None, None), True),
    ],
)
def test_a_champion_is_compared_on_times_that_it_can_read(
    carried: Forecaster, one: tuple[str | None, ...], other: tuple[str | None, ...], is_same: bool
) -> None:
    settings: list[ForecasterSettings] = [
        carried._artefacts["ensemble"].settings.model_copy(
            update={"zone": TimeZone(name=zone), "tz": tz}
        )
        for zone, tz in (one, other)
    ]
    assert have_same_axis(*settings) is is_same
