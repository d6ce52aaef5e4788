"""Windows per second of the gradient steps of both engines, for sizes of networks and batches.

    .venv/bin/python benchmarks/gpu.py                                  all sizes
    .venv/bin/python benchmarks/gpu.py --units 16 64+32 --batch 256     some of them

Each step has 3 members over windows of 30 steps with 2 features, and an output of 7 steps. After steps that compile,
the steps of the given seconds count. Prints the devices that TensorFlow finds, and a table in Markdown.
"""

import argparse
import platform
import time

import numpy as np
import tensorflow as tf

from rnn_pipelines.networks.engines import EngineName, make_trainer
from rnn_pipelines.networks.members import MemberShape, initialize_members
from rnn_pipelines.networks.memory import keep_freed_memory
from rnn_pipelines.networks.threads import use_one_thread
from rnn_pipelines.networks.trainer import Batch, StepSettings

UNITS = ("16", "64", "128", "256", "16+16", "64+64", "128+128", "256+256")
BATCHES = (256, 1024, 4096)
CELLS = ("lstm", "gru")
NUM_MEMBERS = 3
TIME = 30
NUM_INPUTS = 2
HORIZON = 7
WARM_STEPS = 3


def draw_batch(size: int) -> Batch:
    rng = np.random.default_rng(0)
    return Batch(
        rng.normal(size=(TIME, size, NUM_INPUTS)).astype(np.float32),
        np.zeros((size, 0), np.float32),
        rng.normal(size=(NUM_MEMBERS, size, HORIZON)).astype(np.float32),
        np.ones((NUM_MEMBERS, size, 1), bool),
    )


def measure(engine: EngineName, shape: MemberShape, batch: Batch, seconds: float) -> float:
    """Windows per second."""
    trainer = make_trainer(
        engine,
        shape.cell,
        initialize_members(0, NUM_MEMBERS, shape),
        StepSettings(0.002, 0.99, 1.0, False),
    )
    for _ in range(WARM_STEPS):
        trainer.step(batch)
    started = time.perf_counter()
    num_steps = 0
    while time.perf_counter() - started < seconds or not num_steps:
        trainer.step(batch)  # returns the loss, so that a GPU has ended the step
        num_steps += 1
    return num_steps * batch.steps.shape[1] / (time.perf_counter() - started)


def describe_devices() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    names = [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus
    ]
    return ", ".join(names) if names else f"no GPU; CPU {platform.machine()}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument(
        "--units", nargs="+", default=UNITS, help="of each layer, such as 64 or 64+32"
    )
    parser.add_argument("--batch", nargs="+", type=int, default=BATCHES, help="windows of a step")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    asked = parser.parse_args()
    keep_freed_memory()
    print(
        f"TensorFlow {tf.__version__}, NumPy {np.__version__}, one thread for NumPy: {describe_devices()}\n"
    )
    print(
        "| cell | units | batch | NumPy, windows/s | Keras, windows/s | Keras / NumPy |\n|---|---|---|---|---|---|"
    )
    for cell in asked.cells:
        for units in asked.units:
            shape = MemberShape(cell, NUM_INPUTS, 0, tuple(map(int, units.split("+"))), 0, HORIZON)
            for size in asked.batch:
                batch = draw_batch(size)
                with use_one_thread():
                    numpy, keras = (
                        measure(engine, shape, batch, asked.seconds)
                        for engine in ("numpy", "keras")
                    )
                print(
                    f"| {cell} | {units} | {size:,} | {numpy:,.0f} | {keras:,.0f} | {keras / numpy:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
