"""Names, colours and dashes of all classifiers in the reports of sentiment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rnn_pipelines.report.styles import GREEN, Style, Styles
from rnn_pipelines.sentiment.evaluation.metrics import N_GRAMS
from rnn_pipelines.sentiment.methods.registry import (
    BASELINES,
    ENSEMBLE,
    NETWORKS,
    list_candidate_networks,
    name_alone,
)


def get_styles(metrics: Mapping[str, Any] | None = None) -> Styles:
    """Return the styles of all classifiers: the registry, networks without n-gram path, and the ensemble.

    With the metrics of a run, the name of a network says what it reads.
    """
    candidates = {name: NETWORKS[name] for name in list_candidate_networks()}
    alone = {
        name_alone(name): Style(network.style.name, network.alone_color, "dot")
        for name, network in candidates.items()
    }
    together = " + ".join(network.style.name for network in candidates.values())
    styles = Styles(NETWORKS, BASELINES, alone, {ENSEMBLE: Style(together, GREEN)})
    readings = {
        name: measured["reads"]
        for name, measured in (metrics or {}).items()
        if name in styles and name not in BASELINES and "reads" in measured
    }
    named = {
        name: replace(styles[name], name=_name(styles[name].name, reads))
        for name, reads in readings.items()
    }
    return Styles(named, styles)


def _name(classifier: str, reads: str) -> str:
    return f"{classifier} + n-grams" if reads == N_GRAMS else f"{classifier}, {reads}"
