"""The wiring of `monitor_sentiment`."""

from rnn_pipelines.pipelines.monitor_sentiment import create_pipeline


def test_what_other_pipelines_have_left_is_only_read() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    found = {"predictions", "reviews", "encoded", "calibrations", "scores"}
    assert data == {
        "monitor_sentiment_champion_folder",
        *(f"monitor_sentiment_found_{what}" for what in found),
    }
    assert all(name.startswith("monitor_sentiment_") for name in create_pipeline().all_outputs())
    names = {node.name for node in create_pipeline().to_nodes("monitor_scores").nodes}
    assert names.isdisjoint({"draw_distributions", "render_report"})
