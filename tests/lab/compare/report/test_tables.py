"""The tables of a comparison hold each network beside what it must beat."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from rnn_pipelines.lab.compare.report.results import TaskResults
from rnn_pipelines.lab.compare.report.tables import (
    format_estimate,
    tabulate_costs,
    tabulate_differences,
    tabulate_results,
)
from rnn_pipelines.report.page import Table


@pytest.fixture(scope="module")
def made(make_comparison) -> SimpleNamespace:
    return make_comparison()


@pytest.fixture
def adding(make_comparison) -> TaskResults:
    return make_comparison("adding_100").tasks[0]


def find_task(made: SimpleNamespace, name: str) -> TaskResults:
    return next(task for task in made.tasks if task.name == name)


def find_row(table: Table, name: str) -> dict[str, str]:
    """The first row with this name, by column."""
    return dict(zip(table.header, next(row for row in table.rows if row[0] == name), strict=True))


def make_network(cell: str, test: float, validation: float, **changes: Any) -> dict[str, Any]:
    """What the table of results reads of a network."""
    estimates = {
        key: {"mean": x, "low": x - 1, "high": x + 1}
        for key, x in (("test", test), ("validation", validation))
    }
    return {
        "cell": cell,
        "num_seeds": 5,
        "num_learnt": 0,
        "steps_to_learn": None,
        **estimates,
        **changes,
    }


def test_losses_of_a_network_stand_below_their_names(adding: TaskResults) -> None:
    task = replace(
        adding, networks=[make_network("lstm", 4.25, 4.5, num_learnt=3, steps_to_learn=1250.0)]
    )
    assert find_row(tabulate_results(task), "LSTM") == {
        "network": "LSTM",
        "test": "4.250",
        "95 % interval": "3.2 to 5.2",
        "validation": "4.500",
        "learnt by": "3 of 5",
        "after steps": "1,250",
    }


def test_a_network_that_never_learnt_has_no_steps(adding: TaskResults) -> None:
    row = find_row(
        tabulate_results(replace(adding, networks=[make_network("rnn", 1, 1)])), "simple RNN"
    )
    assert (row["learnt by"], row["after steps"]) == ("0 of 5", "–")


def test_the_lowest_losses_are_marked(adding: TaskResults) -> None:
    networks = [
        make_network("rnn", 3, 1),
        make_network("lstm", 2, 1.5),
        make_network("gru", 2.5, 2),
    ]
    table = tabulate_results(replace(adding, networks=networks))
    marked = {(table.rows[row][0], table.header[column]) for row, column in table.best}
    assert marked == {("LSTM", "test"), ("simple RNN", "validation")}


def test_steps_to_learn_are_whole_numbers(adding: TaskResults) -> None:
    steps = {
        "cell": "lstm",
        "against": "gru",
        "mean": 480.0,
        "low": 317.7,
        "high": 642.3,
        "better": "gru",
    }
    table = tabulate_differences(
        [replace(adding, networks=[{"differences": [], "step_differences": [steps]}])]
    )
    assert list(table.rows[0]) == [
        "adding 100",
        "LSTM − GRU",
        "steps to learn",
        "GRU is better",
        "480",
        "318 to 642",
    ]


def test_an_estimate_of_the_other_direction_has_its_sign_turned() -> None:
    assert format_estimate({"mean": -0.2, "low": -0.3, "high": -0.1}, -1) == (
        "0.20",
        "0.10 to 0.30",
    )


def test_a_task_that_is_not_learnt_has_no_columns_of_learning(made) -> None:
    table = tabulate_results(find_task(made, "temperature"))
    assert list(table.header) == ["network", "test", "95 % interval", "validation"]


def test_references_have_their_loss(made) -> None:
    row = find_row(tabulate_results(find_task(made, "temperature")), "ridge")
    assert row == {"network": "ridge", "test": "4.650", "95 % interval": "–", "validation": "–"}


def test_published_losses_are_rows(made) -> None:
    table = tabulate_results(find_task(made, "jsb_chorales"))
    assert find_row(table, "GRU, Chung et al. 2014")["test"] == "8.540"


def test_every_pair_has_its_row_of_losses(make_comparison) -> None:
    rows = tabulate_differences(make_comparison("noisy_sine adding_100").tasks).rows
    assert [row[0] for row in rows if row[2] == "test loss"] == ["noisy sine"] * 6 + [
        "adding 100"
    ] * 3


def test_every_pair_is_one_of_networks(make_comparison) -> None:
    rows = tabulate_differences(make_comparison("noisy_sine adding_100").tasks).rows
    assert len({tuple(row[:2]) for row in rows}) == 9


@pytest.mark.parametrize(
    ("references", "best"),
    [
        ({"last value": 8.0, "ridge": 4.6, "noise floor": 4.0}, "ridge"),
        ({"last value": 4.0, "ridge": 4.6}, "last value"),
        ({"noise floor": 4.0}, None),
    ],
)
def test_noise_floor_is_not_a_rival(
    adding: TaskResults, references: dict[str, float], best: str | None
) -> None:
    assert replace(adding, references=references).best_reference == best


@pytest.fixture
def gru_costs(made) -> dict[str, str]:
    return find_row(tabulate_costs(find_task(made, "temperature")), "GRU")


def test_size_of_a_network_stands_below_its_names(gru_costs: dict[str, str]) -> None:
    expected = {
        "network": "GRU",
        "units": "50",
        "recurrent weights": "10,600",
        "all parameters": "10,700",
        "s compiling": "2.50",
        "epochs": "34.0",
    }
    assert {name: gru_costs[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("column", "measure"),
    [("s per epoch", "seconds_per_epoch"), ("s to best validation", "seconds_to_best")],
)
def test_seconds_of_a_network_are_means(
    made, gru_costs: dict[str, str], column: str, measure: str
) -> None:
    networks: Any = find_task(made, "temperature").networks
    gru = next(network for network in networks if network["cell"] == "gru")
    assert float(gru_costs[column]) == pytest.approx(gru[measure]["mean"], rel=0.005)


@pytest.mark.parametrize(
    ("better", "verdict"), [("gru", "GRU is better"), (None, "no difference shown")]
)
def test_pair_has_its_difference_with_a_verdict(
    adding: TaskResults, better: str | None, verdict: str
) -> None:
    pair = {
        "cell": "rnn",
        "against": "gru",
        "mean": 0.1673,
        "low": 0.1551,
        "high": 0.1795,
        "better": better,
    }
    table = tabulate_differences(
        [replace(adding, networks=[{"differences": [pair], "step_differences": []}])]
    )
    assert dict(zip(table.header, table.rows[0], strict=True)) == {
        "task": "adding 100",
        "pair": "simple RNN − GRU",
        "of": "test loss",
        "verdict": verdict,
        "mean difference": "0.167",
        "95 % interval": "0.155 to 0.179",
    }


@pytest.mark.parametrize(
    ("mean", "low", "high", "texts"),
    [
        (0.0257, -0.00574, 0.0571, ("0.026", "−0.006 to 0.057")),
        (8.4734, 8.374, 8.5728, ("8.473", "8.374 to 8.573")),
        (1234.5, 1000.0, 1469.0, ("1,234", "1,000 to 1,469")),
        (0.5, 0.5, 0.5, ("0.500", "0.500 to 0.500")),
        (1.5e-10, 1.0e-10, 2.0e-10, ("1.50e−10", "1.00e−10 to 2.00e−10")),
    ],
)
def test_estimates_are_rounded_by_their_interval(
    mean: float, low: float, high: float, texts: tuple[str, str]
) -> None:
    assert format_estimate({"mean": mean, "low": low, "high": high}) == texts
