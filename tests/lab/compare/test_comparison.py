"""A training is done once: what is finished is kept, whatever happens, and another setting is another training."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from shutil import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from rnn_pipelines.errors import TaskError, TrainingError
from rnn_pipelines.lab.compare import comparison, jobs
from rnn_pipelines.lab.compare.comparison import compare_cells
from rnn_pipelines.lab.compare.jobs import Job, list_jobs
from rnn_pipelines.lab.compare.specs import PlanSpec, TaskBook, TaskSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.networks.time_left import format_seconds

CONTENDERS = {"lstm": {"cell": "lstm", "units": 8}, "gru": {"cell": "gru", "units": 9}}
ALONE = ParallelSpec(workers=1)
ADDING = {"kind": "adding", "num_steps": 4, "num_train": 3, "num_validation": 2, "num_test": 1}


def make_book(**changes: Any) -> TaskBook:
    """Two tasks that are drawn and two of music; `changes` are of the first, `small`."""
    tasks = {
        "small": {"data": ADDING} | changes,
        "large": {"data": {**ADDING, "num_steps": 9}},
        "jsb": {
            "data": {"kind": "music", "file": "JSB_Chorales.mat"},
            "contenders": CONTENDERS | {"gru": {"cell": "gru", "units": 10}},
        },
        "nottingham": {"data": {"kind": "music", "file": "Nottingham.mat"}},
    }
    return TaskBook.model_validate(
        {name: {"contenders": CONTENDERS, "training": {}, **task} for name, task in tasks.items()}
    )


def make_plan(tasks: str = "small", **changes: Any) -> PlanSpec:
    return PlanSpec(tasks=tasks, **{"seeds": 2, **changes})


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What is trained, the last first, without training it; from training number `fail_at` on, it fails."""
    noted = SimpleNamespace(jobs=[], over=[], fail_at=None)

    def fan_out(
        _: object, jobs: Sequence[Job], parallel: ParallelSpec
    ) -> Iterator[tuple[Job, dict[str, Any]]]:
        noted.over.append(parallel)
        for number, job in enumerate(reversed(jobs)):
            if number == noted.fail_at:
                raise TrainingError("the loss is not finite")
            noted.jobs.append((job.task, job.contender, job.seed))
            yield job, {"task": job.task, "cell": job.contender, "seed": job.seed, "test": 0.5}

    monkeypatch.setattr(comparison, "fan_out", fan_out)
    return noted


def test_time_is_estimated_before_the_first_training_from_measured_ones() -> None:
    found = json.loads((Path(__file__).parents[3] / "benchmarks/results/compare.json").read_text())[
        "runs"
    ]
    for task, seconds in comparison.TYPICAL_SECONDS.items():
        measured = [
            run["epochs"] * run["seconds_per_epoch"] + run["compile_seconds"]
            for run in found
            if run["task"] == task
        ]
        assert seconds == round(np.mean(measured))
    jobs = list_jobs({"noisy_sine": make_book().root["small"]}, make_plan())
    left = format_seconds(4 * comparison.TYPICAL_SECONDS["noisy_sine"] / 2)
    assert comparison.estimate_time(jobs, 2).startswith(
        f"4 trainings of noisy_sine; about {left}, by the measured"
    )
    unknown = comparison.estimate_time(
        list_jobs({"small": make_book().root["small"]}, make_plan()), 2
    )
    assert unknown == "4 trainings of small; no time was measured for small"


def test_plan_of_the_documents_takes_five_minutes_on_two_cores() -> None:
    """The Makefile's help, the README and the page name the same plan."""
    project = Path(__file__).parents[3]
    short = re.compile(r'PARAMS="compare\.plan\.tasks=([\w ]+),compare\.plan\.seeds=([2-9])"')
    pages = [project / name for name in ("Makefile", "README.md", "docs/how-to/compare-cells.md")]
    [(tasks, seeds)] = {plan for page in pages for plan in short.findall(page.read_text())}
    book = TaskBook.model_validate(
        yaml.safe_load((project / "conf/base/parameters_compare.yml").read_text())["compare"][
            "tasks"
        ]
    )
    jobs = list_jobs(
        {name: book.root[name] for name in tasks.split()}, make_plan(tasks=tasks, seeds=int(seeds))
    )
    assert "; about 5 min, " in comparison.estimate_time(jobs, 2)


def find_key(book: TaskBook, number: int = 0, **changes: Any) -> str:
    plan = make_plan(**changes)
    return list_jobs({name: book.root[name] for name in plan.tasks.split()}, plan)[number].key


def test_keys_begin_with_the_training_they_name() -> None:
    assert find_key(make_book(), number=3).startswith("small-gru-1-")


def test_keys_all_differ() -> None:
    plan = make_plan(seeds=3)
    keys = [job.key for job in list_jobs(make_book().root, plan)]
    assert len(set(keys)) == len(keys) == 4 * 2 * 3


