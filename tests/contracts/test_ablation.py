"""The rules of the ablation name places of the source, so that none is measured without being switched off."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> list:
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = import_module("ablation_rules")
    rules: list = module.RULES + module.NETWORK_RULES
    monkeypatch.delitem(sys.modules, "ablation_rules")
    return rules


def test_places_that_are_switched_off_exist_under_names_of_their_own(rules: list) -> None:
    for place in (place for rule in rules for place in rule.patches):
        module, _, path = place.partition(":")
        owner, _, attribute = path.rpartition(".")
        holder = import_module(f"rnn_pipelines.forecast.{module}")
        holder = getattr(holder, owner) if owner else holder
        assert attribute in (holder if isinstance(holder, dict) else dir(holder)), place
    assert len({rule.name for rule in rules}) == len(rules)
