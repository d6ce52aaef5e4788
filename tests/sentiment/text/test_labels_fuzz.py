"""Hostile tables of texts and labels are read as a second, simpler reading does, or refused in words.

`RNN_FUZZ_LABELS` says how many; a failure names its seed.
"""

import random
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fuzzing import list_seeds
from rnn_pipelines import TextClassifier
from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.cleaning import clean_text
from rnn_pipelines.sentiment.text.schema import ReviewsTable, list_classes, sort_classes
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, parse_reviews, read_reviews
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec, assign_folds, split_reviews

SEEDS = list_seeds("RNN_FUZZ_LABELS", 1000)
NUM_FAST = 60

NAMES = [
    "Lieferung verspätet",
    "Жалоба",
    "ΣΊΣΥΦΟΣ",
    "straße",
    "İstanbul",
    "😡",
    "👩‍💻",
    "تأخير",
    "\u202eevil\u202c",
    "zero\u200bwidth",
    "e\u0301tat",
    "<b>bold</b>",
    "NUL\0inside",
    "\x1b[2J",
    "=1+1",
    "Books, music",
    "say ''this'' \"now\"",
    "two\nlines",
    "tab\there",
    "a; b; c",
    "|",
    "x" * 300,
    "007",
    "7",
    "1.10",
    "None",
    "NA",
    "none",
    "-",
]
EMPTY: list[Any] = [None, float("nan"), pd.NA, pd.NaT, "", "  ", "\u200b", "nan", "#N/A", "NULL"]
NO_LABELS: list[Any] = [["a", "b"], {"a": 1}, ("a",), {"a"}, b"a", np.array(["a"]), "\ud800"]
BINARY: list[list[Any]] = [
    ["0", "1"],
    [0, 1],
    [0.0, 1.0],
    [True, False],
    ["NEG", "pos"],
    ["negative", "1", "False"],
]
SEVERAL = ["{}; {}", "{}|{}", "{},{}", "{}\n{}", "{} ;{};"]
EMPTY_TEXTS: list[Any] = [
    None,
    float("nan"),
    pd.NA,
    "",
    " \t",
    "<br />",
    "&nbsp;",
    "\u200b\ufeff",
    "\0",
]
NO_TEXTS: list[Any] = [1, 2.5, True, b"a", ["a"], datetime(2026, 1, 1), "\ud800"]
TEXTS = [
    "Schöne Grüße aus Köln",
    "Очень плохо!",
    "很好",
    "😡😡😡",
    "\u202eright to left",
    "<p>Ein <b>Absatz</b> &amp; mehr</p>",
    "1 < 2 and 3 > 2",
    "NUL\0here",
    "two\nlines",
    "=HYPERLINK(1)",
    "12345",
    "2026-01-01",
    "null",
    "'\"",
    "a,b;c|d",
]

Cells = list[Any]


def make_few(source: random.Random) -> Cells:
    names = source.sample(NAMES, source.randint(1, 6))
    return [source.choice(names) for _ in range(source.randint(1, 40))]


def make_spellings(source: random.Random) -> Cells:
    changes: list[Callable[[str], str]] = [str.upper, str.lower, str.title, " {}  ".format, str]
    return [source.choice(changes)(name) for name in make_few(source)]


def make_numbers(source: random.Random) -> Cells:
    forms: list[Callable[[int], Any]] = [
        int,
        float,
        str,
        "{}.0".format,
        np.float32,
        np.int8,
        Decimal,
    ]
    forms.append(lambda number: number + 0.5)
    return [source.choice(forms)(source.randint(-2, 5)) for _ in range(source.randint(2, 40))]


def make_binary(source: random.Random) -> Cells:
    cells = source.choice(BINARY) * source.randint(1, 10)
    return cells + source.choice([[], [], ["neutral"], [2]])


def make_many(source: random.Random) -> Cells:
    num_classes = source.choice([2, 49, 50, 51, 60])
    form = source.choice(["{}", "class {}", "{}-{}"])
    return [form.format(n % num_classes, "x") for n in range(source.choice([60, 120, 300]))]


def make_ids(source: random.Random) -> Cells:
    return [f"#{number}" for number in range(source.choice([2, 50, 51, 500]))]


