"""The change of forecasts as people read it: a sentence first, then the largest changes, then a waterfall."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Bar, Figure

from golden import is_golden
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.model.change import DAY_AHEAD, NEWS, PARTS, VALUES, Change
from rnn_pipelines.forecast.report.change import (
    MAX_ROWS,
    choose_times,
    describe_change,
    draw_parts,
    note_failure,
    report_change,
    tabulate_changes,
    write_change,
)

DAYS = pd.to_datetime(["2026-09-30", "2026-10-01"])
VERSION = "2026-03-02T12.15.36.123456Z-a1b2c3"


def make_change(ids: tuple[str, ...] = ("october",), sign: float = 1.0, **others: Any) -> Change:
    """From 100 to 95.9 and 93.9: new values −3 and −5, a version −1.4 and covariates +0.3."""
    parts = {
        "new_values": [-3.0, -5.0],
        "revised_values": 0.0,
        "covariates": 0.3,
        "version": -1.4,
        "day_ahead": 0.0,
    }
    tables = [
        pd.DataFrame({"unique_id": name, "ds": DAYS, "before": 100.0 * sign, **parts})
        for name in ids
    ]
    table = pd.concat(tables, ignore_index=True)
    table.insert(3, "change", table[[*PARTS, DAY_AHEAD]].sum(axis=1))
    table.insert(3, "after", table["before"] + table["change"])
    rows = [
        (name, "new", pd.Timestamp("2026-09-28"), 95.0, 102.0, day, -2.0)
        for name in ids
        for day in DAYS
    ]
    news = pd.DataFrame([(name, 5, 4, 0) for name in ids], columns=["unique_id", *NEWS])
    given = {"table": table, "values": pd.DataFrame(rows, columns=list(VALUES)), "news": news}
    return Change(**{**given, "versions": ("earlier", VERSION), **others})


def test_the_sentence_names_the_largest_parts_first() -> None:
    change = choose_times(make_change(), "2026-10")
    assert write_change(change) == (
        "The forecast of october for 2026-10-01 fell by 6.1 (6.1 %), from 100.0 to 93.9: −5.0 (−5.0 %) from 5 new "
        "values (4 below their forecast), −1.4 (−1.4 %) from version a1b2c3, +0.3 (+0.3 %) from changed covariates. "
        "The value at 2026-09-28, 95.0 "
        "instead of an expected 102.0, lowers the forecast by 2.0."
    )


def test_the_sentence_of_a_panel_is_of_averages() -> None:
    text = write_change(make_change(("a", "b")))
    assert text.startswith(
        "The forecast of 2 series for 2026-09-30 to 2026-10-01, on average, fell by 5.1 (5.1 %)"
    )
    assert "−4.0 (−4.0 %) from 10 new values (8 below their forecast)" in text


def test_the_sentence_of_a_panel_names_the_series_of_a_value() -> None:
    text = write_change(make_change(("a", "b")))
    assert "The value of a at 2026-09-28" in text


def test_a_revised_value_stands_before_a_new_one() -> None:
    rows = [
        ("october", kind, DAYS[0], 9.0, 8.0, day, size)
        for kind, size in (("new", 7.0), ("revised", 0.5))
        for day in DAYS
    ]
    text = write_change(make_change(values=pd.DataFrame(rows, columns=list(VALUES))))
    assert text.index(
        "The revised value at 2026-09-30, 9.0 instead of 8.0, raises the forecast by 0.5."
    ) < text.index(
        "The value at 2026-09-30, 9.0 instead of an expected 8.0, raises the forecast by 7.0."
    )


def test_a_forecast_below_0_has_no_rate_of_change() -> None:
    text = write_change(make_change(sign=-1))
    assert "fell by 5.1, from −100.0 to −105.1: −4.0 from 5 new values" in text


def test_parts_near_0_are_left_out() -> None:
    change = make_change()
    text = write_change(Change(**{**vars(change), "table": change.table.assign(covariates=0.001)}))
    assert "covariates" not in text


def test_revision_is_named_even_if_it_has_no_effect() -> None:
    change = make_change()
    table = change.table.assign(revised_values=0.001)
    text = write_change(replace(change, table=table, news=change.news.assign(num_revised=1)))
    assert "from 1 revised value" in text


def test_small_change_is_shown_with_the_digits_that_differ() -> None:
    change = make_change()
    text = write_change(replace(change, table=change.table.assign(after=100.02, change=0.02)))
    assert "rose by 0.020 (0.0 %), from 100.000 to 100.020" in text


def test_parts_that_cancel_are_listed_under_no_change() -> None:
    change = make_change()
    for rest in (0.0, 0.001):
        parts = {
            **dict.fromkeys([*PARTS, DAY_AHEAD], 0.0),
            "revised_values": 4.0,
            "covariates": rest - 4.0,
        }
        table = change.table.assign(**parts, change=rest, after=100.0 + rest)
        text = write_change(replace(change, table=table, news=change.news.assign(num_revised=2)))
        assert (
            "did not change: +4.0 (+4.0 %) from 2 revised values, −4.0 (−4.0 %) from changed"
            in text
        )
        assert "0.0 %" not in text


def test_a_small_negative_number_has_no_sign_in_the_table() -> None:
    change = make_change()
    small = describe_change(replace(change, table=change.table.assign(version=-1e-9, before=-1e-9)))
    assert [(row[2], row[8]) for row in tabulate_changes(small["changes"]).rows] == [
        ("0.00", "0.00")
    ] * 2


@pytest.fixture(scope="module")
def unknown() -> dict[str, Any]:
    """The description of a change whose parts are unknown."""
    change = make_change()
    table = change.table.assign(**dict.fromkeys([*PARTS, DAY_AHEAD], np.nan))
    return describe_change(replace(change, table=table, notes=("The parts are unknown: why.",)))


def test_sentence_without_parts_has_the_change_alone(unknown: dict[str, Any]) -> None:
    assert unknown["sentence"].startswith(
        "The forecast of october for 2026-09-30 to 2026-10-01, on average, fell by 5.1 (5.1 %), from 100.0 to 94.9."
    )


def test_unknown_parts_are_missing_in_the_tables(unknown: dict[str, Any]) -> None:
    assert [row["version"] for row in unknown["changes"]] == [None, None]
    assert "–" in tabulate_changes(unknown["changes"]).rows[0]


def test_page_has_the_reason_for_unknown_parts(unknown: dict[str, Any]) -> None:
    assert "The parts are unknown: why." in report_change(unknown).render()


def test_page_has_the_reason_for_a_missing_explanation() -> None:
    page = report_change(note_failure("the inputs of 1 night are on record")).render()
    assert "The inputs of 1 night are on record" in page
    assert "Largest changes" not in page


@pytest.mark.parametrize(
    ("time", "days"), [(None, 2), ("2026-10-01", 1), ("2026", 2), ("2026-09", 1)]
)
def test_times_are_chosen_by_their_beginning(time: str | None, days: int) -> None:
    change = choose_times(make_change(), time)
    assert len(change.table) == len(change.values) == days


def test_unknown_times_are_refused() -> None:
    with pytest.raises(ParameterError, match="expected one from 2026-09-30 to 2026-10-01"):
        choose_times(make_change(), "2025-10")


def test_times_may_be_steps() -> None:
    steps = make_change()
    steps = Change(
        **{
            **vars(steps),
            "table": steps.table.assign(ds=[1, 12]),
            "values": steps.values.assign(ds=[1, 12]),
        }
    )
    assert choose_times(steps, "1").table["ds"].tolist() == [1]


def test_page_is_the_golden_one() -> None:
    change = make_change(("a", "<b>"), notes=("1 series had no forecast tonight.",))
    assert is_golden(
        report_change(describe_change(change, MAX_ROWS)).render(),
        Path(__file__).parent / "golden/change.txt",
    )


def test_description_is_json() -> None:
    change = make_change(tuple("abcdefghijkl"))
    found = describe_change(change, MAX_ROWS)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_largest_changes_are_described_first() -> None:
    change = make_change(tuple("abcdefghijkl"))
    description = describe_change(change, MAX_ROWS)
    sizes = [abs(row["change"]) for row in description["changes"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == MAX_ROWS


def test_description_without_a_limit_has_all_changes() -> None:
    change = make_change(tuple("abcdefghijkl"))
    assert len(describe_change(change)["changes"]) == 24


def test_times_of_the_series_are_described() -> None:
    change = make_change(tuple("abcdefghijkl"))
    found = describe_change(change, MAX_ROWS)
    assert [row["ds"] for row in found["series"]] == ["2026-09-30", "2026-10-01"]


def test_bars_of_the_parts_end_at_the_change() -> None:
    figure = draw_parts(describe_change(make_change())["series"])
    assert isinstance(figure, Figure)
    for bars, total in zip(figure.data, (-6.1, -4.1), strict=True):
        # The bundle of the pages has bars, but no waterfalls.
        assert isinstance(bars, Bar)
        assert bars.base[0] == bars.base[-1] == 0
        assert bars.base[1:-1] == pytest.approx(np.cumsum(bars.y[:-1])[:-1])
        assert sum(bars.y[:-1]) == pytest.approx(bars.y[-1]) == pytest.approx(total)


def test_menu_has_the_newest_time_first() -> None:
    figure = draw_parts(describe_change(make_change())["series"])
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == [
        "2026-10-01",
        "2026-09-30",
    ]
