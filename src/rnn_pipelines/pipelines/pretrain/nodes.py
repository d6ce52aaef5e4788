"""The nodes of `pretrain`."""

from pathlib import Path

import pandas as pd

from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork
from rnn_pipelines.forecast.pretrained.specs import PretrainSpec
from rnn_pipelines.forecast.pretrained.training import pretrain


def pretrain_gru(spec: PretrainSpec, checkpoints: Path) -> tuple[PretrainedNetwork, pd.DataFrame]:
    """Train the network with a GRU on generated series."""
    return pretrain("gru", spec, checkpoints)


def pretrain_lstm(spec: PretrainSpec, checkpoints: Path) -> tuple[PretrainedNetwork, pd.DataFrame]:
    """Train the network with an LSTM on generated series."""
    return pretrain("lstm", spec, checkpoints)
