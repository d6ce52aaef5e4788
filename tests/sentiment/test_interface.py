"""`TextClassifier` in Python: texts and labels in, labels with confidence out."""

import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from inspect import signature
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.base import clone

from rnn_pipelines import TextClassifier
from rnn_pipelines.champion.folders import load_folder
from rnn_pipelines.errors import ChampionError, ParameterError, ReviewError
from rnn_pipelines.sentiment.interface import read_sentiment_spec
from rnn_pipelines.sentiment.methods.registry import list_candidate_networks
from rnn_pipelines.sentiment.model.classifier import score_sentiment
from rnn_pipelines.sentiment.model.packing import unpack

SMALL = {
    "vocabulary": {"min_count": 1},
    "padding": {"max_length": 12},
    "word_vectors": {"dimensions": 3},
    "ngrams": {"order": 2, "folds": 2, "min_texts": 1, "few_texts": 0},
    "lstm": {"units": 2, "min_texts": 0},
    "gru": {"units": 2, "min_texts": 0},
}
# Five classes in order, each with words that tell it.
TELLING = {
    "Größe": ["kleid", "eng", "weit"],
    "Lieferung": ["paket", "bote", "spät"],
    "Rechnung": ["mahnung", "betrag", "doppelt"],
    "Ärger": ["frech", "unhöflich", "laut"],
    "качество": ["сломан", "дефект", "брак"],
}


@pytest.fixture(scope="module")
def reviews(make_reviews: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_reviews(240)


@pytest.fixture(scope="module")
def stages() -> io.StringIO:
    """What the fit of `fitted` shows."""
    return io.StringIO()


@pytest.fixture(scope="module")
def fitted(reviews: pd.DataFrame, no_graphs: None, stages: io.StringIO) -> TextClassifier:
    labels = reviews["label"].map({"negative": "neg", "positive": "pos"})
    with redirect_stderr(stages):
        return TextClassifier(**SMALL).fit(
            reviews["text"], labels, groups=reviews["group"], verbose=True
        )


@pytest.fixture(scope="module")
def predicted(fitted: TextClassifier) -> pd.DataFrame:
    return fitted.predict(["a great fine film", "the dull awful film", "xyzzy"])


def test_predictions_have_their_columns(predicted: pd.DataFrame) -> None:
    assert list(predicted) == [
        "text",
        "label",
        "probability",
        "confidence",
        "num_words",
        "num_known_words",
        "is_unlike",
    ]


def test_predictions_have_their_texts(predicted: pd.DataFrame) -> None:
    assert predicted["text"].tolist() == ["a great fine film", "the dull awful film", "xyzzy"]


def test_texts_get_a_probability(predicted: pd.DataFrame) -> None:
    assert predicted["probability"][0] > 0.5 > predicted["probability"][1]
    assert predicted["confidence"][2] == 0.5


def test_no_texts_have_no_predictions(fitted: TextClassifier) -> None:
    assert fitted.predict([]).empty


def test_classifiers_get_a_leaderboard(fitted: TextClassifier) -> None:
    found = fitted.leaderboard()
    assert {*list_candidate_networks(), "ensemble", "nb_ngram"} <= set(found["classifier"])
    assert found["log_loss"].is_monotonic_increasing


@pytest.mark.usefixtures("fitted")
def test_fit_shows_its_stages_if_wanted(stages: io.StringIO) -> None:
    expected = [
        "read the words: ",
        "fit the n-grams: ",
        "load TensorFlow",
        "train lstm",
        "evaluate: ",
    ]
    assert [stage for stage in expected if stage not in stages.getvalue()] == []


@pytest.mark.slow
def test_fit_is_silent_by_default(
    reviews: pd.DataFrame, no_graphs: None, capsys: pytest.CaptureFixture[str]
) -> None:
    TextClassifier(**SMALL).fit(reviews["text"], reviews["label"], verbose=False)
    assert capsys.readouterr().err == ""


FRESH = """
from rnn_pipelines import TextClassifier
texts = [f"a {word} film, number {number}" for number in range(40) for word in ("fine", "dull")]
if __name__ == "__main__":
    small = {"units": 2, "min_texts": 0}
    classifier = TextClassifier(training={"epochs": 1}, lstm=small, gru=small)
    classifier.fit(texts, ["pos", "neg"] * 40).predict(texts)
"""
FEW = """
import sys
import numpy as np
from rnn_pipelines import TextClassifier
rng = np.random.default_rng(0)
words = [f"w{number}" for number in range(300)]
texts = [" ".join(rng.choice(words, 12)) + (" fine" if k % 2 else " dull") for k in range(1000)]
labels = ["praise" if k % 2 else "complaint" for k in range(1000)]
if __name__ == "__main__":
    TextClassifier().fit(texts, labels).predict(texts)
    assert not {"tensorflow", "keras"} & set(sys.modules)
"""


@pytest.mark.slow
def test_a_fresh_process_prints_no_line(tmp_path: Path) -> None:
    """TensorFlow's libraries write to the file descriptor of the standard error while they load."""
    (tmp_path / "fresh.py").write_text(FRESH)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "fresh.py")], capture_output=True, check=True
    )
    assert done.stdout + done.stderr == b""


