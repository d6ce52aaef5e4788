"""A training without a GPU is that of NumPy, and does not load TensorFlow."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.networks import engines
from rnn_pipelines.networks.engines import choose_engine
from rnn_pipelines.networks.members import MemberShape

LARGE = MemberShape("lstm", 2, 0, (256, 128), 0, 2)


@pytest.mark.parametrize("engine", ["numpy", "keras"])
def test_engine_is_the_one_that_was_asked_for(engine: Any) -> None:
    assert choose_engine(engine, LARGE, 4096) == engine


def test_without_a_gpu_numpy_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines, "GPU_FILES", (tmp_path / "nvidiactl",))
    assert choose_engine("auto", LARGE, 4096) == "numpy"


@pytest.mark.parametrize(("batch_size", "engine"), [(4096, "keras"), (16, "numpy")])
def test_gpu_is_for_large_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batch_size: int, engine: str
) -> None:
    from rnn_pipelines.networks import keras_trainer

    monkeypatch.setattr(engines, "GPU_FILES", (tmp_path,))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(keras_trainer, "has_gpu", lambda: True)
    assert choose_engine("auto", LARGE, batch_size) == engine


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpu_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hidden: str) -> None:
    monkeypatch.setattr(engines, "GPU_FILES", (tmp_path,))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert not engines.may_have_gpu()


def test_choice_without_a_gpu_does_not_load_tensorflow() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom rnn_pipelines.networks import engines\n"
        "from rnn_pipelines.networks.members import MemberShape\n"
        "engines.GPU_FILES = (Path('/none'),)\n"
        "print(engines.choose_engine('auto', MemberShape('lstm', 2, 0, (1024,), 0, 2), 4096),"
        " *{'keras', 'tensorflow'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["numpy"]
