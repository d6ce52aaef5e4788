"""Verdicts say what the seeds show, and no more."""

from typing import Any

import pytest

from rnn_pipelines.compare.report.results import TaskResults
from rnn_pipelines.compare.report.verdicts import (
    describe_learning,
    describe_references,
    join_names,
    write_task_verdict,
    write_verdict,
)
from rnn_pipelines.compare.specs import TaskSpec

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
    return {"cell": cell, "against": against, "mean": mean, "low": mean - 100, "high": mean + 100, "better": better}


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


def judge(by_task: dict[str, list[dict[str, Any]]], left_out: tuple[str, ...] = (), **options: Any) -> str:
    return write_verdict([make_task(name, networks, **options) for name, networks in by_task.items()], left_out)


# Over the tasks


@pytest.mark.parametrize(("better", "name"), [("gru", "GRU"), ("lstm", "LSTM")])
def test_verdict_names_the_better_cell(better: str, name: str) -> None:
    assert judge({"noisy_sine": make_entries(("lstm", "gru", better))}) == (
        f"LSTM against GRU: {name} is better on noisy sine."
    )


def test_no_difference_is_a_verdict() -> None:
    assert judge({"noisy_sine": make_entries(("lstm", "gru", None))}) == (
        "LSTM against GRU: no difference that these 5 seeds can show on noisy sine."
    )


def test_tasks_with_the_same_verdict_are_told_together() -> None:
    verdicts = {"a": "gru", "b": None, "c": "gru", "d": "lstm", "e": None}
    by_task = {task: make_entries(("lstm", "gru", better)) for task, better in verdicts.items()}
    assert judge(by_task) == (
        "LSTM against GRU: GRU is better on a and c; LSTM is better on d; "
        "no difference that these 5 seeds can show on b and e."
    )


def test_lstm_against_gru_comes_first() -> None:
    pairs = (("rnn", "lstm", "lstm"), ("rnn", "gru", None), ("lstm", "gru", None))
    assert judge({"a": make_entries(*pairs)}).startswith("LSTM against GRU: no difference")


def test_sentence_begins_with_a_capital_letter() -> None:
    assert judge({"a": make_entries(("rnn", "gru", "gru"))}) == "Simple RNN against GRU: GRU is better on a."


def test_variant_is_held_against_its_own_cell_only() -> None:
    pairs = (("rnn", "lstm_relu", "rnn"), ("lstm", "lstm_relu", "lstm"), ("gru", "lstm_relu", "gru"))
    entries = make_entries(("rnn", "lstm", None), ("lstm", "gru", None), *pairs)
    verdict = judge({"a": entries})
    assert "LSTM against LSTM (relu): LSTM is better on a." in verdict
    assert verdict.count("(relu)") == 1


def test_verdict_says_how_many_seeds_learnt() -> None:
    entries = make_entries(("rnn", "lstm", None), learnt={"lstm": 3})
    assert judge({"adding_100": entries}, learnt_below=0.01).endswith(
        "Seeds that learnt adding 100: simple RNN 0 of 5, LSTM 3 of 5."
    )


def test_of_networks_that_learn_the_one_that_learns_sooner_is_named() -> None:
    """Whatever is left of the loss: the LSTM's is lower here."""
    entries = make_entries(("lstm", "gru", "lstm"), sooner=("lstm", "gru", "gru"))
    by_task = {"adding_100": entries, "adding_200": entries, "a": make_entries(("lstm", "gru", "gru"))}
    assert judge(by_task) == "LSTM against GRU: GRU learns sooner on adding 100 and adding 200; GRU is better on a."


def test_no_difference_of_steps_is_a_verdict_whatever_the_loss() -> None:
    by_task = {
        "adding_100": make_entries(("lstm", "gru", "lstm"), sooner=("lstm", "gru", None)),
        "a": make_entries(("lstm", "gru", None)),
    }
    assert judge(by_task) == "LSTM against GRU: no difference that these 5 seeds can show on adding 100 and a."


def test_verdict_says_where_a_simple_method_is_as_good() -> None:
    by_task = {"a": make_entries(("lstm", "gru", None))}
    verdict = judge(by_task, references={"last value": 2.0, "ridge": 1.0, "noise floor": 0.5})
    assert verdict.endswith("On a, no network has a lower mean loss than ridge.")


