"""The graph of `pretrain`: generated series → two networks → errors on other series → card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline

from rnn_pipelines.champion.manifest import find_commit
from rnn_pipelines.forecast.pretrained.files import describe_pretrained
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork
from rnn_pipelines.forecast.pretrained.specs import PretrainSpec
from rnn_pipelines.lab.pretraining.evaluation import evaluate_pretrained
from rnn_pipelines.lab.pretraining.training import pretrain
from rnn_pipelines.pipelines.wiring import node

SPEC = "params:pretrain"
CHECKPOINTS = "pretrain_checkpoints"
METRICS = "pretrain_metrics"
NETWORKS = {"gru": "pretrain_gru_network", "lstm": "pretrain_lstm_network"}
HISTORIES = {cell: f"pretrain_{cell}_history" for cell in NETWORKS}


def create_pipeline() -> Pipeline:
    """Train, evaluate and describe; the networks of the package are not changed."""
    nodes = [
        node(pretrain_gru, [SPEC, CHECKPOINTS], [NETWORKS["gru"], HISTORIES["gru"]]),
        node(pretrain_lstm, [SPEC, CHECKPOINTS], [NETWORKS["lstm"], HISTORIES["lstm"]]),
        node(evaluate_pretrained, NETWORKS, METRICS),
        node(describe_training, {"spec": SPEC, "metrics": METRICS, **NETWORKS}, "pretrain_card"),
    ]
    return Pipeline(nodes)


def pretrain_gru(spec: PretrainSpec, checkpoints: Path) -> tuple[PretrainedNetwork, pd.DataFrame]:
    """Train the network with a GRU on generated series."""
    return pretrain("gru", spec, checkpoints)


def pretrain_lstm(spec: PretrainSpec, checkpoints: Path) -> tuple[PretrainedNetwork, pd.DataFrame]:
    """Train the network with an LSTM on generated series."""
    return pretrain("lstm", spec, checkpoints)


def describe_training(
    spec: PretrainSpec, metrics: Mapping[str, Any], **networks: PretrainedNetwork
) -> dict[str, Any]:
    """Describe both networks on a card, with the commit of the code that trained them."""
    return {"commit": find_commit(), **describe_pretrained(spec, metrics, **networks)}
