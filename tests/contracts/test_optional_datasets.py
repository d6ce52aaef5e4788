"""What one pipeline looks for is what another one leaves."""

from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader


@pytest.fixture(scope="module", params=["test", "postgres"])
def entries(project: Path, request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    loader = OmegaConfigLoader(
        str(project / "conf"), base_env="base", default_run_env="local", env=request.param
    )
    return dict(loader["catalog"])


def test_what_may_be_missing_is_the_entry_of_another_pipeline(
    entries: dict[str, dict[str, Any]],
) -> None:
    """To the letter, also where an environment has another one in its place."""
    looked_for = {
        name: entry["dataset"]
        for name, entry in entries.items()
        if entry["type"].endswith(".OptionalDataset")
    }
    originals = {
        name: [other for other, entry in entries.items() if entry == dataset]
        for name, dataset in looked_for.items()
    }
    assert len(originals) > 0
    assert [name for name, found in originals.items() if not found] == []
