"""The names of totals."""

import pytest
from pydantic import ValidationError

from rnn_pipelines.forecast.totals.specs import TotalsSpec


def test_a_product_has_the_columns_of_its_groups_and_its_period():
    total = TotalsSpec(("region × shop x month",)).totals[0]
    assert (total.name, total.columns, total.period) == (
        "region × shop × month",
        ("region", "shop"),
        "month",
    )


def test_a_period_alone_is_of_all_series():
    assert (
        TotalsSpec("week").totals
        == TotalsSpec("all × week").totals[:0] + TotalsSpec(["week"]).totals
    )
    assert TotalsSpec("week").totals[0].columns == ()


def test_a_text_lists_totals():
    assert TotalsSpec("all+region*week").root == ("all", "region × week")


def test_the_columns_are_those_to_read_from_the_table():
    assert TotalsSpec("all+series × week+region × month").columns == ("region",)


@pytest.mark.parametrize("name", ["", "week × month", "region × region", "region ×"])
def test_a_name_without_meaning_is_refused(name):
    with pytest.raises(ValidationError, match="expected columns, all, series or one of"):
        TotalsSpec((name,))


@pytest.mark.parametrize("value", [5, [["all"]], {"all": 1}])
def test_what_is_no_list_of_names_is_refused(value):
    with pytest.raises(ValidationError, match="expected names such as all, region or week"):
        TotalsSpec.model_validate(value)
