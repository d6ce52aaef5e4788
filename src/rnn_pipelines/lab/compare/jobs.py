"""The trainings of a comparison, each with a unique key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from rnn_pipelines.lab.compare.specs import PlanSpec, TaskSpec
from rnn_pipelines.version import __version__


@dataclass(frozen=True)
class Job:
    """One training of a contender on a task, whose spec has this contender alone.

    The seed is that of data, weights and order of the batches. `music` is the folder of the music files, and `checksum`
    that of the file that the task reads; empty if it reads none.
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
    jobs = []
    for name, task in tasks.items():
        path = task.data.find_file(plan.music)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
        for contender, spec in task.contenders.items():
            alone = task.model_copy(update={"contenders": {contender: spec}})
            jobs += [
                Job(name, contender, seed, alone, plan.music, checksum)
                for seed in range(plan.seeds)
            ]
    return jobs
