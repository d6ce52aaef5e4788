"""The records in the history of a task, as JSON; a record has the keys of its kind."""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import AfterValidator, BaseModel

# pydantic does not accept `typing.TypedDict` before Python 3.12.
from typing_extensions import TypedDict

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.storage.formats import as_written, check_types, is_plain, read_object

# Nested values by their paths, such as `lstm.mse`.
Leaves = dict[str, Any]


def _validate_version_name(name: str) -> str:
    if not is_plain(name):
        raise ValueError("expected the name of a version")
    return name


VersionName = Annotated[str, AfterValidator(_validate_version_name)]


@as_written
class Fingerprints(TypedDict, total=False):
    """Hashes of the inputs of a retraining; with the same three, another one comes to the same decision."""

    data: str
    parameters: str
    code: str


@as_written
class Loader(TypedDict, total=False):
    """Code and libraries, which decide whether an intact model can be loaded."""

    code: str
    versions: dict[str, str]


@as_written
class Measures(TypedDict, total=False):
    """The measures of one model; a task may add more. None stands for values that are not finite.

    Attributes:
        loss: on the holdout.
        shared_loss: on the part of the holdout that the champion covers too, if that is not all of it.
        validation_loss: on its own validation part.
        by_step: the loss at each step of the horizon.
        change: the mean absolute change of the forecast of a date from one origin to the next; of a challenger, from
            the champion's forecast to its own, as on the night of its promotion.
    """

    loss: float | None
    shared_loss: float | None
    validation_loss: float | None
    by_step: list[float | None]
    change: float | None


@as_written
class Metrics(TypedDict, total=False):
    """The measures of all models; of baselines only the loss. The champion is None if it was not measured."""

    challenger: Measures | None
    champion: Measures | None
    baselines: dict[str, float | None]


class ChallengerTraining(TypedDict):
    """How a challenger was trained.

    `chosen` is the method that is the challenger, and `instead_of` one that it replaces.
    Losses are by candidate, weights by member of an
    ensemble. `networks` are the records of the trainings; seeds and seconds, with compilation, are those of all
    trainings. `is_refitted` is whether the model in use is fitted on all data, and not the evaluated model.
    """

    chosen: str
    instead_of: NotRequired[str | None]
    validation_losses: Mapping[str, float | None]
    weights: NotRequired[dict[str, float]]
    networks: dict[str, Any]
    seeds: list[int]
    training_seconds: float
    is_refitted: NotRequired[bool]


class Origins(TypedDict, total=False):
    """The inputs of a retraining at a time, ISO 8601, UTC, up to `as_of`, the last time or step of the data.

    The parameters are the relevant ones, by pipeline; `data` has facts of the data, by name.
    """

    at: str
    as_of: int | str | None
    fingerprints: Fingerprints | None
    commit: str | None
    versions: dict[str, str]
    parameters: dict[str, Any]
    data: dict[str, Any]


class RetrainingInputs(Origins):
    """One retraining; the time when it `started`, in seconds since 1970, is not recorded."""

    started: float


@as_written
class Record(Origins, total=False):
    """One event in the history of a task's model; its keys depend on its kind.

    Attributes:
        format: see `formats`.
        record: its name, which sorts by time.
        is_promoted: whether `version` became the champion.
        champion: the version in use until then.
        outcome to notes: of a retraining.
        unreadable: alarms of the versions that could not be loaded, by version.
        readable: versions that can be loaded again.
        loader: code and libraries of these attempts.
    """

    format: int
    record: str
    kind: Literal["retrain", "promote", "rollback", "alarm", "recovery"]
    task: str
    is_promoted: bool
    version: VersionName | None
    champion: str | None
    reasons: list[str]
    outcome: Literal["promoted", "kept", "failed"]
    error: str
    p_value: float | None
    seconds: dict[str, float]
    metrics: Metrics | None
    seeds: list[int]
    training: dict[str, Any]
    notes: list[str]
    unreadable: dict[str, str]
    readable: list[str]
    loader: Loader


def parse_record(content: bytes, label: object) -> Record:
    """Parse a record and check the types of its keys.

    Content that is no record, or has a key of a wrong type, raises a ValueError; a record that another version of the
    project wrote, a FormatError.
    """
    record = read_object(content, label)
    check_types(record, Record)
    return cast(Record, record)


def list_reasons(record: Record) -> list[str]:
    """Return the reasons for the outcome, each without a full stop."""
    reasons = [record["error"]] if record.get("error") else record.get("reasons") or []
    return [str(reason).rstrip(".") for reason in reasons]


def list_measures(record: Record) -> dict[str, Measures]:
    """Return the measures by model: challenger, champion if it was measured, and baselines."""
    metrics = record.get("metrics") or Metrics()
    both = {CHALLENGER: metrics.get("challenger"), CHAMPION: metrics.get("champion")}
    measured = {name: measures for name, measures in both.items() if measures}
    return measured | {
        name: Measures(loss=loss) for name, loss in (metrics.get("baselines") or {}).items()
    }


def find_compared_loss(
    metrics: Metrics | None, name: Literal["challenger", "champion"]
) -> float | None:
    """Return the loss in the comparison of champion and challenger: of the part that both cover; None if unknown."""
    measures = (metrics or Metrics()).get(name) or Measures()
    return measures.get("shared_loss", measures.get("loss"))


def make_plain(values: Any) -> Any:
    """Return values for JSON: parameter models as mappings, numbers that are not finite as None."""
    if isinstance(values, BaseModel):
        return values.model_dump(mode="json")
    if isinstance(values, Mapping):
        return {str(key): make_plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [make_plain(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def dump_plain(values: Any) -> bytes:
    """Return the values of `make_plain` as JSON."""
    return f"{json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False)}\n".encode()


def list_leaves(values: Any, path: str = "") -> Leaves:
    """Return nested values by their paths; list items are keyed by unique `name`s or position."""
    if isinstance(values, list) and any(isinstance(value, dict | list) for value in values):
        names = [
            str(value.get("name", n)) if isinstance(value, dict) else str(n)
            for n, value in enumerate(values)
        ]
        keys = names if len(set(names)) == len(names) else map(str, range(len(names)))
        values = dict(zip(keys, values, strict=True))
    if not isinstance(values, dict) or (path and not values):
        return {path: values}
    below = (
        list_leaves(value, f"{path}.{key}" if path else str(key)) for key, value in values.items()
    )
    return {key: leaf for leaves in below for key, leaf in leaves.items()}
