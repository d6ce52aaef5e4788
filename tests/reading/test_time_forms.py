"""The forms of a cell are found by its shape, and are all that can read it."""

from datetime import datetime

import pandas as pd
import pytest

from rnn_pipelines.reading.time_forms import _list_by_shape, list_forms
from rnn_pipelines.reading.times import read_times

ALL = [form for forms in _list_by_shape().values() for form in forms]
DATES = [datetime(2024, 5, 7, 14, 30, 5), datetime(1999, 11, 28)]


def list_cells() -> list[str]:
    """A cell of each form and date, also without leading zeros, in German, in capitals, and with two blanks."""
    cells = [date.strftime(form.replace("%q", "2")) for form in ALL for date in DATES]
    cells += [cell.replace("May", "Mai").replace("November", "Nov.") for cell in cells]
    cells += [cell.lower() for cell in cells[::7]] + [cell.upper() for cell in cells[::5]]
    cells += [cell.replace(" ", "  ") for cell in cells[::3]] + [
        cell.replace("07", "7") for cell in cells[::2]
    ]
    return sorted(
        {
            *cells,
            "5. März 2024",
            "Okt 24",
            "12 JÄN. 2023",
            "24-Q1",
            "1.5",
            "Marchs 2024",
            "3 2024 Mar",
        }
    )


def test_no_other_form_reads_a_cell() -> None:
    # All of the cells take 18 seconds.
    cells = pd.Series(list_cells()[::11], name="ds")
    candidates = [set(list_forms(cell)) for cell in cells]
    for form in ALL:
        read = read_times(cells, form).notna()
        assert [
            cell
            for cell, can, own in zip(cells, read, candidates, strict=True)
            if can and form not in own
        ] == []


def test_few_forms_are_tried() -> None:
    assert max(map(len, _list_by_shape().values())) <= 6


@pytest.mark.parametrize(
    ("cell", "forms"),
    [
        ("05-Mar-2024", ["%d-%b-%Y", "%d-%B-%Y"]),
        ("5. März 2024", ["%d. %b %Y", "%d. %B %Y"]),
        ("31.12.24", ["%d.%m.%y", "%m.%d.%y", "%y.%m.%d"]),
        ("2024 Q1", ["%Y Q%q"]),
        ("shop 7", []),
    ],
)
def test_forms_of_a_cell_are_in_the_order_of_trial(cell: str, forms: list[str]) -> None:
    assert list_forms(cell) == forms
