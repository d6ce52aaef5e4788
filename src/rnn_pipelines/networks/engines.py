"""The choice between the engines of a training, NumPy and Keras. Keras is imported if it is chosen."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Literal

from rnn_pipelines.networks.members import MemberShape, Weights
from rnn_pipelines.networks.trainer import NumPyTrainer, StepSettings, Trainer

EngineName = Literal["numpy", "keras"]

# From this product of units and batch size on, `auto` takes a GPU. It is an estimate: below it, the launches of a GPU's
# kernels take longer than their work.
MIN_GPU_SIZE = 128 * 256
# Files of the drivers of GPUs, the second one within Windows. Without one, TensorFlow is not imported to look for GPUs.
GPU_FILES = (Path("/dev/nvidiactl"), Path("/dev/dxg"))


def make_trainer(
    engine: EngineName, cell: str, weights: Weights, settings: StepSettings
) -> Trainer:
    """Return the members in training by an engine."""
    if engine == "numpy":
        return NumPyTrainer(cell, weights, settings)
    trainer: Trainer = _import_keras_trainer().KerasTrainer(cell, weights, settings)
    return trainer


def choose_engine(
    engine: Literal["auto", "numpy", "keras"], shape: MemberShape, batch_size: int
) -> EngineName:
    """Return the engine of a training: for `auto`, Keras if there is a GPU and the network or its batches are large."""
    if engine != "auto":
        return engine
    if max(shape.units) * batch_size < MIN_GPU_SIZE or not may_have_gpu():
        return "numpy"
    return "keras" if _import_keras_trainer().has_gpu() else "numpy"


def _import_keras_trainer() -> ModuleType:
    """Import the engine of Keras, which loads TensorFlow."""
    from rnn_pipelines.networks import keras_trainer

    return keras_trainer


def may_have_gpu() -> bool:
    """Return whether TensorFlow may find a GPU; does not import it."""
    is_hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    has_driver = any(path.exists() for path in GPU_FILES)
    return has_driver and not is_hidden and importlib.util.find_spec("tensorflow") is not None
