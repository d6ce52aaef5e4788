"""`Forecaster` in Python: a frame in, forecasts with intervals out, without Kedro and without TensorFlow."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fitted import forecast_newest
from rnn_pipelines import Forecaster
from rnn_pipelines.champion.folders import load_folder
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import (
    ChampionError,
    MissingColumnsError,
    ParameterError,
    RnnPipelinesError,
    SeriesError,
    SeriesTooShortError,
)
from rnn_pipelines.forecast import fitting
from rnn_pipelines.forecast.fitting import evaluate_fitted
from rnn_pipelines.forecast.model.packing import unpack
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.networks.members import forward

SMALL = {
    "lstm": {"units": [3, 2]},
    "gru": {"units": 3},
    "training": {"max_steps": 50},
    "split": {"test": 20},
}
LOCAL = ["theta", "damped_trend", "holt_winters"]
METHODS = [
    "lstm",
    "gru",
    "pretrained",
    "ensemble",
    "last_value",
    "drift",
    "seasonal_naive",
    "ridge",
    "baseline_ensemble",
    *LOCAL,
]


@pytest.fixture(scope="module")
def frame(
    make_table: Callable[..., pd.DataFrame], make_values: Callable[..., list]
) -> pd.DataFrame:
    """Two series of days."""
    return make_table({"a": make_values(120, seed=1), "b": make_values(110, seed=2)}).reset_index(
        drop=True
    )


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Forecaster:
    return Forecaster(h=3, level=[50, 80], lookback=8, **SMALL).fit(frame)


@pytest.fixture(scope="module")
def single(frame: pd.DataFrame) -> Forecaster:
    """Of one series, whose frame names none."""
    return Forecaster(h=3, level=[50], lookback=8, **SMALL).fit(
        frame.loc[frame["unique_id"] == "a", ["ds", "y"]]
    )


def test_forecasts_follow_the_end_of_each_series(fitted: Forecaster, frame: pd.DataFrame) -> None:
    found = fitted.predict(methods="all")
    ends = frame.groupby("unique_id")["ds"].max()
    for name, end in ends.items():
        expected = pd.date_range(end, periods=4)[1:]
        assert list(found.loc[found["unique_id"] == name, "ds"]) == list(expected)


def test_forecasts_of_all_methods_have_bounds_of_each_level(fitted: Forecaster) -> None:
    found = fitted.predict(methods="all")
    bounds = [
        f"{name}-{side}-{level}" for name in METHODS for level in (50, 80) for side in ("lo", "hi")
    ]
    assert list(found) == ["unique_id", "ds", *METHODS, *bounds]
    assert np.isfinite(found[[*METHODS, *bounds]]).all().all()


def test_forecasts_from_the_rows_of_the_fit_are_those_of_the_fit(
    fitted: Forecaster, frame: pd.DataFrame
) -> None:
    pd.testing.assert_frame_equal(fitted.predict(frame), fitted.predict())


def test_one_series_is_forecast(single: Forecaster) -> None:
    assert len(single.predict()) == 3


def test_newer_values_are_read_from_a_frame(fitted: Forecaster, frame: pd.DataFrame) -> None:
    newer = frame.assign(ds=frame["ds"] + pd.Timedelta(days=5), y=frame["y"] + 1)
    found = fitted.predict(newer, methods="all")
    assert (found["ds"] - fitted.predict()["ds"] == pd.Timedelta(days=5)).all()
    last = newer.groupby("unique_id")["y"].last()
    np.testing.assert_allclose(found["last_value"], last[found["unique_id"]], rtol=1e-5)


def test_frame_is_not_changed(frame: pd.DataFrame) -> None:
    before = frame.copy(deep=True)
    Forecaster(h=3, lookback=8, **SMALL).fit(frame).predict(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_columns_are_named_by_the_source(fitted: Forecaster, frame: pd.DataFrame) -> None:
    renamed = frame.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    source = {"id": "shop", "time": "day", "target": "sales"}
    found = (
        Forecaster(h=3, level=[50, 80], lookback=8, source=source, **SMALL).fit(renamed).predict()
    )
    pd.testing.assert_frame_equal(found, fitted.predict())


def test_steps_stay_steps() -> None:
    steps = np.arange(2023900, 2024200)
    frame = pd.DataFrame({"ds": steps, "y": np.sin(steps)})
    fitted = Forecaster(h=3, lookback=8, networks="pretrained", split={"test": 20}).fit(frame)
    assert fitted.predict(frame.iloc[-100:])["ds"].tolist() == [2024200, 2024201, 2024202]


def test_long_lookback_is_refused_by_its_argument() -> None:
    frame = pd.DataFrame({"ds": range(40), "y": np.arange(40.0) % 5})
    with pytest.raises(
        SeriesError, match=r"^the frame: lookback=60 does not fit .* Give lookback=35 or less"
    ):
        Forecaster(h=5, lookback=60).fit(frame)


def test_long_lookback_of_a_cross_validation_is_refused_by_its_argument() -> None:
    frame = pd.DataFrame({"ds": range(40), "y": np.arange(40.0) % 5})
    with pytest.raises(SeriesError, match=r"lookback=35 does not fit .* smaller n_windows"):
        Forecaster(h=5, lookback=35).cross_validation(frame, n_windows=2)


def test_networks_are_keras_models_with_the_same_corrections(fitted: Forecaster) -> None:
    networks = fitted.networks
    assert {name: network.units for name, network in networks.items()} == {
        "lstm": (3, 2),
        "gru": (3,),
    }
    for network in networks.values():
        model = network.to_keras()
        rng = np.random.default_rng(0)
        shapes = {
            name: [5, *(size or 4 for size in one.shape[1:])] for name, one in model.input.items()
        }
        inputs = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
        expected, _ = forward(
            network.cell, network.weights, inputs["steps"].swapaxes(0, 1), inputs["static_inputs"]
        )
        np.testing.assert_allclose(model(inputs), expected.mean(axis=0), rtol=0, atol=1e-5)
        again = network.from_keras(model)
        assert again.layout.segment == network.layout.segment
        for name, array in network.weights.items():
            np.testing.assert_array_equal(again.weights[name], array)


@pytest.mark.slow
def test_both_engines_give_the_same_forecasts(fitted: Forecaster, frame: pd.DataFrame) -> None:
    """Within the rounding of float32, which the training and the weights of the ensemble can enlarge."""
    training = {**SMALL["training"], "engine": "keras"}
    other = Forecaster(h=3, level=[50, 80], lookback=8, **{**SMALL, "training": training}).fit(
        frame
    )
    found, expected = (
        one.predict(methods="all").set_index(["unique_id", "ds"])[METHODS]
        for one in (other, fitted)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert {
        name: network.record["hyperparameters"]["engine"]
        for name, network in other._fitted.networks.items()
    } == {
        "lstm": "keras",
        "gru": "keras",
    }


def test_columns_that_are_not_read_are_told(
    single: Forecaster, frame: pd.DataFrame, caplog
) -> None:
    single.predict(frame.loc[frame["unique_id"] == "a", ["ds", "y"]].assign(price=1.0))
    assert "columns that are not read: price" in caplog.text


def test_leaderboard_has_all_methods(fitted: Forecaster) -> None:
    table = fitted.leaderboard()
    assert sorted(table["forecaster"]) == sorted(METHODS)


def test_leaderboard_has_the_best_first(fitted: Forecaster) -> None:
    table = fitted.leaderboard()
    assert table["mase"].is_monotonic_increasing


def test_every_method_takes_time_to_forecast(fitted: Forecaster) -> None:
    table = fitted.leaderboard().set_index("forecaster")
    assert (table["prediction_seconds"] > 0).all()


def test_naive_methods_take_no_time_to_fit(fitted: Forecaster) -> None:
    table = fitted.leaderboard().set_index("forecaster")
    naive = table.index.intersection(
        ["last_value", "drift", "seasonal_naive", "seasonal_drift", "seasonal_mean"]
    )
    assert (table["fit_seconds"].loc[naive] == 0).all()


def test_other_methods_take_time_to_fit(fitted: Forecaster) -> None:
    table = fitted.leaderboard().set_index("forecaster")
    naive = table.index.intersection(
        ["last_value", "drift", "seasonal_naive", "seasonal_drift", "seasonal_mean"]
    )
    assert (table["fit_seconds"].drop([*LOCAL, *naive]) > 0).all()
    assert table["fit_seconds"].idxmax() == "ensemble"


def test_errors_of_the_leaderboard_are_those_of_the_holdout(single: Forecaster) -> None:
    holdout = single.holdout()
    found = single.leaderboard().set_index("forecaster")
    for name in METHODS:
        assert found.loc[name, "mse"] == pytest.approx(np.mean((holdout["y"] - holdout[name]) ** 2))


SPARSE = {
    name: (random.random(120) < 0.25) * random.integers(1, 5, 120)
    for random in [np.random.default_rng(0)]
    for name in "ab"
} | {"c": np.zeros(120)}


def fit_sparse() -> Forecaster:
    """A panel with a series of zeros, which counts in the sums."""
    ds = pd.date_range("2024-01-01", periods=120)
    frame = pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": ds, "y": y}) for name, y in SPARSE.items()]
    )
    blocks = SMALL | {"training": {"max_steps": 50, "target": "both"}}
    return Forecaster(h=3, level=None, lookback=8, **blocks).fit(frame)


@pytest.fixture(scope="module")
def sparse() -> Forecaster:
    return fit_sparse()


def test_a_sparse_panel_is_ranked_by_rmsse(sparse: Forecaster) -> None:
    assert sparse.leaderboard()["rmsse"].is_monotonic_increasing


def test_a_sparse_panel_is_compared_with_a_forecast_of_zero(sparse: Forecaster) -> None:
    table = sparse.leaderboard().set_index("forecaster")
    assert {"zero", "mean", "croston", "level"} <= set(table.index)
    assert table.loc["zero", ["bias", "total_wape"]].tolist() == [-1, 1]


def test_median_of_a_sparse_panel_has_the_lower_absolute_error(sparse: Forecaster) -> None:
    table = sparse.leaderboard().set_index("forecaster")
    assert table.loc["ensemble_median", "mae"] < table.loc["ensemble", "mae"]


def test_median_of_a_sparse_panel_is_below_its_mean(sparse: Forecaster) -> None:
    forecasts = sparse.predict(methods=["ensemble_median", "ensemble"])
    assert forecasts["ensemble_median"].sum() < forecasts["ensemble"].sum()


def test_a_sparse_panel_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    fit_sparse()
    share = np.mean([value == 0 for y in SPARSE.values() for value in y[:92]])
    messages = [record.getMessage() for record in caplog.records]
    warnings = [message[:4] for message in messages if "RMSSE" in message]
    assert warnings == [f"{100 * share:.0f} %"]


QUICK = {"level": [50], "lookback": 8, "split": {"test": 20}, "networks": "pretrained"}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The fits whose errors were measured."""
    fits: list[object] = []
    monkeypatch.setattr(
        fitting, "evaluate_fitted", lambda fitted: fits.append(fitted) or evaluate_fitted(fitted)
    )
    return fits


