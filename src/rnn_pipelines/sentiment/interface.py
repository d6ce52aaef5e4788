"""The Python interface of sentiment, built from the functions of the pipelines.

The saved and promoted artefact is the class of the same name in `model.classifier`.
"""

from collections.abc import Iterable, Mapping, Sequence, Set, Sized
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from rnn_pipelines.champion.folders import load_model, save_folder
from rnn_pipelines.errors import ParameterError, ReviewError, show
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.networks.stages import show_stages
from rnn_pipelines.parameter_models import (
    Parametrized,
    check_block_names,
    check_network_cell,
    join_parameters,
    read_parameter_model,
)
from rnn_pipelines.reading.table_files import is_broken
from rnn_pipelines.report.page_file import write_page
from rnn_pipelines.sentiment.fitting import (
    FittedClassifier,
    SentimentSpec,
    fit_classifier,
    list_text_stages,
)
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec
from rnn_pipelines.sentiment.methods.registry import list_candidate_networks
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec
from rnn_pipelines.sentiment.model.answers import AnswerSpec, answer_texts
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact as Artefact
from rnn_pipelines.sentiment.model.packing import pack, unpack
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.files import check_text_cells
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, parse_reviews
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec
from rnn_pipelines.storage.files import check_path

if TYPE_CHECKING:
    from rnn_pipelines.sentiment import blocks

# Defaults of `parameters_sentiment.yml` that differ from those of `TrainingSpec`.
TRAINING: dict[str, Any] = {
    "epochs": 2,
    "patience": 2,
    "learning_rate": 0.005,
    "schedule": "cosine",
    "weight_average": 0.0,
    "jit_compile": False,
}
# Name of the texts and labels in messages.
ORIGIN = "the texts"


