"""The network of a comparison: one recurrent layer and a linear head, for every task."""

from typing import Any

import keras
from keras import layers

from rnn_pipelines.compare.contenders import NETWORKS, ContenderSpec
from rnn_pipelines.networks.layers import find_layer

RECURRENT = "recurrent"


def build_contender(contender: ContenderSpec, num_inputs: int, num_outputs: int, every_step: bool) -> keras.Model:
    """Build a network of a comparison.

    Args:
        contender: the recurrent layer, which is named `RECURRENT`.
        every_step: whether there is an output at every step, or one from the last state.
    Returns:
        A model, not compiled, from float32[batch, time, num_inputs] to float32[batch, num_outputs] or, with
        `every_step`, float32[batch, time, num_outputs].
    """
    kind = NETWORKS[contender.cell]
    options: dict[str, Any] = {name: getattr(contender, name) for name in kind.options}
    options |= {"return_sequences": every_step, "name": RECURRENT}
    inputs = keras.Input((None, num_inputs), name="steps")
    outputs = find_layer(kind.layer)(contender.units, **options)(inputs)
    return keras.Model(inputs, layers.Dense(num_outputs, name="head")(outputs), name=contender.cell)