def test_errors_are_measured_once_for_a_fit(
    frame: pd.DataFrame, tmp_path: Path, measured: list[object]
) -> None:
    forecaster = Forecaster(h=3, **QUICK).fit(frame.loc[frame["unique_id"] == "a", ["ds", "y"]])
    forecaster.leaderboard()
    forecaster.summary()
    forecaster.report(tmp_path / "report.html")
    assert len(measured) == 1


def test_changed_leaderboard_does_not_change_the_next(single: Forecaster) -> None:
    table = single.leaderboard()
    table["mse"] = 0.0
    assert (single.leaderboard()["mse"] > 0).all()


def test_errors_are_measured_again_after_another_fit(
    frame: pd.DataFrame, measured: list[object]
) -> None:
    tables = [frame.loc[frame["unique_id"] == name, ["ds", "y"]] for name in ("a", "b")]
    forecaster = Forecaster(h=3, **QUICK)
    leaderboards = [forecaster.fit(table).leaderboard() for table in tables]
    assert len(measured) == 2
    fresh = Forecaster(h=3, **QUICK).fit(tables[1]).leaderboard()
    assert list(leaderboards[1]["mse"]) == list(fresh["mse"])


def test_nothing_is_learnt_from_what_is_kept_back(frame: pd.DataFrame, fitted: Forecaster) -> None:
    """Of the first window of the holdout, whose targets and all that follows are others now."""
    first = fitted.holdout().groupby("unique_id", sort=False).head(3)
    kept_back = frame.groupby("unique_id").cumcount(ascending=False) < 20
    changed = frame.assign(y=frame["y"].where(~kept_back, 1e3 * np.sin(np.arange(len(frame)))))
    # Without the treatment of breaks, which moves earlier values on purpose.
    found = (
        Forecaster(h=3, level=[50, 80], lookback=8, breaks="keep", **SMALL).fit(changed).holdout()
    )
    again = found.groupby("unique_id", sort=False).head(3)
    pd.testing.assert_frame_equal(again.drop(columns="y"), first.drop(columns="y"))


