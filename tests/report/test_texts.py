"""Prose is read from beside the code."""

from pathlib import Path

import pytest

from rnn_pipelines.report.texts import read_texts


def test_a_text_is_one_paragraph_whatever_its_line_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "made_up"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "texts.toml").write_text('[notes]\nfirst = """\nLower\nis better."""\n', encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert read_texts("made_up") == {"notes": {"first": "Lower is better."}}
