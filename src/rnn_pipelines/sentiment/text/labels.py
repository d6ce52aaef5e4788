"""Labels of the user's own table, and the classes that they become."""

import logging
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated

import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import ReviewError, count, show, show_all
from rnn_pipelines.reading.table_files import is_broken
from rnn_pipelines.sentiment.text.files import check_text_cells
from rnn_pipelines.sentiment.text.schema import MAX_CLASSES, RESERVED_LABELS

# A label of parameters; 4 and 4.0 are the same.
Label = str | bool | Annotated[float, Field(ge=-1e15, le=1e15)]
Labels = Mapping[str, Sequence[Label]]

# If all labels are among these, the classes are negative and positive.
BINARY = {
    **dict.fromkeys(("0", "false", "neg", "negative"), "negative"),
    **dict.fromkeys(("1", "true", "pos", "positive"), "positive"),
}
# Missing markers of pandas, databases and Excel. NA and None can be classes.
EMPTY = ("", "nan", "<na>", "null", "#n/a", "#nv")
# Control characters, zero-width blanks, and signs that turn the direction of texts.
INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")
# 4.0 of a floating-point column is the label 4.
WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")
# Signs and line ends between several labels of one cell.
SEPARATORS = re.compile(r"[;|,\n]")

logger = logging.getLogger(__name__)


def has_content(text: str) -> bool:
    """Return whether a text has a visible character."""
    return any(character.isprintable() and character != " " for character in text)


def format_label(cell: object) -> str:
    """Return the name of a label, the same for 4, 4.0 and " 4 "; an empty text for an empty cell."""
    visible = INVISIBLE.sub("", " ".join(str(cell).split()))
    name = unicodedata.normalize("NFC", " ".join(visible.split()))
    name = WHOLE.sub(r"\1", name) if WHOLE.fullmatch(name) else name
    return name if has_content(name) and name.casefold() not in EMPTY else ""


def name_labels(cells: pd.Series) -> pd.Series:
    """Return the name of the label in each cell, missing in cells without one."""
    names = cells.map(format_label).astype("str")
    return names.where(cells.notna() & (names != ""))


def parse_labels(
    cells: pd.Series, is_read: pd.Series, labels: Labels | None, path: str | None
) -> pd.Series:
    """Return the class of each row, missing without a label, or with one that `labels` does not name.

    Args:
        cells: labels as they were read, with the name of their column.
        is_read: bool[num_rows], whether a row is read at all.
        labels: labels by class; None if each label is a class of its own. Case does not matter.
        path: the file, for messages.
    Raises:
        ReviewError: a cell is no single label, or there are fewer than 2 or more than 50 classes.
    """
    cells = cells.astype("object")
    check_text_cells(~cells.map(_is_label).astype(bool), cells, path, "a label: a text or a number")
    names = name_labels(cells).where(is_read)
    folded = names.str.casefold()
    if labels is None:
        _check_single_labels(cells, folded, path)
        by_label = _join_spellings(names)
    else:
        by_label = _index_labels(labels)
        unused = sorted(set(by_label).difference(folded))
        if unused:
            message = "%s: no row has these of sentiment.source.labels: %s"
            logger.warning(message, path, show_all(unused))
    classes = folded.map(by_label)
    _check_classes(classes.dropna(), names.dropna(), f"{path}: column {show(cells.name)}")
    return classes


def validate_labels(labels: Labels) -> None:
    """Raise a ValueError if classes share a label, or if their number or a name is not allowed."""
    if not 2 <= len(labels) <= MAX_CLASSES:
        raise ValueError(f"labels: expected 2 to {MAX_CLASSES} classes, received {len(labels)}")
    for name in labels:
        if format_label(name) != name or name.casefold() in RESERVED_LABELS:
            raise ValueError(f"labels: {show(name)} can't be the name of a class")
    listed = [format_label(label).casefold() for given in labels.values() for label in given]
    for label in listed:
        if listed.count(label) > 1:
            raise ValueError(f"labels: expected each label once, received {show(label)} twice")


def _is_label(cell: object) -> bool:
    is_plain = pd.api.types.is_scalar(cell) and not isinstance(cell, bytes)
    return is_plain and not is_broken(cell)


def _join_spellings(names: pd.Series) -> dict[str, str]:
    """Return the class of each label in lower case: its most frequent spelling, or negative and positive."""
    counts = names.value_counts().sort_index().sort_values(kind="stable", ascending=False)
    spellings = {name.casefold(): name for name in reversed(counts.index)}
    return BINARY if set(spellings) <= set(BINARY) else spellings


def _index_labels(labels: Labels) -> dict[str, str]:
    return {
        format_label(label).casefold(): name for name, given in labels.items() for label in given
    }


def _check_single_labels(cells: pd.Series, folded: pd.Series, path: str | None) -> None:
    """Raise a ReviewError for the first cell whose parts are labels of other cells."""
    labels = set(folded.dropna())

    def has_several(cell: object) -> bool:
        parts = [format_label(part).casefold() for part in SEPARATORS.split(str(cell))]
        filled = [part for part in parts if part]
        return len(filled) > 1 and labels.issuperset(filled)

    is_faulty = folded.notna() & cells.map(has_several).astype(bool)
    remedy = "Keep one label, or name the classes with sentiment.source.labels."
    check_text_cells(is_faulty, cells, path, "one label", remedy)


def _check_classes(classes: pd.Series, names: pd.Series, origin: str) -> None:
    """Raise a ReviewError for too few or too many classes, or for one with the name of a result."""
    unique = sorted(classes.unique())
    reserved = [name for name in unique if name.casefold() in RESERVED_LABELS]
    if reserved:
        raise ReviewError(
            f"{origin}: {show(reserved[0])} is a result that is no class. Rename the label in the file, or with "
            f"sentiment.source.labels, such as {{other: [{reserved[0]}]}}."
        )
    if 2 <= len(unique) <= MAX_CLASSES:
        return
    received = f"{len(unique):,} in {count(len(classes), 'row')}, such as {show_all(unique[:3])}"
    remedy = "Join labels with sentiment.source.labels, such as {low: [1, 2], high: [9, 10]}"
    if len(unique) < 2:
        received = f"{show_all(unique)} of the labels {show_all(names.unique())}"
        remedy = "Add texts of another class"
    raise ReviewError(
        f"{origin}: expected 2 to {MAX_CLASSES} classes, received {received}. "
        f"{remedy}, or name another column with sentiment.source.label."
    )
