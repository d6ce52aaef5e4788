"""The hints of `kedro champion explain-change` are for the environment of the command."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.project import pipelines
from kedro.io import DatasetError

from rnn_pipelines.cli import explain_change
from rnn_pipelines.errors import ChampionError


class Session:
    """A project with one night, or without a log."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def load_context(self) -> Any:
        return SimpleNamespace(catalog=self)

    def load(self, name: str) -> Any:
        if self.error is not None:
            raise self.error
        return [{}]


@pytest.mark.parametrize(("env", "option"), [("test", " --env=test"), (None, "")])
@pytest.mark.parametrize(
    "missing", [None, DatasetError("Run kedro run --pipelines=predict_forecast first.")]
)
def test_hint_names_the_environment(
    env: str | None, option: str, missing: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        explain_change,
        "KedroSession",
        SimpleNamespace(create=lambda env: nullcontext(Session(missing))),
    )
    kind = ChampionError if missing is None else DatasetError
    with pytest.raises(kind) as raised:
        explain_change.describe_last_change("forecast", env, None, None)
    assert f"Run kedro run --pipelines=predict_forecast{option} " in str(raised.value)


def test_only_the_pipeline_of_forecasts_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kedro warns of parameters that pipelines of experiments read with another type."""
    session = SimpleNamespace(create=lambda env: nullcontext(Session(None)))
    monkeypatch.setattr(explain_change, "KedroSession", session)
    requested: list[list[str]] = []
    monkeypatch.setattr(pipelines, "set_requested", requested.append)
    with pytest.raises(ChampionError):
        explain_change.describe_last_change("forecast", None, None, None)
    assert requested == [["predict_forecast"]]
