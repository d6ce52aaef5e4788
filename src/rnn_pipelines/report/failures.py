"""Protection of runs from failures in reports: the results of the run are kept, and the failure is recorded."""

import functools
import logging
from collections.abc import Callable
from typing import Any, ParamSpec

from rnn_pipelines.errors import make_line

logger = logging.getLogger(__name__)

Inputs = ParamSpec("Inputs")

# The largest number of characters of an error.
MAX_REASON = 400

# The failures of this process since `pop_failures` was last called.
_failures: list[str] = []


class Guarded:
    """A function that draws or renders, and returns a substitute instead of raising an exception; see `guard`.

    A class, because the nodes of `ParallelRunner` are pickled, which closures cannot be.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        substitute: Callable[[str], Any],
        name: str,
        finish: Callable[[Any], Any] | None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.__name__ = name or function.__name__
        self._parts = function, substitute, name, finish

    def __reduce__(self) -> tuple[Any, ...]:
        return Guarded, self._parts

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function, substitute, _, finish = self._parts
        try:
            result = function(*args, **kwargs)
            return result if finish is None else finish(result)
        # Any exception, because a failed figure must not cost the trained forecast.
        except Exception as error:
            reason = make_line(f"{self.__name__}: {type(error).__name__}: {error}", MAX_REASON)
            logger.warning("a part of the report failed: %s", reason)
            logger.debug("%s failed", self.__name__, exc_info=True)
            _failures.append(reason)
            return substitute(reason)


def guard(
    function: Callable[Inputs, Any],
    substitute: Callable[[str], Any],
    name: str = "",
    finish: Callable[[Any], Any] | None = None,
) -> Callable[Inputs, Any]:
    """Wrap a function that draws or renders, so that it returns a substitute instead of raising an exception.

    The error is logged as a warning, and its traceback at the level `DEBUG`. Docstring and type hints stay those of the
    function, because Kedro reads them; so does the name, if no other one is given.

    The function is a part of the report, and never returns metrics or predictions.

    Args:
        substitute: returns the outputs that replace those of the function, given the error on one line.
        finish: makes the output of the result of the function; None for the result itself.
    """
    return Guarded(function, substitute, name, finish)


def pop_failures() -> list[str]:
    """Return the failures since the last call, and clear them."""
    taken = _failures.copy()
    _failures.clear()
    return taken
