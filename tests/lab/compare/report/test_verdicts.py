"""Verdicts state the differences that the seeds show."""

from typing import Any

import pytest

from golden import has_in_order
from rnn_pipelines.lab.compare.report.results import TaskResults
from rnn_pipelines.lab.compare.report.verdicts import (
    describe_comparison,
    describe_learning,
    describe_pairs,
    describe_references,
    join_names,
)
from rnn_pipelines.lab.compare.specs import TaskSpec

CELLS = {"rnn": "rnn", "lstm": "lstm", "gru": "gru", "lstm_relu": "lstm"}


def make_entries(
    *pairs: tuple[str, str, str | None],
    learnt: dict[str, int] | None = None,
    loss: float = 1.0,
    sooner: tuple[str, str, str | None] | None = None,
) -> list[dict[str, Any]]:
    """Networks of a task. Of each pair, the one that is better, if any, has a loss that is lower by 0.2 ± 0.1.

    Of `sooner`, the one that learns sooner, if any, does so by 400 ± 100 steps.
    """
    entries = []
    for cell in dict.fromkeys(name for pair in pairs for name in pair[:2]):
        differences = []
        for first, second, better in pairs:
            if first == cell:
                mean = 0.0 if better is None else (-0.2 if better == first else 0.2)
                ends = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}
                differences.append({"cell": first, "against": second, **ends, "better": better})
        num_learnt = (learnt or {}).get(cell, 0)
        steps = 1200.0 if num_learnt else None
        counts = {"num_seeds": 5, "num_learnt": num_learnt, "steps_to_learn": steps}
        of_steps = [_make_step_difference(*sooner)] if sooner and sooner[0] == cell else []
        of_cell = {"differences": differences, "step_differences": of_steps}
        entries.append({"cell": cell, "test": {"mean": loss}, **of_cell, **counts})
    return entries


def _make_step_difference(cell: str, against: str, better: str | None) -> dict[str, Any]:
    mean = {None: 0.0, cell: -400.0, against: 400.0}[better]
    return {
        "cell": cell,
        "against": against,
        "mean": mean,
        "low": mean - 100,
        "high": mean + 100,
        "better": better,
    }


def make_task(
    name: str, networks: list[dict[str, Any]], learnt_below: float | None = None, **changes: Any
) -> TaskResults:
    """A task whose trainings have 3,000 gradient steps at most."""
    contenders: dict[str, Any] = {name: {"cell": cell, "units": 8} for name, cell in CELLS.items()}
    spec = TaskSpec(
        data={"kind": "adding"},
        contenders=contenders,
        training={"epochs": 30},
        learnt_below=learnt_below,
    )
    known = {"runs": [{"steps_per_epoch": 100}], "references": {}, "published": {}} | changes
    return TaskResults(name=name, spec=spec, networks=networks, **known)


def write(
    by_task: dict[str, list[dict[str, Any]]], left_out: tuple[str, ...] = (), **options: Any
) -> str:
    return describe_comparison(
        [make_task(name, networks, **options) for name, networks in by_task.items()], left_out
    )


@pytest.mark.parametrize(
    ("better", "facts"),
    [
        ({"a": "gru"}, ("GRU is better on a",)),
        ({"a": "lstm"}, ("LSTM is better on a",)),
        ({"a": None}, ("no difference", "5 seeds", "on a")),
        (
            {"a": "gru", "b": None, "c": "gru", "d": "lstm", "e": None},
            ("GRU is better on a and c", "LSTM is better on d", "no difference", "on b and e"),
        ),
    ],
)
def test_verdict_names_the_better_cell_of_each_task(
    better: dict[str, str | None], facts: tuple[str, ...]
) -> None:
    verdict = write({task: make_entries(("lstm", "gru", cell)) for task, cell in better.items()})
    assert has_in_order(verdict, "LSTM against GRU", *facts)


def test_lstm_against_gru_comes_first() -> None:
    verdict = write(
        {"a": make_entries(("rnn", "lstm", "lstm"), ("rnn", "gru", None), ("lstm", "gru", None))}
    )
    assert has_in_order(
        verdict, "LSTM against GRU", "Simple RNN against LSTM: LSTM", "Simple RNN against GRU"
    )


def test_a_variant_is_compared_with_its_own_cell_alone() -> None:
    pairs = (
        ("rnn", "lstm_relu", "rnn"),
        ("lstm", "lstm_relu", "lstm"),
        ("gru", "lstm_relu", "gru"),
    )
    verdict = write({"a": make_entries(("rnn", "lstm", None), ("lstm", "gru", None), *pairs)})
    assert "LSTM against LSTM (relu): LSTM is" in verdict
    assert verdict.count("(relu)") == 1


def test_seeds_that_learnt_are_counted() -> None:
    entries = make_entries(("rnn", "lstm", None), learnt={"lstm": 3})
    assert "simple RNN 0 of 5, LSTM 3 of 5" in write({"adding_100": entries}, learnt_below=0.01)


