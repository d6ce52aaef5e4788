"""The wiring of `retrain_sentiment`."""

from rnn_pipelines.pipelines.retrain_sentiment import create_pipeline
from rnn_pipelines.pipelines.retrain_sentiment.pipeline import create_challenger_pipeline
from rnn_pipelines.pipelines.sentiment.pipeline import create_data_pipeline
from rnn_pipelines.sentiment.methods.registry import list_candidate_networks


def test_every_candidate_is_trained_in_two_steps() -> None:
    assert [
        {node.short_name for node in create_challenger_pipeline(cell).nodes}
        for cell in list_candidate_networks()
    ] == [
        {"train_challenger", "score_reviews"},
        {"train_challenger", "score_reviews"},
    ]


def test_parameters_are_those_of_the_candidates() -> None:
    # But for those of the network without recurrence, which is there to be compared with.
    blocks = {
        name.partition(".")[2]
        for name in create_pipeline().inputs()
        if name.startswith("params:sentiment.")
    }
    expected = {"source", "split", "vocabulary", "padding", "word_vectors", "ngrams", "training"}
    assert blocks == expected | set(list_candidate_networks())


def test_the_champion_is_read_with_the_checkpoints() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"champion_sentiment", "retrain_sentiment_checkpoints"}


def test_one_node_reads_the_source() -> None:
    readers = {
        node.short_name
        for node in create_pipeline().nodes
        if "params:sentiment.source" in node.inputs
    }
    assert readers == {"read_as_of"}


def test_the_champion_is_read_after_the_training() -> None:
    readers = {
        node.short_name for node in create_pipeline().nodes if "champion_sentiment" in node.inputs
    }
    assert readers == {"score_holdout", "decide_promotion"}


def test_what_is_decided_on_is_what_was_scored() -> None:
    nodes = {node.short_name: node for node in create_pipeline().nodes}
    assert "retrain_sentiment_challenger" in nodes["score_holdout"].inputs
    assert nodes["decide_promotion"].inputs[0] == "retrain_sentiment_challenger"


def test_data_is_prepared_as_sentiment_prepares_it() -> None:
    """By the same functions from the same parameters."""
    nodes = {node.short_name: node for node in create_pipeline().nodes}
    for node in create_data_pipeline().from_nodes("split_reviews").nodes:
        again = nodes[node.short_name]
        assert again.func == node.func
        assert [name for name in again.inputs if name.startswith("params:")] == [
            name for name in node.inputs if name.startswith("params:")
        ]