def test_few_texts_load_no_tensorflow_and_print_nothing(tmp_path: Path) -> None:
    (tmp_path / "few.py").write_text(FEW)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "few.py")], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@pytest.fixture(scope="module")
def single(reviews: pd.DataFrame, no_graphs: None) -> TextClassifier:
    """A classifier whose GRU is not trained, because it needs more texts."""
    blocks = {**SMALL, "gru": {"min_texts": 1000}, "training": {"epochs": 1}}
    classifier = TextClassifier(**blocks)
    return classifier.fit(reviews["text"], reviews["label"], groups=reviews["group"])


def test_one_of_two_networks_can_be_trained(single: TextClassifier) -> None:
    expected = {"lstm", "lstm_alone", "nb_ngram"}
    assert set(single.leaderboard()["classifier"]) == expected


def test_report_of_one_network_has_no_comparison_of_two(
    single: TextClassifier, tmp_path: Path
) -> None:
    single.report(tmp_path / "report.html")
    assert "LSTM against GRU" not in (tmp_path / "report.html").read_text()


@pytest.fixture(scope="module")
def five() -> TextClassifier:
    """A classifier of five classes."""
    rng = np.random.default_rng(0)
    plain = ["das", "ist", "war", "zu", "sehr", "und", "ich", "habe"]
    labels = [name for name in TELLING for _ in range(40)]
    texts = [
        " ".join(rng.permutation([*rng.choice(plain, 5), *rng.choice(TELLING[label], 2)]))
        for label in labels
    ]
    return TextClassifier(vocabulary={"min_count": 1}).fit(texts, labels, verbose=False)


FIVE_TEXTS = [f"das war sehr {words[0]} und {words[1]}" for words in TELLING.values()]


def test_texts_of_five_classes_get_their_label(five: TextClassifier) -> None:
    assert five.predict(FIVE_TEXTS)["label"].tolist() == list(TELLING)


def test_each_of_five_classes_has_a_probability(five: TextClassifier) -> None:
    columns = [f"probability {name}" for name in TELLING]
    predicted = five.predict(FIVE_TEXTS)
    assert [name for name in predicted if name.startswith("probability")] == columns
    assert predicted[columns].sum(axis=1).tolist() == pytest.approx([1.0] * 5)


def test_text_without_a_known_word_has_equal_probabilities(five: TextClassifier) -> None:
    predicted = five.predict(["xyzzy"])
    assert predicted["label"].tolist() == ["unknown"]
    assert predicted[[f"probability {name}" for name in TELLING]].to_numpy().tolist() == [[0.2] * 5]


def test_words_behind_an_answer_are_named(five: TextClassifier) -> None:
    words = five.predict(["das war frech und sehr laut"], explain=True)["words_for"][0]
    assert set(list(words)[:2]) == {"frech", "laut"}


def test_doubtful_text_is_abstained(five: TextClassifier) -> None:
    predicted = five.predict(["das paket ist frech"], abstain_below=0.95)
    assert predicted["label"].tolist() == ["abstained"]


def test_leaderboard_of_five_classes_has_the_macro_f1(five: TextClassifier) -> None:
    assert five.leaderboard()["macro_f1"].tolist() == [1.0]


def test_saved_classifier_of_five_classes_predicts_the_same(
    five: TextClassifier, tmp_path: Path
) -> None:
    five.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.predict(FIVE_TEXTS), five.predict(FIVE_TEXTS))