def test_keys_do_not_depend_on_other_contenders() -> None:
    contenders = CONTENDERS | {"gru": {"cell": "gru", "units": 10}}
    assert find_key(make_book(contenders=contenders)) == find_key(make_book())


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {**ADDING, "num_steps": 5}},
        {"training": {"learning_rate": 0.1}},
        {"training": {"seed": 1}},
        {
            "contenders": CONTENDERS
            | {"lstm": {"cell": "lstm", "units": 8, "unit_forget_bias": False}}
        },
        {"steps_per_epoch": 1},
        {"learnt_below": 0.1},
    ],
    ids=str,
)
def test_another_setting_is_another_key(changes: dict[str, Any]) -> None:
    assert find_key(make_book(**changes)) != find_key(make_book())


def test_another_version_of_the_project_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = find_key(make_book())
    monkeypatch.setattr(jobs, "__version__", "99")
    assert find_key(make_book()) != before


@pytest.mark.parametrize("package", ["keras", "tensorflow"])
def test_another_version_of_what_trains_is_another_key(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    before = find_key(make_book())
    monkeypatch.setattr(jobs, "version", lambda name: "99" if name == package else version(name))
    assert find_key(make_book()) != before


@pytest.mark.parametrize("changes", [{"seeds": 5}, {"music": "."}], ids=str)
def test_plan_never_changes_a_key(changes: dict[str, Any]) -> None:
    assert find_key(make_book(), **changes) == find_key(make_book())


def test_key_follows_the_music_whatever_its_folder(music: Path, tmp_path: Path) -> None:
    copy(music / "JSB_Chorales.mat", tmp_path)
    one, other = (
        find_key(make_book(), tasks="jsb", music=str(folder)) for folder in (music, tmp_path)
    )
    assert one == other
    (tmp_path / "JSB_Chorales.mat").write_bytes(b"another")
    one, other = (
        find_key(make_book(), tasks="jsb", music=str(folder)) for folder in (music, tmp_path)
    )
    assert one != other


def test_series_that_was_changed_in_its_file_is_another_key(write: Callable[..., str]) -> None:
    keys = set()
    for content in ("ds,y\n2020-01-01,1\n", "ds,y\n2020-01-01,2\n"):
        source = {"path": write(content)}
        keys.add(find_key(make_book(data={"kind": "series", "source": source})))
    assert len(keys) == 2


def test_trainings_are_spread_over_the_workers(trainings: SimpleNamespace) -> None:
    compare_cells(make_book(), make_plan(), {}, ParallelSpec(workers=3))
    assert trainings.over == [ParallelSpec(workers=3)]


def test_every_contender_is_trained_with_every_seed(trainings: SimpleNamespace) -> None:
    compare_cells(make_book(), make_plan(), {}, ALONE)
    assert sorted(trainings.jobs) == [
        (*names, seed) for names in (("small", "gru"), ("small", "lstm")) for seed in (0, 1)
    ]


def test_cells_are_trained_in_turn(trainings: SimpleNamespace) -> None:
    # Each seed in all networks, so that a load that comes and goes is not taken for one of the cells.
    compare_cells(make_book(), make_plan("large small"), {}, ALONE)
    # The stand-in trains the last job first.
    assert trainings.jobs[::-1] == [
        (task, cell, seed)
        for task in ("large", "small")
        for seed in (0, 1)
        for cell in ("lstm", "gru")
    ]


@pytest.mark.usefixtures("trainings")
def test_runs_come_in_the_order_of_the_tasks() -> None:
    # Not in that in which they end.
    runs, _ = compare_cells(make_book(), make_plan("large small"), {}, ALONE)
    assert [(run["task"], run["cell"], run["seed"]) for run in runs] == [
        (task, cell, seed)
        for task in ("large", "small")
        for cell in ("lstm", "gru")
        for seed in (0, 1)
    ]


def test_finished_trainings_are_not_done_again(trainings: SimpleNamespace) -> None:
    finished: dict[str, Any] = {}
    first = compare_cells(make_book(), make_plan(), finished, ALONE)
    trainings.jobs.clear()
    assert compare_cells(make_book(), make_plan(), finished, ALONE) == first
    assert trainings.jobs == []


def test_only_new_seeds_are_trained(trainings: SimpleNamespace) -> None:
    finished: dict[str, Any] = {}
    compare_cells(make_book(), make_plan(), finished, ALONE)
    trainings.jobs.clear()
    compare_cells(make_book(), make_plan(seeds=3), finished, ALONE)
    assert sorted(trainings.jobs) == [("small", "gru", 2), ("small", "lstm", 2)]


@pytest.mark.usefixtures("trainings")
def test_finished_trainings_of_other_seeds_are_left_out() -> None:
    finished: dict[str, Any] = {}
    compare_cells(make_book(), make_plan(seeds=3), finished, ALONE)
    assert [run["seed"] for run in compare_cells(make_book(), make_plan(), finished, ALONE)[0]] == [
        0,
        1,
        0,
        1,
    ]


def test_comparison_goes_on_where_it_failed(trainings: SimpleNamespace) -> None:
    finished: dict[str, Any] = {}
    trainings.fail_at = 3
    with pytest.raises(TrainingError):
        compare_cells(make_book(), make_plan(), finished, ALONE)
    assert sorted(key[:-13] for key in finished) == ["small-gru-0", "small-gru-1", "small-lstm-1"]
    trainings.jobs.clear()
    trainings.fail_at = None
    compare_cells(make_book(), make_plan(), finished, ALONE)
    assert trainings.jobs == [("small", "lstm", 0)]


def test_each_training_is_logged_with_its_loss(
    trainings: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        compare_cells(make_book(), make_plan(), {}, ALONE)
    assert caplog.messages[0].startswith("4 trainings of small; ")
    assert caplog.messages[1] == "small, gru, seed 1: test 0.5"
    assert len(caplog.messages) == 5


@pytest.mark.parametrize(
    ("book", "plan", "message"),
    [
        (
            make_book(),
            make_plan("small smal"),
            r"compare\.plan\.tasks: expected some of \['jsb', 'large', 'nottingham', 'small'\], received \['smal'\]",
        ),
        (
            make_book(contenders=CONTENDERS | {"gru": {"cell": "gru", "units": 12}}),
            make_plan("large small"),
            "within 6 %",
        ),
        (
            make_book(),
            make_plan("small jsb", music="nowhere"),
            "expected a folder, received 'nowhere'",
        ),
    ],
    ids=["unknown task", "unequal budgets", "no folder of music"],
)
def test_refused_plan_trains_nothing(
    trainings: SimpleNamespace, book: TaskBook, plan: PlanSpec, message: str
) -> None:
    with pytest.raises(TaskError, match=message):
        compare_cells(book, plan, {}, ALONE)
    assert trainings.over == []


@pytest.mark.usefixtures("trainings")
def test_only_chosen_tasks_are_checked() -> None:
    book = make_book(contenders=CONTENDERS | {"gru": {"cell": "gru", "units": 12}})
    assert len(compare_cells(book, make_plan("large"), {}, ALONE)[0]) == 4


@pytest.mark.usefixtures("trainings")
def test_a_task_that_is_named_twice_is_trained_once() -> None:
    assert len(compare_cells(make_book(), make_plan("small small"), {}, ALONE)[0]) == 4


@pytest.mark.usefixtures("trainings")
def test_no_task_is_left_out_without_music() -> None:
    assert compare_cells(make_book(), make_plan(), {}, ALONE)[1]["left_out"] == []


@pytest.mark.usefixtures("trainings")
def test_references_are_means_over_the_seeds() -> None:
    data = {"kind": "series", "source": {"name": "noisy_sine"}, "lookback": 5}
    book = make_book(
        data=data, contenders={name: {"cell": "rnn", "units": 4} for name in ("one", "other")}
    )
    found = compare_cells(book, make_plan(), {}, ALONE)[1]["tasks"]["small"]["references"]
    of_seeds = [book.root["small"].data.prepare(seed, None).references for seed in (0, 1)]
    assert found == {
        name: pytest.approx((of_seeds[0][name] + of_seeds[1][name]) / 2) for name in of_seeds[0]
    }


def test_task_without_file_is_named(
    trainings: SimpleNamespace, music: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runs, description = compare_cells(
        make_book(), make_plan("jsb nottingham", music=str(music)), {}, ALONE
    )
    assert {run["task"] for run in runs} == set(description["tasks"]) == {"jsb"}
    assert description["left_out"] == ["nottingham"]
    compare_cells(make_book(), make_plan("jsb nottingham", music=str(music)), {}, ALONE)
    assert any("missing: nottingham" in message for message in caplog.messages)
    with pytest.raises(TaskError, match=r"\['nottingham'\].*compare\.plan\.music"):
        compare_cells(make_book(), make_plan("nottingham", music=str(music)), {}, ALONE)


@pytest.fixture
def described(trainings: SimpleNamespace, music: Path) -> dict[str, Any]:
    plan = make_plan("small jsb", music=str(music))
    return compare_cells(make_book(), plan, {}, ALONE)[1]["tasks"]


def test_description_has_the_recurrent_weights(described: dict[str, Any]) -> None:
    expected = {"lstm": 4 * 8 * 11, "gru": 3 * 9 * 13}
    assert described["small"]["num_recurrent_parameters"] == expected


def test_description_has_the_specification(described: dict[str, Any]) -> None:
    assert TaskSpec.model_validate(described["small"]["spec"]) == make_book().root["small"]


def test_description_has_what_papers_report(described: dict[str, Any]) -> None:
    assert set(described["jsb"]["published"]) == {"Chung et al. 2014", "Bai et al. 2018"}
    assert described["small"]["published"] == {}
