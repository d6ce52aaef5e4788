"""The wiring of `internals`."""

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.pipelines.internals import create_pipeline
from rnn_pipelines.pipelines.internals.pipeline import FIGURES


def test_only_what_other_pipelines_may_have_left_is_read() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {
        f"internals_found_{what}"
        for what in (
            "lstm_model",
            "gru_model",
            "linear",
            "windows",
            "features",
            "scaler",
            "classifier",
            "reviews",
        )
    }
    assert all(name.startswith("internals_") for name in create_pipeline().all_outputs())


def test_every_gate_has_its_figure() -> None:
    gates = {f"lstm_{gate}" for gate in CELLS["lstm"].gates} | {
        f"gru_{gate}" for gate in CELLS["gru"].gates
    }
    assert gates <= set(FIGURES)


def test_every_figure_reaches_the_report() -> None:
    (report,) = (node for node in create_pipeline().nodes if node.name == "render_report")
    assert {f"internals_{name}_figure" for name in FIGURES} <= set(report.inputs)
