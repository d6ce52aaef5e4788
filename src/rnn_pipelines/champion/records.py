"""What stands in the history of a task, as JSON; a record of an older version of the project may lack any key."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError, with_config

# That of typing is of no use to pydantic before Python 3.12.
from typing_extensions import TypedDict

from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.storage.formats import is_plain, read_object


def _validate_version_name(name: str) -> str:
    if not is_plain(name):
        raise ValueError("expected the name of a version")
    return name


VersionName = Annotated[str, AfterValidator(_validate_version_name)]
# What a task or another version adds is kept.
as_written = with_config(ConfigDict(extra="allow", strict=True))


@as_written
class Fingerprints(TypedDict, total=False):
    """Hashes of what a retraining was made of: with the same three, another would come to the same decision."""

    data: str
    parameters: str
    code: str


@as_written
class Loader(TypedDict, total=False):
    """Code and libraries, on which depends whether a model that is whole can be loaded."""

    code: str
    versions: dict[str, str]


@as_written
class Measures(TypedDict, total=False):
    """What was measured of one model; a task may add measures of its own. None stands for what is not finite.

    Attributes:
        loss: on the holdout.
        shared_loss: on the part of it that the champion has outputs for too, where that is not all.
        validation_loss: on its own validation part.
        by_step: the loss at each step.
    """

    loss: float | None
    shared_loss: float | None
    validation_loss: float | None
    by_step: list[float | None]


@as_written
class Metrics(TypedDict, total=False):
    """What was measured of everyone; of baselines the loss alone. The champion is None where it was not measured."""

    challenger: Measures | None
    champion: Measures | None
    baselines: dict[str, float | None]


class ChallengerTraining(TypedDict):
    """How a challenger was trained.

    Attributes:
        chosen: the network, or the combination of all, that is the challenger.
        validation_losses: by which it was chosen.
        weights: of what was combined, if anything was.
        networks: the record of each training.
        seeds: of all of them.
        training_seconds: of all of them, with compilation.
    """

    chosen: str
    validation_losses: dict[str, float]
    weights: NotRequired[dict[str, float]]
    networks: dict[str, Any]
    seeds: list[int]
    training_seconds: float


class Origins(TypedDict, total=False):
    """What a retraining was made of.

    Attributes:
        at: when; ISO 8601, UTC.
        as_of: up to when data was read.
        parameters: all that count, by pipeline.
        data: facts of the data, by name.
    """

    at: str
    as_of: int | str | None
    fingerprints: Fingerprints | None
    commit: str | None
    versions: dict[str, str]
    parameters: dict[str, Any]
    data: dict[str, Any]


class Run(Origins):
    """One retraining.

    Attributes:
        started: when, in seconds since 1970; not on record.
    """

    started: float


@as_written
class Record(Origins, total=False):
    """One thing that happened to a task's model; its kind says which of the keys it has.

    Attributes:
        format: see `formats`.
        record: its name, which sorts by time.
        is_promoted: whether `version` became the champion.
        champion: the version in use until then.
        outcome to notes: of a retraining, and what it was made of.
        unreadable, readable, loader: versions that could not be loaded, each with the alarm, or could again, and with
            which code and libraries.
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


def read_record(content: bytes, label: object) -> Record:
    """The record that a file holds, as it is written.

    Args:
        content: of the file.
        label: what an error begins with.
    Raises:
        ValueError: it holds something else. One key of another type is enough: whoever reads it later would fail.
        NewerFormatError: a newer version of the project has written it.
    """
    found = read_object(content, label)
    check_types(found, Record)
    return cast(Record, found)


def check_types(found: Mapping[str, Any], kind: Any) -> None:
    """Raises a ValueError, which names the key, where values are not of the types that a kind of record says.

    Args:
        found: what a file held.
        kind: of record.
    """
    try:
        _make_adapter(kind).validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path}: {first['msg'].removeprefix('Value error, ')}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


@cache
def _make_adapter(kind: Any) -> "TypeAdapter[Any]":
    return TypeAdapter(kind)


def list_reasons(record: Record) -> list[str]:
    """Why it came out so, each without a full stop."""
    reasons = [record["error"]] if record.get("error") else record.get("reasons") or []
    return [str(reason).rstrip(".") for reason in reasons]


def list_measures(record: Record) -> dict[str, Measures]:
    """What was measured, by whose it is: the challenger's, the champion's where it was measured, the baselines'."""
    metrics = record.get("metrics") or Metrics()
    both = {CHALLENGER: metrics.get("challenger"), CHAMPION: metrics.get("champion")}
    measured = {name: measures for name, measures in both.items() if measures}
    return measured | {name: Measures(loss=loss) for name, loss in (metrics.get("baselines") or {}).items()}


def find_compared_loss(metrics: Metrics | None, name: Literal["challenger", "champion"]) -> float | None:
    """The loss by which champion and challenger were compared, of what both had an output for; None without one.

    Args:
        metrics: of the record of a retraining.
        name: whose.
    """
    measures = (metrics or Metrics()).get(name) or Measures()
    return measures.get("shared_loss", measures.get("loss"))


def make_plain(values: Any) -> Any:
    """Values as JSON holds them: models of parameters as mappings, numbers that are not finite as None."""
    if isinstance(values, BaseModel):
        return values.model_dump(mode="json")
    if isinstance(values, Mapping):
        return {str(key): make_plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [make_plain(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values
