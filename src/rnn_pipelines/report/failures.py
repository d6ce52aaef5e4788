"""Protection of runs from failures in reports: the results of the run are kept, and the failure is recorded."""

import functools
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from rnn_pipelines.errors import make_line

logger = logging.getLogger(__name__)

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")

# The largest number of characters of an error.
MAX_REASON = 400

# The failures of this process since `pop_failures` was last called.
_failures: list[str] = []


def guard(
    function: Callable[Inputs, Output], substitute: Callable[[str], Any], name: str = ""
) -> Callable[Inputs, Output]:
    """Wrap a function that draws or renders, so that it returns a substitute instead of raising an exception.

    The error is logged as a warning, and its traceback at the level `DEBUG`. Docstring and type hints stay those of the
    function, because Kedro reads them; so does the name, if no other one is given.

    The function is a part of the report, and never returns metrics or predictions. The substitute returns the outputs
    that replace those of the function, given the error on one line.
    """

    @functools.wraps(function)
    def run(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        try:
            return function(*args, **kwargs)
        # Any exception, because a failed figure must not cost the trained forecast.
        except Exception as error:
            reason = make_line(f"{run.__name__}: {type(error).__name__}: {error}", MAX_REASON)
            logger.warning("a part of the report failed: %s", reason)
            logger.debug("%s failed", run.__name__, exc_info=True)
            _failures.append(reason)
            return substitute(reason)

    run.__name__ = name or function.__name__
    return run


def pop_failures() -> list[str]:
    """Return the failures since the last call, and clear them."""
    taken = _failures.copy()
    _failures.clear()
    return taken
