"""Independent trainings in parallel processes, on one machine or several; does not import Keras."""

import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, as_completed, wait
from contextlib import contextmanager
from multiprocessing import current_process
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import Field, model_validator

from rnn_pipelines.errors import ParallelError, show
from rnn_pipelines.networks.keras_start import quicken_start
from rnn_pipelines.networks.memory import keep_freed_memory
from rnn_pipelines.networks.time_left import TimeLeft
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.printing import escape_log

if TYPE_CHECKING:
    from distributed import Client
    from joblib.externals.loky import ProcessPoolExecutor

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")

# The time that a scheduler and its first worker have to answer.
CONNECT_SECONDS = 30
# A training may take hours. After this time without a result, the scheduler is asked whether it has a worker, and has
# the same time to find one.
PATIENCE_SECONDS = 60
START_DASK = (
    "Start them with dask scheduler, and with dask worker ADDRESS --no-nanny on each machine"
)


class ParallelSpec(ParameterModel, frozen=True):
    """The processes for independent trainings.

    Attributes:
        backend: `loky` for processes of this machine, `dask` for the workers of a Dask scheduler, `ray` for Ray.
        workers: processes of this machine, which share the cores; None for one per core.
        scheduler: address of the Dask scheduler, such as tcp://host:8786, or of Ray; None starts Ray on this machine.
    """

    backend: Literal["loky", "dask", "ray"] = "loky"
    workers: int | None = Field(None, ge=1, le=1024)
    scheduler: str | None = None

    @model_validator(mode="after")
    def _validate_scheduler(self) -> "ParallelSpec":
        if self.backend != "ray" and (self.backend == "dask") is not (self.scheduler is not None):
            raise ValueError(
                "scheduler: expected the address of a scheduler with backend dask, and none with loky"
            )
        if self.scheduler is not None and not re.fullmatch(r"\S+:\d+", self.scheduler):
            raise ValueError(
                f"scheduler: expected an address with a port, such as tcp://host:8786, received {show(self.scheduler)}"
            )
        if self.scheduler is not None and self.workers is not None:
            raise ValueError(f"workers: expected null with a scheduler, received {self.workers}")
        return self


def fan_out(
    train: Callable[[Job], Result],
    jobs: Sequence[Job],
    parallel: ParallelSpec,
    noun: str = "trainings",
) -> Iterator[tuple[Job, Result]]:
    """Yield each job with its result, in the order of completion; `noun` names the jobs in log lines.

    Results that are ready before a job fails are yielded first. With one worker on this machine, the jobs run in this
    process. The number of threads of a job depends only on the number of workers, so that timings are comparable. The
    time left is logged, except with Dask, where the number of workers can change. The function is one of a module,
    because other processes import it by its name. Raise a ParallelError if the scheduler does not exist or is lost, or
    its workers are lost or cannot train.
    """
    if not jobs:
        return
    if parallel.backend == "dask":
        yield from _train_over_dask(train, jobs, str(parallel.scheduler))
        return
    if parallel.backend == "ray":
        yield from _train_over_ray(train, jobs, parallel)
        return
    num_workers = count_workers(parallel)
    time_left = TimeLeft(len(jobs), noun, num_parallel=num_workers)
    for num_done, (job, result) in enumerate(_train_here(train, jobs, num_workers), start=1):
        time_left.log(num_done)
        yield job, result


