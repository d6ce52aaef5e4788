"""The report says of each gate its equation, shows it at work, and tells which network was looked at."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.io
import pytest
from plotly.graph_objects import Figure

from golden import fits_screen, has_in_order, is_golden
from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.lab.internals.report.report import (
    EQUATIONS,
    PARAGRAPHS,
    describe_memory,
    report_internals,
    tabulate_accuracy,
    tabulate_gate_weights,
    tabulate_inputs,
    tabulate_traced_layers,
)
from rnn_pipelines.pipelines.internals.pipeline import FIGURES
from rnn_pipelines.report.equations import parse_equation
from rnn_pipelines.report.page import read_plotly
from rnn_pipelines.report.report import Report

EVIL = "<img src=x onerror=alert(1)>"


def make_network(*kinds: str, members: int = 1) -> dict[str, Any]:
    layers = [
        {
            "layer": f"{kind.lower()}_{number}",
            "kind": kind,
            "output_shape": [8, 16],
            "num_parameters": 100,
        }
        for number, kind in enumerate([*kinds, "Dense"], start=1)
    ]
    return {"layers": layers, "num_parameters": 100 * len(layers) * members}


FORECASTER = make_network("LSTM", members=5) | {"segment": 12, "shrinkage": 0.625}


def make_layer(
    cell: str, half_life: float | None = 2.345, reach: int | None = 12
) -> dict[str, Any]:
    gates = CELLS[cell].gates
    return {
        "origin": f"trained by {EVIL}",
        "cell": cell,
        "num_inputs": 5,
        "units": 16,
        "num_sequences": 256,
        "num_steps": 7680,
        "num_weights_by_gate": CELLS[cell].count_weights_by_gate(5, 16),
        "max_difference": 2.7e-7,
        "network": make_network("LSTM"),
        "openness": {
            gate: {"mean": -0.125, "low_fraction": 0.01, "high_fraction": 0.021} for gate in gates
        },
        "half_life_steps": {"low": 1.0, "median": half_life, "high": None},
        "reach_steps": reach,
    }


def make_layers(**changes: Any) -> dict[str, Any]:
    return {
        "forecast_lstm": make_layer("lstm", **changes) | {"network": FORECASTER},
        "forecast_gru": make_layer("gru", 1.0, 4),
        "sentiment_gru_forward": make_layer("gru") | {"max_difference": 1.6e-6},
    }


def make_classifier(gru: float = 0.875) -> dict[str, Any]:
    accuracy = {"gru": gru, "nb_ngram": 0.9, "ensemble": 0.91}
    return {
        "is_missing": False,
        "origin": f"trained by {EVIL}",
        "accuracy": accuracy,
        "num_texts": 1000,
    }


MISSING = {"is_missing": True, "origin": "the download failed", "accuracy": {}, "num_texts": 0}


def make_summary(classifier: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {"layers": make_layers(**changes), "classifier": classifier or make_classifier()}


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    rows = [
        ("gru", 1, place, word, 0.25 * place, "update", -1, 0.5)
        for place, word in enumerate(["a", EVIL, "film"])
    ]
    return pd.DataFrame(
        rows, columns=["cell", "text", "place", "word", "probability", "gate", "unit", "value"]
    )


@pytest.fixture(scope="module")
def report(readings: pd.DataFrame) -> str:
    return render(make_summary(), readings)


def render(summary: dict[str, Any], readings: pd.DataFrame) -> str:
    return make_report(summary, readings).render().replace(read_plotly(), "")


def make_report(summary: Any, readings: pd.DataFrame) -> Report:
    # As the catalog returns them.
    figures = {
        name: plotly.io.from_json(Figure(layout={"title": {"text": name}}).to_json())
        for name in FIGURES
    }
    return report_internals(summary, readings, {"sample": {"windows": 77}}, **figures)


def test_page_is_the_golden_one(report: str) -> None:
    assert is_golden(report, Path(__file__).parent / "golden/report.txt")


def test_every_gate_has_its_equation_with_its_paragraph() -> None:
    parts = {f"lstm_{gate}" for gate in CELLS["lstm"].gates} | {
        f"gru_{gate}" for gate in CELLS["gru"].gates
    }
    assert set(EQUATIONS) == set(PARAGRAPHS) == parts | {"lstm_state", "gru_state"}


def test_equations_stand_before_their_figures(report: str) -> None:
    places = [
        report.index(text)
        for name in EQUATIONS
        for text in (parse_equation(EQUATIONS[name]).text, f"<b>{name}</b>")
    ]
    assert places == sorted(places)


def test_page_loads_nothing(report: str) -> None:
    assert not re.search(r"//|\bsrc=[^x]|url\(|@import", report)


def test_page_names_a_missing_cell(report: str) -> None:
    assert "no LSTM" in report
    assert "<b>lstm_words</b>" not in report
    assert "<b>gru_words</b>" in report


def test_names_on_the_page_are_escaped(report: str) -> None:
    assert "<img" not in report
    assert "&lt;img" in report


def test_inputs_have_their_share() -> None:
    summary = make_layers()
    summary["forecast_lstm"]["network"] = FORECASTER | {"moved_by": {"series": 3.0, "promo": 1.0}}
    assert tabulate_inputs(summary).rows == [["series", "75.0 %", "–"], ["promo", "25.0 %", "–"]]


def test_weights_of_a_layer_follow_the_formula() -> None:
    for row in tabulate_gate_weights(make_layers()).rows:
        units, sizes = row[2].split(" × ")
        formula = int(units) * sum(map(int, re.findall(r"\d+", sizes)))
        assert row[3] == f"{formula:,}"
        assert row[4] == f"{formula * len(row[1].split(', ')):,}"


def test_accuracies_have_a_row_each() -> None:
    rows = tabulate_accuracy(make_classifier()).rows
    assert rows == [
        ["GRU alone", "87.5 %"],
        ["n-grams alone", "90.0 %"],
        ["whole classifier", "91.0 %"],
    ]


def test_summary_fits_a_screen(readings: pd.DataFrame) -> None:
    whole = make_report(make_summary(), readings)
    assert fits_screen(whole.summarize(), whole.verdict)


def test_layers_of_a_stack_are_described_one_by_one(readings: pd.DataFrame) -> None:
    layers = make_layers()
    lower = layers.pop("forecast_lstm")
    upper = make_layer("lstm", half_life=7.5)
    upper["openness"]["forget"]["mean"] = 0.625
    summary = make_summary() | {
        "layers": {"forecast_lstm_layer_1": lower, "forecast_lstm_layer_2": upper, **layers}
    }
    assert has_in_order(
        describe_memory(summary), "LSTM layer 1", "2.3 steps", "LSTM layer 2", "7.5 steps", "GRU"
    )
    assert has_in_order(render(summary, readings), "LSTM layer 1", "−0.12", "LSTM layer 2", "0.62")
    assert [row[0] for row in tabulate_traced_layers(summary["layers"]).rows][:2] == [
        f"LSTM, forecast, layer {number}" for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"half_life": None, "reach": None}, ("LSTM", "infinite", "whole window")),
        ({"reach": 0}, ("LSTM", "no input", "GRU", "4 or more")),
    ],
)
def test_verdict_is_defined_without_bounds(changes: dict[str, Any], facts: tuple[str, ...]) -> None:
    assert has_in_order(describe_memory(make_summary(**changes)), *facts)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (make_network("GRU"), ""),
        (make_network("LSTM", members=4), "; 4 members"),
        (
            make_network("LSTM") | {"segment": 7, "shrinkage": 0.5},
            "; 7 steps of the series per input; shrinkage 0.50",
        ),
        (make_network("LSTM") | {"segment": 1, "shrinkage": 0.0}, "; shrinkage 0.00"),
    ],
)
def test_table_describes_the_network(network: dict[str, Any], words: str) -> None:
    summary = {"forecast_gru": make_layer("gru") | {"origin": "made", "network": network}}
    assert tabulate_traced_layers(summary).rows[0][1] == f"made{words}"


def test_report_without_a_classifier_gives_the_reason(readings: pd.DataFrame) -> None:
    page = render(make_summary(MISSING), readings.iloc[:0])
    assert page.count("because the download failed.") == 2
    assert "<b>gru_words</b>" not in page
    assert "<b>distributions</b>" in page


def test_report_without_accuracy_gives_the_reason(readings: pd.DataFrame) -> None:
    page = render(make_summary(make_classifier() | {"accuracy": {}, "num_texts": 0}), readings)
    assert "there are no held-out texts" in page
    assert "GRU alone" not in page


@pytest.mark.parametrize(("accuracy", "is_warned"), [(0.799, True), (0.8, False)])
def test_verdict_warns_of_gates_of_a_poor_network(accuracy: float, is_warned: bool) -> None:
    verdict = describe_memory(make_summary(make_classifier(accuracy)))
    assert f"GRU alone {100 * accuracy:.1f} %" in verdict
    assert ("Below 80 %" in verdict) == is_warned
