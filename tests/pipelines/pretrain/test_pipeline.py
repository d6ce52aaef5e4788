"""The wiring of `pretrain`."""

from rnn_pipelines.pipelines.pretrain import create_pipeline


def test_checkpoints_are_read() -> None:
    assert create_pipeline().inputs() == {"params:pretrain", "pretrain_checkpoints"}


def test_the_card_is_written_last() -> None:
    # It has the checksums of both networks.
    last = create_pipeline().nodes[-1]
    assert last.outputs == ["pretrain_card"]
    assert {"pretrain_gru_network", "pretrain_lstm_network"} <= set(last.inputs)
