"""Names, colours and dashes of all classifiers in the reports of sentiment."""

from rnn_pipelines.looks import Look, Looks
from rnn_pipelines.sentiment.registry import BASELINES, ENSEMBLE, NETWORKS, list_candidates

ALONE = {"lstm_alone": Look("LSTM alone", "#56b4e9", "dot"), "gru_alone": Look("GRU alone", "#e69f00", "dot")}


def get_looks() -> Looks:
    """The looks of everyone in the registry, and of what is made of them."""
    together = " + ".join(NETWORKS[name].look.name for name in list_candidates())
    return Looks(NETWORKS, BASELINES, ALONE, {ENSEMBLE: Look(together, "#009e73")})
