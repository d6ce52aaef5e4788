"""Sentiment of texts from Python: the functions of the pipelines.

What goes into use, and what is saved, is the artefact that `classifier` has under the same name.
"""

from collections.abc import Iterable, Mapping, Sequence, Set, Sized
from pathlib import Path
from typing import Any, Self

import pandas as pd

from rnn_pipelines.champion.folders import load_model, save_folder
from rnn_pipelines.errors import ParameterError, ReviewError, show
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.parameter_models import check_block_names, check_network_cell, join_parameters, read_parameter_model
from rnn_pipelines.reading.user_files import is_broken
from rnn_pipelines.sentiment.fitting import SentimentSpec, fit_classifier
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec
from rnn_pipelines.sentiment.methods.registry import list_candidates
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec
from rnn_pipelines.sentiment.model.classifier import TextClassifier as Artefact
from rnn_pipelines.sentiment.model.classifier import score_sentiment
from rnn_pipelines.sentiment.model.packing import pack, unpack
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.files import check_cells
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, parse_reviews
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

# What texts are trained with: those defaults of `parameters_sentiment.yml` that are not those of every network.
TRAINING = {"epochs": 2, "patience": 2, "learning_rate": 0.005, "schedule": "cosine", "weight_average": 0.0} | {
    "jit_compile": False
}
# What messages call the texts and labels.
ORIGIN = "the texts"


class TextClassifier:
    """The sentiment of texts by LSTM, GRU and n-grams, weighed on texts that were held back.

    The parameters are those of `kedro run --pipelines=sentiment`, and give the same numbers; the network without
    recurrence, which is never chosen, is not trained. Loads TensorFlow with the first training or prediction.

    Args:
        blocks: what `parameters_sentiment.yml` has: `split`, `vocabulary`, `padding`, `word_vectors`, `ngrams`, `lstm`,
            `gru`, `training`, such as `training={"epochs": 3}`.
    Raises:
        ParameterError: there is no such parameter, or its value is refused.
    """

    def __init__(self, **blocks: Any) -> None:
        self.spec = read_spec(blocks)
        self._artefact: Artefact | None = None
        self._metrics: dict[str, Any] | None = None

    def fit(self, texts: Sequence[str], labels: Sequence[Any], groups: Sequence[Any] | None = None) -> Self:
        """Fits everything.

        Args:
            texts: one for each example.
            labels: 0/1, false/true, neg/pos or negative/positive.
            groups: what keeps examples on one side of every split, such as a film, a shop or an author.
        Raises:
            ReviewError: texts, labels or groups can't be used; the message names row and remedy.
        """
        columns = {"text": _list_texts(texts), "label": _list_cells("label", labels)}
        columns |= {} if groups is None else {"group": _list_cells("group", groups)}
        if len({len(column) for column in columns.values()}) > 1:
            counts = ", ".join(f"{len(column)} of {name}" for name, column in columns.items())
            raise ReviewError(f"{ORIGIN}: expected as many of each, received {counts}.")
        source = ReviewSourceSpec(path=ORIGIN, group=None if groups is None else "group")
        table = parse_reviews(pd.DataFrame(columns, dtype=object), source)
        self._artefact, self._metrics = fit_classifier(table, self.spec)
        return self

    def predict(self, texts: Sequence[str]) -> pd.DataFrame:
        """The sentiment of each text.

        Args:
            texts: of any length, script and content.
        Returns:
            `text, label, probability, confidence, num_words, num_known_words`, a row for each text in order;
            `probability` is that of positive, `confidence` that of the label. Where no word is known both are 0.5.
        Raises:
            ReviewError: the texts are no list of texts; the message names the row.
        """
        given = _list_texts(texts)
        rows = pd.DataFrame({"row": range(1, len(given) + 1), "text": pd.Series(given, dtype="str")})
        scored = score_sentiment(self._require_fit(), rows)
        return scored[["text", "label", "probability", "confidence", "num_words", "num_known_words"]]

    def leaderboard(self) -> pd.DataFrame:
        """How everyone did on the texts that were kept back as a test part, the least log loss first."""
        self._require_fit()
        if self._metrics is None:
            raise ParameterError("a loaded classifier holds no training data. Call fit.")
        rows = {name: block for name, block in self._metrics.items() if isinstance(block, dict)}
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("classifier")
        return table.drop(columns="against_nb_ngram").sort_values("log_loss", kind="stable").reset_index()

    def save(self, path: str | Path) -> None:
        """Saves the classifier as a folder of networks, arrays and JSON.

        A saved model that is there is replaced at one moment; several threads and processes may save and load at once.

        Raises:
            ParameterError: nothing was learnt yet, or the path is none.
            ChampionError: the folder can't be written, or holds other files than a saved model, unchanged.
            LockedError: another save into the folder did not end in time.
        """
        save_folder(path, pack(self._require_fit()))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """What `save` has written, or a champion, for `predict`.

        Args:
            path: the folder of a saved classifier, of a champion's version, or of a task's champion.
        Raises:
            ParameterError: the path is none.
            ChampionError: there is none, it is damaged, or an older version of the project has saved it.
            NewerFormatError: a newer version of the project has written it.
        """
        loaded = cls()
        loaded._artefact = load_model(path, unpack)
        return loaded

    def _require_fit(self) -> Artefact:
        if self._artefact is None:
            raise ParameterError("this classifier has learnt nothing yet. Call fit, or TextClassifier.load.")
        return self._artefact