def test_report_names_five_classes(five: TextClassifier, tmp_path: Path) -> None:
    five.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert [name for name in TELLING if f"<td>{name}</td>" not in page] == []


def test_loaded_classifier_has_no_report(five: TextClassifier, tmp_path: Path) -> None:
    five.save(tmp_path / "model")
    with pytest.raises(ParameterError, match="a loaded classifier has no report"):
        TextClassifier.load(tmp_path / "model").report(tmp_path / "report.html")


def test_a_classifier_shows_its_networks(fitted: TextClassifier) -> None:
    first, _second, *_table = repr(fitted).splitlines()
    assert first == "TextClassifier(lstm=2, gru=2)"


def test_a_classifier_shows_its_state(fitted: TextClassifier) -> None:
    best = fitted.leaderboard()["classifier"].iloc[0]
    _first, second, *_table = repr(fitted).splitlines()
    assert second.startswith("Fitted. The least log loss on the test part, ")
    assert second.endswith(f" is that of {best}.")


def test_a_classifier_shows_the_leaderboard(fitted: TextClassifier) -> None:
    best = fitted.leaderboard()["classifier"].iloc[0]
    _first, _second, *table = repr(fitted).splitlines()
    assert len(table) == 1 + len(fitted.leaderboard())
    assert f"<td>{best}</td>" in fitted._repr_html_()


def test_a_loaded_classifier_says_so(fitted: TextClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    assert repr(TextClassifier.load(tmp_path / "model")).endswith("\nLoaded.")


def test_a_classifier_that_was_not_fitted_says_so() -> None:
    assert "Not fitted" in TextClassifier()._repr_html_()


def test_blocks_are_arguments_with_the_defaults_of_the_file(project: Path) -> None:
    blocks = yaml.safe_load((project / "conf/base/parameters_sentiment.yml").read_text())[
        "sentiment"
    ]
    assert {*blocks} - {"source", "pointwise"} <= {*signature(TextClassifier).parameters}
    parameters = yaml.safe_load((project / "conf/base/parameters_sentiment.yml").read_text())[
        "sentiment"
    ]
    others = {"source", "pointwise"}
    assert TextClassifier().spec == read_sentiment_spec(
        {name: v for name, v in parameters.items() if name not in others}
    )


def test_saved_champion_predicts_the_same(
    fitted: TextClassifier, reviews: pd.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    texts = reviews["text"].tolist()[:20]
    loaded = TextClassifier.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.predict(texts), fitted.predict(texts), rtol=1e-6)
    with pytest.raises(ParameterError, match="no metrics"):
        loaded.leaderboard()
    # As the pipelines read one, with the memory of what it has seen.
    artefact = unpack(load_folder(tmp_path / "model"))
    rows = pd.DataFrame({"row": [1], "text": ["a great fine film"]})
    found = score_sentiment(artefact, rows)["probability"]
    assert found[0] == pytest.approx(fitted.predict(["a great fine film"])["probability"][0])
    assert 0 < len(artefact.seen) < len(reviews)


@pytest.mark.parametrize("name", ["settings", "vocabulary", "ngrams", "seen", "gru"])
def test_a_saved_classifier_that_is_damaged_is_refused(
    fitted: TextClassifier, tmp_path: Path, name: str
) -> None:
    fitted.save(tmp_path)
    (path,) = tmp_path.glob(f"{name}.*.*")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ChampionError, match=name):
        TextClassifier.load(tmp_path)


def test_threads_use_one_classifier(fitted: TextClassifier, reviews: pd.DataFrame) -> None:
    texts = reviews["text"].tolist()[:20]
    expected = fitted.predict(texts)
    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(fitted.predict, [texts] * 4):
            pd.testing.assert_frame_equal(found, expected, rtol=1e-6)


