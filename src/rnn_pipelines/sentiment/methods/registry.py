"""The registry of text classifiers: networks, baselines and the ensemble; it imports no Keras or scikit-learn.

A new network needs a line in `NETWORKS` and a block of parameters, a new baseline a line in `BASELINES`. Pipelines,
calibration, retraining, policy and reports read the registry.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnn_pipelines.errors import show
from rnn_pipelines.report.styles import CELL_STYLES, SPARE_COLOR, Style
from rnn_pipelines.sentiment.methods.logits import read_logits, to_logits

# The n-gram classifier. Its logit is added to a network's, and all classifiers are compared with it.
NB_NGRAM = "nb_ngram"
# The weighted ensemble of all candidates.
ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class TextNetwork:
    """A kind of network. Its name is also its `cell`, its block of parameters and its column of logits.

    Attributes:
        style: name and line style in reports.
        reader: `module:function` that reads the words, with the signature of `network.read_in_order`; as a string, so
            that Keras loads only when a network is built.
        is_recurrent: whether it is a candidate and is retrained. The others show the gain from recurrence.
        alone_color: colour of the network without its n-gram path.
    """

    style: Style
    reader: str = "rnn_pipelines.sentiment.methods.network:read_in_order"
    is_recurrent: bool = True
    alone_color: str = SPARE_COLOR


@dataclass(frozen=True)
class Baseline:
    """A baseline for challengers.

    `score` returns the logits of texts, float64[num_texts, num_outputs], from all reviews and the predictions of these
    texts.
    """

    style: Style
    score: Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]


def _score_majority(reviews: pd.DataFrame, predictions: pd.DataFrame) -> np.ndarray:
    """Return the logits of the shares of the classes among the training reviews, for every text."""
    labels = reviews.loc[reviews["part"] == "train", "label"]
    shares = labels.value_counts(normalize=True, sort=False).to_numpy()
    return to_logits(np.tile(shares, (len(predictions), 1)))


NETWORKS = {
    "lstm": TextNetwork(CELL_STYLES["lstm"], alone_color="#56b4e9"),
    "gru": TextNetwork(CELL_STYLES["gru"], alone_color="#e69f00"),
    "pointwise": TextNetwork(
        Style("no recurrence", "#cc79a7", "dot"),
        "rnn_pipelines.sentiment.methods.network:read_each_word",
        is_recurrent=False,
    ),
}
BASELINES = {
    "majority": Baseline(Style("majority"), _score_majority),
    NB_NGRAM: Baseline(
        Style("NB n-grams", "#7a6a4f", "dash"),
        lambda reviews, predictions: read_logits(predictions, NB_NGRAM),
    ),
}


def list_candidate_networks() -> list[str]:
    """Return the candidates: the networks that may be chosen."""
    return [name for name, network in NETWORKS.items() if network.is_recurrent]


def name_alone(network: str) -> str:
    """Return the name of a network without its n-gram path."""
    return f"{network}_alone"


def list_classifiers() -> list[str]:
    """Return all classifiers, from the simplest to the ensemble."""
    candidates = list_candidate_networks()
    others = [name for name in NETWORKS if name not in candidates]
    return [*BASELINES, *others, *map(name_alone, candidates), *candidates, ENSEMBLE]


def require_known(name: str, registered: dict[str, TextNetwork] | dict[str, Baseline]) -> str:
    """Return a registered name; a ValueError lists the names for another one."""
    if name not in registered:
        raise ValueError(f"expected one of {', '.join(registered)}, received {show(name)}")
    return name