def make_imbalance(source: random.Random) -> Cells:
    return ["frequent"] * source.choice([30, 1000]) + ["rare"]


def make_times(source: random.Random) -> Cells:
    kinds: list[Any] = [date, datetime, pd.Timestamp]
    kind = source.choice(kinds)
    return [kind(2026, source.randint(1, 3), 1) for _ in range(source.randint(2, 20))]


KINDS = [
    *(make_few, make_spellings, make_numbers, make_binary),
    *(make_many, make_ids, make_imbalance, make_times),
]


def make_text(source: random.Random, earlier: Cells) -> Any:
    happens = source.random()
    if happens < 0.1:
        return source.choice(EMPTY_TEXTS)
    if happens < 0.2 and earlier:
        text = source.choice(earlier)
        return text.upper() + "\n" if isinstance(text, str) else text
    if happens < 0.2005:
        return "long " * 200_000
    return f"{source.choice(TEXTS)} {source.randrange(1000)}"


def make_table(source: random.Random) -> pd.DataFrame:
    labels = source.choice(KINDS)(source)
    changes: list[tuple[float, Callable[[], Any]]] = [
        (0.5, lambda: source.choice(EMPTY)),
        (0.1, lambda: source.choice(NO_LABELS)),
        (0.1, lambda: source.choice(["unknown", "Abstained", " UNKNOWN "])),
        (0.2, lambda: source.choice(SEVERAL).format(source.choice(labels), source.choice(labels))),
    ]
    for probability, make in changes:
        if source.random() < probability:
            labels.insert(source.randint(0, len(labels)), make())
    source.shuffle(labels)
    texts: Cells = []
    for _ in labels:
        texts.append(make_text(source, texts))
    if source.random() < 0.05:
        texts[source.randrange(len(texts))] = source.choice(NO_TEXTS)
    table = pd.DataFrame({"text": texts, "label": labels}, dtype=object)
    for column in table:
        is_plain = all(isinstance(cell, str) and cell != "\ud800" for cell in table[column])
        if is_plain and source.random() < 0.4:
            table[column] = table[column].astype(source.choice(["category", "str", "string"]))
    return table


def make_labels(source: random.Random, table: pd.DataFrame) -> dict[str, Cells] | None:
    """Return labels by class of some of the labels in the table, or of another one."""
    plain = {name_label(cell) for cell in table["label"] if is_label(cell)} - {""}
    kept = {name.casefold(): name for name in sorted(plain) if source.random() < 0.9}
    if source.random() < 0.7 or len(kept) < 2:
        return None
    first, *rest = kept.values()
    return {"first": [first, "not in the file"], "Зweite": rest}


def is_label(cell: object) -> bool:
    return not isinstance(cell, list | dict | tuple | set | bytes | np.ndarray | type(None)) and (
        cell != "\ud800" if isinstance(cell, str) else True
    )


def is_visible(text: str) -> bool:
    return any(unicodedata.category(sign)[0] not in "CZ" for sign in text)


def name_label(cell: Any) -> str:
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return ""
    words = unicodedata.normalize("NFC", str(cell)).split()
    hidden = {"\u200b", "\ufeff", *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])}
    signs = [sign for sign in " ".join(words) if unicodedata.category(sign) != "Cc"]
    name = " ".join("".join(sign for sign in signs if sign not in hidden).split())
    whole, point, zeros = name.partition(".")
    if point and set(zeros) == {"0"} and whole.lstrip("+-").isdecimal():
        name = whole
    return name if is_visible(name) and name.casefold() not in ("nan", "null", "#n/a") else ""


