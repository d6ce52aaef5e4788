"""Names, colours and dashes of all classifiers in the reports of sentiment."""

from rnn_pipelines.report.styles import GREEN, Style, Styles
from rnn_pipelines.sentiment.methods.registry import (
    BASELINES,
    ENSEMBLE,
    NETWORKS,
    list_candidate_networks,
    name_alone,
)


def get_styles() -> Styles:
    """Return the styles of all classifiers: the registry, networks without n-gram path, and the ensemble."""
    candidates = {name: NETWORKS[name] for name in list_candidate_networks()}
    alone = {
        name_alone(name): Style(f"{network.style.name} alone", network.alone_color, "dot")
        for name, network in candidates.items()
    }
    together = " + ".join(network.style.name for network in candidates.values())
    return Styles(NETWORKS, BASELINES, alone, {ENSEMBLE: Style(together, GREEN)})
