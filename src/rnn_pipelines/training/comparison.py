"""All trainings of a comparison, fanned out over processes, and none of them twice; free of Keras itself."""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

import rnn_pipelines
from rnn_pipelines.errors import TaskError
from rnn_pipelines.training.contests import check_budgets, find_music, list_published, prepare_contest
from rnn_pipelines.training.task_specs import MusicData, PlanSpec, TaskBook, TaskSpec

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        task, contender: their names.
        seed: of data, weights and order of the batches.
        spec: of the task, with this one contender.
        music: folder of the music files.
        num_threads: for this training.
    """

    task: str
    contender: str
    seed: int
    spec: TaskSpec
    music: str | None
    num_threads: int

    @property
    def key(self) -> str:
        """Names what this training comes to: another setting or version of the project is another key."""
        settings = [rnn_pipelines.__version__, self.spec.model_dump_json()]
        fingerprint = hashlib.sha256("\n".join(settings).encode()).hexdigest()[:12]
        return f"{self.task}-{self.contender}-{self.seed}-{fingerprint}"


def compare_cells(
    tasks: TaskBook, plan: PlanSpec, finished: MutableMapping[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Trains every network of the chosen tasks with every seed; a training that is finished is not done again.

    Args:
        tasks: all tasks.
        plan: which of them, and how.
        finished: what `train_contender` returned by `Job.key`. Each training is added when it ends, so that an
            interrupted comparison goes on where it stopped.
    Returns:
        The trainings in the order of tasks, contenders and seeds, see `train_contender`. And of each task: `spec`,
        `references` (mean over seeds), `published`, `num_recurrent_parameters` by contender, and `left_out`: the tasks
        whose music file is not there.
    Raises:
        TaskError: a task has no such name, or the numbers of its weights are too far apart.
    """
    chosen = choose_tasks(tasks, plan)
    present = {name: task for name, task in chosen.items() if _has_data(task, plan)}
    described = {name: describe_task(name, task, plan) for name, task in present.items()}
    jobs = list_jobs(present, plan)
    missing = [job for job in jobs if job.key not in finished]
    with tqdm(total=len(jobs), initial=len(jobs) - len(missing), unit="training", disable=None) as progress:
        for job, run in _train_all(missing, _count_workers(plan)):
            finished[job.key] = run
            progress.update()
            if progress.disable:
                logger.info("%s, %s, seed %d: test %.4g", job.task, job.contender, job.seed, run["test"])
    runs = [finished[job.key] for job in jobs]
    return runs, {"tasks": described, "left_out": [name for name in chosen if name not in present]}


def choose_tasks(tasks: TaskBook, plan: PlanSpec) -> dict[str, TaskSpec]:
    """The tasks that the plan names, in its order."""
    names = list(dict.fromkeys(plan.tasks.split()))
    unknown = [name for name in names if name not in tasks.root]
    if unknown:
        raise TaskError(f"compare.plan.tasks: no task {unknown}; expected some of {sorted(tasks.root)}.")
    return {name: tasks.root[name] for name in names}


def describe_task(name: str, task: TaskSpec, plan: PlanSpec) -> dict[str, Any]:
    """What the report says of a task besides its trainings; see `compare_cells`."""
    contests = [prepare_contest(task.data, seed, plan.music) for seed in range(plan.seeds)]
    weights = check_budgets(name, task.contenders, contests[0].num_inputs)
    references = {
        reference: float(np.mean([contest.references[reference] for contest in contests]))
        for reference in contests[0].references
    }
    return {
        "spec": task.model_dump(mode="json"),
        "references": references,
        "published": list_published(task),
        "num_recurrent_parameters": weights,
    }


def list_jobs(tasks: Mapping[str, TaskSpec], plan: PlanSpec) -> list[Job]:
    """All trainings of some tasks."""
    return [
        Job(
            task=name,
            contender=contender,
            seed=seed,
            spec=task.model_copy(update={"contenders": {contender: task.contenders[contender]}}),
            music=plan.music,
            num_threads=max(1, _count_cores() // _count_workers(plan)),
        )
        for name, task in tasks.items()
        for contender in task.contenders
        for seed in range(plan.seeds)
    ]


def _train_all(jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Each training when it ends. Processes stay warm for many of them."""
    import joblib

    calls = (joblib.delayed(_train)(job) for job in jobs)
    yield from joblib.Parallel(n_jobs=workers, return_as="generator_unordered")(calls)


def _train(job: Job) -> tuple[Job, dict[str, Any]]:
    # Before TensorFlow starts in this process.
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(job.num_threads)
    from rnn_pipelines.training.contenders import train_contender

    return job, train_contender(job)


def _has_data(task: TaskSpec, plan: PlanSpec) -> bool:
    return not isinstance(task.data, MusicData) or find_music(task.data, plan.music) is not None


def _count_workers(plan: PlanSpec) -> int:
    return plan.workers or _count_cores()


def _count_cores() -> int:
    return os.cpu_count() or 1
