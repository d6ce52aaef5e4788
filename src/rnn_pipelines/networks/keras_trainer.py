"""Gradient steps of all members of a network by Keras on TensorFlow; see `trainer`.

Each member has its own layers, which use cuDNN on a GPU. The steps are those of `adam`, as one graph.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from rnn_pipelines.networks.keras_members import (
    call_layers,
    list_layer_arrays,
    make_layers,
    stack_members,
)
from rnn_pipelines.networks.members import Weights
from rnn_pipelines.networks.trainer import Adam, Batch, StepSettings


def has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


class KerasTrainer:
    """See `Trainer`. The initial weights are not changed."""

    def __init__(self, cell: str, weights: Weights, settings: StepSettings) -> None:
        members = range(len(weights["head_kernel"]))
        self._cell = cell
        self._settings = settings
        self.num_steps = 0
        self._has_embedding = "embedding_kernel" in weights
        self._trained = [make_layers(cell, weights, member) for member in members]
        self._averaged = [make_layers(cell, weights, member) for member in members]
        # TensorFlow's variables of each member: weights, their running mean, and the two means of Adam.
        variables = [_list_variables(layers) for layers in self._trained]
        self._kinds = {
            "weights": variables,
            "averages": [_list_variables(layers) for layers in self._averaged],
            "first": [[tf.Variable(tf.zeros_like(one)) for one in own] for own in variables],
            "second": [[tf.Variable(tf.zeros_like(one)) for one in own] for own in variables],
        }
        self._lengths = [len(arrays) for arrays in list_layer_arrays(cell, weights, 0)]
        self._step = tf.function(self._take_step, reduce_retracing=True, autograph=False)

        def forward(member: int, *inputs: Any) -> Any:
            return call_layers(self._averaged[member], *inputs)

        self._forward = tf.function(forward, reduce_retracing=True, autograph=False)

    def step(self, batch: Batch) -> float:
        self.num_steps += 1
        number = self.num_steps
        settings = self._settings
        rate = settings.learning_rate * np.sqrt(1 - Adam.SECOND**number) / (1 - Adam.FIRST**number)
        decay = min(settings.weight_average, (1 + number) / (10 + number))
        loss = self._step(
            [tf.constant(value, tf.float32) for value in (rate, 1 - decay)],
            [tf.constant(array) for array in _put_batch_first(batch.steps, batch.static_inputs)],
            [tf.constant(array.astype(np.float32)) for array in (batch.targets, batch.is_seen)],
            [tf.constant(np.ascontiguousarray(mask.swapaxes(1, 2))) for mask in batch.masks],
        )
        return float(loss) / max(1, int(batch.is_seen.sum()) * batch.targets.shape[-1])

    def forward(self, member: int, steps: np.ndarray, static_inputs: np.ndarray) -> np.ndarray:
        outputs: np.ndarray = self._forward(
            member, *map(tf.constant, _put_batch_first(steps, static_inputs))
        ).numpy()
        return outputs

    def copy_averages(self) -> Weights:
        return self._read("averages")

    def list_state(self) -> dict[str, np.ndarray]:
        return {
            f"{kind}.{name}": array
            for kind in self._kinds
            for name, array in self._read(kind).items()
        }

    def set_state(self, state: Mapping[str, np.ndarray], num_steps: int) -> None:
        for kind, members in self._kinds.items():
            prefix = f"{kind}."
            arrays = {
                name.removeprefix(prefix): array
                for name, array in state.items()
                if name.startswith(prefix)
            }
            for member, variables in enumerate(members):
                values = [
                    array
                    for layer in list_layer_arrays(self._cell, arrays, member)
                    for array in layer
                ]
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)
        self.num_steps = num_steps

    def _read(self, kind: str) -> Weights:
        # The arrays of each layer of each member.
        members = []
        for own in self._kinds[kind]:
            arrays = iter([one.numpy() for one in own])
            members.append([list(islice(arrays, length)) for length in self._lengths])
        return stack_members(self._cell, members, self._has_embedding)

    def _take_step(
        self,
        pace: Sequence[Any],
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        masks: Sequence[Any],
    ) -> Any:
        """Compute one step as a graph, and return the sum of the losses.

        `pace` is the rate of the step, and the share of the new weights in their running mean; `inputs` are steps and
        static inputs, `wanted` targets, and which of them each member learns from, `masks` those of dropout.
        """
        steps, static_inputs = inputs
        targets, is_seen = wanted
        rate, share = pace
        total = 0.0
        size = tf.cast(tf.size(targets[0]), tf.float32)
        measure = tf.abs if self._settings.is_absolute else tf.square
        weights = self._kinds["weights"]
        with tf.GradientTape() as tape:
            for member, layers in enumerate(self._trained):
                outputs = call_layers(
                    layers, steps, static_inputs, [mask[member] for mask in masks]
                )
                total += tf.reduce_sum(measure((outputs - targets[member]) * is_seen[member]))
            loss = total / size
        gradients = tape.gradient(loss, weights)
        for member, found in enumerate(gradients):
            kinds = [
                self._kinds[kind][member] for kind in ("weights", "averages", "first", "second")
            ]
            for gradient, trained, average, first, second in zip(
                self._shorten(found), *kinds, strict=True
            ):
                first.assign_add((1 - Adam.FIRST) * (gradient - first))
                second.assign_add((1 - Adam.SECOND) * (gradient * gradient - second))
                trained.assign_sub(rate * first / (tf.sqrt(second) + Adam.SMALL))
                average.assign_add(share * (trained - average))
        return total

    def _shorten(self, gradients: Sequence[Any]) -> Sequence[Any]:
        if self._settings.clip_norm is None:
            return gradients
        factor = tf.minimum(
            1.0, self._settings.clip_norm / (tf.linalg.global_norm(gradients) + 1e-12)
        )
        return [gradient * factor for gradient in gradients]


def _list_variables(layers: Sequence[Any]) -> list[Any]:
    return [variable.value for layer in layers for variable in layer.trainable_variables]


def _put_batch_first(steps: np.ndarray, static_inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.ascontiguousarray(steps.swapaxes(0, 1)), static_inputs
