"""Keras and TensorFlow start silently and without what they don't need, and nothing else notices."""

import importlib.util
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rnn_pipelines.networks.keras_start import _hide, _hold_back_noise

QUICKEN = "from rnn_pipelines.networks.keras_start import quicken_start; quicken_start()\n"

# Trainings from Python, with the changes of the process that they make.
FROM_PYTHON = """
import ctypes, json, os, sys

mallopts, redirects = [], []
dup2 = os.dup2
os.dup2 = lambda *numbers, **options: redirects.append(numbers) or dup2(*numbers, **options)

class Library(ctypes.CDLL):
    def __getattr__(self, name):
        mallopts.extend([name] * (name == "mallopt"))
        return super().__getattr__(name)

ctypes.CDLL = Library
finders, stderr = list(sys.meta_path), os.fstat(2)
import numpy as np, pandas as pd
finders_of_others = list(sys.meta_path)
from rnn_pipelines import Forecaster, TextClassifier

y = np.random.default_rng(0).normal(size=80).cumsum()
small = {"lstm": {"units": 2}, "gru": {"units": 2}}
frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=80), "y": y})
Forecaster(h=2, lookback=6, training={"max_steps": 25}, **small).fit(frame)
facts = {"finders": sys.meta_path == finders_of_others}
import keras

labels = [1, 0] * 40
texts = [f"{'great' if label else 'dull'} film {number}" for number, label in enumerate(labels)]
numbers = {"vocabulary": {"min_count": 1}, "padding": {"max_length": 6}, "word_vectors": {"dimensions": 2}}
ngrams = {"order": 1, "folds": 2, "min_texts": 1}
trained = {name: {"units": 2, "min_texts": 0} for name in small}
TextClassifier(**numbers, ngrams=ngrams, training={"epochs": 1}, **trained).fit(texts, labels, groups=range(80))
facts["own finders"] = sum("rnn_pipelines" in type(finder).__module__ for finder in sys.meta_path)
facts["stderr"] = os.path.samestat(os.fstat(2), stderr)
print(json.dumps(facts | {"mallopts": mallopts, "redirects": redirects}))
"""

# All that a process shows that starts Keras once.
START = """
import importlib.util, json, sys
from rnn_pipelines.networks.keras_start import quicken_start

quicken_start()
facts = {"finders before": sum("rnn_pipelines" in type(finder).__module__ for finder in sys.meta_path)}
importlib.util.find_spec("keras"), importlib.util.find_spec("tensorflow")
import keras

facts["needless"] = sorted({"IPython", "matplotlib", "sklearn"} & set(sys.modules))
facts["loaders"] = [type(keras.__loader__).__name__, type(keras.__spec__.loader).__name__]
quicken_start()
facts["finders after"] = sum("rnn_pipelines" in type(finder).__module__ for finder in sys.meta_path)

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

network = keras.Sequential([keras.layers.LSTM(2), keras.layers.Dense(1)])
network.compile(loss="mse", jit_compile=True)
network.fit(np.ones((4, 3, 1), "float32"), np.ones((4, 1), "float32"), verbose=0)
facts["predicted"] = network.predict(np.ones((4, 3, 1), "float32"), verbose=0).shape
network = keras.Sequential([keras.layers.Dense(1)])
network.compile(loss="mse")
network.fit(pd.DataFrame({"a": [1.0, 2.0]}), pd.Series([1.0, 2.0]), verbose=0)
facts["slope"] = round(LinearRegression().fit([[0], [1]], [0, 1]).coef_[0], 6)
for name in ("matplotlib.pyplot", "IPython"):
    if importlib.util.find_spec(name.partition(".")[0]):
        importlib.import_module(name)
print(json.dumps(facts))
"""


def run_python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """In a process whose environment sets no level of its own."""
    environment = {
        name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"
    } | variables
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def started() -> subprocess.CompletedProcess[str]:
    """The process that starts Keras once."""
    return run_python(START)