def test_tasks_that_were_left_out_are_named() -> None:
    verdict = write(
        {"a": make_entries(("lstm", "gru", None))}, left_out=("jsb_chorales", "nottingham")
    )
    assert "JSB Chorales and Nottingham" in verdict


def test_one_seed_shows_no_difference() -> None:
    entries = [{**entry, "num_seeds": 1} for entry in make_entries(("lstm", "gru", None))]
    verdict = describe_comparison([make_task("noisy_sine", entries)], [])
    assert verdict == "LSTM against GRU: no difference that one seed can show on noisy sine."


@pytest.mark.parametrize(
    ("sooner", "facts"),
    [("gru", ("GRU learns sooner on adding 100",)), (None, ("no difference", "on adding 100"))],
)
def test_steps_decide_between_learners_whatever_their_losses(
    sooner: str | None, facts: tuple[str, ...]
) -> None:
    verdict = write(
        {"adding_100": make_entries(("lstm", "gru", "lstm"), sooner=("lstm", "gru", sooner))}
    )
    assert has_in_order(verdict, "LSTM against GRU", *facts)
    assert "is better" not in verdict


@pytest.mark.parametrize(("ridge", "is_named"), [(1.0, True), (1.1, False)])
def test_verdict_names_simple_methods_that_are_as_good(ridge: float, is_named: bool) -> None:
    references = {"last value": 2.0, "ridge": ridge, "noise floor": 0.5}
    verdict = write({"a": make_entries(("lstm", "gru", None))}, references=references)
    assert ("ridge" in verdict) is is_named


@pytest.mark.parametrize(
    ("better", "facts"),
    [
        ("gru", ("GRU", "LSTM", "0.20 (0.10 to 0.30)")),
        ("lstm", ("LSTM", "GRU", "0.20 (0.10 to 0.30)")),
        (None, ("No difference", "LSTM − GRU", "0.00 (−0.10 to 0.10)")),
    ],
)
def test_pair_has_its_difference_with_an_interval(
    better: str | None, facts: tuple[str, ...]
) -> None:
    assert has_in_order(
        describe_pairs(make_task("a", make_entries(("lstm", "gru", better)))), *facts
    )


def test_differences_that_are_not_shown_come_last() -> None:
    entries = make_entries(("rnn", "lstm", None), ("rnn", "gru", "gru"), ("lstm", "gru", "gru"))
    facts = ("GRU", "simple RNN", "GRU", "LSTM", "No difference", "simple RNN − LSTM")
    assert has_in_order(describe_pairs(make_task("a", entries)), *facts)


def test_learning_has_its_bound() -> None:
    entries = make_entries(("rnn", "lstm", None), learnt={"lstm": 3})
    text = describe_learning(make_task("a", entries, learnt_below=0.01))
    assert has_in_order(text, "0.01", "3,000", "simple RNN 0 of 5", "LSTM 3 of 5", "1,200")


def test_a_task_without_bound_has_no_text_of_learning() -> None:
    entries = make_entries(("rnn", "lstm", None), learnt={"lstm": 3})
    assert describe_learning(make_task("a", entries)) == ""


def test_a_network_worse_than_guessing_is_not_the_best() -> None:
    text = describe_references(
        make_task("a", [{"test": {"mean": 0.1}}], references={"guessing 1": 0.1667})
    )
    assert "best" not in text


@pytest.mark.parametrize(
    ("better", "facts"),
    [
        ("gru", ("GRU", "LSTM", "400 steps (300 to 500)")),
        ("lstm", ("LSTM", "GRU", "400 steps (300 to 500)")),
        (None, ("No difference", "LSTM − GRU", "0 (−100 to 100)")),
    ],
)
def test_difference_of_steps_has_its_interval(better: str | None, facts: tuple[str, ...]) -> None:
    entries = make_entries(("lstm", "gru", None), sooner=("lstm", "gru", better))
    assert has_in_order(
        describe_learning(make_task("a", entries, learnt_below=0.01)), "median", *facts
    )


@pytest.mark.parametrize(
    ("losses", "count"),
    [
        ((1.0, 1.1, 1.2), "none"),
        ((0.9, 1.1, 1.2), "1 of 3"),
        ((0.9, 0.8, 1.2), "2 of 3"),
        ((0.9, 0.8, 0.7), "all"),
    ],
)
def test_networks_that_beat_the_best_simple_method_are_counted(
    losses: tuple[float, ...], count: str
) -> None:
    entries = [{"test": {"mean": loss}} for loss in losses]
    references = {"last value": 2.0, "ridge": 1.0, "noise floor": 0.5}
    assert has_in_order(
        describe_references(make_task("a", entries, references=references)), "ridge", "1.000", count
    )


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["lstm"], "LSTM"),
        (["lstm", "gru"], "LSTM and GRU"),
        (["rnn", "lstm", "gru"], "simple RNN, LSTM and GRU"),
    ],
)
def test_names_are_joined(names: list[str], text: str) -> None:
    assert join_names(names) == text