def test_verdict_says_nothing_of_simple_methods_that_are_worse() -> None:
    verdict = judge({"a": make_entries(("lstm", "gru", None))}, references={"ridge": 1.1, "noise floor": 0.5})
    assert "ridge" not in verdict


def test_verdict_names_the_tasks_that_were_left_out() -> None:
    verdict = judge({"a": make_entries(("lstm", "gru", None))}, left_out=("jsb_chorales", "nottingham"))
    assert verdict.endswith("Left out, because there is no file of the music: JSB Chorales and Nottingham.")


# Of one task


@pytest.mark.parametrize(
    ("better", "sentence"),
    [
        ("gru", "GRU is better than LSTM by 0.20 (0.10 to 0.30)."),
        ("lstm", "LSTM is better than GRU by 0.20 (0.10 to 0.30)."),
        (None, "No difference that these seeds can show: LSTM − GRU is 0.00 (−0.10 to 0.10)."),
    ],
)
def test_pair_has_its_difference_and_interval(better: str | None, sentence: str) -> None:
    assert write_task_verdict(make_task("a", make_entries(("lstm", "gru", better)))) == sentence


def test_differences_that_are_not_shown_come_last() -> None:
    entries = make_entries(("rnn", "lstm", None), ("rnn", "gru", "gru"), ("lstm", "gru", "gru"))
    assert write_task_verdict(make_task("a", entries)) == (
        "GRU is better than simple RNN by 0.20 (0.10 to 0.30); GRU is better than LSTM by 0.20 (0.10 to 0.30). "
        "No difference that these seeds can show: simple RNN − LSTM is 0.00 (−0.10 to 0.10)."
    )


def test_learning_has_its_bound_cap_and_steps() -> None:
    entries = make_entries(("rnn", "lstm", None), learnt={"lstm": 3})
    assert describe_learning(make_task("a", entries, learnt_below=0.01)) == (
        "Seeds that learnt it (validation loss below 0.01 within 3,000 gradient steps), and the median of their steps: "
        "simple RNN 0 of 5; LSTM 3 of 5, 1,200 steps."
    )


@pytest.mark.parametrize(
    ("better", "sentence"),
    [
        ("gru", "GRU learns sooner than LSTM by 400 steps (300 to 500)."),
        ("lstm", "LSTM learns sooner than GRU by 400 steps (300 to 500)."),
        (None, "No difference of these steps that the seeds can show: LSTM − GRU is 0 (−100 to 100)."),
    ],
)
def test_difference_of_steps_is_told_with_its_interval(better: str | None, sentence: str) -> None:
    entries = make_entries(("lstm", "gru", None), sooner=("lstm", "gru", better))
    assert describe_learning(make_task("a", entries, learnt_below=0.01)).endswith(sentence)


def test_nothing_is_said_of_learning_where_there_is_no_bound() -> None:
    assert describe_learning(make_task("a", make_entries(("rnn", "lstm", None)))) == ""


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ((1.0, 1.1, 1.2), "none of the networks has a lower mean."),
        ((0.9, 1.1, 1.2), "1 of 3 networks has a lower mean."),
        ((0.9, 0.8, 1.2), "2 of 3 networks have a lower mean."),
        ((0.9, 0.8, 0.7), "all of the networks have a lower mean."),
    ],
)
def test_networks_that_beat_the_best_simple_method_are_counted(losses: tuple[float, ...], words: str) -> None:
    entries = [{"test": {"mean": loss}} for loss in losses]
    references = {"last value": 2.0, "ridge": 1.0, "noise floor": 0.5}
    text = describe_references(make_task("a", entries, references=references))
    assert text == f"The best simple method, ridge, has a loss of 1.000; {words}"


def test_single_simple_method_is_not_called_the_best() -> None:
    text = describe_references(make_task("a", [{"test": {"mean": 0.1}}], references={"guessing 1": 0.1667}))
    assert text.startswith("The simple method beside them, guessing 1, has a loss of 0.1667;")


@pytest.mark.parametrize(
    ("names", "text"),
    [(["lstm"], "LSTM"), (["lstm", "gru"], "LSTM and GRU"), (["rnn", "lstm", "gru"], "simple RNN, LSTM and GRU")],
)
def test_names_are_joined(names: list[str], text: str) -> None:
    assert join_names(names) == text
