"""The columns of texts and labels are chosen if a file leaves no doubt, and named in an error if it does."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.column_choice import choose_text_column, choose_text_columns
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

Save = Callable[[pd.DataFrame, Path], object]

TABLE = pd.DataFrame(
    {
        "Nr": range(1, 9),
        "Datum": [datetime(2026, 1 + number % 2, 1) for number in range(8)],
        "Kunde": ["Ärzte", "Bäcker", "Café", "Dom", "Eis", "Fuß", "Gäste", "Hof"],
        "Grund": ["Lieferung", "Rechnung ", "lieferung", "RECHNUNG"] * 2,
        "Beschwerde": [f"Die Lieferung {number} kam zu spät; schade!" for number in range(8)],
    }
)


def choose(table: pd.DataFrame, folder: Path, **given: str) -> tuple[str, str]:
    path = folder / "my.parquet"
    table.to_parquet(path)
    source = choose_text_columns(ReviewSourceSpec(path=str(path), **given), given)
    return source.text, source.label


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("my.csv", lambda table, path: table.to_csv(path, index=False)),
        ("semicolons.csv", lambda table, path: table.to_csv(path, index=False, sep=";")),
        ("latin.csv", lambda table, path: table.to_csv(path, index=False, encoding="latin-1")),
        ("mark.csv", lambda table, path: table.to_csv(path, index=False, encoding="utf-8-sig")),
        ("my.xlsx", lambda table, path: table.to_excel(path, index=False)),
        ("titles.xlsx", lambda table, path: table.to_excel(path, index=False, startrow=3)),
        ("my.parquet", lambda table, path: table.to_parquet(path)),
        ("categories.parquet", lambda table, path: table.astype("category").to_parquet(path)),
    ],
    ids=lambda name: name if isinstance(name, str) else "",
)
def test_longest_texts_and_their_only_labels_are_read(
    tmp_path: Path, name: str, save: Save, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name
    save(TABLE, path)
    with caplog.at_level("INFO", "rnn_pipelines.sentiment"):
        source = choose_text_columns(ReviewSourceSpec(path=str(path)), ())
    assert (source.text, source.label) == ("Beschwerde", "Grund")
    assert caplog.messages[-1] == (
        f"{path}: texts from 'Beschwerde', labels from 'Grund', not read: ['Nr', 'Datum', 'Kunde']"
    )


def test_columns_of_the_usual_names_are_read(tmp_path: Path) -> None:
    table = TABLE.assign(text=TABLE["Kunde"], label=TABLE["Datum"].astype(str))
    assert choose(table, tmp_path) == ("text", "label")


def test_named_columns_are_not_chosen(tmp_path: Path) -> None:
    assert choose(TABLE, tmp_path, text="Kunde") == ("Kunde", "Grund")
    shops = TABLE.assign(shop=["Nord", "Süd"] * 4)
    assert choose(shops, tmp_path, label="shop") == ("Beschwerde", "shop")
    assert choose(shops, tmp_path, group="shop") == ("Beschwerde", "Grund")


def test_long_single_words_are_not_the_texts(tmp_path: Path) -> None:
    keys = [f"{number:x}c0ffee-8a4b-4c3d-9e2f-{number:012x}-of-the-shop" for number in range(8)]
    assert choose(TABLE.assign(key=keys), tmp_path) == ("Beschwerde", "Grund")
    assert choose(TABLE.assign(Beschwerde=keys), tmp_path) == ("Beschwerde", "Grund")


def test_a_rare_label_is_in_the_only_other_column(tmp_path: Path) -> None:
    table = TABLE[["Beschwerde", "Grund"]].copy()
    table.loc[0, "Grund"] = "Lob"
    assert choose(table, tmp_path) == ("Beschwerde", "Grund")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.assign(stars=[1, 2] * 4), r"the labels\? Name one of \['Grund', 'stars'\] in sent"),
        (TABLE.drop(columns="Grund"), r"labels\? Name one of \['Nr', 'Datum', 'Kunde'\]"),
        (TABLE.assign(again=TABLE["Beschwerde"]), r"texts\? Name one of \['Beschwerde', 'again'\]"),
        (TABLE[["Beschwerde", "Kunde"]], r"labels\? Name one of \['Kunde'\]"),
        (TABLE[["Beschwerde"]], r"which column has the labels\? Add one\."),
        (TABLE[["Nr", "Datum"]], r"texts\? Name one of \['Nr', 'Datum'\] in sentiment.source.text"),
    ],
    ids=[
        "two columns of labels",
        "no labels",
        "two columns of texts",
        "names",
        "one column",
        "no texts",
    ],
)
def test_doubtful_columns_are_named(tmp_path: Path, table: pd.DataFrame, message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        choose(table, tmp_path)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (TABLE, "Beschwerde"),
        (TABLE.assign(text="kurz"), "text"),
        (TABLE[["Kunde"]], "Kunde"),
        (TABLE[["Nr"]], "Nr"),
    ],
    ids=["longest", "usual name", "only one", "only numbers"],
)
def test_texts_without_labels_are_found_as_those_with_labels(
    tmp_path: Path, table: pd.DataFrame, column: str
) -> None:
    path = tmp_path / "new.csv"
    table.to_csv(path, index=False)
    assert choose_text_column(str(path)) == column


def test_two_columns_of_equally_long_texts_are_named(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    pd.DataFrame({"a": ["good"], "b": ["poor"], "c": ["so"]}).to_csv(path, index=False)
    with pytest.raises(ReviewError, match=r"Name one of \['a', 'b'\] in predict_sentiment.text"):
        choose_text_column(str(path))
