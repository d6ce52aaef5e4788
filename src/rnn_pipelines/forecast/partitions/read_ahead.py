"""CSV files of a folder, read by all cores while one process surveys and divides their rows in order."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from rnn_pipelines.forecast.source.readable import FILES
from rnn_pipelines.networks.fan_out import (
    ParallelSpec,
    count_workers,
    get_executor,
    is_first_process,
    train_apart,
)
from rnn_pipelines.reading.batches import read_batches
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.survey import FileSurvey
from rnn_pipelines.reading.table_files import TableFiles
from rnn_pipelines.reading.typed_files import find_format

# The start of the processes takes as long as reading so much.
MIN_BYTES = 1 << 28


@dataclass(frozen=True)
class CopyJob:
    """A CSV file, and a file for its rows as streams of Arrow, one for each batch."""

    file: FileSurvey
    columns: list[str]
    dialect: Dialect
    target: Path


@dataclass
class FilesAhead:
    """Reads each file as `read_batches` does, and lets other processes read the next ones meanwhile.

    Attributes:
        left: the CSV files that no process reads yet, in their order.
        folder: for the rows of files that were read.
    """

    left: deque[Path]
    folder: Path
    started: dict[Path, tuple[CopyJob, "Future[FileSurvey]"]] = field(default_factory=dict)

    def read(
        self, file: FileSurvey, columns: list[str], files: TableFiles, dialect: Dialect
    ) -> Iterator[pa.Table]:
        """Yield columns of the next file in batches, and set its dialect."""
        num_workers = count_workers(ParallelSpec())
        while self.left and len(self.started) <= num_workers:
            path = self.left.popleft()
            target = self.folder / f"{len(self.left):05d}.arrow"
            job = CopyJob(FileSurvey(path), columns, dialect, target)
            submitted = get_executor(num_workers).submit(train_apart, copy_batches, job, 1)
            self.started[path] = job, submitted
        assert file.path is not None
        job, submitted = self.started.pop(file.path)
        try:
            found = submitted.result()
        except BrokenExecutor:
            found = copy_batches(replace(job, file=FileSurvey(file.path)))
        file.found = found.found
        file.is_comma_separated = found.is_comma_separated
        file.num_above = found.num_above
        with job.target.open("rb") as streams:
            while streams.peek(1):
                yield pa.ipc.open_stream(streams).read_all()
        job.target.unlink()


def copy_batches(job: CopyJob) -> FileSurvey:
    """Write the rows of a file, and return it with its dialect."""
    with job.target.open("wb") as streams:
        for batch in read_batches(job.file, job.columns, FILES, job.dialect):
            with pa.ipc.new_stream(streams, batch.schema) as stream:
                stream.write_table(batch)
    return job.file


def is_read_ahead(paths: Sequence[Path]) -> bool:
    """Return whether other processes help to read these files."""
    is_csv = all(find_format(path) is None for path in paths)
    num_bytes = sum(path.stat().st_size for path in paths) if is_csv else 0
    return (
        len(paths) > 1
        and num_bytes >= MIN_BYTES
        and count_workers(ParallelSpec()) > 1
        and is_first_process()
    )
