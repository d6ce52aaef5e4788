"""Who classifies texts, said once: networks, baselines, and what is made of them; free of Keras and scikit-learn.

A further network is a line in `NETWORKS` and its block of parameters, a further baseline a line in `BASELINES`;
pipelines, calibration, retraining, policy and reports go by them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnn_pipelines.errors import show
from rnn_pipelines.report.styles import CELLS, SPARE_COLOR, Style
from rnn_pipelines.sentiment.methods.logits import to_logit

# Whose logit stands beside a network's, and against whom all are tested.
NB_NGRAM = "nb_ngram"
# All networks that may be chosen, weighed together.
ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class Network:
    """One kind of network, by the name that is its `cell`, its block of parameters and its column of logits.

    Attributes:
        style: how it appears.
        reader: `module:function` that reads the words, of the kind of `network.read_in_order`; a name, so that Keras
            loads only once a network is built.
        is_recurrent: it may be chosen, and is retrained. One that isn't shows what recurrence adds.
        alone_color: of the network without its n-gram path, where it is shown beside itself.
    """

    style: Style
    reader: str = "rnn_pipelines.sentiment.methods.network:read_in_order"
    is_recurrent: bool = True
    alone_color: str = SPARE_COLOR


@dataclass(frozen=True)
class Baseline:
    """What a challenger may have to beat.

    Attributes:
        style: how it appears.
        score: the logits of texts, float64[num_texts], from all reviews and the predictions of these texts.
    """

    style: Style
    score: Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]


def _score_majority(reviews: pd.DataFrame, predictions: pd.DataFrame) -> np.ndarray:
    """The share of positive training reviews, whatever the text."""
    share = reviews.loc[reviews["part"] == "train", "label"].astype(float).mean()
    return to_logit(np.full(len(predictions), share))


NETWORKS = {
    "lstm": Network(CELLS["lstm"], alone_color="#56b4e9"),
    "gru": Network(CELLS["gru"], alone_color="#e69f00"),
    "pointwise": Network(
        Style("no recurrence", "#cc79a7", "dot"),
        "rnn_pipelines.sentiment.methods.network:read_each_word",
        is_recurrent=False,
    ),
}
BASELINES = {
    "majority": Baseline(Style("majority"), _score_majority),
    NB_NGRAM: Baseline(
        Style("NB n-grams", "#7a6a4f", "dash"), lambda reviews, predictions: predictions[NB_NGRAM].to_numpy()
    ),
}


def list_candidates() -> list[str]:
    """The networks that may be chosen."""
    return [name for name, network in NETWORKS.items() if network.is_recurrent]


def name_alone(network: str) -> str:
    """What a network is called where its n-gram path is left out."""
    return f"{network}_alone"


def list_classifiers() -> list[str]:
    """All who give logits to reviews, from the simplest to all networks together."""
    candidates = list_candidates()
    others = [name for name in NETWORKS if name not in candidates]
    return [*BASELINES, *others, *map(name_alone, candidates), *candidates, ENSEMBLE]


def require_known(name: str, registered: dict[str, Network] | dict[str, Baseline]) -> str:
    """Returns a name that is registered.

    Raises:
        ValueError: it isn't.
    """
    if name not in registered:
        raise ValueError(f"expected one of {', '.join(registered)}, received {show(name)}")
    return name
