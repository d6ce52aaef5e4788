"""Values before a break are rescaled, left out or kept, and log and report name the break."""

import logging

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.preparation.mending import BreakPolicy, mend_series
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.tables import Profile, Series
from rnn_pipelines.forecast.source.specs import SourceSpec

NUM_STEPS = 400
TIMES = pd.date_range("2022-01-01", periods=NUM_STEPS)


def make_values(seed: int = 0) -> np.ndarray:
    """Return float64[400] around 100 with a week."""
    return (
        100
        + 10 * np.sin(2 * np.pi * np.arange(NUM_STEPS) / 7)
        + np.random.default_rng(seed).normal(0, 3, NUM_STEPS)
    )


def break_at(place: int, ratio: float, shift: float = 0.0) -> np.ndarray:
    values = make_values()
    return np.where(np.arange(NUM_STEPS) >= place, values * ratio + shift, values)


def mend(values: np.ndarray, policy: str) -> tuple[Series, Profile]:
    table = pd.DataFrame({"unique_id": "a", "ds": TIMES, "y": values})
    return mend_series(
        *repair_series(table, SourceSpec(name="catalog"), GapPolicy("interpolate")),
        BreakPolicy(policy),
    )


def find_sentence(profile: Profile) -> str:
    (sentence,) = [sentence for sentence in profile["repairs"] if "break of level" in sentence]
    return sentence


@pytest.mark.parametrize("ratio", [0.001, 0.1, 10.0, 1000.0, -1.0])
def test_earlier_values_are_in_the_newest_unit(ratio: float) -> None:
    series, _ = mend(break_at(250, ratio), "auto")
    np.testing.assert_allclose(series["y"], make_values() * ratio)


def test_a_stretch_in_another_unit_is_put_right() -> None:
    values = make_values()
    values[200:240] /= 1000
    series, _ = mend(values, "auto")
    np.testing.assert_allclose(series["y"], make_values())


def test_a_unit_of_a_few_newest_values_is_certain() -> None:
    series, _ = mend(break_at(NUM_STEPS - 5, 0.001), "auto")
    np.testing.assert_allclose(series["y"], make_values() / 1000)


def test_a_shift_that_has_gone_is_kept() -> None:
    values = break_at(200, 1.0, shift=60.0)
    values[-20:] -= 60
    series, _ = mend(values, "auto")
    np.testing.assert_array_equal(series["y"], values)


def test_a_shift_that_lasts_is_moved() -> None:
    series, _ = mend(break_at(250, 1.0, shift=60.0), "auto")
    np.testing.assert_allclose(series["y"], make_values() + 60, atol=2)


def test_newest_leaves_out_what_lies_before() -> None:
    series, profile = mend(break_at(250, 10.0), "newest")
    assert series["ds"].tolist() == TIMES[250:].tolist()
    assert (profile["num_steps"], profile["first"]) == (150, "2022-09-08")


def test_keep_changes_no_value() -> None:
    values = break_at(250, 10.0)
    series, _ = mend(values, "keep")
    np.testing.assert_array_equal(series["y"], values)


@pytest.mark.parametrize(
    ("policy", "done"), [("auto", "multiplied by 0.001"), ("newest", "left out"), ("keep", "kept")]
)
def test_the_break_is_named_with_its_time(policy: str, done: str) -> None:
    _, profile = mend(break_at(250, 0.001), policy)
    sentence = find_sentence(profile)
    assert "'a' at 2022-09-08 from about" in sentence
    assert f"earlier values {done}" in sentence


def test_the_break_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        mend(break_at(250, 0.001), "keep")
    assert "breaks=rescale moves all of them" in caplog.text


def test_a_series_without_a_break_is_unchanged() -> None:
    series, profile = mend(make_values(), "auto")
    np.testing.assert_array_equal(series["y"], make_values())
    assert profile["repairs"] == []


def test_one_series_of_a_panel_is_mended() -> None:
    names = ["a", "b", "c"]
    values = {name: make_values(seed) for seed, name in enumerate(names)}
    values["b"] = np.where(np.arange(NUM_STEPS) >= 250, values["b"] * 1000, values["b"])
    table = pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": TIMES, "y": values[name]}) for name in names]
    )
    repaired = repair_series(table, SourceSpec(name="catalog"), GapPolicy("interpolate"))
    series, _ = mend_series(*repaired, BreakPolicy("auto"))
    expected = np.concatenate([values["a"], make_values(1) * 1000, values["c"]])
    np.testing.assert_allclose(series["y"], expected)


