"""What the tests of commands share."""

from collections.abc import Iterator

import pytest
from kedro.framework.project import pipelines


@pytest.fixture(autouse=True)
def all_pipelines() -> Iterator[None]:
    """A command loads only the pipelines that it needs; later tests of this process need all of them."""
    yield
    pipelines.set_requested(None)
