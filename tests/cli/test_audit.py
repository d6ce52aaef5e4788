"""The options of `kedro champion audit`."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from rnn_pipelines.cli.audit import audit


@pytest.mark.parametrize("option", ["--stamp", "--against"])
@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"sha256": "5e"}', '{"sha256": null, "task": "", "num_nights": 1}']
)
def test_stamp_is_one_of_the_audit(tmp_path: Path, option: str, content: str) -> None:
    """Another file with a hash is neither trusted nor overwritten."""
    path = tmp_path / "stamp.json"
    path.write_text(content)
    result = CliRunner().invoke(audit, ["forecast", option, str(path)])
    assert "expected a stamp of kedro champion audit" in str(result.exception)
    assert path.read_text() == content
