"""Public holidays are known ahead, and a country that does not exist is refused before anything runs."""

import sys

import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError, SeriesError
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.times.holidays import find_holidays
from rnn_pipelines.forecast.windows.coding import Coding


def test_holidays_are_known_with_the_days_around_them() -> None:
    found = find_holidays(pd.Series(pd.date_range("2024-09-30", periods=6)), "DE")
    assert {name: values.tolist() for name, values in found.items()} == {
        "holiday": [0, 0, 0, 1, 0, 0],
        "day_before_holiday": [0, 0, 1, 0, 0, 0],
        "day_after_holiday": [0, 0, 0, 0, 1, 0],
    }
    epiphany = pd.Series([pd.Timestamp("2024-01-06")])
    assert [find_holidays(epiphany, country)["holiday"][0] for country in ("DE", "DE-BY")] == [0, 1]
    with pytest.raises(SeriesError, match="received steps"):
        find_holidays(pd.Series([1, 2, 3]), "DE")


@pytest.mark.parametrize(
    "country", ["DE", "DE-BY", "DE-Augsburg", "US-CA", "Germany", "NO", "NYSE"]
)
def test_country_is_taken_with_its_part(country: str) -> None:
    assert CovariateSpec(holidays=country).holidays == country


@pytest.mark.parametrize(
    ("country", "closest"),
    [
        ("XX", "XK"),
        ("de", "DE"),
        ("de-by", "DE-BY"),
        ("DE-AUGSBURG", "DE-Augsburg"),
        ("Germny", "DE"),
        ("DE-XX", "BY"),
    ],
)
def test_country_that_does_not_exist_is_refused_with_the_closest_code(
    country: str, closest: str
) -> None:
    with pytest.raises(ValidationError, match=rf"received '{country}' \(.*\b{closest}\b"):
        CovariateSpec(holidays=country)
    with pytest.raises(
        ParameterError, match=rf"^covariates\.holidays: .* received '{country}' \(.*\b{closest}\b"
    ):
        Forecaster(covariates={"holidays": country})


def test_country_without_a_close_code_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"received ''\.$"):
        Forecaster(covariates={"holidays": ""})
    # YAML reads NO as false.
    with pytest.raises(ParameterError, match=r"^covariates\.holidays: .*'NO'"):
        Forecaster(covariates={"holidays": yaml.safe_load("NO")})


@pytest.mark.parametrize(
    "name", ["utils", "registry", "country_holidays", "HolidayBase", "HolidaySum", "__name__"]
)
def test_other_names_of_the_package_are_no_countries(name: str) -> None:
    with pytest.raises(ParameterError, match=rf"^covariates\.holidays: .* received '{name}'"):
        Forecaster(covariates={"holidays": name})


def test_absence_of_the_package_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(ParameterError, match="-m pip install holidays"):
        Forecaster(covariates={"holidays": "DE"})


def test_learnt_holidays_are_described_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert Coding(holidays="DE").make_spec().holidays == "DE"
