"""Covariates become numbers by what the training part has, and what is missing in them is treated as stated."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.columns import Role
from rnn_pipelines.forecast.series.tables import Features
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.coding import (
    MAX_DEVIATIONS,
    MAX_LEVELS,
    Coding,
    add_coded_covariates,
    fit_coding,
    read_cells,
)

NUM_TRAIN = 4
NUM_DAYS = 6
NUM_FUTURE = 2


def code(role: Role, *cells: Sequence[object]) -> dict[str, list[list[float]]]:
    """The numbers of a covariate, by name and series; four days of training, two more, and two ahead."""
    table = pd.concat(
        pd.DataFrame(
            {
                "unique_id": f"s{number}",
                "ds": np.arange(len(own)),
                "x": pd.Series(own, dtype=object),
            }
        )
        for number, own in enumerate(cells)
    )
    keys = table[table["ds"] < NUM_DAYS].assign(y=1.0, observed=True).reset_index(drop=True)
    names = [f"s{number}" for number in range(len(cells))]
    cutoffs = pd.DataFrame({"unique_id": names, "train_stop": NUM_TRAIN})
    coding = fit_coding(keys.drop(columns="x"), cutoffs, CovariateSpec(**{role: ("x",)}), table)
    ahead = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": np.arange(NUM_DAYS + NUM_FUTURE)}) for name in names
    )
    features = Features(ahead.assign(y=1.0, observed=True).reset_index(drop=True))
    found = add_coded_covariates(features, coding, table, NUM_FUTURE)
    return {
        name: found.table[name].to_numpy().reshape(len(cells), -1).round(4).tolist()
        for name in found.names
    }


def test_numbers_are_scaled_by_the_training() -> None:
    assert code("future", [1, 3, 1, 3, 5, 7, 9, 2])["future:x"] == [[-1, 1, -1, 1, 3, 5, 7, 0]]


def test_numbers_of_a_series_have_its_own_scale() -> None:
    one, other = code("future", [1, 3, 1, 3, 1, 1, 1, 1], [10, 30, 10, 30, 10, 10, 10, 10])[
        "future:x"
    ]
    assert one == other


def test_static_numbers_are_scaled_over_the_series() -> None:
    assert code("static", [1] * 8, [3] * 8)["static:x"] == [[-1] * 8, [1] * 8]


def test_large_numbers_are_cut() -> None:
    assert code("future", [1, 3, 1, 3, 1e9, 1, 1, 1])["future:x"][0][4] == MAX_DEVIATIONS


def test_past_numbers_are_carried_forward() -> None:
    assert code("past", [1, 3, None, None, 1, "", None, None])["past:x"][0][:6] == [
        -1,
        1,
        1,
        1,
        -1,
        -1,
    ]


def test_numbers_before_the_first_are_the_mean() -> None:
    assert code("past", [None, None, 1, 3, 1, 1, 1, 1])["past:x"][0][:2] == [0, 0]


def test_numbers_are_not_carried_into_the_next_series() -> None:
    assert code("past", [1, 3, 1, 3, 1, 9, 9, 9], [None, None, 1, 3, 1, 1, 1, 1])["past:x"][1][
        :2
    ] == [0, 0]


def test_past_numbers_end_with_the_series() -> None:
    assert np.isnan(code("past", [1, 3, 1, 3, 1, 1, 5, 5])["past:x"][0][NUM_DAYS:]).all()


@pytest.mark.parametrize(("yes", "no"), [(1, 0), (True, False), ("true", "false"), ("Yes", "no")])
def test_flags_are_1_apart(yes: object, no: object) -> None:
    assert code("future", [yes, no, no, no, yes, no, no, yes])["future:x"] == [
        [0.75, -0.25, -0.25, -0.25, 0.75, -0.25, -0.25, 0.75]
    ]


def test_categories_of_the_training_have_numbers() -> None:
    assert code("future", ["b", "a", "a", "a", "b", "a", "a", "b"]) == {
        "future:x=a": [[-0.75, 0.25, 0.25, 0.25, -0.75, 0.25, 0.25, -0.75]],
        "future:x=b": [[0.75, -0.25, -0.25, -0.25, 0.75, -0.25, -0.25, 0.75]],
    }


def test_new_category_has_no_number() -> None:
    found = code("future", ["a", "b", "a", "b", "new", "a", "a", "b"])
    assert [found[name][0][4] for name in found] == [0, 0]


def test_categories_have_a_limit() -> None:
    cells = [[f"c{number}"] * 8 for number in range(MAX_LEVELS + 5)]
    assert len(code("static", *cells)) == MAX_LEVELS


def test_what_has_no_code_is_refused_by_its_place() -> None:
    with pytest.raises(SeriesError, match="'x' of series 's1' at 2 times from 2 to 4"):
        code("future", [1, 3, 1, 3, 1, 1, 1, 1], [1, 3, None, 3, " ", 1, 1, 1])
    with pytest.raises(SeriesError, match="'x' changes in series 's1'"):
        code("static", [1] * 8, [3, 3, 3, 3, 3, 4, 3, 3])
    with pytest.raises(
        SeriesError,
        match="series 's0' at 5: expected a number, as in the training part, received 'many'",
    ):
        code("past", [1, 3, 1, 3, 1, "many", 1, 1])
    with pytest.raises(SeriesError, match="no value in the training part"):
        code("past", [None, None, None, None, 1, 1, 1, 1])


def test_static_values_are_of_a_panel_alone(caplog: pytest.LogCaptureFixture) -> None:
    assert code("static", [1] * 8, [3] * 8, [None] * 8)["static:x"][2] == [0] * 8
    assert code("static", [1] * 8) == {}
    assert "one series has one value" in caplog.text


def read(external: pd.DataFrame, **covariates: object) -> pd.DataFrame:
    return read_series(
        SourceSpec(name="catalog"), CovariateSpec.model_validate(covariates), external
    )[1]


def test_covariates_are_columns_of_one_kind() -> None:
    found = read(
        pd.DataFrame({"ds": [1, 2, 3], "y": [5.0, 6.0, None], "promo": [0, 1, 0]}), future=["promo"]
    )
    assert found["promo"].tolist() == [0, 1, 0]
    with pytest.raises(SeriesError, match=r"no column \['promo'\]"):
        read(pd.DataFrame({"ds": [1], "y": [1.0]}), future=["promo"])
    with pytest.raises(ValidationError, match="of one kind"):
        CovariateSpec(future=("price",), past=("price",))
    assert read(pd.DataFrame({"ds": [1], "y": [1.0]})).empty
    ds = pd.date_range("2024-10-01", periods=4)
    features = Features(pd.DataFrame({"unique_id": "a", "ds": ds, "y": 1.0, "observed": True}))
    assert (
        len(add_coded_covariates(features, Coding(holidays="DE"), None, 1).covariates["future"])
        == 3
    )


def test_values_of_another_table_are_added(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ahead") / "ahead.csv"
    path.write_text("ds,promo\n3,1\n4,0\n")
    external = pd.DataFrame({"ds": [1, 2], "y": [5.0, 6.0], "promo": [0, 1], "rain": [2.0, 3.0]})
    found = read(external, future=["promo"], past=["rain"], path=str(path))
    assert found["ds"].tolist() == [1, 2, 3, 4]
    assert found["promo"].astype(int).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("cells", [[1, 2, 7], [1.0, 2.0, np.nan]])
def test_numbers_have_the_codes_of_the_levels_that_they_equal(cells: list[float]) -> None:
    """A column of words and numbers can hold numbers alone later, which are then read as such."""
    text, _ = read_cells(pd.Series(cells), ("a", "01", "2"))
    assert text[:2].tolist() == ["01", "2"]
    assert text.isna().tolist() == [False, False, bool(np.isnan(cells[2]))]
