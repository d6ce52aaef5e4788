"""The command `homework`: right answers, common mistakes with their sentence, and files that do not run."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnn_pipelines.console.answers import answer_cases
from rnn_pipelines.console.homework import EXERCISES, draw_cases, find_mistake
from rnn_pipelines.console.main import commands, main
from rnn_pipelines.errors import ParameterError

RIGHT = """
import numpy as np

def sigmoid(a): return 1 / (1 + np.exp(-a))
def count_lstm(features, units): return 4 * (features * units + units**2 + units)
def count_gru(features, units): return 3 * (features * units + units**2 + 2 * units)
def lstm_step(x, h, c, kernel, recurrent_kernel, bias):
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
def gru_step(x, h, kernel, recurrent_kernel, bias):
    a_z, a_r, a_g = np.split(x @ kernel + bias[0], 3, axis=1)
    b_z, b_r, b_g = np.split(h @ recurrent_kernel + bias[1], 3, axis=1)
    z, r = sigmoid(a_z + b_z), sigmoid(a_r + b_r)
    return z * h + (1 - z) * np.tanh(a_g + r * b_g)
def half_life(gate): return np.log(2) / -np.log(gate)
def forget_bias(steps):
    f = 0.5 ** (1 / steps)
    return np.log(f / (1 - f))
def last_value_mse(windows, targets): return ((windows[:, -1, 0] - targets) ** 2).mean()
"""


def check(name: str, answer: Callable[..., Any]) -> str:
    return find_mistake(name, answer_cases(answer, draw_cases(name)))


def run(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    path = folder / "homework.py"
    path.write_text(code)
    monkeypatch.setattr("sys.argv", ["rnn-pipelines", "homework", str(path), *words])
    with pytest.raises(SystemExit) as exit_info:
        main()
    return int(exit_info.value.code or 0)


def test_right_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, RIGHT, monkeypatch) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["right"] * (
        len(EXERCISES) + 1
    )


WRONG = """
def count_gru(m, n): return 3 * (m * n + n * n + n)
def half_life(gate): return gate
def gru_step(x): pass
"""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("count_gru", "wrong: the GRU of Keras has two biases in each block."),
        ("count_lstm", "wrong: there is no such function."),
        ("half_life", "and not"),
        ("gru_step", "TypeError"),
        ("0", f"of {len(EXERCISES)} right"),
    ],
)
def test_a_wrong_answer_has_its_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    reason: str,
) -> None:
    assert run(tmp_path, WRONG, monkeypatch) == 1
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert reason in lines[name]


@pytest.mark.parametrize(
    "code",
    [None, "def count_lstm(:", "import none_such", "units = features", "raise SystemExit(0)"],
    ids=["no file", "no Python", "missing module", "unknown name", "exit"],
)
def test_file_that_does_not_run(
    code: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "homework.py"
    if code:
        path.write_text(code)
    monkeypatch.setattr("sys.argv", ["rnn-pipelines", "homework", str(path)])
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert exit_info.value.code == 2


FORGED = "\\n".join([*(f"{name:15} right" for name in EXERCISES), "7 of 7 right"])


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit(0)",
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        f"import os\nprint('{FORGED}', flush=True)\nos.write(2, b'{FORGED}')\nos._exit(0)",
        "input()",
    ],
    ids=["exit", "_exit", "kill", "forged", "input"],
)
@pytest.mark.parametrize("place", ["file", "function"])
def test_file_that_ends_does_not_pass(
    code: str,
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    inside = "def count_gru(m, n):\n" + "".join(f"    {line}\n" for line in code.splitlines())
    is_file = place == "file"
    assert run(tmp_path, RIGHT + (code if is_file else inside), monkeypatch) == (
        2 if is_file else 1
    )
    written = capfd.readouterr()
    assert "7 of 7 right" not in written.out + written.err
    if not is_file:
        assert "6 of 7 right" in written.out


@pytest.mark.parametrize(
    "code",
    [
        "from rnn_pipelines.console import homework\nhomework.find_mistake = lambda *_: ''\nhomework.EXERCISES = {}",
        "import numpy\nnumpy.allclose = lambda *_, **__: True",
        "import sys\nsys.exit = lambda *_: None",
        'import json\njson.dumps = lambda *_: \'{"failure": ""}\'',
        "import builtins\nbuiltins.callable = lambda _: True",
    ],
)
def test_file_can_not_change_the_check(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path, f"{code}\ndef count_gru(m, n): return 0", monkeypatch) != 0


def test_answer_that_takes_all_memory_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = RIGHT + "def count_gru(m, n): return len(np.ones(2**33))"
    assert run(tmp_path, code, monkeypatch) == 1
    assert "MemoryError" in capsys.readouterr().out


def test_process_that_an_answer_starts_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = tmp_path / "alive"
    code = RIGHT + f"\nimport subprocess\nsubprocess.Popen(['sh', '-c', 'sleep 2; touch {alive}'])"
    run(tmp_path, code, monkeypatch)
    time.sleep(2.5)
    assert not alive.exists()


@pytest.mark.parametrize("name", EXERCISES)
def test_each_mistake_gets_its_own_sentence(name: str) -> None:
    mistakes = EXERCISES[name].mistakes
    assert {sentence: check(name, mistake) for sentence, mistake in mistakes.items()} == {
        sentence: sentence for sentence in mistakes
    }
    assert check(name, EXERCISES[name].solve) == ""


def test_counts_are_those_of_keras() -> None:
    for units, features in ((64, 1), (32, 64)):
        for layer, name in ((keras.layers.LSTM, "count_lstm"), (keras.layers.GRU, "count_gru")):
            built = keras.Sequential([keras.Input((3, features)), layer(units)])
            assert EXERCISES[name].solve(features, units) == built.count_params()


def test_answers_can_not_change_the_cases() -> None:
    def spoil(windows: np.ndarray, targets: np.ndarray) -> float:
        targets[:] = windows[:, -1, 0]
        return 0.0

    assert check("last_value_mse", spoil) != ""


@pytest.mark.slow
@pytest.mark.parametrize(("place", "status"), [("file", 2), ("function", 1)])
def test_file_that_never_ends_does_not_pass(
    place: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = "while True: pass" if place == "file" else "def count_gru(m, n):\n    while True: pass\n"
    # Long enough for the start of its process on a busy machine.
    assert run(tmp_path, RIGHT + loop, monkeypatch, "--max-seconds=20") == status


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"nix\.py: no such file \(looked in .*Check FILE"):
        commands.main(["homework", str(tmp_path / "nix.py")], standalone_mode=False)