@pytest.mark.parametrize(("place", "ratio"), [(200, 0.001), (370, 0.001), (300, 0.1)])
def test_next_values_follow_the_newest_unit(place: int, ratio: float) -> None:
    frame = pd.DataFrame({"ds": TIMES, "y": break_at(place, ratio)})
    forecast = Forecaster(h=7, networks="pretrained").fit(frame).predict()
    clean = Forecaster(h=7, networks="pretrained").fit(frame.assign(y=make_values())).predict()
    np.testing.assert_allclose(forecast["ensemble"], clean["ensemble"] * ratio, rtol=0.02)


@pytest.mark.parametrize(
    ("place", "ratio", "shift"),
    [(200, 0.001, 0.0), (370, 0.001, 0.0), (370, -1.0, 0.0), (250, 1.0, 60.0)],
)
def test_values_of_the_training_have_its_forecast(place: int, ratio: float, shift: float) -> None:
    frame = pd.DataFrame({"ds": TIMES, "y": break_at(place, ratio, shift)})
    trained = Forecaster(h=7, networks="pretrained").fit(frame)
    pd.testing.assert_frame_equal(trained.predict(frame), trained.predict())


def test_newer_values_in_another_unit_are_mended_as_in_the_training() -> None:
    frame = pd.DataFrame({"ds": TIMES, "y": break_at(370, 0.001)})
    trained = Forecaster(h=7, networks="pretrained").fit(frame[:360])
    clean = trained.predict(frame.assign(y=make_values()))["ensemble"]
    np.testing.assert_allclose(trained.predict(frame)["ensemble"], clean / 1000, rtol=0.02)


def test_a_saved_forecaster_keeps_the_treatment_of_breaks(tmp_path) -> None:
    frame = pd.DataFrame({"ds": TIMES, "y": break_at(370, 0.001)})
    trained = Forecaster(h=7, networks="pretrained", breaks="keep").fit(frame[:360])
    trained.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    np.testing.assert_allclose(
        loaded.predict(frame)["ensemble"], trained.predict(frame)["ensemble"]
    )


@pytest.mark.parametrize(("place", "ratio"), [(200, 0.001), (300, 10.0), (340, -1.0), (370, 0.001)])
def test_a_break_of_the_training_is_not_mended_twice(place: int, ratio: float, tmp_path) -> None:
    """Scales of the training are those of the newest unit already, wherever its parts begin."""
    frame = pd.DataFrame({"ds": TIMES, "y": break_at(place, ratio)})
    trained = Forecaster(h=7, networks="pretrained").fit(frame[:390])
    trained.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    np.testing.assert_allclose(
        loaded.predict(frame[:390])["ensemble"], trained.predict()["ensemble"], rtol=1e-5
    )
    clean = frame.assign(y=make_values())
    expected = (
        Forecaster(h=7, networks="pretrained").fit(clean[:390]).predict(clean)["ensemble"] * ratio
    )
    np.testing.assert_allclose(loaded.predict(frame)["ensemble"], expected, rtol=0.02)


def test_the_end_of_a_stretch_after_the_training_is_mended() -> None:
    values = make_values()
    values[330:380] *= 1000
    frame = pd.DataFrame({"ds": TIMES, "y": values})
    forecast = Forecaster(h=7, networks="pretrained").fit(frame[:370]).predict(frame)
    clean = frame.assign(y=make_values())
    expected = Forecaster(h=7, networks="pretrained").fit(clean[:370]).predict(clean)
    np.testing.assert_allclose(forecast["ensemble"], expected["ensemble"], rtol=0.02)


@pytest.mark.parametrize("number", [1, 2])
def test_a_break_whose_first_values_were_too_few_in_the_training_is_mended(number: int) -> None:
    frame = pd.DataFrame({"ds": TIMES, "y": break_at(370, 0.001)})
    forecast = Forecaster(h=7, networks="pretrained").fit(frame[: 370 + number]).predict(frame)
    clean = frame.assign(y=make_values())
    expected = Forecaster(h=7, networks="pretrained").fit(clean[: 370 + number]).predict(clean)
    np.testing.assert_allclose(forecast["ensemble"], expected["ensemble"] / 1000, rtol=0.1)


def test_steps_of_breaks_are_whole_numbers(tmp_path) -> None:
    frame = pd.DataFrame({"ds": np.arange(NUM_STEPS), "y": break_at(370, 0.001)})
    trained = Forecaster(h=7, networks="pretrained").fit(frame)
    trained.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    np.testing.assert_allclose(
        loaded.predict(frame)["ensemble"], trained.predict()["ensemble"], rtol=1e-5
    )
