"""A column of numbers is read as it is written, or refused with the parameter that says how."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.reading.numbers import Marks, parse_numbers, read_other_signs

UNKNOWN = Marks(None, None)


def read(
    cells: list[object], marks: Marks = UNKNOWN, is_comma_separated: bool = True
) -> tuple[list[float], dict]:
    values, found = parse_numbers(pd.Series(cells, name="y"), "my.csv", marks, is_comma_separated)
    return values.tolist(), found


def fail(cells: list[object], marks: Marks = UNKNOWN, is_comma_separated: bool = True) -> str:
    with pytest.raises(SeriesError) as caught:
        read(cells, marks, is_comma_separated)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cells", "values", "found"),
    [
        (["1", "-2.5", "+.5", "1e3"], [1, -2.5, 0.5, 1000], {}),
        (["1,5", "950", "0,25"], [1.5, 950, 0.25], {"decimal": "comma"}),
        (["1.234,5", "7"], [1234.5, 7], {"decimal": "comma", "thousands": "point"}),
        (["1,234.5", "7"], [1234.5, 7], {"thousands": "comma"}),
        (["1.234.567", "1"], [1234567, 1], {"decimal": "comma", "thousands": "point"}),
        (["1 000", "1\u00a0234,5"], [1000, 1234.5], {"decimal": "comma", "thousands": "space"}),
        (["1'000", "12’345.5"], [1000, 12345.5], {"thousands": "apostrophe"}),
        (["0.125", "0.250"], [0.125, 0.25], {}),
        (["12 kWh", "-1,234.5 kWh"], [12, -1234.5], {"thousands": "comma"}),
        (["€ 1.200,50", "€ 7"], [1200.5, 7], {"decimal": "comma", "thousands": "point"}),
        (["1.234 €", "5,5 €"], [1234, 5.5], {"decimal": "comma", "thousands": "point"}),
        (["$5", "-$1,000.50"], [5, -1000.5], {"thousands": "comma"}),
        (["12.5 %", "7%"], [12.5, 7], {}),
        (["3 m3", "4 m3"], [3, 4], {}),
        (["(1,234.50)", "7"], [-1234.5, 7], {"thousands": "comma"}),
        (["5-", "\u22127", "1"], [-5, -7, 1], {}),
    ],
)
def test_signs_are_found_from_all_numbers(
    cells: list[str], values: list[float], found: dict[str, str]
) -> None:
    assert read(cells, is_comma_separated=False) == (values, found)


POINT_OR_GROUPS = "source.decimal=point (1.234) or source.thousands=point (1,234)"
# Cells, given signs, whether commas part the cells of the file, and parts of the error.
REFUSED: list[tuple[list[object], Marks, bool, list[str]]] = [
    (["1.234", "950"], UNKNOWN, False, ["column 'y'", "all 2 values", POINT_OR_GROUPS]),
    (["1,234"], UNKNOWN, True, ["source.decimal=comma (1.234) or source.thousands=comma (1,234)"]),
    ([2.5, "1.234"], UNKNOWN, False, [POINT_OR_GROUPS]),
    ([2.5, "high", "1.5"], UNKNOWN, True, ["row 2", "'high'"]),
    *(
        (["2.5", cell, "3"], UNKNOWN, True, ["row 2"])
        for cell in (True, np.True_, 1j, datetime.timedelta(1))
    ),
    # Digits of other scripts fit the pattern of pandas.
    *(
        (["1.5", cell, "2.5"], UNKNOWN, is_csv, ["row 2"])
        for cell in ("１２", "١", "1٫5", "२.5")
        for is_csv in (0, 1)
    ),
    *(
        ([cell, cell], UNKNOWN, is_csv, ["none of its 2"])
        for cell in ("１２", "١", "1٫5", "२.5")
        for is_csv in (0, 1)
    ),
    (
        ["1,5"] * 1400,
        Marks(".", None),
        True,
        ["all 1,400", "source.decimal=comma instead of source.decimal=point"],
    ),
    (["5 kg", "6 kg", "1 t"], UNKNOWN, True, ["'kg' in row 1", "'t' in row 3"]),
    *(
        (["1", cell, "3"], UNKNOWN, True, ["row 2"])
        for cell in ("12o", "5 kg", "shop 1", "(5", "--5")
    ),
    # Broken exponents, quarters and times are no units.
    *(
        ([cell, cell], UNKNOWN, True, [repr(cell)])
        for cell in ("1E6'-9", "1E", "2e-", "3E5x", "2020Q1", "2020 Q1", "12:30")
    ),
    (["1.205,68 €", "980 €", "k.A. €"], UNKNOWN, True, ["row 3", "'k.A. €'"]),
    (["high", None, "low"], UNKNOWN, True, ["column 'y'", "none of its 2", "'high'"]),
    (["1,5", None, "high", "low"], UNKNOWN, True, ["row 3", "'high' (2 such"]),
    (["1.234,5", "1.23,5"], UNKNOWN, True, ["row 2", "'1.23,5'"]),
]


@pytest.mark.parametrize(("cells", "marks", "is_comma_separated", "parts"), REFUSED)
def test_cell_is_refused(
    cells: list[object], marks: Marks, is_comma_separated: bool, parts: list[str]
) -> None:
    message = fail(cells, marks, bool(is_comma_separated))
    assert [part for part in parts if part not in message] == []


def test_points_are_decimal_where_no_comma_says_otherwise() -> None:
    assert read(["1.234", "2.500"]) == ([1.234, 2.5], {})


def test_points_before_a_comma_are_groups() -> None:
    assert read(["1.234,5"], Marks(",", None))[1] == {"thousands": "point"}


def test_mixed_cells_become_numbers() -> None:
    mixed = pd.Series([2.5, "1,5", None, " "], name="price")
    np.testing.assert_array_equal(
        read_other_signs(mixed, "my.csv", UNKNOWN, True), [2.5, 1.5, np.nan, np.nan]
    )


def test_a_cell_beside_numbers_with_two_readings_is_refused() -> None:
    with pytest.raises(SeriesError, match=r"column 'price'.* '1,234', can be read in two ways"):
        read_other_signs(pd.Series([2.5, "1,234"], name="price"), "my.csv", UNKNOWN, True)


def test_missing_cells_beside_numbers_stay_missing() -> None:
    np.testing.assert_array_equal(read([None, "1,5", None])[0], [np.nan, 1.5, np.nan])


def test_missing_cells_alone_stay_missing() -> None:
    np.testing.assert_array_equal(read([None, None])[0], [np.nan, np.nan])


@pytest.mark.parametrize(
    ("marks", "value"),
    [(Marks(".", None), 1.234), (Marks(None, "."), 1234), (Marks(",", "."), 1234)],
)
def test_a_given_sign_decides(marks: Marks, value: float) -> None:
    assert read(["1.234", "950"], marks, is_comma_separated=False)[0] == [value, 950]


@pytest.mark.parametrize("number", [2.5, 999, 1e-7, Decimal("2.500")])
def test_numbers_beside_texts_choose_no_signs(number: object) -> None:
    """They are numbers whatever the texts say, and one that fits a sign is no word for it."""
    assert read([number, "1,5", "1.234,5"])[0] == [float(number), 1.5, 1234.5]
    assert fail([number, "1,234"]) == (
        "my.csv: column 'y': the texts, as '1,234', can be read in two ways. Give "
        "source.decimal=comma (1.234) or source.thousands=comma (1,234)."
    )
