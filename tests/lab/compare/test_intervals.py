"""Means, intervals and paired differences are those that SciPy computes another way."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from rnn_pipelines.lab.compare.intervals import (
    compare_pairs,
    estimate_loss,
    estimate_mean,
    summarize_runs,
)

LSTM = [4.31, 4.62, 4.05, 4.71, 4.44]
GRU = [4.02, 4.30, 3.81, 4.35, 4.20]


def make_runs(steps_to_learn: list[int | None] | None = None) -> list[dict[str, Any]]:
    """Trainings of two networks on one task, the last seed first."""
    steps_to_learn = steps_to_learn or [None] * len(LSTM)
    return [
        {
            "task": "adding",
            "cell": cell,
            "seed": seed,
            "num_recurrent_parameters": 100,
            "num_parameters": 110,
            "validation": loss + 1,
            "test": loss,
            "seconds_per_epoch": 0.5 + seed,
            "seconds_to_best": 5.0 + seed,
            "compile_seconds": 2.0 + seed,
            "epochs": 10 + seed,
            "steps_to_learn": steps,
            "curve": [3.0, loss + 1],
        }
        for cell, losses in (("lstm", LSTM), ("gru", GRU))
        for seed, loss, steps in reversed(list(zip(range(5), losses, steps_to_learn, strict=True)))
    ]


def find_entry(runs: list[dict[str, Any]], cell: str) -> Any:
    return next(entry for entry in summarize_runs(runs)["summary"] if entry["cell"] == cell)


def test_interval_of_a_mean_is_students() -> None:
    interval = stats.t.interval(0.95, len(LSTM) - 1, loc=np.mean(LSTM), scale=stats.sem(LSTM))
    estimate = estimate_mean(LSTM)
    assert (estimate["low"], estimate["high"]) == pytest.approx(interval)


def test_interval_of_nearly_equal_losses_is_that_of_their_mean() -> None:
    losses = [5.0, 5.001, 4.999, 5.0005]
    assert list(estimate_loss(losses).values()) == pytest.approx(
        list(estimate_mean(losses).values()), rel=1e-5
    )


def test_equal_losses_have_no_width() -> None:
    assert estimate_mean([2.0, 2.0, 2.0]) == {"mean": 2.0, "low": 2.0, "high": 2.0}


def test_interval_of_a_difference_is_that_of_pairs() -> None:
    (pair,) = compare_pairs({"lstm": LSTM, "gru": GRU})
    interval = stats.ttest_rel(LSTM, GRU).confidence_interval(0.95)
    assert (pair["low"], pair["high"]) == pytest.approx((interval.low, interval.high))


def test_difference_is_the_first_minus_the_second() -> None:
    (pair,) = compare_pairs({"lstm": [3.0, 3.1], "gru": [1.0, 1.1]})
    assert (pair["cell"], pair["against"], pair["mean"]) == ("lstm", "gru", pytest.approx(2.0))


def test_a_difference_within_chance_has_no_better_cell() -> None:
    (pair,) = compare_pairs({"lstm": [1.0, 2.0, 3.0], "gru": [1.1, 1.8, 3.0]})
    assert pair["better"] is None


def test_equal_losses_have_no_better_cell() -> None:
    (pair,) = compare_pairs({"lstm": LSTM, "gru": LSTM})
    assert pair["better"] is None


def test_every_pair_is_compared_once() -> None:
    pairs = [
        (pair["cell"], pair["against"])
        for pair in compare_pairs({"rnn": LSTM, "lstm": GRU, "gru": LSTM})
    ]
    assert pairs == [("rnn", "lstm"), ("rnn", "gru"), ("lstm", "gru")]


@pytest.mark.parametrize("losses", [[1.0, 8.8], [0.01, 3.0, 9.0], [0.0, 4.0], [4.9, 4.91]])
def test_interval_of_a_loss_never_goes_below_zero(losses: list[float]) -> None:
    estimate = estimate_loss(losses)
    assert 0 <= estimate["low"] <= estimate["mean"] <= estimate["high"]
    assert estimate["mean"] == pytest.approx(np.mean(losses))


@pytest.mark.parametrize(("first", "second"), [("lstm", "gru"), ("gru", "lstm")])
def test_the_lower_loss_is_better_in_either_order(first: str, second: str) -> None:
    losses = {"lstm": LSTM, "gru": GRU}
    (pair,) = compare_pairs({first: losses[first], second: losses[second]})
    assert pair["better"] == "gru"


@pytest.mark.parametrize("shift", [-1, 0, 0.25, 1])
def test_better_is_what_the_paired_t_test_calls_significant(shift: float) -> None:
    shifted = [loss + shift * (1 + 0.3 * (-1) ** seed) for seed, loss in enumerate(GRU)]
    (pair,) = compare_pairs({"lstm": LSTM, "gru": shifted})
    assert (pair["better"] is not None) == (stats.ttest_rel(LSTM, shifted).pvalue < 0.05)


def test_pairs_are_of_the_same_seeds_in_any_order() -> None:
    runs = make_runs()
    (pair,) = find_entry(runs[:5] + runs[:4:-1], "lstm")["differences"]
    interval = stats.ttest_rel(LSTM, GRU).confidence_interval(0.95)
    assert (pair["low"], pair["high"]) == pytest.approx((interval.low, interval.high))


def test_a_pair_belongs_to_its_first_network() -> None:
    assert [len(entry["differences"]) for entry in summarize_runs(make_runs())["summary"]] == [1, 0]


def test_every_measure_has_its_mean() -> None:
    runs = make_runs()
    entry = find_entry(runs, "gru")
    for measure in (
        "validation",
        "test",
        "seconds_per_epoch",
        "seconds_to_best",
        "compile_seconds",
        "epochs",
    ):
        expected = np.mean([run[measure] for run in runs if run["cell"] == "gru"])
        assert entry[measure]["mean"] == pytest.approx(expected)


def test_tasks_are_summarised_apart() -> None:
    others = [run | {"task": "copy", "test": 100.0} for run in make_runs()]
    summary = summarize_runs(make_runs() + others)["summary"]
    means = {(entry["task"], entry["cell"]): entry["test"]["mean"] for entry in summary}
    assert means[("adding", "lstm")] == pytest.approx(np.mean(LSTM))
    assert means[("copy", "lstm")] == 100.0


def test_results_leave_the_curves_of_runs_out() -> None:
    runs = make_runs()
    results = summarize_runs(runs)
    assert results["runs"][0] == {key: value for key, value in runs[0].items() if key != "curve"}


def test_summarising_does_not_change_the_runs() -> None:
    runs = make_runs()
    summarize_runs(runs)
    assert "curve" in runs[0]


def test_steps_are_the_median_of_the_seeds_that_learnt() -> None:
    entry = find_entry(make_runs([300, None, 100, 900, None]), "lstm")
    assert (entry["num_learnt"], entry["steps_to_learn"]) == (3, 300.0)


def test_interval_of_steps_is_that_of_pairs() -> None:
    runs = make_runs([300, 200, 100, 900, 500])
    for run in runs[5:]:
        run["steps_to_learn"] += 100 + run["seed"]
    (pair,) = find_entry(runs, "lstm")["step_differences"]
    interval = stats.ttest_rel([0, 0, 0, 0, 0], [100, 101, 102, 103, 104]).confidence_interval(0.95)
    assert (pair["low"], pair["high"]) == pytest.approx((interval.low, interval.high))


def test_difference_of_steps_has_the_sooner_cell() -> None:
    runs = make_runs([300, 200, 100, 900, 500])
    for run in runs[5:]:
        run["steps_to_learn"] += 100 + run["seed"]
    (pair,) = find_entry(runs, "lstm")["step_differences"]
    assert (pair["mean"], pair["better"]) == (-102, "lstm")


def test_steps_are_compared_only_if_all_seeds_learnt() -> None:
    runs = make_runs([300, 200, 100, 900, 500])
    for run in runs[5:]:
        run["steps_to_learn"] += 100 + run["seed"]
    runs[-1]["steps_to_learn"] = None
    assert [entry["step_differences"] for entry in summarize_runs(runs)["summary"]] == [[], []]


def test_networks_that_never_learnt_have_no_steps() -> None:
    entry = find_entry(make_runs(), "lstm")
    assert (entry["num_learnt"], entry["steps_to_learn"]) == (0, None)