def read_spec(blocks: dict[str, Any]) -> SentimentSpec:
    """The blocks of `sentiment` as the library reads them; what is not given has its default.

    Args:
        blocks: by name, each a dictionary, as in `parameters_sentiment.yml`.
    Raises:
        ParameterError: there is no such block or parameter, or its value is refused.
    """
    types = {
        "split": ReviewSplitSpec,
        "vocabulary": VocabularySpec,
        "padding": PaddingSpec,
        "word_vectors": WordVectorSpec,
        "ngrams": NgramSpec,
        **dict.fromkeys(list_candidates(), ClassifierSpec),
        "training": TrainingSpec,
    }
    check_block_names(blocks, types)
    always = {name: {"cell": name} for name in list_candidates()} | {"training": TRAINING}
    read = {
        name: read_parameter_model(name, kind, join_parameters(always.get(name, {}), blocks.get(name)))
        for name, kind in types.items()
    }
    networks = {name: read.pop(name) for name in list_candidates()}
    for name, network in networks.items():
        check_network_cell(f"{name}.cell", name, network.cell)
    return SentimentSpec(**read, networks=networks)


def _list_texts(texts: Any) -> list[Any]:
    found = _list_cells("text", texts)
    wrong = [place for place, text in enumerate(found) if not isinstance(text, str)]
    if wrong:
        raise ReviewError(f"{ORIGIN}: expected texts, received {show(found[wrong[0]])} in row {wrong[0] + 1}.")
    return found


def _list_cells(name: str, cells: Any) -> list[Any]:
    """The cells of a column; half a sign (a lone surrogate), which Python's texts may hold, fits into no file."""
    if not _is_list(cells):
        is_plain = isinstance(cells, str | bytes) or not isinstance(cells, Iterable)
        received = show(cells) if is_plain else type(cells).__name__
        raise ReviewError(
            f"{ORIGIN}: expected a list of {name}s, received {received}. Give one for each text, in order, such as "
            f"frame['{name}']."
        )
    column = pd.Series(list(cells), name=name, dtype=object)
    faulty = column.map(lambda cell: isinstance(cell, str) and is_broken(cell)).astype(bool)
    check_cells(faulty, column, ORIGIN, "a text that UTF-8 can hold")
    return column.tolist()


def _is_list(cells: Any) -> bool:
    """Whether it has one cell after another: a table or a mapping would give names, a set no order, a file lines."""
    is_sized = isinstance(cells, Iterable) and isinstance(cells, Sized) and getattr(cells, "ndim", 1) == 1
    return is_sized and not isinstance(cells, str | bytes | Mapping | Set)
