"""The wiring of `monitor_forecast`."""

from rnn_pipelines.pipelines.monitor_forecast import create_pipeline
from rnn_pipelines.pipelines.monitor_forecast.pipeline import FIGURES


def test_what_other_pipelines_have_left_is_read() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {
        "forecast_external",
        "forecast_partition_folder",
        "monitor_forecast_champion_folder",
        "monitor_forecast_found_forecasts",
        "monitor_forecast_found_totals",
    }


def test_only_results_of_the_monitor_are_written() -> None:
    assert all(name.startswith("monitor_forecast_") for name in create_pipeline().all_outputs())


def test_every_figure_reaches_the_report() -> None:
    (report,) = (node for node in create_pipeline().nodes if node.name == "render_report")
    assert {f"monitor_forecast_{name}_figure" for name in FIGURES} <= set(report.inputs)


def test_alarms_need_no_figures() -> None:
    names = {node.name for node in create_pipeline().to_nodes("monitor_forecasts").nodes}
    assert names.isdisjoint({"draw_figures", "render_report"})