def read_independently(
    table: pd.DataFrame, labels: dict[str, Cells] | None
) -> dict[str, tuple[str, str]]:
    """Return text and class by row number; a ValueError for a table to refuse."""
    rows = list(enumerate(zip(table["text"], table["label"], strict=True), start=1))
    if any(isinstance(text, str) and text == "\ud800" for _, (text, _) in rows):
        raise ValueError("a text that is none")
    if not all(isinstance(text, str) or pd.isna(text) is True for _, (text, _) in rows):
        raise ValueError("a cell that is no text")
    if not all(label is None or is_label(label) for _, (_, label) in rows):
        raise ValueError("a cell that is no label")
    read = {
        str(number): (text, name_label(label), label)
        for number, (text, label) in rows
        if isinstance(text, str) and is_visible(clean_text(text)) and name_label(label)
    }
    counts = Counter(name for _, name, _ in read.values())
    keys = {name.casefold() for name in counts}
    if labels is None:
        for _, _, label in read.values():
            parts = [str(label)]
            for sign in ";|,\n":
                parts = [piece for part in parts for piece in part.split(sign)]
            parts = [name_label(part).casefold() for part in parts]
            if sum(map(bool, parts)) > 1 and {*parts} - {""} <= keys:
                raise ValueError("several labels")
        negative, positive = {"0", "false", "neg", "negative"}, {"1", "true", "pos", "positive"}
        if keys <= negative | positive:
            classes = dict.fromkeys(negative, "negative") | dict.fromkeys(positive, "positive")
        else:
            ordered = sorted(counts, key=lambda name: (-counts[name], name))
            classes = {name.casefold(): name for name in reversed(ordered)}
    else:
        classes = {name_label(x).casefold(): name for name, given in labels.items() for x in given}
    found = {
        number: (text, classes[name.casefold()])
        for number, (text, name, _) in read.items()
        if name.casefold() in classes
    }
    names = {name for _, name in found.values()}
    if not 2 <= len(names) <= 50 or {name.casefold() for name in names} & {"unknown", "abstained"}:
        raise ValueError("too few or too many classes, or the name of a result")
    return found


def check_split(reviews: pd.DataFrame, seed: int) -> None:
    """Check a split of texts without groups: no text on two sides, every class in training and in each fold it can."""
    try:
        parts, profile = split_reviews(reviews, ReviewSplitSpec(seed=seed))
    except ReviewError as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is right
        return
    keys = parts["text"].map(lambda text: " ".join(text.casefold().split()))
    assert keys[parts["part"] != "test"].is_unique
    assert not set(keys[parts["part"] == "test"]) & set(keys[parts["part"] != "test"])
    assert min(sizes["train"] for sizes in profile["num_texts_by_class"].values()) > 0
    assert sum(profile["num_dropped"][name] for name in ("in_test", "repeated")) == len(
        reviews
    ) - len(parts)
    folds = pd.crosstab(assign_folds(parts, 3), parts["label"]).drop(index=-1)
    assert (folds.max() - folds.min()).max() <= 1


def check_table(seed: int) -> bool:
    """Check the reading of one table, and return whether it was read."""
    source = random.Random(seed)
    table = make_table(source)
    labels = make_labels(source, table)
    spec = ReviewSourceSpec(path="my.csv", labels=labels)
    before = table.copy()
    try:
        expected = read_independently(table, labels)
    except ValueError as error:
        with pytest.raises(ReviewError, match=r"^my\.csv: ") as refused:
            parse_reviews(table, spec)
        message = str(refused.value)
        is_plain = message.isprintable() and len(message) < 1_500
        assert is_plain, error  # noqa: PT017 - either outcome is right
        return False
    reviews = ReviewsTable.validate(parse_reviews(table, spec))
    read = zip(reviews["text"], reviews["label"], strict=True)
    assert dict(zip(reviews["review_id"], read, strict=True)) == expected
    assert set(list_classes(reviews)) == {name for _, name in expected.values()}
    pd.testing.assert_frame_equal(table, before)
    if seed % 5 == 0:
        check_split(reviews.reset_index(drop=True), seed)
    return True


