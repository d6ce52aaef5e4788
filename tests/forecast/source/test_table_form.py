"""The form of a table: names of columns, times and signs of results like those of the user's file."""

import pandas as pd
import pytest

from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.table_form import TableForm, describe_form

GERMAN = TableForm(time="Datum", target="Umsatz", time_format="%d.%m.%Y", decimal=",", sep=";")


def make_results(names: list[str]) -> pd.DataFrame:
    days = pd.date_range("2025-12-31", periods=len(names))
    return pd.DataFrame({"unique_id": names, "ds": days, "gru": 1.5, "gru-lo-80": 1.0})


def describe(times: list[str], found: dict[str, str]) -> TableForm:
    return describe_form(SourceSpec(path="a.csv"), found, pd.Series(times))


def test_results_are_written_like_the_file() -> None:
    written = GERMAN.write_csv(make_results(["umsatz"]), "gru").decode()
    assert written == '"Datum";"forecast";"lo-80"\n"31.12.2025";"1,5";"1,0"\n'


def test_several_series_without_a_column_of_names_are_a_column_series() -> None:
    assert "series" in GERMAN.name_results(make_results(["a", "b"]))


def test_the_column_of_the_series_keeps_its_name() -> None:
    form = TableForm(id="Filiale")
    assert "Filiale" in form.name_results(make_results(["a"]))


def test_results_keep_their_names_if_the_file_has_one_of_them() -> None:
    results = make_results(["a"])
    assert list(TableForm(time="forecast").name_results(results, "gru")) == [*results][1:]


def test_standard_names_stand_for_those_of_the_file() -> None:
    frame = pd.DataFrame({"ds": ["31.12.2025"], "y": [1.0]})
    assert list(GERMAN.name_columns(frame)) == ["Datum", "Umsatz"]


def test_columns_of_the_file_come_before_standard_names() -> None:
    frame = pd.DataFrame({"Datum": ["31.12.2025"], "Umsatz": [1.0], "y": [2.0]})
    assert list(GERMAN.name_columns(frame)) == ["Datum", "Umsatz", "y"]


@pytest.mark.parametrize(
    ("times", "found", "expected"),
    [
        (["2025-12-31"], {}, "2026-02-01"),
        (["31.12.2025"], {"time_format": "%d.%m.%Y"}, "01.02.2026"),
        (["2025-12"], {}, "2026-02"),
        (["2025-Q4"], {"time_format": "%Y-Q%q"}, "2026-Q1"),
        # Results have English names of months, and the file may have others.
        (["31. Dezember 2025"], {"time_format": "%d. %B %Y"}, "2026-02-01"),
        (["1767139200"], {"time_format": "unix_s"}, "2026-02-01"),
    ],
)
def test_times_have_the_form_of_the_file(
    times: list[str], found: dict[str, str], expected: str
) -> None:
    results = make_results(["a"]).assign(ds=pd.Timestamp("2026-02-01"))
    written = describe(times, found).write_csv(results).decode()
    assert written.splitlines()[1].split(",")[0].strip('"') == expected


def test_a_decimal_comma_separates_no_cells() -> None:
    assert describe(["2025"], {"decimal": "comma"}).sep == ";"


@pytest.mark.parametrize(
    ("form", "expected"),
    [("%d.%m.%Y", "dd.mm.yyyy"), (None, "yyyy-mm-dd"), ("%Y-Q%q", "yyyy-mm-dd")],
)
def test_times_in_excel_have_the_form_of_the_file(form: str | None, expected: str) -> None:
    assert TableForm(time_format=form).excel_format == expected
