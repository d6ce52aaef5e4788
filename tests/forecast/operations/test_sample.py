"""A sample has the form of a table, and nothing of its content."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_pipelines.forecast.operations.sample import SampleProfile, make_sample, profile_table
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.offsets import add_steps

SOURCE = SourceSpec(path="sales.csv", time="day", target="sales", id="shop")
COVARIATES = CovariateSpec(future="price", past="note", static="region")
NUM_STEPS, HORIZON = 30, 3
# Such names and numbers do not occur by chance.
NAMES = st.lists(st.text("QXZ", min_size=8, max_size=12), min_size=1, max_size=4, unique=True)
VALUES = st.integers(123_456_789, 999_999_999)


def make_tables(
    names: list[str], value: float = 1.25, freq: str | int = "D"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    start: Any = 0 if isinstance(freq, int) else pd.Timestamp("2024-03-01")
    times = [add_steps(start, number, freq) for number in range(NUM_STEPS)]
    rows = pd.concat(pd.DataFrame({"unique_id": name, "ds": times}) for name in names)
    table = rows.assign(y=value + np.resize([0.0, 1.0, np.nan], len(rows)))
    text = f"{names[0]} note"
    covariates = rows.assign(price=value, note=text, region=rows["unique_id"] + " region")
    return table.reset_index(drop=True), covariates.reset_index(drop=True)


def profile(names: list[str], value: float = 1.25, freq: str | int = "D") -> SampleProfile:
    return profile_table(*make_tables(names, value, freq), SOURCE, COVARIATES, HORIZON)


@settings(max_examples=25, deadline=None)
@given(names=NAMES, value=VALUES)
def test_no_value_occurs_in_profile_or_sample(names: list[str], value: int) -> None:
    """Neither an id, nor a text, nor a number, nor a time of the table."""
    made = profile(names, value)
    content = json.dumps(made) + make_sample(made).to_csv()
    for cell in [*names, "note ", " region", str(value), str(value + 1), "2024-03"]:
        assert cell not in content


def test_columns_are_those_of_the_table() -> None:
    sample = make_sample(profile(["a", "b"]))
    assert set(sample) == {"shop", "day", "sales", "price", "note", "region"}


def test_number_of_series_is_that_of_the_table() -> None:
    assert make_sample(profile(["a", "b"]))["shop"].nunique() == 2


def test_steps_ahead_have_covariates_only() -> None:
    rows = make_sample(profile(["a"])).iloc[NUM_STEPS:]
    assert len(rows) == HORIZON
    assert rows["sales"].isna().all()
    assert rows["price"].notna().all()


@pytest.mark.parametrize(("value", "decimals"), [(7, 0), (1.25, 2), (1 / 3, 6)])
def test_values_are_rounded_as_in_the_table(value: float, decimals: int) -> None:
    sales = make_sample(profile(["a"], value))["sales"].dropna()
    assert profile(["a"], value)["columns"]["sales"]["decimals"] == decimals
    assert (sales.round(decimals) == sales).all()


def test_share_of_missing_values_is_about_that_of_the_table() -> None:
    sales = make_sample(profile([f"shop {number}" for number in range(40)]))["sales"]
    known = sales.to_numpy().reshape(40, -1)[:, :NUM_STEPS]
    assert np.isnan(known).mean() == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("freq", ["D", "h", "MS", "W-SUN", "B", "QS-JAN", "D-SUN", "15min", 1, 7])
def test_times_have_the_spacing_of_the_table(freq: str | int) -> None:
    made = profile(["a"], freq=freq)
    days = make_sample(made)["day"]
    assert made["freq"] == freq
    steps = [add_steps(days[0], number, freq) for number in range(len(days))]
    assert days.tolist() == steps


def test_static_column_has_one_value_for_each_series() -> None:
    sample = make_sample(profile(["a", "b"]))
    assert (sample.groupby("shop")["region"].nunique() == 1).all()


def test_same_profile_makes_the_same_rows() -> None:
    made = profile(["a"])
    pd.testing.assert_frame_equal(make_sample(made), make_sample(json.loads(json.dumps(made))))


def test_covariates_of_a_csv_file_are_numbers_as_the_pipeline_reads_them() -> None:
    table, covariates = make_tables(["a"])
    covariates["price"] = ["1.5", " ", *["2"] * (NUM_STEPS - 2)]
    column = profile_table(table, covariates, SOURCE, COVARIATES, HORIZON)["columns"]["price"]
    assert column == {"decimals": 1, "missing": 3}
