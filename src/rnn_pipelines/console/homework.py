"""The command `homework`: answers to the exercises of the course in; right or wrong, with the reason, out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from rnn_pipelines.cells.gru import GRUState, GRUWeights
from rnn_pipelines.cells.lstm import LSTMState, LSTMWeights
from rnn_pipelines.console.answers import Reply, make_plain_numbers
from rnn_pipelines.console.settings import Command
from rnn_pipelines.errors import MAX_PATH, ParameterError, make_line
from rnn_pipelines.printing import print_text
from rnn_pipelines.storage.formats import check_types

NUM_CASES = 10


class Exercise(NamedTuple):
    """A function to write.

    Attributes:
        draw: returns the arguments of a case, from a random generator.
        solve: the solution.
        mistakes: common wrong solutions, by the sentence about each.
    """

    draw: Callable[[np.random.Generator], tuple[Any, ...]]
    solve: Callable[..., Any]
    mistakes: Mapping[str, Callable[..., Any]]


def _draw_sizes(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(1, 9)), int(rng.integers(2, 65))


def _draw_step(
    rng: np.random.Generator, states: int, blocks: int, *biases: int
) -> tuple[np.ndarray, ...]:
    """Return inputs and states of a batch of two, and the weights of a layer with three features and four units."""
    shapes = [(2, 3), *[(2, 4)] * states, (3, 4 * blocks), (4, 4 * blocks), (*biases, 4 * blocks)]
    return tuple(rng.normal(size=shape) for shape in shapes)


def _step_lstm(
    x: np.ndarray, h: np.ndarray, c: np.ndarray, *weights: np.ndarray
) -> tuple[np.ndarray, ...]:
    return tuple(LSTMWeights(*weights).step(x, LSTMState(h, c))[0])


def _step_gru(
    x: np.ndarray, h: np.ndarray, *weights: np.ndarray, is_swapped: bool = False
) -> np.ndarray:
    state, gates = GRUWeights(*weights).step(x, GRUState(h))
    return h + gates.candidate - state.hidden if is_swapped else state.hidden


def _measure_naive(windows: np.ndarray, targets: np.ndarray, step: int = -1) -> float:
    return float(np.mean((windows[:, step, 0] - targets) ** 2))


EXERCISES = {
    "count_lstm": Exercise(
        _draw_sizes,
        lambda m, n: 4 * (m * n + n * n + n),
        {
            "the biases are missing": lambda m, n: 4 * (m * n + n * n),
            "an LSTM has four blocks: three gates and the candidate": lambda m, n: (
                3 * (m * n + n * n + n)
            ),
        },
    ),
    "count_gru": Exercise(
        _draw_sizes,
        lambda m, n: 3 * (m * n + n * n + 2 * n),
        {
            "the GRU of Keras has two biases in each block": lambda m, n: 3 * (m * n + n * n + n),
            "a GRU has three blocks: two gates and the candidate": lambda m, n: (
                4 * (m * n + n * n + 2 * n)
            ),
        },
    ),
    "lstm_step": Exercise(
        lambda rng: _draw_step(rng, 2, 4),
        _step_lstm,
        {
            "the order is h′, c′": lambda *given: _step_lstm(*given)[::-1],
            "c′ lacks f · c": lambda x, h, c, *weights: _step_lstm(x, h, 0 * c, *weights),
            "the columns are in the order i, f, g, o": lambda x, h, c, *weights: _step_lstm(
                x,
                h,
                c,
                *(
                    np.concatenate([np.split(array, 4, -1)[k] for k in (1, 0, 2, 3)], -1)
                    for array in weights
                ),
            ),
        },
    ),
    "gru_step": Exercise(
        lambda rng: _draw_step(rng, 1, 3, 2),
        _step_gru,
        {
            "z keeps the old state: h′ = z · h + (1 − z) · g": lambda *given: _step_gru(
                *given, is_swapped=True
            ),
            "Keras resets after the product: g = tanh(x W_g + b_g + r · (h U_g + d_g))": lambda *given: (
                _step_gru(*given[:-1], given[-1].sum(axis=0))
            ),
        },
    ),
    "half_life": Exercise(
        lambda rng: (float(rng.uniform(0.5, 0.999)),),
        lambda gate: np.log(0.5) / np.log(gate),
        {"this is the mean number of steps, 1 / (1 − gate)": lambda gate: 1 / (1 - gate)},
    ),
    "forget_bias": Exercise(
        lambda rng: (float(rng.uniform(1, 200)),),
        lambda steps: -np.log(2 ** (1 / steps) - 1),
        {"this is the gate f; its bias is ln(f / (1 − f))": lambda steps: 0.5 ** (1 / steps)},
    ),
    "last_value_mse": Exercise(
        lambda rng: (rng.normal(size=(20, 5, 1)), rng.normal(size=20)),
        _measure_naive,
        {
            "this is the root of the mean": lambda *given: np.sqrt(_measure_naive(*given)),
            "the last value of a window is windows[:, -1, 0]": lambda windows, targets: (
                _measure_naive(windows, targets, step=0)
            ),
        },
    ),
}


def draw_cases(name: str) -> list[tuple[Any, ...]]:
    """Return the arguments of each case of an exercise, the same at each call."""
    rng = np.random.default_rng(0)
    return [EXERCISES[name].draw(rng) for _ in range(NUM_CASES)]


def find_mistake(name: str, reply: Reply) -> str:
    """Return why the answer to an exercise is wrong; nothing if it is right in all cases."""
    _, solve, mistakes = EXERCISES[name]
    cases = draw_cases(name)
    for case, value, shown in zip(cases, reply["values"], reply["shown"], strict=False):
        expected = solve(*case)
        if is_same(value, expected):
            continue
        explanations = [
            sentence
            for sentence, mistake in mistakes.items()
            if is_same(value, make_plain_numbers(mistake(*case)))
        ]
        if explanations or np.ndim(case[0]):
            return (
                explanations[0]
                if explanations
                else "the values or their shapes differ from those of the equations"
            )
        given = ", ".join(f"{argument:.6g}" for argument in case)
        return f"{name}({given}) is {expected:.6g}, and not {shown}"
    is_complete = len(reply["values"]) == len(cases)
    return "" if is_complete else reply["error"] or "it returned too few values"


def is_same(returned: Any, expected: Any) -> bool:
    """Return whether two numbers, arrays or pairs of arrays have the same shapes, and values equal to 1e-6."""
    if isinstance(expected, tuple):
        return (
            isinstance(returned, list)
            and len(returned) == len(expected)
            and all(map(is_same, returned, expected))
        )
    try:
        array = np.asarray(returned, float)
    except (OverflowError, TypeError, ValueError):
        return False
    return array.shape == np.shape(expected) and np.allclose(array, expected, rtol=1e-6, atol=1e-6)


def ask_file(file: str, seconds: float) -> dict[str, Reply]:
    """Return the replies of a file to all exercises.

    They come from a process of their own, which gets no solutions, so that a file can neither pass by ending it nor by
    changing the check. After an answer that ends the process or takes too long, another one asks for the rest.

    Raises:
        ParameterError: the file does not run as Python, or writes other lines than replies.
    """
    waiting = list(EXERCISES)
    replies: dict[str, Reply] = {}
    while waiting:
        lines, is_late = _run(file, waiting, seconds)
        reason = f"it takes more than {seconds:g} seconds" if is_late else "it ends the program"
        failure = json.loads(lines[0])["failure"] if lines else reason
        if failure:
            raise ParameterError(f"{file} does not run as Python: {failure}")
        for line in lines[1:]:
            replies[waiting.pop(0)] = _read_reply(file, line)
        if waiting:
            replies[waiting.pop(0)] = Reply(values=[], shown=[], error=reason)
    return replies


def _read_reply(file: str, line: bytes) -> Reply:
    try:
        reply: Reply = json.loads(line)
        check_types(reply, Reply)
    except ValueError as error:
        raise ParameterError(
            f"{file} changes the program that runs it ({error}). Define functions alone."
        ) from error
    return reply


def _run(file: str, names: list[str], seconds: float) -> tuple[list[bytes], bool]:
    """Return the lines that `answers` writes about some exercises, and whether it took too long."""
    cases = {
        name: [[make_plain_numbers(one) for one in case] for case in draw_cases(name)]
        for name in names
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "rnn_pipelines.console.answers", file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        written = process.communicate(json.dumps(cases).encode(), seconds)[0]
        is_late = False
    except subprocess.TimeoutExpired as error:
        written = error.stdout or b""
        is_late = True
    finally:
        # With the processes that it started.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    # The last line may lack its end.
    return written.split(b"\n")[:-1], is_late


@click.command(cls=Command)
@click.argument("file", type=click.Path())
@click.option("--max-seconds", default=30.0, show_default=True, type=click.FloatRange(0, min_open=True),
              help="For all answers, and again after one that does not end.")  # fmt: skip
def homework(file: str, max_seconds: float) -> None:
    """Check the answers to the exercises of the course in FILE, a Python file with one function for each.

    The file is run in a process of its own, which can read and write files: check those of other people in a container.
    Exit code 1 if an answer is wrong or missing. What the file prints is not shown.
    """
    if not os.path.isfile(file):
        raise ParameterError(
            f"{make_line(file, MAX_PATH)}: no such file (looked in {Path.cwd()}). Check FILE."
        )
    replies = ask_file(file, max_seconds)
    mistakes = {name: find_mistake(name, replies[name]) for name in EXERCISES}
    for name, mistake in mistakes.items():
        print_text(f"{name:15} wrong: {mistake}." if mistake else f"{name:15} right")
    num_right = list(mistakes.values()).count("")
    print_text(f"{num_right} of {len(EXERCISES)} right")
    sys.exit(num_right < len(EXERCISES))
