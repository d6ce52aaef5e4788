"""The trainings of a comparison, spread over processes. Does not import Keras."""

import logging
from collections.abc import MutableMapping, Sequence

import numpy as np

from rnn_pipelines.errors import TaskError, TrainingError, count, show_all
from rnn_pipelines.lab.compare.contenders import check_budgets
from rnn_pipelines.lab.compare.jobs import Job, list_jobs
from rnn_pipelines.lab.compare.records import Description, RunWithCurve, TaskDescription
from rnn_pipelines.lab.compare.specs import PlanSpec, TaskBook, TaskSpec
from rnn_pipelines.networks.fan_out import ParallelSpec, count_workers, fan_out
from rnn_pipelines.networks.time_left import format_seconds

# Mean seconds of a training with its compilation, from `benchmarks/results/compare.json`, rounded.
TYPICAL_SECONDS = {
    "noisy_sine": 27,
    "temperature": 29,
    "adding_100": 213,
    "jsb_chorales": 165,
    "forget_bias": 291,
    "adding_200": 501,
    "copy_100": 187,
    "nottingham": 122,
}

logger = logging.getLogger(__name__)


def compare_cells(
    tasks: TaskBook,
    plan: PlanSpec,
    finished: MutableMapping[str, RunWithCurve],
    parallel: ParallelSpec,
) -> tuple[list[RunWithCurve], Description]:
    """Train every network of the chosen tasks with every seed, except the trainings that are finished.

    Each finished training is added by its `Job.key` when it ends, so that an interrupted comparison can be resumed.

    Returns:
        The trainings in the order of tasks, contenders and seeds; and the description of the tasks.
    Raises:
        TaskError: a task is unknown, the numbers of weights of its networks differ too much, or no task has its file.
        TrainingError: a loss is no longer finite; the trainings that ended before are kept.
        ParallelError: see `fan_out`.
    """
    requested = choose_tasks(tasks, plan)
    present = {name: task for name, task in requested.items() if task.data.is_there(plan.music)}
    left_out = [name for name in requested if name not in present]
    if left_out:
        logger.warning(
            "Left out, because their music files are missing: %s. See docs/reference/data-sets.md.",
            ", ".join(left_out),
        )
    if not present:
        raise TaskError(
            f"compare.plan.tasks: expected a task whose file exists, received only {show_all(left_out)}. Set "
            "compare.plan.music to the folder of the music files, set RNN_DATA, or name other tasks."
        )
    described = {name: describe_task(name, task, plan) for name, task in present.items()}
    jobs = list_jobs(present, plan)
    # The networks of a task take turns, so that other load on the machine affects the seconds of all of them.
    order = list(dict.fromkeys(job.task for job in jobs))
    in_turn = sorted(jobs, key=lambda job: (order.index(job.task), job.seed))
    missing = [job for job in in_turn if job.key not in finished]
    logger.info(
        "%s", estimate_time(missing, count_workers(parallel) if parallel.backend == "loky" else 1)
    )
    for job, run in fan_out(_train, missing, parallel):
        finished[job.key] = run
        logger.info("%s, %s, seed %d: test %.4g", job.task, job.contender, job.seed, run["test"])
    return [finished[job.key] for job in jobs], {"tasks": described, "left_out": left_out}


def estimate_time(jobs: Sequence[Job], num_workers: int) -> str:
    """Return the tasks, the number of trainings and their expected time, from `TYPICAL_SECONDS`."""
    tasks = list(dict.fromkeys(job.task for job in jobs))
    if not jobs:
        return "all trainings are finished"
    plan = f"{count(len(jobs), 'training')} of {', '.join(tasks)}"
    unknown = [name for name in tasks if name not in TYPICAL_SECONDS]
    if unknown:
        return f"{plan}; no time was measured for {', '.join(unknown)}"
    seconds = sum(TYPICAL_SECONDS[job.task] for job in jobs) / min(num_workers, len(jobs))
    return f"{plan}; about {format_seconds(seconds)}, by the measured times of benchmarks/results/compare.json"


def choose_tasks(tasks: TaskBook, plan: PlanSpec) -> dict[str, TaskSpec]:
    """Return the tasks that the plan names, in its order."""
    names = list(dict.fromkeys(plan.tasks.split()))
    unknown = [name for name in names if name not in tasks.root]
    if unknown:
        expected = f"expected some of {show_all(sorted(tasks.root))}, received {show_all(unknown)}"
        raise TaskError(f"compare.plan.tasks: {expected}.")
    return {name: tasks.root[name] for name in names}


def describe_task(name: str, task: TaskSpec, plan: PlanSpec) -> TaskDescription:
    """Return the facts of a task for the report, apart from its trainings."""
    # One seed at a time, because the sequences of all seeds may not fit in memory.
    contests = (task.data.prepare(seed, plan.music) for seed in range(plan.seeds))
    sizes, references = zip(
        *((contest.num_inputs, contest.references) for contest in contests), strict=True
    )
    return {
        "spec": task.model_dump(mode="json"),
        "references": {
            name: float(np.mean([of_seed[name] for of_seed in references]))
            for name in references[0]
        },
        "published": {paper: dict(losses) for paper, losses in task.data.published.items()},
        "num_recurrent_parameters": check_budgets(name, task.contenders, sizes[0]),
    }


def _train(job: Job) -> RunWithCurve:
    from rnn_pipelines.lab.compare.training import train_contender

    try:
        return train_contender(job)
    except TrainingError as error:
        raise TrainingError(f"{job.task}, {job.contender}, seed {job.seed}: {error}") from error