def test_steps_beyond_the_horizon_are_marked(fitted: Forecaster) -> None:
    found = fitted.predict(h=8, methods="all")
    assert found["is_recursive"].tolist() == 2 * (3 * [False] + 5 * [True])


def test_steps_beyond_the_horizon_have_bounds(fitted: Forecaster) -> None:
    found = fitted.predict(h=8, methods="all")
    bounds = [name for name in found if "-lo-" in name or "-hi-" in name]
    assert found[bounds].notna().all().all()


def test_steps_within_the_horizon_stay(fitted: Forecaster) -> None:
    longer = fitted.predict(h=8)
    expected = fitted.predict()
    found = longer[~longer["is_recursive"]].drop(columns="is_recursive").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)


def test_shorter_horizon_has_the_first_steps(fitted: Forecaster) -> None:
    expected = fitted.predict().groupby("unique_id", sort=False).head(2).reset_index(drop=True)
    pd.testing.assert_frame_equal(fitted.predict(h=2), expected)
    pd.testing.assert_frame_equal(fitted.predict(h=np.int64(2)), fitted.predict(h=2))


def test_beyond_the_horizon_each_forecaster_reads_its_own_forecasts(
    single: Forecaster, frame: pd.DataFrame
) -> None:
    history = frame.loc[frame["unique_id"] == "a", ["ds", "y"]]
    forecasts = single.predict(methods="all")
    further = single.predict(h=6, methods="all")
    for name in ("gru", "ridge"):
        steps = forecasts[["ds", name]].rename(columns={name: "y"})
        expected = single.predict(pd.concat([history, steps], ignore_index=True), methods="all")
        np.testing.assert_allclose(further[name].iloc[3:], expected[name], rtol=1e-6)


