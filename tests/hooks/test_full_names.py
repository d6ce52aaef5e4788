"""Messages of a run name parameters as users give them."""

import logging
from pathlib import Path

import pytest
from kedro.pipeline import Node, Pipeline
from pydantic import BaseModel, RootModel

from rnn_pipelines.hooks.parameters import find_full_names
from rnn_pipelines.parameter_models import rename_parameters
from rnn_pipelines.printing import escape_log, rewrite_log


class Source(BaseModel):
    tz: str = ""
    time: str = ""
    time_format: str = ""


class Gaps(RootModel[str]):
    root: str = ""


class Small(BaseModel):
    source: Source = Source()


class Night(BaseModel):
    as_of: str = ""


def read(source: Source, gaps: Gaps, night: Night) -> int:
    return 0


def look(small: Small) -> int:
    return 0


READ = Node(read, ["params:forecast.source", "params:forecast.gaps", "params:night"], "a", name="read")
LOOK = Node(look, "params:internals.small", "b", name="look")


FORECAST = find_full_names({"forecast": Pipeline([READ])})
INTERNALS = find_full_names({"internals": Pipeline([LOOK])})
BOTH = find_full_names({"forecast": Pipeline([READ]), "internals": Pipeline([LOOK])})


@pytest.mark.parametrize(
    ("message", "full"),
    [
        ("my.csv: give source.tz.", "my.csv: give forecast.source.tz."),
        ("source.time_format='%Y'", "forecast.source.time_format='%Y'"),
        ("Give gaps=split", "Give forecast.gaps=split"),
        ("as_of is late", "night.as_of is late"),
        ("give forecast.source.tz or night.as_of", "give forecast.source.tz or night.as_of"),
        ("the gaps of a source", "the gaps of a source"),
        ("my/source.tz and source.tzs", "my/source.tz and source.tzs"),
    ],
)
def test_short_names_become_full_ones(message: str, full: str) -> None:
    assert rename_parameters(message, FORECAST) == full


def test_blocks_within_blocks_are_named() -> None:
    assert rename_parameters("source.tz", INTERNALS) == "internals.small.source.tz"


def test_name_that_two_parameters_share_stays() -> None:
    assert rename_parameters("source.tz, gaps=split", BOTH) == "source.tz, forecast.gaps=split"


def test_message_stays_without_names() -> None:
    assert rename_parameters("source.tz", {}) == "source.tz"


def test_log_of_a_run_has_full_names(tmp_path: Path) -> None:
    """The log of Python's interface has its arguments, see `rewrite_messages`."""
    handler = logging.FileHandler(tmp_path / "log")
    escape_log([handler])
    record = logging.LogRecord("a", logging.WARNING, "a.py", 1, "give %s", ("source.tz",), None)
    rewrite_log([handler], lambda message: rename_parameters(message, FORECAST))
    handler.emit(record)
    rewrite_log([handler])
    handler.emit(record)
    handler.close()
    assert (tmp_path / "log").read_text().split("\n") == ["give forecast.source.tz", "give source.tz", ""]