def check_tables(seeds: range) -> float:
    """Check tables, and return the fraction that was read."""
    num_read = 0
    for seed in seeds:
        try:
            num_read += check_table(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    return num_read / len(seeds)


def test_some_tables_are_read_right_or_refused_in_words() -> None:
    # So that it doesn't pass because nothing is read at all, or everything.
    assert 0.3 < check_tables(SEEDS[:NUM_FAST]) < 0.8


@pytest.mark.slow
def test_all_tables_are_read_right_or_refused_in_words() -> None:
    assert 0.3 < check_tables(SEEDS[NUM_FAST:]) < 0.8


@pytest.mark.parametrize("part", range(2))
def test_a_file_is_read_as_its_table(part: int, tmp_path: Path) -> None:
    """Of texts alone, because CSV has no other cells, and in any dialect."""
    for seed in SEEDS[part:NUM_FAST:2]:
        source = random.Random(seed)
        table = make_table(source)
        texts = [
            [str(cell) if isinstance(cell, str | int | float) else "" for cell in table[column]]
            for column in ("text", "label")
        ]
        plain = pd.DataFrame(dict(zip(("text", "label"), texts, strict=True)), dtype=object)
        # CSV readers end lines at \r, and the file's beginning of a cell is not kept.
        plain = plain.map(lambda cell: cell.replace("\0", "").replace("\ud800", "").strip())
        path = tmp_path / "my.csv"
        plain.to_csv(path, index=False, sep=source.choice(",;\t|"), encoding="utf-8-sig")
        try:
            expected = read_independently(plain, None)
        except ValueError:
            with pytest.raises(ReviewError, match=r"my\.csv"):
                read_reviews(ReviewSourceSpec(path=str(path)))
            continue
        reviews = read_reviews(ReviewSourceSpec(path=str(path)))
        read = zip(reviews["text"], reviews["label"], strict=True)
        assert dict(zip(reviews["review_id"], read, strict=True)) == expected, seed


def make_corpus(source: random.Random) -> tuple[list[str], list[str]]:
    """Return texts and labels of hostile names; most texts have a word of their class."""
    names = source.sample(NAMES, source.randint(2, 20))
    if source.random() < 0.2:
        names = [str(number) for number in range(source.randint(2, 50))]
    weights = [source.choice([1, 1, 20]) for _ in names]
    labels = source.choices(names, weights, k=source.choice([60, 120, 250]))
    texts = []
    for label in labels:
        words = [f"of{names.index(label)}", *source.choices(["and", "very", "not", "the"], k=5)]
        noise = source.choice([*TEXTS, "", "<br />", "\0", "long " * 1000])
        texts.append(f"{' '.join(words[source.randint(0, 1) :])} {noise}")
    texts[0] = source.choice(["", "long " * 200_000, texts[1].upper()])
    return texts, labels


def check_classifier(seed: int, folder: Path) -> bool:
    """Check the answers of a classifier of such texts, and return whether there were enough of them."""
    texts, labels = make_corpus(random.Random(seed))
    try:
        classifier = TextClassifier().fit(texts, labels, verbose=False)
    except ReviewError as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is right
        return False
    asked = [*texts[:5], *TEXTS, "", "\0", "\u202e", "unknown words alone", "long " * 20_000]
    table = classifier.predict(asked)
    assert table["text"].tolist() == asked
    read = read_independently(pd.DataFrame({"text": texts, "label": labels}, dtype=object), None)
    names = sort_classes(name for _, name in read.values())
    if len(names) > 2:
        probabilities = table[[f"probability {name}" for name in names]].to_numpy()
    else:
        probabilities = np.stack([1 - table["probability"], table["probability"]], axis=1)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(probabilities.max(axis=1), table["confidence"])
    likeliest = np.array(names)[probabilities.argmax(axis=1)]
    assert set(table["label"].where(table["label"] == likeliest, "unknown")) <= {*names, "unknown"}
    classifier.save(folder / "model")
    pd.testing.assert_frame_equal(TextClassifier.load(folder / "model").predict(asked), table)
    if seed % 5 == 1:
        classifier.report(folder / "report.html")
        page = (folder / "report.html").read_text()
        assert not [sign for sign in ("<b>bold", "\x1b") if sign in page]
    return True


def check_classifiers(seeds: range, folder: Path) -> float:
    """Check classifiers, and return the fraction that was fitted."""
    num_fitted = 0
    for seed in seeds:
        try:
            num_fitted += check_classifier(seed, folder)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    return num_fitted / len(seeds)


def test_a_classifier_of_hostile_texts_answers(tmp_path: Path) -> None:
    assert check_classifiers(range(1), tmp_path) == 1


@pytest.mark.slow
def test_classifiers_of_hostile_texts_answer(tmp_path: Path) -> None:
    assert check_classifiers(range(1, 30), tmp_path) > 0.8