def test_a_classifier_that_has_learnt_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="Call fit"):
        TextClassifier().predict(["text"])
    with pytest.raises(ChampionError, match="no saved model"):
        TextClassifier.load(tmp_path)
    with pytest.raises(ReviewError, match="expected a list of groups, received 'ab'"):
        TextClassifier().fit(["good", "bad"], [1, 0], groups="ab")
    with pytest.raises(
        ReviewError, match="column 'group', row 1: expected a text that UTF-8 can hold"
    ):
        TextClassifier().fit(["good", "bad"], [1, 0], groups=["\ud800", "b"])


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ("one text", [1], r"expected a list of texts, received 'one text'\. Give one for"),
        (["good", 3], [1, 0], "expected texts, received 3 in row 2"),
        (["good", "bad"], [1], "received 2 of text, 1 of label"),
        (["good", "bad"], ["fine", "unknown"], "'unknown' is a result that is no class"),
        (["good", "bad"], [1, ["a"]], "row 2: expected a label: a text or a number"),
        (["good", "bad"], [1, 1], r"expected 2 to 50 classes, received \['positive'\]"),
        (["good", " "], [1, 0], r"expected 2 to 50 classes, received \['positive'\]"),
        (None, [1], "the texts: expected a list of texts, received None"),
        (["good", "bad"], None, "the texts: expected a list of labels, received None"),
        (["good", "bad"], 5, "the texts: expected a list of labels, received 5"),
        (["good", "bad"], "10", "the texts: expected a list of labels, received '10'"),
        (
            ["good", "b\ud800"],
            [1, 0],
            r"column 'text', row 2: expected a text that UTF-8 can hold, received 'b\\ud800'",
        ),
        (
            ["good", "bad"],
            ["pos", "n\ud800"],
            r"column 'label', row 2: expected a text that UTF-8 can hold",
        ),
    ],
)
def test_what_can_not_be_used_is_told(texts: list, labels: list, message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        TextClassifier().fit(texts, labels)


@pytest.mark.parametrize(
    ("texts", "received"),
    [
        (pd.DataFrame({"text": ["good", "bad"]}), "DataFrame"),
        ({"text": ["good", "bad"]}, "dict"),
        ({"good", "bad"}, "set"),
        (io.StringIO("good\nbad\n"), "StringIO"),
        ((text for text in ["good", "bad"]), "generator"),
        (np.array("good"), "ndarray"),
        (np.array([["good"], ["bad"]]), "ndarray"),
        (b"good", "b'good'"),
    ],
)
def test_what_is_no_list_is_refused_with_what_to_give(
    fitted: TextClassifier, texts: object, received: str
) -> None:
    message = rf"the texts: expected a list of texts, received {received}\. Give one .*, such as frame\['text'\]\."
    with pytest.raises(ReviewError, match=message):
        fitted.predict(texts)


@pytest.mark.parametrize("kind", [tuple, np.array, pd.Series, pd.Index])
def test_texts_may_be_any_sequence(
    fitted: TextClassifier, kind: Callable[[list[str]], object]
) -> None:
    texts = ["good film", "bad film"]
    assert fitted.predict(kind(texts))["text"].tolist() == texts


@pytest.mark.parametrize("texts", [None, 3, "one", ["b\ud800"], [None]])
def test_what_can_not_be_predicted_is_told(fitted: TextClassifier, texts: object) -> None:
    with pytest.raises(ReviewError, match=r"the texts.*: expected "):
        fitted.predict(texts)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({"trainin": {}}, r"trainin: no such parameter\. Did you mean training\?"),
        ({"epochs": 3}, r"epochs: no such parameter\. Did you mean training=\{'epochs': ...\}\?"),
        ({"gru": {"unit": 3}}, r"gru\.unit: no such parameter\. Did you mean gru\.units\?"),
        ({"gru": {"cell": "lstm"}}, r"gru\.cell: expected 'gru', .*received 'lstm'\."),
        (
            {"gru": {"units": 0}},
            r"gru\.units: Input should be greater than or equal to 1\. Received 0",
        ),
    ],
)
def test_a_wrong_parameter_is_named_with_what_would_be_right(blocks: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        TextClassifier(**blocks)


ALONE = (
    "import sys; from rnn_pipelines import TextClassifier; TextClassifier(); "
    "print({*sys.modules} & {*sys.argv[1:]})"
)


def test_naming_a_classifier_loads_neither_kedro_nor_keras() -> None:
    command = [sys.executable, "-c", ALONE, "kedro", "keras", "tensorflow", "sklearn", "plotly"]
    assert (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        == "set()"
    )


def test_scikit_learn_copies_a_classifier() -> None:
    original = TextClassifier(training={"epochs": 3})
    assert clone(original).spec == original.spec