class TextClassifier(Parametrized):
    """A classifier of texts by LSTM, GRU and n-grams, which are weighted on held-out texts.

    The parameters and results are those of `kedro run --pipelines=sentiment`. The network without recurrence, which is
    never chosen, is not trained. The first training loads TensorFlow, and so does a prediction with networks. The named
    arguments are the blocks of `parameters_sentiment.yml`, such as `training={"epochs": 3}`; None for the defaults.

    Args:
        split: sizes of the validation and test part.
        vocabulary: smallest count and largest number of the words.
        padding: length of the texts that networks read.
        word_vectors: size and start of the vectors of words.
        ngrams: of the classifier of n-grams.
        lstm: of the network of this name.
        gru: of the network of this name.
        training: epochs, batches and learning rate of the networks.
        others: blocks of further networks of the registry.
    Raises:
        ParameterError: a parameter is unknown or its value is invalid.
    """

    def __init__(  # noqa: PLR0913 - each block has a name that an editor completes
        self,
        *,
        split: "blocks.SplitBlock | None" = None,
        vocabulary: "blocks.VocabularyBlock | None" = None,
        padding: "blocks.PaddingBlock | None" = None,
        word_vectors: "blocks.WordVectorsBlock | None" = None,
        ngrams: "blocks.NgramsBlock | None" = None,
        lstm: "blocks.LstmBlock | None" = None,
        gru: "blocks.GruBlock | None" = None,
        training: "blocks.TrainingBlock | None" = None,
        **others: Any,
    ) -> None:
        blocks: dict[str, Any] = {
            "split": split,
            "vocabulary": vocabulary,
            "padding": padding,
            "word_vectors": word_vectors,
            "ngrams": ngrams,
            "lstm": lstm,
            "gru": gru,
            "training": training,
            **others,
        }
        super().__init__(blocks)
        self.spec = read_sentiment_spec(blocks)
        self._artefact: Artefact | None = None
        self._fitted: FittedClassifier | None = None
        self._source = ReviewSourceSpec(path=ORIGIN)

    def __repr__(self) -> str:
        """Return the networks, and the best classifiers on the test part."""
        networks = ", ".join(
            f"{name}={network.units}" for name, network in self.spec.networks.items()
        )
        lines = [f"TextClassifier({networks})", self._describe_state()]
        if self._fitted is not None:
            lines.append(self._pick_columns().to_string(index=False, float_format="{:.4g}".format))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the same with the leaderboard as a table, for notebooks."""
        name, *_ = repr(self).splitlines()
        page = f"<p><b>{escape(name)}</b></p>\n<p>{escape(self._describe_state())}</p>"
        if self._fitted is None:
            return page
        return f"{page}\n{self._pick_columns().to_html(index=False, float_format='{:.4g}'.format)}"

    def _describe_state(self) -> str:
        if self._artefact is None:
            return "Not fitted. Call fit, or TextClassifier.load."
        if self._fitted is None:
            return "Loaded."
        best = self.leaderboard().iloc[0]
        return f"Fitted. The least log loss on the test part, {best['log_loss']:.4g}, is that of {best['classifier']}."

    def _pick_columns(self) -> pd.DataFrame:
        table = self.leaderboard()
        return table[
            [
                name
                for name in ("classifier", "log_loss", "accuracy", "macro_f1", "f1", "auc")
                if name in table
            ]
        ]

    def fit(
        self,
        texts: Sequence[str],
        labels: Sequence[Any],
        groups: Sequence[Any] | None = None,
        verbose: bool | None = None,
        *,
        unlabelled: bool = False,
    ) -> Self:
        """Fit the classifier.

        Args:
            texts: one for each example.
            labels: of two to fifty classes. 0/1, false/true and neg/pos are negative and positive.
            groups: group of each example, such as a film, a shop or an author. A split never divides a group.
            verbose: whether the stages are shown on the standard error; None if that is a terminal.
            unlabelled: whether texts with the label None are kept. A network learns from them with
                `pretraining_epochs` and, if it has `min_texts` labels, with `pseudo_labels`.
        Raises:
            ReviewError: texts, labels or groups are invalid; the message names the row and a remedy.
        """
        columns = {"text": _list_texts(texts), "label": _list_cells("label", labels)}
        if groups is not None:
            columns["group"] = _list_cells("group", groups)
        if len({len(column) for column in columns.values()}) > 1:
            counts = ", ".join(f"{len(column)} of {name}" for name, column in columns.items())
            raise ReviewError(f"{ORIGIN}: expected columns of the same length, received {counts}.")
        group = None if groups is None else "group"
        source = ReviewSourceSpec(path=ORIGIN, group=group, unlabelled=unlabelled)
        table = parse_reviews(pd.DataFrame(columns, dtype=object), source)
        with show_stages(list_text_stages(self.spec.networks), verbose):
            self._fitted = fit_classifier(table, self.spec)
        self._artefact = self._fitted.classifier
        self._source = source
        return self

    def predict(
        self, texts: Sequence[str], *, abstain_below: float | None = None, explain: bool = False
    ) -> pd.DataFrame:
        """Return the class of each text.

        Args:
            texts: of any length, script and content.
            abstain_below: confidence below which the label is `abstained`; None for never. The report has the
                share of held-out texts that reach some confidences, and the accuracy on them.
            explain: whether to name the words for and against each label, in `words_for` and `words_against`: the
                effect of a word is how much the log odds of the class fall if it is removed from the text. A classifier
                with networks then reads each text once for each of its words.
        Returns:
            `text, label, probability, confidence, num_words, num_known_words, is_unlike`, a row for each text in order.
            `confidence` is the probability of the label, `probability` that of the second of two classes; of more
            classes, each has a column, such as `probability delivery`. Without a known word, the label is `unknown`,
            and all classes are equally probable. `is_unlike` marks a text whose words are rarer among the training
            texts than those of 99 % of the held-out texts.
        Raises:
            ReviewError: the texts are not a list of texts; the message names the row.
            ParameterError: `abstain_below` is not a probability.
        """
        answers = read_parameter_model(
            "predict", AnswerSpec, {"abstain_below": abstain_below, "explain": explain}
        )
        given = _list_texts(texts)
        rows = pd.DataFrame(
            {"row": range(1, len(given) + 1), "text": pd.Series(given, dtype="str")}
        )
        scored = answer_texts(self._require_fit(), rows, answers)
        return scored[["text", *(name for name in scored if name not in ("row", "text"))]]

    def report(self, path: str | Path) -> None:
        """Write the report of a run as one HTML file, which needs no network.

        Args:
            path: of a new file, or of an earlier report, which is replaced.
        Raises:
            ParameterError: the classifier is loaded, and has no results; or the path is invalid.
            RunError: there is another file.
        """
        from rnn_pipelines.sentiment.report.fitted import report_fitted

        self._require_fit()
        if self._fitted is None:
            raise ParameterError("a loaded classifier has no report. Call fit.")
        parameters = describe_parameters(self.spec, self._source)
        write_page(check_path(path), report_fitted(self._fitted, parameters).render())

    def explorer(self, path: str | Path, texts: Sequence[str]) -> None:
        """Write a page in which the networks read texts word by word: gates, states and what changes the probability.

        It is one HTML file, which needs no network. It also reads texts that are typed into it, of up to 2,000 of the
        most frequent words, if they and all networks fit.

        Args:
            path: of a new file, or of an earlier page, which is replaced.
            texts: at most twelve are shown, and the first 60 words of each.
        Raises:
            ParameterError: the classifier has no networks, or the path is invalid.
            ReviewError: the texts are not a list of texts.
            RunError: there is another file.
        """
        from rnn_pipelines.sentiment.report.explorer import render_classifier

        write_page(check_path(path), render_classifier(self._require_fit(), _list_texts(texts)))

    def leaderboard(self) -> pd.DataFrame:
        """Return the metrics of all classifiers on the test part, by ascending log loss."""
        self._require_fit()
        if self._fitted is None:
            raise ParameterError("a loaded classifier has no metrics. Call fit.")
        rows = {
            name: block for name, block in self._fitted.metrics.items() if isinstance(block, dict)
        }
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("classifier")
        return (
            table.drop(columns=["confusion", "abstention", "against_nb_ngram"], errors="ignore")
            .sort_values("log_loss", kind="stable")
            .reset_index()
        )

    def save(self, path: str | Path) -> None:
        """Save the classifier as a folder of networks, arrays and JSON.

        An earlier saved model is replaced atomically. Several threads and processes may save and load at once.

        Raises:
            ParameterError: the classifier is not fitted, or the path is invalid.
            ChampionError: the folder can't be written, or holds other files than a saved model, which are unchanged.
            LockedError: another save into the folder did not end before the lock timeout.
        """
        save_folder(path, pack(self._require_fit()))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a saved classifier or a champion for `predict`.

        Args:
            path: the folder of a saved classifier, of a champion's version, or of a task's champion.
        Raises:
            ParameterError: the path is invalid.
            ChampionError: there is no model, or it is damaged.
            FormatError: it has another format.
        """
        return load_model(path, cls.unpack)

    @classmethod
    def unpack(cls, files: Mapping[str, bytes]) -> Self:
        """Return the classifier in the files of a saved model or champion: content by name; see `load`."""
        loaded = cls()
        loaded._artefact = unpack(files)
        return loaded

    def _require_fit(self) -> Artefact:
        if self._artefact is None:
            raise ParameterError("the classifier is not fitted. Call fit, or TextClassifier.load.")
        return self._artefact


