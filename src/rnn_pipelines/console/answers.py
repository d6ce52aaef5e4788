"""The answers of a file to exercises, as a program of its own: cases in, the values of its functions out.

    python -m rnn_pipelines.console.answers homework.py < cases.json

The cases are a list of lists of arguments by the name of the function. The program writes a line of JSON with the
`failure` of the file, empty if it runs, and then a `Reply` for each function. The file can write to none of them.
"""

import json
import os
import resource
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

import numpy as np

# pydantic does not accept `typing.TypedDict` before Python 3.12.
from typing_extensions import TypedDict

from rnn_pipelines.errors import show

MAX_BYTES = 4 * 2**30


class Reply(TypedDict):
    """The values that a function returned in each case, and their texts; and why it returned no more, if so."""

    values: list[Any]
    shown: list[str]
    error: str


def make_plain_numbers(value: Any) -> Any:
    """Return a number, an array or a sequence of arrays as a number or nested lists; None for other values."""
    if isinstance(value, tuple | list):
        return [make_plain_numbers(item) for item in value]
    try:
        return np.asarray(value, float).tolist()
    except (OverflowError, TypeError, ValueError):
        return None


def answer_cases(answer: Callable[..., Any] | None, cases: Sequence[Sequence[Any]]) -> Reply:
    """Return what a function returns, up to its first error."""
    reply = Reply(values=[], shown=[], error="")
    if not callable(answer):
        return {**reply, "error": "there is no such function"}
    for case in cases:
        try:
            returned = answer(*(np.array(value) if np.ndim(value) else value for value in case))
            reply["values"].append(make_plain_numbers(returned))
        except (Exception, SystemExit) as error:
            reply["error"] = f"it raised {type(error).__name__}: {error}"
            break
        reply["shown"].append(show(returned))
    return reply


def _write(line: Mapping[str, Any], output: IO[str]) -> None:
    output.write(json.dumps(line) + "\n")
    output.flush()


def main(file: str) -> None:
    """Write the replies of a file to the cases on the standard input."""
    cases = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w") as output, open(os.devnull, "r+b") as nothing:
        for stream in range(3):
            os.dup2(nothing.fileno(), stream)
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
        try:
            answers = runpy.run_path(file)
        except (Exception, SystemExit) as error:
            _write({"failure": f"{type(error).__name__}: {error}"}, output)
            return
        _write({"failure": ""}, output)
        for name, arguments in cases.items():
            _write(answer_cases(answers.get(name), arguments), output)


if __name__ == "__main__":
    main(sys.argv[1])
