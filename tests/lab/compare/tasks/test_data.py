"""Every network of a task gets the same data, and is measured in the task's own unit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

from rnn_pipelines.errors import SeriesError, TaskError
from rnn_pipelines.forecast.evaluation.summary import evaluate_forecasts
from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.predictions import tabulate_forecasts
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.lab.compare.tasks.adding import AddingData
from rnn_pipelines.lab.compare.tasks.copy_memory import CopyData, measure_cross_entropy
from rnn_pipelines.lab.compare.tasks.data import PARTS, Contest, Sequences, TaskData, measure_mse
from rnn_pipelines.lab.compare.tasks.music import MusicData
from rnn_pipelines.lab.compare.tasks.series import SeriesData

SIZES = {"num_train": 30, "num_validation": 20, "num_test": 10}
JSB = MusicData(kind="music", file="JSB_Chorales.mat")
DATA = {
    "series": SeriesData(kind="series", source=SourceSpec(name="noisy_sine"), lookback=10),
    "adding": AddingData(kind="adding", num_steps=6, **SIZES),
    "copy": CopyData(kind="copy", delay=3, **SIZES),
    "music": JSB,
}
# Whose data are drawn.
DRAWN = ("series", "adding", "copy")
NUM_INPUTS = {"series": 1, "adding": 2, "copy": 10, "music": 88}

Prepare = Callable[..., Contest]


@pytest.fixture
def prepare(music: Path) -> Prepare:
    """Prepares a contest of one kind, anew each time."""
    return lambda kind, seed=0: DATA[kind].prepare(seed, str(music))


@pytest.fixture(scope="module")
def contests(music: Path) -> dict[str, Contest]:
    """A contest of each kind, which is only read."""
    return {kind: data.prepare(0, str(music)) for kind, data in DATA.items()}


def list_arrays(contest: Contest) -> list[np.ndarray]:
    return [
        array
        for part in contest.parts.values()
        for array in (part.inputs, part.targets, part.weights)
    ]


@pytest.mark.parametrize("kind", DATA)
def test_a_seed_gives_the_same_arrays_again(prepare: Prepare, kind: str) -> None:
    for one, other in zip(
        list_arrays(prepare(kind, 3)), list_arrays(prepare(kind, 3)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", DATA)
def test_number_of_inputs_is_that_of_the_task(contests: dict[str, Contest], kind: str) -> None:
    assert contests[kind].num_inputs == NUM_INPUTS[kind]


@pytest.mark.parametrize("kind", DATA)
def test_every_reference_has_a_style(contests: dict[str, Contest], kind: str) -> None:
    assert set(contests[kind].references) <= set(DATA[kind].styles)


@pytest.mark.parametrize("kind", DATA)
def test_perfect_outputs_have_no_loss(contests: dict[str, Contest], kind: str) -> None:
    contest = contests[kind]
    targets = contest.parts["test"].targets
    certain = {"copy": lambda: 1e3 * np.eye(9)[targets], "music": lambda: 1e3 * (2 * targets - 1)}
    assert contest.measure(
        certain.get(kind, lambda: targets)(), contest.parts["test"]
    ) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("kind", DRAWN)
def test_another_seed_gives_other_data_in_every_part(prepare: Prepare, kind: str) -> None:
    one, other = (prepare(kind, seed).parts for seed in (3, 4))
    assert not any(np.array_equal(one[part].inputs, other[part].inputs) for part in PARTS)


@pytest.mark.parametrize("kind", ["adding", "copy"])
def test_parts_have_their_own_sequences_in_the_stated_numbers(prepare: Prepare, kind: str) -> None:
    assert [len(prepare(kind).parts[part].inputs) for part in PARTS] == [30, 20, 10]
    rows = np.concatenate(
        [part.inputs.reshape(len(part.inputs), -1) for part in prepare(kind).parts.values()]
    )
    assert len(np.unique(rows, axis=0)) == 60
    larger = DATA[kind].model_copy(update={"num_train": 31}).prepare(0, None)
    np.testing.assert_array_equal(larger.parts["test"].inputs, prepare(kind).parts["test"].inputs)


def test_parts_of_music_are_those_of_the_file_for_every_seed(prepare: Prepare) -> None:
    assert [part.weights.sum(axis=1).tolist() for part in prepare("music").parts.values()] == [
        [4, 11, 6, 8],
        [3, 7],
        [5, 2],
    ]
    for one, other in zip(
        list_arrays(prepare("music", 3)), list_arrays(prepare("music", 4)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_music_is_cut_for_training_alone(music: Path) -> None:
    contest = JSB.model_copy(update={"train_steps": 5}).prepare(0, str(music))
    assert [part.weights.sum(axis=1).tolist() for part in contest.parts.values()] == [
        [4, 5, 5, 1, 5, 1, 5, 3],
        [3, 7],
        [5, 2],
    ]


@pytest.mark.parametrize(
    ("kind", "every_step"), [("series", False), ("adding", False), ("copy", True), ("music", True)]
)
def test_targets_stand_at_every_step_or_at_the_end(
    contests: dict[str, Contest], kind: str, every_step: bool
) -> None:
    assert contests[kind].every_step is every_step


def test_windows_are_those_of_the_scaled_series(prepare: Prepare) -> None:
    """1,000 points, of which the last 200 are the test part, scaled with the first 700."""
    y = read_source(SourceSpec(name="noisy_sine", seed=2))["y"].to_numpy()
    scaled = (y - y[:700].mean()) / y[:700].std()
    test = prepare("series", 2).parts["test"]
    np.testing.assert_allclose(test.targets[:, 0], scaled[800:], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        test.inputs[:, :, 0], [scaled[i - 10 : i] for i in range(800, 1000)], rtol=1e-4, atol=1e-5
    )


def test_seeds_are_added_to_that_of_the_source(prepare: Prepare) -> None:
    shifted = DATA["series"].model_copy(update={"source": SourceSpec(name="noisy_sine", seed=2)})
    one = shifted.prepare(1, None)
    other = prepare("series", 3)
    np.testing.assert_array_equal(one.parts["test"].targets, other.parts["test"].targets)


def test_the_metric_is_in_the_unit_of_the_series(prepare: Prepare) -> None:
    # Forecasting the mean of the training part has the MSE around it.
    y = read_source(SourceSpec(name="noisy_sine"))["y"].to_numpy()
    contest = prepare("series")
    found = contest.measure(np.zeros((200, 1)), contest.parts["test"])
    assert found == pytest.approx(np.mean((y[800:] - y[:700].mean()) ** 2), rel=1e-5)


def test_several_series_are_refused(write: Callable[..., str]) -> None:
    rows = "".join(f"{name},2020-01-{day:02},{day}\n" for name in "ab" for day in range(1, 31))
    source = SourceSpec(path=write(f"id,ds,y\n{rows}"), id="id")
    with pytest.raises(TaskError, match=r"my\.csv: expected one series, received 2"):
        SeriesData(kind="series", source=source, lookback=3).prepare(0, None)


def test_a_missing_file_of_a_series_is_refused() -> None:
    with pytest.raises(SeriesError, match=r"nowhere\.csv: no such file"):
        SeriesData(kind="series", source=SourceSpec(path="nowhere.csv")).prepare(0, None)


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RNN_DATA", raising=False)


def test_music_file_is_found_in_the_folder_of_the_plan_alone(
    music: Path, no_data: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert JSB.find_file(str(music)) == music / "JSB_Chorales.mat"
    with pytest.raises(TaskError, match=r"JSB_Chorales\.mat.*compare\.plan\.music"):
        JSB.prepare(0, None)
    # Not even where the command is run beside a folder of that name.
    monkeypatch.chdir(music)
    assert JSB.find_file(None) is None


def test_music_file_is_found_below_data_or_plan(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "music").symlink_to(music)
    monkeypatch.setenv("RNN_DATA", str(tmp_path))
    assert JSB.find_file(None) == tmp_path / "music" / "JSB_Chorales.mat"
    assert JSB.find_file(str(music)) == music / "JSB_Chorales.mat"


def test_files_that_are_missing_are_none(music: Path, tmp_path: Path) -> None:
    assert MusicData(kind="music", file="Nottingham.mat").find_file(str(music)) is None
    with pytest.raises(
        TaskError, match=r"compare\.plan\.music: expected a folder, received .*nowhere"
    ):
        JSB.find_file(str(tmp_path / "nowhere"))
    assert SeriesData(kind="series", source=SourceSpec(path="my.csv")).find_file(None) == Path(
        "my.csv"
    )
    assert DATA["adding"].published == {}


@pytest.mark.parametrize("kind", DRAWN)
def test_drawn_data_have_no_file(kind: str) -> None:
    assert DATA[kind].find_file(None) is None


@pytest.fixture(scope="module")
def forecast_metrics() -> dict[str, Any]:
    """What `forecast` says of its baselines on the same windows of the temperature, seed 1."""
    recipe = Recipe(
        source=SourceSpec(name="temperature", seed=1),
        gaps=GapPolicy("split"),
        window=WindowSpec(lookback=12, horizon=1),
        split=SeriesData.model_fields["split"].default,
        calendar=CalendarSpec(yearly=0, weekly=0, daily=0),
    )
    panel = prepare_panel(read_source(recipe.source), recipe)
    baselines = forecast_simple_methods(prepare_fitting(panel.windows))
    predictions = tabulate_forecasts(panel.windows, panel.features, panel.scaler, baselines, "test")
    return evaluate_forecasts(
        predictions, panel.series, panel.cutoffs, panel.profile, recipe.evaluation, {}
    )[0]


@pytest.fixture(scope="module")
def temperature() -> Contest:
    return SeriesData(kind="series", source=SourceSpec(name="temperature"), lookback=12).prepare(
        1, None
    )


@pytest.mark.parametrize(
    ("reference", "baseline"), [("last value", "last_value"), ("ridge", "ridge")]
)
def test_baselines_of_a_series_are_those_of_forecast(
    temperature: Contest, forecast_metrics: dict[str, Any], reference: str, baseline: str
) -> None:
    assert temperature.references[reference] == pytest.approx(
        forecast_metrics[baseline]["mse"], rel=1e-5
    )


def test_noise_floor_is_that_of_forecast_with_a_signal(
    temperature: Contest, forecast_metrics: dict[str, Any]
) -> None:
    assert temperature.references["noise floor"] == pytest.approx(
        forecast_metrics["noise_floor_mse"]
    )
    contest = SeriesData(kind="series", source=SourceSpec(name="seattle")).prepare(0, None)
    assert set(contest.references) == {"last value", "ridge"}


def test_mse_is_that_of_a_loop() -> None:
    sequences = Sequences(np.zeros((3, 2, 1)), np.array([[1.0], [2.0], [4.0]]), np.ones(3))
    assert measure_mse(np.array([[1.0], [0.0], [3.0]]), sequences) == pytest.approx((0 + 4 + 1) / 3)


def test_cross_entropy_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (4, 5, 9)).astype(np.float32)
    targets = random.integers(0, 9, (4, 5), np.int32)
    probabilities = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(
        axis=2, keepdims=True
    )
    expected = log_loss(targets.ravel(), probabilities.reshape(-1, 9), labels=range(9))
    found = measure_cross_entropy(logits, Sequences(logits, targets, np.ones((4, 5))))
    assert found == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_of_large_logits_is_finite() -> None:
    logits = np.full((1, 1, 9), -1e4, np.float32)
    logits[..., 3] = 1e4
    assert (
        measure_cross_entropy(logits, Sequences(logits, np.array([[2]], np.int32), np.ones((1, 1))))
        == 2e4
    )


def test_references_guess_what_is_known_without_the_sequence(prepare: Prepare) -> None:
    """Not in the mean over all draws, 1/6: the networks have this draw too."""
    contest = prepare("adding")
    sums = contest.parts["test"].targets.ravel().tolist()
    assert contest.references["guessing 1"] == pytest.approx(
        sum((total - 1) ** 2 for total in sums) / 10
    )
    contest = prepare("copy")
    logits = np.zeros((10, 23, 9))
    logits[:, :-10, 8] = 1e3
    logits[:, -10:, 8] = -1e3
    assert contest.measure(logits, contest.parts["test"]) == pytest.approx(
        contest.references["no memory"]
    )
    contest = prepare("music")
    heard = contest.parts["train"].targets[contest.parts["train"].weights > 0]
    frequency = (heard.sum(axis=0) + 1) / (len(heard) + 2)
    logits = np.broadcast_to(
        np.log(frequency / (1 - frequency)), contest.parts["test"].targets.shape
    )
    assert contest.references["note frequencies"] == pytest.approx(
        contest.measure(logits, contest.parts["test"])
    )


@pytest.mark.real_data
def test_note_frequencies_of_real_music_have_the_stated_loss(real_data: Path) -> None:
    contest = JSB.prepare(0, str(real_data / "music"))
    assert contest.references["note frequencies"] == pytest.approx(11.09, abs=0.005)


@pytest.mark.parametrize("file", ["JSB_Chorales.mat", "Nottingham.mat"])
def test_music_has_published_figures(file: str) -> None:
    assert set(MusicData(kind="music", file=file).published) == {
        "Chung et al. 2014",
        "Bai et al. 2018",
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (SeriesData(kind="series", source=SourceSpec(path="my.csv")), "the same for all seeds"),
        (JSB.model_copy(update={"train_steps": 50}), "all seeds, cut into stretches of 50 steps"),
    ],
)
def test_what_is_given_is_told(data: TaskData, words: str) -> None:
    assert words in data.describe()