def list_sentiment_models() -> dict[str, Any]:
    """Return the type of each block of `TextClassifier` by its name."""
    return {
        "split": ReviewSplitSpec,
        "vocabulary": VocabularySpec,
        "padding": PaddingSpec,
        "word_vectors": WordVectorSpec,
        "ngrams": NgramSpec,
        **dict.fromkeys(list_candidate_networks(), ClassifierSpec),
        "training": TrainingSpec,
    }


def read_sentiment_spec(blocks: dict[str, Any]) -> SentimentSpec:
    """Return the parameters of `sentiment`, with defaults for missing ones.

    Args:
        blocks: by name, each a dictionary, as in `parameters_sentiment.yml`.
    Raises:
        ParameterError: a block or parameter is unknown, or its value is invalid.
    """
    models = list_sentiment_models()
    check_block_names(blocks, models)
    always = {name: {"cell": name} for name in list_candidate_networks()} | {"training": TRAINING}
    read = {
        name: read_parameter_model(
            name, kind, join_parameters(always.get(name, {}), blocks.get(name))
        )
        for name, kind in models.items()
    }
    networks = {name: read.pop(name) for name in list_candidate_networks()}
    for name, network in networks.items():
        check_network_cell(f"{name}.cell", name, network.cell)
    return SentimentSpec(**read, networks=networks)


def describe_parameters(spec: SentimentSpec, source: ReviewSourceSpec) -> dict[str, Any]:
    """Return the parameters of a fit by the names of `parameters_sentiment.yml`."""
    blocks = {name: getattr(spec, name) for name in SentimentSpec.__dataclass_fields__}
    networks = blocks.pop("networks")
    return {"source": source, **blocks, **networks}


def _list_texts(texts: Any) -> list[Any]:
    cells = _list_cells("text", texts)
    for row, cell in enumerate(cells, start=1):
        if not isinstance(cell, str):
            raise ReviewError(f"{ORIGIN}: expected texts, received {show(cell)} in row {row}.")
    return cells


def _list_cells(name: str, cells: Any) -> list[Any]:
    """Return the cells of a column as a list; a lone surrogate raises an error, because UTF-8 can't encode it."""
    # One-dimensional ordered collections are lists here; tables, mappings, sets and files are not.
    is_sized = (
        isinstance(cells, Iterable) and isinstance(cells, Sized) and getattr(cells, "ndim", 1) == 1
    )
    if not is_sized or isinstance(cells, str | bytes | Mapping | Set):
        is_plain = isinstance(cells, str | bytes) or not isinstance(cells, Iterable)
        received = show(cells) if is_plain else type(cells).__name__
        remedy = f"Give one for each text, in order, such as frame['{name}']."
        raise ReviewError(f"{ORIGIN}: expected a list of {name}s, received {received}. {remedy}")
    column = pd.Series(list(cells), name=name, dtype=object)
    faulty = column.map(lambda cell: isinstance(cell, str) and is_broken(cell)).astype(bool)
    check_text_cells(faulty, column, ORIGIN, "a text that UTF-8 can hold")
    return column.tolist()
