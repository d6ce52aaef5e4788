"""A spreadsheet finds no formula among the texts of a file, and whoever reads it finds every text."""

import csv
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError

from rnn_pipelines.datasets import SpreadsheetCSVDataset
from rnn_pipelines.storage.spreadsheets import mark_text, unmark_text

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u3000=1",
    "＝1",
    "＋1",
    "－1",
    "＠a",
    "'=1",
]
# As Kedro makes its own catalog: an entry for each file that people open.
ENTRIES = ["predict_sentiment_scores", "forecast_next_values_csv"]


def write(folder: Path, data: pd.DataFrame) -> SpreadsheetCSVDataset:
    dataset = SpreadsheetCSVDataset(filepath=str(folder / "scores.csv"))
    dataset.save(data)
    return dataset


def read_cells(folder: Path) -> list[str]:
    """As another program does."""
    with (folder / "scores.csv").open(newline="", encoding="utf-8") as file:
        return [row[0] for row in list(csv.reader(file))[1:]]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_could_be_a_formula_stands_behind_a_mark(tmp_path: Path, text: str) -> None:
    write(tmp_path, pd.DataFrame({"text": [text]}))
    assert read_cells(tmp_path) == [f"'{text}"]


@pytest.mark.parametrize("text", ["a good film", "1-1", "a=b", "5 * 3", '"=1"', "ﬁne", "", "#1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert mark_text(text) == text


def test_numbers_are_no_texts(tmp_path: Path) -> None:
    write(tmp_path, pd.DataFrame({"y": [-1.5, 2.0]}))
    assert read_cells(tmp_path) == ["-1.5", "2.0"]


def test_texts_come_back(tmp_path: Path) -> None:
    data = pd.DataFrame({"row": range(1, len(FORMULAS) + 2), "text": [*FORMULAS, None]})
    pd.testing.assert_frame_equal(write(tmp_path, data).load(), data)


def test_saving_does_not_change_the_texts(tmp_path: Path) -> None:
    data = pd.DataFrame({"text": ["=1"]})
    write(tmp_path, data)
    assert data["text"].tolist() == ["=1"]


def test_categories_are_texts(tmp_path: Path) -> None:
    write(tmp_path, pd.DataFrame({"text": pd.Categorical(["=1", "=1"])}))
    assert read_cells(tmp_path) == ["'=1", "'=1"]


def test_a_line_break_begins_no_formula(tmp_path: Path) -> None:
    # Which could be a formula again.
    write(tmp_path, pd.DataFrame({"text": ["a\r=1+1"], "y": [1.0]}))
    assert read_cells(tmp_path) == ["a\r=1+1"]


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    loaded = write(
        tmp_path, pd.DataFrame({"text": pd.Series(dtype="str"), "y": pd.Series(dtype="float64")})
    ).load()
    assert (list(loaded), len(loaded)) == (["text", "y"], 0)


def test_half_a_sign_is_refused_before_the_file_changes(tmp_path: Path) -> None:
    dataset = write(tmp_path, pd.DataFrame({"text": ["good"]}))
    texts = pd.Series(["good", "b\ud800"], dtype="object")
    with pytest.raises(DatasetError, match=r"column 'text', row 2: .* received 'b\\ud800'"):
        dataset.save(pd.DataFrame({"text": texts}))
    assert dataset.load()["text"].tolist() == ["good"]


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("RNN_FUZZ_TEXTS", "300")), derandomize=True, deadline=None
)
@given(
    texts=st.lists(
        st.one_of(st.text(st.characters(codec="utf-8")), st.text("=+-@'\t\r\n\" ,;＝ a1")),
        min_size=1,
    )
)
def test_any_texts_come_back_from_the_file(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """But for those that pandas takes for none, such as an empty one or a number, and a NUL, at which it stops."""
    texts = [text.replace("\0", "") + " ." for text in texts]
    data = pd.DataFrame({"text": texts, "y": 1.5})
    pd.testing.assert_frame_equal(write(tmp_path_factory.mktemp("texts"), data).load(), data)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("RNN_FUZZ_TEXTS", "2000")), derandomize=True, deadline=None
)
@given(st.one_of(st.text(), st.text("=+-@'\t\r\n\" ,;＝ a1")))
def test_one_mark_less_is_the_text_that_was(text: str) -> None:
    assert unmark_text(mark_text(text)) == text
    assert mark_text(text).lstrip()[:1] not in {"=", "+", "-", "@"}


@pytest.mark.parametrize("entry", ENTRIES)
def test_files_for_people_are_written_like_this(entry: str) -> None:
    from kedro.config import OmegaConfigLoader

    loader = OmegaConfigLoader(
        str(Path(__file__).parents[2] / "conf"), base_env="base", default_run_env="base"
    )
    assert loader["catalog"][entry]["type"] == "rnn_pipelines.datasets.SpreadsheetCSVDataset"
