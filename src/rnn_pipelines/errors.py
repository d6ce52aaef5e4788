"""The errors that a user of the project can meet: each says what was received, what was expected and what to do."""


class RnnPipelinesError(Exception):
    """Root of all errors that this project raises on purpose."""


class TableError(RnnPipelinesError, ValueError):
    """A table is not what its type says; the message holds the received columns, or the first row that is wrong."""


class SeriesError(RnnPipelinesError, ValueError):
    """The series can't be used as it is; the message names source, column and row or timestamp."""


class SeriesTooShortError(SeriesError):
    """A series has fewer steps than its parts need; the message holds the received and the needed length."""


class ReviewError(RnnPipelinesError, ValueError):
    """The reviews can't be used as they are; the message names file, member or column and row, and what to do."""


class TaskError(RnnPipelinesError, ValueError):
    """A task can't be made as asked, or its file can't be read; the message names size or file, part and sequence."""


class TrainingError(RnnPipelinesError, RuntimeError):
    """A training ended without a usable network."""


class NetworkError(RnnPipelinesError, ValueError):
    """A trained network can't be looked into; the message names network or layer, and what to do."""


class ParameterError(RnnPipelinesError, ValueError):
    """A parameter has a name that nothing reads, or a value that can't be used; the message says what was expected."""


class ParallelError(RnnPipelinesError, RuntimeError):
    """Trainings can't be spread over processes as asked; the message says what is missing."""


class LockedError(RnnPipelinesError, TimeoutError):
    """Another process is at the same work, and did not finish in time."""


class RunError(RnnPipelinesError, RuntimeError):
    """A run's results can't be kept, found or read; the message names the folder, and says what to do."""


class LockError(RnnPipelinesError, OSError):
    """The file of a lock can't be used; nobody else holds it."""


class ChampionError(RnnPipelinesError, RuntimeError):
    """There is no champion that can be used, or none of that name."""


class NewerFormatError(ChampionError):
    """A newer version of the project has written this; the message names the format, and says what to do."""


class TrackingError(RnnPipelinesError, RuntimeError):
    """MLflow can't be told of retrainings and champions; the message says what is missing, and how to get it."""
