"""What one pipeline looks for is what another one leaves."""

from typing import Any

import pytest
from kedro.framework.context import KedroContext

ORIGINALS = {
    "internals_found_reviews": "sentiment_reviews",
    "internals_found_windows": "forecast_windows",
    "internals_found_{cell}_model": "forecast_{cell}_model",
    "internals_found_classifier": "sentiment_classifier",
    "predict_sentiment_found_classifier": "sentiment_classifier",
    "monitor_forecast_found_forecasts": "predict_forecast_forecasts",
    "monitor_sentiment_found_reviews": "sentiment_reviews",
    "monitor_sentiment_found_encoded": "sentiment_encoded",
    "monitor_sentiment_found_calibrations": "sentiment_calibrations",
    "monitor_sentiment_found_predictions": "sentiment_predictions",
    "monitor_sentiment_found_scores": "predict_sentiment_scores",
}


@pytest.fixture(scope="module")
def entries(context: KedroContext) -> dict[str, dict[str, Any]]:
    return dict(context.config_loader["catalog"])


def test_all_entries_that_may_be_missing_are_known(entries: dict[str, dict[str, Any]]) -> None:
    optional = {name for name, entry in entries.items() if entry["type"].endswith(".OptionalDataset")}
    assert optional == set(ORIGINALS)


@pytest.mark.parametrize(("name", "original"), ORIGINALS.items())
def test_entry_is_that_of_the_other_pipeline(entries: dict[str, dict[str, Any]], name: str, original: str) -> None:
    """But for what the catalog itself does with an entry."""
    expected = {key: value for key, value in entries[original].items() if key not in ("metadata", "validator")}
    assert entries[name]["dataset"] == expected


@pytest.mark.parametrize(("name", "original"), ORIGINALS.items())
def test_entry_has_the_layer_of_the_original(entries: dict[str, dict[str, Any]], name: str, original: str) -> None:
    assert entries[name]["metadata"] == entries[original]["metadata"]
