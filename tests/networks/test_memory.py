"""What a training would need of memory is told before it begins, and refused where there is less."""

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.lab.compare.tasks.adding import AddingData
from rnn_pipelines.networks import memory
from rnn_pipelines.networks.memory import estimate_recurrent_bytes, require_memory
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec, learn_word_vectors

Prepare = Callable[..., SimpleNamespace]

GIB = 2**30


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_arrays_are_reused() -> None:
    program = """
from resource import RUSAGE_SELF, getrusage
import numpy as np
from rnn_pipelines.networks.memory import reuse_freed_memory
reuse_freed_memory()
faults = []
for _ in range(20):
    arrays = [np.ones(2**17) for _ in range(8)]
    del arrays
    faults.append(getrusage(RUSAGE_SELF).ru_minflt)
print(faults[-1] - faults[4])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    # Without it, 2,048 pages are returned to the system and cleared again in every second pass or so.
    assert int(done.stdout) < 1_000


def test_needed_memory_beyond_the_free_one_is_refused_with_the_parameter_to_lower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "find_free_bytes", lambda: 23 * GIB)
    with pytest.raises(ParameterError, match=r"740 GiB.* 23\.0 GiB.* units\."):
        require_memory(740 * GIB, "training lstm", "units")


def test_memory_that_is_free_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "find_free_bytes", lambda: 23 * GIB)
    require_memory(22 * GIB, "training lstm", "units")


def test_bytes_of_a_network_grow_with_the_square_of_its_units() -> None:
    few, many = (estimate_recurrent_bytes(4, 1, units, 1, 1) for units in (1_000, 10_000))
    assert many / few == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize(("limit", "low", "high"), [("1000\n", 600, 600), ("max\n", 2**20, 2**60)])
def test_limit_of_a_container_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, low: int, high: int
) -> None:
    (tmp_path / "max").write_text(limit)
    (tmp_path / "current").write_text("400\n")
    monkeypatch.setattr(memory, "CGROUP_LIMITS", [(tmp_path / "max", tmp_path / "current")])
    assert low <= memory.find_free_bytes() <= high


def test_training_too_large_is_refused_before_a_step(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = prepare(np.sin(np.arange(100.0)).tolist()).windows
    linear = fit_linear_models(panel)
    monkeypatch.setattr(memory, "find_free_bytes", lambda: 2**20)
    with pytest.raises(
        ParameterError,
        match=r"training lstm with 1024 units, . members and batches of 64 needs about",
    ):
        train_network(
            FittingData(panel, linear),
            NetworkSpec(cell="lstm", units=1024, members=100),
            ForecastTrainingSpec(),
        )


def test_fit_that_does_not_fit_into_memory_is_refused(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = prepare(np.sin(np.arange(100.0)).tolist()).windows
    monkeypatch.setattr(memory, "find_free_bytes", lambda: 1_000)
    with pytest.raises(ParameterError, match="fitting the simple methods needs about"):
        fit_linear_models(panel)


def test_sequences_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParameterError, match="drawing 30,000,000 sequences needs about"):
        AddingData(
            kind="adding",
            num_steps=10**5,
            **dict.fromkeys(("num_train", "num_validation", "num_test"), 10**7),
        ).prepare(0, None)


def test_word_vectors_that_do_not_fit_are_refused(
    make_encoded: Callable[..., EncodedTexts],
) -> None:
    with pytest.raises(
        ParameterError,
        match=r"learning 10,000,000 word vectors of 4,096 dimensions needs about 916 GiB",
    ):
        learn_word_vectors(make_encoded([[2, 3]]), WordVectorSpec(num_words=10**7, dimensions=4096))
