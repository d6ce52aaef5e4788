"""The graph of `pretrain`: generated series → two networks → errors on other series → card."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.evaluation.pretrained import evaluate_pretrained
from rnn_pipelines.forecast.pretrained.files import describe_pretrained
from rnn_pipelines.pipelines.pretrain import nodes
from rnn_pipelines.pipelines.wiring import node

SPEC, CHECKPOINTS, METRICS = "params:pretrain", "pretrain_checkpoints", "pretrain_metrics"
NETWORKS = {"gru": "pretrain_gru_network", "lstm": "pretrain_lstm_network"}
HISTORIES = {cell: f"pretrain_{cell}_history" for cell in NETWORKS}


def create_pipeline() -> Pipeline:
    """Train, evaluate and describe; the networks of the package are not changed."""
    return Pipeline(
        [
            node(nodes.pretrain_gru, [SPEC, CHECKPOINTS], [NETWORKS["gru"], HISTORIES["gru"]]),
            node(nodes.pretrain_lstm, [SPEC, CHECKPOINTS], [NETWORKS["lstm"], HISTORIES["lstm"]]),
            node(evaluate_pretrained, NETWORKS, METRICS),
            node(describe_pretrained, {"spec": SPEC, "metrics": METRICS, **NETWORKS}, "pretrain_card"),
        ]
    )