@pytest.fixture(scope="module")
def start_facts(started: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(started.stdout)


def test_start_is_silent(started: subprocess.CompletedProcess[str]) -> None:
    assert (started.returncode, started.stderr) == (0, "")


def test_start_loads_no_package_that_keras_does_not_need(start_facts: dict[str, Any]) -> None:
    assert start_facts["needless"] == []


@pytest.mark.parametrize(("fact", "expected"), [("slope", 1), ("predicted", [4, 1])])
def test_packages_that_were_left_out_work_afterwards(
    start_facts: dict[str, Any], fact: str, expected: object
) -> None:
    assert start_facts[fact] == expected


def test_keras_has_its_ordinary_loaders_after_the_start(start_facts: dict[str, Any]) -> None:
    assert start_facts["loaders"] == ["SourceFileLoader", "SourceFileLoader"]


def test_the_finder_of_the_start_is_removed(start_facts: dict[str, Any]) -> None:
    assert (start_facts["finders before"], start_facts["finders after"]) == (1, 0)


@pytest.mark.slow
def test_network_becomes_a_keras_model_without_a_line() -> None:
    code = """
import numpy as np
import pandas as pd
from rnn_pipelines import Forecaster
frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=120), "y": np.sin(np.arange(120))})
forecaster = Forecaster(2, lookback=5, training={"max_steps": 1}, lstm={"units": 2}, gru={"units": 2}).fit(frame)
print(type(forecaster.networks["lstm"].to_keras()).__name__)
"""
    finished = run_python(code)
    assert (finished.stdout, finished.stderr) == ("Functional\n", "")


@pytest.mark.slow
def test_a_level_of_the_log_that_is_set_is_kept() -> None:
    assert "oneDNN" in run_python(f"{QUICKEN}import keras", TF_CPP_MIN_LOG_LEVEL="0").stderr


def test_a_hidden_package_is_refused_until_the_start_ends() -> None:
    name = "this_is_not_loaded"
    with _hide([name]), pytest.raises(ModuleNotFoundError, match="hidden while Keras loads"):
        importlib.util.find_spec(name)
    assert importlib.util.find_spec(name) is None


def test_packages_are_hidden_from_their_own_thread_only() -> None:
    with _hide(["antigravity"]), ThreadPoolExecutor() as pool:
        assert pool.submit(importlib.util.find_spec, "antigravity").result() is not None


@pytest.mark.slow
def test_keras_starts_with_a_closed_stderr() -> None:
    code = "import os; os.close(2); import keras; print(keras.__name__)"
    assert run_python(QUICKEN + code).stdout == "keras\n"


def test_a_start_that_fails_shows_its_error() -> None:
    code = """
import sys, os
os.write(2, b"before\\n")
sys.modules["numpy"] = None
import keras
"""
    finished = run_python(QUICKEN + code)
    assert finished.returncode == 1
    assert finished.stderr.startswith("before\nTraceback")
    assert "import of numpy halted" in finished.stderr


@pytest.mark.slow
def test_training_from_python_leaves_the_process_alone() -> None:
    finished = run_python(FROM_PYTHON)
    assert finished.returncode == 0, finished.stderr
    expected = {"finders": True, "own finders": 0, "stderr": True, "mallopts": [], "redirects": []}
    assert json.loads(finished.stdout.splitlines()[-1]) == expected


def test_all_but_noise_is_said_in_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    lines = [
        "an own word",
        "I0000 00:00:1.2  5231 port.cc:153] oneDNN",
        "E0000 00:00:1.2  5231 a.cc:1] it failed",
    ]
    with _hold_back_noise(is_on=True):
        os.write(2, "\n".join(lines).encode())
    assert capfd.readouterr().err == f"{lines[0]}\n{lines[2]}"


def test_package_that_is_loaded_again_prepares_nothing_twice() -> None:
    """As Kedro does in a notebook: two finders that asked each other would never end."""
    code = (
        "import importlib.util, sys\n"
        "for name in [name for name in sys.modules if name.startswith('rnn_pipelines')]: del sys.modules[name]\n"
        f"{QUICKEN}"
        "assert importlib.util.find_spec('keras') is not None\n"
        "print(sum(type(finder).__name__ == '_Starter' for finder in sys.meta_path))"
    )
    done = subprocess.run(
        [sys.executable, "-c", QUICKEN + code], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1"
