"""Results of a run, made by hand instead of by training."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.evaluation.classification import evaluate_classifiers, find_examples
from rnn_pipelines.evaluation.intervals import summarize_comparison
from rnn_pipelines.evaluation.metrics import measure_by_step
from rnn_pipelines.text.encoding import PaddingSpec
from rnn_pipelines.text.source import ReviewSourceSpec
from rnn_pipelines.training.task_specs import PlanSpec, TaskSpec

PATHS = {
    "nb_ngram": ["nb_ngram"],
    "pointwise": ["pointwise", "nb_ngram"],
    "lstm": ["lstm", "nb_ngram"],
    "gru": ["gru", "nb_ngram"],
    "ensemble": ["lstm", "nb_ngram", "gru"],
    "lstm_alone": ["lstm"],
    "gru_alone": ["gru"],
}
# What a task is made of, and what simple methods and papers reach on it; lower is better.
TASKS = {
    "temperature": {
        "data": {"kind": "series", "source": {"name": "temperature"}, "lookback": 30},
        "references": {"last value": 8.0, "ridge": 4.65, "noise floor": 4.0},
        "losses": {"rnn": 4.6, "lstm": 4.6, "gru": 4.6},
    },
    "noisy_sine": {
        "data": {"kind": "series", "source": {"name": "noisy_sine"}, "lookback": 10},
        "references": {"last value": 0.0248, "ridge": 0.0143, "noise floor": 0.01},
        "losses": {"rnn": 0.0125, "lstm": 0.0131, "gru": 0.0125, "lstm_relu": 0.0135},
    },
    "adding_100": {
        "data": {"kind": "adding", "num_steps": 100},
        "references": {"guessing 1": 1 / 6},
        "losses": {"rnn": 0.167, "lstm": 0.0003, "gru": 0.0001},
    },
    "copy_100": {
        "data": {"kind": "copy", "delay": 100},
        "references": {"no memory": 0.173},
        "losses": {"rnn": 0.172, "lstm": 0.165, "gru": 0.15},
    },
    "jsb_chorales": {
        "data": {"kind": "music", "file": "JSB_Chorales.mat"},
        "references": {"note frequencies": 11.09},
        "published": {"Chung et al. 2014": {"rnn": 9.10, "gru": 8.54, "lstm": 8.67}},
        "losses": {"rnn": 8.9, "lstm": 8.5, "gru": 8.4},
    },
}
FORECASTERS = ("lstm", "gru", "last_value", "seasonal_naive", "ridge")


@pytest.fixture(scope="session")
def make_results() -> Callable[..., SimpleNamespace]:
    """Makes `predictions, series, next_values, by_step, histories`: what `draw_figures` is given.

    Each forecaster's error is noise; that of the ridge is the smallest, that of the last value the largest.
    """

    def make(
        num_series: int = 1,
        num_origins: int = 20,
        horizon: int = 3,
        freq: str | None = "D",
        names: list[str] | None = None,
        has_signal: bool = False,
    ) -> SimpleNamespace:
        generator = np.random.default_rng(0)
        num_steps = 40 + num_origins + horizon - 1
        steps = np.arange(num_steps + horizon)
        ds = pd.Series(pd.date_range("2021-01-01", periods=len(steps), freq=freq) if freq else steps)
        ids = names or [f"s{number:05}" for number in range(num_series)]
        series, predictions, next_values = [], [], []
        for name in ids:
            y = generator.normal(size=len(steps))
            series.append(pd.DataFrame({"unique_id": name, "ds": ds, "y": y, "observed": True})[:num_steps])
            for origins, tables in ((40 + np.arange(num_origins), predictions), (np.array([num_steps]), next_values)):
                rows = (origins[:, None] + np.arange(horizon)).ravel()
                table = pd.DataFrame(
                    {
                        "unique_id": name,
                        "cutoff": np.repeat(ds.to_numpy()[origins - 1], horizon),
                        "ds": ds.to_numpy()[rows],
                        "horizon_step": np.tile(np.arange(1, horizon + 1), len(origins)),
                        "y": y[rows],
                    }
                )
                if has_signal:
                    table["signal"] = y[rows] - 0.5
                for forecaster, size in zip(FORECASTERS, (1, 1, 3, 2, 0.1), strict=True):
                    table[forecaster] = y[rows] + size * generator.normal(size=len(rows))
                tables.append(table)
        tested = pd.concat(predictions, ignore_index=True)
        losses = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 1.5, 2.0]})
        return SimpleNamespace(
            predictions=tested,
            series=pd.concat(series, ignore_index=True),
            next_values=pd.concat(next_values, ignore_index=True).drop(columns=["y", "signal"], errors="ignore"),
            by_step=measure_by_step(tested),
            histories={"lstm": losses, "gru": losses},
        )

    return make


@pytest.fixture(scope="session")
def make_sentiment() -> Callable[..., SimpleNamespace]:
    """Makes all that the figures and the report of `sentiment` are given; both networks together are best.

    Each classifier is right where its logit, the true one plus noise, has the right sign.
    """

    def make(
        has_path: bool = True, has_ratings: bool = True, noise: float = 1.0, text: str = "A film.", film: str = "tt1"
    ) -> SimpleNamespace:
        generator = np.random.default_rng(0)
        labels = np.tile([0, 1], 200)
        table = pd.DataFrame({"review_id": [f"test/{number}" for number in range(400)], "label": labels})
        table["rating"] = pd.array(np.tile([2, 9] if has_ratings else [None, None], 200), dtype="Int8")
        table["num_words"] = generator.integers(1, 1200, size=400)
        names = [name for name in PATHS if has_path or not name.endswith("_alone")]
        for name in names:
            table[name] = (2.0 * labels - 1) * 2 + noise * generator.normal(size=400)
        layers = [
            {"layer": "words", "kind": "InputLayer", "output_shape": [None], "num_parameters": 0},
            {"layer": "lstm", "kind": "LSTM", "output_shape": [8], "num_parameters": 4512},
        ]
        record = {"training_seconds": 61.26, "compile_seconds": 2.4, "num_epochs": 3, "best_epoch": 2}
        record |= {"num_parameters": 4512, "layers": layers}
        records = dict.fromkeys(("lstm", "gru", "pointwise"), record)
        cost = {"nb_ngram": {"training_seconds": 7.0, "num_parameters": 123456}}
        metrics, by_group, by_confidence = evaluate_classifiers(table, records | cost)
        reviews = pd.DataFrame({"review_id": table["review_id"], "film": film, "text": text})
        losses = pd.DataFrame({"epoch": [1, 2, 3], "loss": [0.6, 0.3, 0.1], "val_loss": [0.5, 0.4, 0.45]})
        return SimpleNamespace(
            metrics=metrics,
            calibrations={
                name: {
                    "weights": {part: 1.25 for part in PATHS[name] if has_path or part in (name, "lstm", "gru")},
                    "intercept": -0.5,
                    "validation_log_loss": 0.2 if name == "ensemble" else 0.3,
                }
                for name in names
            },
            by_group=by_group,
            by_confidence=by_confidence,
            histories=dict.fromkeys(records, losses),
            examples=find_examples(table, reviews, "ensemble"),
            profile={
                "num_reviews": {"train": 1800, "validation": 200, "test": 400},
                "num_films": {"train": 90, "validation": 10, "test": 20},
                "positive_fraction": {"train": 0.5, "validation": 0.45, "test": 0.5},
                "num_films_in_train_and_test": 1,
                "num_words": {"mean": 227.4, "median": 168.0, "max": 2470},
                "num_dropped": {"in_test": 123, "repeated": 96},
            },
            parameters={"source": ReviewSourceSpec(), "padding": PaddingSpec(max_length=321)},
            records=records,
            predictions=table,
        )

    return make


@pytest.fixture(scope="session")
def make_comparison() -> Callable[..., SimpleNamespace]:
    """Makes `runs, results, description, plan`: what the figures and the report of `compare` are given.

    Losses spread by 1 % about those of `TASKS`; on the adding problem, the seeds from 3 on don't learn with an LSTM,
    and none with a simple RNN. The later the seed, the earlier its training stops.
    """

    def make(tasks: str = " ".join(TASKS), num_seeds: int = 5, left_out: tuple[str, ...] = ()) -> SimpleNamespace:
        runs, described = [], {}
        for task in tasks.split():
            made = TASKS[task]
            bound = 0.01 if made["data"]["kind"] in ("adding", "copy") else None
            cells = {cell: {"cell": cell.split("_")[0], "units": 50} for cell in made["losses"]}
            training = {"epochs": 40, "patience": 10, "batch_size": 64}
            spec = TaskSpec(data=made["data"], contenders=cells, training=training, learnt_below=bound)
            described[task] = {
                "spec": spec.model_dump(mode="json"),
                "references": made["references"],
                "published": made.get("published", {}),
                "num_recurrent_parameters": dict.fromkeys(cells, 10_400),
            }
            for place, (cell, loss) in enumerate(made["losses"].items()):
                generator = np.random.default_rng(place)
                for seed in range(num_seeds):
                    end = 1 / 6 if bound == 0.01 and (cell, task) == ("lstm", "adding_100") and seed >= 3 else loss
                    end *= 1 + 0.01 * generator.normal()
                    epochs = 40 - 3 * seed
                    steps = np.arange(1, epochs + 1)
                    curve = end * (1 + 2 * np.exp(-steps / 6) + 0.02 * generator.random(epochs))
                    if bound:
                        start = made["references"].get("guessing 1", 0.173)
                        curve = end + max(start - end, 0) / (1 + np.exp((steps - 8 - 6 * place) / 1.2))
                    learnt = curve < (bound or 0)
                    runs.append(
                        {
                            "task": task,
                            "cell": cell,
                            "seed": seed,
                            "num_recurrent_parameters": 10_400 + 100 * place,
                            "num_parameters": 10_500 + 100 * place,
                            "validation": float(curve.min()),
                            "test": float(end),
                            "seconds_per_epoch": (0.5 + place) * (1 + 0.1 * generator.random()),
                            "seconds_to_best": 30 * (0.5 + place) * (1 + 0.1 * generator.random()),
                            "compile_seconds": 2.5,
                            "num_threads": 1,
                            "epochs": epochs,
                            "best_epoch": epochs - 5,
                            "steps_per_epoch": 100,
                            "steps_to_learn": int(learnt.argmax() + 1) * 100 if learnt.any() else None,
                            "curve": curve.tolist(),
                        }
                    )
        description = {"tasks": described, "left_out": list(left_out)}
        plan = PlanSpec(tasks=tasks, seeds=num_seeds)
        return SimpleNamespace(runs=runs, results=summarize_comparison(runs), description=description, plan=plan)

    return make
