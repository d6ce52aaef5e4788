"""The trainings of a comparison, each with a unique key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from rnn_pipelines.compare.specs import PlanSpec, TaskSpec
from rnn_pipelines.version import __version__


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        task, contender: the names of the task and the network.
        seed: the seed of data, weights and order of the batches.
        spec: the task, with this contender alone.
        music: the folder of the music files.
        checksum: the checksum of the file that the task reads; empty if it reads none.
    """

    task: str
    contender: str
    seed: int
    spec: TaskSpec
    music: str | None
    checksum: str

    @property
    def key(self) -> str:
        """The key of this training; it depends on settings, file and versions of the project, Keras and TensorFlow.

        It does not depend on the code. After a change of code without a new version, delete the finished trainings.
        """
        versions = [__version__, version("keras"), version("tensorflow")]
        settings = "\n".join([*versions, self.spec.model_dump_json(), self.checksum])
        fingerprint = hashlib.sha256(settings.encode()).hexdigest()[:12]
        return f"{self.task}-{self.contender}-{self.seed}-{fingerprint}"


def list_jobs(tasks: Mapping[str, TaskSpec], plan: PlanSpec) -> list[Job]:
    """Return all trainings of some tasks."""
    jobs = []
    for name, task in tasks.items():
        path = task.data.find_file(plan.music)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
        for contender, spec in task.contenders.items():
            alone = task.model_copy(update={"contenders": {contender: spec}})
            jobs += [Job(name, contender, seed, alone, plan.music, checksum) for seed in range(plan.seeds)]
    return jobs
