"""The choice of the columns of texts and labels that the user did not name."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from rnn_pipelines.errors import ReviewError, show, show_all
from rnn_pipelines.reading.table_files import Selection
from rnn_pipelines.reading.user_files import read_columns
from rnn_pipelines.sentiment.text.files import FILES as TEXT_FILES
from rnn_pipelines.sentiment.text.files import TextFileSpec, holds_lines
from rnn_pipelines.sentiment.text.labels import format_label
from rnn_pipelines.sentiment.text.schema import MAX_CLASSES
from rnn_pipelines.sentiment.text.source import FILES, ReviewSourceSpec

# A label that fewer rows have is likely a text or an ID.
MIN_TEXTS = 2
DATE = r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}\b.*"

logger = logging.getLogger(__name__)


def choose_text_columns(source: ReviewSourceSpec, given: Collection[str]) -> ReviewSourceSpec:
    """Return the source with its columns of texts and labels; `given` are the fields that the user named.

    By default, these are `text` and `label`. Else the texts are the column with the longest ones on average; columns of
    single words, such as addresses, come last. The labels are the only other column with 2 to 50 different ones, each
    in at least two rows, that are no dates. If there is one other column, a rare label may be in a single row.

    Raises:
        ReviewError: no column or several can be the one; the message names them.
    """
    if {"text", "label"} <= set(given):
        return source
    columns_given = (getattr(source, field) for field in given)
    named = [column for column in columns_given if column is not None]
    # No cell is read as a number.
    columns = Selection(named, None, has_all=True)
    table = read_columns(Path(str(source.path)), columns, FILES)
    free = [name for name in table if name not in named]
    if "text" not in given:
        longest = _find_longest(table[[name for name in free if name != source.label]])
        text = _choose(source.path, "sentiment.source.text", source.text, free, longest)
        source = source.model_copy(update={"text": text})
    if "label" not in given:
        rest = [name for name in free if name != source.text]
        # A rare label does not hide the only column that can be meant.
        is_alone = len(rest) == 1
        fitting = [name for name in rest if _holds_labels(table[name], on_average=is_alone)]
        label = _choose(source.path, "sentiment.source.label", source.label, rest, fitting)
        source = source.model_copy(update={"label": label})
    columns_read = f"texts from {show(source.text)}, labels from {show(source.label)}"
    unread = [name for name in free if name not in (source.text, source.label)]
    logger.info("%s: %s, not read: %s", source.path, columns_read, show_all(unread))
    return source


def choose_text_column(path: str) -> str:
    """Return the column with the texts of a file without labels, chosen as by `choose_text_columns`."""
    usual = TextFileSpec().text
    if holds_lines(path):
        return usual
    table = read_columns(Path(path), Selection([], None, has_all=True), TEXT_FILES)
    free = list(table)
    column = _choose(path, TEXT_FILES.columns, usual, free, _find_longest(table) or free)
    if column != usual:
        logger.info("%s: texts from %s", path, show(column))
    return column


def _choose(
    path: str | None, parameter: str, usual: str, free: Sequence[str], fitting: Sequence[str]
) -> str:
    """Return the column of the usual name, or the only one that fits; an error names the parameter."""
    if usual in free:
        return usual
    if len(fitting) != 1:
        field = parameter.rpartition(".")[2]
        advice = f"Name one of {show_all(fitting or free)} in {parameter}." if free else "Add one."
        raise ReviewError(f"{path}: which column has the {field}s? {advice}")
    return fitting[0]


def _find_longest(table: pd.DataFrame) -> list[str]:
    """Return the column with the longest texts; several if they are equally long, none without texts."""
    measured = {name: _measure_texts(table[name]) for name in table}
    most = max(measured.values(), default=(False, 0.0))
    return [name for name, texts in measured.items() if texts == most and texts[1] > 0]


def _measure_texts(cells: pd.Series) -> tuple[bool, float]:
    """Return whether most texts have several words, and their mean length: 0 if hardly a cell has a letter."""
    texts = cells.dropna().astype("str").str.strip()
    filled = texts[texts != ""]
    if not filled.str.contains(r"[^\W\d_]").mean() > 0.5:
        return False, 0.0
    return bool(filled.str.contains(r"\s").mean() > 0.5), float(filled.str.len().mean())


def _holds_labels(cells: pd.Series, on_average: bool) -> bool:
    """Return whether the cells can be labels: each one, or a label on average, is that of several rows."""
    names = cells.dropna().map(format_label).astype("str").str.casefold()
    counts = names[names != ""].value_counts()
    if counts.index.str.fullmatch(DATE).all():
        return False
    num_texts = counts.mean() if on_average else counts.min()
    return 2 <= len(counts) <= MAX_CLASSES and num_texts >= MIN_TEXTS
