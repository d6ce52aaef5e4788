"""Before a server is asked: what is missing is told, nothing of the password, and no library is loaded too early."""

import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from kedro.io import DatasetError

from rnn_pipelines.connectors.postgres.connection import make_engine_options
from rnn_pipelines.datasets import OptionalDataset, PostgresQueryDataset, PostgresRowsDataset

FORM = "postgresql://user:password@host:5432/database"


def make_query(con: str | None) -> PostgresQueryDataset:
    return PostgresQueryDataset(sql="select 1", credentials={"con": con})


def make_rows(con: str | None) -> PostgresRowsDataset:
    return PostgresRowsDataset(table="forecasts", key=["a"], credentials={"con": con})


USES = {
    "read": lambda con: make_query(con).load().read(),
    "load": lambda con: make_rows(con).load(),
    "save": lambda con: make_rows(con).save(pd.DataFrame({"a": [1], "b": [2.0]})),
    "exists": lambda con: make_rows(con).exists(),
}


@pytest.fixture(params=USES)
def fail(request: pytest.FixtureRequest) -> Callable[[str | None], DatasetError]:
    """Every use of a dataset, and its error."""

    def use(con: str | None) -> DatasetError:
        with pytest.raises(DatasetError) as caught:
            USES[request.param](con)
        return caught.value

    return use


@pytest.mark.parametrize("con", [None, ""], ids=["unset", "empty"])
def test_server_that_is_not_named_is_asked_for(
    fail: Callable[..., DatasetError], con: str | None
) -> None:
    assert str(fail(con)).endswith(
        f"no server is named. Set the environment variable RNN_POSTGRES_URL to {FORM}."
    )


@pytest.mark.parametrize("library", ["psycopg", "sqlalchemy"])
def test_missing_library_is_named_with_the_way_to_get_it(
    fail: Callable[..., DatasetError], library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    told = str(fail(FORM))
    assert library in told
    assert told.endswith('Install it: pip install "rnn-pipelines[postgres]".')


@pytest.mark.parametrize(
    ("con", "told"),
    [
        ("hunter2", "can't be read"),
        ("postgresql://hunter2:hunter2", "can't be read"),
        ("postgresql://user:p@hunter2@host/database", "%40"),
        ("postgresql://user:p@/hunter2@host/database", "%40"),
        ("postgresql://us/er:hunter2@host/database", "%2F"),
        ("postgresql:///user:hunter2@host/database", "%2F"),
        ("mysql://user:hunter2@host/database", "another kind"),
        ("postgres://user:hunter2@host/database", "another kind"),
        ("postgresql+psycopg2://user:hunter2@host/database", "another kind"),
    ],
)
def test_url_that_is_refused_is_not_quoted(
    fail: Callable[..., DatasetError], con: str, told: str
) -> None:
    """Neither in the message nor in the traceback, where libraries quote the part that they can't read."""
    error = fail(con)
    assert told in str(error)
    assert "hunter2" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("make", [make_query, make_rows])
def test_description_has_no_credentials(make: Callable[[str], Any]) -> None:
    dataset = make("postgresql://user:hunter2@host/database")
    assert "hunter2" not in f"{dataset!r} {dataset} {dataset._describe()}"


def test_descriptions_have_no_credentials() -> None:
    rows = {
        "type": "rnn_pipelines.datasets.PostgresRowsDataset",
        "table": "forecasts",
        "key": ["a"],
    }
    dataset = OptionalDataset(
        dataset=rows | {"credentials": {"con": "postgresql://user:hunter2@host/database"}}
    )
    assert "forecasts" in repr(dataset)
    assert "hunter2" not in repr(dataset)


def test_a_query_cannot_be_saved() -> None:
    with pytest.raises(DatasetError, match="select 1"):
        make_query(FORM).save(pd.DataFrame())


def test_datasets_load_no_library() -> None:
    code = (
        "import sys; from rnn_pipelines.datasets import PostgresQueryDataset, PostgresRowsDataset; "
        "PostgresQueryDataset(sql='select 1'); PostgresRowsDataset(table='a', key=['b']); "
        "print({'sqlalchemy', 'psycopg'} & set(sys.modules))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
        == "set()\n"
    )


def test_options_of_the_url_win() -> None:
    con = make_engine_options({"con": "postgresql://user:a%40b@host/database?connect_timeout=3"})[
        "con"
    ]
    assert (
        con
        == "postgresql://user:a%40b@host/database?connect_timeout=3&fallback_application_name=rnn-pipelines"
    )


def test_other_credentials_are_options_of_the_engine() -> None:
    options = make_engine_options({"con": FORM, "pool_pre_ping": True})
    assert (options["pool_pre_ping"], options["hide_parameters"]) == (True, True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\ud800b", "'a\\ud800b'"), ("a\0b", "'a\\x00b'")],
    ids=["half a sign", "NUL"],
)
def test_text_that_the_server_cannot_keep_is_shown_with_its_place(text: str, shown: str) -> None:
    """Before the server is asked."""
    data = pd.DataFrame({"a": [1, 2, 3], "shop": pd.Series(["Øre ☃", None, text], dtype=object)})
    with pytest.raises(DatasetError) as caught:
        make_rows(FORM).save(data)
    told = str(caught.value)
    assert ("table forecasts, column 'shop', row 3" in told, shown in told) == (True, True)