def test_loaded_forecaster_forecasts_as_before(
    fitted: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    columns = [
        "unique_id",
        "ds",
        "ensemble",
        "ensemble-lo-50",
        "ensemble-hi-50",
        "ensemble-lo-80",
        "ensemble-hi-80",
    ]
    found = loaded.predict(frame)
    assert list(found) == columns
    pd.testing.assert_frame_equal(found, fitted.predict()[columns])


def test_pipelines_forecast_with_a_saved_forecaster(
    fitted: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    source = SourceSpec(name="catalog", id="unique_id")
    found = forecast_newest(
        unpack(load_folder(tmp_path / "model")), frame.rename_axis("row"), source
    )
    np.testing.assert_array_equal(found["y_hat"], fitted.predict()["ensemble"])


def test_loaded_forecaster_is_saved_again(tmp_path: Path, single: Forecaster) -> None:
    single.save(tmp_path / "one")
    Forecaster.load(tmp_path / "one").save(tmp_path / "two")
    one, two = (load_folder(tmp_path / name) for name in ("one", "two"))
    assert one["settings.json"] == two["settings.json"]
    assert sorted(one) == sorted(two)


def test_saved_forecaster_replaces_the_one_before(
    fitted: Forecaster, single: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    single.save(str(tmp_path / "model"))
    history = frame.loc[frame["unique_id"] == "a", ["ds", "y"]]
    pd.testing.assert_series_equal(
        Forecaster.load(tmp_path / "model").predict(history)["ensemble"],
        single.predict()["ensemble"],
    )


def test_loaded_forecaster_reads_the_named_columns(
    fitted: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    own = frame.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    loaded = Forecaster.load(
        tmp_path / "model", source={"time": "day", "target": "sales", "id": "shop"}
    )
    expected = Forecaster.load(tmp_path / "model").predict(frame)
    pd.testing.assert_frame_equal(loaded.predict(own), expected)
    wide = frame.pivot(index="ds", columns="unique_id", values="y").reset_index()
    loaded = Forecaster.load(tmp_path / "model", source={"wide": True})
    pd.testing.assert_frame_equal(loaded.predict(wide), expected)
    with pytest.raises(ParameterError, match="tiem"):
        Forecaster.load(tmp_path / "model", source={"tiem": "day"})


def test_a_champion_can_be_loaded(fitted: Forecaster, frame: pd.DataFrame, tmp_path: Path) -> None:
    """By the folder of its task, and by that of its version."""
    fitted.save(tmp_path / "model")
    folder = tmp_path / "champion"
    folder.mkdir()
    store = ChampionStore(folder)
    version = store.add_version(load_folder(tmp_path / "model"))
    store.promote(version, ["for this test"], "2026-01-01T00:00:00+00:00")
    expected = fitted.predict()["ensemble"]
    for path in (folder, folder / "versions" / version):
        pd.testing.assert_series_equal(Forecaster.load(path).predict(frame)["ensemble"], expected)


@pytest.mark.parametrize("name", ["settings", "scaler", "model", "intervals"])
@pytest.mark.parametrize("is_missing", [False, True])
def test_a_saved_forecaster_with_another_digit_or_without_a_file_is_refused(
    fitted: Forecaster, tmp_path: Path, name: str, is_missing: bool
) -> None:
    """When it is loaded, rather than with another forecast, or none, later."""
    fitted.save(tmp_path)
    (path,) = tmp_path.glob(f"{name}.*.*")
    content = path.read_bytes()
    digit = next(
        place
        for place in range(len(content) // 2, len(content))
        if content[place : place + 1].isdigit()
    )
    other = b"1" if content[digit : digit + 1] != b"1" else b"2"
    path.unlink() if is_missing else path.write_bytes(
        content[:digit] + other + content[digit + 1 :]
    )
    with pytest.raises(ChampionError, match=name):
        Forecaster.load(tmp_path)


def test_a_folder_of_the_user_is_not_replaced(fitted: Forecaster, tmp_path: Path) -> None:
    """Even if it has a file that a model has too."""
    files = {"settings.json": '{"editor": "mine"}', "notes.txt": "mine"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(ChampionError, match=r"notes\.txt"):
        fitted.save(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


def test_threads_share_a_forecaster_with_its_folder(
    fitted: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    expected = fitted.predict(frame)["ensemble"]
    contributions = fitted.explain(frame)

    def work(number: int) -> pd.Series:
        if number % 2:
            fitted.save(tmp_path / "model")
        return (Forecaster.load(tmp_path / "model") if number % 3 else fitted).predict(frame)[
            "ensemble"
        ]

    fitted.save(tmp_path / "model")
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(work, range(6)):
            pd.testing.assert_series_equal(found, expected, check_exact=True)
        for explained in threads.map(fitted.explain, [frame] * 3):
            pd.testing.assert_frame_equal(explained, contributions)


def test_threads_fit_forecasters_of_their_own(fitted: Forecaster, frame: pd.DataFrame) -> None:
    """With the numbers of one thread."""
    with ThreadPoolExecutor(2) as threads:
        forecasters = [Forecaster(h=3, level=[50, 80], lookback=8, **SMALL) for _ in range(2)]
        for one in threads.map(lambda forecaster: forecaster.fit(frame), forecasters):
            pd.testing.assert_frame_equal(one.predict(), fitted.predict())


def test_what_was_not_fitted_saved_or_is_no_frame_is_refused(
    frame: pd.DataFrame, tmp_path: Path, fitted: Forecaster
) -> None:
    with pytest.raises(ParameterError, match=r"Call fit, or Forecaster\.load"):
        Forecaster().predict(frame)
    with pytest.raises(ChampionError, match="no saved model"):
        Forecaster.load(tmp_path)
    with pytest.raises(SeriesError, match="received list"):
        Forecaster().fit([1, 2, 3])
    with pytest.raises(
        ParameterError, match="files: expected a dictionary of contents by name, received 3"
    ):
        Forecaster.unpack(3)
    with pytest.raises(ParameterError, match=r"largest of the fit, none, received 95. Fit with"):
        fit_sparse().predict(level=[95])


def test_a_loaded_forecaster_needs_a_frame(single: Forecaster, tmp_path: Path) -> None:
    single.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    with pytest.raises(ParameterError, match="with a frame"):
        loaded.predict()
    with pytest.raises(ParameterError, match="no training data"):
        loaded.leaderboard()


@pytest.mark.parametrize(
    "level", [80, np.int64(80), np.array([80]), [80.0], (80, 80), {80}, pd.Series([80])]
)
def test_levels_come_as_any_list_of_whole_percent(fitted: Forecaster, level: object) -> None:
    pd.testing.assert_frame_equal(fitted.predict(level=level), fitted.predict(level=[80]))


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("80", "level: Input should be a valid tuple. Received '80'"),
        (b"P", "level: Input should be a valid tuple. Received b'P'"),
        (0.8, r"level\.0: expected whole percent, such as 80 for 0\.8, received 0\.8"),
        ([0.95], "level.0: expected whole percent, such as 95"),
        ([80.5], "level.0: Input should be a valid integer"),
        ([True], "level.0: expected a number, received True"),
        ([[80]], "level.0: Input should be a valid integer"),
    ],
)
def test_what_is_no_list_of_levels_is_refused(
    fitted: Forecaster, level: object, message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        fitted.predict(level=level)
    with pytest.raises(ParameterError, match=message):
        Forecaster(level=level)


@pytest.mark.parametrize("h", [0, -1, "3", 2.5, float("nan"), True, 3001, 10**12, [3]])
def test_what_is_no_number_of_steps_is_refused(fitted: Forecaster, h: object) -> None:
    with pytest.raises(
        ParameterError, match=r"h: expected a whole number of steps from 1 to 3,000, .* received "
    ):
        fitted.predict(h=h)


@pytest.mark.parametrize("forecaster", [["lstm"], "lstmm"])
def test_a_forecaster_that_there_is_not_is_refused(fitted: Forecaster, forecaster: object) -> None:
    with pytest.raises(
        ParameterError, match=r"forecaster: expected one of .*'ensemble'.* received "
    ):
        fitted.explain(forecaster=forecaster)


@pytest.mark.parametrize(
    "empty", [pd.DataFrame({"ds": [], "y": []}), pd.DataFrame(), pd.DataFrame(index=range(3))]
)
def test_an_empty_frame_is_refused(fitted: Forecaster, empty: pd.DataFrame) -> None:
    """It has no newer values, and does not ask for the forecast of the training."""
    match = r"the frame: expected a row for each time, received [03] rows of [02] col"
    for use in (fitted.predict, Forecaster().fit):
        with pytest.raises(SeriesError, match=match):
            use(empty)


def test_a_column_that_stands_twice_is_refused(fitted: Forecaster, frame: pd.DataFrame) -> None:
    twice = pd.concat([frame, frame[["y"]]], axis=1)
    for use in (fitted.predict, Forecaster().fit):
        with pytest.raises(SeriesError, match=r"the frame: .* column 'y'"):
            use(twice)


def test_a_missing_column_is_refused(fitted: Forecaster, frame: pd.DataFrame) -> None:
    with pytest.raises(SeriesError, match=r"no column \['y'\]"):
        fitted.predict(frame.rename(columns={"y": "Y"}))


def test_a_frame_without_values_is_refused(fitted: Forecaster, frame: pd.DataFrame) -> None:
    with pytest.raises(SeriesError, match="has no value"):
        fitted.predict(frame.assign(y=np.nan))


def test_other_series_are_refused_after_a_fit_on_one(
    single: Forecaster, frame: pd.DataFrame
) -> None:
    others = frame.assign(unique_id="c").drop_duplicates("ds")
    for use in (single.predict, single.explain, lambda frame: single.predict(frame, h=8)):
        with pytest.raises(
            SeriesError, match=r"none of its series .* Expected \['y'\], received \['c'\]"
        ):
            use(others)


def test_short_series_is_refused_after_a_fit_on_one(
    single: Forecaster, frame: pd.DataFrame
) -> None:
    """The lookback of one series; there was nothing but its name, or an empty table."""
    short = frame.loc[frame["unique_id"] == "a", ["ds", "y"]].tail(7)
    for use in (single.predict, single.explain, lambda frame: single.predict(frame, h=8)):
        message = r"^the frame: .* too short\. Expected 8 steps or more, received 7 of series 'y'\."
        with pytest.raises(SeriesTooShortError, match=message):
            use(short)


def test_series_of_a_lookback_is_forecast(single: Forecaster, frame: pd.DataFrame) -> None:
    assert len(single.predict(frame.loc[frame["unique_id"] == "a", ["ds", "y"]].tail(8))) == 3


def test_new_series_follow_a_panel(
    fitted: Forecaster, frame: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    """On their own scale: a copy of b that is 1,000 times as large has its forecasts and intervals, times 1,000."""
    new = frame[frame["unique_id"] == "b"].assign(unique_id="c", y=lambda rows: 1000 * rows["y"])
    found = fitted.predict(pd.concat([frame, new]), methods="all").set_index("unique_id")
    numbers = found.columns.drop("ds")
    assert "forecast without training: 1 new series (c)" in caplog.text
    pd.testing.assert_frame_equal(
        found.loc[["a", "b"]].reset_index(), fitted.predict(methods="all"), rtol=1e-5
    )
    np.testing.assert_allclose(found.loc["c", METHODS] / 1000, found.loc["b", METHODS], rtol=0.05)
    assert np.isfinite(found[numbers]).all().all()
    ratio = (found["ensemble-hi-80"] - found["ensemble-lo-80"]).groupby("unique_id").mean()
    assert 0.5 < ratio["c"] / 1000 / ratio["b"] < 2


SIZES = {"one": 1, "two": 2, "nine": 9, "sixty": 60}


@pytest.fixture(scope="module")
def new(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(
        frame[frame["unique_id"] == "a"].tail(size).assign(unique_id=name)
        for name, size in SIZES.items()
    )


@pytest.mark.parametrize("h", [3, 8])
def test_new_series_of_any_length_are_forecast(
    fitted: Forecaster, new: pd.DataFrame, h: int
) -> None:
    forecasts = fitted.predict(new, h=h, methods="all")
    assert forecasts.groupby("unique_id").size().to_dict() == dict.fromkeys(SIZES, h)
    assert np.isfinite(forecasts.drop(columns=["unique_id", "ds"])).all().all()
    assert (forecasts["ensemble-hi-80"] > forecasts["ensemble-lo-80"]).all()


def test_new_series_of_any_length_have_paths(fitted: Forecaster, new: pd.DataFrame) -> None:
    paths = fitted.predict(new, paths=2)
    assert paths.groupby("unique_id").size().to_dict() == dict.fromkeys(SIZES, 6)


def test_new_series_of_any_length_are_explained(fitted: Forecaster, new: pd.DataFrame) -> None:
    explained = fitted.explain(new).groupby(["unique_id", "ds"])["contribution"].sum()
    expected = fitted.predict(new).set_index(["unique_id", "ds"])["ensemble"]
    pd.testing.assert_series_equal(explained, expected.sort_index(), check_names=False, rtol=1e-3)


def test_new_series_are_forecast_as_alone(fitted: Forecaster, frame: pd.DataFrame) -> None:
    new = [
        frame[frame["unique_id"] == "a"].tail(size).assign(unique_id=f"new {size}")
        for size in (5, 40, 90)
    ]
    wild = new[2].assign(unique_id="wild", y=lambda rows: rows["y"] ** 3)
    together = fitted.predict(pd.concat([*new, wild]), methods="all").set_index("unique_id")
    for one in new:
        alone = fitted.predict(one, methods="all").set_index("unique_id")
        pd.testing.assert_frame_equal(together.loc[alone.index.unique()], alone, rtol=1e-5)


def test_intervals_of_a_single_value_grow_with_it(fitted: Forecaster, frame: pd.DataFrame) -> None:
    widths = []
    for factor in (1, 1000):
        new = frame[frame["unique_id"] == "a"].tail(1).assign(unique_id="c", y=5.0 * factor)
        found = fitted.predict(new)
        widths.append((found["ensemble-hi-80"] - found["ensemble-lo-80"]).mean())
    assert widths[1] / widths[0] == pytest.approx(1000, rel=0.01)


def test_known_series_are_forecast_from_one_value_on(
    fitted: Forecaster, frame: pd.DataFrame
) -> None:
    young = pd.concat(
        [frame[frame["unique_id"] == name].tail(size) for name, size in (("a", 1), ("b", 2))]
    )
    forecasts = fitted.predict(young)
    assert forecasts.groupby("unique_id").size().to_dict() == {"a": 3, "b": 3}
    assert np.isfinite(forecasts["ensemble"]).all()


def test_constant_new_series_has_finite_intervals_without_warnings(
    fitted: Forecaster, make_table: Callable[..., pd.DataFrame]
) -> None:
    found = fitted.predict(make_table({"c": [5.0] * 40}).reset_index(drop=True), methods="all")
    assert np.isfinite(found.drop(columns=["unique_id", "ds"])).all().all()


@pytest.mark.parametrize("num_values", [1, 2, 40])
def test_new_series_of_zeros_has_no_intervals_with_the_reason(
    fitted: Forecaster,
    make_table: Callable[..., pd.DataFrame],
    num_values: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = fitted.predict(make_table({"c": [0.0] * num_values}).reset_index(drop=True))
    assert np.isfinite(found["ensemble"]).all()
    assert found.filter(regex="-lo-|-hi-").isna().all().all()
    assert "no intervals of 1 series (c), because all known values of each are equal" in caplog.text


def test_gap_at_the_end_is_refused(frame: pd.DataFrame) -> None:
    open_ends = Forecaster(h=3, lookback=8, gaps="split", networks="pretrained", split={"test": 20})
    a = frame.loc[frame["unique_id"] == "a", ["ds", "y"]].reset_index(drop=True)
    open_ends.fit(a)
    for use in (open_ends.predict, open_ends.explain):
        with pytest.raises(
            SeriesError,
            match=r"gaps at their ends\. Expected a value at each of the last 8 steps\.",
        ):
            use(a.drop(index=len(a) - 3))


def test_faulty_value_is_named_by_its_row(frame: pd.DataFrame) -> None:
    wrong = frame.assign(y=frame["y"].astype(str).where(frame.index != 4, "many"))
    with pytest.raises(
        SeriesError,
        match=r"the frame: column 'y', row 5: expected a number such as 1234\.5, received 'many'",
    ):
        Forecaster(h=3).fit(wrong)


@pytest.mark.parametrize(
    ("columns", "message"),
    [(["ds"], r"no column \['y'\]; its columns are \['ds'\]"), (["y"], r"no column \['ds'\]")],
)
def test_a_column_that_is_missing_is_named(
    frame: pd.DataFrame, columns: list[str], message: str
) -> None:
    with pytest.raises(SeriesError, match=message):
        Forecaster(h=3).fit(frame[columns])


ALONE = """
import json, sys, time
import numpy as np
import pandas as pd
import rnn_pipelines

loaded = "rnn_pipelines.forecast" in sys.modules
from rnn_pipelines import Forecaster

y = 20 + np.random.default_rng(0).normal(size=80).cumsum()
frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=80), "y": y})
small = {"lstm": {"units": 2}, "gru": {"units": 2}, "training": {"max_steps": 25}}
forecaster = Forecaster(h=2, lookback=6, **small).fit(frame)
forecaster.predict(h=3), forecaster.leaderboard(), forecaster.save(sys.argv[1])
Forecaster.load(sys.argv[1]).predict(frame)
heavy = {"kedro", "kedro_datasets", "tensorflow", "keras", "sklearn", "plotly", "mlflow"}
print(json.dumps([loaded, sorted({*heavy, "holidays"} & set(sys.modules))]))
"""


def test_forecasting_loads_no_package_that_it_does_not_need(tmp_path: Path) -> None:
    """Neither Kedro nor Keras, nor holidays of no country. The package alone loads not even the forecasting."""
    command = [sys.executable, "-c", ALONE, str(tmp_path / "model")]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(finished.stdout) == [False, []]


@pytest.mark.parametrize(
    "path",
    [None, 3, b"a", ["a"], "a\0b", "\ud800", "~no-such-user/a", "no folder/a", "x" * 300, ""],
)
@pytest.mark.parametrize("name", ["save", "export", "report"])
def test_paths_that_cannot_be_written_are_refused(
    fitted: Forecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no folder").write_text("mine")
    with pytest.raises(RnnPipelinesError):
        getattr(fitted, name)(path)
    assert [file.name for file in tmp_path.rglob("*")] == ["no folder"]


@pytest.mark.parametrize("method", ["predict", "explain", "explorer"])
def test_a_missing_column_names_the_arguments(
    single: Forecaster, method: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=20), "y": 1.0})
    before = [tmp_path / "page.html"] if method == "explorer" else []
    with pytest.raises(MissingColumnsError) as refused:
        getattr(single, method)(*before, frame)
    assert "time=, target=, id=" in str(refused.value)


@pytest.fixture(scope="module")
def written(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One series as a file with other names."""
    path = tmp_path_factory.mktemp("file") / "sales.csv"
    table = frame.loc[frame["unique_id"] == "a", ["ds", "y"]]
    table.set_axis(["Date", "Sales"], axis=1).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("read", [str, Path, pd.read_csv])
def test_columns_of_files_and_tables_are_found(
    single: Forecaster, written: Path, read: Callable[[Path], Any]
) -> None:
    found = Forecaster(h=3, level=[50], lookback=8, **SMALL).fit(read(written)).predict()
    np.testing.assert_allclose(found["ensemble-lo-50"], single.predict()["ensemble-lo-50"])


def test_a_sheet_of_a_file_is_read(written: Path, tmp_path: Path) -> None:
    table = pd.read_csv(written)
    with pd.ExcelWriter(tmp_path / "sales.xlsx") as writer:
        for name, factor in (("euro", 1), ("cent", 100)):
            sheet = table.assign(Sales=factor * table["Sales"])
            sheet.to_excel(writer, sheet_name=name, index=False)
    found = Forecaster(h=3, sheet="cent", **QUICK).fit(tmp_path / "sales.xlsx").predict()
    expected = Forecaster(h=3, **QUICK).fit(written).predict()
    np.testing.assert_allclose(found["ensemble"], 100 * expected["ensemble"], rtol=1e-4)


def test_another_fit_finds_columns_of_other_names(written: Path) -> None:
    forecaster = Forecaster(h=3, **QUICK).fit(written)
    other = pd.read_csv(written).set_axis(["Day", "Euro"], axis=1)
    assert len(forecaster.fit(other).predict(other)) == 3


def test_levels_between_those_of_the_fit_are_those_of_its_quantiles(fitted: Forecaster) -> None:
    bounds = fitted.predict(level=90)[["ensemble-lo-90", "ensemble-hi-90"]]
    quantiles = fitted.predict(quantiles=[0.05, 0.95])[["ensemble-q-5", "ensemble-q-95"]]
    np.testing.assert_array_equal(bounds, quantiles)


def test_bounds_of_a_level_do_not_depend_on_the_others(fitted: Forecaster) -> None:
    both = fitted.predict(level=[80, 90])
    pd.testing.assert_frame_equal(both[[*fitted.predict(level=80)]], fitted.predict(level=80))


def test_loaded_forecaster_has_the_same_bounds_of_other_levels(
    single: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    single.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    pd.testing.assert_frame_equal(
        loaded.predict(frame.loc[frame["unique_id"] == "a", ["ds", "y"]], level=[70, 95]),
        single.predict(level=[70, 95]),
    )


def test_excel_file_has_the_forecasts(fitted: Forecaster, tmp_path: Path) -> None:
    fitted.to_excel(tmp_path / "next.xlsx", level=80)
    table = pd.read_excel(tmp_path / "next.xlsx", sheet_name="values").dropna(subset="forecast")
    np.testing.assert_allclose(
        table["lo-80"], fitted.predict(level=80)["ensemble-lo-80"], rtol=1e-4
    )


def test_a_message_about_a_file_names_it(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ds,y\n2024-01-01,1\n2024-01-01,2\n")
    with pytest.raises(SeriesError, match=r"^\S+x\.csv: "):
        Forecaster(h=3).fit(tmp_path / "x.csv")


def test_an_argument_of_the_constructor_is_named(frame: pd.DataFrame) -> None:
    with pytest.raises(
        ParameterError, match=r"target: no argument of fit\. Write Forecaster\(target=…\)\."
    ):
        Forecaster(h=3).fit(frame, target="y")  # type: ignore[call-arg]


def test_an_unclear_column_is_named_in_the_constructor(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ds,a,b\n2024-01-01,1,2\n2024-01-02,2,2\n2024-01-03,2,2\n")
    with pytest.raises(SeriesError, match=r"Name one of \['a', 'b'\] in Forecaster\(target=…\)\."):
        Forecaster(h=3).fit(tmp_path / "x.csv")


@pytest.mark.parametrize("columns", [[("a", "ds"), ("a", "y")], [0, 1]])
def test_a_frame_without_texts_as_labels_is_refused_in_words(columns: list[Any]) -> None:
    days = pd.date_range("2024-01-01", periods=40)
    frame = pd.DataFrame({"x": days, "z": np.arange(40.0)}).set_axis(columns, axis=1)
    with pytest.raises(SeriesError):
        Forecaster().fit(frame)
