"""A part of a report that fails ends no run: the results of the run are kept, and the failure is on record."""

import functools
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from rnn_pipelines.errors import make_line

logger = logging.getLogger(__name__)

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")

# Characters of an error.
MAX_REASON = 400

# The failures of this process since `take_failures` was last called.
_failures: list[str] = []


def guard(function: Callable[Inputs, Output], substitute: Callable[[str], Any]) -> Callable[Inputs, Output]:
    """Wrap a function that draws or renders, so that it returns a substitute instead of raising an exception.

    The log has the error as a warning, and its traceback at the level `DEBUG`. Name, docstring and type hints are those
    of the function: Kedro reads them.

    Args:
        function: a part of the report; never one that returns metrics or predictions.
        substitute: returns the outputs that replace those of the function, given the error on one line.
    """

    @functools.wraps(function)
    def run(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        try:
            return function(*args, **kwargs)
        # Any exception: whatever is wrong with a figure, the forecast that was trained is worth more.
        except Exception as error:
            reason = make_line(f"{function.__name__}: {type(error).__name__}: {error}", MAX_REASON)
            logger.warning("a part of the report failed: %s", reason)
            logger.debug("%s failed", function.__name__, exc_info=True)
            _failures.append(reason)
            return substitute(reason)

    return run


def take_failures() -> list[str]:
    """Return the failures since the last call, and forget them."""
    taken = _failures.copy()
    _failures.clear()
    return taken
