"""A guarded function is the function itself until it fails; then the substitute is returned, and the failure told."""

import inspect
import logging
from typing import get_type_hints

import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.report.failures import MAX_REASON, guard, pop_failures


def draw(numbers: list[int], name: str = "a") -> str:
    """Draws."""
    if not numbers:
        raise SeriesError("there are no numbers")
    return f"{name}{sum(numbers)}"


def test_a_guarded_function_that_works_is_as_before() -> None:
    assert guard(draw, str.upper)([1, 2], name="b") == "b3"
    assert pop_failures() == []


def test_a_guarded_function_keeps_its_name() -> None:
    guarded = guard(draw, str.upper)
    assert (guarded.__name__, guarded.__doc__) == ("draw", "Draws.")


def test_a_guarded_function_keeps_its_signature() -> None:
    guarded = guard(draw, str.upper)
    assert inspect.signature(guarded) == inspect.signature(draw)
    assert get_type_hints(guarded) == get_type_hints(draw)


def test_the_substitute_is_given_the_error() -> None:
    reason = "draw: SeriesError: there are no numbers"
    assert guard(draw, str.upper)([]) == reason.upper()
    assert pop_failures() == [reason]


def test_every_failure_is_kept_until_it_is_read() -> None:
    for _ in range(2):
        guard(draw, str.upper)([])
    assert len(pop_failures()) == 2
    assert pop_failures() == []


def test_the_error_is_one_short_line() -> None:
    def fail() -> str:
        raise ValueError("a\nb\x1b[0m" * 1000)

    reason = guard(fail, str)()
    assert len(reason) <= MAX_REASON
    assert reason.isprintable()
    pop_failures()


def test_a_failure_is_a_warning_without_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "rnn_pipelines"):
        guard(draw, str.upper)([])
    warning, _traceback = caplog.records
    assert (warning.levelname, warning.exc_info) == ("WARNING", None)
    pop_failures()


def test_the_traceback_of_a_failure_is_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "rnn_pipelines"):
        guard(draw, str.upper)([])
    _warning, traceback = caplog.records
    assert traceback.levelname == "DEBUG"
    assert traceback.exc_info is not None
    assert traceback.exc_info[0] is SeriesError
    pop_failures()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_whoever_ends_the_run_ends_it(kind: type[BaseException]) -> None:
    def interrupt() -> str:
        raise kind

    with pytest.raises(kind):
        guard(interrupt, str.upper)()
    assert pop_failures() == []
