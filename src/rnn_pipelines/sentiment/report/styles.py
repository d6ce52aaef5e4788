"""Names, colours and dashes of all classifiers in the reports of sentiment."""

from rnn_pipelines.report.styles import Look, Looks
from rnn_pipelines.sentiment.methods.registry import BASELINES, ENSEMBLE, NETWORKS, list_candidates, name_alone


def get_looks() -> Looks:
    """The looks of everyone in the registry, and of what is made of them."""
    candidates = {name: NETWORKS[name] for name in list_candidates()}
    alone = {
        name_alone(name): Look(f"{network.look.name} alone", network.alone_color, "dot")
        for name, network in candidates.items()
    }
    together = " + ".join(network.look.name for network in candidates.values())
    return Looks(NETWORKS, BASELINES, alone, {ENSEMBLE: Look(together, "#009e73")})