def _train_here(
    train: Callable[[Job], Result], jobs: Sequence[Job], num_workers: int
) -> Iterator[tuple[Job, Result]]:
    if num_workers == 1:
        for job in jobs:
            yield job, train(job)
        return
    num_threads = max(1, count_cores() // num_workers)
    executor = get_executor(min(num_workers, len(jobs)))
    try:
        submitted = {executor.submit(train_apart, train, job, num_threads): job for job in jobs}
        for future in as_completed(submitted):
            yield submitted[future], future.result()
    except BaseException:
        executor.shutdown(wait=False, kill_workers=True)
        raise


def is_first_process() -> bool:
    """Return whether this process is none of those that others start for their jobs."""
    return current_process().name == "MainProcess"


def count_workers(parallel: ParallelSpec) -> int:
    """Return the number of processes on this machine."""
    return parallel.workers or count_cores()


def count_cores() -> int:
    """Return the number of cores that this process may use, which a container can limit."""
    import joblib

    return joblib.cpu_count()


def count_threads() -> int:
    """Return the number of threads of a training in this process."""
    return int(os.environ.get("TF_NUM_INTRAOP_THREADS") or count_cores())


def train_apart(train: Callable[[Job], Result], job: Job, num_threads: int) -> Result:
    """Prepare this process of another one, and train in it."""
    quicken_start()
    keep_freed_memory()
    # Before TensorFlow starts in this process.
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(num_threads)
    # Nothing else configures logging in this process.
    escape_log([logging.lastResort])
    # Each training traces its own graphs, which TensorFlow warns about.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return train(job)


def _train_in_own_process(train: Callable[[Job], Result], job: Job) -> Result:
    """Train in a separate process.

    Keras draws its seeds from Python's random numbers. Other threads of a Dask worker also use them. And a worker does
    not answer its scheduler while TensorFlow traces.
    """
    from distributed import get_worker

    if current_process().daemon:
        raise ParallelError(
            "parallel.scheduler: its workers may not start processes. Start them with --no-nanny."
        )
    return get_executor(get_worker().state.nthreads).submit(train_apart, train, job, 1).result()


def get_executor(num_workers: int) -> "ProcessPoolExecutor":
    """Return the pool of processes of this machine. loky restarts a process that has leaked 300 MB."""
    from joblib.externals.loky import get_reusable_executor

    # loky warns with this message when it restarts a process.
    warnings.filterwarnings(
        "ignore", "A worker stopped while some jobs were given to the executor", UserWarning
    )
    return get_reusable_executor(max_workers=num_workers)


def _train_over_dask(
    train: Callable[[Job], Result], jobs: Sequence[Job], address: str
) -> Iterator[tuple[Job, Result]]:
    """Train on the workers of a Dask scheduler.

    Without the check for workers, Dask would wait forever after all of them died. So would joblib with Dask.
    """
    # Leaving the client cancels the remaining jobs.
    with _connect(address) as client:
        _wait_for_worker(client, address, CONNECT_SECONDS)
        submit = client.get_executor(pure=False).submit
        submitted = {submit(_train_in_own_process, train, job): job for job in jobs}
        while submitted:
            ended, _ = wait(submitted, timeout=PATIENCE_SECONDS, return_when=FIRST_COMPLETED)
            if not ended:
                _wait_for_worker(client, address, PATIENCE_SECONDS)
            for future in ended:
                try:
                    yield submitted.pop(future), future.result()
                except CancelledError as error:
                    raise ParallelError(
                        f"parallel.scheduler: the connection to {address} and its trainings was lost. {START_DASK}, "
                        "and run this command again."
                    ) from error


def _train_over_ray(
    train: Callable[[Job], Result], jobs: Sequence[Job], parallel: ParallelSpec
) -> Iterator[tuple[Job, Result]]:
    """Train in the processes of Ray, with one thread each."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        message = "parallel.backend is ray, which is not installed: pip install rnn-pipelines[ray]"
        raise ParallelError(message) from error
    try:
        if not ray.is_initialized():
            num_cpus = count_workers(parallel) if parallel.scheduler is None else None
            options = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
            try:
                ray.init(parallel.scheduler, num_cpus=num_cpus, **options)
            # Ray raises errors of any type.
            except Exception as error:
                raise ParallelError(f"parallel.backend=ray: it did not start ({error})") from error
        start = ray.remote(train_apart).remote
        submitted = {start(train, job, 1): job for job in jobs}
        while submitted:
            (ended,), _ = ray.wait(list(submitted))
            yield submitted.pop(ended), ray.get(ended)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise ParallelError(f"parallel.backend=ray: {error}") from error


@contextmanager
def _connect(address: str) -> Iterator["Client"]:
    try:
        from distributed import Client, KilledWorker
    except ModuleNotFoundError as error:
        message = (
            "parallel.backend is dask, which is not installed: pip install rnn-pipelines[dask]"
        )
        raise ParallelError(message) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _explain_missing(address, error) from error
    with client:
        try:
            yield client
        except KilledWorker as error:
            raise ParallelError(f"parallel.scheduler: {address}: {error}") from error


def _wait_for_worker(client: "Client", address: str, seconds: float) -> None:
    """Wait until the scheduler has a worker."""
    try:
        client.wait_for_workers(1, timeout=seconds)
    except (OSError, ValueError) as error:
        raise _explain_missing(address, error) from error


def _explain_missing(address: str, error: Exception) -> ParallelError:
    return ParallelError(
        f"parallel.scheduler: expected the address of a Dask scheduler with workers, received {address} ({error}). "
        f"{START_DASK}."
    )
