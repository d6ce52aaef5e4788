"""The graph of `pretrain`: generated series → two networks → errors on other series → card."""

from pathlib import Path

import pandas as pd
from kedro.pipeline import Pipeline

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
        node(describe_pretrained, {"spec": SPEC, "metrics": METRICS, **NETWORKS}, "pretrain_card"),
    ]
    return Pipeline(nodes)


def pretrain_gru(spec: PretrainSpec, checkpoints: Path) -> tuple[PretrainedNetwork, pd.DataFrame]:
    """Train the network with a GRU on generated series."""
    return pretrain("gru", spec, checkpoints)


def pretrain_lstm(spec: PretrainSpec, checkpoints: Path) -> tuple[PretrainedNetwork, pd.DataFrame]:
    """Train the network with an LSTM on generated series."""
    return pretrain("lstm", spec, checkpoints)
